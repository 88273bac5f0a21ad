//! The client of an institution: asks its server, repeats what is not answered, gives up in the end.

use super::message::{Answer, Message, Said};
use super::request::{Request, Wish};
use crate::node::asking::{Asking, Question};
use consim_core::{Context, Event, NodeId, OpEnd, OpId, Process, Span};
use std::marker::PhantomData;
use std::sync::Arc;

/// The most operations that a client has open; beyond it they are turned away.
pub const MAX_OPEN: usize = 100_000;
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

/// The process of a client of one server.
pub struct Client<W> {
    certificate: Arc<[u8]>,
    asking: Asking<()>,
    wishes: PhantomData<fn() -> W>,
}

impl<W: Wish> Client<W> {
    /// A client with nothing to do.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            certificate: config.certificate,
            asking: Asking::new(config.server, NUMBERS_EVERY),
            wishes: PhantomData,
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request<W>) {
        let question = Question {
            terms: request.terms,
            name: request.wish.name(),
            deadline: request.deadline(),
        };
        if self.asking.open() >= MAX_OPEN {
            return self.asking.turn_away(cx, &question);
        }
        let op = self.asking.next(cx);
        let message = Message::Ask {
            op,
            certificate: Arc::clone(&self.certificate),
            command: request.wish.command(op),
        };
        self.asking.ask(cx, op, question, Arc::new(message), ());
    }

    fn answered<S: Said>(&mut self, cx: &mut Context<'_>, op: OpId, answer: &Answer<S>) {
        let end = match answer {
            Answer::Done(_) => OpEnd::Done,
            // Nobody has looked at it yet: it is asked again like one without an answer.
            Answer::Busy => return,
            Answer::Refused => OpEnd::Refused("refused"),
        };
        self.asking.answered(cx, op, end);
    }
}

impl<W: Wish> Process for Client<W> {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Request(payload) => {
                if let Some(request) = payload.as_any().downcast_ref() {
                    self.begin(cx, request);
                }
            }
            Event::Message { from, payload } if from == self.asking.server() => {
                let message = payload.as_any().downcast_ref::<Message<W::Command>>();
                if let Some(Message::Reply { op, answer }) = message {
                    self.answered(cx, *op, answer);
                }
            }
            Event::Timer(key) => {
                self.asking.waited(cx, key);
            }
            Event::Recover(_) => self.asking.recover(cx),
            Event::Start | Event::Message { .. } | Event::Persisted(_) | Event::Scrubbed(_) => {}
        }
    }
}
