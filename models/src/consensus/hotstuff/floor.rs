//! The latency floor of the normal case.

use super::config::HotStuffOptions;
use crate::consensus::ProtocolOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// How many certified proposals in a row commit the first.
fn depth(options: &ProtocolOptions) -> usize {
    match options {
        ProtocolOptions::HotStuff(options) => options.phases.depth(),
        _ => HotStuffOptions::default().phases.depth(),
    }
}

/// Message delays from proposal to commit: there and back in each phase.
pub(super) fn phases(options: &ProtocolOptions) -> u32 {
    2 * depth(options) as u32
}

/// With one leader. In each phase a proposal reaches everybody, who votes at once; the votes of a quorum
/// make the next. Those of the last one commit the first, and one more proposal tells the others.
pub(super) fn floor(
    options: &ProtocolOptions,
    delays: &Delays,
    leader: usize,
    quorum: usize,
) -> Vec<Span> {
    let view = |began: Span, _| delays.heard_by(leader, &delays.arrivals(leader, began), quorum);
    delays.arrivals(leader, (0..depth(options)).fold(Span::ZERO, view))
}
