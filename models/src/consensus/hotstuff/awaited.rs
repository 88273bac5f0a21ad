//! Proposals that name payload which is not here: they wait for it, are voted for once it has come, and may be
//! built on meanwhile.

use super::announced::Announced;
use super::config::MAX_CHAIN;
use super::marks;
use super::message::Body;
use super::proposal::Proposal;
use super::replica::HotStuffReplica;
use super::voting::Shown;
use crate::consensus::payload::{MAX_FETCHED, Message, Parcels, TxBatch};
use consim_core::{Context, Digest, Tx};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A proposal that names what is not here.
#[derive(Debug)]
pub(super) struct Awaited {
    from: usize,
    announced: Arc<Announced>,
    /// Does the chain go on from it? Else it waits for the vote of this view alone.
    certified: bool,
    /// What came of it, where there was no room for it in the mempool layer.
    txs: BTreeMap<Digest, Arc<Tx>>,
    batches: BTreeMap<Digest, Arc<TxBatch>>,
}

impl Awaited {
    fn new(from: usize, announced: &Arc<Announced>, certified: bool) -> Self {
        Self {
            from,
            announced: Arc::clone(announced),
            certified,
            txs: BTreeMap::new(),
            batches: BTreeMap::new(),
        }
    }
    fn view(&self) -> u64 {
        self.announced.link().view
    }
    fn names(&self, digest: &Digest) -> bool {
        self.announced.head().digests.contains(digest)
    }
    /// What it builds on.
    pub(super) fn parent(&self) -> Digest {
        self.announced.link().parent
    }
}

impl HotStuffReplica {
    // ---- they come -------------------------------------------------------------------------------

    /// Upon a proposal by digests: votes if all that it names is here; else asks its author.
    pub(super) fn on_announced(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        announced: &Arc<Announced>,
    ) {
        let (id, view) = (announced.id(), announced.link().view);
        if view < self.safety.view && self.wanted() == Some(id) {
            return self.on_branch(cx, from, std::slice::from_ref(announced), 0);
        }
        let known = self.awaited.contains_key(&id);
        if known && view == self.safety.view {
            return self.fetch_payload(cx, &id, from);
        }
        if known || !self.follow_proposal(cx, from, &Shown::named(announced), None) {
            return;
        }
        // Of one view one proposal waits, but for what is certified.
        self.awaited.retain(|_, a| a.certified || a.view() != view);
        self.wait_for(from, announced, false);
        self.try_awaited(cx);
        self.fetch_payload(cx, &id, from);
        self.watch(cx);
    }

    /// Upon CHAIN by digests: each proposal is what the digest above it names. They wait until their payload
    /// is here, and the last of them stands on something that is.
    pub(super) fn on_branch(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposals: &[Arc<Announced>],
        executed: u64,
    ) {
        self.catch_up.peers.claim(from, executed);
        let mut useful = Vec::new();
        for announced in proposals.iter().take(MAX_CHAIN) {
            let id = announced.id();
            if self.wanted() != Some(id) {
                continue;
            }
            if !self.is_well_formed(cx, &Shown::named(announced)) {
                cx.reached(&marks::CHAIN_REFUSED);
                break;
            }
            self.wait_for(from, announced, true);
            useful.push(id);
        }
        if !useful.is_empty() {
            cx.reached(&marks::CHAIN_FETCHED);
            self.try_awaited(cx);
            for id in useful {
                self.fetch_payload(cx, &id, from);
            }
            self.fetch_chain(cx, Some(from));
            self.watch(cx);
        }
        self.seek(cx);
    }

    fn wait_for(&mut self, from: usize, announced: &Arc<Announced>, certified: bool) {
        while self.awaited.len() >= MAX_CHAIN
            && let Some((&oldest, _)) = self.awaited.iter().min_by_key(|(_, a)| a.view())
        {
            self.awaited.remove(&oldest);
        }
        let awaited = Awaited::new(from, announced, certified);
        self.awaited.insert(announced.id(), awaited);
    }

    /// What is committed needs to be waited for no more.
    pub(super) fn forget_awaited(&mut self) {
        let executed = self.executed;
        self.awaited
            .retain(|_, a| a.announced.link().sequence > executed);
    }
    /// What a chain goes on from was asked for, and has not come: another may have it, and name it otherwise.
    pub(super) fn give_up_awaited(&mut self) {
        self.awaited.retain(|_, a| !a.certified);
    }
    /// The chain goes on from this one.
    pub(super) fn is_built_on(&mut self, id: &Digest) {
        if let Some(awaited) = self.awaited.get_mut(id) {
            awaited.certified = true;
        }
    }
    /// Does the chain, or the vote of this view, wait for payload?
    pub(super) fn awaits_payload(&self) -> bool {
        self.awaited.values().any(|a| self.is_due(a))
    }
    fn is_due(&self, awaited: &Awaited) -> bool {
        awaited.certified || awaited.view() == self.safety.view && self.seen.is_none()
    }

    // ---- their payload comes -----------------------------------------------------------------------

