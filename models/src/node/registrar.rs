//! The consortium's registrar: tells the nodes of a running chain which certificates hold no more, which authority
//! comes and which goes, and who gets another certificate. It is the administrator's machine, and where nodes
//! fetch the notices (a distribution point, RFC 5280, section 4.2.1.13).
//!
//! - Upon the time of a change of trust: if none is under way, or it does not wait for others, begin its first
//!   step; else it waits in a queue.
//! - Upon the beginning of a step: sign its notices. Where lists are pushed, send each to its receiver, and again
//!   upon each time-out until the receiver says that it has taken it in (TAKEN).
//! - Upon a question for notices (WHICH-NOTICES) from a node: send it all that are meant for it and were begun.
//! - Upon the word of the last receiver of a step: the next step begins as much later as it says; after the last
//!   one the change is done.
//!
//! ## Deviations
//!
//! 1. Lists have no `nextUpdate` by which they are out of date: a node that cannot reach the registrar goes on with
//!    what it has (a soft failure, as most relying parties do).
//! 2. There is no OCSP (RFC 6960): connections stand for as long as the nodes, so that there would be nothing to
//!    ask it upon.
//! 3. Changes of trust do not go through the chain: what is believed of connections is no state of the ledger, and
//!    a chain that stands still could not carry them.

use super::change::tell;
use super::marks;
use super::message::Message;
use super::notice::{MAX_NOTICES, Notice, SignedNotice};
use consim_core::{ChainId, Context, NodeId, SecretKey, Span, Time, TimerKey, Work};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something of the changes of trust falls due.
pub(super) const TURN: TimerKey = TimerKey(3);
/// Somebody has not said that it took a notice in.
pub(super) const REPEAT: TimerKey = TimerKey(4);

/// A change of whom nodes believe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustChange {
    /// Its number among all changes of the chain.
    pub number: u64,
    /// When it is due.
    pub at: Time,
    /// Is it begun while an earlier one is under way?
    pub hasty: bool,
    /// What it takes, one after the other.
    pub steps: Vec<TrustStep>,
}

/// A step of a change of trust.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustStep {
    /// So long after the one before it.
    pub after: Span,
    /// Are the notices sent at once, or does the registrar wait until nodes fetch them?
    pub pushed: bool,
    /// What each of its receivers is told.
    pub notices: Vec<(NodeId, Notice)>,
}

/// How far a change is.
#[derive(Debug, Default)]
struct Progress {
    told: bool,
    done: bool,
    /// The present step, and when it begins.
    step: usize,
    begins: Option<Time>,
    /// Its notices, signed, once it has begun.
    begun: Option<Vec<(NodeId, SignedNotice)>>,
    /// Who has not taken its notice in.
    missing: BTreeSet<NodeId>,
}

/// The registrar.
pub(super) struct Registrar {
    chain: ChainId,
    key: Arc<SecretKey>,
    retry: Span,
    changes: Arc<[TrustChange]>,
    progress: Vec<Progress>,
    /// All notices that were begun, in order.
    published: Vec<(NodeId, SignedNotice)>,
}

impl Registrar {
    pub(super) fn new(
        chain: ChainId,
        key: Arc<SecretKey>,
        retry: Span,
        changes: Arc<[TrustChange]>,
    ) -> Self {
        Self {
            chain,
            key,
            retry,
            progress: changes.iter().map(|_| Progress::default()).collect(),
            changes,
            published: Vec::new(),
        }
    }

    /// Does what is due, and waits for what comes next.
    pub(super) fn turn(&mut self, cx: &mut Context<'_>) {
        if self.changes.is_empty() {
            return;
        }
        let now = cx.now();
        let mut next: Option<Time> = None;
        let mut free = true;
        for place in 0..self.changes.len() {
            let wakes = self.go_on(cx, place, free);
            next = match (next, wakes.filter(|at| *at > now)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            free &= self.progress.get(place).is_none_or(|p| p.done);
        }
        match next {
            Some(at) => cx.set_timer(TURN, at - now),
            None => cx.cancel_timer(TURN),
        }
    }

    /// Takes a change as far as it goes now; when it has to be looked at again. `free`: all before it are done.
    fn go_on(&mut self, cx: &mut Context<'_>, place: usize, free: bool) -> Option<Time> {
        let now = cx.now();
        let (chain, key) = (self.chain, Arc::clone(&self.key));
        let changes = Arc::clone(&self.changes);
        let (change, progress) = (changes.get(place)?, self.progress.get_mut(place)?);
        if change.at > now {
            return Some(change.at);
        }
        if !progress.told {
            progress.told = true;
            tell(cx, chain, change.number, false);
        }
        if progress.done || (!free && !change.hasty) {
            return None;
        }
        while let Some(step) = change.steps.get(progress.step) {
            let begins = *progress.begins.get_or_insert(now + step.after);
            if begins > now {
                return Some(begins);
            }
            if progress.begun.is_none() {
                // The same words for all are signed once.
                cx.work(Work::sign(1));
                let sign = |(to, notice): &(NodeId, Notice)| (*to, notice.signed(chain, &key));
                let begun: Vec<_> = step.notices.iter().map(sign).collect();
                progress.missing = begun.iter().map(|(to, _)| *to).collect();
                self.published.extend(begun.iter().cloned());
                if step.pushed {
                    for (to, notice) in &begun {
                        push(cx, *to, notice);
                    }
                    cx.set_timer(REPEAT, self.retry);
                }
                progress.begun = Some(begun);
            }
            if !progress.missing.is_empty() {
                return None;
            }
            (progress.step, progress.begins, progress.begun) = (progress.step + 1, None, None);
        }
        progress.done = true;
        tell(cx, chain, change.number, true);
        None
    }

    /// Sends again what was pushed and not taken in.
    pub(super) fn repeat(&mut self, cx: &mut Context<'_>) {
        let mut waits = false;
        for (change, progress) in self.changes.iter().zip(&self.progress) {
            let pushed = change.steps.get(progress.step).is_some_and(|s| s.pushed);
            for (to, notice) in progress.begun.iter().flatten().filter(|_| pushed) {
                if progress.missing.contains(to) {
                    cx.reached(&marks::NOTICE_REPEATED);
                    push(cx, *to, notice);
                    waits = true;
                }
            }
        }
        if waits {
            cx.set_timer(REPEAT, self.retry);
        }
    }

    /// A node has taken a notice in.
    pub(super) fn taken(&mut self, cx: &mut Context<'_>, from: NodeId, number: u32) {
        for progress in &mut self.progress {
            let is = |(to, signed): &(NodeId, SignedNotice)| {
                *to == from && signed.notice.number == number
            };
            if progress.begun.iter().flatten().any(is) {
                progress.missing.remove(&from);
            }
        }
        self.turn(cx);
    }

    /// A node asks for what is meant for it: the latest of it, if it is very much.
    pub(super) fn asked(&self, cx: &mut Context<'_>, from: NodeId) {
        let of = self.published.iter().filter(|(to, _)| *to == from);
        let all: Vec<SignedNotice> = of.map(|(_, notice)| notice.clone()).collect();
        let latest = all.get(all.len().saturating_sub(MAX_NOTICES)..);
        let notices = latest.unwrap_or_default().into();
        cx.send(from, Arc::new(Message::Notices(notices)));
    }
}

fn push(cx: &mut Context<'_>, to: NodeId, notice: &SignedNotice) {
    cx.send(to, Arc::new(Message::Notices([notice.clone()].into())));
}

#[cfg(test)]
mod tests;
