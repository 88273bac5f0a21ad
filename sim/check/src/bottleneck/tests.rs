#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::metrics::MetricsConfig;
use crate::testing::{CHAIN, World, admitted, applied, committed, ms, proposed, s};
use consim_core::{NodeId, Observer, Span};

/// One transaction that waits, is ordered and executed for so many milliseconds each.
fn metrics(waits: u64, orders: u64, executes: u64) -> Metrics {
    let mut m = Metrics::new(MetricsConfig {
        end: s(100),
        ..MetricsConfig::default()
    });
    let mut world = World::new(4);
    let tx = world.tx(0, 1);
    m.probe(ms(0), NodeId(0), &admitted(&tx));
    m.probe(ms(waits), NodeId(0), &proposed(1));
    let block = world.block(vec![tx]);
    m.probe(ms(waits + orders), NodeId(0), &committed(&block));
    m.probe(ms(waits + orders + executes), NodeId(0), &applied(&block));
    m.end(s(100));
    m
}

fn chain() -> ChainIdentity {
    ChainIdentity {
        id: CHAIN,
        name: "alliance".into(),
        block_wait: Span::from_millis(500),
        floor: Span::from_millis(50),
        ..ChainIdentity::default()
    }
}

fn node(name: &str, cpu: f64, disk: f64, nic_out: f64, nic_in: f64) -> NodeUse {
    NodeUse {
        name: name.into(),
        cpu,
        disk,
        nic_out,
        nic_in,
        ..NodeUse::default()
    }
}

fn first(metrics: &Metrics, nodes: &[NodeUse]) -> String {
    let said = sentence(metrics, &[chain()], nodes);
    said.split_once(". ")
        .map_or(said.clone(), |(first, _)| first.to_owned())
}

#[test]
fn a_resource_busy_for_more_than_half_of_the_run_is_the_bottleneck() {
    let m = metrics(400, 60, 1);
    for (resource, expected) in [
        (node("b", 0.63, 0.2, 0.0, 0.0), "The CPU of b"),
        (node("b", 0.2, 0.63, 0.0, 0.0), "The disk of b"),
        (node("b", 0.2, 0.0, 0.63, 0.0), "The outgoing line of b"),
        (node("b", 0.2, 0.0, 0.1, 0.63), "The incoming line of b"),
    ] {
        let nodes = [node("a", 0.6, 0.1, 0.1, 0.1), resource];
        assert_eq!(
            first(&m, &nodes),
            format!("{expected} is the bottleneck: it is busy 63 % of the run")
        );
    }
    // Half is not more than half.
    let nodes = [node("a", 0.5, 0.1, 0.1, 0.1)];
    assert!(first(&m, &nodes).starts_with("Waiting for the next block"));
}

#[test]
fn else_the_largest_part_of_a_transactions_way_is() {
    for (m, expected) in [
        (
            metrics(400, 60, 1),
            "Waiting for the next block, not any machine, sets the pace",
        ),
        (
            metrics(2_000, 60, 1),
            "Queueing for a place in a block sets the pace",
        ),
        (
            metrics(10, 60, 1),
            "The distance between the nodes sets the pace",
        ),
        (
            metrics(10, 300, 1),
            "Agreement beyond the network's floor (queues, processing, view changes) sets the pace",
        ),
        (
            metrics(10, 60, 100),
            "Execution after the commit sets the pace",
        ),
    ] {
        assert_eq!(first(&m, &[node("a", 0.1, 0.1, 0.1, 0.1)]), expected);
    }
}

#[test]
fn of_several_chains_the_busiest_is_named() {
    let other = ChainIdentity {
        id: consim_core::ChainId(1),
        name: "other".into(),
        ..ChainIdentity::default()
    };
    let said = sentence(&metrics(400, 60, 1), &[other, chain()], &[]);
    assert!(
        said.contains("Of the 461 ms that a transaction on alliance takes in the mean"),
        "{said}"
    );
}

#[test]
fn without_transactions_only_resources_are_named() {
    let mut m = Metrics::new(MetricsConfig::default());
    m.end(s(1));
    assert_eq!(sentence(&m, &[chain()], &[]), "");
    assert_eq!(
        sentence(&m, &[chain()], &[node("a", 0.1, 0.2, 0.0, 0.0)]),
        "The busiest resource is the disk of a, at 20 % of the run."
    );
}

#[test]
fn what_faults_delayed_is_left_out_where_there_is_anything_else() {
    // One transaction in 300 ms without a fault; one that waits for ten seconds since a window
    // opens meanwhile, and one that begins and ends in a window.
    let mut m = Metrics::new(MetricsConfig {
        end: s(100),
        ..MetricsConfig::default()
    });
    let mut world = World::new(4);
    let mut one = |m: &mut Metrics, n: u64, admitted_at, executed_at| {
        let tx = world.tx(0, n);
        m.probe(admitted_at, NodeId(0), &admitted(&tx));
        let block = world.block(vec![tx]);
        if n == 2 {
            m.fault(s(20), "cut", true);
            m.fault(s(28), "cut", false);
        }
        m.probe(executed_at, NodeId(0), &proposed(n));
        m.probe(executed_at, NodeId(0), &committed(&block));
        m.probe(executed_at, NodeId(0), &applied(&block));
    };
    one(&mut m, 1, ms(1_000), ms(1_300));
    one(&mut m, 2, s(19), s(29));
    m.fault(s(40), "cut", true);
    one(&mut m, 3, s(41), s(51));
    m.end(s(100));
    let said = sentence(&m, &[chain()], &[]);
    assert!(
        said.contains("Of the 300 ms that a transaction takes in the mean outside of faults, "),
        "{said}"
    );
    let mut m = Metrics::new(MetricsConfig {
        end: s(100),
        ..MetricsConfig::default()
    });
    m.fault(s(0), "cut", true);
    let tx = world.tx(0, 4);
    m.probe(s(1), NodeId(0), &admitted(&tx));
    m.probe(s(2), NodeId(0), &proposed(4));
    let block = world.block(vec![tx]);
    m.probe(s(2), NodeId(0), &committed(&block));
    m.probe(s(2), NodeId(0), &applied(&block));
    m.end(s(100));
    let said = sentence(&m, &[chain()], &[]);
    assert!(said.contains("takes in the mean in faults, "), "{said}");
}
