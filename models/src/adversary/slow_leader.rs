//! K5, `slow-leader`: a leader that is just fast enough not to be replaced (A. Clement et al.,
//! "Making Byzantine Fault Tolerant Systems Tolerate Byzantine Faults", NSDI 2009, section 3.2:
//! the primary "delays sending the pre-prepare" below the backups' timers).

use super::traitor::{Behaviour, Out, Says, To};
use consim_core::{NodeId, Payload, Span, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// Lets one proposal go in each interval.
pub(super) struct SlowLeader {
    kinds: &'static [&'static str],
    interval: Span,
    /// How long what is proposed has waited already: others count from then.
    waited: Span,
    /// Before this nothing goes out.
    next: Time,
    queue: VecDeque<(Vec<NodeId>, Arc<dyn Payload>)>,
}

impl SlowLeader {
    pub(super) fn new(kinds: &'static [&'static str], interval: Span, waited: Span) -> Self {
        Self {
            kinds,
            interval,
            waited,
            next: Time::ZERO,
            queue: VecDeque::new(),
        }
    }
}

impl Behaviour for SlowLeader {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if !self.kinds.contains(&payload.kind()) {
            return Says::AsItIs;
        }
        if let To::One(_) = to {
            // Asked for again by one that waits for it: it waits on, unless all others have it.
            let waits = self
                .queue
                .iter()
                .any(|(_, held)| Arc::ptr_eq(held, payload));
            return if waits { Says::Nothing } else { Says::AsItIs };
        }
        let now = out.now();
        if self.queue.is_empty() {
            // The first waits as well: what comes at once wins nothing for an attacker.
            let hold = self.interval.nanos().saturating_sub(self.waited.nanos());
            self.next = self.next.later(now + Span::from_nanos(hold));
            out.set_timer(0, self.next - now);
        }
        out.count(1);
        let to = to.each(out.node()).collect();
        self.queue.push_back((to, Arc::clone(payload)));
        Says::Nothing
    }
    fn timer(&mut self, out: &mut Out<'_, '_>, _key: u32) {
        let Some((to, payload)) = self.queue.pop_front() else {
            return;
        };
        for node in to {
            out.send(node, Arc::clone(&payload));
        }
        self.next = out.now() + self.interval;
        if !self.queue.is_empty() {
            out.set_timer(0, self.interval);
        }
    }
}
