//! Catching up: status exchange, committed batches with their certificates, and proposals that others
//! build on.

use super::config::{
    FORGOTTEN_VIEWS, IDLE_TICKS, MAX_BLOCK_BYTES, MAX_BLOCKS, MAX_CHAIN, MAX_HELP, MAX_SERVED,
};
use super::marks;
use super::message::{Blocks, Body, Status};
use super::proposal::Proposal;
use super::replica::{HotStuffReplica, TICK};
use crate::consensus::members::{Members, PerMember};
use consim_core::{Context, Digest, Probe, Span, Time};
use std::sync::Arc;

/// What is known of the others' progress, and what was asked for.
#[derive(Debug)]
pub(super) struct CatchUp {
    /// How far each member says that it has committed. It may lie: what it sends is verified, and a claim
    /// that it does not make good is void.
    claims: PerMember<u64>,
    fetch: Option<Fetch>,
    /// The proposal that was asked for last, since the last tick.
    asked: Option<Digest>,
    /// Whom to ask next.
    turn: usize,
    /// How often each member was helped since the last tick, and how many bodies it got.
    helped: PerMember<u16>,
    served: PerMember<u16>,
    /// After a restart: who has answered so far; `None` if enough have.
    answered: Option<Members>,
    /// When a member last said how far it is.
    heard: Time,
    ticks: u32,
    /// What was committed at the last tick.
    last: u64,
}

#[derive(Debug)]
struct Fetch {
    peer: usize,
    /// Has a tick passed since?
    old: bool,
}

/// Counts one more for `member`, unless that would be more than `most`.
fn within(counts: &mut PerMember<u16>, member: usize, most: u16) -> bool {
    match counts.get_mut(member) {
        Some(count) if *count < most => {
            *count += 1;
            true
        }
        _ => false,
    }
}

impl CatchUp {
    pub(super) fn new(n: usize) -> Self {
        Self {
            claims: PerMember::new(n, 0),
            fetch: None,
            asked: None,
            turn: 0,
            helped: PerMember::new(n, 0),
            served: PerMember::new(n, 0),
            answered: None,
            heard: Time::ZERO,
            ticks: 0,
            last: 0,
        }
    }
    /// A member has committed at least this far, as it says.
    pub(super) fn claim(&mut self, member: usize, executed: u64) {
        if let Some(claim) = self.claims.get_mut(member) {
            *claim = executed.max(*claim);
        }
    }
    pub(super) fn set_claim(&mut self, member: usize, executed: u64) {
        if let Some(claim) = self.claims.get_mut(member) {
            *claim = executed;
        }
    }
    /// How many say that they have committed as far.
    fn as_far(&self, executed: u64) -> usize {
        self.claims
            .iter()
            .filter(|&&claim| claim >= executed)
            .count()
    }
    /// May this member be helped?
    pub(super) fn may_help(&mut self, member: usize) -> bool {
        within(&mut self.helped, member, MAX_HELP)
    }
    /// May it be sent what it asks for?
    pub(super) fn may_serve(&mut self, member: usize) -> bool {
        within(&mut self.served, member, MAX_SERVED)
    }
    /// A member is asked; nobody else is before it answers or a tick has passed.
    pub(super) fn ask(&mut self, peer: usize) {
        self.fetch = Some(Fetch { peer, old: false });
    }
    /// Was this member asked? Then its answer is here.
    pub(super) fn answered_by(&mut self, peer: usize) -> bool {
        self.fetch.take_if(|fetch| fetch.peer == peer).is_some()
    }
    /// The next member that claims to be ahead of `executed`.
    pub(super) fn ahead(&mut self, executed: u64) -> Option<usize> {
        let n = self.claims.len();
        let peer = (1..=n)
            .map(|i| (self.turn + i) % n)
            .find(|&i| self.claims.get(i).is_some_and(|&claim| claim > executed))?;
        self.turn = peer;
        Some(peer)
    }
    /// The next member in turn, whatever it says.
    fn next(&mut self, me: usize) -> usize {
        let n = self.claims.len().max(1);
        self.turn = (self.turn + 1) % n;
        if self.turn == me {
            self.turn = (self.turn + 1) % n;
        }
        self.turn
    }
    /// The replica has restarted: it asks until enough have answered.
    pub(super) fn restarted(&mut self) {
        self.answered = Some(Members::default());
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
        if self.catch_up.may_help(member) {
            let status = self.status(false, u64::MAX, true);
            self.send(cx, member, status);
        }
    }

    /// Upon STATUS: follows the certificates in it; helps a member that is behind; catches up with one
    /// that is ahead.
    pub(super) fn on_status(&mut self, cx: &mut Context<'_>, from: usize, status: &Status) {
        let silence = cx.now() - std::mem::replace(&mut self.catch_up.heard, cx.now());
        self.in_reach_after(cx, silence);
        if let Some(answered) = &mut self.catch_up.answered {
            answered.insert(from);
            if answered.len() > self.group.faults {
                self.catch_up.answered = None;
            }
        }
        self.catch_up.set_claim(from, status.executed);
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
            if self.catch_up.may_serve(from) {
                let answer = self.status(false, status.stable, behind);
                self.send(cx, from, answer);
            }
            if !behind {
                self.repeat_to(cx, from);
            }
        }
        if self.untold.is_some() && self.catch_up.as_far(self.executed) + 1 >= self.group.quorum {
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
        if !self.catch_up.may_help(member) {
            return;
        }
        if let Some(proposed) = self.proposed.clone() {
            cx.send(self.group.node(member), proposed);
        }
    }

