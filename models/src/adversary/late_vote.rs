//! B4, `late-vote`: votes are held back up to the edge of the timeout.

use super::traitor::{Behaviour, Out, Says, To};
use consim_core::{NodeId, Payload, Span, Time};
use std::collections::VecDeque;
use std::sync::Arc;

/// Messages that wait for their time, first in, first out.
#[derive(Debug)]
pub(super) struct Held {
    wait: Span,
    queue: VecDeque<(Time, Vec<NodeId>, Arc<dyn Payload>)>,
}

impl Held {
    pub(super) fn new(wait: Span) -> Self {
        Self {
            wait,
            queue: VecDeque::new(),
        }
    }
    /// Holds a message back.
    pub(super) fn hold(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) {
        let due = out.now() + self.wait;
        if self.queue.is_empty() {
            out.set_timer(0, self.wait);
        }
        let to = to.each(out.node()).collect();
        self.queue.push_back((due, to, Arc::clone(payload)));
    }
    /// Sends what is due; how many messages that were.
    pub(super) fn release(&mut self, out: &mut Out<'_, '_>) -> u64 {
        let now = out.now();
        let mut sent = 0;
        while self.queue.front().is_some_and(|(due, ..)| *due <= now)
            && let Some((_, to, payload)) = self.queue.pop_front()
        {
            sent += to.len() as u64;
            for node in to {
                out.send(node, Arc::clone(&payload));
            }
        }
        if let Some((due, ..)) = self.queue.front() {
            out.set_timer(0, *due - now);
        }
        sent
    }
}

/// Holds votes back.
pub(super) struct LateVote {
    kinds: &'static [&'static str],
    held: Held,
}

impl LateVote {
    pub(super) fn new(kinds: &'static [&'static str], wait: Span) -> Self {
        Self {
            kinds,
            held: Held::new(wait),
        }
    }
}

impl Behaviour for LateVote {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if !self.kinds.contains(&payload.kind()) {
            return Says::AsItIs;
        }
        out.count(to.each(out.node()).count() as u64);
        self.held.hold(out, to, payload);
        Says::Nothing
    }
    fn timer(&mut self, out: &mut Out<'_, '_>, _key: u32) {
        self.held.release(out);
    }
}
