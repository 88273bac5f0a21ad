//! `monotonic-reads` (Q4).

use super::values::{Past, Values};
use crate::key_value::command::key_of_state;
use crate::key_value::probe::KeyValueProbe;
use crate::node::client::Believed;
use consim_core::{Check, Digest, Finding, NodeId, Observer, OpId, Probe, Severity, Time};
use std::collections::BTreeMap;

/// The most pairs of a client and a key that are remembered (assumed: a hundred clients with ten
/// thousand keys each). Then the check begins anew and misses what came before.
const MAX_PAIRS: usize = 1_000_000;

/// Heights that are remembered of a client and a key; of older ones the check knows less, and finds
/// less.
const MAX_HEIGHTS: usize = 32;

/// No client sees a value of a key that is older than one that it saw before it asked, whichever
/// server answers it. A client that wrote nothing and knows of nobody else's writes notices nothing of a
/// server that is behind; that it goes back in time, it does.
pub struct MonotonicReads {
    values: Values,
    /// Questions and answers so far: a clock for what comes before what, within an instant, too.
    clock: u64,
    /// From which height on the latest value held that a client saw, by client and key, after when it
    /// saw it: both grow.
    seen: BTreeMap<(u32, u64), Vec<(u64, u64)>>,
    /// When each question that is open was asked: of two at a time either may be ordered first.
    asked: BTreeMap<OpId, u64>,
    finding: Finding,
}

impl MonotonicReads {
    /// A check of a chain on which `writers` set keys.
    pub fn new(writers: &[NodeId]) -> Self {
        Self {
            values: Values::new(writers),
            clock: 0,
            seen: BTreeMap::new(),
            asked: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    fn ask(&mut self, op: OpId) {
        if self.asked.len() >= MAX_PAIRS {
            self.asked.clear();
        }
        self.clock += 1;
        self.asked.insert(op, self.clock);
    }

    /// A client saw a value. One that was never there is for linearizability to say.
    fn saw(&mut self, op: OpId, key: u64, value: Option<Digest>) {
        let client = (op.0 >> 32) as u32;
        self.clock += 1;
        let asked = self.asked.get(&op).copied().unwrap_or(self.clock);
        let seen = self.seen.get(&(client, key)).into_iter().flatten();
        let known = seen.take_while(|(when, _)| *when <= asked).last();
        let before = known.map_or(0, |(_, height)| *height);
        // Of two times at which a key held the same value, the later one is meant, if there is one.
        let height = match self.values.since(key, value, before) {
            Past::Since(height) => height,
            Past::Forgotten => return,
            Past::Never => match self.values.since(key, value, 0) {
                Past::Since(height) => height,
                Past::Forgotten | Past::Never => return,
            },
        };
        self.finding.judge(height >= before, || {
            format!("{op:?}: of key {key}, n{client} sees the value of block {height}, after that of block {before}")
        });
        if self.seen.len() >= MAX_PAIRS {
            self.seen.clear();
        }
        let seen = self.seen.entry((client, key)).or_default();
        if seen.last().is_none_or(|(_, last)| *last < height) {
            seen.push((self.clock, height));
            if seen.len() > MAX_HEIGHTS {
                seen.remove(0);
            }
        }
    }
}

impl Observer for MonotonicReads {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        match probe {
            Probe::Asked { op, .. } => self.ask(*op),
            Probe::Ended { op, .. } => drop(self.asked.remove(op)),
            Probe::Applied(block) => self.values.take(block, |_| {}),
            Probe::Domain(domain) => match domain.as_any().downcast_ref() {
                Some(KeyValueProbe::Read { op, key, value, .. }) => self.saw(*op, *key, *value),
                Some(KeyValueProbe::Wrote { .. }) => {}
                None => {
                    if let Some(Believed { op, key, value }) = domain.as_any().downcast_ref()
                        && let Some(key) = key_of_state(key)
                    {
                        self.saw(*op, key, value.as_deref().map(Digest::of));
                    }
                }
            },
            _ => {}
        }
    }
}

impl Check for MonotonicReads {
    fn name(&self) -> &'static str {
        "monotonic-reads"
    }
    fn code(&self) -> &'static str {
        "Q4"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "No client sees a value of a key that is older than one that it saw before it asked, whichever server answers."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
