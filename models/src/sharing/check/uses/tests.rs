#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_cmp
)]

use super::*;
use crate::sharing::testing::{Bench, desk_of, grant, members, read, register, revoke};
use consim_core::OpId;

fn granted() -> Bench {
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(0), 2, grant("ann", 1));
    bench.asked(desk_of(1), 1, read(7));
    bench
}
/// What is counted of all that happened, and of the attack 3, whose reads are these operations.
fn counted(bench: &Bench, deed: Deed, pried: &[OpId]) -> (Vec<f64>, BTreeMap<String, f64>) {
    let mut uses = Uses::new(&members(), [(3, deed)]);
    for &op in pried {
        let record = crate::sharing::RecordId(7);
        let attack = 3;
        let pried = SharingProbe::Pried { attack, op, record };
        uses.probe(Time::ZERO, desk_of(1), &pried.probe());
    }
    for (at, node, probe) in &bench.probes {
        uses.probe(*at, *node, probe);
    }
    let metrics = uses.metrics().into_iter().map(|(_, value)| value);
    (metrics.collect(), uses.figures(3))
}

#[test]
fn nothing_is_told_where_nothing_was_taken_back() {
    let bench = granted();
    assert!(counted(&bench, Deed::StaleConsent, &[]).0.is_empty());
}

#[test]
fn a_record_that_leaves_in_time_is_no_stale_use() {
    let mut bench = granted();
    bench.asked(desk_of(0), 3, revoke("ann", 1));
    bench.asked(desk_of(1), 2, read(7));
    assert_eq!(counted(&bench, Deed::StaleConsent, &[]).0, [0.0; 3]);
}

#[test]
fn a_race_is_a_stale_use_before_the_block() {
    let mut bench = granted();
    bench.ask(desk_of(1), 2, read(7));
    bench.ask(desk_of(0), 3, revoke("ann", 1));
    bench.pool.reverse();
    bench.block();
    let op = crate::sharing::testing::op_of(desk_of(1), 2);
    for deed in [Deed::StaleConsent, Deed::RevokeRace] {
        let (all, attack) = counted(&bench, deed, &[op]);
        assert_eq!(all, [1.0, 1.0, 0.0]);
        assert_eq!(attack["stale_consent_uses"], 1.0);
        let (_, others) = counted(&bench, deed, &[]);
        assert_eq!(others["stale_consent_uses"], 0.0);
    }
}

#[test]
fn a_provider_that_is_behind_uses_what_was_taken_back_since() {
    let mut bench = granted();
    bench.ask(desk_of(1), 2, read(7));
    // The entry is ordered while the grant holds, and its provider learns of it late.
    bench.servers[0].held = true;
    bench.block();
    bench.asked(desk_of(2), 1, revoke("ann", 1));
    bench.block();
    bench.block();
    bench.servers[0].held = false;
    bench.catch_up(0, true);
    bench.settle();
    let op = crate::sharing::testing::op_of(desk_of(1), 2);
    let (all, attack) = counted(&bench, Deed::RevokeRace, &[op]);
    assert_eq!(all, [1.0, 0.0, 2_000.0]);
    assert_eq!(attack["stale_consent_uses"], 0.0, "it was no race");
    let (_, attack) = counted(&bench, Deed::StaleConsent, &[op]);
    assert_eq!(attack["stale_consent_uses"], 1.0);
    assert_eq!(attack["time_to_refuse"], 2_000.0);
}
