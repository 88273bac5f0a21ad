//! B7, `invalid-block`: a leader that puts forward what no correct member may accept: a batch whose root
//! is not that of its transactions.

use super::super::message::Body;
use super::{message, read, signed};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use consim_core::{Batch, Digest, Payload, Work};
use std::sync::Arc;

pub(super) struct InvalidBlock {
    means: Means,
}

impl InvalidBlock {
    pub(super) fn new(means: Means) -> Self {
        Self { means }
    }
}

impl Behaviour for InvalidBlock {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(like) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let (Body::Proposal(honest) | Body::Named(honest)) = &like.body else {
            return Says::AsItIs;
        };
        let batch = honest.batch();
        let batch = Batch::new(
            batch.proposer(),
            batch.time_ns(),
            Arc::clone(batch.txs()),
            Digest::of(&batch.tx_root().0),
        );
        out.count(1);
        out.work(Work::sign(1));
        let invalid = Body::Proposal(Arc::new(signed(&self.means, honest, batch)));
        out.send_to(to, message(like, invalid));
        Says::Nothing
    }
}
