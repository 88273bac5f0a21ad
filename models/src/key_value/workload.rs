//! Who writes and reads, when, and which keys.

use super::MAX_VALUE;
use super::command::{Command, value_of};
use crate::orders::{self, Coded, Request};
use crate::workload::pace::{Arrivals, Cohorts};
use crate::workload::{Common, Place, Terms, Together, happens};
use consim_core::chain::MAX_COHORT;
use consim_core::rng::unit;
use consim_core::{Arrival, CodecError, Decoder, Encoder, End, NodeId, OpId, Time, Workload};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;
use std::sync::Arc;

/// Options of the transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TransactionOptions {
    /// Length of a value, bytes.
    pub size: u32,
    /// Share of reads, parts per 10^9.
    pub read_share: u32,
    /// How many keys there are.
    pub keys: u64,
    /// Exponent of the Zipf distribution of keys, parts per 10^9; 0 is uniform, 990,000,000 is
    /// YCSB's constant (Cooper et al., SoCC 2010).
    pub skew: u32,
    /// Those that travel together.
    pub cohort: Option<Together>,
}

/// What a user wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Set a key to a value of a size in bytes.
    Put {
        /// Which.
        key: u64,
        /// How long the value is.
        size: u32,
    },
    /// Many users set a key each.
    PutMany {
        /// The key of the first.
        key: u64,
        /// How many.
        count: u32,
        /// How long each value is.
        size: u32,
    },
    /// Read a key.
    Get {
        /// Which.
        key: u64,
    },
}

impl Coded for Wish {
    fn encode(&self, e: &mut Encoder<'_>) {
        match *self {
            Self::Put { key, size } => e.u8(0).u64(key).u32(size),
            Self::Get { key } => e.u8(1).u64(key).u32(0),
            Self::PutMany { key, count, size } => e.u8(2).u64(key).u32(size).u32(count),
        };
    }
    fn encoded_len(&self) -> usize {
        1 + 8
            + 4
            + if matches!(self, Self::PutMany { .. }) {
                4
            } else {
                0
            }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match (d.u8()?, d.u64()?, d.u32()?) {
            (0, key, size) if size as usize <= MAX_VALUE => Self::Put { key, size },
            (0, _, size) => return Err(CodecError::TooLong(size as usize)),
            (1, key, 0) => Self::Get { key },
            (1, ..) => return Err(CodecError::Invalid("size of a read")),
            (2, key, size) => match (d.u32()?, size as usize <= MAX_VALUE) {
                (count @ 2..=MAX_COHORT, true) => Self::PutMany { key, count, size },
                _ => return Err(CodecError::Invalid("cohort")),
            },
            (tag, ..) => return Err(CodecError::Tag(tag)),
        })
    }
}

impl orders::Wish for Wish {
    type Command = Command;
    fn name(&self) -> &'static str {
        match self {
            Self::Put { .. } | Self::PutMany { .. } => "write",
            Self::Get { .. } => "read",
        }
    }
    fn count(&self) -> u32 {
        match *self {
            Self::PutMany { count, .. } => count,
            Self::Put { .. } | Self::Get { .. } => 1,
        }
    }
    fn command(&self, op: OpId) -> Command {
        match *self {
            Self::PutMany { key, count, size } => Command::PutMany { key, count, size },
            Self::Put { key, size } => Command::Put {
                key,
                value: value_of(op, size),
            },
            Self::Get { key } => Command::Get { key },
        }
    }
}

/// Writes and reads at rates.
pub struct TransactionWorkload {
    arrivals: Arrivals,
    cohorts: Option<Cohorts>,
    places: Vec<Place>,
    terms: Terms,
    options: TransactionOptions,
    keys: Zipf,
    rng: ChaCha12Rng,
}

