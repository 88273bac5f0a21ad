//! Since when the run is undisturbed.

use consim_core::{Span, Time};

/// Counts the open fault windows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Calm {
    open: u32,
    since: Time,
}

impl Calm {
    /// A window opened or closed.
    pub(super) fn fault(&mut self, at: Time, open: bool) {
        if open {
            self.open += 1;
        } else {
            self.open = self.open.saturating_sub(1);
            self.since = at;
        }
    }
    /// When something that began at `from` is due, counted from the later of `from` and the end of
    /// the last window; `None` while a window is open.
    pub(super) fn due(&self, from: Time, bound: Span) -> Option<Time> {
        (self.open == 0).then(|| from.later(self.since) + bound)
    }
}
