//! The transactions that a service has brought to consensus and waits for: how they ended, and
//! handing those to consensus again that take too long.

use super::marks;
use super::service::Host;
use crate::ledger::chain::{BLOCK_GONE, executed};
use consim_core::{Cohort, Context, OpId, Receipt, Span, Time, TimerKey, Tx, TxId};
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

/// How a transaction of this server ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Of which operation it is.
    pub(crate) op: OpId,
    /// What executing it came to.
    pub(crate) receipt: Receipt,
    /// What was executed.
    pub(crate) body: Arc<[u8]>,
    /// Is the block that it was executed in here? Otherwise the state that came of it says how it
    /// ended, and `body` is what this server would bring to the chain now.
    pub(crate) shown: bool,
}

impl Ended {
    /// A transaction of a block that is here.
    pub(crate) fn in_block(tx: &Tx, receipt: Receipt) -> Self {
        Self {
            op: tx.op(),
            receipt,
            body: Arc::clone(tx.body()),
            shown: true,
        }
    }
}

/// The transaction of `op` if it was executed in a block that this node has.
pub(crate) fn outcome(host: &dyn Host, op: OpId) -> Option<Ended> {
    let id = tx_id(host, op);
    let block = host.block(host.executed(id)?)?;
    let txs = block.committed.batch.txs();
    let mut found = txs.iter().zip(&block.receipts);
    let (tx, receipt) = found.find(|(tx, receipt)| tx.id() == id && executed(receipt))?;
    Some(Ended::in_block(tx, *receipt))
}

/// How the transaction of `op` ended, if it was executed in a block that this node never had: it took
/// over the state. `body` is what this server brings to the chain for `op`.
pub(crate) fn outcome_in_state(
    cx: &mut Context<'_>,
    host: &dyn Host,
    op: OpId,
    body: &Arc<[u8]>,
) -> Option<Ended> {
    let id = tx_id(host, op);
    if host.block(host.executed(id)?).is_some() {
        return None;
    }
    cx.reached(&marks::OPERATION_BLOCK_GONE);
    let receipt = if host.applied(id)? {
        Receipt::Applied
    } else {
        Receipt::Refused(BLOCK_GONE)
    };
    let body = Arc::clone(body);
    Some(Ended {
        op,
        receipt,
        body,
        shown: false,
    })
}

/// Those that were executed where no service is told: while the node read its own disk, or in a block
/// that it never had. Each is an operation, since when it waits, and the body of its transaction.
pub(crate) fn missed<'a>(
    cx: &mut Context<'_>,
    host: &dyn Host,
    waiting: impl Iterator<Item = (OpId, Time, &'a Arc<[u8]>)>,
) -> Vec<Ended> {
    let ended = waiting.filter_map(|(op, _, body)| {
        outcome(host, op).or_else(|| outcome_in_state(cx, host, op, body))
    });
    ended.collect()
}

/// Hands those that have waited for long, and were not executed, to consensus again.
pub(crate) fn resubmit<'a>(
    cx: &mut Context<'_>,
    host: &mut dyn Host,
    waiting: impl Iterator<Item = (OpId, Time, &'a Arc<[u8]>)>,
) {
    let body = |body: &Arc<[u8]>| (Arc::clone(body), Cohort::ONE);
    resubmit_cohorts(cx, host, waiting, body);
}

/// The same, where a body may stand for many.
pub(crate) fn resubmit_cohorts<'a>(
    cx: &mut Context<'_>,
    host: &mut dyn Host,
    waiting: impl Iterator<Item = (OpId, Time, &'a Arc<[u8]>)>,
    cohort: impl Fn(&Arc<[u8]>) -> (Arc<[u8]>, Cohort),
) {
    let now = cx.now();
    for (op, _, body) in waiting.filter(|(_, since, _)| now.since(*since) >= RESUBMIT) {
        if host.executed(tx_id(host, op)).is_none() {
            cx.reached(&marks::OPERATION_RESUBMITTED);
            host.submit_cohort(cx, op, op.0, cohort(body));
        }
    }
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
