//! What the workloads of all domain models have in common: who asks, how often, how patiently.

pub mod pace;

pub use pace::{Closed, Day, Pace, Spacing, Stretch, Together};

use consim_core::rng::below;
use consim_core::{CodecError, Decoder, Encoder, NodeId, Span, Time, WorkloadId};
use pace::Arrivals;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;

/// A share of one.
pub(crate) const BILLION: u64 = 1_000_000_000;

/// Whose users ask, and how patient they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// The workload.
    pub workload: WorkloadId,
    /// What counts as available, in place of the operations' own deadlines.
    pub deadline: Option<Span>,
    /// Wait before an operation is repeated.
    pub retry_after: Span,
    /// How often it is repeated before the user gives up.
    pub retry_times: u32,
}

impl Terms {
    /// The encoded length.
    pub(crate) const ENCODED: usize = 2 + OPTIONAL_SPAN + 8 + 4;

    pub(crate) fn encode(&self, e: &mut Encoder<'_>) {
        e.u16(self.workload.0);
        encode_optional(e, self.deadline);
        e.u64(self.retry_after.nanos()).u32(self.retry_times);
    }
    pub(crate) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            workload: WorkloadId(d.u16()?),
            deadline: decode_optional(d)?,
            retry_after: Span::from_nanos(d.u64()?),
            retry_times: d.u32()?,
        })
    }
}

/// A span that may be missing: nine bytes.
pub(crate) const OPTIONAL_SPAN: usize = 1 + 8;

pub(crate) fn encode_optional(e: &mut Encoder<'_>, span: Option<Span>) {
    e.u8(u8::from(span.is_some()))
        .u64(span.map_or(0, Span::nanos));
}

pub(crate) fn decode_optional(d: &mut Decoder<'_>) -> Result<Option<Span>, CodecError> {
    match (d.boolean()?, d.u64()?) {
        (true, ns) => Ok(Some(Span::from_nanos(ns))),
        (false, 0) => Ok(None),
        (false, _) => Err(CodecError::Invalid("missing span")),
    }
}

/// An institution as workloads see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// Where its users are.
    pub desk: NodeId,
    /// Its server, by which patients name it as grantee.
    pub server: NodeId,
}

/// What all workloads have in common.
#[derive(Clone, Debug)]
pub struct Common {
    /// Deadline and retries.
    pub terms: Terms,
    /// Where users come.
    pub places: Vec<Place>,
    /// How often.
    pub pace: Pace,
    /// The day.
    pub day: Day,
    /// First instant.
    pub from: Time,
    /// After the last instant.
    pub to: Time,
}

impl Common {
    /// The instants of a workload; recorded visits have none here.
    pub(crate) fn arrivals(&self) -> Arrivals {
        let (from, to) = (self.from, self.to);
        match &self.pace {
            Pace::Rates { rates, even } => Arrivals::new(rates, *even, self.day.clone(), from, to),
            Pace::Instants(instants) => Arrivals::at(instants, self.places.len(), from, to),
            Pace::Closed(closed) => Arrivals::closed(closed, from, to),
            Pace::Recorded(_) => Arrivals::new(&[], false, self.day.clone(), from, to),
        }
    }
}

/// A draw in `0..n`.
pub(crate) fn draw(rng: &mut ChaCha12Rng, n: u64) -> u64 {
    below(rng.next_u64(), n)
}

/// Happens with a share of `ppb` parts per billion.
pub(crate) fn happens(rng: &mut ChaCha12Rng, ppb: u32) -> bool {
    draw(rng, BILLION) < u64::from(ppb)
}

/// One of `items`.
pub(crate) fn pick<T: Copy>(rng: &mut ChaCha12Rng, items: &[T]) -> Option<T> {
    items.get(draw(rng, items.len() as u64) as usize).copied()
}
