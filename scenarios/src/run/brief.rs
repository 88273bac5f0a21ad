//! A run of which nothing but its verdicts is wanted, as a search makes thousands of.

use super::{Hooks, RunError, Running, adversaries, attack_figures};
use crate::plan::Plan;
use consim_check::marks::{Marks, Scene};
use consim_core::{Finding, Observer, Severity, Time, Verdict, seeded};
use consim_kernel::Progress;
use std::collections::BTreeMap;

/// Into how many slices a run is cut, after each of which it can be stopped.
const SLICES: u64 = 40;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Brief {
    /// The checks that applied.
    pub checks: Vec<BriefCheck>,
    /// Windows of faults and attacks, with what they did.
    pub effects: Vec<Effect>,
    /// How often the run came to each mark, by its name; those that it did not are left out.
    pub marks: BTreeMap<&'static str, u64>,
    /// Up to when it ran: its end, or the first slice after a violation.
    pub ended: Time,
    /// Hexadecimal run digest.
    pub digest: String,
    /// Events of the kernel.
    pub events: u64,
    /// Messages that were sent.
    pub messages: u64,
}

/// A check and what it found.
#[derive(Clone, Debug)]
pub struct BriefCheck {
    /// Its word.
    pub name: &'static str,
    /// What a violation means.
    pub severity: Severity,
    /// What it found.
    pub finding: Finding,
}

/// A window of a fault or an attack.
#[derive(Clone, Debug)]
pub struct Effect {
    /// Its name in the scenario.
    pub id: String,
    /// Its kind's word.
    pub kind: String,
    /// The measured difference that it made.
    pub took_effect: u64,
}

impl Brief {
    /// The first check that is violated, in the order of the registries.
    pub fn violated(&self) -> Option<&BriefCheck> {
        self.checks
            .iter()
            .find(|check| check.finding.verdict == Verdict::Fail)
    }
}

/// Runs `plan` with `watcher` looking on, and stops soon after the first violation.
pub fn brief(
    plan: &Plan,
    hooks: &Hooks,
    watcher: Option<Box<dyn Observer>>,
) -> Result<Brief, RunError> {
    seeded::with(hooks.bug, || {
        let mut running = Running::new(plan, hooks)?;
        let scene = running.scene();
        let observer = running.kernel.observer_mut();
        observer.watcher = watcher;
        observer.marks = Some(Marks::new(scene));
        observer.suite.only_judge();
        let slice = (plan.duration.nanos() / SLICES).max(1);
        let mut until = Time::ZERO;
        loop {
            until = Time::from_nanos(until.nanos().saturating_add(slice));
            let done = running.advance(until) == Progress::Done;
            if done || running.violated() {
                return Ok(running.brief());
            }
        }
    })
}

impl Running<'_> {
    /// Is a check violated by now?
    fn violated(&self) -> bool {
        let checks = self.kernel.observer().suite.checks();
        checks.iter().any(|check| check.violated())
    }

    /// What the marks are looked for in.
    fn scene(&self) -> Scene {
        let faults = self.kernel.fault_effects().into_iter();
        // A search is over one chain.
        let chain = self.chains.first();
        Scene {
            members: chain.map_or_else(Vec::new, |chain| chain.members.to_vec()),
            quorum: chain.map_or(0, |chain| chain.plan.quorum),
            kinds: faults.map(|effect| (effect.id, effect.kind)).collect(),
        }
    }

    fn brief(self) -> Brief {
        let totals = self.kernel.totals();
        let faults = self.kernel.fault_effects().into_iter();
        let faults = faults.filter(|effect| adversaries::interferes(&effect.id).is_none());
        let watch = &self.kernel.observer().watch;
        let mut effects: Vec<Effect> = faults
            .map(|effect| Effect {
                kind: effect.kind.to_owned(),
                took_effect: watch.count(&effect.id, effect.took_effect),
                id: effect.id,
            })
            .collect();
        let attacks = attack_figures(&self.adversaries, &self.kernel).into_iter();
        effects.extend(attacks.map(|attack| Effect {
            id: attack.id,
            kind: attack.kind,
            took_effect: attack.took_effect,
        }));
        let (ended, digest) = (self.kernel.now(), self.kernel.run_digest());
        let observer = self.kernel.into_observer();
        let marks = observer.marks.as_ref();
        let marks = marks.map(|marks| marks.counts().clone());
        let checks = observer.suite.checks().iter();
        let checks = checks.map(|check| BriefCheck {
            name: check.name(),
            severity: check.severity(),
            finding: check.finding(),
        });
        Brief {
            checks: checks.collect(),
            effects,
            marks: marks.unwrap_or_default(),
            ended,
            digest,
            events: totals.events,
            messages: totals.messages,
        }
    }
}
