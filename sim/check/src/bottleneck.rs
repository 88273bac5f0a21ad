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

/// The way of the transactions of a chain.
struct Way<'a> {
    chain: &'a ChainIdentity,
    ways: Ways,
    /// Which transactions, if not all.
    when: &'static str,
}

impl<'a> Way<'a> {
    /// Faults have figures of their own, so what they delayed is left out where there is anything
    /// else.
    fn of(metrics: &Metrics, chain: &'a ChainIdentity) -> Option<Self> {
        let figures = metrics.of_chain(chain.id)?;
        let (ways, when) = match (figures.ways, figures.disturbed) {
            (calm, disturbed) if calm.txs > 0 && disturbed.txs > 0 => (calm, " outside of faults"),
            (calm, _) if calm.txs > 0 => (calm, ""),
            (_, disturbed) => (disturbed, " in faults"),
        };
        (ways.txs > 0).then_some(Self { chain, ways, when })
    }

    /// Where the time went: the largest part as a sentence of its own if it `leads`; the chain by
    /// name if it is one of several.
    fn sentences(&self, leads: bool, several: bool) -> Vec<String> {
        let parts = parts(&self.ways, self.chain);
        let total: f64 = parts.iter().map(|part| part.ms).sum();
        let figure = |part: &Part| {
            let share = if total > 0.0 { part.ms / total } else { 0.0 };
            let ms = significant(part.ms, 3);
            format!("{} {ms} ms ({})", part.noun, percent(share))
        };
        let place = if several {
            format!(" on {}", self.chain.name)
        } else {
            String::new()
        };
        let largest = parts
            .iter()
            .reduce(|best, next| if next.ms > best.ms { next } else { best })
            .filter(|_| leads);
        let mut said: Vec<String> = largest.iter().map(|p| format!("{}.", p.sentence)).collect();
        said.push(format!(
            "Of the {} ms that a transaction{place} takes in the mean{}, {}.",
            significant(total, 3),
            self.when,
            parts.iter().map(figure).collect::<Vec<_>>().join(", ")
        ));
        said
    }
}

/// Names the bottleneck: a resource that is busy for more than half of the run, else the largest
/// part of the way of the transactions of the chain that executed most.
pub(crate) fn sentence(metrics: &Metrics, chains: &[ChainIdentity], nodes: &[NodeUse]) -> String {
    let busiest = busiest(nodes);
    let busy = busiest.as_ref().filter(|b| b.share > BUSY);
    let way = chains
        .iter()
        .filter_map(|chain| Way::of(metrics, chain))
        .reduce(|best, next| {
            if next.ways.txs > best.ways.txs {
                next
            } else {
                best
            }
        });
    let mut said = Vec::new();
    if let Some(busy) = busy {
        said.push(format!(
            "The {} of {} is the bottleneck: it is busy {} of the run.",
            busy.what,
            busy.node,
            percent(busy.share)
        ));
    }
    if let Some(way) = way {
        said.extend(way.sentences(busy.is_none(), chains.len() > 1));
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
