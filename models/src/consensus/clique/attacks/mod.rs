//! What a signer that does not keep to the protocol does to Clique. No other file of the protocol knows of these.

mod equivocate;
mod mutate;
mod phantom;

use super::message::{Block, Body, Draft, Message};
use crate::adversary::{Behaviour, Conduct, Means, Words};
use consim_core::Payload;
use std::sync::Arc;

/// The kinds of messages that attacks name.
pub(super) const WORDS: Words = Words {
    votes: &["block"],
    proposals: &["block"],
    ordering: &["block", "branch"],
};

/// The behaviours of this folder, by their words.
pub(super) const CONDUCTS: &[&str] = &["equivocate", "mutate", "phantom-validator"];

/// Makes a behaviour of this folder.
pub(super) fn build(conduct: &Conduct, means: &Means) -> Option<Box<dyn Behaviour>> {
    let means = means.clone();
    Some(match conduct {
        Conduct::Equivocate => Box::new(equivocate::Equivocate::new(means)),
        Conduct::Mutate { field, by } => Box::new(mutate::Mutate::new(means, *field, *by)),
        Conduct::PhantomValidator => Box::new(phantom::Phantom::new(means)),
        _ => return None,
    })
}

/// The block in a payload that this node sealed itself, if it is one of the adversary's chain.
fn own_block<'a>(means: &Means, payload: &'a Arc<dyn Payload>) -> Option<&'a Arc<Block>> {
    let message = payload.as_any().downcast_ref::<Message>()?;
    match &message.body {
        Body::Block(block)
            if message.chain == means.chain && block.signature.key == means.key.id() =>
        {
            Some(block)
        }
        _ => None,
    }
}

/// A block of the node's own.
fn sealed(means: &Means, draft: Draft) -> Arc<dyn Payload> {
    let block = draft.seal(means.chain, &means.key);
    Arc::new(Message {
        chain: means.chain,
        body: Body::Block(Arc::new(block)),
    })
}
