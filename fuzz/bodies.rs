//! What the fuzz targets do with their bytes. The stable test `tests/it/fuzz.rs` runs the same over
//! the committed corpus and mutations of it.

use consim_core::{
    ChainId, Context, Delivery, Digest, Disk, Effect, Effects, Event, Keyring, NodeId, OpId,
    Payload, Process as _, Span, Streams, Time, TimerKey, Tx, TxId, Write, WriteToken,
};
use consim_models::consensus::pbft::{PbftOptions, PbftReplica};
use consim_models::consensus::{
    BlockLimits, MempoolLimits, Replica as _, ReplicaConfig, byzantine_quorum,
};
use consim_models::ledger::{Snapshot, WorldState};
use consim_models::{consensus, custody, device_samples, key_value, light, node, orders, sharing};
use consim_scenarios::{LoadOptions, study_bytes};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

/// A scenario: it gets a plan or diagnostics. Files that it names are looked for where there are
/// none.
pub(crate) fn parser(data: &[u8]) {
    let options = LoadOptions::default();
    match study_bytes(Path::new("fuzz/none/scenario.yaml"), data, &options) {
        Ok(study) => assert!(!study.runs.is_empty()),
        Err(diagnostics) => {
            assert!(!diagnostics.list.is_empty());
            assert!(diagnostics.render().contains("error"));
        }
    }
}

/// Bytes from the wire: what is taken for a message is written as the same bytes again.
pub(crate) fn codec(data: &[u8]) {
    fn again(data: &[u8], payload: &dyn Payload) {
        let mut out = Vec::new();
        payload.encode(&mut out);
        assert_eq!(out, data, "{} has two forms", payload.kind());
        assert_eq!(payload.encoded_len(), data.len());
    }
    if let Ok(message) = consensus::pbft::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = consensus::hotstuff::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = consensus::bft_smart::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = consensus::tendermint::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = consensus::qbft::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = consensus::clique::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = light::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = node::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = sharing::message::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(request) = sharing::request::Request::decode(data) {
        again(data, &request);
    }
    if let Ok(message) = key_value::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = custody::Message::decode(data) {
        again(data, &message);
    }
    if let Ok(message) = device_samples::Message::decode(data) {
        again(data, &message);
    }
    let _ = <key_value::Command as orders::Command>::from_body(data);
    let _ = sharing::command::Command::decode(data);
    let _ = node::membership::IdentityCertificate::from_bytes(data);
}

const CHAIN: ChainId = ChainId(1);
const MEMBERS: u32 = 4;
/// Messages on the way at once; more are lost, oldest first.
const ON_THE_WAY: usize = 4_000;

/// A replica, its disk and what it waits for.
struct Slot {
    replica: PbftReplica,
    disk: Disk,
    /// Asked for and not yet durable, oldest first.
    writes: VecDeque<(WriteToken, Vec<Write>)>,
    timers: BTreeSet<u64>,
    delivered: BTreeMap<u64, Digest>,
    /// The end of the state that it took over; 0 if it took none.
    jumped: u64,
}

/// A ledger that keeps nothing: the order alone is looked at.
fn nothing() -> Snapshot {
    Snapshot {
        header: None,
        state: WorldState::new(),
    }
}

/// Four PBFT replicas whose messages, writes, timers and crashes come in the order that the bytes
/// say. Crashes keep what was durable and any part of what was under way (a torn tail). Whatever
/// happens, no two replicas deliver different batches at one place of the order, and a replica
/// delivers the same again after a crash.
pub(crate) fn recovery(data: &[u8]) {
    recovered(data);
}

/// The same; returns how many batches were ordered and how many crashes there were.
pub(crate) fn recovered(data: &[u8]) -> (usize, usize) {
    let mut cluster = Cluster::new();
    let mut bytes = data.iter().copied();
    while let Some(action) = bytes.next() {
        let member = u32::from(action & 3);
        let argument = usize::from(bytes.next().unwrap_or(0));
        match action >> 2 & 7 {
            0 | 1 => cluster.deliver(argument),
            2 => (0..8).for_each(|_| cluster.deliver(0)),
            3 => cluster.sync(member),
            4 => (0..MEMBERS).for_each(|m| cluster.sync(m)),
            5 => cluster.timer(member, argument),
            6 => cluster.submit(member, argument as u64),
            _ => cluster.crash(member, argument),
        }
    }
    (cluster.ordered.len(), cluster.crashes)
}

