//! How a round begins, and what is put forward in it (arXiv 2002.03613, Algorithms 1 and 3).

use super::change::{Change, Justification, RoundChange, hash_in_round, highest};
use super::journal::{Said, What};
use super::marks;
use super::message::{Ballot, Body, PREPARE, Proposal};
use super::replica::{BATCH_TIMER, QbftReplica, ROUND_TIMER};
use super::rounds::{Phase, Round};
use crate::consensus::batches::{self, Judge};
use crate::consensus::mempool::Ready;
use consim_core::{Batch, Context, Probe, Span, Work};
use std::sync::Arc;

impl QbftReplica {
    // ---- a round begins --------------------------------------------------------------------------

    /// A round is under way from now on; does the replica say ROUND-CHANGE?
    pub(super) fn enter(&mut self, cx: &mut Context<'_>, round: u64, says: bool) {
        self.stop_timers(cx);
        self.round = round;
        self.rounds.open(round);
        self.progress_at = cx.now();
        if round > 0 {
            // What was put forward before and is not prepared may be put forward again.
            self.mempool.next_view();
            self.own = None;
            self.go_to(cx, says);
        }
        if round == 4 {
            cx.reached(&marks::ROUNDS_IN_VAIN);
        }
        self.tell_view(cx);
        self.try_propose(cx);
        self.replay_future(cx);
    }

    /// Remembers the round, on disk too, and signs what it brings there.
    fn go_to(&mut self, cx: &mut Context<'_>, says: bool) {
        if !self.may_vote() {
            return;
        }
        self.votes.round = self.round;
        self.votes.change = None;
        self.said_change = None;
        if !says {
            return self.keep_votes();
        }
        cx.work(Work::sign(1));
        let prepared = self.prepared();
        let of = prepared.map(|p| {
            let round = p.proof.view;
            (round, hash_in_round(&p.proof.digest, round))
        });
        let inside = prepared.map(|p| Arc::clone(&p.proof));
        let inside = inside.filter(|_| self.group.inside());
        let place = (self.height(), self.round);
        let (chain, key) = (self.group.chain, &self.group.key);
        let change = Arc::new(Change::sign(chain, place, of, inside, key));
        self.votes.change = Some(Arc::clone(&change));
        self.keep_votes();
        let said = self.change_to_say(change);
        self.journal.then(said);
    }

    /// The own ROUND-CHANGE, with what is piggybacked.
    pub(super) fn change_to_say(&self, change: Arc<Change>) -> Said {
        let prepared = self.prepared().filter(|_| change.prepared.is_some());
        let proof = prepared.map(|p| Arc::clone(&p.proof));
        let (height, round, signature) = (change.height, change.round, change.signature);
        let digest = change.vote().digest;
        let body = Body::RoundChange(Arc::new(RoundChange {
            change,
            proof: proof.filter(|_| !self.group.inside()),
            batch: prepared.map(|p| Arc::clone(&p.batch)),
        }));
        Said {
            what: What::Change,
            height,
            round,
            digest,
            signature,
            message: self.message(body),
        }
    }

    /// Timers of another round or height mean nothing.
    pub(super) fn stop_timers(&mut self, cx: &mut Context<'_>) {
        let timers = [
            (self.expires.take().is_some(), ROUND_TIMER),
            (self.batch_timer.take().is_some(), BATCH_TIMER),
        ];
        for (runs, timer) in timers {
            if runs {
                cx.cancel_timer(timer);
            }
        }
    }

    // ---- block time ------------------------------------------------------------------------------

    /// The least time of a block at this height.
    pub(super) fn least_ns(&self, empty: bool) -> i64 {
        let period = self.group.period_ns();
        let empty = self.group.options.empty_period.filter(|_| empty);
        let empty = empty.map_or(0, |e| i64::try_from(e.nanos()).unwrap_or(i64::MAX));
        self.past.time_ns().saturating_add(period.max(empty))
    }

    /// For how long no block is due yet: until the clock says so, or this replica has waited for a period since
    /// the last decision, whatever the clocks say.
    pub(super) fn pause(&self, cx: &Context<'_>) -> Span {
        let least = self.least_ns(false);
        let by_clock = u64::try_from(least.saturating_sub(cx.wall_ns())).unwrap_or(0);
        let waited = cx.now() - self.began;
        let period = self.group.options.period.nanos();
        Span::from_nanos(by_clock.min(period.saturating_sub(waited.nanos())))
    }

