//! B5, `mutate`: votes that are a little off (small-scope mutations: L. Winter et al., "Randomized Testing
//! of Byzantine Fault Tolerant Algorithms", OOPSLA 2023). A vote names no sequence number but through the
//! proposal, so that a change of that is one of the proposal's digest.

use super::super::message::{Body, Message};
use super::super::proposal::{Ballot, Timeout, timeout_statement};
use super::{message, read};
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
}

impl Mutate {
    /// A timeout with the highest certificate as one of another view than the one that was voted in.
    fn says_timeout(&self, out: &mut Out<'_, '_>, to: To<'_>, like: &Message) -> Says {
        let Body::Timeout(honest) = &like.body else {
            return Says::AsItIs;
        };
        let Some(high) = honest.high.as_deref().filter(|_| self.by != 0) else {
            return Says::AsItIs;
        };
        let view = high.view.saturating_add_signed(self.by);
        let statement = timeout_statement(self.means.chain, honest.view, view);
        let twisted = Timeout {
            signature: self.means.key.sign(&statement),
            high: Some(Arc::new(Certificate {
                view,
                ..high.clone()
            })),
            ..Timeout::clone(honest)
        };
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(to, message(like, Body::Timeout(Arc::new(twisted))));
        Says::Nothing
    }
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(like) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        if self.field == MutatedField::Certificate {
            return self.says_timeout(out, to, like);
        }
        let Body::Vote(honest) = &like.body else {
            return Says::AsItIs;
        };
        let (mut view, mut digest) = (honest.view, honest.digest);
        match self.field {
            MutatedField::View => view = view.saturating_add_signed(self.by),
            MutatedField::Certificate => {}
            MutatedField::Sequence | MutatedField::Digest => {
                let [first, ..] = &mut digest.0;
                *first ^= self.by.to_le_bytes()[0];
            }
        }
        if (view, digest) == (honest.view, honest.digest) {
            return Says::AsItIs;
        }
        let twisted = Ballot::sign(self.means.chain, like.votes, view, digest, &self.means.key);
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(to, message(like, Body::Vote(twisted)));
        Says::Nothing
    }
}
