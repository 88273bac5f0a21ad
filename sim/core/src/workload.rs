//! Workloads: what users ask for, and when.

use crate::{NodeId, Payload, Probe, Time, WorkloadId};
use std::sync::Arc;

/// One arrival of a workload: at `at`, a user at `node` asks for `request`.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub at: Time,
    /// At which node the user is.
    pub node: NodeId,
    /// How many users it stands for.
    pub count: u32,
    /// What.
    pub request: Arc<dyn Payload>,
}

/// The end of what a user asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// When.
    pub at: Time,
    /// At which node the user is.
    pub node: NodeId,
    /// How many users it stands for.
    pub count: u32,
    /// Was anybody there to ask?
    pub answered: bool,
}

impl End {
    /// What a probe of `node` at `at` says of an end, for good or ill, and of whose operation.
    #[inline]
    pub fn of(probe: &Probe, at: Time, node: NodeId) -> Option<(WorkloadId, Self)> {
        let &Probe::Ended {
            workload, count, ..
        } = probe
        else {
            return None;
        };
        let end = Self {
            at,
            node,
            count,
            answered: true,
        };
        Some((workload, end))
    }
}

/// A generator of arrivals. The host pulls the next one when it has handed out the last, so a workload
/// holds no queue. It owns its random stream.
pub trait Workload: Send {
    /// The next arrival, in time order, or `None` when there is nothing more.
    fn next(&mut self) -> Option<Arrival>;
    /// An operation of this workload ended: its users may ask for something else. `None`, the default, is
    /// an open loop.
    fn ended(&mut self, _end: End) -> Option<Arrival> {
        None
    }
}
