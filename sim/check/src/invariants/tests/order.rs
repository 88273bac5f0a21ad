//! Agreement, prefix order, at most once, equal state roots.

use super::History;
use crate::testing::{World, applied, batch, committed, recovered, s};
use consim_core::{Block, Certificate, Committed, Digest, Probe, Receipt, Verdict};
use std::sync::Arc;

/// A second chain from the start, with other transactions.
fn other() -> World {
    World::new(4)
}

// ---- agreement ---------------------------------------------------------------------------------

#[test]
fn agreement_holds_while_all_commit_the_same_batches() {
    let mut h = History::of("agreement");
    for n in 1..=3 {
        let tx = h.world.tx(0, n);
        let block = h.world.block(vec![tx]);
        h.all(s(n), &committed(&block));
    }
    h.passes();
    // The first commit of a sequence number has nothing to be compared with.
    assert_eq!(h.finding().evaluated, 9);
}

#[test]
fn agreement_is_unknown_with_one_node_alone() {
    let mut h = History::of("agreement");
    let block = h.world.block(vec![]);
    h.probe(s(1), 0, &committed(&block)).unknown();
}

#[test]
fn agreement_fails_when_two_nodes_commit_different_batches() {
    let mut h = History::of("agreement");
    let tx = h.world.tx(0, 1);
    let block = h.world.block(vec![tx]);
    let fork = other().fork(vec![other().tx(1, 1)]);
    h.probe(s(1), 0, &committed(&block));
    h.probe(s(1), 1, &committed(&fork));
    h.probe(s(1), 2, &committed(&block));
    let (one, two) = (block.header.batch, fork.header.batch);
    assert_eq!(
        h.violation(),
        format!("alliance, sequence 1: b committed batch {two}, a committed {one}")
    );
}

#[test]
fn agreement_fails_when_a_node_commits_another_batch_in_its_next_life() {
    let mut h = History::of("agreement");
    let tx = h.world.tx(0, 1);
    let block = h.world.block(vec![tx]);
    let fork = other().fork(vec![]);
    h.probe(s(1), 0, &committed(&block));
    h.up(s(2), 0, false).up(s(3), 0, true);
    h.probe(s(4), 0, &committed(&fork));
    assert!(h.violation().contains("a committed batch"));
}

#[test]
fn agreement_compares_later_sequence_numbers_first_reported_out_of_order() {
    let mut h = History::of("agreement");
    let blocks: Vec<Arc<Block>> = (0..4).map(|_| h.world.block(vec![])).collect();
    for block in blocks.iter().rev() {
        h.all(s(1), &committed(block));
    }
    h.passes();
    let fork = World::new(4).committed(3, vec![other().tx(1, 1)]);
    h.probe(s(2), 3, &Probe::Committed(fork));
    assert!(
        h.violation()
            .starts_with("alliance, sequence 3: d committed")
    );
}

// ---- prefix order ------------------------------------------------------------------------------

#[test]
fn prefix_order_holds_for_nodes_at_different_heights_and_after_recovery() {
    let mut h = History::of("prefix-order");
    let blocks: Vec<Arc<Block>> = (0..4).map(|_| h.world.block(vec![])).collect();
    for block in &blocks {
        h.probe(s(1), 0, &applied(block));
    }
    // This one kept two blocks over its restart, and that one none.
    for block in &blocks[..3] {
        h.probe(s(2), 1, &applied(block));
    }
    for (node, kept) in [(1, 2_usize), (2, 0)] {
        h.up(s(3), node, false).up(s(4), node, true);
        let head = kept.checked_sub(1).map_or(Digest::ZERO, |i| blocks[i].id);
        h.probe(s(4), node, &recovered(kept as u64, head));
        for block in &blocks[kept..] {
            h.probe(s(5), node, &applied(block));
        }
    }
    h.passes();
}

#[test]
fn prefix_order_fails_on_a_gap_and_on_a_repeat() {
    let mut h = History::of("prefix-order");
    let blocks: Vec<Arc<Block>> = (0..3).map(|_| h.world.block(vec![])).collect();
    h.probe(s(1), 0, &applied(&blocks[0]));
    h.probe(s(1), 0, &applied(&blocks[2]));
    assert_eq!(
        h.violation(),
        "alliance, height 3: a should have executed height 2"
    );
    let mut h = History::of("prefix-order");
    h.probe(s(1), 0, &applied(&blocks[0]));
    h.probe(s(1), 0, &applied(&blocks[0]));
    assert_eq!(
        h.violation(),
        "alliance, height 1: a should have executed height 2"
    );
}

#[test]
fn prefix_order_fails_on_another_block_at_a_height() {
    let mut h = History::of("prefix-order");
    let block = h.world.block(vec![]);
    let fork = other().fork(vec![other().tx(1, 1)]);
    h.probe(s(1), 0, &applied(&block))
        .probe(s(1), 1, &applied(&fork));
    assert_eq!(
        h.violation(),
        format!(
            "alliance, height 1: b executed block {}, a executed {}",
            fork.id, block.id
        )
    );
}

