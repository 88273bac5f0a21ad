//! B7, `phantom-validator`: with each vote of its own a member sends one in the name of somebody who is no
//! validator, and one in the name of another validator.

use super::super::message::Body;
use super::super::proposal::Ballot;
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
        let Some(like) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let Body::Vote(ballot) = &like.body else {
            return Says::AsItIs;
        };
        for key in [self.phantom, self.other] {
            let forged = Ballot {
                signature: Means::forged(&ballot.signature, key),
                ..*ballot
            };
            out.count(to.each(out.node()).count() as u64);
            out.send_to(to, message(like, Body::Vote(forged)));
        }
        Says::AsItIs
    }
}
