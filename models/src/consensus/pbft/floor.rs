//! The latency floor of the normal case.

use crate::consensus::ProtocolOptions;
use crate::consensus::floor::Delays;
use consim_core::Span;

/// PRE-PREPARE, which is the primary's prepare too, reaches everybody, who prepares at once; whoever has
/// a quorum of prepares commits; whoever has a quorum of commits, and the proposal, is done.
pub(super) fn floor(
    _options: &ProtocolOptions,
    delays: &Delays,
    primary: usize,
    quorum: usize,
) -> Vec<Span> {
    crate::consensus::floor::two_phases(delays, primary, quorum)
}
