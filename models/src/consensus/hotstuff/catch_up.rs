//! Catching up: status exchange, committed batches with their certificates, and proposals that others
//! build on.

use super::announced::Announced;
use super::awaited::Awaited;
use super::config::{FORGOTTEN_VIEWS, MAX_CHAIN};
use super::marks;
use super::message::{Body, Status};
use super::proposal::Proposal;
use super::replica::{HotStuffReplica, TICK};
use super::voting::Shown;
use crate::consensus::sync::{Blocks, MAX_BLOCK_BYTES, MAX_BLOCKS, Peers, serve};
use consim_core::{Context, Digest, Probe, Span};
use std::sync::Arc;

/// What is known of the others' progress, and what was asked for beside the common.
#[derive(Debug)]
pub(super) struct CatchUp {
    pub(super) peers: Peers,
    /// The proposal that was asked for last, since the last tick.
    asked: Option<Digest>,
}

impl CatchUp {
    pub(super) fn new(n: usize) -> Self {
        Self {
            peers: Peers::new(n),
            asked: None,
        }
    }
}

impl HotStuffReplica {
    // ---- status ----------------------------------------------------------------------------------

    /// How far this replica is; with its certificates for one in an older view.
    pub(super) fn status(&self, ask: bool, for_stable: u64, certificates: bool) -> Body {
        let lacks = for_stable < self.stable();
        let safety = &self.safety;
        Body::Status(Status {
            view: safety.view,
            executed: self.executed,
            stable: self.stable(),
            ask,
            high: safety.high.certificate.clone().filter(|_| certificates),
            entered: safety.entered.clone().filter(|_| certificates),
            proof: self.checkpoints.proof.clone().filter(|_| lacks),
        })
    }

    /// Helps a member that is in an older view: shows it how this replica came to its own.
    pub(super) fn help(&mut self, cx: &mut Context<'_>, member: usize) {
        if self.catch_up.peers.may_help(member) {
            let status = self.status(false, u64::MAX, true);
            self.send(cx, member, status);
        }
    }

    /// Upon STATUS: follows the certificates in it; helps a member that is behind; catches up with one
    /// that is ahead.
    pub(super) fn on_status(&mut self, cx: &mut Context<'_>, from: usize, status: &Status) {
        let (peers, faults) = (&mut self.catch_up.peers, self.group.faults);
        let silence = peers.said(cx.now(), from, status.executed, faults);
        self.in_reach_after(cx, silence);
        if let Some(proof) = &status.proof {
            self.on_proof(cx, proof);
        }
        self.estimate(from, status.view.saturating_add(FORGOTTEN_VIEWS));
        if let Some(high) = &status.high
            && high.view > self.safety.high.view()
            && self.is_certificate(cx, high)
        {
            self.on_certificate(cx, from, high, true);
        }
        if let Some(entered) = &status.entered {
            self.on_timeout_certificate(cx, entered);
        }
        if status.ask {
            let behind = status.view < self.safety.view;
            if self.catch_up.peers.may_serve(from) {
                let answer = self.status(false, status.stable, behind);
                self.send(cx, from, answer);
            }
            if !behind {
                self.repeat_to(cx, from);
            }
        }
        if self.untold.is_some()
            && self.catch_up.peers.as_far(self.executed) + 1 >= self.group.quorum
        {
            // They have it from elsewhere.
            self.untold = None;
        }
        self.seek(cx);
    }

    /// The group is in reach again, after so long: what it missed is not held back any longer.
    pub(super) fn in_reach_after(&mut self, cx: &Context<'_>, silence: Span) {
        if silence >= self.group.patience().times(2) {
            self.mempool.hurry(cx.now());
        }
    }

    /// Says again what a member of the same view may lack.
    fn repeat_to(&mut self, cx: &mut Context<'_>, member: usize) {
        if !self.catch_up.peers.may_help(member) {
            return;
        }
        if let Some(proposed) = self.proposed.clone() {
            cx.send(self.group.node(member), proposed);
        }
    }

    // ---- committed batches -----------------------------------------------------------------------

    /// Asks a member that claims to be ahead for what comes next, unless one was asked already.
    pub(super) fn seek(&mut self, cx: &mut Context<'_>) {
        if self.catch_up.peers.asking() {
            return;
        }
        if self.wants_state() {
            return self.seek_state(cx);
        }
        let Some(peer) = self.catch_up.peers.ahead(self.executed) else {
            return;
        };
        self.catch_up.peers.ask(peer);
        let from = self.executed + 1;
        self.send(cx, peer, Body::FetchBlocks { from });
    }

