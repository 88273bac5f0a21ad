//! The desk of an institution: its doctors' hospital information system and its patients' phones.
//! It turns what users want into operations at its entry server and sees each to its end.
//!
//! A visit is a flow of operations, one after the other: each record is registered, the
//! institution's own records are read, and before the records of other institutions are read the
//! patient is asked and answers after a while. Thinking is part of no operation's latency.

mod flow;

use super::config::{GrantScope, SharingOptions};
use super::ids::{Grantee, Purpose, Reason, RequestId};
use super::marks;
use super::message::{Answer, Ask, Message};
use super::network::{QUERY_DEADLINE, QUERY_RETRY};
use super::probe::SharingProbe;
use super::request::{Change, Request};
use super::scope::{Reader, Scope};
use crate::node::asking::{Asking, Question};
use crate::workload::Terms;
use consim_core::rng::below;
use consim_core::{
    ChainId, CodecError, Context, Event, NodeId, OpEnd, OpId, Payload, Process, Sampler, Span,
    TimerKey, Work,
};
use flow::{Flow, Step};
use rand_chacha::rand_core::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most flows that a desk has open; beyond it a visit is turned away.
pub const MAX_OPEN_FLOWS: usize = 4_096;
/// Within this a record must be there in an emergency (DOMAIN.md, clinical deadlines: assumed).
pub const EMERGENCY_DEADLINE: Span = Span::from_secs(10);
/// Within this anything else must be done (DOMAIN.md, clinical deadlines, outpatient: assumed).
pub const DEADLINE: Span = Span::from_secs(60);
/// Timers of patients who think; below are the timers of operations.
const THINK: u64 = 1 << 40;
/// A desk that comes back counts its operations from the milliseconds of the run: it has forgotten
/// how many there were, and no desk begins more than a thousand a second for long (assumed).
const NUMBERS_EVERY: Span = Span::from_millis(1);
/// Shares are parts of this.
const BILLION: u64 = 1_000_000_000;

/// What a desk is told.
#[derive(Clone, Debug)]
pub struct DeskConfig {
    /// The server that it talks to.
    pub server: NodeId,
    /// Its encoded certificate.
    pub certificate: Arc<[u8]>,
    /// The service's options.
    pub options: SharingOptions,
}

/// What waits for an operation.
#[derive(Clone, Copy, Debug)]
struct Running {
    flow: u64,
    /// Is the patient being asked?
    request: bool,
}

/// The process of a desk.
pub struct Desk {
    config: DeskConfig,
    think: Sampler,
    flows: BTreeMap<u64, Flow>,
    next_flow: u64,
    running: Asking<Running>,
    /// Its network, if there are several.
    network: Option<ChainId>,
}

impl Desk {
    /// A desk with nothing to do.
    pub fn new(config: DeskConfig) -> Self {
        let think = config.options.answer_in.sampler();
        let running = Asking::new(config.server, NUMBERS_EVERY);
        Self {
            config,
            think,
            flows: BTreeMap::new(),
            next_flow: 0,
            running,
            network: None,
        }
    }

    /// The same, in a network among others.
    #[must_use]
    pub fn within(mut self, network: ChainId) -> Self {
        self.network = Some(network);
        self
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request) {
        let flow = Flow::new(request);
        if self.flows.len() < MAX_OPEN_FLOWS {
            let id = self.next_flow;
            self.next_flow += 1;
            self.flows.insert(id, flow);
            self.advance(cx, id);
        } else if let Some(step) = flow.steps.front() {
            let question = Question {
                terms: request.terms,
                name: step.name(),
                deadline: deadline(&request.terms, false),
                count: 1,
            };
            self.running.turn_away(cx, &question);
        }
    }

