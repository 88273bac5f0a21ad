//! `linearizable-reads` (Q1): with one total order, a linear check does.

use super::values::{Past, Values};
use crate::key_value::command::key_of_state;
use crate::key_value::probe::KeyValueProbe;
use crate::node::client::Believed;
use consim_core::{Check, Digest, Finding, NodeId, Observer, OpEnd, OpId, Probe, Severity, Time};
use std::collections::BTreeMap;

/// Every read is answered with the value that the key had at the end of the block that the server
/// had reached, by a map that executes the commands in commit order, and that block is not before
/// the last one that a client had been told of when the read was asked. A client that asks several
/// servers is not told of a block: then there has to be one.
pub struct LinearizableReads {
    values: Values,
    /// The highest block that anybody was told of.
    told: u64,
    /// The operations that are under way.
    open: BTreeMap<OpId, Open>,
    finding: Finding,
}

/// An operation under way.
#[derive(Clone, Copy)]
struct Open {
    /// The highest block that anybody was told of when it was asked.
    floor: u64,
    /// The block that executed its transaction.
    executed: Option<u64>,
}

impl LinearizableReads {
    /// A check of a chain on which `writers` set keys.
    pub fn new(writers: &[NodeId]) -> Self {
        Self {
            values: Values::new(writers),
            told: 0,
            open: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    fn floor(&self, op: OpId) -> u64 {
        self.open.get(&op).map_or(0, |open| open.floor)
    }

    /// A client believes what several servers showed it.
    fn believed(&mut self, op: OpId, key: u64, value: Option<Digest>) {
        let floor = self.floor(op);
        let past = self.values.since(key, value, floor);
        if past == Past::Forgotten {
            return;
        }
        self.finding.judge(past != Past::Never, || {
            format!("{op:?}: key {key} had no such value at height {floor} or after it")
        });
        if let Past::Since(height) = past {
            self.told = self.told.max(height);
        }
    }

    fn read(&mut self, op: OpId, key: u64, value: Option<Digest>, height: u64) {
        let floor = self.floor(op);
        let fresh = height >= floor && height <= self.values.height();
        let held = self.values.held(key, value, height);
        if held.is_none() && fresh {
            return;
        }
        self.finding.judge(fresh && held == Some(true), || {
            if fresh {
                format!("{op:?}: key {key} at height {height} was answered with another value")
            } else {
                format!(
                    "{op:?}: key {key} was read at height {height}, block {floor} was told of before"
                )
            }
        });
    }
}

impl Observer for LinearizableReads {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        match probe {
            Probe::Applied(block) => {
                let height = block.header.height;
                let open = &mut self.open;
                self.values.take(block, |op| {
                    if let Some(open) = open.get_mut(&op) {
                        open.executed.get_or_insert(height);
                    }
                });
            }
            Probe::Asked { op, .. } => {
                let open = Open {
                    floor: self.told,
                    executed: None,
                };
                self.open.insert(*op, open);
            }
            Probe::Ended { op, end, .. } => {
                let open = self.open.remove(op);
                if let (OpEnd::Done, Some(height)) = (end, open.and_then(|open| open.executed)) {
                    self.told = self.told.max(height);
                }
            }
            Probe::Domain(domain) => match domain.as_any().downcast_ref() {
                Some(KeyValueProbe::Wrote { height, .. }) => self.told = self.told.max(*height),
                Some(KeyValueProbe::Read {
                    op,
                    key,
                    value,
                    height,
                }) => {
                    self.read(*op, *key, *value, *height);
                    self.told = self.told.max(*height);
                }
                None => {
                    if let Some(Believed { op, key, value }) = domain.as_any().downcast_ref()
                        && let Some(key) = key_of_state(key)
                    {
                        self.believed(*op, key, value.as_deref().map(Digest::of));
                    }
                }
            },
            _ => {}
        }
    }
}

impl Check for LinearizableReads {
    fn name(&self) -> &'static str {
        "linearizable-reads"
    }
    fn code(&self) -> &'static str {
        "Q1"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Every read is answered with the value that its key had, in commit order, at a height not below any that a client had been told of when it was asked."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
