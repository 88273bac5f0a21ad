//! Options, limits and the resolved view of who is in the group.

use super::super::{BlockLimits, ReplicaConfig};
use super::marks;
use crate::consensus::intake::Intake;
use crate::consensus::seat::Seat;
use crate::consensus::tally::Voters;
use consim_core::{Keyring, Span};
use std::ops::Deref;

/// Which of the two: what a ROUND-CHANGE signs and a PROPOSAL carries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Variant {
    /// QBFT: the prepares stand beside what is signed, and a proposal carries those of the highest round only.
    #[default]
    Qbft,
    /// IBFT 2.0: each ROUND-CHANGE holds its prepared certificate, and a proposal carries all of them.
    Ibft,
}

/// QBFT's and IBFT 2.0's options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QbftOptions {
    /// Which of the two.
    pub variant: Variant,
    /// The least time from the time of one block to that of the next (`blockperiodseconds` of Besu).
    pub period: Span,
    /// How long after its parent an empty block is put forward (`emptyblockperiodseconds` of GoQuorum); `None`:
    /// there are no empty blocks.
    pub empty_period: Option<Span>,
    /// Does the round timer double with each round (arXiv 2002.03613, section 4: `t` is exponential)?
    pub double_timeout: bool,
}

impl QbftOptions {
    /// What a scenario that says nothing more has.
    pub const fn of(variant: Variant) -> Self {
        Self {
            variant,
            period: Span::from_millis(1_000),
            empty_period: None,
            double_timeout: true,
        }
    }
}

/// The round timer doubles this often at most (assumed): 64 times the first.
pub const MAX_DOUBLINGS: u64 = 6;
/// How far ahead of a member's clock the time of a block may be, in nanoseconds (Besu's
/// `TimestampBoundedByFutureParameter` of its BFT protocols: one second).
pub const MAX_AHEAD_NS: i64 = 1_000_000_000;
/// Messages of rounds and heights still to come that are kept for one member (assumed): what does not fit
/// is said again.
pub const MAX_FUTURE: u16 = 64;
/// Rounds of a height whose votes are kept, the present one among them (assumed): commits of an earlier round
/// still decide (Algorithm 2, line 8).
pub const MAX_ROUNDS: usize = 4;
/// What may have been lost is repeated after half of the time of the first timer, and then this often in
/// as much time (assumed, as PBFT's).
pub const STEPS: u64 = 8;
/// Ticks in the time of the first timer (assumed).
pub const TICKS: u64 = 2;
/// A replica that forgot its votes waits until this many heights above the last that others show to be
/// decided are decided too: it voted in height h only when h - 1 was decided, as in BFT-SMaRt
/// (`bft_smart::config::FORGOTTEN`, where this is counted out).
pub const FORGOTTEN: u64 = 2;

/// Votes that make a quorum of `n`: ceil(2n/3) (R. Saltini and D. Hyland-Wood, arXiv 1909.10194, section 5.2).
pub const fn quorum(n: usize) -> usize {
    (2 * n).div_ceil(3)
}

/// The configuration in the form that the message path wants it in.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) seat: Seat,
    pub(super) block: BlockLimits,
    pub(super) timeout: Span,
    pub(super) options: QbftOptions,
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
    pub(super) fn new(config: ReplicaConfig, options: QbftOptions) -> Self {
        Self {
            block: BlockLimits {
                transactions: config.block.transactions.max(1),
                ..config.block
            },
            timeout: config.timeout,
            seat: Seat::new(config, quorum),
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
    /// Is the prepared certificate inside a ROUND-CHANGE, as in IBFT 2.0?
    pub(super) fn inside(&self) -> bool {
        self.options.variant == Variant::Ibft
    }

    // ---- time ------------------------------------------------------------------------------------

    /// `t(round)`: how long a round may take, besides what a transaction may rightly wait for its block.
    pub(super) fn timeout(&self, round: u64) -> Span {
        let doublings = if self.options.double_timeout {
            round.min(MAX_DOUBLINGS)
        } else {
            0
        };
        let term = self.timeout.nanos().saturating_mul(1 << doublings);
        Span::from_nanos(self.block.wait.nanos().saturating_add(term).max(1))
    }
    /// The period in nanoseconds, as clocks count.
    pub(super) fn period_ns(&self) -> i64 {
        i64::try_from(self.options.period.nanos()).unwrap_or(i64::MAX)
    }
    /// How long a transaction may take at first before something is done about it: the configured timer, and
    /// the time that it may rightly wait for its block.
    pub(super) fn patience(&self) -> Span {
        self.block.wait + self.options.period + self.timeout
    }
    /// From the last progress to the first look at what may have been lost.
    pub(super) fn first_step(&self) -> Span {
        let half = Span::from_nanos((self.timeout.nanos() / 2).max(1));
        self.block.wait + self.options.period + half
    }
    /// From one look to the next.
    pub(super) fn step(&self) -> Span {
        Span::from_nanos((self.timeout.nanos() / STEPS).max(1))
    }
    /// Between two looks at whether anything was missed while nothing waits.
    pub(super) fn tick(&self) -> Span {
        Span::from_nanos((self.patience().nanos() / TICKS).max(1))
    }
}
