#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
//! Three chains of four members each, one after the other: packets go from the first over the second to the third.

use super::machine::{
    NO_MEMBER, NO_NEIGHBOUR, NO_WAY, NOT_ATTESTED, NOT_IN_STATE, RECEIVED_BEFORE, SETTLED_BEFORE,
    TOO_EARLY, TOO_LATE,
};
use super::message::{Answer, Attest, Message, News};
use super::packet::{Attested, Proven, in_key, out_key};
use super::*;
use crate::consensus::byzantine_quorum;
use crate::ledger::{ExecutedProof, WorldState};
use consim_core::chain::vote_statement;
use consim_core::machine::ApplyAt;
use consim_core::{
    Certificate, ChainId, Digest, Header, Keyring, NodeId, OpId, Payload, Receipt, SecretKey,
    State, StateMachine, Tx, TxId,
};
use std::collections::BTreeMap;
use std::sync::Arc;

const FIRST: ChainId = ChainId(0);
const SECOND: ChainId = ChainId(1);
const THIRD: ChainId = ChainId(2);
/// A relay.
const RELAY: u32 = 12;
const SECOND_NS: i64 = 1_000_000_000;

/// Nothing but packets.
struct Inner;
impl StateMachine for Inner {
    fn name(&self) -> &'static str {
        "nothing"
    }
    fn genesis(&self, _state: &mut dyn State) {}
    fn apply(&self, _state: &mut dyn State, _tx: &Tx, _at: ApplyAt) -> Receipt {
        Receipt::Applied
    }
}

/// Counts what it gets.
struct Counts;
impl Application for Counts {
    fn sends(
        &self,
        _state: &mut dyn State,
        _origin: NodeId,
        _packet: &Packet,
        _at: ApplyAt,
    ) -> Result<(), &'static str> {
        Ok(())
    }
    fn received(&self, state: &mut dyn State, packet: &Packet, _at: ApplyAt) {
        state.put(b"got", &packet.body);
    }
    fn settled(&self, state: &mut dyn State, _packet: &Packet, received: bool) {
        state.put(b"settled", &[u8::from(received)]);
    }
}

struct World {
    keys: Keyring,
    secrets: Vec<SecretKey>,
    machines: Vec<RelayMachine>,
    states: Vec<WorldState>,
    numbers: u64,
    /// The time of all blocks.
    now: i64,
}

fn members(chain: ChainId) -> Arc<[NodeId]> {
    let first = u32::from(chain.0) * 4;
    (first..first + 4).map(NodeId).collect()
}

impl World {
    fn new() -> Self {
        let (keys, secrets) = Keyring::generate(13, 1);
        let neighbour =
            |chain| Neighbour::new(chain, keys.clone(), byzantine_quorum, members(chain), 0);
        let machine = |chain, beside: &[ChainId], next: &[(ChainId, ChainId)]| RelayMachine {
            inner: Arc::new(Inner),
            application: Arc::new(Counts),
            chain,
            members: members(chain),
            neighbours: beside.iter().map(|&c| (c, neighbour(c))).collect(),
            next: next.iter().copied().collect::<BTreeMap<_, _>>(),
        };
        Self {
            machines: vec![
                machine(FIRST, &[SECOND], &[(SECOND, SECOND), (THIRD, SECOND)]),
                machine(SECOND, &[FIRST, THIRD], &[(FIRST, FIRST), (THIRD, THIRD)]),
                machine(THIRD, &[SECOND], &[(SECOND, SECOND), (FIRST, SECOND)]),
            ],
            states: vec![WorldState::new(); 3],
            numbers: 0,
            now: 100 * SECOND_NS,
            keys,
            secrets,
        }
    }
    fn apply(&mut self, on: ChainId, by: u32, command: &Command) -> Receipt {
        self.numbers += 1;
        let id = TxId {
            origin: NodeId(by),
            number: self.numbers,
        };
        let key = &self.secrets[by as usize];
        let tx = Tx::new(id, on, OpId(self.numbers), command.body(), key);
        let place = usize::from(on.0);
        let before = self.states[place].clone();
        let at = ApplyAt {
            height: self.numbers,
            time_ns: self.now,
        };
        let receipt = self.machines[place].apply(&mut self.states[place], &tx, at);
        if receipt != Receipt::Applied {
            self.states[place] = before;
        }
        receipt
    }
    fn send(&mut self, on: ChainId, to: ChainId, seconds: i64) -> Receipt {
        let command = Command::Send {
            to,
            deadline_ns: self.now + seconds * SECOND_NS,
            body: [1, 2, 3].into(),
        };
        self.apply(on, u32::from(on.0) * 4, &command)
    }
    /// The header of a chain's state, attested by these members.
    fn shown(&self, chain: ChainId, by: &[u32]) -> Box<Attested> {
        let header = Header {
            chain,
            height: 5,
            sequence: self.numbers + 10,
            parent: Digest::ZERO,
            batch: Digest::ZERO,
            tx_root: Digest::ZERO,
            state_root: self.states[usize::from(chain.0)].root(),
            time_ns: self.now,
            tx_count: 1,
        };
        let (sequence, digest) = (header.sequence, header.id());
        let statement = vote_statement(chain, ATTESTS, 0, sequence, &digest);
        let sign = |&by: &u32| self.secrets[by as usize].sign(&statement);
        Box::new(Attested {
            header,
            certificate: Certificate {
                kind: ATTESTS,
                view: 0,
                sequence,
                digest,
                signatures: by.iter().map(sign).collect(),
                links: Arc::default(),
            },
        })
    }
    fn quorum(&self, chain: ChainId) -> Box<Attested> {
        let first = u32::from(chain.0) * 4;
        self.shown(chain, &[first, first + 1, first + 3])
    }
    fn prove(&self, chain: ChainId, number: u64, key: &[u8]) -> Vec<Proven> {
        vec![(number, self.states[usize::from(chain.0)].prove(key))]
    }
    fn deliver(&mut self, from: ChainId, to: ChainId, number: u64) -> Receipt {
        let command = Command::Deliver {
            shown: self.quorum(from),
            packets: self.prove(from, number, &out_key(to, number)),
        };
        self.apply(to, RELAY, &command)
    }
    fn settle(&mut self, on: ChainId, at: ChainId, number: u64, came: bool) -> Receipt {
        let proven = self.prove(at, number, &in_key(on, number));
        let (received, late) = if came {
            (proven, Vec::new())
        } else {
            (Vec::new(), proven)
        };
        let shown = self.quorum(at);
        let command = Command::Settle {
            shown,
            received,
            late,
        };
        self.apply(on, RELAY, &command)
    }
    fn value(&self, chain: ChainId, key: &[u8]) -> Option<Vec<u8>> {
        let value = self.states[usize::from(chain.0)].get(key);
        value.map(|value| value.to_vec())
    }
}

