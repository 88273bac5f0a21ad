//! What each knob of a line does.

use super::*;
use crate::config::Burst;

/// Node 0 sends `n` notes of `bytes` bytes to node 1, one every `every`.
fn stream_of(setup: Setup, n: u64, bytes: usize, every: Span) -> (Vec<(u64, u64)>, Kernel<Nobody>) {
    let (log, kernel) = setup.run(move |cx, event| {
        let next = match event {
            Event::Start if cx.node().0 == 0 => 0,
            Event::Timer(TimerKey(n)) => *n,
            _ => return,
        };
        cx.send(NodeId(1), Arc::new(Note(next, bytes - 8)));
        if next + 1 < n {
            cx.set_timer(TimerKey(next + 1), every);
        }
    });
    let arrived = log
        .iter()
        .filter(|(_, node, what)| *node == 1 && what.starts_with("note"))
        .map(|(at, _, what)| {
            let number = what.split(' ').nth(1).unwrap().parse().unwrap();
            (*at / 1_000, number)
        })
        .collect();
    (arrived, kernel)
}

/// A long run over datagrams.
fn datagrams(link: Link) -> Setup {
    Setup {
        link: Link {
            stream: false,
            ..link
        },
        end: Time::ZERO + Span::from_secs(3_600),
        ..Setup::default()
    }
}

fn near(found: u64, of: u64, expected: f64) {
    let share = found as f64 / of as f64;
    // Five standard deviations of a share.
    let slack = 5.0 * (expected * (1.0 - expected) / of as f64).sqrt();
    assert!(
        (share - expected).abs() < slack,
        "{share} is not {expected}"
    );
}

const N: u64 = 20_000;

#[test]
fn duplicates_reach_a_datagrams_receiver_and_only_cost_a_stream_time() {
    let link = Link {
        duplicate_ppb: 100_000_000,
        ..Link::default()
    };
    let (arrived, kernel) = stream_of(datagrams(link.clone()), N, 100, ms(100));
    let twice = arrived.len() as u64 - N;
    near(twice, N, 0.1);
    assert_eq!(kernel.totals().lines.duplicated, twice);

    // 1,000 bytes at 8 Mbit/s are a millisecond; every copy costs one more.
    let always = Link {
        duplicate_ppb: 1_000_000_000,
        rate: 8_000_000,
        ..Link::default()
    };
    let setup = |link: &Link| Setup {
        link: link.clone(),
        ..Setup::default()
    };
    let (arrived, _) = stream_of(setup(&always), 3, 1_000, Span::ZERO);
    assert_eq!(arrived, [(11_000, 0), (13_000, 1), (15_000, 2)]);
    let (arrived, _) = stream_of(
        setup(&Link {
            duplicate_ppb: 0,
            ..always
        }),
        3,
        1_000,
        Span::ZERO,
    );
    assert_eq!(arrived, [(11_000, 0), (12_000, 1), (13_000, 2)]);
}

#[test]
fn reordering_lets_datagrams_overtake_and_holds_a_stream_up() {
    let link = Link {
        reorder_ppb: 200_000_000,
        ..Link::default()
    };
    let out_of_order =
        |arrived: &[(u64, u64)]| arrived.windows(2).filter(|w| w[0].1 > w[1].1).count() as u64;
    let (arrived, kernel) = stream_of(datagrams(link.clone()), N, 100, ms(1));
    near(kernel.totals().lines.reordered, N, 0.2);
    assert!(out_of_order(&arrived) > N / 10);
    assert_eq!(arrived.len() as u64, N);

    let stream = Setup {
        link,
        end: at(60_000),
        ..Setup::default()
    };
    let (arrived, kernel) = stream_of(stream, N, 100, ms(1));
    assert!(kernel.totals().lines.reordered > 0);
    assert_eq!(out_of_order(&arrived), 0);
    // A message that nothing holds up takes 10 ms.
    let late = arrived.iter().filter(|(at, n)| *at > n * 1_000 + 10_000);
    assert!(late.count() as u64 > N / 2);
}

