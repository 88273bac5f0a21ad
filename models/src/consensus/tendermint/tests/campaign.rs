//! Random schedules of faults, all checks on.

use super::{cluster, settings};
use crate::consensus::pbft::tests::cases;
use crate::consensus::pbft::tests::cluster::{crash, cut, loss, ms, nodes, secs};
use consim_core::{Distribution, Span};
use consim_kernel::config::FaultWindow;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Blow {
    Crash(u32),
    Cut(u32),
    Loss(u32),
}

/// Members out of a bit mask, at least one.
fn members(mask: u32, n: u32) -> Vec<u32> {
    let some: Vec<u32> = (0..n).filter(|i| mask & (1 << i) != 0).collect();
    if some.is_empty() {
        vec![mask % n]
    } else {
        some
    }
}

fn blow() -> impl Strategy<Value = (Blow, u64, u64)> {
    let what = prop_oneof![
        4 => any::<u32>().prop_map(Blow::Crash),
        4 => any::<u32>().prop_map(Blow::Cut),
        1 => (5u32..100).prop_map(Blow::Loss),
    ];
    (what, 2_000u64..30_000, 100u64..10_000)
}

fn window((blow, from, length): &(Blow, u64, u64), n: u32) -> FaultWindow {
    let mut window = match blow {
        Blow::Crash(mask) => crash(nodes(&members(*mask, n)), 0, 0),
        Blow::Cut(mask) => cut(nodes(&members(*mask, n)), 0, 0),
        Blow::Loss(permille) => loss(n, *permille, 0, 0),
    };
    window.from = secs(0) + ms(*from);
    window.to = window.from + ms(*length);
    window
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn whatever_breaks_and_heals_the_group_stays_one_and_goes_on(
        n in 4u32..9,
        seed in any::<u64>(),
        setting in 0usize..4,
        blows in proptest::collection::vec(blow(), 1..5),
        fsync in prop_oneof![Just(1u64), Just(20), Just(80)],
        datagrams in any::<bool>(),
        wait in prop_oneof![Just(0u64), Just(100)],
    ) {
        let mut cluster = cluster(n, seed, settings()[setting]);
        cluster.faults = blows.iter().map(|blow| window(blow, n)).collect();
        cluster.fsync = Distribution::LogNormal { median: ms(fsync), p99: ms(4 * fsync) };
        cluster.link.stream = !datagrams;
        cluster.block.wait = ms(wait);
        cluster.load = (secs(0), secs(45));
        cluster.end = secs(120);
        cluster.bound = Span::from_secs(60);
        let outcome = cluster.run();
        let violations = outcome.violations();
        prop_assert!(violations.is_empty(), "{:#?}", violations);
        prop_assert_eq!(outcome.seen.duplicates, 0);
        prop_assert!(outcome.seen.applied.len() > 50 * n as usize);
    }
}
