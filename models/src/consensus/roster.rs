//! Who decides what, in protocols that decide one block after the other and change their members by what they
//! decide: a block with the administrator's change is decided by the members before it, and all that follow it
//! by those after it (as validators in Tendermint and QBFT change with a height).
//!
//! Each such block carries the certificate of those who gave the chain away, so that the blocks with changes
//! alone, one after the other, prove to anybody who knows the genesis who decides now ([`Roster::links`]): what
//! a light client is shown.

use super::changes::{Changing, MemberChange};
use super::members::{Members, index_of};
use super::sync::COMMITTED;
use super::sync::seeded;
use super::{ReplicaConfig, Validators, byzantine_faults};
use crate::ledger::WorldState;
use consim_core::{ChainId, CodecError, Committed, Configured, Decoder, Encoder, KeyId, NodeId};
use std::sync::Arc;

/// Blocks with changes in one message (assumed).
pub(super) const MAX_LINKS: usize = 32;

/// A stretch of the chain on which the same members decide.
#[derive(Clone, Debug)]
pub(super) struct Era {
    /// The last change before it; 0 is the genesis.
    pub(super) change: u64,
    /// Its first sequence number.
    pub(super) from: u64,
    /// Who decides, in node order.
    pub(super) members: Arc<[NodeId]>,
    /// Votes that a certificate needs.
    pub(super) quorum: usize,
    /// Members that may be faulty.
    pub(super) faults: usize,
    /// Where turns begin that go on over blocks: with who put the block before it forward, if it is still there.
    pub(super) lead: u64,
    /// The same, with the keys by which they vote.
    validators: Validators,
    /// The owners of the first keys that have the numbers of those by which members vote, ascending: what
    /// certificates are verified with.
    pub(super) signers: Arc<[NodeId]>,
    /// The members, by their indices among everybody.
    seats: Arc<[usize]>,
    voters: Members,
}

impl Era {
    /// Is the node of this index among everybody one that decides?
    pub(super) fn votes(&self, index: usize) -> bool {
        self.voters.contains(index)
    }
    /// By which key a node votes here.
    pub(super) fn key_of(&self, node: NodeId) -> KeyId {
        self.validators.key_of(node)
    }
    /// The `turn`th of the members, counted round, by its index among everybody.
    pub(super) fn in_turn(&self, turn: u64) -> usize {
        let n = (self.seats.len() as u64).max(1);
        let seat = self.seats.get((turn % n) as usize);
        seat.copied().unwrap_or_default()
    }
}

/// All eras of a chain that a replica knows of.
#[derive(Clone, Debug)]
pub(super) struct Roster {
    chain: ChainId,
    everybody: Arc<[NodeId]>,
    administrator: Option<KeyId>,
    /// The votes that so many members need, unless a fault says otherwise.
    rule: fn(usize) -> usize,
    wrong: Option<usize>,
    /// That of the genesis.
    first: Era,
    /// Those after it, ascending, each with the block that began it.
    later: Vec<(Era, Arc<Committed>)>,
}

impl Roster {
    /// That of the genesis.
    pub(super) fn new(config: &ReplicaConfig, rule: fn(usize) -> usize) -> Self {
        let fits = config.quorum == rule(config.members.len());
        let mut roster = Self {
            chain: config.chain,
            everybody: Arc::clone(&config.everybody),
            administrator: config.administrator,
            rule,
            wrong: (!fits).then_some(config.quorum),
            first: Era {
                change: 0,
                from: 0,
                members: Arc::clone(&config.members),
                quorum: config.quorum,
                faults: 0,
                lead: 0,
                validators: Validators::first(Arc::clone(&config.members)),
                signers: Arc::default(),
                seats: Arc::default(),
                voters: Members::default(),
            },
            later: Vec::new(),
        };
        roster.first = roster.era(0, Validators::first(Arc::clone(&config.members)));
        roster
    }

    fn era(&self, from: u64, validators: Validators) -> Era {
        let members = Arc::clone(&validators.members);
        let n = members.len();
        let seats = members.iter();
        let seats: Arc<[usize]> = seats
            .filter_map(|&node| index_of(&self.everybody, node))
            .collect();
        let mut voters = Members::default();
        for &seat in &*seats {
            voters.insert(seat);
        }
        let quorum = self.wrong.unwrap_or_else(|| (self.rule)(n));
        let kept = seeded::on(&seeded::QUORUM_OF_THE_GENESIS);
        Era {
            change: validators.change,
            from,
            quorum: if kept { self.first.quorum } else { quorum },
            faults: byzantine_faults(n),
            lead: 0,
            signers: validators.signers(),
            validators,
            members,
            seats,
            voters,
        }
    }

