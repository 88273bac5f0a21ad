//! What a replica has of the batches of all members: what may be proposed, what is in flight, and what was
//! ordered and is kept for those that are behind.

use super::{Acknowledge, Availability, BatchTerms, DIGEST_BYTES, MAX_SPENT, Message, TxBatch};
use crate::consensus::members::PerMember;
use crate::consensus::mempool::{MAX_LEFT_OUT, Ready};
use crate::consensus::{BlockLimits, MempoolLimits};
use consim_core::chain::MAX_BATCH_TXS;
use consim_core::{ChainId, Digest, Keyring, Signers, Span, Time, TxId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Where a batch is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Not on disk yet.
    Arrived,
    /// On disk; others have to have it, too.
    Stored,
    /// It may be proposed.
    Open,
    /// It is in a proposal of this branch.
    InFlight,
    /// It was ordered.
    Spent,
}

#[derive(Debug)]
struct Held {
    batch: Arc<TxBatch>,
    maker: usize,
    /// Its place on disk.
    cell: u64,
    came: Time,
    stage: Stage,
    /// Who has it, of an own one.
    signers: Signers,
    /// That a quorum has it.
    available: Option<Arc<Availability>>,
}

/// What the unordered batches of a member take.
#[derive(Clone, Copy, Default, Debug)]
struct Usage {
    txs: u64,
    bytes: u64,
}

/// What became of a batch that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::consensus) enum Taken {
    /// It is to be written to this cell.
    New(u64),
    /// It was here, on disk or on its way there, or was ordered.
    Known,
    /// Its maker has more under way than its share.
    NoRoom,
}

/// The batches that a replica has.
#[derive(Debug)]
pub(in crate::consensus) struct Layer {
    terms: BatchTerms,
    limits: MempoolLimits,
    /// What waits for this long goes into a batch, full or not.
    patience: Span,
    me: usize,
    quorum: usize,
    held: BTreeMap<Digest, Held>,
    /// What may be proposed, by its place on disk, which is the order of coming.
    open: BTreeMap<u64, Digest>,
    usage: PerMember<Usage>,
    /// What was ordered, the oldest first.
    spent: VecDeque<Digest>,
    next_cell: u64,
    /// Cells below this are erased.
    erased: u64,
    /// The oldest that may be proposed, and how many blocks with room for it left it out.
    left_out: (u64, u32),
}

impl Layer {
    pub(in crate::consensus) fn new(
        terms: BatchTerms,
        limits: MempoolLimits,
        patience: Span,
        members: usize,
        me: usize,
        quorum: usize,
    ) -> Self {
        Self {
            terms,
            limits,
            patience,
            me,
            quorum,
            held: BTreeMap::new(),
            open: BTreeMap::new(),
            usage: PerMember::new(members, Usage::default()),
            spent: VecDeque::new(),
            next_cell: 0,
            erased: 0,
            left_out: (0, 0),
        }
    }
    /// Bounds of an own batch, in the terms of the mempool that seals it.
    pub(in crate::consensus) fn bounds(&self) -> BlockLimits {
        BlockLimits {
            transactions: MAX_BATCH_TXS as u32,
            bytes: self.terms.bytes,
            wait: self.terms.wait.unwrap_or(self.patience),
        }
    }
    /// From sealing a batch to sealing the next.
    pub(in crate::consensus) fn pause(&self) -> Span {
        self.terms.pause
    }
    /// Do batches wait until they are full, and time seals one only where patience is over?
    pub(in crate::consensus) fn seals_full(&self) -> bool {
        self.terms.wait.is_none()
    }
    /// Is anybody to say that it has a batch?
    pub(in crate::consensus) fn acknowledged(&self) -> bool {
        self.terms.acknowledge != Acknowledge::None
    }
    /// Does anything wait that may be proposed?
    pub(in crate::consensus) fn waits(&self) -> bool {
        !self.open.is_empty()
    }

    // ---- batches come ----------------------------------------------------------------------------

