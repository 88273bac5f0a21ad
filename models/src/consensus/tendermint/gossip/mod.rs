//! How CometBFT spreads what Tendermint says (arXiv 1807.04938, section 2.1: what one correct process got, all get
//! in the end): its consensus reactor (CometBFT, `spec/consensus/reactor.md`, `internal/consensus/reactor.go`) and
//! its mempool reactor.
//!
//! Members hold connections with peers, not with all. Upon each step of its own a replica tells its peers where it
//! is and whose votes it has (HAS); of each peer it keeps what that is known to have (`peer.rs`).
//!
//! - A PROPOSAL goes as a HEADER, which its proposer signs, and the block in parts of 64 kB, each with the proof that
//!   it is one of the header's (`parts.rs`). Upon all parts: the block is read, and is a PROPOSAL from then on.
//! - A routine for each peer (`send.rs`) sends what that lacks, in its height and round: the header, parts, votes.
//!   When there is nothing to send it sleeps for [`SLEEP`].
//! - To a peer in the height before, it sends the parts and the precommits by which that was decided; to one that
//!   is further behind, or still there when it says what it has, the COMMIT: all precommits at once.
//! - What is sent waits in the connection's buffer, until that holds [`BUFFER`] or [`FLUSH`] is over.
//! - Upon a restart, or when nothing comes of what it waits for: tell peers all that it has, and ask for theirs.
//!   This is what new connections are in CometBFT, and what VoteSetMaj23 and VoteSetBits are for.
//! - Transactions and votes for checkpoints go to each peer but the one that they came from (`flood.rs`).
//!
//! Routines of all peers sleep for one time, so that they wake in turns, [`SLOTS`] in it. A vote that is not needed
//! any more, since there is a quorum for a value, is neither verified nor asked for.

mod flood;
mod parts;
mod peer;
mod receive;
mod send;
#[cfg(test)]
mod tests;
mod wire;

#[cfg(test)]
pub(super) use parts::Cut;
pub use parts::{MAX_PARTS, PART, Part};
pub use wire::{Commit, Has, Header, MAX_SETS, MAX_WORDS};

use super::message::Ballot;
use super::rounds::Phase;
use consim_core::{Certificate, Committed, NodeId, Span};
use parts::Assembly;
use peer::Peer;
use std::collections::VecDeque;
use std::sync::Arc;

/// How long a routine sleeps that finds nothing to send (CometBFT v0.38, `config.toml`:
/// `peer_gossip_sleep_duration = "100ms"`).
pub const SLEEP: Span = Span::from_millis(100);
/// How long what was sent may wait in the buffer of a connection (CometBFT v0.38, `config.toml`:
/// `flush_throttle_timeout = "100ms"`).
pub const FLUSH: Span = Span::from_millis(100);
/// Bytes that such a buffer holds (CometBFT, `p2p/conn/connection.go`: `minWriteBufferSize`).
pub const BUFFER: usize = 65_536;
/// Times in [`SLEEP`] at which routines of one node wake (assumed): each routine of CometBFT has its own.
pub const SLOTS: u64 = 5;
/// Decided heights whose parts are kept for peers that are behind (assumed): who is further behind fetches blocks,
/// as by the block sync of CometBFT.
const KEPT: usize = 8;

/// How gossip goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// How long a routine sleeps that finds nothing to send.
    pub sleep: Span,
    /// How long what was sent may wait in the buffer of a connection.
    pub flush: Span,
    /// Bytes of a part.
    pub part: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            sleep: SLEEP,
            flush: FLUSH,
            part: PART,
        }
    }
}

/// The votes of one kind in one round that are here and can be passed on, in the order in which they came.
#[derive(Debug)]
struct Heard {
    round: u64,
    phase: Phase,
    ballots: Vec<(usize, Ballot)>,
}

/// A height that is decided, for peers that are still in it.
#[derive(Debug)]
struct Kept {
    height: u64,
    block: Assembly,
    /// The round that decided, its precommits as they came, and as they are in the block.
    round: u64,
    ballots: Vec<(usize, Ballot)>,
    certificate: Arc<Certificate>,
}

