//! The order of what is recorded, and what is read of it.

use super::super::super::tests::{all, common, even, request, rng, visits};
use super::super::super::{VisitConfig, VisitWorkload};
use super::super::*;
use crate::sharing::records::RecordedResource;
use crate::sharing::testing::desk_of;
use consim_core::{Arrival, NodeId};

const WINDOW: Span = Span::from_secs(1_000);

fn visit(patient: &str, at_ns: i64, provider: Option<&str>, resources: usize) -> RecordedVisit {
    let resource = |i: usize| RecordedResource {
        kind: "Observation".into(),
        id: format!("{patient}-{at_ns}-{i}").into(),
        body: format!("{{\"of\":\"{patient}\",\"at\":{at_ns},\"i\":{i}}}")
            .into_bytes()
            .into(),
    };
    RecordedVisit {
        patient: patient.into(),
        at_ns,
        provider: provider.map(Into::into),
        emergency: false,
        resources: (0..resources).map(resource).collect(),
    }
}
fn consent(patient: &str, permit: bool, organisation: Option<&str>) -> RecordedConsent {
    RecordedConsent {
        patient: patient.into(),
        at_ns: 0,
        permit,
        organisation: organisation.map(Into::into),
        period: None,
    }
}
fn set(visits: Vec<RecordedVisit>, consents: Vec<RecordedConsent>) -> RecordSet {
    RecordSet {
        visits,
        consents,
        ..RecordSet::default()
    }
}
fn replay(set: &RecordSet, pace: Pace) -> Vec<Arrival> {
    let options = VisitOptions {
        records: Some(Arc::new(set.clone())),
        emergency: 0,
        ..visits()
    };
    let common = common(pace, WINDOW);
    let config = VisitConfig { common, options };
    all(&mut VisitWorkload::new(config, rng("replay")))
}
fn ranked_replay(set: &RecordSet) -> Vec<Arrival> {
    replay(set, Pace::Recorded(Spacing::Ranked))
}
fn visit_of(arrival: &Arrival) -> Option<&Visit> {
    match &request(arrival).wish {
        Wish::Visit(visit) => Some(visit),
        _ => None,
    }
}
/// The bodies that a visit writes.
fn bodies(visit: &Visit) -> Vec<Arc<[u8]>> {
    visit
        .resources
        .iter()
        .map(|(_, body)| body.bytes())
        .collect()
}

/// Forty encounters, unevenly in time, several at once.
fn encounters() -> RecordSet {
    let visits = (0..40i64)
        .map(|i| {
            visit(
                &format!("p{}", i % 7),
                (i / 2) * (i / 2),
                Some(["a", "b", "c", "d"][i as usize % 4]),
                2,
            )
        })
        .collect();
    set(visits, Vec::new())
}

#[test]
fn encounters_keep_their_order_however_they_are_spaced() {
    let set = encounters();
    let recorded: Vec<Vec<Arc<[u8]>>> = set
        .visits
        .iter()
        .map(|v| v.resources.iter().map(|r| Arc::clone(&r.body)).collect())
        .collect();
    let fast = even([1_000_000_000; 3]);
    for pace in [
        Pace::Recorded(Spacing::Ranked),
        Pace::Recorded(Spacing::Scaled),
        fast,
    ] {
        let arrivals = replay(&set, pace.clone());
        let replayed: Vec<_> = arrivals
            .iter()
            .map(|a| bodies(visit_of(a).unwrap()))
            .collect();
        assert_eq!(replayed, recorded, "{pace:?}");
        assert!(arrivals.windows(2).all(|w| w[0].at <= w[1].at), "{pace:?}");
        let window = common(pace.clone(), WINDOW);
        assert!(
            arrivals
                .iter()
                .all(|a| window.from <= a.at && a.at < window.to),
            "{pace:?}"
        );
    }
}

#[test]
fn ranked_spreads_and_scaled_keeps_proportions() {
    let set = encounters();
    let gaps = |pace| -> Vec<u64> {
        let arrivals = replay(&set, pace);
        arrivals
            .windows(2)
            .map(|w| w[1].at.since(w[0].at).nanos())
            .collect()
    };
    let ranked = gaps(Pace::Recorded(Spacing::Ranked));
    let part = WINDOW.nanos() / 40;
    assert!(
        ranked.iter().all(|gap| gap.abs_diff(part) <= 1),
        "{ranked:?}"
    );
    let scaled = gaps(Pace::Recorded(Spacing::Scaled));
    // Encounters 2k and 2k+1 were at once; between 2k+1 and 2k+2 lie 2k+1 of 361 units.
    for (i, gap) in scaled.iter().enumerate() {
        let units = if i % 2 == 0 { 0 } else { i as u64 };
        let expected = WINDOW.nanos() * units / 361;
        assert!(gap.abs_diff(expected) <= 100, "{i}: {gap} {expected}");
    }
}

#[test]
fn a_rate_that_is_too_low_ends_with_the_window_and_times_that_step_back_wait() {
    let slow = even([5_000_000; 3]);
    assert_eq!(replay(&encounters(), slow).len(), 15);
    let mut set = encounters();
    set.visits[3].at_ns = 0;
    let arrivals = replay(&set, Pace::Recorded(Spacing::Scaled));
    assert_eq!(arrivals.len(), 40);
    assert!(arrivals.windows(2).all(|w| w[0].at <= w[1].at));
}