#[test]
fn a_packet_is_received_once_and_then_settled() {
    let mut world = World::new();
    assert_eq!(world.send(FIRST, SECOND, 10), Receipt::Applied);
    assert_eq!(world.deliver(FIRST, SECOND, 1), Receipt::Applied);
    assert_eq!(world.value(SECOND, b"got"), Some(vec![1, 2, 3]));
    // Another relay, the same one once more, and a later header: it has come already.
    for _ in 0..2 {
        assert_eq!(world.send(FIRST, SECOND, 10), Receipt::Applied);
        let again = world.deliver(FIRST, SECOND, 1);
        assert_eq!(again, Receipt::Refused(RECEIVED_BEFORE));
    }
    assert_eq!(world.settle(FIRST, SECOND, 1, true), Receipt::Applied);
    assert_eq!(world.value(FIRST, b"settled"), Some(vec![1]));
    assert_eq!(
        world.settle(FIRST, SECOND, 1, true),
        Receipt::Refused(SETTLED_BEFORE)
    );
    // What is no more in the outbox cannot be shown there.
    assert_eq!(
        world.deliver(FIRST, SECOND, 1),
        Receipt::Refused(NOT_IN_STATE)
    );
}

#[test]
fn a_packet_for_a_third_chain_is_passed_on() {
    let mut world = World::new();
    assert_eq!(world.send(FIRST, THIRD, 10), Receipt::Applied);
    assert_eq!(world.deliver(FIRST, SECOND, 1), Receipt::Applied);
    assert_eq!(world.value(SECOND, b"got"), None);
    assert_eq!(world.deliver(SECOND, THIRD, 1), Receipt::Applied);
    assert_eq!(world.value(THIRD, b"got"), Some(vec![1, 2, 3]));
    assert_eq!(world.settle(SECOND, THIRD, 1, true), Receipt::Applied);
    // It is another chain's packet: this one's application is not told.
    assert_eq!(world.value(SECOND, b"settled"), None);
    // The first and the third know nothing of each other.
    let shown = world.quorum(FIRST);
    let packets = world.prove(FIRST, 1, &out_key(SECOND, 1));
    let command = Command::Deliver { shown, packets };
    assert_eq!(
        world.apply(THIRD, RELAY, &command),
        Receipt::Refused(NO_NEIGHBOUR)
    );
}

