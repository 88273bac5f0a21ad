use super::*;
use crate::config::{
    Burst, Clog, Corrupt, Duplicate, Eclipse, Filter, Flap, Flood, Flooded, Hijack, Reorder,
    Swizzle, Throttle, UnstableNetwork, Which,
};

const ALL: u32 = 1_000_000_000;

#[test]
fn a_duplicated_message_comes_twice_also_on_a_stream() {
    let kind = Duplicate {
        lines: from_to(0, 1),
        rate_ppb: ALL / 2,
    };
    let (log, kernel) = ticked(3, vec![window(0, 1_000, FaultKind::Duplicate(kind))]);
    let twice = came(&log, 1).len() as u64 - 50;
    assert_eq!((twice, came(&log, 2).len()), (took(&kernel), 50));
    assert!((15..35).contains(&twice), "{twice}");
}

#[test]
fn a_reordered_message_is_overtaken_also_on_a_stream() {
    let kind = Reorder {
        lines: from_to(0, 1),
        rate_ppb: ALL / 2,
    };
    let (log, kernel) = ticked(3, vec![window(0, 1_000, FaultKind::Reorder(kind))]);
    let numbers = |node| came(&log, node).into_iter().map(|(_, n)| n);
    assert!(!numbers(1).is_sorted() && numbers(2).is_sorted());
    assert_eq!(numbers(1).count(), 50);
    assert!(took(&kernel) > 15);
}

#[test]
fn a_corrupted_message_is_read_and_refused() {
    for truncate in [false, true] {
        let kind = Corrupt {
            lines: from_to(0, 1),
            rate_ppb: ALL / 2,
            truncate,
        };
        let faults = vec![window(0, 1_000, FaultKind::Corrupt(kind))];
        let (log, kernel) = ticked(3, faults);
        let refused: u64 = kernel.observer().refused.values().sum();
        assert_eq!(came(&log, 1).len() as u64 + refused, 50);
        assert_eq!(
            (took(&kernel), kernel.totals().lines.refused),
            (refused, refused)
        );
        assert!(refused > 15 && came(&log, 2).len() == 50);
        let reasons: Vec<&str> = kernel.observer().refused.keys().copied().collect();
        // A bit of a number is no mistake that reading finds; a missing end is.
        assert_eq!(reasons.contains(&"altered"), !truncate, "{reasons:?}");
    }
}

#[test]
fn a_clogged_line_lets_go_what_it_held_at_once_or_paced() {
    let clog = |paced| {
        let kind = Clog {
            lines: from_to(0, 1),
            paced,
        };
        ticked(3, vec![window(100, 200, FaultKind::Clog(kind))])
    };
    let (log, kernel) = clog(false);
    assert_eq!(took(&kernel), 10);
    let at_end = came(&log, 1).iter().filter(|(t, _)| *t == 200).count();
    assert_eq!(
        (at_end, came(&log, 1).len(), came(&log, 2).len()),
        (10, 50, 50)
    );
    assert!(came(&log, 1).iter().all(|(t, _)| !(100..200).contains(t)));

    // What came in 100 ms goes in 10, and what comes meanwhile does not overtake it.
    let (log, kernel) = clog(true);
    let numbers = came(&log, 1).into_iter().map(|(_, n)| n);
    assert!(numbers.is_sorted() && came(&log, 1).len() == 50);
    let drained = came(&log, 1)
        .iter()
        .filter(|(t, _)| (200..=210).contains(t))
        .count();
    assert!(drained >= 10 && took(&kernel) >= 10);
    assert_ne!(came(&log, 1)[9..19], came(&clog(false).0, 1)[9..19]);
}

