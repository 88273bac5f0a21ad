//! What a replica knows of a peer, and what is on its way to it (`PeerState` of CometBFT).

use super::super::rounds::Phase;
use super::wire::Has;
use crate::consensus::members::Members;
use consim_core::{NodeId, Payload, Time, Tx};
use std::sync::Arc;

/// Sets of votes that are remembered of a peer (assumed): both kinds of a few rounds.
const MAX_KNOWN: usize = 16;

/// Whose votes of one kind in one round a peer has.
#[derive(Debug)]
pub(super) struct Known {
    round: u64,
    phase: Phase,
    pub(super) voters: Members,
    /// Up to there this replica's own votes were looked at: the peer has them, or they are on their way.
    pub(super) sent: usize,
    /// Up to there it was told which ones are here.
    pub(super) told: usize,
    /// Was it told that none are wanted any more?
    pub(super) told_enough: bool,
}

/// A peer.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) index: usize,
    pub(super) node: NodeId,
    /// Where it is; height 0: nobody knows.
    pub(super) height: u64,
    pub(super) round: u64,
    /// Does it have the header of its round, and which of the parts?
    pub(super) header: bool,
    pub(super) parts: Members,
    known: Vec<Known>,
    /// It said, at a lower height than this replica's, all that it has: it misses something.
    pub(super) stuck: bool,
    /// The height whose commit it was sent.
    pub(super) commit: u64,
    /// Height, round and step that it was told of, and whether of all the parts.
    pub(super) told: (u64, u64, u8),
    pub(super) told_parts: bool,
    /// What waits to be flushed, how many bytes, and until when.
    pub(super) out: Vec<Arc<dyn Payload>>,
    pub(super) txs: Vec<Arc<Tx>>,
    pub(super) bytes: usize,
    pub(super) due: Option<Time>,
}

impl Peer {
    pub(super) fn new(index: usize, node: NodeId) -> Self {
        Self {
            index,
            node,
            height: 0,
            round: 0,
            header: false,
            parts: Members::default(),
            known: Vec::new(),
            stuck: false,
            commit: 0,
            told: (0, 0, 0),
            told_parts: false,
            out: Vec::new(),
            txs: Vec::new(),
            bytes: 0,
            due: None,
        }
    }
    /// Is it there?
    pub(super) fn is_at(&self, height: u64, round: u64) -> bool {
        (self.height, self.round) == (height, round)
    }
    /// What it has of these votes.
    pub(super) fn known(&mut self, round: u64, phase: Phase) -> &mut Known {
        let here = |known: &Known| (known.round, known.phase) == (round, phase);
        let at = self.known.iter().position(here).unwrap_or_else(|| {
            if self.known.len() >= MAX_KNOWN {
                self.known.remove(0);
            }
            self.known.push(Known {
                round,
                phase,
                voters: Members::default(),
                sent: 0,
                told: 0,
                told_enough: false,
            });
            self.known.len() - 1
        });
        &mut self.known[at]
    }
    fn forget_round(&mut self) {
        self.header = false;
        self.parts = Members::default();
    }
    /// Nothing is known of what it has, but where it is.
    fn forget(&mut self) {
        self.forget_round();
        self.known.clear();
        self.stuck = false;
    }
    /// Everything is to be told to it again.
    pub(super) fn tell_again(&mut self) {
        self.told = (0, 0, 0);
        self.told_parts = false;
        for known in &mut self.known {
            (known.told, known.told_enough) = (0, false);
        }
    }
    /// It says where it is and what it has; `height` is this replica's. What is older than what is known is
    /// not looked at.
    pub(super) fn says(&mut self, has: &Has, height: u64) {
        let (before, now) = ((self.height, self.round), (has.height, has.round));
        if now < before && !has.whole {
            return;
        }
        if has.height != self.height {
            self.forget();
        } else if has.round != self.round {
            self.forget_round();
        }
        (self.height, self.round) = now;
        if has.whole {
            self.forget();
            self.commit = 0;
            self.stuck = has.height < height;
        }
        if let Some(parts) = &has.parts {
            self.header = true;
            self.parts.extend(parts);
        }
        for (round, kind, words) in &has.votes {
            if let Some(phase) = Phase::of(*kind) {
                self.known(*round, phase).voters.extend(words);
            }
        }
    }
}
