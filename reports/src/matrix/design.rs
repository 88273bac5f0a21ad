//! Cells that differ by their seed alone are one design.

use super::SEED;
use consim_check::outcome::{Outcome, Resilience};
use consim_check::statistics::{CONFIDENCE, Interval, count_limits, mean, paired};
use consim_check::verdict;
use serde::Serialize;
use std::collections::BTreeMap;

/// An axis of a study.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Axis {
    /// Its path or word.
    pub name: String,
    /// How many values it has.
    pub values: u64,
}

/// The figures of a cell that designs are compared by: word, value; what a cell has not is left out.
const FIGURES: [&str; 8] = [
    "throughput",
    "latency_p50",
    "latency_p99",
    "availability",
    "throughput_left",
    "downtime_s",
    "sensitivity",
    "acknowledged_lost",
];

/// What is kept of a cell.
pub(super) struct Cell {
    pub(super) seed: String,
    pub(super) exit_code: u8,
    pub(super) safety: bool,
    pub(super) figures: BTreeMap<&'static str, f64>,
}

/// The figures of the resilience of a run: all its windows together.
pub(super) fn resilience(rows: &[Resilience]) -> BTreeMap<&'static str, f64> {
    let mut out = BTreeMap::new();
    if rows.is_empty() {
        return out;
    }
    let (mut own, mut other) = (0.0, 0.0);
    for row in rows {
        let pair = row.pair.as_ref().and_then(|pair| pair.during);
        if let (Some(during), Some(pair)) = (row.during, pair) {
            own += during.tx_per_s * during.seconds;
            other += pair.tx_per_s * pair.seconds;
        }
    }
    if other > 0.0 {
        out.insert("throughput_left", own / other);
    }
    let down: f64 = rows.iter().map(|row| row.downtime_s).sum();
    if down.is_finite() {
        out.insert("downtime_s", down);
    }
    let apart = rows
        .iter()
        .filter_map(|row| Some(row.pair.as_ref()?.sensitivity));
    if let Some(apart) = apart.filter(|s| s.is_finite()).max_by(f64::total_cmp) {
        out.insert("sensitivity", apart);
    }
    let lost = rows.iter().map(|row| row.acknowledged_lost).max();
    out.insert("acknowledged_lost", lost.unwrap_or(0) as f64);
    out
}

impl Cell {
    pub(super) fn of(outcome: &Outcome, seed: String) -> Self {
        let mut figures = resilience(&outcome.resilience);
        for word in FIGURES {
            if let Some(value) = outcome.metrics.get(word) {
                figures.insert(word, *value);
            }
        }
        let exit_code = verdict::exit_code(outcome);
        Self {
            seed,
            exit_code,
            safety: exit_code == verdict::EXIT_SAFETY,
            figures,
        }
    }
}

/// Cells that differ by their seed alone.
pub(super) struct Design {
    /// The label under `compare`.
    pub(super) variant: Option<String>,
    /// The values of the axes without the seed.
    pub(super) values: Vec<String>,
    pub(super) cells: Vec<Cell>,
}

impl Design {
    /// Its values in words: the label and the values of the axes.
    pub(super) fn name(&self) -> String {
        let label = self.variant.iter().map(String::as_str);
        let all: Vec<&str> = label
            .chain(self.values.iter().map(String::as_str))
            .collect();
        if all.is_empty() {
            "as written".into()
        } else {
            all.join(", ")
        }
    }

    fn values_of(&self, word: &str) -> Vec<f64> {
        let cells = self.cells.iter();
        cells
            .filter_map(|cell| cell.figures.get(word).copied())
            .collect()
    }

    /// The mean of a figure over the seeds, with its interval.
    pub(super) fn figure(&self, word: &str) -> Option<Interval> {
        let mut figure = mean(&self.values_of(word), CONFIDENCE)?;
        // None of the figures is ever below zero, which Student's distribution does not know.
        figure.low = if figure.low < 0.0 { 0.0 } else { figure.low };
        Some(figure)
    }

    /// How many cells ended with each of these exit codes.
    pub(super) fn ended(&self, codes: &[u8]) -> u64 {
        let ended = self.cells.iter().filter(|c| codes.contains(&c.exit_code));
        ended.count() as u64
    }

    /// The exit code that is worst.
    pub(super) fn exit_code(&self) -> u8 {
        let codes = self.cells.iter().map(|cell| cell.exit_code);
        codes
            .min_by_key(|code| crate::comparison::rank(*code))
            .unwrap_or(verdict::EXIT_PASS)
    }

    pub(super) fn unsafe_cells(&self) -> u64 {
        self.cells.iter().filter(|cell| cell.safety).count() as u64
    }

    /// The mean difference of a figure to that of `other` under the same seeds; of seeds that both
    /// have.
    pub(super) fn against(&self, other: &Self, word: &str) -> Option<Interval> {
        let of: BTreeMap<&str, f64> = other
            .cells
            .iter()
            .filter_map(|cell| Some((cell.seed.as_str(), *cell.figures.get(word)?)))
            .collect();
        let both: (Vec<f64>, Vec<f64>) = self
            .cells
            .iter()
            .filter_map(|cell| {
                let there = of.get(cell.seed.as_str())?;
                Some((*there, *cell.figures.get(word)?))
            })
            .unzip();
        paired(&both.0, &both.1, CONFIDENCE)
    }

    /// The entry of `matrix.json`.
    pub(super) fn json(&self, axes: &[Axis]) -> DesignJson {
        let names = axes.iter().filter(|axis| axis.name != SEED);
        let n = self.cells.len() as u64;
        DesignJson {
            variant: self.variant.clone(),
            values: names
                .zip(&self.values)
                .map(|(axis, value)| (axis.name.clone(), value.clone()))
                .collect(),
            cells: n,
            exit_code: self.exit_code(),
            passed: self.ended(&[verdict::EXIT_PASS]),
            unknown: self.ended(&[verdict::EXIT_UNKNOWN]),
            expectation_missed: self.ended(&[verdict::EXIT_EXPECTATION]),
            no_liveness: self.ended(&[verdict::EXIT_LIVENESS]),
            safety_violated: self.unsafe_cells(),
            safety_violated_share: count_limits(self.unsafe_cells(), n, CONFIDENCE),
            figures: FIGURES
                .iter()
                .filter_map(|word| Some((*word, self.figure(word)?)))
                .collect(),
        }
    }
}

/// A design in `matrix.json`.
#[derive(Serialize)]
pub(super) struct DesignJson {
    variant: Option<String>,
    values: BTreeMap<String, String>,
    cells: u64,
    exit_code: u8,
    passed: u64,
    unknown: u64,
    expectation_missed: u64,
    no_liveness: u64,
    safety_violated: u64,
    /// With exact limits (Clopper and Pearson).
    safety_violated_share: Option<Interval>,
    /// Means over seeds (Student).
    figures: BTreeMap<&'static str, Interval>,
}