/// What a replica needs for it.
#[derive(Debug)]
pub(super) struct Gossip {
    /// Do votes and proposals go this way? Transactions may do so alone.
    pub(super) consensus: bool,
    pub(super) txs: bool,
    terms: Terms,
    /// In node order.
    peers: Vec<Peer>,
    heard: Vec<Heard>,
    blocks: Vec<Assembly>,
    /// The height under way is decided, as was shown, and its block is not here yet.
    commit: Option<Arc<Certificate>>,
    kept: VecDeque<Kept>,
    /// Wakes after the last news in which routines may find something.
    fresh: u64,
    armed: bool,
    /// When routines wake first, after a multiple of [`Terms::sleep`].
    offset: u64,
}

impl Gossip {
    pub(super) fn new(
        (consensus, txs): (Option<Terms>, bool),
        me: NodeId,
        peers: impl Iterator<Item = (usize, NodeId)>,
    ) -> Self {
        let terms = consensus.unwrap_or_default();
        let sleep = terms.sleep.nanos().max(SLOTS);
        Self {
            consensus: consensus.is_some(),
            txs,
            terms,
            peers: peers.map(|(index, node)| Peer::new(index, node)).collect(),
            heard: Vec::new(),
            blocks: Vec::new(),
            commit: None,
            kept: VecDeque::new(),
            fresh: 0,
            armed: false,
            // Any, and of each node another.
            offset: consim_core::mix(u64::from(me.0), 0) % sleep,
        }
    }
    /// There may be something to send.
    fn news(&mut self) {
        self.fresh = SLOTS;
    }
    fn peer(&mut self, index: usize) -> Option<&mut Peer> {
        let at = self.peers.binary_search_by_key(&index, |peer| peer.index);
        self.peers.get_mut(at.ok()?)
    }
    /// The block that its proposer put forward in this round.
    fn block(&self, round: u64) -> Option<&Assembly> {
        self.blocks.iter().find(|block| block.header.round == round)
    }
    /// A vote is here, and verified.
    pub(super) fn hear(&mut self, phase: Phase, voter: usize, ballot: &Ballot) {
        self.news();
        let here = |heard: &&mut Heard| (heard.round, heard.phase) == (ballot.view, phase);
        match self.heard.iter_mut().find(here) {
            Some(heard) => heard.ballots.push((voter, *ballot)),
            None => self.heard.push(Heard {
                round: ballot.view,
                phase,
                ballots: vec![(voter, *ballot)],
            }),
        }
    }
    /// Rounds before this one are not kept any more.
    pub(super) fn drop_below(&mut self, round: u64) {
        self.heard.retain(|heard| heard.round >= round);
        let commit = self.commit.as_ref().map(|commit| commit.digest);
        let wanted =
            |block: &Assembly| block.header.round >= round || commit == Some(block.header.digest);
        self.blocks.retain(wanted);
    }
    /// A height is decided: its block and its precommits are kept for those who are not as far.
    pub(super) fn decided(&mut self, committed: &Committed) {
        let digest = committed.batch.digest();
        let whole = |block: &Assembly| block.batch.is_some() && block.header.digest == digest;
        let Some(at) = self.blocks.iter().position(whole) else {
            return;
        };
        let round = committed.certificate.view;
        let precommits =
            |heard: &&mut Heard| (heard.round, heard.phase) == (round, Phase::Precommit);
        let ballots = self.heard.iter_mut().find(precommits);
        let ballots = ballots.map(|heard| std::mem::take(&mut heard.ballots));
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Kept {
            height: committed.sequence,
            block: self.blocks.swap_remove(at),
            round,
            ballots: ballots.unwrap_or_default(),
            certificate: Arc::new(committed.certificate.clone()),
        });
    }
    /// Another height is under way.
    pub(super) fn leave(&mut self) {
        self.heard.clear();
        self.blocks.clear();
        self.commit = None;
        self.news();
    }
}
