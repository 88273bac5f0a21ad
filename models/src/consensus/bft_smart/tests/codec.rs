//! Every message survives the wire, and what is malformed is refused.

use super::super::collect::{Collect, StopData, Sync};
use super::super::message::{
    ACCEPT, Ballot, Blocks, Body, KINDS, Message, Proposal, StateParts, Status, WRITE,
};
use crate::consensus::StateHead;
use crate::ledger::merkle;
use consim_core::{
    Batch, Certificate, ChainId, Committed, Digest, Evidence, Keyring, NodeId, OpId, Payload, Tx,
    TxId,
};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(4);

fn messages() -> Vec<Message> {
    let (_, keys) = Keyring::generate(4, 1);
    let id = TxId {
        origin: NodeId(1),
        number: 3,
    };
    let tx = Arc::new(Tx::new(id, CHAIN, OpId(1), [1, 2, 3].into(), &keys[1]));
    let root = merkle::root(&[tx.digest()]);
    let batch = Arc::new(Batch::new(NodeId(0), 7, vec![Arc::clone(&tx)].into(), root));
    let ballot = |kind| Ballot::sign(CHAIN, kind, 2, 3, batch.digest(), &keys[0]);
    let certificate = |kind, sequence| Certificate {
        kind,
        view: 2,
        sequence,
        digest: batch.digest(),
        signatures: vec![ballot(kind).signature].into(),
        links: Arc::default(),
    };
    let (decided, lock) = (
        Arc::new(certificate(ACCEPT, 2)),
        Arc::new(certificate(WRITE, 3)),
    );
    let collect = Arc::new(Collect::sign(
        CHAIN,
        5,
        Some(Arc::clone(&decided)),
        Some(lock),
        &keys[0],
    ));
    let empty = Arc::new(Collect::sign(CHAIN, 5, None, None, &keys[1]));
    let committed = Arc::new(Committed {
        chain: CHAIN,
        sequence: 2,
        batch: Arc::clone(&batch),
        certificate: (*decided).clone(),
    });
    let signature = ballot(WRITE).signature;
    let proposal = Arc::new(Proposal::new(2, 3, Arc::clone(&batch), signature));
    let sync = |proposal, decided| {
        let collects = vec![Arc::clone(&collect), Arc::clone(&empty)];
        Body::Sync(Arc::new(Sync::sign(
            CHAIN, 5, collects, proposal, decided, &keys[1],
        )))
    };
    let bodies = vec![
        Body::Propose(Arc::clone(&proposal)),
        Body::Write(ballot(WRITE)),
        Body::Accept(ballot(ACCEPT)),
        Body::Checkpoint(ballot(3)),
        Body::Stop {
            regency: 6,
            txs: vec![Arc::clone(&tx)],
        },
        Body::StopData(Arc::new(StopData {
            collect: Arc::clone(&collect),
            decided: Some(Arc::clone(&committed)),
            locked: Some(Arc::clone(&batch)),
        })),
        sync(Some(proposal), Some(Arc::clone(&committed))),
        Body::Forward {
            txs: vec![tx],
            to_all: true,
        },
        Body::Status(Status {
            regency: 1,
            active: true,
            asks: 2,
            executed: 2,
            stable: 3,
            change: 0,
            ask: true,
            proof: Some(Arc::clone(&decided)),
            decided: None,
        }),
        Body::FetchBlocks { from: 2 },
        Body::Blocks(Blocks {
            blocks: vec![Arc::clone(&committed)],
            executed: 9,
            proof: Some(Arc::clone(&decided)),
        }),
        Body::FetchState {
            sequence: 8,
            wanted: Vec::new(),
        },
        Body::State(StateParts {
            sequence: 8,
            executed: 9,
            proof: None,
            head: Some(Arc::new(StateHead {
                header: None,
                root: Digest::of(b"r"),
            })),
            parts: Vec::new(),
        }),
        Body::Links(vec![committed]),
        sync(None, None),
        Body::Status(Status {
            regency: 2_000_001,
            active: false,
            asks: 2_000_002,
            executed: 2,
            stable: 3,
            change: 2,
            ask: false,
            proof: None,
            decided: Some(decided),
        }),
    ];
    let message = |body| Message { chain: CHAIN, body };
    bodies.into_iter().map(message).collect()
}

#[test]
fn every_message_is_read_as_it_was_written() {
    let kinds: Vec<_> = messages().iter().map(Payload::kind).collect();
    assert_eq!(kinds[..KINDS.len()], *KINDS);
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
        assert_eq!(statements(&message), statements(&read));
    }
}

fn statements(message: &Message) -> Vec<String> {
    let mut all = Vec::new();
    message.evidence(&mut |evidence: Evidence| all.push(format!("{evidence:?}")));
    all
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
