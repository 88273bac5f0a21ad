#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::ledger::testing::{Sums, batch, committed, tx};
use consim_core::{NodeId, SecretKey, State as _};

const CHAIN: ChainId = ChainId(1);

fn keys() -> (Keyring, Vec<SecretKey>) {
    Keyring::generate(4, 7)
}

fn ledger(step: u64, executions: &ExecutionCache) -> Ledger {
    let machine: Arc<dyn StateMachine> = Arc::new(Sums { step });
    ledger_of(&machine, executions)
}

fn ledger_of(machine: &Arc<dyn StateMachine>, executions: &ExecutionCache) -> Ledger {
    Ledger::new(LedgerConfig {
        chain: CHAIN,
        machine: Arc::clone(machine),
        keys: keys().0,
        executions: executions.clone(),
    })
}

/// Ten ordered batches: three transactions each, every fourth null.
fn history() -> Vec<Arc<Committed>> {
    let keys = keys().1;
    let mut number = 0;
    (1..=10)
        .map(|sequence| {
            let count = if sequence % 4 == 0 { 0 } else { 3 };
            let txs = (0..count)
                .map(|i| {
                    number += 1;
                    tx(CHAIN, &keys[i], number, &[sequence as u8, i as u8])
                })
                .collect();
            committed(
                CHAIN,
                sequence,
                batch(NodeId(0), 1_000 * sequence.cast_signed(), txs),
            )
        })
        .collect()
}

#[test]
fn blocks_form_a_chain_and_null_batches_make_none() {
    let mut ledger = ledger(1, &ExecutionCache::off());
    let mut parent = Digest::ZERO;
    for ordered in history() {
        let height = ledger.height();
        let Some(execution) = ledger.execute(&ordered) else {
            assert!(ordered.batch.txs().is_empty());
            assert_eq!(ledger.height(), height);
            continue;
        };
        let header = &execution.block.header;
        assert_eq!(
            (header.height, header.sequence),
            (height + 1, ordered.sequence)
        );
        assert_eq!(header.parent, parent);
        assert_eq!(header.id(), execution.block.id);
        assert_eq!(header.tx_root, ordered.batch.tx_root());
        assert_eq!(header.state_root, ledger.state().root());
        assert_eq!(execution.block.receipts, vec![Receipt::Applied; 3]);
        assert_eq!(
            (execution.work.execute, execution.work.verify_batched),
            (3, 3)
        );
        assert!(execution.work.hash_bytes > 200);
        parent = ledger.head_id();
        assert_eq!(ledger.block(height + 1).unwrap().id, parent);
    }
    assert_eq!(ledger.height(), 8);
    assert!(ledger.block(0).is_none() && ledger.block(9).is_none());
}

#[test]
fn shared_executions_come_to_the_same_blocks_and_the_same_work() {
    let machine: Arc<dyn StateMachine> = Arc::new(Sums { step: 1 });
    let shared = ExecutionCache::shared(&machine);
    let (mut first, mut second) = (ledger_of(&machine, &shared), ledger_of(&machine, &shared));
    let mut alone = ledger(1, &ExecutionCache::off());
    for ordered in history() {
        let [a, b, c] = [&mut first, &mut second, &mut alone].map(|l| l.execute(&ordered));
        let (Some(a), Some(b), Some(c)) = (a, b, c) else {
            continue;
        };
        assert!(
            Arc::ptr_eq(&a.block, &b.block),
            "the second takes the first one's"
        );
        assert!(
            !Arc::ptr_eq(&a.block, &c.block),
            "the third executes for itself"
        );
        assert_eq!(a.block.id, c.block.id);
        assert_eq!((a.work, a.work), (b.work, c.work));
    }
    assert_eq!(first.state().root(), alone.state().root());
}

#[test]
fn the_cache_keeps_the_latest_executions_only() {
    let machine: Arc<dyn StateMachine> = Arc::new(Sums { step: 1 });
    let shared = ExecutionCache::shared(&machine);
    let (mut ahead, mut behind) = (ledger_of(&machine, &shared), ledger_of(&machine, &shared));
    let key = &keys().1[0];
    let ordered: Vec<_> = (1..=CACHED_EXECUTIONS as u64 + 2)
        .map(|s| {
            committed(
                CHAIN,
                s,
                batch(NodeId(0), 0, vec![tx(CHAIN, key, s, &[1, 1])]),
            )
        })
        .collect();
    for o in &ordered {
        ahead.execute(o);
    }
    let same: Vec<bool> = ordered
        .iter()
        .map(|o| {
            Arc::ptr_eq(
                &behind.execute(o).unwrap().block,
                ahead.block(o.sequence).unwrap(),
            )
        })
        .collect();
    assert!(!same[0] && !same[1]);
    // Executing the first ones again has pushed out the next ones in turn.
    assert_eq!(behind.head_id(), ahead.head_id());
    let mut close = ledger_of(&machine, &shared);
    for o in &ordered {
        close.execute(o);
    }
    assert_eq!(shared.latest(&machine).unwrap().len(), CACHED_EXECUTIONS);
}

