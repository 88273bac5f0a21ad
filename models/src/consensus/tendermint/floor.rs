//! The latency floor of the normal case (arXiv 1807.04938, Algorithm 1, lines 11-30 and 36-54).

use crate::consensus::ProtocolOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// PROPOSAL, with the proposer's PREVOTE, reaches everybody, who prevotes at once; whoever has a quorum of
/// prevotes precommits; whoever has a quorum of precommits, and the proposal, is done.
pub(super) fn floor(
    _options: &ProtocolOptions,
    delays: &Delays,
    proposer: usize,
    quorum: usize,
) -> Vec<Span> {
    crate::consensus::floor::two_phases(delays, proposer, quorum)
}
