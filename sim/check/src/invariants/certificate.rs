//! I7: certificate soundness.

use super::{CheckEntry, Subjects, check_from_entry, signed_chain};
use consim_core::{
    ChainId, Committed, Configured, Digest, Finding, KeyId, NodeId, Observer, Probe, Severity, Time,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "certificate",
    code: "I7",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Every commit carries valid signatures of a quorum of distinct validators over its own batch and sequence number.",
    applies: signed_chain,
    build: |subjects| Box::new(CertificateSoundness::new(subjects)),
};

/// Verifies every certificate that a correct node commits on: nodes may hold different ones.
pub struct CertificateSoundness {
    subjects: Arc<Subjects>,
    finding: Finding,
    /// The statement hashed last; nodes mostly commit the same one after another.
    last: Option<(Statement, Digest)>,
    /// The signers of the certificate at hand; kept for its memory.
    signers: Vec<u32>,
    /// Who decides from which number of a chain's log on, where its members changed; ascending.
    handed_over: BTreeMap<ChainId, Vec<(u64, Arc<Configured>)>>,
}

/// What a vote's signature covers: chain, kind, view, sequence, batch digest.
type Statement = (ChainId, u8, u64, u64, Digest);

impl CertificateSoundness {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            last: None,
            signers: Vec::new(),
            handed_over: BTreeMap::new(),
        }
    }

    /// Other members decide from a number of the log on, as the first correct node says that comes there.
    fn configured(&mut self, configured: &Arc<Configured>) {
        let Some(from) = configured.handed_over_at else {
            return;
        };
        let eras = self.handed_over.entry(configured.chain).or_default();
        if eras.last().is_none_or(|(last, _)| *last < from) {
            eras.push((from, Arc::clone(configured)));
        }
    }

    /// What is wrong with a commit, in words.
    fn defect(&mut self, committed: &Committed) -> Option<String> {
        let certificate = &committed.certificate;
        let Some(chain) = self.subjects.chain(committed.chain) else {
            return Some("is of an unknown chain".into());
        };
        if !chain.byzantine {
            return None;
        }
        if certificate.sequence != committed.sequence {
            return Some(format!(
                "carries a certificate for sequence {}",
                certificate.sequence
            ));
        }
        if certificate.digest != committed.batch.digest() {
            return Some(format!(
                "carries a certificate for batch {}, not {}",
                certificate.digest,
                committed.batch.digest()
            ));
        }
        let subject = (
            committed.chain,
            certificate.kind,
            certificate.view,
            certificate.sequence,
            certificate.digest,
        );
        let statement = match self.last {
            // Of links there may be several ways from one batch upwards.
            Some((known, statement)) if known == subject && certificate.links.is_empty() => {
                statement
            }
            _ => {
                let Some(statement) = certificate.statement(committed.chain) else {
                    return Some("carries links that do not commit it".into());
                };
                self.last = Some((subject, statement));
                statement
            }
        };
        let eras = self.handed_over.get(&committed.chain);
        let eras = eras.into_iter().flatten().rev();
        let era = eras.map(|(from, era)| (*from, era));
        let era = era
            .into_iter()
            .find(|(from, _)| *from <= committed.sequence);
        let first = chain.first.as_ref().unwrap_or(&chain.members);
        // How many it takes is the protocol's word, not that of a node.
        let era = era.map(|(_, era)| era);
        let now = era.and_then(|era| era.groups.first());
        let (members, quorum) = now.map_or((first.as_slice(), chain.quorum), |(list, _)| {
            (&**list, (chain.quorum_of)(list.len()))
        });
        let keys = self.subjects.keys.of(committed.chain);
        let votes = |key: &KeyId| {
            let node = keys.owner(*key);
            let current = era.map_or(node.into(), |era| era.key_of(node));
            current == *key && members.binary_search(&node).is_ok()
        };
        let valid = certificate
            .signatures
            .valid(keys, &statement)
            .filter(votes)
            .map(|key| key.0);
        self.signers.clear();
        self.signers.extend(valid);
        self.signers.sort_unstable();
        self.signers.dedup();
        let signers = self.signers.len();
        (signers < quorum).then(|| {
            format!(
                "carries valid signatures of {signers} distinct validators (of {} signatures), {} are needed",
                certificate.signatures.len(),
                quorum
            )
        })
    }
}

impl Observer for CertificateSoundness {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        if !self.subjects.correct(node) {
            return;
        }
        let committed = match probe {
            Probe::Committed(committed) => committed,
            Probe::Configured(configured) => return self.configured(configured),
            _ => return,
        };
        let defect = self.defect(committed);
        let subjects = &self.subjects;
        self.finding.judge(defect.is_none(), || {
            format!(
                "{}, sequence {}: the commit of {} {}",
                subjects.chain_name(committed.chain),
                committed.sequence,
                subjects.name(node),
                defect.unwrap_or_default()
            )
        });
    }
}

check_from_entry!(CertificateSoundness);