#[test]
fn a_corrupted_message_reaches_its_receiver_which_refuses_it() {
    // Bits of the number still decode, so the authenticator speaks; those of the padding do not.
    let link = Link {
        corrupt_ppb: 300_000_000,
        ..Link::default()
    };
    for stream in [true, false] {
        let setup = Setup {
            link: Link {
                stream,
                ..link.clone()
            },
            hardware: Hardware {
                per_message: Span::from_micros(7),
                ..Hardware::default()
            },
            end: at(60_000),
            ..Setup::default()
        };
        let (arrived, kernel) = stream_of(setup, N, 16, ms(1));
        let lines = kernel.totals().lines;
        near(lines.corrupted, N, 0.3);
        assert_eq!(lines.refused, lines.corrupted, "every one is refused");
        assert_eq!(lines.lost, 0, "the network drops none");
        assert_eq!(arrived.len() as u64 + lines.refused, N);
        // Refusing takes the time of receiving.
        assert_eq!(
            kernel.usage()[1].cpu.nanos(),
            N * 7_000 + kernel.usage()[0].cpu.nanos()
        );
        let reasons = kernel.observer().refused.clone();
        near(reasons["malformed"], lines.refused, 0.5);
        assert_eq!(reasons["malformed"] + reasons["altered"], lines.refused);
    }
}

#[test]
fn losses_come_in_bursts_whose_share_and_length_are_those_of_the_model() {
    // Half of the segments are lost in the bad state, which holds for five on average.
    let burst = Burst {
        good_to_bad_ppb: 10_000_000,
        bad_to_good_ppb: 200_000_000,
        loss_in_bad_ppb: 1_000_000_000,
    };
    let link = Link {
        burst: Some(burst),
        ..Link::default()
    };
    let n = 10 * N;
    let (arrived, kernel) = stream_of(datagrams(link), n, 100, ms(1));
    let lost = n - arrived.len() as u64;
    assert_eq!(kernel.totals().lines.lost, lost);
    // The share of the bad state is 1 / (1 + 20).
    let share = lost as f64 / n as f64;
    assert!((share - 1.0 / 21.0).abs() < 0.004, "{share}");
    // With certain loss in the bad state, a gap is a bad spell: geometric with mean 5.
    let gaps = arrived.windows(2).filter(|w| w[1].1 > w[0].1 + 1).count() as f64;
    let mean = lost as f64 / gaps;
    assert!((mean - 5.0).abs() < 0.4, "{mean}");
    // Independent loss of the same share has gaps of 1 / (1 - p).
    let even = Link {
        loss_ppb: 47_619_048,
        ..Link::default()
    };
    let (arrived, _) = stream_of(datagrams(even), n, 100, ms(1));
    let lost = (n - arrived.len() as u64) as f64;
    let gaps = arrived.windows(2).filter(|w| w[1].1 > w[0].1 + 1).count() as f64;
    assert!((lost / gaps - 1.05).abs() < 0.02, "{}", lost / gaps);
}

#[test]
fn a_stream_brings_what_a_burst_lost_again() {
    let burst = Burst {
        good_to_bad_ppb: 50_000_000,
        bad_to_good_ppb: 500_000_000,
        loss_in_bad_ppb: 800_000_000,
    };
    let setup = Setup {
        link: Link {
            burst: Some(burst),
            ..Link::default()
        },
        end: at(600_000),
        ..Setup::default()
    };
    let (arrived, kernel) = stream_of(setup, 1_000, 100, ms(1));
    assert_eq!(arrived.len(), 1_000);
    assert!(kernel.totals().lines.retransmissions > 20);
    assert!(arrived.iter().zip(0..).all(|(a, n)| a.1 == n), "in order");
}

