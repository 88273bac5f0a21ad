//! The wire form.

use super::bench::{self, Bench, CHAIN};
use super::cases;
use crate::consensus::pbft::change::{NewView, ViewChange};
use crate::consensus::pbft::journal::{Opening, Record};
use crate::consensus::pbft::message::{
    Blocks, Body, CHECKPOINT, COMMIT, FAMILY, Message, NEW_VIEW, PREPARE, StateHead, StateParts,
    Status, VIEW_CHANGE,
};
use crate::ledger::WorldState;
use crate::ledger::state::parts::Prefix;
use consim_core::{CodecError, Digest, Header, KeyId, NodeId, Payload, Vote};
use proptest::prelude::*;
use std::sync::Arc;

fn header() -> Header {
    Header {
        chain: CHAIN,
        height: 3,
        sequence: 4,
        parent: Digest::of(b"parent"),
        batch: Digest::of(b"batch"),
        tx_root: Digest::of(b"transactions"),
        state_root: Digest::of(b"state"),
        time_ns: -5,
        tx_count: 6,
    }
}

/// A message of every kind, with something in every list.
fn messages() -> Vec<Message> {
    let mut bench = Bench::new(1, 4);
    bench.order(1, &bench.batch(0, &[1, 2, 4]));
    let batch = bench.batch(0, &[1, 2, 3]);
    let d = batch.digest();
    let proof = Arc::new(bench.certificate(CHECKPOINT, 0, 4, d, &[0, 1, 3]));
    let key = bench.keys.steal(NodeId(2).into()).unwrap();
    let change = Arc::new(ViewChange::sign(
        CHAIN,
        2,
        Some(Arc::clone(&proof)),
        vec![bench.prepared(0, 5, d), bench.prepared(1, 7, d)],
        &key,
    ));
    let new_view = NewView::sign(
        CHAIN,
        2,
        4,
        vec![
            (KeyId(0), Digest::of(b"a view change")),
            (KeyId(2), change.digest()),
        ],
        vec![(d, bench.ballot(2, PREPARE, 2, 5, d).signature)],
        &key,
    );
    let status = |ask, proof| {
        Body::Status(Status {
            view: 3,
            active: ask,
            executed: 9,
            stable: 8,
            ask,
            holds: vec![3; usize::from(ask)],
            proof,
        })
    };
    let state = |proof, full: bool| {
        let many: WorldState = bench::snapshot(d, 40).state;
        let root = many.root();
        let header = full.then(header);
        let head = StateHead { header, root };
        let parts = [
            many.part(&Prefix::default(), 100),
            many.part(&Prefix::default(), 1 << 20),
        ];
        Body::State(StateParts {
            sequence: 8,
            executed: 11,
            proof,
            head: Some(Arc::new(head)),
            parts: parts
                .into_iter()
                .flatten()
                .map(|p| (Prefix::default(), p))
                .collect(),
        })
    };
    let bodies = vec![
        bench.proposal(0, 1, &batch),
        bench.prepare(1, 2, 3, d),
        bench.commit(1, 2, 3, d),
        bench.checkpoint(1, 4, d),
        Body::Suspect { view: 7 },
        Body::ViewChange(change),
        Body::NewView(Arc::new(new_view)),
        Body::Forward {
            txs: batch.txs().to_vec(),
            to_all: true,
        },
        Body::Forward {
            txs: vec![],
            to_all: false,
        },
        status(true, None),
        status(false, Some(Arc::clone(&proof))),
        Body::FetchBlocks { from: 11 },
        Body::Blocks(Blocks {
            blocks: vec![
                bench.committed(1, &batch, &[0, 1, 2]),
                bench.committed(2, &bench.batch(2, &[]), &[1, 2, 3]),
            ],
            executed: 5,
            proof: Some(Arc::clone(&proof)),
        }),
        Body::FetchBatch {
            sequence: 4,
            digest: d,
        },
        Body::Batch { sequence: 4, batch },
        Body::FetchChange { view: 3, digest: d },
        Body::FetchState {
            sequence: 4,
            wanted: vec![Prefix::default()],
        },
        Body::FetchState {
            sequence: 4,
            wanted: vec![],
        },
        state(Some(Arc::clone(&proof)), true),
        state(None, false),
    ];
    bodies
        .into_iter()
        .map(|body| Message { chain: CHAIN, body })
        .collect()
}

fn bytes(payload: &dyn Payload) -> Vec<u8> {
    let mut out = Vec::new();
    payload.encode(&mut out);
    out
}

#[test]
fn every_message_comes_back_as_it_was() {
    let mut kinds = Vec::new();
    for message in messages() {
        let wire = bytes(&message);
        assert_eq!(wire.len(), message.encoded_len(), "{}", message.kind());
        assert_eq!(wire[..3], [1, FAMILY, wire[2]]);
        let back = Message::decode(&wire).unwrap();
        assert_eq!(bytes(&back), wire, "{}", message.kind());
        assert_eq!(format!("{back:?}").len(), format!("{message:?}").len());
        kinds.push(wire[2]);
    }
    kinds.dedup();
    assert_eq!(kinds, (0..16).collect::<Vec<u8>>(), "every kind");
}

