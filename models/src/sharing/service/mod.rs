//! The institution's side of data sharing on its server: it keeps the originals, brings commands
//! to the chain, decides on accesses as provider and fetches records for its own doctors.
//!
//! Every operation leads to at most one transaction of a server, numbered by the operation. A
//! question that is repeated after a lost message or a crash finds that transaction again and is
//! answered from what was executed, so nothing takes effect twice.

mod asks;
mod copies;
mod fetch;
mod freshness;
mod pending;
mod provide;
mod queries;
mod refusals;
mod store;
mod sweep;

pub use refusals::{MAX_SUBJECTS, period_of};

use super::command::Command;
use super::config::{Freshness, SharingOptions};
use super::ids::{PseudonymKey, Reason, RecordId};
use super::marks;
use super::message::{Answer, Ask, Message, Sealed, Tally};
use super::probe::SharingProbe;
use super::scope::Use;
use super::seeded;
use crate::consensus::TIMER_LIMIT;
use crate::ledger::chain::executed;
use crate::node::Gate;
use crate::node::marks as node;
use crate::node::membership::Refusal;
use crate::node::service::{Host, Service};
use crate::node::waiting::{Ended, Ticker, missed, outcome, outcome_in_state, resubmit};
use consim_core::{
    Block, CodecError, Context, Disk, NodeId, OpId, Payload, Receipt, Span, Time, TimerKey, Tx,
    Work, WriteToken,
};
use pending::{Asker, Pending, Stage};
pub use queries::NetworkConfig;
use queries::Queries;
use refusals::Refused;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

/// The most operations that a server has open; what comes beyond is answered with `busy`.
pub const MAX_PENDING: usize = 10_000;
/// A subject's refusals are audited once in each of these periods, which are counted from the
/// start of the run: an outsider must not fill the chain (assumed).
pub const REFUSAL_PERIOD: Span = Span::from_secs(10);
/// Reads that wait for another server are forgotten after this time: the desk has given up
/// (twice the longest clinical deadline).
const FORGET: Span = Span::from_secs(120);
/// The service's timer.
const TICK: TimerKey = TimerKey(TIMER_LIMIT | 1 << 40);

/// How a provider keeps the rules. The default methods are those of an honest provider; tests put
/// others in their place to show that the checks notice.
pub trait Policy: Send {
    /// What the provider decides where the rules say `ruled`.
    fn decide(&mut self, ruled: Result<Reason, Reason>) -> Result<Reason, Reason> {
        ruled
    }
    /// What the provider releases where it keeps `body`.
    fn release(&mut self, body: Arc<[u8]>) -> Arc<[u8]> {
        body
    }
    /// Does the provider write the audit entry, and wait for it, before it answers?
    fn audits_first(&self) -> bool {
        true
    }
}

/// Keeps the rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;
impl Policy for Honest {}

/// What a server is told.
pub struct ServiceConfig {
    /// The service's options.
    pub options: SharingOptions,
    /// The alliance's secret for pseudonyms.
    pub pseudonyms: PseudonymKey,
    /// The institution's name; storage addresses begin with it.
    pub name: Arc<str>,
    /// The institution's own desk.
    pub desk: NodeId,
    /// The servers of the chain's members.
    pub members: Arc<[NodeId]>,
    /// Is this the health supervision department, which reads the audit?
    pub supervision: bool,
    /// Who may use this server.
    pub gate: Box<dyn Gate>,
    /// How it keeps the rules.
    pub policy: Box<dyn Policy>,
}

/// The data-sharing service of a server.
pub struct SharingService {
    config: ServiceConfig,
    store: Store,
    pending: BTreeMap<OpId, Pending>,
    writes: BTreeMap<WriteToken, OpId>,
    refused: Refused,
    tally: Option<(OpId, Tally)>,
    ticker: Ticker,
    decided: seeded::Decided,
    /// What goes on with other networks, if there are any.
    queries: Option<Queries>,
}

impl SharingService {
    /// A service that has stored nothing yet.
    pub fn new(config: ServiceConfig) -> Self {
        Self {
            config,
            store: Store::default(),
            pending: BTreeMap::new(),
            writes: BTreeMap::new(),
            refused: Refused::default(),
            tally: None,
            ticker: Ticker::new(TICK),
            decided: seeded::Decided::default(),
            queries: None,
        }
    }

