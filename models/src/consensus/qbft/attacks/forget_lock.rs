//! B3, `forget-lock`: a member that says nothing of what it saw prepared (amnesia). Its ROUND-CHANGEs say that
//! nothing was, and as the proposer of a later round it puts something new forward in place of what was prepared.

use super::super::change::{Change, Justification, RoundChange};
use super::super::message::{Body, PREPARE, Proposal};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use crate::consensus::conducts::another;
use consim_core::{Payload, Work};
use std::sync::Arc;

pub(super) struct ForgetLock {
    means: Means,
}

impl ForgetLock {
    pub(super) fn new(means: Means) -> Self {
        Self { means }
    }
}

impl Behaviour for ForgetLock {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let means = &self.means;
        let own = means.key.id();
        let body = match read(means, payload) {
            Some(Body::RoundChange(said))
                if said.change.prepared.is_some() && said.change.signature.key == own =>
            {
                let place = (said.change.height, said.change.round);
                let change = Change::sign(means.chain, place, None, None, &means.key);
                Body::RoundChange(Arc::new(RoundChange {
                    change: Arc::new(change),
                    proof: None,
                    batch: None,
                }))
            }
            Some(Body::Proposal {
                proposal,
                justification: Some(justification),
            }) if proposal.signature.key == own && justification.highest().is_some() => {
                let batch = Arc::new(another(&proposal.batch));
                let (view, sequence) = (proposal.view, proposal.sequence);
                let own = vote(means, PREPARE, view, sequence, batch.digest());
                // Only those that saw nothing prepared are shown.
                let free = justification.changes.iter();
                let free = free.filter(|change| change.prepared.is_none());
                Body::Proposal {
                    proposal: Arc::new(Proposal::new(view, sequence, batch, own.signature)),
                    justification: Some(Arc::new(Justification {
                        changes: free.map(Arc::clone).collect(),
                        proof: None,
                    })),
                }
            }
            _ => return Says::AsItIs,
        };
        out.count(1);
        out.work(Work::sign(1));
        out.send_to(to, message(means, body));
        Says::Nothing
    }
}
