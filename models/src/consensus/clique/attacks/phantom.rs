//! B7, `phantom-validator`: upon each own block a signer seals more of them in the name of those whose turn is next,
//! other ones for one half of the group than for the other.

use super::{Draft, own_block};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use crate::consensus::clique::block::IN_TURN;
use crate::consensus::clique::message::{Body, Message};
use crate::ledger::merkle;
use consim_core::{Batch, Payload, Span, Work};
use std::sync::Arc;

/// Between the time stamps of two such blocks, before it has sealed two of its own (assumed).
const APART: Span = Span::from_secs(1);
/// So many times a majority have to follow a block where people are cautious (assumed).
const CAUTIOUS: u64 = 2;

pub(super) struct Phantom {
    means: Means,
    /// Height and time of its own last block.
    last: Option<(u64, i64)>,
}

impl Phantom {
    pub(super) fn new(means: Means) -> Self {
        Self { means, last: None }
    }

    /// Between the time stamps of two blocks, nanoseconds: one may not come sooner after another than a period, which
    /// is at most what they took since its own last block.
    fn apart(&mut self, height: u64, time_ns: i64) -> i64 {
        let usual = i64::try_from(APART.nanos()).unwrap_or(i64::MAX);
        let last = self.last.replace((height, time_ns));
        let since = last.and_then(|(before, at)| {
            let blocks = i64::try_from(height.checked_sub(before)?).ok()?;
            let each = time_ns.checked_sub(at)?.checked_div(blocks)?;
            Some(each.saturating_add(1))
        });
        since
            .filter(|each| *each > 0)
            .map_or(usual, |each| each.min(usual))
    }
}

impl Behaviour for Phantom {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(block) = own_block(&self.means, payload) else {
            return Says::AsItIs;
        };
        let apart = self.apart(block.height, block.time_ns());
        let means = &self.means;
        let me = out.node();
        let receivers: Vec<_> = to.each(me).collect();
        out.send_to(to, Arc::clone(payload));
        let n = (means.members.len() as u64).max(1);
        for (half, list) in receivers
            .chunks(receivers.len().div_ceil(2).max(1))
            .enumerate()
        {
            let (mut parent, mut time) = (block.id(), block.time_ns());
            time = time.saturating_add(half as i64);
            // One more than have to follow a block.
            for more in 1..=means.quorum as u64 * CAUTIOUS + 1 {
                let height = block.height.saturating_add(more);
                let place = usize::try_from(height % n).unwrap_or(0);
                let sealer = means.members.get(place).copied().unwrap_or(me);
                time = time.saturating_add(apart);
                let batch = Batch::new(sealer, time, Arc::new([]), merkle::root(&[]));
                let draft = Draft {
                    parent,
                    height,
                    difficulty: IN_TURN,
                    ballot: None,
                    batch: Arc::new(batch),
                };
                let signature = Means::forged(&block.signature, sealer.into());
                let forged = Arc::new(draft.sealed(means.chain, signature));
                parent = forged.id();
                let message: Arc<dyn Payload> = Arc::new(Message {
                    chain: means.chain,
                    body: Body::Block(forged),
                });
                for &node in list {
                    out.count(1);
                    out.send(node, Arc::clone(&message));
                }
            }
        }
        out.work(Work::sign(1));
        Says::Nothing
    }
}
