//! Every message survives the wire, and what is malformed is refused.

use super::super::announced::Announced;
use super::super::message::{Blocks, Body, Head, Message, StateParts, Status};
use super::super::proposal::{Ballot, Proposal, Timeout, TimeoutCertificate};
use crate::consensus::StateHead;
use crate::consensus::payload::{self, Parcels, TxBatch};
use crate::ledger::merkle;
use consim_core::chain::{CHAINED, Link};
use consim_core::{
    Aggregate, Batch, Certificate, ChainId, Committed, Digest, Keyring, NodeId, OpId, Payload,
    SecretKey, Signature, SignatureSet, Signers, Tx, TxId,
};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(4);

/// What is said where payload travels apart.
fn apart(
    proposal: &Arc<Proposal>,
    tx: &Arc<Tx>,
    signature: Signature,
    signatures: &SignatureSet,
) -> Vec<Body> {
    let batch = Arc::new(TxBatch::new(NodeId(1), vec![Arc::clone(tx)]));
    let digest = batch.digest();
    let named = vec![tx.digest(), Digest::of(b"d")].into();
    let messages = [
        payload::Message::Batch(Arc::clone(&batch)),
        payload::Message::Acknowledge { digest, signature },
        payload::Message::Available(Arc::new(payload::Availability {
            digest,
            signatures: signatures.clone(),
        })),
        payload::Message::Fetch {
            proposal: proposal.id(),
            wanted: vec![digest],
        },
        payload::Message::Payload(Parcels::Txs(vec![Arc::clone(tx)])),
        payload::Message::Payload(Parcels::Batches(vec![batch])),
    ];
    let bodies = messages.into_iter().map(Body::Payload);
    let branch = Body::Branch {
        proposals: vec![Arc::new(Announced::of(proposal, Arc::clone(&named)))],
        executed: 1,
    };
    let announced = Body::Announced(Arc::new(Announced::of(proposal, named)));
    bodies.chain([announced, branch]).collect()
}

/// All messages, with certificates as vectors and as aggregates.
fn messages() -> Vec<Message> {
    let (vectors, keys) = Keyring::generate(4, 1);
    let (first, last) = (NodeId(0).into(), NodeId(3).into());
    let aggregates = vectors.clone().with_aggregates(first, last);
    let of = |ring| messages_of(ring, &keys);
    let both = [of(&vectors), of(&aggregates)];
    both.into_iter().flatten().collect()
}

fn messages_of(ring: &Keyring, keys: &[SecretKey]) -> Vec<Message> {
    let id = TxId {
        origin: NodeId(1),
        number: 3,
    };
    let tx = Arc::new(Tx::new(id, CHAIN, OpId(1), [1, 2, 3].into(), &keys[1]));
    let root = merkle::root(&[tx.digest()]);
    let batch = Arc::new(Batch::new(NodeId(0), 7, vec![Arc::clone(&tx)].into(), root));
    let link = Link {
        view: 4,
        sequence: 3,
        parent: Digest::of(b"p"),
        batch: batch.digest(),
        voters: vec![0b1011].into(),
    };
    let statement = Digest::of(b"x");
    let signature = keys[0].sign(&statement);
    let mut signers = Signers::default();
    signers.begin(statement);
    signers.add(ring, &signature);
    let signatures = signers.signatures(ring);
    let certificate = Arc::new(Certificate {
        kind: CHAINED + 3,
        view: 3,
        sequence: 0,
        digest: link.parent,
        signatures: signatures.clone(),
        links: Arc::default(),
    });
    let timeouts = Arc::new(TimeoutCertificate {
        view: 3,
        entries: vec![(signature, 2)],
        sum: Aggregate::of(ring, [signature]),
    });
    let proposal = Arc::new(Proposal::new(
        link.clone(),
        Arc::clone(&batch),
        Some(Arc::clone(&certificate)),
        Some(Arc::clone(&timeouts)),
        signature,
    ));
    let ballot = Ballot::sign(CHAIN, CHAINED + 3, 4, proposal.id(), &keys[0]);
    let committed = Arc::new(Committed {
        chain: CHAIN,
        sequence: 3,
        batch,
        certificate: Certificate {
            links: vec![link.clone(), link.clone()].into(),
            ..(*certificate).clone()
        },
    });
    let mut bodies = apart(&proposal, &tx, signature, &signatures);
    bodies.extend([
        Body::Proposal(Arc::clone(&proposal)),
        Body::Vote(ballot),
        Body::Timeout(Arc::new(Timeout {
            view: 4,
            signature,
            high: Some(Arc::clone(&certificate)),
            entered: Some(Arc::clone(&timeouts)),
            vote: Some(ballot),
        })),
        Body::Checkpoint(ballot),
        Body::Forward {
            txs: vec![tx],
            to_all: true,
        },
        Body::Status(Status {
            view: 1,
            executed: 2,
            stable: 3,
            ask: true,
            high: Some(Arc::clone(&certificate)),
            entered: Some(timeouts),
            proof: None,
        }),
        Body::FetchBlocks { from: 2 },
        Body::Blocks(Blocks {
            blocks: vec![committed],
            executed: 9,
            proof: Some(certificate),
        }),
        Body::FetchChain {
            id: proposal.id(),
            above: 2,
        },
        Body::Chain {
            proposals: vec![proposal],
            executed: 1,
        },
        Body::FetchState {
            sequence: 8,
            wanted: Vec::new(),
        },
        Body::State(StateParts {
            sequence: 8,
            executed: 9,
            proof: None,
            head: Some(Arc::new(Head {
                state: StateHead {
                    header: None,
                    root: Digest::of(b"r"),
                },
                link,
            })),
            parts: Vec::new(),
        }),
    ]);
    let message = |body| Message {
        chain: CHAIN,
        votes: CHAINED + 3,
        body,
    };
    bodies.into_iter().map(message).collect()
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for message in messages() {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        assert_eq!(bytes.len(), message.encoded_len(), "{}", message.kind());
        let read = Message::decode(&bytes).unwrap();
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(bytes, again, "{}", message.kind());
        let (mut said, mut heard) = (Vec::new(), Vec::new());
        message.votes(&mut |_, v| said.push(v));
        read.votes(&mut |_, v| heard.push(v));
        assert_eq!(said, heard, "{}", message.kind());
    }
}

#[test]
fn what_is_cut_off_or_goes_on_is_refused() {
    for message in messages() {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        for cut in 0..bytes.len() {
            assert!(
                Message::decode(&bytes[..cut]).is_err(),
                "{} at {cut}",
                message.kind()
            );
        }
        bytes.push(0);
        assert!(Message::decode(&bytes).is_err());
    }
}
