//! Every message survives the wire, and what is malformed is refused.

use super::super::message::{Ballot, Block, Body, Draft, KINDS, Message, Status};
use crate::consensus::MemberChange;
use crate::ledger::merkle;
use consim_core::{Batch, ChainId, Digest, Evidence, Keyring, NodeId, OpId, Payload, Tx, TxId};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(4);

fn messages() -> (Keyring, Vec<Message>) {
    let (ring, keys) = Keyring::generate(4, 1);
    let id = TxId {
        origin: NodeId(1),
        number: 3,
    };
    let tx = Arc::new(Tx::new(id, CHAIN, OpId(1), [1, 2, 3].into(), &keys[1]));
    let root = merkle::root(&[tx.digest()]);
    let batch = Arc::new(Batch::new(NodeId(0), 7, vec![Arc::clone(&tx)].into(), root));
    let block = |ballot| -> Arc<Block> {
        let draft = Draft {
            parent: Digest::of(&[1]),
            height: 9,
            difficulty: 2,
            ballot,
            batch: Arc::clone(&batch),
        };
        Arc::new(draft.seal(CHAIN, &keys[0]))
    };
    let ballot = Some(Ballot {
        node: NodeId(3),
        authorize: false,
        change: 2,
    });
    let bodies = vec![
        Body::Block(block(ballot)),
        Body::Forward { txs: vec![tx] },
        Body::Status(Status {
            head: Digest::of(&[2]),
            height: 8,
            total: 15,
            ask: true,
        }),
        Body::Fetch {
            from: 3,
            id: Digest::of(&[3]),
        },
        Body::Branch {
            blocks: vec![block(None), block(ballot)],
        },
        Body::ReadAsk { number: 4 },
        Body::ReadAt {
            number: 4,
            height: 5,
        },
        Body::Propose(MemberChange {
            number: 1,
            add: vec![NodeId(7)],
            remove: vec![NodeId(1), NodeId(2)],
            renew: Vec::new(),
        }),
    ];
    let message = |body| Message { chain: CHAIN, body };
    (ring, bodies.into_iter().map(message).collect())
}

fn bytes(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}

#[test]
fn every_message_survives_the_wire() {
    let (_, messages) = messages();
    assert_eq!(messages.len(), KINDS.len());
    for (message, kind) in messages.iter().zip(KINDS) {
        let sent = bytes(message);
        assert_eq!(message.kind(), *kind);
        assert_eq!(sent.len(), message.encoded_len(), "{kind}");
        let read = Message::decode(&sent).unwrap();
        assert_eq!(bytes(&read), sent, "{kind}");
    }
}

#[test]
fn what_is_malformed_is_refused() {
    for message in messages().1 {
        let sent = bytes(&message);
        for cut in 0..sent.len() {
            assert!(
                Message::decode(&sent[..cut]).is_err(),
                "{message:?} cut at {cut}"
            );
        }
        let mut more = sent;
        more.push(0);
        assert!(Message::decode(&more).is_err());
        more[2] = KINDS.len() as u8;
        assert!(Message::decode(&more).is_err());
    }
}

#[test]
fn a_seal_is_evidence_of_one_block_upon_one_parent() {
    let (ring, messages) = messages();
    let mut seen = Vec::new();
    messages[0].evidence(&mut |evidence| seen.push(evidence));
    let [Evidence::Vote(vote)] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert!(vote.is_genuine(&ring));
    let (Body::Block(block), mut votes) = (&messages[0].body, 0) else {
        panic!();
    };
    let key = ring.steal(NodeId(0).into()).unwrap();
    let other = |draft: Draft| draft.seal(CHAIN, &key).vote();
    let elsewhere = other(Draft {
        parent: Digest::of(&[9]),
        ..block.draft()
    });
    let beside = other(Draft {
        difficulty: 1,
        ..block.draft()
    });
    // Upon another parent it may rightly seal the same height.
    assert_ne!(elsewhere.view, vote.vote.view);
    assert_eq!(
        (beside.view, beside.sequence),
        (vote.vote.view, vote.vote.sequence)
    );
    assert_ne!(beside.digest, vote.vote.digest);
    messages[4].votes(&mut |_, _| votes += 1);
    assert_eq!(votes, 2);
}
