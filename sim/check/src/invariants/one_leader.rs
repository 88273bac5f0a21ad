//! I8: at most one leader in a term, where leaders are elected (D. Ongaro and J. Ousterhout, "In Search of
//! an Understandable Consensus Algorithm", ATC 2014, figure 3: election safety).

use super::{CheckEntry, Subjects, check_from_entry};
use consim_core::{ChainId, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "one-leader",
    code: "I8b",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "All correct nodes that are in a term of an elected leader name the same one.",
    applies: |subjects| subjects.chains.iter().any(|chain| !chain.byzantine),
    build: |subjects| Box::new(OneLeader::new(subjects)),
};

/// Terms that are remembered (assumed): the earliest are forgotten first.
const MAX_KEPT: usize = 4_096;

/// Compares whom nodes name.
pub struct OneLeader {
    subjects: Arc<Subjects>,
    finding: Finding,
    leaders: BTreeMap<(u64, ChainId), (NodeId, NodeId)>,
}

impl OneLeader {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            leaders: BTreeMap::new(),
        }
    }
}

impl Observer for OneLeader {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let &Probe::View {
            chain,
            view,
            leader,
        } = probe
        else {
            return;
        };
        let subjects = &self.subjects;
        let elects = subjects.chain(chain).is_some_and(|c| !c.byzantine);
        if !elects || !subjects.correct(node) {
            return;
        }
        let named = self.leaders.entry((view, chain));
        let (first, by) = *named.or_insert((leader, node));
        if self.leaders.len() > MAX_KEPT {
            self.leaders.pop_first();
        }
        self.finding.judge(first == leader, || {
            format!(
                "{}, term {view}: {} follows {}, {} follows {}",
                subjects.chain_name(chain),
                subjects.name(by),
                subjects.name(first),
                subjects.name(node),
                subjects.name(leader)
            )
        });
    }
}

check_from_entry!(OneLeader);
