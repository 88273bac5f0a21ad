//! What others send cannot make a replica grow.

use super::bench::Bench;
use crate::consensus::Replica as _;
use crate::consensus::mempool::Ordered;
use crate::consensus::pbft::config::{MAX_FORMER, MAX_FORWARD, MAX_FUTURE, MAX_RUNS};
use crate::consensus::pbft::message::Body;
use crate::consensus::sync::{MAX_BLOCKS, MAX_OWN_STATES, MAX_SERVED};
use crate::ledger::testing::{self, Sums};
use crate::ledger::{ExecutionCache, Ledger, LedgerConfig};
use consim_core::{Digest, NodeId, TxId};
use std::sync::Arc;

#[test]
fn messages_of_views_to_come_are_kept_within_bounds() {
    let mut bench = Bench::new(1, 4);
    for view in 1..1_000 {
        bench.receive(3, bench.prepare(3, view, 1, Digest::ZERO));
        bench.receive(3, bench.commit(3, u64::MAX - view, 1, Digest::ZERO));
    }
    assert_eq!(bench.replica.future_len(), usize::from(MAX_FUTURE));
    // Another member still has its share, and a new view takes the old ones away.
    bench.receive(2, bench.prepare(2, 1, 1, Digest::ZERO));
    assert_eq!(bench.replica.future_len(), usize::from(MAX_FUTURE) + 1);
    bench.enter(0, 2_000);
    assert_eq!(bench.look_for(&["view"]), ["view 2000"]);
    assert!(
        bench.replica.future_len() <= usize::from(MAX_FUTURE / 2),
        "only those above 2000"
    );
}

#[test]
fn one_view_change_is_kept_of_each_member() {
    let mut bench = Bench::new(1, 7);
    for view in (1..500).chain([u64::MAX]) {
        bench.receive(3, Body::ViewChange(bench.view_change(3, view, vec![])));
    }
    assert_eq!(bench.replica.changes.kept(), 1);
    assert_eq!(bench.replica.view, 0);
    // Not even the greatest view makes f+1 of one.
    for by in [2, 4] {
        bench.receive(
            by,
            Body::ViewChange(bench.view_change(by, u64::MAX, vec![])),
        );
    }
    bench.sync();
    assert_eq!(
        bench.replica.view,
        u64::MAX,
        "three members ask for it, one of them is correct"
    );
    for by in [2, 3, 4] {
        bench.receive(by, Body::Suspect { view: u64::MAX });
    }
    assert_eq!(bench.replica.view, u64::MAX, "there is no higher view");
}

#[test]
fn one_new_view_of_each_primary_waits_for_its_view_changes() {
    let mut bench = Bench::new(3, 4);
    for view in 1..300 {
        let by = (view % 4) as u32;
        let changes: Vec<_> = (0..3).map(|i| bench.view_change(i, view, vec![])).collect();
        bench.receive(by, Body::NewView(bench.new_view(by, view, &changes, &[])));
    }
    assert_eq!(
        bench.replica.changes.pending.len(),
        3,
        "of each other member"
    );
    assert_eq!(bench.replica.view, 0);
}

#[test]
fn votes_outside_the_watermarks_open_no_slot() {
    let mut bench = Bench::new(1, 4);
    for sequence in [0, 17, 18, 1_000_000, u64::MAX] {
        bench.receive(3, bench.prepare(3, 0, sequence, Digest::ZERO));
        bench.receive(3, bench.commit(3, 0, sequence, Digest::ZERO));
        bench.receive(3, bench.checkpoint(3, sequence, Digest::ZERO));
    }
    assert_eq!(bench.replica.window.iter().count(), 0);
    for sequence in 1..=16 {
        bench.receive(3, bench.prepare(3, 0, sequence, Digest::ZERO));
        bench.receive(3, bench.checkpoint(3, sequence, Digest::ZERO));
    }
    assert_eq!(bench.replica.window.iter().count(), 16);
    assert_eq!(
        bench.replica.checkpoint_votes.open(),
        4,
        "one for each checkpoint of the window"
    );
}

#[test]
fn the_mempool_is_bounded_and_says_so() {
    let mut bench = Bench::new(1, 4);
    for number in 1..=20 {
        assert!(bench.submit(bench.tx(1, number)));
    }
    assert!(!bench.submit(bench.tx(1, 21)), "MempoolLimits.transactions");
    assert!(bench.submit(bench.tx(1, 20)), "it is there already");
    let txs = (22..40).map(|number| bench.tx(3, number)).collect();
    bench.receive(3, Body::Forward { txs, to_all: true });
    assert_eq!(bench.replica.waiting(), 20);
    let mut bench = Bench::with(1, 4, |config| config.mempool.bytes = 200);
    assert!(bench.submit(bench.tx(1, 1)) && bench.submit(bench.tx(1, 2)));
    assert!(!bench.submit(bench.tx(1, 3)), "MempoolLimits.bytes");
    let mut bench = Bench::with(1, 4, |config| config.block.bytes = 90);
    assert!(!bench.submit(bench.tx(1, 1)), "no block could hold it");
}