    /// The same, of a network among others.
    #[must_use]
    pub fn within(mut self, network: NetworkConfig) -> Self {
        self.queries = Some(Queries::new(network));
        self
    }

    /// How many originals the server keeps.
    pub fn originals(&self) -> usize {
        self.store.len()
    }

    /// The records whose originals the server keeps.
    pub fn kept(&self) -> impl Iterator<Item = RecordId> {
        self.store.records()
    }

    /// Whoever has the machine in hand can change what lies in its store. `false` if it is not there.
    pub fn overwrite(
        &mut self,
        cx: &mut Context<'_>,
        record: RecordId,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        let Some(write) = self.store.overwrite(record, change) else {
            return false;
        };
        cx.persist(asks::REPAIR, vec![write]);
        true
    }

    /// How many operations are open.
    pub fn open(&self) -> usize {
        self.pending.len()
    }

    fn put(&mut self, cx: &mut Context<'_>, op: OpId, asker: Asker, stage: Stage) {
        self.pending.insert(
            op,
            Pending {
                asker,
                since: cx.now(),
                stage,
            },
        );
        self.ticker.start(cx);
    }

    /// Brings `command` to the chain as the transaction of `op`; `asker` is answered when it is
    /// executed. A full mempool is tried again at the next tick.
    fn commit(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        asker: Asker,
        command: &Command,
    ) {
        let body = command.body();
        if let Some(ended) = outcome_in_state(cx, host, op, &body) {
            self.pending.remove(&op);
            return self.settle(cx, host, asker, &ended);
        }
        host.submit(cx, op, op.0, Arc::clone(&body));
        self.put(cx, op, asker, Stage::Committing { body });
    }

    /// Is this operation known already? Then its asker is answered, now or at its end, and there
    /// is nothing more to do. An open operation is its first asker's alone.
    fn known(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, op: OpId, asker: Asker) -> bool {
        if let Some(ended) = outcome(host, op) {
            cx.reached(&node::OPERATION_FOUND);
            self.pending.remove(&op);
            self.settle(cx, host, asker, &ended);
            return true;
        }
        let Some(pending) = self.pending.get_mut(&op) else {
            return false;
        };
        if !pending.asker.is(asker) {
            Self::answer(cx, host, op, asker, Answer::Refused(Reason::NotAllowed));
            return true;
        }
        if let Stage::Committing { body } = &pending.stage {
            host.submit(cx, op, op.0, Arc::clone(body));
        }
        !matches!(pending.stage, Stage::Fetching { .. })
    }

    /// Acts on an executed transaction of this server: tells the asker how the operation ended.
    fn settle(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, asker: Asker, ended: &Ended) {
        let op = ended.op;
        if let Receipt::Refused(word) = ended.receipt {
            let reason = Reason::of_word(word).unwrap_or(Reason::NotAllowed);
            if reason == Reason::NoPower {
                cx.reached(&marks::POWER_OVER);
            }
            if reason.of_consent()
                && let Some(access) = freshness::turned_down(cx, host, ended, reason)
            {
                return self.release(cx, host, op, asker, &access);
            }
            return Self::answer(cx, host, op, asker, Answer::Refused(reason));
        }
        let Ok(command) = Command::decode(&ended.body) else {
            return;
        };
        let answer = match command {
            // What was decided then stands in the block alone: the desk asks anew, as another operation.
            Command::Access(_) | Command::Read { .. } | Command::AuditRead { .. }
                if !ended.shown =>
            {
                Answer::Refused(Reason::Unseen)
            }
            Command::Read { .. } => {
                let access = command.decided(host.node(), ended.receipt, host.height());
                if let Some(access) = access {
                    self.release(cx, host, op, asker, &access);
                }
                return;
            }
            Command::Access(access) => return self.release(cx, host, op, asker, &access),
            Command::AuditRead { from, to, .. } => {
                Answer::Swept(self.swept(cx, host, op, from, to))
            }
            Command::Refusal { .. } => return,
            _ => Answer::Done,
        };
        Self::answer(cx, host, op, asker, answer);
    }

