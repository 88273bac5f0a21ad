//! The metrics and the checks of a run behind one observer.

use crate::metrics::Metrics;
use consim_core::{Check, Disk, Heal, NodeId, Observer, Payload, Probe, Time};

#[cfg(test)]
mod tests;

/// All that watches a run. Probes go to everybody; the wiretap, which is called for every message,
/// only to the checks that listen to it.
pub struct Suite {
    metrics: Metrics,
    checks: Vec<Box<dyn Check>>,
    /// Places in `checks`.
    wiretaps: Vec<usize>,
    /// Are figures wanted, too?
    measures: bool,
}

impl Suite {
    /// Metrics and checks that have seen nothing.
    pub fn new(metrics: Metrics, checks: Vec<Box<dyn Check>>) -> Self {
        let wiretaps = checks
            .iter()
            .enumerate()
            .filter(|(_, check)| check.hears_sends())
            .map(|(place, _)| place)
            .collect();
        Self {
            metrics,
            checks,
            wiretaps,
            measures: true,
        }
    }
    /// From now on it only judges: the figures stay as they are.
    pub fn only_judge(&mut self) {
        self.measures = false;
    }
    /// The window of an attack opened or closed. It has its row of figures like a fault; liveness has
    /// to hold all the same, unless there are more traitors than the protocol bears (`excuses`).
    pub fn attack(&mut self, at: Time, id: &str, open: bool, excuses: bool) {
        if self.measures {
            self.metrics.fault(at, id, open);
        }
        if excuses {
            for check in &mut self.checks {
                check.fault(at, id, open);
            }
        }
    }
    /// Something that was planned disturbs the run, or does no more: the checks hear of it, and it is no fault.
    pub fn disturbed(&mut self, at: Time, id: &str, open: bool) {
        for check in &mut self.checks {
            check.fault(at, id, open);
        }
    }
    /// Some are shut out for good, from the start of the run as far as checks of liveness go.
    pub fn shut_out(&mut self, at: Time, heal: &Heal) {
        for check in &mut self.checks {
            check.healed(at, heal);
        }
    }
    /// The figures.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
    /// The checks.
    pub fn checks(&self) -> &[Box<dyn Check>] {
        &self.checks
    }
}

impl Observer for Suite {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if self.measures {
            self.metrics.probe(at, node, probe);
        }
        for check in &mut self.checks {
            check.probe(at, node, probe);
        }
    }
    fn sent(&mut self, at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        for &place in &self.wiretaps {
            if let Some(check) = self.checks.get_mut(place) {
                check.sent(at, from, payload, receivers);
            }
        }
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        if self.measures {
            self.metrics.node_up(at, node, up);
        }
        for check in &mut self.checks {
            check.node_up(at, node, up);
        }
    }
    fn stands_still(&mut self, at: Time, node: NodeId, until: Time) {
        for check in &mut self.checks {
            check.stands_still(at, node, until);
        }
    }
    fn fault(&mut self, at: Time, id: &str, open: bool) {
        if self.measures {
            self.metrics.fault(at, id, open);
        }
        for check in &mut self.checks {
            check.fault(at, id, open);
        }
    }
    fn healed(&mut self, at: Time, heal: &Heal) {
        if self.measures {
            self.metrics.healed(at, heal);
        }
        for check in &mut self.checks {
            check.healed(at, heal);
        }
    }
    fn stored(&mut self, at: Time, node: NodeId, disk: &Disk) {
        for check in &mut self.checks {
            check.stored(at, node, disk);
        }
    }
    fn end(&mut self, at: Time) {
        if self.measures {
            self.metrics.end(at);
        }
        for check in &mut self.checks {
            check.end(at);
        }
    }
}
