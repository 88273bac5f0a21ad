//! Hash chain, Merkle trees, validity.

use super::{History, Validity, subjects};
use crate::testing::{World, admitted, applied, batch, s};
use consim_core::{
    Batch, Block, ChainId, Check, Committed, Digest, Header, NodeId, Observer, Receipt, Tx, TxId,
    Verdict,
};
use std::sync::Arc;

// ---- hash chain --------------------------------------------------------------------------------

/// Two good blocks, then one that is changed; what the check says of that one.
fn hash_chain(change: impl FnOnce(&mut Block)) -> String {
    let mut h = History::of("hash-chain");
    for n in 1..=2 {
        let tx = h.world.tx(0, n);
        let block = h.world.block(vec![tx]);
        h.all(s(n), &applied(&block));
    }
    h.passes();
    let tx = h.world.tx(0, 3);
    let mut block = Arc::try_unwrap(h.world.fork(vec![tx])).unwrap();
    change(&mut block);
    let block = Arc::new(block);
    h.probe(s(3), 1, &applied(&block));
    let said = h.violation();
    let place = format!("alliance, height {}: the block of b ", block.header.height);
    said.strip_prefix(&place)
        .unwrap_or_else(|| panic!("{said}"))
        .to_owned()
}

/// Changes the header of such a block and takes its id anew.
fn header(change: impl FnOnce(&mut Header)) -> String {
    hash_chain(|block| {
        change(&mut block.header);
        block.id = block.header.id();
    })
}

#[test]
fn hash_chain_fails_on_every_kind_of_defect() {
    let said = hash_chain(|block| block.id = Digest::ZERO);
    assert!(
        said.starts_with("has id 00000000, its header hashes to "),
        "{said}"
    );
    let said = header(|header| header.parent = Digest::ZERO);
    assert!(
        said.starts_with("has parent 00000000, the block before is "),
        "{said}"
    );
    assert_eq!(
        header(|header| header.time_ns = 999),
        "is older than its parent"
    );
    let undescribed = "has a header that does not describe its batch";
    assert_eq!(header(|header| header.batch = Digest::ZERO), undescribed);
    assert_eq!(header(|header| header.tx_root = Digest::ZERO), undescribed);
    assert_eq!(header(|header| header.sequence = 9), undescribed);
    assert_eq!(
        header(|header| header.tx_count = 2),
        "claims 2 transactions, holds 1 and 1 receipts"
    );
    assert_eq!(
        hash_chain(|block| block.receipts.clear()),
        "claims 1 transactions, holds 1 and 0 receipts"
    );
    assert_eq!(header(|header| header.height = 0), "has height 0");
}

#[test]
fn hash_chain_fails_when_the_sequence_falls() {
    let said = hash_chain(|block| {
        let early = World::new(4).committed(2, vec![]);
        block.header.sequence = 2;
        block.header.batch = early.batch.digest();
        block.header.tx_root = early.batch.tx_root();
        block.header.tx_count = 0;
        block.receipts.clear();
        block.committed = early;
        block.id = block.header.id();
    });
    assert_eq!(said, "has sequence 2, its parent 2");
}

#[test]
fn hash_chain_fails_when_nodes_hold_different_blocks() {
    let mut h = History::of("hash-chain");
    let fork = World::new(4).fork(vec![h.world.tx(1, 1)]);
    let block = h.world.block(vec![]);
    h.probe(s(1), 0, &applied(&block))
        .probe(s(1), 1, &applied(&fork));
    assert_eq!(
        h.violation(),
        format!(
            "alliance, height 1: the block of b is {}, another node holds {}",
            fork.id, block.id
        )
    );
}

// ---- Merkle ------------------------------------------------------------------------------------

