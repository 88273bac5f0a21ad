//! The latency floor of the normal case (DSN 2014, figure 2).

use crate::consensus::ProtocolOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// PROPOSE, with the leader's WRITE, reaches everybody, who writes at once; whoever has a quorum of WRITE
/// accepts; whoever has a quorum of ACCEPT, and the proposal, is done.
pub(super) fn floor(
    _options: &ProtocolOptions,
    delays: &Delays,
    leader: usize,
    quorum: usize,
) -> Vec<Span> {
    crate::consensus::floor::two_phases(delays, leader, quorum)
}
