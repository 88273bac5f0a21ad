//! What HotStuff's messages prove about their signers, for forensics (P. Sheng et al., "BFT Protocol
//! Forensics", CCS 2021, sections 5 and 6): two proposals or two votes of one key in one view. What a
//! member forgot of an earlier view when it voted in a later one, no two of its statements prove here:
//! its vote does not name the lock that it had.

use super::announced::Announced;
use super::message::{Body, Message};
use super::proposal::{Ballot, CHECKPOINT, PROPOSE, Proposal, TIMEOUT, Timeout, high_digest};
use consim_core::{Certificate, Evidence, Promise, Signature, SignedVote, Vote};
use std::sync::Arc;

/// The vote in a signature over sequence number 0.
fn of(kind: u8, view: u64, digest: consim_core::Digest, signature: Signature) -> (Vote, Signature) {
    let vote = Vote {
        key: signature.key,
        kind,
        view,
        sequence: 0,
        digest,
    };
    (vote, signature)
}

fn of_proposal(proposal: &Proposal) -> (Vote, Signature) {
    let signature = *proposal.signature();
    of(PROPOSE, proposal.view(), proposal.id(), signature)
}

fn of_announced(announced: &Announced) -> (Vote, Signature) {
    let signature = *announced.signature();
    of(PROPOSE, announced.link().view, announced.id(), signature)
}

fn of_timeout(timeout: &Timeout) -> (Vote, Signature) {
    let digest = high_digest(timeout.high_view());
    of(TIMEOUT, timeout.view, digest, timeout.signature)
}

/// What the sender of a message says once in a view.
pub(super) fn votes(message: &Message, each: &mut dyn FnMut(Vote)) {
    match &message.body {
        Body::Proposal(proposal) => each(of_proposal(proposal).0),
        Body::Announced(announced) => each(of_announced(announced).0),
        Body::Vote(ballot) => each(ballot.vote(message.votes)),
        Body::Checkpoint(ballot) => each(ballot.vote(CHECKPOINT)),
        Body::Timeout(timeout) => {
            each(of_timeout(timeout).0);
            if let Some(vote) = &timeout.vote {
                each(vote.vote(message.votes));
            }
        }
        _ => {}
    }
}

/// All signed statements in a message.
pub(super) fn statements(message: &Message, each: &mut dyn FnMut(Evidence)) {
    let chain = message.chain;
    let mut say = |(vote, signature): (Vote, Signature)| {
        let promise = match vote.kind {
            PROPOSE | CHECKPOINT | TIMEOUT => Promise::Once,
            _ => Promise::Accepts,
        };
        each(Evidence::Vote(SignedVote {
            chain,
            vote,
            promise,
            signature,
        }));
    };
    let ballot = |kind, b: &Ballot| of(kind, b.view, b.digest, b.signature);
    match &message.body {
        Body::Proposal(proposal) => told(of_proposal(proposal), proposal.justify(), &mut say),
        Body::Announced(announced) => told(of_announced(announced), announced.justify(), &mut say),
        Body::Chain { proposals, .. } => {
            for proposal in proposals {
                told(of_proposal(proposal), proposal.justify(), &mut say);
            }
        }
        Body::Branch { proposals, .. } => {
            for announced in proposals {
                told(of_announced(announced), announced.justify(), &mut say);
            }
        }
        Body::Vote(b) => say(ballot(message.votes, b)),
        Body::Checkpoint(b) => say(ballot(CHECKPOINT, b)),
        Body::Timeout(timeout) => {
            say(of_timeout(timeout));
            if let Some(vote) = &timeout.vote {
                say(ballot(message.votes, vote));
            }
            if let Some(high) = &timeout.high {
                opened(high, &mut say);
            }
        }
        Body::Status(status) => {
            for certificate in status.high.iter().chain(&status.proof) {
                opened(certificate, &mut say);
            }
        }
        Body::Blocks(blocks) => {
            let certificates = blocks.blocks.iter().map(|c| &c.certificate);
            for certificate in certificates.chain(blocks.proof.as_deref()) {
                opened(certificate, &mut say);
            }
        }
        _ => {}
    }
}

/// A proposal and the certificate in it.
fn told(
    proposal: (Vote, Signature),
    justify: Option<&Arc<Certificate>>,
    say: &mut dyn FnMut((Vote, Signature)),
) {
    say(proposal);
    if let Some(justify) = justify {
        opened(justify, say);
    }
}

/// The votes of a certificate: those that commit a batch are for the last of its links.
fn opened(certificate: &Certificate, say: &mut dyn FnMut((Vote, Signature))) {
    let (view, digest) = match certificate.links.last() {
        Some(top) => (top.view, top.id()),
        None => (certificate.view, certificate.digest),
    };
    for signature in certificate.signatures.iter() {
        say(of(certificate.kind, view, digest, signature));
    }
}
