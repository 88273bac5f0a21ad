//! A trace of events, to find where two runs part, and of the ways of messages, to draw them.

use crate::queue::Item;
use consim_core::{NodeId, Time};

/// What happened, in the order of the classes of ties.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// The fault window of this number opened or closed.
    Fault {
        /// Which, in the order of the configuration.
        window: u32,
        /// Opened, or closed.
        open: bool,
    },
    /// The fault of this number went on to what it does next.
    Woken {
        /// Which, in the order of the configuration.
        window: u32,
    },
    /// The effects of a handler of a node with several servers left.
    Release {
        /// The node's number of the handler.
        counter: u64,
    },
    /// An acknowledgement was back that held messages waited for.
    Acknowledged {
        /// Whose.
        by: NodeId,
    },
    /// A message arrived at the NIC, or left its queue.
    Message {
        /// Who sent it.
        from: NodeId,
        /// The sender's number of the send.
        counter: u64,
        /// The kind of its payload.
        kind: &'static str,
    },
    /// The workload of this number handed out a request, its so-many-th.
    Request {
        /// Which, in the order of the configuration.
        workload: u32,
        /// The number of the request.
        counter: u64,
    },
    /// A write was finished, the node's so-many-th.
    Disk {
        /// The number of the write.
        op: u64,
    },
    /// A timer's ticket surfaced.
    Timer {
        /// The process's key of it.
        key: u64,
    },
    /// The server turned to what waits, for the so-many-th time.
    Wake {
        /// The number of the wake.
        counter: u64,
    },
}

/// An event as it was served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Traced {
    /// When.
    pub at: Time,
    /// At which node; a fault and a request have none.
    pub node: Option<NodeId>,
    /// What.
    pub what: What,
    /// A short hash of all that it put into the run digest: sends with their bytes, deliveries,
    /// timers, writes.
    pub effects: u64,
}

/// The way of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flight {
    /// Who sent it.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// The kind of its payload.
    pub kind: &'static str,
    /// When the sender was done with it.
    pub left: Time,
    /// When it had arrived whole, or was lost.
    pub ended: Time,
    /// Did it reach its receiver? Else a line or a fault took it, or one of the two was down.
    pub arrived: bool,
}

impl Traced {
    /// An event about to be served; `kind` is that of a message's payload.
    pub(crate) fn of(at: Time, item: Item, kind: &'static str) -> Self {
        let (node, what) = match item {
            Item::Fault { window, open } => (None, What::Fault { window, open }),
            Item::Woken { window, .. } => (None, What::Woken { window }),
            Item::Arrival {
                from, counter, to, ..
            } => (
                Some(NodeId(to)),
                What::Message {
                    from: NodeId(from),
                    counter,
                    kind,
                },
            ),
            Item::Request {
                workload, counter, ..
            } => (None, What::Request { workload, counter }),
            Item::Release { node, counter } => (Some(NodeId(node)), What::Release { counter }),
            Item::Acknowledged { from, to } => {
                (Some(NodeId(from)), What::Acknowledged { by: NodeId(to) })
            }
            Item::Disk { node, op } => (Some(NodeId(node)), What::Disk { op }),
            Item::Timer { node, key, .. } => (Some(NodeId(node)), What::Timer { key }),
            Item::Wake { node, counter } => (Some(NodeId(node)), What::Wake { counter }),
        };
        Self {
            at,
            node,
            what,
            effects: 0,
        }
    }
}
