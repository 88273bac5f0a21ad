#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::command::Deed;
use super::machine::{
    ENDED, KNOWN, NOT_ALLOWED, NOT_HOLDER, NOT_OFFERED, ON_ITS_WAY, UNKNOWN as NEVER,
};
use super::probe::CustodyProbe;
use super::unit::{TOTALS, unit_key};
use super::*;
use crate::orders::message::read;
use crate::orders::testing::{Chain, both_ways, common};
use crate::orders::{Request, Wish as _};
use consim_core::{NodeId, Observer, Receipt, Streams, Time, Workload};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const MEMBERS: [NodeId; 3] = [NodeId(0), NodeId(1), NodeId(2)];

fn machine() -> Arc<CustodyMachine> {
    Arc::new(CustodyMachine::new(MEMBERS.into()))
}
fn chain() -> Chain {
    Chain::new(machine(), checks())
}
fn on(unit: u64, deed: Deed) -> Command {
    Command::Unit { unit, deed }
}
fn to(member: u32) -> Deed {
    Deed::HandOver { to: NodeId(member) }
}
fn held(by: u32, offered: Option<u32>) -> Life {
    Life::Held {
        holder: NodeId(by),
        offered: offered.map(NodeId),
    }
}
fn traced(unit: u64, life: Option<Life>, height: u64) -> consim_core::Probe {
    CustodyProbe::Traced { unit, life, height }.probe()
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        Just(Deed::Commission),
        (0u32..4).prop_map(to),
        Just(Deed::Accept),
        Just(Deed::Withdraw),
        Just(Deed::Dispense),
        Just(Deed::Decommission),
        Just(Deed::Trace),
    ]
}
fn any_life() -> impl Strategy<Value = Life> {
    prop_oneof![
        (any::<u32>(), prop::option::of(any::<u32>())).prop_map(|(by, to)| held(by, to)),
        Just(Life::Dispensed),
        Just(Life::Decommissioned),
    ]
}

proptest! {
    #[test]
    fn messages_are_read_as_they_were_written(unit in any::<u64>(), deed in any_deed(), life in prop::option::of(any_life()), n in any::<u64>()) {
        both_ways(&on(unit, deed), &Said::Traced(life));
        let totals = Totals { commissioned: n, held: unit, dispensed: 1, decommissioned: 2 };
        both_ways(&Command::Count, &Said::Counted(totals));
        both_ways(&on(unit, deed), &Said::Done);
    }

    #[test]
    fn malformed_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = Message::decode(&bytes);
        let _ = Request::<Command>::decode(&bytes);
    }

    /// Whatever is tried, the machine keeps to what the checks ask, which know it not.
    #[test]
    fn the_machine_keeps_its_own_rules(tries in prop::collection::vec((0u32..4, 0u64..3, any_deed()), 0..60)) {
        let mut chain = chain();
        for (who, unit, deed) in tries {
            chain.block(&[(who, on(unit, deed))]);
            let height = chain.height();
            let life = read(chain.state().get(&unit_key(unit)).as_deref());
            let totals = read(chain.state().get(TOTALS).as_deref()).unwrap_or_default();
            chain.see(&traced(unit, life, height));
            chain.see(&CustodyProbe::Counted { totals, height }.probe());
        }
        prop_assert_eq!(chain.verdicts().0, Vec::<&str>::new());
    }
}

#[test]
fn a_unit_goes_from_hand_to_hand_and_ends_once() {
    use Receipt::{Applied, Refused};
    let mut chain = chain();
    let mut step = |who: u32, deed: Deed, expected: Receipt| {
        assert_eq!(
            chain.block(&[(who, on(9, deed))]),
            [expected],
            "{who} {deed:?}"
        );
    };
    step(0, Deed::Dispense, Refused(NEVER));
    step(3, Deed::Commission, Refused(NOT_ALLOWED));
    step(0, Deed::Commission, Applied);
    step(1, Deed::Commission, Refused(KNOWN));
    step(1, to(2), Refused(NOT_HOLDER));
    step(1, Deed::Accept, Refused(NOT_OFFERED));
    step(0, to(0), Refused(NOT_ALLOWED));
    step(0, to(3), Refused(NOT_ALLOWED));
    step(0, Deed::Withdraw, Refused(NOT_OFFERED));
    step(0, to(1), Applied);
    step(0, to(2), Refused(ON_ITS_WAY));
    step(0, Deed::Dispense, Refused(ON_ITS_WAY));
    step(2, Deed::Accept, Refused(NOT_OFFERED));
    step(0, Deed::Withdraw, Applied);
    step(1, Deed::Accept, Refused(NOT_OFFERED));
    step(0, to(1), Applied);
    step(1, Deed::Accept, Applied);
    step(0, to(2), Refused(NOT_HOLDER));
    step(1, Deed::Dispense, Applied);
    for deed in [Deed::Dispense, Deed::Decommission, to(2), Deed::Accept] {
        step(1, deed, Refused(ENDED));
    }
    step(1, Deed::Commission, Refused(KNOWN));
    let totals: Totals = read(chain.state().get(TOTALS).as_deref()).unwrap();
    assert_eq!(
        (totals.commissioned, totals.held, totals.dispensed),
        (1, 0, 1)
    );
}

/// Takes everything for right.
struct Gullible;
impl consim_core::StateMachine for Gullible {
    fn name(&self) -> &'static str {
        "gullible"
    }
    fn genesis(&self, _: &mut dyn consim_core::State) {}
    fn apply(
        &self,
        _: &mut dyn consim_core::State,
        _: &consim_core::Tx,
        _: consim_core::machine::ApplyAt,
    ) -> Receipt {
        Receipt::Applied
    }
}

