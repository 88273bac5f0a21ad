//! The records that ship with the scenario.

use super::super::date::moment;
use super::*;
use consim_core::rng::Streams;
use consim_core::{NodeId, Span, Time, Workload, WorkloadId};
use consim_models::sharing::config::VisitOptions;
use consim_models::sharing::request::{Request, Wish};
use consim_models::sharing::workload::{VisitConfig, VisitWorkload};
use consim_models::workload::{Common, Day, Pace, Place, Spacing, Terms};

fn shipped() -> Source {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/fhir-alliance");
    read(&dir, &Limits::default()).unwrap()
}

#[test]
fn the_shipped_records_are_what_their_readme_says() {
    let source = shipped();
    let records = &source.records;
    // 404 resources: 12 organisations and 12 practitioners are no records, and one consent does
    // not hold; besides them a defective entry and a file that is not FHIR.
    assert_eq!((source.taken, source.skipped), (404 - 24 - 1, 24 + 1 + 2));
    assert_eq!((records.visits.len(), records.patients), (45, 16));
    assert_eq!(records.patients_without_consent, 5);
    assert_eq!(
        records
            .visits
            .iter()
            .filter(|visit| visit.emergency)
            .count(),
        1
    );
    assert!(records.visits.iter().all(|visit| visit.provider.is_some()));
    assert!(records.visits.is_sorted_by_key(|visit| visit.at_ns));
    let records_of_visits: usize = records
        .visits
        .iter()
        .map(|visit| visit.resources.len())
        .sum();
    assert_eq!(records_of_visits, 404 - 24 - 16 - 13);
    let (first, last) = ("2025-09-03T09:10:00+08:00", "2026-02-17T10:40:00+08:00");
    let at = |text| moment(text).unwrap().first_ns;
    assert_eq!(records.visits.first().unwrap().at_ns, at(first));
    assert_eq!(records.visits.last().unwrap().at_ns, at(last));
}

#[test]
fn the_shipped_records_show_what_is_told_and_left_out() {
    let mut notes = shipped().notes;
    notes.sort();
    assert_eq!(
        notes,
        [
            "organizations.json: $.entry[0].resource: Organization: no patient's record (12 times in all)",
            "organizations.json: $.entry[12].resource: Practitioner: no patient's record (12 times in all)",
            "patients/guo-zhenhua.json: $.entry[26].resource.status: Consent: inactive, not active",
            "patients/he-zhigang.json: $.entry[37].resource.provision.provision[0]: narrower than this model (actor): permits nothing",
            "patients/luo-minyi.json: $.entry[33].resource.provision.provision[0].securityLabel: narrower than this model (securityLabel): denied as a whole",
            "patients/wu-jianfeng.json: $.entry[9].resource: no resourceType: this is not FHIR",
            "single/shift-plan.json: $: no resourceType: this is not FHIR",
        ]
    );
}

#[test]
fn the_shipped_consents_are_words() {
    let source = shipped();
    let visits = source.records.visits.iter();
    // The patients of bundles are called by their long ids; here by the order of their first visit.
    let mut order: Vec<&str> = Vec::new();
    for visit in visits {
        if !order.contains(&&*visit.patient) {
            order.push(&visit.patient);
        }
    }
    let mut words: Vec<(usize, bool, Option<&str>, Option<i64>)> = source
        .records
        .consents
        .iter()
        .map(|word| {
            let number = order.iter().position(|who| **who == *word.patient).unwrap();
            let days = word
                .period
                .map(|(from, to)| (to - from) / 86_400_000_000_000);
            (number, word.permit, word.organisation.as_deref(), days)
        })
        .collect();
    words.sort_unstable();
    let (dongguan, lakeside) = (Some("dongguan-riverbank"), Some("lakeside"));
    let expected = [
        // Chen Meilin.
        (0, true, None, None),
        // Cai Wanyi, by the later of two.
        (1, false, None, None),
        (1, true, None, None),
        // Huang Guoqiang.
        (2, true, None, Some(365)),
        // Li Suqin.
        (4, false, None, None),
        (4, true, lakeside, None),
        // Luo Minyi.
        (6, false, None, None),
        // Wu Jianfeng.
        (8, false, dongguan, None),
        (8, true, None, None),
        // Feng Xiulan.
        (9, true, None, None),
        // Zhou Lihua.
        (10, false, None, None),
        // He Zhigang.
        (12, false, None, None),
        (12, false, lakeside, None),
        // Lin Haoran.
        (13, true, None, Some(444)),
        // Xu Tianyu.
        (15, false, None, None),
        (15, true, Some("kapok-garden"), Some(399)),
        (15, true, lakeside, Some(399)),
    ];
    assert_eq!(words, expected);
}

#[test]
fn the_shipped_records_make_doctors_ask_other_institutions() {
    let place = |i| Place {
        desk: NodeId(100 + i),
        server: NodeId(i),
    };
    let end = Time::ZERO + Span::from_secs(1800);
    let common = Common {
        terms: Terms {
            workload: WorkloadId(0),
            deadline: None,
            retry_after: Span::from_secs(2),
            retry_times: 3,
        },
        // The hospitals of the scenario: a tertiary, four secondary, fifteen community ones.
        places: (0..20).map(place).collect(),
        pace: Pace::Recorded(Spacing::Ranked),
        day: Day::flat(),
        from: Time::ZERO,
        to: end,
    };
    let options = VisitOptions {
        reads_per_write: 5,
        resources: 8,
        elsewhere: 100_000_000,
        emergency: 0,
        size_median: 800,
        size_p99: 4_000,
        records: Some(Arc::new(shipped().records)),
        panel: 1,
        readers: consim_models::sharing::config::ReaderOptions::default(),
    };
    let config = VisitConfig { common, options };
    let mut workload = VisitWorkload::new(config, Streams::new(7).stream("visits"));
    let (mut visits, mut consents, mut elsewhere, mut emergencies) = (0, 0, 0, 0);
    let mut answers: Vec<Option<bool>> = Vec::new();
    let mut last = Time::ZERO;
    while let Some(arrival) = workload.next() {
        assert!(last <= arrival.at && arrival.at < end);
        last = arrival.at;
        match &arrival
            .request
            .as_any()
            .downcast_ref::<Request>()
            .unwrap()
            .wish
        {
            Wish::Visit(visit) => {
                visits += 1;
                emergencies += u32::from(visit.emergency);
                if !visit.elsewhere.is_empty() {
                    elsewhere += 1;
                    answers.push(visit.answer);
                }
            }
            Wish::Consent { .. } => consents += 1,
            other => panic!("{other:?}"),
        }
    }
    // No institution stands for two organisations here, so that every word is submitted.
    assert_eq!((visits, consents, emergencies), (45, 17, 1));
    // Doctors look elsewhere, and meet a yes, a no, and patients who have to be asked.
    assert!(elsewhere >= 20, "{elsewhere} visits read elsewhere");
    for answer in [Some(true), Some(false), None] {
        assert!(answers.contains(&answer), "nobody answers {answer:?}");
    }
}
