//! I6: no double signing.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{Digest, Finding, KeyId, NodeId, Observer, Payload, Probe, Severity, Time, Vote};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "no-double-signing",
    code: "I6",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "A correct node's key signs at most one value per kind of vote, view and sequence number, across restarts too.",
    applies: any_chain,
    build: |subjects| Box::new(NoDoubleSigning::new(subjects)),
};

/// Votes that are remembered per key and kind of vote; older ones are forgotten. Far more than
/// any protocol has in flight.
const WINDOW: usize = 1024;

/// A wiretap on what correct nodes send. A vote says whose key signed it; a correct node passes on
/// only votes that it has verified, so no corrupt node can accuse another.
pub struct NoDoubleSigning {
    subjects: Arc<Subjects>,
    finding: Finding,
    /// By key and kind: (sequence, view) and what was signed.
    signed: BTreeMap<(KeyId, u8), BTreeMap<(u64, u64), Digest>>,
}

impl NoDoubleSigning {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            signed: BTreeMap::new(),
        }
    }

    fn vote(&mut self, vote: Vote) {
        let signer = NodeId(vote.key.0);
        if !self.subjects.correct(signer) {
            return;
        }
        let slots = self.signed.entry((vote.key, vote.kind)).or_default();
        let slot = (vote.sequence, vote.view);
        let before = slots.get(&slot).copied();
        if before.is_none() {
            let full = slots.len() >= WINDOW;
            if full
                && slots
                    .first_key_value()
                    .is_some_and(|(&oldest, _)| slot < oldest)
            {
                return;
            }
            slots.insert(slot, vote.digest);
            if full {
                slots.pop_first();
            }
        }
        let subjects = &self.subjects;
        self.finding
            .judge(before.is_none_or(|b| b == vote.digest), || {
                format!(
                    "{} signed {} and {} (kind {}, view {}, sequence {})",
                    subjects.name(signer),
                    before.unwrap_or_default(),
                    vote.digest,
                    vote.kind,
                    vote.view,
                    vote.sequence
                )
            });
    }
}

impl Observer for NoDoubleSigning {
    fn probe(&mut self, _at: Time, _node: NodeId, _probe: &Probe) {}

    fn sent(&mut self, _at: Time, from: NodeId, payload: &dyn Payload, _receivers: usize) {
        if self.subjects.correct(from) {
            payload.votes(&mut |vote| self.vote(vote));
        }
    }
}

check_from_entry!(NoDoubleSigning, sends);