/// What happens, and which checks notice.
type Case<'a> = (&'a [(u32, Deed)], &'a [&'a str]);

#[test]
fn each_check_notices_what_it_is_for() {
    let single = "single-custody";
    let serial = "serial-uniqueness";
    let cases: [Case<'_>; 10] = [
        (&[(0, Deed::Commission), (0, to(1)), (1, Deed::Accept)], &[]),
        (
            &[(0, Deed::Commission), (0, to(1)), (0, Deed::Withdraw)],
            &[],
        ),
        (&[(0, Deed::Commission), (1, to(2))], &[single]),
        (&[(0, Deed::Commission), (1, Deed::Accept)], &[single]),
        (
            &[(0, Deed::Commission), (0, to(1)), (2, Deed::Accept)],
            &[single],
        ),
        (&[(0, Deed::Commission), (0, Deed::Withdraw)], &[single]),
        (&[(0, Deed::Commission), (1, Deed::Dispense)], &[single]),
        (
            &[(0, Deed::Commission), (1, Deed::Commission)],
            &[single, serial],
        ),
        (
            &[
                (0, Deed::Commission),
                (0, Deed::Dispense),
                (0, Deed::Decommission),
            ],
            &[single, serial],
        ),
        (&[(0, to(1))], &[single, serial]),
    ];
    for (deeds, expected) in cases {
        let mut chain = Chain::new(Arc::new(Gullible), checks());
        for &(who, deed) in deeds {
            chain.block(&[(who, on(5, deed))]);
        }
        assert_eq!(chain.verdicts().0, expected, "{deeds:?}");
        assert_eq!(chain.verdicts().1, ["conservation"]);
    }
}

#[test]
fn a_server_that_tells_something_else_is_noticed() {
    let there = |commissioned, held, dispensed| Totals {
        commissioned,
        held,
        dispensed,
        decommissioned: 0,
    };
    let cases = [
        (traced(5, Some(held(0, Some(1))), 2), None),
        (traced(5, Some(held(0, None)), 1), None),
        (traced(5, None, 0), None),
        (traced(6, None, 3), None),
        (traced(5, Some(held(1, None)), 3), None),
        (traced(5, Some(held(0, None)), 3), Some("single-custody")),
        (traced(5, None, 3), Some("single-custody")),
        (traced(6, Some(held(0, None)), 3), Some("single-custody")),
        (traced(5, Some(Life::Dispensed), 3), Some("single-custody")),
        // A height that nobody reached.
        (traced(5, Some(held(1, None)), 9), Some("single-custody")),
    ];
    let counts = [
        (there(1, 1, 0), 3, None),
        (there(0, 0, 0), 0, None),
        (there(1, 0, 0), 3, Some("conservation")),
        (there(1, 0, 1), 3, Some("conservation")),
        (there(2, 2, 0), 3, Some("conservation")),
    ];
    let counts = counts
        .map(|(totals, height, fails)| (CustodyProbe::Counted { totals, height }.probe(), fails));
    for (probe, fails) in cases.into_iter().chain(counts) {
        let mut chain = chain();
        chain.block(&[(0, on(5, Deed::Commission))]);
        chain.block(&[(0, on(5, to(1)))]);
        chain.block(&[(1, on(5, Deed::Accept))]);
        chain.see(&probe);
        assert_eq!(chain.verdicts().0, Vec::from_iter(fails), "{probe:?}");
    }
}

/// Each wish of a workload, with the node of its client.
fn wishes(options: MovementOptions, n: usize) -> Vec<(u32, Time, Command)> {
    let rng = Streams::new(4).stream("movements");
    let mut workload = MovementWorkload::new(&common(), options, rng);
    let arrivals = std::iter::from_fn(|| workload.next()).take(n);
    arrivals
        .map(|arrival| {
            let request: &Request<Command> = arrival.request.as_any().downcast_ref().unwrap();
            (arrival.node.0 - 10, arrival.at, request.wish)
        })
        .collect()
}

#[test]
fn honest_users_are_hardly_ever_refused_and_conflicts_are_all() {
    let run = |conflicts| {
        let options = MovementOptions {
            conflicts,
            queries: 200_000_000,
        };
        let mut chain = chain();
        let mut summary = Summary::new();
        let mut names: BTreeMap<&str, u64> = BTreeMap::new();
        let mut before = Time::ZERO;
        let mut refused = 0;
        for (who, at, wish) in wishes(options, 6_000) {
            assert!(at >= before);
            before = at;
            *names.entry(wish.name()).or_default() += 1;
            let receipts = chain.block(&[(who, wish)]);
            refused += u64::from(matches!(receipts[..], [Receipt::Refused(_)]));
        }
        assert_eq!(chain.verdicts().0, Vec::<&str>::new());
        summary.probe(Time::ZERO, NodeId(0), &traced(1, None, 0));
        assert!(
            summary
                .rows()
                .contains(&("units looked up".into(), "1".into()))
        );
        (names, refused)
    };
    let (names, refused) = run(0);
    assert_eq!(refused, 0, "{names:?}");
    for name in [
        "commission",
        "hand-over",
        "accept",
        "dispense",
        "decommission",
        "trace",
        "count",
    ] {
        assert!(names[name] > 20, "{names:?}");
    }
    let share = (names["trace"] + names["count"]) as f64 / 6_000.0;
    assert!((share - 0.2).abs() < 0.02, "{share}");
    let (names, refused) = run(200_000_000);
    assert!(
        names["withdraw"] > 20 && refused > 400,
        "{names:?} {refused}"
    );
}
