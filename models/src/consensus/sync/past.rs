//! What a replica of a chain of one block after the other has behind it, and how it knows.

use super::{CheckpointVotes, Peers, StateParts, States, Transfer, encode_option, option_len};
use crate::consensus::committed::Log;
use crate::consensus::members::Members;
use crate::consensus::roster::{Era, Roster};
use crate::consensus::tally::Voters;
use crate::consensus::{Ballot, Blocks, CheckpointHead as _, StateHead};
use crate::ledger::Snapshot;
use crate::ledger::state::parts::Prefix;
use crate::light::ProvenState;
use consim_core::SecretKey;
use consim_core::{
    Certificate, ChainId, Committed, Digest, Encoder, Holds, KeyId, Keyring, Mark, NodeId, Payload,
};
use std::any::Any;
use std::sync::Arc;

/// Checkpoints above the last stable one for which votes are kept (assumed).
pub(in crate::consensus) const MAX_OPEN_CHECKPOINTS: u64 = 64;
/// A replica that is more than this behind a proven checkpoint takes the state over instead of the batches
/// that led to it (assumed, as PBFT's window).
pub(in crate::consensus) const MAX_REPLAYED: u64 = 256;

/// What is decided, and what of it others can be shown.
#[derive(Debug)]
pub(in crate::consensus) struct Past {
    /// The last sequence number that was handed up.
    pub(in crate::consensus) executed: u64,
    /// The last one that came from the disk of an earlier life.
    pub(in crate::consensus) replayed: u64,
    /// The proof of the last decision, or of the state that was taken over.
    pub(in crate::consensus) decided: Option<Arc<Certificate>>,
    /// What was handed up: the service of those that are behind.
    pub(in crate::consensus) log: Log,
    /// The time of the block before the first in the log.
    base_ns: i64,
    /// Its number and its batch, if they are known.
    base: Option<(u64, Digest)>,
    pub(in crate::consensus) checkpoints: States<StateHead>,
    pub(in crate::consensus) votes: CheckpointVotes,
    pub(in crate::consensus) transfer: Transfer<StateHead>,
    /// What is known of the others' progress.
    pub(in crate::consensus) peers: Peers,
    /// Set while it must not sign: its disk was wiped.
    pub(in crate::consensus) silent: Option<Silent>,
}

impl Past {
    /// Of a replica that has not started, in a group of `n`, which keeps so many batches.
    pub(in crate::consensus) fn new(n: usize, keep: Option<u64>) -> Self {
        Self {
            executed: 0,
            replayed: 0,
            decided: None,
            log: Log::new(keep),
            base_ns: 0,
            base: Some((0, Digest::ZERO)),
            checkpoints: States::default(),
            votes: CheckpointVotes::default(),
            transfer: Transfer::default(),
            peers: Peers::new(n),
            silent: None,
        }
    }
    /// A state stands for all up to here.
    pub(in crate::consensus) fn restart(
        &mut self,
        sequence: u64,
        proof: Option<Arc<Certificate>>,
        state: &Snapshot,
    ) {
        self.executed = sequence;
        self.decided = proof;
        self.log.restart(sequence);
        self.base_ns = state.header.as_ref().map_or(0, |header| header.time_ns);
        let header = state.header.as_ref();
        self.base = header.map(|header| (header.sequence, header.batch));
    }
    /// The time of the last batch, as its proposer put it; of the last block, if a state was taken over.
    pub(in crate::consensus) fn time_ns(&self) -> i64 {
        let last = self.log.get(self.executed);
        last.map_or(self.base_ns, |last| last.batch.time_ns())
    }
    /// What was decided at a number, if a state stands for it; nothing at 0.
    pub(in crate::consensus) fn base_digest(&self, sequence: u64) -> Option<Digest> {
        let base = self.base.filter(|(number, _)| *number == sequence);
        base.map(|(_, batch)| batch)
    }
    /// The last stable checkpoint with its state, if that is kept.
    pub(in crate::consensus) fn proven_state(&self) -> Option<ProvenState> {
        let certificate = self.checkpoints.proof.clone()?;
        let kept = self.checkpoints.kept(certificate.sequence)?;
        Some(ProvenState {
            head: Arc::clone(&kept.head),
            state: kept.state.clone(),
            certificate,
        })
    }
    /// The last stable checkpoint.
    pub(in crate::consensus) fn stable(&self) -> u64 {
        let proof = self.checkpoints.proof.as_ref();
        proof.map_or(0, |proof| proof.sequence)
    }
}

