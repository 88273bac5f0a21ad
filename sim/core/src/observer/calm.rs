//! Since when the run is undisturbed.

use super::Heal;
use crate::{NodeId, Span, Time};

/// Counts the open fault windows, and knows who stays broken after the heal.
#[derive(Clone, Debug, Default)]
pub struct Calm {
    open: u32,
    since: Time,
    broken: Vec<NodeId>,
}

impl Calm {
    /// A window opened or closed.
    pub fn fault(&mut self, at: Time, open: bool) {
        if open {
            self.open += 1;
        } else {
            // What is open at the heal is there for good: its end, if it has one, ends nothing.
            let closes = self.open > 0;
            self.open = self.open.saturating_sub(1);
            if closes {
                self.since = at;
            }
        }
    }
    /// From now on all but those who stay broken are left alone.
    pub fn healed(&mut self, at: Time, heal: &Heal) {
        self.open = 0;
        self.since = at;
        self.broken.clone_from(&heal.broken);
    }
    /// Is `node` one that stays broken?
    pub fn broken(&self, node: NodeId) -> bool {
        self.broken.contains(&node)
    }
    /// Since when the run is undisturbed; `None` while a window is open.
    pub fn since(&self) -> Option<Time> {
        (self.open == 0).then_some(self.since)
    }
    /// When something that began at `from` is due, counted from the later of `from` and the end of
    /// the last window; `None` while a window is open.
    pub fn due(&self, from: Time, bound: Span) -> Option<Time> {
        Some(from.later(self.since()?) + bound)
    }
}