impl TransactionWorkload {
    /// A workload with its own random stream.
    pub fn new(common: &Common, options: TransactionOptions, rng: ChaCha12Rng) -> Self {
        Self {
            arrivals: common.arrivals(),
            cohorts: options.cohort.map(|c| Cohorts::new(c, common.from)),
            places: common.places.clone(),
            terms: common.terms,
            keys: Zipf::new(options.keys, f64::from(options.skew) / 1e9),
            options,
            rng,
        }
    }

    /// `count` users at `node` ask at `at`.
    fn arrival(&mut self, at: Time, node: NodeId, count: u32) -> Arrival {
        let (key, size) = (self.keys.draw(&mut self.rng), self.options.size);
        let wish = if count > 1 {
            Wish::PutMany { key, count, size }
        } else if happens(&mut self.rng, self.options.read_share) {
            Wish::Get { key }
        } else {
            Wish::Put { key, size }
        };
        let terms = self.terms;
        Arrival {
            at,
            node,
            count,
            request: Arc::new(Request { terms, wish }),
        }
    }
}

impl Workload for TransactionWorkload {
    fn next(&mut self) -> Option<Arrival> {
        let (at, place, count) = if let Some(cohorts) = &mut self.cohorts {
            cohorts.next(&mut self.arrivals, &mut self.rng)?
        } else {
            let (at, place) = self.arrivals.next(&mut self.rng)?;
            (at, place, 1)
        };
        let node = self.places.get(place)?.desk;
        Some(self.arrival(at, node, count))
    }
    fn ended(&mut self, end: End) -> Option<Arrival> {
        // Who came together is answered together, and goes on together.
        let at = self.arrivals.again(&mut self.rng, end.at, end.answered)?;
        Some(self.arrival(at, end.node, end.count))
    }
}

/// Ranks `0..n`, the rank k with a weight of (k + 1)^-s: rejection-inversion (W. Hörmann and G.
/// Derflinger, ACM TOMACS 6(3), 1996, algorithm ZRI for s >= 0). No table.
#[derive(Clone, Copy, Debug)]
struct Zipf {
    n: u64,
    s: f64,
    /// Where the inverted integral begins and ends.
    from: f64,
    to: f64,
    /// Within this of the rounded value no second look is needed.
    sure: f64,
}

impl Zipf {
    fn new(n: u64, s: f64) -> Self {
        let mut zipf = Self {
            n: n.max(1),
            s,
            from: 0.0,
            to: 0.0,
            sure: 0.0,
        };
        zipf.from = zipf.integral(1.5) - 1.0;
        zipf.to = zipf.integral(zipf.n as f64 + 0.5);
        zipf.sure = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.weight(2.0));
        zipf
    }
    /// x^-s.
    fn weight(&self, x: f64) -> f64 {
        libm::exp(-self.s * libm::log(x))
    }
    /// An antiderivative of the weight: (x^(1-s) - 1) / (1 - s), the logarithm where s is 1.
    fn integral(&self, x: f64) -> f64 {
        let log = libm::log(x);
        let exponent = (1.0 - self.s) * log;
        // (e^y - 1) / y, continued at 0.
        let ratio = if exponent.abs() > 1e-8 {
            libm::expm1(exponent) / exponent
        } else {
            1.0 + exponent / 2.0
        };
        ratio * log
    }
    fn inverse(&self, y: f64) -> f64 {
        let t = ((1.0 - self.s) * y).max(-1.0);
        // ln(1 + t) / t, continued at 0.
        let ratio = if t.abs() > 1e-8 {
            libm::log1p(t) / t
        } else {
            1.0 - t / 2.0
        };
        libm::exp(ratio * y)
    }
    fn draw(&self, rng: &mut ChaCha12Rng) -> u64 {
        loop {
            let u = self.to + unit(rng.next_u64()) * (self.from - self.to);
            let x = self.inverse(u);
            let k = ((x + 0.5) as u64).clamp(1, self.n);
            let near = k as f64 - x <= self.sure;
            if near || u >= self.integral(k as f64 + 0.5) - self.weight(k as f64) {
                return k - 1;
            }
        }
    }
}
