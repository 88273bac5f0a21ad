//! What a handler asked for: sends, timers, writes.

use super::Kernel;
use crate::network::{Extra, Fate, Odd, transfer};
use crate::node::Pending;
use crate::queue::Item;
use consim_core::{Effect, NodeId, Observer, Payload, Time, TimerKey, mix};
use std::sync::Arc;

impl<O: Observer> Kernel<O> {
    #[inline]
    pub(super) fn carry_out(&mut self, i: usize, finish: Time, effect: Effect) {
        match effect {
            Effect::Send { to, payload } => self.send(i, finish, &[to], payload),
            Effect::Multicast { to, payload } => self.send(i, finish, &to, payload),
            Effect::SetTimer { key, after } => self.set_timer(i, key, finish + after),
            Effect::CancelTimer { key } => self.cancel_timer(i, key),
            Effect::Persist { token, writes } => self.persist(i, finish, token, writes),
        }
    }

    fn send(&mut self, i: usize, finish: Time, to: &[NodeId], payload: Arc<dyn Payload>) {
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
        let from_place = node.place;
        let rate = node.config.hardware.nic_out;
        let send = self
            .sends
            .insert(from, epoch, finish, payload, bytes as u32, id, counter);
        let per_copy = transfer(bytes, rate);
        let quiet = self.faults.is_quiet();
        for &receiver in to {
            if receiver == from {
                continue;
            }
            let Some(target) = self.nodes.get(receiver.index()) else {
                continue;
            };
            let to_place = target.place;
            let Some(node) = self.nodes.get_mut(i) else {
                return;
            };
            let depart = node.nic_out_free.later(finish) + per_copy;
            node.nic_out_free = depart;
            node.usage.nic_out += per_copy;
            node.usage.bytes_out += bytes;
            self.totals.bytes += bytes;
            if from_place.site != to_place.site
                && let Some(cell) = self
                    .flows
                    .get_mut(from_place.region as usize)
                    .and_then(|r| r.get_mut(to_place.region as usize))
            {
                *cell += bytes;
            }
            let mut extra = Extra::default();
            if !quiet {
                if self.faults.cuts(from_place, to_place) {
                    continue;
                }
                extra = self.faults.extra(from_place, to_place);
            }
            match self
                .network
                .send(depart, from_place, to_place, bytes, extra)
            {
                Fate::Deliver {
                    at,
                    retransmissions,
                } => {
                    if retransmissions > 0 {
                        self.totals.lines.retransmissions += u64::from(retransmissions);
                        if extra.loss_ppb > 0 {
                            self.faults.credit_loss(
                                from_place,
                                to_place,
                                u64::from(retransmissions),
                            );
                        }
                    }
                    self.sends.retain(send);
                    self.queue.push(
                        at,
                        Item::Arrival {
                            send,
                            from: from.0,
                            counter,
                            to: receiver.0,
                            queued: false,
                        },
                    );
                }
                Fate::Odd => {
                    let message = Odd {
                        depart,
                        from: from_place,
                        to: to_place,
                        bytes,
                        send,
                        counter,
                    };
                    self.send_odd(message, extra);
                }
                Fate::Lost => {
                    self.totals.lines.lost += 1;
                    if extra.loss_ppb > 0 {
                        self.faults.credit_loss(from_place, to_place, 1);
                    }
                }
            }
        }
        self.sends.release(send);
    }

    // ---- timers -----------------------------------------------------------------------

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
