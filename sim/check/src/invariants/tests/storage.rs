//! What nodes keep, and how much; operations that take effect once.

use super::{CHAIN, History};
use crate::testing::{applied, recovered, s};
use consim_core::{Digest, OpId, Probe, Receipt, Tx, TxId};
use std::sync::Arc;

#[test]
fn storage_is_equal_where_everybody_ends_with_a_block_of_the_chain() {
    let mut h = History::of("equal-storage");
    let (a, b) = (h.world.block(vec![]), h.world.block(vec![]));
    h.all(s(1), &applied(&a));
    h.probe(s(2), 0, &applied(&b));
    // One took the state over, one came back with an earlier block.
    h.probe(s(3), 1, &recovered(2, b.id));
    h.probe(s(3), 2, &recovered(1, a.id));
    // Nobody executed a third block: what is claimed of it cannot be compared.
    h.probe(s(3), 3, &recovered(3, Digest::ZERO));
    h.check.end(s(4));
    h.passes();
    assert_eq!(h.finding().evaluated, 3);
}

#[test]
fn storage_differs_where_a_node_took_over_something_else() {
    let mut h = History::of("equal-storage");
    let a = h.world.block(vec![]);
    h.all(s(1), &applied(&a));
    h.probe(s(3), 1, &recovered(1, Digest::ZERO));
    h.check.end(s(4));
    let said = format!(
        "alliance: b ends at height 1 with {}, the chain's block is {}",
        Digest::ZERO,
        a.id
    );
    assert_eq!(h.violation(), said);
    // It caught up with the others since: what it ends with counts.
    let mut h = History::of("equal-storage");
    let (a, b) = (h.world.block(vec![]), h.world.block(vec![]));
    h.all(s(1), &applied(&a));
    h.probe(s(3), 1, &recovered(1, Digest::ZERO));
    h.all(s(4), &applied(&b));
    h.check.end(s(5));
    h.passes();
}

#[test]
fn a_mempool_holds_as_much_as_it_may() {
    let waiting = |txs| Probe::Waiting { chain: CHAIN, txs };
    let mut h = History::of("bounded-mempool");
    h.all(s(1), &waiting(100)).passes();
    h.probe(s(2), 1, &waiting(101));
    assert_eq!(
        h.violation(),
        "alliance: 101 transactions wait at b at 2s, 100 may"
    );
}

#[test]
fn an_operation_takes_effect_once_whoever_brings_it() {
    let tx = |h: &History, origin: u32, number, op| {
        let id = TxId {
            origin: consim_core::NodeId(origin),
            number,
        };
        let key = &h.world.secrets[origin as usize];
        Arc::new(Tx::new(id, CHAIN, OpId(op), (*b"body").into(), key))
    };
    let op = |n: u64| 9 << 32 | n;
    let mut h = History::of("one-effect");
    let txs = vec![
        tx(&h, 0, 1, op(1)),
        tx(&h, 0, 2, op(2)),
        tx(&h, 1, 1, op(3)),
    ];
    let block = h.world.block(txs);
    h.all(s(1), &applied(&block)).passes();
    assert_eq!(h.finding().evaluated, 3);
    // Through another server, refused: no effect. Then with one.
    for (receipt, holds) in [(Receipt::Refused("no"), true), (Receipt::Applied, false)] {
        let again = tx(&h, 1, 2, op(1));
        let block = h.world.block_with(vec![again], vec![receipt]);
        h.all(s(2), &applied(&block));
        if holds {
            h.passes();
        } else {
            let said = h.violation();
            assert!(
                said.ends_with("operation 900000001 took effect once more, through b"),
                "{said}"
            );
        }
    }
}

#[test]
fn what_a_server_does_of_its_own_accord_is_named_within_that_server() {
    let tx = |h: &History, origin: u32, number| {
        let id = TxId {
            origin: consim_core::NodeId(origin),
            number,
        };
        let key = &h.world.secrets[origin as usize];
        let op = OpId(OpId::OWN | 9 << 32 | 1);
        Arc::new(Tx::new(id, CHAIN, op, (*b"audit").into(), key))
    };
    let mut h = History::of("one-effect");
    let txs = vec![tx(&h, 0, 1), tx(&h, 1, 1)];
    let block = h.world.block(txs);
    h.all(s(1), &applied(&block)).passes();
    let again = vec![tx(&h, 1, 2)];
    let block = h.world.block(again);
    h.all(s(2), &applied(&block));
    assert!(h.violation().ends_with("through b"));
}
