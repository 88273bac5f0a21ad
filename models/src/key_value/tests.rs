#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::command::{state_key, value_of};
use super::machine::{MALFORMED, NOT_ALLOWED};
use super::probe::KeyValueProbe;
use super::workload::{TransactionOptions, TransactionWorkload, Wish};
use super::*;
use crate::ledger::testing;
use crate::ledger::{ExecutionCache, Ledger, LedgerConfig};
use crate::node::client::Believed;
use crate::orders::request::DEADLINE;
use crate::orders::{Answer, ClientConfig, Command as _, Request};
use crate::workload::{Common, Day, Pace, Place, Terms};
use consim_core::{
    ChainId, Check, CodecError, Context, Digest, Effect, Effects, Event, Keyring, OpEnd, OpId,
    Payload, Probe, Process, Receipt, SecretKey, Span, State as _, Streams, Time, TimerKey, Tx,
    TxId, Verdict, Workload, WorkloadId,
};
use proptest::prelude::*;
use std::sync::Arc;

const CHAIN: ChainId = ChainId(2);
const SERVER: NodeId = NodeId(0);
const CLIENT: NodeId = NodeId(7);

fn terms() -> Terms {
    Terms {
        workload: WorkloadId(3),
        deadline: None,
        retry_after: Span::from_secs(2),
        retry_times: 1,
    }
}
fn ledger(keys: &Keyring) -> Ledger {
    Ledger::new(LedgerConfig {
        chain: CHAIN,
        machine: Arc::new(KeyValueMachine::new([SERVER].into())),
        keys: keys.clone(),
        executions: ExecutionCache::off(),
    })
}
/// The batch of these transactions at its place in the chain.
fn ordered(sequence: u64, txs: Vec<Arc<Tx>>) -> Arc<consim_core::Committed> {
    testing::committed(CHAIN, sequence, testing::batch(SERVER, 0, txs))
}
fn tx(number: u64, body: Arc<[u8]>, origin: NodeId, secrets: &[SecretKey]) -> Arc<Tx> {
    let key = &secrets[origin.index()];
    let id = TxId { origin, number };
    Arc::new(Tx::new(id, CHAIN, OpId(number), body, key))
}
fn put(key: u64, value: &[u8]) -> Command {
    let value = value.into();
    Command::Put { key, value }
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![
        (any::<u64>(), prop::collection::vec(any::<u8>(), 0..80)).prop_map(|(k, v)| put(k, &v)),
        any::<u64>().prop_map(|key| Command::Get { key }),
        (any::<u64>(), 2u32..9, 0u32..80).prop_map(|(key, count, size)| Command::PutMany {
            key,
            count,
            size
        }),
    ]
}
fn any_message() -> impl Strategy<Value = Message> {
    let value = prop::collection::vec(any::<u8>(), 0..80);
    let answer = prop_oneof![
        Just(Answer::Done(Said::Written)),
        Just(Answer::Busy),
        Just(Answer::Refused),
        prop::option::of(value).prop_map(|v| Answer::Done(Said::Value(v.map(Into::into)))),
    ];
    let certificate = prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        (any::<u64>(), certificate, any_command()).prop_map(|(op, c, command)| Message::Ask {
            op: OpId(op),
            certificate: c.into(),
            command,
        }),
        (any::<u64>(), answer).prop_map(|(op, answer)| Message::Reply {
            op: OpId(op),
            answer
        }),
    ]
}

proptest! {
    #[test]
    fn messages_and_commands_are_read_as_they_were_written(message in any_message(), cut in any::<prop::sample::Index>()) {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        prop_assert_eq!(wire.len(), message.encoded_len());
        prop_assert_eq!(Message::decode(&wire).unwrap(), message.clone());
        let cut = cut.index(wire.len());
        prop_assert!(Message::decode(&wire[..cut]).is_err());
        wire.push(0);
        prop_assert!(Message::decode(&wire).is_err());
        if let Message::Ask { command, .. } = message {
            prop_assert_eq!(Command::from_body(&command.body()).unwrap(), command);
        }
    }

    #[test]
    fn malformed_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Message::decode(&bytes);
        let _ = Command::from_body(&bytes);
        let _ = Request::<Wish>::decode(&bytes);
    }
}

