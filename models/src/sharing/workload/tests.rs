#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::config::{ConsentOptions, VisitOptions};
use crate::sharing::records::{RecordSet, RecordedResource, RecordedVisit};
use crate::sharing::request::Request;
use crate::sharing::testing::{desk_of, terms};
use crate::workload::{Common, Day, Pace, Spacing};
use consim_core::{Arrival, NodeId, Span, Streams, Time, Workload};

pub(super) fn rng(label: &str) -> ChaCha12Rng {
    Streams::new(11).stream(label)
}

/// Three hospitals over a window, at a rate of each per 10^9 s.
pub(super) fn common(pace: Pace, window: Span) -> Common {
    let place = |i| Place {
        desk: desk_of(i),
        server: NodeId(i),
    };
    Common {
        terms: terms(),
        places: (0..3).map(place).collect(),
        pace,
        day: Day::flat(),
        from: Time::ZERO + Span::from_secs(10),
        to: Time::ZERO + Span::from_secs(10) + window,
    }
}

pub(super) fn even(rates: [u64; 3]) -> Pace {
    Pace::Rates {
        rates: rates.to_vec(),
        even: true,
    }
}

pub(super) fn visits() -> VisitOptions {
    VisitOptions {
        reads_per_write: 5,
        resources: 8,
        elsewhere: 100_000_000,
        emergency: 10_000_000,
        size_median: 900,
        size_p99: 4_000,
        records: None,
        panel: PANEL,
        readers: crate::sharing::config::ReaderOptions::default(),
    }
}

/// Everything that a workload asks for.
pub(super) fn all(workload: &mut dyn Workload) -> Vec<Arrival> {
    std::iter::from_fn(|| workload.next()).collect()
}

pub(super) fn request(arrival: &Arrival) -> &Request {
    arrival.request.as_any().downcast_ref().unwrap()
}

fn recorded() -> RecordSet {
    let resource = RecordedResource {
        kind: "Observation".into(),
        id: "o".into(),
        body: b"{}"[..].into(),
    };
    let visit = RecordedVisit {
        patient: "ann".into(),
        at_ns: 0,
        provider: None,
        emergency: false,
        resources: vec![resource],
    };
    RecordSet {
        visits: vec![visit],
        patients: 1,
        ..RecordSet::default()
    }
}

#[test]
fn every_workload_passes_its_terms_on() {
    let rates = common(even([1_000_000_000; 3]), Span::from_secs(30));
    let replay = common(Pace::Recorded(Spacing::Ranked), Span::from_secs(30));
    let visit = |common: &Common, options| {
        VisitWorkload::new(
            VisitConfig {
                common: common.clone(),
                options,
            },
            rng("visits"),
        )
    };
    let third = 333_333_333;
    let shares = ConsentOptions {
        delegate: 0,
        guardian: 0,
        grant: third,
        deny: third,
        revoke: third,
        panel: PANEL,
    };
    let records = Some(Arc::new(recorded()));
    let recorded = VisitOptions {
        records,
        ..visits()
    };
    let workloads: [Box<dyn Workload>; 4] = [
        Box::new(visit(&rates, visits())),
        Box::new(visit(&replay, recorded)),
        Box::new(ConsentWorkload::new(&rates, shares, rng("consents"))),
        Box::new(AuditWorkload::new(&rates, rng("audits"))),
    ];
    for (number, mut workload) in workloads.into_iter().enumerate() {
        let arrivals = all(&mut *workload);
        assert!(!arrivals.is_empty(), "workload {number}");
        for arrival in &arrivals {
            assert_eq!(request(arrival).terms, terms(), "workload {number}");
        }
    }
}
