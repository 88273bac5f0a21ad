//! One connection over an odd line: its own rate, its window, its held segments, its bursts.
//!
//! Bytes flow like a fluid: a stretch of them leaves between two instants, evenly, and is
//! acknowledged one round trip later in the same way. So the figures are those of a sliding window
//! with many small segments, at the price of one entry for each message under way.

use super::{BILLION, RTO_MIN, transfer};
use crate::config::{Burst, SEGMENT, Tcp};
use consim_core::{Span, Time, mix};
use std::collections::VecDeque;

/// The window that a connection begins with (RFC 6928).
pub(super) const INITIAL_WINDOW: u64 = 10 * SEGMENT;

/// Bytes under way, acknowledged evenly between two instants.
#[derive(Clone, Copy, Debug)]
struct Flight {
    from: Time,
    to: Time,
    bytes: u64,
}

/// A message that Nagle's algorithm holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// The send record.
    pub(crate) send: u32,
    /// The sender's own counter, for ties.
    pub(crate) counter: u64,
    /// Its length.
    pub(crate) bytes: u64,
    /// Which of the connections between the two nodes it takes.
    pub(super) lane: u8,
    /// Its number on the connection, for its draws.
    pub(super) number: u64,
}

/// State of a connection over an odd line.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// When its own rate lets it send again.
    paced: Time,
    /// Gilbert-Elliott: is the line in its bad state?
    bad: bool,
    /// Segments that were put to the test.
    segments: u64,
    /// What is unacknowledged, oldest first.
    flights: VecDeque<Flight>,
    in_flight: u64,
    /// What was unacknowledged when it last sent.
    used: u64,
    /// What may be unacknowledged; 0 before the first message.
    window: u64,
    /// When it last sent.
    last_sent: Time,
    /// When the last message of the stream arrives.
    pub(super) last: Time,
    /// When the last segment that was not full is acknowledged.
    pub(super) small_acked: Time,
    /// What waits for that.
    pub(super) held: Vec<Held>,
    /// Bytes of it that have not left yet: less than a segment.
    pub(super) held_bytes: u64,
}

impl Connection {
    /// Takes the connection's own rate for `bytes` from `depart` on; returns the end.
    pub(super) fn pace(&mut self, depart: Time, bytes: u64, rate: u64) -> Time {
        if rate == 0 {
            return depart;
        }
        self.paced = self.paced.later(depart) + transfer(bytes, rate);
        self.paced
    }

    /// When the last of `bytes` may leave, from `depart` on, at `rate` bits a second (0: at once),
    /// with so much unacknowledged as `tcp` allows.
    pub(super) fn admit(
        &mut self,
        depart: Time,
        bytes: u64,
        rate: u64,
        round_trip: Span,
        tcp: &Tcp,
    ) -> Time {
        if tcp.window == 0 && !tcp.slow_start {
            return depart;
        }
        // Its messages leave one after the other.
        let mut at = depart.later(self.last_sent);
        self.settle(at, tcp);
        self.restart(at, round_trip, tcp);
        let mut rest = bytes;
        while rest > 0 {
            let room = self.limit(tcp).saturating_sub(self.in_flight);
            let (start, end, taken);
            if room > 0 {
                taken = room.min(rest);
                start = at;
                end = at + transfer(taken, rate);
                self.in_flight += taken;
                self.used = self.in_flight;
            } else {
                let Some((from, to, acked)) = self.next_acked(rest) else {
                    break;
                };
                taken = acked;
                start = at.later(from);
                end = (start + transfer(taken, rate)).later(to);
                self.grow(taken, tcp);
            }
            self.flights.push_back(Flight {
                from: start + round_trip,
                to: end + round_trip,
                bytes: taken,
            });
            rest -= taken;
            at = end;
        }
        self.last_sent = at;
        at
    }

