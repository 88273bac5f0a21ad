//! Finality, liveness, convergence. The bound is ten seconds.

use super::History;
use crate::testing::{World, admitted, applied, ms, recovered, s};
use consim_core::{Block, Digest, NodeId};
use std::sync::Arc;

fn blocks(world: &mut World, n: usize) -> Vec<Arc<Block>> {
    (0..n).map(|_| world.block(vec![])).collect()
}

// ---- finality ----------------------------------------------------------------------------------

/// Four nodes execute a block a second, from 1 s on; node a goes down at `down`.
fn until_crash(down: u64) -> (History, Vec<Arc<Block>>) {
    let mut h = History::of("finality");
    let blocks = blocks(&mut h.world, 60);
    for at in 1..=down {
        h.all(s(at), &applied(&blocks[at as usize - 1]));
    }
    h.up(s(down), 0, false);
    (h, blocks)
}

#[test]
fn finality_holds_for_a_node_that_kept_what_it_executed() {
    let (mut h, blocks) = until_crash(30);
    h.up(s(35), 0, true);
    h.probe(s(35), 0, &recovered(30, blocks[29].id));
    h.check.end(s(60));
    h.passes();
}

#[test]
fn finality_forgives_what_was_executed_within_the_bound() {
    let (mut h, blocks) = until_crash(30);
    h.up(s(35), 0, true);
    // Down at 30 s: what was executed before 20 s must be there.
    h.probe(s(35), 0, &recovered(19, blocks[18].id));
    h.check.end(s(36));
    h.passes();
    let (mut h, blocks) = until_crash(30);
    h.up(s(35), 0, true);
    h.probe(s(35), 0, &recovered(18, blocks[17].id));
    h.violation();
}

#[test]
fn finality_counts_no_time_in_which_a_node_stands_still() {
    let paused = |from: u64| {
        let mut h = History::of("finality");
        let blocks = blocks(&mut h.world, 60);
        for at in 1..=30 {
            h.all(s(at), &applied(&blocks[at as usize - 1]));
        }
        h.check.stands_still(s(from), NodeId(0), s(from + 20));
        h.up(s(from + 20), 0, false).up(s(from + 21), 0, true);
        h.probe(s(from + 21), 0, &recovered(29, blocks[28].id));
        h
    };
    // The last block was executed just before the pause, or long before.
    paused(31).passes();
    paused(41).violation();
}

#[test]
fn finality_gives_a_state_that_was_taken_over_time_to_reach_the_disk() {
    let again = |down: u64| {
        let (mut h, blocks) = until_crash(30);
        h.up(s(35), 0, true);
        h.probe(s(35), 0, &recovered(20, blocks[19].id));
        // It takes over a state of the others, and goes down again.
        h.probe(s(36), 0, &recovered(29, blocks[28].id));
        h.up(s(down), 0, false).up(s(down + 1), 0, true);
        h.probe(s(down + 1), 0, &recovered(20, blocks[19].id));
        h
    };
    again(37).passes();
    again(50).violation();
    // In its first life, too.
    let first = |down: u64| {
        let mut h = History::of("finality");
        let blocks = blocks(&mut h.world, 60);
        h.probe(s(36), 0, &recovered(29, blocks[28].id));
        h.up(s(down), 0, false).up(s(down + 1), 0, true);
        h.probe(s(down + 1), 0, &recovered(20, blocks[19].id));
        h
    };
    first(37).passes();
    first(50).violation();
}

#[test]
fn finality_does_not_ask_back_what_the_plan_took_from_disks() {
    let mut h = History::on("finality", &[], true);
    let blocks = blocks(&mut h.world, 60);
    for at in 1..=30 {
        h.all(s(at), &applied(&blocks[at as usize - 1]));
    }
    h.up(s(30), 0, false).up(s(35), 0, true);
    h.probe(s(35), 0, &recovered(9, blocks[8].id));
    h.passes();
    // What it comes back with must be the chain's all the same.
    h.probe(s(36), 0, &recovered(8, blocks[3].id));
    h.violation();
}

