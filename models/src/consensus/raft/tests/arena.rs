//! Replicas under the hand: messages, timers and disks are the test's, which looks after each step whether
//! the five properties of figure 3 hold.

use crate::consensus::raft::message::{Body, Message};
use crate::consensus::raft::{RaftOptions, RaftReplica, majority};
use crate::consensus::{BlockLimits, MempoolLimits, Replica as _, ReplicaConfig};
use crate::ledger::testing::{Sums, tx};
use crate::ledger::{ExecutionCache, Ledger, LedgerConfig};
use consim_core::{
    ChainId, Context, Delivery, Digest, Disk, Effect, Effects, Event, Keyring, NodeId, Payload,
    Probe, Process as _, Span, Streams, Time, TimerKey, Write, WriteToken, mix,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const CHAIN: ChainId = ChainId(1);

pub(super) struct Seat {
    pub(super) replica: RaftReplica,
    pub(super) ledger: Ledger,
    pub(super) disk: Disk,
    pub(super) up: bool,
    /// Asked for and not yet durable.
    writes: Vec<(WriteToken, Vec<Write>)>,
    timers: BTreeMap<TimerKey, Time>,
    lives: u64,
    rng: Option<Box<rand_chacha::ChaCha12Rng>>,
    /// What it was told of reads.
    pub(super) reads: Vec<(u64, u64)>,
}

pub(super) struct Arena {
    pub(super) seats: Vec<Seat>,
    pub(super) now: Time,
    pub(super) keys: Keyring,
    pub(super) wire: Vec<(NodeId, NodeId, Arc<dyn Payload>)>,
    pub(super) options: RaftOptions,
    /// How long a second takes by each oscillator, thousandths.
    pub(super) pace: Vec<u64>,
    members: Arc<[NodeId]>,
    effects: Effects,
    seed: u64,
    draws: u64,
    numbers: BTreeMap<NodeId, u64>,
    /// Election safety: the leader of each term.
    pub(super) leaders: BTreeMap<u64, NodeId>,
    /// State machine safety: the batch at each index.
    pub(super) committed: BTreeMap<u64, Digest>,
    /// Marks that were met.
    pub(super) marks: BTreeMap<&'static str, u64>,
    /// What was broken, if it is not to panic.
    pub(super) broken: Vec<String>,
}

pub(super) fn everybody(n: u32) -> Arc<[NodeId]> {
    (0..n).map(NodeId).collect()
}

impl Arena {
    /// `n` seats, of whom the first `members` are members.
    pub(super) fn new(n: u32, members: u32, seed: u64, options: RaftOptions) -> Self {
        let keys = Keyring::generate(n, 1).0;
        let mut arena = Self {
            seats: Vec::new(),
            now: Time::ZERO,
            keys,
            wire: Vec::new(),
            options,
            pace: vec![1_000; n as usize],
            members: everybody(members),
            effects: Effects::default(),
            seed,
            draws: 0,
            numbers: BTreeMap::new(),
            leaders: BTreeMap::new(),
            committed: BTreeMap::new(),
            marks: BTreeMap::new(),
            broken: Vec::new(),
        };
        for i in 0..n {
            let seat = arena.seat(i);
            arena.seats.push(seat);
        }
        for i in 0..n {
            arena.within(i, |replica, cx| replica.handle(cx, Event::Start));
        }
        arena
    }

    fn seat(&self, i: u32) -> Seat {
        let config = ReplicaConfig {
            chain: CHAIN,
            me: NodeId(i),
            members: Arc::clone(&self.members),
            everybody: Arc::clone(&self.members),
            peers: None,
            administrator: None,
            quorum: majority(self.members.len()),
            key: Arc::new(self.keys.steal(NodeId(i).into()).unwrap()),
            keys: self.keys.clone(),
            block: BlockLimits {
                transactions: 2,
                bytes: 10_000,
                wait: Span::ZERO,
            },
            mempool: MempoolLimits {
                transactions: 200,
                bytes: 1_000_000,
            },
            timeout: Span::from_millis(1_000),
            checkpoint: 8,
            keep: Some(2),
            renewed: Vec::new(),
        };
        let ledger = Ledger::new(LedgerConfig {
            chain: CHAIN,
            machine: Arc::new(Sums { step: 1 }),
            keys: self.keys.clone(),
            executions: ExecutionCache::off(),
        });
        Seat {
            replica: RaftReplica::new(config, self.options),
            ledger,
            disk: Disk::default(),
            up: true,
            writes: Vec::new(),
            timers: BTreeMap::new(),
            lives: 0,
            rng: None,
            reads: Vec::new(),
        }
    }

    /// A number below `n`.
    pub(super) fn draw(&mut self, n: usize) -> usize {
        self.draws += 1;
        (mix(self.seed, self.draws) % n.max(1) as u64) as usize
    }

    // ---- telling -------------------------------------------------------------------------------

    pub(super) fn within(&mut self, i: u32, call: impl FnOnce(&mut RaftReplica, &mut Context<'_>)) {
        self.effects.clear();
        let Seat {
            replica,
            ledger,
            lives,
            rng,
            ..
        } = &mut self.seats[i as usize];
        let label = format!("node/{i}/{lives}");
        let seed = self.seed;
        let mut make = || Streams::new(seed).stream(&label);
        let wall = 1_000 + self.now.nanos() as i64;
        let mut cx = Context::new(self.now, wall, NodeId(i), &mut self.effects, &mut make, rng);
        call(replica, &mut cx);
        let mut live = Vec::new();
        while let Some(delivery) = cx.take_delivery() {
            let sequence = match &delivery {
                Delivery::Ordered {
                    committed,
                    replayed,
                } => {
                    assert_eq!(committed.sequence, ledger.sequence() + 1, "a gap at {i}");
                    ledger.execute(committed);
                    if !replayed {
                        live.push((committed.sequence, committed.batch.digest()));
                    }
                    committed.sequence
                }
                Delivery::State {
                    sequence, state, ..
                } => {
                    ledger.install(*sequence, state.as_any().downcast_ref().unwrap());
                    *sequence
                }
                Delivery::Tentative { .. } => panic!("nothing is tentative"),
            };
            replica.executed(&mut cx, sequence, &|| ledger.snapshot());
        }
        ledger.open();
        let reads = replica.take_reads();
        self.seats[i as usize].reads.extend(reads);
        for (sequence, digest) in live {
            let first = *self.committed.entry(sequence).or_insert(digest);
            if first != digest {
                self.broken.push(format!("two batches at {sequence}"));
            }
        }
        self.take_effects(i);
    }

    fn take_effects(&mut self, i: u32) {
        let mut effects = std::mem::take(&mut self.effects);
        for probe in effects.probes.drain(..) {
            match probe {
                Probe::View { view, leader, .. } => {
                    let first = *self.leaders.entry(view).or_insert(leader);
                    if first != leader {
                        self.broken.push(format!("two leaders in term {view}"));
                    }
                }
                Probe::Reached(mark) => *self.marks.entry(mark.name).or_default() += 1,
                _ => {}
            }
        }
        let me = NodeId(i);
        for effect in effects.list.drain(..) {
            let seat = &mut self.seats[i as usize];
            match effect {
                Effect::Send { to, payload } => self.wire.push((me, to, payload)),
                Effect::Multicast { to, payload } => {
                    for &to in to.iter().filter(|to| **to != me) {
                        self.wire.push((me, to, Arc::clone(&payload)));
                    }
                }
                Effect::SetTimer { key, after } => {
                    let after = after.nanos() / 1_000 * self.pace[i as usize];
                    seat.timers.insert(key, self.now + Span::from_nanos(after));
                }
                Effect::CancelTimer { key } => {
                    seat.timers.remove(&key);
                }
                Effect::Persist { token, writes } => seat.writes.push((token, writes)),
            }
        }
        self.effects = effects;
    }

    /// Message `at` of those on their way arrives.
    pub(super) fn arrive(&mut self, at: usize) {
        let (from, to, payload) = self.wire.remove(at);
        if self.seats.get(to.index()).is_some_and(|seat| seat.up) {
            let payload = &payload;
            self.within(to.0, |r, cx| r.handle(cx, Event::Message { from, payload }));
        }
    }
    /// The oldest write of a seat is durable.
    pub(super) fn sync(&mut self, i: u32) {
        let seat = &mut self.seats[i as usize];
        if seat.writes.is_empty() || !seat.up {
            return;
        }
        let (token, writes) = seat.writes.remove(0);
        for write in writes {
            seat.disk.apply(write);
        }
        self.within(i, |r, cx| r.handle(cx, Event::Persisted(token)));
    }
    pub(super) fn crash(&mut self, i: u32, torn: usize) {
        let seat = &mut self.seats[i as usize];
        if !seat.up {
            return;
        }
        seat.up = false;
        seat.timers.clear();
        if !seat.writes.is_empty() {
            let (_, writes) = seat.writes.remove(0);
            seat.disk.apply_torn(writes, torn);
        }
        seat.writes.clear();
    }
    pub(super) fn recover(&mut self, i: u32) {
        if self.seats[i as usize].up {
            return;
        }
        let fresh = self.seat(i);
        let seat = &mut self.seats[i as usize];
        let disk = std::mem::take(&mut seat.disk);
        let lives = seat.lives + 1;
        *seat = Seat {
            disk,
            lives,
            ..fresh
        };
        let disk = seat.disk.clone();
        self.within(i, |r, cx| r.handle(cx, Event::Recover(&disk)));
    }
    /// A transaction of a seat.
    pub(super) fn submit(&mut self, i: u32) {
        if !self.seats[i as usize].up {
            return;
        }
        let number = self.numbers.entry(NodeId(i)).or_default();
        *number += 1;
        let key = self.keys.steal(NodeId(i).into()).unwrap();
        let tx = tx(CHAIN, &key, *number, &[i as u8, (*number % 200) as u8]);
        self.within(i, |r, cx| {
            r.submit(cx, tx);
        });
    }
    /// The next timer of a seat that is up.
    fn next_timer(&self) -> Option<(Time, u32, TimerKey)> {
        let seats = (0u32..).zip(&self.seats).filter(|(_, seat)| seat.up);
        let timers = seats.flat_map(|(i, s)| s.timers.iter().map(move |(k, t)| (*t, i, *k)));
        timers.min()
    }
    /// Time passes up to the next timer, which fires.
    pub(super) fn tick(&mut self) {
        if let Some((at, i, key)) = self.next_timer() {
            self.now = self.now.later(at);
            self.seats[i as usize].timers.remove(&key);
            self.within(i, |r, cx| r.handle(cx, Event::Timer(key)));
        }
    }
    /// Messages arrive in order and disks are quick, but for messages that `lost` says are lost, until
    /// `until`.
    pub(super) fn run(&mut self, until: Time, lost: impl Fn(NodeId, NodeId, &Body) -> bool) {
        loop {
            while !self.wire.is_empty() {
                let (from, to, payload) = &self.wire[0];
                let body = &payload.as_any().downcast_ref::<Message>().unwrap().body;
                if lost(*from, *to, body) {
                    self.wire.remove(0);
                } else {
                    self.arrive(0);
                }
                self.sync_all();
            }
            self.sync_all();
            if self.wire.is_empty() {
                match self.next_timer() {
                    Some((at, ..)) if at <= until => self.tick(),
                    _ => break,
                }
            }
        }
        self.now = self.now.later(until);
    }
    fn sync_all(&mut self) {
        for i in 0..self.seats.len() as u32 {
            while self.seats[i as usize].up && !self.seats[i as usize].writes.is_empty() {
                self.sync(i);
            }
        }
    }
    /// Who leads, among those that are up: the one of the highest term.
    pub(super) fn leader(&self) -> Option<u32> {
        let up = (0u32..)
            .zip(&self.seats)
            .filter(|(_, s)| s.up && s.replica.leads());
        up.max_by_key(|(_, s)| s.replica.term).map(|(i, _)| i)
    }
    /// Log matching and leader completeness.
    pub(super) fn look(&mut self) {
        let mut terms: BTreeMap<(u64, u64), Digest> = BTreeMap::new();
        for seat in self.seats.iter().filter(|seat| seat.up) {
            let log = &seat.replica.log;
            for entry in log.from(log.base() + 1) {
                let digest = entry.ordered.batch.digest();
                let place = (entry.index(), entry.term());
                if *terms.entry(place).or_insert(digest) != digest {
                    self.broken.push(format!("logs do not match at {place:?}"));
                }
            }
        }
        let Some(leader) = self.leader() else {
            return;
        };
        let replica = &self.seats[leader as usize].replica;
        for (&index, digest) in self.committed.range(replica.log.base() + 1..) {
            let has = replica.log.get(index).map(|e| e.ordered.batch.digest());
            if has != Some(*digest) {
                self.broken
                    .push(format!("the leader lacks what was committed at {index}"));
            }
        }
    }
    pub(super) fn assert_sound(&self) {
        assert!(self.broken.is_empty(), "{:?}", self.broken);
    }
}