/// A replica that came back with a disk that may have forgotten what it signed: it signs nothing that could
/// contradict it. It follows and executes.
#[derive(Debug, Default)]
pub(in crate::consensus) struct Silent {
    /// Who has said so far where the group is, and shown it.
    pub(in crate::consensus) answered: Members,
    /// The last decision that any of them has shown.
    pub(in crate::consensus) shown: u64,
    /// Are these enough to know?
    pub(in crate::consensus) known: bool,
}

/// Where a replica stands in its group.
#[derive(Clone, Copy, Debug)]
pub(in crate::consensus) struct Site<'a> {
    pub(in crate::consensus) chain: ChainId,
    /// Its index among everybody who is or may become a member.
    pub(in crate::consensus) me: usize,
    /// Who decides what.
    pub(in crate::consensus) roster: &'a Roster,
    /// Those who decide what is under way.
    pub(in crate::consensus) era: &'a Era,
    /// Blocks between checkpoints.
    pub(in crate::consensus) interval: u64,
    pub(in crate::consensus) keys: &'a Keyring,
    pub(in crate::consensus) key: &'a SecretKey,
    /// All keys of this replica.
    pub(in crate::consensus) own: &'a [Arc<SecretKey>],
}

impl Voters for Site<'_> {
    fn keys(&self) -> &Keyring {
        self.keys
    }
    fn quorum(&self) -> usize {
        self.era.quorum
    }
}

impl Site<'_> {
    /// The same with those who decide at this sequence number.
    pub(in crate::consensus) fn at(&self, sequence: u64) -> Self {
        let era = self.roster.at(sequence);
        let key = era.key_of(self.node(self.me));
        let key = self.own.iter().find(|own| own.id() == key);
        Self {
            era,
            key: key.map_or(self.key, |key| &**key),
            ..*self
        }
    }
    /// Member `index`.
    pub(in crate::consensus) fn node(&self, index: usize) -> NodeId {
        let node = self.roster.everybody().get(index);
        node.copied().unwrap_or_default()
    }
    /// The key by which member `index` votes.
    pub(in crate::consensus) fn key_of(&self, index: usize) -> KeyId {
        self.era.key_of(self.node(index))
    }
    /// Is this signed by a quorum of those who decide there?
    pub(in crate::consensus) fn holds(&self, proof: &Certificate) -> bool {
        let era = self.roster.at(proof.sequence);
        proof.verify(self.chain, &era.signers, era.quorum, self.keys)
    }
}

/// What replicas say to each other in order to catch up.
#[derive(Debug)]
pub(in crate::consensus) enum Word {
    /// How far this one is, with the question how far others are.
    Question,
    /// It has executed up to a checkpoint.
    Checkpoint(Ballot),
    /// It asks for decided batches from this one on.
    FetchBlocks(u64),
    /// Decided batches with their certificates.
    Blocks(Blocks),
    /// The blocks with changes of the members, one after the other: who decides, and why.
    Links(Vec<Arc<Committed>>),
    /// It asks for these parts of the state at a checkpoint.
    FetchState(u64, Vec<Prefix>),
    /// Parts of a state.
    State(StateParts<StateHead>),
}

/// The marks of a protocol for what happens here.
#[derive(Clone, Copy, Debug)]
pub(in crate::consensus) struct Marks {
    pub(in crate::consensus) blocks_gone: &'static Mark,
    pub(in crate::consensus) blocks_refused: &'static Mark,
    pub(in crate::consensus) unanswered: &'static Mark,
    pub(in crate::consensus) checkpoint_ahead: &'static Mark,
    pub(in crate::consensus) told_again: &'static Mark,
    pub(in crate::consensus) state_sought: &'static Mark,
    pub(in crate::consensus) silence_over: &'static Mark,
    pub(in crate::consensus) came_back_silent: &'static Mark,
    pub(in crate::consensus) came_back_from_state: &'static Mark,
    pub(in crate::consensus) log_cut: &'static Mark,
    pub(in crate::consensus) scrubbed: &'static Mark,
    /// Those of its changes of members, if it has any.
    pub(in crate::consensus) members: Option<MemberMarks>,
}

