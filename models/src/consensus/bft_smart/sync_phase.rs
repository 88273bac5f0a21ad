//! The synchronisation phase (EDCC 2012, Algorithm 2, lines 13-32): STOP-DATA, SYNC, and how a regency begins.

use super::collect::{Collect, StopData, Sync, called_for};
use super::journal::{REGENCY, Record, Said};
use super::marks;
use super::message::{Body, SYNC};
use super::replica::BftSmartReplica;
use crate::consensus::sync::Syncs as _;
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Span, Work, Write};
use std::collections::BTreeSet;
use std::sync::Arc;

impl BftSmartReplica {
    // ---- STOP-DATA -------------------------------------------------------------------------------

    /// Signs what this replica brings into its regency: the proof of its last decision and its write proof
    /// beyond that. One that may have signed something else for this regency brings nothing.
    pub(super) fn bring(&mut self, cx: &mut Context<'_>) {
        let regency = self.regency;
        if self.past.silent.is_some() || regency <= self.left || !self.group.is_member() {
            return self.write_regency(None);
        }
        self.left = regency;
        let lock = self.lock().cloned();
        if let Some(lock) = &lock {
            cx.reached(&marks::STOPPED_WITH_PROOF);
            if lock.proof.view.saturating_add(2) <= regency {
                cx.reached(&marks::PROOF_CARRIED);
            }
        }
        let collect = Collect::sign(
            self.group.chain,
            regency,
            self.past.decided.clone(),
            lock.as_ref().map(|lock| Arc::clone(&lock.proof)),
            &self.group.key,
        );
        cx.work(Work::sign(1));
        cx.work(Work::hash(collect.encoded_len()));
        let data = Arc::new(StopData {
            collect: Arc::new(collect),
            decided: self.past.log.get(self.past.executed).cloned(),
            locked: lock.map(|lock| lock.batch),
        });
        self.write_regency(Some(Arc::clone(&data)));
        self.journal.then(Said::StopData(data));
    }

    /// The regency goes to disk.
    pub(super) fn write_regency(&mut self, data: Option<Arc<StopData>>) {
        let record = Record::Regency {
            regency: self.regency,
            left: self.left,
            data,
            sync: self.opening.clone().filter(|_| self.active),
        };
        self.journal
            .write(Write::cell(REGENCY, 0, Arc::new(record)));
    }

    /// The own STOP-DATA is on disk: it goes to the leader.
    pub(super) fn say_stop_data(&mut self, cx: &mut Context<'_>, data: Arc<StopData>) {
        if self.active || data.collect.regency() != self.regency {
            return;
        }
        let leader = self.group.leader(self.regency);
        // The leader too: what it brings along goes the way of all others, for all to see who listen.
        let message = self.message(Body::StopData(Arc::clone(&data)));
        cx.send(self.group.node(leader), message);
        if leader == self.group.me
            && let Some(own) = self.stops.data.get_mut(leader)
        {
            *own = Some(Arc::clone(&data));
        }
        self.stops.own_data = Some((data, cx.now()));
        self.try_sync(cx);
    }

    /// Says it again, if half of the patience has passed since: it may be large.
    pub(super) fn repeat_stop_data(&mut self, cx: &mut Context<'_>) {
        let pause = Span::from_nanos(self.patience().nanos() / 2);
        let (leader, now) = (self.group.leader(self.regency), cx.now());
        if let Some((data, told)) = &mut self.stops.own_data
            && now - *told >= pause
        {
            *told = now;
            let data = Arc::clone(data);
            self.send(cx, leader, Body::StopData(data));
        }
    }

    /// Upon STOP-DATA for a regency that this replica leads: verifies and keeps it (lines 17-20).
    pub(super) fn on_stop_data(&mut self, cx: &mut Context<'_>, from: usize, data: &Arc<StopData>) {
        let collect = &data.collect;
        let regency = collect.regency();
        if regency < self.regency || (regency == self.regency && self.active) {
            return self.help(cx, from, regency);
        }
        if !self.group.is_ours(regency) {
            return self.hears_of_later_members(cx, from);
        }
        let known = self.stops.data.get(from).and_then(Option::as_ref);
        let known = known.is_some_and(|known| known.collect.regency() >= regency);
        if known || self.group.leader(regency) != self.group.me {
            return;
        }
        if collect.signature().key != self.group.key_of(from) || !self.verify_stop_data(cx, data) {
            return cx.reached(&marks::STOP_DATA_REFUSED);
        }
        self.past.peers.claim(from, collect.reach());
        if let Some(place) = self.stops.data.get_mut(from) {
            *place = Some(Arc::clone(data));
        }
        // Whoever brings something into a regency has given up those before.
        self.asks(cx, from, regency);
        self.try_sync(cx);
    }

