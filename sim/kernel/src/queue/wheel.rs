//! The wheel: buckets as wide as the density of events calls for, coarse buckets behind them, a
//! heap behind these (R. Brown, "Calendar queues", CACM 31(10), 1988; G. Varghese and T. Lauck,
//! "Hashed and hierarchical timing wheels", SOSP 1987). Its order is the order of the tickets; no
//! width, no level and no moment of pushing changes it.

use super::pool::{Bucket, Pool};
use super::ring::Ring;
use super::ticket::Ticket;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Buckets of the fine ring.
const FINE: usize = 4_096;
/// Buckets of the coarse ring: with 256 a million timers of a minute end up in the heap.
const COARSE: usize = 4_096;
/// A coarse bucket is this many fine ones, as a power of two: a quarter of the ring.
const RATIO: u32 = 10;
/// Coarse buckets that fit into the fine ring.
const AHEAD: u64 = (FINE >> RATIO) as u64;
/// The width to begin with, as a power of two: 65.5 µs.
const WIDTH: u32 = 16;
/// The widest buckets, as a power of two: 18 minutes.
const MAX_WIDTH: u32 = 40;
/// A bucket with at most this many tickets is sorted by insertion alone.
const FEW: usize = 6;
/// So is a part of a bucket with at most this many.
const CROWD: usize = 24;
/// Parts into which a bucket is split by counting, at most, as a power of two.
const MAX_PARTS: u32 = 11;
/// The fewest events between two looks at the width.
const PATIENCE: u64 = 1_024;
/// The width is looked at within a bucket too if so many times as much as waits came late.
const LONG: u64 = 4;
/// Events that a bucket should hold, at the least.
const BUSY: u64 = 48;
/// A ticket that comes late is put in its place among so many that are next, or goes to the heap.
const NEXT: usize = 16;

/// Bursts narrow a bucket by no more than this.
const BURST: u64 = 16;

#[derive(Debug)]
pub(super) struct Wheel {
    /// Nanoseconds of a fine bucket, as a power of two.
    width: u32,
    /// The number of the next fine bucket to be drained.
    next: u64,
    /// The first coarse bucket that is not in the fine ring yet.
    limit: u64,
    fine: Ring<FINE>,
    coarse: Ring<COARSE>,
    far: BinaryHeap<Reverse<Ticket>>,
    pool: Pool,
    /// The drained bucket, sorted; what is left of it begins at `head`. There is room for one ticket
    /// before the first.
    current: Vec<Ticket>,
    head: usize,
    /// Pushed into what was drained already, and not among the next few of it.
    late: BinaryHeap<Reverse<Ticket>>,
    counts: Vec<u32>,
    moving: Vec<Bucket>,
    len: usize,
    /// The instant of the last ticket that was popped, as of the last bucket that was used up.
    clock: u64,
    /// When the width was looked at.
    looked_at: u64,
    /// Tickets since then that came after their bucket was drained.
    came_late: u64,
    /// Buckets drained since then, and the tickets in them.
    turns: u64,
    drained: u64,
    /// How often the width was changed.
    changes: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Self {
            width: WIDTH,
            next: 0,
            limit: AHEAD,
            fine: Ring::new(),
            coarse: Ring::new(),
            far: BinaryHeap::new(),
            pool: Pool::default(),
            current: Vec::new(),
            head: 0,
            late: BinaryHeap::new(),
            counts: Vec::new(),
            moving: Vec::new(),
            len: 0,
            clock: 0,
            looked_at: 0,
            came_late: 0,
            turns: 0,
            drained: 0,
            changes: 0,
        }
    }
}

impl Wheel {
    /// One that is a heap and nothing else, to compare with.
    pub(super) fn heap() -> Self {
        Self {
            next: u64::MAX,
            ..Self::default()
        }
    }
    pub(super) fn len(&self) -> usize {
        self.len
    }
    pub(super) fn width_changes(&self) -> u64 {
        self.changes
    }
    /// Nanoseconds of a bucket.
    pub(super) fn width(&self) -> u64 {
        1 << self.width
    }
    #[cfg(test)]
    pub(super) fn chunks_made(&self) -> usize {
        self.pool.made()
    }

