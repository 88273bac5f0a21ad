//! Coming back, with and without what was promised.

use super::arena::Arena;
use crate::consensus::raft::RaftOptions;
use consim_core::{Disk, Span, Time};

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

fn loaded(n: u32) -> (Arena, u32) {
    let mut arena = Arena::new(n, n, 5, RaftOptions::default());
    arena.run(at(3), |_, _, _| false);
    for i in 0..10 {
        arena.submit(i % n);
        arena.run(arena.now + Span::from_millis(100), |_, _, _| false);
    }
    let leader = arena.leader().unwrap();
    (arena, leader)
}

#[test]
fn a_torn_end_is_cut_off_and_nothing_else() {
    let (mut arena, leader) = loaded(3);
    let follower = (leader + 1) % 3;
    let last = arena.seats[follower as usize].replica.log.last();
    arena.submit(leader);
    // The follower gets the entry, and goes down while it writes it.
    while arena.seats[follower as usize].replica.log.last() == last {
        if arena.wire.is_empty() {
            arena.tick();
        } else {
            arena.arrive(0);
        }
        arena.sync(leader);
    }
    arena.crash(follower, 20);
    arena.recover(follower);
    assert_eq!(arena.marks["torn-end-cut"], 1);
    assert!(arena.seats[follower as usize].replica.silent.is_none());
    assert_eq!(arena.seats[follower as usize].replica.log.last(), last);
    arena.run(arena.now + Span::from_secs(3), |_, _, _| false);
    arena.assert_sound();
    let head = arena.seats[leader as usize].ledger.head_id();
    assert_eq!(arena.seats[follower as usize].ledger.head_id(), head);
}

#[test]
fn a_wiped_member_gives_no_vote_before_it_has_everything() {
    let (mut arena, leader) = loaded(3);
    let follower = (leader + 1) % 3;
    arena.crash(follower, 0);
    arena.seats[follower as usize].disk = Disk::default();
    arena.recover(follower);
    assert!(arena.seats[follower as usize].replica.silent.is_some());
    // Alone with the leader it does not know enough: the third may know of a later term.
    let third = 3 - leader - follower;
    let until = arena.now + Span::from_secs(3);
    arena.run(until, |from, to, _| from.0 == third || to.0 == third);
    assert!(arena.seats[follower as usize].replica.must_not_follow());
    arena.run(until + Span::from_secs(5), |_, _, _| false);
    arena.assert_sound();
    assert!(arena.seats[follower as usize].replica.silent.is_none());
    assert_eq!(arena.marks["raft-silence-over"], 1);
    // From now on it counts: with it alone the other one elects a leader.
    arena.crash(leader, 0);
    arena.run(until + Span::from_secs(15), |_, _, _| false);
    arena.assert_sound();
    assert!(arena.leader().is_some_and(|now| now != leader));
}

#[test]
fn a_silent_member_that_restarts_is_silent_still() {
    let (mut arena, leader) = loaded(3);
    let follower = (leader + 1) % 3;
    arena.crash(follower, 0);
    arena.seats[follower as usize].disk = Disk::default();
    arena.recover(follower);
    let until = arena.now + Span::from_secs(2);
    arena.run(until, |_, to, _| to.0 == follower);
    arena.crash(follower, 0);
    arena.recover(follower);
    assert!(arena.seats[follower as usize].replica.silent.is_some());
}
