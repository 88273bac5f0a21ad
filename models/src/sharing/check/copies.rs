//! `copies-gone` (H12): who can still read what was read before a consent was taken back.

use super::reference::Reference;
use crate::sharing::command::Command;
use crate::sharing::config::Revocation;
use crate::sharing::ids::Purpose;
use crate::sharing::ids::{Grantee, Pseudonym, RecordId};
use crate::sharing::probe::SharingProbe;
use crate::sharing::scope::{Reader, Use};
use consim_core::{
    Block, Calm, Check, Finding, Heal, NodeId, Observer, Probe, Receipt, Severity, Span, Time,
};
use std::collections::{BTreeMap, BTreeSet};

/// The most copies that are counted; of more, the latest are left out.
const MAX_COPIES: usize = 1 << 18;

/// Copies of records at institutions other than their provider's, as the simulator alone knows them. Where
/// revocations are to end them, none is readable any more the bound after the consent was taken back.
#[derive(Debug)]
pub struct Copies {
    revocation: Revocation,
    bound: Span,
    calm: Calm,
    reference: Reference,
    /// Institution, record, and whose it is.
    kept: BTreeMap<NodeId, BTreeMap<RecordId, Pseudonym>>,
    /// Consents that were taken back, by when.
    back: BTreeMap<(Pseudonym, Grantee), Time>,
    finding: Finding,
}

impl Copies {
    /// On the chain of `members`, where revocations do this.
    pub fn new(members: &[NodeId], revocation: Revocation, bound: Span) -> Self {
        Self {
            revocation,
            bound,
            calm: Calm::default(),
            reference: Reference::new(members),
            kept: BTreeMap::new(),
            back: BTreeMap::new(),
            finding: Finding::new(),
        }
    }

    fn applied(&mut self, at: Time, block: &Block) {
        let back = &mut self.back;
        self.reference.take_with(block, |_, _, receipt, command| {
            let word = match command {
                Command::Spoken { word, .. } => &**word,
                command => command,
            };
            if *receipt == Receipt::Applied
                && let Command::Revoke { pseudonym, grantee } = word
            {
                back.insert((*pseudonym, *grantee), at);
            }
        });
    }

    fn received(&mut self, node: NodeId, record: RecordId) {
        let Some(entry) = self.reference.record(record, u64::MAX) else {
            return;
        };
        let (provider, pseudonym) = (entry.provider, entry.pseudonym);
        let many = self.kept.values().map(BTreeMap::len).sum::<usize>() >= MAX_COPIES;
        let wanted = any_use(node);
        let top = self.reference.height();
        // What comes under a key that is destroyed already cannot be read.
        let shredded = self.revocation == Revocation::CryptoShred
            && self.reference.taken_back(pseudonym, &wanted, top).is_some();
        if provider != node && !many && !shredded {
            self.kept.entry(node).or_default().insert(record, pseudonym);
        }
    }

    /// Copies whose institution may not read them any more, since the consent was taken back, and since
    /// when.
    fn beyond(&self) -> Vec<(NodeId, RecordId, Time)> {
        let top = self.reference.height();
        let mut out = Vec::new();
        for (&node, copies) in &self.kept {
            for (&record, pseudonym) in copies {
                let wanted = any_use(node);
                if self
                    .reference
                    .taken_back(*pseudonym, &wanted, top)
                    .is_none()
                {
                    continue;
                }
                let to = [Grantee::Institution(node), Grantee::Everyone];
                let since = to.iter().filter_map(|&to| self.back.get(&(*pseudonym, to)));
                if let Some(since) = since.max() {
                    out.push((node, record, *since));
                }
            }
        }
        out
    }

    /// Figures of the service, by word; none where nothing was taken back.
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        if self.back.is_empty() {
            return Vec::new();
        }
        let beyond = self.beyond();
        let nodes: BTreeSet<NodeId> = beyond.iter().map(|(node, ..)| *node).collect();
        vec![
            ("copies_readable", beyond.len() as f64),
            ("copies_at", nodes.len() as f64),
        ]
    }
}

/// A doctor of the institution treats the patient.
fn any_use(requester: NodeId) -> Use {
    Use {
        requester,
        reader: Reader::default(),
        purpose: Purpose::Treatment,
        of: None,
    }
}

impl Observer for Copies {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.applied(at, block);
        }
        match SharingProbe::of(probe) {
            Some(&SharingProbe::Received {
                record,
                accepted: true,
                ..
            }) => self.received(node, record),
            Some(SharingProbe::Deleted { pseudonym }) => {
                if let Some(copies) = self.kept.get_mut(&node) {
                    copies.retain(|_, of| of != pseudonym);
                }
            }
            Some(SharingProbe::Shredded { pseudonym, grantee }) => {
                let reference = &self.reference;
                for (holder, copies) in &mut self.kept {
                    if *grantee != Grantee::Everyone && *grantee != Grantee::Institution(*holder) {
                        continue;
                    }
                    copies.retain(|&record, of| {
                        let entry = reference.record(record, u64::MAX);
                        of != pseudonym || entry.is_none_or(|entry| entry.provider != node)
                    });
                }
            }
            _ => {}
        }
    }
    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.calm.fault(at, open);
    }
    fn healed(&mut self, at: Time, heal: &Heal) {
        self.calm.healed(at, heal);
        self.bound = heal.bound;
    }
    fn end(&mut self, at: Time) {
        let ends = matches!(
            self.revocation,
            Revocation::CryptoShred | Revocation::OffChainDelete
        );
        if !ends || self.back.is_empty() {
            return;
        }
        let beyond = self.beyond();
        let late = |since: Time| {
            let due = self.calm.due(since, self.bound);
            due.is_some_and(|due| due < at)
        };
        let found = beyond.iter().find(|(_, _, since)| late(*since));
        let bound = self.bound;
        self.finding.judge(found.is_none(), || {
            let Some((node, record, since)) = found else {
                return String::new();
            };
            format!("{node} can still read its copy of {record}, of which the consent was taken back at {since}, {bound} and more before the end")
        });
    }
}

impl Check for Copies {
    fn name(&self) -> &'static str {
        "copies-gone"
    }
    fn code(&self) -> &'static str {
        "H12"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Where revocations end copies, nobody from whom a consent was taken back can read what was read before, the bound after it."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
    fn hears_sends(&self) -> bool {
        false
    }
}