#[test]
fn a_swizzle_clogs_one_by_one_opens_in_another_order_and_loses_nothing() {
    let kind = Swizzle {
        target: of(&[1, 2, 3, 4]),
        stagger: (ms(20), ms(20)),
    };
    let (log, kernel) = ticked(6, vec![window(100, 400, FaultKind::Swizzle(kind))]);
    let gap = |node| {
        let times: Vec<u64> = came(&log, node).into_iter().map(|(t, _)| t).collect();
        let most = times.windows(2).max_by_key(|w| w[1] - w[0]).unwrap();
        (most[0], most[1])
    };
    let mut gaps: Vec<(u64, u64)> = (1..5).map(gap).collect();
    assert!((1..6).all(|node| came(&log, node).len() == 50));
    gaps.sort_unstable();
    let (begins, mut ends): (Vec<u64>, Vec<u64>) = gaps.into_iter().unzip();
    assert!(begins.windows(2).all(|w| w[1] - w[0] == 20), "{begins:?}");
    assert!(!ends.is_sorted(), "{ends:?}");
    ends.sort_unstable();
    assert_eq!(ends, [340, 360, 380, 400]);
    assert!(took(&kernel) > 80);
}

#[test]
fn a_flapping_line_drops_while_it_is_down_and_passes_while_it_is_up() {
    let kind = Flap {
        target: of(&[1]),
        up: (ms(40), ms(40)),
        down: (ms(20), ms(20)),
    };
    let (log, kernel) = ticked(3, vec![window(0, 480, FaultKind::Flap(kind))]);
    let passed = came(&log, 1).len() as u64;
    assert_eq!((passed + took(&kernel), came(&log, 2).len()), (50, 50));
    assert!((10..45).contains(&passed), "{passed}");
    let times: Vec<u64> = came(&log, 1).into_iter().map(|(t, _)| t).collect();
    let holes = times.windows(2).filter(|w| w[1] - w[0] > 10).count();
    assert!(holes > 5, "{holes}");
}

#[test]
fn a_filter_takes_kinds_shares_and_numbers() {
    let filter = |kinds: &[&str], hold, which| {
        let kind = Filter {
            lines: from_to(0, 1),
            kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
            hold,
            which,
        };
        ticked(3, vec![window(1, 400, FaultKind::Filter(kind))])
    };
    let (log, kernel) = filter(&["commit"], false, Which::Share(ALL));
    assert_eq!((came(&log, 1).len(), took(&kernel)), (50, 0));
    let (log, kernel) = filter(&["commit", "note"], false, Which::Numbers(vec![4, 5, 7]));
    let numbers: Vec<u64> = came(&log, 1).into_iter().map(|(_, n)| n).collect();
    assert_eq!(numbers[..6], [0, 1, 2, 5, 7, 8]);
    assert_eq!((took(&kernel), came(&log, 2).len()), (3, 50));
    let (log, kernel) = filter(&[], false, Which::Share(ALL / 2));
    assert_eq!(came(&log, 1).len() as u64 + took(&kernel), 50);
    assert!((10..30).contains(&took(&kernel)));
    let (log, kernel) = filter(&["note"], true, Which::Share(ALL));
    assert_eq!((came(&log, 1).len(), came(&log, 1)[0].0), (50, 400));
    assert!((35..=40).contains(&took(&kernel)));
}

#[test]
fn a_throttled_line_makes_messages_wait_or_drops_them_and_the_smallest_holds() {
    // A note has 8 bytes: 2,000 bit/s are 32 ms each, and one comes each 10 ms.
    let throttle = |rates: &[u64], queue| {
        let kind = |&rate| {
            FaultKind::Throttle(Throttle {
                lines: from_to(0, 1),
                rate,
                queue,
            })
        };
        let faults = rates.iter().map(kind).map(|kind| window(1, 5_000, kind));
        ticked(3, faults.collect())
    };
    let (log, kernel) = throttle(&[2_000], 0);
    let times: Vec<u64> = came(&log, 1).into_iter().map(|(t, _)| t).collect();
    assert!(times.windows(2).all(|w| w[1] - w[0] == 32), "{times:?}");
    assert_eq!((times.len() as u64, took(&kernel)), (50, 49));
    let last = |rates: &[u64]| came(&throttle(rates, 0).0, 1).last().unwrap().0;
    assert_eq!(last(&[8_000, 2_000, 4_000]), *times.last().unwrap());
    assert!(last(&[8_000]) < last(&[4_000]));

    let mut setup = Setup {
        nodes: 3,
        end: at(5_000),
        faults: vec![window(
            1,
            5_000,
            FaultKind::Throttle(Throttle {
                lines: from_to(0, 1),
                rate: 2_000,
                queue: 24,
            }),
        )],
        ..Setup::default()
    };
    setup.link.stream = false;
    let (log, kernel) = setup.run(tick);
    assert!(came(&log, 1).len() < 25);
    assert_eq!(
        came(&log, 1).len() as u64 + kernel.totals().lines.overflowed,
        50
    );
}

