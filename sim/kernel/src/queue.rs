//! The future event list: a plain binary heap whose ties break by meaning.

use consim_core::Time;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What kind of thing happens; equal instants are served in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Class {
    Fault = 0,
    Arrival = 1,
    Disk = 2,
    Timer = 3,
    Wake = 4,
}

/// An entry of the future event list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Item {
    /// Fault window `.0` opens or closes.
    Fault { window: u32, open: bool },
    /// A copy of send `send` reaches node `to`; `queued` if it has already waited for the NIC.
    Arrival { send: u32, to: u32, queued: bool },
    /// Workload `.0` hands out its next arrival.
    Request { workload: u32 },
    /// Disk operation `op` of node `node` is done.
    Disk { node: u32, op: u64 },
    /// The ticket of a timer slot surfaces.
    Timer { node: u32, slot: u32 },
    /// The server of a node is free and somebody waits.
    Wake { node: u32 },
}

/// Order among entries of one instant: class, sender or node, its own counter, receiver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Tie(u128);

impl Tie {
    pub(crate) fn new(class: Class, node: u32, counter: u64, receiver: u32) -> Self {
        Self(
            (u128::from(class as u8) << 124)
                | (u128::from(node & 0x0fff_ffff) << 96)
                | (u128::from(counter) << 32)
                | u128::from(receiver),
        )
    }
}

#[derive(Clone, Copy, Debug)]
struct Ticket {
    at: u64,
    tie: Tie,
    item: Item,
}

impl PartialEq for Ticket {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.tie) == (other.at, other.tie)
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
        (self.at, self.tie).cmp(&(other.at, other.tie))
    }
}

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Ticket>>,
}

impl Queue {
    pub(crate) fn push(&mut self, at: Time, tie: Tie, item: Item) {
        self.heap.push(Reverse(Ticket {
            at: at.nanos(),
            tie,
            item,
        }));
    }
    /// Removes and returns the first entry if it is not later than `until`.
    pub(crate) fn pop(&mut self, until: Time) -> Option<(Time, Item)> {
        let first = self.heap.peek()?;
        if first.0.at > until.nanos() {
            return None;
        }
        self.heap
            .pop()
            .map(|Reverse(t)| (Time::from_nanos(t.at), t.item))
    }
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}