    /// A batch of member `maker`, whose transactions are valid, is here.
    pub(in crate::consensus) fn take_in(
        &mut self,
        batch: Arc<TxBatch>,
        maker: usize,
        now: Time,
    ) -> Taken {
        let digest = batch.digest();
        if self.held.contains_key(&digest) {
            return Taken::Known;
        }
        let limits = self.limits;
        let Some(usage) = self.usage.get_mut(maker) else {
            return Taken::NoRoom;
        };
        let (txs, bytes) = (batch.txs().len() as u64, batch.encoded_len() as u64);
        // A correct maker keeps within the bounds of its own mempool; what is ordered there is sooner or
        // later ordered here, so that twice as much is room enough.
        let most = (
            2 * u64::from(limits.transactions),
            limits.bytes.saturating_mul(2),
        );
        if usage.txs + txs > most.0 || usage.bytes.saturating_add(bytes) > most.1 {
            return Taken::NoRoom;
        }
        usage.txs += txs;
        usage.bytes += bytes;
        let cell = self.next_cell;
        self.next_cell += 1;
        self.held.insert(
            digest,
            Held {
                batch,
                maker,
                cell,
                came: now,
                stage: Stage::Arrived,
                signers: Signers::default(),
                available: None,
            },
        );
        Taken::New(cell)
    }
    /// Is a batch not here?
    pub(in crate::consensus) fn lacks(&self, digest: &Digest) -> bool {
        !self.held.contains_key(digest)
    }
    /// Is a batch on disk here?
    pub(in crate::consensus) fn is_stored(&self, digest: &Digest) -> bool {
        self.held
            .get(digest)
            .is_some_and(|held| held.stage != Stage::Arrived)
    }
    /// A batch came back from `cell` of the disk.
    pub(in crate::consensus) fn restore(
        &mut self,
        batch: Arc<TxBatch>,
        maker: usize,
        cell: u64,
        now: Time,
    ) {
        self.next_cell = self.next_cell.max(cell);
        let digest = batch.digest();
        if self.take_in(batch, maker, now) == Taken::New(cell) {
            self.stored(&digest);
        }
        self.next_cell = self.next_cell.max(cell + 1);
    }
    /// A batch is on disk: its maker, if it is to be told, and whether that is this replica.
    pub(in crate::consensus) fn stored(&mut self, digest: &Digest) -> Option<usize> {
        let acknowledge = self.terms.acknowledge;
        let me = self.me;
        let held = self.held.get_mut(digest)?;
        if held.stage == Stage::Arrived {
            held.stage = Stage::Stored;
        }
        let maker = held.maker;
        let open = match acknowledge {
            Acknowledge::None => true,
            // A quorum may have been faster than the own disk.
            Acknowledge::Quorum => maker != me || held.available.is_some(),
            Acknowledge::Certificate => held.available.is_some(),
        };
        if open {
            self.open(digest);
        }
        self.acknowledged().then_some(maker)
    }
    fn open(&mut self, digest: &Digest) {
        if let Some(held) = self.held.get_mut(digest)
            && held.stage == Stage::Stored
        {
            held.stage = Stage::Open;
            self.open.insert(held.cell, *digest);
        }
    }
    /// A member says that it has an own batch: with a quorum of such, what proves it.
    pub(in crate::consensus) fn acknowledge(
        &mut self,
        digest: &Digest,
        signature: &consim_core::Signature,
        chain: ChainId,
        keys: &Keyring,
    ) -> Option<Arc<Availability>> {
        let (me, quorum) = (self.me, self.quorum);
        let held = self.held.get_mut(digest)?;
        if held.maker != me || held.available.is_some() {
            return None;
        }
        if held.signers.is_empty() {
            held.signers.begin(Availability::statement(chain, digest));
        }
        if !held.signers.add(keys, signature) || held.signers.len() < quorum {
            return None;
        }
        let available = Arc::new(Availability {
            digest: *digest,
            signatures: held.signers.signatures(keys),
        });
        held.available = Some(Arc::clone(&available));
        self.open(digest);
        (self.terms.acknowledge == Acknowledge::Certificate).then_some(available)
    }
    /// Is it still of use to know that a quorum has this batch?
    pub(in crate::consensus) fn wants_availability(&self, digest: &Digest) -> bool {
        self.terms.acknowledge == Acknowledge::Certificate
            && self.held.get(digest).is_some_and(|h| h.available.is_none())
    }
    /// A quorum has a batch, as was verified.
    pub(in crate::consensus) fn available(&mut self, availability: &Arc<Availability>) {
        if let Some(held) = self.held.get_mut(&availability.digest) {
            held.available = Some(Arc::clone(availability));
            self.open(&availability.digest);
        }
    }

