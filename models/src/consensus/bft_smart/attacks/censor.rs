//! B10, `censor`: a member that does not take in the transactions of some. As the leader it lets them
//! lie, and does all its other work.

use super::super::message::Body;
use super::{message, read};
use crate::adversary::{Behaviour, Hears, Means, Out};
use crate::node::message::Message;
use consim_core::{NodeId, Payload};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) struct Censor {
    means: Means,
    whom: BTreeSet<NodeId>,
}

impl Censor {
    pub(super) fn new(means: Means, whom: &[NodeId]) -> Self {
        Self {
            means,
            whom: whom.iter().copied().collect(),
        }
    }
}

impl Behaviour for Censor {
    fn hears(&mut self, out: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Message::Request(tx)) = payload.as_any().downcast_ref() {
            if self.whom.contains(&tx.id().origin) {
                out.count(1);
                return Hears::Nothing;
            }
            return Hears::AsItIs;
        }
        let Some(Body::Forward { txs, to_all }) = read(&self.means, payload) else {
            return Hears::AsItIs;
        };
        let kept = txs.iter().filter(|tx| !self.whom.contains(&tx.id().origin));
        let kept: Vec<_> = kept.cloned().collect();
        let ignored = txs.len() - kept.len();
        out.count(ignored as u64);
        match (ignored, kept.is_empty()) {
            (0, _) => Hears::AsItIs,
            (_, true) => Hears::Nothing,
            (_, false) => Hears::Instead(message(
                &self.means,
                Body::Forward {
                    txs: kept,
                    to_all: *to_all,
                },
            )),
        }
    }
}
