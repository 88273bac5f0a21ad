//! A unit in the state, and how many there are.

use crate::orders::Coded;
use consim_core::{CodecError, Decoder, Encoder, NodeId};

/// Where a unit is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// Somebody has it.
    Held {
        /// Who.
        holder: NodeId,
        /// To whom it is handed over; theirs once they accept it.
        offered: Option<NodeId>,
    },
    /// It was handed to a patient.
    Dispensed,
    /// It was taken off the market.
    Decommissioned,
}

impl Coded for Life {
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Held {
                holder,
                offered: None,
            } => e.u8(0).u32(holder.0),
            Self::Held {
                holder,
                offered: Some(to),
            } => e.u8(1).u32(holder.0).u32(to.0),
            Self::Dispensed => e.u8(2),
            Self::Decommissioned => e.u8(3),
        };
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::Held { offered: None, .. } => 5,
            Self::Held { .. } => 9,
            Self::Dispensed | Self::Decommissioned => 1,
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => Self::Held {
                holder: NodeId(d.u32()?),
                offered: None,
            },
            1 => Self::Held {
                holder: NodeId(d.u32()?),
                offered: Some(NodeId(d.u32()?)),
            },
            2 => Self::Dispensed,
            3 => Self::Decommissioned,
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// How many units there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Came into being.
    pub commissioned: u64,
    /// Somebody has them.
    pub held: u64,
    /// Were handed to patients.
    pub dispensed: u64,
    /// Were taken off the market.
    pub decommissioned: u64,
}

impl Coded for Totals {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.commissioned)
            .u64(self.held)
            .u64(self.dispensed)
            .u64(self.decommissioned);
    }
    fn encoded_len(&self) -> usize {
        4 * 8
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            commissioned: d.u64()?,
            held: d.u64()?,
            dispensed: d.u64()?,
            decommissioned: d.u64()?,
        })
    }
}

/// The key of the state under which a unit is kept.
pub(super) fn unit_key(unit: u64) -> [u8; 9] {
    let [a, b, c, d, e, f, g, h] = unit.to_be_bytes();
    [b'u', a, b, c, d, e, f, g, h]
}

/// The key of the state under which the totals are kept.
pub(super) const TOTALS: &[u8] = b"t";
