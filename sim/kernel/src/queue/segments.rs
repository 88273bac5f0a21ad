//! Broadcasts: the arrivals of a large multicast wait here in 8 bytes each, parted into spans of
//! time, and become tickets a span at a time, shortly before they are due. The list stays as small
//! as what is due soon, and a node's place in it is written once it is in the cache anyway.

use super::ticket::Ticket;
use consim_core::Time;

/// Arrivals of a span, about.
const SPAN: usize = 32;
/// Bits of a receiver in a waiting arrival.
const RECEIVER: u32 = 16;
/// Receivers are numbered below this, or become tickets at once.
const RECEIVERS: u32 = 1 << RECEIVER;
/// Nanoseconds after the first arrival, or it becomes a ticket at once: 78 hours.
const REACH: u64 = 1 << (64 - RECEIVER);

/// The arrivals of one multicast that are no tickets yet.
#[derive(Debug, Default)]
struct Broadcast {
    send: u32,
    from: u32,
    counter: u64,
    /// The instant of the first arrival.
    base: u64,
    /// Nanoseconds of a span, as a power of two.
    width: u32,
    /// Nanoseconds after `base`, then the receiver; in order of spans.
    arrivals: Vec<u64>,
    next: usize,
}

impl Broadcast {
    fn span(&self, arrival: u64) -> u64 {
        arrival >> RECEIVER >> self.width
    }
    /// The instant at which the next span begins.
    fn due(&self) -> Option<u64> {
        let first = self.arrivals.get(self.next)?;
        Some(self.base + (self.span(*first) << self.width))
    }
}

/// All broadcasts; the memory of those that are over is used again.
#[derive(Debug, Default)]
pub(super) struct Broadcasts {
    list: Vec<Broadcast>,
    free: Vec<u32>,
    counts: Vec<u32>,
    /// Arrivals that are no tickets yet.
    waiting: usize,
}

impl Broadcasts {
    /// Arrivals that are no tickets yet.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }
    /// Takes the arrivals of a multicast; what does not fit goes to `rest`. Returns its number and
    /// the instant at which its first span begins.
    pub(super) fn insert(
        &mut self,
        send: u32,
        from: u32,
        counter: u64,
        arrivals: &[(Time, u32)],
        mut rest: impl FnMut(Ticket),
    ) -> Option<(u32, u64)> {
        let base = arrivals.iter().map(|(at, _)| at.nanos()).min()?;
        let fits = |&&(at, to): &&(Time, u32)| to < RECEIVERS && at.nanos() - base < REACH;
        let offsets = || {
            let fitting = arrivals.iter().filter(fits);
            fitting.map(|&(at, to)| (at.nanos() - base, to))
        };
        let (mut kept, mut most) = (0usize, 0);
        for (offset, _) in offsets() {
            kept += 1;
            most = most.max(offset);
        }
        if kept < arrivals.len() {
            for &(at, to) in arrivals.iter().filter(|arrival| !fits(arrival)) {
                rest(Ticket::arrival(at.nanos(), send, from, counter, to, 0));
            }
        }
        if kept == 0 {
            return None;
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.list.push(Broadcast::default());
            (self.list.len() - 1) as u32
        });
        let broadcast = self.list.get_mut(id as usize)?;
        let spans = (kept / SPAN).max(1) as u64;
        let width = match most / spans {
            0 => 0,
            ideal => ideal.ilog2() + 1,
        };
        self.counts.clear();
        self.counts.resize((most >> width) as usize + 1, 0);
        for (offset, _) in offsets() {
            self.counts[(offset >> width) as usize] += 1;
        }
        let mut sum = 0;
        for count in &mut self.counts {
            sum += std::mem::replace(count, sum);
        }
        broadcast.arrivals.clear();
        broadcast.arrivals.resize(kept, 0);
        for (offset, to) in offsets() {
            let place = &mut self.counts[(offset >> width) as usize];
            broadcast.arrivals[*place as usize] = offset << RECEIVER | u64::from(to);
            *place += 1;
        }
        broadcast.send = send;
        broadcast.from = from;
        broadcast.counter = counter;
        broadcast.base = base;
        broadcast.width = width;
        broadcast.next = 0;
        self.waiting += kept;
        Some((id, base))
    }
    /// Makes the tickets of the next span; returns when the one behind it begins.
    pub(super) fn advance(&mut self, id: u32, mut push: impl FnMut(Ticket)) -> Option<u64> {
        let broadcast = self.list.get_mut(id as usize)?;
        let span = broadcast.span(*broadcast.arrivals.get(broadcast.next)?);
        while let Some(&arrival) = broadcast.arrivals.get(broadcast.next)
            && broadcast.span(arrival) == span
        {
            let at = broadcast.base + (arrival >> RECEIVER);
            let to = arrival as u32 % RECEIVERS;
            let (send, from, counter) = (broadcast.send, broadcast.from, broadcast.counter);
            push(Ticket::arrival(at, send, from, counter, to, 0));
            broadcast.next += 1;
            self.waiting -= 1;
        }
        let due = broadcast.due();
        if due.is_none() {
            self.free.push(id);
        }
        due
    }
}
