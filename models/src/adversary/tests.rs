#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Wrappers around a process that repeats what it hears.

use super::{
    Behaviour, Hears, Means, Move, Out, Says, To, Traitor, Twins, TwinsPlan, Words, common,
};
use super::{Conduct, Recorder};
use crate::consensus::BlockLimits;
use consim_core::{
    ChainId, Context, Effect, Effects, Event, Keyring, NodeId, Payload, Probe, Process, Raw, Span,
    Time, TimerKey, Write, WriteToken,
};
use std::sync::Arc;

const ME: NodeId = NodeId(0);

fn at(ms: u64) -> Time {
    Time::ZERO + Span::from_millis(ms)
}

fn word(kind: &'static str, text: &str) -> Arc<dyn Payload> {
    Arc::new(Raw {
        kind,
        bytes: text.as_bytes().to_vec(),
    })
}

/// Says to all what it hears, with how often it heard anything; sets a timer and writes once.
struct Parrot {
    heard: u8,
    peers: Arc<[NodeId]>,
}

impl Parrot {
    fn boxed() -> Box<dyn Process> {
        Box::new(Self {
            heard: 0,
            peers: (0..4).map(NodeId).collect(),
        })
    }
}

impl Process for Parrot {
    fn longest_wait(&self) -> Span {
        Span::from_secs(7)
    }
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Start => {
                cx.set_timer(TimerKey(7), Span::from_millis(100));
                cx.persist(WriteToken(3), vec![Write::cell(1, 0, word("cell", "kept"))]);
            }
            Event::Message { payload, .. } => {
                self.heard += 1;
                let mut bytes = Vec::new();
                payload.encode(&mut bytes);
                bytes.push(self.heard);
                let kind = payload.kind();
                cx.multicast(&self.peers, Arc::new(Raw { kind, bytes }));
            }
            Event::Timer(_) => cx.send(NodeId(3), word("tick", "t")),
            Event::Persisted(token) => cx.send(NodeId(3), word("kept", &token.0.to_string())),
            _ => {}
        }
    }
}

/// What a process does at an instant: who is sent which bytes, and how often it misbehaved.
#[derive(Default)]
struct Done {
    sent: Vec<(u32, Vec<u8>)>,
    effects: Vec<Effect>,
    misbehaved: u64,
}

fn call(process: &mut dyn Process, now: Time, event: Event<'_>) -> Done {
    let mut effects = Effects::default();
    let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
    let mut cx = Context::new(now, 0, ME, &mut effects, &mut rng, &mut slot);
    process.handle(&mut cx, event);
    let mut done = Done::default();
    for effect in effects.list {
        let (to, payload) = match &effect {
            Effect::Send { to, payload } => (vec![*to], payload),
            Effect::Multicast { to, payload } => (to.to_vec(), payload),
            _ => {
                done.effects.push(effect);
                continue;
            }
        };
        let mut bytes = Vec::new();
        payload.encode(&mut bytes);
        assert_eq!(bytes.len(), payload.encoded_len());
        let to = to.into_iter().filter(|&n| n != ME);
        done.sent.extend(to.map(|n| (n.0, bytes.clone())));
    }
    for probe in effects.probes {
        if let Probe::Misbehaved { times, .. } = probe {
            done.misbehaved += times;
        }
    }
    done
}

fn hear(process: &mut dyn Process, now: Time, from: u32, payload: &Arc<dyn Payload>) -> Done {
    let from = NodeId(from);
    call(process, now, Event::Message { from, payload })
}

fn means() -> Means {
    let (keys, mut secrets) = Keyring::generate(4, 1);
    Means {
        node: ME,
        chain: ChainId(0),
        members: (0..4).map(NodeId).collect(),
        accomplices: Arc::new([ME]),
        quorum: 3,
        administrator: None,
        phantoms: [].into(),
        certified: None,
        block: BlockLimits {
            transactions: 1,
            bytes: 1,
            wait: Span::ZERO,
        },
        timeout: Span::from_millis(1_000),
        key: Arc::new(secrets.swap_remove(0)),
        stolen: Arc::new([]),
        keys,
        draws: 5,
    }
}

