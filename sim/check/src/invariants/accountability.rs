//! I11: accountability.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, signed_chain};
use crate::forensics::{Forensics, Proof, contradicts, reasons};
use consim_core::chain::vote_statement;
use consim_core::{
    ChainId, Check, Digest, Evidence, Finding, KeyId, Leaving, NodeId, Observer, Payload, Probe,
    Promise, Severity, SignedVote, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "accountability",
    code: "I11",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "If agreement breaks with more than f and at most 2f faulty members, what correct nodes heard proves at least f+1 of them guilty; no correct node is ever accused.",
    applies: |subjects| subjects.recorded && signed_chain(subjects),
    build: |subjects| Box::new(Accountability::new(subjects)),
};

/// Judges what forensics find by what the run alone knows: who is corrupt, and whether agreement
/// broke. It looks at each proof with eyes of its own.
pub struct Accountability {
    subjects: Arc<Subjects>,
    finding: Finding,
    forensics: Forensics,
    first: ByHeight<Digest>,
    broken: BTreeSet<ChainId>,
    /// The fewest votes of a certificate, where members change.
    least: BTreeMap<ChainId, usize>,
}

impl Accountability {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        let forensics = Forensics::new(subjects.keys.clone());
        Self {
            subjects,
            finding: Finding::new(),
            forensics,
            first: ByHeight::new(),
            broken: BTreeSet::new(),
            least: BTreeMap::new(),
        }
    }

    /// The nodes of a chain whose guilt is proven.
    fn accused(&self, chain: ChainId) -> impl Iterator<Item = (NodeId, KeyId, &Proof)> {
        let proofs = self.forensics.proofs().iter();
        proofs
            .filter(move |((of, _), _)| *of == chain)
            .map(|(&(_, key), proof)| (self.subjects.keys.owner(key), key, proof))
    }

    /// The fewest votes that a certificate of the chain ever needs.
    fn quorum(subjects: &Subjects, least: &BTreeMap<ChainId, usize>, chain: ChainId) -> usize {
        let quorum = subjects.chain(chain).map_or(usize::MAX, |c| c.quorum);
        least
            .get(&chain)
            .copied()
            .map_or(quorum, |least| least.min(quorum))
    }

    fn judge_chain(&mut self, chain: ChainId, members: &[NodeId]) {
        let subjects = Arc::clone(&self.subjects);
        let mut accused = Vec::new();
        let mut wrong = Vec::new();
        for (node, key, proof) in self.accused(chain) {
            accused.push(node);
            if subjects.correct(node) {
                wrong.push(format!("{} is accused and is correct", subjects.name(node)));
            } else if !self.stands(chain, key, proof) {
                let name = subjects.name(node);
                wrong.push(format!("what {name} is accused of proves nothing"));
            }
        }
        let name = subjects.chain_name(chain);
        for said in &wrong {
            self.finding.judge(false, || format!("{name}: {said}"));
        }
        for _ in wrong.len()..accused.len() {
            self.finding.judge(true, String::new);
        }
        if !self.broken.contains(&chain) {
            if accused.is_empty() && self.forensics.statements() > 0 {
                self.finding.judge(true, String::new);
            }
            return;
        }
        let bears = members.len().saturating_sub(1) / 3;
        let faulty = members.iter().filter(|&&n| !subjects.correct(n)).count();
        let found = accused.iter().filter(|&&n| !subjects.correct(n)).count();
        if accused.is_empty() || faulty <= bears {
            self.finding.judge(false, || {
                format!(
                    "{name}: agreement broke with {faulty} of {} members corrupt and {found} proven guilty: \
                     a fault of the implementation or of the configuration",
                    members.len()
                )
            });
        } else if faulty <= 2 * bears {
            self.finding.judge(found > bears, || {
                format!(
                    "{name}: agreement broke, {faulty} members are corrupt, and only {found} are proven \
                     guilty; there have to be {}",
                    bears + 1
                )
            });
        }
    }

    /// Did this key sign both, and can no correct owner have signed both?
    fn stands(&self, chain: ChainId, key: KeyId, proof: &Proof) -> bool {
        let signed = |vote: &SignedVote| {
            let v = &vote.vote;
            let statement = vote_statement(chain, v.kind, v.view, v.sequence, &v.digest);
            vote.chain == chain
                && v.key == key
                && vote.signature.key == key
                && self
                    .subjects
                    .keys
                    .of(chain)
                    .verify(&statement, &vote.signature)
        };
        let vote_of = |evidence: &Evidence| match evidence {
            Evidence::Vote(vote) => *vote,
            Evidence::Leaving(leaving) => leaving.signed,
        };
        let (a, b) = (vote_of(&proof.first), vote_of(&proof.second));
        if !signed(&a) || !signed(&b) {
            return false;
        }
        match (&proof.first, &proof.second) {
            (Evidence::Vote(lock), Evidence::Leaving(leaving))
            | (Evidence::Leaving(leaving), Evidence::Vote(lock)) => dropped(lock, leaving),
            (Evidence::Vote(lock), Evidence::Vote(vote)) if contradicts(lock, vote) => {
                !self.is_let_go(chain, lock, vote)
            }
            _ => {
                // One place, two values. Votes of two kinds speak of one value if both bind.
                let place = |v: &SignedVote| (v.vote.view, v.vote.sequence);
                let comparable = a.vote.kind == b.vote.kind
                    || matches!(
                        (a.promise, b.promise),
                        (Promise::Accepts, Promise::Locks | Promise::Holds)
                            | (Promise::Locks | Promise::Holds, Promise::Accepts)
                    );
                place(&a) == place(&b) && comparable && a.vote.digest != b.vote.digest
            }
        }
    }
}

