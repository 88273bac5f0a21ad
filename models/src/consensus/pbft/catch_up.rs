//! Catching up and repeating what was lost: status exchange (TOCS 2002) and the transfer
//! of committed batches with their certificates.

use super::change::Prepared;
use super::config::MAX_RESENT;
use super::marks;
use super::message::{Body, COMMIT, Proposal, Status};
use super::replica::{PbftReplica, TICK};
use super::seeded;
use crate::consensus::members::{Members, PerMember};
use crate::consensus::sync::{Blocks, MAX_BLOCKS, Peers, serve};
use consim_core::{Batch, Committed, Context, Digest, Payload, Probe, Span, Time, Work};
use std::sync::Arc;

/// What is known of the others' progress, and what they were told and asked beside the common.
#[derive(Debug)]
pub(super) struct CatchUp {
    pub(super) peers: Peers,
    /// When each member was last sent the own view change, which is large.
    told: PerMember<Time>,
    steps: usize,
}

impl CatchUp {
    pub(super) fn new(n: usize) -> Self {
        Self {
            peers: Peers::new(n),
            told: PerMember::new(n, Time::ZERO),
            steps: 0,
        }
    }
    /// The own view change goes to everybody.
    pub(super) fn told_all(&mut self, now: Time) {
        self.told.fill(now);
    }
    /// May it be sent the own view change again, after `pause`?
    pub(super) fn may_tell(&mut self, member: usize, now: Time, pause: Span) -> bool {
        match self.told.get_mut(member) {
            Some(told) if now - *told >= pause => {
                *told = now;
                true
            }
            _ => false,
        }
    }
}

impl PbftReplica {
    // ---- status ----------------------------------------------------------------------------------

    pub(super) fn status(&self, ask: bool, for_stable: u64) -> Body {
        let lacks = for_stable < self.stable();
        Body::Status(Status {
            view: self.view,
            active: self.active,
            executed: self.executed,
            stable: self.stable(),
            ask,
            holds: self.held_changes().words(),
            proof: self.checkpoints.proof.clone().filter(|_| lacks),
        })
    }

    /// Upon STATUS: a member that is in an older view or lacks votes is helped; if it is ahead,
    /// this replica catches up with it.
    pub(super) fn on_status(&mut self, cx: &mut Context<'_>, from: usize, status: &Status) {
        let (peers, faults) = (&mut self.catch_up.peers, self.group.faults);
        let silence = peers.said(cx.now(), from, status.executed, faults);
        self.in_reach_after(cx, silence);
        if let Some(proof) = &status.proof {
            self.on_proof(cx, proof);
        }
        self.estimate(from);
        if status.ask {
            let answer = self.status(false, status.stable);
            self.send(cx, from, answer);
        }
        let entering = status.view == self.view && !status.active && self.active;
        if status.view < self.view || entering {
            self.help(cx, from);
        } else if status.view == self.view && !status.active {
            self.complete_changes(cx, from, &Members::of(&status.holds));
        } else if status.ask && status.view == self.view && self.active && status.active {
            self.repeat_votes(cx, from, status.executed);
        }
        self.seek(cx);
    }

    /// Sends the own votes of this view again, for what the member has not executed and cannot
    /// get as blocks from this replica.
    fn repeat_votes(&mut self, cx: &mut Context<'_>, member: usize, executed: u64) {
        let unfinished = self.executed.max(executed);
        if self.top <= unfinished || !self.catch_up.peers.may_help(member) {
            return;
        }
        let to = self.group.node(member);
        let slots = self.window.iter().filter(|(s, _)| *s > unfinished);
        for (_, slot) in slots.take(MAX_RESENT) {
            for message in slot.said_prepare.iter().chain(&slot.said_commit) {
                cx.send(to, Arc::clone(message));
            }
        }
    }

    // ---- transfer of committed batches -----------------------------------------------------------

