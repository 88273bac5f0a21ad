//! I7: certificate soundness.

use super::{CheckEntry, Subjects, check_from_entry, signed_chain};
use consim_core::{ChainId, Committed, Digest, Finding, NodeId, Observer, Probe, Severity, Time};
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
        let valid = certificate
            .signatures
            .valid(&self.subjects.keys, &statement)
            .filter(|key| chain.members.binary_search(&NodeId(key.0)).is_ok())
            .map(|key| key.0);
        self.signers.clear();
        self.signers.extend(valid);
        self.signers.sort_unstable();
        self.signers.dedup();
        let signers = self.signers.len();
        (signers < chain.quorum).then(|| {
            format!(
                "carries valid signatures of {signers} distinct validators (of {} signatures), {} are needed",
                certificate.signatures.len(),
                chain.quorum
            )
        })
    }
}

impl Observer for CertificateSoundness {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let Probe::Committed(committed) = probe else {
            return;
        };
        if !self.subjects.correct(node) {
            return;
        }
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