    /// Answers whoever asked: a desk gets its reply, another server the release.
    fn answer(cx: &mut Context<'_>, host: &mut dyn Host, op: OpId, asker: Asker, answer: Answer) {
        match asker {
            Asker::Desk(desk, record) => Self::reply(cx, host, op, desk, record, answer),
            Asker::Server(server) => {
                if let Answer::Record(sealed) = &answer {
                    cx.work(Work::encrypt(sealed.open().len()));
                }
                cx.send(server, Arc::new(Message::Release { op, answer }));
            }
            Asker::Nobody => {}
        }
    }

    fn refuse(cx: &mut Context<'_>, op: OpId, desk: NodeId, reason: Reason) {
        cx.send(
            desk,
            Arc::new(Message::Reply {
                op,
                answer: Answer::Refused(reason),
            }),
        );
    }

    fn asked(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        op: OpId,
        certificate: &[u8],
        ask: &Ask,
    ) {
        if let Err(why) = self.config.gate.admit(cx, host, from, certificate) {
            cx.reached(&marks::SHARING_REFUSED_AT_GATE);
            Self::refuse(cx, op, from, Reason::Unauthenticated);
            return self.audit_refusal(cx, host, from, why);
        }
        // An operation bears the number of its desk, so nobody can take another's.
        if op.0 >> 32 != u64::from(from.0) {
            return Self::refuse(cx, op, from, Reason::NotAllowed);
        }
        if let Ask::Query {
            record,
            patient,
            purpose,
            reader,
        } = ask
        {
            let pseudonym = self.pseudonym(cx, patient);
            let wanted = Use {
                requester: host.node(),
                reader: *reader,
                purpose: *purpose,
                of: None,
            };
            return self.query(cx, host, op, from, (*record, pseudonym, wanted));
        }
        let record = if let Ask::Read { record, .. } = ask {
            Some(*record)
        } else {
            None
        };
        if self.known(cx, host, op, Asker::Desk(from, record)) {
            return;
        }
        if !host.is_member() {
            cx.reached(&node::NOT_MEMBER);
            return Self::refuse(cx, op, from, Reason::NoMember);
        }
        if self.pending.len() >= MAX_PENDING && !self.pending.contains_key(&op) {
            return Self::refuse(cx, op, from, Reason::Busy);
        }
        self.start_ask(cx, host, from, op, ask);
    }

    /// Which institution a desk speaks for: its own server, or itself if it is outside the chain.
    fn requester(&self, host: &dyn Host, desk: NodeId) -> NodeId {
        if desk == self.config.desk {
            host.node()
        } else {
            desk
        }
    }

    /// Whether `asker` asks in the name of the institution `requester`. A member speaks for itself
    /// and for those outside the chain whose entry it is.
    fn speaks_for(&self, host: &dyn Host, asker: Asker, requester: NodeId) -> bool {
        match asker {
            Asker::Desk(desk, _) => self.requester(host, desk) == requester,
            Asker::Server(server) => {
                server == requester || !self.config.members.contains(&requester)
            }
            Asker::Nobody => false,
        }
    }

    /// The transactions that wait.
    fn committing(&self) -> impl Iterator<Item = (OpId, Time, &Arc<[u8]>)> {
        self.pending.iter().filter_map(|(&op, p)| match &p.stage {
            Stage::Committing { body } => Some((op, p.since, body)),
            _ => None,
        })
    }

    /// Ends the operations whose transactions were executed where no service is told.
    fn settle_missed(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        for ended in missed(cx, host, self.committing()) {
            if let Some(pending) = self.pending.remove(&ended.op) {
                self.settle(cx, host, pending.asker, &ended);
            }
        }
    }

    /// Hands transactions that have waited for long to consensus again and forgets reads that
    /// nobody waits for.
    fn tick(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        let now = cx.now();
        self.pending
            .retain(|_, p| p.stage.lasts() || now.since(p.since) < FORGET);
        self.settle_missed(cx, host);
        resubmit(cx, host, self.committing());
        let more = self.look_after_queries(cx, host);
        self.ticker.again(cx, more || !self.pending.is_empty());
    }
}

impl Service for SharingService {
    fn start(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, disk: Option<&Disk>) {
        self.pending.clear();
        self.writes.clear();
        self.refused = Refused::default();
        self.tally = None;
        self.ticker.reset();
        self.store = disk.map_or_else(Store::default, Store::restore);
        self.begin_queries(cx, host);
    }

