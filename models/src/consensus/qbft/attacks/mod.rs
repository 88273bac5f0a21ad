//! Byzantine behaviour that forges QBFT's messages; what does so alike in several protocols stands in
//! `../../conducts/`. No other file of the protocol knows of these.

mod forget_lock;
mod mutate;
#[cfg(test)]
mod tests;

use super::message::{Ballot, Body, COMMIT, Message, PREPARE, Status};
use crate::adversary::{Behaviour, Conduct, Means, Words};
use crate::consensus::conducts::{self, Tongue, Word};
use consim_core::{Committed, Digest, Payload};
use std::sync::Arc;

/// The kinds of messages that attacks name.
pub(super) const WORDS: Words = Words {
    votes: &["prepare", "commit"],
    proposals: &["proposal"],
    ordering: &[
        "proposal",
        "prepare",
        "commit",
        "round-change",
        "checkpoint",
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
    "long-range",
    "censor",
    "reorder-block",
    "double-signatures",
    "strip-signatures",
];

/// Makes a behaviour that forges messages of this protocol.
pub(super) fn build(conduct: &Conduct, means: &Means) -> Option<Box<dyn Behaviour>> {
    Some(match conduct {
        Conduct::ForgetLock => Box::new(forget_lock::ForgetLock::new(means.clone())),
        Conduct::Mutate { field, by } => Box::new(mutate::Mutate::new(means.clone(), *field, *by)),
        _ => return conducts::build::<Ours>(conduct, means),
    })
}

/// This protocol, for tests of behaviours that several have.
#[cfg(test)]
pub(in crate::consensus) fn speech() -> conducts::bench::Speech {
    conducts::bench::Speech::of::<Ours>("qbft", CONDUCTS, build)
}

/// How the messages of this protocol read.
struct Ours;

impl Tongue for Ours {
    fn read(means: &Means, payload: &Arc<dyn Payload>) -> Option<Word> {
        Some(match read(means, payload)? {
            Body::Proposal { proposal, .. } => Word::Proposal(Arc::clone(proposal)),
            Body::Prepare(ballot) => Word::Vote(PREPARE, *ballot),
            Body::Commit(ballot) => Word::Vote(COMMIT, *ballot),
            Body::Forward { txs, to_all } => Word::Forward(txs.clone(), *to_all),
            Body::Blocks(blocks) => Word::Blocks(blocks.clone()),
            _ => return None,
        })
    }
    fn say(means: &Means, word: Word) -> Arc<dyn Payload> {
        let body = match word {
            // What is made up is justified by nothing: it counts in the first round.
            Word::Proposal(proposal) => Body::Proposal {
                proposal,
                justification: None,
            },
            Word::Vote(PREPARE, ballot) => Body::Prepare(ballot),
            Word::Vote(_, ballot) => Body::Commit(ballot),
            Word::Forward(txs, to_all) => Body::Forward { txs, to_all },
            Word::Blocks(blocks) => Body::Blocks(blocks),
        };
        message(means, body)
    }
    fn links(means: &Means, links: Vec<Arc<Committed>>) -> Option<Arc<dyn Payload>> {
        Some(message(means, Body::Links(links)))
    }
    fn ahead(means: &Means, payload: &Arc<dyn Payload>, by: u64) -> Option<Arc<dyn Payload>> {
        let Body::Status(honest) = read(means, payload)? else {
            return None;
        };
        let status = Status {
            executed: honest.executed + by,
            ..honest.clone()
        };
        Some(message(means, Body::Status(status)))
    }
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
