//! Who runs the consortium's membership: asks for the changes of the members when their time comes, one at a
//! time, and again until each is done.
//!
//! - Upon the time of a change: if none is under way, sign it and send it to a member; else it waits in a
//!   queue.
//! - Upon the time of a change that somebody asks for without waiting for others (O4): sign it and send it to
//!   a member at once, and to the next one upon each time-out, beside the one that is under way.
//! - Upon the word of a member that it is in force: the next one.
//! - Upon the word of a member that another one has to begin it, or upon a time-out: send it to the next member;
//!   once all were asked in vain, only upon the time-out.

use super::change::tell;
use super::message::Message;
use super::registrar::{REPEAT, Registrar, TURN, TrustChange};
use crate::consensus::{Changing, MemberChange};
use consim_core::{
    ChainId, Context, Event, NodeId, Process, SecretKey, Span, Time, TimerKey, Work,
};
use std::sync::Arc;

/// A change falls due.
const DUE: TimerKey = TimerKey(1);
/// Nobody has said that the present one is done.
const AGAIN: TimerKey = TimerKey(2);

/// What an administrator is told.
#[derive(Clone, Debug)]
pub struct AdministratorConfig {
    /// The chain.
    pub chain: ChainId,
    /// The nodes that are, or may become, its members, in node order.
    pub members: Arc<[NodeId]>,
    /// The administrator's signing key.
    pub key: Arc<SecretKey>,
    /// When each change is due, in order of time; the first has number 1.
    pub changes: Arc<[(Time, MemberChange)]>,
    /// The numbers of those that are asked for while an earlier one is under way.
    pub hasty: Arc<[u64]>,
    /// A change that is not done is asked for again after this.
    pub retry: Span,
}

/// The process of an administrator. Its machine is outside the chain and does not crash.
pub struct Administrator {
    config: AdministratorConfig,
    /// How many changes have fallen due.
    due: usize,
    /// How many are done.
    done: usize,
    /// Members asked so far.
    turn: usize,
    /// How many have sent it elsewhere since the last time-out.
    elsewhere: usize,
    /// The same machine says whom nodes believe.
    registrar: Registrar,
}

impl Administrator {
    /// One that has asked for nothing.
    pub fn new(config: AdministratorConfig) -> Self {
        Self::certifying(config, [].into())
    }
    /// The same, which changes whom nodes believe, too.
    pub fn certifying(config: AdministratorConfig, trust: Arc<[TrustChange]>) -> Self {
        let key = Arc::clone(&config.key);
        let registrar = Registrar::new(config.chain, key, config.retry, trust);
        Self {
            registrar,
            config,
            due: 0,
            done: 0,
            turn: 0,
            elsewhere: 0,
        }
    }

    /// Takes in what is due, and waits for the next.
    fn take_due(&mut self, cx: &mut Context<'_>) {
        let idle = self.done == self.due;
        while let Some((at, change)) = self.config.changes.get(self.due) {
            if *at > cx.now() {
                cx.set_timer(DUE, *at - cx.now());
                break;
            }
            tell(cx, self.config.chain, change.number, false);
            self.due += 1;
        }
        self.ask_hasty(cx);
        if idle {
            self.ask(cx);
        }
    }

    /// Asks for the first that is not done.
    fn ask(&mut self, cx: &mut Context<'_>) {
        let open = self.done < self.due;
        let Some((_, change)) = self.config.changes.get(self.done).filter(|_| open) else {
            return cx.cancel_timer(AGAIN);
        };
        self.send(cx, change);
        self.turn += 1;
        cx.set_timer(AGAIN, self.config.retry);
    }

    /// Asks for those that are due and do not wait for the present one.
    fn ask_hasty(&self, cx: &mut Context<'_>) {
        let open = self
            .config
            .changes
            .get(self.done..self.due)
            .unwrap_or_default();
        for (_, change) in open.iter().skip(1) {
            if self.config.hasty.contains(&change.number) {
                self.send(cx, change);
            }
        }
    }

    /// Signs a change and sends it to the member whose turn it is.
    fn send(&self, cx: &mut Context<'_>, change: &MemberChange) {
        let members = &self.config.members;
        let to = members.get(self.turn % members.len().max(1));
        cx.work(Work::sign(1));
        let signed = change.signed(self.config.chain, &self.config.key);
        if let Some(&to) = to {
            cx.send(to, Arc::new(Message::Change(Arc::new(signed))));
        }
    }

    fn told(&mut self, cx: &mut Context<'_>, number: u64, state: Changing) {
        let present = self.config.changes.get(self.done).map(|(_, c)| c.number);
        if state == Changing::Done && present == Some(number) && self.done < self.due {
            tell(cx, self.config.chain, number, true);
            self.done += 1;
            self.elsewhere = 0;
            self.ask(cx);
        } else if state == Changing::Elsewhere && present == Some(number) {
            self.elsewhere += 1;
            if self.elsewhere < self.config.members.len() {
                self.ask(cx);
            }
        }
    }
}

impl Process for Administrator {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Start => {
                self.take_due(cx);
                self.registrar.turn(cx);
            }
            Event::Timer(DUE) => self.take_due(cx),
            Event::Timer(TURN) => self.registrar.turn(cx),
            Event::Timer(REPEAT) => self.registrar.repeat(cx),
            Event::Timer(AGAIN) => {
                self.elsewhere = 0;
                self.ask(cx);
                self.ask_hasty(cx);
            }
            Event::Message { from, payload } if self.config.members.contains(&from) => {
                match payload.as_any().downcast_ref() {
                    Some(Message::Changing { number, state }) => self.told(cx, *number, *state),
                    Some(Message::Taken(number)) => self.registrar.taken(cx, from, *number),
                    Some(Message::WhichNotices) => self.registrar.asked(cx, from),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
