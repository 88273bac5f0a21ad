//! Payload apart from proposals (`consensus::payload`): batches of the mempool layer, and proposals that wait
//! for what they name.

use super::announced::Announced;
use super::config::LeaderRule;
use super::journal::{BATCHES, Said};
use super::marks;
use super::message::Body;
use super::proposal::Proposal;
use super::replica::{HotStuffReplica, SEAL_TIMER};
use crate::consensus::mempool::{MAX_FORWARD_BYTES, Ready, Source};
use crate::consensus::payload::{
    Availability, DIGEST_BYTES, Layer, MAX_ANSWER_BYTES, MAX_FETCHED, Message, Parcels, Spread,
    Taken, TxBatch,
};
use consim_core::seeded::{self, SIGNATURES_LEFT_OUT};
use consim_core::{Context, Digest, Disk, Signature, Time, Tx, TxId, Work, Write, is_damaged};
use std::collections::BTreeSet;
use std::sync::Arc;

impl HotStuffReplica {
    // ---- batches ---------------------------------------------------------------------------------

    /// Do transactions travel in batches?
    pub(super) fn in_batches(&self) -> bool {
        self.layer.is_some()
    }

    /// Seals own batches as long as a bound of one is reached, and the pause after the last is over.
    pub(super) fn try_seal(&mut self, cx: &mut Context<'_>) {
        let Some((bounds, pause)) = self.layer.as_ref().map(|l| (l.bounds(), l.pause())) else {
            return;
        };
        loop {
            let rests = self.sealed.map(|at| at + pause).filter(|at| *at > cx.now());
            let due = match (self.mempool.ready(cx.now(), &bounds), rests) {
                (Ready::Never, _) => return,
                (Ready::Now, None) => None,
                (Ready::Now, rests) => rests,
                (Ready::At(due), rests) => Some(rests.map_or(due, |at| at.max(due))),
            };
            if let Some(due) = due {
                if self.seal_timer != Some(due) && due < Time::MAX {
                    self.seal_timer = Some(due);
                    cx.set_timer(SEAL_TIMER, due - cx.now());
                }
                return;
            }
            if !self.seal(cx) {
                return;
            }
        }
    }

    /// Makes a batch of what waits. Returns whether anything did.
    fn seal(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(bounds) = self.layer.as_ref().map(Layer::bounds) else {
            return false;
        };
        let txs = self.mempool.take(&bounds);
        if txs.is_empty() {
            return false;
        }
        self.sealed = Some(cx.now());
        let batch = Arc::new(TxBatch::new(self.group.node(self.group.me), txs));
        cx.work(Work::hash(batch.encoded_len()));
        self.keep(cx, &batch, self.group.me);
        true
    }

    /// Where batches wait until they are full, what waits is sealed sooner where it is wanted: by a leader that has
    /// nothing to propose, and by whoever sees nothing committed for half of its patience.
    pub(super) fn seal_for_want(&mut self, cx: &mut Context<'_>) {
        if self.layer.as_ref().is_some_and(Layer::seals_full) {
            self.seal(cx);
        }
    }

    /// A batch with valid transactions goes to disk.
    pub(super) fn keep(
        &mut self,
        cx: &mut Context<'_>,
        batch: &Arc<TxBatch>,
        maker: usize,
    ) -> bool {
        let Some(layer) = &mut self.layer else {
            return false;
        };
        match layer.take_in(Arc::clone(batch), maker, cx.now()) {
            Taken::New(cell) => {
                cx.work(Work::store(batch.encoded_len()));
                let message = self.message(Body::Payload(Message::Batch(Arc::clone(batch))));
                self.journal.write(Write::cell(BATCHES, cell, message));
                self.journal.then(Said::Stored(batch.digest()));
                true
            }
            Taken::Known => true,
            Taken::NoRoom => {
                cx.reached(&marks::MEMPOOL_FULL);
                false
            }
        }
    }

