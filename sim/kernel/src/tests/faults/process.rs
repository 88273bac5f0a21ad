use super::*;
use crate::config::{
    At, ExhaustMemory, Lose, MixedVersions, OldBackup, Pause, Point, Restart, RollingRestart,
    SlowCpu, Slowed, Wipe, WrongZone,
};

/// One node writes a note each 10 ms; a write takes 5.
fn writer(cx: &mut Context<'_>, event: &Event<'_>) {
    match event {
        Event::Start | Event::Recover(_) => cx.set_timer(TimerKey(1), ms(10)),
        Event::Timer(_) => {
            let number = cx.now().nanos() / 1_000_000;
            cx.persist(WriteToken(number), vec![Write::append(1, note(number))]);
            cx.send(NodeId(1), note(number));
            cx.set_timer(TimerKey(1), ms(10));
        }
        _ => {}
    }
}
fn wrote(kind: FaultKind, from: u64, to: u64) -> (Vec<(u64, u32, String)>, Kernel<Nobody>) {
    let faults = vec![window(from, to, kind)];
    let setup = Setup {
        faults,
        end: at(200),
        ..Setup::default()
    };
    setup.run(|cx, event| {
        if cx.node().0 == 0 {
            writer(cx, event);
        }
    })
}
fn crash_of(restart: Restart, lose: Lose) -> FaultKind {
    let crash = Crash {
        restart,
        lose,
        ..Crash::new(of(&[0]))
    };
    FaultKind::Crash(crash)
}
/// How many entries the log had when the node came back.
fn recovered(log: &[(u64, u32, String)]) -> Vec<(u64, usize)> {
    let lines = log.iter().filter(|line| line.1 == 0);
    lines
        .filter_map(|line| {
            let entries = line.2.strip_prefix("recover ")?;
            Some((line.0 / 1_000_000, entries.parse().ok()?))
        })
        .collect()
}

#[test]
fn a_crash_loses_what_it_is_told_to_lose_and_comes_back_with_the_disk_it_is_given() {
    // Writes of 10, 20, 30, 40 and 50 ms; that of 50 is under way at 52.
    let came_back = |restart, lose| recovered(&wrote(crash_of(restart, lose), 52, 70).0)[0];
    assert_eq!(came_back(Restart::Keep, Lose::Unsynced), (70, 4));
    assert_eq!(came_back(Restart::Keep, Lose::Nothing), (70, 5));
    assert_eq!(came_back(Restart::Keep, Lose::All), (70, 0));
    assert_eq!(came_back(Restart::Empty, Lose::Unsynced), (70, 0));
    let snapshot = |age| Restart::Snapshot(ms(age));
    assert_eq!(came_back(snapshot(20), Lose::Unsynced), (70, 2));
    assert_eq!(came_back(snapshot(1_000), Lose::Unsynced), (70, 0));
    let other = Restart::DiskOf(of(&[1]));
    assert_eq!(
        came_back(other, Lose::Unsynced),
        (70, 0),
        "node 1 writes nothing"
    );
}

#[test]
fn a_node_goes_down_at_the_point_and_the_pass_that_are_named() {
    let run = |point, hit| {
        let crash = Crash {
            point: Some(At { point, hit }),
            ..Crash::new(of(&[0]))
        };
        let (log, kernel) = wrote(FaultKind::Crash(crash), 1, 100);
        assert_eq!(took(&kernel), 1, "{point:?}");
        let (back, entries) = recovered(&log)[0];
        assert_eq!(back, 100);
        let before = |what: &str| {
            let lines = log.iter().filter(|l| l.0 < at(100).nanos());
            lines.filter(|l| l.2.starts_with(what)).count()
        };
        (entries, before("persisted"), before("note"))
    };
    // The second timer asks for a write and then sends.
    assert_eq!(run(Point::BeforePersist, 2), (1, 1, 1));
    assert_eq!(run(Point::AfterPersist, 2), (2, 1, 2));
    assert_eq!(run(Point::BeforeSend, 2), (1, 1, 1));
    assert_eq!(run(Point::AfterSend, 2), (1, 1, 2));
    assert_eq!(run(Point::AfterSend, 5), (4, 4, 5));
}