#[test]
fn a_request_is_read_as_it_was_written() {
    let many = Wish::PutMany {
        key: 2,
        count: 7,
        size: 512,
    };
    for wish in [Wish::Put { key: 9, size: 512 }, Wish::Get { key: 1 }, many] {
        let request = Request {
            terms: terms(),
            wish,
        };
        let mut wire = Vec::new();
        request.encode(&mut wire);
        assert_eq!(wire.len(), request.encoded_len());
        assert_eq!(Request::decode(&wire), Ok(request));
    }
    let mut long = Vec::new();
    let wish = Wish::Put {
        key: 9,
        size: MAX_VALUE as u32 + 1,
    };
    let terms = terms();
    Request { terms, wish }.encode(&mut long);
    assert_eq!(
        Request::<Wish>::decode(&long),
        Err(CodecError::TooLong(MAX_VALUE + 1))
    );
}

#[test]
fn every_write_sets_a_value_of_its_own_and_of_its_size() {
    for size in [8u32, 9, 512] {
        let (a, b) = (value_of(OpId(1), size), value_of(OpId(2), size));
        assert_eq!((a.len(), b.len()), (size as usize, size as usize));
        assert_ne!(a, b);
    }
    assert!(value_of(OpId(1), 0).is_empty());
}

#[test]
fn members_set_keys_and_reads_change_nothing() {
    let (keys, secrets) = Keyring::generate(2, 1);
    let mut ledger = ledger(&keys);
    let get = Command::Get { key: 5 };
    let stranger = NodeId(1);
    let txs = vec![
        tx(1, get.body(), SERVER, &secrets),
        tx(1, put(5, b"no").body(), stranger, &secrets),
        tx(2, [9u8, 9].as_slice().into(), SERVER, &secrets),
    ];
    let block = ledger.execute(&ordered(1, txs)).unwrap().block;
    assert_eq!(
        block.receipts[..],
        [
            Receipt::Applied,
            Receipt::Refused(NOT_ALLOWED),
            Receipt::Refused(MALFORMED)
        ]
    );
    assert_eq!(ledger.state().get(&state_key(5)), None);
    let txs = vec![tx(3, put(5, b"yes").body(), SERVER, &secrets)];
    ledger.execute(&ordered(2, txs));
    assert_eq!(
        ledger.state().get(&state_key(5)).as_deref(),
        Some(&b"yes"[..])
    );
}

// ---- the check ---------------------------------------------------------------------------------

struct Judge {
    check: Box<dyn Check>,
    ledger: Ledger,
    secrets: Vec<SecretKey>,
    sequence: u64,
}

impl Judge {
    fn new() -> Self {
        Self::of(Box::new(LinearizableReads::new(&[SERVER])))
    }
    fn of(check: Box<dyn Check>) -> Self {
        let (keys, secrets) = Keyring::generate(1, 1);
        Self {
            check,
            ledger: ledger(&keys),
            secrets,
            sequence: 0,
        }
    }
    fn see(&mut self, probe: &Probe) {
        self.check.probe(Time::ZERO, SERVER, probe);
    }
    /// A block that sets key 5; it is the block of that height.
    fn block(&mut self, value: &[u8]) {
        self.sequence += 1;
        let body = put(5, value).body();
        let txs = vec![tx(self.sequence, body, SERVER, &self.secrets)];
        let done = self.ledger.execute(&ordered(self.sequence, txs));
        self.see(&Probe::Applied(done.unwrap().block));
    }
    fn ask(&mut self, op: u64) {
        self.see(&Probe::Asked {
            op: OpId(op),
            workload: WorkloadId(0),
            name: "read",
            deadline: Span::from_secs(1),
            count: 1,
        });
    }
    fn answer(&mut self, op: u64, value: Option<&[u8]>, height: u64) {
        let probe = KeyValueProbe::Read {
            op: OpId(op),
            key: 5,
            value: value.map(Digest::of),
            height,
        };
        self.see(&probe.probe());
    }
    /// A client of several servers believes a value.
    fn believe(&mut self, op: u64, value: Option<&[u8]>) {
        let (op, key) = (OpId(op), state_key(5).into());
        let value = value.map(Arc::from);
        self.see(&Probe::Domain(Arc::new(Believed { op, key, value })));
    }
    fn end(&mut self, op: u64) {
        self.see(&Probe::Ended {
            op: OpId(op),
            workload: WorkloadId(0),
            name: "read",
            end: OpEnd::Done,
            asked: Time::ZERO,
            deadline: Span::from_secs(1),
            count: 1,
        });
    }
    fn verdict(&self) -> (Verdict, u64) {
        let finding = self.check.finding();
        (finding.verdict, finding.evaluated)
    }
}

