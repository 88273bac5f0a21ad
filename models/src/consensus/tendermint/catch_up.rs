//! Catching up and repeating what was lost: status exchange, and the transfer of decided batches with their
//! certificates.

use super::marks;
use super::message::{Body, MAX_VOTES, PRECOMMIT, Status};
use super::replica::{TICK, TendermintReplica};
use crate::consensus::sync::{Blocks, MAX_BLOCKS, Peers, serve};
use consim_core::{Committed, Context, Probe, Span, Work};
use std::sync::Arc;

/// What is known of the others' progress.
#[derive(Debug)]
pub(super) struct CatchUp {
    pub(super) peers: Peers,
}

impl CatchUp {
    pub(super) fn new(n: usize) -> Self {
        Self {
            peers: Peers::new(n),
        }
    }
}

impl TendermintReplica {
    // ---- status ----------------------------------------------------------------------------------

    /// How far this replica is, with proofs for one that is only as far as `executed` and `stable`.
    fn status(&self, ask: bool, executed: u64, stable: u64) -> Body {
        let (behind, lacks) = (executed < self.executed, stable < self.stable());
        Body::Status(Status {
            executed: self.executed,
            round: self.round,
            valid: self.valid_round(),
            stable: self.stable(),
            ask,
            proof: self.checkpoints.proof.clone().filter(|_| lacks),
            decided: self.decided.clone().filter(|_| behind),
        })
    }

    fn question(&self) -> Body {
        self.status(true, u64::MAX, u64::MAX)
    }

    /// Upon STATUS: a member that lacks votes is helped; if it is ahead, this replica catches up with it.
    pub(super) fn on_status(&mut self, cx: &mut Context<'_>, from: usize, status: &Status) {
        let (peers, faults) = (&mut self.catch_up.peers, self.group.faults);
        let silence = peers.said(cx.now(), from, status.executed, faults);
        self.in_reach_after(cx, silence);
        if let Some(proof) = &status.proof {
            self.on_proof(cx, proof);
        }
        self.estimate(cx, from, status);
        if status.ask {
            let answer = self.status(false, status.executed, status.stable);
            self.send(cx, from, answer);
        }
        if status.executed == self.executed && status.ask {
            self.help(cx, from, status);
        }
        self.seek(cx);
    }

    /// The group is in reach again, after so long: what it missed is not held back any longer.
    pub(super) fn in_reach_after(&mut self, cx: &Context<'_>, silence: Span) {
        if silence >= self.group.patience().times(2) {
            self.mempool.hurry(cx.now());
        }
    }

    /// Helps a member of the same height on: with what was said in its round, in that of this replica and in the
    /// one before, which leads there, in place of the gossip of arXiv 1807.04938, section 2.1.
    fn help(&mut self, cx: &mut Context<'_>, member: usize, status: &Status) {
        let mut rounds = vec![status.round, self.round.saturating_sub(1), self.round];
        rounds.sort_unstable();
        rounds.dedup();
        rounds.retain(|&round| round >= status.round && self.rounds.get(round).is_some());
        let valid = self.valid_round() > status.valid;
        if (rounds.is_empty() && !valid) || !self.catch_up.peers.may_help(member) {
            return;
        }
        let (height, to) = (self.height(), self.group.node(member));
        let mut votes = Vec::new();
        for round in rounds.iter().filter_map(|&round| self.rounds.get(round)) {
            if let Some(message) = &round.said {
                cx.send(to, Arc::clone(message));
            }
            // Its own it knows. A proposer's PREVOTE may have been lost with its PROPOSAL.
            let own = self.group.key_of(member);
            let others = round.votes(&self.group, height).into_iter();
            votes.extend(others.filter(|(_, ballot)| ballot.signature.key != own));
        }
        votes.truncate(MAX_VOTES);
        if !votes.is_empty() {
            self.send(cx, member, Body::Votes(votes));
        }
        if let Some(polka) = self.polka().filter(|_| valid) {
            self.send(cx, member, polka);
        }
    }

    // ---- transfer of decided batches -------------------------------------------------------------

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

    /// Messages of heights to come show who is ahead. The one after this may be due to the order of
    /// messages; f+1 that are in one further still have left this replica behind.
    pub(super) fn seek_if_left_behind(&mut self, cx: &mut Context<'_>) {
        let ahead = self.executed.saturating_add(2);
        if self.catch_up.peers.as_far(ahead) > self.group.faults {
            self.seek(cx);
        }
    }

    /// Upon FETCH-BLOCKS: sends decided batches in order, within bounds.
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
        for committed in &answer.blocks {
            if committed.sequence <= self.executed {
                continue;
            }
            if committed.sequence != self.height() || !self.verify_committed(cx, committed) {
                cx.reached(&marks::BLOCKS_REFUSED);
                sound = false;
                break;
            }
            self.deliver(cx, Arc::clone(committed));
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
            self.went_on(cx);
        }
        self.seek(cx);
    }

    /// Is it decided by a quorum, and is its body genuine? The digest does not cover the signatures of
    /// transactions, so that these are verified too.
    pub(super) fn verify_committed(&self, cx: &mut Context<'_>, committed: &Committed) -> bool {
        let group = &self.group;
        let certificate = &committed.certificate;
        cx.work(Work::verify_batched(certificate.signatures.len() as u32));
        committed.chain == group.chain
            && certificate.kind == PRECOMMIT
            && certificate.sequence == committed.sequence
            && certificate.digest == committed.batch.digest()
            && certificate.verify(group.chain, &group.members, group.quorum, &group.keys)
            && self.judge().verifies(cx, &committed.batch)
    }

    // ---- the tick --------------------------------------------------------------------------------

    /// Looks for what may have been lost since the last tick, and says again what somebody may lack.
    pub(super) fn on_tick(&mut self, cx: &mut Context<'_>) {
        cx.set_timer(TICK, self.group.tick());
        let tick = self.catch_up.peers.tick(self.executed);
        if tick.unanswered {
            cx.reached(&marks::FETCH_UNANSWERED);
        }
        let behind = self.has_future() || self.checkpoints.proven() > self.executed;
        if tick.asking || (tick.quiet && behind) {
            self.multicast(cx, self.question());
        } else if tick.idle {
            let peer = self.catch_up.peers.to_compare(self.group.me);
            self.send(cx, peer, self.question());
        }
        if tick.quiet {
            self.seek(cx);
        }
        self.resend_due(cx);
        self.retell_checkpoints(cx);
    }

    /// Says how far this replica is, for others to help it and to be helped by it.
    pub(super) fn ask_all(&self, cx: &mut Context<'_>) {
        self.multicast(cx, self.question());
    }

    /// After a restart: everybody is asked.
    pub(super) fn ask_everybody(&mut self, cx: &mut Context<'_>) {
        self.catch_up.peers.restarted();
        self.multicast(cx, self.question());
    }
}
