#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::history::SETTLE;
use super::super::tests::{all, common, even, request, rng, visits};
use super::*;
use crate::sharing::testing::terms;
use crate::workload::Spacing;
use std::collections::{BTreeMap, BTreeSet};

/// Six visits a minute, for a day: 8,640.
const DAY: Span = Span::from_secs(86_400);

fn workload(options: VisitOptions, label: &str) -> Vec<(Time, NodeId, Visit)> {
    let rates = even([100_000_000 / 3; 3]);
    let common = common(rates, DAY);
    let config = VisitConfig { common, options };
    let mut workload = VisitWorkload::new(config, rng(label));
    let arrivals = all(&mut workload);
    let visit = |arrival: &Arrival| match &request(arrival).wish {
        Wish::Visit(visit) => (arrival.at, arrival.node, visit.clone()),
        other => panic!("{other:?}"),
    };
    arrivals.iter().map(visit).collect()
}

/// A share of `n` draws lies within four standard deviations of `p`.
fn near(count: usize, n: usize, p: f64) -> bool {
    let n = n as f64;
    (count as f64 - n * p).abs() <= 4.0 * (n * p * (1.0 - p)).sqrt()
}

#[test]
fn visits_write_and_read_as_much_as_they_are_told() {
    let all = workload(visits(), "shares");
    assert!((8_639..=8_640).contains(&all.len()), "{}", all.len());
    let (mut own, mut elsewhere, mut emergencies) = (0, 0, 0);
    for (_, _, visit) in &all {
        assert_eq!(visit.resources.len(), 8);
        assert_eq!(visit.own.len() + visit.elsewhere.len(), 5 * 8);
        assert_eq!(visit.answer, None);
        own += visit.own.len();
        elsewhere += visit.elsewhere.len();
        emergencies += usize::from(visit.emergency);
    }
    // A tenth of the reads goes elsewhere; each such visit makes 20 of them at once, so that the
    // share of visits, a fifth, is what scatters. The first two minutes have no history.
    assert_eq!(elsewhere % 20, 0);
    assert!(near(elsewhere / 20, all.len(), 0.2), "{elsewhere} of {own}");
    assert!(near(emergencies, all.len(), 0.01), "{emergencies}");
}

#[test]
fn reads_find_what_earlier_visits_wrote() {
    let all = workload(visits(), "history");
    let mut written: BTreeMap<RecordId, (Time, NodeId, Arc<str>)> = BTreeMap::new();
    for (at, desk, visit) in &all {
        for (record, _) in &visit.resources {
            let entry = (*at, *desk, Arc::clone(&visit.patient));
            assert!(written.insert(*record, entry).is_none(), "{record} twice");
        }
        for record in &visit.own {
            let (_, place, patient) = &written[record];
            assert_eq!((place, patient), (desk, &visit.patient));
        }
        for record in &visit.elsewhere {
            let (then, place, patient) = &written[record];
            assert_ne!(place, desk);
            assert_eq!(patient, &visit.patient);
            assert!(*then + SETTLE <= *at, "not settled");
        }
    }
    // Records bear the number of their workload.
    let number = u64::from(terms().workload.0);
    assert!(written.keys().all(|r| r.0 >> 48 == number));
    assert_eq!(written.len(), all.len() * 8);
}

#[test]
fn patients_come_back_and_have_a_home() {
    let all = workload(visits(), "patients");
    let mut seen: BTreeSet<&Arc<str>> = BTreeSet::new();
    let mut again = 0;
    for (_, desk, visit) in &all {
        again += usize::from(!seen.insert(&visit.patient));
        let home = &visit.patient[..visit.patient.find('-').unwrap()];
        if visit.elsewhere.is_empty() && seen.len() < 10 {
            assert_eq!(home, format!("p{}", desk.0));
        }
    }
    // A fifth comes from elsewhere, half of the others comes back, and a few meet by chance.
    let share = again as f64 / all.len() as f64;
    assert!((0.57..=0.72).contains(&share), "{share}");
}

#[test]
fn sizes_have_their_median_and_99th_percentile() {
    let all = workload(visits(), "sizes");
    let mut sizes: Vec<u32> = Vec::new();
    for (_, _, visit) in &all {
        for (_, body) in &visit.resources {
            let Body::Synthetic { size, .. } = body else {
                panic!("{body:?}");
            };
            sizes.push(*size);
        }
    }
    sizes.sort_unstable();
    let quantile = |p: f64| f64::from(sizes[(p * sizes.len() as f64) as usize]);
    assert!(
        (quantile(0.5) / 900.0 - 1.0).abs() < 0.02,
        "{}",
        quantile(0.5)
    );
    assert!(
        (quantile(0.99) / 4_000.0 - 1.0).abs() < 0.05,
        "{}",
        quantile(0.99)
    );
}

#[test]
fn without_a_share_elsewhere_nobody_reads_there_and_with_all_of_it_whoever_can() {
    let none = VisitOptions {
        elsewhere: 0,
        ..visits()
    };
    assert!(
        workload(none, "none")
            .iter()
            .all(|(_, _, v)| v.elsewhere.is_empty())
    );
    let whole = VisitOptions {
        elsewhere: 1_000_000_000,
        emergency: 1_000_000_000,
        ..visits()
    };
    let all = workload(whole, "whole");
    assert!(all.iter().all(|(_, _, v)| v.emergency));
    let reading = all
        .iter()
        .filter(|(_, _, v)| v.elsewhere.len() == 40)
        .count();
    assert!(reading > all.len() * 9 / 10, "{reading} of {}", all.len());
}

#[test]
fn the_same_seed_gives_the_same_visits() {
    assert!(workload(visits(), "one") == workload(visits(), "one"));
    assert!(workload(visits(), "one") != workload(visits(), "other"));
}

#[test]
fn no_visit_writes_or_reads_more_than_its_limit() {
    let many = VisitOptions {
        resources: u32::MAX,
        reads_per_write: u32::MAX,
        ..visits()
    };
    let common = common(even([1_000_000_000 / 3; 3]), Span::from_secs(2));
    let config = VisitConfig {
        common,
        options: many,
    };
    let arrivals = all(&mut VisitWorkload::new(config, rng("many")));
    let Wish::Visit(visit) = &request(&arrivals[0]).wish else {
        panic!("a visit");
    };
    assert_eq!(
        (visit.resources.len(), visit.own.len()),
        (MAX_RECORDS, MAX_RECORDS)
    );
}

#[test]
fn without_places_or_a_source_of_instants_there_are_no_visits() {
    let mut nowhere = common(even([1_000_000_000; 3]), DAY);
    nowhere.places.clear();
    let recorded = common(Pace::Recorded(Spacing::Ranked), DAY);
    for common in [nowhere, recorded] {
        let options = visits();
        let config = VisitConfig { common, options };
        assert_eq!(all(&mut VisitWorkload::new(config, rng("none"))).len(), 0);
    }
}

#[test]
fn the_share_of_visits_follows_from_the_share_of_reads() {
    for (records, per_write, share, elsewhere, visits) in [
        (8, 5, 100_000_000, 20, 200_000_000),
        (8, 5, 800_000_000, 32, 1_000_000_000),
        (1, 1, 100_000_000, 1, 100_000_000),
        (8, 5, 0, 0, 0),
        (0, 5, 100_000_000, 0, 0),
    ] {
        let reads = Reads::new(records, per_write, share);
        let got = (reads.elsewhere, reads.visits(share));
        assert_eq!(got, (elsewhere, visits), "{records} {per_write} {share}");
    }
}