#[test]
fn a_batch_with_other_signatures_is_not_taken_from_the_cache() {
    let (_, keys) = keys();
    let machine: Arc<dyn StateMachine> = Arc::new(Sums { step: 1 });
    let shared = ExecutionCache::shared(&machine);
    let (mut a, mut b) = (ledger_of(&machine, &shared), ledger_of(&machine, &shared));
    let good = tx(CHAIN, &keys[0], 1, &[1, 1]);
    let mut bytes = Vec::new();
    good.encode(&mut consim_core::Encoder::new(&mut bytes));
    let at = bytes.len() - 64;
    bytes[at] ^= 1;
    let forged = Arc::new(Tx::decode(&mut consim_core::Decoder::new(&bytes)).unwrap());
    let [good, forged] =
        [good, forged].map(|tx| committed(CHAIN, 1, batch(NodeId(0), 0, vec![tx])));
    assert_eq!(good.batch.digest(), forged.batch.digest());
    assert_eq!(a.execute(&good).unwrap().block.receipts, [Receipt::Applied]);
    assert_eq!(
        b.execute(&forged).unwrap().block.receipts,
        [Receipt::Refused(BAD_SIGNATURE)]
    );
    assert_ne!(a.head_id(), b.head_id());
}

#[test]
fn different_execution_shows_in_the_state_root() {
    let off = ExecutionCache::off();
    let (mut one, mut two) = (ledger(1, &off), ledger(2, &off));
    for ordered in history() {
        one.execute(&ordered);
        two.execute(&ordered);
    }
    let (one, two) = (one.head().unwrap(), two.head().unwrap());
    assert_eq!(one.header.tx_root, two.header.tx_root);
    assert_ne!(one.header.state_root, two.header.state_root);
    assert_ne!(one.id, two.id);
}

#[test]
fn a_node_with_another_machine_does_not_share() {
    let machine: Arc<dyn StateMachine> = Arc::new(Sums { step: 1 });
    let shared = ExecutionCache::shared(&machine);
    let mut right = ledger_of(&machine, &shared);
    // It shares the cache by mistake: it comes to its own wrong state, and spoils no other.
    let mut wrong = ledger(2, &shared);
    let mut last = ledger_of(&machine, &shared);
    for ordered in history() {
        wrong.execute(&ordered);
        right.execute(&ordered);
        last.execute(&ordered);
    }
    assert_ne!(wrong.state().root(), right.state().root());
    assert_eq!(last.state().root(), right.state().root());
    let blocks = right.height();
    assert_eq!(shared.meter().read().blocks, 2 * blocks);
    assert_eq!(shared.meter().read().shared_blocks, blocks);
}

#[test]
fn shared_states_are_held_in_memory_once() {
    let machine: Arc<dyn StateMachine> = Arc::new(Sums { step: 1 });
    let (shared, off) = (ExecutionCache::shared(&machine), ExecutionCache::off());
    let held = |cache: &ExecutionCache, ledgers: usize| {
        let before = cache.meter().read().state_bytes;
        let mut all: Vec<Ledger> = (0..ledgers).map(|_| ledger_of(&machine, cache)).collect();
        for ordered in history() {
            for ledger in &mut all {
                ledger.execute(&ordered);
            }
        }
        let memory = cache.meter().read();
        assert!(memory.state_peak_bytes >= memory.state_bytes && memory.block_bytes > 0);
        memory.state_bytes - before
    };
    let (one, four) = (held(&off, 1), held(&off, 4));
    assert_eq!(four, 4 * one, "each holds its own");
    // All is given back, and the peak stays.
    assert_eq!(off.meter().read().state_bytes, 0);
    assert!(off.meter().read().state_peak_bytes >= four);
    // Each has its own first state; of what follows there is one, and the cache keeps the
    // states in between.
    assert!(held(&shared, 4) < 2 * one + one);
}