    /// Everybody who is or may become a member, in node order: what indices count.
    pub(super) fn everybody(&self) -> &Arc<[NodeId]> {
        &self.everybody
    }
    /// Can its members change at all?
    pub(super) fn may_change(&self) -> bool {
        self.administrator.is_some()
    }
    /// The administrator.
    pub(super) fn administrator(&self) -> Option<KeyId> {
        self.administrator
    }
    /// Who decides at this sequence number, as far as is known.
    pub(super) fn at(&self, sequence: u64) -> &Era {
        let later = self.later.iter().rev().map(|(era, _)| era);
        later
            .into_iter()
            .find(|era| era.from <= sequence)
            .unwrap_or(&self.first)
    }
    /// The last era that is known.
    pub(super) fn latest(&self) -> &Era {
        self.later.last().map_or(&self.first, |(era, _)| era)
    }
    /// The blocks that made all eras after that of change `known`, oldest first, as many as one message holds.
    pub(super) fn links(&self, known: u64) -> Vec<Arc<Committed>> {
        let later = self.later.iter().filter(|(era, _)| era.change > known);
        later
            .map(|(_, link)| Arc::clone(link))
            .take(MAX_LINKS)
            .collect()
    }

    /// The blocks that made all eras.
    pub(super) fn all_links(&self) -> Vec<Arc<Committed>> {
        let links = self.later.iter().map(|(_, link)| Arc::clone(link));
        links.collect()
    }
    /// Is no change executed in this state, which stands for all up to `sequence`, that is not known here?
    pub(super) fn knows_all_of(&self, state: &WorldState, sequence: u64) -> bool {
        let known = self.at(sequence.saturating_add(1)).change;
        self.administrator.is_none_or(|administrator| {
            let next = MemberChange::id(administrator, known + 1);
            state.executed(next).is_none()
        })
    }

    /// The era that a decided block begins, if it holds the next change, or several in order.
    fn begun_by(&self, committed: &Committed) -> Option<Era> {
        let administrator = self.administrator?;
        let txs = committed.batch.txs().iter();
        let validators = self.latest().validators.after(txs, administrator)?;
        let from = committed.sequence.saturating_add(1);
        let proposer = committed.batch.proposer();
        let mut members = validators.members.iter();
        let lead = members.position(|&node| node == proposer);
        Some(Era {
            lead: lead.unwrap_or_default() as u64,
            ..self.era(from, validators)
        })
    }

    /// A block is decided, and proven so: true if other members decide from the next one on.
    pub(super) fn decided(&mut self, committed: &Arc<Committed>) -> bool {
        if self.administrator.is_none() || committed.sequence < self.latest().from {
            return false;
        }
        let Some(era) = self.begun_by(committed) else {
            return false;
        };
        self.later.push((era, Arc::clone(committed)));
        true
    }

    /// Does this block hold the next change after all that are known?
    pub(super) fn is_next(&self, committed: &Committed) -> bool {
        committed.sequence >= self.latest().from && self.begun_by(committed).is_some()
    }

    /// What has become of a change that the administrator asks for, at a replica that has decided up to
    /// `executed`; `None` if it can be put forward.
    pub(super) fn asked(&self, change: &MemberChange, executed: u64) -> Option<Changing> {
        let latest = self.latest();
        if change.number <= latest.change {
            return Some(if latest.from <= executed.saturating_add(1) {
                Changing::Done
            } else {
                Changing::UnderWay
            });
        }
        if change.number > latest.change + 1 {
            return Some(Changing::Waits);
        }
        let nobody = change.of(&latest.members).is_empty();
        nobody.then_some(Changing::Impossible)
    }

    /// What observers are told of the last era.
    pub(super) fn told(&self) -> Configured {
        let era = self.latest();
        Configured {
            chain: self.chain,
            change: era.change,
            joint: false,
            handed_over_at: Some(era.from),
            groups: vec![(Arc::clone(&era.members), era.quorum)],
            renewed: Arc::clone(&era.validators.renewed),
        }
    }
}

/// Appends blocks with changes as they travel.
pub(super) fn encode_links(e: &mut Encoder<'_>, links: &[Arc<Committed>]) {
    e.list(links.len());
    for link in links {
        link.encode(e);
    }
}
/// The length of what [`encode_links`] writes.
pub(super) fn links_len(links: &[Arc<Committed>]) -> usize {
    4 + links.iter().map(|link| link.encoded_len()).sum::<usize>()
}
/// Reads what [`encode_links`] wrote.
pub(super) fn decode_links(d: &mut Decoder<'_>) -> Result<Vec<Arc<Committed>>, CodecError> {
    let n = d.list(MAX_LINKS, COMMITTED)?;
    (0..n).map(|_| Committed::decode(d).map(Arc::new)).collect()
}

#[cfg(test)]
mod tests;
