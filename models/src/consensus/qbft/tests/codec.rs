//! Every message survives the wire, and what is malformed is refused.

use super::super::change::{Change, Justification, RoundChange, hash_in_round};
use super::super::message::{
    Ballot, Blocks, Body, COMMIT, KINDS, Message, PREPARE, Proposal, StateParts, Status,
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
        view: 1,
        sequence,
        digest: batch.digest(),
        signatures: vec![ballot(kind).signature].into(),
        links: Arc::default(),
    };
    let decided = Arc::new(certificate(COMMIT, 2));
    let prepared = Arc::new(certificate(PREPARE, 3));
    let change = |inside: Option<&Arc<Certificate>>, of| {
        let inside = inside.map(Arc::clone);
        Arc::new(Change::sign(CHAIN, (3, 2), of, inside, &keys[1]))
    };
    let of = Some((1, hash_in_round(&batch.digest(), 1)));
    let committed = Arc::new(Committed {
        chain: CHAIN,
        sequence: 2,
        batch: Arc::clone(&batch),
        certificate: (*decided).clone(),
    });
    let signature = ballot(PREPARE).signature;
    let proposal = |justification| Body::Proposal {
        proposal: Arc::new(Proposal::new(2, 3, Arc::clone(&batch), signature)),
        justification,
    };
    let status = |proof| {
        Body::Status(Status {
            executed: 2,
            round: 4,
            stable: 3,
            change: 1,
            ask: true,
            proof,
            decided: None,
        })
    };
    let round_change = |inside, proof: Option<&Arc<Certificate>>, of: Option<_>| {
        Body::RoundChange(Arc::new(RoundChange {
            change: change(inside, of),
            proof: proof.map(Arc::clone),
            batch: of.map(|_| Arc::clone(&batch)),
        }))
    };
    let justification = |inside, proof: Option<&Arc<Certificate>>| {
        Some(Arc::new(Justification {
            changes: vec![change(None, None), change(inside, of)],
            proof: proof.map(Arc::clone),
        }))
    };
    let bodies = vec![
        proposal(justification(None, Some(&prepared))),
        Body::Prepare(ballot(PREPARE)),
        Body::Commit(ballot(COMMIT)),
        round_change(None, Some(&prepared), of),
        Body::Checkpoint(ballot(3)),
        Body::Forward {
            txs: vec![tx],
            to_all: true,
        },
        status(Some(Arc::clone(&decided))),
        Body::FetchBlocks { from: 2 },
        Body::Blocks(Blocks {
            blocks: vec![Arc::clone(&committed)],
            executed: 9,
            proof: Some(decided),
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
        Body::Links(vec![Arc::clone(&committed)]),
        proposal(None),
        proposal(justification(Some(&prepared), None)),
        round_change(Some(&prepared), None, of),
        round_change(None, None, None),
        status(None),
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
