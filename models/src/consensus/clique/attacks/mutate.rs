//! B5, `mutate`: blocks that are a little off. `view` is the difficulty, `sequence` the height, `digest` the
//! parent, `certificate` the seal.

use super::{Draft, own_block, sealed};
use crate::adversary::{Behaviour, Means, MutatedField, Out, Says, To};
use crate::consensus::clique::message::{Body, Message};
use consim_core::{Digest, Payload, Work};
use std::sync::Arc;

pub(super) struct Mutate {
    means: Means,
    field: MutatedField,
    by: i64,
}

impl Mutate {
    pub(super) fn new(means: Means, field: MutatedField, by: i64) -> Self {
        Self { means, field, by }
    }
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(block) = own_block(&self.means, payload) else {
            return Says::AsItIs;
        };
        let mut draft: Draft = block.draft();
        let mut said = None;
        match self.field {
            MutatedField::View => {
                draft.difficulty = draft.difficulty.saturating_add_signed(self.by);
            }
            MutatedField::Sequence => draft.height = draft.height.saturating_add_signed(self.by),
            MutatedField::Digest => draft.parent = Digest::of(&draft.parent.0),
            MutatedField::Certificate => {
                // A seal of its own, but over another block.
                let other = Digest::of(&block.id().0);
                let signature = self.means.key.sign(&other);
                let block = draft.clone().sealed(self.means.chain, signature);
                said = Some(Arc::new(Message {
                    chain: self.means.chain,
                    body: Body::Block(Arc::new(block)),
                }) as Arc<dyn Payload>);
            }
        }
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        let said = said.unwrap_or_else(|| sealed(&self.means, draft));
        out.send_to(to, said);
        Says::Nothing
    }
}
