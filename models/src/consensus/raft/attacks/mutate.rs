//! B5, `mutate`: answers that are a little off. A follower that claims to hold more than it does lets
//! a leader commit what no majority has; one that names a later term topples the leader.

use super::super::message::Body;
use super::{message, read};
use crate::adversary::{Behaviour, Means, MutatedField, Out, Says, To};
use consim_core::{NodeId, Payload};
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
}

impl Behaviour for Mutate {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some((mut term, body)) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let by = self.by;
        let body = match (self.field, body) {
            (MutatedField::View, Body::Appended { .. } | Body::Vote { .. }) => {
                term = term.saturating_add_signed(by);
                body.clone()
            }
            (MutatedField::Sequence, Body::Appended { matched }) => Body::Appended {
                matched: matched.saturating_add_signed(by),
            },
            // What a vote is for: another candidate.
            (
                MutatedField::Digest,
                Body::Vote {
                    pre,
                    voter,
                    candidate,
                    granted,
                },
            ) => Body::Vote {
                pre: *pre,
                voter: *voter,
                candidate: NodeId(candidate.0 ^ u32::from(by.to_le_bytes()[0])),
                granted: !granted,
            },
            _ => return Says::AsItIs,
        };
        out.count(to.each(out.node()).count() as u64);
        out.send_to(to, message(&self.means, term, body));
        Says::Nothing
    }
}
