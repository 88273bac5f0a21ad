//! What a report tells of relays, by the blocks of the chains.

use super::check::{Blocks, Step, Ways};
use super::machine::RECEIVED_BEFORE;
use super::packet::{Command, PacketId};
use consim_core::{Block, ChainId, NodeId, Probe, Receipt, Span, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How exactly latencies are kept: to a hundredth of their first digit's place.
const STEPS: u64 = 100;

/// Latencies by their size, rounded to three digits.
#[derive(Clone, Debug, Default)]
struct Sizes {
    of: BTreeMap<u64, u64>,
    count: u64,
    sum_ns: u128,
    max: Span,
}

impl Sizes {
    fn add(&mut self, latency: Span) {
        let us = latency.nanos() / 1_000;
        let mut unit = 1;
        while us / unit >= 10 * STEPS {
            unit *= 10;
        }
        *self.of.entry(us / unit * unit).or_default() += 1;
        self.count += 1;
        self.sum_ns += u128::from(latency.nanos());
        self.max = self.max.max(latency);
    }
    /// The value that so many of a hundred do not exceed, milliseconds.
    fn percentile(&self, percent: u64) -> f64 {
        let wanted = (self.count * percent).div_ceil(100).max(1);
        let mut below = 0;
        for (us, n) in &self.of {
            below += n;
            if below >= wanted {
                return *us as f64 / 1e3;
            }
        }
        0.0
    }
    fn mean(&self) -> f64 {
        self.sum_ns as f64 / self.count.max(1) as f64 / 1e6
    }
}

/// What came of the packets of some relays.
#[derive(Clone, Debug, Default)]
struct Tally {
    sent: u64,
    received: u64,
    duplicated: u64,
    late: u64,
    lost: u64,
    brought_again: u64,
    latencies: Sizes,
}

/// The figures of some relays.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Figures {
    /// Metric words with their values.
    pub metrics: Vec<(&'static str, f64)>,
}

/// Counts packets.
#[derive(Debug)]
pub struct Summary {
    ways: Arc<Ways>,
    from: Time,
    blocks: Blocks,
    heights: BTreeMap<ChainId, u64>,
    underway: BTreeMap<PacketId, (usize, Time, i64)>,
    received: BTreeSet<(ChainId, PacketId)>,
    outboxes: BTreeMap<(ChainId, ChainId), u64>,
    numbers: BTreeMap<(ChainId, ChainId, u64), PacketId>,
    tallies: BTreeMap<usize, Tally>,
    end_ns: i64,
}

impl Summary {
    /// Of a run whose statistics begin at this time.
    pub fn new(ways: Arc<Ways>, from: Time) -> Self {
        Self {
            ways,
            from,
            blocks: Blocks::default(),
            heights: BTreeMap::new(),
            underway: BTreeMap::new(),
            received: BTreeSet::new(),
            outboxes: BTreeMap::new(),
            numbers: BTreeMap::new(),
            tallies: BTreeMap::new(),
            end_ns: 0,
        }
    }

    fn put(&mut self, on: ChainId, to: ChainId, id: PacketId) -> Option<usize> {
        let next = *self.ways.next.get(&(on, to))?;
        let last = self.outboxes.entry((on, next)).or_default();
        *last += 1;
        self.numbers.insert((on, next, *last), id);
        self.ways.served.get(&(on, next)).copied()
    }

    /// A node says something.
    pub fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        let Probe::Applied(block) = probe else {
            return;
        };
        if self.ways.corrupt.contains(&node) {
            return;
        }
        let on = block.header.chain;
        self.again(block);
        for step in self.blocks.steps(block) {
            match step {
                Step::Sent(packet) => {
                    let served = self.put(on, packet.to, packet.id);
                    if let Some(served) = served.filter(|_| at >= self.from) {
                        let underway = (served, at, packet.deadline_ns);
                        self.underway.insert(packet.id, underway);
                        self.tallies.entry(served).or_default().sent += 1;
                    }
                }
                Step::Received(packet) => {
                    if packet.to != on {
                        self.put(on, packet.to, packet.id);
                    }
                    let first = self.received.insert((on, packet.id));
                    let served = self.ways.served.get(&(packet.id.chain, on)).copied();
                    if !first {
                        let tally = self.tallies.entry(served.unwrap_or_default());
                        tally.or_default().duplicated += 1;
                    } else if packet.to == on
                        && let Some((served, since, _)) = self.underway.remove(&packet.id)
                    {
                        let tally = self.tallies.entry(served).or_default();
                        tally.received += 1;
                        tally.latencies.add(at.since(since));
                    }
                }
                Step::Settled {
                    to,
                    number,
                    received,
                    ..
                } => {
                    let id = self.numbers.remove(&(on, to, number));
                    if let Some(id) = id.filter(|_| !received)
                        && let Some((served, ..)) = self.underway.remove(&id)
                    {
                        self.tallies.entry(served).or_default().late += 1;
                    }
                }
            }
        }
    }

    /// Transactions of relays that brought what was there.
    fn again(&mut self, block: &Block) {
        let height = self.heights.entry(block.header.chain).or_default();
        if block.header.height <= *height {
            return;
        }
        *height = block.header.height;
        self.end_ns = self.end_ns.max(block.header.time_ns);
        let executed = block.committed.batch.txs().iter().zip(&block.receipts);
        let again = executed.filter(|(_, r)| **r == Receipt::Refused(RECEIVED_BEFORE));
        for (tx, _) in again {
            if let Ok(Command::Deliver { shown, .. }) = Command::decode(tx.body()) {
                let way = (shown.header.chain, block.header.chain);
                let served = self.ways.served.get(&way).copied().unwrap_or_default();
                self.tallies.entry(served).or_default().brought_again += 1;
            }
        }
    }

    /// The figures of the relays at this place of the plan; what was on its way at the end and not late does not count.
    pub fn figures(&self, served: usize) -> Figures {
        let mut tally = self.tallies.get(&served).cloned().unwrap_or_default();
        let underway = self.underway.values();
        let lost = underway.filter(|(of, _, deadline)| *of == served && *deadline <= self.end_ns);
        tally.lost = lost.count() as u64;
        let decided = tally.received + tally.late + tally.lost;
        let mut metrics = vec![
            ("sent", tally.sent as f64),
            ("duplicated", tally.duplicated as f64),
            ("late", (tally.late + tally.lost) as f64),
            ("brought_again", tally.brought_again as f64),
        ];
        if decided > 0 {
            metrics.push(("delivered", tally.received as f64 / decided as f64));
        }
        let sizes = &tally.latencies;
        if sizes.count > 0 {
            metrics.extend([
                ("latency_mean", sizes.mean()),
                ("latency_p50", sizes.percentile(50)),
                ("latency_p95", sizes.percentile(95)),
                ("latency_p99", sizes.percentile(99)),
                ("latency_max", sizes.max.seconds() * 1e3),
            ]);
        }
        Figures { metrics }
    }
}
