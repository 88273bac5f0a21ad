//! Runs the text of a scenario and says in which way it fails.

use crate::load::LoadOptions;
use crate::plan::Plan;
use crate::run::{Brief, Hooks, brief};
use crate::study::study_bytes;
use consim_core::{Observer, Verdict};
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// How a run fails.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Failure {
    /// The check that is violated; or [`PANIC`], [`DIVERGED`], [`REFUSED`].
    pub check: String,
    /// The first violations, in words.
    pub facts: Vec<String>,
}

/// The check of a run that panicked.
pub const PANIC: &str = "panic";
/// The check of a plan that gave two different runs.
pub const DIVERGED: &str = "determinism";
/// The check of a drawn scenario that is not a valid one.
pub const REFUSED: &str = "valid-scenario";

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Judged {
    /// How it fails, if it does.
    pub failure: Option<Failure>,
    /// Its run, if it came to an end.
    pub brief: Option<Brief>,
    /// Virtual seconds that were asked for.
    pub seconds: f64,
}

impl Judged {
    fn failed(check: &str, facts: Vec<String>) -> Self {
        Self {
            failure: Some(Failure {
                check: check.to_owned(),
                facts,
            }),
            brief: None,
            seconds: 0.0,
        }
    }
    /// Checks that could not judge for want of time or of calm.
    pub fn unknown(&self) -> impl Iterator<Item = &'static str> {
        let checks = self.brief.iter().flat_map(|brief| &brief.checks);
        checks
            .filter(|check| check.finding.verdict == Verdict::Unknown)
            .map(|check| check.name)
    }
}

/// The plan of a scenario given as text; relative paths start at the folder of `file`.
pub fn planned(file: &Path, text: &str) -> Result<Plan, String> {
    let study = study_bytes(file, text.as_bytes(), &LoadOptions::default());
    let mut runs = study.map_err(|found| found.render())?.runs;
    match runs.pop() {
        Some(run) if runs.is_empty() && run.label.is_none() => Ok(run.loaded.plan),
        _ => Err("a search takes scenarios of one run, without `compare` and `vary`".into()),
    }
}

/// Runs `plan` with `watcher` looking on. A panic is a failure like any other.
pub fn judge(plan: &Plan, hooks: &Hooks, watcher: Option<Box<dyn Observer>>) -> Judged {
    let run = catch_unwind(AssertUnwindSafe(|| brief(plan, hooks, watcher)));
    match run {
        Ok(Ok(brief)) => Judged {
            failure: brief.violated().map(|check| Failure {
                check: check.name.to_owned(),
                facts: check.finding.violations.clone(),
            }),
            brief: Some(brief),
            seconds: plan.duration.seconds(),
        },
        Ok(Err(error)) => Judged::failed(REFUSED, vec![error.to_string()]),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
            Judged::failed(PANIC, text.into_iter().collect())
        }
    }
}

/// Runs the text of a scenario.
pub fn judge_text(
    file: &Path,
    text: &str,
    hooks: &Hooks,
    watcher: Option<Box<dyn Observer>>,
) -> Judged {
    match planned(file, text) {
        Ok(plan) => judge(&plan, hooks, watcher),
        Err(why) => Judged::failed(REFUSED, vec![why]),
    }
}
