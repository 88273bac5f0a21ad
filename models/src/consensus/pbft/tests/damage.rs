//! Disks that are damaged: what is lost is fetched from the others or written again, what was
//! promised is not broken, and nothing wrong is believed.

use super::cluster::{Cluster, Outcome, Outside, crash, nodes, secs, window};
use consim_core::{NodeId, Span, Verdict};
use consim_kernel::config::{
    BitRot, DiskFull, During, FaultKind, FaultWindow, Lie, LyingFsync, Misdirect, Rollback,
    ThenFull, TornWrite,
};

const VICTIM: u32 = 3;
const ALL: u32 = 1_000_000_000;

fn victim() -> consim_kernel::config::Target {
    nodes(&[VICTIM])
}
fn rot(during: During, rate_ppb: u32) -> FaultKind {
    FaultKind::BitRot(BitRot {
        target: victim(),
        during,
        rate_ppb,
        keep_one: true,
    })
}
fn misdirect(during: During, rate_ppb: u32) -> FaultKind {
    FaultKind::Misdirect(Misdirect {
        target: victim(),
        during,
        rate_ppb,
        keep_one: true,
    })
}

/// Four nodes and two clients.
fn cluster(seed: u64) -> Cluster {
    Cluster {
        outside: Some(Outside::new(4)),
        ..Cluster::new(4, seed)
    }
}

/// What the victim found damaged, and whether it may have forgotten a promise.
fn damage(outcome: &Outcome) -> (u64, bool) {
    let found = outcome.seen.damage.get(&NodeId(VICTIM));
    let found = found.map(Vec::as_slice).unwrap_or_default();
    let records = found.iter().map(|f| f.0).sum();
    (records, found.iter().any(|f| f.1))
}
/// With this fault, unless it is nothing.
fn with(cluster: Cluster, fault: Option<FaultWindow>) -> Cluster {
    match fault {
        Some(fault) => cluster.fault(fault),
        None => cluster,
    }
}
fn fetched(outcome: &Outcome) -> u64 {
    let fetched = &outcome.seen.fetched;
    fetched.get(&NodeId(VICTIM)).copied().unwrap_or(0)
}
/// It stands where the others stand.
fn caught_up(outcome: &Outcome) {
    let heights: Vec<u64> = outcome.seen.heights.values().copied().collect();
    assert!(heights.windows(2).all(|w| w[0] == w[1]), "{heights:?}");
}

#[test]
fn a_rotten_log_is_cut_off_and_fetched_from_the_others() {
    let run = |rate: Option<u32>| {
        let rot = rate.map(|rate| window("rot", 17, 19, rot(During::Read, rate)));
        with(cluster(1).fault(crash(victim(), 15, 18)), rot).run()
    };
    let (plain, rotten) = (run(None), run(Some(ALL / 20)));
    assert_eq!(damage(&plain), (0, false));
    assert!(damage(&rotten).0 > 0);
    // It came back lower, and fetched what it lacked.
    let back = |outcome: &Outcome| outcome.seen.back[&NodeId(VICTIM)][0];
    assert!(back(&rotten) < back(&plain));
    let taken = rotten.seen.taken.contains_key(&NodeId(VICTIM));
    assert!(fetched(&rotten) > fetched(&plain) || taken);
    for (outcome, name) in [(&plain, "plain"), (&rotten, "rotten")] {
        outcome.assert_good(name);
        caught_up(outcome);
        assert_eq!(outcome.verdict("durability"), Verdict::Pass, "{name}");
    }
    assert!(!plain.findings.contains_key("repair"), "nothing to repair");
    assert_eq!(rotten.verdict("repair"), Verdict::Pass);
}

#[test]
fn what_rots_under_a_node_that_is_up_is_written_again_from_memory() {
    for kind in [
        rot(During::Write, ALL / 5),
        misdirect(During::Write, ALL / 5),
    ] {
        let outcome = cluster(2).fault(window("rot", 10, 20, kind)).run();
        outcome.assert_good("up");
        let (records, forgotten) = damage(&outcome);
        assert!(records > 20 && !forgotten);
        assert_eq!(fetched(&outcome), 0, "it had all of it in memory");
        assert_eq!(outcome.verdict("repair"), Verdict::Pass);
        assert_eq!(outcome.verdict("durability"), Verdict::Pass);
    }
}

#[test]
fn a_replica_whose_votes_are_damaged_signs_none_that_could_contradict_them() {
    for (seed, kind) in [
        (3, rot(During::Read, ALL)),
        (4, rot(During::Read, ALL / 3)),
        (5, misdirect(During::Read, ALL / 2)),
    ] {
        let outcome = cluster(seed)
            .fault(crash(victim(), 15, 18))
            .fault(window("rot", 17, 19, kind))
            // And it goes down again while it is silent.
            .fault(crash(victim(), 21, 22))
            .run();
        let (records, forgotten) = damage(&outcome);
        assert!(records > 5 && forgotten, "{records}");
        outcome.assert_ordered_once("forgotten");
        for check in [
            "agreement",
            "no-double-signing",
            "equal-state-roots",
            "repair",
            "durability",
        ] {
            assert_eq!(outcome.verdict(check), Verdict::Pass, "{check} {seed}");
        }
        caught_up(&outcome);
    }
}

