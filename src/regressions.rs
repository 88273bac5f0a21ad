//! Saved failures, which a search runs first.

use crate::exit;
use consim_check::verdict::{EXIT_EXPECTATION, EXIT_LIVENESS, EXIT_SAFETY};
use consim_core::Severity;
use consim_reports::{JunitCase, JunitEnd, JunitSuite};
use consim_scenarios::registries;
use consim_scenarios::regressions::{FOLDER, Regressed, files, regression};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What came of the saved failures.
pub(crate) struct Regressions {
    files: Vec<PathBuf>,
    wrong: Vec<Regressed>,
}

impl Regressions {
    /// None was run.
    pub(crate) fn none() -> Self {
        Self {
            files: Vec::new(),
            wrong: Vec::new(),
        }
    }
    /// Runs those of `folder`, or of the repository's if there is none, as long as `go_on` says so.
    pub(crate) fn run(folder: Option<&Path>, go_on: &dyn Fn() -> bool) -> Self {
        let mut done = Self::none();
        for file in files(folder.unwrap_or(Path::new(FOLDER))) {
            if !go_on() {
                break;
            }
            done.wrong.extend(regression(&file).err());
            done.files.push(file);
        }
        done
    }

    /// In words: nothing if there are no saved failures.
    pub(crate) fn summary(&self) -> String {
        let mut out = String::new();
        for wrong in &self.wrong {
            let _ = writeln!(out, "regression {}: {}", wrong.file.display(), wrong.why);
        }
        if !self.files.is_empty() {
            let (all, wrong) = (self.files.len(), self.wrong.len());
            let _ = writeln!(
                out,
                "{all} saved failures run again, {wrong} not as they say\n"
            );
        }
        out
    }

    /// The exit code: the worst.
    pub(crate) fn code(&self) -> u8 {
        let code = |wrong: &Regressed| match wrong.check.as_deref().map(registries::severity) {
            Some(Some(Severity::Safety)) => EXIT_SAFETY,
            Some(Some(Severity::Liveness)) => EXIT_LIVENESS,
            Some(None) => exit::OTHER,
            None => EXIT_EXPECTATION,
        };
        let codes = self.wrong.iter().map(code);
        let rank = |code: &u8| if *code == exit::OTHER { u8::MAX } else { *code };
        codes.min_by_key(rank).unwrap_or(exit::PASS)
    }

    /// A case for each.
    pub(crate) fn junit(&self) -> Option<JunitSuite> {
        let case = |file: &PathBuf| {
            let wrong = self.wrong.iter().find(|wrong| wrong.file == *file);
            JunitCase {
                class: "regression".into(),
                name: file.display().to_string(),
                end: wrong.map_or(JunitEnd::Passed, |wrong| JunitEnd::Failed {
                    message: wrong.why.clone(),
                    text: format!("again: consim replay {}", file.display()),
                }),
            }
        };
        (!self.files.is_empty()).then(|| JunitSuite {
            name: "regressions".into(),
            cases: self.files.iter().map(case).collect(),
        })
    }
}
