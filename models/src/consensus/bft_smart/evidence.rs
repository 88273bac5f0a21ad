//! What BFT-SMaRt's messages prove about their signers, for forensics (P. Sheng et al., "BFT Protocol
//! Forensics", CCS 2021, section 4: the case of PBFT with signatures).

use super::collect::{Collect, Sync};
use super::config::REGENCIES;
use super::message::{ACCEPT, Ballot, Body, CHECKPOINT, Message, STOP_DATA, SYNC, WRITE};
use consim_core::{
    Certificate, ChainId, Digest, Evidence, Handover, Leaving, Opening, Promise, Signature,
    SignedVote, Vote,
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

fn signed(chain: ChainId, vote: Vote, signature: Signature) -> SignedVote {
    let promise = match vote.kind {
        WRITE => Promise::Accepts,
        ACCEPT => Promise::Locks,
        _ => Promise::Once,
    };
    SignedVote {
        chain,
        vote,
        promise,
        signature,
    }
}

fn of_collect(collect: &Collect) -> Vote {
    let place = (collect.regency(), 0);
    vote(STOP_DATA, place, collect.digest(), *collect.signature())
}

fn of_sync(sync: &Sync) -> Vote {
    let place = (sync.regency(), 0);
    vote(SYNC, place, sync.digest(), *sync.signature())
}

fn of_ballot(kind: u8, b: &Ballot) -> Vote {
    vote(kind, (b.view, b.sequence), b.digest, b.signature)
}

/// Tells the votes that an honest key gives once.
pub(super) fn votes(message: &Message, each: &mut dyn FnMut(Vote)) {
    match &message.body {
        Body::Propose(p) => each(p.vote()),
        Body::Write(b) => each(of_ballot(WRITE, b)),
        Body::Accept(b) => each(of_ballot(ACCEPT, b)),
        Body::Checkpoint(b) => each(of_ballot(CHECKPOINT, b)),
        Body::StopData(data) => each(of_collect(&data.collect)),
        Body::Sync(sync) => {
            each(of_sync(sync));
            for collect in sync.collects() {
                each(of_collect(collect));
            }
            if let Some(p) = sync.proposal() {
                each(p.vote());
            }
        }
        _ => {}
    }
}

/// A collect as leave-taking.
fn leaving(chain: ChainId, collect: &Collect) -> Leaving {
    let reach = collect.reach();
    let lock = collect.lock().filter(|c| c.sequence > reach);
    let bound = lock.map(|c| (c.sequence, c.view, c.digest));
    Leaving {
        signed: signed(chain, of_collect(collect), *collect.signature()),
        low: reach,
        alone: None,
        bound: bound.into_iter().collect(),
    }
}

/// What STOP-DATA or SYNC says.
pub(super) fn handover(message: &Message) -> Option<Handover> {
    match &message.body {
        Body::StopData(data) => Some(Handover::Leaves(leaving(message.chain, &data.collect))),
        Body::Sync(sync) => {
            let named = sync.collects().iter();
            Some(Handover::Opens(Opening {
                chain: message.chain,
                view: sync.regency(),
                change: sync.regency() / REGENCIES,
                low: sync.called().low,
                changes: named.map(|c| (c.signature().key, c.digest())).collect(),
                proposals: sync
                    .proposal()
                    .map(|p| p.batch.digest())
                    .into_iter()
                    .collect(),
            }))
        }
        _ => None,
    }
}

/// Tells all signed statements in a message.
pub(super) fn statements(message: &Message, each: &mut dyn FnMut(Evidence)) {
    let chain = message.chain;
    let ballot = |kind, b: &Ballot| signed(chain, of_ballot(kind, b), b.signature);
    match &message.body {
        Body::Propose(p) => each(Evidence::Vote(signed(chain, p.vote(), p.signature))),
        Body::Write(b) => each(Evidence::Vote(ballot(WRITE, b))),
        Body::Accept(b) => each(Evidence::Vote(ballot(ACCEPT, b))),
        Body::Checkpoint(b) => each(Evidence::Vote(ballot(CHECKPOINT, b))),
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
        Body::StopData(data) => of_leaving(chain, &data.collect, each),
        Body::Sync(sync) => {
            for collect in sync.collects() {
                of_leaving(chain, collect, each);
            }
            each(Evidence::Vote(signed(
                chain,
                of_sync(sync),
                *sync.signature(),
            )));
            if let Some(p) = sync.proposal() {
                each(Evidence::Vote(signed(chain, p.vote(), p.signature)));
            }
        }
        _ => {}
    }
}

/// A collect, and the votes in its proofs.
fn of_leaving(chain: ChainId, collect: &Collect, each: &mut dyn FnMut(Evidence)) {
    for certificate in collect.decided().into_iter().chain(collect.lock()) {
        opened(chain, certificate, each);
    }
    each(Evidence::Leaving(leaving(chain, collect)));
}

/// The votes of a certificate.
fn opened(chain: ChainId, certificate: &Certificate, each: &mut dyn FnMut(Evidence)) {
    let place = (certificate.view, certificate.sequence);
    for signature in certificate.signatures.iter() {
        let vote = vote(certificate.kind, place, certificate.digest, signature);
        each(Evidence::Vote(signed(chain, vote, signature)));
    }
}
