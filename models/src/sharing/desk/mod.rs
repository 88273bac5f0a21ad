//! The desk of an institution: its doctors' hospital information system and its patients' phones.
//! It turns what users want into operations at its entry server and sees each to its end.
//!
//! A visit is a flow of operations, one after the other: each record is registered, the
//! institution's own records are read, and before the records of other institutions are read the
//! patient is asked and answers after a while. Thinking is part of no operation's latency.

mod flow;

use super::config::SharingOptions;
use super::ids::{Reason, RequestId};
use super::message::{Answer, Ask, Message};
use super::probe::SharingProbe;
use super::request::{Change, Request};
use crate::workload::Terms;
use consim_core::rng::below;
use consim_core::{
    CodecError, Context, Event, NodeId, OpEnd, OpId, Payload, Probe, Process, Sampler, Span, Time,
    TimerKey, Work, WorkloadId,
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
/// The part of an operation's name that is the desk's running number.
const NUMBER: u64 = u32::MAX as u64;
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

/// The operation that a flow waits for.
#[derive(Debug)]
struct Running {
    flow: u64,
    workload: WorkloadId,
    name: &'static str,
    asked: Time,
    deadline: Span,
    repeats: u32,
    message: Arc<dyn Payload>,
}

/// The process of a desk.
pub struct Desk {
    config: DeskConfig,
    think: Sampler,
    /// The running number of the latest operation.
    operations: u64,
    flows: BTreeMap<u64, Flow>,
    next_flow: u64,
    running: BTreeMap<OpId, Running>,
}

impl Desk {
    /// A desk with nothing to do.
    pub fn new(config: DeskConfig) -> Self {
        let think = config.options.answer_in.sampler();
        Self {
            config,
            think,
            operations: 0,
            flows: BTreeMap::new(),
            next_flow: 0,
            running: BTreeMap::new(),
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request) {
        let flow = Flow::new(request);
        if self.flows.len() < MAX_OPEN_FLOWS {
            let id = self.next_flow;
            self.next_flow += 1;
            self.flows.insert(id, flow);
            self.advance(cx, id);
        } else if let Some(step) = flow.steps.front() {
            let (name, asked, deadline) = (step.name(), cx.now(), deadline(&request.terms, false));
            let (op, workload) = (self.new_op(cx), request.terms.workload);
            cx.emit(Probe::Asked {
                op,
                workload,
                name,
                deadline,
            });
            cx.emit(Probe::Ended {
                op,
                workload,
                name,
                end: OpEnd::GaveUp,
                asked,
                deadline,
            });
        }
    }

    fn new_op(&mut self, cx: &Context<'_>) -> OpId {
        self.operations += 1;
        OpId(u64::from(cx.node().0) << 32 | self.operations & NUMBER)
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
        let mut name = step.name();
        let urgent = flow.emergency && matches!(step, Step::Read(..));
        let deadline = deadline(&flow.terms, urgent);
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
                cx.emit(SharingProbe::Answered { permit, recorded }.probe());
                name = if permit { "grant" } else { "deny" };
                Ask::Decide {
                    request: flow.request,
                    permit,
                }
            }
            Step::Register(record, body) => Ask::Register {
                record,
                patient: Arc::clone(&flow.patient),
                body: body.bytes(),
            },
            Step::Request => Ask::Request {
                patient: Arc::clone(&flow.patient),
            },
            Step::Read(record, purpose) => Ask::Read { record, purpose },
            Step::Consent(grantee, change) => {
                let patient = Arc::clone(&flow.patient);
                match change {
                    Change::Grant(period) => Ask::Grant {
                        patient,
                        grantee,
                        for_ns: period.map_or(0, Span::nanos),
                    },
                    Change::Deny => Ask::Deny { patient, grantee },
                    Change::Revoke => Ask::Revoke { patient, grantee },
                }
            }
            Step::Sweep => Ask::Sweep,
        };
        let (retry_after, workload) = (flow.terms.retry_after, flow.terms.workload);
        let op = self.new_op(cx);
        if let (Ask::Request { .. }, Some(flow)) = (&ask, self.flows.get_mut(&id)) {
            flow.request = RequestId(op.0);
        }
        let message: Arc<dyn Payload> = Arc::new(Message::Ask {
            op,
            certificate: Arc::clone(&self.config.certificate),
            ask,
        });
        cx.emit(Probe::Asked {
            op,
            workload,
            name,
            deadline,
        });
        cx.send(self.config.server, Arc::clone(&message));
        cx.set_timer(retry_timer(op), retry_after);
        self.running.insert(
            op,
            Running {
                flow: id,
                workload,
                name,
                asked: cx.now(),
                deadline,
                repeats: 0,
                message,
            },
        );
    }

    /// The wait for an answer is over: asks again with the same operation, or gives up.
    fn waited(&mut self, cx: &mut Context<'_>, op: OpId) {
        let Some(running) = self.running.get_mut(&op) else {
            return;
        };
        let Some(flow) = self.flows.get(&running.flow) else {
            return;
        };
        if running.repeats >= flow.terms.retry_times {
            return self.end(cx, op, OpEnd::GaveUp);
        }
        running.repeats += 1;
        cx.send(self.config.server, Arc::clone(&running.message));
        cx.set_timer(retry_timer(op), flow.terms.retry_after);
    }

    fn answered(&mut self, cx: &mut Context<'_>, op: OpId, answer: &Answer) {
        let Some(running) = self.running.get(&op) else {
            return;
        };
        let flow = running.flow;
        let end = match answer {
            Answer::Record(sealed) => {
                cx.work(Work::encrypt(sealed.open().len()));
                OpEnd::Done
            }
            Answer::Done | Answer::Swept(_) => OpEnd::Done,
            Answer::Standing => {
                if let Some(flow) = self.flows.get_mut(&flow) {
                    flow.steps
                        .retain(|step| !matches!(step, Step::Think | Step::Answer));
                }
                OpEnd::Done
            }
            // Nobody has looked at the question yet: it is asked again like one without an answer.
            Answer::Refused(Reason::Busy) => return,
            Answer::Refused(reason) => OpEnd::Refused(reason.word()),
        };
        cx.cancel_timer(retry_timer(op));
        self.end(cx, op, end);
    }

    /// Ends an operation and goes on with its flow. Without a request the patient cannot answer,
    /// so the rest of the visit is dropped.
    fn end(&mut self, cx: &mut Context<'_>, op: OpId, end: OpEnd) {
        let Some(Running {
            flow,
            workload,
            name,
            asked,
            deadline,
            ..
        }) = self.running.remove(&op)
        else {
            return;
        };
        cx.emit(Probe::Ended {
            op,
            workload,
            name,
            end,
            asked,
            deadline,
        });
        if let (Step::REQUEST, false, Some(flow)) =
            (name, end == OpEnd::Done, self.flows.get_mut(&flow))
        {
            flow.steps.clear();
        }
        self.advance(cx, flow);
    }
}

/// Timer key of an operation: the desk's own counter in the operation's number.
fn retry_timer(op: OpId) -> TimerKey {
    TimerKey(op.0 & NUMBER)
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
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}

#[cfg(test)]
mod tests;
