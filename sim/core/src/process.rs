//! The process: everything that runs on a node.

use crate::effect::{Delivery, Effect, Effects};
use crate::probe::Probe;
use crate::{CodecError, Disk, Mark, NodeId, Payload, Span, Time, Work, Write, WriteToken};
use rand_chacha::ChaCha12Rng;
use std::cell::Cell;
use std::sync::Arc;

/// Names a timer of a process; setting a key again replaces its deadline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimerKey(pub u64);

/// What happens to a process.
#[derive(Debug)]
pub enum Event<'a> {
    /// The node starts for the first time.
    Start,
    /// The node starts again after a crash, with what its disk kept.
    Recover(&'a Disk),
    /// A message arrived.
    Message {
        /// Who sent it (the transport authenticates the sender).
        from: NodeId,
        /// The body, shared with the other receivers.
        payload: &'a Arc<dyn Payload>,
    },
    /// A timer that the process set has fired.
    Timer(TimerKey),
    /// A user at this node asks for something.
    Request(&'a Arc<dyn Payload>),
    /// A write that the process asked for is durable.
    Persisted(WriteToken),
    /// The host has read the whole disk and found damaged records: what the process still has in
    /// memory it can write again.
    Scrubbed(&'a Disk),
}

/// A deterministic state machine with event handlers (Cachin, Guerraoui, Rodrigues). It never
/// reads a clock, a socket, a file or global randomness: all comes through the context.
pub trait Process: Send {
    /// Reacts to one event. Runs atomically at the start of service; effects leave when the work
    /// that it asked for is done.
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>);
    /// Reads a peer's message from its bytes. Hosts that carry bytes ask for it, and so does the
    /// kernel for a message that was corrupted on its way. The default knows no message.
    fn decode(&self, _bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Err(CodecError::Invalid("message"))
    }
    /// How long it may rightly wait for something as it stands now. Where it waits in steps, or waits longer
    /// each time it waited in vain, no armed timer tells. Zero: its timers tell all.
    fn longest_wait(&self) -> Span {
        Span::ZERO
    }
}

/// What a handler may see and ask for.
pub struct Context<'a> {
    now: Time,
    wall_ns: i64,
    wall_read: Cell<bool>,
    /// The same of the context of the process that hosts this one.
    host_read: Option<&'a Cell<bool>>,
    node: NodeId,
    room: u64,
    effects: &'a mut Effects,
    rng: &'a mut dyn FnMut() -> ChaCha12Rng,
    rng_slot: &'a mut Option<Box<ChaCha12Rng>>,
}

impl<'a> Context<'a> {
    /// A context for one call of `handle`; hosts make these. `rng` makes the node's stream on
    /// first use and `rng_slot` keeps it between calls. `wall_ns` is the node's own reading of the
    /// calendar, in nanoseconds after the Unix epoch.
    pub fn new(
        now: Time,
        wall_ns: i64,
        node: NodeId,
        effects: &'a mut Effects,
        rng: &'a mut dyn FnMut() -> ChaCha12Rng,
        rng_slot: &'a mut Option<Box<ChaCha12Rng>>,
    ) -> Self {
        Self {
            now,
            wall_ns,
            wall_read: Cell::new(false),
            host_read: None,
            node,
            room: u64::MAX,
            effects,
            rng,
            rng_slot,
        }
    }
    /// The same, on a node with this much [`Self::room`].
    #[inline]
    #[must_use]
    pub fn with_room(self, room: u64) -> Self {
        Self { room, ..self }
    }
    /// Bytes of memory for what waits on this node; `u64::MAX` if its machine has as much as it should.
    pub fn room(&self) -> u64 {
        self.room
    }
    /// A context for a process that this one hosts: what it asks for goes into `effects`, where its
    /// host may look at it before anything leaves. Time, node and randomness are the host's.
    pub fn nested<'b>(&'b mut self, effects: &'b mut Effects) -> Context<'b> {
        Context {
            now: self.now,
            wall_ns: self.wall_ns,
            wall_read: Cell::new(false),
            host_read: Some(&self.wall_read),
            node: self.node,
            room: self.room,
            effects,
            rng: &mut *self.rng,
            rng_slot: &mut *self.rng_slot,
        }
    }
    /// Monotonic time: the start of service of this event.
    pub fn now(&self) -> Time {
        self.now
    }
    /// The node's wall clock, nanoseconds after the Unix epoch: offset and drift included.
    pub fn wall_ns(&self) -> i64 {
        self.wall_read.set(true);
        if let Some(host) = self.host_read {
            host.set(true);
        }
        self.wall_ns
    }
    /// Did the handler look at the wall clock? For hosts, which know whether it was right.
    pub fn wall_was_read(&self) -> bool {
        self.wall_read.get()
    }
    /// This node.
    pub fn node(&self) -> NodeId {
        self.node
    }
    /// This node's random stream.
    pub fn rng(&mut self) -> &mut ChaCha12Rng {
        self.rng_slot.get_or_insert_with(|| Box::new((self.rng)()))
    }
    /// Sends `payload` to `to`.
    pub fn send(&mut self, to: NodeId, payload: Arc<dyn Payload>) {
        self.effects.list.push(Effect::Send { to, payload });
    }
    /// Sends `payload` to every node of `to` except this one.
    pub fn multicast(&mut self, to: &Arc<[NodeId]>, payload: Arc<dyn Payload>) {
        self.effects.list.push(Effect::Multicast {
            to: Arc::clone(to),
            payload,
        });
    }
    /// Sets timer `key` to fire after `after`; replaces an earlier deadline.
    pub fn set_timer(&mut self, key: TimerKey, after: Span) {
        self.effects.list.push(Effect::SetTimer { key, after });
    }
    /// Cancels timer `key`, a queued firing included.
    pub fn cancel_timer(&mut self, key: TimerKey) {
        self.effects.list.push(Effect::CancelTimer { key });
    }
    /// Makes `writes` durable together; `Event::Persisted(token)` follows.
    pub fn persist(&mut self, token: WriteToken, writes: Vec<Write>) {
        self.effects.list.push(Effect::Persist { token, writes });
    }
    /// Adds to the cost of this handler.
    #[inline]
    pub fn work(&mut self, work: Work) {
        self.effects.work.add(work);
    }
    /// Emits an observation.
    pub fn emit(&mut self, probe: Probe) {
        self.effects.probes.push(probe);
    }
    /// A situation that searches count is here.
    #[cold]
    pub fn reached(&mut self, mark: &'static Mark) {
        self.emit(Probe::Reached(mark));
    }
    /// Hands an ordered batch up to the layer that hosts this process.
    pub fn deliver(&mut self, delivery: Delivery) {
        self.effects.delivered.push_back(delivery);
    }
    /// The oldest delivery that a hosted process made and its host has not taken yet.
    pub fn take_delivery(&mut self) -> Option<Delivery> {
        self.effects.delivered.pop_front()
    }
}
