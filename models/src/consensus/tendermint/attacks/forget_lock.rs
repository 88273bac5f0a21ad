//! B3, `forget-lock`: a member that votes against its own lock (amnesia). It prevotes whatever is put forward
//! in place of nil, and puts a new value forward in place of the valid one.

use super::super::message::{Body, NIL, PREVOTE, Proposal};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use crate::consensus::conducts::another;
use consim_core::{Digest, NodeId, Payload, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Proposals that are remembered (assumed): those of some rounds.
const REMEMBERED: usize = 64;

pub(super) struct ForgetLock {
    means: Means,
    /// By height and round: what was put forward.
    heard: BTreeMap<(u64, u64), Digest>,
}

impl ForgetLock {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            heard: BTreeMap::new(),
        }
    }
}

impl Behaviour for ForgetLock {
    fn hears(&mut self, _: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Body::Proposal { proposal, .. }) = read(&self.means, payload) {
            let place = (proposal.sequence, proposal.view);
            self.heard.insert(place, proposal.batch.digest());
            if self.heard.len() > REMEMBERED {
                self.heard.pop_first();
            }
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let means = &self.means;
        let body = match read(means, payload) {
            Some(Body::Prevote(ballot)) if ballot.digest == NIL => {
                let place = (ballot.sequence, ballot.view);
                let Some(&digest) = self.heard.get(&place) else {
                    return Says::AsItIs;
                };
                let (view, sequence) = (ballot.view, ballot.sequence);
                Body::Prevote(vote(means, PREVOTE, view, sequence, digest))
            }
            Some(Body::Proposal {
                proposal,
                valid: Some(_),
            }) if proposal.signature.key == means.key.id() => {
                let batch = Arc::new(another(&proposal.batch));
                let (view, sequence) = (proposal.view, proposal.sequence);
                let own = vote(means, PREVOTE, view, sequence, batch.digest());
                let proposal = Arc::new(Proposal::new(view, sequence, batch, own.signature));
                Body::Proposal {
                    proposal,
                    valid: None,
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