    /// A batch is on disk: an own one is said now, as one that is forgotten would be made anew of the same
    /// transactions; it may be proposed, or its maker hears of it first.
    pub(super) fn on_stored(&mut self, cx: &mut Context<'_>, digest: &Digest) {
        let Some(layer) = &mut self.layer else {
            return;
        };
        let own = self.group.node(self.group.me);
        let own = layer.get(digest).filter(|batch| batch.maker() == own);
        let own = own.cloned();
        let maker = layer.stored(digest);
        if let Some(batch) = own {
            self.multicast(cx, Body::Payload(Message::Batch(batch)));
        }
        if let Some(maker) = maker {
            self.acknowledge(cx, maker, digest);
        }
        self.watch(cx);
        self.try_propose(cx);
    }

    fn acknowledge(&mut self, cx: &mut Context<'_>, maker: usize, digest: &Digest) {
        cx.work(Work::sign(1));
        let statement = Availability::statement(self.group.chain, digest);
        let signature = self.group.key.sign(&statement);
        if maker == self.group.me {
            self.count_acknowledgement(cx, digest, &signature);
        } else {
            let digest = *digest;
            let body = Message::Acknowledge { digest, signature };
            self.send(cx, maker, Body::Payload(body));
        }
    }

    fn count_acknowledgement(
        &mut self,
        cx: &mut Context<'_>,
        digest: &Digest,
        signature: &Signature,
    ) {
        let (chain, keys) = (self.group.chain, &self.group.keys);
        let Some(layer) = &mut self.layer else {
            return;
        };
        if let Some(available) = layer.acknowledge(digest, signature, chain, keys) {
            cx.reached(&marks::BATCH_CERTIFIED);
            cx.work(self.group.making(available.signatures.len()));
            self.multicast(cx, Body::Payload(Message::Available(available)));
        }
    }

    /// Are these what their origins signed, each once, for this chain? Charges what it takes to know.
    pub(super) fn are_valid(&self, cx: &mut Context<'_>, txs: &[Arc<Tx>], bytes: usize) -> bool {
        cx.work(Work::verify_batched(
            self.group.keys.of_transactions(Tx::individuals(txs) as u32),
        ));
        cx.work(Work::hash(bytes));
        let ids: BTreeSet<TxId> = txs.iter().map(|tx| tx.id()).collect();
        let unsigned = seeded::on(&SIGNATURES_LEFT_OUT);
        ids.len() == txs.len()
            && txs.iter().all(|tx| {
                tx.chain() == self.group.chain && (unsigned || tx.verify(&self.group.keys))
            })
    }

    // ---- messages --------------------------------------------------------------------------------

    /// Upon a message about payload.
    pub(super) fn on_payload(&mut self, cx: &mut Context<'_>, from: usize, message: &Message) {
        match message {
            Message::Batch(batch) => self.on_batch(cx, from, batch),
            Message::Acknowledge { digest, signature } => {
                if signature.key == self.group.key_of(from) && self.in_batches() {
                    cx.work(Work::verify(1));
                    self.count_acknowledgement(cx, digest, signature);
                    self.watch(cx);
                    self.try_propose(cx);
                }
            }
            Message::Available(availability) => self.on_available(cx, availability),
            Message::Fetch { proposal, wanted } => {
                if self.catch_up.peers.may_serve(from) && wanted.len() <= MAX_FETCHED {
                    self.serve_payload(cx, from, proposal, wanted);
                }
            }
            Message::Payload(parcels) => self.on_parcels(cx, parcels),
        }
    }

    /// Upon BATCH of its maker.
    fn on_batch(&mut self, cx: &mut Context<'_>, from: usize, batch: &Arc<TxBatch>) {
        let Some(layer) = &self.layer else {
            return;
        };
        if batch.maker() != self.group.node(from) || batch.txs().is_empty() {
            return;
        }
        let digest = batch.digest();
        if layer.lacks(&digest) {
            if !self.are_valid(cx, batch.txs(), batch.encoded_len()) {
                return cx.reached(&marks::BATCH_REFUSED);
            }
            if self.keep(cx, batch, from) {
                self.try_awaited(cx);
            }
        } else if layer.acknowledged() && layer.is_stored(&digest) {
            // Its maker may not have heard.
            self.acknowledge(cx, from, &digest);
        }
    }

