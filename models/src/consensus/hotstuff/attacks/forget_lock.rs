//! B3, `forget-lock`: a leader that builds on an older certificate than the highest that it has, as if it
//! had never heard of what came after; and a member whose timeouts do not mention its highest one.

use super::super::message::{Body, Message};
use super::super::proposal::{Timeout, timeout_statement};
use super::{message, on, read};
use crate::adversary::{Behaviour, Hears, Means, Out, Says, To};
use consim_core::chain::Link;
use consim_core::{Batch, Certificate, NodeId, Payload, Work};
use std::sync::Arc;

pub(super) struct ForgetLock {
    means: Means,
    /// A certificate and the link that it is for, as an honest proposal showed them some views ago.
    old: Option<(Arc<Certificate>, Link, Box<[u64]>)>,
    /// The proposal heard last.
    last: Option<Link>,
}

impl ForgetLock {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            old: None,
            last: None,
        }
    }

    /// Remembers what each proposal shows of its parent; what it builds on comes after that.
    fn note(&mut self, proposal: &super::super::proposal::Proposal) {
        let parent = self.last.replace(proposal.link().clone());
        let (Some(parent), Some(justify)) = (parent, proposal.justify()) else {
            return;
        };
        // Every few views another one, so that it is neither new nor too old to be built on.
        let stale = self.old.as_ref().is_none_or(|(c, ..)| c.view + 4 < justify.view);
        if parent.id() == justify.digest && stale {
            let voters = proposal.link().voters.clone();
            self.old = Some((Arc::clone(justify), parent, voters));
        }
    }
}

impl Behaviour for ForgetLock {
    fn hears(&mut self, _: &mut Out<'_, '_>, _: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(Message {
            body: Body::Proposal(proposal),
            ..
        }) = read(&self.means, payload)
        {
            self.note(proposal);
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(like) = read(&self.means, payload) else {
            return Says::AsItIs;
        };
        let own = self.means.key.id();
        let body = match &like.body {
            Body::Proposal(honest) if honest.signature().key == own => {
                let old = self.old.clone();
                self.note(honest);
                let Some((justify, parent, voters)) = old.filter(|(c, ..)| c.digest != honest.link().parent)
                else {
                    return Says::AsItIs;
                };
                let batch = honest.batch();
                let batch = Batch::new(
                    batch.proposer(),
                    batch.time_ns(),
                    Arc::clone(batch.txs()),
                    batch.tx_root(),
                );
                let link = Link {
                    view: honest.view(),
                    sequence: parent.sequence + 1,
                    parent: parent.id(),
                    batch: batch.digest(),
                    voters,
                };
                Body::Proposal(Arc::new(on(&self.means, honest, link, batch, Some(justify))))
            }
            Body::Timeout(honest) if honest.signature.key == own && honest.entered.is_some() => {
                let Some((justify, ..)) = &self.old else {
                    return Says::AsItIs;
                };
                let statement = timeout_statement(self.means.chain, honest.view, justify.view);
                Body::Timeout(Arc::new(Timeout {
                    signature: self.means.key.sign(&statement),
                    high: Some(Arc::clone(justify)),
                    ..Timeout::clone(honest)
                }))
            }
            _ => return Says::AsItIs,
        };
        out.count(1);
        out.work(Work::sign(1));
        out.send_to(to, message(like, body));
        Says::Nothing
    }
}
