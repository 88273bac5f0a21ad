#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::ids::RecordId;
use crate::sharing::message::{Answer, Ask};
use crate::sharing::request::{Visit, Wish};
use crate::sharing::testing::{
    Bench, STRANGER, desk_of, grant, read, register, revoke, urgent_read,
};
use consim_core::Span;

#[test]
fn a_report_counts_what_happened() {
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(0), 2, read(7));
    bench.asked(desk_of(0), 3, read(7));
    bench.asked(desk_of(1), 1, read(7));
    bench.asked(desk_of(2), 1, grant("ann", 2));
    bench.asked(desk_of(2), 2, read(7));
    bench.asked(desk_of(2), 3, revoke("ann", 2));
    bench.asked(desk_of(2), 4, read(7));
    bench.asked(desk_of(1), 2, urgent_read(7));
    bench.asked(STRANGER, 1, read(7));
    bench.block();
    bench.open_desk(desk_of(1));
    for answer in [None, Some(false)] {
        let visit = Visit {
            patient: "bob".into(),
            emergency: false,
            resources: Vec::new(),
            own: Vec::new(),
            elsewhere: vec![RecordId(7)],
            answer,
            purpose: crate::sharing::Purpose::Treatment,
            reader: crate::sharing::Reader::default(),
        };
        bench.wish(desk_of(1), Wish::Visit(visit));
        bench.run(Span::from_secs(10));
    }
    let swept = bench.asked(desk_of(3), 1, Ask::Sweep);
    assert!(matches!(swept, Answer::Swept(_)));

    let mut summary = Summary::new();
    for (at, node, probe) in &bench.probes {
        summary.probe(*at, *node, probe);
    }
    let rows = summary.rows();
    let told: Vec<(&str, &str)> = rows.iter().map(|(l, v)| (&**l, &**v)).collect();
    assert_eq!(
        told,
        [
            ("reads of own records permitted", "2"),
            ("reads elsewhere permitted by a grant", "1"),
            ("reads elsewhere permitted in an emergency", "1"),
            ("reads refused: grant revoked", "1"),
            ("reads refused: no grant", "3"),
            ("requests granted by a recorded consent", "0"),
            ("requests refused by a recorded consent", "1"),
            ("requests granted by the default policy", "1"),
            ("requests refused by the default policy", "0"),
            ("standing grants", "1"),
            ("standing denials", "0"),
            ("revocations", "1"),
            ("refusals of the unauthenticated", "1"),
            ("refusals not audited: too many at once", "0"),
            ("records received", "4"),
            ("records received that were not what was registered", "0"),
            ("audit readings", "1"),
            ("audit entries read", "9"),
            ("audit entries without proof", "0"),
        ]
    );
}
