//! B5, `mutate`: votes that are a little off (small-scope mutations: L. Winter et al., "Randomized
//! Testing of Byzantine Fault Tolerant Algorithms", OOPSLA 2023).

use super::super::collect::{Collect, StopData};
use super::super::message::{Ballot, Body, ACCEPT, WRITE};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Means, MutatedField, Out, Says, To};
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

    fn says_stop_data(
        &self,
        out: &mut Out<'_, '_>,
        to: To<'_>,
        payload: &Arc<dyn Payload>,
    ) -> Says {
        let Some(Body::StopData(honest)) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let twisted = self.twist_collect(&honest.collect);
        if twisted.digest() == honest.collect.digest() {
            return Says::AsItIs;
        }
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        let data = StopData {
            collect: Arc::new(twisted),
            decided: honest.decided.clone(),
            locked: honest.locked.clone(),
        };
        out.send_to(to, message(&self.means, Body::StopData(Arc::new(data))));
        Says::Nothing
    }

    /// A collect with certificates of another regency than the one that was voted in.
    fn twist_collect(&self, collect: &Collect) -> Collect {
        let other = |certificate: &Arc<Certificate>| {
            Arc::new(Certificate {
                view: certificate.view.saturating_add_signed(self.by),
                ..Certificate::clone(certificate)
            })
        };
        let (decided, lock) = (collect.decided().cloned(), collect.lock());
        let decided = if lock.is_none() {
            decided.as_ref().map(other)
        } else {
            decided
        };
        let means = &self.means;
        Collect::sign(
            means.chain,
            collect.regency(),
            decided,
            lock.map(other),
            &means.key,
        )
    }
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if self.field == MutatedField::Certificate {
            return self.says_stop_data(out, to, payload);
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
