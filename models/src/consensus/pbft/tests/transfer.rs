//! A replica that is far behind, or lost its disk, takes a proven state over.

use super::adversary::{send, traitor};
use super::bench::Bench;
use super::cluster::{Cluster, Corrupt, crash, cut, nodes};
use super::disks::Kept;
use crate::consensus::StateHead;
use crate::consensus::pbft::PbftOptions;
use crate::consensus::pbft::message::{Body, Message, StateParts, Status};
use crate::consensus::sync::KEPT_STATES;
use crate::ledger::state::parts::Part;
use consim_core::{Digest, Event, NodeId, Payload, Verdict};
use std::sync::Arc;

const TRAVELLER: u32 = 3;

/// A window that is soon left behind.
fn narrow(n: u32, seed: u64) -> Cluster {
    Cluster {
        checkpoint: 8,
        options: PbftOptions {
            watermark: 16,
            ..PbftOptions::default()
        },
        ..Cluster::new(n, seed)
    }
}

#[test]
fn a_replica_whose_disk_was_wiped_takes_the_state_over() {
    for seed in 1..4 {
        let outcome = Cluster {
            kept: Kept::Nothing,
            ..narrow(4, seed)
        }
        .fault(crash(nodes(&[TRAVELLER]), 20, 25))
        .run();
        let node = NodeId(TRAVELLER);
        let taken = &outcome.seen.taken[&node];
        // It did not execute what led there, and the little that came after it.
        assert!(taken[0].0 > 100 && taken[0].1 > 100, "{taken:?}");
        let fetched = outcome.seen.fetched.get(&node).copied().unwrap_or(0);
        assert!(fetched < 60, "{fetched} of {}", outcome.seen.heights[&node]);
        // It stands where the others stand, and what it holds is what they hold.
        for check in [
            "equal-state-roots",
            "hash-chain",
            "agreement",
            "convergence",
        ] {
            assert_eq!(outcome.verdict(check), Verdict::Pass, "{check}");
        }
        assert_eq!(outcome.verdict("no-double-signing"), Verdict::Pass);
        outcome.assert_ordered_once("wiped");
    }
}

#[test]
fn a_replica_that_was_cut_off_for_long_takes_over_what_changed() {
    let outcome = narrow(4, 5).fault(cut(nodes(&[TRAVELLER]), 10, 20)).run();
    outcome.assert_good("cut off");
    let taken = &outcome.seen.taken[&NodeId(TRAVELLER)];
    assert!(!taken.is_empty());
    // With a wide window it executes the batches instead.
    let wide = Cluster::new(4, 5)
        .fault(cut(nodes(&[TRAVELLER]), 10, 20))
        .run();
    wide.assert_good("wide");
    assert!(wide.seen.taken.is_empty());
    assert!(wide.seen.fetched[&NodeId(TRAVELLER)] > 100);
}

#[test]
fn who_is_behind_members_that_keep_few_batches_takes_a_state_or_stays_behind() {
    let run = |keep, checkpoint| {
        let cluster = Cluster {
            checkpoint,
            keep,
            ..Cluster::new(4, 5)
        };
        cluster.fault(cut(nodes(&[TRAVELLER]), 10, 20)).run()
    };
    let node = NodeId(TRAVELLER);
    let usual = run(None, 16);
    usual.assert_good("all is kept");
    assert!(usual.seen.taken.is_empty() && usual.seen.fetched[&node] > 100);
    let few = run(Some(8), 16);
    few.assert_good("little is kept");
    let taken = &few.seen.taken[&node];
    assert!(taken[0].0 > 100, "{taken:?}");
    // Without a proven state there is nothing that it could believe.
    let nothing = run(Some(8), 1_000_000);
    assert!(nothing.seen.taken.is_empty());
    let (own, others) = (
        nothing.seen.heights[&node],
        nothing.seen.heights[&NodeId(0)],
    );
    assert!(own + 50 < others, "{own} of {others}");
    assert_eq!(nothing.verdict("convergence"), Verdict::Fail);
    assert_eq!(nothing.verdict("agreement"), Verdict::Pass);
}

