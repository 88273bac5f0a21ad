//! The server's side: brings commands to the chain and answers when they are executed.

use super::marks;
use super::message::{Answer, Command, Message};
use super::seeded;
use crate::consensus::TIMER_LIMIT;
use crate::ledger::chain::executed;
use crate::node::Gate;
use crate::node::marks as node;
use crate::node::service::{Host, Service};
use crate::node::waiting::{Ended, Ticker, missed, outcome, outcome_in_state, resubmit_cohorts};
use consim_core::{
    Block, Cohort, Context, Disk, NodeId, OpId, Payload, Receipt, Time, TimerKey, Work, WriteToken,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most operations that a server has open; what comes beyond is answered with `busy`.
pub const MAX_PENDING: usize = 100_000;
/// The service's timer.
const TICK: TimerKey = TimerKey(TIMER_LIMIT | 1 << 41);

/// What a server answers without waiting for the order: nothing, unless something is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Early<S> {
    /// Nothing.
    No,
    /// This, and nothing is ordered.
    Instead(S),
    /// This, and it is ordered afterwards.
    Before(S),
}

/// A model of ordered operations, at a server.
pub trait Orders: Send {
    /// Its commands.
    type Command: Command;
    /// What is said of `command` before it is ordered.
    fn early(
        &mut self,
        _cx: &mut Context<'_>,
        _host: &dyn Host,
        _op: OpId,
        _command: &Self::Command,
    ) -> Early<<Self::Command as Command>::Said> {
        Early::No
    }
    /// What is said of `command`, which this server has executed and which was not refused.
    fn said(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        op: OpId,
        command: &Self::Command,
    ) -> <Self::Command as Command>::Said;
    /// `command`, which this server has executed, was refused.
    fn refused(&mut self, _cx: &mut Context<'_>, _command: &Self::Command, _reason: &'static str) {}
}

/// What a server is told.
pub struct ServiceConfig<O> {
    /// Who may use this server.
    pub gate: Box<dyn Gate>,
    /// What it answers.
    pub orders: O,
}

struct Pending {
    client: NodeId,
    since: Time,
    body: Arc<[u8]>,
}

/// The service of a server.
pub struct OrderService<O> {
    config: ServiceConfig<O>,
    pending: BTreeMap<OpId, Pending>,
    ticker: Ticker,
}

impl<O: Orders> OrderService<O> {
    /// A service with nothing open.
    pub fn new(config: ServiceConfig<O>) -> Self {
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
        command: &O::Command,
    ) {
        // An operation bears the number of its client, so nobody can take another's.
        let own = op.0 >> 32 == u64::from(from.0);
        if self.config.gate.admit(cx, host, from, certificate).is_err() || !own {
            cx.reached(&marks::REFUSED_AT_GATE);
            return Self::reply(cx, from, op, Answer::Refused);
        }
        match self.config.orders.early(cx, host, op, command) {
            Early::No => {}
            Early::Instead(said) => return Self::reply(cx, from, op, Answer::Done(said)),
            Early::Before(said) => Self::reply(cx, from, op, Answer::Done(said)),
        }
        let again = self.pending.contains_key(&op);
        if let Some(ended) = outcome(host, op) {
            cx.reached(&node::OPERATION_FOUND);
            self.pending.remove(&op);
            return self.settle(cx, host, from, &ended);
        }
        if !host.is_member() {
            cx.reached(&node::NOT_MEMBER);
            return Self::reply(cx, from, op, Answer::Refused);
        }
        if self.pending.len() >= MAX_PENDING && !again {
            return Self::reply(cx, from, op, Answer::Busy);
        }
        if again {
            cx.reached(&marks::REPEATED_WHILE_OPEN);
        }
        let body = command.body();
        if let Some(ended) = outcome_in_state(cx, host, op, &body) {
            self.pending.remove(&op);
            return self.settle(cx, host, from, &ended);
        }
        let mut number = op.0;
        if again && seeded::on(&seeded::RETRY_IS_ANOTHER_TRANSACTION) {
            number |= 1 << 63;
        }
        host.submit_cohort(cx, op, number, (Arc::clone(&body), command.cohort()));
        let since = cx.now();
        self.pending.entry(op).or_insert(Pending {
            client: from,
            since,
            body,
        });
        self.ticker.start(cx);
    }

    /// Tells the client how its executed transaction ended.
    fn settle(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, client: NodeId, ended: &Ended) {
        let op = ended.op;
        let answer = match (ended.receipt, O::Command::from_body(&ended.body)) {
            (Receipt::Applied, Ok(command)) => {
                Answer::Done(self.config.orders.said(cx, host, op, &command))
            }
            (Receipt::Refused(reason), Ok(command)) => {
                self.config.orders.refused(cx, &command, reason);
                Answer::Refused
            }
            _ => Answer::Refused,
        };
        Self::reply(cx, client, op, answer);
    }

    fn reply(
        cx: &mut Context<'_>,
        client: NodeId,
        op: OpId,
        answer: Answer<<O::Command as Command>::Said>,
    ) {
        let reply = Message::<O::Command>::Reply { op, answer };
        cx.send(client, Arc::new(reply));
    }

    /// The transactions that wait.
    fn waiting(&self) -> impl Iterator<Item = (OpId, Time, &Arc<[u8]>)> {
        self.pending.iter().map(|(&op, p)| (op, p.since, &p.body))
    }

    /// Answers those that were executed where no service is told.
    fn answer_missed(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        for ended in missed(cx, host, self.waiting()) {
            if let Some(pending) = self.pending.remove(&ended.op) {
                self.settle(cx, host, pending.client, &ended);
            }
        }
    }

    /// Hands transactions that have waited for long to consensus again.
    fn tick(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        self.answer_missed(cx, host);
        let cohort = |body: &Arc<[u8]>| {
            let command = O::Command::from_body(body);
            let cohort = command.map_or(Cohort::ONE, |command| command.cohort());
            (Arc::clone(body), cohort)
        };
        resubmit_cohorts(cx, host, self.waiting(), cohort);
        self.ticker.again(cx, !self.pending.is_empty());
    }
}

impl<O: Orders> Service for OrderService<O> {
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
        let message = payload.as_any().downcast_ref::<Message<O::Command>>();
        if let Some(Message::Ask {
            op,
            certificate,
            command,
        }) = message
        {
            // The node charges one request for the message; a cohort's holds the others' too.
            cx.work(Work::requests(command.cohort().count - 1));
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
                let ended = Ended::in_block(tx, *receipt);
                self.settle(cx, host, pending.client, &ended);
            }
        }
    }

    fn jumped(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        self.answer_missed(cx, host);
    }

    fn serves(&self, payload: &dyn Payload) -> bool {
        let message = payload.as_any().downcast_ref::<Message<O::Command>>();
        matches!(message, Some(Message::Ask { .. }))
    }

    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, key: TimerKey) {
        if self.ticker.owns(key) {
            self.tick(cx, host);
        }
    }

    fn persisted(&mut self, _cx: &mut Context<'_>, _host: &mut dyn Host, _token: WriteToken) {}
}
