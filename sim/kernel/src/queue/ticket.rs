//! Tickets: an entry of the list in 24 bytes, which are its place in the order as they stand.
//!
//! The instant, then 128 bits, the highest first:
//!
//! | | class | node | |
//! | --- | --- | --- | --- |
//! | arrivals, requests | 3 | 28 | counter 40, receiver 28, marks 2, slot or workload 27 |
//! | all others | 3 | 28 | counter or timer key 64, slot of a timer 33 |
//!
//! Marks and slots do not tell two entries apart that the rest does not, so that they may stand in
//! the key.

use super::Item;
use consim_core::Time;
use std::cmp::Ordering;

/// Nodes, with the workloads behind them, are numbered below this.
pub(crate) const MAX_SOURCES: u32 = 1 << NODE_BITS;
/// Sends in flight are numbered below this.
pub(crate) const MAX_SENDS: u32 = 1 << SLOT_BITS;

const NODE_BITS: u32 = 28;
const COUNTER_BITS: u32 = 40;
const SLOT_BITS: u32 = 27;
/// It has waited for the NIC.
const QUEUED: u64 = 1 << (SLOT_BITS + 1);
/// It is a workload's.
const REQUEST: u64 = 1 << SLOT_BITS;
/// It is what waited for an acknowledgement.
const ACKNOWLEDGED: u32 = 1;
/// It is a wake of a fault, after those that close (0) and those that open (1).
const WOKEN: u32 = 2;
/// Where the receiver of an arrival begins, and where its counter does.
const RECEIVER_AT: u32 = SLOT_BITS + 2;
const COUNTER_AT: u32 = RECEIVER_AT + NODE_BITS;
/// Where the key of a timer begins.
const KEY_AT: u32 = 33;
/// Bits of the upper word below class and node.
const HIGH_BITS: u32 = 33;

/// What kind of thing happens; equal instants are served in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Class {
    /// Tickets of a broadcast that are due soon; never leaves the list.
    Segment = 0,
    Fault = 1,
    /// Effects leave, or what waited for an acknowledgement.
    Leave = 2,
    Arrival = 3,
    Disk = 4,
    Timer = 5,
    Wake = 6,
}

/// Instant and place among ties, and what the entry stands for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Ticket {
    pub(super) at: u64,
    high: u64,
    low: u64,
}

/// Class and node; the rest of the upper word is free.
fn head(class: Class, node: u32) -> u64 {
    (class as u64) << (NODE_BITS + HIGH_BITS) | u64::from(node % MAX_SOURCES) << HIGH_BITS
}

impl Ord for Ticket {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.rest()).cmp(&(other.at, other.rest()))
    }
}
/// Without branches that a processor would have to guess: heaps and sorts live on these.
impl PartialOrd for Ticket {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
    #[inline]
    fn lt(&self, other: &Self) -> bool {
        self.before(other)
    }
    #[inline]
    fn le(&self, other: &Self) -> bool {
        !other.before(self)
    }
    #[inline]
    fn gt(&self, other: &Self) -> bool {
        other.before(self)
    }
    #[inline]
    fn ge(&self, other: &Self) -> bool {
        !self.before(other)
    }
}

