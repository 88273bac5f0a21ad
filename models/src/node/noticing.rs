//! What a node does with notices of whom to believe.
//!
//! - Upon NOTICES: verify and take in each that is new, say so (TAKEN); show a new certificate of this node to the
//!   members (HELLO). From then on a revoked certificate, or one of an authority that was withdrawn,
//!   authenticates nobody: what its bearer says is refused.
//! - Upon its start, if the registrar has anything to say in this run: ask for its notices (WHICH-NOTICES), and again
//!   until it answers: what was taken in before a crash is not kept on the disk. Until then the node believes the
//!   genesis (a soft failure).
//! - Where lists are fetched: ask again each period after that.

use super::full_node::NodeHost;
use super::marks;
use super::membership::Refusal;
use super::message::Message;
use super::notice::SignedNotice;
use crate::consensus::TIMER_LIMIT;
use consim_core::{Context, KeyId, NodeId, Probe, Span, TimerKey, Work};
use std::collections::BTreeSet;
use std::sync::Arc;

/// It is time to ask the registrar.
pub(super) const ASK: TimerKey = TimerKey(TIMER_LIMIT | 1 << 43);

/// How a node comes by notices.
#[derive(Clone, Copy, Debug)]
pub struct Noticing {
    /// The registrar's node.
    pub registrar: NodeId,
    /// A question without an answer is asked again after this.
    pub retry: Span,
    /// Where lists are fetched: when first after the start, and how often from then on.
    pub fetch: Option<(Span, Span)>,
}

/// What a node has of notices.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    pub(super) how: Option<Noticing>,
    /// The numbers of those that it took in.
    taken: BTreeSet<u32>,
    /// Is the registrar asked?
    asking: bool,
    /// Issuer and serial number of all that was revoked, apart from what the gates go by.
    revoked: BTreeSet<(KeyId, u64)>,
}

impl NodeHost {
    /// The node starts.
    pub(super) fn start_noticing(&mut self, cx: &mut Context<'_>) {
        if self.noticed.how.is_some() {
            self.ask_notices(cx);
        }
    }

    /// Upon the timer: asks the registrar.
    pub(super) fn ask_notices(&mut self, cx: &mut Context<'_>) {
        if let Some(how) = self.noticed.how {
            self.noticed.asking = true;
            cx.send(how.registrar, Arc::new(Message::WhichNotices));
            cx.set_timer(ASK, how.retry);
        }
    }

    /// Upon NOTICES.
    pub(super) fn notices(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        notices: &[SignedNotice],
    ) -> Result<(), Refusal> {
        let registrar = self.config.genesis.roots.administrator();
        for signed in notices {
            let number = signed.notice.number;
            if !self.noticed.taken.contains(&number) {
                cx.work(Work::verify(1));
                if !signed.verify(self.config.chain, registrar, &self.config.keys) {
                    cx.reached(&marks::NOTICE_REFUSED);
                    return Err(Refusal::NotAdministrator);
                }
                self.take_in(cx, signed);
            }
            cx.send(from, Arc::new(Message::Taken(number)));
        }
        self.answered(cx, from);
        Ok(())
    }

    /// `from` got through a gate. One that is known by a revoked certificate should not have: then it is said.
    #[inline]
    pub(super) fn let_in(&self, cx: &mut Context<'_>, from: NodeId) {
        if !self.noticed.revoked.is_empty() {
            self.let_in_since(cx, from);
        }
    }

    #[cold]
    fn let_in_since(&self, cx: &mut Context<'_>, from: NodeId) {
        let known = self.registry.known(from);
        if known.is_some_and(|c| self.noticed.revoked.contains(&(c.authority, c.serial))) {
            let chain = self.config.chain;
            cx.emit(Probe::Believed {
                chain,
                subject: from,
            });
        }
    }

    fn take_in(&mut self, cx: &mut Context<'_>, signed: &SignedNotice) {
        let notice = &signed.notice;
        self.noticed.taken.insert(notice.number);
        self.noticed.revoked.extend(&notice.revoked);
        self.registry.notice(notice);
        let me = self.config.node;
        if let Some(certificate) = notice.certificate.filter(|c| c.identity.subject == me) {
            self.config.certificate = certificate;
            let hello = Message::Hello(certificate);
            cx.multicast(&self.config.members, Arc::new(hello));
        }
        let (chain, change) = (self.config.chain, notice.change);
        cx.emit(Probe::Noticed { chain, change });
    }

    /// The registrar has answered: no more questions, or not before the next time.
    fn answered(&mut self, cx: &mut Context<'_>, from: NodeId) {
        let Some(how) = self.noticed.how.filter(|how| how.registrar == from) else {
            return;
        };
        if !std::mem::take(&mut self.noticed.asking) {
            return;
        }
        match how.fetch {
            // All nodes start at one time, and fetch at different ones.
            Some((first, every)) => {
                let started = cx.now() < consim_core::Time::ZERO + first;
                cx.set_timer(ASK, if started { first } else { every });
            }
            None => cx.cancel_timer(ASK),
        }
    }
}
