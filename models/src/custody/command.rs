//! Commands on the chain, and what is said of them.

use super::unit::{Life, Totals};
use crate::orders::{self, Coded};
use consim_core::{CodecError, Decoder, Encoder, NodeId, OpId};

/// The family byte of custody messages.
pub const FAMILY: u8 = 5;
/// The version of the command encoding.
const VERSION: u8 = 1;

/// What can happen to a unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// It comes into being and is held by who commissions it.
    Commission,
    /// Its holder hands it over.
    HandOver {
        /// To whom.
        to: NodeId,
    },
    /// Whoever it was handed over to takes it.
    Accept,
    /// Its holder takes a hand-over back that nobody has accepted.
    Withdraw,
    /// Its holder hands it to a patient.
    Dispense,
    /// Its holder takes it off the market.
    Decommission,
    /// Somebody looks it up.
    Trace,
}

/// A command: the body of a transaction. Also what a user wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Something happens to a unit.
    Unit {
        /// Its serial.
        unit: u64,
        /// What.
        deed: Deed,
    },
    /// Somebody asks how many units there are.
    Count,
}

impl Coded for Command {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(VERSION);
        let Self::Unit { unit, deed } = self else {
            e.u8(7);
            return;
        };
        match deed {
            Deed::Commission => e.u8(0).u64(*unit),
            Deed::HandOver { to } => e.u8(1).u64(*unit).u32(to.0),
            Deed::Accept => e.u8(2).u64(*unit),
            Deed::Withdraw => e.u8(3).u64(*unit),
            Deed::Dispense => e.u8(4).u64(*unit),
            Deed::Decommission => e.u8(5).u64(*unit),
            Deed::Trace => e.u8(6).u64(*unit),
        };
    }
    fn encoded_len(&self) -> usize {
        2 + match self {
            Self::Unit {
                deed: Deed::HandOver { .. },
                ..
            } => 8 + 4,
            Self::Unit { .. } => 8,
            Self::Count => 0,
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match d.u8()? {
            VERSION => {}
            other => return Err(CodecError::Version(other)),
        }
        let tag = d.u8()?;
        if tag == 7 {
            return Ok(Self::Count);
        }
        let unit = d.u64()?;
        let deed = match tag {
            0 => Deed::Commission,
            1 => Deed::HandOver {
                to: NodeId(d.u32()?),
            },
            2 => Deed::Accept,
            3 => Deed::Withdraw,
            4 => Deed::Dispense,
            5 => Deed::Decommission,
            6 => Deed::Trace,
            tag => return Err(CodecError::Tag(tag)),
        };
        Ok(Self::Unit { unit, deed })
    }
}

impl orders::Command for Command {
    const FAMILY: u8 = FAMILY;
    type Said = Said;
}

impl orders::Wish for Command {
    type Command = Self;
    fn name(&self) -> &'static str {
        match self {
            Self::Unit { deed, .. } => match deed {
                Deed::Commission => "commission",
                Deed::HandOver { .. } => "hand-over",
                Deed::Accept => "accept",
                Deed::Withdraw => "withdraw",
                Deed::Dispense => "dispense",
                Deed::Decommission => "decommission",
                Deed::Trace => "trace",
            },
            Self::Count => "count",
        }
    }
    fn command(&self, _op: OpId) -> Self {
        *self
    }
}

/// What a server says of an executed command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// It happened.
    Done,
    /// Where the unit is in its life; nothing if nobody commissioned it.
    Traced(Option<Life>),
    /// How many units there are.
    Counted(Totals),
}

impl orders::Said for Said {
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Done => {
                e.u8(0);
            }
            Self::Traced(None) => {
                e.u8(1);
            }
            Self::Traced(Some(life)) => life.encode(e.u8(2)),
            Self::Counted(totals) => totals.encode(e.u8(5)),
        }
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Done | Self::Traced(None) => 0,
            Self::Traced(Some(life)) => life.encoded_len(),
            Self::Counted(totals) => totals.encoded_len(),
        }
    }
    fn decode(tag: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match tag {
            0 => Self::Done,
            1 => Self::Traced(None),
            2 => Self::Traced(Some(Life::decode(d)?)),
            5 => Self::Counted(Totals::decode(d)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}
