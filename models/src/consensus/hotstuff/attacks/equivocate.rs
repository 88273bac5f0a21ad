//! B2, `equivocate`: a leader that puts one batch forward to some and another one to the others, and
//! accomplices that vote for both: for the second in a vote of its own to whoever leads next, and for
//! something that nobody put forward under a leader that is no accomplice.

use super::super::message::{Body, Message};
use super::super::proposal::Ballot;
use super::{another, message, read, signed};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{Digest, NodeId, Payload, Work};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Second proposals that are remembered (assumed): more than can be in flight.
const REMEMBERED: usize = 4_096;

pub(super) struct Equivocate {
    means: Means,
    /// Those that get the other value: the second half of the correct members.
    others: BTreeSet<NodeId>,
    /// By the first proposal's digest: the second that an accomplice put forward.
    second: BTreeMap<Digest, Digest>,
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

    fn remember(&mut self, first: Digest, second: Digest) {
        self.second.insert(first, second);
        if self.second.len() > REMEMBERED {
            self.second.pop_first();
        }
    }

    /// To the others goes `other`, to the rest what was to be said.
    fn split(
        &self,
        out: &mut Out<'_, '_>,
        to: To<'_>,
        honest: &Arc<dyn Payload>,
        other: &Arc<dyn Payload>,
    ) -> Says {
        let me = out.node();
        let (others, rest): (Vec<_>, Vec<_>) =
            to.each(me).partition(|node| self.others.contains(node));
        out.count(others.len() as u64);
        for node in rest {
            out.send(node, Arc::clone(honest));
        }
        for node in others {
            out.send(node, Arc::clone(other));
        }
        Says::Nothing
    }

    /// Beside an honest vote goes one for something else.
    fn vote_again(&self, out: &mut Out<'_, '_>, to: To<'_>, like: &Message, vote: &Ballot) -> Says {
        let made_up = || Digest::of(&vote.digest.0);
        let digest = self
            .second
            .get(&vote.digest)
            .copied()
            .unwrap_or_else(made_up);
        let key = &self.means.key;
        let second = Ballot::sign(self.means.chain, like.votes, vote.view, digest, key);
        out.count(1);
        out.work(Work::sign(1));
        out.send_to(to, message(like, Body::Vote(second)));
        Says::AsItIs
    }
}

impl Behaviour for Equivocate {
    fn hears(&mut self, _: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Message {
            body: Body::Proposal(proposal) | Body::Named(proposal),
            ..
        }) = read(&self.means, payload)
            && self.means.accomplices.contains(&from)
        {
            let mut link = proposal.link().clone();
            link.batch = another(proposal.batch()).digest();
            self.remember(proposal.id(), link.id());
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(like) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        match &like.body {
            Body::Proposal(first) | Body::Named(first)
                if first.signature().key == self.means.key.id() =>
            {
                let second = signed(&self.means, first, another(first.batch()));
                self.remember(first.id(), second.id());
                out.work(Work::sign(1));
                let second = message(like, Body::Proposal(Arc::new(second)));
                self.split(out, to, payload, &second)
            }
            Body::Vote(vote) => self.vote_again(out, to, like, vote),
            _ => Says::AsItIs,
        }
    }
}
