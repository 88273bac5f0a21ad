//! What a gateway answers.

use super::command::{Batch, Command, Said, Shown, batch_key, ranges_key, sample_key};
use super::machine::{THERE, WRONG_ROOT};
use super::marks;
use super::probe::SampleProbe;
use super::ranges::Ranges;
use super::seeded;
use crate::ledger::merkle;
use crate::node::service::Host;
use crate::orders::message::read;
use crate::orders::{Early, OrderService, Orders};
use consim_core::{Context, OpId, Work};

/// Samples at a gateway.
#[derive(Clone, Copy, Debug, Default)]
pub struct Samples;

/// The service of a gateway.
pub type SamplesService = OrderService<Samples>;

fn ranges(host: &dyn Host, device: u64) -> Ranges {
    read(host.get(&ranges_key(device)).as_deref()).unwrap_or_default()
}

/// A sample with its proof, if there is one.
fn shown(cx: &mut Context<'_>, host: &dyn Host, device: u64, sequence: u64) -> Option<Shown> {
    let first = host.get(&sample_key(device, sequence))?;
    let first = u64::from_be_bytes((*first).try_into().ok()?);
    let batch: Batch = read(host.get(&batch_key(device, first)).as_deref())?;
    let place = sequence.saturating_sub(first) as usize;
    cx.work(Work::hash(merkle::hashed_bytes(batch.samples.len())));
    Some(Shown {
        value: *batch.samples.get(place)?,
        root: batch.root,
        proof: merkle::prove(&batch.leaves(), place)?,
    })
}

impl Orders for Samples {
    type Command = Command;

    fn early(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        _op: OpId,
        command: &Command,
    ) -> Early<Said> {
        match command {
            Command::Anchor(batch) if seeded::on(&seeded::ACKNOWLEDGED_AT_ONCE) => {
                let (batch, height) = (batch.clone(), host.height());
                let missing = None;
                cx.emit(
                    SampleProbe::Acknowledged {
                        batch,
                        missing,
                        height,
                    }
                    .probe(),
                );
                Early::Before(Said::Anchored { missing: 0 })
            }
            _ => Early::No,
        }
    }

    fn said(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        _op: OpId,
        command: &Command,
    ) -> Said {
        let height = host.height();
        match *command {
            Command::Anchor(ref batch) => {
                let there = ranges(host, batch.device);
                let missing = there.missing_before(batch.first);
                if missing > 0 {
                    cx.reached(&marks::GAP_SEEN);
                }
                if batch.end().is_some_and(|end| end < there.end()) {
                    cx.reached(&marks::GAP_CLOSED);
                }
                let batch = batch.clone();
                let said = SampleProbe::Acknowledged {
                    batch,
                    missing: Some(missing),
                    height,
                };
                cx.emit(said.probe());
                Said::Anchored { missing }
            }
            Command::Read { device, sequence } => {
                let shown = shown(cx, host, device, sequence);
                if shown.is_none() && sequence < ranges(host, device).end() {
                    cx.reached(&marks::MISSING_READ);
                }
                let said = shown.clone().map_or(Said::Nothing, Said::Sample);
                let read = SampleProbe::Read {
                    device,
                    sequence,
                    shown,
                    height,
                };
                cx.emit(read.probe());
                said
            }
            Command::Gaps { device } => {
                let ranges = ranges(host, device).gaps();
                let missing = SampleProbe::Missing {
                    device,
                    ranges: ranges.clone(),
                    height,
                };
                cx.emit(missing.probe());
                Said::Missing(ranges)
            }
        }
    }

    fn refused(&mut self, cx: &mut Context<'_>, _command: &Command, reason: &'static str) {
        match reason {
            THERE => cx.reached(&marks::BATCH_AGAIN),
            WRONG_ROOT => cx.reached(&marks::ROOT_REFUSED),
            _ => {}
        }
    }
}
