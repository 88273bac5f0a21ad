//! B7, `phantom-validator`: with each vote of its own a member sends one in the name of somebody who
//! is no validator, and one in the name of another validator.

use super::super::message::{Ballot, Body};
use super::{message, read};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use consim_core::{KeyId, Payload};
use std::sync::Arc;

pub(super) struct PhantomValidator {
    means: Means,
    phantom: KeyId,
    other: KeyId,
}

impl PhantomValidator {
    pub(super) fn new(means: Means) -> Self {
        let highest = means.members.iter().map(|m| m.0).max().unwrap_or(0);
        let other = means.others().first().copied().unwrap_or(means.node);
        Self {
            means,
            phantom: KeyId(highest + 1),
            other: other.into(),
        }
    }
}

impl Behaviour for PhantomValidator {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(body @ (Body::Write(ballot) | Body::Accept(ballot))) =
            read(&self.means, payload)
        else {
            return Says::AsItIs;
        };
        for key in [self.phantom, self.other] {
            let forged = Ballot {
                signature: Means::forged(&ballot.signature, key),
                ..*ballot
            };
            let forged = match body {
                Body::Write(_) => Body::Write(forged),
                _ => Body::Accept(forged),
            };
            out.count(to.each(out.node()).count() as u64);
            out.send_to(to, message(&self.means, forged));
        }
        Says::AsItIs
    }
}