const WORDS: Words = Words {
    votes: &["vote"],
    proposals: &["proposal"],
    ordering: &["vote", "proposal"],
};

/// A parrot that misbehaves from 10 ms to 20 ms.
fn traitor(conduct: &Conduct) -> Traitor {
    let behaviour = common(conduct, &means(), &WORDS).expect("it is the same for every protocol");
    let windows = Arc::new([(at(10), at(20))]);
    let attack = 4;
    Traitor::new(
        Parrot::boxed(),
        vec![Move {
            attack,
            windows,
            behaviour,
        }],
    )
}

#[test]
fn outside_of_its_window_a_traitor_is_honest() {
    for conduct in [
        Conduct::SelectiveSilence {
            to: Arc::new([NodeId(1)]),
        },
        Conduct::LateVote { wait: 900_000_000 },
        Conduct::SlowLeader { wait: 900_000_000 },
        Conduct::Malformed {
            rate: 1_000_000_000,
        },
        Conduct::ReplayOld {
            age: Span::from_millis(5),
        },
    ] {
        for kind in ["vote", "proposal"] {
            let said = word(kind, "x");
            let (mut honest, mut traitor) = (Parrot::boxed(), traitor(&conduct));
            for now in [at(9), at(20), at(2_000)] {
                let before = hear(&mut *honest, now, 1, &said);
                let done = hear(&mut traitor, now, 1, &said);
                assert_eq!(before.sent, done.sent, "{conduct:?}");
                assert_eq!((done.misbehaved, done.effects.len()), (0, 0), "{conduct:?}");
            }
        }
    }
}

#[test]
fn the_silent_leave_some_out() {
    let mut traitor = traitor(&Conduct::SelectiveSilence {
        to: Arc::new([NodeId(1), NodeId(2)]),
    });
    let done = hear(&mut traitor, at(10), 1, &word("any", "x"));
    assert_eq!(
        (done.sent, done.misbehaved),
        (vec![(3, b"x\x01".to_vec())], 2)
    );
}

/// The timers that were set, with what they come after.
fn timers(done: &Done) -> Vec<(TimerKey, Span)> {
    let timer = |effect: &Effect| match effect {
        Effect::SetTimer { key, after } => Some((*key, *after)),
        _ => None,
    };
    done.effects.iter().filter_map(timer).collect()
}

#[test]
fn late_votes_come_when_they_are_due_and_in_order() {
    let mut traitor = traitor(&Conduct::LateVote { wait: 900_000_000 });
    let first = hear(&mut traitor, at(10), 1, &word("vote", "a"));
    assert!(first.sent.is_empty());
    assert_eq!(first.misbehaved, 3);
    let [(key, after)] = timers(&first)[..] else {
        panic!("one timer");
    };
    assert_eq!(after, Span::from_millis(900));
    let second = hear(&mut traitor, at(15), 1, &word("vote", "b"));
    assert!(second.sent.is_empty() && timers(&second).is_empty());
    // Other messages go at once.
    assert_eq!(
        hear(&mut traitor, at(15), 1, &word("other", "c"))
            .sent
            .len(),
        3
    );
    let due = call(&mut traitor, at(910), Event::Timer(key));
    assert_eq!(due.sent.len(), 3);
    assert!(due.sent.iter().all(|(_, bytes)| bytes == b"a\x01"));
    assert_eq!(timers(&due), [(key, Span::from_millis(5))]);
    assert_eq!(call(&mut traitor, at(915), Event::Timer(key)).sent.len(), 3);
}

#[test]
fn a_slow_leader_lets_one_proposal_go_at_a_time() {
    let mut traitor = traitor(&Conduct::SlowLeader { wait: 500_000_000 });
    let mut all = Vec::new();
    for text in ["a", "b", "c"] {
        let done = hear(&mut traitor, at(10), 1, &word("proposal", text));
        assert_eq!((done.sent.len(), done.misbehaved), (0, 1));
        all.extend(timers(&done));
    }
    let [(key, after)] = all[..] else {
        panic!("one timer");
    };
    assert_eq!(after, Span::from_millis(500));
    for (ms, text) in [(510, b"a\x01"), (1_010, b"b\x02"), (1_510, b"c\x03")] {
        let done = call(&mut traitor, at(ms), Event::Timer(key));
        assert_eq!(done.sent.len(), 3);
        assert!(done.sent.iter().all(|(_, bytes)| bytes == text), "{ms}");
    }
}

