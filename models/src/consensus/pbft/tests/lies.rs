//! What one replica makes of lies.

use super::bench::{Bench, CHAIN};
use super::cases;
use super::cluster::ms;
use crate::consensus::pbft::change::{Prepared, ViewChange};
use crate::consensus::pbft::message::{Ballot, Blocks, Body, CHECKPOINT, COMMIT, PREPARE, Status};
use crate::ledger::testing;
use consim_core::{Batch, Certificate, Committed, Digest, NodeId, Tx};
use proptest::prelude::*;
use std::sync::Arc;

#[test]
fn nobody_votes_twice_or_for_others() {
    let mut bench = Bench::new(1, 4);
    let (batch, other) = (bench.batch(0, &[1]), bench.batch(0, &[2]));
    let (d, e) = (batch.digest(), other.digest());
    bench.receive(0, bench.proposal(0, 1, &batch));
    bench.sync();
    assert_eq!(bench.look(), ["all: prepare 0/1"]);
    // Two of three prepares are here; these make no third.
    bench.receive(0, bench.prepare(0, 0, 1, d));
    bench.receive(2, bench.prepare(2, 0, 1, e));
    bench.receive(2, bench.prepare(2, 0, 1, d));
    bench.receive(3, bench.prepare(2, 0, 1, d));
    bench.receive(3, bench.commit(3, 0, 1, d));
    bench.receive(4, bench.prepare(4, 0, 1, d));
    bench.receive(5, bench.prepare(5, 0, 1, d));
    bench.receive(
        3,
        Body::Prepare(Ballot {
            signature: bench.forged(),
            ..bench.ballot(3, PREPARE, 0, 1, d)
        }),
    );
    bench.receive(3, bench.prepare(3, 1, 1, d));
    bench.receive(3, bench.prepare(3, 0, 2, d));
    bench.sync();
    assert_eq!(bench.look(), [""; 0], "not prepared");
    bench.receive(3, bench.prepare(3, 0, 1, d));
    bench.sync();
    assert_eq!(bench.look(), ["all: commit 0/1"], "this one does");
}

#[test]
fn only_the_primary_puts_forward_and_once_and_nothing_invalid() {
    let mut bench = Bench::new(1, 4);
    bench.order(1, &bench.batch(0, &[1]));
    bench.look();
    let twice = testing::batch(NodeId(0), 0, vec![bench.tx(3, 5), bench.tx(3, 5)]);
    let many = bench.batch(0, &(10..30).collect::<Vec<_>>());
    let good = bench.batch(0, &[7]);
    let rootless = Arc::new(Batch::new(
        NodeId(0),
        0,
        Arc::clone(good.txs()),
        Digest::ZERO,
    ));
    let unsigned = {
        let key = bench.keys.steal(NodeId(2).into()).unwrap();
        let tx = bench.tx(3, 8);
        let tx = Tx::new(tx.id(), CHAIN, tx.op(), Arc::clone(tx.body()), &key);
        testing::batch(NodeId(0), 0, vec![Arc::new(tx)])
    };
    let elsewhere = {
        let key = bench.keys.steal(NodeId(3).into()).unwrap();
        let tx = testing::tx(consim_core::ChainId(2), &key, 8, &[1, 1]);
        testing::batch(NodeId(0), 0, vec![tx])
    };
    for (desc, batch) in [
        ("no transactions", bench.batch(0, &[])),
        ("ordered already", bench.batch(0, &[1])),
        ("one transaction twice", twice),
        ("more than a block holds", many),
        ("another proposer", bench.batch(2, &[7])),
        ("a wrong root", rootless),
        ("a transaction that its origin did not sign", unsigned),
        ("a transaction of another chain", elsewhere),
    ] {
        bench.receive(0, bench.proposal(0, 2, &batch));
        bench.sync();
        assert_eq!(bench.look(), [""; 0], "{desc}");
    }
    bench.receive(2, bench.proposal(0, 2, &good));
    bench.sync();
    assert_eq!(bench.look(), [""; 0], "not from the primary");
    bench.receive(0, bench.proposal(0, 2, &good));
    bench.sync();
    assert_eq!(bench.look(), ["all: prepare 0/2"]);
    bench.receive(0, bench.proposal(0, 2, &bench.batch(0, &[9])));
    bench.sync();
    assert_eq!(bench.look(), [""; 0], "a second one at this place");
}

