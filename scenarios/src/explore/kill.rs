//! Does the search find the seeded bugs? Each is switched on, and scenarios are drawn until one of the
//! bug's killers notices it.

use super::campaign::{Found, Search, Tally};
use super::judge::{DIVERGED, REFUSED};
use super::kinds::{Family, ROWS};
use super::world::{MODELS, Model};
use crate::bugs::{RUN_TWICE, TOOK_EFFECT};
use crate::run::Hooks;
use crate::shrink::Shrunk;
use crate::shrink::shrink;
use consim_core::SeededBug;
use consim_models::consensus::{PROTOCOLS, ProtocolEntry};
use consim_models::light;

/// Windows of which none took effect: then the injector is taken to be off.
const IDLE_WINDOWS: u64 = 30;
/// Where bugs of light clients are searched for: they go wrong where members change.
const FOLLOWED: &str = "tendermint";
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
    /// minimal as long as `shrinking` says so. A protocol's own bug is searched for in that protocol, a model's own
    /// in that model.
    ///
    /// # Errors
    /// If the user's scenario cannot be searched, or a drawn one is not valid.
    pub fn kill(
        &self,
        bug: &'static SeededBug,
        go_on: &mut dyn FnMut() -> bool,
        shrinking: &mut dyn FnMut() -> bool,
    ) -> Result<Kill, String> {
        let its = |entry: &&ProtocolEntry| entry.bugs.iter().any(|b| b.name == bug.name);
        let protocol = PROTOCOLS.iter().find(its).map(|entry| entry.name);
        let followed = light::BUGS.iter().any(|b| b.name == bug.name);
        let protocol = protocol.or(followed.then_some(FOLLOWED));
        let mut focus = self.focus.clone();
        let its = |model: &Model| model.bugs.iter().any(|b| b.name == bug.name);
        if let Some(model) = MODELS.iter().position(its) {
            focus.models = vec![model as u8];
        }
        let search = Self {
            focus,
            hooks: Hooks {
                bug: Some(bug),
                ..self.hooks.clone()
            },
            protocol: protocol.map_or_else(|| self.protocol.clone(), str::to_owned),
            twice: TWICE,
            most: None,
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
            let injected = || tally.kinds.iter().filter(|(kind, _)| is_injected(kind));
            let windows: u64 = injected().map(|(_, kind)| kind.windows).sum();
            let idle = injected().all(|(_, kind)| kind.effective == 0);
            let off = bug.killers.contains(&TOOK_EFFECT) && idle && windows >= IDLE_WINDOWS;
            off.then(|| (TOOK_EFFECT.to_owned(), None))
        };
        let tally = search.run(&mut |tally| noticed(tally).is_none() && go_on())?;
        // A shape that cannot be planned would never find anything.
        let mut failures = tally.failures.iter();
        if let Some(found) = failures.find(|found| found.failure.check == REFUSED) {
            let why = found.failure.facts.join("\n");
            return Err(format!("a drawn scenario is not a valid one: {why}"));
        }
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

/// Is it a fault that is put in from outside? What operators and traitors do, nodes do themselves.
fn is_injected(kind: &str) -> bool {
    let row = ROWS.iter().find(|row| row.kind == kind);
    row.is_some_and(|row| !matches!(row.family, Family::Operator | Family::Traitor))
}

/// Is `bug` noticed by a scenario that fails at `check`? Two runs that differ are what another eye
/// than a check sees.
fn kills(bug: &SeededBug, check: &str) -> bool {
    bug.killers.contains(&check) || check == DIVERGED && bug.killers.contains(&RUN_TWICE)
}
