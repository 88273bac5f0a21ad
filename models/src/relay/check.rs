//! What must hold of packets, judged by the blocks of the chains alone.

use super::packet::{Command, Packet, PacketId};
use consim_core::{
    Block, ChainId, Check, Digest, Finding, NodeId, Observer, Probe, Receipt, Severity, Span, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the chains of a run are joined.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// The neighbour on the way from each chain to each other.
    pub next: BTreeMap<(ChainId, ChainId), ChainId>,
    /// Nodes that may say anything.
    pub corrupt: Vec<NodeId>,
    /// Which relays serve the way from a chain to a neighbour, by their place in the plan.
    pub served: BTreeMap<(ChainId, ChainId), usize>,
    /// When the run began, nanoseconds after the Unix epoch.
    pub start_ns: i64,
}

/// What a block did to packets.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A packet was sent.
    Sent(Packet),
    /// A neighbour's packet was received; what the transaction says that it is.
    Received(Packet),
    /// A packet is done with: it was received, or it was too late.
    Settled {
        /// Towards which neighbour.
        to: ChainId,
        /// Under which number.
        number: u64,
        /// Was it received?
        received: bool,
        /// The time of the neighbour's header that shows it.
        shown_ns: i64,
    },
}

/// The blocks of all chains, each once.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    heights: BTreeMap<ChainId, u64>,
}

impl Blocks {
    /// What a block did, if a correct node is the first to execute it.
    pub(super) fn steps(&mut self, block: &Block) -> Vec<Step> {
        let height = self.heights.entry(block.header.chain).or_default();
        if block.header.height <= *height {
            return Vec::new();
        }
        *height = block.header.height;
        let mut steps = Vec::new();
        let executed = block.committed.batch.txs().iter().zip(&block.receipts);
        for (tx, _) in executed.filter(|(_, receipt)| **receipt == Receipt::Applied) {
            if !Command::is_one(tx.body()) {
                continue;
            }
            match Command::decode(tx.body()) {
                Ok(Command::Send { .. }) => steps.extend(Packet::of_tx(tx).map(Step::Sent)),
                Ok(Command::Deliver { packets, .. }) => {
                    let claims = packets.iter().filter_map(|(_, proof)| proof.claims());
                    let packets = claims.filter_map(|value| Packet::decode(value).ok());
                    steps.extend(packets.map(Step::Received));
                }
                Ok(Command::Settle {
                    shown,
                    received,
                    late,
                }) => {
                    let lists = [(received, true), (late, false)];
                    for (list, received) in lists {
                        steps.extend(list.iter().map(|(number, _)| Step::Settled {
                            to: shown.header.chain,
                            number: *number,
                            received,
                            shown_ns: shown.header.time_ns,
                        }));
                    }
                }
                Err(_) => {}
            }
        }
        steps
    }
}

/// Who has what, as the blocks say: outboxes by number as the chains give them.
#[derive(Debug, Default)]
struct Outboxes {
    last: BTreeMap<(ChainId, ChainId), u64>,
    out: BTreeMap<(ChainId, ChainId, u64), PacketId>,
}

impl Outboxes {
    fn put(&mut self, ways: &Ways, on: ChainId, packet: &Packet) {
        if let Some(&next) = ways.next.get(&(on, packet.to)) {
            let last = self.last.entry((on, next)).or_default();
            *last += 1;
            self.out.insert((on, next, *last), packet.id);
        }
    }
}

/// `packets-once`: each packet is received at most once on a chain, as it was sent; and none that its chain holds for
/// late is received at the neighbour.
#[derive(Debug)]
pub struct PacketsOnce {
    ways: Arc<Ways>,
    blocks: Blocks,
    /// The digest and the deadline of each.
    sent: BTreeMap<PacketId, (Digest, i64)>,
    received: BTreeSet<(ChainId, PacketId)>,
    /// Held for late, at the neighbour that was to receive it.
    late: BTreeSet<(ChainId, PacketId)>,
    outboxes: Outboxes,
    finding: Finding,
}

impl PacketsOnce {
    /// The check of a run.
    pub fn new(ways: Arc<Ways>) -> Self {
        Self {
            ways,
            blocks: Blocks::default(),
            sent: BTreeMap::new(),
            received: BTreeSet::new(),
            late: BTreeSet::new(),
            outboxes: Outboxes::default(),
            finding: Finding::new(),
        }
    }

    fn step(&mut self, on: ChainId, step: Step) {
        match step {
            Step::Sent(packet) => {
                self.outboxes.put(&self.ways, on, &packet);
                let digest = Digest::of(&packet.encode());
                self.sent.insert(packet.id, (digest, packet.deadline_ns));
            }
            Step::Received(packet) => {
                let id = packet.id;
                let digest = Digest::of(&packet.encode());
                let as_sent = self.sent.get(&id).is_some_and(|sent| sent.0 == digest);
                self.finding.judge(as_sent, || {
                    format!("{} received {}, which was not sent", chain(on), words(&id))
                });
                let first = self.received.insert((on, id));
                self.finding.judge(first, || {
                    format!("{} received {} twice", chain(on), words(&id))
                });
                let late = self.late.contains(&(on, id));
                self.finding.judge(!late, || {
                    let words = words(&id);
                    format!("{} received {words}, which counts as late", chain(on))
                });
                if packet.to != on {
                    self.outboxes.put(&self.ways, on, &packet);
                }
            }
            Step::Settled {
                to,
                number,
                received,
                shown_ns,
            } => {
                let Some(id) = self.outboxes.out.remove(&(on, to, number)) else {
                    return;
                };
                let deadline_ns = self.sent.get(&id).map_or(i64::MIN, |sent| sent.1);
                self.finding.judge(received || deadline_ns <= shown_ns, || {
                    let words = words(&id);
                    format!("{} held {words} for late before its deadline", chain(on))
                });
                let did = self.received.contains(&(to, id));
                self.finding.judge(did == received, || {
                    let (on, to, words) = (chain(on), chain(to), words(&id));
                    if received {
                        format!("{on} holds {words} for received by {to}, which it is not")
                    } else {
                        format!("{on} holds {words} for late, which {to} received")
                    }
                });
                if !received {
                    self.late.insert((to, id));
                }
            }
        }
    }
}

