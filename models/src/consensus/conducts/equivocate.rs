//! B2, `equivocate`: a leader that puts one batch forward to some and another one to the others, and
//! accomplices that vote for both, for each batch where it was put forward. Under a leader that is
//! no accomplice they vote for something that nobody put forward, to the others.

use super::{Ballot, Proposal, Tongue, Word, proposal, vote};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{Digest, NodeId, Payload, Work};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::sync::Arc;

/// Second batches that are remembered (assumed): more than can be in flight.
const REMEMBERED: usize = 4_096;

pub(super) struct Equivocate<T> {
    means: Means,
    tongue: PhantomData<T>,
    /// Those that get the other value: the second half of the correct members.
    others: BTreeSet<NodeId>,
    /// By view and sequence number: the second batch that an accomplice put forward. Every accomplice makes
    /// the same of the first, so that they need not talk.
    second: BTreeMap<(u64, u64), Digest>,
}

impl<T: Tongue> Equivocate<T> {
    pub(super) fn new(means: Means) -> Self {
        let correct = means.others();
        let others = correct.iter().skip(correct.len() / 2).copied().collect();
        Self {
            means,
            tongue: PhantomData,
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
        other: impl FnOnce() -> Word,
    ) -> Says {
        let me = out.node();
        let (others, rest): (Vec<_>, Vec<_>) =
            to.each(me).partition(|node| self.others.contains(node));
        if others.is_empty() {
            return Says::AsItIs;
        }
        out.work(Work::sign(1));
        out.count(others.len() as u64);
        let other = T::say_instead(&self.means, other(), payload);
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

impl<T: Tongue> Behaviour for Equivocate<T> {
    fn hears(&mut self, _: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Word::Proposal(proposal)) = T::read(&self.means, payload)
            && self.means.accomplices.contains(&from)
        {
            let digest = T::another(&proposal.batch).digest();
            self.remember(&proposal, digest);
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        match T::read(&self.means, payload) {
            Some(Word::Proposal(first)) if first.signature.key == self.means.key.id() => {
                let batch = T::another(&first.batch);
                self.remember(&first, batch.digest());
                self.split(out, to, payload, || {
                    proposal(&self.means, first.view, first.sequence, batch)
                })
            }
            Some(Word::Vote(kind, ballot)) => self.split(out, to, payload, || {
                Word::Vote(kind, self.vote(kind, &ballot))
            }),
            _ => Says::AsItIs,
        }
    }
}
