//! Times of blocks that a correct clock shows, and others.

use super::{CHAIN, History, START, World};
use crate::testing::ms;
use consim_core::{Batch, Certificate, Committed, NodeId, Probe};
use std::sync::Arc;

/// The block of this height and round, with this time in milliseconds after the start.
fn block(world: &World, sequence: u64, view: u64, time_ms: i64) -> Probe {
    let txs = vec![world.tx(1, sequence)].into();
    let time_ns = START + time_ms * 1_000_000;
    let batch = Batch::new(NodeId(0), time_ns, txs, consim_core::Digest::ZERO);
    let certificate = Certificate {
        kind: 2,
        view,
        sequence,
        digest: batch.digest(),
        signatures: Vec::new().into(),
        links: Arc::default(),
    };
    Probe::Committed(Arc::new(Committed {
        chain: CHAIN,
        sequence,
        batch: Arc::new(batch),
        certificate,
    }))
}

/// Blocks by height, each decided at an instant of its own, with these times and rounds.
fn history(blocks: &[(u64, i64, u64)]) -> History {
    let mut history = History::of("block-time");
    for (sequence, &(at, time_ms, view)) in (1..).zip(blocks) {
        let probe = block(&history.world, sequence, view, time_ms);
        history.all(ms(at), &probe);
    }
    history
}

#[test]
fn a_time_between_the_block_before_the_last_and_the_decision_is_right() {
    history(&[
        (1_000, 0, 0),
        (2_000, 900, 0),
        (3_000, 1_000, 0),
        (4_000, 4_009, 0),
    ])
    .passes();
}

#[test]
fn a_clock_that_is_ahead_shows() {
    let history = history(&[(1_000, 0, 0), (2_000, 2_015, 0)]);
    assert!(history.violation().contains("is 5 ms later than any"));
}

#[test]
fn a_clock_that_is_behind_shows() {
    let history = history(&[(1_000, 0, 0), (2_000, 900, 0), (3_000, 985, 0)]);
    assert!(history.violation().contains("is 5 ms earlier than any"));
}

#[test]
fn what_a_round_more_may_take_is_allowed() {
    history(&[(1_000, 0, 0), (2_000, 900, 0), (3_000, 900, 1)]).passes();
}

#[test]
fn a_time_may_be_pushed_on_by_the_block_before() {
    history(&[(1_000, 1_010, 0), (1_000, 1_011, 0), (1_000, 1_012, 0)]).passes();
}
