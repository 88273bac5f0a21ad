//! Messages over lines that declare more than delay, rate and independent loss, or that lie behind
//! an up-link.

use super::connection::{Connection, Held, chance};
use super::{
    BILLION, Extra, INSIDE, Line, MAX_RETRANSMISSIONS, Network, Place, RTO_MIN, draw, lost,
    transfer,
};
use crate::config::SEGMENT;
use consim_core::rng::below;
use consim_core::{LANES, Span, Time, mix};

/// Separates the draws of segments from those of messages.
const SEGMENTS: u64 = 0x7365_676d_656e_7473;

/// From one node to another, over which of their connections.
pub(super) type Way = (Place, Place, u8);

/// A message over an odd line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Odd {
    /// When it leaves the sender's NIC.
    pub(crate) depart: Time,
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) bytes: u64,
    pub(crate) lane: u8,
    /// The send record, and the sender's own counter.
    pub(crate) send: u32,
    pub(crate) counter: u64,
}

/// A copy that arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Arriving {
    pub(crate) send: u32,
    pub(crate) counter: u64,
    pub(crate) at: Time,
    /// If a bit of it is flipped: draws for which.
    pub(crate) corrupt: Option<u64>,
}

/// What became of messages over an odd line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    /// Sends that never arrive, to be released.
    pub(crate) lost: u64,
    pub(crate) retransmissions: u64,
    /// Of the two above, what a full queue dropped.
    pub(crate) overflowed: u64,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    /// Messages that had to wait for a line that was not free.
    pub(crate) waited: u64,
    /// When the segment is acknowledged that messages now wait for (Nagle), if none waited before.
    pub(crate) held_until: Option<Time>,
}

impl Network {
    /// Sends a message over an odd line. The copies that arrive are added to `out`: with Nagle's
    /// algorithm also those of earlier messages, and perhaps not its own yet; what never arrives is
    /// added to `gone`.
    pub(crate) fn send_odd(
        &mut self,
        message: Odd,
        extra: Extra,
        out: &mut Vec<Arriving>,
        gone: &mut Vec<u32>,
    ) -> Told {
        let mut told = Told::default();
        let (from, to) = (message.from, message.to);
        let Some((number, _)) = self.next_message(from, to) else {
            gone.push(message.send);
            told.lost += 1;
            return told;
        };
        let held = Held {
            send: message.send,
            counter: message.counter,
            bytes: message.bytes,
            lane: message.lane,
            number,
        };
        let line = self.line_of(from, to);
        let nagle = self
            .lines
            .get(line)
            .is_some_and(|line| line.link.stream && line.link.tcp.nagle);
        let mut leave = Leave {
            extra,
            out,
            gone,
            told: &mut told,
        };
        if nagle {
            let way = (from, to, message.lane);
            self.release(message.depart, way, &mut leave);
            self.nagle(message.depart, from, to, held, &mut leave);
        } else {
            self.leave(message.depart, from, to, held, &mut leave);
        }
        told
    }

    /// The acknowledgement that held messages wait for is in, if it is: they leave.
    pub(crate) fn acknowledged(
        &mut self,
        now: Time,
        from: Place,
        to: Place,
        out: &mut Vec<Arriving>,
        gone: &mut Vec<u32>,
    ) -> Told {
        let mut told = Told::default();
        let mut leave = Leave {
            extra: Extra::default(),
            out,
            gone,
            told: &mut told,
        };
        for lane in 0..LANES {
            self.release(now, (from, to, lane), &mut leave);
        }
        told
    }

    /// `node` is gone: its connections begin anew. Returns what they held.
    pub(crate) fn reset(&mut self, node: u32) -> Vec<u32> {
        let mut held = Vec::new();
        // Nothing waits for what an earlier connection had under way, least of all for what never
        // left because the node crashed before.
        for (from, row) in self.used.iter_mut().enumerate() {
            if from == node as usize {
                for used in row {
                    used.last = Time::ZERO;
                }
            } else if let Some(used) = row.get_mut(node as usize) {
                used.last = Time::ZERO;
            }
        }
        for (from, row) in self.connections.iter_mut().enumerate() {
            for (to, connection) in row.iter_mut().enumerate() {
                let to = to / usize::from(LANES);
                if (from == node as usize || to == node as usize)
                    && let Some(gone) = connection.take()
                {
                    held.extend(gone.held.iter().map(|held| held.send));
                }
            }
        }
        held
    }

