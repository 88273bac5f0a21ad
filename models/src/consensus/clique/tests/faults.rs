//! Whole clusters in which something breaks and heals.

use super::{cluster, options, settings};
use crate::consensus::clique::{ForkChoice, majority};
use crate::consensus::pbft::tests::cluster::{CHAIN, crash, cut, loss, ms, nodes, secs};
use crate::consensus::pbft::tests::disks::Kept;
use consim_core::{NodeId, Span, Time, Verdict};
use consim_kernel::config::Target;

#[test]
fn all_is_ordered_once_where_nothing_breaks() {
    for options in settings() {
        for n in 3..=12 {
            let what = format!("{options:?} n={n}");
            let outcome = cluster(n, 11, options).run();
            outcome.assert_good(&what);
            outcome.assert_ordered_once(&what);
            assert_eq!(outcome.seen.applied, outcome.seen.admitted, "{what}");
            assert!(outcome.seen.fetched.is_empty(), "{what}");
        }
    }
}

#[test]
fn equal_seeds_give_equal_runs() {
    let run = |seed| {
        let cluster = cluster(4, seed, options()).datagrams();
        let leader = Target::LeaderOf(CHAIN);
        cluster
            .fault(crash(leader, 10, 20))
            .fault(loss(4, 50, 5, 25))
            .run()
    };
    let first = run(1);
    assert_eq!(first.digest, run(1).digest);
    assert_ne!(first.digest, run(2).digest);
}

#[test]
fn a_block_is_final_once_a_majority_of_blocks_follows_a_period_apart() {
    for (n, delay) in [(4, 10), (7, 25)] {
        let mut cluster = cluster(n, 1, options()).slow_lines(ms(delay));
        cluster.link.rate = 0;
        cluster.ideal = true;
        // Who is in turn at height 1.
        cluster.clients = vec![1];
        cluster.load = (Time::ZERO, Time::ZERO + ms(300));
        cluster.end = secs(20);
        let outcome = cluster.run();
        let depth = majority(n as usize) as u64;
        let last = NodeId((1 + depth as u32) % n);
        for (&node, &at) in &outcome.seen.first {
            let more = if node == last { 0 } else { delay + 1 };
            assert_eq!(
                at,
                Time::ZERO + ms(250 + 500 * depth + more),
                "n={n} {node}"
            );
        }
    }
}

#[test]
fn a_signer_crashes_and_comes_back() {
    for options in settings() {
        for n in [4, 5, 6, 7, 9, 12] {
            let what = format!("{options:?} n={n}");
            let leader = Target::LeaderOf(CHAIN);
            let outcome = cluster(n, 5, options).fault(crash(leader, 10, 20)).run();
            outcome.assert_good(&what);
            outcome.assert_ordered_once(&what);
        }
    }
}

#[test]
fn a_minority_may_be_down_for_good() {
    for options in settings() {
        let mut cluster = cluster(7, 5, options).fault(crash(nodes(&[0, 1, 2]), 5, 58));
        cluster.clients = vec![3, 4, 5, 6];
        let outcome = cluster.run();
        let violations = outcome.violations();
        assert!(violations.is_empty(), "{options:?}: {violations:#?}");
        let lost = outcome
            .seen
            .admitted
            .difference(&outcome.seen.applied)
            .count();
        assert_eq!(lost, 0, "{options:?}");
    }
}

#[test]
fn all_come_back_from_a_power_cut() {
    for seed in 1..5 {
        let all = nodes(&[0, 1, 2, 3]);
        let mut cluster = cluster(4, seed, options()).fault(crash(all, 10, 12));
        cluster.kept = Kept::Torn;
        let outcome = cluster.run();
        outcome.assert_good(&format!("seed {seed}"));
    }
}

#[test]
fn cuts_and_losses_heal() {
    for options in settings() {
        for seed in 9..12 {
            let mut cluster = cluster(5, seed, options)
                .fault(cut(nodes(&[0, 1]), 5, 12))
                .fault(loss(5, 100, 14, 24))
                .datagrams();
            cluster.bound = Span::from_secs(30);
            cluster.end = secs(90);
            let outcome = cluster.run();
            outcome.assert_good(&format!("{options:?} seed {seed}"));
        }
    }
}

#[test]
fn one_with_a_wiped_disk_is_silent_and_then_seals_again() {
    for who in [0, 2] {
        let mut cluster = cluster(4, 9, options()).fault(crash(nodes(&[who]), 5, 6));
        cluster.kept = Kept::Nothing;
        let outcome = cluster.run();
        outcome.assert_good(&format!("{who} wiped"));
        assert!(outcome.seen.fetched[&NodeId(who)] > 0);
    }
}

#[test]
fn one_that_was_cut_off_fetches_what_it_missed() {
    let outcome = cluster(4, 5, options())
        .fault(cut(nodes(&[3]), 10, 20))
        .run();
    outcome.assert_good("cut off");
    assert!(outcome.seen.fetched[&NodeId(3)] > 10);
}

#[test]
fn halves_of_equal_weight_meet_by_eip_3436() {
    for seed in 1..4 {
        let halves = || cut(nodes(&[0, 1, 2]), 5, 20);
        let outcome = cluster(6, seed, options()).fault(halves()).run();
        outcome.assert_good(&format!("n = 6, seed {seed}"));
    }
}

#[test]
fn a_majority_that_is_too_small_makes_two_branches_final() {
    let mut apart = cluster(6, 3, options()).fault(cut(nodes(&[0, 1, 2]), 5, 20));
    apart.quorum = 3;
    assert_eq!(apart.run().verdict("agreement"), Verdict::Fail);
}

#[test]
fn geth_goes_on_where_no_weights_are_equal() {
    let mut options = options();
    options.fork_choice = ForkChoice::Geth;
    for n in [4, 5, 7] {
        let leader = Target::LeaderOf(CHAIN);
        let outcome = cluster(n, 5, options).fault(crash(leader, 10, 20)).run();
        outcome.assert_good(&format!("n = {n}"));
    }
}