#[test]
fn finality_fails_when_a_node_lost_what_it_executed_long_before() {
    let (mut h, blocks) = until_crash(30);
    h.up(s(35), 0, true);
    h.probe(s(35), 0, &recovered(9, blocks[8].id));
    assert_eq!(
        h.violation(),
        "alliance: a came back at height 9, it had executed height 19 long before"
    );
    let mut h = History::of("finality");
    h.probe(s(1), 0, &applied(&blocks[0]));
    h.up(s(11), 0, false).up(s(12), 0, true);
    h.probe(s(12), 0, &recovered(0, Digest::ZERO));
    assert!(
        h.violation()
            .starts_with("alliance: a came back at height 0")
    );
}

#[test]
fn finality_measures_from_the_first_of_two_crashes_without_a_recovery() {
    let (mut h, blocks) = until_crash(3);
    // It goes down again before its process says anything.
    h.up(s(4), 0, true).up(s(20), 0, false).up(s(21), 0, true);
    h.probe(s(21), 0, &recovered(0, Digest::ZERO)).passes();
    // What it came back with is on its disk.
    let mut h = History::of("finality");
    h.up(s(0), 0, false).up(s(1), 0, true);
    h.probe(s(1), 0, &recovered(3, blocks[2].id));
    h.up(s(2), 0, false).up(s(3), 0, true);
    h.probe(s(3), 0, &recovered(2, blocks[1].id));
    assert!(h.violation().contains("had executed height 3 long before"));
}

#[test]
fn finality_fails_when_a_node_comes_back_with_another_block() {
    let (mut h, blocks) = until_crash(30);
    h.up(s(35), 0, true);
    h.probe(s(35), 0, &recovered(30, Digest::ZERO));
    assert_eq!(
        h.violation(),
        format!(
            "alliance: a came back at height 30 with head 00000000, the chain's block is {}",
            blocks[29].id
        )
    );
}

#[test]
fn finality_judges_a_head_that_nobody_has_reported_yet_when_somebody_does() {
    for (head, holds) in [(None, true), (Some(Digest::ZERO), false)] {
        let (mut h, blocks) = until_crash(2);
        h.up(s(5), 0, true);
        h.probe(s(5), 0, &recovered(3, head.unwrap_or(blocks[2].id)));
        h.probe(s(6), 1, &applied(&blocks[2]));
        if holds {
            h.passes();
        } else {
            let id = blocks[2].id;
            assert_eq!(
                h.violation(),
                format!("alliance, height 3: a came back with 00000000, the chain's block is {id}")
            );
        }
    }
}

#[test]
fn finality_fails_when_two_nodes_come_back_with_different_blocks() {
    let (mut h, blocks) = until_crash(2);
    h.up(s(5), 0, true).up(s(5), 1, false).up(s(5), 1, true);
    h.probe(s(5), 0, &recovered(3, blocks[2].id));
    h.probe(s(5), 1, &recovered(3, Digest::ZERO));
    let id = blocks[2].id;
    assert_eq!(
        h.violation(),
        format!("alliance: b came back at height 3 with head 00000000, a with {id}")
    );
}

/// All nodes restart at 3 s, having kept nothing of three blocks of the last seconds.
fn all_restart(kept: u64) -> (History, Vec<Arc<Block>>) {
    let mut h = History::of("finality");
    let blocks = blocks(&mut h.world, 3);
    for (at, block) in (1..).zip(&blocks) {
        h.all(s(at), &applied(block));
    }
    h.fault(s(3), true);
    for node in 0..4 {
        let head = kept
            .checked_sub(1)
            .map_or(Digest::ZERO, |i| blocks[i as usize].id);
        h.up(s(3), node, false).up(s(4), node, true);
        h.probe(s(4), node, &recovered(kept, head));
    }
    h.fault(s(4), false);
    (h, blocks)
}

#[test]
fn finality_fails_when_what_was_committed_vanishes() {
    let (mut h, _) = all_restart(2);
    h.check.end(s(60));
    assert_eq!(
        h.violation(),
        "alliance: height 3 was executed, after the restarts no node is above 2"
    );
}

#[test]
fn finality_gives_restarted_nodes_the_bound_to_commit_it_again() {
    let (mut h, _) = all_restart(2);
    h.check.end(s(13));
    h.passes();
    let (mut h, blocks) = all_restart(2);
    h.probe(s(6), 2, &applied(&blocks[2]));
    h.check.end(s(60));
    h.passes();
}

