//! `shrink`: a scenario that fails is made minimal, and still violates the same check.

mod passes;
#[cfg(test)]
mod tests;

use crate::explore::{DIVERGED, Failure, Judged, PANIC, REFUSED, judge_text};
use crate::load::{LoadOptions, compose};
use crate::run::Hooks;
use crate::tree::{Node, Value, written};
use consim_check::minimise::{Pass, Trial, minimise};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Runs of one shrinking, at most.
pub const MAX_TRIALS: u64 = 4_096;

/// A scenario that was made minimal.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The scenario.
    pub text: String,
    /// The check that it violates, as the first one did.
    pub check: String,
    /// The violation in words.
    pub facts: Vec<String>,
    /// The digest of its run.
    pub digest: String,
    /// Faults and attacks of the first one.
    pub events_before: usize,
    /// Its own, by kind.
    pub kinds: Vec<String>,
    /// Scenarios that were run.
    pub runs: u64,
    /// Was nothing left to try?
    pub minimal: bool,
    /// The seeded bug that was switched on.
    pub bug: Option<&'static str>,
}

impl Shrunk {
    /// The scenario as a file: what was violated, in words, and with what it is meant to violate.
    pub fn scenario(&self) -> String {
        let mut out = String::new();
        for fact in self.facts.iter().take(3) {
            let _ = writeln!(out, "# {}", fact.replace('\n', " "));
        }
        out.push_str(&self.text);
        if self.is_check() {
            let _ = writeln!(out, "expect: {{ violation: {} }}", self.check);
        }
        let head = self.digest.get(..16).unwrap_or_default();
        let _ = write!(
            out,
            "found: {{ by: shrink, faults_before: {}",
            self.events_before
        );
        if !head.is_empty() {
            let _ = write!(out, ", run_digest: \"{head}\"");
        }
        if let Some(bug) = self.bug {
            let _ = write!(out, ", bug: {bug}");
        }
        out.push_str(" }\n");
        out
    }

    /// Does it fail by a check, and not by a panic or the like?
    pub fn is_check(&self) -> bool {
        ![DIVERGED, PANIC, REFUSED].contains(&self.check.as_str())
    }

    /// A scenario that was not made smaller.
    pub(crate) fn unshrunk(text: &str, failure: &Failure) -> Self {
        Self {
            text: text.to_owned(),
            check: failure.check.clone(),
            facts: failure.facts.clone(),
            digest: String::new(),
            events_before: 0,
            kinds: Vec::new(),
            runs: 0,
            minimal: false,
            bug: None,
        }
    }
}

/// Why a scenario cannot be made smaller.
#[derive(Debug, thiserror::Error)]
pub enum ShrinkError {
    /// It is no scenario.
    #[error("{0}")]
    Invalid(String),
    /// It does not fail.
    #[error("no check is violated: there is nothing to shrink")]
    Passes,
}

/// Makes the scenario `text`, whose paths start at the folder of `file`, minimal with regard to the
/// first check that it violates. `go_on` is asked before every run.
pub fn shrink(
    file: &Path,
    text: &str,
    hooks: &Hooks,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Shrunk, ShrinkError> {
    let first = judge_text(file, text, hooks, None);
    let failure = first.failure.clone().ok_or(ShrinkError::Passes)?;
    if first.brief.is_none() && failure.check == REFUSED {
        return Err(ShrinkError::Invalid(failure.facts.join("\n")));
    }
    let check = failure.check;
    let composed = compose(file, Some(text.as_bytes()), &LoadOptions::default());
    let whole = composed.tree.filter(|_| composed.problems.is_empty());
    let mut whole = whole.ok_or_else(|| ShrinkError::Invalid("it cannot be read".into()))?;
    // Both are said anew.
    if let Value::Map(entries) = &mut whole.value {
        entries.retain(|(key, _)| !["expect", "found"].contains(&&*key.text));
    }
    let events_before = passes::events(&whole).len();

    let mut search = Search {
        file,
        hooks,
        check: &check,
        tried: BTreeSet::new(),
        best: first,
        runs: 1,
    };
    let start = search.until_it_fails(whole);
    let passes: [&dyn Pass<Node>; 7] = [
        &passes::Events,
        &passes::Members,
        &passes::Explicit,
        &passes::Keys,
        &passes::Numbers::Round,
        &passes::Numbers::Half,
        &passes::Numbers::Units,
    ];
    let left = minimise(start, &passes, MAX_TRIALS, &mut |tree| {
        if go_on() {
            search.trial(tree)
        } else {
            Trial::Stop
        }
    });
    let brief = search.best.brief.as_ref();
    Ok(Shrunk {
        text: written(&left.subject),
        facts: search
            .best
            .failure
            .clone()
            .map_or_else(Vec::new, |f| f.facts),
        digest: brief.map_or_else(String::new, |brief| brief.digest.clone()),
        events_before,
        kinds: kinds(&left.subject),
        runs: search.runs,
        minimal: left.minimal,
        bug: hooks.bug.map(|bug| bug.name),
        check,
    })
}

struct Search<'a> {
    file: &'a Path,
    hooks: &'a Hooks,
    check: &'a str,
    /// Texts that were tried: passes come by the same scenario in several ways.
    tried: BTreeSet<[u8; 32]>,
    best: Judged,
    runs: u64,
}

impl Search<'_> {
    fn trial(&mut self, tree: &Node) -> Trial {
        let text = written(tree);
        if !self.tried.insert(*blake3::hash(text.as_bytes()).as_bytes()) {
            return Trial::Other;
        }
        let judged = judge_text(self.file, &text, self.hooks, None);
        self.runs += u64::from(judged.brief.is_some());
        let same = judged
            .failure
            .as_ref()
            .is_some_and(|f| f.check == self.check);
        if !same {
            return Trial::Other;
        }
        self.best = judged;
        Trial::Same
    }

    /// The scenario with its end moved to where it fails, if it then still does.
    fn until_it_fails(&mut self, tree: Node) -> Node {
        let Some(brief) = &self.best.brief else {
            return tree;
        };
        let seconds = brief.ended.nanos().div_ceil(1_000_000_000).max(1);
        let mut shorter = tree.clone();
        if let Value::Map(entries) = &mut shorter.value {
            for (key, node) in entries {
                if &*key.text == "duration" {
                    node.value = Value::Scalar(format!("{seconds}s").into());
                }
            }
        }
        match self.trial(&shorter) {
            Trial::Same => shorter,
            Trial::Other | Trial::Stop => tree,
        }
    }
}

/// The kinds of the faults and attacks of a scenario, sorted.
fn kinds(tree: &Node) -> Vec<String> {
    const COMMON: [&str; 8] = [
        "at", "for", "until", "every", "times", "chance", "enabled", "by",
    ];
    let mut kinds: Vec<String> = ["faults", "attacks"]
        .iter()
        .filter_map(|key| tree.get(key))
        .flat_map(Node::entries)
        .filter_map(|(_, event)| {
            let kind = event
                .entries()
                .iter()
                .find(|(key, _)| !COMMON.contains(&&*key.text));
            kind.map(|(key, _)| key.text.to_string())
        })
        .collect();
    kinds.sort_unstable();
    kinds
}
