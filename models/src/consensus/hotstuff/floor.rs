//! The latency floor of the normal case.

use super::config::HotStuffOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// With the options that scenarios have if they name none: one leader, three phases. In each a proposal
/// reaches everybody, who votes at once; the votes of a quorum make the next. Those of the last one commit
/// the first, and one more proposal tells the others.
pub(super) fn floor(delays: &Delays, leader: usize, quorum: usize) -> Vec<Span> {
    let phases = HotStuffOptions::default().phases.depth();
    let view = |began: Span, _| delays.heard_by(leader, &delays.arrivals(leader, began), quorum);
    delays.arrivals(leader, (0..phases).fold(Span::ZERO, view))
}