impl Ticket {
    #[inline]
    fn before(&self, other: &Self) -> bool {
        (self.at < other.at) | ((self.at == other.at) & (self.rest() < other.rest()))
    }
    /// Its place among those of its instant.
    #[inline]
    pub(super) fn rest(&self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }
    /// A ticket of its instant and its place there.
    #[inline]
    pub(super) fn of(at: u64, rest: u128) -> Self {
        Self {
            at,
            high: (rest >> 64) as u64,
            low: rest as u64,
        }
    }
    /// The ticket of a copy; a counter beyond 40 bits (a sender's 10^12th send) begins anew.
    pub(super) fn arrival(
        at: u64,
        send: u32,
        from: u32,
        counter: u64,
        to: u32,
        marks: u64,
    ) -> Self {
        let counter = counter % (1 << COUNTER_BITS);
        Self {
            at,
            high: head(Class::Arrival, from) | counter >> (64 - COUNTER_AT),
            low: counter << COUNTER_AT
                | u64::from(to % MAX_SOURCES) << RECEIVER_AT
                | marks
                | u64::from(send % MAX_SENDS),
        }
    }
    fn long(at: u64, class: Class, node: u32, key: u64, slot: u32) -> Self {
        Self {
            at,
            high: head(class, node) | key >> (64 - KEY_AT),
            low: key << KEY_AT | u64::from(slot),
        }
    }
    /// The ticket with which the next tickets of broadcast `id` are made.
    pub(super) fn segment(at: u64, id: u32) -> Self {
        Self::long(at, Class::Segment, 0, u64::from(id), 0)
    }
    /// The broadcast whose next tickets it makes, if it is of that kind.
    #[inline]
    pub(super) fn broadcast(&self) -> Option<u32> {
        (self.high >> (NODE_BITS + HIGH_BITS) == Class::Segment as u64)
            .then_some((self.low >> KEY_AT) as u32)
    }
    /// The instant.
    #[inline]
    pub(crate) fn time(&self) -> Time {
        Time::from_nanos(self.at)
    }
    /// Of a copy of a message: where the message is kept, the receiver, and whether it has already
    /// waited for the NIC.
    #[inline]
    pub(crate) fn copy(&self) -> Option<(u32, u32, bool)> {
        let arrival = self.high >> (NODE_BITS + HIGH_BITS) == Class::Arrival as u64;
        (arrival && self.low & REQUEST == 0).then(|| {
            let to = (self.low >> RECEIVER_AT) as u32 % MAX_SOURCES;
            (self.low as u32 % MAX_SENDS, to, self.low & QUEUED != 0)
        })
    }
    #[inline]
    pub(super) fn new(at: Time, item: Item) -> Self {
        let at = at.nanos();
        match item {
            Item::Arrival {
                send,
                from,
                counter,
                to,
                queued,
            } => Self::arrival(at, send, from, counter, to, if queued { QUEUED } else { 0 }),
            Item::Request {
                workload,
                source,
                counter,
            } => Self::arrival(at, workload, source, counter, 0, REQUEST),
            Item::Fault { window, open } => {
                Self::long(at, Class::Fault, u32::from(open), u64::from(window), 0)
            }
            Item::Woken { window, what } => {
                Self::long(at, Class::Fault, WOKEN, u64::from(window), what)
            }
            Item::Release { node, counter } => Self::long(at, Class::Leave, node, counter, 0),
            Item::Acknowledged { from, to } => {
                Self::long(at, Class::Leave, from, u64::from(to), ACKNOWLEDGED)
            }
            Item::Disk { node, op } => Self::long(at, Class::Disk, node, op, 0),
            Item::Timer { node, key, slot } => Self::long(at, Class::Timer, node, key, slot),
            Item::Wake { node, counter } => Self::long(at, Class::Wake, node, counter, 0),
        }
    }
    #[inline]
    pub(crate) fn item(&self) -> Item {
        let node = (self.high >> HIGH_BITS) as u32 % MAX_SOURCES;
        let class = self.high >> (NODE_BITS + HIGH_BITS);
        if class == Class::Arrival as u64 {
            let rest = self.high % (1 << HIGH_BITS);
            let counter = rest << (64 - COUNTER_AT) | self.low >> COUNTER_AT;
            return match self.copy() {
                Some((send, to, queued)) => Item::Arrival {
                    send,
                    from: node,
                    counter,
                    to,
                    queued,
                },
                None => Item::Request {
                    workload: self.low as u32 % MAX_SENDS,
                    source: node,
                    counter,
                },
            };
        }
        let key = self.high << (64 - KEY_AT) | self.low >> KEY_AT;
        if class == Class::Timer as u64 {
            Item::Timer {
                node,
                key,
                slot: self.low as u32,
            }
        } else if class == Class::Wake as u64 {
            Item::Wake { node, counter: key }
        } else if class == Class::Leave as u64 {
            if self.low as u32 == ACKNOWLEDGED {
                let to = key as u32;
                return Item::Acknowledged { from: node, to };
            }
            Item::Release { node, counter: key }
        } else if class == Class::Disk as u64 {
            Item::Disk { node, op: key }
        } else if node == WOKEN {
            Item::Woken {
                window: key as u32,
                what: self.low as u32,
            }
        } else {
            Item::Fault {
                window: key as u32,
                open: node == 1,
            }
        }
    }
}