    fn message(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        payload: &Arc<dyn Payload>,
    ) {
        match payload.as_any().downcast_ref::<Message>() {
            Some(Message::Ask {
                op,
                certificate,
                ask,
            }) => self.asked(cx, host, from, *op, certificate, ask),
            Some(Message::Fetch {
                op,
                record,
                requester,
                purpose,
                reader,
                after,
            }) => {
                let wanted = pending::Wanted {
                    record: *record,
                    requester: *requester,
                    purpose: *purpose,
                    reader: *reader,
                    after: *after,
                };
                self.fetched(cx, host, from, *op, wanted);
            }
            Some(Message::Release { op, answer }) => self.arrived(cx, host, from, *op, answer),
            Some(Message::Collect { op, record }) => {
                self.collected(cx, host, from, *op, *record);
            }
            Some(Message::Handed { op, answer, .. }) => self.handed(cx, from, *op, answer),
            Some(Message::Reply { .. }) | None => {}
        }
    }

    fn applied(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Arc<Block>) {
        let me = host.node();
        for (tx, receipt) in block.committed.batch.txs().iter().zip(&block.receipts) {
            if executed(receipt) && tx.id().origin == me && tx.id().number == tx.op().0 {
                if *receipt == Receipt::Applied {
                    observe(cx, tx);
                }
                if self.config.options.freshness == Freshness::Ordered {
                    freshness::ordered(cx, host, tx, *receipt);
                }
                if let Some(pending) = self.pending.remove(&tx.op()) {
                    let ended = Ended::in_block(tx, *receipt);
                    self.settle(cx, host, pending.asker, &ended);
                }
            }
        }
        self.taken_back(cx, host, block);
        self.crossed(cx, host, block);
        self.height_reached(cx, host);
    }

    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }

    fn jumped(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        self.settle_missed(cx, host);
        self.height_reached(cx, host);
    }

    fn serves(&self, payload: &dyn Payload) -> bool {
        let message = payload.as_any().downcast_ref();
        // Servers of other networks are no peers; what they say is proven by the chains.
        let across = self.queries.is_some();
        match message {
            Some(Message::Ask { .. }) => true,
            Some(Message::Collect { .. } | Message::Handed { .. }) => across,
            _ => false,
        }
    }

    fn refused(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        subject: NodeId,
        reason: Refusal,
    ) {
        self.audit_refusal(cx, host, subject, reason);
    }

    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, key: TimerKey) {
        if self.ticker.owns(key) {
            self.tick(cx, host);
        }
    }

    fn scrubbed(&mut self, cx: &mut Context<'_>, _host: &mut dyn Host, disk: &Disk) {
        let repairs = self.store.repairs(disk);
        if !repairs.is_empty() {
            cx.reached(&marks::SCRUB_REPAIRED_ORIGINAL);
            cx.persist(asks::REPAIR, repairs);
        }
    }

    fn persisted(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, token: WriteToken) {
        let Some(op) = self.writes.remove(&token) else {
            return;
        };
        if let Some(Pending {
            asker,
            stage: Stage::Storing { command },
            ..
        }) = self.pending.get(&op)
        {
            let (asker, command) = (*asker, command.clone());
            self.commit(cx, host, op, asker, &command);
        }
    }
}

/// A change of consent took effect on the chain: seen once, at the server that brought it there.
fn observe(cx: &mut Context<'_>, tx: &Tx) {
    if let Ok(
        command @ (Command::Grant { .. }
        | Command::Deny { .. }
        | Command::Revoke { .. }
        | Command::Spoken { .. }
        | Command::Appoint { .. }
        | Command::Dismiss { .. }),
    ) = Command::decode(tx.body())
    {
        if let Command::Spoken { .. } = command {
            cx.reached(&marks::SPOKEN_FOR);
        }
        cx.emit(SharingProbe::Consented(command.word()).probe());
    }
}

/// Encrypts a record for `op` and charges it.
fn seal(cx: &mut Context<'_>, op: OpId, body: &Arc<[u8]>) -> Sealed {
    cx.work(Work::encrypt(body.len()));
    Sealed::seal(op, Arc::clone(body))
}

#[cfg(test)]
mod tests;