    #[cfg(test)]
    pub(crate) fn odd_connections(&self) -> usize {
        let rows = self.connections.iter();
        rows.map(|row| row.iter().flatten().count()).sum()
    }

    pub(super) fn connection(&mut self, (from, to, lane): Way) -> Option<&mut Connection> {
        let row = self.connections.get_mut(from.node as usize)?;
        let lanes = usize::from(LANES);
        if row.is_empty() {
            row.resize_with(self.nodes * lanes, || None);
        }
        let slot = row.get_mut(to.node as usize * lanes + usize::from(lane.min(LANES - 1)))?;
        Some(slot.get_or_insert_with(Box::default))
    }

    /// The time there and back, by the means of both directions.
    fn round_trip(&self, from: Place, to: Place) -> Span {
        self.mean_delay(from, to) + self.mean_delay(to, from)
    }

    fn mean_delay(&self, from: Place, to: Place) -> Span {
        let number = self.line_of(from, to);
        let line = self.lines.get(number).map_or(Span::ZERO, |line| line.mean);
        if number == INSIDE {
            line
        } else {
            line + self.regions.mean(from, to)
        }
    }

    // ---- Nagle ---------------------------------------------------------------------------------

    /// What waits for an acknowledgement that has come by `now` leaves when it came.
    fn release(&mut self, now: Time, way: Way, leave: &mut Leave<'_>) {
        let (from, to, _) = way;
        let Some(connection) = self.connection(way) else {
            return;
        };
        if connection.small_acked > now || connection.held.is_empty() {
            return;
        }
        let at = connection.small_acked;
        connection.held_bytes = 0;
        let held = std::mem::take(&mut connection.held);
        let mut arrival = at;
        for message in held {
            arrival = arrival.later(self.leave(at, from, to, message, leave));
        }
        self.small_sent(way, arrival);
    }

    /// A message joins what is held, or leaves.
    fn nagle(
        &mut self,
        depart: Time,
        from: Place,
        to: Place,
        message: Held,
        leave: &mut Leave<'_>,
    ) {
        let way = (from, to, message.lane);
        let Some(connection) = self.connection(way) else {
            return;
        };
        let waits = connection.small_acked > depart;
        let bytes = connection.held_bytes + message.bytes;
        let tail = bytes % SEGMENT;
        if !waits || tail == 0 {
            // What is held is no more than a part of the first full segment.
            connection.held_bytes = 0;
            let mut arrival = depart;
            for earlier in std::mem::take(&mut connection.held) {
                self.leave(depart, from, to, earlier, leave);
            }
            arrival = arrival.later(self.leave(depart, from, to, message, leave));
            if tail != 0 {
                self.small_sent(way, arrival);
            }
            return;
        }
        let acked = connection.small_acked;
        let alone = connection.held.is_empty();
        connection.held_bytes = tail;
        let full = bytes >= SEGMENT;
        let earlier = if full {
            std::mem::take(&mut connection.held)
        } else {
            Vec::new()
        };
        connection.held.push(message);
        if alone || full {
            leave.told.held_until = Some(acked);
        }
        for earlier in earlier {
            self.leave(depart, from, to, earlier, leave);
        }
    }

    /// A segment that was not full arrives at `arrival`; nothing like it leaves before its
    /// acknowledgement is back.
    fn small_sent(&mut self, way: Way, arrival: Time) {
        let (from, to, _) = way;
        let back = self.mean_delay(to, from);
        let number = self.line_of(from, to);
        let wait = self
            .lines
            .get(number)
            .map_or(Span::ZERO, |line| line.link.tcp.delayed_ack);
        if let Some(connection) = self.connection(way) {
            connection.small_acked = arrival + wait + back;
        }
    }

