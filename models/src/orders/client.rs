//! The client of an institution: asks its server, repeats what is not answered, gives up in the end.

use super::message::{Answer, Message, Said};
use super::request::{Request, Wish};
use crate::node::asking::{Asking, Question};
use crate::node::entry::{Entries, To};
use crate::node::message as node;
use consim_core::{Context, Event, NodeId, OpEnd, OpId, Process, Span, TimerKey};
use std::marker::PhantomData;
use std::sync::Arc;

/// The most operations that a client has open; beyond it they are turned away.
pub const MAX_OPEN: usize = 100_000;
/// A client that comes back counts its operations from the microseconds of the run: it has
/// forgotten how many there were. After 71 minutes the number wraps, and none of that age is open.
const NUMBERS_EVERY: Span = Span::from_micros(1);

/// Asks who leads.
const SEEK_TIMER: TimerKey = TimerKey(1 << 40);
/// A client that knows who leads asks again after this (assumed).
const ASK_AGAIN: Span = Span::from_secs(1);
/// One that does not, after this (assumed: a tenth of the least election timeout).
const ASK_SOON: Span = Span::from_millis(100);

/// What a client is told.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The server that it talks to.
    pub server: NodeId,
    /// Its encoded certificate.
    pub certificate: Arc<[u8]>,
    /// The members of the chain, if operations may enter elsewhere than at its server.
    pub members: Arc<[NodeId]>,
    /// Where the operations of its workloads enter, if not there.
    pub entries: Entries,
}

/// The process of a client of one server.
pub struct Client<W> {
    certificate: Arc<[u8]>,
    members: Arc<[NodeId]>,
    entries: Entries,
    asking: Asking<()>,
    wishes: PhantomData<fn() -> W>,
}

impl<W: Wish> Client<W> {
    /// A client with nothing to do.
    pub fn new(config: ClientConfig) -> Self {
        Self {
            certificate: config.certificate,
            members: config.members,
            entries: config.entries,
            asking: Asking::new(config.server, NUMBERS_EVERY),
            wishes: PhantomData,
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request<W>) {
        let question = Question {
            terms: request.terms,
            name: request.wish.name(),
            deadline: request.deadline(),
            count: request.wish.count(),
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
        let to = match self.entries.next(request.terms.workload) {
            To::One(member) => member,
            // Each of several servers would order it as its own.
            To::Usual | To::All => self.asking.server(),
        };
        self.asking
            .ask_at(cx, to, (op, question), Arc::new(message), ());
    }

    /// Asks who leads, if that matters, and again after a while.
    fn seek_leader(&self, cx: &mut Context<'_>) {
        if self.entries.seek_leader() {
            cx.send(self.asking.server(), Arc::new(node::Message::WhoLeads));
            let known = self.entries.knows_leader();
            cx.set_timer(SEEK_TIMER, if known { ASK_AGAIN } else { ASK_SOON });
        }
    }

    /// May this node answer?
    fn may_answer(&self, from: NodeId) -> bool {
        from == self.asking.server() || self.members.contains(&from)
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
            Event::Message { from, payload } if self.may_answer(from) => {
                if let Some(node::Message::Leads { view, leader }) = payload.as_any().downcast_ref()
                    && self.members.contains(leader)
                {
                    self.entries.told(*view, *leader);
                }
                let message = payload.as_any().downcast_ref::<Message<W::Command>>();
                if let Some(Message::Reply { op, answer }) = message {
                    self.answered(cx, *op, answer);
                }
            }
            Event::Timer(SEEK_TIMER) | Event::Start => self.seek_leader(cx),
            Event::Timer(key) => {
                self.asking.waited(cx, key);
            }
            Event::Recover(_) => {
                self.asking.recover(cx);
                self.seek_leader(cx);
            }
            Event::Message { .. } | Event::Persisted(_) | Event::Scrubbed(_) => {}
        }
    }
}
