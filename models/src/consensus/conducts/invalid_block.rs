//! B7, `invalid-block`: a leader that puts forward what no correct member may accept: a batch whose
//! root is not that of its transactions.

use super::{Tongue, Word, proposal};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use consim_core::{Batch, Digest, Payload, Work};
use std::marker::PhantomData;
use std::sync::Arc;

pub(super) struct InvalidBlock<T> {
    means: Means,
    tongue: PhantomData<T>,
}

impl<T: Tongue> InvalidBlock<T> {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            tongue: PhantomData,
        }
    }
}

impl<T: Tongue> Behaviour for InvalidBlock<T> {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(Word::Proposal(honest)) = T::read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let batch = &honest.batch;
        let batch = Batch::new(
            batch.proposer(),
            batch.time_ns(),
            Arc::clone(batch.txs()),
            Digest::of(&batch.tx_root().0),
        );
        let (view, sequence) = (honest.view, honest.sequence);
        out.count(1);
        out.work(Work::sign(1));
        let word = proposal(&self.means, view, sequence, batch);
        out.send_to(to, T::say_instead(&self.means, word, payload));
        Says::Nothing
    }
}
