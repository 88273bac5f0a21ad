//! Messages over odd lines: copies, held segments, corrupted bytes.

use super::Kernel;
use crate::digest::Mark;
use crate::faults::{Copy, Garble, Hop, Tamper};
use crate::network::{Arriving, Extra, Odd, Told};
use crate::queue::Item;
use crate::slab::SendRecord;
use consim_core::{Digest, NodeId, Observer, Payload, Probe, Time, Work, mix};
use std::any::Any;
use std::sync::Arc;

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(super) struct OddBuffers {
    /// Copies of the send at hand that go over odd lines.
    leaving: Vec<(Odd, Extra)>,
    /// Copies of the send at hand to which a fault may do something: to whom, and when they come.
    tampered: Vec<(u32, Time)>,
    arriving: Vec<Arriving>,
    gone: Vec<u32>,
    /// Was any message corrupted so far?
    pub(super) garbles: bool,
}

impl OddBuffers {
    /// A copy of the send at hand; its record is made when all copies are known.
    #[cold]
    pub(super) fn leave(&mut self, copy: Odd, extra: Extra) {
        self.leaving.push((copy, extra));
    }
    /// A copy over a plain line that comes at `at`, if nothing is done to it.
    #[cold]
    pub(super) fn tamper(&mut self, to: u32, at: Time) {
        self.tampered.push((to, at));
    }
    /// Is there a copy of the send at hand for `node`?
    pub(super) fn leaves_for(&self, node: u32) -> bool {
        let leaving = self.leaving.iter().any(|(copy, _)| copy.to.node == node);
        leaving || self.tampered.iter().any(|&(to, _)| to == node)
    }
    /// How many there are.
    #[inline]
    pub(super) fn leaving(&self) -> usize {
        self.leaving.len() + self.tampered.len()
    }
}

/// A message whose bytes are not those that were sent.
#[derive(Debug)]
struct Garbled {
    bytes: Vec<u8>,
    kind: &'static str,
    /// What the sender's authenticator says of the bytes that it sent.
    tag: Digest,
    /// The fault that did it.
    by: Option<u32>,
}

impl Garbled {
    /// Bytes that never were a message.
    fn junk(bytes: Vec<u8>, by: u32) -> Self {
        Self {
            bytes,
            kind: "junk",
            tag: Digest::of(&[]),
            by: Some(by),
        }
    }
}

