//! Elections, and reads of leaders that were deposed.

use super::arena::Arena;
use crate::consensus::Replica as _;
use crate::consensus::raft::{RaftOptions, ReadMode};
use consim_core::{Span, Time};

fn at(millis: u64) -> Time {
    Time::ZERO + Span::from_millis(millis)
}

fn options() -> RaftOptions {
    RaftOptions::default()
}

fn elected(options: RaftOptions) -> (Arena, u32) {
    let mut arena = Arena::new(5, 5, 2, options);
    arena.run(at(5_000), |_, _, _| false);
    let leader = arena.leader().unwrap();
    (arena, leader)
}

/// Terms that pass when one member is cut off for a while and comes back.
fn terms_of_a_cut(options: RaftOptions) -> u64 {
    let (mut arena, leader) = elected(options);
    let lone = (leader + 1) % 5;
    let before = arena.seats[leader as usize].replica.term;
    arena.run(at(30_000), |from, to, _| from.0 == lone || to.0 == lone);
    arena.run(at(40_000), |_, _, _| false);
    arena.assert_sound();
    let now = arena.leader().unwrap();
    arena.seats[now as usize].replica.term - before
}

#[test]
fn who_was_cut_off_disturbs_nobody_with_pre_votes() {
    assert_eq!(terms_of_a_cut(options()), 0);
    let without = RaftOptions {
        pre_vote: false,
        check_quorum: false,
        ..options()
    };
    assert!(terms_of_a_cut(without) > 5);
}

#[test]
fn a_leader_that_hears_no_majority_steps_down() {
    for check_quorum in [true, false] {
        let (mut arena, leader) = elected(RaftOptions {
            check_quorum,
            ..options()
        });
        arena.run(at(9_000), |from, to, _| from.0 == leader || to.0 == leader);
        let leads = arena.seats[leader as usize].replica.leads();
        assert_eq!(leads, !check_quorum);
        assert_ne!(arena.leader(), Some(leader));
    }
}

/// Cuts the leader off for `millis`, and asks it then.
fn read_of_a_cut_leader(read: ReadMode, millis: u64) -> Option<u64> {
    let (mut arena, leader) = elected(RaftOptions { read, ..options() });
    let until = at(5_000 + millis);
    arena.run(until, |from, to, _| from.0 == leader || to.0 == leader);
    let mut answer = None;
    arena.within(leader, |r, cx| answer = r.read(cx, 7));
    if answer.is_none() {
        let until = arena.now + Span::from_millis(300);
        arena.run(until, |from, to, _| from.0 == leader || to.0 == leader);
        answer = arena.seats[leader as usize].reads.first().map(|r| r.1);
    }
    answer
}

#[test]
fn a_leader_that_is_cut_off_answers_no_read_but_under_its_lease() {
    assert_eq!(read_of_a_cut_leader(ReadMode::Index, 0), None);
    assert!(read_of_a_cut_leader(ReadMode::Lease, 500).is_some());
    assert_eq!(read_of_a_cut_leader(ReadMode::Lease, 950), None);
}

/// Cuts the leader off, and asks it as soon as another one has committed something: does it answer?
fn reads_under_an_old_lease(pace: u64) -> bool {
    let options = RaftOptions {
        read: ReadMode::Lease,
        ..options()
    };
    let (mut arena, leader) = elected(options);
    for seat in (0..5).filter(|seat| *seat != leader) {
        arena.pace[seat as usize] = pace;
    }
    arena.run(at(6_000), |_, _, _| false);
    let mut until = arena.now;
    let leads = |arena: &Arena| arena.leader().filter(|now| *now != leader);
    while leads(&arena).is_none_or(|next| {
        let replica = &arena.seats[next as usize].replica;
        replica.commit < replica.log.last()
    }) {
        until += Span::from_millis(1);
        arena.run(until, |from, to, _| from.0 == leader || to.0 == leader);
    }
    let mut answer = None;
    arena.within(leader, |r, cx| answer = r.read(cx, 7));
    answer.is_some()
}

#[test]
fn a_lease_holds_as_long_as_oscillators_agree() {
    assert!(!reads_under_an_old_lease(1_000));
    assert!(!reads_under_an_old_lease(950));
    assert!(reads_under_an_old_lease(300));
}

#[test]
fn a_follower_asks_the_leader_before_it_answers() {
    let (mut arena, leader) = elected(options());
    let follower = (leader + 1) % 5;
    let mut answer = Some(0);
    arena.within(follower, |r, cx| answer = r.read(cx, 3));
    assert_eq!(answer, None);
    arena.run(at(5_100), |_, _, _| false);
    let commit = arena.seats[leader as usize].replica.commit;
    assert_eq!(arena.seats[follower as usize].reads, [(3, commit)]);
}