#[test]
fn a_forged_certificate_does_not_pass_for_committed() {
    let mut bench = Bench::new(1, 4);
    let batch = bench.batch(0, &[1]);
    let d = batch.digest();
    let status = |executed| Status {
        view: 0,
        active: true,
        executed,
        stable: 0,
        ask: false,
        holds: vec![],
        proof: None,
    };
    let with = |certificate: Certificate| {
        Arc::new(Committed {
            chain: CHAIN,
            sequence: 1,
            batch: Arc::clone(&batch),
            certificate,
        })
    };
    let mut bad_signature = bench.certificate(COMMIT, 0, 1, d, &[0, 1, 2]);
    let mut signatures: Vec<_> = bad_signature.signatures.iter().collect();
    signatures[1] = bench.forged();
    bad_signature.signatures = signatures.into();
    let unsorted = bench.certificate(COMMIT, 0, 1, d, &[2, 1, 0]);
    for (desc, committed) in [
        ("too few", bench.committed(1, &batch, &[0, 1])),
        ("a signer twice", bench.committed(1, &batch, &[0, 2, 2])),
        (
            "a signer twice beside a quorum",
            bench.committed(1, &batch, &[0, 1, 1, 2]),
        ),
        ("not a member", bench.committed(1, &batch, &[0, 1, 5])),
        ("a forged signature", with(bad_signature)),
        ("out of order", with(unsorted)),
        (
            "prepares",
            with(bench.certificate(PREPARE, 0, 1, d, &[0, 1, 2])),
        ),
        (
            "another sequence number",
            with(bench.certificate(COMMIT, 0, 2, d, &[0, 1, 2])),
        ),
        (
            "another batch",
            with(bench.certificate(COMMIT, 0, 1, Digest::ZERO, &[0, 1, 2])),
        ),
    ] {
        bench.receive(3, Body::Status(status(5)));
        assert_eq!(bench.look(), ["3: fetch-blocks 1"], "{desc}");
        let blocks = vec![committed];
        bench.receive(
            3,
            Body::Blocks(Blocks {
                blocks,
                executed: 5,
                proof: None,
            }),
        );
        assert_eq!(bench.look(), [""; 0], "{desc}: not asked again");
    }
    let blocks = || vec![bench.committed(1, &batch, &[0, 2, 3])];
    let answer = Blocks {
        blocks: blocks(),
        executed: 1,
        proof: None,
    };
    bench.receive(3, Body::Blocks(answer.clone()));
    assert_eq!(bench.look(), [""; 0], "nobody asked for it");
    bench.receive(2, Body::Status(status(1)));
    bench.receive(2, Body::Blocks(answer));
    assert_eq!(
        bench.look(),
        ["2: fetch-blocks 1", "deliver 1", "caught up 1"]
    );
}

/// What a new view is made of: its signer, the view changes that it names, what it puts forward.
type Made = (u32, Vec<Arc<ViewChange>>, Vec<Digest>);

/// Replica 3 of 4 is told a new view for view 2, and its view changes as it asks for them.
fn enters((by, changes, digests): Made) -> bool {
    let mut bench = Bench::new(3, 4);
    let new_view = bench.new_view(by, 2, &changes, &digests);
    bench.receive_new_view(2, new_view, &changes);
    bench.look().contains(&"view 2".to_owned())
}

