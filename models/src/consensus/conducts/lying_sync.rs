//! B9, `lying-sync`, and B11, `double-signatures` and `strip-signatures`: a member that answers those
//! who catch up with something that was never committed, or with certificates that prove nothing. It
//! says that it is far ahead, so that it is asked.

use super::forge::{Lie, forge, only_member};
use super::{Blocks, Tongue, Word};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use consim_core::Payload;
use std::marker::PhantomData;
use std::sync::Arc;

/// How far ahead of the truth it says that it is (assumed): beyond what anybody has executed, and
/// within a window, so that nobody asks for state instead.
const AHEAD: u64 = 100;

pub(super) struct LyingSync<T> {
    means: Means,
    tongue: PhantomData<T>,
    lie: Lie,
}

impl<T: Tongue> LyingSync<T> {
    pub(super) fn new(means: Means, lie: Lie) -> Self {
        Self {
            means,
            tongue: PhantomData,
            lie,
        }
    }
}

impl<T: Tongue> Behaviour for LyingSync<T> {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if self.lie == Lie::Members {
            // Whoever is told how far it is, is shown who decides.
            if T::ahead(&self.means, payload, 0).is_some()
                && let Some(link) = only_member(&self.means)
                && let Some(links) = T::links(&self.means, vec![Arc::new(link)])
            {
                out.count(1);
                out.send_to(to, links);
            }
            return Says::AsItIs;
        }
        let said = if let Some(Word::Blocks(honest)) = T::read(&self.means, payload) {
            out.count(1);
            let lies = honest.blocks.iter();
            let lies = lies.filter_map(|c| forge(&self.means, c, self.lie).map(Arc::new));
            let blocks = Blocks {
                blocks: lies.collect(),
                executed: honest.executed + AHEAD,
                proof: None,
            };
            T::say(&self.means, Word::Blocks(blocks))
        } else if let Some(further) = T::ahead(&self.means, payload, AHEAD) {
            further
        } else {
            return Says::AsItIs;
        };
        out.send_to(to, said);
        Says::Nothing
    }
}
