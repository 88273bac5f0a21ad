//! What handlers cost, remembered: nearly all of a run's handlers do one of a few kinds of work.

use crate::config::Hardware;
use consim_core::{Span, Work};
use std::sync::Arc;

/// A handler's work on a machine, and how long it takes.
#[derive(Debug)]
struct Known {
    hardware: Arc<Hardware>,
    verify: u32,
    received: Option<usize>,
    cost: Span,
}

/// The last costs of handlers that verified signatures and did nothing else, or not even that, by
/// the parity of their number: votes that are verified alternate with votes that are not.
#[derive(Debug, Default)]
pub(super) struct Costs([Option<Known>; 2]);

impl Costs {
    /// [`Hardware::cost`].
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a fifth of a message"
    )]
    #[inline(always)]
    pub(super) fn of(
        &mut self,
        hardware: &Arc<Hardware>,
        work: &Work,
        received: Option<usize>,
    ) -> Span {
        let Some(verify) = work.only_verify() else {
            return hardware.cost(work, received);
        };
        let [even, odd] = &self.0;
        if let Some(known) = if verify.is_multiple_of(2) { even } else { odd }
            && known.verify == verify
            && known.received == received
            && Arc::ptr_eq(&known.hardware, hardware)
        {
            return known.cost;
        }
        self.learn(hardware, work, received)
    }
    #[cold]
    fn learn(&mut self, hardware: &Arc<Hardware>, work: &Work, received: Option<usize>) -> Span {
        let [even, odd] = &mut self.0;
        let cost = hardware.cost(work, received);
        let known = if work.verify.is_multiple_of(2) {
            even
        } else {
            odd
        };
        *known = Some(Known {
            hardware: Arc::clone(hardware),
            verify: work.verify,
            received,
            cost,
        });
        cost
    }
}
