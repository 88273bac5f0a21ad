//! B10, `censor`: a member that does not take in the transactions of some. As the leader it lets them
//! lie, and does all its other work.

use super::{Tongue, Word};
use crate::adversary::{Behaviour, Hears, Means, Out};
use crate::node::message::Message;
use consim_core::{NodeId, Payload};
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::sync::Arc;

pub(super) struct Censor<T> {
    means: Means,
    tongue: PhantomData<T>,
    whom: BTreeSet<NodeId>,
}

impl<T: Tongue> Censor<T> {
    pub(super) fn new(means: Means, whom: &[NodeId]) -> Self {
        Self {
            means,
            tongue: PhantomData,
            whom: whom.iter().copied().collect(),
        }
    }
}

impl<T: Tongue> Behaviour for Censor<T> {
    fn hears(&mut self, out: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Message::Request(tx)) = payload.as_any().downcast_ref() {
            if self.whom.contains(&tx.id().origin) {
                out.count(1);
                return Hears::Nothing;
            }
            return Hears::AsItIs;
        }
        let Some(Word::Forward(txs, to_all)) = T::read(&self.means, payload) else {
            return Hears::AsItIs;
        };
        let kept = txs.iter().filter(|tx| !self.whom.contains(&tx.id().origin));
        let kept: Vec<_> = kept.cloned().collect();
        let ignored = txs.len() - kept.len();
        out.count(ignored as u64);
        match (ignored, kept.is_empty()) {
            (0, _) => Hears::AsItIs,
            (_, true) => Hears::Nothing,
            (_, false) => Hears::Instead(T::say(&self.means, Word::Forward(kept, to_all))),
        }
    }
}
