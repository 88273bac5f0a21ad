//! Clusters with members that lie.

use super::cluster::{CHAIN, Cluster, Corrupt, crash, cut, ms, nodes, secs};
use super::disks::Kept;
use crate::consensus::pbft::change::{NewView, ViewChange};
use crate::consensus::pbft::message::{
    Ballot, Blocks, Body, CHECKPOINT, COMMIT, Message, PREPARE, Proposal, Status,
};
use crate::ledger::merkle;
use crate::node::FullNode;
use consim_core::{
    Batch, Committed, Context, Digest, Effect, Effects, Event, KeyId, Keyring, NodeId, Payload,
    Process, SecretKey, Tx, Verdict, mix,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) type Edit =
    dyn Fn(&mut Context<'_>, &SecretKey, &Message, Option<NodeId>) -> bool + Send + Sync;

/// An honest node whose messages are edited before they leave: `edit` is told each of the
/// protocol, with its receiver (none: all), and returns true if it has dealt with it.
struct Traitor {
    honest: FullNode,
    key: SecretKey,
    edit: Arc<Edit>,
}

impl Process for Traitor {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let mut effects = Effects::default();
        {
            let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
            let mut inner = Context::new(
                cx.now(),
                cx.wall_ns(),
                cx.node(),
                &mut effects,
                &mut rng,
                &mut slot,
            );
            self.honest.handle(&mut inner, event);
        }
        cx.work(effects.work);
        effects.probes.drain(..).for_each(|probe| cx.emit(probe));
        for effect in effects.list.drain(..) {
            let (payload, to) = match &effect {
                Effect::Send { to, payload } => (payload, Some(*to)),
                Effect::Multicast { payload, .. } => (payload, None),
                _ => {
                    pass(cx, effect);
                    continue;
                }
            };
            let message = payload.as_any().downcast_ref::<Message>();
            if !message.is_some_and(|m| (self.edit)(cx, &self.key, m, to)) {
                pass(cx, effect);
            }
        }
    }
}

pub(super) fn pass(cx: &mut Context<'_>, effect: Effect) {
    match effect {
        Effect::Send { to, payload } => cx.send(to, payload),
        Effect::Multicast { to, payload } => cx.multicast(&to, payload),
        Effect::SetTimer { key, after } => cx.set_timer(key, after),
        Effect::CancelTimer { key } => cx.cancel_timer(key),
        Effect::Persist { token, writes } => cx.persist(token, writes),
    }
}

