//! An independent model of the consents, made of the commands in commit order. It shares nothing
//! with the contract's state but the encoding of commands, believes no receipt of the contract, and
//! keeps the past: what held at any height can be asked later. It grows with the commands of the
//! chain, as the blocks themselves do, by a few dozen bytes for each.

use crate::ledger::chain::executed;
use crate::sharing::command::Command;
use crate::sharing::ids::{Grantee, Pseudonym, Purpose, RecordId, RequestId};
use crate::sharing::scope::{ResourceType, Scope, Use, Who};
use consim_core::{Block, Digest, NodeId, Receipt, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// What a patient's latest word came to from a height on.
#[derive(Clone, Copy, Debug)]
struct Change {
    height: u64,
    /// Until when access is allowed; `None` forbids it.
    until_ns: Option<i64>,
    /// To what.
    scope: Scope,
}

/// A registered record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registered {
    pub(super) provider: NodeId,
    pub(super) pseudonym: Pseudonym,
    pub(super) digest: Digest,
    pub(super) kind: ResourceType,
    pub(super) height: u64,
}

/// The consents and records of a chain.
#[derive(Debug)]
pub(super) struct Reference {
    members: BTreeSet<NodeId>,
    /// The time of each block, from height 1.
    times: Vec<i64>,
    records: BTreeMap<RecordId, Registered>,
    asked: BTreeMap<RequestId, (Pseudonym, NodeId, NodeId)>,
    answered: BTreeSet<RequestId>,
    words: BTreeMap<(Pseudonym, Grantee), Vec<Change>>,
    /// Who speaks for whom: until when, as a guardian, and what they may grant.
    powers: BTreeMap<(Pseudonym, Pseudonym), (i64, bool, Scope)>,
    /// When minors come of age.
    of_age: BTreeMap<Pseudonym, i64>,
}

