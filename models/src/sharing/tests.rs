//! Histories with faults, drawn at random: whatever is lost, delayed or crashes, the rules hold,
//! and once it is over everybody has an answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::Honest;
use super::arbitrary::config;
use super::ids::{Grantee, RecordId};
use super::request::{Body, Change, Visit, Wish};
use super::testing::{Bench, OUTSIDER, SERVERS, STRANGER, desk_of, options};
use consim_core::{NodeId, OpEnd, OpId, Probe, Span, mix};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A patient comes: so many records are written, and as many earlier ones are read.
    Visit {
        desk: NodeId,
        patient: u8,
        records: u64,
        emergency: bool,
        answer: Option<bool>,
    },
    Consent {
        desk: NodeId,
        patient: u8,
        grantee: Grantee,
        change: Change,
    },
    Sweep,
    Crash(usize),
    /// A server gets no blocks until it is healed.
    Hold(usize),
    SlowDisk(usize),
    /// A share of the letters is lost.
    Loss(u8),
    Heal,
    Pass(u64),
}

fn desks() -> Vec<NodeId> {
    let own = (0..SERVERS).map(desk_of);
    own.chain([OUTSIDER, STRANGER]).collect()
}

fn step() -> impl Strategy<Value = Step> {
    let grantee = prop_oneof![
        Just(Grantee::Everyone),
        (0..SERVERS).prop_map(|i| Grantee::Institution(NodeId(i))),
    ];
    let change = prop_oneof![
        Just(Change::Grant(None)),
        Just(Change::Grant(Some(Span::from_secs(5)))),
        Just(Change::Deny),
        Just(Change::Revoke),
    ];
    let server = || 0..SERVERS as usize;
    prop_oneof![
        8 => (select(desks()), 0u8..3, 1u64..4, prop::bool::weighted(0.2), any::<Option<bool>>())
            .prop_map(|(desk, patient, records, emergency, answer)| Step::Visit {
                desk,
                patient,
                records,
                emergency,
                answer
            }),
        4 => (select(desks()), 0u8..3, grantee, change).prop_map(
            |(desk, patient, grantee, change)| Step::Consent {
                desk,
                patient,
                grantee,
                change
            }
        ),
        1 => Just(Step::Sweep),
        1 => server().prop_map(Step::Crash),
        1 => server().prop_map(Step::Hold),
        1 => server().prop_map(Step::SlowDisk),
        1 => (0u8..100).prop_map(Step::Loss),
        2 => Just(Step::Heal),
        6 => (1u64..12).prop_map(Step::Pass),
    ]
}

fn heal(bench: &mut Bench) {
    bench.lose = Box::new(|_| false);
    for i in 0..SERVERS as usize {
        bench.servers[i].held = false;
        bench.servers[i].slow_disk = false;
        if !bench.servers[i].up {
            // It reads its own disk first, which the service is not told.
            bench.catch_up(i, false);
            bench.restart(i);
        }
        bench.catch_up(i, true);
    }
}

/// What the history of a run has made.
#[derive(Default)]
struct Made {
    /// Records by patient.
    records: BTreeMap<u8, Vec<RecordId>>,
    next: u64,
    lossy: u64,
}

fn apply(bench: &mut Bench, made: &mut Made, step: &Step) {
    match *step {
        Step::Visit {
            desk,
            patient,
            records,
            emergency,
            answer,
        } => {
            let known = made.records.entry(patient).or_default();
            let elsewhere = known.iter().rev().take(records as usize).copied().collect();
            let new: Vec<RecordId> = (0..records).map(|i| RecordId(made.next + i)).collect();
            made.next += records;
            known.extend(&new);
            let body = |r: RecordId| Body::Synthetic {
                key: r.0,
                size: 100,
                kind: crate::sharing::ResourceType::Observation,
            };
            let visit = Visit {
                patient: format!("p{patient}").into(),
                emergency,
                resources: new.iter().map(|r| (*r, body(*r))).collect(),
                own: new,
                elsewhere,
                answer,
                purpose: crate::sharing::Purpose::Treatment,
                reader: crate::sharing::Reader::default(),
            };
            bench.wish(desk, Wish::Visit(visit));
        }
        Step::Consent {
            desk,
            patient,
            grantee,
            change,
        } => {
            let patient = format!("p{patient}").into();
            let wish = Wish::Consent {
                patient,
                grantee,
                change,
            };
            bench.wish(desk, wish);
        }
        Step::Sweep => bench.wish(desk_of(3), Wish::Sweep),
        Step::Crash(i) if bench.servers[i].up => bench.crash(i),
        Step::Crash(_) => {}
        Step::Hold(i) => bench.servers[i].held = true,
        Step::SlowDisk(i) => bench.servers[i].slow_disk = true,
        Step::Loss(percent) => {
            made.lossy += 1;
            let (key, mut letters) = (made.lossy, 0);
            bench.lose = Box::new(move |_| {
                letters += 1;
                mix(key, letters) % 100 < u64::from(percent)
            });
        }
        Step::Heal => heal(bench),
        Step::Pass(seconds) => bench.run(Span::from_secs(seconds)),
    }
}

/// How each operation ended.
fn ends(bench: &Bench) -> BTreeMap<OpId, Option<OpEnd>> {
    let mut ends = BTreeMap::new();
    for (_, _, probe) in &bench.probes {
        match probe {
            Probe::Asked { op, .. } => {
                assert!(ends.insert(*op, None).is_none(), "a name twice");
            }
            Probe::Ended { op, end, .. } => {
                let before = ends.insert(*op, Some(*end));
                assert_eq!(before, Some(None), "it ends once, after it began");
            }
            _ => {}
        }
    }
    ends
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..config() })]

    #[test]
    fn the_rules_hold_in_any_history_and_everybody_gets_an_answer(steps in vec(step(), 1..60)) {
        let mut bench = Bench::with(options(), |_| Box::new(Honest));
        // A server that is held hears of nothing for as long as the steps take: how old its state
        // may be is judged in check/tests.rs.
        bench.checks.retain(|check| check.name() != "fresh-decisions");
        for desk in desks() {
            bench.open_desk(desk);
        }
        let mut made = Made::default();
        for step in &steps {
            apply(&mut bench, &mut made, step);
        }
        heal(&mut bench);
        // Everything ends by itself within the patience of the desks.
        bench.run(Span::from_secs(600));
        for (op, end) in ends(&bench) {
            prop_assert!(end.is_some(), "operation {:x} is open", op.0);
        }
        for server in &bench.servers {
            prop_assert_eq!(server.service.open(), 0);
        }
        // A new day: without faults all is done at once. Whether the rules held, the bench asks its
        // checks when it is dropped.
        prop_assert!(bench.honest);
        let before = ends(&bench);
        let visit = Step::Visit {
            desk: desk_of(1),
            patient: 0,
            records: 1,
            emergency: true,
            answer: None,
        };
        apply(&mut bench, &mut made, &visit);
        bench.run(Span::from_secs(20));
        let mut new = ends(&bench);
        new.retain(|op, _| !before.contains_key(op));
        prop_assert!(new.len() >= 2);
        // The latest record of the patient may be one that never came to be.
        let done = |end: &Option<OpEnd>| matches!(end, Some(OpEnd::Done | OpEnd::Refused("unknown record")));
        prop_assert!(new.values().all(done), "{:?}", new);
    }
}
