//! The sentence that names what limits a run, out of its figures.

use crate::assemble::ChainIdentity;
use crate::metrics::{Metrics, Ways, significant};
use crate::results::NodeUse;

#[cfg(test)]
mod tests;

/// A resource that is busier than this is the bottleneck: from half on, what waits for it waits
/// as long as it is served in the mean (M/M/1).
const BUSY: f64 = 0.5;

/// A resource of a node, and how busy it was.
struct Busiest<'a> {
    what: &'static str,
    node: &'a str,
    share: f64,
}

fn busiest(nodes: &[NodeUse]) -> Option<Busiest<'_>> {
    nodes
        .iter()
        .flat_map(|node| {
            [
                ("CPU", node.cpu),
                ("disk", node.disk),
                ("outgoing line", node.nic_out),
                ("incoming line", node.nic_in),
            ]
            .map(|(what, share)| Busiest {
                what,
                node: &node.name,
                share,
            })
        })
        // The first of equals.
        .reduce(|best, next| if next.share > best.share { next } else { best })
}

fn percent(share: f64) -> String {
    format!("{} %", significant(share * 100.0, 2))
}

/// A part of the mean latency of a transaction.
struct Part {
    sentence: &'static str,
    noun: &'static str,
    ms: f64,
}

/// The parts of a transaction's way, in its order.
fn parts(ways: &Ways, chain: &ChainIdentity) -> [Part; 4] {
    let mean_ms = |ns: u128| ns as f64 / ways.txs as f64 / 1e6;
    let (waiting, ordering) = (mean_ms(ways.waiting_ns), mean_ms(ways.ordering_ns));
    let floor = chain.floor.millis().min(ordering);
    // Up to the proposer and the fullest wait that the options ask for; more is a queue.
    let asked = chain.block_wait.millis() + chain.floor.millis();
    let (sentence, noun) = if waiting <= asked {
        (
            "Waiting for the next block, not any machine, sets the pace",
            "waiting for the next block",
        )
    } else {
        (
            "Queueing for a place in a block sets the pace",
            "queueing for a place in a block",
        )
    };
    [
        Part {
            sentence,
            noun,
            ms: waiting,
        },
        Part {
            sentence: "The distance between the nodes sets the pace",
            noun: "the network's floor",
            ms: floor,
        },
        Part {
            sentence: "Agreement beyond the network's floor (queues, processing, view changes) sets the pace",
            noun: "agreement beyond that floor",
            ms: ordering - floor,
        },
        Part {
            sentence: "Execution after the commit sets the pace",
            noun: "execution",
            ms: mean_ms(ways.executing_ns),
        },
    ]
}

/// Names the bottleneck: a resource that is busy for more than half of the run, else the largest
/// part of the way of the transactions of the chain that executed most.
pub(crate) fn sentence(metrics: &Metrics, chains: &[ChainIdentity], nodes: &[NodeUse]) -> String {
    let busiest = busiest(nodes);
    let ways = chains
        .iter()
        .filter_map(|chain| Some((chain, metrics.of_chain(chain.id)?.ways)))
        .filter(|(_, ways)| ways.txs > 0)
        .reduce(|best, next| if next.1.txs > best.1.txs { next } else { best });
    let mut said = Vec::new();
    let busy = busiest.as_ref().filter(|b| b.share > BUSY);
    if let Some(busy) = busy {
        said.push(format!(
            "The {} of {} is the bottleneck: it is busy {} of the run.",
            busy.what,
            busy.node,
            percent(busy.share)
        ));
    }
    if let Some((chain, ways)) = ways {
        said.extend(way(
            &parts(&ways, chain),
            chains.len(),
            chain,
            busy.is_none(),
        ));
    }
    if let (None, Some(busiest)) = (busy, &busiest) {
        said.push(format!(
            "The busiest resource is the {} of {}, at {} of the run.",
            busiest.what,
            busiest.node,
            percent(busiest.share)
        ));
    }
    said.join(" ")
}

/// Where the time of a transaction went: the largest part as a sentence of its own if it `leads`.
fn way(parts: &[Part; 4], chains: usize, chain: &ChainIdentity, leads: bool) -> Vec<String> {
    let total: f64 = parts.iter().map(|part| part.ms).sum();
    let figure = |part: &Part| {
        format!(
            "{} ms ({})",
            significant(part.ms, 3),
            percent(if total > 0.0 { part.ms / total } else { 0.0 })
        )
    };
    let place = if chains > 1 {
        format!(" on {}", chain.name)
    } else {
        String::new()
    };
    let mut said = Vec::new();
    let largest = parts
        .iter()
        .reduce(|best, next| if next.ms > best.ms { next } else { best });
    if let (true, Some(largest)) = (leads, largest) {
        said.push(format!("{}.", largest.sentence));
    }
    let list: Vec<String> = parts
        .iter()
        .map(|part| format!("{} {}", part.noun, figure(part)))
        .collect();
    said.push(format!(
        "Of the {} ms that a transaction{place} takes in the mean, {}.",
        significant(total, 3),
        list.join(", ")
    ));
    said
}
