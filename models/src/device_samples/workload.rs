//! Which device hands what over, when, and who reads.

use super::MAX_BATCH;
use super::command::{Batch, Command};
use crate::ledger::merkle;
use crate::orders::{self, Coded, Request};
use crate::workload::pace::Arrivals;
use crate::workload::{Common, Place, Terms, draw, happens};
use consim_core::{Arrival, CodecError, Decoder, Digest, Encoder, OpId, Time, Workload, mix};
use rand_chacha::ChaCha12Rng;
use std::collections::VecDeque;
use std::sync::Arc;

/// Options of the samples.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SampleOptions {
    /// Devices of each institution.
    pub devices: u32,
    /// Samples of a batch.
    pub batch: u16,
    /// Share of reads and questions after gaps, parts per 10^9.
    pub read_share: u32,
    /// Share of batches that come twice, out of order, altered, with a gap before them or under another
    /// root, parts per 10^9.
    pub odd: u32,
}

/// Under which root a batch comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    /// That of its samples.
    Own,
    /// That of an empty tree.
    OfNothing,
    /// That of other samples.
    OfOthers,
}

/// What a device or a reader wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Hand samples over.
    Batch {
        /// Which device.
        device: u64,
        /// The number of the first.
        first: u64,
        /// How many.
        count: u16,
        /// 0, or what makes the values others than those of that device.
        altered: u32,
        /// Under which root.
        root: Root,
    },
    /// Read a sample.
    Read {
        /// Of which device.
        device: u64,
        /// Its number.
        sequence: u64,
    },
    /// Ask what is missing.
    Gaps {
        /// Of which device.
        device: u64,
    },
}

/// The value of a sample.
fn value(device: u64, sequence: u64, altered: u32) -> u64 {
    mix(mix(device, u64::from(altered)), sequence)
}

