//! B2, `equivocate`: a leader that gives some followers other entries than the rest, and a follower
//! that votes for every candidate of a term. Entries carry no signatures of a quorum, so that both are
//! believed.

use super::super::log::Entry;
use super::super::message::Body;
use super::{message, read};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{Batch, NodeId, Payload};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Second entries that are remembered (assumed): more than are under way.
const REMEMBERED: usize = 4_096;

pub(super) struct Equivocate {
    means: Means,
    /// Those that get the other entries: the second half of the correct members.
    others: BTreeSet<NodeId>,
    /// By term and index.
    second: BTreeMap<(u64, u64), Entry>,
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

    /// The same transactions at another time: another batch.
    fn other(&mut self, entry: &Entry) -> Entry {
        let place = (entry.term(), entry.index());
        if let Some(second) = self.second.get(&place) {
            return second.clone();
        }
        let batch = &entry.ordered.batch;
        let second = Batch::new(
            batch.proposer(),
            batch.time_ns().saturating_add(1),
            Arc::clone(batch.txs()),
            batch.tx_root(),
        );
        let members = entry.members.clone();
        let (term, index) = place;
        let second = Entry::new(self.means.chain, term, index, Arc::new(second), members);
        self.second.insert(place, second.clone());
        if self.second.len() > REMEMBERED {
            self.second.pop_first();
        }
        second
    }
}

impl Behaviour for Equivocate {
    fn hears(&mut self, out: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some((term, Body::RequestVote { pre, .. })) = read(&self.means, payload) {
            let body = Body::Vote {
                pre: *pre,
                voter: out.node(),
                candidate: from,
                granted: true,
            };
            out.count(1);
            out.send(from, message(&self.means, term, body));
            return Hears::Nothing;
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some((term, Body::Append { entries, .. })) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let own = |entry: &Entry| entry.term() == term && !entry.ordered.batch.txs().is_empty();
        let me = out.node();
        let (others, rest): (Vec<_>, Vec<_>) = to.each(me).partition(|n| self.others.contains(n));
        if others.is_empty() || !entries.iter().any(own) {
            return Says::AsItIs;
        }
        let second: Vec<Entry> = entries
            .iter()
            .map(|entry| {
                if own(entry) {
                    self.other(entry)
                } else {
                    entry.clone()
                }
            })
            .collect();
        let Some((
            _,
            Body::Append {
                leader,
                prev,
                prev_term,
                commit,
                ..
            },
        )) = read(&self.means, payload)
        else {
            return Says::AsItIs;
        };
        let body = Body::Append {
            leader: *leader,
            prev: *prev,
            prev_term: *prev_term,
            commit: *commit,
            entries: second,
        };
        out.count(others.len() as u64);
        let other = message(&self.means, term, body);
        for node in rest {
            out.send(node, Arc::clone(payload));
        }
        for node in others {
            out.send(node, Arc::clone(&other));
        }
        Says::Nothing
    }
}
