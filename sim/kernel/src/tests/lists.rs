//! The future event list keeps what it holds in one of several ways, and nothing shows which.

use super::*;

/// Nodes: more than the receivers from which on a multicast waits in segments.
const NODES: u32 = 150;

/// Everybody says something to everybody at the start; whoever hears something of the first
/// generations answers the sender, sets a timer or tells everybody; some write to disk.
fn gossip(cx: &mut Context<'_>, event: &Event<'_>) {
    let me = u64::from(cx.node().0);
    let all: Arc<[NodeId]> = (0..NODES).map(NodeId).collect();
    match event {
        Event::Start if me.is_multiple_of(10) => cx.multicast(&all, note(0)),
        Event::Message { from, payload } => {
            let n = payload.as_any().downcast_ref::<Note>().unwrap().0;
            match (n + me) % 50 {
                0 if n < 4 => cx.multicast(&all, note(n + 1)),
                1..6 if n < 20 => cx.send(*from, note(n + 1)),
                6 => cx.set_timer(TimerKey(n % 3), ms(n % 4)),
                7 => cx.cancel_timer(TimerKey(n % 3)),
                8 => cx.persist(WriteToken(n), vec![Write::append(1, note(n))]),
                _ => {}
            }
            cx.work(Work::verify((n % 2) as u32));
        }
        Event::Timer(_) => cx.send(NodeId((cx.node().0 + 1) % NODES), note(30)),
        _ => {}
    }
}

fn setups() -> Vec<Setup> {
    let coarse = Hardware {
        // Durations of the grain of the delays, so that nearly everything is a tie.
        verify: ms(1),
        fsync: Distribution::Constant(ms(1)),
        ..Setup::default().hardware
    };
    let nic = Hardware {
        nic_in: 1_000_000,
        nic_out: 2_000_000,
        ..coarse.clone()
    };
    let setup = |delay, hardware: &Hardware, seed| Setup {
        nodes: NODES,
        region_delay: delay,
        hardware: hardware.clone(),
        seed,
        end: at(200),
        faults: vec![crash(3, 21, 60), crash(70, 10, 20)],
        ..Setup::default()
    };
    let constant = |n| Distribution::Constant(ms(n));
    let normal = || Distribution::Normal {
        mean: ms(10),
        sd: ms(3),
    };
    let heavy = Distribution::LogNormal {
        median: ms(5),
        p99: ms(90),
    };
    vec![
        setup(constant(1), &coarse, 1),
        setup(constant(10), &coarse, 2),
        setup(constant(0), &nic, 3),
        setup(constant(5), &nic, 4),
        setup(normal(), &coarse, 5),
        setup(normal(), &nic, 6),
        setup(heavy, &coarse, 7),
    ]
}

#[test]
fn every_list_gives_the_same_run() {
    for number in 0..setups().len() {
        let run = |list| {
            let mut setup = setups().swap_remove(number);
            setup.list = list;
            let (history, kernel) = setup.run(gossip);
            (kernel.run_digest(), kernel.totals().messages, history)
        };
        let tickets = run(EventList::Tickets);
        assert!(tickets.1 > 4_000, "{} messages", tickets.1);
        for list in [EventList::Segments, EventList::Heap] {
            assert!(run(list) == tickets, "{list:?}, setup {number}");
        }
    }
}
