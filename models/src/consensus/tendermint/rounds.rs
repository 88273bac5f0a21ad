//! What is known of the rounds of the height under way.

use super::config::{Group, MAX_ROUNDS};
use super::message::{Ballot, Body, PRECOMMIT, PREVOTE, Stamp};
use crate::consensus::proposal::Statements;
use crate::consensus::tally::Tally;
use consim_core::{Batch, Digest, Payload};
use std::sync::Arc;

/// Where a replica is in its round (arXiv 1807.04938, line 3).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Step {
    /// The last height was decided a moment ago (`timeout_commit` of CometBFT).
    NewHeight,
    Propose,
    Prevote,
    Precommit,
}

/// Which votes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Prevote,
    Precommit,
}

impl Phase {
    pub(super) fn kind(self) -> u8 {
        match self {
            Self::Prevote => PREVOTE,
            Self::Precommit => PRECOMMIT,
        }
    }
    /// A vote as it is said.
    pub(super) fn body(self, ballot: Ballot, stamp: Option<Stamp>) -> Body {
        match self {
            Self::Prevote => Body::Prevote(ballot),
            Self::Precommit => Body::Precommit(ballot, stamp),
        }
    }
    /// That of votes of this kind.
    pub(super) fn of(kind: u8) -> Option<Self> {
        match kind {
            PREVOTE => Some(Self::Prevote),
            PRECOMMIT => Some(Self::Precommit),
            _ => None,
        }
    }
}

/// A PROPOSAL that was heard and is in order.
#[derive(Debug)]
pub(super) struct PutForward {
    /// Its `validRound`, as it proves.
    pub(super) valid_round: Option<u64>,
    /// Did a new value come in time, by this clock?
    pub(super) timely: bool,
    pub(super) message: Arc<dyn Payload>,
}

/// A round.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says of a rule whether it has been carried out"
)]
pub(super) struct Round {
    number: u64,
    /// The value whose votes are counted, and its body.
    pub(super) digest: Option<Digest>,
    pub(super) batch: Option<Arc<Batch>>,
    /// The proposal of that value; none if another member told of the prevotes for it.
    pub(super) put_forward: Option<PutForward>,
    /// Was there a proposal that is not in order?
    pub(super) refused: bool,
    pub(super) prevotes: Tally,
    pub(super) precommits: Tally,
    /// This replica's PROPOSAL, once it is on disk, to be said again.
    pub(super) said: Option<Arc<dyn Payload>>,
    /// Has line 34, 36 or 47 been carried out, each "for the first time"?
    pub(super) waits_for_prevotes: bool,
    pub(super) polka: bool,
    pub(super) waits_for_precommits: bool,
}

impl Round {
    pub(super) fn of(&mut self, phase: Phase) -> &mut Tally {
        match phase {
            Phase::Prevote => &mut self.prevotes,
            Phase::Precommit => &mut self.precommits,
        }
    }
    /// The votes of a phase.
    pub(super) fn tally(&self, phase: Phase) -> &Tally {
        match phase {
            Phase::Prevote => &self.prevotes,
            Phase::Precommit => &self.precommits,
        }
    }
    /// From now on votes for this value are counted.
    pub(super) fn settle(&mut self, group: &Group, batch: &Arc<Batch>, statements: Statements) {
        let digest = batch.digest();
        self.prevotes.settle(group, &digest, statements.first);
        self.precommits.settle(group, &digest, statements.second);
        self.digest = Some(digest);
        self.batch = Some(Arc::clone(batch));
    }
    /// All votes that are here.
    pub(super) fn votes(&self, group: &Group, height: u64) -> Vec<(u8, Ballot)> {
        let of = |tally: &Tally, kind| {
            let votes = tally.all(group).into_iter();
            votes.map(move |(digest, signature)| {
                let (view, sequence) = (self.number, height);
                let ballot = Ballot {
                    view,
                    sequence,
                    digest,
                    signature,
                };
                (kind, ballot)
            })
        };
        let prevotes = of(&self.prevotes, PREVOTE);
        prevotes.chain(of(&self.precommits, PRECOMMIT)).collect()
    }
    /// The precommits that are here.
    pub(super) fn precommits_of(&self, group: &Group, height: u64) -> Vec<Ballot> {
        let votes = self.votes(group, height).into_iter();
        let precommits = votes.filter(|(kind, _)| *kind == PRECOMMIT);
        precommits.map(|(_, ballot)| ballot).collect()
    }
    fn begin(&mut self, number: u64) {
        let (mut prevotes, mut precommits) = (
            std::mem::take(&mut self.prevotes),
            std::mem::take(&mut self.precommits),
        );
        prevotes.clear();
        precommits.clear();
        *self = Self {
            number,
            prevotes,
            precommits,
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
    /// The lowest that is open.
    pub(super) fn lowest(&self) -> u64 {
        self.open.first().map_or(0, |round| round.number)
    }
    /// Another height begins.
    pub(super) fn clear(&mut self) {
        self.spare.append(&mut self.open);
    }
}
