//! Members that are too far behind, and logs that part.

use super::arena::Arena;
use crate::consensus::raft::RaftOptions;
use crate::consensus::raft::message::Body;
use consim_core::{Span, Time};

/// One member is cut off while `blocks` are made; how far all are in the end, and the marks.
fn behind(blocks: u32) -> (Vec<u64>, Arena) {
    let mut arena = Arena::new(3, 3, 4, RaftOptions::default());
    arena.run(Time::ZERO + Span::from_secs(3), |_, _, _| false);
    let leader = arena.leader().unwrap();
    let lone = (leader + 1) % 3;
    let cut = |from: consim_core::NodeId, to: consim_core::NodeId, _: &Body| {
        from.0 == lone || to.0 == lone
    };
    for _ in 0..blocks {
        arena.submit(leader);
        arena.run(arena.now + Span::from_millis(20), cut);
    }
    arena.run(arena.now + Span::from_secs(10), |_, _, _| false);
    arena.submit(leader);
    arena.run(arena.now + Span::from_secs(5), |_, _, _| false);
    arena.assert_sound();
    let ends = arena.seats.iter().map(|s| s.replica.executed).collect();
    (ends, arena)
}

#[test]
fn a_few_entries_are_sent_again_and_of_many_the_state() {
    let (ends, arena) = behind(3);
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
    assert!(!arena.marks.contains_key("snapshot-sent"));
    let (ends, arena) = behind(40);
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
    assert!(arena.marks["snapshot-sent"] > 0);
    let logs = arena.seats.iter().map(|s| &s.replica.log);
    assert!(
        logs.map(|log| log.term(log.base()))
            .all(|term| term > Some(0))
    );
    let heads: Vec<_> = arena.seats.iter().map(|s| s.ledger.head_id()).collect();
    assert!(heads.iter().all(|head| *head == heads[0]));
}

#[test]
fn a_state_that_was_taken_over_is_there_after_a_restart() {
    let (ends, mut arena) = behind(40);
    for i in 0..3 {
        arena.crash(i, 0);
        arena.recover(i);
    }
    arena.run(arena.now + Span::from_secs(8), |_, _, _| false);
    let leader = arena.leader().unwrap();
    arena.submit(leader);
    arena.run(arena.now + Span::from_secs(8), |_, _, _| false);
    arena.assert_sound();
    assert!(arena.marks["raft-came-back-from-taken-state"] > 0);
    let now: Vec<u64> = arena.seats.iter().map(|s| s.replica.executed).collect();
    assert!(now.iter().all(|end| *end > ends[0]), "{now:?}");
}

#[test]
fn a_suffix_that_nobody_else_has_is_replaced_by_whole_terms() {
    let options = RaftOptions {
        snapshot: Some(1_000),
        ..RaftOptions::default()
    };
    let mut arena = Arena::new(5, 5, 9, options);
    arena.run(Time::ZERO + Span::from_secs(3), |_, _, _| false);
    let leader = arena.leader().unwrap();
    // Entries that go nowhere, at two leaders one after the other.
    for _ in 0..10 {
        arena.submit(leader);
    }
    let until = arena.now + Span::from_secs(6);
    arena.run(until, |from, to, _| from.0 == leader || to.0 == leader);
    let next = arena.leader().unwrap();
    assert_ne!(next, leader);
    arena.submit(next);
    arena.run(until + Span::from_secs(6), |_, _, _| false);
    arena.assert_sound();
    assert!(
        arena.marks.contains_key("suffix-replaced"),
        "{:?}",
        arena.marks
    );
}
