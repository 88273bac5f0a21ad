//! The future event list. Its order is by meaning: instant, class, node, the node's own counter,
//! receiver ([`Item`]); what is pushed first does not matter.
//!
//! - `ticket.rs`: an entry in 24 bytes that compare as the order asks.
//! - `wheel.rs`, `ring.rs`, `pool.rs`: two rings of buckets and two heaps; the buckets are as wide
//!   as the density of events asks for.
//! - `segments.rs`: large multicasts, whose arrivals become tickets shortly before they are due.

mod pool;
mod ring;
mod segments;
mod ticket;
mod wheel;

use crate::seeded;
use consim_core::Time;
use segments::Broadcasts;
pub(crate) use ticket::MAX_SENDS;
pub(crate) use ticket::Ticket;
use wheel::Wheel;

/// An entry of the future event list. At one instant the order is: class, in the order of these
/// variants (a request is an arrival, whose node is its source); node; the node's own counter;
/// receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    /// A fault window closes (before others open at that instant) or opens.
    Fault {
        /// The window.
        window: u32,
        /// Does it open?
        open: bool,
    },
    /// A fault that is open goes on to what it does next, or copies disks before it opens.
    Woken {
        /// The window.
        window: u32,
        /// The fault's own number for what.
        what: u32,
    },
    /// The effects of a handler leave a node with several servers.
    Release {
        /// The node.
        node: u32,
        /// Its own count of such handlers.
        counter: u64,
    },
    /// What Nagle's algorithm holds leaves: its acknowledgement is back.
    Acknowledged {
        /// The sender.
        from: u32,
        /// The receiver.
        to: u32,
    },
    /// A copy of a message reaches a node.
    Arrival {
        /// Where the message is kept; below 2^27.
        send: u32,
        /// The sender; below 2^28, as all nodes are.
        from: u32,
        /// Which of the sender's sends it is; below 2^40.
        counter: u64,
        /// The receiver.
        to: u32,
        /// Has it already waited for the NIC?
        queued: bool,
    },
    /// A workload hands out its next arrival.
    Request {
        /// The workload; below 2^27.
        workload: u32,
        /// Its number behind the nodes.
        source: u32,
        /// How many it handed out before; below 2^40.
        counter: u64,
    },
    /// A disk operation is done.
    Disk {
        /// The node.
        node: u32,
        /// The operation.
        op: u64,
    },
    /// The ticket of a timer surfaces.
    Timer {
        /// The node.
        node: u32,
        /// The timer's key.
        key: u64,
        /// Where the node keeps the timer.
        slot: u32,
    },
    /// The server of a node is free and somebody waits.
    Wake {
        /// The node.
        node: u32,
        /// How many times it was woken before.
        counter: u64,
    },
}

/// The list.
#[derive(Debug, Default)]
pub struct Queue {
    /// The copies from which on those of a multicast wait in segments.
    segments_from: usize,
    wheel: Wheel,
    broadcasts: Broadcasts,
    /// Entries of the wheel that stand for tickets to be made.
    segments: usize,
}

impl Queue {
    /// A list that is a binary heap and nothing else: the same order, for comparisons.
    pub fn heap() -> Self {
        Self {
            wheel: Wheel::heap(),
            ..Self::tickets_below(usize::MAX)
        }
    }
    /// A list in which the copies of a multicast become tickets at once if there are fewer.
    pub(crate) fn tickets_below(copies: usize) -> Self {
        Self {
            segments_from: copies,
            ..Self::default()
        }
    }
    /// Adds an entry.
    #[inline]
    pub fn push(&mut self, at: Time, item: Item) {
        self.wheel.push(Ticket::new(at, item));
    }
    /// Adds an arrival of the `counter`-th send of `from` for each of `arrivals` (instant,
    /// receiver), as pushing them one by one does, but faster, and smaller if they are many.
    pub fn push_arrivals(&mut self, send: u32, from: u32, counter: u64, arrivals: &[(Time, u32)]) {
        let wheel = &mut self.wheel;
        if arrivals.len() < self.segments_from {
            for &(at, to) in arrivals {
                wheel.push(Ticket::arrival(at.nanos(), send, from, counter, to, 0));
            }
            return;
        }
        let inserted = self
            .broadcasts
            .insert(send, from, counter, arrivals, |ticket| wheel.push(ticket));
        if let Some((id, due)) = inserted {
            self.segments += 1;
            self.push_segment(id, due);
        }
    }
    /// A span becomes tickets two buckets before it begins, so that they go to buckets that are
    /// not sorted yet.
    fn push_segment(&mut self, id: u32, due: u64) {
        let at = due.saturating_sub(2 * self.wheel.width());
        self.wheel.push(Ticket::segment(at, id));
    }
    /// Removes and returns the first entry if it is not later than `until`.
    #[inline]
    pub fn pop(&mut self, until: Time) -> Option<(Time, Item)> {
        let ticket = self.pop_ticket(until)?;
        Some((ticket.time(), ticket.item()))
    }
    /// The same, to be read as far as it is needed.
    #[inline]
    pub(crate) fn pop_ticket(&mut self, until: Time) -> Option<Ticket> {
        loop {
            let ticket = self.wheel.pop(until.nanos())?;
            match ticket.broadcast() {
                None if seeded::on(&seeded::TIES_BY_CHANCE) && seeded::coin() => {
                    return Some(self.other_of_tie(ticket));
                }
                None => return Some(ticket),
                Some(id) => self.advance(id),
            }
        }
    }
    /// Of two entries of one instant the second, for a bug.
    fn other_of_tie(&mut self, first: Ticket) -> Ticket {
        match self.wheel.pop(first.at) {
            Some(second) if second.broadcast().is_none() => {
                self.wheel.push(first);
                second
            }
            Some(segment) => {
                self.wheel.push(segment);
                first
            }
            None => first,
        }
    }
    fn advance(&mut self, id: u32) {
        let wheel = &mut self.wheel;
        match self.broadcasts.advance(id, |ticket| wheel.push(ticket)) {
            Some(due) => self.push_segment(id, due),
            None => self.segments -= 1,
        }
    }
    /// Entries in the list.
    #[inline]
    pub fn len(&self) -> usize {
        // Every segment is in the wheel.
        (self.wheel.len().wrapping_sub(self.segments)).wrapping_add(self.broadcasts.waiting())
    }
    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// How often the width of the buckets was changed.
    pub fn width_changes(&self) -> u64 {
        self.wheel.width_changes()
    }
}

#[cfg(test)]
mod tests;
