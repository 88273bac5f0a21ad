//! What replicas sign, as evidence: statements that contradict each other prove who broke the protocol
//! (arXiv 1807.04938, section 3.1: a correct process sends one PREVOTE and one PRECOMMIT in a round).
//!
//! A member that votes against its own lock (amnesia) signs nothing twice. A PRECOMMIT of one value and a vote of a
//! later round of that height for another one prove it guilty once the votes that all correct members kept are
//! together and show no 2f+1 prevotes that let it go, which a correct member has heard before (lines 28-29 and 36;
//! CometBFT, spec/light-client/accountability: F2, "amnesia").

use super::message::{Body, CHECKPOINT, Header, Message, NIL, PRECOMMIT, PREVOTE};
use crate::consensus::Ballot;
use consim_core::{Certificate, ChainId, Digest, Evidence, Promise, Signature, SignedVote, Vote};

fn vote(kind: u8, (view, sequence): (u64, u64), digest: Digest, signature: Signature) -> Vote {
    Vote {
        key: signature.key,
        kind,
        view,
        sequence,
        digest,
    }
}

/// A vote as evidence. One for nil binds to nothing but itself: whoever prevotes nil, since it is locked or
/// heard no proposal in time, may rightly precommit the value that 2f+1 others prevote (line 40).
fn signed(chain: ChainId, vote: Vote, signature: Signature) -> SignedVote {
    let promise = match vote.kind {
        PREVOTE if vote.digest != NIL => Promise::Accepts,
        PRECOMMIT if vote.digest != NIL => Promise::Holds,
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
        Body::Prevote(b) => each(of_ballot(PREVOTE, b)),
        Body::Precommit(b, _) => each(of_ballot(PRECOMMIT, b)),
        Body::Checkpoint(b) => each(of_ballot(CHECKPOINT, b)),
        Body::Votes(votes) => votes.iter().for_each(|(kind, b)| each(of_ballot(*kind, b))),
        Body::Header(header) => header.votes().into_iter().for_each(|(vote, _)| each(vote)),
        Body::Commit(commit) => {
            let votes = commit.header.votes().into_iter();
            votes.for_each(|(vote, _)| each(vote));
        }
        _ => {}
    }
}

/// Tells all signed statements in a message.
pub(super) fn statements(message: &Message, each: &mut dyn FnMut(Evidence)) {
    let chain = message.chain;
    let ballot = |kind, b: &Ballot| Evidence::Vote(signed(chain, of_ballot(kind, b), b.signature));
    match &message.body {
        Body::Proposal {
            proposal, valid, ..
        } => {
            let own = signed(chain, proposal.vote(), proposal.signature);
            each(Evidence::Vote(own));
            if let Some(valid) = valid {
                opened(chain, valid, each);
            }
        }
        Body::Prevote(b) => each(ballot(PREVOTE, b)),
        Body::Precommit(b, _) => each(ballot(PRECOMMIT, b)),
        Body::Checkpoint(b) => each(ballot(CHECKPOINT, b)),
        Body::Votes(votes) => votes.iter().for_each(|(kind, b)| each(ballot(*kind, b))),
        Body::Polka(polka) => opened(chain, &polka.proof, each),
        Body::Header(header) => announced(chain, header, each),
        Body::Commit(commit) => {
            announced(chain, &commit.header, each);
            opened(chain, &commit.certificate, each);
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

/// What the proposer signed of a block in parts, and the prevotes of a valid value.
fn announced(chain: ChainId, header: &Header, each: &mut dyn FnMut(Evidence)) {
    for (vote, signature) in header.votes() {
        each(Evidence::Vote(signed(chain, vote, signature)));
    }
    if let Some(valid) = &header.valid {
        opened(chain, valid, each);
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
