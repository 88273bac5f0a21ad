//! The client of an institution: asks its server, repeats what is not answered, gives up in the end.

use super::Command;
use super::command::value_of;
use super::message::{Answer, Message};
use super::workload::{Request, Wish};
use crate::workload::Terms;
use consim_core::{
    Context, Event, NodeId, OpEnd, OpId, Payload, Probe, Process, Span, Time, TimerKey,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most operations that a client has open; beyond it they are turned away.
pub const MAX_OPEN: usize = 100_000;
/// Within this an operation must be done where the workload says nothing (assumed: ten times what a
/// block takes over the longest lines).
pub const DEADLINE: Span = Span::from_secs(10);
/// The part of an operation's name that is the client's running number.
const NUMBER: u64 = u32::MAX as u64;
/// A client that comes back counts its operations from the microseconds of the run: it has
/// forgotten how many there were. After 71 minutes the number wraps, and none of that age is open.
const NUMBERS_EVERY: Span = Span::from_micros(1);

/// What a client is told.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The server that it talks to.
    pub server: NodeId,
    /// Its encoded certificate.
    pub certificate: Arc<[u8]>,
}

struct Open {
    terms: Terms,
    name: &'static str,
    asked: Time,
    deadline: Span,
    repeats: u32,
    message: Arc<dyn Payload>,
}

/// The process of a client.
pub struct Client {
    config: ClientConfig,
    /// The running number of the latest operation.
    operations: u64,
    open: BTreeMap<OpId, Open>,
}

impl Client {
    /// A client with nothing to do.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            config,
            operations: 0,
            open: BTreeMap::new(),
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request) {
        self.operations += 1;
        let op = OpId(u64::from(cx.node().0) << 32 | self.operations & NUMBER);
        let (name, command) = match request.wish {
            Wish::Put { key, size } => {
                let value = value_of(op, size);
                ("write", Command::Put { key, value })
            }
            Wish::Get { key } => ("read", Command::Get { key }),
        };
        let (workload, asked) = (request.terms.workload, cx.now());
        let deadline = request.terms.deadline.unwrap_or(DEADLINE);
        cx.emit(Probe::Asked {
            op,
            workload,
            name,
            deadline,
        });
        if self.open.len() >= MAX_OPEN {
            let end = OpEnd::GaveUp;
            return cx.emit(Probe::Ended {
                op,
                workload,
                name,
                end,
                asked,
                deadline,
            });
        }
        let message: Arc<dyn Payload> = Arc::new(Message::Ask {
            op,
            certificate: Arc::clone(&self.config.certificate),
            command,
        });
        cx.send(self.config.server, Arc::clone(&message));
        cx.set_timer(timer(op), request.terms.retry_after);
        self.open.insert(
            op,
            Open {
                terms: request.terms,
                name,
                asked,
                deadline,
                repeats: 0,
                message,
            },
        );
    }

    /// The wait for an answer is over: asks again with the same operation, or gives up.
    fn waited(&mut self, cx: &mut Context<'_>, op: OpId) {
        let Some(open) = self.open.get_mut(&op) else {
            return;
        };
        if open.repeats >= open.terms.retry_times {
            return self.end(cx, op, OpEnd::GaveUp);
        }
        open.repeats += 1;
        cx.send(self.config.server, Arc::clone(&open.message));
        cx.set_timer(timer(op), open.terms.retry_after);
    }

    fn answered(&mut self, cx: &mut Context<'_>, op: OpId, answer: &Answer) {
        let end = match answer {
            Answer::Written | Answer::Value(_) => OpEnd::Done,
            // Nobody has looked at it yet: it is asked again like one without an answer.
            Answer::Busy => return,
            Answer::Refused => OpEnd::Refused("refused"),
        };
        if self.open.contains_key(&op) {
            cx.cancel_timer(timer(op));
            self.end(cx, op, end);
        }
    }

    fn end(&mut self, cx: &mut Context<'_>, op: OpId, end: OpEnd) {
        if let Some(open) = self.open.remove(&op) {
            cx.emit(Probe::Ended {
                op,
                workload: open.terms.workload,
                name: open.name,
                end,
                asked: open.asked,
                deadline: open.deadline,
            });
        }
    }
}

/// Timer key of an operation: the client's own counter in the operation's number.
fn timer(op: OpId) -> TimerKey {
    TimerKey(op.0 & NUMBER)
}

impl Process for Client {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Request(payload) => {
                if let Some(request) = payload.as_any().downcast_ref::<Request>() {
                    self.begin(cx, request);
                }
            }
            Event::Message { from, payload } if from == self.config.server => {
                if let Some(Message::Reply { op, answer }) =
                    payload.as_any().downcast_ref::<Message>()
                {
                    self.answered(cx, *op, answer);
                }
            }
            Event::Timer(TimerKey(key)) => {
                let op = OpId(u64::from(cx.node().0) << 32 | key);
                self.waited(cx, op);
            }
            Event::Recover(_) => {
                self.operations = cx.now().nanos() / NUMBERS_EVERY.nanos();
            }
            Event::Start | Event::Message { .. } | Event::Persisted(_) => {}
        }
    }
}
