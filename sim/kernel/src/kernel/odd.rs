//! Messages over odd lines: copies, held segments, corrupted bytes.

use super::Kernel;
use crate::digest::Mark;
use crate::network::{Arriving, Extra, Odd, Told};
use crate::queue::Item;
use crate::slab::SendRecord;
use consim_core::{Digest, NodeId, Observer, Payload, Probe, Work, mix};
use std::any::Any;
use std::sync::Arc;

/// Buffers that are used again and again.
#[derive(Debug, Default)]
pub(super) struct OddBuffers {
    /// Copies of the send at hand that go over odd lines.
    leaving: Vec<(Odd, Extra)>,
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
    /// How many there are.
    #[inline]
    pub(super) fn leaving(&self) -> usize {
        self.leaving.len()
    }
}

/// A message whose bytes are not those that were sent.
#[derive(Debug)]
struct Garbled {
    bytes: Vec<u8>,
    kind: &'static str,
    /// What the sender's authenticator says of the bytes that it sent.
    tag: Digest,
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

impl<O: Observer> Kernel<O> {
    /// The copies of send `send` that go over odd lines; its record counts them. Out of the way of
    /// the common case, which is much smaller.
    #[cold]
    pub(super) fn send_odd(&mut self, send: u32, counter: u64) {
        let mut leaving = std::mem::take(&mut self.odd.leaving);
        for (copy, extra) in leaving.drain(..) {
            let message = Odd {
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
                self.faults.credit_loss(&extra, bad);
            }
            self.hand_over(message.from.node, message.to.node, told, buffers);
        }
        self.odd.leaving = leaving;
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
        for copy in buffers.arriving.drain(..) {
            let send = match copy.corrupt {
                Some(bits) => {
                    buffers.garbles = true;
                    self.garbled(copy.send, bits)
                }
                None => copy.send,
            };
            self.queue.push(
                copy.at,
                Item::Arrival {
                    send,
                    from,
                    counter: copy.counter,
                    to,
                    queued: false,
                },
            );
        }
        for send in buffers.gone.drain(..) {
            self.sends.release(send);
        }
        self.odd = buffers;
    }

    /// A record of its own for a copy of `send` with a bit flipped; the copy's hold on `send` goes.
    fn garbled(&mut self, send: u32, bits: u64) -> u32 {
        let Some(record) = self.sends.get(send) else {
            return send;
        };
        let mut bytes = Vec::with_capacity(record.bytes as usize);
        record.payload.encode(&mut bytes);
        let tag = Digest::of(&bytes);
        let bit = consim_core::rng::below(bits, bytes.len() as u64 * 8);
        let Some(byte) = bytes.get_mut((bit / 8) as usize) else {
            return send;
        };
        *byte ^= 1 << (bit % 8);
        let payload = Garbled {
            kind: record.payload.kind(),
            bytes,
            tag,
        };
        let garbled = SendRecord {
            from: record.from,
            epoch: record.epoch,
            finish: record.finish,
            payload: Arc::new(payload),
            bytes: record.bytes,
            id: mix(u64::from(record.id), bit) as u32,
            counter: record.counter,
            copies: 1,
            at_rate: record.at_rate,
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
        let (from, id) = (record.from, u64::from(record.id));
        node.take_server(self.now + cost);
        node.usage.cpu += cost;
        let probe = Probe::Refused { from, reason };
        let receiver = NodeId(i as u32);
        self.totals.events += 1;
        self.totals.lines.refused += 1;
        self.digest.mark(self.now, Mark::Refused, i as u32, id);
        self.observer.probe(self.now, receiver, &probe);
        true
    }
}
