//! Supervision's reading of the audit trail (flow F-F, rule R11).

use super::SharingService;
use super::pending::Asker;
use crate::node::service::Host;
use crate::sharing::command::Command;
use crate::sharing::ids::Reason;
use crate::sharing::inclusion;
use crate::sharing::message::{Answer, Tally};
use crate::sharing::probe::SharingProbe;
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
        let from = (*host).swept(host.node()) + 1;
        let to = host.height().min(from.saturating_add(MAX_SWEEP - 1));
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

fn read_blocks(cx: &mut Context<'_>, host: &dyn Host, from: u64, to: u64) -> Tally {
    let mut tally = Tally {
        height: to,
        ..Tally::default()
    };
    for height in from..=to {
        if let Some(block) = host.block(height) {
            read_block(cx, &block, &mut tally);
        }
    }
    tally
}

/// Counts the audit entries of a block; each is proven to be in it against the header.
fn read_block(cx: &mut Context<'_>, block: &Block, tally: &mut Tally) {
    let txs = block.committed.batch.txs();
    let mut leaves: Option<Vec<Digest>> = None;
    for ((index, tx), receipt) in txs.iter().enumerate().zip(&block.receipts) {
        if *receipt != Receipt::Applied {
            continue;
        }
        let count = match Command::decode(tx.body()) {
            Ok(Command::Access(access)) if !access.permit => &mut tally.denials,
            Ok(Command::Access(access)) if access.reason == Reason::Emergency => {
                &mut tally.emergencies
            }
            Ok(Command::Access(_)) => &mut tally.permits,
            Ok(Command::Refusal { .. }) => &mut tally.refusals,
            _ => continue,
        };
        *count += 1;
        let leaves = leaves.get_or_insert_with(|| txs.iter().map(|tx| tx.digest()).collect());
        // The tree is 65 bytes for each of its nodes, the proof as much for each of its levels.
        cx.work(Work::hash(
            65 * (leaves.len() + leaves.len().ilog2() as usize + 1),
        ));
        if !inclusion::holds(leaves, index, &tx.digest(), &block.header.tx_root) {
            tally.unproven += 1;
        }
    }
}
