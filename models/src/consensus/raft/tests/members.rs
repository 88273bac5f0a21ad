//! Joint consensus.

use super::arena::{Arena, everybody};
use crate::consensus::raft::RaftOptions;
use crate::consensus::raft::membership::Configuration;
use consim_core::{NodeId, Span, Time};
use std::sync::Arc;

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

/// Three members of five, with a leader.
fn arena() -> (Arena, u32) {
    let mut arena = Arena::new(5, 3, 11, RaftOptions::default());
    arena.run(at(5), |_, _, _| false);
    let leader = arena.leader().unwrap();
    (arena, leader)
}

fn change(arena: &mut Arena, leader: u32, members: &[u32]) -> bool {
    let members: Arc<[NodeId]> = members.iter().map(|&n| NodeId(n)).collect();
    let mut taken = false;
    arena.within(leader, |r, cx| taken = r.change_members(cx, members));
    taken
}

#[test]
fn new_members_catch_up_and_decide() {
    let (mut arena, leader) = arena();
    for _ in 0..20 {
        arena.submit(leader);
        arena.run(arena.now + Span::from_millis(50), |_, _, _| false);
    }
    assert!(change(&mut arena, leader, &[0, 1, 2, 3, 4]));
    assert!(!change(&mut arena, leader, &[0, 1, 2]), "one at a time");
    arena.run(at(10), |_, _, _| false);
    arena.assert_sound();
    let configuration = &arena.seats[leader as usize].replica.configuration;
    assert_eq!(**configuration, Configuration::of(everybody(5)));
    assert_eq!(arena.marks["joint-committed"], 1);
    assert!(
        arena.marks["snapshot-sent"] > 0,
        "the log was cut long before"
    );
    // Two of the old ones may crash now.
    let old: Vec<u32> = (0..3).filter(|i| *i != leader).collect();
    arena.crash(old[0], 0);
    arena.crash(old[1], 0);
    let before = arena.committed.len();
    arena.submit(leader);
    arena.run(at(20), |_, _, _| false);
    assert!(arena.committed.len() > before);
    let head = arena.seats[leader as usize].ledger.head_id();
    assert_eq!(arena.seats[4].ledger.head_id(), head);
}

#[test]
fn a_joint_configuration_needs_both_majorities() {
    let (mut arena, leader) = arena();
    assert!(change(&mut arena, leader, &[leader, 3, 4]));
    let before = arena.committed.len();
    // Nobody of the new ones hears: the old majority alone decides nothing.
    arena.run(at(7), |from, to, _| from.0 > 2 || to.0 > 2);
    assert_eq!(arena.committed.len(), before);
    assert!(
        arena.seats[leader as usize]
            .replica
            .configuration
            .is_joint()
    );
    arena.run(at(15), |_, _, _| false);
    arena.assert_sound();
    let leader = arena.leader().unwrap();
    assert!(
        !arena.seats[leader as usize]
            .replica
            .configuration
            .is_joint()
    );
}

#[test]
fn a_leader_that_is_removed_gives_its_place_away() {
    let (mut arena, leader) = arena();
    let rest: Vec<u32> = (0..4).filter(|i| *i != leader).collect();
    assert!(change(&mut arena, leader, &rest));
    arena.run(at(6), |_, _, _| false);
    arena.assert_sound();
    let next = arena.leader().unwrap();
    assert!(rest.contains(&next), "{next}");
    assert_eq!(arena.marks["leader-removed"], 1);
    assert_eq!(arena.marks["place-given"], 1);
    let term = arena.seats[next as usize].replica.term;
    // The one that is out does not disturb.
    arena.run(at(40), |_, _, _| false);
    assert_eq!(arena.seats[next as usize].replica.term, term);
}
