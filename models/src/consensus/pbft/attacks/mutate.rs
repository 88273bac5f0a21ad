//! B5, `mutate`: votes that are a little off (small-scope mutations: L. Winter et al., "Randomized
//! Testing of Byzantine Fault Tolerant Algorithms", OOPSLA 2023).

use super::super::change::{Prepared, ViewChange};
use super::super::message::{Ballot, Body, COMMIT, PREPARE};
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

    fn says_change(&self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(Body::ViewChange(honest)) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        // One that somebody else signed is passed on as it is.
        let twisted = self.twist_change(honest);
        if honest.signature().key != self.means.key.id() || twisted.digest() == honest.digest() {
            return Says::AsItIs;
        }
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(
            to,
            message(&self.means, Body::ViewChange(Arc::new(twisted))),
        );
        Says::Nothing
    }

    /// A view change with certificates of another view than the one that was voted in.
    fn twist_change(&self, change: &ViewChange) -> ViewChange {
        let other = |certificate: &Certificate| Certificate {
            view: certificate.view.saturating_add_signed(self.by),
            ..certificate.clone()
        };
        let prepared = change.prepared().iter();
        let prepared: Vec<_> = prepared.map(|p| Arc::new(Prepared(other(&p.0)))).collect();
        let stable = change.stable().cloned();
        let stable = if prepared.is_empty() {
            stable.map(|proof| Arc::new(other(&proof)))
        } else {
            stable
        };
        ViewChange::sign(
            self.means.chain,
            change.view(),
            stable,
            prepared,
            &self.means.key,
        )
    }
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if self.field == MutatedField::Certificate {
            return self.says_change(out, to, payload);
        }
        let (twisted, honest, body) = match read(&self.means, payload) {
            Some(Body::Prepare(b)) => {
                let twisted = self.twist(PREPARE, b);
                (twisted, b, Body::Prepare(twisted))
            }
            Some(Body::Commit(b)) => {
                let twisted = self.twist(COMMIT, b);
                (twisted, b, Body::Commit(twisted))
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
