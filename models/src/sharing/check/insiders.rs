//! What insiders did, and who noticed: facts of the whole run, which no node has together.

use super::reference::Reference;
use crate::sharing::command::Command;
use crate::sharing::ids::RecordId;
use crate::sharing::insiders::Deed;
use crate::sharing::probe::SharingProbe;
use consim_core::{Block, NodeId, Observer, OpId, Probe, Receipt, Time};
use std::collections::{BTreeMap, BTreeSet};

/// An insider attack of the run.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// Its number.
    pub attack: u16,
    /// What it does.
    pub deed: Deed,
    /// The servers of the institutions whose insiders do it.
    pub homes: Vec<NodeId>,
}

/// An original that was changed.
#[derive(Clone, Copy, Debug)]
struct Edit {
    attack: u16,
    at: Time,
    /// Did it reach an honest reader afterwards?
    read: bool,
    /// When an honest reader first refused it.
    noticed: Option<Time>,
}

/// A read that no care needs.
#[derive(Clone, Copy, Debug)]
struct Read {
    attack: u16,
    record: RecordId,
    copied: bool,
    /// Whom the entry of the audit trail names, if there is one.
    named: Option<NodeId>,
    /// Did the patient's word allow it?
    allowed: bool,
}

/// Counts what insiders did and what of it the others could tell.
#[derive(Debug)]
pub struct Insiders {
    suspects: Vec<Suspect>,
    /// Nodes under control: what they say of what they see is not believed.
    corrupt: BTreeSet<NodeId>,
    reference: Reference,
    edits: BTreeMap<RecordId, Edit>,
    /// Changed originals that honest readers took for true, by attack.
    believed: BTreeMap<u16, u64>,
    /// Providers whose records honest readers refused, since the chain says otherwise.
    refuted: BTreeSet<NodeId>,
    reads: BTreeMap<OpId, Read>,
    registered: u64,
}

impl Insiders {
    /// On the chain of `members`, of whom `corrupt` are under control.
    pub fn new(suspects: Vec<Suspect>, members: &[NodeId], corrupt: &[NodeId]) -> Self {
        Self {
            suspects,
            corrupt: corrupt.iter().copied().collect(),
            reference: Reference::new(members),
            edits: BTreeMap::new(),
            believed: BTreeMap::new(),
            refuted: BTreeSet::new(),
            reads: BTreeMap::new(),
            registered: 0,
        }
    }

