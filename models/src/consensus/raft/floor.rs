//! The latency floor of the normal case.

use crate::consensus::ProtocolOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// An entry reaches everybody, who answers at once; the leader commits with the answers of a majority,
/// itself among them, and tells the others.
pub(super) fn floor(
    _options: &ProtocolOptions,
    delays: &Delays,
    leader: usize,
    quorum: usize,
) -> Vec<Span> {
    let stored = delays.arrivals(leader, Span::ZERO);
    let committed = delays.heard_by(leader, &stored, quorum);
    delays.arrivals(leader, committed)
}
