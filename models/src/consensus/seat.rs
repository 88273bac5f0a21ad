//! A replica's place in a group whose members decide one block after the other.

use super::ReplicaConfig;
use super::members::index_of;
use super::roster::{Era, Roster};
use super::sync::Site;
use super::tally::Voters;
use consim_core::{ChainId, KeyId, Keyring, NodeId, SecretKey};
use std::sync::Arc;

/// Who this replica is, and who decides with it. Indices count everybody who is or may become a member.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) chain: ChainId,
    /// The index of this replica.
    pub(super) me: usize,
    /// Who decides when.
    pub(super) roster: Roster,
    /// Those who decide what is under way.
    era: Era,
    pub(super) keys: Keyring,
    /// The key by which it votes on what is under way.
    pub(super) key: Arc<SecretKey>,
    /// All that it has, its first before the others.
    own: Vec<Arc<SecretKey>>,
    /// Blocks between checkpoints.
    pub(super) interval: u64,
}

impl Voters for Seat {
    fn keys(&self) -> &Keyring {
        &self.keys
    }
    fn quorum(&self) -> usize {
        self.era.quorum
    }
}

impl Seat {
    /// At the genesis; `rule` says how many votes so many members need.
    pub(super) fn new(config: ReplicaConfig, rule: fn(usize) -> usize) -> Self {
        let roster = Roster::new(&config, rule);
        Self {
            chain: config.chain,
            me: index_of(&config.everybody, config.me).unwrap_or(0),
            era: roster.latest().clone(),
            roster,
            keys: config.keys,
            own: [Arc::clone(&config.key)]
                .into_iter()
                .chain(config.renewed)
                .collect(),
            key: config.key,
            interval: config.checkpoint.max(1),
        }
    }
    /// This sequence number is under way: are there others than before who decide it?
    pub(super) fn enter(&mut self, sequence: u64) -> bool {
        let era = self.roster.at(sequence);
        let other = era.change != self.era.change;
        if other {
            self.era = era.clone();
            let key = self.era.key_of(self.node(self.me));
            if let Some(own) = self.own.iter().find(|own| own.id() == key) {
                self.key = Arc::clone(own);
            }
        }
        other
    }
    /// For how others are caught up with.
    pub(super) fn site(&self) -> Site<'_> {
        Site {
            chain: self.chain,
            me: self.me,
            roster: &self.roster,
            era: &self.era,
            interval: self.interval,
            keys: &self.keys,
            key: &self.key,
            own: &self.own,
        }
    }
    /// Those who decide what is under way, with all that follows from it.
    pub(super) fn era(&self) -> &Era {
        &self.era
    }
    /// Those who decide what is under way.
    pub(super) fn members(&self) -> &Arc<[NodeId]> {
        &self.era.members
    }
    /// Votes that a certificate of theirs needs.
    pub(super) fn quorum(&self) -> usize {
        self.era.quorum
    }
    /// Members of them that may be faulty.
    pub(super) fn faults(&self) -> usize {
        self.era.faults
    }
    /// Is this one of them?
    pub(super) fn votes(&self, index: usize) -> bool {
        self.era.votes(index)
    }
    /// Is this replica one of them?
    pub(super) fn is_member(&self) -> bool {
        self.era.votes(self.me)
    }
    /// The `turn`th of them, counted round.
    pub(super) fn in_turn(&self, turn: u64) -> usize {
        self.era.in_turn(turn)
    }
    /// Who proposes: round-robin by height and round.
    pub(super) fn proposer(&self, height: u64, round: u64) -> usize {
        let n = (self.era.members.len() as u64).max(1);
        self.era.in_turn(height % n + round % n)
    }
    /// The index of `node`.
    pub(super) fn index(&self, node: NodeId) -> Option<usize> {
        index_of(self.roster.everybody(), node)
    }
    /// What certificates of those who decide what is under way are verified with.
    pub(super) fn signers(&self) -> &Arc<[NodeId]> {
        &self.era.signers
    }
    /// The index of the node that votes by this key.
    pub(super) fn index_of_key(&self, key: KeyId) -> Option<usize> {
        // One that was replaced is nobody's.
        let node = self.keys.owner(key);
        self.index(node).filter(|_| self.era.key_of(node) == key)
    }
    /// How many there are, members or not.
    pub(super) fn len(&self) -> usize {
        self.roster.everybody().len()
    }
    /// The node of this index.
    pub(super) fn node(&self, index: usize) -> NodeId {
        let node = self.roster.everybody().get(index);
        node.copied().unwrap_or_default()
    }
    /// Its key.
    pub(super) fn key_of(&self, index: usize) -> KeyId {
        self.era.key_of(self.node(index))
    }
}