    // ---- the proposer ----------------------------------------------------------------------------

    /// Puts a value forward if it is this replica's turn: in round 0 a batch of its own (Algorithm 1), later with
    /// a quorum of ROUND-CHANGEs what was prepared in the highest round, or else a batch of its own (Algorithm 3,
    /// lines 11-16).
    pub(super) fn try_propose(&mut self, cx: &mut Context<'_>) {
        let fresh = |round: &Round| round.digest.is_none();
        let round = self.round;
        if !self.proposes()
            || !self.may_vote()
            || !self.rounds.get(round).is_some_and(fresh)
            || !self.votes.is_free(round)
        {
            return;
        }
        if round == 0 {
            return self.propose_fresh(cx, None);
        }
        let here = |c: &&Arc<RoundChange>| c.change.round == round;
        let changes = self.changes.iter().flatten().filter(here);
        let changes: Vec<&Arc<RoundChange>> = changes.collect();
        if changes.len() < self.group.quorum() {
            return;
        }
        let highest = highest(changes.iter().map(|c| &c.change)).map(Arc::clone);
        let prepared = highest.and_then(|best| {
            let same = |c: &&&Arc<RoundChange>| Arc::ptr_eq(&c.change, &best);
            let found = changes.iter().find(same)?;
            Some((found.batch.clone()?, found.proof.clone()))
        });
        let mut justification = Justification {
            changes: changes.iter().map(|c| Arc::clone(&c.change)).collect(),
            proof: None,
        };
        let Some((batch, proof)) = prepared else {
            return self.propose_fresh(cx, Some(Arc::new(justification)));
        };
        if self.is_locked_on_other(&batch) {
            return;
        }
        justification.proof = proof;
        cx.reached(&marks::PREPARED_PROPOSED);
        self.propose(cx, batch, Some(Arc::new(justification)));
    }

    /// Puts a batch of its own forward, once it is due and a bound of a block is reached.
    fn propose_fresh(&mut self, cx: &mut Context<'_>, justification: Option<Arc<Justification>>) {
        let now = cx.now();
        let ready = match self.mempool.ready(now, &self.group.block) {
            Ready::Now => now,
            Ready::At(at) => at,
            Ready::Never => match self.group.options.empty_period {
                Some(empty) => self.began + empty,
                None => return,
            },
        };
        let due = ready.max(now + self.pause(cx));
        if due > now {
            if self.batch_timer != Some(due) {
                self.batch_timer = Some(due);
                cx.set_timer(BATCH_TIMER, due - now);
            }
            return;
        }
        let txs = self.mempool.take(&self.group.block);
        let (count, empty) = (txs.len(), txs.is_empty());
        if empty && self.group.options.empty_period.is_none() {
            return;
        }
        if empty {
            cx.reached(&marks::EMPTY_PROPOSED);
        }
        let time = cx.wall_ns().max(self.least_ns(empty));
        let batch = batches::form_at(cx, self.group.node(self.group.me), time, txs);
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence: self.height(),
            txs: count as u32,
        });
        self.own = Some(Arc::clone(&batch));
        self.propose(cx, batch, justification);
    }

    /// Its PREPARE is in the PROPOSAL.
    fn propose(
        &mut self,
        cx: &mut Context<'_>,
        batch: Arc<Batch>,
        justification: Option<Arc<Justification>>,
    ) {
        cx.work(Work::sign(1));
        let (round, height, chain) = (self.round, self.height(), self.group.chain);
        let digest = batch.digest();
        let vote = Ballot::sign(chain, PREPARE, round, height, digest, &self.group.key);
        let signature = vote.signature;
        let proposal = Arc::new(Proposal::new(round, height, batch, signature));
        let message = self.message(Body::Proposal {
            proposal: Arc::clone(&proposal),
            justification,
        });
        if let Some(known) = self.rounds.get_mut(round) {
            known.settle(&self.group, &proposal);
        }
        if let Some(prepare) = self.votes.place(round, Phase::Prepare) {
            *prepare = Some(digest);
        }
        self.keep_proposal(&message);
        self.keep_votes();
        self.expires = None;
        self.journal.then(Said {
            what: What::Proposal,
            height,
            round,
            digest,
            signature,
            message,
        });
    }

    pub(super) fn judge(&self) -> Judge<'_> {
        Judge {
            chain: self.group.chain,
            keys: &self.group.keys,
            limits: &self.group.block,
            mempool: &self.mempool,
        }
    }
}
