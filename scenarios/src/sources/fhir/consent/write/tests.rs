#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::super::date::moment;
use super::super::decide::{Decision, Question, decide};
use super::*;
use consim_core::NodeId;
use consim_models::sharing::{Role, Use};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn reader() -> impl Strategy<Value = Reader> {
    (select(&[Role::Doctor, Role::Nurse][..]), 0u16..2)
        .prop_map(|(role, person)| Reader { role, person })
}
fn kind() -> impl Strategy<Value = ResourceType> {
    let some = [
        ResourceType::Observation,
        ResourceType::Condition,
        ResourceType::MedicationRequest,
    ];
    select(some.to_vec())
}
fn purpose() -> impl Strategy<Value = Purpose> {
    select(Purpose::ALL)
}
fn scope() -> impl Strategy<Value = Scope> {
    let who = prop_oneof![
        Just(Who::Anybody),
        reader().prop_map(|reader| Who::Role(reader.role)),
        reader().prop_map(Who::Person)
    ];
    (vec(kind(), 0..3), vec(purpose(), 0..3), who, 0i64..20).prop_map(
        |(types, purposes, who, from)| {
            let mut scope = Scope::default();
            if !types.is_empty() {
                scope = scope.of_types(&types);
            }
            if !purposes.is_empty() {
                scope = scope.for_purposes(&purposes);
            }
            let from_ns = if from == 0 { i64::MIN } else { from };
            scope.for_whom(who).from(from_ns)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The model and the decider of FHIR, which share nothing, decide alike on what was written.
    #[test]
    fn what_is_written_decides_as_the_chain_does(
        scope in scope(),
        everybody in any::<bool>(),
        (reader, purpose, of, institution) in (reader(), purpose(), kind(), 0u32..2),
        (until, at) in (0i64..30, 0i64..30),
    ) {
        let grant = Grant {
            patient: "Patient/p",
            to: (!everybody).then_some("Organization/0"),
            scope,
            given_ns: 0,
            until_ns: until,
        };
        let written = consent(&grant).unwrap();
        let wanted = Use { requester: NodeId(institution), reader, purpose, of: Some(of) };
        let concerned = everybody || institution == 0;
        let holds = scope.from_ns <= at && at < until && concerned && scope.comprises(&wanted);
        let organisation = format!("Organization/{institution}");
        let [role, person] = references(reader);
        let question = Question {
            at_ns: at,
            purpose: purpose.hl7(),
            action: "access",
            recipients: &[&organisation, &role, &person],
            class: of.word(),
            ..Question::default()
        };
        let decided = if holds { Decision::Permit } else { Decision::Deny };
        prop_assert_eq!(decide(&written, &question), Ok(decided), "{}", written);
    }

    #[test]
    fn instants_come_back(ns in any::<i64>()) {
        prop_assert_eq!(moment(&date_time(ns)).unwrap().first_ns, ns);
    }
}

#[test]
fn what_fhir_has_no_code_for_is_not_written() {
    let grant = |scope| Grant {
        patient: "Patient/p",
        to: None,
        scope,
        given_ns: 0,
        until_ns: 1,
    };
    let scope = Scope::default();
    assert!(consent(&grant(scope)).is_some());
    assert!(consent(&grant(scope.of_types(&[ResourceType::Other]))).is_none());
    assert!(consent(&grant(scope.of_types(&[]))).is_none());
    assert!(consent(&grant(scope.for_purposes(&[]))).is_none());
}