    #[inline]
    pub(super) fn push(&mut self, ticket: Ticket) {
        self.len = self.len.wrapping_add(1); // memory ends before
        self.place(ticket);
    }
    /// The number of the fine bucket of an instant.
    #[inline]
    fn number(&self, at: u64) -> u64 {
        at.wrapping_shr(self.width) // at most MAX_WIDTH
    }
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a ticket stays in registers"
    )]
    #[inline(always)]
    fn place(&mut self, ticket: Ticket) {
        let number = self.number(ticket.at);
        if number >= self.next && number >> RATIO < self.limit {
            self.fine.push(number, ticket, &mut self.pool);
        } else {
            self.place_elsewhere(ticket.at, ticket.rest());
        }
    }
    /// Where most tickets do not go. Whole, a ticket would be handed over in memory.
    #[inline(never)]
    fn place_elsewhere(&mut self, at: u64, rest: u128) {
        let ticket = Ticket::of(at, rest);
        let number = self.number(ticket.at);
        let coarse = number >> RATIO;
        if number < self.next {
            self.came_late += 1;
            let is_heap = self.next == u64::MAX;
            if is_heap || !(self.append(ticket) || self.squeeze(ticket)) {
                self.late.push(Reverse(ticket));
            }
        } else if coarse - self.limit < COARSE as u64 {
            self.coarse.push(coarse, ticket, &mut self.pool);
        } else {
            self.far.push(Reverse(ticket));
        }
    }

    /// Puts a ticket behind the drained bucket, if it is not before anything in there: what a node
    /// asks for at the present instant mostly comes after what is there already.
    fn append(&mut self, ticket: Ticket) -> bool {
        if self.current.last().is_some_and(|last| ticket < *last) {
            return false;
        }
        // What was served makes room, once it is half of all there is.
        if self.current.len() == self.current.capacity() && self.head > self.current.len() / 2 {
            self.current.drain(1..self.head);
            self.head = 1;
        }
        self.current.push(ticket);
        true
    }
    /// Puts a ticket among the next few of the drained bucket, where there is room before them.
    fn squeeze(&mut self, ticket: Ticket) -> bool {
        let Some(room) = self.head.checked_sub(1) else {
            return false;
        };
        let few = self.current.len().min(self.head + NEXT);
        let Some(next) = self.current.get(self.head..few) else {
            return false;
        };
        let before = match next.iter().position(|other| ticket < *other) {
            Some(before) => before,
            None if few == self.current.len() => next.len(),
            None => return false,
        };
        self.current
            .copy_within(self.head..self.head + before, room);
        self.current[room + before] = ticket;
        self.head = room;
        true
    }

    /// Removes and returns the first ticket if it is not later than `until`.
    #[inline]
    pub(super) fn pop(&mut self, until: u64) -> Option<Ticket> {
        if (self.head >= self.current.len() || !self.late.is_empty()) && !self.has_first() {
            return None;
        }
        // All ways lead through this place, so that a ticket stays in registers.
        let ticket = self.current.get(self.head)?;
        if ticket.at > until {
            return None;
        }
        self.head += 1;
        self.len = self.len.wrapping_sub(1); // it was in there
        Some(*ticket)
    }
    /// Sees to it that the first of all tickets is at `head`; `false` if there is none.
    #[inline(never)]
    fn has_first(&mut self) -> bool {
        if self.came_late >= LONG * PATIENCE.max(self.len as u64) && self.next < u64::MAX {
            // One bucket has lasted for longer than all that waits.
            let served = self.head.checked_sub(1).and_then(|i| self.current.get(i));
            self.clock = served.map_or(self.clock, |last| self.clock.max(last.at));
            self.look();
        }
        if self.head >= self.current.len() && !self.ready() {
            return false;
        }
        let next = self.current.get(self.head);
        if let Some(Reverse(late)) = self.late.peek()
            && next.is_none_or(|next| late < next)
            && let Some(Reverse(late)) = self.late.pop()
        {
            if let Some(room) = self.head.checked_sub(1) {
                self.head = room;
                self.current[room] = late;
            } else {
                self.current.insert(0, late);
            }
        }
        true
    }

    /// With the drained bucket used up: is there a next ticket? Looks at the width now and then.
    fn ready(&mut self) -> bool {
        if let Some(last) = self.current.last() {
            self.clock = self.clock.max(last.at);
        }
        let served = self.drained + self.came_late;
        if served >= PATIENCE.max(self.len as u64 / 2) && self.next < u64::MAX {
            self.look();
        }
        self.head < self.current.len() || !self.late.is_empty() || self.turn()
    }

    /// Drains the next bucket that holds something; `false` if there is none.
    fn turn(&mut self) -> bool {
        loop {
            if let Some(number) = self.fine.next(self.next) {
                let bucket = self.fine.take(number);
                self.next = number + 1;
                self.sort(bucket);
                self.pool.release(bucket);
                self.turns += 1;
                self.drained += bucket.len() as u64;
                self.reach((self.next >> RATIO) + AHEAD);
                return true;
            }
            let coarse = self.coarse.next(self.limit);
            let far = self
                .far
                .peek()
                .map(|first| first.0.at >> self.width >> RATIO);
            let Some(first) = coarse.into_iter().chain(far).min() else {
                return false;
            };
            self.limit = first;
            self.next = first << RATIO;
            self.reach(first + AHEAD);
        }
    }

    /// Moves the coarse buckets before `limit`, and what the heap has for them, to the fine ring.
    fn reach(&mut self, limit: u64) {
        while self.limit < limit {
            let number = self.limit;
            self.limit += 1;
            let mut bucket = self.coarse.take(number);
            self.place_all(&mut bucket);
            self.near();
        }
    }
    /// Moves what the heap has for the fine ring there.
    fn near(&mut self) {
        while let Some(first) = self.far.peek()
            && first.0.at >> self.width >> RATIO < self.limit
            && let Some(Reverse(ticket)) = self.far.pop()
        {
            self.place(ticket);
        }
    }
    fn place_all(&mut self, bucket: &mut Bucket) {
        while let Some((tickets, len)) = self.pool.take_chunk(bucket) {
            for ticket in tickets.into_iter().take(len) {
                self.place(ticket);
            }
        }
    }

    /// Sorts a bucket into `current`: by counting on the instant, then by insertion what is in
    /// order but for neighbours.
    fn sort(&mut self, bucket: Bucket) {
        let len = bucket.len();
        self.head = 1;
        let parts = if len <= FEW {
            0
        } else {
            // Two to four parts a ticket: where two share one, a branch is guessed wrong.
            (len.ilog2() + 2).min(MAX_PARTS).min(self.width)
        };
        if parts == 0 {
            self.current.truncate(1);
            self.current.resize(1, Ticket::default());
            for tickets in self.pool.chunks(bucket) {
                self.current.extend_from_slice(tickets);
            }
            let current = self.current.get_mut(1..).unwrap_or_default();
            if len > FEW {
                // One instant; what one node asked for is in order already.
                current.sort_unstable();
            } else {
                insertion_sort(current);
            }
            return;
        }
        self.current.resize(len + 1, Ticket::default());
        let current = self.current.get_mut(1..).unwrap_or_default();
        let (shift, mask) = (self.width - parts, (1 << parts) - 1);
        // A bucket begins at a multiple of its width.
        let part = |ticket: &Ticket| ticket.at.wrapping_shr(shift) as usize & mask;
        self.counts.clear();
        self.counts.resize(mask + 1, 0);
        let counts = self.counts.as_mut_slice();
        for tickets in self.pool.chunks(bucket) {
            for ticket in tickets {
                let count = &mut counts[part(ticket)];
                *count = count.wrapping_add(1); // no more than `len` in all
            }
        }
        let (mut sum, mut most) = (0u32, 0);
        for count in &mut *counts {
            most = most.max(*count);
            let before = sum;
            sum = sum.wrapping_add(*count);
            *count = before;
        }
        for tickets in self.pool.chunks(bucket) {
            for ticket in tickets {
                let place = &mut counts[part(ticket)];
                current[*place as usize] = *ticket;
                *place = place.wrapping_add(1);
            }
        }
        if most as usize > CROWD {
            let mut from = 0;
            for &to in &*counts {
                let part = &mut current[from..to as usize];
                if part.len() > CROWD {
                    part.sort_unstable();
                }
                from = to as usize;
            }
        }
        insertion_sort(current);
    }

    // ---- the width -----------------------------------------------------------------------------

    /// Changes the width if the density of events calls for one that is more than three times as
    /// wide or as narrow: a bucket should hold twice as many as there would be if all that waits
    /// were spread over half the ring, which keeps nearly all pushes in it. (A smaller factor than
    /// three changes the width all the time; narrowing because many pushes come late makes far
    /// ones dear.) Where events come in bursts, it is their density that counts, within limits.
    fn look(&mut self) {
        let busy = BUSY.max(4 * self.len as u64 / FINE as u64);
        let spent = self.clock.saturating_sub(self.looked_at);
        let ideal = |time: u64, events: u64| {
            let ideal = u128::from(busy) * u128::from(time) / u128::from(events.max(1));
            u64::try_from(ideal)
                .unwrap_or(u64::MAX)
                .clamp(1, 1 << MAX_WIDTH)
        };
        let overall = ideal(spent, self.drained + self.came_late);
        let in_bursts = ideal(self.turns.saturating_mul(self.width()), self.drained);
        let ideal = if self.turns > 0 {
            overall.min(in_bursts).max(overall / BURST)
        } else {
            overall
        };
        (self.came_late, self.turns, self.drained) = (0, 0, 0);
        self.looked_at = self.clock;
        if ideal / 3 <= self.width() && self.width() / 3 <= ideal {
            return;
        }
        // The nearest power of two: 3/4 of it begins at 3/2 of the one below.
        self.width = (ideal + ideal / 3).ilog2();
        self.changes += 1;
        self.next = self.clock >> self.width;
        self.limit = (self.next >> RATIO) + AHEAD;
        let mut moving = std::mem::take(&mut self.moving);
        self.fine.clear(&mut moving);
        self.coarse.clear(&mut moving);
        for bucket in &mut moving {
            self.place_all(bucket);
        }
        moving.clear();
        self.moving = moving;
        self.near();
        let mut current = std::mem::take(&mut self.current);
        for ticket in current.drain(std::mem::take(&mut self.head)..) {
            self.place(ticket);
        }
        if self.current.is_empty() {
            self.head = current.len(); // all of it is served
            self.current = current;
        }
        let mut late = std::mem::take(&mut self.late).into_vec();
        for Reverse(ticket) in late.drain(..) {
            self.place(ticket);
        }
        if self.late.is_empty() {
            self.late = late.into();
        }
    }
}

/// For what is nearly in order.
fn insertion_sort(tickets: &mut [Ticket]) {
    let mut before = 0;
    for i in 0..tickets.len() {
        let ticket = tickets[i];
        // Most are later than the one before them: no need to look at anything else.
        if ticket.at > before || i == 0 {
            before = ticket.at;
            continue;
        }
        let mut at = i;
        while at > 0 && ticket < tickets[at - 1] {
            tickets[at] = tickets[at - 1];
            at -= 1;
        }
        if at < i {
            tickets[at] = ticket;
        }
    }
}
