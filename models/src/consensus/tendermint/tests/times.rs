//! The times of blocks: who signs them, who verifies them, who waits for them.

use super::super::config::{BlockTime, Synchrony};
use super::super::message::{Body, Message, NIL, Stamp, Times};
use super::bench::{Bench, FORWARD};
use crate::consensus::pbft::tests::cluster::ms;
use consim_core::{Batch, Digest, Keyring, Span};
use proptest::prelude::*;
use std::sync::Arc;

/// Before this the clock of the bench is at 1 us.
const SECOND: i64 = 1_000_000_000;

fn stamps(times: &[i64]) -> Times {
    let (_, keys) = Keyring::generate(times.len() as u32, 1);
    let chain = consim_core::ChainId(1);
    let stamp = |(key, &time)| Stamp::sign(chain, 4, &NIL, time, key);
    Times::new(4, NIL, keys.iter().zip(times).map(stamp).collect())
}

#[test]
fn the_median_is_the_lower_one_in_the_middle() {
    for (times, median) in [
        (&[7][..], Some(7)),
        (&[9, 1, 5], Some(5)),
        (&[9, 1, 5, 7], Some(5)),
        // CometBFT's own example, each time as often as its weight says, by tens.
        (&[98, 98, 1_000, 500], Some(98)),
        (&[], None),
    ] {
        assert_eq!(stamps(times).median_ns(), median, "{times:?}");
    }
}

proptest! {
    /// Of 2f+1 and more times no f wrong ones move the median out of what the others say.
    #[test]
    fn wrong_clocks_do_not_get_past_the_right_ones(
        right in prop::collection::vec(1_000i64..2_000, 3..12),
        wrong in prop::collection::vec(any::<i64>(), 0..6),
    ) {
        prop_assume!(wrong.len() < right.len());
        let (least, most) = (right.iter().min().copied(), right.iter().max().copied());
        let all: Vec<i64> = right.into_iter().chain(wrong).collect();
        let median = stamps(&all).median_ns();
        prop_assert!(least <= median && median <= most, "{median:?}");
    }
}

#[test]
fn what_is_timely_follows_precision_and_delay() {
    let synchrony = Synchrony::default();
    assert_eq!(synchrony.message_delay_in(0), Span::from_secs(15));
    assert_eq!(synchrony.message_delay_in(1), ms(16_500));
    assert_eq!(synchrony.message_delay_in(2), ms(18_150));
    assert_eq!(
        synchrony.message_delay_in(u64::MAX),
        Span::from_secs(24 * 3_600)
    );
    let (precision, delay) = (505_000_000, 15 * SECOND);
    let time = 100 * SECOND;
    for (now, round, timely) in [
        (time - precision, 0, true),
        (time - precision - 1, 0, false),
        (time + delay + precision, 0, true),
        (time + delay + precision + 1, 0, false),
        (time + delay + precision + SECOND, 1, true),
    ] {
        assert_eq!(
            synchrony.is_timely(now, round, time),
            timely,
            "{now} {round}"
        );
    }
}

// ---- bft -------------------------------------------------------------------------------------------

fn bft(me: u32) -> Bench {
    Bench::with(me, BlockTime::Bft)
}

/// What was put forward last.
fn put_forward(bench: &Bench) -> (i64, Option<Arc<Times>>) {
    let messages = bench.sent.iter().rev();
    let mut messages = messages.filter_map(|p| p.as_any().downcast_ref::<Message>());
    let found = messages.find_map(|message| match &message.body {
        Body::Proposal {
            proposal, times, ..
        } => Some((proposal.batch.time_ns(), times.clone())),
        _ => None,
    });
    found.expect("a proposal")
}

#[test]
fn a_proposer_without_times_asks_for_them() {
    let mut bench = bft(1);
    bench.submit(1);
    bench.timer(FORWARD);
    assert_eq!(bench.look(), ["all: fetch-time 0"]);
    // One of another member's name does not count, nor does one of another height.
    bench.receive(2, bench.time(3, 0, NIL, 5 * SECOND));
    bench.receive(2, bench.time(2, 1, NIL, 5 * SECOND));
    bench.receive(2, bench.time(2, 0, NIL, 5 * SECOND));
    assert_eq!(bench.look(), [""; 0]);
    bench.receive(3, bench.time(3, 0, NIL, 7 * SECOND));
    bench.sync();
    // Its own clock is at a microsecond, and what it signs a millisecond after nothing.
    assert_eq!(put_forward(&bench).0, 5 * SECOND);
    assert_eq!(bench.look(), ["all: proposal 0 new"]);
}

#[test]
fn a_member_signs_what_its_clock_says() {
    let mut bench = bft(0);
    bench.wall_ns = 3 * SECOND;
    bench.receive(1, Body::FetchTime { height: 0 });
    assert_eq!(bench.look(), ["1: time 0"]);
    // Of a height still to come it knows nothing yet.
    bench.receive(1, Body::FetchTime { height: 1 });
    assert_eq!(bench.look(), [""; 0]);
}