#[test]
fn a_transaction_is_executed_at_most_once() {
    let key = &keys().1[2];
    let mut ledger = ledger(1, &ExecutionCache::off());
    let paid = tx(CHAIN, key, 1, &[9, 5]);
    let again = committed(
        CHAIN,
        1,
        batch(NodeId(0), 0, vec![Arc::clone(&paid), Arc::clone(&paid)]),
    );
    let block = ledger.execute(&again).unwrap().block;
    assert_eq!(block.receipts, [Receipt::Applied, Receipt::Duplicate]);
    assert_eq!(ledger.executed(paid.id()), Some(1));
    let later = committed(CHAIN, 2, batch(NodeId(1), 0, vec![Arc::clone(&paid)]));
    assert_eq!(
        ledger.execute(&later).unwrap().block.receipts,
        [Receipt::Duplicate]
    );
    assert_eq!(
        ledger.state().get(&[9]).as_deref(),
        Some(&5u64.to_be_bytes()[..])
    );
    assert!(
        ledger.execute(&later).is_none(),
        "the same sequence number again"
    );
    assert_eq!(ledger.height(), 2);
}

#[test]
fn what_its_origin_did_not_sign_for_this_chain_is_refused_and_uses_up_no_number() {
    let (_, keys) = keys();
    let mut ledger = ledger(1, &ExecutionCache::off());
    let id = TxId {
        origin: NodeId(1),
        number: 1,
    };
    let forged = Arc::new(Tx::new(
        id,
        CHAIN,
        consim_core::OpId(0),
        [1, 1].into(),
        &keys[3],
    ));
    let other = tx(ChainId(2), &keys[1], 1, &[1, 1]);
    let genuine = tx(CHAIN, &keys[1], 1, &[1, 1]);
    let block = ledger
        .execute(&committed(
            CHAIN,
            1,
            batch(NodeId(0), 0, vec![forged, other, genuine]),
        ))
        .unwrap()
        .block;
    let expected = [
        Receipt::Refused(BAD_SIGNATURE),
        Receipt::Refused(OTHER_CHAIN),
        Receipt::Applied,
    ];
    assert_eq!(block.receipts, expected);
    let foreign = committed(
        ChainId(2),
        2,
        batch(NodeId(0), 0, vec![tx(ChainId(2), &keys[1], 2, &[1, 1])]),
    );
    assert!(ledger.execute(&foreign).is_none());
}

#[test]
fn a_refused_transaction_changes_nothing_even_if_the_machine_forgot_to_undo() {
    let mut ledger = ledger(1, &ExecutionCache::off());
    // `Sums` writes first and refuses afterwards.
    let spoilt = tx(CHAIN, &keys().1[0], 1, &[7, 255]);
    let id = spoilt.id();
    let block = ledger
        .execute(&committed(CHAIN, 1, batch(NodeId(0), 0, vec![spoilt])))
        .unwrap()
        .block;
    assert_eq!(block.receipts, [Receipt::Refused("too much")]);
    assert_eq!(ledger.state().get(&[7]), None);
    assert_eq!(ledger.executed(id), Some(1));
}

#[test]
fn block_time_never_goes_back() {
    let key = &keys().1[0];
    let mut ledger = ledger(1, &ExecutionCache::off());
    let times: Vec<i64> = [-5, 40, 10, 41]
        .into_iter()
        .zip(1..)
        .map(|(time, s)| {
            let ordered = committed(
                CHAIN,
                s,
                batch(NodeId(0), time, vec![tx(CHAIN, key, s, &[1, 1])]),
            );
            ledger.execute(&ordered).unwrap().block.header.time_ns
        })
        .collect();
    assert_eq!(times, [-5, 40, 40, 41]);
}

#[test]
fn a_transaction_of_a_block_is_proved_to_be_in_it_and_in_no_other() {
    let mut ledger = ledger(1, &ExecutionCache::off());
    for ordered in history() {
        ledger.execute(&ordered);
    }
    let (here, there) = (ledger.block(2).unwrap(), ledger.block(3).unwrap());
    for (i, tx) in here.committed.batch.txs().iter().enumerate() {
        let proof = ledger.prove(2, i).unwrap();
        assert!(proof.verify(&tx.digest(), &here.header));
        assert!(!proof.verify(&tx.digest(), &there.header));
        assert!(!proof.verify(&here.id, &here.header));
        let mut other = proof.clone();
        other.path.size += 1;
        assert!(!other.verify(&tx.digest(), &here.header));
    }
    assert!(ledger.prove(2, 3).is_none() && ledger.prove(9, 0).is_none());
}

