//! Decisions (arXiv 2002.03613, Algorithm 2, lines 8-10), and how the next height begins.

use super::journal::{LOG, Votes};
use super::marks;
use super::replica::QbftReplica;
use super::rounds::Phase;
use super::seeded;
use crate::consensus::sync::Syncs as _;
use crate::consensus::tally::Tally;
use consim_core::{Certificate, Committed, Context, Delivery, Probe, Signature, Write};
use std::sync::Arc;

impl QbftReplica {
    /// With what was put forward in a round and a quorum of commits of that round for it, it is decided.
    pub(super) fn try_decide(&mut self, cx: &mut Context<'_>, round: u64) -> bool {
        let height = self.height();
        let Some(known) = self.rounds.get(round) else {
            return false;
        };
        let Some(batch) = known.batch.clone() else {
            return false;
        };
        let Some(certificate) = self.certificate(round, Phase::Commit) else {
            return false;
        };
        if round < self.round {
            cx.reached(&marks::DECIDED_IN_FORMER_ROUND);
        }
        if self.certificate(round, Phase::Prepare).is_none() {
            cx.reached(&marks::DECIDED_UNPREPARED);
        }
        let committed = Arc::new(Committed {
            chain: self.group.chain,
            sequence: height,
            batch,
            certificate,
        });
        self.deliver(cx, committed);
        self.went_on(cx);
        true
    }

    /// A quorum of votes of one round for what was put forward there.
    pub(super) fn certificate(&self, round: u64, phase: Phase) -> Option<Certificate> {
        let (height, group) = (self.height(), &self.group);
        let known = self.rounds.get(round)?;
        let digest = known.digest?;
        let tally = match phase {
            Phase::Prepare => &known.prepares,
            Phase::Commit => &known.commits,
        };
        let votes = Some(tally).filter(|tally| tally.digest() == Some(digest));
        let votes = votes.and_then(|t| t.certificate(group, phase.kind(), round, height));
        votes.or_else(|| self.without_digest(tally, round, phase))
    }

    /// The seeded bug: votes of one round, for whatever.
    fn without_digest(&self, tally: &Tally, round: u64, phase: Phase) -> Option<Certificate> {
        if !seeded::on(&seeded::VOTES_MATCHED_BY_ROUND) || tally.voters() < self.group.quorum() {
            return None;
        }
        let votes = tally.all(&self.group).into_iter();
        let mut signatures: Vec<Signature> = votes.map(|(_, signature)| signature).collect();
        signatures.sort_by_key(|signature| signature.key);
        Some(Certificate {
            kind: phase.kind(),
            view: round,
            sequence: self.height(),
            digest: self.rounds.get(round)?.digest?,
            signatures: signatures.into(),
            links: Arc::default(),
        })
    }

    /// Hands up the next decided batch and writes it to the log; this height is over.
    pub(super) fn deliver(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>) {
        let round = self.round.max(committed.certificate.view);
        self.leave_height(cx, committed.sequence);
        self.failed = self.failed.saturating_add(round);
        if let Some(own) = self.own.take()
            && own.digest() != committed.batch.digest()
        {
            self.mempool.release(own.txs());
        }
        self.mempool.executed(committed.batch.txs());
        let logged: Arc<Committed> = Arc::clone(&committed);
        self.journal.write(Write::append(LOG, logged));
        self.past.log.push(Arc::clone(&committed));
        self.past.decided = Some(Arc::new(committed.certificate.clone()));
        cx.emit(Probe::Committed(Arc::clone(&committed)));
        self.note_change(cx, &committed);
        cx.deliver(Delivery::Ordered {
            committed,
            replayed: false,
        });
    }

    /// All up to this height is decided: what belongs to it means nothing any more.
    pub(super) fn leave_height(&mut self, cx: &mut Context<'_>, height: u64) {
        self.stop_timers(cx);
        self.past.executed = height;
        self.round = 0;
        self.rounds.clear();
        self.changes.fill(None);
        self.said_change = None;
    }

    /// Something was decided, here or by what others sent: what comes next.
    pub(super) fn went_on(&mut self, cx: &mut Context<'_>) {
        let dry = cx.now() - std::mem::replace(&mut self.decided_at, cx.now());
        self.in_reach_after(cx, dry);
        self.end_silence(cx);
        self.begin_height(cx);
    }

    /// Start (Algorithm 1), unless this replica has signed something in this height in an earlier life.
    pub(super) fn begin_height(&mut self, cx: &mut Context<'_>) {
        let height = self.height();
        self.group.seat.enter(height);
        self.began = cx.now();
        if self.votes.height < height {
            self.votes = Votes {
                height,
                ..Votes::default()
            };
        }
        let begun = self.votes.round > 0 || !self.votes.signed.is_empty();
        if self.may_vote() && begun {
            self.resume(cx);
        } else {
            self.enter(cx, 0, false);
        }
    }
}