impl Reference {
    /// Of a chain between `members`, without blocks.
    pub(super) fn new(members: &[NodeId]) -> Self {
        Self {
            members: members.iter().copied().collect(),
            times: Vec::new(),
            records: BTreeMap::new(),
            asked: BTreeMap::new(),
            answered: BTreeSet::new(),
            words: BTreeMap::new(),
            powers: BTreeMap::new(),
            of_age: BTreeMap::new(),
        }
    }
    /// The height up to which blocks were taken.
    pub(super) fn height(&self) -> u64 {
        self.times.len() as u64
    }
    /// Takes a block that some node applied; each height counts once, in order. `true` if it is new.
    pub(super) fn take(&mut self, block: &Block) -> bool {
        self.take_with(block, |_, _, _, _| {})
    }
    /// The same; `look` sees each command before it is executed, at its place.
    pub(super) fn take_with(
        &mut self,
        block: &Block,
        mut look: impl FnMut(&Self, &Tx, &Receipt, &Command),
    ) -> bool {
        let header = &block.header;
        if header.height != self.height() + 1 {
            return false;
        }
        self.times.push(header.time_ns);
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            let origin = tx.id().origin;
            if executed(receipt)
                && self.members.contains(&origin)
                && let Ok(command) = Command::decode(tx.body())
            {
                look(self, tx, receipt, &command);
                self.spoken(&command, origin, header.height);
            }
        }
        true
    }

    /// Executes a command if whoever speaks may: the patient unless a minor, or somebody with the power.
    fn spoken(&mut self, command: &Command, origin: NodeId, height: u64) {
        let now = self.times.last().copied().unwrap_or_default();
        let patient = |of: &Command| match of {
            Command::Grant { pseudonym, .. }
            | Command::Deny { pseudonym, .. }
            | Command::Revoke { pseudonym, .. }
            | Command::Appoint { pseudonym, .. }
            | Command::Dismiss { pseudonym, .. } => Some(*pseudonym),
            Command::Decide { request, .. } => self.asked.get(request).map(|asked| asked.0),
            _ => None,
        };
        let minor = |patient: &Pseudonym| self.of_age.get(patient).is_some_and(|end| now < *end);
        match command {
            Command::Spoken { by, word } => {
                let Some(patient) = patient(word) else { return };
                let Some(&(until, guardian, bounds)) = self.powers.get(&(patient, *by)) else {
                    return;
                };
                if until <= now || minor(&patient) != guardian {
                    return;
                }
                let mut word = (**word).clone();
                if let Command::Grant {
                    expires_ns, scope, ..
                }
                | Command::Decide {
                    permit: true,
                    expires_ns,
                    scope,
                    ..
                } = &mut word
                {
                    if !inside(scope, &bounds) {
                        return;
                    }
                    *expires_ns = until.min(*expires_ns);
                }
                self.execute(&word, origin, height);
            }
            command => {
                if !patient(command).is_some_and(|patient| minor(&patient)) {
                    self.execute(command, origin, height);
                }
            }
        }
    }

    fn execute(&mut self, command: &Command, origin: NodeId, height: u64) {
        match *command {
            Command::Register {
                record,
                pseudonym,
                digest,
                kind,
                ..
            } => {
                self.records.entry(record).or_insert(Registered {
                    provider: origin,
                    pseudonym,
                    digest,
                    kind,
                    height,
                });
            }
            Command::Request {
                request,
                pseudonym,
                requester,
                purpose,
            } if purpose != Purpose::Emergency
                && (requester == origin || !self.members.contains(&requester)) =>
            {
                self.asked
                    .entry(request)
                    .or_insert((pseudonym, requester, origin));
            }
            Command::Decide {
                request,
                permit,
                expires_ns,
                scope,
            } => {
                if let Some(&(pseudonym, requester, entry)) = self.asked.get(&request)
                    && entry == origin
                    && self.answered.insert(request)
                {
                    let until_ns = permit.then_some(expires_ns);
                    let grantee = Grantee::Institution(requester);
                    self.change(pseudonym, grantee, height, until_ns, scope);
                }
            }
            Command::Grant {
                pseudonym,
                grantee,
                expires_ns,
                scope,
            } => self.change(pseudonym, grantee, height, Some(expires_ns), scope),
            Command::Deny { pseudonym, grantee } => {
                self.change(pseudonym, grantee, height, None, Scope::default());
            }
            Command::Revoke { pseudonym, grantee } => {
                let last = |g| {
                    self.words
                        .get(&(pseudonym, g))
                        .and_then(|changes| changes.last())
                        .map(|c| c.until_ns.is_some())
                };
                if last(grantee).or_else(|| last(Grantee::Everyone)) == Some(true) {
                    self.change(pseudonym, grantee, height, None, Scope::default());
                }
            }
            Command::Appoint {
                pseudonym,
                by,
                until_ns,
                guardian,
                bounds,
            } => {
                if guardian {
                    self.of_age.insert(pseudonym, until_ns);
                }
                let power = (until_ns, guardian, bounds);
                self.powers.insert((pseudonym, by), power);
            }
            Command::Dismiss { pseudonym, by } => {
                self.powers.remove(&(pseudonym, by));
            }
            Command::Request { .. }
            | Command::Spoken { .. }
            | Command::Access(_)
            | Command::Read { .. }
            | Command::Refusal { .. }
            | Command::AuditRead { .. } => {}
        }
    }

    fn change(
        &mut self,
        pseudonym: Pseudonym,
        grantee: Grantee,
        height: u64,
        until_ns: Option<i64>,
        scope: Scope,
    ) {
        let change = Change {
            height,
            until_ns,
            scope,
        };
        self.words
            .entry((pseudonym, grantee))
            .or_default()
            .push(change);
    }

    /// A record that was registered at or below `height`.
    pub(super) fn record(&self, record: RecordId, height: u64) -> Option<&Registered> {
        self.records.get(&record).filter(|r| r.height <= height)
    }

    /// The latest word of a patient on a grantee, after the block at `height`.
    fn word(&self, pseudonym: Pseudonym, grantee: Grantee, height: u64) -> Option<&Change> {
        let changes = self.words.get(&(pseudonym, grantee))?;
        let upto = changes.partition_point(|change| change.height <= height);
        changes.get(upto.checked_sub(1)?)
    }

    /// Had the patient spoken of the requester, and did what was said not allow this use after the
    /// block at `height`?
    pub(super) fn forbidden(&self, pseudonym: Pseudonym, wanted: &Use, height: u64) -> bool {
        let to = [Grantee::Institution(wanted.requester), Grantee::Everyone];
        to.iter()
            .any(|&grantee| self.word(pseudonym, grantee, height).is_some())
            && !self.consented(pseudonym, wanted, height)
    }

    /// The height at which the patient had said that this use is allowed no longer, by `height`: the
    /// word that decides on it is a no. A grant that has merely run out is not taken back.
    pub(super) fn taken_back(
        &self,
        pseudonym: Pseudonym,
        wanted: &Use,
        height: u64,
    ) -> Option<u64> {
        if self.consented(pseudonym, wanted, height) {
            return None;
        }
        let to = [Grantee::Institution(wanted.requester), Grantee::Everyone];
        let words = to.iter().map(|&to| self.word(pseudonym, to, height));
        let mut words = words.flatten();
        words
            .find(|word| word.until_ns.is_none())
            .map(|word| word.height)
    }

    /// Did the consent of `pseudonym` allow this use after the block at `height`, at its time?
    pub(super) fn consented(&self, pseudonym: Pseudonym, wanted: &Use, height: u64) -> bool {
        let time = (height as usize).checked_sub(1);
        let Some(&now_ns) = time.and_then(|i| self.times.get(i)) else {
            return false;
        };
        for grantee in [Grantee::Institution(wanted.requester), Grantee::Everyone] {
            let Some(change) = self.word(pseudonym, grantee, height) else {
                continue;
            };
            // A word to the institution itself stands alone, unless it is a grant that has run out,
            // has not begun, or is of something else.
            match change.until_ns {
                None => return false,
                Some(until) if now_ns < until && opens(&change.scope, wanted, now_ns) => {
                    return true;
                }
                Some(_) => {}
            }
        }
        false
    }
}

/// Does every dimension of a scope lie inside that of the bounds?
fn inside(scope: &Scope, bounds: &Scope) -> bool {
    let (own, all) = (scope.types(), bounds.types());
    let types =
        !bounds.has_types() || scope.has_types() && own.iter().all(|kind| all.contains(kind));
    let purposes = bounds.purposes();
    let who = match bounds.who {
        Who::Anybody => true,
        Who::Role(role) => match scope.who {
            Who::Role(own) => own == role,
            Who::Person(one) => one.role == role,
            Who::Anybody => false,
        },
        Who::Person(one) => scope.who == Who::Person(one),
    };
    types
        && who
        && bounds.from_ns <= scope.from_ns
        && scope
            .purposes()
            .iter()
            .all(|purpose| purposes.contains(purpose))
}

/// Is the use one of those that the scope lists?
fn opens(scope: &Scope, wanted: &Use, now_ns: i64) -> bool {
    let of_type = wanted
        .of
        .is_none_or(|of| !scope.has_types() || scope.types().contains(&of));
    let reader = match scope.who {
        Who::Anybody => true,
        Who::Role(role) => wanted.reader.role == role,
        Who::Person(one) => wanted.reader == one,
    };
    let begun = scope.from_ns <= now_ns;
    of_type && reader && begun && scope.purposes().contains(&wanted.purpose)
}

#[cfg(test)]
mod tests;