#[test]
fn a_connection_has_a_rate_of_its_own_below_the_lines() {
    // 1,000 bytes take 1 ms on the line and 2 ms on a connection.
    let link = Link {
        rate: 8_000_000,
        connection_rate: 4_000_000,
        ..Link::default()
    };
    let setup = || Setup {
        link: link.clone(),
        ..Setup::default()
    };
    let (arrived, _) = stream_of(setup(), 3, 1_000, Span::ZERO);
    assert_eq!(arrived, [(12_000, 0), (14_000, 1), (16_000, 2)]);

    // Two nodes of one site: two connections share the line of their sites and are not slower.
    let (log, _) = Setup {
        nodes: 4,
        ..setup()
    }
    .run_in_sites(&[0, 0, 1, 1], |cx, event| {
        if matches!(event, Event::Start) && cx.node().0 < 2 {
            let to = NodeId(cx.node().0 + 2);
            for n in 0..2 {
                cx.send(to, Arc::new(Note(n, 992)));
            }
        }
    });
    // The line carries one message a millisecond: 11, 12, 13, 14; a connection ends at 12 and 14.
    assert_eq!(only(&log, "note"), [(12, 2), (13, 3), (14, 2), (14, 3)]);
}

#[test]
fn a_full_queue_drops_what_comes_last() {
    // 1,000 bytes take 1 ms; 2,500 may wait.
    let link = Link {
        rate: 8_000_000,
        queue: 2_500,
        ..Link::default()
    };
    let setup = |stream| Setup {
        link: Link {
            stream,
            ..link.clone()
        },
        end: at(60_000),
        ..Setup::default()
    };
    // Ten at once: the first finds the line idle, the second 1,000 bytes before it; the third
    // would make 3,000.
    let (arrived, kernel) = stream_of(setup(false), 10, 1_000, Span::ZERO);
    assert_eq!(arrived, [(11_000, 0), (12_000, 1)]);
    assert_eq!(kernel.totals().lines.overflowed, 8);
    assert_eq!(kernel.totals().lines.lost, 8);
    // A stream sends them again, 200 ms + 2 x 10 ms later.
    let (arrived, kernel) = stream_of(setup(true), 10, 1_000, Span::ZERO);
    assert_eq!(arrived.len(), 10);
    assert_eq!(arrived[2], (231_000, 2));
    assert_eq!(kernel.totals().lines.overflowed, 8);
    assert_eq!(kernel.totals().lines.lost, 0);
    // One a millisecond never waits.
    let (arrived, _) = stream_of(setup(false), 10, 1_000, ms(1));
    assert_eq!(arrived.len(), 10);
}

#[test]
fn lines_differ_by_direction_and_by_pair() {
    let slow = Link {
        delay: Distribution::Constant(ms(30)),
        ..Link::default()
    };
    let slower = Link {
        delay: Distribution::Constant(ms(70)),
        ..Link::default()
    };
    let groups = LineGroups {
        // Site 2 and all beyond are of group 0.
        of_site: vec![1, 2],
        line: vec![
            vec![None, None, None],
            vec![None, None, Some(0)],
            vec![Some(1), None, None],
        ],
        links: vec![slow, slower],
    };
    let setup = Setup {
        nodes: 3,
        groups,
        ..Setup::default()
    };
    let (log, _) = setup.run(|cx, event| {
        if matches!(event, Event::Start) {
            let me = cx.node();
            for to in (0..3).map(NodeId).filter(|&to| to != me) {
                cx.send(to, note(u64::from(me.0)));
            }
        }
    });
    let took = |from: u32, to: u32| {
        let what = format!("note {from} from");
        let found = only(&log, &what).into_iter().find(|&(_, node)| node == to);
        found.unwrap().0
    };
    assert_eq!((took(0, 1), took(1, 0)), (40, 10), "one direction only");
    assert_eq!((took(1, 2), took(2, 1)), (80, 10));
    assert_eq!((took(0, 2), took(2, 0)), (10, 10), "the common line");
}

/// A line that declares nothing more costs no memory, however odd the others are.
#[test]
fn only_odd_lines_have_connections() {
    let odd = Link {
        connection_rate: 1_000_000,
        ..Link::default()
    };
    let groups = LineGroups {
        of_site: vec![0, 1],
        line: vec![vec![None, Some(0)], vec![None, None]],
        links: vec![odd],
    };
    let setup = Setup {
        groups,
        ..Setup::default()
    };
    let (_, kernel) = setup.run(ping_pong);
    assert_eq!(kernel.odd_connections(), 1);
    let (_, kernel) = Setup::default().run(ping_pong);
    assert_eq!(kernel.odd_connections(), 0);
}
