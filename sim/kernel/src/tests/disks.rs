//! Faults of disks, each beside the same run without it.

use super::*;
use crate::config::{
    BitRot, DiskFull, During, Lie, LostWrites, LyingFsync, Misdirect, Rollback, SlowDisk, ThenFull,
    TornWrite, WhichLost,
};
use consim_core::disk::Place;
use consim_core::{ChainId, Disk, Holds, Torn, is_damaged};

/// A block of a chain, of so many bytes.
#[derive(Debug)]
struct Block(u64, usize);
impl Payload for Block {
    fn kind(&self) -> &'static str {
        "block"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
        out.resize(out.len() + self.1 - 8, 7);
    }
    fn encoded_len(&self) -> usize {
        self.1
    }
    fn holds(&self) -> Option<Holds> {
        Some(Holds::Block(ChainId(0), self.0))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

const ALL: u32 = 1_000_000_000;

fn whole(nodes: u32) -> Target {
    Target::Nodes((0..nodes).map(NodeId).collect())
}
fn window(from: u64, to: u64, kind: FaultKind) -> FaultWindow {
    FaultWindow {
        id: format!("{}-{from}", kind.word()),
        from: at(from),
        to: at(to),
        kind,
    }
}

/// Each node writes a block of `bytes` every `every` ms, and numbers them.
fn writers(
    nodes: u32,
    every: u64,
    bytes: usize,
    faults: Vec<FaultWindow>,
) -> (Vec<(u64, u32, String)>, Kernel<Nobody>) {
    let setup = Setup {
        nodes,
        faults,
        end: at(300),
        ..Setup::default()
    };
    written_on(setup, every, bytes)
}

fn written_on(setup: Setup, every: u64, bytes: usize) -> (Vec<(u64, u32, String)>, Kernel<Nobody>) {
    setup.run(move |cx, event| {
        match event {
            Event::Start | Event::Recover(_) => {}
            Event::Timer(_) if cx.now() < at(200) => {
                let n = cx.now().nanos() / 1_000_000;
                let block = Arc::new(Block(n, bytes));
                cx.persist(WriteToken(n), vec![Write::append(1, block)]);
            }
            _ => return,
        }
        cx.set_timer(TimerKey(1), ms(every));
    })
}

fn numbers(disk: &Disk) -> Vec<u64> {
    let number = |record: &Arc<dyn Payload>| record.as_any().downcast_ref::<Block>().map(|b| b.0);
    disk.log(1).iter().filter_map(number).collect()
}
fn effect(kernel: &Kernel<Nobody>, kind: &str) -> (u64, u64) {
    let effects = kernel.fault_effects();
    let effect = effects.iter().find(|e| e.kind == kind).unwrap();
    (effect.took_effect, effect.skipped)
}

#[test]
fn a_crash_keeps_a_prefix_or_some_of_what_was_not_synced() {
    // An fsync takes 5 ms and a write comes every 1 ms, so most of them wait at 50 ms.
    let lost = |which| {
        let target = whole(4);
        FaultKind::LostWrites(LostWrites { target, which })
    };
    let run = |more: Option<FaultKind>| {
        let mut faults: Vec<FaultWindow> = (0..4).map(|n| crash(n, 50, 299)).collect();
        faults.extend(more.map(|kind| window(40, 60, kind)));
        writers(4, 1, 20, faults).1
    };
    let plain = run(None);
    let synced = numbers(plain.disk(0));
    assert_eq!(synced.len(), 9, "all that was synced, and nothing else");
    let prefix = run(Some(lost(WhichLost::Suffix)));
    let some = run(Some(lost(WhichLost::Random)));
    let (mut kept_prefix, mut kept_some, mut gaps) = (0, 0, 0);
    for node in 0..4 {
        let (a, b) = (numbers(prefix.disk(node)), numbers(some.disk(node)));
        assert_eq!((&a[..9], &b[..9]), (&synced[..], &synced[..]));
        assert!(a.windows(2).all(|w| w[1] == w[0] + 1), "{a:?}");
        assert!(b.windows(2).all(|w| w[1] > w[0]), "{b:?}");
        kept_prefix += a.len() as u64 - 9;
        kept_some += b.len() as u64 - 9;
        gaps += b.windows(2).filter(|w| w[1] > w[0] + 1).count();
    }
    assert!(kept_prefix > 0 && kept_some > 0 && gaps > 0);
    assert_eq!(effect(&prefix, "lost-writes"), (kept_prefix, 0));
    assert_eq!(effect(&some, "lost-writes"), (kept_some, 0));
}

#[test]
fn a_torn_write_ends_at_a_sector_and_leaves_a_tail_that_nobody_can_read() {
    let run = |share_ppb, sector| {
        let target = whole(8);
        let kind = FaultKind::TornWrite(TornWrite {
            target,
            sector,
            share_ppb,
        });
        let mut faults: Vec<FaultWindow> = (0..8).map(|n| crash(n, 52, 299)).collect();
        faults.push(window(40, 60, kind));
        writers(8, 10, 1_000, faults).1
    };
    let torn = |kernel: &Kernel<Nobody>| -> Vec<usize> {
        let tail = |node| kernel.disk(node).log(1).last().cloned();
        let tails = (0..8).filter_map(tail);
        let bytes = |tail: Arc<dyn Payload>| tail.as_any().downcast_ref::<Torn>().map(|t| t.bytes);
        tails.filter_map(bytes).collect()
    };
    assert_eq!(torn(&run(0, 100)), [0usize; 0]);
    let tears = run(ALL, 300);
    assert!(torn(&tears).len() > 2);
    // Four blocks lie there, so the fifth begins 100 bytes into a sector of 300.
    assert!(torn(&tears).iter().all(|left| (4_000 + left) % 300 == 0));
    assert_eq!(effect(&tears, "torn-write").0, torn(&tears).len() as u64);
    // A drive that writes 64 KiB at a time tears nothing so small.
    assert_eq!(torn(&run(ALL, 65_536)), [0usize; 0]);
}

fn rot(nodes: u32, during: During, rate_ppb: u32, keep_one: bool) -> FaultKind {
    FaultKind::BitRot(BitRot {
        target: whole(nodes),
        during,
        rate_ppb,
        keep_one,
    })
}

#[test]
fn what_is_written_rots_and_the_node_is_told_when_the_disk_is_read_through() {
    let (quiet, plain) = writers(
        1,
        10,
        50,
        vec![window(50, 100, rot(1, During::Write, 0, false))],
    );
    assert_eq!(
        (plain.disk(0).damaged(), effect(&plain, "bit-rot")),
        (0, (0, 0))
    );
    assert!(only(&quiet, "scrubbed").is_empty());
    let faults = vec![window(50, 100, rot(1, During::Write, ALL / 2, false))];
    let (log, kernel) = writers(1, 10, 50, faults);
    let damaged = kernel.disk(0).damaged();
    assert!((1..5).contains(&damaged), "{damaged}");
    assert_eq!(effect(&kernel, "bit-rot"), (damaged, 0));
    assert_eq!(only(&log, &format!("scrubbed {damaged}")), [(100, 0)]);
    // Before and after the window nothing rots.
    let rotten = |(i, record): (usize, &Arc<dyn Payload>)| is_damaged(&**record).then_some(i);
    let places: Vec<usize> = kernel
        .disk(0)
        .log(1)
        .iter()
        .enumerate()
        .filter_map(rotten)
        .collect();
    assert!(places.iter().all(|i| (4..9).contains(i)), "{places:?}");
}

#[test]
fn what_is_read_rots_when_a_node_comes_back() {
    let run = |during| {
        let faults = vec![
            crash(0, 100, 150),
            window(90, 160, rot(1, during, ALL / 4, false)),
        ];
        writers(1, 10, 50, faults).1
    };
    // Nothing is written between 95 ms and 160 ms but what comes after the restart.
    let kernel = run(During::Read);
    let first: Vec<bool> = kernel.disk(0).log(1)[..9]
        .iter()
        .map(|r| is_damaged(&**r))
        .collect();
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
    let by_writes = run(During::Write);
    assert!(
        by_writes.disk(0).log(1)[..8]
            .iter()
            .all(|r| !is_damaged(&**r))
    );
}

#[test]
fn a_sector_rots_as_one() {
    let run = |disk_sector| {
        let setup = Setup {
            nodes: 1,
            faults: vec![window(0, 195, rot(1, During::Write, ALL / 20, false))],
            end: at(300),
            hardware: Hardware {
                disk_sector,
                ..Setup::default().hardware
            },
            ..Setup::default()
        };
        written_on(setup, 10, 50).1.disk(0).damaged()
    };
    let (alone, shared) = (run(0), run(4_096));
    assert!(alone > 0 && shared > alone, "{alone} {shared}");
}

#[test]
fn the_last_good_copy_of_a_block_is_kept_if_the_budget_says_so() {
    let run = |keep_one| {
        writers(
            3,
            10,
            50,
            vec![window(0, 250, rot(3, During::Write, ALL, keep_one))],
        )
        .1
    };
    let good = |kernel: &Kernel<Nobody>| {
        let mut good: Vec<u64> = (0..3).flat_map(|node| numbers(kernel.disk(node))).collect();
        good.sort_unstable();
        good.dedup();
        good.len()
    };
    let (none, one) = (run(false), run(true));
    assert_eq!(good(&none), 0, "everything rots");
    assert_eq!(good(&one), 19, "a good copy of each is left");
    let (hit, skipped) = effect(&one, "bit-rot");
    assert!(hit > 0 && skipped >= 19, "{hit} {skipped}");
    assert_eq!(effect(&none, "bit-rot"), (57, 0));
}

#[test]
fn a_misdirected_write_damages_two_places_and_a_misdirected_read_one() {
    let kind = |during, rate_ppb| {
        FaultKind::Misdirect(Misdirect {
            target: whole(1),
            during,
            rate_ppb,
            keep_one: false,
        })
    };
    let plain = writers(1, 10, 50, vec![window(95, 105, kind(During::Write, 0))]).1;
    assert_eq!(plain.disk(0).damaged(), 0);
    let faults = vec![window(96, 106, kind(During::Write, ALL))];
    let kernel = writers(1, 10, 50, faults).1;
    assert_eq!(
        (kernel.disk(0).damaged(), effect(&kernel, "misdirect").0),
        (2, 2)
    );
    // The record that was to be written is not there: neither at its place nor at the other's.
    assert!(!numbers(kernel.disk(0)).contains(&100));
    let faults = vec![
        crash(0, 100, 150),
        window(140, 149, kind(During::Read, ALL)),
    ];
    assert_eq!(
        writers(1, 10, 50, faults).1.disk(0).damaged(),
        0,
        "nothing was read"
    );
    let faults = vec![
        crash(0, 100, 150),
        window(140, 151, kind(During::Read, ALL / 3)),
    ];
    let kernel = writers(1, 10, 50, faults).1;
    let damaged = kernel.disk(0).damaged();
    assert!((1..9).contains(&damaged));
    assert_eq!(effect(&kernel, "misdirect").0, damaged);
}

fn lying(how: Lie, rate_ppb: u32) -> FaultKind {
    FaultKind::LyingFsync(LyingFsync {
        target: whole(1),
        how,
        rate_ppb,
        keep_one: false,
    })
}

#[test]
fn an_fsync_that_lies_loses_what_was_acknowledged_at_the_next_crash() {
    let run = |rate_ppb, to| {
        let faults = vec![
            crash(0, 100, 250),
            window(50, to, lying(Lie::Silent, rate_ppb)),
        ];
        writers(1, 10, 50, faults)
    };
    let acknowledged = |log: &[(u64, u32, String)]| only(log, "persisted").len();
    let (log, honest) = run(0, 200);
    assert_eq!((acknowledged(&log), numbers(honest.disk(0)).len()), (9, 9));
    let (log, liar) = run(ALL, 200);
    assert_eq!((acknowledged(&log), numbers(liar.disk(0)).len()), (9, 4));
    assert_eq!(effect(&liar, "lying-fsync").0, 5);
    // If the window ends before the crash, the drive has written its cache by then.
    let (log, late) = run(ALL, 97);
    assert_eq!((acknowledged(&log), numbers(late.disk(0)).len()), (9, 9));
    assert_eq!(effect(&late, "lying-fsync").0, 0);
}

#[test]
fn an_honest_fsync_takes_along_what_an_earlier_one_lied_about() {
    let faults = vec![
        crash(0, 100, 250),
        window(50, 200, lying(Lie::Silent, ALL / 2)),
    ];
    let kernel = writers(1, 10, 50, faults).1;
    let kept = numbers(kernel.disk(0));
    let lost = effect(&kernel, "lying-fsync").0;
    assert_eq!(kept.len() as u64 + lost, 9);
    assert!(
        kept.windows(2).all(|w| w[1] == w[0] + 10),
        "a prefix: {kept:?}"
    );
}

#[test]
fn an_fsync_that_fails_is_tried_again_and_nothing_is_lost() {
    let run = |rate_ppb| {
        writers(
            1,
            50,
            50,
            vec![window(90, 140, lying(Lie::Error, rate_ppb))],
        )
    };
    let (honest, _) = run(0);
    assert_eq!(only(&honest, "persisted"), [(55, 0), (105, 0), (155, 0)]);
    let (failing, kernel) = run(ALL);
    // It fails at 105 ms and is tried again 100 ms later; what comes meanwhile waits for it.
    assert_eq!(only(&failing, "persisted"), [(55, 0), (210, 0), (215, 0)]);
    assert_eq!(effect(&kernel, "lying-fsync").0, 1);
    assert_eq!(numbers(kernel.disk(0)), [50, 100, 150]);
}

/// A node writes 100 bytes every 10 ms, and 10 bytes in between.
fn filling(then: Option<ThenFull>) -> (Vec<(u64, u32)>, Kernel<Nobody>) {
    let full = |then| {
        FaultKind::DiskFull(DiskFull {
            target: whole(1),
            after: 350,
            then,
        })
    };
    let setup = Setup {
        nodes: 1,
        faults: then
            .map(|then| window(0, 250, full(then)))
            .into_iter()
            .collect(),
        end: at(400),
        ..Setup::default()
    };
    let (log, kernel) = setup.run(|cx, event| {
        match event {
            Event::Start => {}
            Event::Timer(_) if cx.now() < at(95) => {
                let n = cx.now().nanos() / 1_000_000;
                let bytes = if n.is_multiple_of(10) { 100 } else { 10 };
                let block = Arc::new(Block(n, bytes));
                cx.persist(WriteToken(n), vec![Write::append(1, block)]);
            }
            _ => return,
        }
        cx.set_timer(TimerKey(1), ms(5));
    });
    (only(&log, "persisted"), kernel)
}

#[test]
fn a_full_disk_refuses_what_does_not_fit_until_there_is_room() {
    let (plain, _) = filling(None);
    assert_eq!(plain.len(), 18);
    assert!(plain.iter().all(|&(at, _)| at < 105));
    let before = |done: &[(u64, u32)]| done.iter().filter(|d| d.0 < 250).count();
    let (full, kernel) = filling(Some(ThenFull::Full));
    // 10, 100, 10, 100, 10, 100, 10 and 10: the fourth of 100 does not fit, the small ones do.
    assert_eq!((before(&full), full.len()), (8, 18));
    assert_eq!(effect(&kernel, "disk-full").0, 10);
    let (read_only, kernel) = filling(Some(ThenFull::ReadOnly));
    assert_eq!((before(&read_only), read_only.len()), (7, 18));
    assert_eq!(effect(&kernel, "disk-full").0, 11);
    assert_eq!(numbers(kernel.disk(0)).len(), 18, "all of it, at the end");
}

#[test]
fn a_disk_has_a_size() {
    let run = |disk_size| {
        let setup = Setup {
            nodes: 1,
            end: at(300),
            hardware: Hardware {
                disk_size,
                ..Setup::default().hardware
            },
            ..Setup::default()
        };
        let (log, kernel) = written_on(setup, 10, 100);
        (only(&log, "persisted").len(), kernel.disk(0).bytes())
    };
    assert_eq!(run(0), (19, 1_900));
    assert_eq!(run(550), (5, 500));
    assert_eq!(run(1_900), (19, 1_900));
}

#[test]
fn a_slow_disk_takes_longer() {
    let slow = |add| {
        FaultKind::SlowDisk(SlowDisk {
            target: whole(1),
            add: Distribution::Constant(ms(add)),
        })
    };
    let run = |add| writers(1, 50, 50, vec![window(90, 110, slow(add))]);
    assert_eq!(only(&run(0).0, "persisted"), [(55, 0), (105, 0), (155, 0)]);
    let (log, kernel) = run(30);
    assert_eq!(only(&log, "persisted"), [(55, 0), (135, 0), (155, 0)]);
    assert_eq!(effect(&kernel, "slow-disk").0, 1);
    assert_eq!(effect(&run(0).1, "slow-disk").0, 0);
}

fn roll(age: u64, keep_one: bool) -> FaultKind {
    FaultKind::Rollback(Rollback {
        target: whole(1),
        age: ms(age),
        keep_one,
    })
}

#[test]
fn a_volume_comes_back_as_it_was() {
    let restored = Arc::new(Mutex::new(Vec::new()));
    let run = |faults| {
        let seen = Arc::clone(&restored);
        let setup = Setup {
            nodes: 1,
            faults,
            end: at(300),
            ..Setup::default()
        };
        let kernel = setup.run(move |cx, event| {
            match event {
                Event::Recover(disk) => seen.lock().unwrap().push((numbers(disk), disk.restored())),
                Event::Timer(_) if cx.now() < at(100) => {
                    let n = cx.now().nanos() / 1_000_000;
                    let block = Arc::new(Block(n, 50));
                    cx.persist(WriteToken(n), vec![Write::append(1, block)]);
                }
                Event::Start => {}
                _ => return,
            }
            cx.set_timer(TimerKey(1), ms(10));
        });
        kernel.1
    };
    run(vec![crash(0, 100, 150)]);
    let rolled = run(vec![window(100, 150, roll(60, false))]);
    let empty = run(vec![window(100, 150, roll(5_000, false))]);
    let seen = restored.lock().unwrap().clone();
    let tens = |n: u64| (1..=n).map(|i| i * 10).collect::<Vec<u64>>();
    assert_eq!(seen, [(tens(9), false), (tens(3), true), (tens(0), true)]);
    assert_eq!(effect(&rolled, "rollback"), (6, 0));
    assert_eq!(effect(&empty, "rollback"), (9, 0));
}

#[test]
fn a_rollback_that_would_take_the_last_copy_is_left_out() {
    // Alone with its blocks, and beside one that has them too.
    let alone = writers(1, 10, 50, vec![window(100, 150, roll(60, true))]).1;
    assert_eq!(effect(&alone, "rollback"), (0, 1));
    assert!(numbers(alone.disk(0)).starts_with(&[10, 20, 30, 40, 50, 60, 70, 80, 90]));
    let beside = writers(2, 10, 50, vec![window(100, 150, roll(60, true))]).1;
    assert_eq!(effect(&beside, "rollback"), (6, 0));
}

#[test]
fn a_fault_that_is_taken_out_shifts_no_other() {
    let damaged = |faults| {
        let kernel = writers(2, 10, 50, faults).1;
        let disk = kernel.disk(0);
        let rotten = |&place: &Place| is_damaged(&**disk.record(place).unwrap());
        disk.places().filter(rotten).collect::<Vec<_>>()
    };
    let half = || window(0, 250, rot(1, During::Write, ALL / 2, false));
    let slow = window(
        20,
        40,
        FaultKind::SlowDisk(SlowDisk {
            target: whole(2),
            add: Distribution::Constant(ms(1)),
        }),
    );
    let alone = damaged(vec![half()]);
    assert!(!alone.is_empty());
    assert_eq!(alone, damaged(vec![slow, half()]));
}
