//! The future event list: a wheel of buckets in front of a heap; ties break by meaning.
//!
//! A bucket holds what happens within 65.5 µs and is sorted when its turn comes; the wheel reaches
//! 268 ms ahead, as far as nearly all messages do; timers of seconds wait in the heap.
//!
//! What a ticket stands for and where it stands among others of its instant are one thing: an
//! entry is packed into 32 bytes, 24 of which are its key.

use consim_core::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What kind of thing happens; equal instants are served in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
enum Class {
    Fault = 0,
    Leave = 1,
    Arrival = 2,
    Disk = 3,
    Timer = 4,
    Wake = 5,
}

/// Nodes, with the workloads behind them, are numbered below this.
pub(crate) const MAX_SOURCES: u32 = 1 << 28;
/// Marks in the data of an arrival: it has waited for the NIC; it is a workload's.
const QUEUED: u32 = 1 << 31;
const REQUEST: u32 = 1 << 30;
/// Mark in the data of what leaves: it waited for an acknowledgement.
const ACKNOWLEDGED: u32 = 1;

/// An entry of the future event list. At one instant the order is: class; node; the node's own
/// counter; receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    /// Fault window `.0` closes (before others open at that instant) or opens.
    Fault { window: u32, open: bool },
    /// The effects of a handler leave a node with several servers, its `counter`-th such handler.
    Release { node: u32, counter: u64 },
    /// What Nagle's algorithm holds of node `from` for node `to` leaves.
    Acknowledged { from: u32, to: u32 },
    /// A copy of send `send` of node `from`, its `counter`-th, reaches node `to`; `queued` if it
    /// has already waited for the NIC.
    Arrival {
        send: u32,
        from: u32,
        counter: u64,
        to: u32,
        queued: bool,
    },
    /// A workload hands out its next arrival, the `counter`-th; `source` is its number behind the
    /// nodes.
    Request {
        workload: u32,
        source: u32,
        counter: u64,
    },
    /// Disk operation `op` of node `node` is done.
    Disk { node: u32, op: u64 },
    /// The ticket of the slot of timer `key` surfaces.
    Timer { node: u32, key: u64, slot: u32 },
    /// The server of a node is free and somebody waits, for the `counter`-th time.
    Wake { node: u32, counter: u64 },
}

/// Instant and place among ties, and what the key does not hold.
#[derive(Clone, Copy, Debug)]
struct Ticket {
    at: u64,
    /// Class, node, upper half of the counter.
    high: u64,
    /// Lower half of the counter, receiver.
    low: u64,
    data: u32,
}

impl Ticket {
    fn new(at: Time, item: Item) -> Self {
        let key = |class: Class, node: u32, counter: u64, receiver: u32, data: u32| Self {
            at: at.nanos(),
            high: (class as u64) << 60 | u64::from(node % MAX_SOURCES) << 32 | counter >> 32,
            low: counter << 32 | u64::from(receiver),
            data,
        };
        match item {
            Item::Fault { window, open } => {
                key(Class::Fault, u32::from(open), u64::from(window), 0, 0)
            }
            Item::Release { node, counter } => key(Class::Leave, node, counter, 0, 0),
            Item::Acknowledged { from, to } => key(Class::Leave, from, 0, to, ACKNOWLEDGED),
            Item::Arrival {
                send,
                from,
                counter,
                to,
                queued,
            } => {
                let data = send | if queued { QUEUED } else { 0 };
                key(Class::Arrival, from, counter, to, data)
            }
            Item::Request {
                workload,
                source,
                counter,
            } => key(Class::Arrival, source, counter, 0, workload | REQUEST),
            Item::Disk { node, op } => key(Class::Disk, node, op, 0, 0),
            Item::Timer {
                node,
                key: timer,
                slot,
            } => key(Class::Timer, node, timer, 0, slot),
            Item::Wake { node, counter } => key(Class::Wake, node, counter, 0, 0),
        }
    }
    fn item(&self) -> Item {
        let node = (self.high >> 32) as u32 % MAX_SOURCES;
        let counter = self.high << 32 | self.low >> 32;
        match self.high >> 60 {
            0 => Item::Fault {
                window: counter as u32,
                open: node == 1,
            },
            1 if self.data == ACKNOWLEDGED => Item::Acknowledged {
                from: node,
                to: self.low as u32,
            },
            1 => Item::Release { node, counter },
            2 if self.data & REQUEST != 0 => Item::Request {
                workload: self.data & !REQUEST,
                source: node,
                counter,
            },
            2 => Item::Arrival {
                send: self.data & !QUEUED,
                from: node,
                counter,
                to: self.low as u32,
                queued: self.data & QUEUED != 0,
            },
            3 => Item::Disk { node, op: counter },
            4 => Item::Timer {
                node,
                key: counter,
                slot: self.data,
            },
            _ => Item::Wake { node, counter },
        }
    }
    /// The number of its bucket.
    fn bucket(&self) -> u64 {
        self.at >> WIDTH
    }
    fn key(&self) -> (u64, u64, u64) {
        (self.at, self.high, self.low)
    }
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}
impl Eq for Ticket {}
impl PartialOrd for Ticket {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ticket {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Nanoseconds of a bucket, as a power of two.
const WIDTH: u32 = 16;
/// Buckets of the wheel, a power of two.
const BUCKETS: usize = 4_096;

/// The list.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The number of the bucket whose turn it is.
    now: u64,
    /// What is left of it, the next at the end.
    current: Vec<Ticket>,
    /// Pushed into its span after it was sorted.
    late: BinaryHeap<Reverse<Ticket>>,
    /// What comes within the reach of the wheel, by bucket number modulo their count.
    buckets: Vec<Vec<Ticket>>,
    /// Which of them hold something: a bit each.
    occupied: [u64; BUCKETS / 64],
    /// What was beyond the reach of the wheel when it was pushed.
    far: BinaryHeap<Reverse<Ticket>>,
    len: usize,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            now: 0,
            current: Vec::new(),
            late: BinaryHeap::new(),
            buckets: vec![Vec::new(); BUCKETS],
            occupied: [0; BUCKETS / 64],
            far: BinaryHeap::new(),
            len: 0,
        }
    }
}