// ---- liveness ----------------------------------------------------------------------------------

/// Node a takes in one transaction at 1 s.
fn taken_in() -> (History, Arc<Block>) {
    let mut h = History::of("liveness");
    let tx = h.world.tx(0, 1);
    h.probe(s(1), 0, &admitted(&tx));
    let block = h.world.block(vec![tx]);
    (h, block)
}

#[test]
fn liveness_holds_up_to_the_bound_and_fails_after_it() {
    let (mut h, block) = taken_in();
    h.probe(s(11), 2, &applied(&block));
    h.check.end(s(60));
    h.passes();
    assert_eq!(h.finding().evaluated, 1);
    let (mut h, block) = taken_in();
    h.probe(ms(11_001), 2, &applied(&block));
    h.check.end(s(60));
    assert_eq!(
        h.violation(),
        "alliance: transaction 1 of a, taken in at 1s, was not executed within 10s"
    );
}

#[test]
fn liveness_is_not_yet_judged_when_the_run_ends_before_the_bound() {
    let (mut h, _) = taken_in();
    h.check.end(s(11));
    h.unknown();
    let (mut h, _) = taken_in();
    h.check.end(ms(11_001));
    h.violation();
}

#[test]
fn liveness_waits_for_the_end_of_the_last_fault() {
    let (mut h, block) = taken_in();
    h.fault(s(5), true).fault(s(6), true).fault(s(20), false);
    h.fault(s(40), false);
    h.probe(s(50), 2, &applied(&block)).passes();
    let (mut h, block) = taken_in();
    h.fault(s(5), true).fault(s(40), false);
    h.probe(ms(50_001), 2, &applied(&block));
    h.violation();
    // While one is open there is no bound.
    let (mut h, _) = taken_in();
    h.fault(s(5), true);
    h.check.end(s(1_000));
    h.unknown();
    // A fault that begins when it is due comes too late.
    let (mut h, _) = taken_in();
    h.fault(s(12), true);
    h.check.end(s(1_000));
    h.violation();
}

#[test]
fn liveness_does_not_ask_for_what_only_a_crashed_node_had() {
    let (mut h, _) = taken_in();
    h.up(s(2), 0, false).up(s(3), 0, true);
    h.check.end(s(60));
    h.unknown();
}

#[test]
fn liveness_asks_for_what_another_node_has_as_well_from_when_it_had_it() {
    let (mut h, block) = taken_in();
    let tx = Arc::clone(&block.committed.batch.txs()[0]);
    h.probe(s(4), 1, &admitted(&tx));
    h.up(s(5), 0, false);
    h.probe(s(14), 1, &applied(&block)).passes();
    let (mut h, block) = taken_in();
    h.probe(s(4), 1, &admitted(&tx));
    h.up(s(5), 0, false);
    h.probe(ms(14_001), 1, &applied(&block));
    assert!(h.violation().contains("taken in at 4s"));
}

#[test]
fn liveness_does_not_wait_again_for_what_was_executed() {
    let (mut h, block) = taken_in();
    h.all(s(2), &applied(&block));
    let tx = Arc::clone(&block.committed.batch.txs()[0]);
    h.probe(s(3), 3, &admitted(&tx));
    h.check.end(s(60));
    h.passes();
}

#[test]
fn liveness_counts_every_transaction_that_waits() {
    let mut h = History::of("liveness");
    for n in 1..=20 {
        let tx = h.world.tx(0, n);
        h.probe(s(n), 0, &admitted(&tx));
        if n == 7 {
            let block = h.world.block(vec![tx]);
            h.probe(s(8), 1, &applied(&block));
        }
    }
    h.check.end(s(25));
    // Those of 1 s to 14 s are due before 25 s, and the seventh was executed.
    let finding = h.finding();
    assert_eq!((finding.evaluated, finding.violated), (14, 13));
}

// ---- convergence -------------------------------------------------------------------------------

