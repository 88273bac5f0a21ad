//! Byzantine behaviour that forges HotStuff's messages, one file each. No other file of the protocol
//! knows of these.

mod censor;
mod equivocate;
mod forge;
mod forget_lock;
mod invalid_block;
mod lying_sync;
mod mutate;
mod phantom_validator;
mod reorder_block;
mod spelled;

use super::message::{Body, Message};
use super::proposal::Proposal;
use crate::adversary::{Behaviour, Conduct, Means, SyncLie, Words};
use consim_core::chain::Link;
use consim_core::{Batch, Certificate, Payload};
use std::sync::Arc;

/// The kinds of messages that attacks name.
pub(super) const WORDS: Words = Words {
    votes: &["vote"],
    proposals: &["proposal"],
    ordering: &["proposal", "vote", "timeout", "checkpoint"],
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
    let lying = |means, lie| Box::new(lying_sync::LyingSync::new(means, lie));
    let whole = means.clone();
    let inner: Box<dyn Behaviour> = match conduct {
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
                // Its members do not change: the language refuses the last.
                SyncLie::Progress | SyncLie::Members => forge::Lie::Nothing,
            };
            lying(means, lie)
        }
        Conduct::DoubleSignatures => lying(means, forge::Lie::DoubleSignatures),
        Conduct::StripSignatures => lying(means, forge::Lie::StripSignatures),
        Conduct::Censor { whom } => Box::new(censor::Censor::new(means, whom)),
        Conduct::ReorderBlock => Box::new(reorder_block::ReorderBlock::new(means)),
        _ => return None,
    };
    let means = whole;
    Some(Box::new(spelled::Spelled { means, inner }))
}

/// A message of the adversary's chain; `like` is one of it.
fn message(like: &Message, body: Body) -> Arc<dyn Payload> {
    Arc::new(Message {
        chain: like.chain,
        votes: like.votes,
        body,
    })
}

/// The message in a payload, if it is one of this protocol and of the adversary's chain.
fn read<'a>(means: &Means, payload: &'a Arc<dyn Payload>) -> Option<&'a Message> {
    let message = payload.as_any().downcast_ref::<Message>()?;
    (message.chain == means.chain).then_some(message)
}

/// The same transactions at another time: another batch, and a valid one. Every accomplice makes the same
/// of the first, so that they need not talk.
fn another(batch: &Batch) -> Batch {
    Batch::new(
        batch.proposer(),
        batch.time_ns().saturating_add(1),
        Arc::clone(batch.txs()),
        batch.tx_root(),
    )
}

/// The proposal with another batch, signed by this node.
fn signed(means: &Means, honest: &Proposal, batch: Batch) -> Proposal {
    let link = Link {
        batch: batch.digest(),
        ..honest.link().clone()
    };
    on(means, honest, link, batch, honest.justify().cloned())
}

/// A proposal of this node with this link, in the view of another.
fn on(
    means: &Means,
    honest: &Proposal,
    link: Link,
    batch: Batch,
    justify: Option<Arc<Certificate>>,
) -> Proposal {
    let statement = Proposal::statement(means.chain, link.view, &link.id());
    let signature = means.key.sign(&statement);
    let timeouts = honest.timeouts().cloned();
    Proposal::new(link, Arc::new(batch), justify, timeouts, signature)
}