    /// Verifies a collect, which is done once and charged to each.
    fn verify_collect(&self, cx: &mut Context<'_>, collect: &Collect) -> bool {
        cx.work(Work::verify_batched(collect.signatures() as u32));
        cx.work(Work::hash(collect.encoded_len()));
        collect.is_valid(&self.group.site())
    }

    /// Is the collect valid, and are the bodies what its proofs are for? Whoever has a write proof has the
    /// batch, so that it has to be here.
    fn verify_stop_data(&self, cx: &mut Context<'_>, data: &StopData) -> bool {
        let collect = &data.collect;
        if !self.verify_collect(cx, collect) {
            return false;
        }
        let decided = data.decided.as_ref().is_none_or(|committed| {
            let proof = collect.decided();
            proof.is_some_and(|proof| proof.sequence == committed.sequence)
                && self.verify_committed(cx, committed)
        });
        let locked = match (collect.lock(), &data.locked) {
            (Some(proof), Some(batch)) => {
                proof.digest == batch.digest() && self.verify_batch(cx, batch)
            }
            (None, None) => true,
            _ => false,
        };
        decided && locked
    }

    // ---- SYNC ------------------------------------------------------------------------------------

    /// With the STOP-DATA of a quorum, its own among it, the leader begins its regency: with the value that
    /// the consensus is bound to, or unbound (lines 17-21).
    pub(super) fn try_sync(&mut self, cx: &mut Context<'_>) {
        let me = self.group.me;
        if self.active || self.past.silent.is_some() || self.stops.syncing || !self.leads() {
            return;
        }
        let regency = self.regency;
        let here = |data: &&Arc<StopData>| data.collect.regency() == regency;
        let brought: Vec<Arc<StopData>> = self
            .stops
            .data
            .iter()
            .flatten()
            .filter(here)
            .cloned()
            .collect();
        let own = self.stops.data.get(me).and_then(Option::as_ref);
        if brought.len() < self.group.quorum() || own.is_none_or(|data| !here(&data)) {
            return;
        }
        let collects: Vec<Arc<Collect>> = brought.iter().map(|d| Arc::clone(&d.collect)).collect();
        let called = called_for(collects.iter());
        Self::mark_sync(cx, &collects);
        let mut bodies = brought.iter().filter_map(|data| data.locked.as_ref());
        let value = called
            .bound
            .and_then(|bound| bodies.find(|batch| batch.digest() == bound));
        let proposal = value.map(|batch| {
            cx.work(Work::sign(1));
            Arc::new(self.proposal_at(called.low.saturating_add(1), Arc::clone(batch)))
        });
        let mut decided = brought.iter().filter_map(|data| data.decided.as_ref());
        let decided = decided.find(|committed| committed.sequence == called.low);
        let sync = Sync::sign(
            self.group.chain,
            regency,
            collects,
            proposal,
            decided.cloned(),
            &self.group.key,
        );
        cx.work(Work::sign(1));
        cx.work(Work::hash(sync.encoded_len()));
        self.stops.syncing = true;
        let sync = Arc::new(sync);
        let record = Record::Regency {
            regency,
            left: self.left,
            data: self
                .stops
                .own_data
                .as_ref()
                .map(|(data, _)| Arc::clone(data)),
            sync: Some(Arc::clone(&sync)),
        };
        self.journal
            .write(Write::cell(REGENCY, 0, Arc::new(record)));
        self.journal.then(Said::Sync(sync));
    }