    /// Asks a member that claims to be ahead for what comes next, unless one was asked already.
    pub(super) fn seek(&mut self, cx: &mut Context<'_>) {
        if self.catch_up.peers.asking() {
            return;
        }
        let restarted = self.replayed > 0;
        if seeded::on(&seeded::NEVER_SEEKS)
            || (restarted && seeded::on(&seeded::RESTARTED_TAKES_LOG_FOR_WHOLE))
        {
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
        if !self.catch_up.peers.may_serve(from) || seeded::on(&seeded::BLOCKS_NEVER_SENT) {
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

    /// Upon BLOCKS that were asked for: verifies each and executes it. A member that sends
    /// something invalid, or nothing, is not asked again before it makes a new claim.
    pub(super) fn on_blocks(&mut self, cx: &mut Context<'_>, from: usize, answer: &Blocks) {
        if answer.blocks.len() > MAX_BLOCKS || !self.catch_up.peers.answered_by(from) {
            return cx.reached(&marks::ANSWER_UNASKED);
        }
        if answer.blocks.is_empty() && answer.executed > self.executed {
            // It took a state over itself and has nothing that led there.
            cx.reached(&marks::BLOCKS_GONE);
            self.transfer.blocks_are_gone();
        }
        let before = self.executed;
        let mut sound = true;
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
            // Nobody here has a part in it in this view, so that nothing is left to be done.
            let untouched = |slot: &super::slots::Slot| slot.digest.is_none();
            if self
                .window
                .open(self.executed)
                .is_some_and(|s| untouched(s))
            {
                self.window.finish(self.executed);
            }
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
            while self.window.get(self.floor + 1).is_some_and(|s| s.finished) {
                self.floor += 1;
            }
            self.progressed(cx);
            self.execute_ready(cx);
            self.try_propose(cx);
        }
        self.seek(cx);
    }

    /// Is it committed by a quorum, and is its body genuine? The digest does not cover the
    /// signatures of transactions, so that these are verified too.
    fn verify_committed(&self, cx: &mut Context<'_>, committed: &Committed) -> bool {
        let group = &self.group;
        let certificate = &committed.certificate;
        if seeded::on(&seeded::TRANSFER_TRUSTS_PEER) {
            return true;
        }
        cx.work(Work::verify_batched(certificate.signatures.len() as u32));
        committed.chain == group.chain
            && certificate.kind == COMMIT
            && certificate.sequence == committed.sequence
            && certificate.digest == committed.batch.digest()
            && certificate.verify(group.chain, &group.members, group.quorum, &group.keys)
            && self.verify_batch(cx, &committed.batch)
    }

    // ---- bodies of what a new view puts forward --------------------------------------------------

    /// Asks for the bodies that are missing: at first a member whose view change shows that it
    /// had prepared it, then one after the other.
    pub(super) fn fetch_bodies(&mut self, cx: &mut Context<'_>, first: bool) {
        self.catch_up.steps = self.catch_up.steps.wrapping_add(1);
        let missing: Vec<(u64, Digest)> = self
            .window
            .iter()
            .filter(|(s, slot)| *s > self.executed && slot.batch.is_none())
            .filter_map(|(s, slot)| Some((s, slot.digest?)))
            .take(MAX_RESENT)
            .collect();
        for (sequence, digest) in missing {
            let opening = self.changes.opening.as_ref().filter(|_| first);
            let holder = opening.and_then(|opening| {
                let holds = |p: &Arc<Prepared>| p.0.sequence == sequence && p.0.digest == digest;
                let mut changes = opening.changes.iter();
                let change = changes.find(|c| c.prepared().iter().any(holds))?;
                self.group.index_of_key(change.signature().key)
            });
            let n = self.group.len().max(1);
            let turn = (sequence as usize).wrapping_add(self.catch_up.steps) % n;
            let peer = match holder.unwrap_or(turn) {
                me if me == self.group.me => (me + 1) % n,
                other => other,
            };
            self.send(cx, peer, Body::FetchBatch { sequence, digest });
        }
    }

    /// Upon FETCH-BATCH: sends the body, if it is here.
    pub(super) fn on_fetch_batch(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        sequence: u64,
        digest: &Digest,
    ) {
        let logged = self.logged(sequence).map(|c| &c.batch);
        let body = self
            .window
            .get(sequence)
            .and_then(|slot| slot.body(digest))
            .or(logged.filter(|b| b.digest() == *digest));
        let Some(batch) = body.cloned() else {
            return;
        };
        if self.catch_up.peers.may_serve(from) {
            self.send(cx, from, Body::Batch { sequence, batch });
        }
    }

    /// Upon BATCH: the body of what the new view puts forward at `sequence`.
    pub(super) fn on_batch(&mut self, cx: &mut Context<'_>, sequence: u64, batch: &Arc<Batch>) {
        let digest = batch.digest();
        let missing = self
            .window
            .get(sequence)
            .is_some_and(|slot| slot.digest == Some(digest) && slot.batch.is_none());
        let Some(&(_, signature)) = self.new_view_vote(sequence).filter(|v| v.0 == digest) else {
            return;
        };
        if !self.active || !missing || !self.verify_batch(cx, batch) {
            return;
        }
        let proposal = self.message(Body::PrePrepare(Arc::new(Proposal::new(
            self.view,
            sequence,
            Arc::clone(batch),
            signature,
        ))));
        cx.reached(&marks::BODY_FETCHED);
        self.accept(cx, sequence, Arc::clone(batch), proposal);
        self.try_propose(cx);
    }

    // ---- the tick --------------------------------------------------------------------------------

    /// Looks for what may have been lost since the last tick, and says again what somebody may
    /// lack.
    pub(super) fn on_tick(&mut self, cx: &mut Context<'_>) {
        cx.set_timer(TICK, self.group.tick());
        let tick = self.catch_up.peers.tick(self.executed);
        if tick.unanswered {
            cx.reached(&marks::FETCH_UNANSWERED);
        }
        let behind = self.has_future() || self.checkpoints.proven() > self.executed;
        if tick.asking || (tick.quiet && behind) {
            let status = self.status(true, u64::MAX);
            self.multicast(cx, status);
        } else if tick.idle {
            let (peer, status) = self.to_compare();
            self.send(cx, peer, status);
        }
        if tick.quiet {
            self.seek(cx);
        }
        self.catch_up.steps = self.catch_up.steps.wrapping_add(1);
        self.refetch_changes(cx, self.catch_up.steps);
        self.resend_due(cx);
        self.retell_checkpoints(cx);
    }

    /// Says again what others may lack, and asks for what this replica may lack.
    pub(super) fn repeat(&mut self, cx: &mut Context<'_>) {
        let status = self.status(true, u64::MAX);
        self.multicast(cx, status);
        self.fetch_bodies(cx, false);
        self.refetch_changes(cx, self.catch_up.steps);
    }

    /// With whom to compare notes, and the question.
    fn to_compare(&self) -> (usize, Body) {
        let peer = self.catch_up.peers.to_compare(self.group.me);
        (peer, self.status(true, u64::MAX))
    }

    /// After a restart: everybody is asked, and hears the votes that are still needed.
    pub(super) fn ask_everybody(&mut self, cx: &mut Context<'_>, votes: &[Arc<dyn Payload>]) {
        self.catch_up.peers.restarted();
        let status = self.status(true, u64::MAX);
        self.multicast(cx, status);
        for vote in votes {
            cx.multicast(&self.group.members, Arc::clone(vote));
        }
    }
}
