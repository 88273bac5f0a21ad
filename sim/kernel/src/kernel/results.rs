//! What came of a run so far.

use super::{Kernel, Totals};
use crate::faults::FaultEffect;
use crate::node::Usage;
use consim_core::{NodeId, Observer, Process, Span, Time, TimerKey};

impl<O: Observer> Kernel<O> {
    /// The present instant.
    pub fn now(&self) -> Time {
        self.now
    }
    /// Counts so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }
    /// The digest of everything that happened so far, in hexadecimal.
    pub fn run_digest(&self) -> String {
        self.digest.hex()
    }
    /// How busy each node was, in node order.
    pub fn usage(&self) -> Vec<Usage> {
        self.nodes.iter().map(|n| n.usage).collect()
    }
    /// What each fault window came to.
    pub fn fault_effects(&self) -> Vec<FaultEffect> {
        let now = self.now;
        self.faults
            .effects()
            .iter()
            .map(|e| FaultEffect {
                to: e.to.min(now),
                ..e.clone()
            })
            .collect()
    }
    /// Bytes between regions, `[from][to]`; traffic inside a site is left out.
    pub fn flows(&self) -> &[Vec<u64>] {
        &self.flows
    }
    /// The observer.
    pub fn observer(&self) -> &O {
        &self.observer
    }
    /// The observer, to be told something between two steps.
    pub fn observer_mut(&mut self) -> &mut O {
        &mut self.observer
    }
    /// How long any process may rightly wait: the longest of the armed timers that count, as it was set, and of
    /// what processes say of theirs. It may have grown while nothing went on.
    pub fn longest_wait(&self, counts: impl Fn(NodeId, TimerKey) -> bool) -> Option<Span> {
        let timers = self.nodes.iter().flat_map(|node| {
            let armed = node.timers.iter().filter(|timer| timer.armed);
            armed.map(|timer| (node.id, timer))
        });
        let counted = timers.filter(|(node, timer)| counts(*node, timer.key));
        let processes = self.nodes.iter().filter_map(|node| node.process.as_deref());
        let waits = processes.map(Process::longest_wait);
        counted.map(|(_, timer)| timer.length).chain(waits).max()
    }
    /// How long the last of what is on its way between nodes takes still: a stream that lost something while a
    /// fault was on waits for its own timeout, and what comes behind it too.
    pub fn longest_flight(&self) -> Span {
        self.network.last_arrival().since(self.now)
    }
    /// Ends the kernel and returns its observer.
    pub fn into_observer(self) -> O {
        self.observer
    }
    /// How many connections have more state than a counter.
    #[cfg(test)]
    pub(crate) fn odd_connections(&self) -> usize {
        self.network.odd_connections()
    }
    /// What lies on the disk of node `i`.
    #[cfg(test)]
    #[allow(clippy::indexing_slicing, reason = "tests alone")]
    pub(crate) fn disk(&self, i: usize) -> &consim_core::Disk {
        &self.nodes[i].disk
    }
    /// Is the node up? For tests that look inside.
    #[cfg(test)]
    pub(crate) fn is_up(&self, node: NodeId) -> bool {
        self.nodes
            .get(node.index())
            .is_some_and(|n| n.process.is_some())
    }
}