#[test]
fn a_receipt_ends_an_operation_unless_its_origin_did_not_sign_or_it_is_a_repeat() {
    for (receipt, ends) in [
        (Receipt::Applied, true),
        (Receipt::Refused("no open request"), true),
        (Receipt::Duplicate, false),
        (Receipt::Refused(BAD_SIGNATURE), false),
        (Receipt::Refused(OTHER_CHAIN), false),
    ] {
        assert_eq!(executed(&receipt), ends, "{receipt:?}");
    }
}

#[test]
fn a_state_that_is_taken_over_goes_on_like_one_that_was_executed() {
    let (mut there, mut here) = (
        ledger(1, &ExecutionCache::off()),
        ledger(1, &ExecutionCache::off()),
    );
    let history = history();
    for ordered in &history[..6] {
        there.execute(ordered);
    }
    here.execute(&history[0]);
    let snapshot = there.snapshot();
    let mut wire = Vec::new();
    consim_core::Payload::encode(&snapshot, &mut wire);
    assert_eq!(wire.len(), consim_core::Payload::encoded_len(&snapshot));
    assert_eq!(snapshot.head(), there.head_id());
    assert!(here.install(6, &snapshot));
    assert!(!here.install(6, &snapshot), "not twice");
    assert_eq!(
        (here.height(), here.head_id(), here.head_time_ns()),
        (there.height(), there.head_id(), there.head_time_ns())
    );
    // The blocks that led there are not here, what they executed is known.
    let height = here.height();
    assert!((1..=height).all(|h| here.block(h).is_none()));
    let old = history[1].batch.txs()[0].id();
    assert_eq!(here.executed(old), there.executed(old));
    assert!(here.execute(&history[5]).is_none(), "it is in the state");
    for ordered in &history[6..] {
        there.execute(ordered);
        here.execute(ordered);
    }
    assert!(here.height() > height);
    assert_eq!(
        here.block(height + 1).unwrap().id,
        there.block(height + 1).unwrap().id
    );
    assert_eq!(
        (here.head_id(), here.state().root()),
        (there.head_id(), there.state().root())
    );
}

#[test]
fn what_is_executed_ahead_shows_only_once_it_is_ordered() {
    let machine: Arc<dyn StateMachine> = Arc::new(Sums { step: 1 });
    let shared = ExecutionCache::shared(&machine);
    let mut plain = ledger(1, &ExecutionCache::off());
    let mut hasty = ledger_of(&machine, &shared);
    let mut other = ledger_of(&machine, &shared);
    for ordered in history() {
        let before = (hasty.head_id(), hasty.state().root());
        let ahead = hasty
            .execute_ahead(ordered.sequence, &ordered.batch)
            .map(|(receipts, work)| (receipts.to_vec(), work));
        assert_eq!((hasty.head_id(), hasty.state().root()), before);
        let (Some(a), Some(b)) = (plain.execute(&ordered), hasty.execute(&ordered)) else {
            assert!(ahead.is_none(), "a null batch");
            other.execute(&ordered);
            continue;
        };
        // The work was charged when it was done, and another node is charged all of it.
        let (receipts, work) = ahead.unwrap();
        assert_eq!((receipts, work), (a.block.receipts.clone(), a.work));
        assert_eq!((b.block.id, b.work), (a.block.id, Work::NONE));
        let c = other.execute(&ordered).unwrap();
        assert!(Arc::ptr_eq(&b.block, &c.block));
        assert_eq!(c.work, a.work);
    }
    // Another batch in its place: it is rolled back. One too far ahead is not executed.
    let key = &keys().1[0];
    let batches = [[5, 1], [5, 2]].map(|body| batch(NodeId(0), 0, vec![tx(CHAIN, key, 90, &body)]));
    assert!(plain.execute_ahead(12, &batches[0]).is_none());
    plain.execute_ahead(11, &batches[0]).unwrap();
    let execution = plain.execute(&committed(CHAIN, 11, Arc::clone(&batches[1])));
    assert_ne!(execution.unwrap().work, Work::NONE);
    hasty.execute(&committed(CHAIN, 11, Arc::clone(&batches[1])));
    assert_eq!(plain.head_id(), hasty.head_id());
}
