//! The one table of tolerances. Files of experiments name a class and nothing else.

/// The kind of a system, which says how near a simulation can be expected to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Byzantine or crash-tolerant consensus over long lines.
    BftWan,
    /// The same in one place, where processors, disks and software decide.
    Lan,
    /// Protocols over a directed acyclic graph of batches.
    Dag,
    /// Protocols that spread by gossip, which depend on the luck of its overlay.
    Gossip,
}

/// How far simulated figures of a class may lie beside measured ones, as shares of these.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tolerances {
    /// The class.
    pub class: Class,
    /// Its word in files.
    pub word: &'static str,
    /// Of throughputs.
    pub throughput: f64,
    /// Of latencies.
    pub latency: f64,
}

/// All of them. Repeated runs of one set-up differ by these orders in the published data themselves: the
/// latency of HotStuff by 10 to 25 %, that of the DAG protocols by less than 5 %.
pub const TOLERANCES: [Tolerances; 4] = [
    Tolerances {
        class: Class::BftWan,
        word: "bft-wan",
        throughput: 0.05,
        latency: 0.15,
    },
    Tolerances {
        class: Class::Lan,
        word: "lan",
        throughput: 0.05,
        latency: 0.15,
    },
    Tolerances {
        class: Class::Dag,
        word: "dag",
        throughput: 0.05,
        latency: 0.10,
    },
    Tolerances {
        class: Class::Gossip,
        word: "gossip",
        throughput: 0.05,
        latency: 0.35,
    },
];

/// How far the knee of a curve may lie beside the measured one.
pub const KNEE: f64 = 0.20;
/// A figure whose published standard deviation is a larger share of its mean than this is not scored.
pub const SPREAD: f64 = 0.20;
/// So many published standard deviations are tolerated where that is more than the tolerance.
pub const DEVIATIONS: f64 = 2.0;

/// The tolerances of a class.
pub fn tolerances(class: Class) -> &'static Tolerances {
    let [wan, lan, dag, gossip] = &TOLERANCES;
    match class {
        Class::BftWan => wan,
        Class::Lan => lan,
        Class::Dag => dag,
        Class::Gossip => gossip,
    }
}

/// What of a system a metric says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// How much it does.
    Throughput,
    /// How long that takes.
    Latency,
}

/// The kind of the metric at a path; none if there is no tolerance for it.
pub fn kind(path: &str) -> Option<Kind> {
    let word = path.rsplit('.').next().unwrap_or(path);
    if word == "throughput" {
        Some(Kind::Throughput)
    } else if ["latency_", "consensus_latency_", "end_to_end_latency_"]
        .iter()
        .any(|prefix| word.starts_with(prefix))
    {
        Some(Kind::Latency)
    } else {
        None
    }
}

impl Tolerances {
    /// That of the metric at a path; nothing is tolerated where there is none.
    pub fn of(&self, path: &str) -> f64 {
        match kind(path) {
            Some(Kind::Throughput) => self.throughput,
            Some(Kind::Latency) => self.latency,
            None => 0.0,
        }
    }
}
