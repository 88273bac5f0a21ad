//! B12, `replay-old`: proposals, votes and view changes come again, word for word, when they are
//! out of date.

use super::late_vote::Held;
use super::traitor::{Behaviour, Out, Says, To};
use consim_core::{Payload, Span};
use std::sync::Arc;

/// Says everything a second time.
pub(super) struct ReplayOld {
    kinds: &'static [&'static str],
    held: Held,
}

impl ReplayOld {
    pub(super) fn new(kinds: &'static [&'static str], age: Span) -> Self {
        Self {
            kinds,
            held: Held::new(age),
        }
    }
}

impl Behaviour for ReplayOld {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if self.kinds.contains(&payload.kind()) {
            self.held.hold(out, to, payload);
        }
        Says::AsItIs
    }
    fn timer(&mut self, out: &mut Out<'_, '_>, _key: u32) {
        let sent = self.held.release(out);
        out.count(sent);
    }
}
