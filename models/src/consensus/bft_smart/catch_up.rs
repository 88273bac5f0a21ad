//! Catching up and repeating what was lost: status exchange (the rest stands in `../sync/`).

use super::message::{Body, Status};
use super::replica::{BftSmartReplica, TICK};
use crate::consensus::sync::Syncs as _;
use consim_core::Context;
use std::sync::Arc;

impl BftSmartReplica {
    // ---- status ----------------------------------------------------------------------------------

    /// How far this replica is, with proofs for one that is only as far as `executed` and `stable`.
    pub(super) fn status(&self, ask: bool, executed: u64, stable: u64) -> Body {
        let (behind, lacks) = (executed < self.past.executed, stable < self.stable());
        Body::Status(Status {
            regency: self.regency,
            active: self.active,
            asks: self.stops.own.max(self.regency),
            executed: self.past.executed,
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

    /// Upon STATUS: a member that is in an older regency or lacks votes is helped; if it is ahead, this
    /// replica catches up with it.
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
        // A STOP may have been lost.
        let asks = status.asks.max(status.regency);
        if asks > self.regency {
            self.asks(cx, from, asks);
        }
        let entering = status.regency == self.regency && !status.active && self.active;
        if status.regency < self.regency || entering {
            self.help(cx, from, status.regency);
        } else if status.ask && status.regency == self.regency && self.active && status.active {
            self.repeat_votes(cx, from, status.executed);
        }
        self.seek(cx);
    }

    /// Says the own votes in the consensus under way again to a member that is in it too.
    fn repeat_votes(&mut self, cx: &mut Context<'_>, member: usize, executed: u64) {
        if executed != self.past.executed || !self.past.peers.may_help(member) {
            return;
        }
        for message in self.current.said.iter().flatten() {
            cx.send(self.group.node(member), Arc::clone(message));
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

    /// Says again what others may lack, and asks for what this replica may lack.
    pub(super) fn repeat(&mut self, cx: &mut Context<'_>) {
        self.multicast(cx, self.question());
        if !self.active {
            self.repeat_stop_data(cx);
        }
    }
}