struct Cluster {
    keys: Keyring,
    slots: Vec<Slot>,
    /// To whom, from whom, what.
    messages: VecDeque<(u32, u32, Arc<dyn Payload>)>,
    ordered: BTreeMap<u64, Digest>,
    now: Time,
    submitted: u64,
    crashes: usize,
}

impl Cluster {
    fn new() -> Self {
        let keys = Keyring::generate(MEMBERS, 1).0;
        let mut cluster = Self {
            slots: Vec::new(),
            keys,
            messages: VecDeque::new(),
            ordered: BTreeMap::new(),
            now: Time::ZERO,
            submitted: 0,
            crashes: 0,
        };
        for member in 0..MEMBERS {
            let slot = Slot {
                replica: cluster.replica(member),
                disk: Disk::default(),
                writes: VecDeque::new(),
                timers: BTreeSet::new(),
                delivered: BTreeMap::new(),
                jumped: 0,
            };
            cluster.slots.push(slot);
        }
        for member in 0..MEMBERS {
            cluster.handle(member, |replica, cx| replica.handle(cx, Event::Start));
        }
        cluster
    }

    fn replica(&self, member: u32) -> PbftReplica {
        let key = self.keys.steal(NodeId(member).into());
        let config = ReplicaConfig {
            chain: CHAIN,
            me: NodeId(member),
            members: (0..MEMBERS).map(NodeId).collect(),
            everybody: (0..MEMBERS).map(NodeId).collect(),
            peers: None,
            administrator: None,
            quorum: byzantine_quorum(MEMBERS as usize),
            key: Arc::new(key.expect("a key for each member")),
            keys: self.keys.clone(),
            block: BlockLimits {
                transactions: 4,
                bytes: 10_000,
                wait: Span::ZERO,
            },
            mempool: MempoolLimits {
                transactions: 50,
                bytes: 100_000,
            },
            timeout: Span::from_millis(1_000),
            checkpoint: 4,
            keep: None,
            renewed: Vec::new(),
        };
        let options = PbftOptions {
            watermark: 16,
            pipeline: 4,
            ..PbftOptions::default()
        };
        PbftReplica::new(config, options)
    }