#[test]
fn a_point_that_is_not_passed_takes_nobody_down() {
    let crash = Crash {
        point: Some(At {
            point: Point::VoteSent,
            hit: 1,
        }),
        ..Crash::new(of(&[0]))
    };
    let (log, kernel) = wrote(FaultKind::Crash(crash), 1, 100);
    assert_eq!((took(&kernel), recovered(&log).len()), (0, 0));
}

#[test]
fn a_node_that_stands_still_does_all_that_was_due_at_the_end() {
    let pause = FaultKind::Pause(Pause { target: of(&[1]) });
    let run = |faults| {
        let setup = Setup {
            nodes: 2,
            faults,
            end: at(1_000),
            ..Setup::default()
        };
        setup.run(|cx, event| {
            if cx.node().0 == 0 {
                tick(cx, event);
            } else if matches!(event, Event::Start) {
                for key in 10..20 {
                    cx.set_timer(TimerKey(key), ms(key * 20));
                }
            }
        })
    };
    let (log, kernel) = run(vec![window(195, 305, pause)]);
    let timers: Vec<u64> = log
        .iter()
        .filter(|l| l.1 == 1 && l.2.starts_with("timer"))
        .map(|l| l.0 / 1_000_000)
        .collect();
    assert_eq!(timers, [305, 305, 305, 305, 305, 305, 320, 340, 360, 380]);
    let together = came(&log, 1).iter().filter(|(t, _)| *t == 305).count();
    assert!((11..=12).contains(&together) && came(&log, 1).len() == 50);
    assert!(took(&kernel) >= 17);
    assert_eq!(came(&run(Vec::new()).0, 1).len(), 50);
}

#[test]
fn a_slow_processor_takes_longer_for_all_or_for_one_kind_of_work_and_factors_multiply() {
    let slow = |by_permille, only| {
        FaultKind::SlowCpu(SlowCpu {
            target: of(&[1]),
            by_permille,
            only,
        })
    };
    let cpu = |kinds: Vec<FaultKind>| {
        let faults = kinds.into_iter().map(|kind| window(0, 2_000, kind));
        let setup = Setup {
            faults: faults.collect(),
            end: at(3_000),
            ..Setup::default()
        };
        let (_, kernel) = setup.run(|cx, event| {
            tick(cx, event);
            if matches!(event, Event::Message { .. }) {
                cx.work(Work::verify(1));
                cx.work(Work::sign(1));
            }
        });
        let lost: u64 = kernel.fault_effects().iter().map(|e| e.took_effect).sum();
        (kernel.usage()[1].cpu, lost)
    };
    // 2 ms of verification and 1 of signing for each of 50.
    assert_eq!(cpu(Vec::new()), (ms(150), 0));
    assert_eq!(cpu(vec![slow(10_000, Slowed::All)]), (ms(1_500), 1_350));
    assert_eq!(cpu(vec![slow(10_000, Slowed::Verify)]).0, ms(1_050));
    assert_eq!(cpu(vec![slow(10_000, Slowed::Apply)]), (ms(150), 0));
    let two = vec![slow(2_000, Slowed::All), slow(3_000, Slowed::All)];
    assert_eq!(cpu(two).0, ms(900));
}

#[test]
fn without_memory_what_finds_no_room_is_dropped() {
    let cap = |cap| {
        let kind = ExhaustMemory {
            target: of(&[1]),
            cap,
        };
        let setup = Setup {
            faults: vec![window(100, 2_000, FaultKind::ExhaustMemory(kind))],
            end: at(3_000),
            ..Setup::default()
        };
        setup.run(|cx, event| {
            tick(cx, event);
            if matches!(event, Event::Message { .. }) {
                cx.work(Work::verify(10));
            }
        })
    };
    // A note of 8 bytes comes each 10 ms and takes 20.
    let (log, kernel) = cap(32);
    assert!(took(&kernel) > 10);
    assert_eq!(came(&log, 1).len() as u64 + took(&kernel), 50);
    let (log, kernel) = cap(1_000_000);
    assert_eq!((came(&log, 1).len(), took(&kernel)), (50, 0));
}

