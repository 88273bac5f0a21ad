//! What is known of the rounds of the height under way.

use super::config::{Group, MAX_ROUNDS};
use super::message::{COMMIT, PREPARE, Proposal};
use crate::consensus::tally::Tally;
use consim_core::{Batch, Digest, Payload};
use std::sync::Arc;

/// Which votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Prepare,
    Commit,
}

impl Phase {
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::Prepare => PREPARE,
            Self::Commit => COMMIT,
        }
    }
}

/// A round.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) number: u64,
    /// The value that was put forward, and its body.
    pub(super) digest: Option<Digest>,
    pub(super) batch: Option<Arc<Batch>>,
    /// Was there a proposal that is not in order?
    pub(super) refused: bool,
    pub(super) prepares: Tally,
    pub(super) commits: Tally,
    /// What this replica said in it, to be said again: PROPOSAL or PREPARE, and COMMIT.
    pub(super) said: [Option<Arc<dyn Payload>>; 2],
}

impl Round {
    pub(super) fn of(&mut self, phase: Phase) -> &mut Tally {
        match phase {
            Phase::Prepare => &mut self.prepares,
            Phase::Commit => &mut self.commits,
        }
    }
    /// From now on votes for what this proposal puts forward are counted.
    pub(super) fn settle(&mut self, group: &Group, proposal: &Proposal) {
        let digest = proposal.batch.digest();
        let statements = proposal.statements(group.chain);
        self.prepares.settle(group, &digest, statements.first);
        self.commits.settle(group, &digest, statements.second);
        self.digest = Some(digest);
        self.batch = Some(Arc::clone(&proposal.batch));
    }
    fn begin(&mut self, number: u64) {
        let (mut prepares, mut commits) = (
            std::mem::take(&mut self.prepares),
            std::mem::take(&mut self.commits),
        );
        prepares.clear();
        commits.clear();
        *self = Self {
            number,
            prepares,
            commits,
            ..Self::default()
        };
    }
}

/// The last rounds of the height under way, ascending.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    open: Vec<Round>,
    /// For their memory.
    spare: Vec<Round>,
}

impl Rounds {
    pub(super) fn get(&self, number: u64) -> Option<&Round> {
        self.open.iter().find(|round| round.number == number)
    }
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Round> {
        self.open.iter_mut().find(|round| round.number == number)
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &Round> {
        self.open.iter()
    }
    /// Opens a round above all others; the oldest gives way.
    pub(super) fn open(&mut self, number: u64) {
        if self.get(number).is_some() {
            return;
        }
        if self.open.len() >= MAX_ROUNDS {
            let oldest = self.open.remove(0);
            self.spare.push(oldest);
        }
        let mut round = self.spare.pop().unwrap_or_default();
        round.begin(number);
        self.open.push(round);
    }
    /// Another height begins.
    pub(super) fn clear(&mut self) {
        self.spare.append(&mut self.open);
    }
}
