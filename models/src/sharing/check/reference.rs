//! An independent model of the consents, made of the commands in commit order. It shares nothing
//! with the contract's state but the encoding of commands, believes no receipt of the contract, and
//! keeps the past: what held at any height can be asked later. It grows with the commands of the
//! chain, as the blocks themselves do, by a few dozen bytes for each.

use crate::ledger::chain::executed;
use crate::sharing::command::Command;
use crate::sharing::ids::{Grantee, Pseudonym, Purpose, RecordId, RequestId};
use consim_core::{Block, Digest, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// What a patient's latest word came to from a height on.
#[derive(Clone, Copy, Debug)]
struct Change {
    height: u64,
    /// Until when access is allowed; `None` forbids it.
    until_ns: Option<i64>,
}

/// A registered record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Registered {
    pub(super) provider: NodeId,
    pub(super) pseudonym: Pseudonym,
    pub(super) digest: Digest,
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
        }
    }
    /// The height up to which blocks were taken.
    pub(super) fn height(&self) -> u64 {
        self.times.len() as u64
    }
    /// Takes a block that some node applied; each height counts once, in order. `true` if it is new.
    pub(super) fn take(&mut self, block: &Block) -> bool {
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
                self.execute(&command, origin, header.height);
            }
        }
        true
    }

    fn execute(&mut self, command: &Command, origin: NodeId, height: u64) {
        match *command {
            Command::Register {
                record,
                pseudonym,
                digest,
                ..
            } => {
                self.records.entry(record).or_insert(Registered {
                    provider: origin,
                    pseudonym,
                    digest,
                    height,
                });
            }
            Command::Request {
                request,
                pseudonym,
                requester,
                purpose: Purpose::Treatment,
            } if requester == origin || !self.members.contains(&requester) => {
                self.asked
                    .entry(request)
                    .or_insert((pseudonym, requester, origin));
            }
            Command::Decide {
                request,
                permit,
                expires_ns,
            } => {
                if let Some(&(pseudonym, requester, entry)) = self.asked.get(&request)
                    && entry == origin
                    && self.answered.insert(request)
                {
                    let until_ns = permit.then_some(expires_ns);
                    self.change(pseudonym, Grantee::Institution(requester), height, until_ns);
                }
            }
            Command::Grant {
                pseudonym,
                grantee,
                expires_ns,
            } => self.change(pseudonym, grantee, height, Some(expires_ns)),
            Command::Deny { pseudonym, grantee } => self.change(pseudonym, grantee, height, None),
            Command::Revoke { pseudonym, grantee } => {
                let last = |g| {
                    self.words
                        .get(&(pseudonym, g))
                        .and_then(|changes| changes.last())
                        .map(|c| c.until_ns.is_some())
                };
                if last(grantee).or_else(|| last(Grantee::Everyone)) == Some(true) {
                    self.change(pseudonym, grantee, height, None);
                }
            }
            Command::Request { .. }
            | Command::Access(_)
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
    ) {
        self.words
            .entry((pseudonym, grantee))
            .or_default()
            .push(Change { height, until_ns });
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

    /// Had the patient spoken of `requester`, and did what was said not allow it to read after the
    /// block at `height`?
    pub(super) fn forbidden(&self, pseudonym: Pseudonym, requester: NodeId, height: u64) -> bool {
        let to = [Grantee::Institution(requester), Grantee::Everyone];
        to.iter()
            .any(|&grantee| self.word(pseudonym, grantee, height).is_some())
            && !self.consented(pseudonym, requester, height)
    }

    /// Did the consent of `pseudonym` allow `requester` to read after the block at `height`?
    pub(super) fn consented(&self, pseudonym: Pseudonym, requester: NodeId, height: u64) -> bool {
        let Some(&now_ns) = (height as usize)
            .checked_sub(1)
            .and_then(|i| self.times.get(i))
        else {
            return false;
        };
        let word = |grantee| self.word(pseudonym, grantee, height);
        match word(Grantee::Institution(requester)) {
            // A word to the institution itself stands alone, unless it is a grant that has run out.
            Some(Change { until_ns: None, .. }) => false,
            Some(Change {
                until_ns: Some(until),
                ..
            }) if now_ns < *until => true,
            _ => word(Grantee::Everyone)
                .and_then(|change| change.until_ns)
                .is_some_and(|until| now_ns < until),
        }
    }
}

#[cfg(test)]
mod tests;
