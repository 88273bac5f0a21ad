//! How a round ends without a decision (arXiv 1807.04938, Algorithm 1, lines 34-35, 47-48 and 55-67).

use super::marks;
use super::message::NIL;
use super::replica::{
    COMMIT_TIMER, PRECOMMIT_TIMER, PREVOTE_TIMER, PROPOSE_TIMER, REPEAT_TIMER, TendermintReplica,
};
use super::rounds::{Phase, Step};
use super::seeded;
use consim_core::{Context, Probe};

impl TendermintReplica {
    // ---- whether anything waits ------------------------------------------------------------------

    /// Does this replica wait for a decision? There are no empty blocks, so that rounds go on only if there
    /// is something to decide: here, or at one of f+1 that vote, of whom one is correct.
    pub(super) fn waits(&self) -> bool {
        if !self.group.is_member() {
            return false;
        }
        !self.mempool.is_empty()
            || self.step > Step::Propose
            || self.valid().is_some()
            || self.rounds.iter().any(|round| round.digest.is_some())
            || self.rounds.get(self.round).is_some_and(|round| {
                let voters = round.prevotes.voters().max(round.precommits.voters());
                voters > self.group.faults()
            })
    }

    /// Starts `timeoutPropose` (line 21) once something waits, and looks after what may be lost.
    pub(super) fn watch(&mut self, cx: &mut Context<'_>) {
        let starts = self.step == Step::Propose && !self.running.propose;
        if (self.repeating && !starts) || !self.waits() {
            return;
        }
        if starts {
            self.running.propose = true;
            cx.set_timer(PROPOSE_TIMER, self.group.timeout_propose(self.round));
        }
        if !self.repeating {
            self.repeating = true;
            cx.set_timer(REPEAT_TIMER, self.group.first_step());
        }
    }

    /// Says again what others may lack, and asks for what this replica may lack, as long as nothing comes of
    /// what it waits for.
    pub(super) fn on_repeat_timer(&mut self, cx: &mut Context<'_>) {
        self.repeating = false;
        if !self.waits() {
            return;
        }
        self.repeating = true;
        let due = self.progress_at.max(self.decided_at) + self.group.first_step();
        if due > cx.now() {
            cx.set_timer(REPEAT_TIMER, due - cx.now());
            return;
        }
        cx.set_timer(REPEAT_TIMER, self.group.step());
        self.ask_all(cx);
    }

    // ---- the next height -------------------------------------------------------------------------

    /// How a round begins: the first one of a height, once the time from the last decision is over
    /// (`timeout_commit` of CometBFT). What comes meanwhile is heard.
    pub(super) fn first_step_of(&mut self, cx: &mut Context<'_>, round: u64) -> Step {
        let next = self.decided_at + self.group.commit();
        if round > 0 || self.height() == 1 || next <= cx.now() {
            return Step::Propose;
        }
        cx.reached(&marks::HEIGHT_HELD);
        self.running.commit = true;
        cx.set_timer(COMMIT_TIMER, next - cx.now());
        Step::NewHeight
    }

    /// The time after a decision is over.
    pub(super) fn on_timeout_commit(&mut self, cx: &mut Context<'_>) {
        if !std::mem::take(&mut self.running.commit) || self.step != Step::NewHeight {
            return;
        }
        self.step = Step::Propose;
        self.try_propose(cx);
        let refused = self.rounds.get(self.round).is_some_and(|r| r.refused);
        if refused {
            self.refuse(cx, self.round);
        }
        self.upon(cx, self.round);
    }

    // ---- timeouts --------------------------------------------------------------------------------

    /// Lines 34-35 and 47-48: with 2f+1 votes of any kind, the first time, the rest has so much time left.
    pub(super) fn wait_for_votes(&mut self, cx: &mut Context<'_>) {
        let (round, quorum) = (self.round, self.group.quorum());
        let Some(known) = self.rounds.get_mut(round) else {
            return;
        };
        if self.step == Step::Prevote
            && !known.waits_for_prevotes
            && known.prevotes.voters() >= quorum
        {
            known.waits_for_prevotes = true;
            self.running.prevote = true;
            cx.set_timer(PREVOTE_TIMER, self.group.timeout_prevote(round));
        }
        if !known.waits_for_precommits && known.precommits.voters() >= quorum {
            known.waits_for_precommits = true;
            self.running.precommit = true;
            cx.set_timer(PRECOMMIT_TIMER, self.group.timeout_precommit(round));
            // Without gossip those that lack a prevote would not learn of the valid value.
            let polka = known.polka && self.valid_round() == Some(round);
            if let Some(body) = self.polka().filter(|_| polka && !self.gossips()) {
                cx.reached(&marks::POLKA_TOLD);
                self.multicast(cx, body);
            }
        }
    }

    /// OnTimeoutPropose (lines 57-60).
    pub(super) fn on_timeout_propose(&mut self, cx: &mut Context<'_>) {
        if !std::mem::take(&mut self.running.propose) || self.step != Step::Propose {
            return;
        }
        cx.reached(&marks::PREVOTED_NIL_LATE);
        self.step = Step::Prevote;
        self.cast(cx, Phase::Prevote, NIL);
        self.upon(cx, self.round);
    }

    /// OnTimeoutPrevote (lines 61-64).
    pub(super) fn on_timeout_prevote(&mut self, cx: &mut Context<'_>) {
        if !std::mem::take(&mut self.running.prevote) || self.step != Step::Prevote {
            return;
        }
        cx.reached(&marks::PRECOMMITTED_NIL_LATE);
        self.step = Step::Precommit;
        self.cast(cx, Phase::Precommit, NIL);
        self.upon(cx, self.round);
    }

    /// OnTimeoutPrecommit (lines 65-67).
    pub(super) fn on_timeout_precommit(&mut self, cx: &mut Context<'_>) {
        if !std::mem::take(&mut self.running.precommit) {
            return;
        }
        cx.reached(&marks::ROUND_IN_VAIN);
        self.leave(cx, self.round.saturating_add(1));
    }

    /// A member is in this round of the height under way. Lines 55-56: with f+1 in a higher one than this
    /// replica, it goes there.
    pub(super) fn seen_in(&mut self, cx: &mut Context<'_>, member: usize, round: u64) {
        if !self.group.votes(member) {
            return;
        }
        if let Some(highest) = self.rounds_of.get_mut(member) {
            *highest = round.max(*highest);
        }
        if round <= self.round || seeded::on(&seeded::NO_SKIP) {
            return;
        }
        let mut highest: Vec<u64> = self.rounds_of.iter().copied().collect();
        highest.sort_unstable_by(|a, b| b.cmp(a));
        let joined = highest.get(self.group.faults()).copied().unwrap_or(0);
        if joined > self.round {
            cx.reached(&marks::ROUND_SKIPPED);
            self.leave(cx, joined);
        }
    }

    /// The round is over, and nothing is decided.
    fn leave(&mut self, cx: &mut Context<'_>, next: u64) {
        cx.emit(Probe::ViewTimeout {
            chain: self.group.chain,
            view: self.view(),
        });
        self.start_round(cx, next);
    }
}