#[test]
fn prefix_order_expects_the_first_block_of_a_life_without_a_word_of_recovery() {
    let mut h = History::of("prefix-order");
    let blocks: Vec<Arc<Block>> = (0..2).map(|_| h.world.block(vec![])).collect();
    h.probe(s(1), 0, &applied(&blocks[0]));
    h.up(s(2), 0, false).up(s(3), 0, true);
    h.probe(s(4), 0, &applied(&blocks[1]));
    assert!(h.violation().ends_with("a should have executed height 1"));
}

// ---- at most once ------------------------------------------------------------------------------

#[test]
fn at_most_once_holds_when_a_second_execution_is_a_duplicate() {
    let mut h = History::of("at-most-once");
    let tx = h.world.tx(0, 1);
    let first = h.world.block(vec![Arc::clone(&tx)]);
    let refused = Receipt::Refused("no grant");
    let second = h.world.block_with(
        vec![Arc::clone(&tx), h.world.tx(0, 2)],
        vec![Receipt::Duplicate, refused],
    );
    // What was refused before may take effect later.
    let third = h.world.block(vec![h.world.tx(0, 2)]);
    for block in [first, second, third] {
        h.all(s(1), &applied(&block));
    }
    h.passes();
}

#[test]
fn at_most_once_fails_when_a_transaction_takes_effect_at_two_heights() {
    let mut h = History::of("at-most-once");
    let tx = h.world.tx(2, 17);
    let first = h.world.block(vec![Arc::clone(&tx)]);
    let second = h.world.block(vec![tx]);
    h.all(s(1), &applied(&first)).all(s(2), &applied(&second));
    assert_eq!(
        h.violation(),
        "alliance, height 2: transaction 17 of c took effect once more"
    );
}

#[test]
fn at_most_once_fails_when_a_transaction_takes_effect_twice_in_a_block() {
    let mut h = History::of("at-most-once");
    let tx = h.world.tx(2, 17);
    let block = h.world.block(vec![Arc::clone(&tx), tx]);
    h.all(s(1), &applied(&block));
    assert!(h.violation().contains("height 1: transaction 17 of c"));
}

#[test]
fn at_most_once_fails_when_a_node_executes_a_block_twice_in_one_life() {
    let mut h = History::of("at-most-once");
    let block = h.world.block(vec![]);
    h.probe(s(1), 1, &applied(&block))
        .probe(s(2), 1, &applied(&block));
    assert_eq!(
        h.violation(),
        "alliance: b executed height 1 again, after height 1"
    );
    // In its next life it may, if it has lost it.
    let mut h = History::of("at-most-once");
    h.probe(s(1), 1, &applied(&block));
    h.up(s(2), 1, false).up(s(3), 1, true);
    h.probe(s(3), 1, &recovered(0, Digest::ZERO));
    h.probe(s(4), 1, &applied(&block)).passes();
    // Also before it says what it has kept.
    let mut h = History::of("at-most-once");
    h.probe(s(1), 1, &applied(&block));
    h.up(s(2), 1, false).up(s(3), 1, true);
    h.probe(s(4), 1, &applied(&block)).passes();
    // And not, if it has kept it.
    h.up(s(5), 1, false).up(s(6), 1, true);
    h.probe(s(6), 1, &recovered(1, block.id));
    h.probe(s(7), 1, &applied(&block));
    assert!(
        h.violation()
            .starts_with("alliance: b executed height 1 again")
    );
}

#[test]
fn at_most_once_leaves_a_fork_to_others() {
    let mut h = History::of("at-most-once");
    let tx = h.world.tx(0, 1);
    let fork = other().fork(vec![Arc::clone(&tx), h.world.tx(0, 2)]);
    let block = h.world.block(vec![tx]);
    h.probe(s(1), 0, &applied(&block))
        .probe(s(1), 1, &applied(&fork));
    assert_eq!(h.finding().verdict, Verdict::Pass);
}

// ---- equal state roots -------------------------------------------------------------------------

#[test]
fn equal_state_roots_holds_and_fails() {
    let mut h = History::of("equal-state-roots");
    let block = h.world.block(vec![]);
    h.probe(s(1), 0, &applied(&block)).unknown();
    h.probe(s(1), 1, &applied(&block)).passes();
    let batch = batch(vec![]);
    let digest = batch.digest();
    let same_batch = Arc::new(Committed {
        chain: block.header.chain,
        sequence: 1,
        batch,
        certificate: Certificate {
            kind: 2,
            view: 0,
            sequence: 1,
            digest,
            signatures: Vec::new().into(),
            links: Arc::default(),
        },
    });
    let diverged = other().execute(&same_batch, vec![], |h| h.state_root = Digest::ZERO);
    h.probe(s(1), 3, &applied(&diverged));
    assert_eq!(
        h.violation(),
        format!(
            "alliance, height 1: state 00000000 at d, {} at a",
            block.header.state_root
        )
    );
}
