//! B7, `phantom-validator`: with each vote of its own a member sends one in the name of somebody who
//! is no validator, and one in the name of another validator.

use super::{Ballot, Tongue, Word};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use consim_core::{KeyId, Payload};
use std::marker::PhantomData;
use std::sync::Arc;

pub(super) struct PhantomValidator<T> {
    means: Means,
    tongue: PhantomData<T>,
    phantom: KeyId,
    other: KeyId,
}

impl<T: Tongue> PhantomValidator<T> {
    pub(super) fn new(means: Means) -> Self {
        let highest = means.members.iter().map(|m| m.0).max().unwrap_or(0);
        let other = means.others().first().copied().unwrap_or(means.node);
        Self {
            means,
            tongue: PhantomData,
            phantom: KeyId(highest + 1),
            other: other.into(),
        }
    }
}

impl<T: Tongue> Behaviour for PhantomValidator<T> {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(Word::Vote(kind, ballot)) = T::read(&self.means, payload) else {
            return Says::AsItIs;
        };
        for key in [self.phantom, self.other] {
            let forged = Ballot {
                signature: Means::forged(&ballot.signature, key),
                ..ballot
            };
            out.count(to.each(out.node()).count() as u64);
            out.send_to(to, T::say(&self.means, Word::Vote(kind, forged)));
        }
        Says::AsItIs
    }
}
