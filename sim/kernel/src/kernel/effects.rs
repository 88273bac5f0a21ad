//! What a handler asked for: sends, timers, writes.

use super::Kernel;
use crate::faults::{Hop, Verdict};
use crate::network::{Fate, Odd, transfer};
use crate::node::Pending;
use crate::queue::Item;
use crate::slab::SendRecord;
use consim_core::{Effect, NodeId, Observer, Payload, Span, Time, TimerKey, mix};
use std::sync::Arc;

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
        payload.encode(&mut self.wire);
        debug_assert_eq!(
            self.wire.len(),
            payload.encoded_len(),
            "encoded_len of {}",
            payload.kind()
        );
        let bytes = self.wire.len() as u64;
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
        let (Some(node), Some(&from_place)) = (self.nodes.get(i), self.places.get(i)) else {
            return;
        };
        let from = node.id;
        let mut free = node.nic_out_free.later(finish);
        let quiet = self.faults.is_quiet();
        let mut copies = 0;
        let mut extra = None;
        let mut lines = self.network.sender(from_place, bytes);
        let mut flows = self.flows.get_mut(from_place.region as usize);
        for &receiver in to {
            if receiver == from {
                continue;
            }
            let Some(&to_place) = self.places.get(receiver.index()) else {
                continue;
            };
            free += per_copy;
            copies += 1;
            if from_place.site != to_place.site
                && let Some(cell) = flows
                    .as_mut()
                    .and_then(|row| row.get_mut(to_place.region as usize))
            {
                *cell += bytes;
            }
            if !quiet {
                let hop = Hop {
                    now: self.now,
                    from: from_place,
                    to: to_place,
                    kind,
                };
                if self.faults.leaving(&hop) != Verdict::Pass {
                    continue;
                }
                extra = Some(self.faults.line(&hop));
            }
            match lines.send(free, to_place, extra.as_ref()) {
                Fate::Deliver {
                    at,
                    retransmissions,
                } => {
                    if retransmissions > 0 {
                        let again = u64::from(retransmissions);
                        self.totals.lines.retransmissions += again;
                        self.faults.credit_loss(extra.as_ref(), again);
                    }
                    if self.faults.tampers() {
                        self.odd.tamper(receiver.0, at);
                        continue;
                    }
                    self.arrivals.push((at, receiver.0));
                }
                Fate::Odd => self.odd.leave(
                    Odd {
                        depart: free,
                        from: from_place,
                        to: to_place,
                        bytes,
                        send: 0,
                        counter: 0,
                    },
                    extra.unwrap_or_default(),
                ),
                Fate::Lost => {
                    self.totals.lines.lost += 1;
                    self.faults.credit_loss(extra.as_ref(), 1);
                }
            }
        }
        if let Some(node) = self.nodes.get_mut(i)
            && copies > 0
        {
            node.nic_out_free = free;
            node.usage.nic_out += per_copy.times(copies);
            node.usage.bytes_out += bytes * copies;
            self.totals.bytes += bytes * copies;
        }
    }

    // ---- timers --------------------------------------------------------------------------------

    fn cancel_timer(&mut self, i: usize, key: TimerKey) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let Some(slot) = node.timers.iter().position(|t| t.key == key) else {
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
            return;
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