#[test]
fn merkle_accepts_the_root_of_any_number_of_transactions_and_judges_proofs() {
    let mut h = History::of("merkle");
    for n in (0..=17).chain([100, 1_000]) {
        let txs = (0..n).map(|i| h.world.tx(0, i)).collect();
        let block = h.world.block(txs);
        h.all(s(1), &applied(&block));
    }
    h.passes();
    // 20 roots, and about 1 % of 1,253 transactions.
    let proofs = h.finding().evaluated - 20;
    assert!((4..30).contains(&proofs), "{proofs}");
}

/// A block whose batch and header claim `root`, although it has these transactions.
fn claiming(world: &World, txs: Vec<Arc<Tx>>, root: Digest) -> Arc<Block> {
    let honest = world.committed(1, vec![]);
    let receipts = vec![Receipt::Applied; txs.len()];
    let batch = Arc::new(Batch::new(NodeId(0), 1_000, txs.into(), root));
    let committed = Arc::new(Committed {
        chain: honest.chain,
        sequence: 1,
        batch,
        certificate: honest.certificate.clone(),
    });
    world.execute(&committed, receipts, |_| {})
}

#[test]
fn merkle_fails_on_a_root_of_other_transactions() {
    let mut h = History::of("merkle");
    let txs: Vec<Arc<Tx>> = (1..=3).map(|i| h.world.tx(0, i)).collect();
    let right = batch(txs.clone()).tx_root();
    let wrong = batch(txs[..2].to_vec()).tx_root();
    let block = claiming(&h.world, txs, wrong);
    h.all(s(1), &applied(&block));
    assert_eq!(
        h.violation(),
        format!("alliance, height 1: the transaction root is {right}, the header says {wrong}")
    );
}

#[test]
fn merkle_fails_on_the_roots_of_careless_trees() {
    // Without domain separation, and with the odd leaf doubled as Bitcoin does: the seeded bug X7.
    let world = World::new(4);
    let txs: Vec<Arc<Tx>> = (1..=3).map(|i| world.tx(0, i)).collect();
    let leaf = |tx: &Tx| Digest::of_parts(&[&[0], &tx.digest().0]);
    let node = |a: Digest, b: Digest| Digest::of_parts(&[&[1], &a.0, &b.0]);
    let bare = |a: Digest, b: Digest| Digest::of_parts(&[&a.0, &b.0]);
    let [a, b, c] = [&txs[0], &txs[1], &txs[2]].map(|tx| leaf(tx));
    let d = |tx: &Tx| tx.digest();
    let right = node(node(a, b), c);
    for (root, holds) in [
        (right, true),
        (node(node(a, b), node(c, c)), false),
        (bare(bare(d(&txs[0]), d(&txs[1])), d(&txs[2])), false),
        (Digest::ZERO, false),
    ] {
        let mut h = History::of("merkle");
        let block = claiming(&h.world, txs.clone(), root);
        h.probe(s(1), 0, &applied(&block));
        assert_eq!(h.finding().verdict == Verdict::Pass, holds);
    }
}

#[test]
fn merkle_judges_the_proofs_of_a_wrong_root_as_not_holding() {
    let mut h = History::of("merkle");
    let txs: Vec<Arc<Tx>> = (0..1_000).map(|i| h.world.tx(0, i)).collect();
    let block = claiming(&h.world, txs, Digest::ZERO);
    h.probe(s(1), 0, &applied(&block));
    let finding = h.finding();
    assert!(finding.violated > 1);
    assert_eq!(finding.violated, finding.evaluated);
    assert!(
        finding.violations[1].ends_with("does not hold"),
        "{finding:?}"
    );
}

// ---- validity ----------------------------------------------------------------------------------

#[test]
fn validity_holds_for_what_a_node_took_in_also_if_it_crashed_next() {
    let mut h = History::of("validity");
    let (one, two) = (h.world.tx(0, 1), h.world.tx(0, 2));
    h.probe(s(1), 0, &admitted(&one))
        .probe(s(1), 0, &admitted(&two));
    h.up(s(1), 0, false);
    let block = h.world.block(vec![one]);
    h.all(s(2), &applied(&block));
    let block = h.world.block(vec![two]);
    h.all(s(2), &applied(&block));
    h.passes();
    assert_eq!(h.finding().evaluated, 2);
}