/// Three nodes execute a block at each of these seconds; node d only the first `last` of them.
fn behind(seconds: &[u64], last: usize) -> (History, Vec<Arc<Block>>) {
    let mut h = History::of("convergence");
    let blocks = blocks(&mut h.world, seconds.len());
    for (i, (&at, block)) in seconds.iter().zip(&blocks).enumerate() {
        for node in 0..if i < last { 4 } else { 3 } {
            h.probe(s(at), node, &applied(block));
        }
    }
    (h, blocks)
}

#[test]
fn convergence_holds_when_every_node_has_what_is_older_than_the_bound() {
    let (mut h, _) = behind(&[1, 2, 3, 55, 59], 3);
    h.check.end(s(60));
    h.passes();
    assert_eq!(h.finding().evaluated, 4);
}

#[test]
fn convergence_fails_for_a_node_that_stays_behind() {
    let (mut h, _) = behind(&[1, 2, 3, 55, 59], 2);
    h.check.end(s(60));
    assert_eq!(
        h.violation(),
        "alliance: d ends at height 2, the chain had reached 3 10s before"
    );
    let (mut h, _) = behind(&[1, 2], 0);
    h.check.end(s(60));
    assert!(h.violation().starts_with("alliance: d ends at height 0"));
}

#[test]
fn convergence_does_not_judge_a_node_that_is_down_or_came_up_within_the_bound() {
    let (mut h, _) = behind(&[1, 2, 3], 2);
    h.up(s(5), 3, false);
    h.check.end(s(60));
    h.passes();
    assert_eq!(h.finding().evaluated, 3);
    let (mut h, blocks) = behind(&[1, 2, 3], 2);
    h.up(s(5), 3, false).up(s(51), 3, true);
    h.probe(s(51), 3, &recovered(2, blocks[1].id));
    h.check.end(s(60));
    h.passes();
    let (mut h, blocks) = behind(&[1, 2, 3], 2);
    h.up(s(5), 3, false).up(s(50), 3, true);
    h.probe(s(50), 3, &recovered(2, blocks[1].id));
    h.check.end(s(60));
    h.violation();
}

#[test]
fn convergence_lets_a_node_catch_up_in_time() {
    let (mut h, blocks) = behind(&[1, 2, 3], 1);
    h.up(s(5), 3, false).up(s(40), 3, true);
    h.probe(s(40), 3, &recovered(1, blocks[0].id));
    h.probe(s(49), 3, &applied(&blocks[1]));
    h.probe(s(49), 3, &applied(&blocks[2]));
    h.check.end(s(60));
    h.passes();
    assert_eq!(h.finding().evaluated, 4);
}

#[test]
fn convergence_judges_the_disk_that_a_node_came_back_with() {
    let (mut h, blocks) = behind(&[1, 2, 3], 3);
    h.up(s(5), 3, false).up(s(6), 3, true);
    h.probe(s(6), 3, &recovered(1, blocks[0].id));
    h.check.end(s(60));
    assert!(h.violation().starts_with("alliance: d ends at height 1,"));
}

#[test]
fn convergence_waits_the_bound_after_the_last_fault() {
    let (mut h, _) = behind(&[1, 2, 3], 2);
    h.fault(s(2), true).fault(s(51), false);
    h.check.end(s(60));
    h.unknown();
    let (mut h, _) = behind(&[1, 2, 3], 2);
    h.fault(s(2), true).fault(s(50), false);
    h.check.end(s(60));
    h.violation();
    let (mut h, _) = behind(&[1, 2, 3], 2);
    h.fault(s(2), true);
    h.check.end(s(60));
    h.unknown();
}

#[test]
fn convergence_is_unknown_when_nothing_is_older_than_the_bound() {
    let (mut h, _) = behind(&[51, 55], 0);
    h.check.end(s(60));
    h.unknown();
}

#[test]
fn convergence_fails_for_a_node_with_another_head() {
    let (mut h, _) = behind(&[1, 2], 1);
    let mut other = World::new(4);
    other.block(vec![]);
    let fork = other.fork(vec![other.tx(1, 1)]);
    h.probe(s(3), 3, &applied(&fork));
    h.check.end(s(60));
    assert_eq!(
        h.violation(),
        format!(
            "alliance: d ends at height 2 with another head, {}",
            fork.id
        )
    );
}