#[test]
fn a_torn_tail_is_cut_off_and_what_it_was_is_fetched() {
    let run = |share: Option<u32>| {
        let kind = share.map(|share_ppb| {
            FaultKind::TornWrite(TornWrite {
                target: victim(),
                sector: 64,
                share_ppb,
            })
        });
        let mut cluster = with(cluster(6), kind.map(|kind| window("torn", 5, 35, kind)));
        // Slow fsyncs, so that a crash finds one under way.
        cluster.fsync = consim_core::Distribution::Constant(Span::from_millis(40));
        for at in [8, 13, 18, 23] {
            cluster = cluster.fault(crash(victim(), at, at + 2));
        }
        cluster.run()
    };
    let (plain, torn) = (run(None), run(Some(ALL)));
    assert_eq!(damage(&plain).0, 0);
    assert!(damage(&torn).0 > 0 && torn.effects[0] > 0);
    for outcome in [&plain, &torn] {
        outcome.assert_good("torn");
        caught_up(outcome);
    }
    assert_eq!(torn.verdict("repair"), Verdict::Pass);
}

#[test]
fn an_fsync_that_lies_loses_blocks_that_the_others_still_have() {
    let run = |lies: bool| {
        let kind = FaultKind::LyingFsync(LyingFsync {
            target: victim(),
            how: Lie::Silent,
            rate_ppb: ALL,
            keep_one: true,
        });
        let liar = lies.then(|| window("liar", 10, 16, kind));
        with(cluster(7), liar).fault(crash(victim(), 15, 18)).run()
    };
    let (honest, liar) = (run(false), run(true));
    let back = |outcome: &Outcome| outcome.seen.back[&NodeId(VICTIM)][0];
    assert!(back(&liar) + 30 < back(&honest), "five seconds are gone");
    assert!(liar.effects[0] > 100);
    for check in [
        "agreement",
        "equal-state-roots",
        "durability",
        "convergence",
    ] {
        assert_eq!(liar.verdict(check), Verdict::Pass, "{check}");
    }
    caught_up(&liar);
    honest.assert_good("honest");
}

#[test]
fn a_volume_that_was_rolled_back_is_known_to_be_old_and_caught_up() {
    let run = |age| {
        let kind = FaultKind::Rollback(Rollback {
            target: victim(),
            age: Span::from_secs(age),
            keep_one: true,
        });
        cluster(8).fault(window("rollback", 15, 18, kind)).run()
    };
    let (old, fresh) = (run(8), run(0));
    let back = |outcome: &Outcome| outcome.seen.back[&NodeId(VICTIM)][0];
    assert!(back(&old) + 50 < back(&fresh));
    assert!(old.effects[0] > fresh.effects[0]);
    assert_eq!(
        damage(&old),
        (0, true),
        "it is told so, although no record is damaged"
    );
    assert!(fetched(&old) > 50);
    for outcome in [&old, &fresh] {
        caught_up(outcome);
        for check in [
            "agreement",
            "no-double-signing",
            "durability",
            "convergence",
        ] {
            assert_eq!(outcome.verdict(check), Verdict::Pass, "{check}");
        }
    }
}

#[test]
fn a_replica_whose_disk_is_full_says_nothing_until_there_is_room() {
    let full = |after| {
        let kind = FaultKind::DiskFull(DiskFull {
            target: victim(),
            after,
            then: ThenFull::Full,
        });
        cluster(9).fault(window("full", 10, 20, kind)).run()
    };
    let (roomy, tight) = (full(1 << 30), full(4_096));
    // What it would say in between it may not say before it is on the disk.
    let votes = |outcome: &Outcome| {
        let said = outcome.seen.votes[&NodeId(VICTIM)].iter();
        said.filter(|&&at| secs(12) < at && at < secs(20)).count()
    };
    assert!(votes(&roomy) > 50, "{}", votes(&roomy));
    assert_eq!(votes(&tight), 0);
    assert_eq!(roomy.effects, [0]);
    assert!(tight.effects[0] > 0);
    tight.assert_good("full");
    caught_up(&tight);
    assert_eq!(tight.verdict("durability"), Verdict::Pass);
}

/// Every kind of damage on one of four, with crashes: never more than the group bears.
#[test]
fn whatever_happens_to_one_disk_of_four_all_checks_hold() {
    for seed in 11..17 {
        let outcome = cluster(seed)
            .fault(window("w", 3, 24, rot(During::Write, ALL / 30)))
            .fault(window("m", 5, 22, misdirect(During::Write, ALL / 40)))
            .fault(window("r", 9, 24, rot(During::Read, ALL / 50)))
            .fault(crash(victim(), 8, 10))
            .fault(crash(victim(), 13, 14))
            .fault(crash(victim(), 19, 21))
            .run();
        outcome.assert_good(&format!("seed {seed}"));
        caught_up(&outcome);
        assert_eq!(outcome.verdict("durability"), Verdict::Pass);
        assert!(damage(&outcome).0 > 0);
    }
}