#[test]
fn nodes_are_restarted_one_after_the_other_or_all_of_them_again_and_again() {
    let rolling = |storm| {
        let kind = RollingRestart {
            target: of(&[0, 1, 2]),
            gap: ms(100),
            down: ms(30),
            storm,
        };
        let setup = Setup {
            nodes: 4,
            faults: vec![window(50, 500, FaultKind::RollingRestart(kind))],
            ..Setup::default()
        };
        let (log, kernel) = setup.run(|_, _| {});
        (only(&log, "recover"), took(&kernel))
    };
    assert_eq!(rolling(false), (vec![(80, 0), (180, 1), (280, 2)], 3));
    let (storm, restarts) = rolling(true);
    assert_eq!((storm.len(), restarts), (15, 15));
    assert_eq!(storm[..4], [(80, 0), (80, 1), (80, 2), (180, 0)]);
}

#[test]
fn an_operator_wipes_a_disk_or_puts_an_old_one_back() {
    let (log, kernel) = wrote(FaultKind::Wipe(Wipe { target: of(&[0]) }), 52, 60);
    assert_eq!(recovered(&log), [(52, 0)]);
    assert_eq!(took(&kernel), 40, "five notes of 8 bytes");
    let backup = OldBackup {
        target: of(&[0]),
        age: ms(20),
    };
    let (log, kernel) = wrote(FaultKind::OldBackup(backup), 52, 60);
    assert_eq!(recovered(&log), [(52, 2)]);
    assert_eq!(took(&kernel), 24);
}

#[test]
fn a_wrong_zone_moves_the_wall_clock_and_no_other() {
    let zone = WrongZone {
        target: of(&[0]),
        by_ns: 8 * 3_600 * 1_000_000_000,
    };
    let seen: Arc<Mutex<Vec<(u64, i64)>>> = Arc::default();
    let notes = Arc::clone(&seen);
    let setup = Setup {
        nodes: 1,
        faults: vec![window(15, 35, FaultKind::WrongZone(zone))],
        end: at(55),
        ..Setup::default()
    };
    setup.run(move |cx, event| {
        if matches!(event, Event::Start | Event::Timer(_)) {
            let hours = cx.wall_ns() / 3_600_000_000_000;
            notes
                .lock()
                .unwrap()
                .push((cx.now().nanos() / 1_000_000, hours));
            cx.set_timer(TimerKey(1), ms(10));
        }
    });
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen, [(0, 0), (10, 0), (20, 8), (30, 8), (40, 0), (50, 0)]);
}

#[test]
fn memory_for_what_waits_is_what_open_windows_leave() {
    let exhausted = |cap, from, to| {
        let target = of(&[0]);
        window(
            from,
            to,
            FaultKind::ExhaustMemory(ExhaustMemory { target, cap }),
        )
    };
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let notes = Arc::clone(&seen);
    let mut wide = exhausted(900, 15, 45);
    wide.id = "wide".into();
    let setup = Setup {
        nodes: 1,
        faults: vec![wide, exhausted(300, 25, 35)],
        end: at(55),
        ..Setup::default()
    };
    setup.run(move |cx, event| {
        if matches!(event, Event::Start | Event::Timer(_)) {
            notes.lock().unwrap().push(cx.room());
            cx.set_timer(TimerKey(1), ms(10));
        }
    });
    let (seen, all) = (seen.lock().unwrap().clone(), u64::MAX);
    assert_eq!(seen, [all, all, 900, 300, 900, all]);
}

#[test]
fn an_upgrade_goes_from_node_to_node_and_back_at_once() {
    let mixed = MixedVersions {
        target: of(&[0, 1, 2]),
        to: 2,
        gap: ms(20),
    };
    let setup = Setup {
        nodes: 3,
        faults: vec![window(50, 85, FaultKind::MixedVersions(mixed))],
        end: at(100),
        ..Setup::default()
    };
    let (log, _) = setup.run(|_, _| {});
    let back = log.iter().filter(|line| line.2.starts_with("recover"));
    let back: Vec<(u64, u32)> = back.map(|line| (line.0 / 1_000_000, line.1)).collect();
    // The third would have its turn at 90.
    assert_eq!(back, [(50, 0), (70, 1), (85, 0), (85, 1)]);
}
