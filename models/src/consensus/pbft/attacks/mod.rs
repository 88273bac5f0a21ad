//! Byzantine behaviour that forges PBFT's messages, one file each. No other file of the protocol
//! knows of these.

mod censor;
mod equivocate;
mod forget_lock;
mod invalid_block;
mod lying_sync;
mod mutate;
mod phantom_validator;
mod reorder_block;
#[cfg(test)]
mod tests;

use super::message::{Ballot, Body, Message};
use crate::consensus::forge;
use crate::adversary::{Behaviour, Conduct, Means, SyncLie, Words};
use consim_core::{Digest, Payload};
use std::sync::Arc;

/// The kinds of messages that attacks name.
pub(super) const WORDS: Words = Words {
    votes: &["prepare", "commit"],
    proposals: &["pre-prepare"],
    ordering: &[
        "pre-prepare",
        "prepare",
        "commit",
        "checkpoint",
        "view-change",
        "new-view",
    ],
};

/// The behaviours of this folder, by their words.
pub(super) const CONDUCTS: &[&str] = &[
    "equivocate",
    "forget-lock",
    "mutate",
    "invalid-block",
    "phantom-validator",
    "lying-sync",
    "censor",
    "reorder-block",
    "double-signatures",
    "strip-signatures",
];

/// Makes a behaviour of this folder.
pub(super) fn build(conduct: &Conduct, means: &Means) -> Option<Box<dyn Behaviour>> {
    let means = means.clone();
    Some(match conduct {
        Conduct::Equivocate => Box::new(equivocate::Equivocate::new(means)),
        Conduct::ForgetLock => Box::new(forget_lock::ForgetLock::new(means)),
        Conduct::Mutate { field, by } => Box::new(mutate::Mutate::new(means, *field, *by)),
        Conduct::InvalidBlock => Box::new(invalid_block::InvalidBlock::new(means)),
        Conduct::PhantomValidator => Box::new(phantom_validator::PhantomValidator::new(means)),
        Conduct::LyingSync { field } => {
            let lie = match field {
                SyncLie::Block => forge::Lie::OtherBlock,
                SyncLie::Sequence => forge::Lie::OtherSequence,
                SyncLie::Transactions => forge::Lie::OtherTransactions,
                SyncLie::Progress => forge::Lie::Nothing,
            };
            Box::new(lying_sync::LyingSync::new(means, lie))
        }
        Conduct::DoubleSignatures => Box::new(lying_sync::LyingSync::new(
            means,
            forge::Lie::DoubleSignatures,
        )),
        Conduct::StripSignatures => Box::new(lying_sync::LyingSync::new(
            means,
            forge::Lie::StripSignatures,
        )),
        Conduct::Censor { whom } => Box::new(censor::Censor::new(means, whom)),
        Conduct::ReorderBlock => Box::new(reorder_block::ReorderBlock::new(means)),
        _ => return None,
    })
}

/// A message of the adversary's chain.
fn message(means: &Means, body: Body) -> Arc<dyn Payload> {
    Arc::new(Message {
        chain: means.chain,
        body,
    })
}

/// The message in a payload, if it is one of this protocol and of the adversary's chain.
fn read<'a>(means: &Means, payload: &'a Arc<dyn Payload>) -> Option<&'a Body> {
    let message = payload.as_any().downcast_ref::<Message>()?;
    (message.chain == means.chain).then_some(&message.body)
}

/// A vote of the node's own.
fn vote(means: &Means, kind: u8, view: u64, sequence: u64, digest: Digest) -> Ballot {
    Ballot::sign(means.chain, kind, view, sequence, digest, &means.key)
}
