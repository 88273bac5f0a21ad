//! Up-links that sites share.

use super::*;
use crate::config::Clog;

/// 8 Mbit/s: a byte a microsecond.
const RATE: u64 = 8_000_000;
/// Bytes of a note.
const BYTES: u64 = 1_000;
/// How many each sender sends.
const NOTES: u64 = 200;

/// Ten nodes, and an up-link of nodes 0 to 4.
fn shared() -> Setup {
    Setup {
        nodes: 10,
        end: at(60_000),
        uplinks: vec![Uplink {
            rate: RATE,
            sites: (0..5).collect(),
        }],
        ..Setup::default()
    }
}

/// Each node of `from` sends its notes at once to the node `by` places after it; at what microsecond
/// each note arrived, and where.
fn burst(
    setup: Setup,
    from: std::ops::Range<u32>,
    by: u32,
) -> (Vec<(u64, NodeId)>, Kernel<Nobody>) {
    let (log, kernel) = setup.run(move |cx, event| {
        if matches!(event, Event::Start) && from.contains(&cx.node().0) {
            for n in 0..NOTES {
                let to = NodeId((cx.node().0 + by) % 10);
                cx.send(to, Arc::new(Note(n, BYTES as usize - 8)));
            }
        }
    });
    let notes = log.iter().filter(|line| line.2.starts_with("note"));
    let notes = notes.map(|(at, node, _)| (at / 1_000, NodeId(*node)));
    (notes.collect(), kernel)
}

/// Bits a second from the first arrival to the last.
fn rate(arrived: &[(u64, NodeId)]) -> u64 {
    let (first, last) = (arrived[0].0, arrived[arrived.len() - 1].0);
    (arrived.len() as u64 - 1) * BYTES * 8 * 1_000_000 / (last - first)
}

#[test]
fn five_nodes_send_no_faster_than_the_up_link_that_they_share() {
    let (arrived, _) = burst(shared(), 0..5, 5);
    assert_eq!(arrived.len() as u64, 5 * NOTES);
    assert_eq!(rate(&arrived), RATE);
    // The first is through after a millisecond, and takes 10 ms more.
    assert_eq!(arrived[0].0, 11_000);

    // Twice the rate, half the time; without an up-link all come at once.
    let mut faster = shared();
    faster.uplinks[0].rate = 2 * RATE;
    assert_eq!(rate(&burst(faster, 0..5, 5).0), 2 * RATE);
    let mut none = shared();
    none.uplinks.clear();
    let (free, _) = burst(none, 0..5, 5);
    assert!(free.iter().all(|(at, _)| *at == 10_000));
}

#[test]
fn five_nodes_are_sent_to_no_faster_either_whoever_sends() {
    let (arrived, _) = burst(shared(), 5..10, 5);
    assert_eq!(arrived.len() as u64, 5 * NOTES);
    assert!(arrived.iter().all(|(_, node)| node.0 < 5));
    assert_eq!(rate(&arrived), RATE);
    // Both ways at a time: neither waits for the other.
    let (both, _) = burst(shared(), 0..10, 5);
    let last = |side: &dyn Fn(u32) -> bool| {
        let notes = both.iter().filter(|(_, node)| side(node.0));
        notes.map(|(at, _)| *at).max().unwrap()
    };
    let whole = 5 * NOTES * BYTES;
    assert_eq!(last(&|node| node >= 5), 10_000 + whole);
    assert_eq!(last(&|node| node < 5), 10_000 + whole - BYTES);
}

#[test]
fn what_stays_behind_the_up_link_does_not_take_it() {
    let (arrived, _) = burst(shared(), 0..2, 2);
    assert!(arrived.iter().all(|(at, _)| *at == 10_000), "{arrived:?}");
    // Two sites with an up-link each: what goes from one to the other takes both, one after the
    // other, so the slower decides.
    let mut two = shared();
    two.uplinks[0].rate = 4 * RATE;
    two.uplinks.push(Uplink {
        rate: RATE,
        sites: (5..10).collect(),
    });
    assert_eq!(rate(&burst(two, 0..5, 5).0), RATE);
}

#[test]
fn a_local_message_does_not_wait_for_those_that_come_in() {
    // Nodes 0 and 1 are one institution: they talk while the up-link is full.
    let sites: Vec<u32> = [0, 0].into_iter().chain(1..9).collect();
    let (log, _) = shared().run_in_sites(&sites, |cx, event| match (event, cx.node().0) {
        (Event::Start, 9) => {
            for n in 0..NOTES {
                cx.send(NodeId(0), Arc::new(Note(n, BYTES as usize - 8)));
            }
        }
        (Event::Start, 1) => cx.set_timer(TimerKey(1), ms(50)),
        (Event::Timer(_), 1) => cx.send(NodeId(0), note(7)),
        _ => {}
    });
    let local = log.iter().find(|line| line.2.ends_with("from 1")).unwrap();
    let last = log.iter().rfind(|line| line.2.ends_with("from 9")).unwrap();
    assert_eq!(local.0 / 1_000_000, 50);
    assert_eq!(last.0 / 1_000_000, 10 + NOTES - 1);
}

#[test]
fn a_message_on_its_way_in_is_asked_about_once_and_a_crash_takes_it() {
    // What comes while the up-link is full is neither held nor counted a second time.
    let clog = || FaultWindow {
        id: "clog".into(),
        from: at(20),
        to: at(30),
        kind: FaultKind::Clog(Clog {
            lines: Lines::Of(Target::Nodes(vec![NodeId(0)])),
            paced: false,
        }),
    };
    let run = |faults: Vec<FaultWindow>| {
        let setup = Setup { faults, ..shared() };
        burst(setup, 5..6, 5)
    };
    let (quiet, _) = run(Vec::new());
    let (clogged, kernel) = run(vec![clog()]);
    assert_eq!(quiet, clogged, "the messages had left before");
    assert_eq!(kernel.fault_effects()[0].took_effect, 0);

    let (after, kernel) = run(vec![crash(0, 60, 100)]);
    // 60 to 100 ms: forty notes of a millisecond each find nobody.
    assert_eq!(after.len() as u64, NOTES - 40);
    assert_eq!(kernel.totals().messages, NOTES - 40);
}

#[test]
fn equal_seeds_give_equal_digests_behind_up_links_too() {
    let digest = |rate: u64| {
        let mut setup = shared();
        setup.uplinks[0].rate = rate;
        let (_, kernel) = burst(setup, 0..10, 5);
        kernel.run_digest()
    };
    assert_eq!(digest(RATE), digest(RATE));
    assert_ne!(digest(RATE), digest(RATE + 1_000));
}