impl Accountability {
    /// Did a quorum accept the value of the vote in a view that lets go of the lock, as far as is known?
    fn is_let_go(&self, chain: ChainId, lock: &SignedVote, vote: &SignedVote) -> bool {
        let quorum = Self::quorum(&self.subjects, &self.least, chain);
        reasons(lock, vote).any(|view| {
            let kept = self.forensics.votes_at(chain, vote.vote.sequence);
            let here = kept.filter(|v| {
                let of = &v.vote;
                let statement = vote_statement(chain, of.kind, of.view, of.sequence, &of.digest);
                v.promise == Promise::Accepts
                    && (of.view, of.digest) == (view, vote.vote.digest)
                    && self
                        .subjects
                        .keys
                        .of(chain)
                        .verify(&statement, &v.signature)
            });
            let signers: BTreeSet<KeyId> = here.map(SignedVote::key).collect();
            signers.len() >= quorum
        })
    }
}

/// A correct member that locked a value in a view names it, or what a later view put in its place,
/// whenever it leaves for a view after that, until the place is settled.
fn dropped(lock: &SignedVote, leaving: &Leaving) -> bool {
    if lock.promise != Promise::Locks
        || lock.vote.view >= leaving.signed.vote.view
        || lock.vote.sequence <= leaving.low
        || leaving.alone.is_some_and(|of| of != lock.vote.sequence)
    {
        return false;
    }
    for &(sequence, view, digest) in leaving.bound.iter() {
        if sequence != lock.vote.sequence {
            continue;
        }
        if view > lock.vote.view || (view == lock.vote.view && digest == lock.vote.digest) {
            return false;
        }
    }
    true
}

impl Observer for Accountability {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        match probe {
            Probe::Configured(now) => {
                let fewest = now.groups.iter().map(|(_, quorum)| *quorum).min();
                let least = self.least.entry(now.chain).or_insert(usize::MAX);
                *least = fewest.map_or(*least, |fewest| fewest.min(*least));
            }
            Probe::Heard { payload, .. } => {
                let forensics = &mut self.forensics;
                payload.evidence(&mut |evidence| forensics.hear(evidence));
            }
            Probe::Committed(committed) => {
                let (chain, sequence) = (committed.chain, committed.sequence);
                let digest = committed.batch.digest();
                match self.first.get(chain, sequence) {
                    None => self.first.insert(chain, sequence, digest),
                    Some(first) if *first != digest => {
                        self.broken.insert(chain);
                    }
                    Some(_) => {}
                }
            }
            _ => {}
        }
    }

    /// A correct node keeps what it says, too.
    fn sent(&mut self, _at: Time, from: NodeId, payload: &dyn Payload, _receivers: usize) {
        if self.subjects.correct(from) {
            let forensics = &mut self.forensics;
            payload.evidence(&mut |evidence| forensics.hear(evidence));
        }
    }

    fn end(&mut self, _at: Time) {
        let subjects = Arc::clone(&self.subjects);
        let quorum = |chain| Self::quorum(&subjects, &self.least, chain);
        self.forensics.conclude(quorum);
        for chain in subjects.chains.iter().filter(|chain| chain.byzantine) {
            self.judge_chain(chain.id, &chain.members);
        }
    }
}

impl Check for Accountability {
    fn name(&self) -> &'static str {
        ENTRY.name
    }
    fn code(&self) -> &'static str {
        ENTRY.code
    }
    fn severity(&self) -> Severity {
        ENTRY.severity
    }
    fn says(&self) -> &'static str {
        ENTRY.says
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        true
    }
    fn traces(&self) -> bool {
        true
    }
    fn guilty(&self) -> Vec<NodeId> {
        let proofs = self.forensics.proofs().keys();
        proofs
            .map(|&(_, key)| self.subjects.keys.owner(key))
            .collect()
    }
}