    // ---- the line ------------------------------------------------------------------------------

    /// A message goes onto its line at `depart`; returns when its first copy arrives.
    fn leave(
        &mut self,
        depart: Time,
        from: Place,
        to: Place,
        message: Held,
        leave: &mut Leave<'_>,
    ) -> Time {
        let number = self.line_of(from, to);
        let Some(mut line) = self.lines.get(number).cloned() else {
            return depart;
        };
        let depart = match &mut self.uplinks {
            Some(uplinks) => uplinks.leave(depart, from, to, message.bytes),
            None => depart,
        };
        let own_burst = line.link.burst;
        leave.extra.on(&mut line.link);
        let key = mix(self.key, u64::from(from.node) << 32 | u64::from(to.node));
        let draw = |i: u64| mix(key, message.number.wrapping_mul(draw::EACH).wrapping_add(i));
        let region = if number == INSIDE {
            Span::ZERO
        } else {
            let sampler = self.regions.sampler(from, to);
            sampler.map_or(Span::ZERO, |s| s.sample_with(|| draw(draw::REGION)))
        };
        let base = region + leave.extra.delay;
        // What a sender goes by is how long the line mostly takes: what a fault adds it does not know.
        let usual = line.delay.sample_with(|| draw(draw::LINE)) + region;
        let delay = usual + leave.extra.delay;

        let way = (from, to, message.lane);
        let admitted = self.admitted(depart, way, message.bytes, &line);
        let Some(Sent { at: sent, waited }) =
            self.over_the_line(depart, from, to, message.bytes, &line, usual, leave)
        else {
            return leave.lose(message, depart);
        };
        let mut at = sent.later(admitted) + delay;
        let mut sent_again = waited;
        let mut wait = RTO_MIN + usual.times(2);
        let mut tries = 0;
        let mut extra_ppb = leave.extra.loss_ppb;
        while self.lost(way, message.bytes, &line, extra_ppb, || {
            draw(draw::LOSS + tries)
        }) {
            if !line.link.stream || sent_again == MAX_RETRANSMISSIONS {
                return leave.lose(message, depart);
            }
            sent_again += 1;
            tries += 1;
            leave.told.retransmissions += 1;
            at += wait;
            wait = wait.times(2);
            if at >= leave.extra.loss_until + delay {
                extra_ppb = 0;
                line.link.burst = own_burst;
            }
        }
        if chance(u64::from(line.link.reorder_ppb), draw(draw::REORDER)) {
            leave.told.reordered += 1;
            at += Span::from_nanos(below(draw(draw::HOLD), delay.nanos().saturating_mul(2)));
        }
        if line.link.stream {
            at = self.in_order(way, at);
        }
        let corrupt = chance(u64::from(line.link.corrupt_ppb), draw(draw::CORRUPT))
            .then(|| mix(key ^ SEGMENTS.rotate_left(17), message.number));
        let copy = Arriving {
            send: message.send,
            counter: message.counter,
            at,
            corrupt,
        };
        leave.out.push(copy);
        if chance(u64::from(line.link.duplicate_ppb), draw(draw::DUPLICATE)) {
            leave.told.duplicated += 1;
            let time = transfer(message.bytes, line.link.rate);
            let again = self.reserve(depart, from, to, time);
            if !line.link.stream {
                let at = again + line.delay.sample_with(|| draw(draw::COPY)) + base;
                leave.out.push(Arriving { at, ..copy });
            }
        }
        at
    }

    /// When the connection lets the last byte go: its own rate and its window.
    fn admitted(&mut self, depart: Time, way: Way, bytes: u64, line: &Line) -> Time {
        let link = &line.link;
        let windowed = link.stream && (link.tcp.window > 0 || link.tcp.slow_start);
        if link.connection_rate == 0 && !windowed {
            return depart;
        }
        let round_trip = self.round_trip(way.0, way.1);
        let rate = match (link.rate, link.connection_rate) {
            (0, rate) | (rate, 0) => rate,
            (line, own) => line.min(own),
        };
        let Some(connection) = self.connection(way) else {
            return depart;
        };
        let paced = connection.pace(depart, bytes, link.connection_rate);
        if !windowed {
            return paced;
        }
        paced.later(connection.admit(depart, bytes, rate, round_trip, &link.tcp))
    }

