//! Catching up and repeating what was lost: status exchange (the rest stands in `../sync/`).

use super::message::{Body, MAX_VOTES, Status};
use super::replica::{TICK, TendermintReplica};
use crate::consensus::sync::Syncs as _;
use consim_core::{Context, Span};
use std::sync::Arc;

impl TendermintReplica {
    // ---- status ----------------------------------------------------------------------------------

    /// How far this replica is, with proofs for one that is only as far as `executed` and `stable`.
    fn status(&self, ask: bool, executed: u64, stable: u64) -> Body {
        let (behind, lacks) = (executed < self.past.executed, stable < self.stable());
        Body::Status(Status {
            executed: self.past.executed,
            round: self.round,
            valid: self.valid_round(),
            stable: self.stable(),
            change: self.group.roster.latest().change,
            ask,
            proof: self.past.checkpoints.proof.clone().filter(|_| lacks),
            decided: self.past.decided.clone().filter(|_| behind),
        })
    }

    pub(super) fn question(&self) -> Body {
        self.status(true, u64::MAX, u64::MAX)
    }

    /// Upon STATUS: a member that lacks votes is helped; if it is ahead, this replica catches up with it.
    pub(super) fn on_status(&mut self, cx: &mut Context<'_>, from: usize, status: &Status) {
        let (peers, faults) = (&mut self.past.peers, self.group.faults());
        let silence = peers.said(cx.now(), from, status.executed, faults);
        self.in_reach_after(cx, silence);
        if let Some(proof) = &status.proof {
            self.on_proof(cx, proof);
        }
        self.estimate(cx, from, status.executed, status.decided.as_ref());
        if status.ask {
            self.show_links(cx, from, status.change);
            let answer = self.status(false, status.executed, status.stable);
            self.send(cx, from, answer);
        }
        if status.executed == self.past.executed && status.ask {
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
        if (rounds.is_empty() && !valid) || !self.past.peers.may_help(member) {
            return;
        }
        let (height, to) = (self.height(), self.group.node(member));
        let mut votes = Vec::new();
        for round in rounds.iter().filter_map(|&round| self.rounds.get(round)) {
            if let Some(message) = round.said.as_ref().filter(|_| !self.gossips()) {
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

    // ---- the tick --------------------------------------------------------------------------------

    /// Looks for what may have been lost since the last tick, and says again what somebody may lack.
    pub(super) fn on_tick(&mut self, cx: &mut Context<'_>) {
        cx.set_timer(TICK, self.group.tick());
        let kept = self.has_future();
        self.compare_notes(cx, kept);
        self.resend_due(cx);
        self.retell_checkpoints(cx);
    }

    /// Says how far this replica is, for others to help it and to be helped by it.
    pub(super) fn ask_all(&mut self, cx: &mut Context<'_>) {
        self.tell_all_that_it_has(cx, None, true);
        self.tell_peers(cx, self.question());
    }
}
