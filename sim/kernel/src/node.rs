//! A node: the host's slot for a process, with its server, NIC, disk, timers and clock.

use crate::clock::Wrong;
use crate::config::{Hardware, NodeConfig};
use crate::storage::Ailing;
use consim_core::payload::PRIORITY;
use consim_core::{
    Disk, Effect, NodeId, Payload, Process, Sampler, Span, Time, TimerKey, Write, WriteToken,
};
use rand_chacha::ChaCha12Rng;
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// An event that waits for the server.
#[derive(Debug)]
pub(crate) enum Pending {
    Message {
        send: u32,
    },
    Timer {
        slot: u32,
        generation: u32,
    },
    Persisted {
        token: WriteToken,
    },
    Request {
        request: Arc<dyn Payload>,
    },
    /// The disk was read through, and some of it is damaged.
    Scrubbed,
}

/// What waits for a server: by priority, and in the order of coming within one.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// Of the usual priority.
    usual: VecDeque<Pending>,
    /// Of any other: most runs have none.
    other: Option<Box<Others>>,
}

/// What waits with a priority that is not the usual one, most urgent first.
#[derive(Debug, Default)]
struct Others {
    list: BTreeMap<(Reverse<u8>, u64), Pending>,
    came: u64,
}

impl Inbox {
    pub(crate) fn len(&self) -> usize {
        self.usual.len() + self.other.as_ref().map_or(0, |other| other.list.len())
    }
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.usual.is_empty() && self.other.is_none()
    }
    pub(crate) fn push(&mut self, pending: Pending, priority: u8) {
        if priority == PRIORITY {
            return self.usual.push_back(pending);
        }
        let other = self.other.get_or_insert_with(Box::default);
        other.list.insert((Reverse(priority), other.came), pending);
        other.came += 1;
    }
    /// The next to be served.
    pub(crate) fn pop(&mut self) -> Option<Pending> {
        match &mut self.other {
            Some(other) => {
                let first = other.list.first_entry()?;
                let Reverse(priority) = first.key().0;
                if priority < PRIORITY && !self.usual.is_empty() {
                    return self.usual.pop_front();
                }
                let pending = first.remove();
                if other.list.is_empty() {
                    self.other = None;
                }
                Some(pending)
            }
            None => self.usual.pop_front(),
        }
    }
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pending> {
        let other = self.other.iter().flat_map(|other| other.list.values());
        self.usual.iter().chain(other)
    }
    fn remove_timer(&mut self, timer: u32) {
        // Timers have the usual priority.
        self.usual
            .retain(|pending| !matches!(pending, Pending::Timer { slot, .. } if *slot == timer));
    }
    fn drain(&mut self) -> impl Iterator<Item = Pending> {
        let other = self.other.take().map(|other| other.list.into_values());
        let usual = std::mem::take(&mut self.usual).into_iter();
        usual.chain(other.into_iter().flatten())
    }
}

/// Writes that become durable together, after one fsync.
#[derive(Debug)]
pub(crate) struct Group {
    /// When it begins: until then, more may join if the disk groups its commits.
    pub(crate) start: Time,
    /// When it is durable.
    pub(crate) done: Time,
    pub(crate) list: Vec<(WriteToken, Vec<Write>)>,
}

/// A timer. One live ticket each: a new deadline only changes `deadline`; a ticket that surfaces
/// early is pushed again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimerSlot {
    pub(crate) key: TimerKey,
    pub(crate) armed: bool,
    pub(crate) deadline: Time,
    /// From setting it to the deadline.
    pub(crate) length: Span,
    /// When the live ticket surfaces; `Time::MAX` if there is none.
    pub(crate) ticket: Time,
    /// Raised by every set and cancel: a queued firing of an older generation is void.
    pub(crate) generation: u32,
    /// A firing waits for the server.
    pub(crate) queued: bool,
}

/// More timers than this are looked up in an index: a client has one for each operation.
const MANY_TIMERS: usize = 64;

