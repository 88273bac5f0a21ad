//! What replicas sign, as evidence: statements that contradict each other prove who broke the protocol (a correct
//! process sends one PREPARE, one COMMIT and one ROUND-CHANGE in a round; and whoever sent a COMMIT names what it
//! committed, or what was prepared later, in each ROUND-CHANGE of that height from then on).

use super::change::{Change, RoundChange, hash_in_round};
use super::message::{Body, CHECKPOINT, COMMIT, Message, PREPARE};
use crate::consensus::Ballot;
use consim_core::{
    Certificate, ChainId, Digest, Evidence, Leaving, Promise, Signature, SignedVote, Vote,
};

fn vote(kind: u8, (view, sequence): (u64, u64), digest: Digest, signature: Signature) -> Vote {
    Vote {
        key: signature.key,
        kind,
        view,
        sequence,
        digest,
    }
}

/// A vote as evidence.
fn signed(chain: ChainId, vote: Vote, signature: Signature) -> SignedVote {
    let promise = match vote.kind {
        PREPARE => Promise::Accepts,
        COMMIT => Promise::Locks,
        _ => Promise::Once,
    };
    SignedVote {
        chain,
        vote,
        promise,
        signature,
    }
}

fn of_ballot(kind: u8, b: &Ballot) -> Vote {
    vote(kind, (b.view, b.sequence), b.digest, b.signature)
}

/// Tells the votes that an honest key gives once.
pub(super) fn votes(message: &Message, each: &mut dyn FnMut(Vote)) {
    match &message.body {
        Body::Proposal { proposal, .. } => each(proposal.vote()),
        Body::Prepare(b) => each(of_ballot(PREPARE, b)),
        Body::Commit(b) => each(of_ballot(COMMIT, b)),
        Body::Checkpoint(b) => each(of_ballot(CHECKPOINT, b)),
        Body::RoundChange(change) => each(change.change.vote()),
        _ => {}
    }
}

/// Tells all signed statements in a message.
pub(super) fn statements(message: &Message, each: &mut dyn FnMut(Evidence)) {
    let chain = message.chain;
    let ballot = |kind, b: &Ballot| Evidence::Vote(signed(chain, of_ballot(kind, b), b.signature));
    match &message.body {
        Body::Proposal {
            proposal,
            justification,
        } => {
            let own = signed(chain, proposal.vote(), proposal.signature);
            each(Evidence::Vote(own));
            if let Some(justification) = justification {
                for change in &justification.changes {
                    of_change(chain, change, each);
                }
                if let Some(proof) = &justification.proof {
                    opened(chain, proof, each);
                }
            }
        }
        Body::Prepare(b) => each(ballot(PREPARE, b)),
        Body::Commit(b) => each(ballot(COMMIT, b)),
        Body::Checkpoint(b) => each(ballot(CHECKPOINT, b)),
        Body::RoundChange(change) => {
            of_change(chain, &change.change, each);
            if let Some(leaving) = leaving(chain, change) {
                each(Evidence::Leaving(leaving));
            }
            if let Some(proof) = &change.proof {
                opened(chain, proof, each);
            }
        }
        Body::Blocks(blocks) => {
            let certificates = blocks.blocks.iter().map(|c| &c.certificate);
            for certificate in certificates.chain(blocks.proof.as_deref()) {
                opened(chain, certificate, each);
            }
        }
        Body::Links(links) => {
            for link in links {
                opened(chain, &link.certificate, each);
            }
        }
        Body::Status(status) => {
            for certificate in status.proof.iter().chain(&status.decided) {
                opened(chain, certificate, each);
            }
        }
        _ => {}
    }
}

/// A ROUND-CHANGE as leave-taking, if it shows which block it names: it is the hash of that in its round that is
/// signed.
fn leaving(chain: ChainId, said: &RoundChange) -> Option<Leaving> {
    let change = &said.change;
    let bound = match (change.prepared, said.prepares()) {
        (None, _) => None,
        (Some((round, hash)), Some(proof))
            if proof.view == round && hash_in_round(&proof.digest, round) == hash =>
        {
            Some((change.height, round, proof.digest))
        }
        _ => return None,
    };
    Some(Leaving {
        signed: signed(chain, change.vote(), change.signature),
        low: change.height.saturating_sub(1),
        alone: Some(change.height),
        bound: bound.into_iter().collect(),
    })
}

/// A ROUND-CHANGE, and the prepares in it.
fn of_change(chain: ChainId, change: &Change, each: &mut dyn FnMut(Evidence)) {
    each(Evidence::Vote(signed(
        chain,
        change.vote(),
        change.signature,
    )));
    if let Some(inside) = &change.inside {
        opened(chain, inside, each);
    }
}

/// The votes of a certificate.
fn opened(chain: ChainId, certificate: &Certificate, each: &mut dyn FnMut(Evidence)) {
    let place = (certificate.view, certificate.sequence);
    for signature in certificate.signatures.iter() {
        let vote = vote(certificate.kind, place, certificate.digest, signature);
        each(Evidence::Vote(signed(chain, vote, signature)));
    }
}
