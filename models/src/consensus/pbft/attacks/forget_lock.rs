//! B3, `forget-lock`: a member that leaves a view as if it had prepared nothing there (amnesia). As
//! the primary of the next view it puts forward what follows from that.

use super::super::change::{NewView, ViewChange};
use super::super::message::{Ballot, Body, PREPARE};
use super::super::new_view::select;
use super::{message, read, vote};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use crate::ledger::merkle;
use consim_core::{Batch, Digest, NodeId, Payload, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// View changes of others that are remembered (assumed): those of some views of a large group.
const REMEMBERED: usize = 4_096;

pub(super) struct ForgetLock {
    means: Means,
    /// View changes that were heard, by view and digest.
    heard: BTreeMap<(u64, Digest), Arc<ViewChange>>,
    /// The own ones: what the honest node made, and what was said in its place.
    forgotten: BTreeMap<Digest, Arc<ViewChange>>,
}

impl ForgetLock {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            heard: BTreeMap::new(),
            forgotten: BTreeMap::new(),
        }
    }

    /// The view change without what was prepared.
    fn forget(&mut self, change: &ViewChange) -> Arc<ViewChange> {
        let known = self.forgotten.get(&change.digest());
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let means = &self.means;
        let stable = change.stable().cloned();
        let lie = ViewChange::sign(means.chain, change.view(), stable, Vec::new(), &means.key);
        let lie = Arc::new(lie);
        self.forgotten.insert(change.digest(), Arc::clone(&lie));
        lie
    }

    /// The new view that follows from the view changes with the forgotten one among them.
    fn open(&self, new_view: &NewView) -> Option<NewView> {
        let view = new_view.view();
        let mut names = new_view.changes().to_vec();
        let mut changes = Vec::new();
        for (key, digest) in &mut names {
            let change = if *key == self.means.key.id() {
                self.forgotten.get(digest)?
            } else {
                self.heard.get(&(view, *digest))?
            };
            *digest = change.digest();
            changes.push(Arc::clone(change));
        }
        let null = Batch::new(
            self.means.members.first().copied()?,
            0,
            Arc::new([]),
            merkle::root(&[]),
        );
        let (low, digests) = select(&changes, null.digest());
        let proposals = (low + 1..).zip(digests).map(|(sequence, digest)| {
            let Ballot { signature, .. } = vote(&self.means, PREPARE, view, sequence, digest);
            (digest, signature)
        });
        Some(NewView::sign(
            self.means.chain,
            view,
            low,
            names,
            proposals.collect(),
            &self.means.key,
        ))
    }
}

impl Behaviour for ForgetLock {
    fn hears(&mut self, _: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Body::ViewChange(change)) = read(&self.means, payload) {
            let place = (change.view(), change.digest());
            self.heard.insert(place, Arc::clone(change));
            if self.heard.len() > REMEMBERED {
                self.heard.pop_first();
            }
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let own = self.means.key.id();
        let body = match read(&self.means, payload) {
            Some(Body::ViewChange(change)) if change.signature().key == own => {
                if change.prepared().is_empty() {
                    // Nothing to forget, but a new view may name it.
                    self.forget(change);
                    return Says::AsItIs;
                }
                out.count(change.prepared().len() as u64);
                out.work(Work::sign(1));
                Body::ViewChange(self.forget(change))
            }
            Some(Body::NewView(new_view)) if new_view.signature().key == own => {
                let Some(lie) = self.open(new_view) else {
                    return Says::AsItIs;
                };
                out.work(Work::sign(1 + lie.proposals().len() as u32));
                Body::NewView(Arc::new(lie))
            }
            _ => return Says::AsItIs,
        };
        out.send_to(to, message(&self.means, body));
        Says::Nothing
    }
}