#[test]
fn garbled_messages_are_bytes_that_differ_and_old_ones_come_again() {
    let mut garbler = traitor(&Conduct::Malformed {
        rate: 1_000_000_000,
    });
    for _ in 0..20 {
        let done = hear(&mut garbler, at(10), 1, &word("vote", "some bytes here"));
        assert_eq!((done.sent.len(), done.misbehaved), (3, 3));
        assert!(
            done.sent
                .iter()
                .all(|(_, b)| !b.starts_with(b"some bytes here") || b.len() > 16)
        );
    }
    let mut replayer = traitor(&Conduct::ReplayOld {
        age: Span::from_millis(50),
    });
    let done = hear(&mut replayer, at(10), 1, &word("vote", "x"));
    assert_eq!((done.sent.len(), done.misbehaved), (3, 0));
    let again = call(&mut replayer, at(60), Event::Timer(timers(&done)[0].0));
    assert_eq!((again.sent, again.misbehaved), (done.sent, 3));
}

/// Takes everything for itself, and hands the first one in later.
struct Deaf(Option<Arc<dyn Payload>>);
impl Behaviour for Deaf {
    fn hears(&mut self, out: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        out.count(1);
        self.0.get_or_insert_with(|| Arc::clone(payload));
        Hears::Nothing
    }
    fn says(&mut self, _: &mut Out<'_, '_>, _: To<'_>, _: &Arc<dyn Payload>) -> Says {
        Says::AsItIs
    }
    fn timer(&mut self, out: &mut Out<'_, '_>, _: u32) {
        if let Some(first) = self.0.take() {
            out.hand_in(NodeId(2), first);
        }
    }
}

#[test]
fn what_is_held_on_its_way_in_comes_later_once() {
    let windows = Arc::new([(at(0), at(20))]);
    let moves = vec![Move {
        attack: 0,
        windows,
        behaviour: Box::new(Deaf(None)),
    }];
    let mut deaf = Traitor::new(Parrot::boxed(), moves);
    assert_eq!(hear(&mut deaf, at(1), 1, &word("vote", "x")).sent.len(), 0);
    assert_eq!(hear(&mut deaf, at(1), 1, &word("vote", "y")).misbehaved, 1);
    let key = TimerKey(1 << 62);
    let done = call(&mut deaf, at(2), Event::Timer(key));
    assert_eq!(done.sent.len(), 3);
    assert!(done.sent.iter().all(|(_, bytes)| bytes == b"x\x01"));
    assert!(call(&mut deaf, at(3), Event::Timer(key)).sent.is_empty());
}

#[test]
fn a_recorder_tells_what_it_hears_and_changes_nothing() {
    let (mut honest, mut recorder) = (Parrot::boxed(), Recorder(Parrot::boxed()));
    assert_eq!(recorder.longest_wait(), honest.longest_wait());
    let said = word("vote", "x");
    let before = hear(&mut *honest, at(1), 2, &said);
    assert_eq!(hear(&mut recorder, at(1), 2, &said).sent, before.sent);
    let mut effects = Effects::default();
    let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
    let mut cx = Context::new(at(2), 0, ME, &mut effects, &mut rng, &mut slot);
    let (from, payload) = (NodeId(2), &said);
    recorder.handle(&mut cx, Event::Message { from, payload });
    assert!(matches!(
        effects.probes.as_slice(),
        [Probe::Heard {
            from: NodeId(2),
            ..
        }]
    ));
}

/// Twins of node 0 that part at 10 ms, with node 1 on one side and nodes 2 and 3 on the other.
fn twins() -> Twins {
    let plan = TwinsPlan {
        attack: 0,
        from: at(10),
        to: at(500),
        accomplices: Arc::new([]),
        rounds: vec![vec![vec![NodeId(1)], vec![NodeId(2), NodeId(3)]]],
    };
    assert_eq!(plan.copies(), 1);
    Twins::new(plan, vec![Parrot::boxed(), Parrot::boxed()]).unwrap()
}

