//! What a handler asked for: sends, timers, writes.

use super::odd::OddBuffers;
use super::{Kernel, Totals};
use crate::faults::{Faults, Hop, Verdict};
use crate::network::{Extra, Fate, Odd, Place, transfer};
use crate::node::Pending;
use crate::queue::Item;
use crate::slab::SendRecord;
use consim_core::{Effect, NodeId, Observer, Payload, Span, Time, TimerKey, mix};
use std::sync::Arc;

/// A message at the NIC of its sender.
#[derive(Clone, Copy)]
struct Leaving {
    from: Place,
    /// When the NIC is done with what came before, the copies that have left included.
    free: Time,
    /// How long it takes with a copy.
    per_copy: Span,
    bytes: u64,
}

/// Where it is noted what became of copies on their lines.
struct Fates<'a> {
    totals: &'a mut Totals,
    faults: &'a mut Faults,
    odd: &'a mut OddBuffers,
}

impl Fates<'_> {
    /// When a copy arrives over a plain line, if it does.
    #[inline(never)]
    fn of(&mut self, fate: Fate, copy: Leaving, to: Place, extra: Option<Extra>) -> Option<Time> {
        match fate {
            Fate::Deliver {
                at,
                retransmissions,
            } => {
                if retransmissions > 0 {
                    let again = u64::from(retransmissions);
                    self.totals.lines.retransmissions += again;
                    self.faults.credit_loss(extra.as_ref(), again);
                }
                Some(at)
            }
            Fate::Odd => {
                let copy = Odd {
                    depart: copy.free,
                    from: copy.from,
                    to,
                    bytes: copy.bytes,
                    lane: 0,
                    send: 0,
                    counter: 0,
                };
                self.odd.leave(copy, extra.unwrap_or_default());
                None
            }
            Fate::Lost => {
                self.totals.lines.lost += 1;
                self.faults.credit_loss(extra.as_ref(), 1);
                None
            }
        }
    }
}

impl<O: Observer> Kernel<O> {
    pub(super) fn carry_out(&mut self, i: usize, finish: Time, effect: Effect) {
        match effect {
            Effect::Send { to, payload } => self.send(i, finish, &[to], payload),
            Effect::Multicast { to, payload } => self.send(i, finish, &to, payload),
            Effect::SetTimer { key, after } => {
                let after = self.nodes.get(i).map_or(after, |n| n.timer_span(after));
                self.set_timer(i, key, finish + after);
            }
            Effect::CancelTimer { key } => self.cancel_timer(i, key),
            Effect::Persist { token, writes } => self.persist(i, finish, token, writes),
        }
    }

