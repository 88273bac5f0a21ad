//! Saved failures (`scenarios/regressions`): each has to come out as it says, in every version.

use crate::load::{LoadOptions, load};
use crate::plan::Plan;
use crate::run::Hooks;
use crate::run::story::explain;
use consim_core::SeededBug;
use std::path::{Path, PathBuf};

/// The folder, in the repository.
pub const FOLDER: &str = "scenarios/regressions";

/// Why a saved failure does not come out as it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regressed {
    /// The file.
    pub file: PathBuf,
    /// The check that is violated and must not be; nothing if one is not violated that has to be.
    pub check: Option<String>,
    /// In words.
    pub why: String,
}

/// The scenarios of a folder, by name; none if there is no such folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

/// Runs a saved failure. What is mended (`found.fixed`), or happens with a seeded bug alone, has to
/// pass; in a build with seeded bugs it has to fail with its bug, besides. Any other has to violate
/// the check that it names.
pub fn regression(file: &Path) -> Result<(), Regressed> {
    let wrong = |check: Option<&str>, why: String| Regressed {
        file: file.to_owned(),
        check: check.map(str::to_owned),
        why,
    };
    let loaded = load(file, &LoadOptions::default());
    let plan = loaded.map_err(|found| wrong(None, found.render()))?.plan;
    if plan.violation.is_none() {
        return Err(wrong(
            None,
            "it does not say what it is about: `expect.violation` is missing".into(),
        ));
    }
    let mut bugs: Vec<Option<&'static SeededBug>> = vec![None];
    if cfg!(feature = "seeded-bugs") {
        bugs.extend(plan.found.bug.map(Some));
    }
    for bug in bugs {
        as_said(&plan, bug).map_err(|(check, why)| {
            let with = bug.map_or_else(String::new, |bug| format!("with the bug {}, ", bug.name));
            wrong(check.as_deref(), format!("{with}{why}"))
        })?;
    }
    Ok(())
}

fn as_said(plan: &Plan, bug: Option<&'static SeededBug>) -> Result<(), (Option<String>, String)> {
    let hooks = Hooks {
        bug,
        ..Hooks::default()
    };
    let came = explain(plan, &hooks).map_err(|error| (None, error.to_string()))?;
    match (plan.demanded(bug), came) {
        (None, None) => Ok(()),
        (Some(meant), Some(came)) if came.check == meant => Ok(()),
        (Some(meant), None) => Err((None, format!("{meant} is not violated any more"))),
        (meant, Some(came)) => {
            let fact = came.facts.first().map_or("", String::as_str);
            let not = meant.map_or_else(String::new, |meant| format!(", not {meant}"));
            let why = format!("{} is violated{not}: {fact}", came.check);
            Err((Some(came.check), why))
        }
    }
}
