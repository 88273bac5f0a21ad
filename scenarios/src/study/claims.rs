//! The claims of a file: each is judged by all variants under several seeds.

use super::experiment::stranger;
use super::{Expander, Study, Variant, no_variant};
use crate::claims::paper_claim;
use crate::diagnostic::Diagnostic;
use crate::plan::measure;
use crate::schema::shape::suggestion;
use crate::schema::{At, Claim as Written, Conditions, Named};
use crate::tree::{Key, Place, Problem};
use consim_check::claims::{Claim, Condition};
use consim_check::metrics::{self, METRICS};
use consim_core::values::LimitText;

/// The most seeds of a claim.
const MAX_SEEDS: u64 = 10_000;

impl Study {
    /// The study crossed with seeds: cell `number` of a run is the one under seed `number + 1`.
    #[must_use]
    pub fn over_seeds(&self, seeds: u64) -> Self {
        let expander = self.expander.over_seeds(seeds);
        let axes = expander.studies.vary.0.iter();
        Self {
            axes: axes.map(super::shown_axis).collect(),
            cells: super::count(&expander.studies),
            expander: std::sync::Arc::new(expander),
            ..self.clone()
        }
    }
}

/// What is read of the claims of a file.
pub(super) fn planned(
    expander: &Expander,
    runs: &[Variant],
    claims: &Named<Written>,
    experiment: bool,
    found: &mut Vec<Diagnostic>,
) -> Vec<Claim> {
    let Some((name, _)) = claims.first() else {
        return Vec::new();
    };
    let mut reader = Reader {
        expander,
        runs,
        found,
    };
    if !expander.studies.vary.0.is_empty() || experiment {
        let text = "claims beside `vary` or `experiment`";
        reader.tell(
            "E504",
            &name.place,
            text,
            "their axis are the seeds; take the others out",
        );
        return Vec::new();
    }
    claims
        .iter()
        .filter_map(|(name, claim)| reader.claim(name.value.0.as_str(), &name.place, claim))
        .collect()
}

/// Reads claims.
struct Reader<'a> {
    expander: &'a Expander,
    runs: &'a [Variant],
    found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn tell(&mut self, code: &'static str, place: &Place, text: &str, help: &str) {
        let problem = Problem::error(code, place, text, help);
        let diagnostic = self.expander.composed.sources.diagnostic(&problem);
        self.found.push(diagnostic);
    }

    fn claim(&mut self, name: &str, place: &Place, claim: &Written) -> Option<Claim> {
        let before = self.found.len();
        let known = paper_claim(name);
        let text = |at: &Option<At<String>>| at.as_ref().map(|at| at.value.clone());
        let says = text(&claim.says).or_else(|| known.map(|known| known.says.to_owned()));
        if says.is_none() {
            self.tell(
                "E210",
                place,
                "what does it say?",
                "says: what is claimed, in a sentence",
            );
        }
        if claim.supported_if.0.is_empty() || claim.refuted_if.0.is_empty() {
            let help =
                "supported_if: { latency_p99: at most 5s }, refuted_if: { latency_p99: above 5s }";
            self.tell(
                "E210",
                place,
                "a claim has to say what supports and what refutes it",
                help,
            );
        }
        let seeds = claim.seeds.value.0;
        if seeds == 0 || seeds > MAX_SEEDS {
            let help = format!("1 to {MAX_SEEDS}; 30 are usual");
            self.tell("E107", &claim.seeds.place, &format!("{seeds} seeds"), &help);
        }
        let supported_if = self.conditions(&claim.supported_if);
        let refuted_if = self.conditions(&claim.refuted_if);
        if self.found.len() > before {
            return None;
        }
        Some(Claim {
            name: name.to_owned(),
            says: says?,
            section: text(&claim.section)
                .or_else(|| known.map(|known| known.section.to_owned()))
                .unwrap_or_default(),
            seeds,
            supported_if,
            refuted_if,
        })
    }

    fn conditions(&mut self, conditions: &Conditions) -> Vec<Condition> {
        let conditions = conditions.0.iter();
        conditions
            .filter_map(|(key, limit)| self.condition(key, limit))
            .collect()
    }

    fn condition(&mut self, key: &Key, limit: &At<LimitText>) -> Option<Condition> {
        let labels = &self.expander.labels;
        let (variant, path) = match key.text.split_once('.') {
            Some((first, rest)) if labels.iter().any(|label| label == first) => {
                (Some(first.to_owned()), rest)
            }
            _ => (None, &*key.text),
        };
        if variant.is_none() && !labels.is_empty() {
            let known: Vec<&str> = labels.iter().map(String::as_str).collect();
            let help = format!("LABEL.{path}; the labels are {}", known.join(", "));
            self.tell("E301", &key.place, "of which variant?", &help);
            return None;
        }
        let Some((entry, ..)) = metrics::find(path) else {
            let word = path.rsplit('.').next().unwrap_or(path);
            let known: Vec<&str> = METRICS.iter().map(|m| m.name).collect();
            let text = format!("no metric is called `{path}`");
            self.tell("E309", &key.place, &text, &suggestion(word, &known));
            return None;
        };
        let of_variant = |run: &&Variant| run.label == variant;
        let plan = self
            .runs
            .iter()
            .find(of_variant)
            .map(|run| &run.loaded.plan);
        if let Some((text, help)) = plan.and_then(|plan| stranger(path, plan)) {
            self.tell("E301", &key.place, &text, &help);
            return None;
        }
        let of = limit.value.variant().map(|(word, _)| word.to_owned());
        if let Some(word) = of.as_ref().filter(|word| !labels.contains(word)) {
            let (text, help) = no_variant(word, labels);
            self.tell("E301", &limit.place, &text, &help);
            return None;
        }
        match limit.value.limit(measure(entry.unit)) {
            Ok((bound, text)) => Some(Condition {
                variant,
                path: path.to_owned(),
                unit: entry.unit,
                text,
                limit: bound,
                of,
            }),
            Err(error) => {
                self.tell(error.code, &limit.place, &error.message, &error.help);
                None
            }
        }
    }
}
