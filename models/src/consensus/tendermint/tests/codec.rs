//! Every message survives the wire, and what is malformed is refused.

use super::super::message::{
    Ballot, Blocks, Body, Commit, Has, Header, KINDS, Message, NIL, PRECOMMIT, PREVOTE, Part,
    Polka, Proposal, Stamp, StateParts, Status, Times,
};
use crate::consensus::StateHead;
use crate::ledger::merkle;
use consim_core::{
    Batch, Certificate, ChainId, Committed, Digest, Evidence, Keyring, NodeId, OpId, Payload, Tx,
    TxId,
};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(4);

/// What goes from peer to peer.
fn gossip(header: &Arc<Header>, decided: Certificate, stamp: Stamp) -> Vec<Body> {
    let digest = decided.digest;
    let leaves = [Digest::of(b"a"), Digest::of(&[7, 8, 9])];
    let proof = merkle::prove(&leaves, 1).unwrap();
    vec![
        Body::Header(Arc::clone(header)),
        Body::Part {
            height: 3,
            round: 2,
            part: Arc::new(Part::new(1, [7, 8, 9].into(), proof)),
        },
        Body::Has(Box::new(Has {
            height: 3,
            round: 2,
            step: 1,
            whole: true,
            ask: false,
            parts: Some(vec![3]),
            votes: vec![(2, PREVOTE, vec![5, 1]), (1, PRECOMMIT, Vec::new())],
        })),
        Body::Commit(Box::new(Commit {
            certificate: Arc::new(decided),
            header: Arc::clone(header),
        })),
        Body::Stamps {
            height: 2,
            digest,
            stamps: vec![stamp, stamp],
        },
    ]
}

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
    let decided = Arc::new(certificate(PRECOMMIT, 2));
    let valid = Arc::new(certificate(PREVOTE, 3));
    let committed = Arc::new(Committed {
        chain: CHAIN,
        sequence: 2,
        batch: Arc::clone(&batch),
        certificate: (*decided).clone(),
    });
    let signature = ballot(PREVOTE).signature;
    let stamp = Stamp::sign(CHAIN, 2, &batch.digest(), -7, &keys[2]);
    let times = Arc::new(Times::new(2, batch.digest(), vec![stamp]));
    let proposal = |valid, times| Body::Proposal {
        proposal: Arc::new(Proposal::new(2, 3, Arc::clone(&batch), signature)),
        valid,
        times,
    };
    let status = |valid, proof| {
        Body::Status(Status {
            executed: 2,
            round: 4,
            valid,
            stable: 3,
            change: 1,
            ask: true,
            proof,
            decided: None,
        })
    };
    let whole = Arc::new(Proposal::new(2, 3, Arc::clone(&batch), signature));
    let of = (2, Digest::of(b"root"));
    let proofs = (Some(&valid), Some(&times));
    let header = Arc::new(Header::sign(CHAIN, &whole, proofs, of, &keys[0]));
    let nil = Ballot::sign(CHAIN, PRECOMMIT, 2, 3, NIL, &keys[1]);
    let mut bodies = vec![
        proposal(Some(Arc::clone(&valid)), None),
        Body::Prevote(ballot(PREVOTE)),
        Body::Precommit(ballot(PRECOMMIT), Some(stamp)),
        Body::Checkpoint(ballot(3)),
        Body::Polka(Arc::new(Polka {
            proof: Arc::clone(&valid),
            batch: Arc::clone(&batch),
        })),
        Body::Votes(vec![(PREVOTE, ballot(PREVOTE)), (PRECOMMIT, nil)]),
        Body::Forward {
            txs: vec![tx],
            to_all: true,
        },
        status(Some(1), Some(Arc::clone(&decided))),
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
        Body::FetchTime { height: 2 },
        Body::Time {
            height: 2,
            digest: batch.digest(),
            stamp,
        },
    ];
    bodies.extend(gossip(&header, certificate(PRECOMMIT, 3), stamp));
    bodies.extend([
        proposal(None, Some(times)),
        Body::Precommit(nil, None),
        status(None, None),
    ]);
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

/// Whoever changes one byte of what is said by its hash says something else.
#[test]
fn what_is_hashed_tells_messages_apart_as_their_bytes_do() {
    let (_, keys) = Keyring::generate(4, 1);
    let hashed = |body| {
        let mut out = Vec::new();
        let message = Message { chain: CHAIN, body };
        assert!(message.encode_hashed(&mut out));
        out
    };
    let leaves = [Digest::of(b"a"), Digest::of(b"b")];
    let part = |bytes: &[u8]| {
        let proof = merkle::prove(&leaves, 1).unwrap();
        hashed(Body::Part {
            height: 3,
            round: 2,
            part: Arc::new(Part::new(1, bytes.into(), proof)),
        })
    };
    assert_eq!(part(&[7, 8, 9]), part(&[7, 8, 9]));
    assert_ne!(part(&[7, 8, 9]), part(&[7, 8, 8]));
    assert_ne!(part(&[7, 8, 9]), part(&[7, 8, 9, 0]));
    let forward = |number, body: &[u8], key: usize, to_all| {
        let id = TxId {
            origin: NodeId(1),
            number,
        };
        let tx = Tx::new(id, CHAIN, OpId(1), body.into(), &keys[key]);
        hashed(Body::Forward {
            txs: vec![Arc::new(tx)],
            to_all,
        })
    };
    let said = forward(3, &[1, 2, 3], 1, true);
    assert_eq!(said, forward(3, &[1, 2, 3], 1, true));
    for other in [
        forward(4, &[1, 2, 3], 1, true),
        forward(3, &[1, 2, 4], 1, true),
        forward(3, &[1, 2, 3], 2, true),
        forward(3, &[1, 2, 3], 1, false),
    ] {
        assert_ne!(said, other);
    }
    // What does not go round is hashed as it is.
    let header = Message {
        chain: CHAIN,
        body: Body::FetchBlocks { from: 3 },
    };
    assert!(!header.encode_hashed(&mut Vec::new()));
}