#[test]
fn a_restart_after_a_state_was_taken_over_begins_with_it() {
    let outcome = narrow(4, 6)
        .fault(cut(nodes(&[TRAVELLER]), 5, 15))
        .fault(crash(nodes(&[TRAVELLER]), 20, 22))
        .run();
    outcome.assert_good("restart after a transfer");
    assert!(!outcome.seen.taken[&NodeId(TRAVELLER)].is_empty());
}

/// Sends another answer than the true one.
fn lies(how: u32) -> Corrupt {
    traitor(move |cx, _, message, to| {
        let (state, to) = match (&message.body, to) {
            (Body::State(state), Some(to)) => (state, to),
            // It says that it is far ahead, so that it is asked again and again.
            (Body::Status(status), to) => {
                let status = Status {
                    executed: status.executed + 1_000,
                    ..status.clone()
                };
                for to in to.map_or(vec![0, 2, 3], |to| vec![to.0]) {
                    send(cx, to, Body::Status(status.clone()));
                }
                return true;
            }
            _ => return false,
        };
        let mut state = state.clone();
        match how {
            // Another state, which no quorum proved.
            0 => {
                if let Some(head) = &state.head {
                    let root = Digest::of(b"another");
                    let header = head.header.clone();
                    state.head = Some(Arc::new(StateHead { header, root }));
                }
            }
            // One bit of one entry.
            1 => {
                for (_, part) in &mut state.parts {
                    if let Part::Entries(entries) = part
                        && let Some((_, value)) = entries.last_mut()
                    {
                        let mut other = value.to_vec();
                        other[0] ^= 1;
                        *value = other.into();
                    }
                }
            }
            // One entry less.
            2 => {
                for (_, part) in &mut state.parts {
                    if let Part::Entries(entries) = part {
                        entries.pop();
                    }
                }
            }
            // Nothing.
            _ => {
                state.head = None;
                state.parts.clear();
            }
        }
        send(cx, to.0, Body::State(state));
        true
    })
}

#[test]
fn a_false_state_is_refused_and_another_member_is_asked() {
    for how in 0..4 {
        // Who is asked for the head, and who for the parts, is a matter of turns.
        let asked = (7..13).any(|seed| {
            let outcome = Cluster {
                corrupt: vec![(1, lies(how))],
                ..narrow(4, seed)
            }
            .fault(cut(nodes(&[TRAVELLER]), 10, 20))
            .run();
            outcome.assert_good(&format!("lie {how}"));
            assert!(!outcome.seen.taken[&NodeId(TRAVELLER)].is_empty());
            outcome.seen.refused.contains(&NodeId(1))
        });
        // Nothing is no lie: it is only not asked again.
        assert_eq!(asked, how != 3, "lie {how}");
    }
}

// ---- one replica under the hand ------------------------------------------------------------------

/// A backup that has ordered `count` batches, with stable checkpoints.
fn ahead(entries: usize, count: u64) -> Bench {
    let mut bench = Bench::new(1, 4);
    bench.entries = entries;
    for sequence in 1..=count {
        bench.order(sequence, &bench.batch(0, &[sequence]));
        if sequence % 4 == 0 {
            let state = bench.own_state(sequence);
            for by in [0, 2] {
                bench.receive(by, bench.checkpoint(by, sequence, state));
            }
            bench.sync();
        }
    }
    bench
}

/// Carries what one says of these kinds to the other; how many messages that were.
fn carry(from: u32, a: &mut Bench, b: &mut Bench, kinds: &[&str]) -> usize {
    let sent = std::mem::take(&mut a.sent);
    let mut carried = 0;
    for payload in sent.iter().filter(|p| kinds.contains(&p.kind())) {
        b.handle(Event::Message {
            from: NodeId(from),
            payload,
        });
        carried += 1;
    }
    a.look();
    carried
}

