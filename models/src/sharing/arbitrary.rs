//! Any value of the model's types, for property tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::command::{Access, Command};
use super::ids::{Grantee, Pseudonym, Purpose, Reason, RecordId, RequestId};
use super::message::{Answer, Ask, Message, Sealed, Tally};
use super::request::{Body, Change, Request, Visit, Wish};
use crate::node::membership::Refusal;
use crate::workload::Terms;
use consim_core::{CodecError, Digest, NodeId, OpId, Span, WorkloadId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::sample::select;
use std::fmt::Debug;
use std::sync::Arc;

pub(super) fn config() -> ProptestConfig {
    ProptestConfig {
        max_shrink_iters: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

pub(super) fn node() -> impl Strategy<Value = NodeId> {
    any::<u32>().prop_map(NodeId)
}
pub(super) fn record() -> impl Strategy<Value = RecordId> {
    any::<u64>().prop_map(RecordId)
}
fn request_id() -> impl Strategy<Value = RequestId> {
    any::<u64>().prop_map(RequestId)
}
pub(super) fn pseudonym() -> impl Strategy<Value = Pseudonym> {
    any::<[u8; 32]>().prop_map(Pseudonym)
}
pub(super) fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}
pub(super) fn purpose() -> impl Strategy<Value = Purpose> {
    select(vec![Purpose::Treatment, Purpose::Emergency])
}
pub(super) fn reason() -> impl Strategy<Value = Reason> {
    select(Reason::ALL)
}
pub(super) fn grantee() -> impl Strategy<Value = Grantee> {
    prop_oneof![
        Just(Grantee::Everyone),
        node().prop_map(Grantee::Institution)
    ]
}
/// Text of up to 32 bytes.
pub(super) fn text() -> impl Strategy<Value = Arc<str>> {
    "\\PC{0,8}".prop_map(Arc::from)
}
fn bytes() -> impl Strategy<Value = Arc<[u8]>> {
    vec(any::<u8>(), 0..40).prop_map(Arc::from)
}

fn access() -> impl Strategy<Value = Access> {
    (
        record(),
        node(),
        purpose(),
        any::<bool>(),
        reason(),
        any::<u64>(),
    )
        .prop_map(
            |(record, requester, purpose, permit, reason, height)| Access {
                record,
                requester,
                purpose,
                permit,
                reason,
                height,
            },
        )
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    let register = (record(), pseudonym(), digest(), any::<u32>(), text()).prop_map(
        |(record, pseudonym, digest, size, address)| Command::Register {
            record,
            pseudonym,
            digest,
            size,
            address,
        },
    );
    let request = (request_id(), pseudonym(), node(), purpose()).prop_map(
        |(request, pseudonym, requester, purpose)| Command::Request {
            request,
            pseudonym,
            requester,
            purpose,
        },
    );
    let decide =
        (request_id(), any::<bool>(), any::<i64>()).prop_map(|(request, permit, expires_ns)| {
            Command::Decide {
                request,
                permit,
                expires_ns,
            }
        });
    let grant =
        (pseudonym(), grantee(), any::<i64>()).prop_map(|(pseudonym, grantee, expires_ns)| {
            Command::Grant {
                pseudonym,
                grantee,
                expires_ns,
            }
        });
    let words = (pseudonym(), grantee(), any::<bool>()).prop_map(|(pseudonym, grantee, deny)| {
        if deny {
            Command::Deny { pseudonym, grantee }
        } else {
            Command::Revoke { pseudonym, grantee }
        }
    });
    let refusal = (node(), select(&Refusal::ALL[..]))
        .prop_map(|(subject, reason)| Command::Refusal { subject, reason });
    let sweep =
        any::<[u64; 3]>().prop_map(|[from, to, entries]| Command::AuditRead { from, to, entries });
    prop_oneof![
        register,
        request,
        decide,
        grant,
        words,
        access().prop_map(Command::Access),
        refusal,
        sweep
    ]
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        (record(), text(), bytes()).prop_map(|(record, patient, body)| Ask::Register {
            record,
            patient,
            body
        }),
        text().prop_map(|patient| Ask::Request { patient }),
        (request_id(), any::<bool>()).prop_map(|(request, permit)| Ask::Decide { request, permit }),
        (text(), grantee(), any::<u64>()).prop_map(|(patient, grantee, for_ns)| Ask::Grant {
            patient,
            grantee,
            for_ns
        }),
        (text(), grantee()).prop_map(|(patient, grantee)| Ask::Deny { patient, grantee }),
        (text(), grantee()).prop_map(|(patient, grantee)| Ask::Revoke { patient, grantee }),
        (record(), purpose()).prop_map(|(record, purpose)| Ask::Read { record, purpose }),
        (record(), text(), purpose()).prop_map(|(record, patient, purpose)| Ask::Query {
            record,
            patient,
            purpose
        }),
        Just(Ask::Sweep),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let tally = any::<[u64; 6]>().prop_map(
        |[height, permits, denials, emergencies, refusals, unproven]| {
            Answer::Swept(Tally {
                height,
                permits,
                denials,
                emergencies,
                refusals,
                unproven,
            })
        },
    );
    prop_oneof![
        Just(Answer::Done),
        Just(Answer::Standing),
        (any::<u64>(), bytes()).prop_map(|(op, body)| Answer::Record(Sealed::seal(OpId(op), body))),
        tally,
        reason().prop_map(Answer::Refused),
    ]
}

pub(super) fn message() -> impl Strategy<Value = Message> {
    let op = || any::<u64>().prop_map(OpId);
    prop_oneof![
        (op(), bytes(), ask()).prop_map(|(op, certificate, ask)| Message::Ask {
            op,
            certificate,
            ask
        }),
        (op(), answer()).prop_map(|(op, answer)| Message::Reply { op, answer }),
        (op(), record(), node(), purpose(), any::<u64>()).prop_map(
            |(op, record, requester, purpose, after)| Message::Fetch {
                op,
                record,
                requester,
                purpose,
                after
            }
        ),
        (op(), answer()).prop_map(|(op, answer)| Message::Release { op, answer }),
        (op(), record()).prop_map(|(op, record)| Message::Collect { op, record }),
        (op(), node(), answer()).prop_map(|(op, requester, answer)| Message::Handed {
            op,
            requester,
            answer
        }),
    ]
}

fn span() -> impl Strategy<Value = Span> {
    any::<u64>().prop_map(Span::from_nanos)
}

fn visit() -> impl Strategy<Value = Visit> {
    let body = prop_oneof![
        bytes().prop_map(Body::Recorded),
        any::<(u64, u32)>().prop_map(|(key, size)| Body::Synthetic { key, size }),
    ];
    (
        text(),
        any::<bool>(),
        vec((record(), body), 0..5),
        vec(record(), 0..5),
        vec(record(), 0..5),
        any::<Option<bool>>(),
    )
        .prop_map(
            |(patient, emergency, resources, own, elsewhere, answer)| Visit {
                patient,
                emergency,
                resources,
                own,
                elsewhere,
                answer,
            },
        )
}

pub(super) fn request() -> impl Strategy<Value = Request> {
    let terms = (
        any::<u16>(),
        proptest::option::of(span()),
        span(),
        any::<u32>(),
    )
        .prop_map(|(workload, deadline, retry_after, retry_times)| Terms {
            workload: WorkloadId(workload),
            deadline,
            retry_after,
            retry_times,
        });
    let change = prop_oneof![
        proptest::option::of(span()).prop_map(Change::Grant),
        Just(Change::Deny),
        Just(Change::Revoke),
    ];
    let consent =
        (text(), grantee(), change).prop_map(|(patient, grantee, change)| Wish::Consent {
            patient,
            grantee,
            change,
        });
    let wish = prop_oneof![visit().prop_map(Wish::Visit), consent, Just(Wish::Sweep)];
    (terms, wish).prop_map(|(terms, wish)| Request { terms, wish })
}

/// A change of encoded bytes.
#[derive(Clone, Debug)]
pub(super) enum Damage {
    Cut(Index),
    Flip(Index, u8),
    Append(Vec<u8>),
}

pub(super) fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<Index>().prop_map(Damage::Cut),
        (any::<Index>(), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        vec(any::<u8>(), 1..4).prop_map(Damage::Append),
    ]
}

/// What every codec must do: values come back, and bytes that were damaged are an error or the
/// one encoding of another value.
pub(super) fn round_trip<T: PartialEq + Debug>(
    value: &T,
    encode: impl Fn(&T) -> Vec<u8>,
    decode: impl Fn(&[u8]) -> Result<T, CodecError>,
    damage: &Damage,
) {
    let bytes = encode(value);
    assert_eq!(decode(&bytes).as_ref(), Ok(value));
    let mut damaged = bytes.clone();
    match damage {
        Damage::Cut(at) => damaged.truncate(at.index(bytes.len())),
        Damage::Flip(at, bits) => damaged[at.index(bytes.len())] ^= bits,
        Damage::Append(more) => damaged.extend(more),
    }
    if let Ok(other) = decode(&damaged) {
        assert_ne!(other, *value);
        assert_eq!(encode(&other), damaged);
    }
}