impl Queue {
    pub(crate) fn push(&mut self, at: Time, item: Item) {
        let ticket = Ticket::new(at, item);
        let bucket = ticket.bucket();
        self.len += 1;
        if bucket <= self.now {
            self.late.push(Reverse(ticket));
        } else if bucket - self.now < BUCKETS as u64 {
            let slot = bucket as usize % BUCKETS;
            if let (Some(tickets), Some(bits)) =
                (self.buckets.get_mut(slot), self.occupied.get_mut(slot / 64))
            {
                tickets.push(ticket);
                *bits |= 1 << (slot % 64);
            }
        } else {
            self.far.push(Reverse(ticket));
        }
    }
    /// Removes and returns the first entry if it is not later than `until`.
    pub(crate) fn pop(&mut self, until: Time) -> Option<(Time, Item)> {
        if self.current.is_empty() && self.late.is_empty() && !self.turn() {
            return None;
        }
        let late = match (self.current.last(), self.late.peek()) {
            (Some(next), Some(Reverse(late))) => late < next,
            (next, _) => next.is_none(),
        };
        let ticket = if late {
            let first = self.late.peek().filter(|first| first.0.at <= until.nanos());
            first?;
            self.late.pop()?.0
        } else {
            self.current.pop_if(|next| next.at <= until.nanos())?
        };
        self.len -= 1;
        Some((Time::from_nanos(ticket.at), ticket.item()))
    }
    /// Turns to the next bucket that holds something; `false` if there is none.
    fn turn(&mut self) -> bool {
        let near = self.next_occupied();
        let far = self.far.peek().map(|first| first.0.bucket());
        let Some(next) = near.into_iter().chain(far).min() else {
            return false;
        };
        self.now = next;
        let slot = next as usize % BUCKETS;
        if near == Some(next)
            && let (Some(tickets), Some(bits)) =
                (self.buckets.get_mut(slot), self.occupied.get_mut(slot / 64))
        {
            std::mem::swap(&mut self.current, tickets);
            *bits &= !(1 << (slot % 64));
        }
        while let Some(first) = self.far.peek()
            && first.0.bucket() <= next
            && let Some(Reverse(ticket)) = self.far.pop()
        {
            self.current.push(ticket);
        }
        self.current.sort_unstable_by(|a, b| b.cmp(a));
        true
    }
    /// The number of the first bucket after this one that holds something.
    fn next_occupied(&self) -> Option<u64> {
        let first = self.now + 1;
        let mut slot = first as usize % BUCKETS;
        let mut seen = 0;
        while seen < BUCKETS {
            let bits = self
                .occupied
                .get(slot / 64)
                .map_or(0, |bits| bits >> (slot % 64));
            if bits != 0 {
                seen += bits.trailing_zeros() as usize;
                // The wheel holds less than one turn, so what is found is within it.
                return Some(first + seen as u64);
            }
            let step = 64 - slot % 64;
            seen += step;
            slot = (slot + step) % BUCKETS;
        }
        None
    }
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests;
