#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use consim_core::{Effect, Effects, Keyring, Payload, Probe, Streams};

const CHAIN: ChainId = ChainId(2);
const ME: NodeId = NodeId(9);

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

fn change(number: u64) -> MemberChange {
    MemberChange {
        number,
        add: vec![NodeId(3)],
        remove: Vec::new(),
        renew: Vec::new(),
    }
}

/// What it sends, to whom, and what it tells observers.
type Seen = (Vec<(NodeId, u64)>, Vec<(u64, bool)>);

/// Hands it an event.
fn step(process: &mut Administrator, now: Time, event: Event<'_>) -> Seen {
    let (mut effects, mut slot) = (Effects::default(), None);
    let mut rng = || Streams::new(1).stream("administrator");
    let mut cx = Context::new(now, 0, ME, &mut effects, &mut rng, &mut slot);
    process.handle(&mut cx, event);
    let sent = effects.list.iter().filter_map(|effect| match effect {
        Effect::Send { to, payload } => match payload.as_any().downcast_ref() {
            Some(Message::Change(signed)) => Some((*to, signed.id().number)),
            _ => None,
        },
        _ => None,
    });
    let told = effects.probes.iter().filter_map(|probe| match probe {
        Probe::Change { number, done, .. } => Some((*number, *done)),
        _ => None,
    });
    (sent.collect(), told.collect())
}

/// Of two changes, of which these do not wait for the other.
fn administrator(hasty: Arc<[u64]>) -> Administrator {
    let (_, mut keys) = Keyring::generate(1, 1);
    Administrator::new(AdministratorConfig {
        chain: CHAIN,
        members: [NodeId(0), NodeId(1)].into(),
        key: Arc::new(keys.pop().unwrap()),
        changes: [(at(5), change(1)), (at(6), change(2))].into(),
        hasty,
        retry: Span::from_secs(1),
    })
}

#[test]
fn changes_are_asked_for_one_at_a_time_until_they_are_done() {
    let mut process = administrator([].into());
    let none = (Vec::new(), Vec::new());
    assert_eq!(step(&mut process, at(0), Event::Start), none);
    let first = step(&mut process, at(5), Event::Timer(DUE));
    assert_eq!(first, (vec![(NodeId(0), 1)], vec![(1, false)]));
    // The second waits for the first, which goes to the next member.
    let second = step(&mut process, at(6), Event::Timer(DUE));
    assert_eq!(second, (Vec::new(), vec![(2, false)]));
    let again = step(&mut process, at(6), Event::Timer(AGAIN));
    assert_eq!(again, (vec![(NodeId(1), 1)], Vec::new()));
    let says =
        |number, state| -> Arc<dyn Payload> { Arc::new(Message::Changing { number, state }) };
    let mut hear = |from, payload: Arc<dyn Payload>| {
        let event = Event::Message {
            from: NodeId(from),
            payload: &payload,
        };
        step(&mut process, at(7), event)
    };
    assert_eq!(hear(1, says(1, Changing::UnderWay)), none);
    // One that cannot begin it is passed over, until all of them were.
    let next = hear(1, says(1, Changing::Elsewhere));
    assert_eq!(next, (vec![(NodeId(0), 1)], Vec::new()));
    assert_eq!(hear(0, says(1, Changing::Elsewhere)), none);
    assert_eq!(hear(1, says(2, Changing::Done)), none, "not asked for yet");
    assert_eq!(hear(7, says(1, Changing::Done)), none, "no member");
    let done = hear(1, says(1, Changing::Done));
    assert_eq!(done, (vec![(NodeId(1), 2)], vec![(1, true)]));
    assert_eq!(hear(1, says(1, Changing::Done)), none, "known");
    let done = hear(0, says(2, Changing::Done));
    assert_eq!(done, (Vec::new(), vec![(2, true)]));
    assert_eq!(step(&mut process, at(9), Event::Timer(AGAIN)), none);
}

#[test]
fn one_in_a_hurry_asks_beside_the_change_that_is_under_way() {
    let mut process = administrator([2].into());
    let first = step(&mut process, at(5), Event::Timer(DUE));
    assert_eq!(first, (vec![(NodeId(0), 1)], vec![(1, false)]));
    let second = step(&mut process, at(6), Event::Timer(DUE));
    assert_eq!(second, (vec![(NodeId(1), 2)], vec![(2, false)]));
    let again = step(&mut process, at(6), Event::Timer(AGAIN));
    assert_eq!(again.0, vec![(NodeId(1), 1), (NodeId(0), 2)]);
}
