//! Observers and checks. Nothing computes a metric inside a protocol.

mod calm;

pub use calm::Calm;

use crate::probe::Probe;
use crate::{Disk, NodeId, Payload, Span, Time};

/// Consumes observations, in time order.
pub trait Observer: Send {
    /// A process emitted `probe`.
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe);
    /// The wiretap: `from` sent `payload` to `receivers` nodes (once per send or multicast).
    fn sent(&mut self, _at: Time, _from: NodeId, _payload: &dyn Payload, _receivers: usize) {}
    /// A node went down or came up.
    fn node_up(&mut self, _at: Time, _node: NodeId, _up: bool) {}
    /// A fault makes a node stand still until then; it is up, and does nothing.
    fn stands_still(&mut self, _at: Time, _node: NodeId, _until: Time) {}
    /// A fault window opened or closed; `id` is its name in the scenario.
    fn fault(&mut self, _at: Time, _id: &str, _open: bool) {}
    /// The faults are over: from now on the run has to come back to life.
    fn healed(&mut self, _at: Time, _heal: &Heal) {}
    /// The run is over, and this is what the node's disk holds; told of every node before `end`.
    fn stored(&mut self, _at: Time, _node: NodeId, _disk: &Disk) {}
    /// The run is over.
    fn end(&mut self, _at: Time) {}
}

/// What a run has to do after its faults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heal {
    /// How long it may take from now on.
    pub bound: Span,
    /// Nodes that stay broken for good: nothing is asked of them.
    pub broken: Vec<NodeId>,
}

/// Pass, fail, or nothing was judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// Judged, and it held.
    Pass,
    /// Nothing was judged, or not enough to say.
    Unknown,
    /// It was violated.
    Fail,
}

/// What a violated check means for the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// Exit 10.
    Safety,
    /// Exit 11.
    Liveness,
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The verdict: `Unknown` if nothing was evaluated.
    pub verdict: Verdict,
    /// How many facts were judged.
    pub evaluated: u64,
    /// The first violations in words, at most [`Finding::MAX_VIOLATIONS`].
    pub violations: Vec<String>,
    /// How many violations there were in all.
    pub violated: u64,
    /// Why something could not be judged, at most [`Finding::MAX_VIOLATIONS`] reasons; then the
    /// check does not pass.
    pub reasons: Vec<String>,
    /// Operations that travelled in cohorts and are not judged: the others are the sample.
    pub left_out: u64,
}

impl Finding {
    /// How many violations are kept in words.
    pub const MAX_VIOLATIONS: usize = 8;

    /// A finding that has judged nothing.
    pub fn new() -> Self {
        Self {
            verdict: Verdict::Unknown,
            evaluated: 0,
            violations: Vec::new(),
            violated: 0,
            reasons: Vec::new(),
            left_out: 0,
        }
    }
    /// The share of the operations that was judged, where each is a fact; none if that is all of them.
    pub fn sampled(&self) -> Option<f64> {
        let all = self.evaluated + self.left_out;
        (self.left_out > 0).then(|| self.evaluated as f64 / all as f64)
    }
    /// Judges one fact; `violation` is only called if it does not hold.
    pub fn judge(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        self.evaluated += 1;
        if holds {
            if self.verdict == Verdict::Unknown && self.reasons.is_empty() {
                self.verdict = Verdict::Pass;
            }
        } else {
            self.verdict = Verdict::Fail;
            self.violated += 1;
            if self.violations.len() < Self::MAX_VIOLATIONS {
                self.violations.push(violation());
            }
        }
    }
}

impl Finding {
    /// Something that does not hold could not be judged, and why. What is said twice counts once.
    pub fn excuse(&mut self, reason: String) {
        if self.verdict == Verdict::Pass {
            self.verdict = Verdict::Unknown;
        }
        if self.reasons.len() < Self::MAX_VIOLATIONS && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

impl Default for Finding {
    fn default() -> Self {
        Self::new()
    }
}

/// An invariant: an observer that can be violated.
pub trait Check: Observer {
    /// Its word (`agreement`).
    fn name(&self) -> &'static str;
    /// Its catalogue code (`I1`).
    fn code(&self) -> &'static str;
    /// What a violation means.
    fn severity(&self) -> Severity;
    /// What it says, in one sentence, for reports.
    fn says(&self) -> &'static str;
    /// What it found so far.
    fn finding(&self) -> Finding;
    /// Is it violated by now?
    fn violated(&self) -> bool {
        self.finding().verdict == Verdict::Fail
    }
    /// Does it look for the guilty?
    fn traces(&self) -> bool {
        false
    }
    /// Whom it has proven guilty, each once.
    fn guilty(&self) -> Vec<NodeId> {
        Vec::new()
    }
    /// Does it listen to the wiretap? One that says no is spared a call for every message.
    fn hears_sends(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
