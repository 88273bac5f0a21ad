//! What notices seeded bugs: the directed scenarios of `scenarios/bugs` (docs/seeded-bugs.md).
//!
//! A bug of the code under test is noticed by a check. One of our own tools may need another eye:
//! the words of [`EYES`] stand beside those of checks.

use crate::plan::Plan;
use crate::run::{Hooks, RunError, execute_with, twice};
use consim_check::outcome::Outcome;
use consim_core::SeededBug;

/// Two runs of one plan are not the same.
pub const RUN_TWICE: &str = "run-twice";
/// A fault took no effect.
pub const TOOK_EFFECT: &str = "took-effect";
/// A run that is meant to violate a check does not.
pub const EXPECTED_VIOLATION: &str = "expected-violation";

/// Ends the alarm of a check that judged nothing.
const UNKNOWN: &str = " unknown";

/// What notices bugs beside the checks.
pub const EYES: [&str; 3] = [RUN_TWICE, TOOK_EFFECT, EXPECTED_VIOLATION];

/// The names of all that notices something in a run of `plan` with `bug`: checks that fail, or judge
/// nothing (`NAME unknown`), and the other [`EYES`]. A check that the plan is meant to violate raises
/// no alarm. `look_twice`: run it twice and compare?
pub fn alarms(
    plan: &Plan,
    bug: Option<&'static SeededBug>,
    look_twice: bool,
) -> Result<Vec<String>, RunError> {
    let hooks = Hooks {
        bug,
        ..Hooks::default()
    };
    let run = if look_twice {
        match twice(plan, &hooks, &mut |_| {})? {
            Ok(run) => run,
            Err(_) => return Ok(vec![RUN_TWICE.to_owned()]),
        }
    } else {
        execute_with(plan, &hooks, &mut |_| {})?
    };
    // With its bug, what a scenario is meant to violate is what is looked for.
    let meant = plan.demanded(None);
    Ok(of(&run.results.outcome, meant))
}

/// The alarms of an outcome of a run that is meant to violate a check, or none.
fn of(outcome: &Outcome, meant: Option<&str>) -> Vec<String> {
    let mut alarms = Vec::new();
    let mut violated = false;
    for check in &outcome.checks {
        let is_meant = Some(check.name.as_str()) == meant;
        match check.verdict.as_str() {
            "fail" if is_meant => violated = true,
            "fail" => alarms.push(check.name.clone()),
            "unknown" => alarms.push(format!("{}{UNKNOWN}", check.name)),
            _ => {}
        }
    }
    if meant.is_some() && !violated {
        alarms.push(EXPECTED_VIOLATION.to_owned());
    }
    if outcome.faults.iter().any(|fault| fault.took_effect == 0) {
        alarms.push(TOOK_EFFECT.to_owned());
    }
    alarms
}

/// What came of the directed scenario of a bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directed {
    /// The bug.
    pub bug: &'static SeededBug,
    /// Whose alarm the scenario is about.
    pub expected: String,
    /// The alarms with the bug.
    pub with: Vec<String>,
    /// The alarms without it.
    pub without: Vec<String>,
}

impl Directed {
    /// Was the bug noticed: by whom it has to be, and by nobody who is not among its killers; and is
    /// all quiet without it?
    pub fn is_killed(&self) -> bool {
        let known =
            |alarm: &String| self.bug.killers.contains(&alarm.as_str()) || alarm.ends_with(UNKNOWN);
        self.without.is_empty() && self.with.contains(&self.expected) && self.with.iter().all(known)
    }
}

/// Runs `plan`, the directed scenario of `bug`, with the bug and without it. Only a build with the
/// feature `seeded-bugs` has bugs to switch on.
pub fn directed(bug: &'static SeededBug, plan: &Plan) -> Result<Directed, RunError> {
    let eye = bug.killers.iter().find(|killer| EYES.contains(killer));
    let expected = match eye {
        Some(eye) => (*eye).to_owned(),
        None => plan.demanded(Some(bug)).unwrap_or_default().to_owned(),
    };
    let look_twice = expected == RUN_TWICE;
    Ok(Directed {
        bug,
        expected,
        with: alarms(plan, Some(bug), look_twice)?,
        without: alarms(plan, None, look_twice)?,
    })
}