impl Coded for Wish {
    fn encode(&self, e: &mut Encoder<'_>) {
        match *self {
            Self::Batch {
                device,
                first,
                count,
                altered,
                root,
            } => e
                .u8(0)
                .u64(device)
                .u64(first)
                .u16(count)
                .u32(altered)
                .u8(root as u8),
            Self::Read { device, sequence } => e.u8(1).u64(device).u64(sequence),
            Self::Gaps { device } => e.u8(2).u64(device),
        };
    }
    fn encoded_len(&self) -> usize {
        1 + match self {
            Self::Batch { .. } => 8 + 8 + 2 + 4 + 1,
            Self::Read { .. } => 16,
            Self::Gaps { .. } => 8,
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match d.u8()? {
            0 => {
                let (device, first, count, altered) = (d.u64()?, d.u64()?, d.u16()?, d.u32()?);
                if usize::from(count) > MAX_BATCH {
                    return Err(CodecError::TooLong(usize::from(count)));
                }
                let root = match d.u8()? {
                    0 => Root::Own,
                    1 => Root::OfNothing,
                    2 => Root::OfOthers,
                    tag => return Err(CodecError::Tag(tag)),
                };
                Self::Batch {
                    device,
                    first,
                    count,
                    altered,
                    root,
                }
            }
            1 => Self::Read {
                device: d.u64()?,
                sequence: d.u64()?,
            },
            2 => Self::Gaps { device: d.u64()? },
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl orders::Wish for Wish {
    type Command = Command;
    fn name(&self) -> &'static str {
        match self {
            Self::Batch { .. } => "hand-in",
            Self::Read { .. } => "read-sample",
            Self::Gaps { .. } => "ask-gaps",
        }
    }
    fn command(&self, _op: OpId) -> Command {
        match *self {
            Self::Batch {
                device,
                first,
                count,
                altered,
                root,
            } => {
                let numbers = (0..u64::from(count)).map(|i| first.wrapping_add(i));
                let mut batch = Batch {
                    device,
                    first,
                    root: Digest::of(&[]),
                    samples: numbers.map(|n| value(device, n, altered)).collect(),
                };
                batch.root = match root {
                    Root::Own => merkle::root(&batch.leaves()),
                    Root::OfNothing => batch.root,
                    Root::OfOthers => Digest::of(&device.to_be_bytes()),
                };
                Command::Anchor(batch)
            }
            Self::Read { device, sequence } => Command::Read { device, sequence },
            Self::Gaps { device } => Command::Gaps { device },
        }
    }
}

/// Gaps of a device that are remembered, to be closed.
const REMEMBERED: usize = 16;
/// One read in so many asks after gaps.
const GAPS_ONE_IN: u64 = 4;

/// A device.
#[derive(Clone, Debug, Default)]
struct Device {
    /// The number of its next sample.
    next: u64,
    /// The first number of its last batch.
    last: u64,
    /// First numbers of batches that were left out.
    left_out: VecDeque<u64>,
}

/// Devices hand samples over and people read them, at rates.
pub struct SampleWorkload {
    arrivals: Arrivals,
    places: Vec<Place>,
    terms: Terms,
    options: SampleOptions,
    /// By place, then by device.
    devices: Vec<Vec<Device>>,
    /// Comes at the same instant as what came last.
    also: VecDeque<Arrival>,
    rng: ChaCha12Rng,
}

impl SampleWorkload {
    /// A workload with its own random stream.
    pub fn new(common: &Common, options: SampleOptions, rng: ChaCha12Rng) -> Self {
        let devices = vec![Device::default(); options.devices.max(1) as usize];
        Self {
            arrivals: common.arrivals(),
            places: common.places.clone(),
            terms: common.terms,
            options,
            devices: vec![devices; common.places.len()],
            also: VecDeque::new(),
            rng,
        }
    }

    /// The name of a device: its institution and its number there.
    fn name(&self, place: usize, device: usize) -> u64 {
        let desk = self.places.get(place).map_or(0, |p| u64::from(p.desk.0));
        desk << 32 | device as u64
    }

    fn arrival(&self, at: Time, place: usize, wish: Wish) -> Option<Arrival> {
        Some(Arrival {
            at,
            node: self.places.get(place)?.desk,
            count: 1,
            request: Arc::new(Request {
                terms: self.terms,
                wish,
            }),
        })
    }

    /// Somebody at any institution looks at samples of any device.
    fn read(&mut self) -> Wish {
        let place = draw(&mut self.rng, self.places.len() as u64) as usize;
        let number = draw(&mut self.rng, u64::from(self.options.devices.max(1))) as usize;
        let device = self.name(place, number);
        if draw(&mut self.rng, GAPS_ONE_IN) == 0 {
            return Wish::Gaps { device };
        }
        let known = self.devices.get(place).and_then(|d| d.get(number));
        let next = known.map_or(0, |device| device.next);
        // One of the last, or the one that comes next.
        let back = draw(&mut self.rng, 4 * u64::from(self.options.batch));
        let sequence = next.saturating_sub(back);
        Wish::Read { device, sequence }
    }

    fn hand_in(&mut self, at: Time, place: usize) -> Option<Wish> {
        let number = draw(&mut self.rng, u64::from(self.options.devices.max(1))) as usize;
        let name = self.name(place, number);
        let what = if happens(&mut self.rng, self.options.odd) {
            Some(draw(&mut self.rng, 8))
        } else {
            None
        };
        let altered = 1 + draw(&mut self.rng, 1 << 16) as u32;
        let count = self.options.batch;
        let size = u64::from(count);
        let device = self.devices.get_mut(place)?.get_mut(number)?;
        let wish = |first, altered, root| Wish::Batch {
            device: name,
            first,
            count,
            altered,
            root,
        };
        // Before the first batch there is none to come again.
        let what = what.filter(|odd| *odd > 2 || device.next > 0);
        let mut next = || {
            device.last = device.next;
            device.next += size;
            device.last
        };
        Some(match what {
            // It comes again, as it was or with other values.
            Some(0) => wish(device.last, 0, Root::Own),
            Some(1) => wish(device.last, altered, Root::Own),
            // It begins before the last one ended.
            Some(2) => wish(device.last + size / 2, 0, Root::Own),
            // Two change places.
            Some(3) => {
                let (first, second) = (next(), next());
                let also = self.arrival(at, place, wish(first, 0, Root::Own));
                self.also.extend(also);
                wish(second, 0, Root::Own)
            }
            // One is left out.
            Some(4) => {
                let gone = next();
                let first = next();
                if device.left_out.len() == REMEMBERED {
                    device.left_out.pop_front();
                }
                device.left_out.push_back(gone);
                wish(first, 0, Root::Own)
            }
            // One that was left out comes after all.
            Some(5) => {
                let late = device.left_out.pop_front();
                let first = late.unwrap_or_else(next);
                wish(first, 0, Root::Own)
            }
            // The root is wrong.
            Some(6) => wish(next(), 0, Root::OfNothing),
            Some(7) => wish(next(), 0, Root::OfOthers),
            Some(_) | None => wish(next(), 0, Root::Own),
        })
    }
}

impl Workload for SampleWorkload {
    fn next(&mut self) -> Option<Arrival> {
        if let Some(also) = self.also.pop_front() {
            return Some(also);
        }
        let (at, place) = self.arrivals.next(&mut self.rng)?;
        let wish = if happens(&mut self.rng, self.options.read_share) {
            self.read()
        } else {
            self.hand_in(at, place)?
        };
        self.arrival(at, place, wish)
    }
}
