//! What PBFT's messages prove about their signers, for forensics (P. Sheng et al., "BFT Protocol
//! Forensics", CCS 2021, section 4: PBFT with signatures).

use super::change::ViewChange;
use super::message::{Ballot, Body, CHECKPOINT, COMMIT, Message, NEW_VIEW, PREPARE, VIEW_CHANGE};
use consim_core::{
    Certificate, ChainId, Digest, Evidence, Handover, Leaving, Opening, Promise, Signature,
    SignedVote, Vote,
};

/// What a vote of this kind binds its signer to.
fn promise(kind: u8) -> Promise {
    match kind {
        PREPARE => Promise::Accepts,
        COMMIT => Promise::Locks,
        _ => Promise::Once,
    }
}

fn signed(
    chain: ChainId,
    kind: u8,
    (view, sequence): (u64, u64),
    digest: Digest,
    signature: Signature,
) -> SignedVote {
    SignedVote {
        chain,
        vote: Vote {
            key: signature.key,
            kind,
            view,
            sequence,
            digest,
        },
        promise: promise(kind),
        signature,
    }
}

impl Message {
    /// What a view change or a new view says.
    pub(super) fn handing_over(&self) -> Option<Handover> {
        match &self.body {
            Body::ViewChange(change) => Some(Handover::Leaves(leaving(self.chain, change))),
            Body::NewView(new_view) => Some(Handover::Opens(Opening {
                chain: self.chain,
                view: new_view.view(),
                change: 0,
                low: new_view.low(),
                changes: new_view.changes().into(),
                proposals: new_view.proposals().iter().map(|p| p.0).collect(),
            })),
            _ => None,
        }
    }
    /// Tells all signed statements in this message.
    pub(super) fn statements(&self, each: &mut dyn FnMut(Evidence)) {
        let chain = self.chain;
        let mut vote = |kind, place, digest, signature| {
            each(Evidence::Vote(signed(
                chain, kind, place, digest, signature,
            )));
        };
        let ballot = |kind, b: &Ballot| (kind, (b.view, b.sequence), b.digest, b.signature);
        let (kind, place, digest, signature) = match &self.body {
            Body::PrePrepare(p) => (PREPARE, (p.view, p.sequence), p.batch.digest(), p.signature),
            Body::Prepare(b) => ballot(PREPARE, b),
            Body::Commit(b) => ballot(COMMIT, b),
            Body::Checkpoint(b) => ballot(CHECKPOINT, b),
            Body::Blocks(blocks) => {
                let certificates = blocks.blocks.iter().map(|c| &c.certificate);
                for certificate in certificates.chain(blocks.proof.as_deref()) {
                    opened(certificate, &mut vote);
                }
                return;
            }
            Body::NewView(new_view) => {
                let view = new_view.view();
                for (&(digest, signature), i) in new_view.proposals().iter().zip(1..) {
                    let sequence = new_view.low().saturating_add(i);
                    vote(PREPARE, (view, sequence), digest, signature);
                }
                (
                    NEW_VIEW,
                    (view, 0),
                    new_view.digest(),
                    *new_view.signature(),
                )
            }
            Body::ViewChange(change) => {
                let prepared = change.prepared().iter().map(|p| &p.0);
                for certificate in prepared.clone().chain(change.stable().map(|c| &**c)) {
                    opened(certificate, &mut vote);
                }
                return each(Evidence::Leaving(leaving(chain, change)));
            }
            _ => return,
        };
        vote(kind, place, digest, signature);
    }
}

/// A view change as leave-taking.
fn leaving(chain: ChainId, change: &ViewChange) -> Leaving {
    let prepared = change.prepared().iter().map(|p| &p.0);
    let bound = prepared.map(|c| (c.sequence, c.view, c.digest));
    Leaving {
        signed: signed(
            chain,
            VIEW_CHANGE,
            (change.view(), 0),
            change.digest(),
            *change.signature(),
        ),
        low: change.low(),
        alone: None,
        bound: bound.collect(),
    }
}

/// The votes of a certificate.
fn opened(certificate: &Certificate, vote: &mut dyn FnMut(u8, (u64, u64), Digest, Signature)) {
    let place = (certificate.view, certificate.sequence);
    for signature in certificate.signatures.iter() {
        vote(certificate.kind, place, certificate.digest, signature);
    }
}