#[test]
fn reads_at_any_height_not_yet_overtaken_pass() {
    let mut judge = Judge::new();
    assert_eq!(judge.verdict(), (Verdict::Unknown, 0));
    judge.ask(1);
    judge.answer(1, None, 0);
    judge.ask(2);
    judge.block(b"one");
    judge.block(b"two");
    // Asked before anybody was told of a block, so that an older state is as good.
    judge.answer(2, Some(b"one"), 1);
    judge.ask(3);
    judge.answer(3, Some(b"two"), 2);
    assert_eq!(judge.verdict(), (Verdict::Pass, 3));
}

#[test]
fn another_value_a_stale_read_and_a_height_that_nobody_reached_fail() {
    let cases: [(Option<&[u8]>, u64); 4] = [
        (Some(b"one"), 2),
        (None, 2),
        (Some(b"one"), 1),
        (Some(b"two"), 3),
    ];
    for (value, height) in cases {
        let mut judge = Judge::new();
        judge.block(b"one");
        judge.block(b"two");
        let wrote = KeyValueProbe::Wrote {
            op: OpId(1),
            height: 2,
        };
        judge.see(&wrote.probe());
        judge.ask(2);
        judge.answer(2, value, height);
        assert_eq!(judge.verdict(), (Verdict::Fail, 1), "{value:?} at {height}");
    }
}

#[test]
fn a_read_of_a_version_that_is_forgotten_is_not_judged() {
    let mut judge = Judge::new();
    judge.ask(1);
    for i in 0..70u8 {
        judge.block(&[i]);
    }
    judge.answer(1, Some(&[0]), 1);
    assert_eq!(judge.verdict(), (Verdict::Unknown, 0));
    judge.answer(1, Some(&[69]), 70);
    assert_eq!(judge.verdict(), (Verdict::Pass, 1));
}

#[test]
fn what_a_client_of_several_servers_believes_was_there_when_it_asked_or_since() {
    // Operation 1 writes "one" and is told so; then "two" is written.
    let told = || {
        let mut judge = Judge::new();
        judge.ask(9);
        judge.ask(1);
        judge.block(b"one");
        judge.end(1);
        judge.ask(2);
        judge.block(b"two");
        judge
    };
    for (op, value, holds) in [
        (2, Some(&b"one"[..]), true),
        (2, Some(b"two"), true),
        (2, None, false),
        (2, Some(b"six"), false),
        // Asked before anybody was told of a block.
        (9, None, true),
    ] {
        let mut judge = told();
        judge.believe(op, value);
        let expected = if holds { Verdict::Pass } else { Verdict::Fail };
        assert_eq!(judge.verdict(), (expected, 1), "{op} {value:?}");
    }
    // What it was told, others must see from then on.
    let mut judge = told();
    judge.believe(2, Some(b"two"));
    judge.ask(3);
    judge.believe(3, Some(b"one"));
    assert_eq!(judge.verdict(), (Verdict::Fail, 2));
}