    /// Upon AVAILABLE: a quorum has a batch.
    fn on_available(&mut self, cx: &mut Context<'_>, availability: &Arc<Availability>) {
        let group = &self.group;
        let Some(layer) = &mut self.layer else {
            return;
        };
        if !layer.wants_availability(&availability.digest) {
            return;
        }
        cx.work(group.checking(availability.signatures.len(), 1));
        if availability.verify(group.chain, &group.members, group.quorum, &group.keys) {
            layer.available(availability);
            self.watch(cx);
            self.try_propose(cx);
        } else {
            cx.reached(&marks::BATCH_REFUSED);
        }
    }

    /// Upon FETCH-PAYLOAD: what is here of it.
    fn serve_payload(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Digest,
        wanted: &[Digest],
    ) {
        let mut bytes = 0;
        let mut fits = |size: usize| {
            bytes += size;
            bytes <= MAX_ANSWER_BYTES || bytes == size
        };
        let parcels = if let Some(layer) = &self.layer {
            let batches = wanted.iter().filter_map(|digest| layer.get(digest));
            let batches = batches.take_while(|b| fits(b.encoded_len()));
            Parcels::Batches(batches.cloned().collect())
        } else {
            let proposed = self.tree.get(proposal);
            let txs = proposed.into_iter().flat_map(|p| p.batch().txs().iter());
            let wanted: BTreeSet<&Digest> = wanted.iter().collect();
            let txs = txs.filter(|tx| wanted.contains(&tx.digest()));
            Parcels::Txs(
                txs.take_while(|tx| fits(tx.encoded_len()))
                    .cloned()
                    .collect(),
            )
        };
        self.send(cx, from, Body::Payload(Message::Payload(parcels)));
    }

    // ---- proposals -------------------------------------------------------------------------------

    /// How a proposal is said: by digests, if it has such.
    pub(super) fn said(proposal: &Arc<Proposal>) -> Body {
        match proposal.digests() {
            Some(digests) => {
                Body::Announced(Arc::new(Announced::of(proposal, Arc::clone(digests))))
            }
            None => Body::Proposal(Arc::clone(proposal)),
        }
    }
    /// How a proposal is written to disk: by digests, if what they name is there, too.
    pub(super) fn written(&self, proposal: &Arc<Proposal>) -> Body {
        let here = |digest: &Digest| self.layer.as_ref()?.get(digest).map(drop);
        match proposal.digests() {
            Some(digests) if digests.iter().all(|d| here(d).is_some()) => Self::said(proposal),
            _ => Body::Proposal(Arc::clone(proposal)),
        }
    }

