//! The latency floor of the normal case: a block is final once so many follow it, a period each.

use crate::consensus::ProtocolOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// `leader` seals a block; who is in turn next has it, and seals a period later, and so on; whoever has the last
/// of those that have to follow the first is done.
pub(super) fn floor(
    options: &ProtocolOptions,
    delays: &Delays,
    leader: usize,
    quorum: usize,
) -> Vec<Span> {
    let ProtocolOptions::Clique(options) = options else {
        return vec![Span::ZERO; delays.members()];
    };
    let n = delays.members().max(1);
    let (mut sealer, mut at) = (leader % n, Span::ZERO);
    for _ in 0..options.depth(quorum) {
        let next = (sealer + 1) % n;
        at += options.period.max(delays.between(sealer, next));
        sealer = next;
    }
    delays.arrivals(sealer, at)
}