#[test]
fn validity_fails_for_what_nobody_took_in() {
    let mut h = History::of("validity");
    let block = h.world.block(vec![h.world.tx(1, 5)]);
    h.all(s(2), &applied(&block));
    assert_eq!(
        h.violation(),
        "alliance, height 1: transaction 5 of b took effect but no node took it in as it is"
    );
}

#[test]
fn validity_fails_for_another_body_under_the_same_number() {
    let mut h = History::of("validity");
    let handed_in = h.world.tx(1, 5);
    let changed = h.world.tx_with(1, 5, b"another body");
    h.probe(s(1), 1, &admitted(&handed_in));
    let block = h.world.block(vec![changed]);
    h.all(s(2), &applied(&block));
    assert!(
        h.violation()
            .ends_with("took effect but no node took it in as it is")
    );
}

#[test]
fn validity_fails_for_a_forged_signature_and_for_another_chain() {
    let world = World::new(4);
    let id = TxId {
        origin: NodeId(1),
        number: 5,
    };
    let body: Arc<[u8]> = b"body"[..].into();
    let op = consim_core::OpId(5);
    for (chain, key) in [(0, 2), (1, 1)] {
        let tx = Tx::new(
            id,
            ChainId(chain),
            op,
            Arc::clone(&body),
            &world.secrets[key],
        );
        let mut h = History::of("validity");
        h.probe(s(1), 1, &admitted(&tx));
        let block = h.world.block(vec![Arc::new(tx)]);
        h.all(s(2), &applied(&block));
        assert_eq!(
            h.violation(),
            "alliance, height 1: transaction 5 of b is not signed by its origin for this chain"
        );
    }
}

#[test]
fn validity_takes_what_a_corrupt_node_signed_as_handed_in() {
    let mut h = History::with("validity", &[1]);
    let block = h.world.block(vec![h.world.tx(1, 5)]);
    h.probe(s(2), 0, &applied(&block)).passes();
    // In the name of another node it cannot.
    let block = h.world.block(vec![h.world.tx(2, 5)]);
    h.probe(s(2), 0, &applied(&block));
    assert!(h.violation().contains("transaction 5 of c took effect but"));
}

#[test]
fn validity_judges_only_what_took_effect_and_says_nothing_of_a_late_admission() {
    let mut h = History::of("validity");
    let tx = h.world.tx(0, 1);
    let refused = h
        .world
        .block_with(vec![tx], vec![Receipt::Refused("no grant")]);
    h.all(s(1), &applied(&refused)).unknown();
    let tx = h.world.tx(0, 2);
    h.probe(s(1), 0, &admitted(&tx));
    let block = h.world.block(vec![Arc::clone(&tx)]);
    h.probe(s(2), 0, &applied(&block));
    h.probe(s(3), 2, &admitted(&tx));
    h.probe(s(3), 2, &applied(&block)).passes();
    assert_eq!(h.finding().evaluated, 1);
}

#[test]
fn validity_remembers_in_full_only_what_waits() {
    let mut world = World::new(4);
    let mut check = Validity::new(Arc::new(subjects(&world, &[])));
    let (tx, changed) = (world.tx(1, 5), world.tx_with(1, 5, b"another body"));
    check.probe(s(1), NodeId(1), &admitted(&tx));
    check.probe(s(1), NodeId(2), &admitted(&changed));
    assert_eq!(check.waiting(), 2);
    let block = world.block(vec![Arc::clone(&tx)]);
    check.probe(s(2), NodeId(0), &applied(&block));
    check.probe(s(3), NodeId(3), &admitted(&tx));
    assert_eq!(check.waiting(), 0);
    assert_eq!(check.finding().verdict, Verdict::Pass);
}