    fn mark_sync(cx: &mut Context<'_>, collects: &[Arc<Collect>]) {
        let called = called_for(collects.iter());
        cx.reached(match called.bound {
            Some(_) => &marks::SYNC_BOUND,
            None => &marks::SYNC_UNBOUND,
        });
        let locks = collects.iter().filter_map(|c| c.lock());
        let here = |c: &&Arc<Certificate>| c.sequence == called.low + 1;
        let (mut regencies, mut batches) = (BTreeSet::new(), BTreeSet::new());
        for lock in locks.filter(here) {
            regencies.insert(lock.view);
            batches.insert(lock.digest);
        }
        if regencies.len() > 1 {
            cx.reached(&marks::PROOFS_OF_TWO_REGENCIES);
        }
        if batches.len() > 1 {
            cx.reached(&marks::PROOFS_OF_TWO_BATCHES);
        }
    }

    /// The own SYNC is on disk.
    pub(super) fn say_sync(&mut self, cx: &mut Context<'_>, sync: &Arc<Sync>) {
        if self.active || sync.regency() != self.regency {
            return;
        }
        self.multicast(cx, Body::Sync(Arc::clone(sync)));
        self.enter(cx, sync);
    }

    /// Upon SYNC, of its leader or passed on by another: verifies it as the leader did, and enters (lines
    /// 22-32). It shows why, so that whoever missed the STOPs follows too.
    pub(super) fn on_sync(&mut self, cx: &mut Context<'_>, from: usize, sync: &Arc<Sync>) {
        let regency = sync.regency();
        if regency < self.regency || (regency == self.regency && self.active) {
            return;
        }
        if !self.group.is_ours(regency) {
            return self.hears_of_later_members(cx, from);
        }
        if !self.verify_sync(cx, sync) {
            return cx.reached(&marks::SYNC_REFUSED);
        }
        if from != self.group.leader(regency) {
            cx.reached(&marks::SYNC_PASSED_ON);
        }
        self.regency = regency;
        self.enter(cx, sync);
    }

    fn verify_sync(&self, cx: &mut Context<'_>, sync: &Sync) -> bool {
        cx.work(Work::verify(1));
        let (group, regency) = (&self.group, sync.regency());
        let key = group.key_of(group.leader(regency));
        let signed = vote_statement(group.chain, SYNC, regency, 0, &sync.digest());
        let genuine = regency > group.first_regency()
            && sync.signature().key == key
            && group.keys.verify(&signed, sync.signature())
            && sync.is_of_quorum(group.quorum());
        if !genuine || !sync.collects().iter().all(|c| self.verify_collect(cx, c)) {
            return false;
        }
        let called = sync.called();
        match (called.bound, sync.proposal()) {
            (None, None) => true,
            (Some(bound), Some(proposal)) => {
                cx.work(Work::verify(1));
                let statement = proposal.statements(group.chain).first;
                proposal.view == regency
                    && proposal.sequence == called.low.saturating_add(1)
                    && proposal.batch.digest() == bound
                    && proposal.signature.key == key
                    && group.keys.verify(&statement, &proposal.signature)
                    && self.verify_batch(cx, &proposal.batch)
            }
            _ => false,
        }
    }

    /// A regency begins.
    fn enter(&mut self, cx: &mut Context<'_>, sync: &Arc<Sync>) {
        self.settle_in(Arc::clone(sync));
        self.forget_stops(cx);
        self.write_regency(None);
        self.tell_regency(cx);
        for collect in sync.collects() {
            if let Some(signer) = self.group.index_of_key(collect.signature().key) {
                self.past.peers.claim(signer, collect.reach());
            }
        }
        if let Some(committed) = sync.decided().filter(|c| c.sequence == self.sequence())
            && self.verify_committed(cx, committed)
        {
            cx.reached(&marks::DECIDED_BY_SYNC);
            self.deliver(cx, Arc::clone(committed));
            self.progress_at = cx.now();
            self.end_silence(cx);
        }
        if self.past.executed < self.called.low {
            cx.reached(&marks::BEHIND_SYNC);
            self.seek(cx);
        }
        self.resume(cx);
        // No request is forgotten: the new leader gets them all.
        self.outbox = self.mempool.charges();
        self.send_to_leader(cx);
        self.watch(cx);
        self.replay_future(cx);
        self.try_propose(cx);
    }

    /// Takes over how a regency began: all votes of earlier ones are void.
    pub(super) fn settle_in(&mut self, sync: Arc<Sync>) {
        self.regency = sync.regency();
        self.active = true;
        self.left = self.left.max(self.regency);
        self.called = sync.called();
        self.opening = Some(sync);
        self.current.begin();
        self.mempool.next_view();
    }
}
