//! What justifies what (arXiv 2002.03613, Algorithm 4): whether a ROUND-CHANGE is in order, and a PROPOSAL.

use super::change::{Change, Justification, RoundChange, hash_in_round};
use super::config::MAX_AHEAD_NS;
use super::marks;
use super::message::{PREPARE, Proposal};
use super::replica::QbftReplica;
use super::seeded;
use crate::consensus::members::Members;
use consim_core::{Batch, Certificate, Context, Digest, Work};
use std::sync::Arc;

impl QbftReplica {
    /// Are these a quorum of prepares of one round of this height?
    fn is_prepared(&self, proof: &Certificate) -> bool {
        let group = &self.group;
        proof.kind == PREPARE
            && proof.sequence == self.height()
            && proof.verify(group.chain, group.signers(), group.quorum(), &group.keys)
    }

    /// Do these prepares show that the block with this hash was prepared in this round?
    fn proves(proof: &Certificate, (round, hash): (u64, Digest)) -> bool {
        proof.view == round && hash_in_round(&proof.digest, round) == hash
    }

    /// Is what is signed of a ROUND-CHANGE in order: by a member, for this height, out of a lower round, and with
    /// what has to stand inside?
    fn is_change(&self, cx: &mut Context<'_>, change: &Change) -> bool {
        let group = &self.group;
        cx.work(Work::verify_batched(change.signatures() as u32));
        let inside = change.prepared.is_some() && group.inside();
        let lower = |&(round, _): &(u64, Digest)| round < change.round;
        change.height == self.height()
            && change.round > 0
            && change.inside.is_some() == inside
            && change.prepared.as_ref().is_none_or(lower)
            && change.valid_or(group.quorum(), |change| {
                let prepared = change.prepared.zip(change.inside.as_ref());
                let statement = change.statement(group.chain);
                group.keys.verify(&statement, &change.signature)
                    && prepared.is_none_or(|(prepared, proof)| {
                        self.is_prepared(proof) && Self::proves(proof, prepared)
                    })
            })
    }

    /// `JustifyRoundChange`, of one: it comes with the prepares of what it says was prepared, and with the block.
    pub(super) fn is_in_order(&self, cx: &mut Context<'_>, message: &RoundChange) -> bool {
        let change = &message.change;
        if !self.is_change(cx, change) {
            return false;
        }
        let (Some(prepared), Some(proof), Some(batch)) =
            (change.prepared, message.prepares(), &message.batch)
        else {
            return change.prepared.is_none() && message.proof.is_none() && message.batch.is_none();
        };
        if let Some(proof) = &message.proof {
            cx.work(Work::verify_batched(proof.signatures.len() as u32));
        }
        message.proof.is_none() == self.group.inside()
            && (self.group.inside() || self.is_prepared(proof))
            && Self::proves(proof, prepared)
            && proof.digest == batch.digest()
            && self.judge().verifies(cx, batch)
    }

    /// `JustifyPrePrepare`, and whether the value is in order.
    pub(super) fn is_justified(
        &self,
        cx: &mut Context<'_>,
        from: usize,
        proposal: &Proposal,
        justification: Option<&Arc<Justification>>,
    ) -> bool {
        let batch = &proposal.batch;
        if proposal.view == 0 {
            return justification.is_none() && self.is_fresh(cx, from, batch);
        }
        if seeded::on(&seeded::PROPOSAL_NOT_JUSTIFIED) {
            return self.judge().verifies(cx, batch);
        }
        let Some(justification) = justification else {
            return false;
        };
        if !self.is_quorum(cx, proposal.view, justification) {
            return false;
        }
        let Some(highest) = justification.highest() else {
            return justification.proof.is_none() && self.is_fresh(cx, from, batch);
        };
        self.is_highest(cx, proposal, highest, justification.proof.as_ref())
            && self.judge().verifies(cx, batch)
    }

    /// Are these ROUND-CHANGEs for this round of a quorum of members?
    fn is_quorum(&self, cx: &mut Context<'_>, round: u64, justification: &Justification) -> bool {
        let mut members = Members::default();
        for change in &justification.changes {
            let signer = self.group.index_of_key(change.signature.key);
            let new =
                signer.is_some_and(|signer| self.group.votes(signer) && members.insert(signer));
            if !new || change.round != round || !self.is_change(cx, change) {
                return false;
            }
        }
        members.len() >= self.group.quorum()
    }

    /// Is what is put forward what was prepared in the highest round, as its prepares prove?
    fn is_highest(
        &self,
        cx: &mut Context<'_>,
        proposal: &Proposal,
        highest: &Change,
        proof: Option<&Arc<Certificate>>,
    ) -> bool {
        let Some((round, hash)) = highest.prepared else {
            return false;
        };
        let digest = proposal.batch.digest();
        let hashed_in = if seeded::on(&seeded::HASHED_IN_NEW_ROUND) {
            proposal.view
        } else {
            round
        };
        if hash_in_round(&digest, hashed_in) != hash {
            return false;
        }
        if self.group.inside() {
            // It was looked at with the ROUND-CHANGE.
            return proof.is_none();
        }
        proof.is_some_and(|proof| {
            cx.work(Work::verify_batched(proof.signatures.len() as u32));
            self.is_prepared(proof) && Self::proves(proof, (round, hash)) && proof.digest == digest
        })
    }

    /// Is this a new block that its proposer may put forward now?
    fn is_fresh(&self, cx: &mut Context<'_>, from: usize, batch: &Batch) -> bool {
        let empty = batch.txs().is_empty();
        let least = self.least_ns(empty);
        let most = cx.wall_ns().saturating_add(MAX_AHEAD_NS).max(least);
        if batch.time_ns() < least || batch.time_ns() > most {
            cx.reached(&marks::TIME_REFUSED);
            return false;
        }
        let proposer = self.group.node(from);
        if empty {
            return self.group.options.empty_period.is_some()
                && batch.proposer() == proposer
                && self.judge().verifies(cx, batch);
        }
        self.judge().accepts(cx, proposer, batch)
    }
}