    // ---- proposals -------------------------------------------------------------------------------

    /// When can the next proposal be made? When any bound of `limits` is reached; a block holds digests.
    pub(in crate::consensus) fn ready(&self, now: Time, limits: &BlockLimits) -> Ready {
        let first = self.open.first_key_value();
        let Some(oldest) = first.and_then(|(_, digest)| self.held.get(digest)) else {
            return Ready::Never;
        };
        let due = oldest.came + limits.wait;
        let count = self.open.len() as u64;
        let full = count >= u64::from(limits.transactions) || count * DIGEST_BYTES >= limits.bytes;
        if full || due <= now {
            Ready::Now
        } else {
            Ready::At(due)
        }
    }
    /// The batches of the next proposal, oldest first, within `limits`; also those whose transactions were all
    /// ordered in batches of others, since every member waits until it sees them in a proposal.
    pub(in crate::consensus) fn take(&mut self, limits: &BlockLimits) -> Vec<Arc<TxBatch>> {
        let most = u64::from(limits.transactions).min((limits.bytes / DIGEST_BYTES).max(1));
        let (mut batches, mut txs) = (Vec::new(), 0);
        while (batches.len() as u64) < most
            && let Some(first) = self.open.first_entry()
        {
            let Some(held) = self.held.get_mut(first.get()) else {
                first.remove();
                continue;
            };
            txs += held.batch.txs().len();
            if txs > MAX_BATCH_TXS && !batches.is_empty() {
                break;
            }
            first.remove();
            held.stage = Stage::InFlight;
            batches.push(Arc::clone(&held.batch));
        }
        batches
    }
    /// These are in a proposal of this branch.
    pub(in crate::consensus) fn propose(&mut self, digests: &[Digest]) {
        for digest in digests {
            if let Some(held) = self.held.get_mut(digest)
                && held.stage == Stage::Open
            {
                held.stage = Stage::InFlight;
                self.open.remove(&held.cell);
            }
        }
    }
    /// These are in a proposal that comes to nothing.
    pub(in crate::consensus) fn release(&mut self, digests: &[Digest]) {
        for digest in digests {
            if let Some(held) = self.held.get_mut(digest)
                && held.stage == Stage::InFlight
            {
                held.stage = Stage::Stored;
                self.open(digest);
            }
        }
    }
    /// What is open of a proposal of which only the transactions are known, in order of names.
    pub(in crate::consensus) fn found_in(&self, ids: &[TxId]) -> Vec<Digest> {
        let first = |digest: &Digest| self.held.get(digest)?.batch.txs().first();
        let among =
            |digest: &&Digest| first(digest).is_some_and(|tx| ids.binary_search(&tx.id()).is_ok());
        self.open.values().filter(among).copied().collect()
    }
    /// What a digest names, if it is here.
    pub(in crate::consensus) fn get(&self, digest: &Digest) -> Option<&Arc<TxBatch>> {
        self.held.get(digest).map(|held| &held.batch)
    }
    /// The digests of own batches that are on disk and not ordered.
    pub(in crate::consensus) fn own(&self) -> Vec<Digest> {
        let own = |held: &Held| held.maker == self.me && held.stage != Stage::Spent;
        let all = self.held.iter().filter(|(_, held)| own(held));
        all.map(|(digest, _)| *digest).collect()
    }
    /// Own batches that are not ordered, the oldest first, up to `bytes` and at least one.
    pub(in crate::consensus) fn unordered(&self, bytes: usize) -> Vec<Message> {
        let own = |h: &&Held| h.maker == self.me && h.stage != Stage::Spent;
        let mut own: Vec<&Held> = self.held.values().filter(own).collect();
        own.sort_unstable_by_key(|held| held.cell);
        let mut sum = 0;
        let mut messages = Vec::new();
        for held in own {
            sum += held.batch.encoded_len();
            if sum > bytes && !messages.is_empty() {
                break;
            }
            messages.push(Message::Batch(Arc::clone(&held.batch)));
            if let Some(available) = &held.available
                && self.terms.acknowledge == Acknowledge::Certificate
            {
                messages.push(Message::Available(Arc::clone(available)));
            }
        }
        messages
    }