    fn handle(&mut self, member: u32, f: impl FnOnce(&mut PbftReplica, &mut Context<'_>)) {
        self.now += Span::from_millis(7);
        let now = self.now;
        let Some(slot) = self.slots.get_mut(member as usize) else {
            return;
        };
        let mut effects = Effects::default();
        let streams = Streams::new(1);
        let mut rng = || streams.stream("fuzz");
        let mut rng_slot = None;
        let node = NodeId(member);
        let mut cx = Context::new(now, 0, node, &mut effects, &mut rng, &mut rng_slot);
        f(&mut slot.replica, &mut cx);
        while let Some(delivery) = cx.take_delivery() {
            let committed = match delivery {
                Delivery::Ordered { committed, .. } => committed,
                // A proven state stands for everything up to there.
                Delivery::State { sequence, .. } => {
                    slot.jumped = sequence;
                    continue;
                }
                Delivery::Tentative { .. } => continue,
            };
            let (sequence, digest) = (committed.sequence, committed.batch.digest());
            let first = *self.ordered.entry(sequence).or_insert(digest);
            assert_eq!(first, digest, "two batches at {sequence}");
            let before = slot.delivered.insert(sequence, digest);
            assert!(before.is_none_or(|b| b == digest));
            assert!(
                sequence == slot.jumped + 1 || slot.delivered.contains_key(&(sequence - 1)),
                "a gap before {sequence}"
            );
            slot.replica.executed(&mut cx, sequence, &nothing);
        }
        for effect in effects.list {
            match effect {
                Effect::Send { to, payload } => self.messages.push_back((to.0, member, payload)),
                Effect::Multicast { to, payload } => {
                    let others = to.iter().map(|to| (to.0, member, Arc::clone(&payload)));
                    self.messages.extend(others);
                }
                Effect::SetTimer { key, .. } => {
                    slot.timers.insert(key.0);
                }
                Effect::CancelTimer { key } => {
                    slot.timers.remove(&key.0);
                }
                Effect::Persist { token, writes } => slot.writes.push_back((token, writes)),
            }
        }
        while self.messages.len() > ON_THE_WAY {
            self.messages.pop_front();
        }
    }

    /// A message arrives; which one is up to the bytes, so they overtake each other.
    fn deliver(&mut self, which: usize) {
        let which = which % self.messages.len().max(1);
        let Some((to, from, payload)) = self.messages.remove(which) else {
            return;
        };
        let from = NodeId(from);
        // As it came over the wire.
        let mut bytes = Vec::new();
        payload.encode(&mut bytes);
        let read = consensus::pbft::message::Message::decode(&bytes).expect("an own message");
        let payload: Arc<dyn Payload> = Arc::new(read);
        self.handle(to, |replica, cx| {
            let payload = &payload;
            replica.handle(cx, Event::Message { from, payload });
        });
    }

    /// The oldest write of a member becomes durable.
    fn sync(&mut self, member: u32) {
        let Some(slot) = self.slots.get_mut(member as usize) else {
            return;
        };
        if let Some((token, writes)) = slot.writes.pop_front() {
            for write in writes {
                slot.disk.apply(write);
            }
            self.handle(member, |replica, cx| {
                replica.handle(cx, Event::Persisted(token));
            });
        }
    }

    fn timer(&mut self, member: u32, which: usize) {
        let Some(slot) = self.slots.get_mut(member as usize) else {
            return;
        };
        let which = which % slot.timers.len().max(1);
        if let Some(key) = slot.timers.iter().nth_back(which).copied() {
            slot.timers.remove(&key);
            // Timers fire when they are due; some time passes.
            self.now += Span::from_millis(300);
            self.handle(member, |replica, cx| {
                replica.handle(cx, Event::Timer(TimerKey(key)));
            });
        }
    }

    fn submit(&mut self, member: u32, body: u64) {
        let Some(key) = self.keys.steal(NodeId(member).into()) else {
            return;
        };
        self.submitted += 1;
        let id = TxId {
            origin: NodeId(member),
            number: self.submitted,
        };
        let body: Arc<[u8]> = body.to_be_bytes().into();
        let tx = Arc::new(Tx::new(id, CHAIN, OpId(self.submitted), body, &key));
        self.handle(member, |replica, cx| {
            replica.submit(cx, tx);
        });
    }

    /// A member goes down and comes back. Of the writes that were under way the first `kept` are
    /// on disk after all.
    fn crash(&mut self, member: u32, kept: usize) {
        self.crashes += 1;
        let fresh = self.replica(member);
        let Some(slot) = self.slots.get_mut(member as usize) else {
            return;
        };
        let under_way = slot.writes.drain(..).flat_map(|(_, writes)| writes);
        let torn: Vec<Write> = under_way.take(kept % 16).collect();
        for write in torn {
            slot.disk.apply(write);
        }
        slot.timers.clear();
        slot.delivered.clear();
        slot.jumped = 0;
        slot.replica = fresh;
        let disk = std::mem::take(&mut slot.disk);
        self.handle(member, |replica, cx| {
            replica.handle(cx, Event::Recover(&disk));
        });
        if let Some(slot) = self.slots.get_mut(member as usize) {
            slot.disk = disk;
        }
    }
}

/// Messages of a run of four replicas, in the order in which they were said: the seeds of the
/// codec's corpus.
#[allow(dead_code, reason = "only the stable test makes the corpus")]
pub(crate) fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let mut cluster = Cluster::new();
    let mut out = Vec::new();
    for round in 0..6_u64 {
        cluster.submit(round as u32 % MEMBERS, round);
        for member in 0..MEMBERS {
            (0..4).for_each(|which| cluster.timer(member, which));
        }
        for _ in 0..200 {
            if let Some((.., payload)) = cluster.messages.front() {
                let mut bytes = Vec::new();
                payload.encode(&mut bytes);
                out.push((payload.kind(), bytes));
            }
            cluster.deliver(0);
            (0..MEMBERS).for_each(|m| cluster.sync(m));
        }
    }
    out
}
