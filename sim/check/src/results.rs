//! Everything a report is made of: the outcome, time series, histograms, the topology, the plan.

use crate::outcome::{Operation, Outcome, nan_if_null};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a finished run hands to the reports.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// The stable outcome.
    pub outcome: Outcome,
    /// One or two sentences of the scenario.
    pub about: Option<String>,
    /// The check that the scenario is meant to violate.
    #[serde(default)]
    pub meant: Option<String>,
    /// Length of a bin of the series, seconds.
    pub interval_s: f64,
    /// End of the warm-up, seconds.
    pub warmup_s: f64,
    /// One entry a bin of `interval_s`, from time zero.
    pub series: Vec<Bin>,
    /// Latency of answered operations in microseconds: `all` and one a kind of operation.
    #[serde(with = "histograms")]
    pub latencies: BTreeMap<String, Histogram<u64>>,
    /// The operations of each group of organisations.
    pub groups: Vec<(String, Operation)>,
    /// The operations of each institution; none where there are too many for a table.
    pub institutions: Vec<(String, Operation)>,
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
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
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
    #[serde(deserialize_with = "nan_if_null")]
    pub p50_ms: f64,
    /// 99th percentile, milliseconds; NaN if none.
    #[serde(deserialize_with = "nan_if_null")]
    pub p99_ms: f64,
}

/// The network as a map.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Topology {
    /// Places: name, latitude, longitude in degrees (0, 0 if the table has none), nodes there.
    pub regions: Vec<Region>,
    /// Bytes between regions over the whole run: from, to (indexes of `regions`), bytes.
    pub flows: Vec<(usize, usize, u64)>,
}

/// A place with its nodes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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

/// A histogram as a list of values and counts: exact, since a value stands for its whole bucket.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// Significant digits.
    digits: u8,
    /// Least and greatest value that can be told apart.
    bounds: (u64, u64),
    /// A value of each bucket, and how many fell into it.
    counts: Vec<(u64, u64)>,
}

impl Stored {
    fn of(h: &Histogram<u64>) -> Self {
        Self {
            digits: h.sigfig(),
            bounds: (h.low(), h.high()),
            counts: h
                .iter_recorded()
                .map(|v| (v.value_iterated_to(), v.count_at_value()))
                .collect(),
        }
    }

    fn histogram<E: serde::de::Error>(self) -> Result<Histogram<u64>, E> {
        let (low, high) = self.bounds;
        let mut h = Histogram::new_with_bounds(low, high, self.digits).map_err(E::custom)?;
        h.auto(true);
        for (value, count) in self.counts {
            h.record_n(value, count).map_err(E::custom)?;
        }
        Ok(h)
    }
}

/// Histograms by name.
mod histograms {
    use super::Stored;
    use hdrhistogram::Histogram;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    type Map = BTreeMap<String, Histogram<u64>>;

    pub(super) fn serialize<S: Serializer>(map: &Map, to: S) -> Result<S::Ok, S::Error> {
        let stored: BTreeMap<&String, Stored> =
            map.iter().map(|(k, h)| (k, Stored::of(h))).collect();
        stored.serialize(to).map_err(S::Error::custom)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Map, D::Error> {
        let stored: BTreeMap<String, Stored> = BTreeMap::deserialize(from)?;
        let made = stored.into_iter().map(|(k, s)| Ok((k, s.histogram()?)));
        made.collect()
    }
}

/// One histogram, or none.
pub(crate) mod histogram {
    use super::Stored;
    use hdrhistogram::Histogram;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(
        clippy::ref_option,
        reason = "serde hands over a reference to the field"
    )]
    pub(crate) fn serialize<S: Serializer>(
        histogram: &Option<Histogram<u64>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        histogram.as_ref().map(Stored::of).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Histogram<u64>>, D::Error> {
        let stored: Option<Stored> = Option::deserialize(from)?;
        stored.map(Stored::histogram).transpose()
    }
}
