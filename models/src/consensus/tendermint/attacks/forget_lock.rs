//! B3, `forget-lock`: a member that votes against its own lock (amnesia). It prevotes and precommits whatever is put
//! forward in place of nil, and puts a new value forward in place of the valid one.

use super::super::message::{Ballot, Body, NIL, PRECOMMIT, PREVOTE, Proposal, Times};
use super::{another, message, read, vote};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{Batch, Digest, NodeId, Payload, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Proposals that are remembered (assumed): those of some rounds.
const REMEMBERED: usize = 64;

pub(super) struct ForgetLock {
    means: Means,
    /// By height and round: what was put forward.
    heard: BTreeMap<(u64, u64), Digest>,
    /// What proves the time of a new value at the last height that one was put forward for.
    times: Option<Arc<Times>>,
}

impl ForgetLock {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            heard: BTreeMap::new(),
            times: None,
        }
    }
}

impl ForgetLock {
    /// Somebody puts a value forward.
    fn learn(&mut self, payload: &Arc<dyn Payload>) {
        let (place, digest, times) = match read(&self.means, payload) {
            Some(Body::Proposal {
                proposal, times, ..
            }) => {
                let place = (proposal.sequence, proposal.view);
                (place, proposal.batch.digest(), times)
            }
            Some(Body::Header(header)) => {
                ((header.height, header.round), header.digest, &header.times)
            }
            _ => return,
        };
        self.heard.insert(place, digest);
        if self.heard.len() > REMEMBERED {
            self.heard.pop_first();
        }
        if times.is_some() {
            self.times.clone_from(times);
        }
    }
    /// The same transactions, as its own: a new value has to be that of who puts it forward.
    fn own_value(&self, proposal: &Proposal) -> Batch {
        let valid = &proposal.batch;
        if valid.proposer() == self.means.node {
            return another(valid);
        }
        let (time, txs) = (valid.time_ns(), Arc::clone(valid.txs()));
        Batch::new(self.means.node, time, txs, valid.tx_root())
    }
    /// What was put forward, in place of nil.
    fn instead(&self, kind: u8, ballot: &Ballot) -> Option<Ballot> {
        let Ballot { view, sequence, .. } = *ballot;
        let digest = self.heard.get(&(sequence, view)).copied();
        let digest = digest.filter(|_| ballot.digest == NIL)?;
        Some(vote(&self.means, kind, view, sequence, digest))
    }
}

impl Behaviour for ForgetLock {
    fn hears(&mut self, _: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        self.learn(payload);
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        self.learn(payload);
        let mut put_forward = None;
        let means = &self.means;
        let body = match read(means, payload) {
            Some(Body::Prevote(ballot)) => match self.instead(PREVOTE, ballot) {
                Some(ballot) => Body::Prevote(ballot),
                None => return Says::AsItIs,
            },
            Some(Body::Precommit(ballot, _)) => match self.instead(PRECOMMIT, ballot) {
                Some(ballot) => Body::Precommit(ballot, None),
                None => return Says::AsItIs,
            },
            Some(Body::Proposal {
                proposal,
                valid: Some(_),
                ..
            }) if proposal.signature.key == means.key.id() => {
                let batch = Arc::new(self.own_value(proposal));
                let (view, sequence) = (proposal.view, proposal.sequence);
                let own = vote(means, PREVOTE, view, sequence, batch.digest());
                put_forward = Some(((sequence, view), batch.digest()));
                let proposal = Arc::new(Proposal::new(view, sequence, batch, own.signature));
                Body::Proposal {
                    proposal,
                    valid: None,
                    times: self.times.clone(),
                }
            }
            Some(Body::Header(header)) if header.valid.is_some() => {
                let Some(proposal) = header.whole.as_ref() else {
                    return Says::AsItIs;
                };
                let batch = Arc::new(self.own_value(proposal));
                let (view, sequence) = (proposal.view, proposal.sequence);
                let own = vote(means, PREVOTE, view, sequence, batch.digest());
                put_forward = Some(((sequence, view), batch.digest()));
                Body::Proposal {
                    proposal: Arc::new(Proposal::new(view, sequence, batch, own.signature)),
                    valid: None,
                    times: self.times.clone(),
                }
            }
            // What it says in place of nil it does not say twice.
            Some(Body::Votes(votes)) => {
                let own = |(_, ballot): &&(u8, Ballot)| ballot.signature.key == means.key.id();
                if !votes.iter().any(|vote| own(&vote)) {
                    return Says::AsItIs;
                }
                Body::Votes(votes.iter().filter(|vote| !own(vote)).copied().collect())
            }
            _ => return Says::AsItIs,
        };
        out.count(1);
        out.work(Work::sign(1));
        out.send_to(to, message(means, body));
        self.heard.extend(put_forward);
        Says::Nothing
    }
}
