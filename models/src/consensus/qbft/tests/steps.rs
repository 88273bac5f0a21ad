//! One replica, step by step: what it says upon what. Algorithms and lines are those of arXiv 2002.03613. In height
//! 1 member 1 proposes in round 0, member 2 in round 1, member 3 in round 2.

use super::super::config::{QbftOptions, Variant, quorum};
use super::bench::{Bench, FORWARD, ROUND};
use crate::consensus::byzantine_quorum;
use crate::ledger::testing;
use consim_core::{NodeId, Span};

const NOTHING: [&str; 0] = [];
const BOTH: [Variant; 2] = [Variant::Qbft, Variant::Ibft];

/// Member `me` in round 0, which saw the value of its proposer prepared.
fn prepared(me: u32, other: u32, variant: Variant) -> Bench {
    let mut bench = Bench::of(me, variant);
    let x = bench.batch(1, 1);
    bench.receive(1, bench.proposal(0, &x, None));
    assert_eq!(bench.says(), ["all: prepare 0"]);
    bench.receive(other, bench.prepare(other, 0, x.digest()));
    assert_eq!(bench.says(), ["all: commit 0"]);
    bench
}

#[test]
fn the_quorum_is_that_of_all_the_others_for_every_group() {
    for n in 1..200 {
        assert_eq!(quorum(n), byzantine_quorum(n), "n={n}");
    }
}

#[test]
fn a_height_in_the_normal_case() {
    let mut bench = prepared(0, 2, Variant::Qbft);
    let d = bench.batch(1, 1).digest();
    bench.receive(2, bench.commit(2, 0, d));
    assert_eq!(bench.look(), NOTHING);
    bench.receive(3, bench.commit(3, 0, d));
    assert_eq!(bench.look(), ["deliver 1", "view 2"], "Algorithm 2, line 8");
    bench.receive(1, bench.commit(1, 0, d));
    assert_eq!(bench.look(), NOTHING, "a late one changes nothing");
}

#[test]
fn the_proposer_puts_forward_what_waits() {
    let mut bench = Bench::new(1);
    bench.submit(1);
    bench.timer(FORWARD);
    assert_eq!(bench.says(), ["all: proposal 0 new"], "Algorithm 1");
    // Its PREPARE is in it.
    let d = bench.replica.rounds.get(0).unwrap().digest.unwrap();
    bench.receive_all(&[2, 3], |b, by| b.prepare(by, 0, d));
    assert_eq!(bench.says(), ["all: commit 0"]);
}

#[test]
fn nothing_happens_where_nothing_waits() {
    let mut bench = Bench::new(0);
    bench.timer(ROUND);
    assert_eq!(bench.says(), NOTHING);
}

#[test]
fn a_round_without_a_decision_is_left() {
    let mut bench = Bench::new(0);
    bench.submit(1);
    bench.timer(FORWARD);
    bench.look();
    bench.timer(ROUND);
    assert_eq!(bench.look(), ["give up 1", "view 2"], "Algorithm 3, line 2");
    assert_eq!(bench.says(), ["all: change 1 free"], "line 4");
    // What was prepared is said.
    for variant in BOTH {
        let mut bench = prepared(0, 2, variant);
        bench.timer(ROUND);
        bench.look();
        assert_eq!(bench.says(), ["all: change 1 prepared 0"]);
    }
}

#[test]
fn what_is_not_in_order_is_not_prepared() {
    let mut bench = Bench::new(0);
    // Another member's batch as if it were its own.
    let foreign = bench.batch(2, 1);
    bench.receive(1, bench.proposal(0, &foreign, None));
    assert_eq!(bench.says(), NOTHING);
    // Not the proposer's turn.
    let mut bench = Bench::new(0);
    let x = bench.batch(1, 1);
    bench.receive(2, bench.proposal(0, &x, None));
    assert_eq!(bench.says(), NOTHING);
    // The second one does not count.
    bench.receive(1, bench.proposal(0, &x, None));
    bench.receive(1, bench.proposal(0, &bench.batch(1, 2), None));
    assert_eq!(bench.says(), ["all: prepare 0"]);
}

