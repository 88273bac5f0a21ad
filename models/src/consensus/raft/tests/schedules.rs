//! Random schedules: messages are lost, doubled and overtake each other, replicas crash with torn writes,
//! lose their disks one at a time, members change.

use super::arena::{Arena, everybody};
use super::cases;
use crate::consensus::MemberChange;
use crate::consensus::raft::seeded;
use crate::consensus::raft::{RaftOptions, ReadMode};
use consim_core::seeded::with;
use consim_core::{NodeId, SeededBug, Span, Time};
use proptest::prelude::*;

/// A run of `steps` random steps, of `n` members out of `n + more`.
fn run(n: u32, more: u32, seed: u64, options: RaftOptions, steps: usize) -> Arena {
    let mut arena = Arena::new(n + more, n, seed, options);
    let all = n + more;
    for step in 0..steps {
        let who = arena.draw(all as usize) as u32;
        match arena.draw(100) {
            0..=49 if !arena.wire.is_empty() => {
                // Mostly in order, so that something happens.
                let most = arena.wire.len().min(6);
                let at = arena.draw(most);
                arena.arrive(at);
            }
            50..=53 if !arena.wire.is_empty() => {
                let at = arena.draw(arena.wire.len());
                arena.wire.remove(at);
            }
            54..=55 if !arena.wire.is_empty() => {
                let at = arena.draw(arena.wire.len());
                let again = arena.wire[at].clone();
                arena.wire.push(again);
            }
            56..=83 => arena.sync(who),
            84..=89 => arena.submit(who),
            90..=91 => {
                let down = arena.seats.iter().filter(|s| !s.up).count() as u32;
                if down < n.div_ceil(2) {
                    let torn = arena.draw(400);
                    arena.crash(who, torn);
                }
            }
            92..=93 => arena.recover(who),
            94 if more > 0 => {
                if let Some(leader) = arena.leader() {
                    let without = arena.draw(all as usize) as u32;
                    let before = &arena.seats[leader as usize].replica.configuration;
                    let change = MemberChange {
                        number: before.change + 1,
                        add: everybody(all)
                            .iter()
                            .copied()
                            .filter(|m| m.0 != without)
                            .collect(),
                        remove: vec![NodeId(without)],
                        renew: Vec::new(),
                    };
                    arena.within(leader, |r, cx| {
                        r.asked_to_change(cx, &change);
                        r.flush(cx);
                    });
                }
            }
            _ if arena.wire.len() < 40 => arena.tick(),
            _ => {}
        }
        if step.is_multiple_of(16) {
            arena.look();
        }
    }
    arena
}

/// After that, everything is well again: what waits is ordered, and all have it.
fn heal(arena: &mut Arena) {
    for i in 0..arena.seats.len() as u32 {
        arena.recover(i);
    }
    let until = arena.now + Span::from_secs(30);
    arena.run(until, |_, _, _| false);
    let before = arena.committed.len();
    let leader = arena.leader().expect("a leader");
    arena.submit(leader);
    arena.run(until + Span::from_secs(20), |_, _, _| false);
    arena.look();
    arena.assert_sound();
    assert!(
        arena.committed.len() > before,
        "nothing is ordered any more"
    );
    let leader = arena.leader().unwrap();
    let members = arena.seats[leader as usize].replica.everybody.clone();
    let executed = |n: &NodeId| arena.seats[n.index()].replica.executed;
    let last = executed(&NodeId(leader));
    assert!(
        members.iter().all(|n| executed(n) == last),
        "somebody is behind"
    );
    let root = |n: &NodeId| arena.seats[n.index()].ledger.head_id();
    assert!(members.iter().all(|n| root(n) == root(&NodeId(leader))));
}

fn options() -> impl Strategy<Value = RaftOptions> {
    let read = prop_oneof![Just(ReadMode::Index), Just(ReadMode::Lease)];
    (any::<bool>(), any::<bool>(), read).prop_map(|(pre_vote, check_quorum, read)| RaftOptions {
        pre_vote,
        check_quorum,
        read,
        snapshot: Some(6),
    })
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn whatever_happens_the_properties_hold(
        n in 3u32..8,
        seed in any::<u64>(),
        options in options(),
    ) {
        let mut arena = run(n, 0, seed, options, 2_500);
        arena.assert_sound();
        heal(&mut arena);
    }

    #[test]
    fn also_while_members_change(
        n in 3u32..6,
        more in 1u32..3,
        seed in any::<u64>(),
        options in options(),
    ) {
        // Who is out and does not know it disturbs the others, unless they do not listen (thesis, 4.2.3).
        let options = RaftOptions { check_quorum: true, ..options };
        let mut arena = run(n, more, seed, options, 2_500);
        arena.assert_sound();
        heal(&mut arena);
    }
}

/// How many of `runs` break with a bug.
fn broken_with(bug: &'static SeededBug, runs: u64) -> usize {
    let breaks = |seed: &u64| {
        with(Some(bug), || {
            let options = RaftOptions {
                snapshot: Some(1_000),
                ..RaftOptions::default()
            };
            !run(3 + (seed % 3) as u32, 0, *seed, options, 4_000)
                .broken
                .is_empty()
        })
    };
    (0..runs).filter(breaks).count()
}

#[test]
fn what_the_paper_warns_of_is_seen() {
    for (bug, runs) in [
        (&seeded::VOTE_IN_MEMORY, 20),
        (&seeded::VOTE_WITHOUT_LOG_CHECK, 20),
    ] {
        assert!(broken_with(bug, runs) > 0, "{}", bug.name);
    }
}

#[test]
fn a_group_at_rest_elects_one_leader_and_keeps_it() {
    let mut arena = Arena::new(5, 5, 3, RaftOptions::default());
    arena.run(Time::ZERO + Span::from_secs(30), |_, _, _| false);
    arena.assert_sound();
    assert_eq!(arena.leaders.len(), 1, "{:?}", arena.leaders);
}
