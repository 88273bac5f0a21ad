//! Every metric that a run fed, by its path.

use super::Metrics;
use super::latencies::Latencies;
use super::operations::Tally;
use super::registry::Scope;
use consim_core::ChainId;
use std::collections::BTreeMap;

/// What the observer cannot see: the names of the chains, and the traffic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunFigures<'a> {
    pub(crate) chains: &'a [(ChainId, String)],
    /// Messages that arrived and bytes sent, of the run.
    pub(crate) total: (u64, u64),
    /// The same of each node, by its number.
    pub(crate) nodes: &'a [(u64, u64)],
    /// What the lines did to messages: metric word, how many.
    pub(crate) lines: &'a [(&'static str, u64)],
}

/// Metrics by path.
#[derive(Debug, Default)]
struct Values(BTreeMap<String, f64>);

impl Values {
    /// Keeps a value that is one.
    fn put(&mut self, scope: Scope, name: &str, word: &str, value: f64) {
        if value.is_finite() {
            self.0.insert(scope.path(name, word), value);
        }
    }
    fn latencies(&mut self, scope: Scope, name: &str, prefix: &str, latencies: &Latencies) {
        let summary = latencies.summary();
        if summary.count == 0 {
            return;
        }
        for (word, value) in [
            ("latency_mean", summary.mean),
            ("latency_p50", summary.p50),
            ("latency_p95", summary.p95),
            ("latency_p99", summary.p99),
            ("latency_max", summary.max),
        ] {
            self.put(scope, name, &format!("{prefix}{word}"), value);
        }
    }
    fn operations(&mut self, scope: Scope, name: &str, tally: &Tally, seconds: f64) {
        self.latencies(scope, name, "", &tally.latencies);
        self.put(scope, name, "availability", tally.availability());
        if scope != Scope::Run && tally.fed() {
            self.put(scope, name, "throughput", tally.done as f64 / seconds);
        }
    }
}

impl Metrics {
    /// Every metric that this run fed. What is a rate needs a measured part of some length.
    pub(crate) fn values(&self, figures: &RunFigures<'_>) -> BTreeMap<String, f64> {
        let mut values = Values::default();
        let seconds = self.measured().seconds();
        let operations = &self.operations;
        values.operations(Scope::Run, "", &operations.all, seconds);
        for (name, tally, _) in &operations.workloads {
            values.operations(Scope::Workload, name, tally, seconds);
        }
        for (name, tally) in &operations.services {
            values.operations(Scope::Service, name, tally, seconds);
        }
        for service in self.services() {
            if let Some(a_year) = service.unavailable_min_per_year {
                let word = "unavailable_per_year";
                values.put(Scope::Service, &service.id, word, a_year.estimate * 60e3);
            }
        }
        for (name, tally) in &operations.groups.sets {
            values.operations(Scope::Organisation, name, tally, seconds);
        }
        self.chain_values(&mut values, figures, seconds);
        for (name, word, value) in self.changes.values() {
            values.put(Scope::Change, name, word, value);
        }
        let (messages, bytes) = figures.total;
        values.put(Scope::Run, "", "messages", messages as f64);
        values.put(Scope::Run, "", "bytes", bytes as f64);
        for (word, count) in figures.lines {
            values.put(Scope::Run, "", word, *count as f64);
        }
        for (name, nodes) in &self.groups {
            let of = nodes.iter().filter_map(|n| figures.nodes.get(n.index()));
            let (messages, bytes) = of.fold((0, 0), |(m, b), &(messages, bytes)| {
                (m + messages, b + bytes)
            });
            if !figures.nodes.is_empty() {
                values.put(Scope::Organisation, name, "messages", messages as f64);
                values.put(Scope::Organisation, name, "bytes", bytes as f64);
            }
        }
        values.0
    }

    fn chain_values(&self, values: &mut Values, figures: &RunFigures<'_>, seconds: f64) {
        let (mut applied, mut highest) = (0, 0);
        for (id, name) in figures.chains {
            let empty = super::Chain::default();
            let chain = self.chains.get(id).unwrap_or(&empty);
            applied += chain.applied;
            highest = highest.max(chain.height);
            values.latencies(Scope::Chain, name, "", &chain.latencies);
            values.latencies(Scope::Chain, name, "consensus_", &chain.consensus);
            values.latencies(Scope::Chain, name, "end_to_end_", &chain.end_to_end);
            for (word, value) in [
                ("throughput", chain.applied as f64 / seconds),
                ("height", chain.height as f64),
                ("views", chain.views as f64),
                ("ledger_bytes", chain.ledger_bytes as f64),
            ] {
                values.put(Scope::Chain, name, word, value);
            }
            if let Some((count, deepest)) = chain.left {
                let (count, deepest) = (count as f64, deepest as f64);
                values.put(Scope::Chain, name, "reorganisations", count);
                values.put(Scope::Chain, name, "reorganisation_depth", deepest);
            }
            if let Some(light) = &chain.light {
                let lag = chain.light_lag(light);
                for (word, count) in [
                    ("light_accepted", light.accepted),
                    ("light_refused", light.refused),
                    ("light_conflicts", light.conflicts),
                    ("light_bytes", light.bytes),
                    ("light_lag", lag),
                ] {
                    values.put(Scope::Chain, name, word, count as f64);
                }
            }
            if let Some((ahead, behind)) = chain.astray {
                let ms = |ns: u64| ns as f64 / 1e6;
                values.put(Scope::Chain, name, "block_time_ahead", ms(ahead));
                values.put(Scope::Chain, name, "block_time_behind", ms(behind));
            }
        }
        if !figures.chains.is_empty() {
            values.put(Scope::Run, "", "throughput", applied as f64 / seconds);
            values.put(Scope::Run, "", "height", highest as f64);
        }
    }
}
