//! Coming back from the disk.

use super::block::{Block, Draft, Seal};
use super::marks;
use super::message::Status;
use super::receive::{BLOCKS, LOG, SEALS, STARTED, committed};
use super::replica::CliqueReplica;
use super::sealing::block_key;
use consim_core::{
    Committed, Configured, Context, Delivery, Disk, Encoder, NodeId, Payload, Probe, Write,
};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A replica that came back with a disk that may have forgotten what it sealed: it seals nothing.
#[derive(Debug, Default)]
pub(super) struct Silent {
    /// Who has said where the chain is, and up to which height it was shown.
    shown: BTreeMap<NodeId, u64>,
    /// All that it may have sealed is at this height or below.
    until: Option<u64>,
}

/// The mark that what this replica sealed is on this disk.
#[derive(Debug)]
struct Started;

impl Payload for Started {
    fn kind(&self) -> &'static str {
        "started"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        Encoder::new(out);
    }
    fn encoded_len(&self) -> usize {
        0
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl CliqueReplica {
    /// From now on a disk without this mark is one that was wiped.
    pub(super) fn mark_started(&mut self) {
        self.journal
            .write(Write::cell(STARTED, 0, Arc::new(Started)));
    }

    fn emit_abstains(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::Abstains {
            chain: self.group.chain,
            abstains: self.silent.is_some(),
        });
    }

    // ---- silence ---------------------------------------------------------------------------------

    /// A silent replica hears where the chain is. What it has not seen does not count.
    pub(super) fn estimate(&mut self, cx: &mut Context<'_>, from: NodeId, status: &Status) {
        if self.silent.is_some()
            && self.knows(status.height, &status.head)
            && self.signers().contains(from)
            && let Some(silent) = &mut self.silent
        {
            let shown = silent.shown.entry(from).or_default();
            *shown = status.height.max(*shown);
        }
        self.end_silence(cx);
    }

    /// Alone, or with others that no majority heard of, it can have sealed no more than a majority of blocks
    /// in a row. Once the chain is that much higher than all but f of the others said, what it seals is new.
    pub(super) fn end_silence(&mut self, cx: &mut Context<'_>) {
        let n = self.signers().len();
        let (majority, height) = (self.group.majority(n) as u64, self.tree.head().height);
        let Some(silent) = self.silent.as_mut().filter(|_| !self.foreign) else {
            return;
        };
        if silent.until.is_none() && silent.shown.len() + 1 + super::crashes(n) >= n {
            let shown = silent.shown.values().max().copied().unwrap_or(0);
            silent.until = Some(shown + majority);
        }
        if silent.until.is_some_and(|until| height >= until) {
            cx.reached(&marks::SILENCE_OVER);
            self.silent = None;
            self.emit_abstains(cx);
            self.mark_started();
        }
    }

    // ---- coming back -----------------------------------------------------------------------------

    /// Takes over what the disk kept: executes what is final again, takes the blocks above it back, and asks
    /// the others how far they are.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        self.foreign = is_foreign(self.group.chain, disk);
        if self.foreign {
            // An operator gave it another genesis than its disk is of: it leaves that alone.
            cx.reached(&marks::OTHER_GENESIS);
            self.silent = Some(Silent::default());
            self.tell_turn(cx);
            return;
        }
        let records = disk.damaged();
        let forgotten = self.clear_damage(cx, disk) || disk.restored();
        let started = disk.cell(STARTED, 0).is_some();
        if forgotten || !started {
            self.silent = Some(Silent::default());
            if started {
                // Whoever comes back before the silence is over must not take this disk for whole.
                self.journal.write(Write::erase_below(STARTED, u64::MAX));
            }
            cx.reached(&marks::CAME_BACK_SILENT);
            self.emit_abstains(cx);
        }
        if records > 0 || forgotten {
            cx.emit(Probe::DamageFound { records, forgotten });
        }
        self.replay(cx, disk);
        self.replay_blocks(cx, disk);
        self.meet();
        self.tell_left(cx, 0);
        self.tell_turn(cx);
        if self.tree.root().signers.change > 0 {
            self.tell_signers(cx);
        }
        self.ask_everybody(cx);
    }

    /// Cuts off what cannot be read of what is final, to be fetched again. Returns whether it may be forgotten
    /// what this replica sealed.
    fn clear_damage(&mut self, cx: &mut Context<'_>, disk: &Disk) -> bool {
        let damaged = [disk.first_damaged(LOG), disk.first_damaged(SEALS)];
        if let Some(from) = damaged.into_iter().flatten().min() {
            cx.reached(&marks::LOG_CUT_AT_DAMAGE);
            self.journal.write(Write::cut(LOG, from));
            self.journal.write(Write::cut(SEALS, from));
        }
        // It may have sealed what is cut off, and would seal upon its parent again.
        damaged.iter().any(Option::is_some)
            || [BLOCKS, STARTED]
                .iter()
                .any(|&table| disk.any_damaged(table))
    }

    fn replay(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let (mut good, log) = (0, disk.log(LOG));
        for (value, seal) in log.iter().zip(disk.log(SEALS)) {
            let value: Arc<dyn Any + Send + Sync> = Arc::<dyn Payload>::clone(value);
            let Ok(committed) = value.downcast::<Committed>() else {
                break;
            };
            let Some(Seal(block)) = seal.as_any().downcast_ref::<Seal>() else {
                break;
            };
            let root = self.tree.root();
            if block.parent != root.id || block.batch.digest() != committed.batch.digest() {
                break;
            }
            good += 1;
            let draft = Draft {
                batch: Arc::clone(&committed.batch),
                ..block.draft()
            };
            let block = Arc::new(draft.sealed(self.group.chain, block.signature));
            let leaf = root.child(&block, root.signers.after(&self.group, &block, true));
            self.tree.insert(leaf);
            self.make_final(&block);
            cx.deliver(Delivery::Ordered {
                committed,
                replayed: true,
            });
        }
        if good < log.len().max(disk.log(SEALS).len()) {
            // The two are written together, but the power may go between them.
            self.journal.write(Write::cut(LOG, good));
            self.journal.write(Write::cut(SEALS, good));
        }
    }

    fn replay_blocks(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let mut own = false;
        for (key, value) in disk.table(BLOCKS) {
            self.place = self.place.max(key % block_key(1, 0));
            let value: Arc<dyn Any + Send + Sync> = Arc::<dyn Payload>::clone(value);
            let Ok(block) = value.downcast::<Block>() else {
                continue;
            };
            let (id, parent) = (block.id(), self.tree.get(&block.parent).cloned());
            if let Some(parent) = parent.filter(|_| self.tree.get(&id).is_none()) {
                own |= block.sealer() == self.group.me;
                let leaf = parent.child(&block, parent.signers.after(&self.group, &block, true));
                if let Some(change) = self.tree.insert(leaf) {
                    for block in &change.undone {
                        self.mempool.release(block.batch.txs());
                    }
                    for block in &change.done {
                        self.mempool.propose(block.batch.txs());
                    }
                }
            }
        }
        if own {
            cx.reached(&marks::CAME_BACK_WITH_OWN);
        }
    }

    // ---- damage while up -------------------------------------------------------------------------

    /// The host found damage while this replica is up: what is in memory is written again.
    pub(super) fn scrubbed(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        if self.foreign {
            return;
        }
        let records = disk.damaged();
        let forgotten = false;
        cx.emit(Probe::DamageFound { records, forgotten });
        cx.reached(&marks::SCRUB_REPAIRED);
        let damaged = [disk.first_damaged(LOG), disk.first_damaged(SEALS)];
        if let Some(from) = damaged.into_iter().flatten().min() {
            self.journal.write(Write::cut(LOG, from));
            self.journal.write(Write::cut(SEALS, from));
            for block in self.chain.iter().skip(from) {
                let logged: Arc<Committed> = committed(self.group.chain, block);
                self.journal.write(Write::append(LOG, logged));
                let seal = Arc::new(Seal(Arc::clone(block)));
                self.journal.write(Write::append(SEALS, seal));
            }
        }
        if disk.any_damaged(BLOCKS) {
            self.journal.write(Write::erase_below(BLOCKS, u64::MAX));
            for block in self.tree.blocks() {
                self.keep_block(&block);
            }
        }
        if disk.any_damaged(STARTED) && self.silent.is_none() {
            self.mark_started();
        }
    }

    /// The probe of who may seal.
    pub(super) fn tell_signers(&self, cx: &mut Context<'_>) {
        let signers = &self.tree.root().signers;
        let majority = self.group.majority(signers.len());
        cx.emit(Probe::Configured(Arc::new(Configured {
            chain: self.group.chain,
            change: signers.change,
            joint: false,
            handed_over_at: None,
            groups: vec![(Arc::clone(&signers.list), majority)],
            renewed: Arc::default(),
        })));
    }
}

/// Is what is final on this disk of another chain?
fn is_foreign(chain: consim_core::ChainId, disk: &Disk) -> bool {
    let first = disk.log(LOG).first();
    let first = first.and_then(|record| record.as_any().downcast_ref::<Committed>());
    first.is_some_and(|committed| committed.chain != chain)
}
