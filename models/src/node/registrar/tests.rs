#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use consim_core::{Effect, Effects, KeyId, Keyring, Probe, Streams};

const CHAIN: ChainId = ChainId(2);

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

fn step(after: u64, pushed: bool, number: u32, to: &[u32]) -> TrustStep {
    TrustStep {
        after: Span::from_secs(after),
        pushed,
        notices: to
            .iter()
            .map(|&n| (NodeId(n), Notice::new(1, number)))
            .collect(),
    }
}

fn registrar(changes: Vec<TrustChange>) -> Registrar {
    let (_, mut keys) = Keyring::generate(1, 1);
    let key = Arc::new(keys.pop().unwrap());
    Registrar::new(CHAIN, key, Span::from_secs(1), changes.into())
}

fn change(number: u64, due: u64, steps: Vec<TrustStep>) -> TrustChange {
    TrustChange {
        number,
        at: at(due),
        hasty: false,
        steps,
    }
}

/// Whom it sends which notices, what it tells observers, and how long its timer of changes is set to.
#[derive(PartialEq, Debug, Default)]
struct Seen {
    sent: Vec<(u32, Vec<u32>)>,
    told: Vec<(u64, bool)>,
    wakes: Option<u64>,
}

fn does(now: u64, act: impl FnOnce(&mut Context<'_>)) -> Seen {
    let (mut effects, mut slot) = (Effects::default(), None);
    let mut rng = || Streams::new(1).stream("registrar");
    let mut cx = Context::new(at(now), 0, NodeId(9), &mut effects, &mut rng, &mut slot);
    act(&mut cx);
    let mut seen = Seen::default();
    for effect in &effects.list {
        match effect {
            Effect::Send { to, payload } => {
                if let Some(Message::Notices(list)) = payload.as_any().downcast_ref() {
                    let numbers = list.iter().map(|n| n.notice.number).collect();
                    seen.sent.push((to.0, numbers));
                }
            }
            Effect::SetTimer { key, after } if *key == TURN => {
                seen.wakes = Some(after.nanos() / 1_000_000_000);
            }
            _ => {}
        }
    }
    seen.told = effects
        .probes
        .iter()
        .filter_map(|probe| match probe {
            Probe::Change { number, done, .. } => Some((*number, *done)),
            _ => None,
        })
        .collect();
    seen
}

#[test]
fn steps_follow_each_other_once_all_have_taken_theirs_in() {
    let steps = vec![step(0, true, 1, &[0, 1]), step(5, true, 2, &[1])];
    let mut registrar = registrar(vec![change(1, 5, steps)]);
    assert_eq!(does(0, |cx| registrar.turn(cx)).wakes, Some(5));
    let begun = does(5, |cx| registrar.turn(cx));
    assert_eq!(begun.sent, [(0, vec![1]), (1, vec![1])]);
    assert_eq!(begun.told, [(1, false)]);
    assert_eq!(
        does(6, |cx| registrar.taken(cx, NodeId(0), 1)),
        Seen::default()
    );
    // Only who has not said so is told again.
    assert_eq!(does(6, |cx| registrar.repeat(cx)).sent, [(1, vec![1])]);
    let foreign = does(6, |cx| registrar.taken(cx, NodeId(1), 7));
    assert_eq!(foreign, Seen::default(), "another notice");
    assert_eq!(
        does(7, |cx| registrar.taken(cx, NodeId(1), 1)).wakes,
        Some(5)
    );
    assert!(does(8, |cx| registrar.repeat(cx)).sent.is_empty());
    assert_eq!(does(12, |cx| registrar.turn(cx)).sent, [(1, vec![2])]);
    let done = does(13, |cx| registrar.taken(cx, NodeId(1), 2));
    assert_eq!(done.told, [(1, true)]);
    assert_eq!(does(14, |cx| registrar.turn(cx)), Seen::default());
    // Who comes back is told all that is meant for it.
    assert_eq!(
        does(15, |cx| registrar.asked(cx, NodeId(1))).sent,
        [(1, vec![1, 2])]
    );
    assert_eq!(
        does(15, |cx| registrar.asked(cx, NodeId(0))).sent,
        [(0, vec![1])]
    );
}

#[test]
fn a_list_that_is_fetched_is_sent_to_who_asks() {
    let mut registrar = registrar(vec![change(1, 5, vec![step(0, false, 1, &[0])])]);
    assert_eq!(
        does(4, |cx| registrar.asked(cx, NodeId(0))).sent,
        [(0, vec![])]
    );
    let begun = does(5, |cx| registrar.turn(cx));
    assert!(begun.sent.is_empty() && begun.told == [(1, false)]);
    assert!(does(6, |cx| registrar.repeat(cx)).sent.is_empty());
    assert_eq!(
        does(9, |cx| registrar.asked(cx, NodeId(0))).sent,
        [(0, vec![1])]
    );
    assert_eq!(
        does(9, |cx| registrar.taken(cx, NodeId(0), 1)).told,
        [(1, true)]
    );
}

#[test]
fn a_change_waits_for_the_one_before_it_unless_it_is_in_a_hurry() {
    for hasty in [false, true] {
        let second = TrustChange {
            hasty,
            ..change(2, 6, vec![step(0, true, 2, &[1])])
        };
        let mut registrar = registrar(vec![change(1, 5, vec![step(0, true, 1, &[0])]), second]);
        does(5, |cx| registrar.turn(cx));
        let due = does(6, |cx| registrar.turn(cx));
        assert_eq!(due.told, [(2, false)]);
        assert_eq!(due.sent.len(), usize::from(hasty));
        let first = does(7, |cx| registrar.taken(cx, NodeId(0), 1));
        assert_eq!(first.told, [(1, true)]);
        assert_eq!(first.sent.len(), usize::from(!hasty));
    }
}

#[test]
fn only_the_registrars_word_for_this_chain_holds() {
    let (keys, mut secrets) = Keyring::generate(2, 1);
    let (other, key) = (secrets.pop().unwrap(), secrets.pop().unwrap());
    let mut notice = Notice::new(3, 4);
    notice.revoked = vec![(KeyId(0), 7)];
    let signed = notice.signed(CHAIN, &key);
    let registrar = Some(key.id());
    assert!(signed.verify(CHAIN, registrar, &keys));
    assert!(
        !signed.verify(ChainId(1), registrar, &keys),
        "another chain"
    );
    assert!(!signed.verify(CHAIN, None, &keys), "nobody's");
    assert!(!signed.verify(CHAIN, Some(other.id()), &keys), "another's");
    let by_other = notice.signed(CHAIN, &other);
    assert!(!by_other.verify(CHAIN, registrar, &keys));
    for edit in [
        |n: &mut Notice| n.revoked[0].1 = 8,
        |n: &mut Notice| n.trusted = Some(KeyId(1)),
        |n: &mut Notice| n.withdrawn = Some(KeyId(1)),
        |n: &mut Notice| n.number = 5,
        |n: &mut Notice| n.change = 5,
    ] {
        let mut forged = signed.clone();
        edit(&mut forged.notice);
        assert!(!forged.verify(CHAIN, registrar, &keys));
    }
}