    pub(super) fn send(
        &mut self,
        i: usize,
        finish: Time,
        to: &[NodeId],
        payload: Arc<dyn Payload>,
    ) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        self.wire.clear();
        let hashed = payload.encode_hashed(&mut self.wire);
        if !hashed {
            payload.encode(&mut self.wire);
        }
        debug_assert!(
            hashed || self.wire.len() == payload.encoded_len(),
            "encoded_len of {}",
            payload.kind()
        );
        let written = self.wire.len();
        let bytes = if hashed {
            payload.encoded_len()
        } else {
            written
        } as u64;
        let (from, epoch, counter) = (node.id, node.epoch, node.sends);
        node.sends += 1;
        let receivers = to.iter().filter(|&&r| r != from).count();
        let id = mix(u64::from(from.0), counter) as u32;
        self.digest
            .send(finish, from.0, id, receivers as u32, &self.wire);
        self.observer
            .sent(self.now, from, payload.as_ref(), receivers);
        let rate = node.hardware.nic_out;
        let per_copy = transfer(bytes, rate);
        let quiet = self.faults.is_quiet();
        let kind = if quiet { "" } else { payload.kind() };
        self.copy(i, finish, to, (bytes, kind), per_copy);
        if self.flights.is_some() {
            self.note_lost(from, payload.kind(), finish, to);
        }
        let odd = self.odd.leaving();
        if self.arrivals.is_empty() && odd == 0 {
            return;
        }
        let send = self.sends.insert(SendRecord {
            from,
            epoch,
            finish,
            payload,
            bytes: bytes as u32,
            id,
            counter,
            copies: (self.arrivals.len() + odd) as u32,
        });
        if odd > 0 {
            self.send_odd(send, counter);
        }
        self.queue
            .push_arrivals(send, from.0, counter, &self.arrivals);
    }

    /// Hands a message of node `i` to its NIC, a copy at a time, and each to its line; fills
    /// `arrivals`.
    fn copy(
        &mut self,
        i: usize,
        finish: Time,
        to: &[NodeId],
        (bytes, kind): (u64, &'static str),
        per_copy: Span,
    ) {
        self.arrivals.clear();
        let (Some(node), Some(&from)) = (self.nodes.get(i), self.places.get(i)) else {
            return;
        };
        let free = node.nic_out_free.later(finish);
        let leaving = Leaving {
            from,
            free,
            per_copy,
            bytes,
        };
        let (free, copies) = if self.faults.is_quiet() && !self.faults.tampers() {
            self.copy_in_quiet(leaving, to)
        } else {
            self.copy_under_faults(leaving, to, kind)
        };
        if let Some(node) = self.nodes.get_mut(i)
            && copies > 0
        {
            node.nic_out_free = free;
            node.usage.nic_out += per_copy.times(copies);
            node.usage.bytes_out += bytes * copies;
            self.totals.bytes += bytes * copies;
        }
    }

    /// The same while no fault has a say: most of what is sent in a run. Returns when the NIC is
    /// free again, and the number of copies.
    #[inline(never)]
    fn copy_in_quiet(&mut self, leaving: Leaving, to: &[NodeId]) -> (Time, u64) {
        let Leaving {
            from,
            mut free,
            per_copy,
            bytes,
        } = leaving;
        let mut copies = 0;
        let mut lines = self.network.sender(from, bytes);
        let row = self.flows.get_mut(from.region as usize);
        let flows = row.map(Vec::as_mut_slice).unwrap_or_default();
        let arrivals = &mut self.arrivals;
        for &receiver in to {
            if receiver.0 == from.node {
                continue;
            }
            let Some(&to) = self.places.get(receiver.index()) else {
                continue;
            };
            free += per_copy;
            copies += 1;
            if from.site != to.site
                && let Some(cell) = flows.get_mut(to.region as usize)
            {
                *cell += bytes;
            }
            if let Some(at) = lines.plain(free, to) {
                arrivals.push((at, receiver.0));
                continue;
            }
            let mut fates = Fates {
                totals: &mut self.totals,
                faults: &mut self.faults,
                odd: &mut self.odd,
            };
            let fate = lines.send(free, to, None);
            if let Some(at) = fates.of(fate, Leaving { free, ..leaving }, to, None) {
                arrivals.push((at, receiver.0));
            }
        }
        (free, copies)
    }

    /// The same while faults are open that ask about messages.
    fn copy_under_faults(
        &mut self,
        leaving: Leaving,
        to: &[NodeId],
        kind: &'static str,
    ) -> (Time, u64) {
        let Leaving {
            from,
            mut free,
            per_copy,
            bytes,
        } = leaving;
        let mut copies = 0;
        let quiet = self.faults.is_quiet();
        let mut lines = self.network.sender(from, bytes);
        let mut flows = self.flows.get_mut(from.region as usize);
        for &receiver in to {
            if receiver.0 == from.node {
                continue;
            }
            let Some(&to) = self.places.get(receiver.index()) else {
                continue;
            };
            free += per_copy;
            copies += 1;
            if from.site != to.site
                && let Some(cell) = flows
                    .as_mut()
                    .and_then(|row| row.get_mut(to.region as usize))
            {
                *cell += bytes;
            }
            let mut extra = None;
            if !quiet {
                let now = self.now;
                let hop = Hop {
                    now,
                    from,
                    to,
                    kind,
                };
                if self.faults.leaving(&hop) != Verdict::Pass {
                    continue;
                }
                extra = Some(self.faults.line(&hop));
            }
            let mut fates = Fates {
                totals: &mut self.totals,
                faults: &mut self.faults,
                odd: &mut self.odd,
            };
            let fate = lines.send(free, to, extra.as_ref());
            if let Some(at) = fates.of(fate, Leaving { free, ..leaving }, to, extra) {
                if self.faults.tampers() {
                    self.odd.tamper(receiver.0, at);
                } else {
                    self.arrivals.push((at, receiver.0));
                }
            }
        }
        (free, copies)
    }

    // ---- timers --------------------------------------------------------------------------------

    fn cancel_timer(&mut self, i: usize, key: TimerKey) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let Some(slot) = node.find_timer(key) else {
            return;
        };
        if let Some(timer) = node.timers.get_mut(slot) {
            timer.armed = false;
            timer.generation += 1;
        }
        #[cfg(test)]
        if self.mistake == Some(super::Mistake::CancelledTimerFires) {
            return;
        }
        node.forget_firing(slot);
    }

    fn set_timer(&mut self, i: usize, key: TimerKey, deadline: Time) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let slot = node.timer_slot(key);
        node.forget_firing(slot);
        let Some(timer) = node.timers.get_mut(slot) else {
            return;
        };
        timer.armed = true;
        timer.deadline = deadline;
        timer.length = deadline - self.now;
        timer.generation += 1;
        if timer.ticket > deadline {
            timer.ticket = deadline;
            self.queue.push(
                deadline,
                Item::Timer {
                    node: i as u32,
                    key: key.0,
                    slot: slot as u32,
                },
            );
        }
    }

    pub(super) fn timer_ticket(&mut self, i: usize, key: u64, slot: u32) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let Some(timer) = node.timers.get_mut(slot as usize) else {
            return;
        };
        if timer.ticket != now || timer.key.0 != key {
            return; // an earlier ticket took its place, and perhaps another timer its slot
        }
        timer.ticket = Time::MAX;
        if !timer.armed {
            return node.maybe_idle(slot as usize);
        }
        if timer.deadline > now {
            timer.ticket = timer.deadline;
            self.queue.push(
                timer.deadline,
                Item::Timer {
                    node: i as u32,
                    key: timer.key.0,
                    slot,
                },
            );
            return;
        }
        let generation = timer.generation;
        self.enter(i, Pending::Timer { slot, generation });
    }
}
