//! Transactions that wait, and the knowledge of those that were ordered.

use super::{BlockLimits, MempoolLimits};
use crate::ledger::WorldState;
use consim_core::seeded;
use consim_core::{Digest, NodeId, SeededBug, Span, Time, Tx, TxId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Batches with room for a transaction that may leave it out before the leader is taken to censor it:
/// a pipeline of them (the default) may have been proposed before it came.
pub const MAX_LEFT_OUT: u32 = 8;
/// The wait for a transaction doubles at most this often (assumed): 64 times the first.
pub const MAX_BACKOFF: u32 = 6;
/// Runs of ordered numbers that are remembered of one origin (assumed). Numbers run on from 1, so
/// that one is the rule; what is forgotten, the ledger refuses.
pub const MAX_RUNS: usize = 256;
/// Transactions in one forward message (assumed).
pub const MAX_FORWARD: usize = 512;
/// Bytes of transactions in one forward message, unless a single one is larger (assumed).
pub const MAX_FORWARD_BYTES: usize = 256 << 10;
/// Transactions that are sent to everybody at one time, because they wait for too long (assumed).
pub const MAX_RESENT_TXS: usize = 2_048;

/// No unbounded growth.
pub(super) const MEMPOOL_WITHOUT_LIMIT: SeededBug = SeededBug {
    name: "mempool-without-limit",
    code: "",
    says: "The mempool takes transactions in beyond its limit.",
    source: "Our own; CometBFT's `mempool.size` guards against it",
    killers: &["bounded-mempool"],
};

/// Divides transactions into messages of bounded size.
pub(super) fn parts(txs: Vec<Arc<Tx>>) -> Vec<Vec<Arc<Tx>>> {
    let mut parts = Vec::new();
    let (mut part, mut bytes) = (Vec::new(), 0);
    for tx in txs {
        let size = tx.encoded_len();
        if part.len() == MAX_FORWARD || (bytes + size > MAX_FORWARD_BYTES && !part.is_empty()) {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += size;
        part.push(tx);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}

/// How a transaction came to this node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// It was submitted here, or sent to this node alone: this node sees to it that it is ordered.
    Charge,
    /// It was sent to everybody. If it waits for long all the same, whoever had it in charge may
    /// be gone, and the others may never have got it: this node takes charge.
    Shared,
}

#[derive(Debug)]
struct Entry {
    tx: Arc<Tx>,
    ticket: u64,
    admitted: Time,
    /// Transactions that this node had seen ordered when this one came.
    ordered_before: u64,
    /// It is in a proposal of this view.
    in_flight: bool,
    /// Does this node see to it that it is ordered?
    charge: bool,
    /// When it has waited for too long.
    due: Time,
    attempts: u32,
    /// Since when it is on its way to everybody, so that the primary has it, too.
    shared: Option<Time>,
}

/// What has waited for too long.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// To be sent to everybody.
    pub(super) to_all: Vec<Arc<Tx>>,
    /// Taken charge of, to be sent to the primary.
    pub(super) taken: Vec<Arc<Tx>>,
}

/// When the next proposal can be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ready {
    /// Now.
    Now,
    /// When the oldest transaction has waited long enough.
    At(Time),
    /// Nothing waits.
    Never,
}

/// How many a transaction stands for.
fn count(tx: &Tx) -> u64 {
    u64::from(tx.cohort().count)
}

/// The mempool.
#[derive(Debug)]
pub(super) struct Mempool {
    limits: MempoolLimits,
    entries: BTreeMap<TxId, Entry>,
    /// What can be proposed, in order of arrival.
    queue: BTreeMap<u64, Arc<Tx>>,
    due: BTreeSet<(Time, TxId)>,
    /// In proposals of this view, but not here: a restart or a view change brought these.
    proposed: BTreeSet<TxId>,
    /// How many wait, each of a cohort counted, and how many of them can be proposed; their bytes.
    txs: u64,
    queued_txs: u64,
    bytes: u64,
    queued_bytes: u64,
    ticket: u64,
    ordered: Ordered,
    /// A state that was taken over, which knows what was executed before.
    taken: Option<WorldState>,
    ordered_count: u64,
    /// Whose turn is next, by its ticket, and how many batches with room for it left it out.
    left_out: (u64, u32),
    /// What waits, by its digest, where proposals name it so.
    by_digest: Option<BTreeMap<Digest, TxId>>,
}

