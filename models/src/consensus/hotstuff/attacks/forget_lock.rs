//! B3, `forget-lock`: a leader that builds below what others may be locked on: it forgets the highest
//! proposals that are certified, one fewer than a commit takes, as if it had never heard of them; and a
//! member whose timeouts say the same, where they do not refute themselves.

use super::super::message::{Body, Message};
use super::super::proposal::{Ballot, Proposal, Timeout, timeout_statement};
use super::{message, on, read};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::chain::{Link, chained};
use consim_core::{Batch, Digest, NodeId, Payload, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Views of which proposals are remembered (assumed): more than can be in flight.
const REMEMBERED: usize = 256;

pub(super) struct ForgetLock {
    means: Means,
    /// Proposals that were heard or made, by view.
    known: BTreeMap<u64, Arc<Proposal>>,
    /// The last proposal that it made, and what it showed in its place.
    lie: Option<(Digest, Digest)>,
}

impl ForgetLock {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            known: BTreeMap::new(),
            lie: None,
        }
    }

    fn note(&mut self, proposal: &Arc<Proposal>) {
        self.known.insert(proposal.view(), Arc::clone(proposal));
        if self.known.len() > REMEMBERED {
            self.known.pop_first();
        }
    }

    fn find(&self, id: &Digest) -> Option<&Arc<Proposal>> {
        self.known.values().rev().find(|p| p.id() == *id)
    }

    /// The lowest of the proposals that are forgotten, `certified` the highest.
    fn forgotten(&self, certified: &Digest, votes: u8) -> Option<&Arc<Proposal>> {
        let commits = chained(votes)?;
        let mut lowest = self.find(certified)?;
        for _ in 2..commits {
            lowest = self.find(&lowest.link().parent)?;
        }
        Some(lowest)
    }

    /// The proposal on top of what is not forgotten.
    fn below(&self, honest: &Proposal, votes: u8) -> Option<Proposal> {
        let forgotten = self.forgotten(&honest.link().parent, votes)?;
        let justify = forgotten.justify()?;
        let batch = honest.batch();
        let batch = Batch::new(
            batch.proposer(),
            batch.time_ns(),
            Arc::clone(batch.txs()),
            batch.tx_root(),
        );
        let link = Link {
            view: honest.view(),
            batch: batch.digest(),
            ..forgotten.link().clone()
        };
        Some(on(
            &self.means,
            honest,
            link,
            batch,
            Some(Arc::clone(justify)),
        ))
    }

    fn timeout(&self, honest: &Timeout, votes: u8) -> Option<Timeout> {
        let forgotten = self.forgotten(&honest.high.as_ref()?.digest, votes)?;
        let justify = forgotten.justify()?;
        if honest.entered.as_ref()?.high() > justify.view {
            return None;
        }
        let statement = timeout_statement(self.means.chain, honest.view, justify.view);
        Some(Timeout {
            signature: self.means.key.sign(&statement),
            high: Some(Arc::clone(justify)),
            ..honest.clone()
        })
    }
}

impl Behaviour for ForgetLock {
    fn hears(&mut self, _: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Message {
            body: Body::Proposal(proposal) | Body::Named(proposal),
            ..
        }) = read(&self.means, payload)
        {
            self.note(proposal);
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(like) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let own = self.means.key.id();
        let body = match &like.body {
            Body::Proposal(honest) | Body::Named(honest) if honest.signature().key == own => {
                let lie = self.below(honest, like.votes).map(Arc::new);
                // What the others vote for is what they were shown.
                self.note(lie.as_ref().unwrap_or(honest));
                self.lie = lie.as_ref().map(|lie| (honest.id(), lie.id()));
                lie.map(Body::Proposal)
            }
            Body::Timeout(honest) if honest.signature.key == own => {
                let lie = self.timeout(honest, like.votes);
                lie.map(|lie| Body::Timeout(Arc::new(lie)))
            }
            Body::Vote(honest) => self.lie.filter(|lie| lie.0 == honest.digest).map(|lie| {
                let (chain, key) = (self.means.chain, &self.means.key);
                Body::Vote(Ballot::sign(chain, like.votes, honest.view, lie.1, key))
            }),
            _ => None,
        };
        let Some(body) = body else {
            return Says::AsItIs;
        };
        out.count(1);
        out.work(Work::sign(1));
        out.send_to(to, message(like, body));
        Says::Nothing
    }
}