#[test]
fn nothing_is_believed_that_is_not_proven() {
    let mut world = World::new();
    assert_eq!(world.send(FIRST, SECOND, 10), Receipt::Applied);
    let key = out_key(SECOND, 1);
    let packets = world.prove(FIRST, 1, &key);
    // Too few members, members of another chain, the same one several times.
    for by in [&[0, 1][..], &[4, 5, 6], &[0, 0, 0]] {
        let shown = world.shown(FIRST, by);
        let packets = packets.clone();
        let command = Command::Deliver { shown, packets };
        let receipt = world.apply(SECOND, RELAY, &command);
        assert_eq!(receipt, Receipt::Refused(NOT_ATTESTED), "{by:?}");
    }
    // Another root under the same signatures.
    let mut shown = world.quorum(FIRST);
    shown.header.state_root = Digest([7; 32]);
    let command = Command::Deliver {
        shown,
        packets: packets.clone(),
    };
    assert_eq!(
        world.apply(SECOND, RELAY, &command),
        Receipt::Refused(NOT_ATTESTED)
    );
    // A packet that is made up, and a true one under another number.
    let value = packets[0].1.claims().unwrap().to_vec();
    let made_up = vec![(1, ExecutedProof::made_up(&key, &value))];
    let renumbered = vec![(2, packets[0].1.clone())];
    for packets in [made_up, renumbered] {
        let shown = world.quorum(FIRST);
        let command = Command::Deliver { shown, packets };
        assert_eq!(
            world.apply(SECOND, RELAY, &command),
            Receipt::Refused(NOT_IN_STATE)
        );
    }
    assert_eq!(world.value(SECOND, b"got"), None);
    assert_eq!(world.deliver(FIRST, SECOND, 1), Receipt::Applied);
}

#[test]
fn a_packet_is_late_once_it_can_come_no_more() {
    let mut world = World::new();
    assert_eq!(world.send(FIRST, SECOND, 10), Receipt::Applied);
    assert_eq!(
        world.settle(FIRST, SECOND, 1, false),
        Receipt::Refused(TOO_EARLY)
    );
    let early = world.quorum(SECOND);
    let absent = world.prove(SECOND, 1, &in_key(FIRST, 1));
    world.now += 10 * SECOND_NS;
    // A header of before says nothing, whenever it is shown.
    let command = Command::Settle {
        shown: early,
        received: Vec::new(),
        late: absent,
    };
    assert_eq!(
        world.apply(FIRST, RELAY, &command),
        Receipt::Refused(TOO_EARLY)
    );
    assert_eq!(world.deliver(FIRST, SECOND, 1), Receipt::Refused(TOO_LATE));
    assert_eq!(
        world.settle(FIRST, SECOND, 1, true),
        Receipt::Refused(NOT_IN_STATE)
    );
    assert_eq!(world.settle(FIRST, SECOND, 1, false), Receipt::Applied);
    assert_eq!(world.value(FIRST, b"settled"), Some(vec![0]));
}

#[test]
fn only_members_send_and_only_where_a_way_leads() {
    let mut world = World::new();
    let command = |to, deadline_ns| Command::Send {
        to,
        deadline_ns,
        body: [1].into(),
    };
    let later = world.now + 1;
    let now = world.now;
    let of_stranger = world.apply(FIRST, RELAY, &command(SECOND, later));
    assert_eq!(of_stranger, Receipt::Refused(NO_MEMBER));
    let nowhere = world.apply(FIRST, 0, &command(ChainId(9), later));
    assert_eq!(nowhere, Receipt::Refused(NO_WAY));
    let late = world.apply(FIRST, 0, &command(SECOND, now));
    assert_eq!(late, Receipt::Refused(TOO_LATE));
}

#[test]
fn trust_in_a_neighbour_expires() {
    let mut world = World::new();
    world.now += i64::try_from(TRUSTING_PERIOD.nanos()).unwrap();
    assert_eq!(world.send(FIRST, SECOND, 10), Receipt::Applied);
    assert_eq!(
        world.deliver(FIRST, SECOND, 1),
        Receipt::Refused(NOT_ATTESTED)
    );
}

#[test]
fn messages_are_read_again() {
    let mut world = World::new();
    assert_eq!(world.send(FIRST, SECOND, 10), Receipt::Applied);
    let shown = world.quorum(FIRST);
    let answer = Answer {
        number: 3,
        header: shown.header.clone(),
        numbers: world.prove(FIRST, 1, &out_key(SECOND, 1)).into(),
    };
    let asked = Attest {
        number: 4,
        chain: FIRST,
        height: 5,
        id: shown.header.id(),
    };
    let news = News {
        chain: FIRST,
        out: [(SECOND, 1, 2)].into(),
    };
    let signature = world.secrets[0].sign(&Digest::ZERO);
    assert!(world.keys.verify(&Digest::ZERO, &signature));
    for message in [
        Message::Watch(SECOND),
        Message::News(news),
        Message::List {
            number: 1,
            of: FIRST,
            to: SECOND,
        },
        Message::Listed(answer.clone()),
        Message::Which {
            number: 1,
            of: SECOND,
            from: FIRST,
            numbers: [1, 7].into(),
        },
        Message::Known(answer),
        Message::Attest(asked),
        Message::Attested { asked, signature },
    ] {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        assert_eq!(bytes.len(), message.encoded_len(), "{message:?}");
        assert_eq!(Message::decode(&bytes).as_ref(), Ok(&message));
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut]).is_err());
        }
    }
    let command = Command::Settle {
        shown,
        received: world.prove(FIRST, 1, &out_key(SECOND, 1)),
        late: Vec::new(),
    };
    let body = command.body();
    assert_eq!(Command::decode(&body), Ok(command));
    assert!((0..body.len()).all(|cut| Command::decode(&body[..cut]).is_err()));
}