    // ---- committed batches -----------------------------------------------------------------------

    /// Asks a member that claims to be ahead for what comes next, unless one was asked already.
    pub(super) fn seek(&mut self, cx: &mut Context<'_>) {
        if self.catch_up.fetch.is_some() {
            return;
        }
        if self.wants_state() {
            return self.seek_state(cx);
        }
        let Some(peer) = self.catch_up.ahead(self.executed) else {
            return;
        };
        self.catch_up.ask(peer);
        let from = self.executed + 1;
        self.send(cx, peer, Body::FetchBlocks { from });
    }

    /// Upon FETCH-BLOCKS: sends committed batches in order, within bounds.
    pub(super) fn on_fetch_blocks(&mut self, cx: &mut Context<'_>, from: usize, first: u64) {
        if !self.catch_up.may_serve(from) {
            return;
        }
        let first = first.max(1);
        if first <= self.log.base() {
            cx.emit(Probe::BlocksGone {
                chain: self.group.chain,
                asked_by: self.group.node(from),
                from: first,
            });
        }
        let mut blocks = Vec::new();
        let mut bytes = 0;
        for committed in self.log.from(first).take(MAX_BLOCKS) {
            bytes += committed.encoded_len();
            if bytes > MAX_BLOCK_BYTES && !blocks.is_empty() {
                break;
            }
            blocks.push(Arc::clone(committed));
        }
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
        if answer.blocks.len() > MAX_BLOCKS || !self.catch_up.answered_by(from) {
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
        self.catch_up.set_claim(from, claim);
        if let Some(proof) = &answer.proof {
            self.on_proof(cx, proof);
        }
        if fetched > 0 {
            cx.emit(Probe::CaughtUp {
                chain: self.group.chain,
                blocks: fetched,
            });
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
        while let Some(orphan) = self.orphans.get(&missing) {
            missing = orphan.link().parent;
        }
        (!self.tree.knows(&missing)).then_some(missing)
    }

    /// Asks for the proposal that is missing: one that told of it, or the next in turn.
    pub(super) fn fetch_chain(&mut self, cx: &mut Context<'_>, from: Option<usize>) {
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
            .unwrap_or_else(|| self.catch_up.next(me));
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
        if !self.catch_up.may_serve(from) {
            return;
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
        let executed = self.executed;
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
        self.catch_up.claim(from, executed);
        let mut useful = false;
        for proposal in proposals.iter().take(MAX_CHAIN) {
            if self.wanted() != Some(proposal.id()) {
                continue;
            }
            if !self.is_well_formed(cx, proposal) || !self.verify_batch(cx, proposal.batch()) {
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
        let catch_up = &mut self.catch_up;
        catch_up.ticks = catch_up.ticks.wrapping_add(1);
        catch_up.helped.fill(0);
        catch_up.served.fill(0);
        match &mut catch_up.fetch {
            Some(fetch) if fetch.old => {
                cx.reached(&marks::FETCH_UNANSWERED);
                let peer = fetch.peer;
                catch_up.fetch = None;
                catch_up.set_claim(peer, 0);
            }
            Some(fetch) => fetch.old = true,
            None => {}
        }
        let quiet = catch_up.last == self.executed;
        catch_up.last = self.executed;
        let behind = self.wanted().is_some() || self.checkpoints.proven() > self.executed;
        if self.catch_up.answered.is_some() || (quiet && behind) {
            let status = self.status(true, u64::MAX, false);
            self.multicast(cx, status);
        } else if quiet && self.catch_up.ticks.is_multiple_of(IDLE_TICKS) {
            self.compare_notes(cx);
        }
        if quiet {
            self.fetch_chain(cx, None);
            self.seek(cx);
        }
        self.resend_due(cx);
        self.retell_checkpoints(cx);
    }

    /// Without news, one peer after the other is asked how far it is: a replica that was cut off while
    /// all was quiet learns so what it missed.
    fn compare_notes(&mut self, cx: &mut Context<'_>) {
        let n = self.group.len().max(1);
        let round = (self.catch_up.ticks / IDLE_TICKS) as usize;
        let peer = (self.group.me + 1 + round % (n - 1).max(1)) % n;
        let status = self.status(true, u64::MAX, false);
        self.send(cx, peer, status);
    }

    /// After a restart: everybody is asked.
    pub(super) fn ask_everybody(&mut self, cx: &mut Context<'_>) {
        self.catch_up.restarted();
        let status = self.status(true, u64::MAX, false);
        self.multicast(cx, status);
    }
}