/// The marks of a protocol whose members change.
#[derive(Clone, Copy, Debug)]
pub(in crate::consensus) struct MemberMarks {
    pub(in crate::consensus) changed: &'static Mark,
    pub(in crate::consensus) links_taken: &'static Mark,
    pub(in crate::consensus) links_refused: &'static Mark,
    pub(in crate::consensus) state_too_new: &'static Mark,
}

/// Where on its disk a protocol keeps what is decided.
#[derive(Clone, Copy, Debug)]
pub(in crate::consensus) struct Tables {
    /// The log of decided batches.
    pub(in crate::consensus) log: u8,
    /// The table whose cell 0 holds the proof of the last stable checkpoint.
    pub(in crate::consensus) stable: u8,
    /// The table whose cell 0 holds a state that was taken over: what was in the log before is void.
    pub(in crate::consensus) taken: u8,
    /// The table whose cell 0 says that what this replica signed is on this disk.
    pub(in crate::consensus) started: u8,
    /// The tables that hold the votes of the protocol itself, or what these are counted from.
    pub(in crate::consensus) promises: &'static [u8],
}

/// What a protocol is to the mechanism of this folder.
#[derive(Clone, Copy, Debug)]
pub(in crate::consensus) struct Profile {
    pub(in crate::consensus) marks: Marks,
    pub(in crate::consensus) tables: Tables,
    /// The vote kind of the certificates of batches.
    pub(in crate::consensus) decides: u8,
    /// The vote kind of checkpoints (view 0; the digest is the state's).
    pub(in crate::consensus) checkpoint: u8,
    /// Decisions above the last that others show which a replica that forgot its votes waits for.
    pub(in crate::consensus) forgotten: u64,
}

/// A cell of the disk.
#[derive(Debug)]
pub(in crate::consensus) enum Record {
    /// The proof of a stable checkpoint.
    Stable(Arc<Certificate>),
    /// What this replica signed is on this disk.
    Started,
    /// A state that was taken over, with what a checkpoint proves beside it.
    Taken {
        /// The chain; not written, since a disk is one replica's.
        chain: ChainId,
        sequence: u64,
        /// The proof of the checkpoint.
        proof: Option<Arc<Certificate>>,
        head: Arc<StateHead>,
        state: Arc<Snapshot>,
        /// The blocks before it with changes of the members.
        links: Vec<Arc<Committed>>,
    },
}

/// What a cell holds, if it is one of these.
pub(in crate::consensus) fn record(value: &Arc<dyn Payload>) -> Option<&Record> {
    value.as_any().downcast_ref()
}

impl Payload for Record {
    fn kind(&self) -> &'static str {
        match self {
            Self::Stable(_) => "stable",
            Self::Started => "started",
            Self::Taken { .. } => "taken",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        match self {
            Self::Stable(certificate) => certificate.encode(&mut e),
            Self::Started => {}
            Self::Taken {
                sequence,
                proof,
                head,
                state,
                links,
                ..
            } => {
                e.u64(*sequence);
                encode_option(&mut e, proof.as_ref());
                head.encode(&mut e);
                // Where members never change the record is as it would be without links.
                for link in links {
                    link.encode(&mut e);
                }
                state.encode(out);
            }
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Stable(certificate) => certificate.encoded_len(),
            Self::Started => 0,
            Self::Taken {
                proof,
                head,
                state,
                links,
                ..
            } => {
                let links = links.iter().map(|link| link.encoded_len());
                let head = head.encoded_len() + links.sum::<usize>();
                8 + option_len(proof.as_ref()) + head + state.encoded_len()
            }
        }
    }
    fn holds(&self) -> Option<Holds> {
        match self {
            Self::Taken {
                chain, sequence, ..
            } => Some(Holds::UpTo(*chain, *sequence)),
            _ => None,
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
