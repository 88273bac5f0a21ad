//! What was read on consents that had been taken back: facts of the whole run, which no node has
//! together. The truth is the latest block that any node has applied.

use super::reference::Reference;
use crate::sharing::command::{Access, Command};
use crate::sharing::ids::{Pseudonym, Reason};
use crate::sharing::insiders::Deed;
use crate::sharing::probe::SharingProbe;
use consim_core::{Block, NodeId, Observer, OpEnd, OpId, Probe, Receipt, Span, Time};
use std::collections::BTreeMap;

/// The most permits that are remembered until their record leaves (assumed, as in
/// `revocation-bound`); older ones are not counted.
const MAX_OPEN: usize = 1 << 16;

/// Uses of consents.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    /// Records that left although the consent had been taken back by then.
    stale: u64,
    /// Records that left although the consent had been taken back before the block that holds the
    /// audit entry or the read.
    raced: u64,
    /// From the block that took a consent back until the last record left on it; the longest.
    longest: Span,
}

/// Counts uses of consents that had been taken back, of everybody and of each insider's attack.
#[derive(Debug)]
pub struct Uses {
    reference: Reference,
    /// When each block was first applied, from height 1.
    effective: Vec<Time>,
    /// Permits whose record has not left.
    open: BTreeMap<(OpId, NodeId), (Pseudonym, Access)>,
    /// Permits that stand in the chain: in which block, and whether the consent had been taken back by
    /// their place there.
    placed: BTreeMap<(OpId, NodeId), (u64, bool)>,
    revocations: u64,
    /// Reads by users that ended, and those of them that were decided on.
    asked: u64,
    answered: u64,
    all: Counted,
    /// The attack that a read belongs to.
    attack_of: BTreeMap<OpId, u16>,
    attacks: BTreeMap<u16, (Deed, Counted)>,
}

impl Uses {
    /// On the chain of `members`; `attacks` are the insiders' by their numbers.
    pub fn new(members: &[NodeId], attacks: impl IntoIterator<Item = (u16, Deed)>) -> Self {
        let none = |(attack, deed)| (attack, (deed, Counted::default()));
        Self {
            reference: Reference::new(members),
            effective: Vec::new(),
            open: BTreeMap::new(),
            placed: BTreeMap::new(),
            revocations: 0,
            asked: 0,
            answered: 0,
            all: Counted::default(),
            attack_of: BTreeMap::new(),
            attacks: attacks.into_iter().map(none).collect(),
        }
    }

    fn applied(&mut self, at: Time, block: &Block) {
        let Self {
            reference,
            placed,
            revocations,
            ..
        } = self;
        let height = block.header.height;
        let new = reference.take_with(block, |reference, tx, receipt, command| {
            if *receipt != Receipt::Applied {
                return;
            }
            let provider = tx.id().origin;
            let access = match command {
                Command::Revoke { .. } => {
                    *revocations += 1;
                    return;
                }
                Command::Spoken { word, .. } if matches!(**word, Command::Revoke { .. }) => {
                    *revocations += 1;
                    return;
                }
                Command::Access(access) => Some(*access),
                command => command.decided(provider, *receipt, height),
            };
            let Some(access) = access.filter(|a| a.permit && a.reason == Reason::Granted) else {
                return;
            };
            let record = reference.record(access.record, height);
            let wanted = access.by(record.map(|r| r.kind));
            let back = record.and_then(|r| reference.taken_back(r.pseudonym, &wanted, height));
            if placed.len() >= MAX_OPEN {
                placed.pop_first();
            }
            placed.insert((tx.op(), provider), (height, back.is_some()));
        });
        if new {
            self.effective.push(at);
        }
    }

    fn released(&mut self, at: Time, node: NodeId, op: OpId) {
        let placed = self.placed.remove(&(op, node));
        let raced = placed.is_some_and(|(_, raced)| raced);
        let Some((pseudonym, access)) = self.open.remove(&(op, node)) else {
            return;
        };
        let record = self.reference.record(access.record, u64::MAX);
        let wanted = access.by(record.map(|r| r.kind));
        let top = self.reference.height();
        let back = self.reference.taken_back(pseudonym, &wanted, top);
        // What was taken back in the same block, at a later place, was not by the time of the use.
        let after = |height: &u64| raced || placed.is_none_or(|(placed, _)| placed != *height);
        let back = back.filter(after);
        let since = back.and_then(|height| self.effective.get((height as usize).checked_sub(1)?));
        let late = since.map(|since| at.since(*since));
        let attack = self.attack_of.get(&op);
        let attack = attack.and_then(|attack| self.attacks.get_mut(attack));
        let of_attack = attack.map(|(_, counted)| counted);
        for counted in [Some(&mut self.all), of_attack].into_iter().flatten() {
            counted.raced += u64::from(raced);
            if let Some(late) = late {
                counted.stale += 1;
                counted.longest = counted.longest.max(late);
            }
        }
    }

    /// Figures of the service, by word; none where nothing was taken back.
    pub fn metrics(&self) -> Vec<(&'static str, f64)> {
        if self.revocations == 0 {
            return Vec::new();
        }
        let mut out = vec![
            ("stale_uses", self.all.stale as f64),
            ("raced_uses", self.all.raced as f64),
            ("time_to_refuse", self.all.longest.seconds() * 1e3),
        ];
        if self.asked > 0 {
            out.push(("reads_answered", self.answered as f64 / self.asked as f64));
        }
        out
    }

    /// Figures of an attack, by word.
    pub fn figures(&self, attack: u16) -> BTreeMap<String, f64> {
        let mut out = BTreeMap::new();
        if let Some((deed, counted)) = self.attacks.get(&attack) {
            let used = match deed {
                Deed::StaleConsent => counted.stale,
                Deed::RevokeRace => counted.raced,
                Deed::EditRecord | Deed::Exfiltrate | Deed::PurposeCreep => return out,
            };
            out.insert("stale_consent_uses".to_owned(), used as f64);
            let longest = counted.longest.seconds() * 1e3;
            out.insert("time_to_refuse".to_owned(), longest);
        }
        out
    }
}

/// Was a read that ended so decided on?
fn decided(end: OpEnd) -> bool {
    match end {
        OpEnd::Done => true,
        OpEnd::Refused(word) => Reason::of_word(word).is_some_and(Reason::of_consent),
        OpEnd::GaveUp => false,
    }
}

impl Observer for Uses {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Applied(block) => self.applied(at, block),
            &Probe::Ended {
                name: "read",
                end,
                asked,
                deadline,
                count,
                ..
            } => {
                self.asked += u64::from(count);
                if decided(end) && at.since(asked) <= deadline {
                    self.answered += u64::from(count);
                }
            }
            _ => {}
        }
        match SharingProbe::of(probe) {
            Some(&SharingProbe::Pried { attack, op, .. })
                if self.attacks.contains_key(&attack) && self.attack_of.len() < MAX_OPEN =>
            {
                self.attack_of.insert(op, attack);
            }
            Some(&SharingProbe::Decided {
                op,
                pseudonym,
                access,
                ..
            }) if access.permit && access.reason == Reason::Granted => {
                if self.open.len() >= MAX_OPEN {
                    self.open.pop_first();
                }
                self.open.insert((op, node), (pseudonym, access));
            }
            Some(&SharingProbe::Released { op, permit, .. }) if permit => {
                self.released(at, node, op);
            }
            Some(&SharingProbe::Released { op, .. }) => {
                self.open.remove(&(op, node));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
