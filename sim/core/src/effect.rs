//! What a process asks for.

use crate::chain::{Batch, Committed};
use crate::probe::Probe;
use crate::{NodeId, Payload, Span, TimerKey, Work, Write, WriteToken};
use std::collections::VecDeque;
use std::sync::Arc;

/// One request of a process to its host.
#[derive(Debug)]
pub enum Effect {
    /// Send to one node.
    Send {
        /// The receiver.
        to: NodeId,
        /// The body.
        payload: Arc<dyn Payload>,
    },
    /// Send one shared body to many nodes (never to the sender itself).
    Multicast {
        /// The receivers.
        to: Arc<[NodeId]>,
        /// The body.
        payload: Arc<dyn Payload>,
    },
    /// Arm a timer, replacing its deadline if it is armed.
    SetTimer {
        /// Which.
        key: TimerKey,
        /// When, counted from the moment effects leave.
        after: Span,
    },
    /// Disarm a timer.
    CancelTimer {
        /// Which.
        key: TimerKey,
    },
    /// Make writes durable.
    Persist {
        /// Returned on completion.
        token: WriteToken,
        /// What.
        writes: Vec<Write>,
    },
}

/// What consensus hands to the node that executes. Sequence numbers come without gaps, but for the
/// one that a state jumps.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// A batch that is ordered for good; a null batch (a gap that a view change filled) has
    /// `batch.txs` empty.
    Ordered {
        /// The ordered batch with its certificate.
        committed: Arc<Committed>,
        /// True if it comes from this node's own disk during recovery: it is executed again to
        /// rebuild the state, but nobody is answered and nothing is written.
        replayed: bool,
    },
    /// A batch that will be `sequence` unless the protocol changes its mind: it may be executed, but
    /// nothing of it counts before it comes as `Ordered`.
    Tentative {
        /// Its sequence number: the one after the last that is ordered.
        sequence: u64,
        /// The batch.
        batch: Arc<Batch>,
    },
    /// A proven state that stands for everything up to `sequence`: nothing of it is executed.
    State {
        /// The last sequence number that is in it.
        sequence: u64,
        /// The ledger's own form of it.
        state: Arc<dyn Payload>,
        /// True if it comes from this node's own disk.
        replayed: bool,
    },
}

/// What one handler call produced; the host reuses it, so nothing is allocated in steady state.
#[derive(Debug, Default)]
pub struct Effects {
    /// Sends, timers and writes in the order they were asked for.
    pub list: Vec<Effect>,
    /// The cost of the call.
    pub work: Work,
    /// Observations in order.
    pub probes: Vec<Probe>,
    /// Deliveries that the hosting layer has not taken.
    pub delivered: VecDeque<Delivery>,
}

impl Effects {
    /// Empties everything, keeping the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.work = Work::NONE;
        self.probes.clear();
        self.delivered.clear();
    }
}