#[test]
fn what_waits_for_a_throttled_line_goes_on_at_full_speed_after_it() {
    // 50 notes of 8 bytes at 400 bit/s would take eight seconds.
    let kind = FaultKind::Throttle(Throttle {
        lines: from_to(0, 1),
        rate: 400,
        queue: 0,
    });
    let (log, _) = ticked(2, vec![window(1, 1_000, kind)]);
    let times: Vec<u64> = came(&log, 1).into_iter().map(|(t, _)| t).collect();
    assert_eq!(times.len(), 50);
    let slow = times.iter().filter(|t| **t < 1_000).count();
    assert!((5..8).contains(&slow), "{times:?}");
    assert!(times.iter().all(|t| *t < 1_200), "{times:?}");
}

#[test]
fn losses_in_bursts_come_one_after_the_other() {
    let burst = Burst {
        good_to_bad_ppb: 50_000_000,
        bad_to_good_ppb: 200_000_000,
        loss_in_bad_ppb: ALL,
    };
    let lost = |burst, rate_ppb| {
        let kind = FaultKind::Loss(Loss {
            lines: from_to(0, 1),
            rate_ppb,
            burst,
        });
        let mut setup = Setup {
            nodes: 2,
            end: at(5_000),
            faults: vec![window(1, 5_000, kind)],
            ..Setup::default()
        };
        setup.link.stream = false;
        let (log, kernel) = setup.run(tick);
        let times: Vec<u64> = came(&log, 1).into_iter().map(|(t, _)| t).collect();
        let longest = times.windows(2).map(|w| w[1] - w[0]).max().unwrap_or(0) / 10;
        assert_eq!(times.len() as u64 + took(&kernel), 50);
        (took(&kernel), longest)
    };
    let (in_bursts, longest) = lost(Some(burst), 0);
    assert!(in_bursts > 2 && longest >= 3, "{in_bursts} {longest}");
    assert_eq!(lost(None, 0).0, 0);
}

#[test]
fn what_is_sent_again_after_the_window_is_not_lost_by_it() {
    // Whatever is sent in the window is lost; timeouts double from 200 ms on, so that what is sent
    // at its beginning is sent again at 200, 600 and 1,400 ms.
    let burst = Burst {
        good_to_bad_ppb: ALL,
        bad_to_good_ppb: 0,
        loss_in_bad_ppb: ALL,
    };
    for (rate_ppb, burst) in [(ALL, None), (0, Some(burst))] {
        let kind = FaultKind::Loss(Loss {
            lines: from_to(0, 1),
            rate_ppb,
            burst,
        });
        let (log, kernel) = ticked(2, vec![window(0, 1_000, kind)]);
        let times = came(&log, 1);
        assert_eq!(times.len(), 50);
        let range = times[0].0..=times[49].0;
        assert!(*range.start() > 1_000 && *range.end() < 2_100, "{range:?}");
        assert!(took(&kernel) >= 100);
    }
}