    fn applied(&mut self, block: &Block) {
        if !self.reference.take(block) {
            return;
        }
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if *receipt != Receipt::Applied {
                continue;
            }
            match Command::decode(tx.body()) {
                Ok(Command::Register { .. }) => self.registered += 1,
                Ok(Command::Access(access)) => {
                    let reference = &self.reference;
                    if let Some(read) = self.reads.get_mut(&tx.op()) {
                        let (requester, height) = (access.requester, access.height);
                        read.named = Some(requester);
                        let entry = reference.record(access.record, height);
                        read.allowed = entry.is_some_and(|entry| {
                            entry.provider == requester
                                || reference.consented(
                                    entry.pseudonym,
                                    &access.by(Some(entry.kind)),
                                    height,
                                )
                        });
                    }
                }
                _ => {}
            }
        }
    }

    fn domain(&mut self, at: Time, node: NodeId, probe: SharingProbe) {
        match probe {
            SharingProbe::Edited { attack, record } => {
                let edit = Edit {
                    attack,
                    at,
                    read: false,
                    noticed: None,
                };
                self.edits.entry(record).or_insert(edit);
            }
            SharingProbe::Pried { attack, op, record } => {
                let read = Read {
                    attack,
                    record,
                    copied: false,
                    named: None,
                    allowed: false,
                };
                self.reads.insert(op, read);
            }
            SharingProbe::Copied { op, .. } => {
                if let Some(read) = self.reads.get_mut(&op) {
                    read.copied = true;
                }
            }
            SharingProbe::Received {
                record,
                digest,
                accepted,
                ..
            } if !self.corrupt.contains(&node) => {
                let entry = self.reference.record(record, u64::MAX);
                let true_one = entry.is_some_and(|entry| entry.digest == digest);
                if !accepted && let Some(entry) = entry {
                    self.refuted.insert(entry.provider);
                }
                if let Some(edit) = self.edits.get_mut(&record)
                    && !true_one
                {
                    edit.read = true;
                    if accepted {
                        *self.believed.entry(edit.attack).or_default() += 1;
                    } else {
                        edit.noticed.get_or_insert(at);
                    }
                }
            }
            _ => {}
        }
    }

    /// The figures of an attack, by word; none of what did not happen.
    pub fn figures(&self, attack: u16) -> BTreeMap<String, f64> {
        let Some(suspect) = self.suspects.iter().find(|s| s.attack == attack) else {
            return BTreeMap::new();
        };
        let figures = match suspect.deed {
            Deed::EditRecord => self.tampering(suspect),
            Deed::Exfiltrate | Deed::PurposeCreep | Deed::StaleConsent | Deed::RevokeRace => {
                self.prying(suspect)
            }
        };
        let named = figures.into_iter();
        named
            .map(|(word, value)| (word.to_owned(), value))
            .collect()
    }

    fn tampering(&self, suspect: &Suspect) -> Vec<(&'static str, f64)> {
        let edits = self.edits.values().filter(|e| e.attack == suspect.attack);
        let edits: Vec<&Edit> = edits.collect();
        let count = |that: &dyn Fn(&Edit) -> bool| edits.iter().filter(|e| that(e)).count() as f64;
        let tampered = edits.len() as f64;
        let (read, noticed) = (count(&|e| e.read), count(&|e| e.noticed.is_some()));
        let mut figures = vec![("tampered", tampered), ("tampered_read", read)];
        // Where nobody looked, nothing is known.
        if read > 0.0 {
            let believed = self.believed.get(&suspect.attack).copied().unwrap_or(0);
            figures.push(("tampered_detected", noticed / tampered));
            figures.push(("tampered_accepted", believed as f64));
            let own = |node: &&NodeId| suspect.homes.contains(node);
            let honest = |node: &&NodeId| !self.corrupt.contains(node) && !own(node);
            let refuted = || self.refuted.iter();
            figures.push(("attributed", refuted().filter(own).count() as f64));
            figures.push(("wrongly_accused", refuted().filter(honest).count() as f64));
        }
        let first = edits.iter().map(|e| e.at).min();
        let seen = edits.iter().filter_map(|e| e.noticed).min();
        if let (Some(first), Some(seen)) = (first, seen) {
            figures.push(("time_to_detect", seen.since(first).seconds() * 1e3));
        }
        figures
    }

    fn prying(&self, suspect: &Suspect) -> Vec<(&'static str, f64)> {
        let reads = self.reads.values().filter(|r| r.attack == suspect.attack);
        let reads: Vec<&Read> = reads.collect();
        if reads.is_empty() {
            return Vec::new();
        }
        let copied = || reads.iter().filter(|r| r.copied);
        let exposed: BTreeSet<RecordId> = copied().map(|r| r.record).collect();
        let missing = copied().filter(|r| r.named.is_none()).count();
        let against = copied().filter(|r| r.named.is_some() && !r.allowed).count();
        let named: BTreeSet<NodeId> = copied().filter_map(|r| r.named).collect();
        let own = named.iter().filter(|n| suspect.homes.contains(n)).count();
        let mut figures = vec![
            ("reads_asked", reads.len() as f64),
            ("records_exposed", exposed.len() as f64),
            ("records_registered", self.registered as f64),
            ("unauthorised_reads", against as f64),
            ("audit_missing", missing as f64),
        ];
        if !exposed.is_empty() {
            figures.push(("attributed", own as f64));
            figures.push(("wrongly_accused", (named.len() - own) as f64));
        }
        figures
    }
}

impl Observer for Insiders {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if self.suspects.is_empty() {
            return;
        }
        if let Probe::Applied(block) = probe {
            self.applied(block);
        }
        if let Some(domain) = SharingProbe::of(probe) {
            self.domain(at, node, *domain);
        }
    }
}