#[test]
fn a_new_view_puts_forward_what_its_view_changes_call_for_and_nothing_else() {
    let bench = Bench::new(3, 4);
    let [d1, d2] = [1, 2].map(|number| bench.batch(0, &[number]).digest());
    // Member 0 prepared d1 in view 0, member 2 prepared d2 at the same place in view 1.
    let change = |by, view| {
        let prepared = match by {
            0 => vec![bench.prepared(0, 1, d1)],
            2 => vec![bench.prepared(1, 1, d2)],
            _ => vec![],
        };
        bench.view_change(by, view, prepared)
    };
    let of = |members: &[u32]| members.iter().map(|&by| change(by, 2)).collect::<Vec<_>>();
    let all = || of(&[0, 1, 2]);
    let other_view = vec![change(0, 2), change(1, 3), change(2, 2)];
    for (desc, made) in [
        ("the lower view's certificate", (2, all(), vec![d1])),
        ("certificates ignored", (2, all(), vec![])),
        ("null instead", (2, all(), vec![bench.null()])),
        ("more than called for", (2, all(), vec![d2, d1])),
        ("too few view changes", (2, of(&[0, 2]), vec![d2])),
        ("one twice", (2, of(&[0, 2, 2]), vec![d2])),
        ("not a member's", (2, of(&[0, 2, 5]), vec![d2])),
        ("of another view", (2, other_view, vec![d2])),
        ("not the primary's", (1, all(), vec![d2])),
    ] {
        assert!(!enters(made), "{desc}");
    }
    assert!(enters((2, all(), vec![d2])), "as it should be");
}

#[test]
fn certificates_in_view_changes_are_verified() {
    let bench = Bench::new(3, 4);
    let d = bench.batch(0, &[1]).digest();
    let made = |kind, view, sequence, by: &[u32]| {
        let certificate = bench.certificate(kind, view, sequence, d, by);
        let change = bench.view_change(0, 2, vec![Arc::new(Prepared(certificate))]);
        let others = [1, 2].map(|by| bench.view_change(by, 2, vec![]));
        let changes = [change].into_iter().chain(others).collect();
        (2, changes, vec![d])
    };
    for (desc, made) in [
        ("of commits", made(COMMIT, 0, 1, &[0, 1, 2])),
        ("of the view itself", made(PREPARE, 2, 1, &[0, 1, 2])),
        ("above the watermark", made(PREPARE, 0, 17, &[0, 1, 2])),
        (
            "at or below the checkpoint",
            made(PREPARE, 0, 0, &[0, 1, 2]),
        ),
        ("with a signer twice", made(PREPARE, 0, 1, &[0, 1, 1])),
        ("of too few", made(PREPARE, 0, 1, &[0, 1])),
        ("not of members", made(PREPARE, 0, 1, &[0, 1, 5])),
    ] {
        assert!(!enters(made), "{desc}");
    }
    assert!(enters(made(PREPARE, 0, 1, &[0, 1, 2])), "as it should be");
}

#[test]
fn view_changes_that_a_new_view_names_are_asked_for_until_they_come() {
    let mut bench = Bench::new(3, 4);
    let changes: Vec<_> = (0..3).map(|i| bench.view_change(i, 1, vec![])).collect();
    bench.receive(1, Body::ViewChange(Arc::clone(&changes[1])));
    let new_view = bench.new_view(1, 1, &changes, &[]);
    bench.receive(1, Body::NewView(new_view));
    assert_eq!(bench.look(), ["1: fetch-change 1"; 2], "member 1's is here");
    // Nobody answers; something waits, so that the replica looks again, and asks others.
    bench.submit(bench.tx(3, 1));
    let mut asked: Vec<String> = Vec::new();
    for _ in 0..6 {
        bench.timer(1);
        asked.extend(bench.look_for(&["fetch-change"]));
    }
    for member in ["0", "1", "2"] {
        assert!(
            asked.contains(&format!("{member}: fetch-change 1")),
            "{asked:?}"
        );
    }
    // Another member's in its place does not do.
    bench.receive(
        0,
        Body::ViewChange(bench.view_change(0, 1, vec![bench.prepared(0, 1, Digest::ZERO)])),
    );
    bench.receive(1, Body::ViewChange(Arc::clone(&changes[2])));
    assert_eq!(bench.look_for(&["view 1"]), [""; 0]);
    bench.receive(2, Body::ViewChange(Arc::clone(&changes[0])));
    assert!(bench.look().contains(&"view 1".to_owned()));
    // It passes them on itself, as often as is within bounds.
    bench.sync();
    bench.look();
    for change in &changes {
        let digest = change.digest();
        bench.receive(0, Body::FetchChange { view: 1, digest });
    }
    bench.receive(
        0,
        Body::FetchChange {
            view: 1,
            digest: Digest::ZERO,
        },
    );
    assert_eq!(bench.look(), ["0: view-change 1 (0)"; 3]);
}

