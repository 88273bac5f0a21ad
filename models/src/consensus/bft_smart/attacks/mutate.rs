//! B5, `mutate`: votes that are a little off (small-scope mutations: L. Winter et al., "Randomized
//! Testing of Byzantine Fault Tolerant Algorithms", OOPSLA 2023).

use super::super::collect::{Collect, StopData, Sync};
use super::super::message::{ACCEPT, Ballot, Body, WRITE};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Means, MutatedField, Out, Says, To};
use crate::consensus::conducts::another;
use consim_core::{Certificate, Payload, Work};
use std::sync::Arc;

pub(super) struct Mutate {
    means: Means,
    field: MutatedField,
    by: i64,
}

impl Mutate {
    pub(super) fn new(means: Means, field: MutatedField, by: i64) -> Self {
        Self { means, field, by }
    }

    fn twist(&self, kind: u8, ballot: &Ballot) -> Ballot {
        let Ballot {
            mut view,
            mut sequence,
            mut digest,
            ..
        } = *ballot;
        match self.field {
            MutatedField::View => view = view.saturating_add_signed(self.by),
            MutatedField::Sequence => sequence = sequence.saturating_add_signed(self.by),
            MutatedField::Digest => {
                let [first, ..] = &mut digest.0;
                *first ^= self.by.to_le_bytes()[0];
            }
            MutatedField::Certificate => {}
        }
        vote(&self.means, kind, view, sequence, digest)
    }

    fn says_certificates(
        &self,
        out: &mut Out<'_, '_>,
        to: To<'_>,
        payload: &Arc<dyn Payload>,
    ) -> Says {
        let body = match read(&self.means, payload) {
            Some(Body::StopData(honest)) => {
                let data = self.twist_data(honest);
                if data.collect.digest() == honest.collect.digest() {
                    return Says::AsItIs;
                }
                Body::StopData(Arc::new(data))
            }
            Some(Body::Sync(honest)) if honest.signature().key == self.means.key.id() => {
                Body::Sync(Arc::new(self.twist_sync(honest)))
            }
            _ => return Says::AsItIs,
        };
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(to, message(&self.means, body));
        Says::Nothing
    }

    /// A SYNC whose own collect is twisted.
    fn twist_sync(&self, sync: &Sync) -> Sync {
        let means = &self.means;
        let twist = |collect: &Arc<Collect>| {
            if collect.signature().key != means.key.id() {
                return Arc::clone(collect);
            }
            self.twist_data(&StopData {
                collect: Arc::clone(collect),
                decided: None,
                locked: sync.proposal().map(|p| Arc::clone(&p.batch)),
            })
            .collect
        };
        Sync::sign(
            means.chain,
            sync.regency(),
            sync.collects().iter().map(twist).collect(),
            sync.proposal().cloned(),
            sync.decided().cloned(),
            &means.key,
        )
    }

    /// A write proof of the last regency for a batch that nobody wrote for, under the signatures of the true
    /// one; where there is none, the proof of the last decision with another regency.
    fn twist_data(&self, data: &StopData) -> StopData {
        let (means, collect) = (&self.means, &data.collect);
        let regency = collect.regency();
        let (mut decided, mut lock) = (collect.decided().cloned(), collect.lock().cloned());
        let mut locked = data.locked.clone();
        if let (Some(proof), Some(batch)) = (&lock, &data.locked) {
            let other = Arc::new(another(batch));
            lock = Some(Arc::new(Certificate {
                view: regency.saturating_sub(1),
                digest: other.digest(),
                ..Certificate::clone(proof)
            }));
            locked = Some(other);
        } else if let Some(proof) = &decided {
            decided = Some(Arc::new(Certificate {
                view: proof.view.saturating_add_signed(self.by),
                ..Certificate::clone(proof)
            }));
        }
        let twisted = Collect::sign(means.chain, regency, decided, lock, &means.key);
        StopData {
            collect: Arc::new(twisted),
            decided: data.decided.clone(),
            locked,
        }
    }
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if self.field == MutatedField::Certificate {
            return self.says_certificates(out, to, payload);
        }
        let (twisted, honest, body) = match read(&self.means, payload) {
            Some(Body::Write(b)) => {
                let twisted = self.twist(WRITE, b);
                (twisted, b, Body::Write(twisted))
            }
            Some(Body::Accept(b)) => {
                let twisted = self.twist(ACCEPT, b);
                (twisted, b, Body::Accept(twisted))
            }
            _ => return Says::AsItIs,
        };
        if twisted == *honest {
            return Says::AsItIs;
        }
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(to, message(&self.means, body));
        Says::Nothing
    }
}
