//! The round timer, and how a round ends without a decision (arXiv 2002.03613, Algorithm 3, lines 1-4).

use super::marks;
use super::replica::{QbftReplica, REPEAT_TIMER, ROUND_TIMER};
use consim_core::{Context, Probe, Span};

impl QbftReplica {
    // ---- whether anything waits ------------------------------------------------------------------

    /// Does this replica wait for a decision? Without empty blocks rounds go on only if there is something to
    /// decide: here, or at one of f+1 that go to a higher round, of whom one is correct.
    pub(super) fn waits(&self) -> bool {
        if !self.group.is_member() {
            return false;
        }
        let round = self.round;
        let with = |change: &&std::sync::Arc<super::change::RoundChange>| {
            change.change.round >= round.max(1)
        };
        !self.mempool.is_empty()
            || self.group.options.empty_period.is_some()
            || self.prepared().is_some()
            || self.rounds.iter().any(|round| round.digest.is_some())
            || self.changes.iter().flatten().filter(with).count() > self.group.faults()
    }

    /// How long the round may take from now on: in the first one a block may not be due yet.
    fn term(&self, cx: &Context<'_>) -> Span {
        let term = self.group.timeout(self.round);
        let put_forward = self
            .rounds
            .get(self.round)
            .is_some_and(|r| r.digest.is_some());
        if self.round > 0 || put_forward {
            return term;
        }
        let idle = self.group.options.empty_period.map_or(Span::ZERO, |empty| {
            let waited = cx.now() - self.began;
            Span::from_nanos(empty.nanos().saturating_sub(waited.nanos()))
        });
        let idle = if self.mempool.is_empty() {
            idle
        } else {
            Span::ZERO
        };
        self.pause(cx).max(idle) + term
    }

    /// Starts the round timer once something waits, and looks after what may be lost.
    pub(super) fn watch(&mut self, cx: &mut Context<'_>) {
        if !self.waits() {
            return;
        }
        // With something to decide an empty block is not waited for.
        let expires = cx.now() + self.term(cx);
        if self.expires.is_none_or(|running| expires < running) && !self.timer_lost {
            self.expires = Some(expires);
            cx.set_timer(ROUND_TIMER, expires - cx.now());
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

    // ---- the timer -------------------------------------------------------------------------------

    /// The round has taken too long (lines 1-4).
    pub(super) fn on_round_timer(&mut self, cx: &mut Context<'_>) {
        if self.expires.take().is_none() || !self.waits() {
            return;
        }
        cx.reached(&marks::ROUND_EXPIRED);
        self.leave(cx, self.round.saturating_add(1), true);
    }

    /// The round is over, and nothing is decided.
    pub(super) fn leave(&mut self, cx: &mut Context<'_>, next: u64, says: bool) {
        cx.emit(Probe::ViewTimeout {
            chain: self.group.chain,
            view: self.view(),
        });
        self.enter(cx, next, says);
    }
}
