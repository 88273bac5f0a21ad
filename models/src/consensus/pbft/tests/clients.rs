//! Clients that are no members: whom they believe, and how they get through.

use super::cluster::{Cluster, Corrupt, Outcome, Outside, crash, ms, nodes, secs};
use crate::consensus::pbft::PbftOptions;
use crate::node::FullNode;
use crate::node::client::REFUSED;
use crate::node::message::{Message, Outcome as How, Reply, Shown};
use consim_core::{Context, Effect, Effects, Event, NodeId, OpEnd, Process, Span};
use std::sync::Arc;

fn with(outside: Outside, seed: u64) -> Cluster {
    Cluster {
        outside: Some(outside),
        // The members themselves submit nothing.
        clients: vec![],
        end: secs(40),
        ..Cluster::new(4, seed)
    }
}

fn tentative(on: bool) -> PbftOptions {
    PbftOptions {
        tentative: on,
        ..PbftOptions::default()
    }
}

/// How many of the operations `name` ended like this.
fn count(outcome: &Outcome, name: &str, end: OpEnd) -> usize {
    let ended = outcome.seen.ended.iter();
    ended.filter(|(n, e, _)| *n == name && *e == end).count()
}

/// The median latency of the operations `name` that are done.
fn median(outcome: &Outcome, name: &str) -> Span {
    let ended = outcome.seen.ended.iter();
    let done = ended.filter(|(n, end, _)| *n == name && *end == OpEnd::Done);
    let mut latencies: Vec<Span> = done.map(|&(_, _, latency)| latency).collect();
    latencies.sort_unstable();
    latencies[latencies.len() / 2]
}

#[test]
fn commands_are_ordered_and_reads_show_what_the_client_was_told() {
    let outcome = with(Outside::new(4), 1).run();
    outcome.assert_good("clients");
    let (orders, reads) = (
        count(&outcome, "order", OpEnd::Done),
        count(&outcome, "read", OpEnd::Done),
    );
    assert!(orders > 100 && reads > 100, "{orders} {reads}");
    assert_eq!(outcome.seen.ended.len(), orders + reads);
    assert_eq!(outcome.seen.stale, 0);
    // A read is one message there and one back; an order has three phases between.
    let (order, read) = (median(&outcome, "order"), median(&outcome, "read"));
    assert!(read.times(2) < order, "{read} {order}");
}

#[test]
fn tentative_execution_saves_a_phase_and_tells_nobody_what_is_undone() {
    let run = |on| {
        let outcome = Cluster {
            options: tentative(on),
            ..with(Outside::new(4), 2)
        }
        .slow_lines(ms(50))
        .run();
        outcome.assert_good("tentative");
        assert_eq!(outcome.seen.stale, 0);
        median(&outcome, "order")
    };
    let (on, off) = (run(true), run(false));
    assert!(on + ms(40) < off, "{on} {off}");
    // Leaders that fail in between: what a quorum said is done stays done.
    for seed in 1..4 {
        let outcome = Cluster {
            options: tentative(true),
            ..with(Outside::new(4), seed)
        }
        .fault(crash(nodes(&[0]), 5, 9))
        .fault(crash(nodes(&[1]), 12, 16))
        .run();
        outcome.assert_good("tentative, crashes");
        assert_eq!(outcome.seen.stale, 0);
        let done: u64 = outcome.seen.done.values().sum();
        assert!(done > 80, "{done}");
        assert!(done as usize <= outcome.seen.applied.len());
    }
}

#[test]
fn a_request_that_the_primary_swallows_goes_to_all() {
    let run = |times| {
        let outside = Outside {
            times,
            reads: false,
            ..Outside::new(4)
        };
        with(outside, 3).fault(crash(nodes(&[0]), 5, 12)).run()
    };
    let again = run(10);
    again.assert_good("retransmission");
    assert_eq!(count(&again, "order", OpEnd::GaveUp), 0);
    assert!(again.seen.views.values().any(|&view| view > 0));
    // Without it, what went to the crashed primary is never heard of again.
    let once = run(0);
    assert!(count(&once, "order", OpEnd::GaveUp) > 0);
}

/// Shows clients values that are not there, and may tell them that their requests are refused,
/// before anybody executed them.
struct Liar {
    honest: FullNode,
    of_orders: bool,
}

impl Process for Liar {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        if let Event::Message { from, payload } = &event
            && let Some(Message::Request(tx)) = payload.as_any().downcast_ref()
            && self.of_orders
        {
            let lie = Reply {
                id: tx.id(),
                view: 7,
                leader: cx.node(),
                tentative: false,
                outcome: How::Refused,
            };
            cx.send(*from, Arc::new(Message::Reply(lie)));
        }
        let mut effects = Effects::default();
        {
            let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
            let (now, wall_ns, node) = (cx.now(), cx.wall_ns(), cx.node());
            let mut inner = Context::new(now, wall_ns, node, &mut effects, &mut rng, &mut slot);
            self.honest.handle(&mut inner, event);
        }
        effects.probes.drain(..).for_each(|probe| cx.emit(probe));
        for effect in effects.list.drain(..) {
            match effect {
                Effect::Send { to, payload } => match payload.as_any().downcast_ref() {
                    Some(Message::Reply(_)) if self.of_orders => {}
                    Some(Message::Shown(shown)) => {
                        let value = Some(Arc::from(0u64.to_be_bytes()));
                        let number = shown.number;
                        cx.send(to, Arc::new(Message::Shown(Shown { number, value })));
                    }
                    _ => cx.send(to, payload),
                },
                Effect::Multicast { to, payload } => cx.multicast(&to, payload),
                Effect::SetTimer { key, after } => cx.set_timer(key, after),
                Effect::CancelTimer { key } => cx.cancel_timer(key),
                Effect::Persist { token, writes } => cx.persist(token, writes),
            }
        }
    }
}

fn liar(of_orders: bool) -> Corrupt {
    Arc::new(move |_: NodeId, honest, _: &_| Box::new(Liar { honest, of_orders }))
}

#[test]
fn f_plus_1_replies_keep_a_liar_from_being_believed_and_one_does_not() {
    let run = |of_orders, wait_for, quorum| {
        Cluster {
            corrupt: vec![(0, liar(of_orders))],
            ..with(
                Outside {
                    wait_for,
                    quorum,
                    ..Outside::new(4)
                },
                4,
            )
        }
        .run()
    };
    let right = run(true, 2, 3);
    assert_eq!(right.violations(), [""; 0]);
    assert_eq!(count(&right, "order", OpEnd::Refused(REFUSED)), 0);
    assert_eq!(right.seen.stale, 0);
    assert!(count(&right, "order", OpEnd::Done) > 100);
    assert!(count(&right, "read", OpEnd::Done) > 100);
    // A client that believes the first to answer believes the liar, who is the fastest.
    let wrong = run(true, 1, 1);
    assert!(count(&wrong, "order", OpEnd::Refused(REFUSED)) > 100);
    let told = run(false, 1, 1);
    assert!(told.seen.stale > 0, "reads need a quorum");
}