    /// Takes back what the disk kept of batches.
    pub(super) fn restore_batches(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let Some(layer) = &mut self.layer else {
            return;
        };
        for (cell, value) in disk.table(BATCHES) {
            if let Some(message) = value.as_any().downcast_ref::<super::message::Message>()
                && let Body::Payload(Message::Batch(batch)) = &message.body
                && let Some(maker) = self.group.index(batch.maker())
                // A life with another genesis left batches of another chain.
                && batch.txs().iter().all(|tx| tx.chain() == self.group.chain)
            {
                layer.restore(Arc::clone(batch), maker, cell, cx.now());
            }
        }
        self.spend(None);
        self.admit_again(cx);
        if self.layer.as_ref().is_some_and(Layer::waits) {
            cx.reached(&marks::CAME_BACK_WITH_BATCHES);
        }
    }
    /// What is in own batches of an earlier life waits here again, so that it goes into no second one.
    fn admit_again(&mut self, cx: &Context<'_>) {
        let patience = self.group.patience();
        let Some(layer) = &self.layer else {
            return;
        };
        for digest in layer.own() {
            let txs = layer.get(&digest).map_or(&[][..], |batch| batch.txs());
            let unordered = txs.iter().filter(|tx| !self.mempool.ordered(tx.id()));
            let missing = unordered.filter(|tx| !self.mempool.holds(tx.id()));
            for tx in missing.cloned().collect::<Vec<_>>() {
                let (now, source) = (cx.now(), Source::Charge);
                self.mempool.admit(Arc::clone(&tx), now, source, patience);
                self.mempool.propose(&[tx]);
            }
        }
    }
    /// Says own batches of an earlier life again: nobody may have them, or say so any more.
    pub(super) fn say_batches_again(&mut self, cx: &mut Context<'_>) {
        let own = self.layer.as_ref().map(Layer::own);
        for digest in own.into_iter().flatten() {
            self.acknowledge(cx, self.group.me, &digest);
        }
        self.resend_batches(cx);
    }
    /// Writes batches again that are damaged on disk.
    pub(super) fn write_batches_again(&mut self, disk: &Disk) {
        let Some(layer) = &self.layer else {
            return;
        };
        let damaged = |cell: u64| disk.cell(BATCHES, cell).is_some_and(|v| is_damaged(&**v));
        let again = layer.cells().filter(|&(cell, _)| damaged(cell));
        let again: Vec<_> = again.map(|(c, batch)| (c, Arc::clone(batch))).collect();
        for (cell, batch) in again {
            let message = self.message(Body::Payload(Message::Batch(batch)));
            self.journal.write(Write::cell(BATCHES, cell, message));
        }
    }

    /// Is a proposal within the bounds of a block? Where payload travels apart, they count digests; one that
    /// came with its transactions holds no more than as many batches could.
    pub(super) fn fits(&self, proposal: &Proposal) -> bool {
        let limits = &self.group.block;
        let txs = proposal.batch().txs();
        let bytes = || txs.iter().map(|tx| tx.encoded_len() as u64).sum::<u64>();
        match (&self.layer, proposal.digests()) {
            (_, Some(digests)) => {
                let count = digests.len() as u64;
                count <= u64::from(limits.transactions)
                    && count * DIGEST_BYTES <= limits.bytes.max(DIGEST_BYTES)
            }
            (Some(layer), None) => {
                let batches = u64::from(limits.transactions);
                bytes() <= layer.bounds().bytes.saturating_mul(batches)
            }
            (None, None) => txs.len() <= limits.transactions as usize && bytes() <= limits.bytes,
        }
    }

    /// The batches whose transactions are in a proposal.
    pub(super) fn batches_in(&self, proposal: &Proposal) -> Vec<Digest> {
        match (&self.layer, proposal.digests()) {
            (Some(_), Some(digests)) => digests.to_vec(),
            (Some(layer), None) => layer.found_in(proposal.ids()),
            (None, _) => Vec::new(),
        }
    }

    // ---- order -----------------------------------------------------------------------------------

    /// Batches were ordered: these, or those whose transactions all were.
    pub(super) fn spend(&mut self, digests: Option<&[Digest]>) {
        let Some(layer) = &mut self.layer else {
            return;
        };
        let mempool = &self.mempool;
        let erased = if let Some(digests) = digests {
            layer.ordered(digests)
        } else {
            let digests = layer.ordered_by(|id| mempool.ordered(id));
            layer.ordered(&digests)
        };
        if let Some(cell) = erased {
            self.journal.write(Write::erase_below(BATCHES, cell));
        }
    }

    /// Own transactions wait for too long: their batches may be lost on the way to others.
    pub(super) fn resend_batches(&mut self, cx: &mut Context<'_>) {
        if seeded::on(&super::seeded::BATCH_SAID_ONCE) {
            return;
        }
        let messages = self.layer.as_ref().map(|l| l.unordered(MAX_FORWARD_BYTES));
        for message in messages.into_iter().flatten() {
            self.multicast(cx, Body::Payload(message));
        }
        self.try_seal(cx);
    }

    /// Does a transaction go to everybody at once, whoever leads?
    pub(super) fn to_all(&self) -> bool {
        self.group.leader != LeaderRule::Stable || self.group.spread == Some(Spread::Direct)
    }
}
