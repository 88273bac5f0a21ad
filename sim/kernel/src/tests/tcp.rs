//! TCP where it decides figures: golden cases with their arithmetic. One way takes 50 ms, so a
//! round trip takes 100 ms; nothing else takes time.

use super::*;
use crate::config::{SEGMENT, Tcp};

/// Arrivals at node 1, in microseconds, of notes that node 0 sends: (when in ms, bytes).
fn arrivals(tcp: Tcp, rate: u64, sends: &'static [(u64, usize)]) -> Vec<u64> {
    let setup = Setup {
        link: Link {
            rate,
            tcp,
            ..Link::default()
        },
        region_delay: Distribution::Constant(ms(50)),
        hardware: Hardware::default(),
        end: at(100_000),
        ..Setup::default()
    };
    let (log, _) = setup.run(move |cx, event| match event {
        Event::Start if cx.node().0 == 0 => {
            for (i, (when, _)) in sends.iter().enumerate() {
                cx.set_timer(TimerKey(i as u64), ms(*when));
            }
        }
        Event::Timer(TimerKey(i)) => {
            let bytes = sends[*i as usize].1;
            cx.send(NodeId(1), Arc::new(Note(*i, bytes - 8)));
        }
        _ => {}
    });
    let arrived: Vec<(u64, String)> = log
        .into_iter()
        .filter(|l| l.2.starts_with("note"))
        .map(|l| (l.0 / 1_000, l.2))
        .collect();
    for (i, (_, what)) in arrived.iter().enumerate() {
        assert_eq!(*what, format!("note {i} from 0"), "in order");
    }
    arrived.into_iter().map(|(at, _)| at).collect()
}

const TEN_LONG: &[(u64, usize)] = &[(0, 60_000); 10];
const TEN_SHORT: &[(u64, usize)] = &[(0, 10_000); 10];
const NAGLE: Tcp = Tcp {
    nagle: true,
    delayed_ack: Span::from_millis(40),
    window: 0,
    slow_start: false,
};

#[test]
fn nagle_holds_a_small_segment_until_the_one_before_is_acknowledged() {
    let sends = &[(0, 100), (1, 100), (2, 200), (300, 100)];
    assert_eq!(
        arrivals(Tcp::default(), 0, sends),
        [50_000, 51_000, 52_000, 350_000]
    );
    // The first leaves at once and arrives at 50; its acknowledgement leaves at 90 and is back at
    // 140. The second and the third leave together then and arrive at 190; acknowledged at 280.
    assert_eq!(
        arrivals(NAGLE, 0, sends),
        [50_000, 190_000, 190_000, 350_000]
    );
    // Without the receiver's wait the acknowledgement is back at 100.
    let prompt = Tcp {
        delayed_ack: Span::ZERO,
        ..NAGLE
    };
    assert_eq!(
        arrivals(prompt, 0, sends),
        [50_000, 150_000, 150_000, 350_000]
    );
}

#[test]
fn nagle_lets_full_segments_go_and_they_push_out_what_is_held() {
    const FULL: usize = SEGMENT as usize;
    // The second is held; the third fills a segment with it, so the second leaves with its first
    // bytes at 2 ms, and the rest of the third (100 bytes) waits until 140.
    let sends = &[(0, 100), (1, 100), (2, FULL)];
    assert_eq!(arrivals(NAGLE, 0, sends), [50_000, 52_000, 190_000]);
    // What fills segments exactly leaves no rest, and nothing waits for it.
    let sends = &[(0, 2 * FULL), (1, FULL), (2, 100), (3, 100)];
    assert_eq!(arrivals(NAGLE, 0, sends), [50_000, 51_000, 52_000, 192_000]);
    // The rest of a long message waits like any other small segment, and the message with it.
    let sends = &[(0, 10), (1, 10 * FULL + 1)];
    assert_eq!(arrivals(NAGLE, 0, sends), [50_000, 190_000]);
}

#[test]
fn nagle_waits_again_for_what_it_has_let_go() {
    // 0 leaves at 0 (acknowledged at 140); 1 at 140 (at 280); 2 comes at 200 and leaves at 280.
    let sends = &[(0, 100), (100, 100), (200, 100)];
    assert_eq!(arrivals(NAGLE, 0, sends), [50_000, 190_000, 330_000]);
}

/// A note that takes the second connection.
#[derive(Debug)]
struct Aside(Note);

impl Payload for Aside {
    fn kind(&self) -> &'static str {
        "note"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }
    fn encoded_len(&self) -> usize {
        self.0.encoded_len()
    }
    fn lane(&self) -> u8 {
        1
    }
    fn as_any(&self) -> &dyn Any {
        self.0.as_any()
    }
}

#[test]
fn what_goes_over_another_connection_waits_for_nothing_on_this_one() {
    let run = |aside: bool| {
        let setup = Setup {
            link: Link {
                tcp: Tcp {
                    window: 100_000,
                    ..NAGLE
                },
                ..Link::default()
            },
            region_delay: Distribution::Constant(ms(50)),
            hardware: Hardware::default(),
            end: at(10_000),
            ..Setup::default()
        };
        let (log, _) = setup.run(move |cx, event| {
            if matches!(event, Event::Start) && cx.node().0 == 0 {
                // Ten windows, and small ones behind them.
                cx.send(NodeId(1), Arc::new(Note(0, 1_000_000 - 8)));
                for i in [1, 2] {
                    let note = Note(i, 92);
                    if aside {
                        cx.send(NodeId(1), Arc::new(Aside(note)));
                    } else {
                        cx.send(NodeId(1), Arc::new(note));
                    }
                }
            }
        });
        let at = |i| {
            let what = format!("note {i} from 0");
            log.iter().find(|l| l.2 == what).map(|l| l.0 / 1_000)
        };
        [at(0), at(1), at(2)]
    };
    let [long, first, second] = run(false);
    assert!(first > long && second > long, "behind it");
    // On its own connection the first leaves at once, and the second after its acknowledgement: 140 ms.
    assert_eq!(run(true), [long, Some(50_000), Some(190_000)]);
}