    fn limit(&self, tcp: &Tcp) -> u64 {
        let most = if tcp.window == 0 {
            u64::MAX
        } else {
            tcp.window
        };
        if tcp.slow_start {
            self.window.max(1).min(most)
        } else {
            most
        }
    }

    /// A connection begins with ten segments; idleness halves what it has grown to.
    fn restart(&mut self, now: Time, round_trip: Span, tcp: &Tcp) {
        if !tcp.slow_start {
            return;
        }
        if self.window == 0 {
            self.window = INITIAL_WINDOW;
            return;
        }
        let timeout = (round_trip + RTO_MIN).nanos();
        let mut idle = now.since(self.last_sent).nanos();
        while idle > timeout && self.window > INITIAL_WINDOW {
            self.window = (self.window / 2).max(INITIAL_WINDOW);
            idle -= timeout;
        }
    }

    /// An acknowledgement of `bytes` widens the window by as much, if the window was the limit:
    /// Linux asks that more than half of it was used.
    fn grow(&mut self, bytes: u64, tcp: &Tcp) {
        if tcp.slow_start && self.used.saturating_mul(2) > self.window {
            let most = if tcp.window == 0 {
                u64::MAX
            } else {
                tcp.window.max(INITIAL_WINDOW)
            };
            self.window = self.window.saturating_add(bytes).min(most);
        }
    }

    /// Takes in what is acknowledged by `now`.
    fn settle(&mut self, now: Time, tcp: &Tcp) {
        while let Some(front) = self.flights.front_mut() {
            if front.from >= now && front.to > now {
                break;
            }
            let whole = front.to.since(front.from).nanos();
            let passed = now.since(front.from).nanos();
            let acked = if front.to <= now {
                front.bytes
            } else {
                share(front.bytes, passed, whole)
            };
            front.bytes -= acked;
            let part = front.to > now;
            if part {
                front.from = now;
            } else {
                self.flights.pop_front();
            }
            self.grow(acked, tcp);
            self.in_flight -= acked;
            if part {
                break;
            }
        }
    }

    /// The next acknowledgements, of at most `most` bytes: their beginning, end and bytes. They are
    /// taken out; the bytes that they let go are under way in their place.
    fn next_acked(&mut self, most: u64) -> Option<(Time, Time, u64)> {
        let front = self.flights.front_mut()?;
        if front.bytes <= most {
            let whole = *front;
            self.flights.pop_front();
            return Some((whole.from, whole.to, whole.bytes));
        }
        let span = front.to.since(front.from).nanos();
        let from = front.from;
        let to = from + Span::from_nanos(share(span, most, front.bytes));
        front.bytes -= most;
        front.from = to;
        Some((from, to, most))
    }

    /// How many of `segments` are lost to bursts or to `loss_ppb` in the good state.
    pub(super) fn burst_losses(
        &mut self,
        burst: &Burst,
        loss_ppb: u64,
        extra_ppb: u64,
        segments: u64,
        key: u64,
    ) -> u64 {
        let mut gone = 0;
        for _ in 0..segments {
            let draw = |i: u64| mix(key, self.segments.wrapping_mul(2).wrapping_add(i));
            let change = if self.bad {
                burst.bad_to_good_ppb
            } else {
                burst.good_to_bad_ppb
            };
            if chance(u64::from(change), draw(0)) {
                self.bad = !self.bad;
            }
            let own = if self.bad {
                u64::from(burst.loss_in_bad_ppb)
            } else {
                loss_ppb
            };
            let loss = own + extra_ppb - own * extra_ppb / BILLION;
            gone += u64::from(chance(loss, draw(1)));
            self.segments += 1;
        }
        gone
    }
}

/// `part` of `whole` as a share of `of`.
fn share(of: u64, part: u64, whole: u64) -> u64 {
    (u128::from(of) * u128::from(part) / u128::from(whole.max(1))) as u64
}

/// Does something of this chance happen?
pub(super) fn chance(ppb: u64, bits: u64) -> bool {
    consim_core::rng::below(bits, BILLION) < ppb
}
