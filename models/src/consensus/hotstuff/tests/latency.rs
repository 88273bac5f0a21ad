//! With nothing but delays a commit takes what the paper says: a view is a proposal to all and votes to the
//! leader of the next, two delays; a proposal in a chain of k phases is committed where the votes of the
//! kth view meet, 2k delays after it was put forward, and everywhere else one delay later.

use super::{HotStuffOptions, LeaderRule, Phases, cluster};
use crate::consensus::pbft::tests::cluster::{ms, secs};
use consim_core::{Span, Time};

/// When the first transaction, which its leader makes, is committed first and last.
fn commits(n: u32, delay: u64, options: HotStuffOptions) -> (Span, Span) {
    let mut cluster = cluster(n, 1, options).slow_lines(ms(delay));
    cluster.link.rate = 0;
    cluster.ideal = true;
    cluster.timeout = Span::from_secs(10);
    cluster.clients = match options.leader {
        LeaderRule::Stable => vec![0],
        // The leader of the first view.
        LeaderRule::RoundRobin | LeaderRule::Reputation => vec![1],
    };
    cluster.load = (Time::ZERO, Time::ZERO + ms(300));
    cluster.end = secs(20);
    let outcome = cluster.run();
    let submitted = Time::ZERO + ms(250);
    let first = outcome.seen.first.values();
    assert_eq!(first.len(), n as usize);
    let (earliest, latest) = (first.clone().min().unwrap(), first.max().unwrap());
    (*earliest - submitted, *latest - submitted)
}

#[test]
fn a_commit_takes_two_delays_a_phase_and_one_more_for_those_who_hear_of_it() {
    for leader in [LeaderRule::Stable, LeaderRule::RoundRobin] {
        for (phases, k) in [(Phases::Three, 3), (Phases::Two, 2)] {
            for (n, delay) in [(4, 10), (7, 25)] {
                let options = HotStuffOptions {
                    phases,
                    leader,
                    ..HotStuffOptions::default()
                };
                // The lines of one place take a millisecond more.
                let delay = delay + 1;
                let (first, last) = commits(n, delay - 1, options);
                assert_eq!(first, ms(2 * k * delay), "{options:?} n={n}");
                assert_eq!(last, ms((2 * k + 1) * delay), "{options:?} n={n}");
            }
        }
    }
}