fn largest(bench: &Bench) -> usize {
    bench
        .sent
        .iter()
        .map(|p| p.encoded_len())
        .max()
        .unwrap_or(0)
}

#[test]
fn a_large_state_comes_in_bounded_parts_and_survives_a_restart() {
    let mut server = ahead(4_000, 24);
    let mut bench = Bench::new(TRAVELLER, 4);
    // It hears the proof of a checkpoint far beyond its window.
    bench.look();
    bench.handle(Event::Timer(consim_core::TimerKey(1)));
    let status = server.replica.status(true, 0);
    bench.receive(1, status);
    let mut rounds = 0;
    while carry(TRAVELLER, &mut bench, &mut server, &["fetch-state"]) > 0 {
        assert!(largest(&server) < (1 << 20) + 4_096);
        rounds += 1;
        carry(1, &mut server, &mut bench, &["state"]);
    }
    assert!(rounds > 4, "{rounds}");
    assert_eq!(bench.replica.executed, 24);
    assert_eq!(bench.replica.stable(), 24);
    bench.sync();
    // The way goes on from there.
    bench.look();
    bench.order(25, &bench.batch(0, &[25]));
    assert!(bench.look_for(&["deliver"]) == ["deliver 25"]);
    bench.restart();
    assert_eq!(
        bench.look_for(&["restore", "replay"]),
        ["restore 24", "replay 25"]
    );
    // It has no batches for those that are behind, and says so.
    bench.receive(2, Body::FetchBlocks { from: 3 });
    assert_eq!(bench.look_for(&["blocks"]), ["2: blocks 0"]);
}

#[test]
fn states_are_kept_for_some_checkpoints_only() {
    let server = ahead(1, 40);
    let kept = (1..=10).filter(|i| server.replica.checkpoints.kept(i * 4).is_some());
    assert_eq!(kept.count(), KEPT_STATES);
    assert!(server.replica.checkpoints.kept(40).is_some());
}

#[test]
fn a_transfer_that_a_newer_checkpoint_overtakes_goes_on_with_what_it_has() {
    let mut server = ahead(4_000, 24);
    let mut bench = Bench::new(TRAVELLER, 4);
    bench.receive(1, server.replica.status(true, 0));
    // The head and some of the parts.
    for _ in 0..3 {
        carry(TRAVELLER, &mut bench, &mut server, &["fetch-state"]);
        carry(1, &mut server, &mut bench, &["state"]);
    }
    let mut server = ahead(4_000, 40);
    let mut bytes = 0;
    while carry(TRAVELLER, &mut bench, &mut server, &["fetch-state"]) > 0 {
        bytes += server.sent.iter().map(|p| p.encoded_len()).sum::<usize>();
        carry(1, &mut server, &mut bench, &["state"]);
    }
    assert_eq!(bench.replica.executed, 40);
    assert!(bytes < 3_400_000, "{bytes} of four million");
}

#[test]
fn what_nobody_asked_for_is_not_taken() {
    let server = ahead(1, 24);
    let mut bench = Bench::new(TRAVELLER, 4);
    let kept = server.replica.checkpoints.kept(24).unwrap();
    let body = Body::State(StateParts {
        sequence: 24,
        executed: 24,
        proof: server.replica.checkpoints.proof.clone(),
        head: Some(Arc::clone(&kept.head)),
        parts: vec![],
    });
    bench.receive(1, body);
    assert_eq!(bench.replica.executed, 0);
}

#[test]
fn messages_name_their_kind() {
    let body = Body::FetchState {
        sequence: 1,
        wanted: vec![],
    };
    let chain = super::cluster::CHAIN;
    assert_eq!(Message { chain, body }.kind(), "fetch-state");
}
