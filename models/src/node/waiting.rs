//! The transactions that a service has brought to consensus and waits for: how they ended, and
//! handing those to consensus again that take too long.

use super::marks;
use super::service::Host;
use crate::ledger::chain::executed;
use consim_core::{Context, OpId, Receipt, Span, Time, TimerKey, Tx, TxId};
use std::sync::Arc;

/// Transactions that are not yet executed are handed to consensus again after this time (assumed:
/// longer than a view change).
pub(crate) const RESUBMIT: Span = Span::from_secs(5);

/// The transaction that brings `op` to the chain: a server has one for each operation, numbered by
/// it, so that nothing takes effect twice.
fn tx_id(host: &dyn Host, op: OpId) -> TxId {
    TxId {
        origin: host.node(),
        number: op.0,
    }
}

/// The transaction of `op` if it was executed in a block that this node has: its receipt and itself.
pub(crate) fn outcome(host: &dyn Host, op: OpId) -> Option<(Receipt, Arc<Tx>)> {
    let id = tx_id(host, op);
    let block = host.block(host.executed(id)?)?;
    let txs = block.committed.batch.txs();
    let mut found = txs.iter().zip(&block.receipts);
    let found = found.find(|(tx, receipt)| tx.id() == id && executed(receipt));
    found.map(|(tx, receipt)| (*receipt, Arc::clone(tx)))
}

/// Operations that need not be waited for any more.
#[derive(Debug, Default)]
pub(crate) struct Over {
    /// Executed while the node read its own disk, which no service is told: how they ended.
    pub(crate) missed: Vec<(OpId, Receipt, Arc<Tx>)>,
    /// In a block that this node never saw: how they ended, nobody here can say.
    pub(crate) gone: Vec<OpId>,
}

/// Hands those that have waited for long to consensus again. Each is an operation, since when it
/// waits, and the body of its transaction.
pub(crate) fn resubmit<'a>(
    cx: &mut Context<'_>,
    host: &mut dyn Host,
    waiting: impl Iterator<Item = (OpId, Time, &'a Arc<[u8]>)>,
) -> Over {
    let now = cx.now();
    let mut over = Over::default();
    for (op, _, body) in waiting.filter(|(_, since, _)| now.since(*since) >= RESUBMIT) {
        match outcome(host, op) {
            Some((receipt, tx)) => {
                over.missed.push((op, receipt, tx));
            }
            None if host.executed(tx_id(host, op)).is_some() => {
                cx.reached(&marks::OPERATION_BLOCK_GONE);
                over.gone.push(op);
            }
            None => {
                cx.reached(&marks::OPERATION_RESUBMITTED);
                host.submit(cx, op, op.0, Arc::clone(body));
            }
        }
    }
    over
}

/// The timer of a service that looks after what waits: it runs as long as anything does.
#[derive(Debug)]
pub(crate) struct Ticker {
    key: TimerKey,
    running: bool,
}

impl Ticker {
    /// One that does not run.
    pub(crate) fn new(key: TimerKey) -> Self {
        Self {
            key,
            running: false,
        }
    }
    /// Something waits.
    pub(crate) fn start(&mut self, cx: &mut Context<'_>) {
        if !self.running {
            self.again(cx, true);
        }
    }
    /// It fired, and was looked after: does anything wait still?
    pub(crate) fn again(&mut self, cx: &mut Context<'_>, more: bool) {
        self.running = more;
        if more {
            cx.set_timer(self.key, RESUBMIT);
        }
    }
    /// Does it run?
    #[cfg(test)]
    pub(crate) fn running(&self) -> bool {
        self.running
    }
    /// Is this its timer?
    pub(crate) fn owns(&self, key: TimerKey) -> bool {
        key == self.key
    }
    /// The node starts: no timer is left from before.
    pub(crate) fn reset(&mut self) {
        self.running = false;
    }
}
