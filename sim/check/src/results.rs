//! Everything a report is made of: the outcome, time series, histograms, the topology, the plan.

use crate::outcome::Outcome;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// What a finished run hands to the reports.
#[derive(Clone, Debug)]
pub struct Results {
    /// The stable outcome.
    pub outcome: Outcome,
    /// One or two sentences of the scenario.
    pub about: Option<String>,
    /// Length of a bin of the series, seconds.
    pub interval_s: f64,
    /// End of the warm-up, seconds.
    pub warmup_s: f64,
    /// One entry a bin of `interval_s`, from time zero.
    pub series: Vec<Bin>,
    /// Latency of answered operations in microseconds: `all` and one a kind of operation.
    pub latencies: BTreeMap<String, Histogram<u64>>,
    /// The network as a map.
    pub topology: Topology,
    /// Where time and capacity went.
    pub resources: Vec<NodeUse>,
    /// The sentence that names the bottleneck.
    pub bottleneck: String,
    /// Things a reader should know (notes of the planner, assumptions, what was skipped).
    pub notes: Vec<String>,
    /// The plan as a scenario: `plan.yaml`.
    pub plan_yaml: String,
    /// Where the plan's numbers come from: path, source.
    pub sources: Vec<(String, String)>,
    /// The domain model's own table: heading, value (such as permits, denials, refusals).
    pub domain: Vec<(String, String)>,
}

/// One bin of the time series.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bin {
    /// Transactions applied.
    pub committed: u64,
    /// Transactions admitted.
    pub submitted: u64,
    /// Operations answered.
    pub answered: u64,
    /// Operations given up.
    pub failed: u64,
    /// Median latency of the operations answered in this bin, milliseconds; NaN if none.
    pub p50_ms: f64,
    /// 99th percentile, milliseconds; NaN if none.
    pub p99_ms: f64,
}

/// The network as a map.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// Places: name, latitude, longitude in degrees (0, 0 if the table has none), nodes there.
    pub regions: Vec<Region>,
    /// Bytes between regions over the whole run: from, to (indexes of `regions`), bytes.
    pub flows: Vec<(usize, usize, u64)>,
}

/// A place with its nodes.
#[derive(Clone, Debug, Default)]
pub struct Region {
    /// Its name.
    pub name: String,
    /// Latitude, degrees north.
    pub lat: f64,
    /// Longitude, degrees east.
    pub lon: f64,
    /// The nodes there: name, tier.
    pub nodes: Vec<(String, String)>,
}

/// How busy a node was over the run, shares 0..1.
#[derive(Clone, Debug, Default)]
pub struct NodeUse {
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// Its region.
    pub region: String,
    /// CPU busy share.
    pub cpu: f64,
    /// Outgoing NIC busy share.
    pub nic_out: f64,
    /// Incoming NIC busy share.
    pub nic_in: f64,
    /// Disk busy share.
    pub disk: f64,
    /// Messages received.
    pub messages: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Seconds down.
    pub down_s: f64,
}