    /// Does the next step of a flow, or ends it.
    fn advance(&mut self, cx: &mut Context<'_>, id: u64) {
        let Some(flow) = self.flows.get_mut(&id) else {
            return;
        };
        let Some(step) = flow.steps.pop_front() else {
            self.flows.remove(&id);
            return;
        };
        flow.now = step.again();
        let mut name = step.name();
        let urgent = flow.emergency && matches!(step, Step::Read(..));
        let mut deadline = deadline(&flow.terms, urgent);
        let mut terms = flow.terms;
        let ask = match step {
            Step::Think => {
                let after = self.think.sample(cx.rng().next_u64());
                return cx.set_timer(TimerKey(THINK | id), after);
            }
            Step::Answer => {
                let recorded = flow.answer.is_some();
                let share = u64::from(self.config.options.grant_share);
                let permit = flow
                    .answer
                    .unwrap_or_else(|| below(cx.rng().next_u64(), BILLION) < share);
                if !permit {
                    cx.reached(&marks::PATIENT_REFUSED);
                }
                cx.emit(SharingProbe::Answered { permit, recorded }.probe());
                name = if permit { "grant" } else { "deny" };
                let scopes = &self.config.options.scopes;
                let (for_ns, scope) = if permit {
                    granted(cx, scopes, flow.reader)
                } else {
                    (0, Scope::default())
                };
                Ask::Decide {
                    request: flow.request,
                    permit,
                    for_ns,
                    scope,
                }
            }
            Step::Register(record, body) => Ask::Register {
                record,
                patient: Arc::clone(&flow.patient),
                body: body.bytes(),
            },
            Step::Request => Ask::Request {
                patient: Arc::clone(&flow.patient),
                purpose: flow.purpose,
                reader: flow.reader,
            },
            Step::Read(record, purpose) if self.network.is_some_and(|n| n != record.network()) => {
                name = "query";
                deadline = terms.deadline.unwrap_or(QUERY_DEADLINE);
                terms.retry_after = QUERY_RETRY;
                terms.retry_times = (QUERY_DEADLINE.nanos() / QUERY_RETRY.nanos()) as u32;
                Ask::Query {
                    record,
                    patient: Arc::clone(&flow.patient),
                    purpose,
                    reader: flow.reader,
                }
            }
            Step::Read(record, purpose) => Ask::Read {
                record,
                purpose,
                reader: flow.reader,
            },
            Step::Consent(grantee, change) => {
                consent(cx, &self.config.options, flow, grantee, change)
            }
            Step::Appoint(by, guardian) => appoint(cx, &self.config.options, flow, by, guardian),
            Step::Dismiss(by) => Ask::Dismiss {
                patient: Arc::clone(&flow.patient),
                by,
            },
            Step::Sweep => Ask::Sweep,
        };
        let question = Question {
            terms,
            name,
            deadline,
            count: 1,
        };
        let op = self.running.next(cx);
        let request = matches!(ask, Ask::Request { .. });
        if request {
            flow.request = RequestId(op.0);
        }
        let message = Message::Ask {
            op,
            certificate: Arc::clone(&self.config.certificate),
            ask,
        };
        let note = Running { flow: id, request };
        self.running.ask(cx, op, question, Arc::new(message), note);
    }

    fn answered(&mut self, cx: &mut Context<'_>, op: OpId, answer: &Answer) {
        let Some(&running) = self.running.note(op) else {
            return;
        };
        let end = match answer {
            Answer::Record(sealed) => {
                cx.work(Work::encrypt(sealed.open().len()));
                OpEnd::Done
            }
            Answer::Done | Answer::Swept(_) => OpEnd::Done,
            Answer::Standing => {
                if let Some(flow) = self.flows.get_mut(&running.flow) {
                    flow.steps
                        .retain(|step| !matches!(step, Step::Think | Step::Answer));
                }
                OpEnd::Done
            }
            // Nobody has looked at the question yet: it is asked again like one without an answer.
            Answer::Refused(Reason::Busy) => return,
            Answer::Refused(reason @ Reason::Unseen) => {
                if let Some(flow) = self.flows.get_mut(&running.flow)
                    && let Some(step) = flow.now.take()
                {
                    cx.reached(&marks::ASKED_ANEW);
                    flow.steps.push_front(step);
                }
                OpEnd::Refused(reason.word())
            }
            Answer::Refused(reason) => OpEnd::Refused(reason.word()),
        };
        self.running.answered(cx, op, end);
        self.ended(cx, running, end);
    }

