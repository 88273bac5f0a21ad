//! Options, limits and the resolved view of who is in the group.

use super::super::{BlockLimits, ReplicaConfig, byzantine_quorum};
use super::gossip;
use super::marks;
use crate::consensus::intake::Intake;
use crate::consensus::seat::Seat;
use crate::consensus::tally::Voters;
use consim_core::{Keyring, Span};
use std::ops::Deref;

/// Tendermint's options: how long each step of a round may take (arXiv 1807.04938, section 4: timeouts grow
/// with the round, so that they are long enough at some time). What is left out follows the chain's timer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TendermintOptions {
    /// For the proposal.
    pub propose: Terms,
    /// For prevotes of one value, once a quorum prevoted anything.
    pub prevote: Terms,
    /// For precommits of one value, once a quorum precommitted anything.
    pub precommit: Terms,
    /// What the time of a block is.
    pub time: BlockTime,
    /// From a decision to the next height (`timeout_commit` of CometBFT).
    pub commit: Span,
    /// Proposals and votes go from peer to peer; `None`: from each member to each other.
    pub gossip: Option<gossip::Terms>,
    /// So do transactions.
    pub flood: bool,
}

/// What the time of a block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum BlockTime {
    /// The median of the times that came with the precommits of the block before.
    #[default]
    Bft,
    /// Its proposer's, if others find that timely.
    Proposer(Synchrony),
}

/// What is timely: how far clocks are apart, and how long a proposal takes, at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Synchrony {
    /// `PRECISION`.
    pub precision: Span,
    /// `MSGDELAY` in round 0.
    pub message_delay: Span,
}

impl Default for Synchrony {
    /// Those of CometBFT v1.0 (`DefaultSynchronyParams`).
    fn default() -> Self {
        Self {
            precision: Span::from_millis(505),
            message_delay: Span::from_secs(15),
        }
    }
}

/// How long a step may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// In round 0; `None`: the chain's timer.
    pub first: Option<Span>,
    /// So much longer in each round; `None`: half of the chain's timer.
    pub delta: Option<Span>,
}

impl Terms {
    /// In this round, where the chain's timer is `timeout`.
    fn at(self, round: u64, timeout: Span) -> Span {
        let delta = self.delta.unwrap_or(Span::from_nanos(timeout.nanos() / 2));
        let more = delta.nanos().saturating_mul(round.min(MAX_DELTAS));
        let first = self.first.unwrap_or(timeout);
        Span::from_nanos(first.nanos().saturating_add(more).max(1))
    }
}

/// The longest `PRECISION` (`MaxPrecision` of CometBFT v1.0).
pub const MAX_PRECISION: Span = Span::from_secs(30);
/// The longest `MSGDELAY`, in whatever round (`MaxMessageDelay` of CometBFT v1.0).
pub const MAX_MESSAGE_DELAY: Span = Span::from_secs(24 * 3_600);
/// Timeouts grow this often at most (assumed): a member cannot make them endless by rounds in vain.
pub const MAX_DELTAS: u64 = 64;
/// Messages of rounds and heights still to come that are kept for one member (assumed): what does not fit
/// is asked for again.
pub const MAX_FUTURE: u16 = 64;
/// Rounds of a height whose votes are kept, the present one among them (assumed): precommits of an earlier
/// round still decide (line 49), and whoever is behind needs them to go on.
pub const MAX_ROUNDS: usize = 4;
/// What may have been lost is repeated after half of the time of the first timer, and then this often in
/// as much time (assumed, as PBFT's).
pub const STEPS: u64 = 8;
/// From peer to peer, a round takes so many hops (assumed): two for each of its three messages.
pub const HOPS: u64 = 6;
/// Ticks in the time of the first timer (assumed).
pub const TICKS: u64 = 2;
/// A replica that forgot its votes waits until this many heights above the last that others show to be
/// decided are decided too: it voted in height h only when h - 1 was decided, as in BFT-SMaRt
/// (`bft_smart::config::FORGOTTEN`, where this is counted out).
pub const FORGOTTEN: u64 = 2;

/// The configuration in the form that the message path wants it in.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) seat: Seat,
    pub(super) block: BlockLimits,
    pub(super) timeout: Span,
    options: TendermintOptions,
}

impl Deref for Group {
    type Target = Seat;
    fn deref(&self) -> &Seat {
        &self.seat
    }
}

impl Voters for Group {
    fn keys(&self) -> &Keyring {
        &self.seat.keys
    }
    fn quorum(&self) -> usize {
        self.seat.quorum()
    }
}

impl Group {
    pub(super) fn new(config: ReplicaConfig, options: TendermintOptions) -> Self {
        Self {
            block: BlockLimits {
                transactions: config.block.transactions.max(1),
                ..config.block
            },
            timeout: config.timeout,
            seat: Seat::new(config, byzantine_quorum),
            options,
        }
    }
    /// What a transaction has to be to come in.
    pub(super) fn intake(&self) -> Intake<'_> {
        Intake {
            chain: self.chain,
            keys: &self.keys,
            limits: &self.block,
            full: &marks::MEMPOOL_FULL,
        }
    }

    // ---- time ------------------------------------------------------------------------------------

    /// What the time of a block is.
    pub(super) fn time(&self) -> BlockTime {
        self.options.time
    }
    /// `timeoutPropose(round)`; a transaction may rightly wait for its block as long.
    pub(super) fn timeout_propose(&self, round: u64) -> Span {
        self.block.wait + self.options.propose.at(round, self.timeout)
    }
    /// `timeoutPrevote(round)`.
    pub(super) fn timeout_prevote(&self, round: u64) -> Span {
        self.options.prevote.at(round, self.timeout)
    }
    /// From a decision to the next height.
    pub(super) fn commit(&self) -> Span {
        self.options.commit
    }
    /// `timeoutPrecommit(round)`.
    pub(super) fn timeout_precommit(&self, round: u64) -> Span {
        self.options.precommit.at(round, self.timeout)
    }
    /// How long a transaction may take at first before something is done about it: the configured timer, and
    /// the time that it may rightly wait for its block.
    pub(super) fn patience(&self) -> Span {
        self.block.wait + self.timeout + self.options.commit
    }
    /// From the last progress to the first look at what may have been lost.
    pub(super) fn first_step(&self) -> Span {
        let on_the_way = self.hop().times(HOPS);
        Span::from_nanos((self.patience().nanos() / 2).max(1)) + on_the_way
    }
    /// From one peer to the next, where messages go so: what a routine sleeps and a buffer holds back.
    fn hop(&self) -> Span {
        let terms = self.options.gossip;
        terms.map_or(Span::ZERO, |terms| terms.sleep + terms.flush)
    }
    /// From one look to the next.
    pub(super) fn step(&self) -> Span {
        let hop = self.hop().nanos();
        Span::from_nanos((self.patience().nanos() / STEPS).max(hop).max(1))
    }
    /// Between two looks at whether anything was missed while nothing waits.
    pub(super) fn tick(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / TICKS).max(1))
    }
}
