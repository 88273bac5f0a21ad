#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::node::membership::{Authority, Identity, Role};
use consim_core::{Effect, Effects, Keyring, WorkloadId};

const ME: NodeId = NodeId(9);
const MEMBERS: u32 = 4;

struct Bench {
    client: Client,
    effects: Effects,
}

impl Bench {
    fn new() -> Self {
        let mut keys = Keyring::generate(11, 1).1;
        let identity = Identity {
            subject: ME,
            organisation: 9,
            role: Role::Client,
            not_before_ns: 0,
            not_after_ns: i64::MAX,
        };
        let certificate = Authority::new(keys.pop().unwrap()).issue(identity);
        let client = Client::new(ClientConfig {
            chain: ChainId(1),
            members: (0..MEMBERS).map(NodeId).collect(),
            key: Arc::new(keys.pop().unwrap()),
            certificate,
            wait_for: 2,
            quorum: 3,
            signs: true,
            entries: Entries::default(),
        });
        let effects = Effects::default();
        Self { client, effects }
    }
    fn handle(&mut self, event: Event<'_>) {
        self.effects.clear();
        let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
        let mut cx = Context::new(Time::ZERO, 0, ME, &mut self.effects, &mut rng, &mut slot);
        self.client.handle(&mut cx, event);
    }
    fn wish(&mut self, what: What) {
        let wish: Arc<dyn Payload> = Arc::new(Wish {
            cohort: consim_core::Cohort::ONE,
            terms: Terms {
                workload: WorkloadId(0),
                deadline: None,
                retry_after: Span::from_millis(100),
                retry_times: 2,
            },
            name: "wish",
            deadline: Span::from_secs(1),
            what,
        });
        self.handle(Event::Request(&wish));
    }
    fn receive(&mut self, from: u32, message: Message) -> Option<OpEnd> {
        let payload: Arc<dyn Payload> = Arc::new(message);
        self.handle(Event::Message {
            from: NodeId(from),
            payload: &payload,
        });
        self.ended()
    }
    fn ended(&self) -> Option<OpEnd> {
        let mut ends = self.effects.probes.iter().filter_map(|p| match p {
            Probe::Ended { end, .. } => Some(*end),
            _ => None,
        });
        ends.next()
    }
    /// To whom it sent what.
    fn sent(&self) -> Vec<(String, &'static str)> {
        let sent = self.effects.list.iter().filter_map(|e| match e {
            Effect::Send { to, payload } => Some((to.0.to_string(), payload.kind())),
            Effect::Multicast { payload, .. } => Some(("all".to_owned(), payload.kind())),
            _ => None,
        });
        sent.collect()
    }
    fn waits(&self) -> Vec<Span> {
        let timers = self.effects.list.iter().filter_map(|e| match e {
            Effect::SetTimer { after, .. } => Some(*after),
            _ => None,
        });
        timers.collect()
    }
}

fn reply(number: u64, tentative: bool, outcome: Outcome) -> Message {
    let origin = ME;
    Message::Reply(Reply {
        id: TxId { origin, number },
        view: 5,
        leader: NodeId(1),
        tentative,
        outcome,
    })
}

fn order() -> What {
    What::Order([1, 2].into())
}

/// Sender, tentative and outcome of each reply, and after which one the wish is done.
type Case = (&'static str, &'static [(u32, bool, Outcome)], Option<usize>);

#[test]
fn f_plus_1_distinct_members_that_say_the_same_are_believed() {
    use Outcome::{Applied, Refused};
    let cases: [Case; 7] = [
        (
            "two firm",
            &[(0, false, Applied), (1, false, Applied)],
            Some(2),
        ),
        (
            "the same twice",
            &[(0, false, Applied), (0, false, Applied)],
            None,
        ),
        (
            "no member",
            &[(0, false, Applied), (7, false, Applied)],
            None,
        ),
        (
            "different",
            &[(0, false, Applied), (1, false, Refused)],
            None,
        ),
        (
            "a firm and a tentative",
            &[(0, false, Applied), (1, true, Applied)],
            None,
        ),
        (
            "a quorum, tentative",
            &[(0, true, Applied), (1, true, Applied), (2, true, Applied)],
            Some(3),
        ),
        (
            "one that makes it firm",
            &[(0, true, Applied), (1, false, Applied), (0, false, Applied)],
            Some(3),
        ),
    ];
    for (what, replies, done) in cases {
        let mut bench = Bench::new();
        bench.wish(order());
        assert_eq!(bench.sent(), [("0".to_owned(), "request")], "{what}");
        let mut ended = None;
        for (i, &(from, tentative, outcome)) in replies.iter().enumerate() {
            if bench.receive(from, reply(1, tentative, outcome)).is_some() {
                ended = Some(i + 1);
            }
        }
        assert_eq!(ended, done, "{what}");
    }
    // The next request goes to the leader that was told.
    let mut bench = Bench::new();
    bench.wish(order());
    bench.receive(2, reply(1, false, Refused));
    let end = bench.receive(3, reply(1, false, Refused));
    assert_eq!(end, Some(OpEnd::Refused(REFUSED)));
    bench.wish(order());
    assert_eq!(bench.sent(), [("1".to_owned(), "request")]);
}

#[test]
fn a_value_needs_a_quorum() {
    let shown = |number, value: u8| {
        let value = Some(Arc::from([value]));
        Message::Shown(Shown { number, value })
    };
    let mut bench = Bench::new();
    bench.wish(What::Read([1].into()));
    assert_eq!(bench.sent(), [("all".to_owned(), "query")]);
    assert_eq!(bench.receive(0, shown(1, 7)), None);
    assert_eq!(bench.receive(1, shown(1, 8)), None);
    assert_eq!(bench.receive(2, reply(1, false, Outcome::Applied)), None);
    assert_eq!(bench.receive(2, shown(1, 7)), None);
    // Asked again: what was shown before does not count any more.
    bench.handle(Event::Timer(TimerKey(1)));
    assert_eq!(bench.receive(3, shown(1, 7)), None);
    assert_eq!(bench.receive(0, shown(1, 7)), None);
    assert_eq!(bench.receive(1, shown(1, 7)), Some(OpEnd::Done));
    assert_eq!(bench.client.open(), 0);
}

#[test]
fn it_asks_everybody_waits_twice_as_long_and_gives_up() {
    let mut bench = Bench::new();
    bench.handle(Event::Start);
    assert_eq!(bench.sent(), [("all".to_owned(), "hello")]);
    bench.wish(order());
    let all = ["hello", "request"].map(|kind| ("all".to_owned(), kind));
    for wait in [200, 400] {
        bench.handle(Event::Timer(TimerKey(1)));
        assert_eq!(bench.sent(), all);
        assert_eq!(bench.waits(), [Span::from_millis(wait)]);
    }
    bench.handle(Event::Timer(TimerKey(1)));
    assert_eq!(
        (bench.ended(), bench.sent().len()),
        (Some(OpEnd::GaveUp), 0)
    );
    assert_eq!(bench.receive(0, reply(1, false, Outcome::Applied)), None);
}

#[test]
fn so_many_wishes_may_be_open() {
    let mut bench = Bench::new();
    for _ in 0..MAX_OPEN {
        bench.wish(order());
        assert_eq!(bench.ended(), None);
    }
    bench.wish(order());
    assert_eq!(
        (bench.ended(), bench.client.open()),
        (Some(OpEnd::GaveUp), MAX_OPEN)
    );
}
