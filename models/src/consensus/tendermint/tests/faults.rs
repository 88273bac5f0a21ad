//! Whole clusters in which something breaks and heals.

use super::super::{BlockTime, Synchrony, TendermintOptions};
use super::{cluster, options, settings};
use crate::consensus::pbft::tests::cluster::{CHAIN, crash, cut, loss, ms, nodes, secs};
use crate::consensus::pbft::tests::disks::Kept;
use consim_core::{NodeId, Span, Time, Verdict};
use consim_kernel::config::Target;

#[test]
fn all_is_ordered_once_in_the_first_round_where_nothing_breaks() {
    for options in settings() {
        for n in 4..=12 {
            let what = format!("{options:?} n={n}");
            let outcome = cluster(n, 11, options).run();
            outcome.assert_good(&what);
            outcome.assert_ordered_once(&what);
            assert_eq!(outcome.seen.applied, outcome.seen.admitted, "{what}");
            assert_eq!(outcome.seen.timeouts, 0, "{what}");
            assert_eq!(outcome.seen.nulls, 0, "{what}: no block is empty");
            // Who compares notes while a block is on its way from peer to peer may fetch it.
            let gossips = options.gossip.is_some();
            assert!(gossips || outcome.seen.fetched.is_empty(), "{what}");
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
fn a_commit_takes_three_delays() {
    let proposer = TendermintOptions {
        time: BlockTime::Proposer(Synchrony::default()),
        ..options()
    };
    // For the first block there are no times of one before it: they are asked for.
    for (n, delay, options, delays) in [
        (4, 10, proposer, 3),
        (7, 25, proposer, 3),
        (4, 10, options(), 5),
    ] {
        let mut cluster = cluster(n, 1, options).slow_lines(ms(delay));
        cluster.link.rate = 0;
        cluster.ideal = true;
        cluster.timeout = Span::from_secs(10);
        // Who proposes at height 1.
        cluster.clients = vec![1];
        cluster.load = (Time::ZERO, Time::ZERO + ms(300));
        cluster.end = secs(20);
        let outcome = cluster.run();
        // The lines of one place take a millisecond more.
        let all: Vec<_> = outcome.seen.first.values().collect();
        let at = Time::ZERO + ms(250 + delays * (delay + 1));
        // The proposer needs no PROPOSAL, and hears no quorum before the others do.
        assert!(all.iter().all(|&&first| first == at), "n={n}: {all:?}");
    }
}

#[test]
fn a_proposer_crashes_and_comes_back() {
    for options in settings() {
        for n in [4, 5, 6, 7, 9, 12] {
            let what = format!("{options:?} n={n}");
            let leader = Target::LeaderOf(CHAIN);
            let outcome = cluster(n, 5, options).fault(crash(leader, 10, 20)).run();
            outcome.assert_good(&what);
            outcome.assert_ordered_once(&what);
            // In its turn: the time for its proposal, and that for precommits.
            assert!(outcome.seen.timeouts > 0, "{what}");
            assert!(outcome.longest_gap() > ms(500), "{what}");
            // Each of its messages takes some hops.
            let hops = options.gossip.map_or(Span::ZERO, |g| g.sleep + g.flush);
            assert!(outcome.longest_gap() < ms(3_000) + hops.times(12), "{what}");
        }
    }
}

#[test]
fn a_crashed_member_costs_a_round_in_its_turn_and_no_more() {
    for who in [1, 2, 3] {
        let outcome = cluster(4, 5, options())
            .fault(crash(nodes(&[who]), 5, 15))
            .run();
        let what = format!("{who} down");
        outcome.assert_good(&what);
        // Three members give up each round of it, a second for the proposal and one for precommits.
        let turns = outcome.seen.timeouts.div_ceil(3);
        assert!((2..=6).contains(&turns), "{what}: {turns}");
    }
}

#[test]
fn two_of_seven_may_be_down_for_good() {
    for options in settings() {
        let mut cluster = cluster(7, 5, options).fault(crash(nodes(&[0, 1]), 5, 58));
        cluster.clients = vec![2, 3, 4, 5, 6];
        let outcome = cluster.run();
        let violations = outcome.violations();
        assert!(violations.is_empty(), "{options:?}: {violations:#?}");
        let lost = outcome
            .seen
            .admitted
            .difference(&outcome.seen.applied)
            .count();
        assert_eq!(lost, 0, "{options:?}");
        assert!(outcome.seen.views.values().all(|&view| view >= 2));
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
            let mut cluster = cluster(4, seed, options)
                .fault(cut(nodes(&[0, 1]), 5, 12))
                .fault(loss(4, 100, 14, 24))
                .datagrams();
            cluster.bound = Span::from_secs(30);
            cluster.end = secs(90);
            let outcome = cluster.run();
            outcome.assert_good(&format!("{options:?} seed {seed}"));
        }
    }
}

#[test]
fn one_with_a_wiped_disk_is_silent_and_then_votes_again() {
    for who in [0, 2] {
        let mut cluster = cluster(4, 9, options()).fault(crash(nodes(&[who]), 5, 6));
        cluster.kept = Kept::Nothing;
        let outcome = cluster.run();
        outcome.assert_good(&format!("{who} wiped"));
        assert!(outcome.seen.fetched[&NodeId(who)] > 0);
    }
}

#[test]
fn one_that_was_away_for_long_takes_a_state_over_and_begins_with_it() {
    let mut cluster = cluster(4, 4, options())
        .fault(crash(nodes(&[3]), 3, 15))
        .fault(crash(nodes(&[3]), 20, 22));
    cluster.clients = vec![0, 1, 2];
    cluster.keep = Some(8);
    let outcome = cluster.run();
    let violations = outcome.violations();
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(!outcome.seen.taken[&NodeId(3)].is_empty());
    let heights = &outcome.seen.heights;
    assert_eq!(heights[&NodeId(3)], heights[&NodeId(0)]);
}

#[test]
fn one_that_was_cut_off_fetches_what_it_missed() {
    let outcome = cluster(4, 5, options())
        .fault(cut(nodes(&[3]), 10, 20))
        .run();
    outcome.assert_good("cut off");
    assert!(outcome.seen.fetched[&NodeId(3)] > 10);
    assert!(outcome.seen.taken.is_empty());
}

#[test]
fn quorums_that_need_not_meet_decide_apart() {
    // A quorum of three of six is right for n = 4 and wrong here.
    let mut apart = cluster(6, 3, options()).fault(cut(nodes(&[0, 1, 2]), 5, 20));
    apart.quorum = 3;
    assert_eq!(apart.run().verdict("agreement"), Verdict::Fail);
    let outcome = cluster(6, 3, options())
        .fault(cut(nodes(&[0, 1, 2]), 5, 20))
        .run();
    outcome.assert_good("n = 6");
}
