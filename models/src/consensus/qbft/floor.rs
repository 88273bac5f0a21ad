//! The latency floor of the normal case (arXiv 2002.03613, Algorithm 2).

use crate::consensus::ProtocolOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// PROPOSAL, with the proposer's PREPARE, reaches everybody, who prepares at once; whoever has a quorum of
/// prepares commits; whoever has a quorum of commits, and the proposal, is done. The block period comes before.
pub(super) fn floor(
    _options: &ProtocolOptions,
    delays: &Delays,
    proposer: usize,
    quorum: usize,
) -> Vec<Span> {
    crate::consensus::floor::two_phases(delays, proposer, quorum)
}
