//! The server's side: brings commands to the chain and answers when they are executed.

use super::command::{Command, state_key};
use super::message::{Answer, Message};
use super::probe::KeyValueProbe;
use crate::consensus::TIMER_LIMIT;
use crate::ledger::chain::executed;
use crate::node::Gate;
use crate::node::service::{Host, Service};
use consim_core::{
    Block, Context, Digest, Disk, NodeId, OpId, Payload, Receipt, Span, Time, TimerKey, Tx, TxId,
    WriteToken,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most operations that a server has open; what comes beyond is answered with `busy`.
pub const MAX_PENDING: usize = 100_000;
/// Transactions that are not yet executed are handed to consensus again after this time (assumed:
/// longer than a view change).
const RESUBMIT: Span = Span::from_secs(5);
/// The service's timer.
const TICK: TimerKey = TimerKey(TIMER_LIMIT | 1 << 41);

/// How a server answers reads. The default is honest; tests put others in its place to show that
/// the check notices.
pub trait Policy: Send {
    /// What the server answers where the state holds `value`.
    fn value(&mut self, value: Option<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        value
    }
}

/// Answers what the state holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;
impl Policy for Honest {}

/// What a server is told.
pub struct ServiceConfig {
    /// Who may use this server.
    pub gate: Box<dyn Gate>,
    /// How it answers.
    pub policy: Box<dyn Policy>,
}

struct Pending {
    client: NodeId,
    since: Time,
    body: Arc<[u8]>,
}

/// The key-value service of a server.
pub struct KeyValueService {
    config: ServiceConfig,
    pending: BTreeMap<OpId, Pending>,
    ticking: bool,
}

impl KeyValueService {
    /// A service with nothing open.
    pub fn new(config: ServiceConfig) -> Self {
        Self {
            config,
            pending: BTreeMap::new(),
            ticking: false,
        }
    }

    fn asked(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        op: OpId,
        certificate: &[u8],
        command: &Command,
    ) {
        // An operation bears the number of its client, so nobody can take another's.
        let own = op.0 >> 32 == u64::from(from.0);
        if self.config.gate.admit(cx, host, from, certificate).is_err() || !own {
            return reply(cx, from, op, Answer::Refused);
        }
        if let Some((receipt, tx)) = outcome(host, op) {
            self.pending.remove(&op);
            return self.settle(cx, host, from, &tx, receipt);
        }
        if self.pending.len() >= MAX_PENDING && !self.pending.contains_key(&op) {
            return reply(cx, from, op, Answer::Busy);
        }
        let body = command.body();
        host.submit(cx, op, op.0, Arc::clone(&body));
        let since = cx.now();
        self.pending.entry(op).or_insert(Pending {
            client: from,
            since,
            body,
        });
        if !self.ticking {
            self.ticking = true;
            cx.set_timer(TICK, RESUBMIT);
        }
    }

    /// Tells the client how its executed transaction ended.
    fn settle(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        client: NodeId,
        tx: &Tx,
        receipt: Receipt,
    ) {
        let (op, height) = (tx.op(), host.height());
        let answer = match (receipt, Command::from_body(tx.body())) {
            (Receipt::Applied, Ok(Command::Put { .. })) => {
                cx.emit(KeyValueProbe::Wrote { op, height }.probe());
                Answer::Written
            }
            (Receipt::Applied, Ok(Command::Get { key })) => {
                let value = self.config.policy.value(host.get(&state_key(key)));
                let digest = value.as_deref().map(Digest::of);
                cx.emit(
                    KeyValueProbe::Read {
                        op,
                        key,
                        value: digest,
                        height,
                    }
                    .probe(),
                );
                Answer::Value(value)
            }
            _ => Answer::Refused,
        };
        reply(cx, client, op, answer);
    }

    /// Hands transactions that have waited for long to consensus again, and answers those that were
    /// executed while the node read its own disk, which no service is told.
    fn tick(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        let now = cx.now();
        let (mut missed, mut gone) = (Vec::new(), Vec::new());
        for (&op, pending) in &mut self.pending {
            if now.since(pending.since) < RESUBMIT {
                continue;
            }
            match outcome(host, op) {
                Some((receipt, tx)) => missed.push((op, receipt, tx)),
                // In a block that this node never saw: how it ended, nobody here can say.
                None if host.executed(tx_id(host, op)).is_some() => gone.push(op),
                None => {
                    host.submit(cx, op, op.0, Arc::clone(&pending.body));
                }
            }
        }
        for op in gone {
            self.pending.remove(&op);
        }
        for (op, receipt, tx) in missed {
            if let Some(pending) = self.pending.remove(&op) {
                self.settle(cx, host, pending.client, &tx, receipt);
            }
        }
        self.ticking = !self.pending.is_empty();
        if self.ticking {
            cx.set_timer(TICK, RESUBMIT);
        }
    }
}

fn reply(cx: &mut Context<'_>, client: NodeId, op: OpId, answer: Answer) {
    cx.send(client, Arc::new(Message::Reply { op, answer }));
}

/// The transaction that brings `op` to the chain.
fn tx_id(host: &dyn Host, op: OpId) -> TxId {
    TxId {
        origin: host.node(),
        number: op.0,
    }
}

/// The transaction of `op` if it was executed: its receipt and itself.
fn outcome(host: &dyn Host, op: OpId) -> Option<(Receipt, Arc<Tx>)> {
    let id = tx_id(host, op);
    let block = host.block(host.executed(id)?)?;
    let txs = block.committed.batch.txs();
    let mut found = txs.iter().zip(&block.receipts);
    let found = found.find(|(tx, receipt)| tx.id() == id && executed(receipt));
    found.map(|(tx, receipt)| (*receipt, Arc::clone(tx)))
}

impl Service for KeyValueService {
    fn start(&mut self, _cx: &mut Context<'_>, _host: &mut dyn Host, _disk: Option<&Disk>) {
        self.pending.clear();
        self.ticking = false;
    }

    fn message(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        payload: &Arc<dyn Payload>,
    ) {
        if let Some(Message::Ask {
            op,
            certificate,
            command,
        }) = payload.as_any().downcast_ref::<Message>()
        {
            self.asked(cx, host, from, *op, certificate, command);
        }
    }

    fn applied(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Arc<Block>) {
        let me = host.node();
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if executed(receipt)
                && tx.id().origin == me
                && let Some(pending) = self.pending.remove(&tx.op())
            {
                self.settle(cx, host, pending.client, tx, *receipt);
            }
        }
    }

    fn serves(&self, payload: &dyn Payload) -> bool {
        let message = payload.as_any().downcast_ref();
        matches!(message, Some(Message::Ask { .. }))
    }

    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, key: TimerKey) {
        if key == TICK {
            self.tick(cx, host);
        }
    }

    fn persisted(&mut self, _cx: &mut Context<'_>, _host: &mut dyn Host, _token: WriteToken) {}
}
