//! Decisions (arXiv 1807.04938, Algorithm 1, lines 49-54), and how the next height begins.

use super::journal::{LOG, Votes};
use super::marks;
use super::message::PRECOMMIT;
use super::replica::TendermintReplica;
use super::rounds::Step;
use super::seeded;
use crate::consensus::sync::Syncs as _;
use consim_core::{Certificate, Committed, Context, Delivery, Digest, Probe, Signature, Write};
use std::sync::Arc;

impl TendermintReplica {
    /// With what was put forward in a round and 2f+1 precommits of that round for it, it is decided.
    pub(super) fn try_decide(&mut self, cx: &mut Context<'_>, round: u64) -> bool {
        let (height, group) = (self.height(), &self.group);
        let Some(known) = self.rounds.get(round) else {
            return false;
        };
        let (Some(digest), Some(batch)) = (known.digest, known.batch.clone()) else {
            return false;
        };
        let precommits = Some(&known.precommits).filter(|t| t.digest() == Some(digest));
        let proof = precommits.and_then(|t| t.certificate(group, PRECOMMIT, round, height));
        let Some(certificate) = proof.or_else(|| self.over_rounds(round, digest)) else {
            return false;
        };
        if round < self.round {
            cx.reached(&marks::DECIDED_IN_FORMER_ROUND);
        }
        if !known.polka {
            cx.reached(&marks::DECIDED_UNLOCKED);
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

    /// The seeded bug: precommits for one value, of whatever round.
    fn over_rounds(&self, round: u64, digest: Digest) -> Option<Certificate> {
        if !seeded::on(&seeded::PRECOMMITS_OVER_ROUNDS) {
            return None;
        }
        let votes = self
            .rounds
            .iter()
            .flat_map(|r| r.precommits.all(&self.group));
        let votes = votes.filter(|(of, _)| *of == digest);
        let mut signatures: Vec<Signature> = votes.map(|(_, signature)| signature).collect();
        signatures.sort_by_key(|signature| signature.key);
        signatures.dedup_by_key(|signature| signature.key);
        (signatures.len() >= self.group.quorum()).then(|| Certificate {
            kind: PRECOMMIT,
            view: round,
            sequence: self.height(),
            digest,
            signatures: signatures.into(),
            links: Arc::default(),
        })
    }

    /// Hands up the next decided batch and writes it to the log; this height is over (lines 51-53).
    pub(super) fn deliver(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>) {
        let round = self.round.max(committed.certificate.view);
        if let Some(gossip) = &mut self.gossip {
            gossip.decided(&committed);
        }
        self.keep_stamps(committed.sequence, committed.batch.digest());
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
        self.step = Step::Propose;
        self.rounds.clear();
        self.rounds_of.fill(0);
        if let Some(gossip) = &mut self.gossip {
            gossip.leave();
        }
    }

    /// Something was decided, here or by what others sent: what comes next.
    pub(super) fn went_on(&mut self, cx: &mut Context<'_>) {
        let dry = cx.now() - std::mem::replace(&mut self.decided_at, cx.now());
        self.in_reach_after(cx, dry);
        self.end_silence(cx);
        self.begin_height(cx);
    }

    /// StartRound(0) (lines 10 and 54), unless this replica has signed something in this height in an earlier
    /// life.
    pub(super) fn begin_height(&mut self, cx: &mut Context<'_>) {
        let height = self.height();
        self.group.seat.enter(height);
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
            self.start_round(cx, 0);
        }
    }
}