pub(super) fn traitor(
    edit: impl Fn(&mut Context<'_>, &SecretKey, &Message, Option<NodeId>) -> bool
    + Send
    + Sync
    + 'static,
) -> Corrupt {
    let edit: Arc<Edit> = Arc::new(edit);
    Arc::new(move |node, honest, keys: &Keyring| {
        Box::new(Traitor {
            honest,
            key: keys.steal(node.into()).unwrap(),
            edit: Arc::clone(&edit),
        })
    })
}

pub(super) fn send(cx: &mut Context<'_>, to: u32, body: Body) {
    cx.send(NodeId(to), Arc::new(Message { chain: CHAIN, body }));
}

fn proposal(key: &SecretKey, view: u64, sequence: u64, batch: Batch) -> Body {
    let digest = batch.digest();
    let vote = Ballot::sign(CHAIN, PREPARE, view, sequence, digest, key);
    Body::PrePrepare(Arc::new(Proposal::new(
        view,
        sequence,
        Arc::new(batch),
        vote.signature,
    )))
}

/// The primary gives the members of each half another batch, and votes for both with everybody.
fn equivocates(n: u32) -> Corrupt {
    traitor(move |cx, key, message, _| {
        let me = key.id().0;
        let Body::PrePrepare(p) = &message.body else {
            return false;
        };
        if p.signature.key != key.id() {
            return false;
        }
        let other = || {
            let b = &p.batch;
            Batch::new(
                b.proposer(),
                b.time_ns() + 1,
                Arc::clone(b.txs()),
                b.tx_root(),
            )
        };
        for to in (0..n).filter(|&to| to != me) {
            if to % 2 == 0 {
                let body = Body::PrePrepare(Arc::clone(p));
                send(cx, to, body);
            } else {
                send(cx, to, proposal(key, p.view, p.sequence, other()));
            }
            for digest in [p.batch.digest(), other().digest()] {
                let vote = |kind| Ballot::sign(CHAIN, kind, p.view, p.sequence, digest, key);
                send(cx, to, Body::Prepare(vote(PREPARE)));
                send(cx, to, Body::Commit(vote(COMMIT)));
            }
        }
        true
    })
}

/// A member of `n` that drops, splits and doubles what it says, as `seed` has it.
pub(super) fn erratic(n: u32, seed: u64) -> Corrupt {
    let said = AtomicU64::new(0);
    traitor(move |cx, key, message, to| {
        let number = said.fetch_add(1, Ordering::Relaxed);
        let draw = mix(seed, number);
        let others: Vec<u32> = (0..n).filter(|&i| i != key.id().0).collect();
        let vote = |kind, b: &Ballot| {
            let other = Digest::of(&b.digest.0);
            Ballot::sign(CHAIN, kind, b.view, b.sequence, other, key)
        };
        match (&message.body, draw % 8) {
            (_, 0) => true,
            (Body::PrePrepare(p), 1..=3) if to.is_none() && p.signature.key == key.id() => {
                let b = &p.batch;
                let other = || {
                    Batch::new(
                        b.proposer(),
                        b.time_ns() + 1,
                        Arc::clone(b.txs()),
                        b.tx_root(),
                    )
                };
                for &i in &others {
                    if draw & (1 << (8 + i)) == 0 {
                        send(cx, i, Body::PrePrepare(Arc::clone(p)));
                    } else {
                        send(cx, i, proposal(key, p.view, p.sequence, other()));
                    }
                }
                true
            }
            (Body::Prepare(b), 1..=3) => {
                for &i in &others {
                    let twisted = draw & (1 << (8 + i)) != 0;
                    let ballot = if twisted { vote(PREPARE, b) } else { *b };
                    send(cx, i, Body::Prepare(ballot));
                }
                true
            }
            (Body::Commit(b), 1..=3) => {
                for &i in &others {
                    let twisted = draw & (1 << (8 + i)) != 0;
                    let ballot = if twisted { vote(COMMIT, b) } else { *b };
                    send(cx, i, Body::Commit(ballot));
                }
                true
            }
            (Body::NewView(v), 1..=3) if v.signature().key == key.id() => {
                let how = (draw >> 32) as u32 % 8;
                if v.proposals().is_empty() && how < 3 {
                    return false;
                }
                let (lie, _) = twist(v, key, how);
                let lie = Arc::new(lie);
                for &i in &others {
                    let twisted = draw & (1 << (8 + i)) != 0;
                    send(
                        cx,
                        i,
                        Body::NewView(Arc::clone(if twisted { &lie } else { v })),
                    );
                }
                true
            }
            (Body::Blocks(blocks), 1..=3) => {
                let how = (draw >> 32) as u32 % 5;
                let lies = blocks.blocks.iter().map(|c| Arc::new(forge(c, key, how)));
                let body = Body::Blocks(Blocks {
                    blocks: lies.collect(),
                    ..blocks.clone()
                });
                send(cx, to.map_or(0, |to| to.0), body);
                true
            }
            (Body::Status(status), 1..=3) => {
                let status = Status {
                    executed: status.executed + draw % 1_000,
                    view: status.view + (draw >> 16) % 3,
                    ..status.clone()
                };
                for i in to.map_or(others, |to| vec![to.0]) {
                    send(cx, i, Body::Status(status.clone()));
                }
                true
            }
            _ => false,
        }
    })
}

#[test]
fn an_equivocating_primary_does_not_split_the_group() {
    for n in [4, 5, 6, 7] {
        for seed in 1..4 {
            let what = format!("n = {n}, seed {seed}");
            let outcome = Cluster {
                corrupt: vec![(0, equivocates(n))],
                ..Cluster::new(n, seed)
            }
            .run();
            let violations = outcome.violations();
            assert!(violations.is_empty(), "{what}: {violations:#?}");
            for check in ["agreement", "equal-state-roots", "liveness", "convergence"] {
                assert_eq!(outcome.verdict(check), Verdict::Pass, "{what}: {check}");
            }
        }
    }
}

/// The test above can fail: with quorums that need not share a correct member, it does.
#[test]
fn quorums_that_are_too_small_let_an_equivocating_primary_split_the_group() {
    let outcome = Cluster {
        quorum: 2,
        corrupt: vec![(0, equivocates(4))],
        ..Cluster::new(4, 1)
    }
    .run();
    assert_eq!(outcome.verdict("agreement"), Verdict::Fail);
}

/// The commits of a batch that nobody voted for, as far as one liar can make them.
fn forge(committed: &Committed, key: &SecretKey, how: u32) -> Committed {
    let sequence = committed.sequence;
    let b = &committed.batch;
    let batch = match how {
        // Another time: another digest.
        0 | 1 => Batch::new(
            b.proposer(),
            b.time_ns() + 1,
            Arc::clone(b.txs()),
            b.tx_root(),
        ),
        // The same digest, but no transactions.
        2 => Batch::new(b.proposer(), b.time_ns(), Arc::new([]), b.tx_root()),
        // The same digest; the signatures of the transactions are the liar's.
        _ => {
            let txs = b
                .txs()
                .iter()
                .map(|tx| Arc::new(Tx::new(tx.id(), CHAIN, tx.op(), Arc::clone(tx.body()), key)));
            Batch::new(b.proposer(), b.time_ns(), txs.collect(), b.tx_root())
        }
    };
    let digest = batch.digest();
    let mut certificate = committed.certificate.clone();
    match how {
        // The true signatures, over another digest.
        0 => certificate.digest = digest,
        // Its own signature, as often as needed.
        1 => {
            certificate.digest = digest;
            let own = Ballot::sign(CHAIN, COMMIT, certificate.view, sequence, digest, key);
            certificate.signatures = vec![own.signature; certificate.signatures.len()].into();
        }
        _ => {}
    }
    Committed {
        chain: CHAIN,
        sequence: if how == 4 { sequence + 1 } else { sequence },
        batch: Arc::new(batch),
        certificate,
    }
}

#[test]
fn who_lies_to_a_replica_that_catches_up_is_seen_through() {
    // 0 to 4: forgeries; 5: nothing in the answer; 6: no answer at all.
    for how in 0..7 {
        let what = format!("lie {how}");
        let liar = traitor(move |cx, key, message, to| match (&message.body, to) {
            (Body::Blocks(_), _) if how == 6 => true,
            (Body::Blocks(blocks), Some(to)) => {
                let lies = blocks.blocks.iter().map(|c| Arc::new(forge(c, key, how)));
                let blocks = Blocks {
                    blocks: lies.take(if how == 5 { 0 } else { 64 }).collect(),
                    executed: blocks.executed + 1_000,
                    proof: None,
                };
                send(cx, to.0, Body::Blocks(blocks));
                true
            }
            // It says that it is far ahead, so that it is asked again and again.
            (Body::Status(status), to) => {
                let status = Status {
                    executed: status.executed + 1_000,
                    ..status.clone()
                };
                for to in to.map_or(vec![0, 2, 3], |to| vec![to.0]) {
                    send(cx, to, Body::Status(status.clone()));
                }
                true
            }
            _ => false,
        });
        let outcome = Cluster {
            corrupt: vec![(1, liar)],
            ..Cluster::new(4, 2)
        }
        .fault(crash(nodes(&[3]), 10, 20))
        .run();
        outcome.assert_good(&what);
        assert!(outcome.seen.fetched[&NodeId(3)] > 100, "{what}");
    }
}

/// A view change that says `victim` signed it.
fn in_the_name_of(victim: KeyId, view: u64, key: &SecretKey) -> Arc<ViewChange> {
    let change = Arc::new(ViewChange::sign(CHAIN, view, None, Vec::new(), key));
    let change_signature = change.signature().encoded_len();
    let mut wire = Vec::new();
    let message = Message {
        chain: CHAIN,
        body: Body::ViewChange(change),
    };
    message.encode(&mut wire);
    let at = wire.len() - change_signature;
    wire[at..at + 4].copy_from_slice(&victim.0.to_be_bytes());
    match Message::decode(&wire).unwrap().body {
        Body::ViewChange(change) => change,
        _ => panic!("it was a view change"),
    }
}

/// What the primary of view 1 makes of the new view, and a view change to go with it.
fn twist(new_view: &NewView, key: &SecretKey, how: u32) -> (NewView, Option<Arc<ViewChange>>) {
    let view = new_view.view();
    let mut low = new_view.low();
    let mut changes = new_view.changes().to_vec();
    let mut proposals = new_view.proposals().to_vec();
    let mut forged = None;
    match how {
        // It hides what was prepared.
        0 => proposals.clear(),
        1 => {
            proposals.pop();
        }
        // It puts something else forward.
        2 => {
            let other = Digest::of(&proposals[0].0.0);
            let vote = Ballot::sign(CHAIN, PREPARE, view, low + 1, other, key);
            proposals[0] = (other, vote.signature);
        }
        // Too few view changes, or one of them twice.
        3 => {
            changes.pop();
        }
        4 => {
            changes.pop();
            changes.insert(0, changes[0]);
        }
        // Another checkpoint than the view changes prove.
        5 => low += 16,
        // A view change that its sender did not sign, or that nobody has.
        _ => {
            let last = changes.len() - 1;
            let victim = changes[last].0;
            let change = in_the_name_of(victim, view, key);
            changes[last].1 = change.digest();
            forged = Some(change).filter(|_| how == 6);
        }
    }
    (
        NewView::sign(CHAIN, view, low, changes, proposals, key),
        forged,
    )
}

#[test]
fn a_lying_new_view_is_refused_and_the_next_one_is_not() {
    for how in 0..8 {
        let what = format!("lie {how}");
        let liar = traitor(move |cx, key, message, _| {
            if let Body::NewView(new_view) = &message.body
                && new_view.signature().key == key.id()
            {
                let proposals = new_view.proposals().len();
                assert!(proposals > 1, "there is something to lie about");
                let (lie, forged) = twist(new_view, key, how);
                let lie = Arc::new(lie);
                for to in [2, 3, 4, 5, 6] {
                    send(cx, to, Body::NewView(Arc::clone(&lie)));
                    if let Some(change) = &forged {
                        send(cx, to, Body::ViewChange(Arc::clone(change)));
                    }
                }
                return true;
            }
            false
        });
        let outcome = Cluster {
            corrupt: vec![(1, liar)],
            checkpoint: 128,
            ..Cluster::new(7, 2)
        }
        .fault(crash(nodes(&[0]), 10, 20))
        .run();
        outcome.assert_good(&what);
        let views = &outcome.seen.views;
        assert!((2..7).all(|i| views[&NodeId(i)] == 2), "{what}: {views:?}");
    }
}

/// The same, of a replica that nobody knows to lie: the check that has eyes of its own sees what the
/// others refuse.
#[test]
fn a_new_view_that_drops_or_changes_what_was_prepared_fails_the_check_of_carry_over() {
    for (how, said) in [
        (1, "puts nothing forward at"),
        (2, "was prepared in view 0"),
        (3, "are needed"),
        (4, "are needed"),
        (5, "the latest stable checkpoint is"),
    ] {
        let liar = traitor(move |cx, key, message, _| {
            if let Body::NewView(new_view) = &message.body
                && new_view.signature().key == key.id()
            {
                let lie = Arc::new(twist(new_view, key, how).0);
                for to in [2, 3, 4, 5, 6] {
                    send(cx, to, Body::NewView(Arc::clone(&lie)));
                }
                return true;
            }
            false
        });
        let outcome = Cluster {
            corrupt: vec![(1, liar)],
            unnoticed: true,
            checkpoint: 128,
            ..Cluster::new(7, 2)
        }
        .fault(crash(nodes(&[0]), 10, 20))
        .run();
        let finding = &outcome.findings["carry-over"];
        assert_eq!(finding.verdict, Verdict::Fail, "lie {how}");
        assert!(finding.violations[0].contains(said), "{finding:?}");
    }
}

/// A primary that lets a member's transactions lie is replaced, although it does all other work.
#[test]
fn a_primary_that_censors_a_member_is_replaced() {
    let censor = traitor(|cx, key, message, _| {
        let Body::PrePrepare(p) = &message.body else {
            return false;
        };
        let (kept, dropped): (Vec<_>, Vec<_>) = p
            .batch
            .txs()
            .iter()
            .cloned()
            .partition(|tx| tx.id().origin != NodeId(2));
        if dropped.is_empty() {
            return false;
        }
        let leaves: Vec<_> = kept.iter().map(|tx| tx.digest()).collect();
        let batch = Batch::new(
            p.batch.proposer(),
            p.batch.time_ns(),
            kept.into(),
            merkle::root(&leaves),
        );
        if !batch.txs().is_empty() {
            for to in [1, 2, 3] {
                let proposal = |b: Batch| proposal(key, p.view, p.sequence, b);
                let copy = Batch::new(
                    batch.proposer(),
                    batch.time_ns(),
                    Arc::clone(batch.txs()),
                    batch.tx_root(),
                );
                send(cx, to, proposal(copy));
            }
        }
        true
    });
    let outcome = Cluster {
        corrupt: vec![(0, censor)],
        ..Cluster::new(4, 3)
    }
    .run();
    outcome.assert_good("censor");
    assert!(outcome.seen.views.values().all(|&view| view >= 1));
}

/// A restarted node whose disk forgot does not know what it signed: the check sees it. One that
/// sees that its disk was wiped signs nothing for as long as it could contradict itself.
#[test]
fn a_node_that_forgets_its_votes_signs_twice() {
    let run = |kept| {
        let mut window = crash(nodes(&[0]), 10, 11);
        window.to = window.from + ms(200);
        Cluster {
            kept,
            ..Cluster::new(4, 1)
        }
        .fault(window)
        .run()
    };
    let verdict = |kept| run(kept).verdict("no-double-signing");
    assert_eq!(verdict(Kept::TheMark), Verdict::Fail);
    assert_eq!(verdict(Kept::Nothing), Verdict::Pass);
    run(Kept::All).assert_good("with its disk");
}

/// A crowd that shouts views to come and sequence numbers out of reach disturbs nobody.
#[test]
fn floods_do_no_harm() {
    let flooder = traitor(|cx, key, message, _| {
        if let Body::Commit(ballot) = &message.body {
            for far in [1, 1 << 20, u64::MAX / 2, u64::MAX - ballot.sequence] {
                let vote = |kind, view, sequence| {
                    Ballot::sign(CHAIN, kind, view, sequence, ballot.digest, key)
                };
                let view = ballot.view.saturating_add(far);
                let sequence = ballot.sequence.saturating_add(far);
                let change = ViewChange::sign(CHAIN, view, None, Vec::new(), key);
                for to in [0, 1, 2] {
                    send(cx, to, Body::Prepare(vote(PREPARE, view, ballot.sequence)));
                    send(cx, to, Body::Commit(vote(COMMIT, ballot.view, sequence)));
                    send(cx, to, Body::Checkpoint(vote(CHECKPOINT, 0, sequence)));
                    send(cx, to, Body::Suspect { view });
                }
                send(cx, 1, Body::ViewChange(Arc::new(change)));
                send(cx, 1, Body::FetchBlocks { from: 1 });
            }
        }
        false
    });
    let outcome = Cluster {
        corrupt: vec![(3, flooder)],
        load: (secs(0), secs(10)),
        end: secs(30),
        ..Cluster::new(4, 1)
    }
    .run();
    outcome.assert_good("flood");
    assert_eq!(outcome.seen.timeouts, 0);
}

/// A liar and a cut at once, at the edge of what the group bears.
#[test]
fn a_cut_and_an_equivocating_primary() {
    for seed in 1..4 {
        let outcome = Cluster {
            corrupt: vec![(0, equivocates(7))],
            ..Cluster::new(7, seed)
        }
        .fault(cut(nodes(&[6]), 5, 15))
        .run();
        let violations = outcome.violations();
        assert!(violations.is_empty(), "seed {seed}: {violations:#?}");
    }
}