#[test]
fn a_view_change_needs_a_true_proof_of_its_checkpoint() {
    let bench = Bench::new(3, 4);
    for (by, kept) in [(vec![0, 1], 0), (vec![0, 1, 1], 0), (vec![0, 1, 3], 1)] {
        let proof = Arc::new(bench.certificate(CHECKPOINT, 0, 4, Digest::ZERO, &by));
        let key = bench.keys.steal(NodeId(0).into()).unwrap();
        let mut bench = Bench::new(2, 4);
        let change = ViewChange::sign(CHAIN, 2, Some(proof), vec![], &key);
        bench.receive(0, Body::ViewChange(Arc::new(change)));
        assert_eq!(bench.replica.changes.kept(), kept, "{by:?}");
    }
}

fn extreme() -> impl Strategy<Value = u64> {
    prop_oneof![
        0u64..20,
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(u64::MAX / 8),
        Just(1 << 32)
    ]
}

proptest! {
    #![proptest_config(cases(150))]

    /// One faulty member, which signs whatever it likes, cannot make a replica panic, execute
    /// anything, or leave its view.
    #[test]
    fn a_faulty_member_gets_nowhere(
        steps in proptest::collection::vec((0u8..15, extreme(), extreme(), 0usize..3), 1..60),
    ) {
        let mut bench = Bench::new(2, 4);
        let by = 3;
        let key = bench.keys.steal(NodeId(by).into()).unwrap();
        let batches = [bench.batch(0, &[1]), bench.batch(3, &[2]), bench.batch(3, &[])];
        for (kind, view, sequence, which) in steps {
            let batch = &batches[which];
            let d = batch.digest();
            let own = |kind, view| bench.certificate(kind, view, sequence, d, &[by; 3]);
            let body = match kind {
                0 => bench.proposal(view, sequence, batch),
                1 => bench.prepare(by, view, sequence, d),
                2 => bench.commit(by, view, sequence, d),
                3 => bench.checkpoint(by, sequence, d),
                4 => Body::Suspect { view },
                5 => Body::ViewChange(Arc::new(ViewChange::sign(
                    CHAIN, view, Some(Arc::new(own(CHECKPOINT, 0))),
                    vec![Arc::new(Prepared(own(PREPARE, view)))], &key,
                ))),
                6 => Body::ViewChange(Arc::new(ViewChange::sign(CHAIN, view, None, vec![], &key))),
                7 => Body::NewView(bench.new_view(by, view, &[bench.view_change(by, view, vec![])], &[d])),
                8 => Body::Status(Status {
                    view, active: which == 0, executed: sequence, stable: sequence, ask: which == 1,
                    holds: vec![view; which],
                    proof: Some(Arc::new(own(CHECKPOINT, 0))),
                }),
                9 => Body::FetchBlocks { from: sequence },
                10 => Body::Blocks(Blocks {
                    blocks: vec![Arc::new(Committed {
                        chain: CHAIN, sequence, batch: Arc::clone(batch), certificate: own(COMMIT, view),
                    })],
                    executed: view,
                    proof: Some(Arc::new(own(CHECKPOINT, 0))),
                }),
                11 => Body::FetchBatch { sequence, digest: d },
                12 => Body::Batch { sequence, batch: Arc::clone(batch) },
                13 => Body::FetchChange { view, digest: d },
                _ => {
                    bench.now += ms(view % 2_000);
                    bench.timer(sequence % 4);
                    continue;
                }
            };
            bench.receive(by, body);
            bench.sync();
        }
        prop_assert_eq!((bench.replica.view, bench.replica.active, bench.replica.executed), (0, true, 0));
        prop_assert!(bench.replica.window.iter().count() <= 16);
    }
}
