//! What it costs to watch a run: feeds all checks and the metrics with the probes and sends of a
//! made-up run and prints nanoseconds a call.
//!
//! `cargo run --release -p consim-check --example feed [NODES [BLOCKS [TXS]]]`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Wall time is what is measured here.
#![allow(clippy::disallowed_types, clippy::disallowed_methods)]

#[path = "../src/testing.rs"]
mod testing;

use consim_check::invariants::{self, ChainSubject, Subjects};
use consim_check::metrics::{Metrics, MetricsConfig, WorkloadSubject};
use consim_check::suite::Suite;
use consim_core::{
    Block, ChainId, Digest, KeyId, NodeId, Observer, OpEnd, Payload, Probe, Span, Time, Vote,
};
use std::sync::Arc;
use std::time::Instant;
use testing::{CHAIN, World, admitted, applied, asked, committed, ended, ms, proposed, s};

/// A vote of its sender.
#[derive(Debug)]
struct Ballot(Vote);
impl Payload for Ballot {
    fn kind(&self) -> &'static str {
        "ballot"
    }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn encoded_len(&self) -> usize {
        0
    }
    fn votes(&self, each: &mut dyn FnMut(ChainId, Vote)) {
        each(ChainId(0), self.0);
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

/// A message without a vote.
#[derive(Debug)]
struct Note;
impl Payload for Note {
    fn kind(&self) -> &'static str {
        "note"
    }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn encoded_len(&self) -> usize {
        0
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

struct Feed {
    nodes: u32,
    blocks: u64,
    txs: u64,
    subjects: Arc<Subjects>,
}

impl Feed {
    fn metrics(&self) -> Metrics {
        Metrics::new(MetricsConfig {
            end: s(self.blocks),
            interval: Span::from_secs(10),
            workloads: vec![WorkloadSubject {
                name: "visits".into(),
                service: "records".into(),
            }],
            groups: vec![("hospital".into(), (0..self.nodes).map(NodeId).collect())],
            ..MetricsConfig::default()
        })
    }
    fn suite(&self, only: &[String]) -> Suite {
        let checks = match only {
            [none] if none == "metrics" => Vec::new(),
            _ => invariants::build(&self.subjects, only, &[]),
        };
        Suite::new(self.metrics(), checks)
    }
}

/// A block a second: its transactions are taken in, proposed, committed and executed.
fn probes(feed: &Feed, blocks: &[Arc<Block>], suite: &mut Suite) -> u64 {
    let mut count = 0;
    let mut probe = |at: Time, node: u32, probe: &Probe| {
        suite.probe(at, NodeId(node), probe);
        count += 1;
    };
    for (block, at) in blocks.iter().zip(0_u64..) {
        let at = |after: u64| ms(at * 1000 + after);
        for tx in block.committed.batch.txs().iter() {
            let op = tx.id().number;
            probe(at(0), 0, &asked(op, 0, "grant", Span::from_secs(60)));
            probe(at(10), 0, &admitted(tx));
            probe(at(11), 1, &admitted(tx));
        }
        probe(at(100), 0, &proposed(block.header.sequence));
        let (committed, applied) = (committed(block), applied(block));
        let waiting = Probe::Waiting {
            chain: CHAIN,
            txs: 0,
        };
        for node in 0..feed.nodes {
            probe(at(200), node, &committed);
            probe(at(210), node, &applied);
            probe(at(210), node, &waiting);
        }
        for tx in block.committed.batch.txs().iter() {
            let end = ended(tx.id().number, 0, "grant", at(0), OpEnd::Done);
            probe(at(300), 0, &end);
        }
    }
    suite.end(s(feed.blocks));
    count
}

/// Two votes of every node on every block, and as many messages without one.
fn sends(feed: &Feed, suite: &mut Suite) -> u64 {
    let mut count = 0;
    for sequence in 1..=feed.blocks {
        for node in 0..feed.nodes {
            for kind in 0..2 {
                let vote = Vote {
                    key: KeyId(node),
                    kind,
                    view: 0,
                    sequence,
                    digest: Digest::ZERO,
                };
                suite.sent(s(sequence), NodeId(node), &Ballot(vote), 20);
                suite.sent(s(sequence), NodeId(node), &Note, 1);
                count += 2;
            }
        }
    }
    count
}

fn per_call(name: &str, run: impl FnOnce() -> u64) {
    let start = Instant::now();
    let calls = run();
    let spent = start.elapsed();
    let ns = spent.as_nanos() as f64 / calls.max(1) as f64;
    println!(
        "{name:<20} {calls:>10} calls {:>8.3} s {ns:>8.1} ns a call",
        spent.as_secs_f64()
    );
}

fn main() {
    let number = |at: usize, default: u64| {
        let given = std::env::args().nth(at);
        given.map_or(default, |text| text.parse().expect("a number"))
    };
    let nodes = number(1, 21) as u32;
    let (blocks, txs) = (number(2, 20_000), number(3, 10));
    let mut world = World::new(nodes);
    let feed = Feed {
        nodes,
        blocks,
        txs,
        subjects: Arc::new(Subjects {
            chains: vec![ChainSubject {
                quorum_of: |n| (n + (n - 1) / 3 + 1).div_ceil(2),
                byzantine: true,
                id: CHAIN,
                name: "alliance".into(),
                members: world.members.clone(),
                quorum: world.quorum,
                first: None,
                mempool: 100_000,
                time: None,
            }],
            keys: world.keys.clone().into(),
            names: (0..nodes).map(|n| format!("node-{n}")).collect(),
            corrupt: Vec::new(),
            at_mercy: Vec::new(),
            entries: Vec::new(),
            light: Vec::new(),
            revokes: false,
            recorded: false,
            restarts: true,
            disks: true,
            damages: true,
            bound: Span::from_secs(10),
        }),
    };
    let mut next = 0;
    let history: Vec<Arc<Block>> = (0..feed.blocks)
        .map(|_| {
            let txs = (next..next + feed.txs).map(|n| world.tx(0, n)).collect();
            next += feed.txs;
            world.block(txs)
        })
        .collect();
    println!("{nodes} nodes, {blocks} blocks of {txs} transactions; probes:");
    let words = invariants::CHECKS.iter().map(|entry| entry.name);
    for word in ["metrics"].into_iter().chain(words) {
        let mut suite = feed.suite(&[word.to_owned()]);
        per_call(word, || probes(&feed, &history, &mut suite));
    }
    let mut suite = feed.suite(&[]);
    per_call("all", || probes(&feed, &history, &mut suite));
    println!("sends:");
    per_call("all", || sends(&feed, &mut suite));
    for check in suite.checks() {
        let finding = check.finding();
        assert!(finding.violated == 0, "{}: {finding:?}", check.name());
    }
}