fn chain(of: ChainId) -> String {
    format!("chain {}", of.0)
}
fn words(id: &PacketId) -> String {
    let PacketId { chain, tx } = id;
    format!("packet {}/{}/{:x}", chain.0, tx.origin.0, tx.number)
}

impl Observer for PacketsOnce {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe
            && !self.ways.corrupt.contains(&node)
        {
            for step in self.blocks.steps(block) {
                self.step(block.header.chain, step);
            }
        }
    }
}

impl Check for PacketsOnce {
    fn name(&self) -> &'static str {
        "packets-once"
    }
    fn code(&self) -> &'static str {
        ""
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Each packet between chains is received once, as it was sent, and none that counts as late is received."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}

/// A packet on its way.
#[derive(Debug)]
struct Underway {
    since: Time,
    deadline: Time,
    /// Something was wrong meanwhile.
    disturbed: bool,
}

/// `packets-delivered`: each packet is received where it is for, or its chain holds it for late, within the bound after
/// its deadline; where no relay was up all the time, or something was wrong, nothing is expected.
#[derive(Debug)]
pub struct PacketsDelivered {
    ways: Arc<Ways>,
    bound: Span,
    blocks: Blocks,
    outboxes: Outboxes,
    underway: BTreeMap<PacketId, Underway>,
    /// Received at a third chain, from where nobody tells the sender that it is late.
    beyond: BTreeSet<PacketId>,
    open: BTreeSet<String>,
    finding: Finding,
}

impl PacketsDelivered {
    /// The check of a run.
    pub fn new(ways: Arc<Ways>, bound: Span) -> Self {
        Self {
            ways,
            bound,
            blocks: Blocks::default(),
            outboxes: Outboxes::default(),
            underway: BTreeMap::new(),
            beyond: BTreeSet::new(),
            open: BTreeSet::new(),
            finding: Finding::new(),
        }
    }

    fn is_disturbed(&self) -> bool {
        !self.open.is_empty()
    }

    fn disturb(&mut self) {
        if self.is_disturbed() {
            for packet in self.underway.values_mut() {
                packet.disturbed = true;
            }
        }
    }

    fn done(&mut self, id: &PacketId) {
        if self.underway.remove(id).is_some() {
            self.finding.judge(true, String::new);
        }
    }

    fn step(&mut self, at: Time, on: ChainId, step: Step) {
        match step {
            Step::Sent(packet) => {
                let ns = packet.deadline_ns.saturating_sub(self.ways.start_ns);
                let deadline = Time::ZERO + Span::from_nanos(u64::try_from(ns).unwrap_or(0));
                self.outboxes.put(&self.ways, on, &packet);
                let underway = Underway {
                    since: at,
                    deadline,
                    disturbed: self.is_disturbed(),
                };
                self.underway.insert(packet.id, underway);
            }
            Step::Received(packet) if packet.to == on => self.done(&packet.id),
            Step::Received(packet) => {
                self.outboxes.put(&self.ways, on, &packet);
                self.beyond.insert(packet.id);
            }
            Step::Settled {
                to,
                number,
                received,
                ..
            } => {
                let id = self.outboxes.out.remove(&(on, to, number));
                if let Some(id) = id.filter(|_| !received) {
                    self.done(&id);
                }
            }
        }
    }
}

impl Observer for PacketsDelivered {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe
            && !self.ways.corrupt.contains(&node)
        {
            for step in self.blocks.steps(block) {
                self.step(at, block.header.chain, step);
            }
        }
    }
    fn fault(&mut self, _at: Time, id: &str, open: bool) {
        if open {
            self.open.insert(id.to_owned());
            self.disturb();
        } else {
            self.open.remove(id);
        }
    }
    fn end(&mut self, at: Time) {
        for (id, packet) in std::mem::take(&mut self.underway) {
            if packet.deadline + self.bound > at {
                continue;
            }
            let beyond = self.beyond.contains(&id);
            if packet.disturbed || beyond {
                let why = if beyond {
                    "ran out of time beyond its first way, where nobody is told"
                } else {
                    "was on its way while something was wrong"
                };
                self.finding.excuse(format!("{} {why}", words(&id)));
                continue;
            }
            self.finding.judge(false, || {
                let (words, since) = (words(&id), packet.since);
                format!("{words}, sent at {since}, was neither received nor held for late")
            });
        }
    }
}

impl Check for PacketsDelivered {
    fn name(&self) -> &'static str {
        "packets-delivered"
    }
    fn code(&self) -> &'static str {
        ""
    }
    fn severity(&self) -> Severity {
        Severity::Liveness
    }
    fn says(&self) -> &'static str {
        "Each packet between chains is received where it is for, or held for late, within the bound after its deadline."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}

/// The checks of a run whose chains are joined so; `bound` is that of liveness.
pub fn checks(ways: &Arc<Ways>, bound: Span) -> Vec<Box<dyn Check>> {
    vec![
        Box::new(PacketsOnce::new(Arc::clone(ways))),
        Box::new(PacketsDelivered::new(Arc::clone(ways), bound)),
    ]
}