    /// When the line has carried the message; `None` if the queue before it was full too often.
    #[expect(clippy::too_many_arguments, reason = "what a line needs to know")]
    fn over_the_line(
        &mut self,
        depart: Time,
        from: Place,
        to: Place,
        bytes: u64,
        line: &Line,
        usual: Span,
        leave: &mut Leave<'_>,
    ) -> Option<Sent> {
        let link = &line.link;
        if link.rate == 0 {
            return Some(Sent {
                at: depart,
                waited: 0,
            });
        }
        let free = self.free(from, to).map_or(depart, |free| *free);
        let own = self.lines.get(self.line_of(from, to));
        let own = own.map_or(link.rate, |line| line.link.rate);
        let slow_for = leave.extra.throttled_until.since(free.later(depart));
        let time = occupied(bytes, link.rate, own, slow_for);
        leave.told.waited += u64::from(free > depart);
        let mut at = depart;
        let mut waited = 0;
        let mut wait = RTO_MIN + usual.times(2);
        // A message that is dropped comes again after its timeout, and may find the queue full again.
        let fits = |at: Time| {
            let backlog = free.since(at).nanos();
            let waiting = (u128::from(backlog) * u128::from(link.rate) / 8_000_000_000) as u64;
            link.queue == 0 || waiting == 0 || waiting + bytes <= link.queue
        };
        while !fits(at) {
            leave.told.overflowed += 1;
            if !link.stream || waited == MAX_RETRANSMISSIONS {
                return None;
            }
            leave.told.retransmissions += 1;
            waited += 1;
            at += wait;
            wait = wait.times(2);
        }
        // The line is not kept idle for a message that comes again later: what comes in between
        // goes first.
        let end = free.later(at) + time;
        self.reserve(depart, from, to, time);
        Some(Sent { at: end, waited })
    }

    /// Is the message lost on this transmission?
    fn lost(
        &mut self,
        way: Way,
        bytes: u64,
        line: &Line,
        extra_ppb: u64,
        bits: impl FnOnce() -> u64,
    ) -> bool {
        let own = u64::from(line.link.loss_ppb);
        if let Some(burst) = &line.link.burst {
            let (from, to, _) = way;
            let key = mix(
                self.key ^ SEGMENTS,
                u64::from(from.node) << 32 | u64::from(to.node),
            );
            let segments = bytes.div_ceil(SEGMENT).max(1);
            return self.connection(way).is_some_and(|connection| {
                connection.burst_losses(burst, own, extra_ppb, segments, key) > 0
            });
        }
        let loss = own + extra_ppb - own * extra_ppb / BILLION;
        loss > 0 && lost(loss.min(BILLION), bytes, bits())
    }
}

/// How long `bytes` occupy a line that carries `slow` bits a second for a while yet, and `own`
/// afterwards (0: no bound).
fn occupied(bytes: u64, slow: u64, own: u64, slow_for: Span) -> Span {
    let whole = transfer(bytes, slow);
    if slow == own || whole <= slow_for {
        return whole;
    }
    let bits = u128::from(slow_for.nanos()) * u128::from(slow) / 1_000_000_000;
    let carried = (bits / 8) as u64;
    slow_for + transfer(bytes.saturating_sub(carried), own)
}

/// Where messages go that leave, and what is told of them.
struct Leave<'a> {
    extra: Extra,
    out: &'a mut Vec<Arriving>,
    gone: &'a mut Vec<u32>,
    told: &'a mut Told,
}

impl Leave<'_> {
    /// The message never arrives.
    fn lose(&mut self, message: Held, depart: Time) -> Time {
        self.told.lost += 1;
        self.gone.push(message.send);
        depart
    }
}

/// A message that the line has carried.
struct Sent {
    at: Time,
    /// Retransmissions that a full queue cost.
    waited: u32,
}
