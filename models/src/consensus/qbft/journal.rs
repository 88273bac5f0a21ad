//! What goes to disk, and what is said once it is there (`../journal.rs`).

use super::change::Change;
use super::rounds::Phase;
use consim_core::{Batch, Certificate, Digest, Encoder, Payload, Signature};
use std::any::Any;
use std::sync::Arc;

/// The log of decided batches.
pub(super) const LOG: u8 = 0;
/// The table whose cell 0 holds what was signed in the height under way.
pub(super) const VOTES: u8 = 1;
/// The table whose cell 0 holds the proof of the last stable checkpoint.
pub(super) const STABLE: u8 = 2;
/// The table whose cell 0 holds the PROPOSAL of the last value for which a PREPARE was signed.
pub(super) const PROPOSAL: u8 = 3;
/// The table whose cell 0 holds the prepares of the last value that was prepared.
pub(super) const PREPARED: u8 = 4;
/// The table whose cell 0 holds that value, where it is not in the PROPOSAL.
pub(super) const BODY: u8 = 5;
/// The table whose cell 0 holds a state that was taken over: what was in the log before is void.
pub(super) const TAKEN: u8 = 6;
/// The table whose cell 0 says that what this replica signed is on this disk.
pub(super) const STARTED: u8 = 7;

/// Rounds whose own votes are on disk: that under way, and the one before, whose commits may still decide.
const SIGNED_ROUNDS: usize = 2;

/// What a replica signed in one round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Signed {
    pub(super) round: u64,
    pub(super) prepare: Option<Digest>,
    pub(super) commit: Option<Digest>,
}

/// What a replica must not forget of the height under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Votes {
    pub(super) height: u64,
    /// The round that it is in.
    pub(super) round: u64,
    /// The ROUND-CHANGE by which it went there, if it said one.
    pub(super) change: Option<Arc<Change>>,
    /// The last rounds in which it signed something, ascending.
    pub(super) signed: Vec<Signed>,
}

/// A cell of the disk. What was prepared for is kept as the message that it came in.
#[derive(Debug)]
pub(super) enum Record {
    /// What was signed.
    Votes(Votes),
    /// The prepares of the prepared value.
    Prepared(Arc<Certificate>),
    /// That value.
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
            Phase::Prepare => &mut last.prepare,
            Phase::Commit => &mut last.commit,
        })
    }
    /// Has no PREPARE been signed in this round or a later one yet?
    pub(super) fn is_free(&self, round: u64) -> bool {
        let mut signed = self.signed.iter();
        !signed.any(|s| s.round > round || (s.round == round && s.prepare.is_some()))
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.height).u64(self.round);
        e.u8(u8::from(self.change.is_some()));
        if let Some(change) = &self.change {
            change.encode(e);
        }
        e.list(self.signed.len());
        for signed in &self.signed {
            e.u64(signed.round);
            option_digest(e, signed.prepare.as_ref());
            option_digest(e, signed.commit.as_ref());
        }
    }
    fn encoded_len(&self) -> usize {
        let digest = |d: Option<Digest>| 1 + d.map_or(0, |_| 32);
        let signed = self.signed.iter();
        let signed = signed.map(|s| 8 + digest(s.prepare) + digest(s.commit));
        let change = self.change.as_ref().map_or(0, |c| c.encoded_len());
        8 + 8 + 1 + change + 4 + signed.sum::<usize>()
    }
}

impl Payload for Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Votes(_) => "votes",
            Self::Prepared(_) => "prepared",
            Self::Body(_) => "body",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Votes(votes) => votes.encode(&mut e),
            Self::Body(batch) => batch.encode(&mut e),
            Self::Prepared(certificate) => certificate.encode(&mut e),
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Votes(votes) => votes.encoded_len(),
            Self::Body(batch) => batch.encoded_len(),
            Self::Prepared(certificate) => certificate.encoded_len(),
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
    /// That of the vote; a PROPOSAL holds the proposer's PREPARE.
    pub(super) signature: Signature,
    pub(super) message: Arc<dyn Payload>,
}

/// Which message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Proposal,
    Prepare,
    Commit,
    Change,
}
