//! B5, `mutate`: votes that are a little off (small-scope mutations: L. Winter et al., "Randomized
//! Testing of Byzantine Fault Tolerant Algorithms", OOPSLA 2023).

use super::super::change::{Change, Justification, RoundChange, hash_in_round};
use super::super::message::{Ballot, Body, COMMIT, PREPARE, Proposal};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Means, MutatedField, Out, Says, To};
use crate::consensus::conducts::another;
use consim_core::{Certificate, Digest, Payload, Work};
use std::sync::Arc;

pub(super) struct Mutate {
    means: Means,
    field: MutatedField,
    by: i64,
}

impl Mutate {
    pub(super) fn new(means: Means, field: MutatedField, by: i64) -> Self {
        Self { means, field, by }
    }

    fn twist(&self, kind: u8, ballot: &Ballot) -> Ballot {
        let Ballot {
            mut view,
            mut sequence,
            mut digest,
            ..
        } = *ballot;
        match self.field {
            MutatedField::View => view = view.saturating_add_signed(self.by),
            MutatedField::Sequence => sequence = sequence.saturating_add_signed(self.by),
            MutatedField::Digest => {
                let [first, ..] = &mut digest.0;
                *first ^= self.by.to_le_bytes()[0];
            }
            MutatedField::Certificate => {}
        }
        vote(&self.means, kind, view, sequence, digest)
    }

    /// Prepares of another block in the round before this one, under the signatures of true ones or the own alone.
    fn made_up(
        &self,
        (round, height): (u64, u64),
        digest: Digest,
        like: Option<&Arc<Certificate>>,
    ) -> Arc<Certificate> {
        let view = round.saturating_sub(1);
        let own = vote(&self.means, PREPARE, view, height, digest).signature;
        let signatures = like.map(|like| like.signatures.clone());
        Arc::new(Certificate {
            kind: PREPARE,
            view,
            sequence: height,
            digest,
            signatures: signatures.unwrap_or_else(|| [own].into_iter().collect()),
            links: Arc::default(),
        })
    }

    /// As if another block had been prepared in the round before.
    fn twist_change(&self, said: &RoundChange, batch: &Arc<consim_core::Batch>) -> RoundChange {
        let (round, height) = (said.change.round, said.change.height);
        let digest = batch.digest();
        let proof = self.made_up((round, height), digest, said.prepares());
        let prepared = Some((proof.view, hash_in_round(&digest, proof.view)));
        let inside = said.change.inside.as_ref().map(|_| Arc::clone(&proof));
        let proof = Some(proof).filter(|_| inside.is_none());
        let (chain, key) = (self.means.chain, &self.means.key);
        RoundChange {
            change: Arc::new(Change::sign(chain, (height, round), prepared, inside, key)),
            proof,
            batch: Some(Arc::clone(batch)),
        }
    }

    /// Another block, with the same ROUND-CHANGEs but the own one, which says that this was prepared.
    fn twist_proposal(&self, proposal: &Proposal, justification: &Justification) -> Body {
        let means = &self.means;
        let (round, height) = (proposal.view, proposal.sequence);
        let batch = Arc::new(another(&proposal.batch));
        let proof = self.made_up(
            (round, height),
            batch.digest(),
            justification.proof.as_ref(),
        );
        let prepared = Some((proof.view, hash_in_round(&batch.digest(), proof.view)));
        let own = Change::sign(means.chain, (height, round), prepared, None, &means.key);
        let others = justification.changes.iter();
        let others = others.filter(|change| change.signature.key != means.key.id());
        let own_vote = vote(means, PREPARE, round, height, batch.digest());
        let changes = others.map(Arc::clone).chain([Arc::new(own)]);
        Body::Proposal {
            proposal: Arc::new(Proposal::new(round, height, batch, own_vote.signature)),
            justification: Some(Arc::new(Justification {
                changes: changes.collect(),
                proof: Some(proof),
            })),
        }
    }

    fn certificates(&self, payload: &Arc<dyn Payload>) -> Option<Body> {
        let own = self.means.key.id();
        match read(&self.means, payload)? {
            Body::Proposal {
                proposal,
                justification: Some(justification),
            } if proposal.signature.key == own => {
                Some(self.twist_proposal(proposal, justification))
            }
            Body::RoundChange(said) if said.change.signature.key == own => {
                let batch = Arc::new(another(said.batch.as_ref()?));
                Some(Body::RoundChange(Arc::new(self.twist_change(said, &batch))))
            }
            _ => None,
        }
    }
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let body = if self.field == MutatedField::Certificate {
            self.certificates(payload)
        } else {
            match read(&self.means, payload) {
                Some(Body::Prepare(b)) => {
                    let twisted = self.twist(PREPARE, b);
                    (twisted != *b).then_some(Body::Prepare(twisted))
                }
                Some(Body::Commit(b)) => {
                    let twisted = self.twist(COMMIT, b);
                    (twisted != *b).then_some(Body::Commit(twisted))
                }
                _ => None,
            }
        };
        let Some(body) = body else {
            return Says::AsItIs;
        };
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(to, message(&self.means, body));
        Says::Nothing
    }
}