#[test]
fn forwarded_transactions_are_bounded_and_verified() {
    let mut bench = Bench::new(0, 4);
    let good = bench.tx(3, 1);
    let other_chain = {
        let key = bench.keys.steal(NodeId(3).into()).unwrap();
        crate::ledger::testing::tx(consim_core::ChainId(9), &key, 2, &[1, 1])
    };
    let stolen = {
        let id = TxId {
            origin: NodeId(2),
            number: 3,
        };
        let key = bench.keys.steal(NodeId(3).into()).unwrap();
        std::sync::Arc::new(consim_core::Tx::new(
            id,
            super::bench::CHAIN,
            consim_core::OpId(1),
            [1, 1].into(),
            &key,
        ))
    };
    let txs = vec![good.clone(), good, other_chain, stolen];
    bench.receive(3, Body::Forward { txs, to_all: true });
    assert_eq!(bench.replica.waiting(), 1);
    let txs = vec![bench.tx(3, 5); MAX_FORWARD + 1];
    bench.receive(3, Body::Forward { txs, to_all: true });
    assert_eq!(
        bench.replica.waiting(),
        1,
        "a message that nobody could have encoded"
    );
}

#[test]
fn answers_with_bodies_are_bounded() {
    let mut bench = Bench::new(1, 4);
    bench.order(1, &bench.batch(0, &[1]));
    bench.look();
    for _ in 0..2 * MAX_SERVED {
        bench.receive(3, Body::FetchBlocks { from: 1 });
    }
    assert_eq!(bench.look().len(), usize::from(MAX_SERVED));
    bench.timer(0);
    bench.look();
    bench.receive(3, Body::FetchBlocks { from: 1 });
    assert_eq!(bench.look(), ["3: blocks 1"]);
    for from in [0, 2, u64::MAX] {
        bench.receive(3, Body::FetchBlocks { from });
    }
    assert_eq!(bench.look(), ["3: blocks 1", "3: blocks 0", "3: blocks 0"]);
}

#[test]
fn one_answer_holds_so_many_blocks() {
    let mut bench = Bench::new(1, 4);
    for sequence in 1..=MAX_BLOCKS as u64 + 10 {
        bench.order(sequence, &bench.batch(0, &[sequence]));
        if sequence % 4 == 0 {
            let state = bench.own_state(sequence);
            for by in [0, 2] {
                bench.receive(by, bench.checkpoint(by, sequence, state));
            }
            bench.sync();
        }
    }
    bench.look();
    bench.receive(3, Body::FetchBlocks { from: 1 });
    assert_eq!(bench.look(), [format!("3: blocks {MAX_BLOCKS}")]);
}

#[test]
fn a_slot_keeps_so_many_bodies_of_earlier_views() {
    let bench = Bench::new(1, 4);
    let mut slot = crate::consensus::pbft::slots::Slot::default();
    for number in 0..30 {
        slot.keep(bench.batch(0, &[number]));
    }
    slot.keep(bench.batch(0, &[29]));
    assert_eq!(slot.former.len(), MAX_FORMER);
    assert!(slot.body(&bench.batch(0, &[29]).digest()).is_some());
    assert!(slot.body(&bench.batch(0, &[1]).digest()).is_none());
}

#[test]
fn own_states_without_a_proof_are_bounded() {
    let mut bench = Bench::with(1, 4, |config| config.checkpoint = 1);
    for sequence in 1..=MAX_OWN_STATES as u64 + 50 {
        bench.tell_executed(sequence);
    }
    assert_eq!(bench.replica.checkpoints.own_len(), MAX_OWN_STATES);
}

#[test]
fn what_was_ordered_is_remembered_in_runs() {
    let id = |number| TxId {
        origin: NodeId(1),
        number,
    };
    let mut ordered = Ordered::default();
    for number in [1, 2, 4, 3, 10, 9, 7, u64::MAX] {
        assert!(!ordered.contains(id(number)));
        ordered.insert(id(number));
        ordered.insert(id(number));
        assert!(ordered.contains(id(number)));
    }
    for (number, known) in [
        (0, false),
        (3, true),
        (5, false),
        (7, true),
        (8, false),
        (11, false),
    ] {
        assert_eq!(ordered.contains(id(number)), known, "{number}");
    }
    assert!(!ordered.contains(TxId {
        origin: NodeId(2),
        number: 1
    }));
    assert_eq!(ordered.runs(NodeId(1)), 4);
    // An origin that leaves gaps everywhere loses its oldest runs.
    for number in 0..1_000 {
        ordered.insert(id(100 + 2 * number));
    }
    assert_eq!(ordered.runs(NodeId(1)), MAX_RUNS);
    assert!(!ordered.contains(id(1)) && ordered.contains(id(100 + 2 * 999)));
}

#[test]
fn what_a_state_that_was_taken_over_executed_is_ordered() {
    let mut bench = Bench::new(1, 4);
    let [old, new] = [5, 6].map(|number| bench.tx(1, number));
    for tx in [&old, &new] {
        assert!(bench.submit(Arc::clone(tx)));
    }
    let mut ledger = Ledger::new(LedgerConfig {
        chain: super::bench::CHAIN,
        machine: Arc::new(Sums { step: 1 }),
        keys: bench.keys.clone(),
        executions: ExecutionCache::off(),
    });
    let batch = testing::batch(NodeId(0), 1, vec![Arc::clone(&old)]);
    ledger.execute(&bench.committed(1, &batch, &[0, 1, 2]));
    bench.replica.mempool.restore(ledger.state());
    let mempool = &bench.replica.mempool;
    assert_eq!(
        [&old, &new].map(|tx| mempool.ordered(tx.id())),
        [true, false]
    );
    assert_eq!([&old, &new].map(|tx| mempool.holds(tx.id())), [false, true]);
}
