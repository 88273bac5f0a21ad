//! A node: the host's slot for a process, with its server, NIC, disk, timers and clock.

use crate::config::{Hardware, NodeConfig};
use consim_core::{
    Disk, NodeId, Payload, Process, Sampler, Span, Time, TimerKey, Write, WriteToken,
};
use rand_chacha::ChaCha12Rng;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// An event that waits for the server.
#[derive(Debug)]
pub(crate) enum Pending {
    Message { send: u32 },
    Timer { slot: u32, generation: u32 },
    Persisted { token: WriteToken },
    Request { request: Arc<dyn Payload> },
}

/// A timer. One live ticket each: a new deadline only changes `deadline`; a ticket that surfaces
/// early is pushed again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerSlot {
    pub(crate) key: TimerKey,
    pub(crate) armed: bool,
    pub(crate) deadline: Time,
    /// When the live ticket surfaces; `Time::MAX` if there is none.
    pub(crate) ticket: Time,
    /// Raised by every set and cancel: a queued firing of an older generation is void.
    pub(crate) generation: u32,
}

/// How busy a node was.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Usage {
    /// The server.
    pub cpu: Span,
    /// The incoming NIC.
    pub nic_in: Span,
    /// Messages served.
    pub messages: u64,
    /// The outgoing NIC.
    pub nic_out: Span,
    /// The disk.
    pub disk: Span,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Time down.
    pub down: Span,
    /// The longest inbox.
    pub inbox_max: u32,
}

/// What a message touches comes first, in two lines of cache.
#[repr(C, align(64))]
pub(crate) struct Node {
    pub(crate) process: Option<Box<dyn Process>>,
    pub(crate) hardware: Arc<Hardware>,
    pub(crate) busy_until: Time,
    pub(crate) nic_in_free: Time,
    pub(crate) wake_at: Time,
    pub(crate) id: NodeId,
    pub(crate) epoch: u32,
    /// Is its wall clock wrong?
    off_time: bool,
    pub(crate) inbox: VecDeque<Pending>,
    pub(crate) usage: Usage,
    /// When each past epoch ended.
    pub(crate) epoch_ends: Vec<Time>,
    pub(crate) config: NodeConfig,
    /// Crash windows that hold the node down.
    pub(crate) downs: u32,
    pub(crate) down_since: Time,
    pub(crate) wakes: u64,
    pub(crate) timers: Vec<TimerSlot>,
    pub(crate) nic_out_free: Time,
    pub(crate) disk: Disk,
    pub(crate) disk_free: Time,
    pub(crate) fsync: Arc<Sampler>,
    pub(crate) writes: BTreeMap<u64, (WriteToken, Vec<Write>)>,
    pub(crate) next_write: u64,
    pub(crate) sends: u64,
    pub(crate) rng: Option<Box<ChaCha12Rng>>,
}

impl Node {
    pub(crate) fn new(id: NodeId, config: NodeConfig, fsync: Arc<Sampler>) -> Self {
        Self {
            id,
            fsync,
            hardware: Arc::clone(&config.hardware),
            off_time: config.clock_offset_ns != 0 || config.clock_drift_ppb != 0,
            config,
            process: None,
            downs: 0,
            down_since: Time::ZERO,
            epoch: 0,
            epoch_ends: Vec::new(),
            busy_until: Time::ZERO,
            wake_at: Time::MAX,
            wakes: 0,
            inbox: VecDeque::new(),
            timers: Vec::new(),
            nic_out_free: Time::ZERO,
            nic_in_free: Time::ZERO,
            disk: Disk::default(),
            disk_free: Time::ZERO,
            writes: BTreeMap::new(),
            next_write: 0,
            sends: 0,
            rng: None,
            usage: Usage::default(),
        }
    }
    /// Did `epoch` end at or before `finish`? Then what it wanted to send at `finish` never left:
    /// a crash comes before everything else of its instant.
    pub(crate) fn epoch_ended_by(&self, epoch: u32, finish: Time) -> bool {
        epoch < self.epoch
            && self
                .epoch_ends
                .get(epoch as usize)
                .is_some_and(|&end| end <= finish)
    }
    /// The wall clock: start of the run, offset and drift.
    pub(crate) fn wall_ns(&self, start_ns: i64, now: Time) -> i64 {
        // A part per 10^9 of a second is a nanosecond: whole seconds need no division.
        let start = start_ns.saturating_add(now.nanos() as i64);
        if !self.off_time {
            return start;
        }
        let start = start.saturating_add(self.config.clock_offset_ns);
        let (seconds, rest) = (now.nanos() / 1_000_000_000, now.nanos() % 1_000_000_000);
        let ppb = self.config.clock_drift_ppb;
        let drift = (seconds as i64).saturating_mul(ppb)
            + (rest as i64).saturating_mul(ppb) / 1_000_000_000;
        start.saturating_add(drift)
    }
    /// The slot of timer `key`: its own, one that is idle without a ticket, or a new one.
    pub(crate) fn timer_slot(&mut self, key: TimerKey) -> usize {
        if let Some(slot) = self.timers.iter().position(|t| t.key == key) {
            return slot;
        }
        let idle = self
            .timers
            .iter()
            .position(|t| !t.armed && t.ticket == Time::MAX);
        let slot = idle.unwrap_or(self.timers.len());
        let generation = self.timers.get(slot).map_or(0, |t| t.generation + 1);
        let fresh = TimerSlot {
            key,
            armed: false,
            deadline: Time::MAX,
            ticket: Time::MAX,
            generation,
        };
        if let Some(timer) = self.timers.get_mut(slot) {
            *timer = fresh;
        } else {
            // Most nodes have a few, many have one.
            self.timers.reserve_exact(1);
            self.timers.push(fresh);
        }
        slot
    }
    /// Ends the epoch: the process, what waits, timers, server, NIC and unsynced writes are gone.
    /// Returns the sends whose copies waited in the inbox.
    pub(crate) fn crash(&mut self, now: Time) -> Vec<u32> {
        self.process = None;
        self.epoch += 1;
        self.epoch_ends.push(now);
        self.down_since = now;
        self.busy_until = Time::ZERO;
        self.wake_at = Time::MAX;
        self.nic_out_free = Time::ZERO;
        self.nic_in_free = Time::ZERO;
        self.disk_free = Time::ZERO;
        self.writes.clear();
        for timer in &mut self.timers {
            timer.armed = false;
            timer.generation += 1;
        }
        self.inbox
            .drain(..)
            .filter_map(|pending| match pending {
                Pending::Message { send } => Some(send),
                _ => None,
            })
            .collect()
    }
}