impl Mempool {
    pub(super) fn new(limits: MempoolLimits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            queue: BTreeMap::new(),
            due: BTreeSet::new(),
            proposed: BTreeSet::new(),
            txs: 0,
            queued_txs: 0,
            bytes: 0,
            queued_bytes: 0,
            ticket: 0,
            ordered: Ordered::default(),
            taken: None,
            ordered_count: 0,
            left_out: (0, 0),
            by_digest: None,
        }
    }
    /// From now on what waits is found by its digest, too.
    pub(super) fn name_by_digest(&mut self) {
        self.by_digest = Some(BTreeMap::new());
    }
    /// What waits and has this digest, if it is found so.
    pub(super) fn named(&self, digest: &Digest) -> Option<&Arc<Tx>> {
        let id = self.by_digest.as_ref()?.get(digest)?;
        self.entries.get(id).map(|entry| &entry.tx)
    }
    /// How many wait, proposed ones included, and each of a cohort.
    pub(super) fn len(&self) -> usize {
        self.txs as usize
    }
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// Does it wait here?
    pub(super) fn holds(&self, id: TxId) -> bool {
        self.entries.contains_key(&id)
    }
    /// Does exactly this transaction, signature included, wait here? Then it was verified.
    pub(super) fn knows(&self, tx: &Arc<Tx>) -> bool {
        self.entries
            .get(&tx.id())
            .is_some_and(|e| Arc::ptr_eq(&e.tx, tx) || e.tx == *tx)
    }
    /// Is it known to be ordered?
    pub(super) fn ordered(&self, id: TxId) -> bool {
        let taken = self.taken.as_ref();
        self.ordered.contains(id) || taken.is_some_and(|state| state.executed(id).is_some())
    }
    /// Is there room for a transaction of `bytes`, on a machine with `memory` left for them?
    pub(super) fn has_room(&self, bytes: usize, memory: u64) -> bool {
        if seeded::on(&MEMPOOL_WITHOUT_LIMIT) {
            return true;
        }
        self.txs < u64::from(self.limits.transactions)
            && self.bytes.saturating_add(bytes as u64) <= self.limits.bytes.min(memory)
    }
    /// Takes a transaction in that is not here yet; it has waited for too long after `patience`, or
    /// twice that if others have it in charge.
    pub(super) fn admit(&mut self, tx: Arc<Tx>, now: Time, source: Source, patience: Span) {
        let id = tx.id();
        let bytes = tx.encoded_len() as u64;
        self.ticket += 1;
        self.bytes += bytes;
        self.txs += count(&tx);
        let in_flight = self.proposed.remove(&id);
        if !in_flight {
            self.queued_txs += count(&tx);
            self.queued_bytes += bytes;
            self.queue.insert(self.ticket, Arc::clone(&tx));
        }
        if let Some(by_digest) = &mut self.by_digest {
            by_digest.insert(tx.digest(), id);
        }
        let charge = source == Source::Charge;
        let due = now + patience.times(if charge { 1 } else { 2 });
        self.due.insert((due, id));
        let entry = Entry {
            tx,
            ticket: self.ticket,
            admitted: now,
            ordered_before: self.ordered_count,
            in_flight,
            charge,
            due,
            attempts: 0,
            shared: (!charge).then_some(now),
        };
        self.entries.insert(id, entry);
    }
    /// A state was taken over: what it says was executed is ordered.
    pub(super) fn restore(&mut self, state: &WorldState) {
        let executed = |id: &TxId| state.executed(*id).is_some();
        let gone = self.entries.iter().filter(|(id, _)| executed(id));
        let gone: Vec<Arc<Tx>> = gone.map(|(_, e)| Arc::clone(&e.tx)).collect();
        self.executed(&gone);
        self.taken = Some(state.clone());
    }
    /// A batch was executed: its transactions are ordered and wait no more.
    pub(super) fn executed(&mut self, txs: &[Arc<Tx>]) {
        self.ordered_count += txs.len() as u64;
        for tx in txs {
            let id = tx.id();
            self.ordered.insert(id);
            let Some(entry) = self.entries.remove(&id) else {
                self.proposed.remove(&id);
                continue;
            };
            if let Some(by_digest) = &mut self.by_digest {
                by_digest.remove(&entry.tx.digest());
            }
            let bytes = entry.tx.encoded_len() as u64;
            self.bytes -= bytes;
            self.txs -= count(&entry.tx);
            if !entry.in_flight {
                self.queue.remove(&entry.ticket);
                self.queued_txs -= count(&entry.tx);
                self.queued_bytes -= bytes;
            }
            self.due.remove(&(entry.due, id));
        }
    }
    /// When can the next batch be proposed? When any bound of `limits` is reached.
    pub(super) fn ready(&self, now: Time, limits: &BlockLimits) -> Ready {
        let oldest = self.queue.first_key_value().map(|(_, tx)| tx.id());
        let Some(oldest) = oldest.and_then(|id| self.entries.get(&id)) else {
            return Ready::Never;
        };
        let due = oldest.admitted + limits.wait;
        let full = self.queued_txs >= u64::from(limits.transactions)
            || self.queued_bytes >= limits.bytes
            || due <= now;
        if full { Ready::Now } else { Ready::At(due) }
    }
    /// Takes the transactions of the next batch, oldest first, within `limits`.
    pub(super) fn take(&mut self, limits: &BlockLimits) -> Vec<Arc<Tx>> {
        let mut txs = Vec::new();
        let (mut taken, mut bytes) = (0_u64, 0);
        while taken < u64::from(limits.transactions)
            && let Some(first) = self.queue.first_entry()
        {
            let size = first.get().encoded_len() as u64;
            if bytes + size > limits.bytes && !txs.is_empty() {
                break;
            }
            let tx = first.remove();
            taken += count(&tx);
            bytes += size;
            self.queued_txs -= count(&tx);
            self.queued_bytes -= size;
            if let Some(entry) = self.entries.get_mut(&tx.id()) {
                entry.in_flight = true;
            }
            txs.push(tx);
        }
        txs
    }
    /// These are in a proposal of this view and are not proposed again.
    pub(super) fn propose(&mut self, txs: &[Arc<Tx>]) {
        for tx in txs {
            match self.entries.get_mut(&tx.id()) {
                Some(entry) if !entry.in_flight => {
                    entry.in_flight = true;
                    self.queue.remove(&entry.ticket);
                    self.queued_txs -= count(&entry.tx);
                    self.queued_bytes -= entry.tx.encoded_len() as u64;
                }
                Some(_) => {}
                None => {
                    self.proposed.insert(tx.id());
                }
            }
        }
    }
    /// These are in a proposal that comes to nothing.
    pub(super) fn release(&mut self, txs: &[Arc<Tx>]) {
        for tx in txs {
            let id = tx.id();
            match self.entries.get_mut(&id) {
                Some(entry) if entry.in_flight => {
                    entry.in_flight = false;
                    self.queued_txs += count(&entry.tx);
                    self.queued_bytes += entry.tx.encoded_len() as u64;
                    self.queue.insert(entry.ticket, Arc::clone(&entry.tx));
                }
                Some(_) => {}
                None => {
                    self.proposed.remove(&id);
                }
            }
        }
    }
    /// A new view begins: nothing is proposed yet.
    pub(super) fn next_view(&mut self) {
        self.proposed.clear();
        for entry in self.entries.values_mut().filter(|e| e.in_flight) {
            entry.in_flight = false;
            self.queued_txs += count(&entry.tx);
            self.queued_bytes += entry.tx.encoded_len() as u64;
            self.queue.insert(entry.ticket, Arc::clone(&entry.tx));
        }
    }
    /// What is in this node's charge, in order of arrival.
    pub(super) fn charges(&self) -> Vec<Arc<Tx>> {
        let mut charges: Vec<_> = self.entries.values().filter(|e| e.charge).collect();
        charges.sort_unstable_by_key(|e| e.ticket);
        charges.into_iter().map(|e| Arc::clone(&e.tx)).collect()
    }
    /// What has waited for too long, at most `most`: what is to be sent to everybody, and what this
    /// node takes charge of now. Each is due again after a time that doubles from `patience` on.
    pub(super) fn due(&mut self, now: Time, patience: Span, most: usize) -> Due {
        let mut due = Due::default();
        while due.to_all.len() + due.taken.len() < most
            && let Some(&(at, id)) = self.due.first()
            && at <= now
        {
            self.due.pop_first();
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let list = if entry.charge {
                entry.attempts = (entry.attempts + 1).min(MAX_BACKOFF);
                entry.shared.get_or_insert(now);
                &mut due.to_all
            } else {
                entry.charge = true;
                &mut due.taken
            };
            list.push(Arc::clone(&entry.tx));
            entry.due = now + patience.times(1 << entry.attempts);
            self.due.insert((entry.due, id));
        }
        due
    }
    /// Everything that was repeated in vain is due again at once.
    pub(super) fn hurry(&mut self, now: Time) {
        for (&id, entry) in self.entries.iter_mut().filter(|(_, e)| e.attempts > 0) {
            self.due.remove(&(entry.due, id));
            entry.attempts = 0;
            entry.due = now;
            self.due.insert((now, id));
        }
    }
    /// The oldest that waits, and is in no proposal.
    fn oldest(&self) -> Option<&Entry> {
        let (_, tx) = self.queue.first_key_value()?;
        self.entries.get(&tx.id())
    }
    /// A batch of this view was executed that had room for more. An honest primary leaves nothing
    /// out of it that it has; and what was sent to everybody two `patience`s ago, it has.
    pub(super) fn had_room(&mut self, now: Time, patience: Span) {
        let Some(oldest) = self.oldest() else {
            return;
        };
        let (ticket, shared) = (oldest.ticket, oldest.shared);
        if self.left_out.0 != ticket {
            self.left_out = (ticket, 0);
        }
        if shared.is_some_and(|since| now - since >= patience.times(2)) {
            self.left_out.1 += 1;
        }
    }
    /// Does the primary let others overtake the oldest? An honest one takes them in order of arrival:
    /// it does not leave one out of a few batches that have room for it, nor lets more go first than
    /// any mempool can hold.
    pub(super) fn overtaken(&self) -> bool {
        self.oldest().is_some_and(|oldest| {
            let passed = self.ordered_count - oldest.ordered_before;
            self.left_out.0 == oldest.ticket && self.left_out.1 >= MAX_LEFT_OUT
                || passed > u64::from(self.limits.transactions)
        })
    }
}

/// Which transactions were ordered: per origin, the runs of its numbers (first to last).
#[derive(Debug, Default)]
pub(super) struct Ordered {
    origins: BTreeMap<NodeId, BTreeMap<u64, u64>>,
}

impl Ordered {
    pub(super) fn contains(&self, id: TxId) -> bool {
        self.origins
            .get(&id.origin)
            .and_then(|runs| runs.range(..=id.number).next_back())
            .is_some_and(|(_, &last)| id.number <= last)
    }
    #[cfg(test)]
    pub(super) fn runs(&self, origin: NodeId) -> usize {
        self.origins.get(&origin).map_or(0, BTreeMap::len)
    }
    pub(super) fn insert(&mut self, id: TxId) {
        let n = id.number;
        let runs = self.origins.entry(id.origin).or_default();
        let mut first = n;
        if let Some((&start, &last)) = runs.range(..=n).next_back() {
            if n <= last {
                return;
            }
            if last + 1 == n {
                first = start;
            }
        }
        let next = n.checked_add(1).and_then(|after| runs.remove(&after));
        runs.insert(first, next.unwrap_or(n));
        // A run that is forgotten is the oldest.
        if runs.len() > MAX_RUNS {
            runs.pop_first();
        }
    }
}
