#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::tests::rng;
use super::*;

fn past(seconds: u64, place: usize) -> Past {
    Past {
        at: Time::ZERO + Span::from_secs(seconds),
        patient: format!("p{seconds}").into(),
        place,
        records: [].into(),
    }
}

#[test]
fn only_settled_visits_are_found() {
    let mut history = History::default();
    history.push(past(0, 0));
    history.push(past(10, 0));
    let mut rng = rng("history");
    let mut found = |seconds| {
        let now = Time::ZERO + Span::from_secs(seconds);
        let mut all: Vec<u64> = (0..100)
            .filter_map(|_| history.find(&mut rng, now, |_| true))
            .map(|p| p.at.nanos() / 1_000_000_000)
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let settle = SETTLE.nanos() / 1_000_000_000;
    assert!(found(settle - 1).is_empty());
    assert_eq!(found(settle), [0]);
    assert_eq!(found(settle + 10), [0, 10]);
}

#[test]
fn only_fitting_visits_are_found() {
    let mut history = History::default();
    for i in 0..10 {
        history.push(past(i, (i % 2) as usize));
    }
    let (mut rng, now) = (rng("fit"), Time::MAX);
    for _ in 0..100 {
        let odd = history.find(&mut rng, now, |p| p.place == 1);
        assert!(odd.is_none_or(|p| p.place == 1));
    }
    assert!(history.find(&mut rng, now, |_| false).is_none());
}

#[test]
fn no_more_than_the_limit_is_remembered_and_the_oldest_goes() {
    let mut history = History::default();
    for i in 0..=MAX_HISTORY as u64 {
        history.push(past(i, 0));
    }
    assert_eq!(history.visits.len(), MAX_HISTORY);
    assert_eq!(&*history.visits[0].patient, "p1");
}
