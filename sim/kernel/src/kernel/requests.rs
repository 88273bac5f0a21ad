//! What users ask for: workloads hand their arrivals out one after the other; those of closed loops follow
//! the ends of earlier ones.

use super::Kernel;
use crate::digest::Mark;
use crate::node::Pending;
use crate::queue::{Item, Queue};
use consim_core::{Arrival, End, Observer, Time, Workload, WorkloadId};
use std::collections::BTreeMap;

/// A workload, and what of it waits in the event list.
struct WorkloadSlot {
    source: Box<dyn Workload>,
    /// The next arrival in time order, with its number.
    next: Option<(u64, Arrival)>,
    /// Those that follow the end of an operation, by number.
    following: BTreeMap<u64, Arrival>,
    /// Arrivals so far.
    handed: u64,
}

impl WorkloadSlot {
    fn new(source: Box<dyn Workload>) -> Self {
        Self {
            source,
            next: None,
            following: BTreeMap::new(),
            handed: 0,
        }
    }
    /// The number of one more arrival.
    fn number(&mut self) -> u64 {
        let number = self.handed;
        self.handed += 1;
        number
    }
    /// Takes the arrival of a number; was it the one in time order?
    fn take(&mut self, number: u64) -> (Option<Arrival>, bool) {
        match self.next.take_if(|(next, _)| *next == number) {
            Some((_, arrival)) => (Some(arrival), true),
            None => (self.following.remove(&number), false),
        }
    }
}

/// All workloads of a run.
pub(super) struct Workloads {
    slots: Vec<WorkloadSlot>,
    /// The number of the first in the order of the event list: they come after the nodes.
    first: u32,
}

impl Workloads {
    pub(super) fn new(sources: Vec<Box<dyn Workload>>, nodes: usize) -> Self {
        Self {
            slots: sources.into_iter().map(WorkloadSlot::new).collect(),
            first: nodes as u32,
        }
    }
    /// The first arrival of each goes into the event list.
    pub(super) fn begin(&mut self, queue: &mut Queue, now: Time) {
        for workload in 0..self.slots.len() as u32 {
            self.pull(queue, now, workload);
        }
    }
    /// The next arrival of a workload goes into the event list.
    fn pull(&mut self, queue: &mut Queue, now: Time, workload: u32) {
        let Some(slot) = self.slots.get_mut(workload as usize) else {
            return;
        };
        if let Some(arrival) = slot.source.next() {
            let (at, counter) = (arrival.at.later(now), slot.number());
            slot.next = Some((counter, arrival));
            queue.push(at, self.item(workload, counter));
        }
    }
    /// An operation of a workload ended at `end.at`, and its user may go on.
    pub(super) fn ended(&mut self, queue: &mut Queue, workload: WorkloadId, end: End) {
        let workload = u32::from(workload.0);
        let Some(slot) = self.slots.get_mut(workload as usize) else {
            return;
        };
        if let Some(arrival) = slot.source.ended(end) {
            let (at, counter) = (arrival.at.later(end.at), slot.number());
            slot.following.insert(counter, arrival);
            queue.push(at, self.item(workload, counter));
        }
    }
    fn item(&self, workload: u32, counter: u64) -> Item {
        Item::Request {
            workload,
            source: self.first + workload,
            counter,
        }
    }
    /// Takes the arrival of a number out, and puts the next in time order into the event list.
    fn take(
        &mut self,
        queue: &mut Queue,
        now: Time,
        workload: u32,
        number: u64,
    ) -> Option<Arrival> {
        let slot = self.slots.get_mut(workload as usize)?;
        let (taken, in_order) = slot.take(number);
        if in_order {
            self.pull(queue, now, workload);
        }
        taken
    }
}

impl<O: Observer> Kernel<O> {
    /// An arrival is due: its node takes it in, if it is up.
    pub(super) fn hand_out(&mut self, workload: u32, number: u64) {
        let taken = self
            .workloads
            .take(&mut self.queue, self.now, workload, number);
        let Some(arrival) = taken else {
            return;
        };
        let i = arrival.node.index();
        self.digest
            .mark(self.now, Mark::Request, arrival.node.0, u64::from(workload));
        if self.nodes.get(i).is_some_and(|n| n.process.is_some()) {
            self.enter(
                i,
                Pending::Request {
                    request: arrival.request,
                },
            );
            return;
        }
        let end = End {
            at: self.now,
            node: arrival.node,
            count: arrival.count,
            answered: false,
        };
        let workload = WorkloadId(workload as u16);
        self.workloads.ended(&mut self.queue, workload, end);
    }
}
