//! What a user's wish comes to, step by step.

use crate::sharing::ids::{Grantee, Purpose, RecordId, RequestId};
use crate::sharing::message::USUAL;
use crate::sharing::request::{Body, Change, Request, Wish};
use crate::sharing::scope::Reader;
use crate::workload::Terms;
use std::collections::VecDeque;
use std::sync::Arc;

/// A step of a flow. All but `Think` are operations.
#[derive(Debug)]
pub(super) enum Step {
    /// The doctor records.
    Register(RecordId, Body),
    /// The doctor reads.
    Read(RecordId, Purpose),
    /// The doctor asks the patient for access.
    Request,
    /// The patient thinks.
    Think,
    /// The patient answers the request.
    Answer,
    /// The patient changes a standing consent.
    Consent(Grantee, Change),
    /// The patient appoints somebody, or a guardian is made known.
    Appoint(Arc<str>, bool),
    /// The patient dismisses somebody.
    Dismiss(Arc<str>),
    /// Supervision reads the audit trail.
    Sweep,
}

impl Step {
    /// The operation's kind.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Register(..) => "register",
            Self::Read(..) => "read",
            Self::Request => "request",
            Self::Think | Self::Answer | Self::Consent(_, Change::Grant(_)) => "grant",
            Self::Consent(_, Change::Deny) => "deny",
            Self::Consent(_, Change::Revoke) => "revoke",
            Self::Appoint(..) => "appoint",
            Self::Dismiss(_) => "dismiss",
            Self::Sweep => "audit",
        }
    }
    /// The same step once more, where that changes nothing: readings.
    pub(super) fn again(&self) -> Option<Self> {
        match self {
            Self::Read(record, purpose) => Some(Self::Read(*record, *purpose)),
            Self::Sweep => Some(Self::Sweep),
            _ => None,
        }
    }
}

/// An open flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) terms: Terms,
    pub(super) patient: Arc<str>,
    /// Who speaks for the patient, if not the patient.
    pub(super) by: Option<Arc<str>>,
    pub(super) emergency: bool,
    pub(super) answer: Option<bool>,
    /// What is read for.
    pub(super) purpose: Purpose,
    /// Who reads.
    pub(super) reader: Reader,
    /// The request that waits for the patient's answer.
    pub(super) request: RequestId,
    /// What is done now, if it can be done again.
    pub(super) now: Option<Step>,
    /// What is left to do.
    pub(super) steps: VecDeque<Step>,
}

impl Flow {
    pub(super) fn new(request: &Request) -> Self {
        let mut flow = Self {
            terms: request.terms,
            patient: request
                .wish
                .patient()
                .map_or_else(|| Arc::from(""), Arc::clone),
            by: None,
            emergency: false,
            answer: None,
            purpose: USUAL.0,
            reader: USUAL.1,
            request: RequestId(0),
            now: None,
            steps: VecDeque::new(),
        };
        match &request.wish {
            Wish::Consent {
                grantee, change, ..
            } => flow.steps.push_back(Step::Consent(*grantee, *change)),
            Wish::Spoken {
                by,
                grantee,
                change,
                ..
            } => {
                flow.by = Some(Arc::clone(by));
                flow.steps.push_back(Step::Consent(*grantee, *change));
            }
            Wish::Appoint { by, guardian, .. } => {
                let by = Arc::clone(by);
                flow.steps.push_back(Step::Appoint(by, *guardian));
            }
            Wish::Dismiss { by, .. } => flow.steps.push_back(Step::Dismiss(Arc::clone(by))),
            Wish::Sweep => flow.steps.push_back(Step::Sweep),
            Wish::Visit(visit) => {
                let purpose = if visit.emergency {
                    Purpose::Emergency
                } else {
                    visit.purpose
                };
                (flow.purpose, flow.reader) = (visit.purpose, visit.reader);
                flow.emergency = visit.emergency;
                flow.answer = visit.answer;
                let register =
                    |(record, body): &(RecordId, Body)| Step::Register(*record, body.clone());
                flow.steps.extend(visit.resources.iter().map(register));
                flow.steps
                    .extend(visit.own.iter().map(|&record| Step::Read(record, purpose)));
                if !visit.elsewhere.is_empty() && !visit.emergency {
                    flow.steps
                        .extend([Step::Request, Step::Think, Step::Answer]);
                }
                flow.steps.extend(
                    visit
                        .elsewhere
                        .iter()
                        .map(|&record| Step::Read(record, purpose)),
                );
            }
        }
        flow
    }
}