#[test]
fn twins_are_one_before_they_part_and_one_afterwards() {
    let (mut honest, mut twins) = (Parrot::boxed(), twins());
    let said = word("vote", "x");
    for ms in [0, 5, 9] {
        let before = hear(&mut *honest, at(ms), 1, &said);
        let done = hear(&mut twins, at(ms), 1, &said);
        assert_eq!((&done.sent, done.misbehaved), (&before.sent, 0));
    }
    // Apart: each hears its side and talks to it; the copy knows all that came before.
    let first = hear(&mut twins, at(10), 1, &said);
    assert_eq!(
        (first.sent, first.misbehaved),
        (vec![(1, b"x\x04".to_vec())], 0)
    );
    for number in [4, 5] {
        let copy = hear(&mut twins, at(20), 3, &said);
        let expected = vec![b'x', number];
        assert_eq!(copy.sent, [(2, expected.clone()), (3, expected)]);
        assert_eq!(copy.misbehaved, 2);
    }
    // Whoever is on no side is heard by both.
    assert_eq!(hear(&mut twins, at(30), 9, &said).sent.len(), 3);
    // The copy is gone, the first has heard five.
    let last = hear(&mut twins, at(500), 3, &said);
    let expected = vec![b'x', 6];
    assert_eq!(last.sent, [1, 2, 3].map(|n| (n, expected.clone())));
}

#[test]
fn timers_and_writes_under_way_are_those_of_both_when_twins_part() {
    let mut twins = twins();
    let started = call(&mut twins, at(0), Event::Start);
    assert_eq!(timers(&started), [(TimerKey(7), Span::from_millis(100))]);
    assert_eq!(started.effects.len(), 2, "one timer, one write");
    // The copy's timer goes on where it stands.
    let parted = hear(&mut twins, at(40), 9, &word("vote", "x"));
    let [(own, after)] = timers(&parted)[..] else {
        panic!("one timer");
    };
    assert_eq!(after, Span::from_millis(60));
    assert_ne!(own, TimerKey(7));
    // Node 3 is on the copy's side.
    assert!(
        call(&mut twins, at(100), Event::Timer(TimerKey(7)))
            .sent
            .is_empty()
    );
    assert_eq!(
        call(&mut twins, at(100), Event::Timer(own)).sent,
        [(3, b"t".to_vec())]
    );
    let kept = call(&mut twins, at(101), Event::Persisted(WriteToken(3)));
    assert_eq!(kept.sent, [(3, b"3".to_vec())]);
    let again = call(&mut twins, at(102), Event::Persisted(WriteToken(3)));
    assert!(again.sent.is_empty(), "it was the completion of one write");
}

#[test]
fn twins_of_accomplices_keep_to_their_sides() {
    let plan = |other| TwinsPlan {
        attack: 0,
        from: at(0),
        to: at(500),
        accomplices: Arc::new([ME, other]),
        rounds: vec![vec![vec![NodeId(2)], vec![NodeId(3)]]],
    };
    let pair = || vec![Parrot::boxed(), Parrot::boxed()];
    let mut here = Twins::new(plan(NodeId(1)), pair()).unwrap();
    let mut there = Twins::new(plan(NodeId(1)), pair()).unwrap();
    let mut effects = Effects::default();
    let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
    let mut cx = Context::new(at(1), 0, NodeId(1), &mut effects, &mut rng, &mut slot);
    let (from, payload) = (NodeId(3), &word("vote", "x"));
    there.handle(&mut cx, Event::Message { from, payload });
    let to_me = effects.list.iter().find_map(|effect| match effect {
        Effect::Send { to: ME, payload } => Some(Arc::clone(payload)),
        _ => None,
    });
    let done = hear(&mut here, at(2), 1, &to_me.unwrap());
    let said: Vec<u32> = done.sent.iter().map(|(to, _)| *to).collect();
    assert!(said.contains(&3) && !said.contains(&2), "{said:?}");
}
