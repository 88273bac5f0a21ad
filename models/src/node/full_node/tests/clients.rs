//! What the node does for clients.

use super::*;
use crate::node::clients::MAX_READS;
use crate::node::message::{Outcome, Reply, Shown};

const CLIENT: u32 = 8;

/// A member that knows one client.
fn rig() -> (World, Rig) {
    let mut world = world();
    let mut rig = Rig::member(&world, 1);
    let certificate = world.shared.issue(identity(CLIENT, Role::Client));
    rig.message(CLIENT, Message::Hello(certificate));
    rig.take();
    (world, rig)
}

fn request(world: &World, by: u32, number: u64, body: &[u8]) -> Message {
    let key = world.keys.steal(NodeId(by).into()).unwrap();
    Message::Request(tx(CHAIN, &key, number, body))
}

/// What it said to clients.
fn said(rig: &Rig) -> Vec<Message> {
    let sent = rig.effects.list.iter().filter_map(|effect| match effect {
        Effect::Send { payload, .. } => payload.as_any().downcast_ref::<Message>().cloned(),
        _ => None,
    });
    sent.collect()
}

fn reply(number: u64, outcome: Outcome) -> Message {
    Message::Reply(Reply {
        id: TxId {
            origin: NodeId(CLIENT),
            number,
        },
        view: 6,
        leader: NodeId(2),
        tentative: false,
        outcome,
    })
}

#[test]
fn a_request_is_ordered_once_and_answered_as_often_as_asked() {
    let (world, mut rig) = rig();
    for _ in 0..3 {
        rig.message(CLIENT, request(&world, CLIENT, 1, &[5, 7]));
        assert_eq!(said(&rig), [reply(1, Outcome::Applied)]);
        assert_eq!(rig.node.ledger().height(), 1);
    }
    rig.message(CLIENT, request(&world, CLIENT, 2, &[5, 201]));
    assert_eq!(said(&rig), [reply(2, Outcome::Refused)]);
}

#[test]
fn only_an_authenticated_client_is_served_and_only_with_its_own_requests() {
    let (world, mut rig) = rig();
    // Another's transaction, and one for another's key.
    rig.message(CLIENT, request(&world, 9, 1, &[5, 7]));
    assert_eq!(said(&rig), []);
    let key = world.keys.steal(NodeId(9).into()).unwrap();
    let id = TxId {
        origin: NodeId(CLIENT),
        number: 1,
    };
    let forged = Tx::new(id, CHAIN, OpId(1), [5, 7].into(), &key);
    rig.message(CLIENT, Message::Request(Arc::new(forged)));
    assert_eq!(said(&rig), []);
    // A stranger is asked who it is.
    for message in [
        request(&world, 9, 1, &[5, 7]),
        Message::Query {
            number: 1,
            key: [5].into(),
        },
    ] {
        rig.message(9, message);
        assert_eq!(said(&rig), [Message::Identify]);
        assert_eq!(rig.refusals(), [(NodeId(9), "no certificate")]);
    }
    assert_eq!(rig.node.ledger().height(), 0);
}

fn query(number: u64) -> Message {
    Message::Query {
        number,
        key: [5].into(),
    }
}

fn shown(number: u64, value: Option<u64>) -> Message {
    Message::Shown(Shown {
        number,
        value: value.map(|v| v.to_be_bytes().into()),
    })
}

#[test]
fn a_value_is_shown_once_all_is_executed_that_may_be_decided() {
    let (world, mut rig) = rig();
    rig.message(CLIENT, query(1));
    assert_eq!(said(&rig), [shown(1, None)]);
    rig.handle(Event::Timer(HOLD));
    rig.message(CLIENT, query(2));
    assert_eq!(said(&rig), [], "it waits");
    rig.handle(Event::Timer(HOLD));
    rig.message(CLIENT, request(&world, CLIENT, 1, &[5, 7]));
    assert!(said(&rig).contains(&shown(2, Some(7))));
}

#[test]
fn so_many_reads_may_wait() {
    let (world, mut rig) = rig();
    rig.handle(Event::Timer(HOLD));
    for number in 0..MAX_READS as u64 + 10 {
        rig.message(CLIENT, query(number));
    }
    rig.handle(Event::Timer(HOLD));
    rig.message(CLIENT, request(&world, CLIENT, 1, &[5, 7]));
    let values = said(&rig);
    let values = values.iter().filter(|m| matches!(m, Message::Shown(_)));
    assert_eq!(values.count(), MAX_READS);
}