/// The slots of many timers.
#[derive(Debug)]
struct TimerIndex {
    of: BTreeMap<TimerKey, usize>,
    /// Slots that lost their tickets and do not fire; some may have been set again.
    idle: Vec<usize>,
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
    /// Is its wall clock wrong? And is that a fault's doing?
    off_time: bool,
    pub(crate) wrong_clock: bool,
    /// Has it several servers?
    pub(crate) several: bool,
    /// Is its room bounded?
    is_short: bool,
    pub(crate) inbox: Inbox,
    pub(crate) usage: Usage,
    /// When each past epoch ended.
    pub(crate) epoch_ends: Vec<Time>,
    pub(crate) config: NodeConfig,
    /// Crash windows that hold the node down.
    pub(crate) downs: u32,
    pub(crate) down_since: Time,
    pub(crate) wakes: u64,
    /// When the other servers are free, if there are several; `busy_until` is the earliest.
    others_busy: Vec<Time>,
    /// What leaves when its handler's work is done, where there are several servers.
    pub(crate) releases: BTreeMap<(Time, u64), Vec<Effect>>,
    pub(crate) handled: u64,
    /// Sends that the incoming NIC is busy with, in their order.
    pub(crate) nic_in_waiting: VecDeque<u32>,
    pub(crate) timers: Vec<TimerSlot>,
    /// Where they are, if there are many.
    timer_index: Option<Box<TimerIndex>>,
    pub(crate) nic_out_free: Time,
    pub(crate) disk: Disk,
    /// What is wrong with its disk, and with its clock.
    pub(crate) ailing: Option<Box<Ailing>>,
    pub(crate) clock: Option<Box<Wrong>>,
    pub(crate) disk_free: Time,
    pub(crate) fsync: Arc<Sampler>,
    pub(crate) writes: BTreeMap<u64, Group>,
    pub(crate) next_write: u64,
    pub(crate) sends: u64,
    pub(crate) rng: Option<Box<ChaCha12Rng>>,
    /// Bytes of messages that wait for the server, while a fault asks about it.
    pub(crate) waiting_bytes: u64,
    /// Bytes of memory for what waits: little while a fault takes it.
    room: u64,
}

