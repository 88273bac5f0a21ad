//! Messages that a fault keeps, in the order in which they came.

use super::window::{Act, Copy, Cx};
use consim_core::{Span, Time};
use std::collections::BTreeMap;

/// A paced release plays back what was held this much faster than it came (assumed: a backlog
/// drains faster than it grew, but not at once).
const FASTER: u64 = 10;

/// Held messages, each with when it came.
#[derive(Default)]
pub(super) struct Held {
    list: Vec<(Time, Copy)>,
    /// Those that were let go and have not arrived yet.
    free: BTreeMap<(u32, u32), u32>,
}

impl Held {
    pub(super) fn keep(&mut self, now: Time, copy: Copy) {
        self.list.push((now, copy));
    }
    /// Was this one let go before, and comes now?
    pub(super) fn lets_go(&mut self, copy: Copy) -> bool {
        let key = (copy.send, copy.to);
        let Some(count) = self.free.get_mut(&key) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.free.remove(&key);
        }
        true
    }
    /// Lets those go of which `free` is true: at once, or in the order and at a multiple of the pace
    /// at which they came since `since`. Returns when the last arrives.
    pub(super) fn release(
        &mut self,
        cx: &mut Cx<'_>,
        paced: Option<Time>,
        mut free: impl FnMut(&Copy) -> bool,
    ) -> Time {
        let mut last = cx.now;
        let now = cx.now;
        self.list.retain(|&(came, copy)| {
            if !free(&copy) {
                return true;
            }
            let wait = paced.map_or(Span::ZERO, |since| {
                Span::from_nanos(came.since(since).nanos() / FASTER)
            });
            let at = now + wait;
            last = last.later(at);
            cx.act(Act::Arrive { at, copy });
            *self.free.entry((copy.send, copy.to)).or_default() += 1;
            false
        });
        last
    }
}
