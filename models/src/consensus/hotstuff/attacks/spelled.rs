//! Where proposals name their transactions by digest, attacks on proposals see them spelled out, and send
//! them so: honest members take either form.

use super::super::message::Body;
use super::{message, read};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::{NodeId, Payload};
use std::sync::Arc;

pub(super) struct Spelled {
    pub(super) means: Means,
    pub(super) inner: Box<dyn Behaviour>,
}

impl Spelled {
    /// A proposal with its transactions; whatever else is as it came.
    fn spell(&self, payload: &Arc<dyn Payload>) -> Arc<dyn Payload> {
        let whole = read(&self.means, payload).and_then(|like| match &like.body {
            Body::Announced(announced) => {
                let proposal = Arc::clone(announced.known()?);
                Some(message(like, Body::Proposal(proposal)))
            }
            _ => None,
        });
        whole.unwrap_or_else(|| Arc::clone(payload))
    }
}

impl Behaviour for Spelled {
    fn hears(&mut self, out: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        let spelled = self.spell(payload);
        self.inner.hears(out, from, &spelled)
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let spelled = self.spell(payload);
        self.inner.says(out, to, &spelled)
    }
    fn timer(&mut self, out: &mut Out<'_, '_>, key: u32) {
        self.inner.timer(out, key);
    }
}
