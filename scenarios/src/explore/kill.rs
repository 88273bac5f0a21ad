//! Does the search find the seeded bugs? Each is switched on, and scenarios are drawn until one of the
//! bug's killers notices it.

use super::campaign::{Found, Search, Tally};
use super::judge::DIVERGED;
use crate::bugs::{RUN_TWICE, TOOK_EFFECT};
use crate::run::Hooks;
use crate::shrink::Shrunk;
use crate::shrink::shrink;
use consim_core::SeededBug;

/// Windows of which none took effect: then the injector is taken to be off.
const IDLE_WINDOWS: u64 = 30;
/// With a bug, one in so many scenarios is run twice.
const TWICE: u64 = 4;

/// What came of the search for a bug.
#[derive(Clone, Debug)]
pub struct Kill {
    /// Scenarios that were run.
    pub scenarios: u64,
    /// Who noticed it; `None`: nobody did in the time there was.
    pub by: Option<String>,
    /// The scenario, made minimal.
    pub shrunk: Option<Shrunk>,
}

impl Search {
    /// Searches until `bug` is noticed, or `go_on` says that time is up; then makes the scenario
    /// minimal as long as `shrinking` says so.
    pub fn kill(
        &self,
        bug: &'static SeededBug,
        go_on: &mut dyn FnMut() -> bool,
        shrinking: &mut dyn FnMut() -> bool,
    ) -> Result<Kill, String> {
        let search = Self {
            hooks: Hooks {
                bug: Some(bug),
                ..self.hooks.clone()
            },
            twice: TWICE,
            ..self.clone()
        };
        let noticed = |tally: &Tally| -> Option<(String, Option<Found>)> {
            let found = tally
                .failures
                .iter()
                .find(|found| kills(bug, &found.failure.check));
            if let Some(found) = found {
                return Some((found.failure.check.clone(), Some(found.clone())));
            }
            let windows: u64 = tally.kinds.values().map(|kind| kind.windows).sum();
            let idle = tally.kinds.values().all(|kind| kind.effective == 0);
            let off = bug.killers.contains(&TOOK_EFFECT) && idle && windows >= IDLE_WINDOWS;
            off.then(|| (TOOK_EFFECT.to_owned(), None))
        };
        let tally = search.run(&mut |tally| noticed(tally).is_none() && go_on())?;
        let (by, found) = noticed(&tally).unzip();
        let shrunk = found
            .flatten()
            .and_then(|found| shrink(&search.place(), &found.text, &search.hooks, shrinking).ok());
        Ok(Kill {
            scenarios: tally.cases,
            by,
            shrunk,
        })
    }
}

/// Is `bug` noticed by a scenario that fails at `check`? Two runs that differ are what another eye
/// than a check sees.
fn kills(bug: &SeededBug, check: &str) -> bool {
    bug.killers.contains(&check) || check == DIVERGED && bug.killers.contains(&RUN_TWICE)
}