#[test]
fn organisations_become_institutions_and_patients_without_one_stay_where_they_are() {
    let set = set(
        vec![
            visit("ann", 0, Some("x"), 1),
            visit("bob", 1, Some("y"), 1),
            visit("cas", 2, Some("x"), 1),
            visit("dan", 3, Some("z"), 1),
            visit("eve", 4, Some("w"), 1),
            visit("ann", 5, None, 1),
            visit("fay", 6, None, 1),
            visit("fay", 7, None, 1),
        ],
        Vec::new(),
    );
    let places: Vec<NodeId> = ranked_replay(&set).iter().map(|a| a.node).collect();
    // x, y, z, and w round again; Ann's home is x's; Fay is the sixth patient: 5 mod 3.
    let expected = [0, 1, 0, 2, 0, 0, 2, 2].map(desk_of);
    assert_eq!(places, expected);
}

#[test]
fn a_later_visit_elsewhere_reads_what_was_recorded_before() {
    let set = set(
        vec![
            visit("ann", 0, Some("x"), 2),
            visit("ann", 1, Some("y"), 2),
            visit("ann", 2, Some("x"), 1),
            visit("bob", 3, Some("y"), 30),
        ],
        Vec::new(),
    );
    let arrivals = ranked_replay(&set);
    let visits: Vec<&Visit> = arrivals.iter().map(|a| visit_of(a).unwrap()).collect();
    let written = |i: usize| -> Vec<RecordId> {
        visits[i]
            .resources
            .iter()
            .map(|(record, _)| *record)
            .collect()
    };
    // Five reads a record; half of them elsewhere where there is something.
    assert_eq!((visits[0].own.len(), visits[0].elsewhere.len()), (10, 0));
    assert_eq!((visits[1].own.len(), visits[1].elsewhere.len()), (5, 5));
    assert!(visits[1].elsewhere.iter().all(|r| written(0).contains(r)));
    assert!(visits[1].own.iter().all(|r| written(1).contains(r)));
    assert_eq!((visits[2].own.len(), visits[2].elsewhere.len()), (2, 3));
    assert!(visits[2].elsewhere.iter().all(|r| written(1).contains(r)));
    let at_x: Vec<RecordId> = [written(0), written(2)].concat();
    assert!(visits[2].own.iter().all(|r| at_x.contains(r)));
    // No more than a doctor reads.
    assert_eq!(visits[3].own.len() as u64, MAX_READS);
}

#[test]
fn consents_are_imported_first_with_their_grantees_and_periods() {
    let mut granted = consent("ann", true, Some("y"));
    granted.period = Some((1_000, 61_000));
    let mut backwards = consent("bob", true, None);
    backwards.period = Some((5, 4));
    let set = set(
        vec![visit("ann", 0, Some("x"), 1), visit("bob", 1, Some("y"), 1)],
        vec![
            granted,
            consent("bob", false, None),
            backwards,
            consent("zoe", false, Some("v")),
        ],
    );
    let arrivals = ranked_replay(&set);
    let from = common(Pace::Recorded(Spacing::Ranked), WINDOW).from;
    let server = |i| Grantee::Institution(NodeId(i));
    let expected = [
        (
            "ann",
            desk_of(0),
            server(1),
            Change::Grant(Some(Span::from_nanos(60_000))),
        ),
        ("bob", desk_of(1), Grantee::Everyone, Change::Deny),
        ("bob", desk_of(1), Grantee::Everyone, Change::Grant(None)),
        ("zoe", desk_of(0), server(2), Change::Deny),
    ];
    for (i, (who, node, to, what)) in (0..).zip(expected) {
        let arrival = &arrivals[i as usize];
        let Wish::Consent {
            patient,
            grantee,
            change,
        } = &request(arrival).wish
        else {
            panic!("{arrival:?}");
        };
        assert_eq!((&**patient, arrival.node), (who, node));
        assert_eq!((*grantee, *change), (to, what));
        assert_eq!(arrival.at, from + CONSENT_SPACING.times(i));
    }
    assert_eq!(arrivals.len(), 6);
}

#[test]
fn patients_answer_as_their_consents_say() {
    let to_x = |permit| consent("ann", permit, Some("x"));
    let to_all = |permit| consent("ann", permit, None);
    for (desc, consents, answer) in [
        ("none", vec![], None),
        ("to x", vec![to_x(true)], Some(true)),
        ("the last to x", vec![to_x(true), to_x(false)], Some(false)),
        ("x before all", vec![to_x(true), to_all(false)], Some(true)),
        ("all", vec![to_all(false)], Some(false)),
        (
            "the last to all",
            vec![to_all(false), to_all(true)],
            Some(true),
        ),
        ("another's", vec![consent("bob", true, None)], None),
        ("another place", vec![consent("ann", true, Some("y"))], None),
    ] {
        let set = set(vec![visit("ann", 0, Some("x"), 1)], consents);
        let arrivals = ranked_replay(&set);
        let visit = arrivals.iter().find_map(visit_of).unwrap();
        assert_eq!(visit.answer, answer, "{desc}");
    }
}

#[test]
fn the_same_seed_gives_the_same_replay() {
    let set = encounters();
    let one = ranked_replay(&set);
    let two = ranked_replay(&set);
    let wishes = |arrivals: &[Arrival]| -> Vec<Wish> {
        arrivals.iter().map(|a| request(a).wish.clone()).collect()
    };
    assert_eq!(wishes(&one), wishes(&two));
}
