//! What goes to disk, and what is said once it is there (`../journal.rs`).

use super::message::Ballot;
use super::rounds::Phase;
use consim_core::{Batch, Certificate, Digest, Encoder, Payload, Signature};
use std::any::Any;
use std::sync::Arc;

/// The log of decided batches.
pub(super) const LOG: u8 = 0;
/// The table whose cell 0 holds what was signed in the height under way, and the lock.
pub(super) const VOTES: u8 = 1;
/// The table whose cell 0 holds the proof of the last stable checkpoint.
pub(super) const STABLE: u8 = 2;
/// The table whose cell 0 holds the PROPOSAL of the last value that was prevoted.
pub(super) const PROPOSAL: u8 = 3;
/// The table whose cell 0 holds the 2f+1 prevotes of the valid value.
pub(super) const VALID: u8 = 4;
/// The table whose cell 0 holds the valid value, where that is not in the PROPOSAL.
pub(super) const BODY: u8 = 5;
/// The table whose cell 0 holds a state that was taken over: what was in the log before is void.
pub(super) const TAKEN: u8 = 6;
/// The table whose cell 0 says that what this replica signed is on this disk.
pub(super) const STARTED: u8 = 7;

/// Rounds whose own votes are on disk: that under way, and the one before, which others may not have left.
const SIGNED_ROUNDS: usize = 2;

/// What a replica signed in one round: each time a value, or nil.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Signed {
    pub(super) round: u64,
    pub(super) prevote: Option<Digest>,
    pub(super) precommit: Option<Digest>,
}

/// What a replica must not forget of the height under way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Votes {
    pub(super) height: u64,
    /// The round that it is in.
    pub(super) round: u64,
    /// The precommits of the round before, by which others can follow it there.
    pub(super) before: Vec<Ballot>,
    /// The last rounds in which it signed something, ascending.
    pub(super) signed: Vec<Signed>,
    /// `lockedRound` and `lockedValue`.
    pub(super) locked: Option<(u64, Digest)>,
}

/// A cell of the disk. What was prevoted is kept as the message that it came in.
#[derive(Debug)]
pub(super) enum Record {
    /// What was signed.
    Votes(Votes),
    /// The prevotes of the valid value.
    Valid(Arc<Certificate>),
    /// The valid value.
    Body(Arc<Batch>),
}

fn option_digest(e: &mut Encoder<'_>, digest: Option<&Digest>) {
    e.u8(u8::from(digest.is_some()));
    if let Some(digest) = digest {
        e.digest(digest);
    }
}

impl Votes {
    /// Where the vote of this phase in a round is written down; none for a round before the last one.
    pub(super) fn place(&mut self, round: u64, phase: Phase) -> Option<&mut Option<Digest>> {
        self.round = self.round.max(round);
        if self.signed.last().is_none_or(|last| last.round < round) {
            if self.signed.len() >= SIGNED_ROUNDS {
                self.signed.remove(0);
            }
            self.signed.push(Signed {
                round,
                ..Signed::default()
            });
        }
        let last = self.signed.last_mut().filter(|last| last.round == round)?;
        Some(match phase {
            Phase::Prevote => &mut last.prevote,
            Phase::Precommit => &mut last.precommit,
        })
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.height).u64(self.round).list(self.before.len());
        for ballot in &self.before {
            ballot.encode(e);
        }
        e.list(self.signed.len());
        for signed in &self.signed {
            e.u64(signed.round);
            option_digest(e, signed.prevote.as_ref());
            option_digest(e, signed.precommit.as_ref());
        }
        e.u8(u8::from(self.locked.is_some()));
        if let Some((round, digest)) = &self.locked {
            e.u64(*round).digest(digest);
        }
    }
    fn encoded_len(&self) -> usize {
        let digest = |d: Option<Digest>| 1 + d.map_or(0, |_| 32);
        let signed = self.signed.iter();
        let signed = signed.map(|s| 8 + digest(s.prevote) + digest(s.precommit));
        let before = self.before.iter().map(Ballot::encoded_len);
        let lists = 4 + before.sum::<usize>() + 4 + signed.sum::<usize>();
        8 + 8 + lists + 1 + self.locked.map_or(0, |_| 8 + 32)
    }
}

impl Payload for Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Votes(_) => "votes",
            Self::Valid(_) => "valid",
            Self::Body(_) => "body",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Votes(votes) => votes.encode(&mut e),
            Self::Body(batch) => batch.encode(&mut e),
            Self::Valid(certificate) => certificate.encode(&mut e),
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Votes(votes) => votes.encoded_len(),
            Self::Body(batch) => batch.encoded_len(),
            Self::Valid(certificate) => certificate.encoded_len(),
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A message of the own that may be said once it is on disk.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) what: What,
    pub(super) height: u64,
    pub(super) round: u64,
    pub(super) digest: Digest,
    /// That of the vote; a PROPOSAL holds the proposer's PREVOTE.
    pub(super) signature: Signature,
    pub(super) message: Arc<dyn Payload>,
}

/// Which message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Proposal,
    Prevote,
    Precommit,
}
