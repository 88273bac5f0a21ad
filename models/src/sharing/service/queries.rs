//! The server's side of queries between networks: those that its own people ask, and those for the records that it
//! keeps.

use super::{MAX_PENDING, SharingService, seal};
use crate::ledger::chain::executed;
use crate::node::service::Host;
use crate::node::waiting::{RESUBMIT, outcome};
use crate::relay::packet::{Command, Packet};
use crate::sharing::ids::{Pseudonym, Purpose, Reason, RecordId};

use crate::sharing::message::{Answer, Message, Sealed};
use crate::sharing::network::{
    Crossing, Label, Labels, MAX_INSIDE, QUERY_DEADLINE, Query, Verdict, answer_key, answered_key,
    query_key, read_answer,
};
use crate::sharing::probe::SharingProbe;
use crate::sharing::scope::Use;
use crate::sharing::seeded;
use crate::sharing::state::{Lookup, consented_to_all};
use consim_core::{Block, ChainId, Context, Digest, NodeId, OpId, Receipt, Time, Tx, TxId, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A server that comes back looks for queries that it has not answered in so many blocks (assumed: what is older, its
/// asker has given up).
const LOOKED_THROUGH: u64 = 512;
/// The numbers of transactions with answers: above those of operations, whose desks are numbered below 2^31.
const ANSWERS: u64 = 1 << 63;

/// What a server is told of the networks.
#[derive(Clone, Copy, Debug)]
pub struct NetworkConfig {
    /// The plans of the providers.
    pub labels: Labels,
}

/// A query of a desk of this server.
#[derive(Clone, Copy, Debug)]
struct Open {
    desk: NodeId,
    record: RecordId,
    since: Time,
    /// Whom it collects the record from, and its digest.
    collects: Option<(NodeId, Digest)>,
}

/// An answer of this server on its way to its own chain.
#[derive(Clone, Debug)]
struct Answering {
    body: Arc<[u8]>,
    since: Time,
    label: Label,
    permit: bool,
}

/// What goes on with other networks.
#[derive(Debug)]
pub(super) struct Queries {
    config: NetworkConfig,
    open: BTreeMap<OpId, Open>,
    /// By the number of the transaction.
    answering: BTreeMap<u64, Answering>,
}

impl Queries {
    pub(super) fn new(config: NetworkConfig) -> Self {
        Self {
            config,
            open: BTreeMap::new(),
            answering: BTreeMap::new(),
        }
    }
}

/// The packets of other chains that a transaction brought, and that are for this one.
fn came(tx: &Tx, here: ChainId) -> Vec<Packet> {
    let packets = Packet::brought_by(tx).into_iter();
    packets.filter(|packet| packet.to == here).collect()
}

impl SharingService {
    /// The server starts: what it has not answered is looked for.
    pub(super) fn begin_queries(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        let Some(queries) = self.queries.as_mut() else {
            return;
        };
        queries.open.clear();
        queries.answering.clear();
        let (me, here, height) = (host.node(), host.chain(), host.height());
        let from = height.saturating_sub(LOOKED_THROUGH) + 1;
        let mut packets = Vec::new();
        for block in (from..=height).filter_map(|height| host.block(height)) {
            let executed = block.committed.batch.txs().iter().zip(&block.receipts);
            let applied = executed.filter(|(_, receipt)| **receipt == Receipt::Applied);
            packets.extend(applied.flat_map(|(tx, _)| came(tx, here)));
        }
        for packet in packets {
            if let Ok(Crossing::Query(query)) = Crossing::decode(&packet.body) {
                self.answer_query(cx, host, me, &query, packet.id.chain);
            }
        }
    }

    /// A desk wants a record of another network.
    pub(super) fn query(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        desk: NodeId,
        (record, pseudonym, wanted): (RecordId, Pseudonym, Use),
    ) {
        let me = host.node();
        let full = |queries: &Queries| {
            queries.open.len() >= MAX_PENDING && !queries.open.contains_key(&op)
        };
        let Some(queries) = self.queries.as_mut().filter(|queries| !full(queries)) else {
            return Self::refuse(cx, op, desk, Reason::Busy);
        };
        let open = Open {
            desk,
            record,
            since: cx.now(),
            collects: None,
        };
        queries.open.entry(op).or_insert(open);
        self.ticker.start(cx);
        if self.settle_query(cx, host, op) {
            return;
        }
        let id = TxId {
            origin: me,
            number: op.0,
        };
        if host.executed(id).is_some() {
            return;
        }
        let granted = consented_to_all(&*host, &pseudonym, &wanted, host.head_time_ns()).is_ok();
        let query = Query {
            op,
            record,
            pseudonym,
            requester: me,
            purpose: wanted.purpose,
            reader: wanted.reader,
            granted,
        };
        let command = Command::Send {
            to: record.network(),
            deadline_ns: cx.wall_ns().saturating_add_unsigned(QUERY_DEADLINE.nanos()),
            body: Crossing::Query(query).body(),
        };
        host.submit(cx, op, op.0, command.body());
    }

    /// Ends a query if its answer is on this chain, or has it collected. `false`: there is none yet.
    fn settle_query(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, op: OpId) -> bool {
        let me = host.node();
        let Some(queries) = self.queries.as_mut() else {
            return false;
        };
        let Some(open) = queries.open.get_mut(&op) else {
            return false;
        };
        let desk = open.desk;
        let Some(value) = host.get(&answer_key(me, op)) else {
            // This chain's contract did not let it go.
            if let Some(Receipt::Refused(word)) = outcome(host, op).map(|ended| ended.receipt) {
                queries.open.remove(&op);
                let reason = Reason::of_word(word).unwrap_or(Reason::NotAllowed);
                Self::refuse(cx, op, desk, reason);
                return true;
            }
            return false;
        };
        match read_answer(&value) {
            Some((provider, Verdict::Apart { digest })) => {
                open.collects = Some((provider, digest));
                let record = open.record;
                cx.send(provider, Arc::new(Message::Collect { op, record }));
            }
            Some((_, Verdict::Inside { digest, sealed })) => {
                queries.open.remove(&op);
                match Sealed::of_bytes(&sealed) {
                    Ok(sealed) => Self::show(cx, (op, desk), &sealed, digest, false),
                    Err(_) => Self::refuse(cx, op, desk, Reason::Malformed),
                }
            }
            Some((_, Verdict::Refused(reason))) => {
                queries.open.remove(&op);
                Self::refuse(cx, op, desk, reason);
            }
            None => {
                queries.open.remove(&op);
                Self::refuse(cx, op, desk, Reason::Malformed);
            }
        }
        true
    }

    /// A record of another network is here: its desk gets it if it is what was registered there.
    fn show(
        cx: &mut Context<'_>,
        (op, desk): (OpId, NodeId),
        sealed: &Sealed,
        digest: Digest,
        apart: bool,
    ) {
        let body = sealed.open();
        cx.work(Work::encrypt(body.len()));
        cx.work(Work::hash(body.len()));
        let accepted = Digest::of(body) == digest;
        cx.emit(SharingProbe::Crossed { apart, accepted }.probe());
        let answer = if accepted {
            Answer::Record(seal(cx, op, body))
        } else {
            Answer::Refused(Reason::Integrity)
        };
        cx.send(desk, Arc::new(Message::Reply { op, answer }));
    }

    /// A query has come for a record of this institution.
    fn answer_query(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        me: NodeId,
        query: &Query,
        from: ChainId,
    ) {
        let (record, requester, op) = (query.record, query.requester, query.op);
        let Some(entry) = host.record(record).filter(|entry| entry.provider == me) else {
            return;
        };
        let came = host.get(&query_key(requester, op)).is_some();
        let answered = host.get(&answered_key(requester, op)).is_some();
        let number = ANSWERS | op.0;
        let Some(queries) = self.queries.as_mut() else {
            return;
        };
        if !came || answered || queries.answering.contains_key(&number) {
            return;
        }
        let label = queries.config.labels.of(record);
        let word = query.granted && query.pseudonym == entry.pseudonym;
        let urgent = query.purpose == Purpose::Emergency && self.config.options.emergency;
        let ruled = match label {
            Label::Open | Label::Sharable => Ok(Reason::Granted),
            Label::Protected if word => Ok(Reason::Granted),
            Label::Protected if urgent => Ok(Reason::Emergency),
            Label::Protected => Err(Reason::NoGrant),
            Label::NonOpen => Err(Reason::NotOpen),
        };
        let mut shared = label <= Label::Sharable;
        let mut decision = self.config.policy.decide(ruled);
        if seeded::on(&seeded::LABEL_NOT_LOOKED_AT) {
            (decision, shared) = (Ok(Reason::Granted), true);
        }
        let digest = entry.digest;
        let verdict = match (decision, self.store.released(record)) {
            (Err(reason), _) => Verdict::Refused(reason),
            (Ok(_), None) => Verdict::Refused(Reason::Missing),
            (Ok(_), Some(body)) if shared && body.len() <= MAX_INSIDE => {
                let body = self.config.policy.release(Arc::clone(body));
                let sealed = seal(cx, op, &body).to_bytes();
                Verdict::Inside { digest, sealed }
            }
            (Ok(_), Some(_)) => Verdict::Apart { digest },
        };
        let permit = !matches!(verdict, Verdict::Refused(_));
        let answer = Crossing::Answer {
            op,
            record,
            requester,
            verdict,
        };
        let command = Command::Send {
            to: from,
            deadline_ns: cx.wall_ns().saturating_add_unsigned(QUERY_DEADLINE.nanos()),
            body: answer.body(),
        };
        let body = command.body();
        host.submit(cx, OpId(number), number, Arc::clone(&body));
        let answering = Answering {
            body,
            since: cx.now(),
            label,
            permit,
        };
        if let Some(queries) = self.queries.as_mut() {
            queries.answering.insert(number, answering);
        }
        self.ticker.start(cx);
    }

    /// A server of another network collects a record: it gets it if this chain says that it may.
    pub(super) fn collected(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        op: OpId,
        record: RecordId,
    ) {
        let may = host.get(&answered_key(from, op)).as_deref() == Some(&[1]);
        let query = host.get(&query_key(from, op));
        let query = query.and_then(|body| Crossing::decode(&body).ok());
        let of_this = matches!(query, Some(Crossing::Query(query)) if query.record == record);
        let answer = match self.store.released(record) {
            _ if !may || !of_this => Answer::Refused(Reason::NotAllowed),
            None => Answer::Refused(Reason::Missing),
            Some(body) => {
                let body = self.config.policy.release(Arc::clone(body));
                Answer::Record(seal(cx, op, &body))
            }
        };
        let handed = Message::Handed {
            op,
            requester: from,
            answer,
        };
        cx.send(from, Arc::new(handed));
    }

    /// The provider handed a record out.
    pub(super) fn handed(&mut self, cx: &mut Context<'_>, from: NodeId, op: OpId, answer: &Answer) {
        let Some(queries) = self.queries.as_mut() else {
            return;
        };
        let Some(open) = queries.open.get(&op).copied() else {
            return;
        };
        let Some((_, digest)) = open.collects.filter(|(provider, _)| *provider == from) else {
            return;
        };
        queries.open.remove(&op);
        match answer {
            Answer::Record(sealed) => Self::show(cx, (op, open.desk), sealed, digest, true),
            Answer::Refused(reason) => Self::refuse(cx, op, open.desk, *reason),
            _ => Self::refuse(cx, op, open.desk, Reason::Malformed),
        }
    }

    /// A block was executed: queries and answers that it brought.
    pub(super) fn crossed(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Block) {
        if self.queries.is_none() {
            return;
        }
        let (me, here) = (host.node(), host.chain());
        let txs = block.committed.batch.txs().iter().zip(&block.receipts);
        for (tx, receipt) in txs {
            if tx.id().origin == me && executed(receipt) {
                self.own_crossed(cx, host, tx, *receipt);
            }
            if *receipt != Receipt::Applied {
                continue;
            }
            for packet in came(tx, here) {
                match Crossing::decode(&packet.body) {
                    Ok(Crossing::Query(query)) => {
                        self.answer_query(cx, host, me, &query, packet.id.chain);
                    }
                    Ok(Crossing::Answer { op, requester, .. }) if requester == me => {
                        self.settle_query(cx, host, op);
                    }
                    _ => {}
                }
            }
        }
    }

    /// A packet of this server is on its way, or was not let go.
    fn own_crossed(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        tx: &Tx,
        receipt: Receipt,
    ) {
        let Some(queries) = self.queries.as_mut() else {
            return;
        };
        if let Some(answering) = queries.answering.remove(&tx.id().number) {
            if receipt == Receipt::Applied {
                let (label, permit) = (answering.label, answering.permit);
                cx.emit(SharingProbe::Queried { label, permit }.probe());
            }
        } else if receipt != Receipt::Applied {
            self.settle_query(cx, host, tx.op());
        }
    }

    /// Hands packets that have waited for long to consensus again, and forgets what nobody waits for. Is there more?
    pub(super) fn look_after_queries(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) -> bool {
        let now = cx.now();
        let Some(queries) = self.queries.as_mut() else {
            return false;
        };
        queries
            .open
            .retain(|_, open| now.since(open.since) < QUERY_DEADLINE);
        let (me, mut again) = (host.node(), Vec::new());
        queries.answering.retain(|&number, answering| {
            let id = TxId { origin: me, number };
            let done = host.executed(id).is_some();
            if !done && now.since(answering.since) >= RESUBMIT {
                again.push((number, Arc::clone(&answering.body)));
            }
            !done
        });
        // Where a state was taken over, no block said that the answer has come.
        let open: Vec<OpId> = queries.open.keys().copied().collect();
        let waits = !queries.open.is_empty() || !queries.answering.is_empty();
        for (number, body) in again {
            host.submit(cx, OpId(number), number, body);
        }
        for op in open {
            let collects = |queries: &Queries| {
                let open = queries.open.get(&op);
                open.is_some_and(|open| open.collects.is_some())
            };
            if !self.queries.as_ref().is_some_and(collects) {
                self.settle_query(cx, host, op);
            }
        }
        waits
    }
}