#[test]
fn records_are_as_long_as_they_say() {
    let bench = Bench::new(1, 4);
    let batch = bench.batch(0, &[1, 2, 3]);
    let proof = Arc::new(bench.certificate(CHECKPOINT, 0, 4, batch.digest(), &[0, 1, 3]));
    let change = bench.view_change(1, 2, vec![]);
    let new_view = bench.new_view(2, 2, &[Arc::clone(&change)], &[Digest::ZERO]);
    let opening = Opening {
        new_view,
        changes: vec![Arc::clone(&change)],
    };
    let records = [
        Record::Former(batch),
        Record::Stable(proof),
        Record::Started,
        Record::Taken {
            chain: CHAIN,
            sequence: 8,
            head: Arc::new(StateHead {
                header: Some(header()),
                root: Digest::ZERO,
            }),
            state: Arc::new(bench::snapshot(Digest::ZERO, 5)),
        },
        Record::View {
            view: 2,
            change: Some(change),
            new_view: None,
        },
        Record::View {
            view: 2,
            change: None,
            new_view: Some(opening),
        },
    ];
    for record in records {
        assert_eq!(
            bytes(&record).len(),
            record.encoded_len(),
            "{}",
            record.kind()
        );
    }
    let logged = bench.committed(1, &bench.batch(0, &[1]), &[0, 1, 2]);
    assert_eq!(bytes(&*logged).len(), logged.encoded_len());
    let prepared = bench.prepared(0, 1, Digest::ZERO);
    assert_eq!(bytes(&*prepared).len(), prepared.encoded_len());
}

#[test]
fn a_cut_message_is_an_error_and_so_is_a_longer_one() {
    for message in messages() {
        let wire = bytes(&message);
        for length in 0..wire.len() {
            assert!(
                Message::decode(&wire[..length]).is_err(),
                "{} {length}",
                message.kind()
            );
        }
        let longer = [&wire[..], &[0]].concat();
        assert_eq!(
            Message::decode(&longer).unwrap_err(),
            CodecError::Trailing(1)
        );
    }
}

#[test]
fn another_version_family_or_kind_is_an_error() {
    let wire = bytes(&messages()[4]);
    for (at, value, error) in [
        (0, 2, CodecError::Version(2)),
        (1, 2, CodecError::Tag(2)),
        (2, 16, CodecError::Tag(16)),
    ] {
        let mut changed = wire.clone();
        changed[at] = value;
        assert_eq!(Message::decode(&changed).unwrap_err(), error);
    }
}

#[test]
fn a_length_beyond_its_limit_is_refused_before_anything_is_made() {
    // A forward message that claims 4 billion transactions, and one that claims 513.
    for (claimed, error) in [
        (u32::MAX, CodecError::TooLong(u32::MAX as usize)),
        (513, CodecError::TooLong(513)),
        (512, CodecError::Truncated),
    ] {
        let mut wire = vec![1, FAMILY, 7, 0, 1, 0];
        wire.extend_from_slice(&claimed.to_be_bytes());
        assert_eq!(Message::decode(&wire).unwrap_err(), error);
    }
}

#[test]
fn votes_are_told_as_they_were_signed() {
    let mut found: Vec<(&str, Vote)> = Vec::new();
    for message in messages() {
        message.votes(&mut |_, vote| found.push((message.kind(), vote)));
    }
    let told: Vec<_> = found
        .iter()
        .map(|(word, v)| (*word, v.key.0, v.kind, v.view, v.sequence))
        .collect();
    assert_eq!(
        told,
        [
            ("pre-prepare", 0, PREPARE, 0, 1),
            ("prepare", 1, PREPARE, 2, 3),
            ("commit", 1, COMMIT, 2, 3),
            ("checkpoint", 1, CHECKPOINT, 0, 4),
            ("view-change", 2, VIEW_CHANGE, 2, 0),
            ("new-view", 2, NEW_VIEW, 2, 0),
            ("new-view", 2, PREPARE, 2, 5),
        ]
    );
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn random_bytes_never_panic(mut wire in proptest::collection::vec(any::<u8>(), 0..400), kind in 0u8..17) {
        let _ = Message::decode(&wire);
        // Past the head as well.
        for (byte, value) in wire.iter_mut().zip([1, FAMILY, kind]) {
            *byte = value;
        }
        let _ = Message::decode(&wire);
    }

    #[test]
    fn changed_bytes_never_panic(
        which in 0usize..16,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let messages = messages();
        let mut wire = bytes(&messages[which]);
        for (at, value) in changes {
            let at = at.index(wire.len());
            wire[at] = value;
        }
        // What can be read is written again as it was, and tells its votes.
        if let Ok(message) = Message::decode(&wire) {
            prop_assert_eq!(message.encoded_len(), wire.len());
            prop_assert_eq!(bytes(&message), wire);
            message.votes(&mut |_, _| {});
        }
    }
}
