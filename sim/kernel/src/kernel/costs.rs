//! What handlers cost, remembered: nearly all of a run's handlers do one of a few kinds of work.

use crate::config::Hardware;
use consim_core::{Span, Work};
use std::sync::Arc;

/// A handler's work on a machine, and how long it takes.
#[derive(Debug)]
struct Known {
    hardware: Arc<Hardware>,
    work: Work,
    received: Option<usize>,
    cost: Span,
}

/// The last costs, by a hash of one bit: votes that are verified alternate with votes that are not.
#[derive(Debug, Default)]
pub(super) struct Costs([Option<Known>; 2]);

impl Costs {
    /// [`Hardware::cost`].
    #[inline]
    pub(super) fn of(
        &mut self,
        hardware: &Arc<Hardware>,
        work: &Work,
        received: Option<usize>,
    ) -> Span {
        let [even, odd] = &mut self.0;
        let known = if work.verify == 0 { even } else { odd };
        if let Some(known) = known
            && known.received == received
            && known.work == *work
            && Arc::ptr_eq(&known.hardware, hardware)
        {
            return known.cost;
        }
        let cost = hardware.cost(work, received);
        *known = Some(Known {
            hardware: Arc::clone(hardware),
            work: *work,
            received,
            cost,
        });
        cost
    }
}
