//! Whole clusters in which something breaks and heals.

use super::{cluster, settings};
use crate::consensus::hotstuff::{HotStuffOptions, LeaderRule, Phases};
use crate::consensus::pbft::tests::cluster::{crash, cut, loss, nodes, secs};
use crate::consensus::pbft::tests::disks::Kept;
use consim_core::{NodeId, Span};

#[test]
fn all_is_ordered_once_where_nothing_breaks() {
    for options in settings() {
        for n in [4, 6, 7] {
            let what = format!("{options:?} n={n}");
            let outcome = cluster(n, 11, options).run();
            outcome.assert_good(&what);
            outcome.assert_ordered_once(&what);
            assert_eq!(outcome.seen.applied, outcome.seen.admitted, "{what}");
            assert_eq!(outcome.seen.timeouts, 0, "{what}");
        }
    }
}

#[test]
fn a_chain_without_work_rests() {
    for options in settings() {
        let mut cluster = cluster(4, 3, options);
        cluster.load = (secs(0), secs(2));
        cluster.end = secs(60);
        let outcome = cluster.run();
        outcome.assert_good(&format!("{options:?}"));
        let last = outcome.seen.last;
        assert!(last > secs(1) && last < secs(4), "{options:?}: {last:?}");
        // The last empty batch is committed by its leader alone; the others hear of it in a quiet time.
        let rest = outcome.seen.commits.iter().max().unwrap();
        assert!(*rest < secs(20), "{options:?}: {rest:?}");
        assert_eq!(outcome.seen.timeouts, 0, "{options:?}");
    }
}

#[test]
fn a_crashed_member_does_not_stop_the_others() {
    for options in settings() {
        for who in [0, 1, 3] {
            let outcome = cluster(4, 5, options)
                .fault(crash(nodes(&[who]), 5, 15))
                .run();
            outcome.assert_good(&format!("{options:?}, {who} down"));
            // By reputation somebody else may lead all the time.
            let led = who == 0 && options.leader != LeaderRule::Reputation;
            assert!(outcome.seen.timeouts > 0 || !led, "{options:?}");
        }
    }
}

/// How often members gave a view up while member 1 of `n` was away or silent.
fn timeouts(n: u32, options: HotStuffOptions, kept: Kept, to: u64) -> u64 {
    let mut cluster = cluster(n, 5, options).fault(crash(nodes(&[1]), 5, to));
    cluster.clients = (0..n).filter(|&client| client != 1).collect();
    cluster.kept = kept;
    let outcome = cluster.run();
    let violations = outcome.violations();
    assert!(violations.is_empty(), "n={n} {options:?}: {violations:#?}");
    outcome.seen.timeouts
}

#[test]
fn by_reputation_one_that_is_away_is_chosen_once_at_most() {
    for phases in [Phases::Two, Phases::Three] {
        for (n, kept, to) in [
            (4, Kept::All, 58),
            (7, Kept::All, 58),
            (4, Kept::Nothing, 6),
        ] {
            let of = |leader| HotStuffOptions {
                phases,
                leader,
                ..HotStuffOptions::default()
            };
            let turns = timeouts(n, of(LeaderRule::RoundRobin), kept, to);
            let chosen = timeouts(n, of(LeaderRule::Reputation), kept, to);
            // Four failed views at most: it is chosen once, its turn may come once before anything is
            // committed again, and what waited for it in either is found in the others' timeouts.
            let most = 4 * u64::from(n - 1);
            assert!(chosen <= most, "n={n} {phases:?}: {chosen}");
            let for_good = to > 6;
            assert!(turns > 4 * chosen || !for_good, "n={n} {phases:?}: {turns}");
        }
    }
}

#[test]
fn two_of_seven_may_be_down_for_good() {
    for options in settings() {
        let mut cluster = cluster(7, 5, options).fault(crash(nodes(&[0, 4]), 5, 58));
        cluster.clients = vec![1, 2, 3, 5, 6];
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
    for options in settings() {
        let all = nodes(&[0, 1, 2, 3]);
        let mut cluster = cluster(4, 8, options).fault(crash(all, 10, 12));
        cluster.kept = Kept::Torn;
        let outcome = cluster.run();
        outcome.assert_good(&format!("{options:?}"));
    }
}

#[test]
fn cuts_and_losses_heal() {
    for options in settings() {
        let mut cluster = cluster(4, 9, options)
            .fault(cut(nodes(&[0, 1]), 5, 12))
            .fault(loss(4, 100, 14, 24))
            .datagrams();
        cluster.bound = Span::from_secs(30);
        cluster.end = secs(90);
        let outcome = cluster.run();
        outcome.assert_good(&format!("{options:?}"));
    }
}

#[test]
fn one_with_a_wiped_disk_is_silent_and_then_votes_again() {
    for options in settings() {
        let mut cluster = cluster(4, 9, options).fault(crash(nodes(&[2]), 5, 6));
        cluster.kept = Kept::Nothing;
        let outcome = cluster.run();
        outcome.assert_good(&format!("{options:?}"));
        assert!(outcome.seen.fetched[&NodeId(2)] > 0, "{options:?}");
    }
}

#[test]
fn one_that_was_away_for_long_takes_a_state_over() {
    for options in settings() {
        let mut cluster = cluster(4, 4, options).fault(crash(nodes(&[3]), 3, 25));
        cluster.clients = vec![0, 1, 2];
        cluster.keep = Some(8);
        let outcome = cluster.run();
        let violations = outcome.violations();
        assert!(violations.is_empty(), "{options:?}: {violations:#?}");
        assert!(!outcome.seen.taken[&NodeId(3)].is_empty(), "{options:?}");
        let heights = &outcome.seen.heights;
        assert_eq!(heights[&NodeId(3)], heights[&NodeId(0)], "{options:?}");
    }
}