    /// Goes on with a flow after an operation. Without a request the patient cannot answer, so the
    /// rest of the visit is dropped.
    fn ended(&mut self, cx: &mut Context<'_>, running: Running, end: OpEnd) {
        if let (true, false, Some(flow)) = (
            running.request,
            end == OpEnd::Done,
            self.flows.get_mut(&running.flow),
        ) {
            flow.steps.clear();
        }
        self.advance(cx, running.flow);
    }
}

/// For how long a patient grants (zero: the service's own period), and what: one of the scopes, by lot.
fn granted(cx: &mut Context<'_>, scopes: &[GrantScope], reader: Reader) -> (u64, Scope) {
    if scopes.is_empty() {
        return (0, Scope::default());
    }
    let lot = below(cx.rng().next_u64(), scopes.len() as u64);
    let Some(scope) = scopes.get(lot as usize) else {
        return (0, Scope::default());
    };
    let for_ns = scope.period.map_or(0, Span::nanos);
    (for_ns, scope.given(reader, cx.wall_ns()))
}

/// A patient's change of a standing consent, by themself or by who speaks for them.
fn consent(
    cx: &mut Context<'_>,
    options: &SharingOptions,
    flow: &Flow,
    grantee: Grantee,
    change: Change,
) -> Ask {
    let patient = Arc::clone(&flow.patient);
    let ask = match change {
        Change::Grant(period) => {
            let (for_ns, scope) = granted(cx, &options.scopes, flow.reader);
            Ask::Grant {
                patient,
                grantee,
                for_ns: period.map_or(for_ns, Span::nanos),
                scope,
            }
        }
        Change::Deny => Ask::Deny { patient, grantee },
        Change::Revoke => Ask::Revoke { patient, grantee },
    };
    match &flow.by {
        None => ask,
        Some(by) => Ask::Spoken {
            by: Arc::clone(by),
            ask: Arc::new(ask),
        },
    }
}

/// Somebody is to speak for a patient: a guardian may grant everything.
fn appoint(
    cx: &Context<'_>,
    options: &SharingOptions,
    flow: &Flow,
    by: Arc<str>,
    guardian: bool,
) -> Ask {
    let all = Scope::default().for_purposes(Purpose::ALL);
    let delegation = options.delegation.as_ref();
    let bounds = delegation.map(|delegation| &delegation.bounds);
    let bounds = bounds.filter(|bounds| !guardian && **bounds != GrantScope::default());
    Ask::Appoint {
        patient: Arc::clone(&flow.patient),
        by,
        for_ns: delegation.map_or(0, |delegation| delegation.period.nanos()),
        guardian,
        bounds: bounds.map_or(all, |bounds| bounds.given(Reader::default(), cx.wall_ns())),
    }
}

fn deadline(terms: &Terms, urgent: bool) -> Span {
    terms
        .deadline
        .unwrap_or(if urgent { EMERGENCY_DEADLINE } else { DEADLINE })
}

impl Process for Desk {
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
            Event::Timer(TimerKey(key)) if key & THINK != 0 => self.advance(cx, key & !THINK),
            Event::Timer(key) => {
                if let Some(running) = self.running.waited(cx, key) {
                    self.ended(cx, running, OpEnd::GaveUp);
                }
            }
            Event::Recover(_) => self.running.recover(cx),
            Event::Start | Event::Message { .. } | Event::Persisted(_) | Event::Scrubbed(_) => {}
        }
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}

#[cfg(test)]
mod tests;
