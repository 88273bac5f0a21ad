//! The node's side of clients: it takes their requests, tells them what came of these, and shows
//! them the state.

use super::full_node::NodeHost;
use super::marks;
use super::membership::Refusal;
use super::message::{Message, Outcome, Reply, Shown};
use crate::ledger::chain::BLOCK_GONE;
use consim_core::{Block, Context, NodeId, Receipt, State as _, Tx, TxId, Work};
use std::collections::VecDeque;
use std::sync::Arc;

/// Reads that wait for what may have been decided before they came (assumed); beyond it a read gets
/// no answer and is asked again.
pub(super) const MAX_READS: usize = 4_096;

/// A read that waits.
#[derive(Debug)]
struct Read {
    client: NodeId,
    number: u64,
    key: Arc<[u8]>,
    /// Its number at the replica.
    ticket: u64,
    /// Answered once this sequence number is executed; `None` while the replica asks others.
    after: Option<u64>,
}

/// What a node shows where its state holds a value. An honest one shows that; tests put others in
/// its place.
pub type Shows = Box<dyn FnMut(Option<Arc<[u8]>>) -> Option<Arc<[u8]>> + Send>;

/// What the node keeps of clients.
#[derive(Default)]
pub(super) struct Clients {
    reads: VecDeque<Read>,
    ticket: u64,
    /// How it shows values, if not as they are.
    pub(super) shows: Option<Shows>,
}

impl NodeHost {
    /// Upon REQUEST, which its client may have sent to all members: hands it to consensus; one that was executed is answered again.
    pub(super) fn requested(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        tx: &Arc<Tx>,
        shared: bool,
    ) -> Result<(), Refusal> {
        self.registry.bearer(from, cx.wall_ns())?;
        self.let_in(cx, from);
        if !self.replica.is_member() {
            // Its client asks the others in the end.
            cx.reached(&marks::NOT_MEMBER);
            return Ok(());
        }
        if tx.id().origin != from || tx.chain() != self.config.chain {
            return Ok(());
        }
        if let Some(height) = self.ledger.executed(tx.id()) {
            let block = self.ledger.block(height).cloned();
            if let Some(receipt) = block.and_then(|block| receipt_of(&block, tx.id())) {
                cx.reached(&marks::REQUEST_ANSWERED_AGAIN);
                self.reply(cx, tx.id(), receipt, false);
            } else {
                // This node took over the state: that says how it ended.
                cx.reached(&marks::REQUEST_BLOCK_GONE);
                let applied = self.ledger.state().applied(tx.id()) == Some(true);
                let receipt = if applied {
                    Receipt::Applied
                } else {
                    Receipt::Refused(BLOCK_GONE)
                };
                self.reply(cx, tx.id(), receipt, false);
            }
            return Ok(());
        }
        let signatures = self.config.keys.of_transactions(tx.cohort().count);
        cx.work(Work::verify(signatures));
        cx.work(Work::hash(tx.encoded_len()));
        if tx.verify(&self.config.keys) {
            if shared {
                self.replica.share(cx, Arc::clone(tx));
            } else {
                self.replica.submit(cx, Arc::clone(tx));
            }
        }
        Ok(())
    }

    /// Upon QUERY: shows the value once all is executed that may have been decided before.
    pub(super) fn queried(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        number: u64,
        key: &Arc<[u8]>,
    ) -> Result<(), Refusal> {
        self.registry.bearer(from, cx.wall_ns())?;
        self.let_in(cx, from);
        if !self.replica.is_member() {
            cx.reached(&marks::NOT_MEMBER);
            return Ok(());
        }
        // Asked again, since the replica had no answer; and what nobody will answer makes room.
        let reads = &mut self.clients.reads;
        let asked = |read: &Read| read.client == from && read.number == number;
        reads.retain(|read| read.after.is_some() || !asked(read));
        if reads.len() >= MAX_READS
            && let Some(open) = reads.iter().position(|read| read.after.is_none())
        {
            reads.remove(open);
        }
        if self.clients.reads.len() < MAX_READS {
            self.clients.ticket += 1;
            let ticket = self.clients.ticket;
            let after = self.replica.read(cx, ticket);
            self.clients.reads.push_back(Read {
                client: from,
                number,
                key: Arc::clone(key),
                ticket,
                after,
            });
            let before = self.clients.reads.len();
            self.show_ready(cx);
            if self.clients.reads.len() == before {
                cx.reached(&marks::READ_WAITED);
            }
        }
        Ok(())
    }

    /// Takes what the replica found out about reads.
    pub(super) fn settle_reads(&mut self, cx: &mut Context<'_>) {
        let settled = self.replica.take_reads();
        if settled.is_empty() {
            return;
        }
        for (ticket, after) in settled {
            let mut reads = self.clients.reads.iter_mut();
            if let Some(read) = reads.find(|read| read.ticket == ticket) {
                read.after = Some(after);
            }
        }
        self.show_ready(cx);
    }

    /// Answers the reads whose time has come.
    pub(super) fn show_ready(&mut self, cx: &mut Context<'_>) {
        let executed = self.ledger.sequence();
        let Clients { reads, shows, .. } = &mut self.clients;
        let state = self.ledger.state();
        reads.retain(|read| {
            let ready = read.after.is_some_and(|after| after <= executed);
            if ready {
                cx.work(Work::execute(1));
                let (number, value) = (read.number, state.get(&read.key));
                let value = match shows {
                    Some(shows) => shows(value),
                    None => value,
                };
                cx.send(
                    read.client,
                    Arc::new(Message::Shown(Shown { number, value })),
                );
            }
            !ready
        });
    }

    /// Tells clients what came of their transactions.
    pub(super) fn answer_clients<'a>(
        &self,
        cx: &mut Context<'_>,
        executed: impl Iterator<Item = (&'a Arc<Tx>, &'a Receipt)>,
        tentative: bool,
    ) {
        for (tx, receipt) in executed {
            self.reply(cx, tx.id(), *receipt, tentative);
        }
    }

    /// Replies to a client; members see for themselves.
    fn reply(&self, cx: &mut Context<'_>, id: TxId, receipt: Receipt, tentative: bool) {
        let outcome = match receipt {
            Receipt::Applied => Outcome::Applied,
            Receipt::Refused(_) => Outcome::Refused,
            // It was executed before, and answered then.
            Receipt::Duplicate => return,
        };
        let client = id.origin;
        if self.registry.client(client, cx.wall_ns()) {
            let (view, leader) = self.replica.leader();
            cx.send(
                client,
                Arc::new(Message::Reply(Reply {
                    id,
                    view,
                    leader,
                    tentative,
                    outcome,
                })),
            );
        }
    }
}

/// The receipt of the execution of `id` in a block.
fn receipt_of(block: &Block, id: TxId) -> Option<Receipt> {
    let txs = block.committed.batch.txs().iter().zip(&block.receipts);
    let mut own = txs.filter(|(tx, receipt)| tx.id() == id && **receipt != Receipt::Duplicate);
    own.next().map(|(_, receipt)| *receipt)
}