    /// Upon PAYLOAD: what proposals wait for.
    pub(super) fn on_parcels(&mut self, cx: &mut Context<'_>, parcels: &Parcels) {
        let named: BTreeSet<Digest> = self
            .awaited
            .values()
            .flat_map(|a| a.announced.head().digests.iter().copied())
            .collect();
        if named.is_empty() {
            return;
        }
        match parcels {
            Parcels::Txs(txs) => {
                let new = |tx: &&Arc<Tx>| named.contains(&tx.digest());
                let txs: Vec<Arc<Tx>> = txs.iter().filter(new).cloned().collect();
                let bytes = txs.iter().map(|tx| tx.encoded_len()).sum();
                if !self.are_valid(cx, &txs, bytes) {
                    return cx.reached(&marks::BATCH_REFUSED);
                }
                for awaited in self.awaited.values_mut() {
                    for tx in &txs {
                        let digest = tx.digest();
                        if awaited.names(&digest) {
                            awaited.txs.insert(digest, Arc::clone(tx));
                        }
                    }
                }
            }
            Parcels::Batches(batches) => {
                for batch in batches {
                    self.take_parcel(cx, batch, &named);
                }
            }
        }
        cx.reached(&marks::PAYLOAD_FETCHED);
        self.try_awaited(cx);
    }

    fn take_parcel(
        &mut self,
        cx: &mut Context<'_>,
        batch: &Arc<TxBatch>,
        named: &BTreeSet<Digest>,
    ) {
        let digest = batch.digest();
        let lacks = self.layer.as_ref().is_some_and(|l| l.lacks(&digest));
        let maker = self.group.index(batch.maker());
        let Some(maker) = maker.filter(|_| lacks && named.contains(&digest)) else {
            return;
        };
        if !self.are_valid(cx, batch.txs(), batch.encoded_len()) {
            return cx.reached(&marks::BATCH_REFUSED);
        }
        if self.keep(cx, batch, maker) {
            return;
        }
        for awaited in self.awaited.values_mut() {
            if awaited.names(&digest) {
                awaited.batches.insert(digest, Arc::clone(batch));
            }
        }
    }

    /// The proposals that wait for payload, now that some may have come.
    pub(super) fn try_awaited(&mut self, cx: &mut Context<'_>) {
        let mut goes_on = false;
        let ready = |r: &Self, a: &Awaited| r.is_due(a) && r.missing(a).next().is_none();
        while let Some((&id, _)) = self.awaited.iter().find(|(_, a)| ready(self, a))
            && let Some(awaited) = self.awaited.remove(&id)
        {
            let Some(proposal) = self.whole(&awaited) else {
                cx.reached(&marks::PROPOSAL_REFUSED);
                continue;
            };
            if !awaited.certified {
                self.first_proposal(cx, awaited.from, &proposal);
            } else if self.verify_payload(cx, &proposal) {
                self.orphans.insert(id, proposal);
                goes_on = true;
            } else {
                cx.reached(&marks::CHAIN_REFUSED);
            }
        }
        if goes_on {
            self.complete(cx);
        }
    }

    /// What a proposal names and is not here.
    fn missing<'a>(&'a self, awaited: &'a Awaited) -> impl Iterator<Item = &'a Digest> {
        let digests = awaited.announced.head().digests.iter();
        digests.filter(|digest| match &self.layer {
            Some(layer) => layer.lacks(digest) && !awaited.batches.contains_key(digest),
            None => self.mempool.named(digest).is_none() && !awaited.txs.contains_key(digest),
        })
    }

    /// All that a proposal names, in order; `None` if something is missing.
    fn parcels(&self, awaited: &Awaited) -> Option<Parcels> {
        let digests = awaited.announced.head().digests.iter();
        Some(if let Some(layer) = &self.layer {
            let of = |d: &Digest| layer.get(d).or_else(|| awaited.batches.get(d)).cloned();
            Parcels::Batches(digests.map(of).collect::<Option<_>>()?)
        } else {
            let named = |d: &Digest| self.mempool.named(d).cloned();
            let of = |d: &Digest| named(d).or_else(|| awaited.txs.get(d).cloned());
            Parcels::Txs(digests.map(of).collect::<Option<_>>()?)
        })
    }

    fn whole(&self, awaited: &Awaited) -> Option<Arc<Proposal>> {
        let announced = &awaited.announced;
        announced.whole(|| announced.head().batch(self.parcels(awaited)?))
    }

    /// A proposal by digests that came back from the disk, if all that it names did, too.
    pub(super) fn read(&self, announced: &Arc<Announced>) -> Option<Arc<Proposal>> {
        let awaited = Awaited::new(self.group.me, announced, false);
        let parcels = self.parcels(&awaited)?;
        announced.whole(|| announced.head().batch(parcels))
    }

    /// Asks the next in turn for what proposals wait for.
    pub(super) fn refetch_payload(&mut self, cx: &mut Context<'_>) {
        let due = self.awaited.iter().filter(|(_, a)| self.is_due(a));
        let due: Vec<Digest> = due.map(|(id, _)| *id).collect();
        for id in due {
            let peer = self.catch_up.peers.next(self.group.me);
            self.fetch_payload(cx, &id, peer);
        }
    }

    /// Asks `peer` for what a proposal waits for.
    fn fetch_payload(&mut self, cx: &mut Context<'_>, id: &Digest, peer: usize) {
        let Some(awaited) = self.awaited.get(id) else {
            return;
        };
        let wanted: Vec<Digest> = self.missing(awaited).take(MAX_FETCHED).copied().collect();
        if wanted.is_empty() {
            return;
        }
        cx.reached(&marks::PAYLOAD_MISSING);
        let proposal = *id;
        self.send(cx, peer, Body::Payload(Message::Fetch { proposal, wanted }));
    }
}
