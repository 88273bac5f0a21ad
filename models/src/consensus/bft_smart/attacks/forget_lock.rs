//! B3, `forget-lock`: a member that brings into a regency no write proof (amnesia). As the leader of the
//! regency it begins it as if nobody had one that is newer than those of a quorum without.

use super::super::collect::{Collect, StopData, Sync};
use super::super::message::{Body, Proposal, WRITE};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{Batch, Digest, NodeId, Payload, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// STOP-DATA of others that is remembered (assumed): that of some regencies of a large group.
const REMEMBERED: usize = 4_096;

pub(super) struct ForgetLock {
    means: Means,
    /// Batches of write proofs that were heard of.
    bodies: BTreeMap<Digest, Arc<Batch>>,
}

impl ForgetLock {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            bodies: BTreeMap::new(),
        }
    }

    /// The collect without its write proof. It still shows that all below is decided, so that nothing is
    /// amiss but what it forgets.
    fn forget(&self, collect: &Collect) -> Arc<Collect> {
        let means = &self.means;
        let decided = collect.decided().cloned();
        let regency = collect.regency();
        Arc::new(Collect::sign(
            means.chain,
            regency,
            decided,
            None,
            &means.key,
        ))
    }

    /// The SYNC that follows from its collects with the own one forgotten.
    fn begin(&self, sync: &Sync) -> Option<Sync> {
        let means = &self.means;
        let mut collects = sync.collects().to_vec();
        for collect in &mut collects {
            if collect.signature().key == means.key.id() {
                *collect = self.forget(collect);
            }
        }
        let regency = sync.regency();
        let called = super::super::collect::called_for(collects.iter());
        let proposal = match called.bound {
            None => None,
            Some(bound) => {
                let honest = sync.proposal().map(|p| &p.batch);
                let same = honest.filter(|batch| batch.digest() == bound);
                let batch = same.or_else(|| self.bodies.get(&bound))?;
                let sequence = called.low.saturating_add(1);
                let ballot = vote(means, WRITE, regency, sequence, bound);
                let batch = Arc::clone(batch);
                let proposal = Proposal::new(regency, sequence, batch, ballot.signature);
                Some(Arc::new(proposal))
            }
        };
        Some(Sync::sign(
            means.chain,
            regency,
            collects,
            proposal,
            sync.decided().cloned(),
            &means.key,
        ))
    }
}

impl Behaviour for ForgetLock {
    fn hears(&mut self, _: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Body::StopData(data)) = read(&self.means, payload)
            && let Some(batch) = &data.locked
        {
            self.bodies.insert(batch.digest(), Arc::clone(batch));
            if self.bodies.len() > REMEMBERED {
                self.bodies.pop_first();
            }
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let own = self.means.key.id();
        let body = match read(&self.means, payload) {
            Some(Body::StopData(data)) => {
                if data.collect.lock().is_none() {
                    return Says::AsItIs;
                }
                out.count(1);
                out.work(Work::sign(1));
                Body::StopData(Arc::new(StopData {
                    collect: self.forget(&data.collect),
                    decided: data.decided.clone(),
                    locked: None,
                }))
            }
            Some(Body::Sync(sync)) if sync.signature().key == own => {
                let locked = |c: &&Arc<Collect>| c.signature().key == own && c.lock().is_some();
                if sync.collects().iter().find(locked).is_none() {
                    return Says::AsItIs;
                }
                let Some(lie) = self.begin(sync) else {
                    return Says::AsItIs;
                };
                out.count(1);
                out.work(Work::sign(3));
                Body::Sync(Arc::new(lie))
            }
            _ => return Says::AsItIs,
        };
        out.send_to(to, message(&self.means, body));
        Says::Nothing
    }
}
