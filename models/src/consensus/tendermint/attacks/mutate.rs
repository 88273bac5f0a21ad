//! B5, `mutate`: votes that are a little off (small-scope mutations: L. Winter et al., "Randomized
//! Testing of Byzantine Fault Tolerant Algorithms", OOPSLA 2023).

use super::super::message::{Ballot, Body, PRECOMMIT, PREVOTE, Polka, Proposal};
use super::{message, read, vote};
use crate::adversary::{Behaviour, Means, MutatedField, Out, Says, To};
use crate::consensus::conducts::another;
use consim_core::{Certificate, Payload, Work};
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

    /// Prevotes of the last round for a value that nobody prevoted, under the signatures of true ones.
    fn twist_polka(polka: &Polka, round: u64) -> Polka {
        let other = Arc::new(another(&polka.batch));
        Polka {
            proof: Arc::new(Certificate {
                view: round,
                digest: other.digest(),
                ..Certificate::clone(&polka.proof)
            }),
            batch: other,
        }
    }

    fn says_certificates(
        &self,
        out: &mut Out<'_, '_>,
        to: To<'_>,
        payload: &Arc<dyn Payload>,
    ) -> Says {
        let means = &self.means;
        let body = match read(means, payload) {
            Some(Body::Proposal { proposal, .. })
                if proposal.view > 0 && proposal.signature.key == means.key.id() =>
            {
                let (view, sequence) = (proposal.view, proposal.sequence);
                // Where it has no prevotes to twist it makes some up: its own, under the name of a quorum.
                let proof = match read(means, payload) {
                    Some(Body::Proposal {
                        valid: Some(valid), ..
                    }) => Arc::clone(valid),
                    _ => Arc::new(Certificate {
                        kind: PREVOTE,
                        view,
                        sequence,
                        digest: proposal.batch.digest(),
                        signatures: [proposal.signature].into_iter().collect(),
                        links: Arc::default(),
                    }),
                };
                let batch = Arc::clone(&proposal.batch);
                let Polka { proof, batch } = Self::twist_polka(&Polka { proof, batch }, view - 1);
                let own = vote(means, PREVOTE, view, sequence, batch.digest());
                let proposal = Arc::new(Proposal::new(view, sequence, batch, own.signature));
                Body::Proposal {
                    proposal,
                    valid: Some(proof),
                    times: None,
                }
            }
            Some(Body::Polka(polka)) => {
                Body::Polka(Arc::new(Self::twist_polka(polka, polka.proof.view)))
            }
            _ => return Says::AsItIs,
        };
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(to, message(means, body));
        Says::Nothing
    }
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        if self.field == MutatedField::Certificate {
            return self.says_certificates(out, to, payload);
        }
        let (twisted, honest, body) = match read(&self.means, payload) {
            Some(Body::Prevote(b)) => {
                let twisted = self.twist(PREVOTE, b);
                (twisted, b, Body::Prevote(twisted))
            }
            Some(Body::Precommit(b, stamp)) => {
                let twisted = self.twist(PRECOMMIT, b);
                (twisted, b, Body::Precommit(twisted, *stamp))
            }
            _ => return Says::AsItIs,
        };
        if twisted == *honest {
            return Says::AsItIs;
        }
        out.count(to.each(out.node()).count() as u64);
        out.work(Work::sign(1));
        out.send_to(to, message(&self.means, body));
        Says::Nothing
    }
}
