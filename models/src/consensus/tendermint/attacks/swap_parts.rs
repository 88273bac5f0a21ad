//! B5, `swap-parts`: a relay of a block in parts that passes on each part under the index of the one before it, with
//! the proof of its own, at once and to everybody, so that it comes before the true one (CometBFT ASA-2025-002).

use super::super::message::Body;
use super::{message, read};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{NodeId, Payload};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Parts that are remembered (assumed): those of the largest block.
const REMEMBERED: usize = 2_048;

pub(super) struct SwapParts {
    means: Means,
    others: Arc<[NodeId]>,
    /// Height, round and index of parts that went on.
    done: BTreeSet<(u64, u64, u32)>,
}

impl SwapParts {
    pub(super) fn new(means: Means) -> Self {
        let others = means.others().into();
        Self {
            means,
            others,
            done: BTreeSet::new(),
        }
    }

    /// The part under another index of the block; `None` if it has only this one.
    fn swapped(&self, payload: &Arc<dyn Payload>) -> Option<Arc<dyn Payload>> {
        let Body::Part {
            height,
            round,
            part,
        } = read(&self.means, payload)?
        else {
            return None;
        };
        let size = part.proof.size.max(1);
        let index = ((part.proof.index + size - 1) % size) as u32;
        let other = (u64::from(index) != part.proof.index).then(|| part.under(index))?;
        let body = Body::Part {
            height: *height,
            round: *round,
            part: Arc::new(other),
        };
        Some(message(&self.means, body))
    }
}

impl Behaviour for SwapParts {
    fn hears(&mut self, out: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        // A header goes on at once, too: without it, nobody keeps parts.
        if let Some(Body::Header(header)) = read(&self.means, payload)
            && self.done.insert((header.height, header.round, u32::MAX))
        {
            out.send_to(To::Many(&self.others), Arc::clone(payload));
        }
        if let Some(Body::Part {
            height,
            round,
            part,
        }) = read(&self.means, payload)
            && self.done.insert((*height, *round, part.index))
            && let Some(other) = self.swapped(payload)
        {
            out.count(self.others.len() as u64);
            out.send_to(To::Many(&self.others), other);
        }
        while self.done.len() > REMEMBERED {
            self.done.pop_first();
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(other) = self.swapped(payload) else {
            return Says::AsItIs;
        };
        out.count(to.each(out.node()).count() as u64);
        out.send_to(to, other);
        Says::Nothing
    }
}
