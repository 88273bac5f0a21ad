//! What a member that does not keep to the protocol does to Raft, one file each: it is believed. No
//! other file of the protocol knows of these.

mod equivocate;
mod mutate;
#[cfg(test)]
mod tests;

use super::message::{Body, Message};
use crate::adversary::{Behaviour, Conduct, Means, Words};
use consim_core::Payload;
use std::sync::Arc;

/// The kinds of messages that attacks name.
pub(super) const WORDS: Words = Words {
    votes: &["appended", "vote"],
    proposals: &["append"],
    ordering: &["append", "appended", "request-vote", "vote", "heartbeat"],
};

/// The behaviours of this folder, by their words.
pub(super) const CONDUCTS: &[&str] = &["equivocate", "mutate"];

/// Makes a behaviour of this folder.
pub(super) fn build(conduct: &Conduct, means: &Means) -> Option<Box<dyn Behaviour>> {
    let means = means.clone();
    Some(match conduct {
        Conduct::Equivocate => Box::new(equivocate::Equivocate::new(means)),
        Conduct::Mutate { field, by } => Box::new(mutate::Mutate::new(means, *field, *by)),
        _ => return None,
    })
}

fn message(means: &Means, term: u64, body: Body) -> Arc<dyn Payload> {
    Arc::new(Message {
        chain: means.chain,
        term,
        body,
    })
}

/// The message in a payload, if it is one of this protocol and of the adversary's chain.
fn read<'a>(means: &Means, payload: &'a Arc<dyn Payload>) -> Option<(u64, &'a Body)> {
    let message = payload.as_any().downcast_ref::<Message>()?;
    (message.chain == means.chain).then_some((message.term, &message.body))
}