impl Node {
    pub(crate) fn new(id: NodeId, config: NodeConfig, fsync: Arc<Sampler>) -> Self {
        let size = config.hardware.disk_size;
        let ailing = (size > 0).then(|| Box::new(Ailing::new(size, &Disk::default())));
        Self {
            id,
            fsync,
            hardware: Arc::clone(&config.hardware),
            wrong_clock: false,
            off_time: config.clock_offset_ns != 0 || config.clock_drift_ppb != 0,
            several: config.hardware.servers > 1,
            is_short: false,
            others_busy: vec![Time::ZERO; config.hardware.servers.max(1) as usize - 1],
            releases: BTreeMap::new(),
            handled: 0,
            nic_in_waiting: VecDeque::new(),
            config,
            process: None,
            downs: 0,
            down_since: Time::ZERO,
            epoch: 0,
            epoch_ends: Vec::new(),
            busy_until: Time::ZERO,
            wake_at: Time::MAX,
            wakes: 0,
            inbox: Inbox::default(),
            timers: Vec::new(),
            timer_index: None,
            nic_out_free: Time::ZERO,
            nic_in_free: Time::ZERO,
            disk: Disk::default(),
            ailing,
            clock: None,
            disk_free: Time::ZERO,
            writes: BTreeMap::new(),
            next_write: 0,
            sends: 0,
            rng: None,
            waiting_bytes: 0,
            room: u64::MAX,
            usage: Usage::default(),
        }
    }
    /// The incoming NIC is done with `send`; `false` if it has forgotten it in a crash.
    #[inline(never)]
    pub(crate) fn card_done(&mut self, send: u32) -> bool {
        if self.nic_in_waiting.front() == Some(&send) {
            self.nic_in_waiting.pop_front();
            return true;
        }
        // Of several that are done at one instant, their keys decide which surfaces first.
        let place = self.nic_in_waiting.iter().position(|&s| s == send);
        place.is_some_and(|place| self.nic_in_waiting.remove(place).is_some())
    }
    /// Bytes of memory for what waits; asked for each message, and hardly ever bounded.
    #[inline]
    pub(crate) fn room(&self) -> u64 {
        if self.is_short { self.room } else { u64::MAX }
    }
    /// From now on it has so many.
    pub(crate) fn set_room(&mut self, room: u64) {
        self.room = room;
        self.is_short = room < u64::MAX;
    }
    /// The server that was free is busy until `finish`.
    #[inline]
    pub(crate) fn take_server(&mut self, finish: Time) {
        self.busy_until = finish;
        if !self.several {
            return;
        }
        for other in &mut self.others_busy {
            if *other < self.busy_until {
                std::mem::swap(other, &mut self.busy_until);
            }
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
        let wall_ns = start.saturating_add(drift);
        if !self.wrong_clock {
            return wall_ns;
        }
        let clock = self.clock.as_ref();
        clock.map_or(wall_ns, |clock| clock.wall_ns(now, wall_ns))
    }
    /// What the wall clock would show if nothing were wrong with it but what its hardware says.
    fn right_wall_ns(&mut self, start_ns: i64, now: Time) -> i64 {
        self.wrong_clock = false;
        let wall_ns = self.wall_ns(start_ns, now);
        self.wrong_clock = self.clock.is_some();
        wall_ns
    }
    /// A fault of the clock opens.
    pub(crate) fn clock_goes_wrong(&mut self, window: usize, fault: Box<dyn crate::clock::Fault>) {
        (self.off_time, self.wrong_clock) = (true, true);
        self.clock.get_or_insert_default().open(window, fault);
    }
    /// It closes.
    pub(crate) fn clock_is_set(&mut self, window: usize) {
        if let Some(clock) = &mut self.clock {
            clock.close(window);
        }
        if self.clock.as_ref().is_some_and(|clock| clock.is_right()) {
            self.clock = None;
            self.wrong_clock = false;
            self.off_time = self.config.clock_offset_ns != 0 || self.config.clock_drift_ppb != 0;
        }
    }
    /// The windows that made the reading at `now` a wrong one.
    pub(crate) fn clock_faults(&mut self, start_ns: i64, now: Time) -> Vec<usize> {
        let wall_ns = self.right_wall_ns(start_ns, now);
        let clock = self.clock.iter();
        clock.flat_map(|clock| clock.guilty(now, wall_ns)).collect()
    }
    /// How long a timer of `after` takes.
    #[inline]
    pub(crate) fn timer_span(&self, after: Span) -> Span {
        if !self.wrong_clock {
            return after;
        }
        self.clock
            .as_ref()
            .map_or(after, |clock| clock.timer(after))
    }
    /// Timer `slot` is set again or cancelled: a firing that waits is gone.
    #[inline]
    pub(crate) fn forget_firing(&mut self, slot: usize) {
        if let Some(timer) = self.timers.get_mut(slot)
            && timer.queued
        {
            timer.queued = false;
            self.inbox.remove_timer(slot as u32);
            self.maybe_idle(slot);
        }
    }
    /// The slot of timer `key`: its own, one that is idle without a ticket, or a new one.
    pub(crate) fn timer_slot(&mut self, key: TimerKey) -> usize {
        if let Some(slot) = self.find_timer(key) {
            return slot;
        }
        let slot = self.idle_timer().unwrap_or(self.timers.len());
        let generation = self.timers.get(slot).map_or(0, |t| t.generation + 1);
        let fresh = TimerSlot {
            key,
            armed: false,
            deadline: Time::MAX,
            length: Span::ZERO,
            ticket: Time::MAX,
            generation,
            queued: false,
        };
        if let Some(timer) = self.timers.get_mut(slot) {
            *timer = fresh;
        } else {
            // Most nodes have a few, many have one.
            self.timers.reserve_exact(1);
            self.timers.push(fresh);
        }
        if let Some(index) = &mut self.timer_index {
            index.of.insert(key, slot);
        } else if self.timers.len() > MANY_TIMERS {
            let of = self.timers.iter().zip(0..).map(|(t, slot)| (t.key, slot));
            self.timer_index = Some(Box::new(TimerIndex {
                of: of.collect(),
                idle: Vec::new(),
            }));
        }
        slot
    }
    /// The slot of timer `key`.
    pub(crate) fn find_timer(&self, key: TimerKey) -> Option<usize> {
        match &self.timer_index {
            Some(index) => index.of.get(&key).copied(),
            None => self.timers.iter().position(|t| t.key == key),
        }
    }
    /// A slot that is idle without a ticket, out of the index if it was in it.
    fn idle_timer(&mut self) -> Option<usize> {
        let is_idle = |t: &TimerSlot| !t.armed && t.ticket == Time::MAX;
        let Some(index) = &mut self.timer_index else {
            return self.timers.iter().position(is_idle);
        };
        loop {
            let slot = index.idle.pop()?;
            let timer = self.timers.get(slot).filter(|t| is_idle(t));
            if let Some(timer) = timer {
                index.of.remove(&timer.key);
                return Some(slot);
            }
        }
    }
    /// Timer `slot` has no ticket, and perhaps nothing to do.
    #[inline]
    pub(crate) fn maybe_idle(&mut self, slot: usize) {
        if let Some(index) = &mut self.timer_index {
            index.idle.push(slot);
        }
    }
    /// None of its servers takes anything before `until`.
    pub(crate) fn stand_still(&mut self, until: Time) {
        self.busy_until = self.busy_until.later(until);
        for other in &mut self.others_busy {
            *other = other.later(until);
        }
    }
    /// Its wall clock is moved.
    pub(crate) fn move_clock(&mut self, by_ns: i64) {
        let offset = &mut self.config.clock_offset_ns;
        *offset = offset.saturating_add(by_ns);
        self.off_time = *offset != 0 || self.config.clock_drift_ppb != 0 || self.wrong_clock;
    }
    /// All that it asked to be written is written.
    pub(crate) fn sync(&mut self) {
        for group in std::mem::take(&mut self.writes).into_values() {
            for (_, writes) in group.list {
                for write in writes {
                    self.disk.apply(write);
                }
            }
        }
    }
    /// Its machine is another one.
    pub(crate) fn set_machine(&mut self, hardware: Hardware) {
        self.hardware = if *self.config.hardware == hardware {
            Arc::clone(&self.config.hardware)
        } else {
            Arc::new(hardware)
        };
    }
    /// Ends the epoch: the process, what waits, timers, server, NIC and unsynced writes are gone.
    /// Returns the sends whose copies waited in the inbox.
    pub(crate) fn crash(&mut self, now: Time) -> Vec<u32> {
        self.process = None;
        self.epoch += 1;
        self.epoch_ends.push(now);
        self.down_since = now;
        self.busy_until = Time::ZERO;
        self.others_busy.fill(Time::ZERO);
        self.releases.clear();
        self.wake_at = Time::MAX;
        self.nic_out_free = Time::ZERO;
        self.nic_in_free = Time::ZERO;
        self.nic_in_waiting.clear();
        self.disk_free = Time::ZERO;
        self.writes.clear();
        self.waiting_bytes = 0;
        for timer in &mut self.timers {
            timer.armed = false;
            timer.queued = false;
            timer.generation += 1;
        }
        self.inbox
            .drain()
            .filter_map(|pending| match pending {
                Pending::Message { send } => Some(send),
                _ => None,
            })
            .collect()
    }
}