#[test]
fn f_plus_one_in_higher_rounds_are_followed() {
    let mut bench = Bench::new(0);
    bench.receive(2, bench.round_change(2, 5, None));
    assert_eq!(bench.look(), NOTHING);
    bench.receive(3, bench.round_change(3, 4, None));
    let said = ["give up 1", "view 5"];
    assert_eq!(bench.look(), said, "Algorithm 3, lines 5-10");
    assert_eq!(bench.says(), ["all: change 4 free"]);
}

#[test]
fn a_new_round_without_anything_prepared_is_free() {
    for variant in BOTH {
        let mut bench = Bench::of(2, variant);
        bench.submit(7);
        bench.timer(FORWARD);
        bench.timer(ROUND);
        bench.sync();
        bench.look();
        bench.receive(0, bench.round_change(0, 1, None));
        assert_eq!(bench.look(), NOTHING, "two are no quorum");
        bench.receive(3, bench.round_change(3, 1, None));
        assert_eq!(bench.says(), ["all: proposal 1 free"], "lines 15-16");
    }
}

#[test]
fn what_was_prepared_is_put_forward_again() {
    for variant in BOTH {
        let mut bench = Bench::of(2, variant);
        bench.submit(7);
        bench.timer(FORWARD);
        bench.timer(ROUND);
        bench.sync();
        bench.look();
        let x = bench.batch(1, 1);
        let proof = bench.prepares(&[0, 1, 3], 0, x.digest());
        // Prepares that are too few do not count.
        let few = bench.prepares(&[0, 1], 0, x.digest());
        bench.receive(0, bench.round_change(0, 1, Some((&few, &x))));
        bench.receive(3, bench.round_change(3, 1, None));
        assert_eq!(bench.look(), NOTHING);
        bench.receive(0, bench.round_change(0, 1, Some((&proof, &x))));
        assert_eq!(bench.says(), ["all: proposal 1 prepared 0"], "lines 12-13");
        let digest = bench.replica.rounds.get(1).unwrap().digest;
        assert_eq!(digest, Some(x.digest()));
    }
}

#[test]
fn a_proposal_in_a_later_round_is_justified() {
    for variant in BOTH {
        let x = Bench::new(0).batch(1, 1);
        let fresh = Bench::new(0).batch(2, 2);
        let d = x.digest();
        let judged =
            |case: &dyn Fn(&Bench) -> (Option<super::super::change::Justification>, bool)| {
                let mut bench = Bench::of(0, variant);
                let (justification, of_old) = case(&bench);
                let batch = if of_old { &x } else { &fresh };
                bench.receive(2, bench.proposal(1, batch, justification));
                let said = bench.look();
                bench.sync();
                let prepared = bench.look().contains(&"all: prepare 1".to_owned());
                assert_eq!(prepared, said.contains(&"view 2".to_owned()), "{said:?}");
                prepared
            };
        let free = [(0, None), (2, None), (3, None)];
        // A quorum that saw nothing prepared.
        assert!(judged(&|b| (Some(b.justification(1, &free, None)), false)));
        assert!(!judged(&|_| (None, false)));
        assert!(!judged(&|b| (
            Some(b.justification(1, &free[..2], None)),
            false
        )));
        let twice = [(0, None), (0, None), (3, None)];
        assert!(!judged(&|b| (
            Some(b.justification(1, &twice, None)),
            false
        )));
        assert!(
            !judged(&|b| (Some(b.justification(2, &free, None)), false)),
            "of another round"
        );
        // One of them saw a value prepared: no other one will do.
        let with = |b: &Bench, by: &[u32]| {
            let proof = b.prepares(by, 0, d);
            let of = [(0, Some(&proof)), (2, None), (3, None)];
            Some(b.justification(1, &of, Some(&proof)))
        };
        assert!(judged(&|b| (with(b, &[0, 1, 3]), true)));
        assert!(!judged(&|b| (with(b, &[0, 1, 3]), false)));
        assert!(!judged(&|b| (with(b, &[0, 1]), true)), "too few prepares");
    }
}

