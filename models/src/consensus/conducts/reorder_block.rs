//! B10, `reorder-block`: a leader that orders transactions against their arrival. What others send it
//! waits for as long as a block does and is taken in the last one first, so that what is submitted at
//! the leader itself, and what came late, runs in front.

use super::{Tongue, Word};
use crate::adversary::{Behaviour, Hears, Means, Out};
use consim_core::{NodeId, Payload, Span, Tx};
use std::marker::PhantomData;
use std::sync::Arc;

/// The most that it holds (assumed): what comes then goes through.
const MOST: usize = 10_000;
/// The shortest wait, where blocks wait for nothing.
const LEAST: Span = Span::from_millis(50);

pub(super) struct ReorderBlock<T> {
    means: Means,
    tongue: PhantomData<T>,
    held: Vec<(NodeId, bool, Arc<Tx>)>,
}

impl<T: Tongue> ReorderBlock<T> {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            tongue: PhantomData,
            held: Vec::new(),
        }
    }
}

impl<T: Tongue> Behaviour for ReorderBlock<T> {
    fn hears(&mut self, out: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        let Some(Word::Forward(txs, to_all)) = T::read(&self.means, payload) else {
            return Hears::AsItIs;
        };
        if self.held.len() + txs.len() > MOST {
            return Hears::AsItIs;
        }
        if self.held.is_empty() {
            out.set_timer(0, self.means.block.wait.max(LEAST));
        }
        let held = txs.iter().map(|tx| (from, to_all, Arc::clone(tx)));
        self.held.extend(held);
        Hears::Nothing
    }
    fn timer(&mut self, out: &mut Out<'_, '_>, _key: u32) {
        let held = std::mem::take(&mut self.held);
        out.count(held.len().saturating_sub(1) as u64);
        for (from, to_all, tx) in held.into_iter().rev() {
            let word = Word::Forward(vec![tx], to_all);
            out.hand_in(from, T::say(&self.means, word));
        }
    }
}