impl Payload for Garbled {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
    }
    fn encoded_len(&self) -> usize {
        self.bytes.len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The arrival of a copy.
pub(super) fn arrival(copy: Copy) -> Item {
    Item::Arrival {
        send: copy.send,
        from: copy.from,
        counter: copy.counter,
        to: copy.to,
        queued: false,
    }
}

impl<O: Observer> Kernel<O> {
    /// The copies of send `send` that go over odd lines; its record counts them. Out of the way of
    /// the common case, which is much smaller.
    #[cold]
    pub(super) fn send_odd(&mut self, send: u32, counter: u64) {
        let mut leaving = std::mem::take(&mut self.odd.leaving);
        let lane = self.sends.get(send).map_or(0, |r| r.payload.lane());
        for (copy, extra) in leaving.drain(..) {
            let message = Odd {
                lane,
                send,
                counter,
                ..copy
            };
            let mut buffers = std::mem::take(&mut self.odd);
            let told =
                self.network
                    .send_odd(message, extra, &mut buffers.arriving, &mut buffers.gone);
            let bad = told.retransmissions + told.lost;
            if bad > 0 {
                self.faults.credit_loss(Some(&extra), bad);
            }
            if let Some(window) = extra.throttled_by {
                self.faults.count(window as usize, told.waited);
            }
            self.hand_over(message.from.node, message.to.node, told, buffers);
        }
        self.odd.leaving = leaving;
        let mut tampered = std::mem::take(&mut self.odd.tampered);
        let from = self.sends.get(send).map_or(0, |record| record.from.0);
        for (to, at) in tampered.drain(..) {
            let copy = Copy {
                send,
                from,
                counter,
                to,
            };
            self.tampered(copy, at, None);
        }
        self.odd.tampered = tampered;
    }

    /// A copy is about to arrive: what faults do to it is done.
    fn tampered(&mut self, copy: Copy, at: Time, line: Option<u64>) {
        let mut tamper = Tamper::default();
        if self.faults.tampers()
            && let (Some(&from), Some(&to)) = (
                self.places.get(copy.from as usize),
                self.places.get(copy.to as usize),
            )
        {
            let kind = self.sends.get(copy.send).map(|r| r.payload.kind());
            let hop = Hop {
                now: self.now,
                from,
                to,
                kind: kind.unwrap_or_default(),
            };
            tamper = self.faults.tamper(&hop, at);
        }
        let at = at + tamper.late;
        if let Some(after) = tamper.again {
            self.sends.retain(copy.send);
            self.queue.push(at + after, arrival(copy));
        }
        let bits = line.map(|bits| Garble {
            bits,
            truncate: false,
            by: None,
        });
        let mut copy = copy;
        if let Some(garble) = tamper.garble.or(bits) {
            self.odd.garbles = true;
            copy.send = self.garbled(copy.send, garble);
        }
        self.queue.push(at, arrival(copy));
    }

    /// A machine sends bytes that are no message.
    pub(super) fn junk(&mut self, window: usize, number: u64, bytes: u32) -> Arc<dyn Payload> {
        self.odd.garbles = true;
        let key = mix(self.faults.key(window), number);
        let words = (0..u64::from(bytes).div_ceil(8)).map(|i| mix(key, i).to_le_bytes());
        let mut bytes_sent: Vec<u8> = words.flatten().collect();
        bytes_sent.truncate(bytes as usize);
        Arc::new(Garbled::junk(bytes_sent, window as u32))
    }

    /// The acknowledgement that held messages wait for may be in.
    #[cold]
    pub(super) fn acknowledged(&mut self, from: u32, to: u32) {
        let (Some(&from_place), Some(&to_place)) =
            (self.places.get(from as usize), self.places.get(to as usize))
        else {
            return;
        };
        let mut buffers = std::mem::take(&mut self.odd);
        let told = self.network.acknowledged(
            self.now,
            from_place,
            to_place,
            &mut buffers.arriving,
            &mut buffers.gone,
        );
        self.hand_over(from, to, told, buffers);
    }

    /// A copy is before the up-link of its receiver. Does it have to wait there?
    #[cold]
    pub(super) fn waits_outside(&mut self, send: u32, to: u32) -> bool {
        let Some(record) = self.sends.get(send) else {
            return false;
        };
        let (Some(&from), Some(&place)) = (
            self.places.get(record.from.index()),
            self.places.get(to as usize),
        ) else {
            return false;
        };
        let message = (send, u64::from(record.bytes));
        let copy = Copy {
            send,
            from: record.from.0,
            counter: record.counter,
            to,
        };
        let Some(through) = self.network.enter(self.now, message, from, place) else {
            return false;
        };
        self.queue.push(through, arrival(copy));
        true
    }

    /// Puts arriving copies into the queue and counts what became of the others.
    fn hand_over(&mut self, from: u32, to: u32, told: Told, mut buffers: OddBuffers) {
        let lines = &mut self.totals.lines;
        lines.lost += told.lost;
        lines.retransmissions += told.retransmissions;
        lines.overflowed += told.overflowed;
        lines.duplicated += told.duplicated;
        lines.reordered += told.reordered;
        if let Some(at) = told.held_until {
            lines.held += 1;
            self.queue.push(at, Item::Acknowledged { from, to });
        }
        // A first copy has the hold on the record that was kept for the message; a second needs
        // its own, before the first may let go of it.
        for (first, second) in buffers.arriving.iter().zip(buffers.arriving.iter().skip(1)) {
            if first.send == second.send {
                self.sends.retain(second.send);
            }
        }
        let mut arriving = std::mem::take(&mut buffers.arriving);
        for send in buffers.gone.drain(..) {
            if self.flights.is_some() {
                self.note_gone(send, NodeId(to));
            }
            self.sends.release(send);
        }
        self.odd = buffers;
        for come in arriving.drain(..) {
            let copy = Copy {
                send: come.send,
                from,
                counter: come.counter,
                to,
            };
            self.tampered(copy, come.at, come.corrupt);
        }
        self.odd.arriving = arriving;
    }

    /// A record of its own for a copy of `send` with other bytes; the copy's hold on `send` goes.
    fn garbled(&mut self, send: u32, how: Garble) -> u32 {
        let Some(record) = self.sends.get(send) else {
            return send;
        };
        let mut bytes = Vec::with_capacity(record.bytes as usize);
        record.payload.encode(&mut bytes);
        let tag = Digest::of(&bytes);
        let bit = consim_core::rng::below(how.bits, bytes.len() as u64 * 8);
        let Some(byte) = bytes.get_mut((bit / 8) as usize) else {
            return send;
        };
        if how.truncate {
            bytes.truncate((bit / 8) as usize);
        } else {
            *byte ^= 1 << (bit % 8);
        }
        let length = bytes.len() as u32;
        let payload = Garbled {
            kind: record.payload.kind(),
            bytes,
            tag,
            by: how.by,
        };
        let garbled = SendRecord {
            from: record.from,
            epoch: record.epoch,
            finish: record.finish,
            payload: Arc::new(payload),
            bytes: length,
            id: mix(u64::from(record.id), bit) as u32,
            counter: record.counter,
            copies: 1,
        };
        self.totals.lines.corrupted += 1;
        self.sends.release(send);
        self.sends.insert(garbled)
    }

    /// Serves a corrupted message: the receiver reads its bytes and refuses them. `false` if
    /// `send` is none.
    #[cold]
    pub(super) fn refuse(&mut self, i: usize, send: u32) -> bool {
        let (Some(record), Some(node)) = (self.sends.get(send), self.nodes.get_mut(i)) else {
            return false;
        };
        let Some(garbled) = record.payload.as_any().downcast_ref::<Garbled>() else {
            return false;
        };
        let Some(process) = node.process.as_ref() else {
            return false;
        };
        let reason = match process.decode(&garbled.bytes) {
            Err(_) => "malformed",
            // Peers authenticate what they send (the host's part, whatever the protocol signs).
            Ok(_) if Digest::of(&garbled.bytes) != garbled.tag => "altered",
            Ok(_) => return false,
        };
        let cost = node.hardware.cost(&Work::NONE, Some(record.bytes as usize));
        let (from, id, by) = (record.from, u64::from(record.id), garbled.by);
        node.take_server(self.now + cost);
        node.usage.cpu += cost;
        let probe = Probe::Refused { from, reason };
        let receiver = NodeId(i as u32);
        self.totals.events += 1;
        self.totals.lines.refused += 1;
        if let Some(window) = by {
            self.faults.refused(window as usize);
        }
        self.digest.mark(self.now, Mark::Refused, i as u32, id);
        self.observer.probe(self.now, receiver, &probe);
        true
    }
}