#[test]
fn a_client_that_goes_back_in_time_is_noticed_whoever_answers_it() {
    let client = |n: u64, op: u64| n << 32 | op;
    let mut judge = Judge::of(Box::new(MonotonicReads::new(&[SERVER])));
    judge.block(b"one");
    judge.answer(client(7, 1), Some(b"one"), 1);
    judge.block(b"two");
    judge.answer(client(7, 2), Some(b"one"), 1);
    judge.answer(client(7, 3), Some(b"two"), 2);
    // Another client has not seen the second yet, and a value that never was is not its matter.
    judge.answer(client(8, 1), Some(b"one"), 1);
    judge.answer(client(7, 4), Some(b"six"), 2);
    assert_eq!(judge.verdict(), (Verdict::Pass, 4));
    judge.answer(client(7, 5), Some(b"one"), 1);
    assert_eq!(judge.verdict(), (Verdict::Fail, 5));
    // So does one that believes several, and to have seen nothing is to go back as well.
    judge.believe(client(8, 2), Some(b"two"));
    judge.believe(client(8, 3), None);
    let finding = judge.check.finding();
    assert_eq!((finding.violated, finding.evaluated), (2, 7));
    // Of two questions at a time either may be the older one, whichever is answered first.
    let mut judge = Judge::of(Box::new(MonotonicReads::new(&[SERVER])));
    judge.block(b"one");
    judge.ask(client(7, 1));
    judge.ask(client(7, 2));
    judge.block(b"two");
    judge.answer(client(7, 2), Some(b"two"), 2);
    judge.answer(client(7, 1), Some(b"one"), 1);
    assert_eq!(judge.verdict(), (Verdict::Pass, 2));
    judge.ask(client(7, 3));
    judge.answer(client(7, 3), Some(b"one"), 1);
    assert_eq!(judge.verdict(), (Verdict::Fail, 3));
}

// ---- client and workload -----------------------------------------------------------------------

/// What the client asks for when it is handed `event` at `seconds`.
fn handle(client: &mut Client, seconds: u64, event: Event<'_>) -> Effects {
    let mut effects = Effects::default();
    let now = Time::ZERO + Span::from_secs(seconds);
    let (mut rng, mut slot) = (|| Streams::new(1).stream("x"), None);
    let mut cx = Context::new(now, 0, CLIENT, &mut effects, &mut rng, &mut slot);
    client.handle(&mut cx, event);
    effects
}
fn sends(effects: &Effects) -> usize {
    let is_send = |e: &&Effect| matches!(e, Effect::Send { to: SERVER, .. });
    effects.list.iter().filter(is_send).count()
}
fn end(effects: &Effects) -> Option<(OpEnd, Time)> {
    effects.probes.iter().find_map(|probe| match probe {
        Probe::Ended { end, asked, .. } => Some((*end, *asked)),
        _ => None,
    })
}

#[test]
fn a_client_asks_repeats_once_and_gives_up_or_is_answered() {
    let config = ClientConfig {
        server: SERVER,
        certificate: [].into(),
        members: Arc::default(),
        entries: crate::node::entry::Entries::default(),
    };
    let mut client = Client::new(config);
    let wish = Wish::Put { key: 1, size: 16 };
    let terms = terms();
    let request: Arc<dyn Payload> = Arc::new(Request { terms, wish });
    for answered in [false, true] {
        let asked = handle(&mut client, 10, Event::Request(&request));
        assert_eq!(sends(&asked), 1);
        let op = asked.probes.iter().find_map(|probe| match probe {
            Probe::Asked {
                op, name, deadline, ..
            } => {
                assert_eq!((*name, *deadline), ("write", DEADLINE));
                Some(*op)
            }
            _ => None,
        });
        let op = op.unwrap();
        let key = TimerKey(op.0 & u64::from(u32::MAX));
        let again = handle(&mut client, 12, Event::Timer(key));
        assert_eq!((sends(&again), end(&again)), (1, None));
        let asked_at = Time::ZERO + Span::from_secs(10);
        if answered {
            let answer = Answer::Done(Said::Written);
            let reply: Arc<dyn Payload> = Arc::new(Message::Reply { op, answer });
            let stranger = Event::Message {
                from: NodeId(3),
                payload: &reply,
            };
            assert_eq!(end(&handle(&mut client, 13, stranger)), None);
            let payload = &reply;
            let done = handle(
                &mut client,
                13,
                Event::Message {
                    from: SERVER,
                    payload,
                },
            );
            assert_eq!(end(&done), Some((OpEnd::Done, asked_at)));
            let twice = handle(
                &mut client,
                13,
                Event::Message {
                    from: SERVER,
                    payload,
                },
            );
            assert_eq!(end(&twice), None);
        } else {
            let over = handle(&mut client, 14, Event::Timer(key));
            assert_eq!(
                (sends(&over), end(&over)),
                (0, Some((OpEnd::GaveUp, asked_at)))
            );
        }
    }
}

