//! The cells of a study, crossed with its variants.

use super::{CellError, Meter, Store, StoreError, in_order};
use crate::plan::Plan;
use crate::run::{Hooks, calm, execute_with};
use crate::study::Study;
use consim_check::assemble::{judge_all, settle};
use consim_check::outcome::Outcome;
use consim_check::pairs::{Companion, join};
use consim_core::values::Expectation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a study came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// A cell cannot be run.
    #[error(transparent)]
    Cell(#[from] CellError),
    /// A result cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A finished cell.
#[derive(Clone, Debug)]
pub struct CellRecord {
    /// The number of the cell; the last axis turns fastest.
    pub cell: u64,
    /// The label under `compare`.
    pub variant: Option<String>,
    /// Its values, one an axis.
    pub values: Vec<String>,
    /// What it came to.
    pub outcome: Outcome,
    /// It was there already.
    pub kept: bool,
}

/// What is kept of a cell.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    outcome: Outcome,
}

/// A study on the runner.
pub struct Matrix<'a> {
    /// The study.
    pub study: &'a Study,
    /// Where results are kept.
    pub store: &'a Store,
    /// How many threads run cells.
    pub threads: usize,
    /// Has each cell with faults or attacks its pair without any of them?
    pub pairs: bool,
    /// For tests.
    pub hooks: &'a Hooks,
}

/// One run of one cell.
struct Ran {
    record: CellRecord,
    expect: Vec<Expectation>,
}

impl Matrix<'_> {
    /// How many cells there are, those of all variants.
    pub fn len(&self) -> usize {
        (self.study.cells as usize).saturating_mul(self.study.runs.len())
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs what is not there yet and hands every cell to `take`: by number, and of one number by
    /// variant. Memory is that of a few cells. The first mistake ends it; what is finished stays.
    pub fn run(
        &self,
        progress: &(dyn Fn(f64) + Sync),
        mut take: impl FnMut(CellRecord),
    ) -> Result<(), MatrixError> {
        let variants = self.study.runs.len().max(1);
        let meter = Meter::new(self.len() as u64, progress);
        let mut failed = None;
        let mut group: Vec<Ran> = Vec::with_capacity(variants);
        let work = |number: usize| {
            let mut part = meter.part();
            let (cell, run) = ((number / variants) as u64, number % variants);
            self.one(cell, run, &mut |share| part.tell(share))
        };
        in_order(self.len(), self.threads, work, |_, ran| {
            match ran {
                Ok(ran) => group.push(ran),
                Err(error) => failed = Some(error),
            }
            if group.len() == variants {
                settled(&mut group);
                group.drain(..).for_each(|ran| take(ran.record));
            }
            failed.is_none()
        });
        failed.map_or(Ok(()), Err)
    }

    fn one(
        &self,
        cell: u64,
        run: usize,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Ran, MatrixError> {
        let plan = self.study.cell(run, cell).map_err(CellError::Plan)?.plan;
        let pair = calm(&plan).filter(|_| self.pairs);
        // A result with a pair holds more than one without.
        let key = match pair {
            Some(_) => format!("{}-paired", plan.digest),
            None => plan.digest.clone(),
        };
        let shares = if pair.is_some() { 0.5 } else { 1.0 };
        let make = || -> Result<Kept, MatrixError> {
            let main = execute_with(&plan, self.hooks, &mut |s| progress(s * shares));
            let mut main = main.map_err(CellError::Run)?;
            if let Some(pair) = &pair {
                let mut told = |s: f64| progress(shares + s * shares);
                let (companion, _) = self.companion(&pair.plan, &mut told)?;
                let unjudged = main.unjudged.as_ref();
                join(&mut main.results, &pair.without, &companion, unjudged);
            }
            Ok(Kept {
                outcome: main.results.outcome,
            })
        };
        let (kept, there) = self.store.once(&key, make)?;
        let mut outcome = kept.outcome;
        // What the digest leaves out may have changed since: names and gates.
        outcome.scenario.clone_from(&plan.name);
        outcome.variant.clone_from(&plan.variant);
        judge_all(&mut outcome, &plan.expect);
        Ok(Ran {
            record: CellRecord {
                cell,
                variant: plan.variant,
                values: self.study.values(cell),
                outcome,
                kept: there,
            },
            expect: plan.expect,
        })
    }

    /// What a pair says; cells that differ in what disturbs alone share it.
    fn companion(
        &self,
        plan: &Plan,
        progress: &mut dyn FnMut(f64),
    ) -> Result<(Companion, bool), MatrixError> {
        self.store.once(&plan.digest, || {
            let run = execute_with(plan, self.hooks, progress).map_err(CellError::Run)?;
            Ok(run.companion)
        })
    }
}

/// Judges what is relative to another variant of the same cell.
fn settled(group: &mut [Ran]) {
    let values: BTreeMap<String, BTreeMap<String, f64>> = group
        .iter()
        .filter_map(|ran| {
            let label = ran.record.variant.clone()?;
            Some((label, ran.record.outcome.metrics.clone()))
        })
        .collect();
    for ran in group {
        settle(&mut ran.record.outcome, &ran.expect, &values);
    }
}
