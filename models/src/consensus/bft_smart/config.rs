//! Options, limits and the resolved view of who is in the group.

use super::super::{BlockLimits, ReplicaConfig, byzantine_quorum};
use super::marks;
use crate::consensus::intake::Intake;
use crate::consensus::seat::Seat;
use crate::consensus::tally::Voters;
use consim_core::{Keyring, Span};
use std::ops::Deref;

/// BFT-SMaRt's options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BftSmartOptions {
    /// Where requests go.
    pub requests: Requests,
}

impl Default for BftSmartOptions {
    /// The defaults of the scenario language.
    fn default() -> Self {
        Self {
            requests: Requests::ToAll,
        }
    }
}

/// Where the requests that a node takes in go at first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Requests {
    /// To all replicas, which then watch over the leader (EDCC 2012, section 5: clients send to all).
    ToAll,
    /// To the leader alone, until it is too slow.
    ToLeader,
}

/// The regencies of one group: those of the members after change c are numbered from c times this on, so that
/// nobody takes one for one of other members (as epochs are in the upper half of ZooKeeper's `zxid`). More than
/// a run comes to (assumed).
pub const REGENCIES: u64 = 1_000_000;
/// Messages of regencies and consensuses still to come that are kept for one member (assumed): what does
/// not fit is asked for again.
pub const MAX_FUTURE: u16 = 64;
/// The timer doubles at most this often (assumed): 64 times the first.
pub const MAX_BACKOFF: u32 = 6;
/// What may have been lost is repeated after half of the time of the first timer, and then this often in
/// as much time (assumed, as PBFT's).
pub const STEPS: u64 = 8;
/// Ticks in the time of the first timer (assumed).
pub const TICKS: u64 = 2;
/// A replica that forgot its votes waits until this many consensuses above the last that others show to be
/// decided are decided too. It had voted in consensus s at most, for which s - 1 was decided: a quorum of q
/// accepted that, of whom at least q - f neither lie nor forgot, and these had decided s - 2. Of the other
/// n - 1 members it hears n - 1 - f, who cannot all be outside of these, since (n - 1) - (q - f) < n - 1 - f
/// for every q > 2f.
pub const FORGOTTEN: u64 = 2;

/// The configuration in the form that the message path wants it in.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) seat: Seat,
    pub(super) block: BlockLimits,
    pub(super) timeout: Span,
    pub(super) requests: Requests,
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
    pub(super) fn new(config: ReplicaConfig, options: BftSmartOptions) -> Self {
        Self {
            block: BlockLimits {
                transactions: config.block.transactions.max(1),
                ..config.block
            },
            timeout: config.timeout,
            seat: Seat::new(config, byzantine_quorum),
            requests: options.requests,
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
    /// Who leads a regency (EDCC 2012, section 3: regency mod n): the members of a change begin with the leader
    /// who put it forward.
    pub(super) fn leader(&self, regency: u64) -> usize {
        let turn = regency % REGENCIES;
        self.in_turn(self.era().lead.saturating_add(turn))
    }
    /// The first regency of those who decide what is under way; it begins by itself.
    pub(super) fn first_regency(&self) -> u64 {
        self.era().change.saturating_mul(REGENCIES)
    }
    /// Is this a regency of theirs?
    pub(super) fn is_ours(&self, regency: u64) -> bool {
        regency / REGENCIES == self.era().change
    }
    /// How long a request may take at first before something is done about it: the configured timer, and
    /// the time that a transaction may rightly wait for its block.
    pub(super) fn patience(&self) -> Span {
        self.block.wait + self.timeout
    }
    /// From the last progress to the first look at what may have been lost.
    pub(super) fn first_step(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / 2).max(1))
    }
    /// Between two looks from then on: longer the longer it lasts. At most the time of the first timer.
    pub(super) fn step(&self, lasted: Span) -> Span {
        let patience = self.patience().nanos();
        let step = (lasted.nanos() / STEPS).clamp(patience / STEPS, patience);
        Span::from_nanos(step.max(1))
    }
    /// Between two looks at whether anything was missed while nothing waits.
    pub(super) fn tick(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / TICKS).max(1))
    }
}
