//! Whom an institution stands for, and what that does to consents.

use super::super::super::{VisitConfig, VisitWorkload};
use super::super::*;
use crate::sharing::request::Request;
use crate::workload::Terms;
use consim_core::rng::Streams;
use consim_core::{NodeId, Workload, WorkloadId};

const SECOND: i64 = 1_000_000_000;

fn visit(patient: &str, at_s: i64, provider: Option<&str>) -> RecordedVisit {
    RecordedVisit {
        patient: patient.into(),
        at_ns: at_s * SECOND,
        provider: provider.map(Arc::from),
        emergency: false,
        resources: Vec::new(),
    }
}

fn consent(patient: &str, permit: bool, to: Option<&str>, for_s: Option<i64>) -> RecordedConsent {
    RecordedConsent {
        patient: patient.into(),
        at_ns: 0,
        permit,
        organisation: to.map(Arc::from),
        period: for_s.map(|s| (5 * SECOND, (5 + s) * SECOND)),
    }
}

/// Everything that a set comes to at `places` institutions within 100 s, with the desk's number.
fn replayed(
    places: u32,
    visits: Vec<RecordedVisit>,
    consents: Vec<RecordedConsent>,
) -> Vec<(Time, u32, Wish)> {
    let place = |i| Place {
        desk: NodeId(100 + i),
        server: NodeId(i),
    };
    let common = Common {
        terms: Terms {
            workload: WorkloadId(0),
            deadline: None,
            retry_after: Span::from_secs(2),
            retry_times: 3,
        },
        places: (0..places).map(place).collect(),
        pace: Pace::Recorded(Spacing::Scaled),
        day: Day::flat(),
        from: Time::ZERO,
        to: Time::ZERO + Span::from_secs(100),
    };
    let records = RecordSet {
        visits,
        consents,
        ..RecordSet::default()
    };
    let options = VisitOptions {
        reads_per_write: 1,
        resources: 1,
        elsewhere: 0,
        emergency: 0,
        size_median: 100,
        size_p99: 200,
        records: Some(Arc::new(records)),
        panel: 1,
        readers: crate::sharing::config::ReaderOptions::default(),
    };
    let config = VisitConfig { common, options };
    let mut workload = VisitWorkload::new(config, Streams::new(7).stream("test"));
    std::iter::from_fn(|| {
        let arrival = workload.next()?;
        let request = arrival.request.as_any().downcast_ref::<Request>().unwrap();
        Some((arrival.at, arrival.node.0 - 100, request.wish.clone()))
    })
    .collect()
}

/// Consents as (grantee's server, change), and visits as (desk, answer).
type Told = (Vec<(Option<u32>, Change)>, Vec<(u32, Option<bool>)>);

fn told(all: &[(Time, u32, Wish)]) -> Told {
    let (mut consents, mut visits) = (Vec::new(), Vec::new());
    for (_, desk, wish) in all {
        match wish {
            Wish::Consent {
                grantee, change, ..
            } => consents.push((
                match grantee {
                    Grantee::Everyone => None,
                    Grantee::Institution(node) => Some(node.0),
                },
                *change,
            )),
            Wish::Visit(visit) => visits.push((*desk, visit.answer)),
            other => panic!("{other:?}"),
        }
    }
    (consents, visits)
}

#[test]
fn organisations_become_institutions_in_the_order_in_which_they_appear() {
    let visits = vec![
        visit("p", 1, Some("a")),
        visit("p", 2, Some("b")),
        visit("p", 3, Some("a")),
        visit("q", 4, None),
        visit("q", 5, Some("b")),
        visit("q", 6, None),
    ];
    let (_, visits) = told(&replayed(3, visits, Vec::new()));
    let desks: Vec<u32> = visits.iter().map(|(desk, _)| *desk).collect();
    // q is the second patient, so the visit without an organisation goes to institution 1; the
    // later one, too.
    assert_eq!(desks, [0, 1, 0, 1, 1, 1]);
}

#[test]
fn the_busiest_organisation_comes_first() {
    let visits = vec![
        visit("p", 1, Some("small")),
        visit("q", 2, Some("large")),
        visit("r", 3, Some("large")),
    ];
    let (_, visits) = told(&replayed(3, visits, Vec::new()));
    let desks: Vec<u32> = visits.iter().map(|(desk, _)| *desk).collect();
    assert_eq!(desks, [1, 0, 0]);
}

#[test]
fn consents_go_to_the_institution_that_stands_for_the_organisation() {
    let visits = vec![visit("p", 1, Some("a")), visit("p", 2, Some("b"))];
    let consents = vec![
        consent("p", false, None, None),
        consent("p", true, Some("b"), Some(40)),
        // Nobody was there yet: the organisation gets an institution of its own.
        consent("p", true, Some("c"), None),
    ];
    let (consents, visits) = told(&replayed(3, visits, consents));
    let forty = Some(Span::from_secs(40));
    assert_eq!(
        consents,
        [
            (None, Change::Deny),
            (Some(1), Change::Grant(forty)),
            (Some(2), Change::Grant(None))
        ]
    );
    // The second visit is 100 s later: what held 40 s is no word any more, and the denial holds.
    assert_eq!(visits, [(0, Some(false)), (1, Some(false))]);
}

#[test]
fn a_grant_answers_as_long_as_it_holds() {
    let visits = || vec![visit("p", 0, Some("a")), visit("p", 1, Some("b"))];
    let answers = |consents| told(&replayed(2, visits(), consents)).1;
    // The first visit is at the start, the second at the end of the 100 s.
    let held = vec![consent("p", true, None, Some(101))];
    assert_eq!(answers(held), [(0, Some(true)), (1, Some(true))]);
    let ended = vec![consent("p", true, None, Some(99))];
    assert_eq!(answers(ended), [(0, Some(true)), (1, None)]);
    // A denial holds always.
    let denied = vec![consent("p", false, None, Some(10))];
    assert_eq!(answers(denied), [(0, Some(false)), (1, Some(false))]);
}

#[test]
fn what_is_permitted_to_one_organisation_is_not_granted_to_others_at_its_institution() {
    // a and c share institution 0.
    let visits = || ["a", "b", "c"].map(|to| visit("p", 1, Some(to))).to_vec();
    let permit = vec![consent("p", true, Some("a"), None)];
    let (consents, visits_told) = told(&replayed(2, visits(), permit));
    assert_eq!(consents, [], "a standing grant would open the records to c");
    assert_eq!(visits_told, [(0, Some(true)), (1, None), (0, None)]);
    // A denial to one is one to both, rather than to none.
    let deny = vec![consent("p", false, Some("a"), None)];
    let (consents, visits_told) = told(&replayed(2, visits(), deny));
    assert_eq!(consents, [(Some(0), Change::Deny)]);
    assert_eq!(visits_told, [(0, Some(false)), (1, None), (0, Some(false))]);
    // With an institution for each there is nothing to hold back.
    let permit = vec![consent("p", true, Some("a"), None)];
    let (consents, _) = told(&replayed(3, visits(), permit));
    assert_eq!(consents, [(Some(0), Change::Grant(None))]);
}

#[test]
fn a_recorded_emergency_is_one() {
    let mut visits = vec![visit("p", 1, Some("a")), visit("p", 2, Some("a"))];
    visits[1].emergency = true;
    let all = replayed(1, visits, Vec::new());
    let emergencies: Vec<bool> = all
        .iter()
        .map(|(_, _, wish)| matches!(wish, Wish::Visit(visit) if visit.emergency))
        .collect();
    assert_eq!(emergencies, [false, true]);
}
