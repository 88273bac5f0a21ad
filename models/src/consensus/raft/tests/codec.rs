//! The wire form.

use super::arena::{CHAIN, everybody};
use crate::consensus::StateHead;
use crate::consensus::raft::log::Entry;
use crate::consensus::raft::membership::Configuration;
use crate::consensus::raft::message::{Body, KINDS, Message};
use crate::ledger::state::parts::Prefix;
use crate::ledger::testing::{batch, tx};
use consim_core::{CodecError, Digest, Keyring, NodeId, Payload};
use std::sync::Arc;

fn all() -> Vec<Message> {
    let (_, keys) = Keyring::generate(2, 1);
    let txs = vec![tx(CHAIN, &keys[0], 1, &[1, 2]), tx(CHAIN, &keys[1], 1, &[])];
    let old = Configuration::of(everybody(3));
    let joint = Arc::new(old.towards(everybody(5), 7));
    let entry = |members| Entry::new(CHAIN, 3, 9, batch(NodeId(1), 5, txs.clone()), members);
    let head = Arc::new(StateHead {
        header: None,
        root: Digest::of(b"root"),
    });
    let bodies = vec![
        Body::RequestVote {
            pre: true,
            transfer: false,
            last: 8,
            last_term: 2,
        },
        Body::Vote {
            pre: false,
            voter: NodeId(1),
            candidate: NodeId(2),
            granted: true,
        },
        Body::Append {
            leader: NodeId(1),
            prev: 8,
            prev_term: 2,
            commit: 7,
            entries: vec![entry(None), entry(Some(Arc::clone(&joint)))],
        },
        Body::Appended { matched: 9 },
        Body::Conflict {
            prev: 8,
            term: Some(1),
            first: 4,
        },
        Body::Heartbeat {
            commit: 7,
            round: 99,
        },
        Body::Alive { round: 99 },
        Body::Snapshot {
            index: 8,
            last_term: 2,
            members: joint,
            head,
        },
        Body::FetchParts {
            index: 8,
            wanted: vec![Prefix::default()],
        },
        Body::Parts {
            index: 8,
            parts: Vec::new(),
        },
        Body::TimeoutNow,
        Body::ReadIndex { number: 3 },
        Body::ReadFrom {
            number: 3,
            index: 7,
        },
        Body::Forward { txs, to_all: true },
        Body::Rejoin,
        Body::Stands { leads: Some(9) },
    ];
    let message = |body| Message {
        chain: CHAIN,
        term: 3,
        body,
    };
    bodies.into_iter().map(message).collect()
}

#[test]
fn every_message_is_read_as_it_was_written() {
    let kinds: Vec<&str> = all().iter().map(Payload::kind).collect();
    assert_eq!(kinds, KINDS);
    for message in all() {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        assert_eq!(bytes.len(), message.encoded_len(), "{}", message.kind());
        let read = Message::decode(&bytes).unwrap();
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(bytes, again, "{}", message.kind());
        for end in 0..bytes.len() {
            assert!(Message::decode(&bytes[..end]).is_err());
        }
        bytes.push(0);
        assert_eq!(
            Message::decode(&bytes).unwrap_err(),
            CodecError::Trailing(1)
        );
    }
}
