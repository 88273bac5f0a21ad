//! Any value of the model's types, for property tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::command::{Access, Command};
use super::ids::{Grantee, Pseudonym, Purpose, Reason, RecordId, RequestId};
use super::message::{Answer, Ask, Message, Sealed, Tally};
use super::request::{Body, Change, Request, Visit, Wish};
use super::scope::{Reader, ResourceType, Role, Scope, Who};
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
    select(Purpose::ALL)
}
pub(super) fn reader() -> impl Strategy<Value = Reader> {
    let person = prop_oneof![2 => Just(0), 1 => 0u16..4];
    (select(Role::ALL), person).prop_map(|(role, person)| Reader { role, person })
}
pub(super) fn kind() -> impl Strategy<Value = ResourceType> {
    select(ResourceType::ALL)
}
pub(super) fn scope() -> impl Strategy<Value = Scope> {
    let who = prop_oneof![
        Just(Who::Anybody),
        select(Role::ALL).prop_map(Who::Role),
        reader().prop_map(Who::Person)
    ];
    let from = prop_oneof![Just(i64::MIN), -5i64..60];
    let narrow = (vec(kind(), 0..3), vec(purpose(), 0..3), who, from);
    let narrow = narrow.prop_map(|(types, purposes, who, from_ns)| {
        let mut scope = Scope::default();
        if !types.is_empty() {
            scope = scope.of_types(&types);
        }
        if !purposes.is_empty() {
            scope = scope.for_purposes(&purposes);
        }
        scope.for_whom(who).from(from_ns)
    });
    prop_oneof![1 => Just(Scope::default()), 2 => narrow]
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
        (purpose(), reader()),
        any::<bool>(),
        reason(),
        any::<u64>(),
    )
        .prop_map(
            |(record, requester, (purpose, reader), permit, reason, height)| Access {
                record,
                requester,
                purpose,
                reader,
                permit,
                reason,
                height,
            },
        )
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    let what = (text(), kind());
    let register = (record(), pseudonym(), digest(), any::<u32>(), what).prop_map(
        |(record, pseudonym, digest, size, (address, kind))| Command::Register {
            record,
            pseudonym,
            digest,
            size,
            address,
            kind,
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
    let decide = (request_id(), any::<bool>(), any::<i64>(), scope()).prop_map(
        |(request, permit, expires_ns, scope)| Command::Decide {
            request,
            permit,
            expires_ns,
            scope,
        },
    );
    let grant = (pseudonym(), grantee(), any::<i64>(), scope())
        .prop_map(|(pseudonym, grantee, expires_ns, scope)| Command::Grant {
            pseudonym,
            grantee,
            expires_ns,
            scope,
        })
        .boxed();
    let words = (pseudonym(), grantee(), any::<bool>()).prop_map(|(pseudonym, grantee, deny)| {
        if deny {
            Command::Deny { pseudonym, grantee }
        } else {
            Command::Revoke { pseudonym, grantee }
        }
    });
    let deny = (pseudonym(), pseudonym(), grantee());
    let spoken = deny.prop_map(|(by, pseudonym, grantee)| Command::Spoken {
        by,
        word: Arc::new(Command::Deny { pseudonym, grantee }),
    });
    let spoken_grant = (pseudonym(), grant.clone()).prop_map(|(by, grant)| Command::Spoken {
        by,
        word: Arc::new(grant),
    });
    let appoint = (pseudonym(), pseudonym(), any::<(i64, bool)>(), scope()).prop_map(
        |(pseudonym, by, (until_ns, guardian), bounds)| Command::Appoint {
            pseudonym,
            by,
            until_ns,
            guardian,
            bounds,
        },
    );
    let dismiss =
        (pseudonym(), pseudonym()).prop_map(|(pseudonym, by)| Command::Dismiss { pseudonym, by });
    let power = prop_oneof![spoken, spoken_grant, appoint, dismiss];
    let read =
        (record(), node(), purpose(), reader()).prop_map(|(record, requester, purpose, reader)| {
            Command::Read {
                record,
                requester,
                purpose,
                reader,
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
        read,
        power,
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
        (text(), purpose(), reader()).prop_map(|(patient, purpose, reader)| Ask::Request {
            patient,
            purpose,
            reader
        }),
        (request_id(), any::<bool>(), 0u64..3, scope()).prop_map(
            |(request, permit, for_ns, scope)| Ask::Decide {
                request,
                permit,
                for_ns,
                scope
            }
        ),
        (text(), grantee(), any::<u64>(), scope()).prop_map(|(patient, grantee, for_ns, scope)| {
            Ask::Grant {
                patient,
                grantee,
                for_ns,
                scope,
            }
        }),
        (text(), grantee()).prop_map(|(patient, grantee)| Ask::Deny { patient, grantee }),
        (text(), grantee()).prop_map(|(patient, grantee)| Ask::Revoke { patient, grantee }),
        (record(), purpose(), reader()).prop_map(|(record, purpose, reader)| Ask::Read {
            record,
            purpose,
            reader
        }),
        (record(), text(), purpose(), reader()).prop_map(|(record, patient, purpose, reader)| {
            Ask::Query {
                record,
                patient,
                purpose,
                reader,
            }
        }),
        Just(Ask::Sweep),
        (text(), text(), any::<(u64, bool)>(), scope()).prop_map(
            |(patient, by, (for_ns, guardian), bounds)| Ask::Appoint {
                patient,
                by,
                for_ns,
                guardian,
                bounds,
            }
        ),
        (text(), text()).prop_map(|(patient, by)| Ask::Dismiss { patient, by }),
        (text(), text(), grantee()).prop_map(|(by, patient, grantee)| Ask::Spoken {
            by,
            ask: Arc::new(Ask::Deny { patient, grantee }),
        }),
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
        (op(), record(), node(), (purpose(), reader()), any::<u64>()).prop_map(
            |(op, record, requester, (purpose, reader), after)| Message::Fetch {
                op,
                record,
                requester,
                purpose,
                reader,
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
        (any::<(u64, u32)>(), kind()).prop_map(|((key, size), kind)| Body::Synthetic {
            key,
            size,
            kind
        }),
    ];
    (
        text(),
        any::<bool>(),
        vec((record(), body), 0..5),
        vec(record(), 0..5),
        vec(record(), 0..5),
        any::<Option<bool>>(),
        (purpose(), reader()),
    )
        .prop_map(
            |(patient, emergency, resources, own, elsewhere, answer, (purpose, reader))| Visit {
                patient,
                emergency,
                resources,
                own,
                elsewhere,
                answer,
                purpose,
                reader,
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
    let spoken = (text(), text(), grantee()).prop_map(|(by, patient, grantee)| Wish::Spoken {
        by,
        patient,
        grantee,
        change: Change::Revoke,
    });
    let appoint =
        (text(), text(), any::<bool>()).prop_map(|(patient, by, guardian)| Wish::Appoint {
            patient,
            by,
            guardian,
        });
    let dismiss = (text(), text()).prop_map(|(patient, by)| Wish::Dismiss { patient, by });
    let power = prop_oneof![spoken, appoint, dismiss];
    let wish = prop_oneof![
        visit().prop_map(Wish::Visit),
        consent,
        power,
        Just(Wish::Sweep)
    ];
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
