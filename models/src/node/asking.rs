//! The operations that the client of one server has under way: each is asked again until it is
//! answered, and given up in the end.

use super::marks;
use crate::workload::Terms;
use consim_core::{Context, NodeId, OpEnd, OpId, Payload, Probe, Span, Time, TimerKey};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The part of an operation's name that is the client's running number; the rest is the client's.
/// It is the key of the operation's timer too.
pub(crate) const NUMBER: u64 = u32::MAX as u64;

/// What is asked, as results name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// Whose user, and how patient.
    pub(crate) terms: Terms,
    /// The operation's kind.
    pub(crate) name: &'static str,
    /// Within this it counts as available.
    pub(crate) deadline: Span,
    /// How many operations it stands for.
    pub(crate) count: u32,
}

impl Question {
    fn asked(&self, cx: &mut Context<'_>, op: OpId) {
        cx.emit(Probe::Asked {
            op,
            workload: self.terms.workload,
            name: self.name,
            deadline: self.deadline,
            count: self.count,
        });
    }
    fn ended(&self, cx: &mut Context<'_>, op: OpId, asked: Time, end: OpEnd) {
        cx.emit(Probe::Ended {
            op,
            workload: self.terms.workload,
            name: self.name,
            end,
            asked,
            deadline: self.deadline,
            count: self.count,
        });
    }
}

/// An operation under way, and what its client notes of it.
#[derive(Debug)]
struct Open<T> {
    question: Question,
    asked: Time,
    repeats: u32,
    to: NodeId,
    message: Arc<dyn Payload>,
    note: T,
}

/// The operations of a client.
#[derive(Debug)]
pub(crate) struct Asking<T> {
    server: NodeId,
    /// The running number of the latest operation.
    operations: u64,
    /// A client that comes back has forgotten how many operations there were: it counts them from
    /// the run's time in these units, of which each has at most one operation for long.
    every: Span,
    open: BTreeMap<OpId, Open<T>>,
}

impl<T> Asking<T> {
    /// A client of `server` that has asked nothing.
    pub(crate) fn new(server: NodeId, every: Span) -> Self {
        Self {
            server,
            operations: 0,
            every,
            open: BTreeMap::new(),
        }
    }
    /// Whom it asks.
    pub(crate) fn server(&self) -> NodeId {
        self.server
    }
    /// How many operations are open.
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }
    /// What was noted of an open operation.
    pub(crate) fn note(&self, op: OpId) -> Option<&T> {
        self.open.get(&op).map(|open| &open.note)
    }
    /// The name of the next operation.
    pub(crate) fn next(&mut self, cx: &Context<'_>) -> OpId {
        self.operations += 1;
        OpId(u64::from(cx.node().0) << 32 | self.operations & NUMBER)
    }
    /// The client comes back after a crash.
    pub(crate) fn recover(&mut self, cx: &Context<'_>) {
        self.operations = cx.now().nanos() / self.every.nanos();
    }
    /// Too much is open: the user is sent away.
    pub(crate) fn turn_away(&mut self, cx: &mut Context<'_>, question: &Question) {
        let op = self.next(cx);
        question.asked(cx, op);
        question.ended(cx, op, cx.now(), OpEnd::GaveUp);
    }
    /// Asks the client's server.
    pub(crate) fn ask(
        &mut self,
        cx: &mut Context<'_>,
        op: OpId,
        question: Question,
        message: Arc<dyn Payload>,
        note: T,
    ) {
        self.ask_at(cx, self.server, (op, question), message, note);
    }
    /// Asks a server.
    pub(crate) fn ask_at(
        &mut self,
        cx: &mut Context<'_>,
        to: NodeId,
        (op, question): (OpId, Question),
        message: Arc<dyn Payload>,
        note: T,
    ) {
        question.asked(cx, op);
        cx.send(to, Arc::clone(&message));
        cx.set_timer(timer(op), question.terms.retry_after);
        let open = Open {
            question,
            asked: cx.now(),
            repeats: 0,
            to,
            message,
            note,
        };
        self.open.insert(op, open);
    }
    /// The wait for an answer is over: asks again with the same operation, or gives up. What was
    /// noted of one that was given up.
    pub(crate) fn waited(&mut self, cx: &mut Context<'_>, key: TimerKey) -> Option<T> {
        let op = OpId(u64::from(cx.node().0) << 32 | key.0);
        let open = self.open.get_mut(&op)?;
        let terms = open.question.terms;
        if open.repeats >= terms.retry_times {
            cx.reached(&marks::OPERATION_GIVEN_UP);
            return self.end(cx, op, OpEnd::GaveUp);
        }
        cx.reached(&marks::OPERATION_REPEATED);
        open.repeats += 1;
        cx.send(open.to, Arc::clone(&open.message));
        cx.set_timer(timer(op), terms.retry_after);
        None
    }
    /// An open operation was answered: what was noted of it.
    pub(crate) fn answered(&mut self, cx: &mut Context<'_>, op: OpId, end: OpEnd) -> Option<T> {
        if self.open.contains_key(&op) {
            cx.cancel_timer(timer(op));
        } else {
            cx.reached(&marks::ANSWER_LATE);
        }
        self.end(cx, op, end)
    }
    fn end(&mut self, cx: &mut Context<'_>, op: OpId, end: OpEnd) -> Option<T> {
        let open = self.open.remove(&op)?;
        open.question.ended(cx, op, open.asked, end);
        Some(open.note)
    }
}

/// Timer key of an operation: the client's own counter in the operation's number.
fn timer(op: OpId) -> TimerKey {
    TimerKey(op.0 & NUMBER)
}
