//! What must hold, and where numbers come from.

use super::{Planner, Told, bound_timers};
use crate::plan::{AdversaryPlan, ChainPlan, FaultPlan, FoundPlan, HealPlan, WorkloadPlan};
use crate::registries::check_names;
use crate::schema::shape::suggestion;
use crate::schema::{At, Auto, LeafKind, Words};
use consim_check::metrics::{self, METRICS, Scope, Unit};
use consim_core::values::{Expectation, LimitText, Measure};
use consim_core::{Span, Time};
use std::collections::BTreeMap;

/// What waits for a block may have to wait for one more, and then reads what came of it (assumed).
const PACES: u64 = 3;
/// Ways from chain to chain that a query and its answer take: there and back, over a third chain.
const WAYS: u64 = 4;

impl Planner<'_> {
    /// The bound of liveness, and the gates.
    pub(super) fn gates(
        &mut self,
        chains: Option<&BTreeMap<String, ChainPlan>>,
        workloads: Option<&BTreeMap<String, WorkloadPlan>>,
        faults: Option<&BTreeMap<String, FaultPlan>>,
        heal: Option<&HealPlan>,
        adversaries: &BTreeMap<String, AdversaryPlan>,
    ) -> (Span, Option<Vec<Expectation>>) {
        let bound = match self.scenario.heal.bound.value {
            Auto::Given(span) => span,
            Auto::Auto => {
                let timeouts = chains.iter().flat_map(|c| c.values().map(|c| c.timeout));
                let retries = workloads
                    .iter()
                    .flat_map(|w| w.values().map(|w| w.retry_after));
                let largest = timeouts.chain(retries).max().unwrap_or(Span::from_secs(1));
                let timers = largest.times(bound_timers(adversaries));
                let paces = chains
                    .iter()
                    .flat_map(|c| c.values().map(|c| c.options.pace(c.quorum)));
                let paces = paces.max().unwrap_or_default();
                let alone = timers.max(paces.times(PACES));
                // A query and its answer wait for blocks on both chains, and for another relay's turn on each way.
                let chains = chains.iter().flat_map(|c| c.values());
                let turn = chains.map(ChainPlan::relay_patience).max();
                let across = (paces + turn.unwrap_or_default()).times(WAYS);
                if self.scenario.relays.is_empty() {
                    alone
                } else {
                    alone.max(across)
                }
            }
        };
        self.phases(bound, faults, heal);
        (bound, self.expectations())
    }

    /// The four phases of the run, for `check`.
    fn phases(
        &mut self,
        bound: Span,
        faults: Option<&BTreeMap<String, FaultPlan>>,
        heal: Option<&HealPlan>,
    ) {
        let last = || faults.and_then(|f| f.values().map(|f| f.to).max());
        let healed = heal.map(|heal| heal.at).or_else(last);
        let end = Time::ZERO + self.duration;
        let place = self.scenario.heal.bound.place.clone();
        let text = match healed {
            Some(healed) if healed < end => {
                format!(
                    "healed at {healed}, liveness within {bound}, {} are left",
                    end.since(healed)
                )
            }
            Some(healed) => format!("healed at {healed}, the end of the run"),
            None => format!("nothing to heal, liveness within {bound}"),
        };
        self.derived(&["heal"], text, &place);
        if let Some(healed) = healed
            && healed < end
            && healed + bound > end
        {
            self.notes.push(format!(
                "the last fault ends {} before the run does, less than heal.bound {bound}: liveness after it cannot be judged",
                end.since(healed)
            ));
        }
    }

    fn expectations(&mut self) -> Option<Vec<Expectation>> {
        let scenario = self.scenario;
        let mut out = Vec::new();
        let mut whole = true;
        for (key, limit) in &scenario.expect.limits {
            let Some(unit) = self.metric(&key.text, &key.place) else {
                whole = false;
                continue;
            };
            match limit.value.limit(measure(unit)) {
                Ok((bound, text)) => {
                    let Ok(of) = self.other_variant(limit) else {
                        whole = false;
                        continue;
                    };
                    if let Some(leaf) = self.cx.leaves.get_mut(limit.leaf) {
                        leaf.text.clone_from(&text);
                        // The plan of one variant alone cannot hold it, nor two for one path.
                        if of.is_some() || out.iter().any(|e: &Expectation| e.path == *key.text) {
                            leaf.kind = LeafKind::Derived;
                        }
                    }
                    out.push(Expectation {
                        path: key.text.to_string(),
                        text,
                        limit: bound,
                        of,
                    });
                }
                Err(error) => {
                    whole = false;
                    self.cx.value_error(&limit.place, error);
                }
            }
        }
        out.sort_by(|a, b| a.path.cmp(&b.path));
        whole.then_some(out)
    }

    /// The variant that a limit is relative to, if it is.
    fn other_variant(&mut self, limit: &At<LimitText>) -> Result<Option<String>, Told> {
        let Some((word, part)) = limit.value.variant() else {
            return Ok(None);
        };
        let (own, labels) = self.variant;
        let place = limit.place.part(Some(part));
        if own == Some(word) {
            self.cx.error(
                "E504",
                &place,
                format!("`{word}` cannot be measured by itself"),
                "the label of another variant",
            );
            return Err(Told);
        }
        if labels.iter().any(|label| label == word) {
            return Ok(Some(word.to_owned()));
        }
        let (message, help) = crate::study::no_variant(word, labels);
        self.cx.error("E301", &place, message, help);
        Err(Told)
    }

    /// The unit of the metric at `path`, if there is such a metric and such a name.
    fn metric(&mut self, path: &str, place: &crate::tree::Place) -> Option<Unit> {
        let Some((entry, scope, name)) = metrics::find(path) else {
            let word = path.rsplit('.').next().unwrap_or(path);
            let known: Vec<&str> = METRICS.iter().map(|m| m.name).collect();
            let (part, help) = if known.contains(&word) && word != path {
                let help = "alone, or after chains.NAME, workloads.NAME, services.NAME, organisations.NAME, attacks.NAME, changes.NAME, relays.NAME or a label of `compare`";
                (None, help.to_owned())
            } else {
                let part = path.len() - word.len()..path.len();
                (Some(part), suggestion(word, &known))
            };
            let message = format!("no metric is called `{path}`");
            self.cx.error("E309", &place.part(part), message, help);
            return None;
        };
        let scenario = self.scenario;
        let names = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<String>>();
        let known: Vec<String> = match scope {
            Scope::Run => return Some(entry.unit),
            Scope::Chain => self.chains.keys().cloned().collect(),
            Scope::Organisation => self.groups.keys().cloned().collect(),
            Scope::Attack => names(
                scenario
                    .attacks
                    .iter()
                    .map(|(n, _)| n.value.0.as_str())
                    .collect(),
            ),
            Scope::Relay => names(
                scenario
                    .relays
                    .iter()
                    .map(|(n, _)| n.value.0.as_str())
                    .collect(),
            ),
            Scope::Change => names(
                scenario
                    .changes
                    .iter()
                    .map(|(n, _)| n.value.0.as_str())
                    .collect(),
            ),
            Scope::Workload => names(
                scenario
                    .workloads
                    .iter()
                    .map(|(n, _)| n.value.0.as_str())
                    .collect(),
            ),
            Scope::Service if scenario.services.is_empty() => {
                vec![self.default_service_kind().into()]
            }
            Scope::Service => names(
                scenario
                    .services
                    .iter()
                    .map(|(n, _)| n.value.0.as_str())
                    .collect(),
            ),
        };
        if known.iter().any(|k| k == name) {
            return Some(entry.unit);
        }
        if self.cx.is_broken(name) {
            return None;
        }
        let words: Vec<&str> = known.iter().map(String::as_str).collect();
        let part = path.find(name).map(|at| at..at + name.len());
        self.cx.error(
            "E301",
            &place.part(part),
            format!("nothing is called `{name}` here"),
            suggestion(name, &words),
        );
        None
    }

    /// `expect.violation`: the check that the run is meant to violate.
    pub(super) fn violation(&mut self) -> Option<String> {
        let at = self.scenario.expect.violation.as_ref()?;
        let known = crate::registries::check_names();
        if known.contains(&at.value.as_str()) {
            return Some(at.value.clone());
        }
        let message = format!("no check is called `{}`", at.value);
        let help = suggestion(&at.value, &known);
        self.cx.error("E202", &at.place, message, help);
        None
    }

    /// `found`: where a saved failure comes from.
    pub(super) fn found(&mut self) -> FoundPlan {
        let found = &self.scenario.found.0;
        let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
        let mut bug = None;
        if let Some(at) = &found.bug {
            let name = &at.value.0;
            bug = crate::registries::bug(name);
            if bug.is_none() {
                let known: Vec<&str> = crate::registries::bugs().iter().map(|b| b.name).collect();
                let message = format!("no seeded bug is called `{name}`");
                let help = suggestion(name, &known);
                self.cx.error("E202", &at.place, message, help);
            }
        }
        FoundPlan {
            by: text(&found.by),
            run_digest: text(&found.run_digest),
            faults_before: found.faults_before.as_ref().map(|at| at.value.0),
            bug,
            fixed: text(&found.fixed),
        }
    }

    /// `checks.only` and `checks.except`.
    pub(super) fn check_words(&mut self) -> (Vec<String>, Vec<String>) {
        let checks = &self.scenario.checks;
        (
            self.known_checks(checks.only.as_deref()),
            self.known_checks(checks.except.as_deref()),
        )
    }

    fn known_checks(&mut self, words: Option<&Words>) -> Vec<String> {
        let known = check_names();
        let mut out = Vec::new();
        for (word, place) in words.into_iter().flat_map(|w| &w.list) {
            if known.contains(&word.as_str()) {
                out.push(word.clone());
            } else {
                self.cx.error(
                    "E202",
                    place,
                    format!("no check is called `{word}`"),
                    suggestion(word, &known),
                );
            }
        }
        out
    }

    /// Sources of the scenario's numbers, then those of the profiles that it uses.
    pub(super) fn sources(&mut self) -> Vec<(String, String)> {
        let mut out: Vec<(String, String)> = self
            .scenario
            .sources
            .0
            .iter()
            .map(|(key, note)| {
                let assumed = if note.assumed.value.0 {
                    "assumed: "
                } else {
                    ""
                };
                let fitted = note
                    .fitted_to
                    .as_ref()
                    .map(|w| {
                        let ids: Vec<&str> = w.list.iter().map(|(id, _)| id.as_str()).collect();
                        format!(" (fitted to {})", ids.join(", "))
                    })
                    .unwrap_or_default();
                (
                    key.text.to_string(),
                    format!("{assumed}{}{fitted}", note.source.value),
                )
            })
            .collect();
        out.sort();
        out.extend(self.cx.profiles.sources.iter().cloned());
        out
    }
}

/// The measure of the values of a metric.
pub(crate) fn measure(unit: Unit) -> Measure {
    match unit {
        Unit::Milliseconds => Measure::Millis,
        Unit::PerSecond => Measure::PerSecond,
        Unit::Share => Measure::Share,
        Unit::Count => Measure::Count,
        Unit::Bytes => Measure::Bytes,
    }
}
