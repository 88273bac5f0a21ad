//! I18: safety of light clients.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, check_from_entry};
use consim_core::{ChainId, Digest, Finding, NodeId, Observer, Probe, Severity, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "light-client-safety",
    code: "I18",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "No light client accepts a decision that the correct members of the chain did not take.",
    applies: |subjects| !subjects.light.is_empty() && !subjects.chains.is_empty(),
    build: |subjects| Box::new(LightClientSafety::new(subjects)),
};

/// The most decisions of one chain that wait for correct members to take them (assumed): what is shown to clients is
/// seldom ahead of all of them.
const MAX_AHEAD: usize = 65_536;

/// Compares what light clients accept with what correct members committed.
pub struct LightClientSafety {
    subjects: Arc<Subjects>,
    finding: Finding,
    decided: ByHeight<Digest>,
    /// The highest number that a correct member committed.
    last: BTreeMap<ChainId, u64>,
    /// What light clients accepted before any correct member was heard to commit it.
    ahead: BTreeMap<(ChainId, u64), Vec<(NodeId, Digest)>>,
}

impl LightClientSafety {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            decided: ByHeight::new(),
            last: BTreeMap::new(),
            ahead: BTreeMap::new(),
        }
    }

    fn judge(&mut self, node: NodeId, (chain, sequence): (ChainId, u64), batch: Digest) {
        let decided = self.decided.get(chain, sequence).copied();
        let subjects = &self.subjects;
        self.finding.judge(decided == Some(batch), || {
            let decided = match decided {
                Some(decided) => format!("correct members decided {decided}"),
                None => "no correct member decided anything there".to_owned(),
            };
            format!(
                "{}, sequence {sequence}: the light client {} accepted {batch}, {decided}",
                subjects.chain_name(chain),
                subjects.name(node)
            )
        });
    }
}

impl Observer for LightClientSafety {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        match probe {
            Probe::Committed(committed) => {
                let place = (committed.chain, committed.sequence);
                let last = self.last.entry(place.0).or_default();
                *last = place.1.max(*last);
                if self.decided.get(place.0, place.1).is_some() {
                    return;
                }
                let digest = committed.batch.digest();
                self.decided.insert(place.0, place.1, digest);
                for (client, batch) in self.ahead.remove(&place).into_iter().flatten() {
                    self.judge(client, place, batch);
                }
            }
            Probe::LightAccepted {
                chain,
                sequence,
                batch,
                ..
            } => {
                let place = (*chain, *sequence);
                if self.decided.get(place.0, place.1).is_some() {
                    self.judge(node, place, *batch);
                } else if self.ahead.len() < MAX_AHEAD {
                    self.ahead.entry(place).or_default().push((node, *batch));
                }
            }
            _ => {}
        }
    }

    /// Members commit without a gap: what is below the last of them, and none of them said, was never decided. What is
    /// above may still be.
    fn end(&mut self, _at: Time) {
        for ((chain, sequence), accepted) in std::mem::take(&mut self.ahead) {
            if self.last.get(&chain).is_some_and(|last| sequence < *last) {
                for (client, batch) in accepted {
                    self.judge(client, (chain, sequence), batch);
                }
            }
        }
    }
}

check_from_entry!(LightClientSafety);