    // ---- order -----------------------------------------------------------------------------------

    /// A block was ordered. If there was room for all that is open, an honest leader leaves nothing out of it
    /// that it has; and what came two `patience`s ago, it has.
    pub(in crate::consensus) fn had_room(
        &mut self,
        now: Time,
        patience: Span,
        limits: &BlockLimits,
    ) {
        let room = self.open.len() as u64 * 2 < u64::from(limits.transactions);
        let first = self.open.first_key_value();
        let oldest = first.and_then(|(cell, digest)| Some((*cell, self.held.get(digest)?.came)));
        let Some((cell, came)) = oldest.filter(|_| room) else {
            return;
        };
        if self.left_out.0 != cell {
            self.left_out = (cell, 0);
        }
        if now - came >= patience.times(2) {
            self.left_out.1 += 1;
        }
    }
    /// Does a leader that stays let others overtake the oldest?
    pub(in crate::consensus) fn overtaken(&self) -> bool {
        let oldest = self.open.first_key_value().map(|(cell, _)| *cell);
        oldest == Some(self.left_out.0) && self.left_out.1 >= MAX_LEFT_OUT
    }
    /// These were ordered. Returns below which cell nothing is needed on disk any more, if that changed.
    pub(in crate::consensus) fn ordered(&mut self, digests: &[Digest]) -> Option<u64> {
        for digest in digests {
            let Some(held) = self.held.get_mut(digest) else {
                continue;
            };
            if held.stage == Stage::Spent {
                continue;
            }
            if held.stage == Stage::Open {
                self.open.remove(&held.cell);
            }
            held.stage = Stage::Spent;
            if let Some(usage) = self.usage.get_mut(held.maker) {
                usage.txs -= held.batch.txs().len() as u64;
                usage.bytes -= held.batch.encoded_len() as u64;
            }
            self.spent.push_back(*digest);
        }
        let mut gone = false;
        while self.spent.len() > MAX_SPENT
            && let Some(oldest) = self.spent.pop_front()
        {
            gone |= self.held.remove(&oldest).is_some();
        }
        if !gone {
            return None;
        }
        let lowest = self.held.values().map(|held| held.cell).min();
        let lowest = lowest.unwrap_or(self.next_cell);
        (lowest > self.erased).then(|| {
            self.erased = lowest;
            lowest
        })
    }
    /// What was ordered elsewhere, by whether each transaction was.
    pub(in crate::consensus) fn ordered_by(&self, ordered: impl Fn(TxId) -> bool) -> Vec<Digest> {
        let all = self.held.iter();
        let unspent = all.filter(|(_, held)| held.stage != Stage::Spent);
        let done = unspent.filter(|(_, held)| held.batch.txs().iter().all(|tx| ordered(tx.id())));
        done.map(|(digest, _)| *digest).collect()
    }
    /// Where the batch of this digest is on disk, for one that is written again.
    pub(in crate::consensus) fn cells(&self) -> impl Iterator<Item = (u64, &Arc<TxBatch>)> {
        self.held.values().map(|held| (held.cell, &held.batch))
    }
}