#[test]
fn precommits_bring_the_times_of_the_next_block() {
    let mut bench = bft(2);
    let x = bench.batch_at(1, 1, 2 * SECOND);
    let d = x.digest();
    let times = bench.times(&[0, 1, 3], 0, NIL, 2 * SECOND);
    bench.receive(1, bench.proposal_with(0, &x, Some(times)));
    assert_eq!(bench.says(), ["all: prevote 0 value"]);
    bench.receive_all(&[0], |b, by| b.prevote(by, 0, d));
    assert_eq!(bench.says(), ["all: precommit 0 value"]);
    for (by, time) in [(0, 4 * SECOND), (3, 6 * SECOND)] {
        bench.receive(by, bench.timed_precommit(by, 0, d, time));
    }
    assert_eq!(bench.look()[0], "deliver 1");
    // Height 2 is its turn. Its own time is a millisecond after the block.
    bench.submit(2);
    bench.timer(FORWARD);
    bench.sync();
    let (time, times) = put_forward(&bench);
    assert_eq!(time, 4 * SECOND);
    assert_eq!(times.map(|times| times.stamps.len()), Some(3));
    assert_eq!(bench.look(), ["all: proposal 0 new"]);
}

#[test]
fn times_of_strangers_are_not_kept() {
    let mut bench = bft(2);
    let (_, keys) = Keyring::generate(1_000, 7);
    let stamps: Vec<Stamp> = keys[..100]
        .iter()
        .chain(&keys[900..])
        .map(|key| Stamp::sign(super::bench::CHAIN, 1, &NIL, SECOND, key))
        .collect();
    let passed_on = |stamps| Body::Stamps {
        height: 1,
        digest: NIL,
        stamps,
    };
    bench.receive(1, passed_on(stamps));
    let known = |key| bench.replica.stamp_known(1, consim_core::KeyId(key));
    let kept: Vec<u32> = (0..1_000).filter(|&key| known(key).is_some()).collect();
    assert_eq!(kept, [0, 1, 2, 3]);
}

/// What a proposer shows for the time of its batch.
type Shown = fn(&Bench, &Batch) -> Option<Arc<Times>>;

#[test]
fn a_time_that_is_not_the_median_is_prevoted_nil() {
    let at = 2 * SECOND;
    let cases: [(&str, Shown); 6] = [
        ("nothing shown", |_, _| None),
        ("another median", |b, x| {
            Some(b.times(&[0, 1, 3], 0, NIL, x.time_ns() + 1))
        }),
        ("too few", |b, x| {
            Some(b.times(&[0, 1], 0, NIL, x.time_ns()))
        }),
        ("one twice", |b, x| {
            Some(b.times(&[0, 1, 1], 0, NIL, x.time_ns()))
        }),
        ("a stranger", |b, x| {
            Some(b.times(&[0, 1, 4], 0, NIL, x.time_ns()))
        }),
        ("of another value", |b, x| {
            Some(b.times(&[0, 1, 3], 0, Digest::of(b"other"), x.time_ns()))
        }),
    ];
    for (what, times) in cases {
        let mut bench = bft(2);
        let x = bench.batch_at(1, 1, at);
        let times = times(&bench, &x);
        bench.receive(1, bench.proposal_with(0, &x, times));
        assert_eq!(bench.says(), ["all: prevote 0 nil"], "{what}");
    }
    // What 2f+1 prevoted is not asked again.
    let mut bench = bft(2);
    let x = bench.batch_at(1, 1, at);
    bench.receive_all(&[0, 3], |b, by| b.precommit(by, 1, NIL));
    bench.look();
    let proof = bench.prevotes(&[0, 1, 3], 0, x.digest());
    let mut other = bft(3);
    other.receive_all(&[0, 1], |b, by| b.precommit(by, 1, NIL));
    other.look();
    other.receive(2, other.proposal(1, &x, Some(proof)));
    assert_eq!(other.says(), ["all: prevote 1 value"]);
}

// ---- proposer --------------------------------------------------------------------------------------

#[test]
fn what_is_not_timely_is_prevoted_nil_and_its_votes_count_all_the_same() {
    for ahead in [505_000_000, 505_000_001] {
        let mut bench = Bench::new(0);
        let x = bench.batch_at(1, 1, bench.wall_ns + ahead);
        bench.receive(1, bench.proposal(0, &x, None));
        let timely = ahead == 505_000_000;
        let vote = if timely { "value" } else { "nil" };
        assert_eq!(bench.says(), [format!("all: prevote 0 {vote}")]);
        if !timely {
            bench.receive_all(&[1, 2, 3], |b, by| b.prevote(by, 0, x.digest()));
            assert_eq!(bench.says(), ["all: precommit 0 value"], "lines 36-43");
        }
    }
}

#[test]
fn a_proposer_waits_until_its_clock_is_past_the_last_block() {
    let mut bench = Bench::new(2);
    let x = bench.batch_at(1, 1, bench.wall_ns + 100_000_000);
    let d = x.digest();
    bench.receive(1, bench.proposal(0, &x, None));
    bench.says();
    bench.receive_all(&[0], |b, by| b.prevote(by, 0, d));
    bench.says();
    bench.receive_all(&[0, 3], |b, by| b.precommit(by, 0, d));
    assert_eq!(bench.look()[0], "deliver 1");
    bench.submit(2);
    bench.timer(FORWARD);
    bench.sync();
    assert_eq!(bench.look(), [""; 0]);
    bench.wall_ns += 100_000_001;
    bench.timer(4);
    bench.sync();
    assert_eq!(bench.look(), ["all: proposal 0 new"]);
}