#[test]
fn an_eclipsed_node_sees_its_peers_only() {
    let eclipse = |slots_ppb| {
        let kind = Eclipse {
            target: of(&[0]),
            peers: of(&[1]),
            slots_ppb,
        };
        ticked(9, vec![window(0, 1_000, FaultKind::Eclipse(kind))])
    };
    let (log, kernel) = eclipse(ALL);
    assert_eq!(came(&log, 1).len(), 50);
    assert!((2..9).all(|node| came(&log, node).is_empty()));
    assert_eq!(took(&kernel), 350);
    // Of the slots half are the attacker's, for the whole window.
    let (log, _) = eclipse(ALL / 2);
    let whole = (2..9).filter(|&node| came(&log, node).len() == 50).count();
    let none = (2..9).filter(|&node| came(&log, node).is_empty()).count();
    assert!(whole > 0 && none > 0 && whole + none == 7);
}

#[test]
fn a_hijack_is_one_way_and_ends_when_it_is_noticed() {
    let hijack = |target: &[u32], intercept, noticed| {
        let kind = Hijack {
            target: of(target),
            intercept,
            noticed_after: ms(noticed),
        };
        ticked(3, vec![window(100, 400, FaultKind::Hijack(kind))])
    };
    let (log, kernel) = hijack(&[1], None, 150);
    assert_eq!((came(&log, 2).len(), took(&kernel)), (50, 16));
    assert_eq!(came(&log, 1).len(), 34);
    let (log, _) = hijack(&[0], None, 150);
    assert_eq!(came(&log, 1).len(), 50, "what it sends itself arrives");
    let (log, kernel) = hijack(&[1], Some(ms(50)), 1_000);
    assert_eq!((came(&log, 1).len(), took(&kernel)), (50, 30));
    let number = |n| came(&log, 1).into_iter().find(|c| c.1 == n).unwrap().0;
    assert_eq!((number(5), number(20), number(45)), (65, 265, 465));
}

#[test]
fn before_it_is_stable_a_network_delays_as_it_likes_and_delta_after_it_all_is_there() {
    let kind = UnstableNetwork {
        max: ms(2_000),
        delta: ms(40),
    };
    let faults = vec![window(0, 300, FaultKind::UnstableNetwork(kind))];
    let (log, kernel) = ticked(4, faults);
    for node in 1..4 {
        let came = came(&log, node);
        assert_eq!(came.len(), 50);
        let sent_before: Vec<&(u64, u64)> = came.iter().filter(|(_, n)| *n < 30).collect();
        assert!(sent_before.iter().all(|(t, _)| *t <= 340));
        assert!(sent_before.iter().any(|(t, n)| *t > n * 10 + 115));
        assert!(
            came.iter()
                .filter(|(_, n)| *n >= 30)
                .all(|(t, n)| *t == n * 10 + 15)
        );
    }
    assert!(took(&kernel) > 50);
}

#[test]
fn a_flood_of_junk_costs_lines_and_processors_and_is_refused() {
    let kind = Flood {
        target: of(&[1]),
        senders: vec![NodeId(2), NodeId(3)],
        what: Flooded::Junk(1_000),
        every: ms(1),
    };
    let run = |faults| {
        let mut setup = Setup {
            nodes: 4,
            end: at(1_000),
            faults,
            ..Setup::default()
        };
        setup.hardware.per_message = ms(2);
        setup.hardware.nic_out = 8_000_000;
        setup.run(tick)
    };
    let (quiet, usual) = run(Vec::new());
    let (flooded, kernel) = run(vec![window(100, 300, FaultKind::Flood(kind))]);
    let refused: u64 = kernel.observer().refused.values().sum();
    assert_eq!((took(&kernel), refused), (200, 200));
    let cpu = |kernel: &Kernel<Nobody>| kernel.usage()[1].cpu;
    assert_eq!(cpu(&kernel), cpu(&usual) + ms(400));
    // Each sends half of it: 1,000 bytes at 8 Mbit/s are 1 ms.
    assert_eq!(kernel.usage()[2].nic_out, ms(100));
    // What is asked for waits behind it.
    let last = |log: &[(u64, u32, String)]| came(log, 1).iter().map(|(t, n)| t - n * 10).max();
    assert!(last(&flooded) > last(&quiet).map(|wait| wait + 100));
    assert_eq!(came(&flooded, 1).len(), came(&quiet, 1).len());
}
