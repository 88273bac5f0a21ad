//! Stories of crashes, cuts and losses.

use super::adversary::traitor;
use super::cluster::{CHAIN, Cluster, crash, cut, loss, ms, nodes, secs};
use super::disks::Kept;
use crate::consensus::BlockLimits;
use crate::consensus::pbft::message::{Body, Message};
use consim_core::{Distribution, NodeId, Span, Time, Verdict};
use consim_kernel::config::Target;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const SEEDS: std::ops::Range<u64> = 1..5;

#[test]
fn without_faults_everything_is_ordered_once_in_the_first_view() {
    for n in [4, 5, 6, 7, 21] {
        let outcome = Cluster::new(n, 1).run();
        let what = format!("n = {n}");
        outcome.assert_good(&what);
        outcome.assert_ordered_once(&what);
        assert_eq!(outcome.seen.admitted.len(), 119 * n as usize);
        assert_eq!(outcome.seen.admitted, outcome.seen.applied);
        assert_eq!(outcome.seen.timeouts, 0);
    }
}

#[test]
fn equal_seeds_give_equal_runs() {
    let run = |seed| {
        let cluster = Cluster::new(4, seed).datagrams();
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
fn the_leader_crashes_and_comes_back() {
    for n in [4, 6, 7] {
        for seed in SEEDS {
            let what = format!("n = {n}, seed {seed}");
            let leader = Target::LeaderOf(CHAIN);
            let outcome = Cluster::new(n, seed).fault(crash(leader, 10, 20)).run();
            outcome.assert_good(&what);
            outcome.assert_ordered_once(&what);
            let views = &outcome.seen.views;
            assert!(views.values().all(|&view| view == 1), "{what}: {views:?}");
            assert!(outcome.seen.fetched[&NodeId(0)] > 10, "{what}");
            assert!(outcome.longest_gap() < ms(3_000), "{what}");
        }
    }
}

/// Small machines on slow lines, a hundred blocks above the last checkpoint: what a view change
/// has to carry is large, and must not outlast its timers.
#[test]
fn a_view_change_far_above_the_checkpoint_is_quick_on_slow_lines() {
    let timeout = ms(2_000);
    let cluster = Cluster {
        nic: 50_000_000,
        fsync: Distribution::Constant(ms(10)),
        timeout,
        checkpoint: 128,
        block: BlockLimits {
            transactions: 100,
            bytes: 1 << 20,
            wait: ms(500),
        },
        period: ms(500),
        load: (secs(0), secs(75)),
        end: secs(100),
        ..Cluster::new(21, 4)
    };
    let outcome = cluster
        .slow_lines(ms(20))
        .fault(crash(nodes(&[0]), 55, 80))
        .run();
    outcome.assert_good("slow lines");
    let prepared = outcome.seen.largest["view-change"] / 1_000;
    assert!(
        prepared > 100,
        "a view change of {prepared} kB carries many certificates"
    );
    let gap = outcome.longest_gap();
    assert!(gap < timeout.times(4), "no commit for {gap}");
    assert!(
        outcome.seen.views.values().all(|&view| view == 1),
        "one view change is enough"
    );
}

#[test]
fn two_leaders_crash_one_after_the_other() {
    for seed in SEEDS {
        let what = format!("seed {seed}");
        let outcome = Cluster::new(7, seed)
            .fault(crash(nodes(&[0, 1]), 10, 40))
            .run();
        outcome.assert_good(&what);
        outcome.assert_ordered_once(&what);
        assert!(outcome.seen.views.values().all(|&view| view == 2), "{what}");
    }
}

#[test]
fn as_many_crash_as_the_group_bears() {
    for (n, down) in [
        (4, vec![2]),
        (6, vec![5]),
        (7, vec![3, 5]),
        (21, vec![2, 5, 8, 11, 14, 17]),
    ] {
        let what = format!("n = {n}");
        let cluster = Cluster {
            period: ms(500),
            ..Cluster::new(n, 3)
        };
        let outcome = cluster.fault(crash(nodes(&down), 10, 20)).run();
        outcome.assert_good(&what);
        outcome.assert_ordered_once(&what);
        assert_eq!(
            outcome.seen.timeouts, 0,
            "{what}: backups need no view change"
        );
        assert!(
            down.iter().all(|&i| outcome.seen.fetched[&NodeId(i)] > 10),
            "{what}"
        );
    }
}

#[test]
fn all_crash_and_come_back_from_their_disks() {
    for n in [4, 7] {
        for seed in SEEDS {
            let what = format!("n = {n}, seed {seed}");
            let all: Vec<u32> = (0..n).collect();
            let outcome = Cluster::new(n, seed)
                .fault(crash(nodes(&all), 10, 15))
                .fault(crash(nodes(&all), 20, 22))
                .run();
            outcome.assert_good(&what);
            assert_eq!(outcome.verdict("finality"), Verdict::Pass, "{what}");
            let last = outcome.seen.commits.last().unwrap();
            assert!(*last > secs(25), "{what}: {last}");
        }
    }
}

#[test]
fn all_crash_in_the_middle_of_a_view_change() {
    for seed in SEEDS {
        let what = format!("seed {seed}");
        let outcome = Cluster {
            fsync: Distribution::Constant(ms(40)),
            ..Cluster::new(4, seed)
        }
        .fault(crash(nodes(&[0]), 10, 16))
        .fault(crash(nodes(&[1, 2, 3]), 11, 14))
        .run();
        outcome.assert_good(&what);
    }
}

#[test]
fn a_minority_is_cut_off_and_takes_part_again() {
    // With the leader inside, and without.
    for (n, inside) in [
        (4, vec![0]),
        (4, vec![3]),
        (7, vec![0, 1]),
        (7, vec![5, 6]),
        (21, vec![0, 4, 9, 20]),
    ] {
        let what = format!("n = {n}, {inside:?} cut off");
        let cluster = Cluster {
            period: ms(500),
            ..Cluster::new(n, 5)
        };
        let led = inside.contains(&0);
        let outcome = cluster.fault(cut(nodes(&inside), 10, 20)).run();
        outcome.assert_good(&what);
        outcome.assert_ordered_once(&what);
        let views = &outcome.seen.views;
        if led {
            let first = (0..n).find(|i| !inside.contains(i)).unwrap();
            assert!(
                views.values().all(|&v| v == u64::from(first)),
                "{what}: {views:?}"
            );
        } else {
            assert!(views.values().all(|&view| view == 0), "{what}: {views:?}");
        }
    }
}

#[test]
fn a_node_that_was_cut_off_while_all_else_was_quiet_catches_up() {
    let outcome = Cluster {
        load: (secs(10), secs(18)),
        ..Cluster::new(4, 1)
    }
    .fault(cut(nodes(&[3]), 5, 20))
    .run();
    // What the node submitted itself is ordered after the heal and would tell it.
    outcome.assert_good("busy");
    let outcome = Cluster {
        load: (secs(10), secs(18)),
        clients: vec![0, 1, 2],
        ..Cluster::new(4, 1)
    }
    .fault(cut(nodes(&[3]), 5, 20))
    .run();
    outcome.assert_good("quiet");
    assert_eq!(
        outcome.seen.heights[&NodeId(3)],
        outcome.seen.heights[&NodeId(0)]
    );
    assert!(outcome.seen.fetched[&NodeId(3)] > 50);
}

/// Repeats come further apart the longer nothing comes; with the first news they are made up for.
#[test]
fn what_was_submitted_during_a_long_cut_is_ordered_soon_after_it() {
    let outcome = Cluster {
        end: secs(150),
        load: (secs(1), secs(140)),
        period: ms(1_000),
        bound: Span::from_secs(6),
        ..Cluster::new(4, 3)
    }
    .fault(cut(nodes(&[3]), 10, 130))
    .run();
    outcome.assert_good("a cut of two minutes");
}

#[test]
fn halves_that_cannot_decide_go_on_together() {
    for seed in SEEDS {
        let what = format!("seed {seed}");
        let outcome = Cluster::new(6, seed)
            .fault(cut(nodes(&[0, 1, 2]), 10, 20))
            .run();
        outcome.assert_good(&what);
        outcome.assert_ordered_once(&what);
        let in_cut = |t: &&consim_core::Time| **t > secs(11) && **t < secs(20);
        assert_eq!(
            outcome.seen.commits.iter().filter(in_cut).count(),
            0,
            "{what}"
        );
    }
}

#[test]
fn a_minority_of_more_than_f_pulls_the_others_along() {
    for seed in SEEDS {
        let what = format!("seed {seed}");
        let outcome = Cluster::new(6, seed)
            .fault(cut(nodes(&[4, 5]), 10, 20))
            .run();
        outcome.assert_good(&what);
        outcome.assert_ordered_once(&what);
        let views = &outcome.seen.views;
        assert!(views.values().all(|&view| view == 1), "{what}: {views:?}");
    }
}

#[test]
fn lost_messages_are_made_good() {
    for n in [4, 7] {
        for seed in SEEDS {
            for permille in [20, 200] {
                let what = format!("n = {n}, seed {seed}, loss {permille}");
                let outcome = Cluster::new(n, seed)
                    .datagrams()
                    .fault(loss(n, permille, 5, 25))
                    .run();
                outcome.assert_good(&what);
            }
        }
    }
}

#[test]
fn slow_disks_delay_and_do_no_harm() {
    for seed in SEEDS {
        let what = format!("seed {seed}");
        let slow = Cluster {
            fsync: Distribution::LogNormal {
                median: ms(50),
                p99: ms(200),
            },
            ..Cluster::new(4, seed)
        };
        let outcome = slow
            .fault(crash(nodes(&[0]), 10, 12))
            .fault(crash(nodes(&[2]), 20, 21))
            .run();
        outcome.assert_good(&what);
        outcome.assert_ordered_once(&what);
    }
}

/// What a member handed to one other before it went down is ordered, although neither the member
/// nor the primary knows of it any more.
#[test]
fn a_transaction_that_only_a_bystander_has_is_ordered() {
    let hands_over = traitor(|cx, _, message, _| {
        // Node 1 sends all that it submits to node 2 alone, as if everybody got it, and is patient.
        if let Body::Forward { txs, .. } = &message.body {
            let (txs, to_all) = (txs.clone(), true);
            let body = Body::Forward { txs, to_all };
            cx.send(NodeId(2), Arc::new(Message { chain: CHAIN, body }));
            return true;
        }
        matches!(message.body, Body::Suspect { .. } | Body::ViewChange(_))
    });
    let outcome = Cluster {
        clients: vec![1],
        load: (secs(0), secs(5)),
        end: secs(30),
        corrupt: vec![(1, hands_over)],
        ..Cluster::new(4, 1)
    }
    .run();
    outcome.assert_good("bystander");
    assert_eq!((outcome.seen.applied.len(), outcome.seen.timeouts), (19, 0));
}

/// The 2f+1 of n = 3f+1 taken where it does not hold: at n = 6 two quorums of 3 are disjoint.
#[test]
fn the_wrong_quorum_breaks_agreement_and_the_right_one_does_not() {
    let run = |quorum| {
        Cluster {
            quorum,
            ..Cluster::new(6, 1)
        }
        .fault(cut(nodes(&[0, 1, 2]), 10, 20))
        .run()
    };
    let wrong = run(3);
    assert_eq!(wrong.verdict("agreement"), Verdict::Fail);
    assert_eq!(
        wrong.verdict("no-double-signing"),
        Verdict::Pass,
        "nobody lied"
    );
    let right = run(4);
    assert_eq!(right.verdict("agreement"), Verdict::Pass);
    right.assert_good("quorum 4");
}

/// Crashes that tear what was being written: everybody goes on from what can be read.
#[test]
fn a_torn_tail_of_the_log_is_cut_off() {
    let mut tears = 0;
    for seed in 1..5 {
        let torn = Arc::<AtomicU64>::default();
        let all = nodes(&[0, 1, 2, 3]);
        let outcome = Cluster {
            kept: Kept::Torn,
            torn: Arc::clone(&torn),
            // Many batches, and long writes.
            period: ms(20),
            load: (Time::ZERO, secs(20)),
            fsync: Distribution::Constant(ms(5)),
            ..Cluster::new(4, seed)
        }
        .fault(crash(all.clone(), 5, 6))
        .fault(crash(nodes(&[1, 2]), 9, 10))
        .fault(crash(all, 13, 14))
        .run();
        outcome.assert_good("torn");
        tears += torn.load(Relaxed);
    }
    assert!(tears > 3, "{tears} torn tails");
}