    /// Upon FETCH-BLOCKS: sends committed batches in order, within bounds.
    pub(super) fn on_fetch_blocks(&mut self, cx: &mut Context<'_>, from: usize, first: u64) {
        if !self.catch_up.peers.may_serve(from) {
            return;
        }
        let (chain, asked_by) = (self.group.chain, self.group.node(from));
        let blocks = serve(cx, &self.log, chain, asked_by, first);
        let body = Body::Blocks(Blocks {
            blocks,
            executed: self.executed,
            proof: self.checkpoints.proof.clone(),
        });
        self.send(cx, from, body);
    }

    /// Upon BLOCKS that were asked for: verifies each and executes it. A member that sends something
    /// invalid, or nothing, is not asked again before it makes a new claim.
    pub(super) fn on_blocks(&mut self, cx: &mut Context<'_>, from: usize, answer: &Blocks) {
        if answer.blocks.len() > MAX_BLOCKS || !self.catch_up.peers.answered_by(from) {
            return;
        }
        if answer.blocks.is_empty() && answer.executed > self.executed {
            // It took a state over itself and has nothing that led there.
            cx.reached(&marks::BLOCKS_GONE);
            self.transfer.blocks_are_gone();
        }
        let before = self.executed;
        let mut sound = true;
        let mut top = None;
        for committed in &answer.blocks {
            if committed.sequence <= self.executed {
                continue;
            }
            if committed.sequence != self.executed + 1 || !self.verify_committed(cx, committed) {
                cx.reached(&marks::BLOCKS_REFUSED);
                sound = false;
                break;
            }
            self.deliver(cx, Arc::clone(committed));
            top = Self::top(&committed.certificate);
        }
        let fetched = self.executed - before;
        let claim = if sound && fetched > 0 {
            answer.executed
        } else {
            0
        };
        self.catch_up.peers.set_claim(from, claim);
        if let Some(proof) = &answer.proof {
            self.on_proof(cx, proof);
        }
        if fetched > 0 {
            cx.emit(Probe::CaughtUp {
                chain: self.group.chain,
                blocks: fetched,
            });
            self.spend(None);
            self.committed(cx);
            if let Some(top) = top {
                self.on_certificate(cx, from, &Arc::new(top), true);
            }
            self.complete(cx);
        }
        self.seek(cx);
    }

    // ---- proposals -------------------------------------------------------------------------------

    /// The proposal that is missing where the chain goes on, if one is.
    pub(super) fn wanted(&self) -> Option<Digest> {
        let pending = self.pending.as_ref().map(|p| p.link().parent);
        // What is committed is not missed, although its certificate is the highest after a transfer.
        let high = &self.safety.high;
        let high = (high.view() > self.tree.root().view).then(|| high.id());
        let tips = [high, pending];
        let mut missing = tips.into_iter().flatten().find(|id| !self.tree.knows(id))?;
        // Part of the way down may be here, waiting for what is below.
        let below = |id: &Digest| {
            let orphan = self.orphans.get(id).map(|p| p.link().parent);
            orphan.or_else(|| self.awaited.get(id).map(Awaited::parent))
        };
        while let Some(parent) = below(&missing) {
            missing = parent;
        }
        (!self.tree.knows(&missing)).then_some(missing)
    }

    /// What the chain goes on from may be here, but for its payload.
    fn build_on_awaited(&mut self, cx: &mut Context<'_>) {
        let pending = self.pending.as_ref().map(|p| p.link().parent);
        let high = self.safety.high.id();
        let mut path: Vec<Digest> = [Some(high), pending].into_iter().flatten().collect();
        while let Some(id) = path.pop() {
            self.is_built_on(&id);
            let awaited = self.awaited.get(&id).map(Awaited::parent);
            path.extend(awaited.or_else(|| self.orphans.get(&id).map(|p| p.link().parent)));
        }
        self.try_awaited(cx);
    }

    /// Asks for the proposal that is missing: one that told of it, or the next in turn.
    pub(super) fn fetch_chain(&mut self, cx: &mut Context<'_>, from: Option<usize>) {
        self.build_on_awaited(cx);
        let Some(id) = self.wanted() else {
            return;
        };
        if from.is_some() && self.catch_up.asked == Some(id) {
            return;
        }
        self.catch_up.asked = Some(id);
        let me = self.group.me;
        let peer = from
            .filter(|&p| p != me)
            .unwrap_or_else(|| self.catch_up.peers.next(me));
        let above = self.executed;
        self.send(cx, peer, Body::FetchChain { id, above });
    }