#[test]
fn commits_of_a_former_round_decide() {
    let mut bench = prepared(0, 2, Variant::Qbft);
    let d = bench.batch(1, 1).digest();
    bench.timer(ROUND);
    bench.sync();
    bench.look();
    bench.receive_all(&[2, 3], |b, by| b.commit(by, 0, d));
    let said = bench.look();
    assert_eq!(said[0], "deliver 1", "Algorithm 2, line 8: {said:?}");
}

#[test]
fn who_asks_is_told_again() {
    let mut bench = prepared(0, 2, Variant::Qbft);
    bench.timer(ROUND);
    bench.sync();
    bench.look();
    bench.receive(3, Bench::question(0));
    let said = ["3: change 1 prepared 0", "3: prepare 0", "3: commit 0"];
    assert_eq!(bench.look(), said);
    bench.receive(3, Bench::question(1));
    assert_eq!(bench.look(), ["3: change 1 prepared 0"]);
}

#[test]
fn one_that_comes_back_has_its_votes_and_what_was_prepared() {
    for variant in BOTH {
        let mut bench = prepared(0, 2, variant);
        bench.restart();
        let said = bench.look();
        for again in ["all: prepare 0", "all: commit 0"] {
            assert!(said.iter().any(|s| s == again), "{said:?}");
        }
        bench.sync();
        bench.look();
        // It signs nothing else in that round.
        bench.receive(1, bench.proposal(0, &bench.batch(1, 2), None));
        assert_eq!(bench.says(), NOTHING);
        bench.timer(ROUND);
        bench.look();
        assert_eq!(bench.says(), ["all: change 1 prepared 0"]);
        bench.restart();
        let said = bench.look();
        let again = "all: change 1 prepared 0".to_owned();
        assert!(said.contains(&again), "{said:?}");
        assert_eq!(bench.replica.round, 1);
    }
}

#[test]
fn a_proposer_that_comes_back_says_the_same_again() {
    let mut bench = Bench::new(1);
    bench.submit(1);
    bench.timer(FORWARD);
    bench.sync();
    let before = bench.replica.rounds.get(0).unwrap().digest;
    bench.look();
    bench.restart();
    let said = bench.look();
    assert!(said.contains(&"all: proposal 0 new".into()), "{said:?}");
    assert_eq!(bench.replica.rounds.get(0).unwrap().digest, before);
    bench.submit(2);
    bench.timer(FORWARD);
    bench.sync();
    assert_eq!(bench.look(), NOTHING, "no second one in that round");
}

#[test]
fn the_timer_doubles_up_to_a_bound_or_not_at_all() {
    let times = |double_timeout| {
        let options = QbftOptions {
            double_timeout,
            ..QbftOptions::of(Variant::Qbft)
        };
        let bench = Bench::with(0, options);
        [0, 1, 3, 6, 7, u64::MAX].map(|round| bench.replica.group.timeout(round).nanos())
    };
    assert_eq!(
        times(true),
        [1, 2, 8, 64, 64, 64].map(|s| s * 1_000_000_000)
    );
    assert_eq!(times(false), [1_000_000_000; 6]);
}

#[test]
fn a_block_is_as_late_as_its_period_wants_and_not_ahead_of_the_clock() {
    let options = QbftOptions {
        period: Span::from_millis(500),
        ..QbftOptions::of(Variant::Qbft)
    };
    let mut bench = Bench::with(1, options);
    bench.submit(1);
    bench.timer(FORWARD);
    assert_eq!(bench.says(), NOTHING, "half a second is to pass first");
    // The clock of the bench stands still, at a microsecond.
    for (time, fine) in [
        (500_000_000, true),
        (499_999_999, false),
        (1_000_001_001, false),
    ] {
        let mut bench = Bench::with(0, options);
        bench.receive(1, bench.proposal(0, &batch_at(time), None));
        let said = bench.says();
        assert_eq!(said == ["all: prepare 0"], fine, "{time}: {said:?}");
    }
}

fn batch_at(time: i64) -> std::sync::Arc<consim_core::Batch> {
    let bench = Bench::new(0);
    testing::batch(NodeId(1), time, vec![bench.tx(1)])
}
