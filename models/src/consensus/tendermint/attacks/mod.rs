//! Byzantine behaviour that forges Tendermint's messages; what does so alike in several protocols stands in
//! `../../conducts/`. No other file of the protocol knows of these.

mod forget_lock;
mod mutate;
mod swap_parts;
#[cfg(test)]
mod tests;

use super::message::{Ballot, Body, Message, PRECOMMIT, PREVOTE, Status};
use crate::adversary::{Behaviour, Conduct, Means, Words};
use crate::consensus::conducts::{self, Tongue, Word};
use crate::ledger::merkle;
use consim_core::{Batch, Committed, Digest, Payload};
use std::sync::Arc;

/// The kinds of messages that attacks name.
pub(super) const WORDS: Words = Words {
    votes: &["prevote", "precommit", "votes"],
    proposals: &["proposal", "header"],
    ordering: &[
        "proposal",
        "header",
        "part",
        "prevote",
        "precommit",
        "checkpoint",
        "polka",
        "votes",
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
    "swap-parts",
    "double-signatures",
    "strip-signatures",
];

/// Makes a behaviour that forges messages of this protocol.
pub(super) fn build(conduct: &Conduct, means: &Means) -> Option<Box<dyn Behaviour>> {
    Some(match conduct {
        Conduct::ForgetLock => Box::new(forget_lock::ForgetLock::new(means.clone())),
        Conduct::SwapParts => Box::new(swap_parts::SwapParts::new(means.clone())),
        Conduct::Mutate { field, by } => Box::new(mutate::Mutate::new(means.clone(), *field, *by)),
        _ => return conducts::build::<Ours>(conduct, means),
    })
}

/// This protocol, for tests of behaviours that several have.
#[cfg(test)]
pub(in crate::consensus) fn speech() -> conducts::bench::Speech {
    conducts::bench::Speech::of::<Ours>("tendermint", CONDUCTS, build)
}

/// How the messages of this protocol read.
struct Ours;

impl Tongue for Ours {
    fn read(means: &Means, payload: &Arc<dyn Payload>) -> Option<Word> {
        Some(match read(means, payload)? {
            Body::Proposal { proposal, .. } => Word::Proposal(Arc::clone(proposal)),
            // What is made of it goes whole to whom it is for.
            Body::Header(header) => Word::Proposal(Arc::clone(header.whole.as_ref()?)),
            Body::Prevote(ballot) => Word::Vote(PREVOTE, *ballot),
            Body::Precommit(ballot, _) => Word::Vote(PRECOMMIT, *ballot),
            Body::Forward { txs, to_all } => Word::Forward(txs.clone(), *to_all),
            Body::Blocks(blocks) => Word::Blocks(blocks.clone()),
            _ => return None,
        })
    }
    fn say(means: &Means, word: Word) -> Arc<dyn Payload> {
        let body = match word {
            // What is made up is of no earlier round.
            Word::Proposal(proposal) => Body::Proposal {
                proposal,
                valid: None,
                times: None,
            },
            Word::Vote(PREVOTE, ballot) => Body::Prevote(ballot),
            Word::Vote(_, ballot) => Body::Precommit(ballot, None),
            Word::Forward(txs, to_all) => Body::Forward { txs, to_all },
            Word::Blocks(blocks) => Body::Blocks(blocks),
        };
        message(means, body)
    }
    fn say_instead(means: &Means, word: Word, honest: &Arc<dyn Payload>) -> Arc<dyn Payload> {
        match (word, read(means, honest)) {
            (Word::Proposal(proposal), Some(Body::Proposal { times, .. })) => {
                let body = Body::Proposal {
                    proposal,
                    valid: None,
                    times: times.clone(),
                };
                message(means, body)
            }
            (word, _) => Self::say(means, word),
        }
    }
    fn another(batch: &Batch) -> Batch {
        another(batch)
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

/// The same transactions in another order, at the same time, which a median may fix; a single one at another time.
fn another(batch: &Batch) -> Batch {
    let mut txs = batch.txs().to_vec();
    if txs.len() < 2 {
        return conducts::another(batch);
    }
    txs.rotate_left(1);
    let leaves: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
    let root = merkle::root(&leaves);
    Batch::new(batch.proposer(), batch.time_ns(), txs.into(), root)
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
