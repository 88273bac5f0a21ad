//! Catching up and repeating what was lost: status exchange (the rest stands in `../sync/`).

use super::message::{Body, Status};
use super::replica::{QbftReplica, TICK};
use crate::consensus::sync::Syncs as _;
use consim_core::{Context, Span};

impl QbftReplica {
    // ---- status ----------------------------------------------------------------------------------

    /// How far this replica is, with proofs for one that is only as far as `executed` and `stable`.
    fn status(&self, ask: bool, executed: u64, stable: u64) -> Body {
        let (behind, lacks) = (executed < self.past.executed, stable < self.stable());
        Body::Status(Status {
            executed: self.past.executed,
            round: self.round,
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

    /// Says what it said in this height again to a member that is in it too: how it came to its round, and what
    /// of that round or one before may still decide.
    fn help(&mut self, cx: &mut Context<'_>, member: usize, status: &Status) {
        let change = self.said_change.clone();
        let votes = self.rounds.iter().filter(|r| r.number >= status.round);
        let votes = votes.flat_map(|round| round.said.iter().flatten().cloned());
        let said: Vec<_> = change.into_iter().chain(votes).collect();
        if said.is_empty() || !self.past.peers.may_help(member) {
            return;
        }
        let to = self.group.node(member);
        for message in said {
            cx.send(to, message);
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
    pub(super) fn ask_all(&self, cx: &mut Context<'_>) {
        self.multicast(cx, self.question());
    }
}