    /// Upon FETCH-CHAIN: sends the proposal and those that it builds on, down to what is committed here.
    pub(super) fn on_fetch_chain(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        id: &Digest,
        above: u64,
    ) {
        if !self.catch_up.peers.may_serve(from) {
            return;
        }
        let executed = self.executed;
        if self.group.spread.is_some() {
            let branch = self.tree.branch(id).take(MAX_CHAIN);
            let branch = branch.take_while(|p| p.sequence() > above);
            let named =
                |p: &Arc<Proposal>| Some(Arc::clone(p.digests()?)).map(|d| Announced::of(p, d));
            let proposals: Option<Vec<_>> = branch.map(|p| named(p).map(Arc::new)).collect();
            if let Some(proposals) = proposals {
                let body = Body::Branch {
                    proposals,
                    executed,
                };
                return self.send(cx, from, body);
            }
        }
        let mut proposals = Vec::new();
        let mut bytes = 0;
        for proposal in self.tree.branch(id).take(MAX_CHAIN) {
            bytes += proposal.encoded_len();
            if proposal.sequence() <= above || (bytes > MAX_BLOCK_BYTES && !proposals.is_empty()) {
                break;
            }
            proposals.push(Arc::clone(proposal));
        }
        self.send(
            cx,
            from,
            Body::Chain {
                proposals,
                executed,
            },
        );
    }

    /// Upon CHAIN: each proposal is what the digest above it names. They wait until the last of them
    /// stands on something that is here.
    pub(super) fn on_chain(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposals: &[Arc<Proposal>],
        executed: u64,
    ) {
        self.catch_up.peers.claim(from, executed);
        let mut useful = false;
        for proposal in proposals.iter().take(MAX_CHAIN) {
            if self.wanted() != Some(proposal.id()) {
                continue;
            }
            let shown = Shown::of(proposal);
            if !self.is_well_formed(cx, &shown) || !self.verify_batch(cx, proposal.batch()) {
                cx.reached(&marks::CHAIN_REFUSED);
                break;
            }
            self.orphans.insert(proposal.id(), Arc::clone(proposal));
            useful = true;
        }
        if useful {
            cx.reached(&marks::CHAIN_FETCHED);
            self.complete(cx);
            self.fetch_chain(cx, Some(from));
        }
        self.seek(cx);
    }

    /// Proposals that waited for what is below them, and what waits for them.
    pub(super) fn complete(&mut self, cx: &mut Context<'_>) {
        let executed = self.executed;
        self.orphans.retain(|_, p| p.sequence() > executed);
        self.forget_awaited();
        loop {
            let ready = |p: &&Arc<Proposal>| self.tree.knows(&p.link().parent);
            let Some(proposal) = self.orphans.values().find(ready).cloned() else {
                break;
            };
            self.orphans.remove(&proposal.id());
            self.tree.insert(proposal);
        }
        self.follow(cx);
        self.try_vote(cx);
        self.try_propose(cx);
        self.watch(cx);
    }

    // ---- the tick --------------------------------------------------------------------------------

    /// Looks for what may have been lost since the last tick, and says again what somebody may lack.
    pub(super) fn on_tick(&mut self, cx: &mut Context<'_>) {
        cx.set_timer(TICK, self.group.tick());
        let tick = self.catch_up.peers.tick(self.executed);
        if tick.unanswered {
            cx.reached(&marks::FETCH_UNANSWERED);
        }
        let behind = self.wanted().is_some() || self.checkpoints.proven() > self.executed;
        if tick.asking || (tick.quiet && behind) {
            let status = self.status(true, u64::MAX, false);
            self.multicast(cx, status);
        } else if tick.idle {
            let peer = self.catch_up.peers.to_compare(self.group.me);
            let status = self.status(true, u64::MAX, false);
            self.send(cx, peer, status);
        }
        if tick.quiet {
            self.give_up_awaited();
            self.fetch_chain(cx, None);
            self.seek(cx);
        }
        self.resend_due(cx);
        self.retell_checkpoints(cx);
    }

    /// After a restart: everybody is asked.
    pub(super) fn ask_everybody(&mut self, cx: &mut Context<'_>) {
        self.catch_up.peers.restarted();
        let status = self.status(true, u64::MAX, false);
        self.multicast(cx, status);
    }
}