#[test]
fn what_nagle_holds_is_gone_with_its_node() {
    let setup = |faults| Setup {
        link: Link {
            tcp: NAGLE,
            ..Link::default()
        },
        region_delay: Distribution::Constant(ms(50)),
        faults,
        ..Setup::default()
    };
    let script = |cx: &mut Context<'_>, event: &Event<'_>| {
        if matches!(event, Event::Start) && cx.node().0 == 0 {
            cx.send(NodeId(1), note(1));
            cx.send(NodeId(1), note(2));
        }
    };
    let (log, kernel) = setup(Vec::new()).run(script);
    assert_eq!(only(&log, "note"), [(50, 1), (190, 1)]);
    assert_eq!(kernel.totals().lines.held, 1);
    let (log, _) = setup(vec![crash(0, 100, 120)]).run(script);
    assert_eq!(only(&log, "note"), [(50, 1)]);
}

#[test]
fn a_round_trip_carries_no_more_than_the_window() {
    let tcp = Tcp {
        window: 100_000,
        ..Tcp::default()
    };
    // 100 kB at 0, 100 kB at 100 ms, 50 kB at 200 ms; each takes 50 ms.
    assert_eq!(arrivals(tcp, 0, &[(0, 250_000)]), [250_000]);
    // A message within the window takes no time more than the way.
    assert_eq!(arrivals(tcp, 0, &[(0, 100_000)]), [50_000]);
    // Ten messages of 60 kB at once: 600 kB need six windows, the last at 500 ms.
    let times = arrivals(tcp, 0, TEN_LONG);
    let expected = [50, 150, 150, 250, 250, 350, 450, 450, 550, 550];
    assert_eq!(times, expected.map(|ms| ms * 1_000));
    assert_eq!(arrivals(Tcp::default(), 0, TEN_LONG), [50_000; 10]);
}

#[test]
fn throughput_of_a_connection_is_window_over_round_trip() {
    // 8 Mbit/s: 1 kB a millisecond. A window of 20 kB is 20 ms of the line, of a round trip of
    // 100 ms: a fifth of the rate, 0.2 kB a millisecond.
    let tcp = Tcp {
        window: 20_000,
        ..Tcp::default()
    };
    let times = arrivals(tcp, 8_000_000, TEN_SHORT);
    // The first two pass at the line's rate, each further one waits for the acknowledgement of
    // the one two before it.
    let expected = [60, 70, 160, 170, 260, 270, 360, 370, 460, 470];
    assert_eq!(times, expected.map(|ms| ms * 1_000));
    // A long message in parts is no faster and no slower than many short ones: 100 kB are five
    // windows, so its last byte leaves at 4 x 100 + 20 ms.
    assert_eq!(arrivals(tcp, 8_000_000, &[(0, 100_000)]), [470_000]);
    // A window wider than rate x round trip is no bound: 100 kB in 100 ms.
    let wide = Tcp {
        window: 100_000,
        ..Tcp::default()
    };
    assert_eq!(arrivals(wide, 8_000_000, &[(0, 200_000)]), [250_000]);
}

const INITIAL: usize = 10 * SEGMENT as usize;

#[test]
fn slow_start_begins_with_ten_segments_and_doubles() {
    let tcp = Tcp {
        slow_start: true,
        ..Tcp::default()
    };
    // Ten segments at once; then 20, 40, 80 with each round trip.
    assert_eq!(arrivals(tcp, 0, &[(0, INITIAL)]), [50_000]);
    assert_eq!(arrivals(tcp, 0, &[(0, 3 * INITIAL)]), [150_000]);
    assert_eq!(arrivals(tcp, 0, &[(0, 3 * INITIAL + 1)]), [250_000]);
    assert_eq!(arrivals(tcp, 0, &[(0, 7 * INITIAL)]), [250_000]);
    assert_eq!(arrivals(tcp, 0, &[(0, 15 * INITIAL)]), [350_000]);
}

#[test]
fn what_a_connection_has_grown_to_lasts_until_it_is_idle() {
    let tcp = Tcp {
        slow_start: true,
        ..Tcp::default()
    };
    // The first fills 1 + 2 + 4 windows, its last bytes leave at 200 and are acknowledged at 300;
    // by then the window is eight times the first. At 350 it serves eight at once.
    let sends = &[(0, 7 * INITIAL), (350, 8 * INITIAL)];
    assert_eq!(arrivals(tcp, 0, sends), [250_000, 400_000]);
    // The timeout is 100 + 200 ms. After more than one it serves four, then eight (100 ms later);
    // after more than three it is back at the beginning.
    let sends = &[(0, 7 * INITIAL), (501, 8 * INITIAL)];
    assert_eq!(arrivals(tcp, 0, sends), [250_000, 651_000]);
    let sends = &[(0, 7 * INITIAL), (501, 4 * INITIAL)];
    assert_eq!(arrivals(tcp, 0, sends), [250_000, 551_000]);
    let sends = &[(0, 7 * INITIAL), (2_000, INITIAL + 1)];
    assert_eq!(arrivals(tcp, 0, sends), [250_000, 2_150_000]);
}

#[test]
fn slow_start_grows_up_to_the_window() {
    let tcp = Tcp {
        slow_start: true,
        window: 2 * INITIAL as u64,
        ..Tcp::default()
    };
    // 1, 2, 2, 2 times the first.
    assert_eq!(arrivals(tcp, 0, &[(0, 7 * INITIAL)]), [350_000]);
}
