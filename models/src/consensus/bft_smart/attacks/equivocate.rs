//! B2, `equivocate`: a leader that puts one batch forward to some and another one to the others, and
//! accomplices that vote for both, for each batch where it was put forward. Under a leader that is
//! no accomplice they vote for something that nobody put forward, to the others.

use super::super::message::{Ballot, Body, ACCEPT, WRITE, Proposal};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{Batch, Digest, NodeId, Payload, Work};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Second batches that are remembered (assumed): more than can be in flight.
const REMEMBERED: usize = 4_096;

pub(super) struct Equivocate {
    means: Means,
    /// Those that get the other value: the second half of the correct members.
    others: BTreeSet<NodeId>,
    /// By view and sequence number: the second batch that an accomplice put forward.
    second: BTreeMap<(u64, u64), Digest>,
}

/// The same transactions at another time: another batch, and a valid one. Every accomplice makes
/// the same of the first, so that they need not talk.
fn second(batch: &Batch) -> Batch {
    Batch::new(
        batch.proposer(),
        batch.time_ns().saturating_add(1),
        Arc::clone(batch.txs()),
        batch.tx_root(),
    )
}

impl Equivocate {
    pub(super) fn new(means: Means) -> Self {
        let correct = means.others();
        let others = correct.iter().skip(correct.len() / 2).copied().collect();
        Self {
            means,
            others,
            second: BTreeMap::new(),
        }
    }

    fn remember(&mut self, proposal: &Proposal, digest: Digest) {
        let place = (proposal.view, proposal.sequence);
        self.second.insert(place, digest);
        if self.second.len() > REMEMBERED {
            self.second.pop_first();
        }
    }

    /// To the others goes `other`, to the rest what was to be said.
    fn split(
        &self,
        out: &mut Out<'_, '_>,
        to: To<'_>,
        payload: &Arc<dyn Payload>,
        other: impl FnOnce() -> Body,
    ) -> Says {
        let me = out.node();
        let (others, rest): (Vec<_>, Vec<_>) =
            to.each(me).partition(|node| self.others.contains(node));
        if others.is_empty() {
            return Says::AsItIs;
        }
        out.work(Work::sign(1));
        out.count(others.len() as u64);
        let other = message(&self.means, other());
        for node in rest {
            out.send(node, Arc::clone(payload));
        }
        for node in others {
            out.send(node, Arc::clone(&other));
        }
        Says::Nothing
    }

    fn vote(&self, kind: u8, ballot: &Ballot) -> Ballot {
        let place = (ballot.view, ballot.sequence);
        let made_up = || Digest::of(&ballot.digest.0);
        let digest = self.second.get(&place).copied().unwrap_or_else(made_up);
        vote(&self.means, kind, ballot.view, ballot.sequence, digest)
    }
}

impl Behaviour for Equivocate {
    fn hears(&mut self, _: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Body::Propose(proposal)) = read(&self.means, payload)
            && self.means.accomplices.contains(&from)
        {
            let digest = second(&proposal.batch).digest();
            self.remember(&Arc::clone(proposal), digest);
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        match read(&self.means, payload) {
            Some(Body::Propose(first)) if first.signature.key == self.means.key.id() => {
                let batch = second(&first.batch);
                self.remember(first, batch.digest());
                self.split(out, to, payload, || {
                    let (view, sequence) = (first.view, first.sequence);
                    let ballot = vote(&self.means, WRITE, view, sequence, batch.digest());
                    Body::Propose(Arc::new(Proposal::new(
                        view,
                        sequence,
                        Arc::new(batch),
                        ballot.signature,
                    )))
                })
            }
            Some(Body::Write(ballot)) => self.split(out, to, payload, || {
                Body::Write(self.vote(WRITE, ballot))
            }),
            Some(Body::Accept(ballot)) => {
                self.split(out, to, payload, || Body::Accept(self.vote(ACCEPT, ballot)))
            }
            _ => Says::AsItIs,
        }
    }
}
