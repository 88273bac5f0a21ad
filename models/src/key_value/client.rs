//! The client of an institution: asks its server, repeats what is not answered, gives up in the end.
//! Or it believes nobody alone, and asks the members of the chain itself.

use super::command::state_key;
use super::message::{Answer, Message};
use super::workload::{Request, Wish};
use crate::node::asking::{Asking, Question};
use crate::node::client::{self, What};
use consim_core::{Context, Event, NodeId, OpEnd, OpId, Process, Span};
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
pub struct Client {
    certificate: Arc<[u8]>,
    asking: Asking<()>,
}

impl Client {
    /// A client with nothing to do.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            certificate: config.certificate,
            asking: Asking::new(config.server, NUMBERS_EVERY),
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request) {
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

    fn answered(&mut self, cx: &mut Context<'_>, op: OpId, answer: &Answer) {
        let end = match answer {
            Answer::Written | Answer::Value(_) => OpEnd::Done,
            // Nobody has looked at it yet: it is asked again like one without an answer.
            Answer::Busy => return,
            Answer::Refused => OpEnd::Refused("refused"),
        };
        self.asking.answered(cx, op, end);
    }
}

impl Process for Client {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Request(payload) => {
                if let Some(request) = payload.as_any().downcast_ref::<Request>() {
                    self.begin(cx, request);
                }
            }
            Event::Message { from, payload } if from == self.asking.server() => {
                if let Some(Message::Reply { op, answer }) =
                    payload.as_any().downcast_ref::<Message>()
                {
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

/// The process of a client that signs its transactions itself and believes what enough members say:
/// of a write f+1 or more, of a value a quorum.
pub struct QuorumClient {
    client: client::Client,
}

impl QuorumClient {
    /// A client that has not asked anything.
    pub fn new(config: client::ClientConfig) -> Self {
        Self {
            client: client::Client::new(config),
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request) {
        let what = match request.wish {
            Wish::Put { .. } => What::Order(request.wish.command(self.client.next_op(cx)).body()),
            Wish::Get { key } => What::Read(state_key(key).into()),
        };
        let wish = client::Wish {
            terms: request.terms,
            name: request.wish.name(),
            deadline: request.deadline(),
            what,
        };
        self.client.wish(cx, &wish);
    }
}

impl Process for QuorumClient {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Request(payload) => {
                if let Some(request) = payload.as_any().downcast_ref() {
                    self.begin(cx, request);
                }
            }
            other => self.client.handle(cx, other),
        }
    }
}
