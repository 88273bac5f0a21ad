//! The server's side: brings commands to the chain and answers when they are executed.

use super::command::{Command, state_key};
use super::marks;
use super::message::{Answer, Message};
use super::probe::KeyValueProbe;
use super::seeded;
use crate::consensus::TIMER_LIMIT;
use crate::ledger::chain::executed;
use crate::node::Gate;
use crate::node::marks as node;
use crate::node::service::{Host, Service};
use crate::node::waiting::{Ticker, outcome, resubmit};
use consim_core::{
    Block, Context, Digest, Disk, NodeId, OpId, Payload, Receipt, Time, TimerKey, Tx, WriteToken,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most operations that a server has open; what comes beyond is answered with `busy`.
pub const MAX_PENDING: usize = 100_000;
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
    ticker: Ticker,
}

impl KeyValueService {
    /// A service with nothing open.
    pub fn new(config: ServiceConfig) -> Self {
        Self {
            config,
            pending: BTreeMap::new(),
            ticker: Ticker::new(TICK),
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
            cx.reached(&marks::REFUSED_AT_GATE);
            return reply(cx, from, op, Answer::Refused);
        }
        if let Command::Get { key } = command
            && seeded::on(&seeded::READ_AT_ONCE)
        {
            let value = self.shown(cx, host, op, *key);
            return reply(cx, from, op, Answer::Value(value));
        }
        let again = self.pending.contains_key(&op);
        if let Some((receipt, tx)) = outcome(host, op) {
            cx.reached(&node::OPERATION_FOUND);
            self.pending.remove(&op);
            return self.settle(cx, host, from, &tx, receipt);
        }
        if self.pending.len() >= MAX_PENDING && !self.pending.contains_key(&op) {
            return reply(cx, from, op, Answer::Busy);
        }
        if again {
            cx.reached(&marks::REPEATED_WHILE_OPEN);
        }
        let body = command.body();
        let mut number = op.0;
        if again && seeded::on(&seeded::RETRY_IS_ANOTHER_TRANSACTION) {
            number |= 1 << 63;
        }
        host.submit(cx, op, number, Arc::clone(&body));
        let since = cx.now();
        self.pending.entry(op).or_insert(Pending {
            client: from,
            since,
            body,
        });
        self.ticker.start(cx);
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
                Answer::Value(self.shown(cx, host, op, key))
            }
            _ => Answer::Refused,
        };
        reply(cx, client, op, answer);
    }

    /// The value that a client is told for `op`.
    fn shown(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        op: OpId,
        key: u64,
    ) -> Option<Arc<[u8]>> {
        let value = self.config.policy.value(host.get(&state_key(key)));
        if value.is_none() {
            cx.reached(&marks::NOTHING_READ);
        }
        let read = KeyValueProbe::Read {
            op,
            key,
            value: value.as_deref().map(Digest::of),
            height: host.height(),
        };
        cx.emit(read.probe());
        value
    }

    /// Hands transactions that have waited for long to consensus again, and answers those that were
    /// executed while the node read its own disk, which no service is told.
    fn tick(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        let waiting = self.pending.iter().map(|(&op, p)| (op, p.since, &p.body));
        let over = resubmit(cx, host, waiting);
        for op in over.gone {
            self.pending.remove(&op);
        }
        for (op, receipt, tx) in over.missed {
            if let Some(pending) = self.pending.remove(&op) {
                self.settle(cx, host, pending.client, &tx, receipt);
            }
        }
        self.ticker.again(cx, !self.pending.is_empty());
    }
}

fn reply(cx: &mut Context<'_>, client: NodeId, op: OpId, answer: Answer) {
    cx.send(client, Arc::new(Message::Reply { op, answer }));
}

impl Service for KeyValueService {
    fn start(&mut self, _cx: &mut Context<'_>, _host: &mut dyn Host, _disk: Option<&Disk>) {
        self.pending.clear();
        self.ticker.reset();
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
        if self.ticker.owns(key) {
            self.tick(cx, host);
        }
    }

    fn persisted(&mut self, _cx: &mut Context<'_>, _host: &mut dyn Host, _token: WriteToken) {}
}