fn keys(skew: u32, n: usize) -> (Vec<u64>, usize) {
    let common = Common {
        terms: terms(),
        places: vec![Place {
            desk: CLIENT,
            server: SERVER,
        }],
        pace: Pace::Rates {
            rates: vec![1_000_000_000_000],
            even: false,
        },
        day: Day::flat(),
        from: Time::ZERO,
        to: Time::MAX,
    };
    let options = TransactionOptions {
        size: 100,
        read_share: 250_000_000,
        keys: 100,
        skew,
        cohort: None,
    };
    let rng = Streams::new(4).stream("keys");
    let mut workload = TransactionWorkload::new(&common, options, rng);
    let mut reads = 0;
    let drawn = (0..n).map(|_| {
        let arrival = workload.next().unwrap();
        let request: &Request<Wish> = arrival.request.as_any().downcast_ref().unwrap();
        match request.wish {
            Wish::Get { key } => {
                reads += 1;
                key
            }
            Wish::Put { key, size } => {
                assert_eq!(size, 100);
                key
            }
            Wish::PutMany { .. } => unreachable!("no cohorts"),
        }
    });
    (drawn.collect(), reads)
}

#[test]
fn keys_follow_zipf_and_reads_their_share() {
    const N: usize = 100_000;
    for skew in [0u32, 500_000_000, 990_000_000, 1_000_000_000] {
        let (drawn, reads) = keys(skew, N);
        assert!((reads as f64 / N as f64 - 0.25).abs() < 0.01, "{reads}");
        let s = f64::from(skew) / 1e9;
        let weight = |k: u64| libm::pow((k + 1) as f64, -s);
        let total: f64 = (0..100).map(weight).sum();
        for key in [0u64, 1, 9, 99] {
            let expected = N as f64 * weight(key) / total;
            let seen = drawn.iter().filter(|&&k| k == key).count() as f64;
            assert!(
                (seen - expected).abs() < 5.0 * expected.sqrt(),
                "skew {s}, key {key}: {seen} of {expected}"
            );
        }
        assert!(drawn.iter().all(|&k| k < 100));
    }
}

/// What a command that stands for seven takes on its way is what seven take.
#[test]
fn a_cohort_is_as_long_as_those_that_it_stands_for() {
    let ask = |command: Command| Message::Ask {
        op: OpId(1),
        certificate: [7; 40].into(),
        command,
    };
    let one = ask(put(1, &[5; 498]));
    let (key, count, size) = (1, 7, 498);
    let many = Command::PutMany { key, count, size };
    assert_eq!(ask(many.clone()).encoded_len(), 7 * one.encoded_len());
    let (_, secrets) = Keyring::generate(1, 1);
    let origin = NodeId(secrets[0].id().0);
    let id = consim_core::TxId { origin, number: 1 };
    let single = tx(1, put(1, &[5; 498]).body(), origin, &secrets);
    let all = Tx::of_cohort(id, CHAIN, OpId(1), many.body(), many.cohort(), &secrets[0]);
    assert_eq!(all.encoded_len(), 7 * single.encoded_len());
    assert_eq!(all.cohort().count, 7);
}
