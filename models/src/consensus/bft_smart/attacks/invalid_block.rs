//! B7, `invalid-block`: a leader that puts forward what no correct member may accept: a batch whose
//! root is not that of its transactions.

use super::super::message::{Body, WRITE, Proposal};
use super::{message, read, vote};
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
        let Some(Body::Propose(honest)) = read(&self.means, payload) else {
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
        let ballot = vote(&self.means, WRITE, view, sequence, batch.digest());
        out.count(1);
        out.work(Work::sign(1));
        let proposal = Body::Propose(Arc::new(Proposal::new(
            view,
            sequence,
            Arc::new(batch),
            ballot.signature,
        )));
        out.send_to(to, message(&self.means, proposal));
        Says::Nothing
    }
}
