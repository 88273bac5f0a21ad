//! I8: what is prepared in one view is carried over into the next.
//!
//! The rule is that of M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999),
//! section 4.4: a new view begins above the latest stable checkpoint that its view changes prove, and
//! puts forward, at each sequence number for which one of them has a prepared certificate, what was
//! prepared there in the highest view.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{
    ChainId, Digest, Finding, Handover, KeyId, Leaving, NodeId, Observer, Opening, Payload, Probe,
    Severity, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "carry-over",
    code: "I8",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "A view that a correct node opens, or passes on, puts forward again what the view changes that it names prove to be prepared; and nobody goes back to an earlier view.",
    applies: any_chain,
    build: |subjects| Box::new(CarryOver::new(subjects)),
};

/// View changes that are remembered (assumed): those of some views of a large group. The ones to the
/// lowest views are forgotten first.
const MAX_KEPT: usize = 4_096;

/// A wiretap on view changes and new views. Besides, who is in a view does not go back to an earlier
/// one before it is started anew: what it carried over would be lost. Of a run without a view change
/// that is all there is to judge.
pub struct CarryOver {
    subjects: Arc<Subjects>,
    finding: Finding,
    /// By view, chain, and as new views name them.
    leavings: BTreeMap<(u64, ChainId, KeyId, Digest), Bound>,
    /// Those that were judged.
    judged: BTreeSet<(u64, ChainId, Digest)>,
    /// Votes that it takes after each change of the members.
    quorums: BTreeMap<(ChainId, u64), usize>,
    /// The latest view of each node since it was started.
    views: BTreeMap<(NodeId, ChainId), u64>,
}

/// What a view change proves.
struct Bound {
    low: u64,
    /// Sequence number, view and value of what was prepared.
    prepared: Arc<[(u64, u64, Digest)]>,
}

impl CarryOver {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            leavings: BTreeMap::new(),
            judged: BTreeSet::new(),
            quorums: BTreeMap::new(),
            views: BTreeMap::new(),
        }
    }

    fn leaves(&mut self, leaving: Leaving) {
        let vote = leaving.signed.vote;
        let bound = Bound {
            low: leaving.low,
            prepared: leaving.bound,
        };
        let named = (vote.view, leaving.signed.chain, vote.key, vote.digest);
        self.leavings.insert(named, bound);
        if self.leavings.len() > MAX_KEPT {
            self.leavings.pop_first();
        }
    }

    fn opens(&mut self, from: NodeId, opening: &Opening) {
        let mut text = Vec::new();
        text.extend_from_slice(&opening.low.to_be_bytes());
        for (key, digest) in opening.changes.iter() {
            text.extend_from_slice(&key.0.to_be_bytes());
            text.extend_from_slice(&digest.0);
        }
        for digest in opening.proposals.iter() {
            text.extend_from_slice(&digest.0);
        }
        let same = (opening.view, opening.chain, Digest::of(&text));
        if !self.judged.insert(same) {
            return;
        }
        if self.judged.len() > MAX_KEPT {
            self.judged.pop_first();
        }
        // A view change that nobody was heard to say says nothing that could be judged by.
        let Some(defect) = self.defect(opening) else {
            return;
        };
        let subjects = &self.subjects;
        self.finding.judge(defect.is_ok(), || {
            format!(
                "{}: view {} of {} {}",
                subjects.chain_name(opening.chain),
                opening.view,
                subjects.name(from),
                defect.err().unwrap_or_default()
            )
        });
    }

    /// What is wrong with a new view, in words; `None` if there is no telling.
    fn defect(&self, opening: &Opening) -> Option<Result<(), String>> {
        let changes: Vec<&Bound> = opening
            .changes
            .iter()
            .map(|&(key, digest)| {
                let named = (opening.view, opening.chain, key, digest);
                self.leavings.get(&named)
            })
            .collect::<Option<_>>()?;
        let signers: BTreeSet<u32> = opening.changes.iter().map(|(key, _)| key.0).collect();
        let chain = self.subjects.chain(opening.chain)?;
        let quorum = match opening.change {
            0 => chain.quorum,
            change => *self.quorums.get(&(opening.chain, change))?,
        };
        if signers.len() < quorum {
            let count = signers.len();
            return Some(Err(format!(
                "names view changes of {count} members, {quorum} are needed"
            )));
        }
        let low = changes.iter().map(|change| change.low).max().unwrap_or(0);
        if opening.low != low {
            let found = opening.low;
            return Some(Err(format!(
                "begins above {found}, the latest stable checkpoint is {low}"
            )));
        }
        // What may stand at each sequence number: more than one value only if more members are
        // faulty than the group bears.
        let mut called: BTreeMap<u64, (u64, Vec<Digest>)> = BTreeMap::new();
        for &(sequence, view, digest) in changes.iter().flat_map(|change| change.prepared.iter()) {
            if sequence <= low {
                continue;
            }
            let (highest, values) = called.entry(sequence).or_default();
            if view > *highest {
                (*highest, *values) = (view, Vec::new());
            }
            if view == *highest {
                values.push(digest);
            }
        }
        for (sequence, (view, values)) in &called {
            let above = usize::try_from(sequence - low - 1).unwrap_or(usize::MAX);
            let found = opening.proposals.get(above);
            if !found.is_some_and(|found| values.contains(found)) {
                return Some(Err(format!(
                    "puts {} forward at {sequence}, where {} was prepared in view {view}",
                    found.map_or_else(|| "nothing".to_owned(), Digest::to_string),
                    values.first().map_or_else(String::new, Digest::to_string),
                )));
            }
        }
        Some(Ok(()))
    }
}

impl Observer for CarryOver {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        if let Probe::Configured(configured) = probe
            && let Some(subject) = self.subjects.chain(configured.chain)
            && let Some((members, _)) = configured.groups.first()
        {
            let named = (configured.chain, configured.change);
            let quorum = (subject.quorum_of)(members.len());
            self.quorums.entry(named).or_insert(quorum);
        }
        let &Probe::View { chain, view, .. } = probe else {
            return;
        };
        let before = self.views.insert((node, chain), view).unwrap_or(view);
        let subjects = &self.subjects;
        self.finding.judge(view >= before, || {
            let (chain, name) = (subjects.chain_name(chain), subjects.name(node));
            format!("{chain}: {name} went back from view {before} to {view}")
        });
    }

    fn node_up(&mut self, _at: Time, node: NodeId, _up: bool) {
        self.views.retain(|(of, _), _| *of != node);
    }

    fn sent(&mut self, _at: Time, from: NodeId, payload: &dyn Payload, _receivers: usize) {
        match payload.handover() {
            Some(Handover::Leaves(leaving)) => self.leaves(leaving),
            Some(Handover::Opens(opening)) if self.subjects.correct(from) => {
                self.opens(from, &opening);
            }
            Some(Handover::Opens(_)) | None => {}
        }
    }
}

check_from_entry!(CarryOver, sends);
