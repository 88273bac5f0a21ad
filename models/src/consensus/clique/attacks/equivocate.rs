//! B2, `equivocate`: a signer that seals two blocks upon one parent, one for some and one for the others.

use super::{Draft, own_block, sealed};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use crate::consensus::conducts::another;
use consim_core::{NodeId, Payload, Work};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) struct Equivocate {
    means: Means,
    /// Those that get the other block: the second half of the correct members.
    others: BTreeSet<NodeId>,
}

impl Equivocate {
    pub(super) fn new(means: Means) -> Self {
        let correct = means.others();
        let others = correct.iter().skip(correct.len() / 2).copied().collect();
        Self { means, others }
    }
}

impl Behaviour for Equivocate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(block) = own_block(&self.means, payload) else {
            return Says::AsItIs;
        };
        let me = out.node();
        let (others, rest): (Vec<_>, Vec<_>) =
            to.each(me).partition(|node| self.others.contains(node));
        if others.is_empty() || block.batch.txs().is_empty() {
            return Says::AsItIs;
        }
        let draft = Draft {
            batch: Arc::new(another(&block.batch)),
            ..block.draft()
        };
        out.work(Work::sign(1));
        out.count(others.len() as u64);
        let other = sealed(&self.means, draft);
        for node in rest {
            out.send(node, Arc::clone(payload));
        }
        for node in others {
            out.send(node, Arc::clone(&other));
        }
        Says::Nothing
    }
}
