//! Supervision's reading of the audit trail (flow F-F, rule R11).

use super::SharingService;
use super::pending::Asker;
use crate::ledger::merkle;
use crate::node::service::Host;
use crate::sharing::command::Command;
use crate::sharing::ids::{Purpose, Reason};
use crate::sharing::message::{Answer, Tally};
use crate::sharing::probe::SharingProbe;
use crate::sharing::seeded;
use crate::sharing::state::Lookup;
use consim_core::{Block, Context, Digest, NodeId, OpId, Receipt, Work};

/// The most blocks that one reading covers; the next one goes on from there.
const MAX_SWEEP: u64 = 100_000;

impl SharingService {
    /// Reads the audit entries since the last reading and puts the reading on the chain.
    pub(super) fn sweep(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        desk: NodeId,
    ) {
        if !self.config.supervision || desk != self.config.desk {
            return Self::refuse(cx, op, desk, Reason::NotAllowed);
        }
        let (from, to) = reach((*host).swept(host.node()), host.height());
        if to < from {
            let tally = Tally {
                height: host.height(),
                ..Tally::default()
            };
            return Self::answer(cx, host, op, Asker::Desk(desk, None), Answer::Swept(tally));
        }
        let tally = read_blocks(cx, host, from, to);
        self.tally = Some((op, tally));
        let command = Command::AuditRead {
            from,
            to,
            entries: tally.entries(),
        };
        self.commit(cx, host, op, Asker::Desk(desk, None), &command);
    }

    /// The result of a reading that is on the chain now; it is read again if a crash lost it.
    pub(super) fn swept(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        from: u64,
        to: u64,
    ) -> Tally {
        let tally = match self.tally.take() {
            Some((known, tally)) if known == op => tally,
            _ => read_blocks(cx, host, from, to),
        };
        cx.emit(SharingProbe::AuditSwept { from, tally }.probe());
        tally
    }
}

/// The first and the last block of a reading after `swept`; none if the last is below the first.
fn reach(swept: u64, height: u64) -> (u64, u64) {
    let most = if seeded::on(&seeded::READING_OF_ONE_BLOCK) {
        1
    } else {
        MAX_SWEEP
    };
    (swept + 1, height.min(swept.saturating_add(most)))
}

/// Reads the blocks `from..=to` of this node's storage. What they say counts in any case; what is
/// not proven is counted beside: a block is proven if it bears the id that the next one names, and
/// its transactions are those of its Merkle root.
fn read_blocks(cx: &mut Context<'_>, host: &dyn Host, from: u64, to: u64) -> Tally {
    let mut tally = Tally {
        height: to,
        ..Tally::default()
    };
    let mut above = host.block(to + 1).map(|block| block.header.parent);
    for height in (from..=to).rev() {
        if let Some(block) = host.block(height) {
            let entries = read_block(&block, &mut tally);
            let named = above.is_none_or(|id| id == block.id);
            if !(named && holds_together(cx, &block)) {
                tally.unproven += entries;
            }
            above = Some(block.header.parent);
        }
    }
    tally
}

/// Counts the audit entries of a block.
fn read_block(block: &Block, tally: &mut Tally) -> u64 {
    let before = tally.entries();
    for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
        let command = Command::decode(tx.body());
        // What was turned down in the block is a denial; anything else that was refused is no entry.
        if let Ok(command) = &command
            && let Some(denied) = turned_down(command, *receipt)
        {
            tally.denials += u64::from(denied);
            continue;
        }
        *match command {
            Ok(Command::Read {
                purpose: Purpose::Emergency,
                ..
            }) => &mut tally.emergencies,
            Ok(Command::Access(access)) if !access.permit => &mut tally.denials,
            Ok(Command::Access(access)) if access.reason == Reason::Emergency => {
                &mut tally.emergencies
            }
            Ok(Command::Read { .. } | Command::Access(_)) => &mut tally.permits,
            Ok(Command::Refusal { .. }) => &mut tally.refusals,
            _ => continue,
        } += 1;
    }
    tally.entries() - before
}

/// Was a command refused, and is that the denial of an access?
fn turned_down(command: &Command, receipt: Receipt) -> Option<bool> {
    match receipt {
        Receipt::Applied => None,
        Receipt::Refused(word) => {
            let access = matches!(command, Command::Access(_) | Command::Read { .. });
            let reason = Reason::of_word(word);
            Some(access && reason.is_some_and(Reason::of_consent))
        }
        Receipt::Duplicate => Some(false),
    }
}

/// Is the id the header's, and the header's Merkle root that of the transactions?
fn holds_together(cx: &mut Context<'_>, block: &Block) -> bool {
    let batch = &block.committed.batch;
    let header = block.header.encode();
    let leaves: Vec<Digest> = batch.txs().iter().map(|tx| tx.digest()).collect();
    cx.work(Work::hash(
        header.len() + batch.encoded_len() + merkle::hashed_bytes(leaves.len()),
    ));
    Digest::of(&header) == block.id && merkle::root(&leaves) == block.header.tx_root
}

#[cfg(test)]
mod tests;
