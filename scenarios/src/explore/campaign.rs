//! A search: scenarios are drawn, run on all cores and judged; what fails is kept.
//!
//! Scenarios are drawn in rounds, out of what the rounds before have shown, and taken in the order of
//! their numbers: the same seed and number of scenarios give the same search on any number of threads.

use super::case::Case;
use super::corpus::Corpus;
use super::ground::Ground;
use super::hidden::Hidden;
use super::judge::{DIVERGED, Failure, Judged, judge_text};
use super::novelty::Novelty;
use super::strategy::{Focus, cases};
use super::twins::Twins;
use super::world::known;
use crate::registries;
use crate::run::{Hooks, cells};
use consim_core::{Verdict, mix};
use consim_models::consensus::PROTOCOLS;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::PoisonError;

/// Scenarios of a round.
const ROUND: u64 = 64;
/// One in so many scenarios is run twice by default, and has to give the same run.
pub const TWICE: u64 = 100;
/// One in so many drawn scenarios is one of twins.
const TWINS: u64 = 8;
/// One in so many is one of a hidden decision: it takes many to hit the round in which it matters.
const HIDDEN: u64 = 4;
/// Failures that are kept with their scenarios.
const MAX_FAILURES: usize = 100;

/// What to search.
#[derive(Clone)]
pub struct Search {
    /// The protocol of drawn consortia.
    pub protocol: String,
    /// What is drawn.
    pub focus: Focus,
    /// A scenario of the user's, in place of drawn consortia.
    pub file: Option<PathBuf>,
    /// Scenarios of this shape alone.
    pub only: Option<Shape>,
    /// All draws.
    pub seed: u64,
    /// How many scenarios; as many as there is time for if left out.
    pub most: Option<u64>,
    /// One in so many scenarios is run twice.
    pub twice: u64,
    /// Threads.
    pub threads: usize,
    /// Parts of the runs that are replaced.
    pub hooks: Hooks,
}

/// A shape that scenarios are given, where they are not put together of faults drawn one by one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Twins, one after the other.
    Twins,
    /// Hidden decisions.
    Hidden,
}

/// What a search has come to.
#[derive(Debug, Default, Serialize)]
pub struct Tally {
    /// Scenarios that were run.
    pub cases: u64,
    /// Virtual seconds.
    pub seconds: f64,
    /// Events of the kernel.
    pub events: u64,
    /// Scenarios that were run twice, and gave the same run.
    pub twice: u64,
    /// Abstract states that were seen.
    pub states: usize,
    /// By kind of fault and attack.
    pub kinds: BTreeMap<String, KindTally>,
    /// By situation: all that there are, also those that were not met.
    pub marks: BTreeMap<&'static str, MarkTally>,
    /// By check.
    pub checks: BTreeMap<&'static str, CheckTally>,
    /// Scenarios that failed.
    pub failed: u64,
    /// The first of them.
    pub failures: Vec<Found>,
}

/// How often a kind of fault or attack happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct KindTally {
    /// Windows.
    pub windows: u64,
    /// Those that made a measured difference.
    pub effective: u64,
}

/// How often a situation was met.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct MarkTally {
    /// Scenarios in which it was.
    pub scenarios: u64,
    /// How often in all of them.
    pub times: u64,
    /// The first of them.
    pub first: Option<First>,
}

/// The first scenario in which a situation was met.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct First {
    /// Its number in the search.
    pub number: u64,
    /// The scenario.
    #[serde(skip)]
    pub text: String,
}

/// How often a check judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct CheckTally {
    /// Scenarios in which it held.
    pub passed: u64,
    /// Scenarios in which it could not judge.
    pub unknown: u64,
    /// Scenarios in which it was violated.
    pub failed: u64,
    /// Facts.
    pub evaluated: u64,
}

/// A scenario that failed.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Its number in the search.
    pub number: u64,
    /// The scenario.
    pub text: String,
    /// How it fails.
    pub failure: Failure,
}

/// A scenario before it is a text.
#[derive(Clone, Debug)]
enum Drawn {
    Case(Case),
    Twins(Twins),
    Hidden(Hidden),
}

struct Done {
    judged: Judged,
    states: BTreeSet<u64>,
    /// It was run twice, to the same end.
    twice: bool,
}

impl Search {
    /// The search; `tell` is told after every scenario, and says whether to go on. Gives an error if
    /// the user's scenario cannot be searched.
    pub fn run(&self, tell: &mut dyn FnMut(&Tally) -> bool) -> Result<Tally, String> {
        let mut tally = Tally::new(&self.protocol);
        let mut corpus = Corpus::default();
        // That the file is sound is said before anything is drawn.
        let of_file = self.file.as_deref().map(Ground::of_file).transpose()?;
        let strategy = cases(&self.focus);
        let mut from = 0;
        let mut more = true;
        while more {
            let to = self
                .most
                .map_or(from + ROUND, |most| most.min(from + ROUND));
            if from == to {
                break;
            }
            let drawn: Vec<Drawn> = (from..to)
                .map(|number| self.draw(&strategy, &corpus, number))
                .collect();
            let texts: Vec<String> = (from..to)
                .zip(&drawn)
                .map(|(number, drawn)| self.text(number, drawn, of_file.as_ref()))
                .collect();
            let work = |place: usize| {
                let text = texts.get(place).map_or("", String::as_str);
                self.one(text, (from + place as u64).is_multiple_of(self.twice))
            };
            cells::in_order(drawn.len(), self.threads, work, |place, done| {
                if let (Some(drawn), Some(text)) = (drawn.get(place), texts.get(place)) {
                    corpus.add(drawn.case(), &done.states);
                    tally.states = corpus.states();
                    tally.add(from + place as u64, text, done);
                }
                more = tell(&tally);
                more
            });
            from = to;
        }
        Ok(tally)
    }

    /// The scenario of this number: drawn, or a change of one that led to something new.
    fn draw(&self, strategy: &impl Strategy<Value = Case>, corpus: &Corpus, number: u64) -> Drawn {
        let key = mix(self.seed, number);
        // Where nobody may lie, there are no twins.
        let entry = known(&self.protocol);
        match self.only {
            Some(Shape::Twins) if entry.byzantine => {
                return Drawn::Twins(Twins::numbered(number, self.seed));
            }
            Some(Shape::Hidden) if Hidden::suits(entry) => {
                return Drawn::Hidden(Hidden::drawn(key));
            }
            _ => {}
        }
        if self.file.is_none() && number % TWINS == TWINS - 1 && entry.byzantine {
            return Drawn::Twins(Twins::numbered(number / TWINS, self.seed));
        }
        if self.file.is_none() && number % HIDDEN == 1 && Hidden::suits(entry) {
            return Drawn::Hidden(Hidden::drawn(key));
        }
        let seed: [u8; 32] = std::array::from_fn(|i| mix(key, i as u64 / 8).to_le_bytes()[i % 8]);
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let fresh = strategy.new_tree(&mut runner).map(|tree| tree.current());
        // Nothing is filtered, so that nothing can be rejected.
        let fresh = fresh.unwrap_or_else(|_| Case::calm(key));
        let changed = key.is_multiple_of(2).then(|| corpus.change(key, &fresh));
        Drawn::Case(changed.flatten().unwrap_or(fresh))
    }

    fn text(&self, number: u64, drawn: &Drawn, of_file: Option<&Ground>) -> String {
        let case = match drawn {
            Drawn::Case(case) => case,
            Drawn::Twins(twins) => return twins.text(mix(self.seed, number) >> 32, &self.protocol),
            Drawn::Hidden(hidden) => {
                return hidden.text(mix(self.seed, number) >> 32, &self.protocol);
            }
        };
        match of_file {
            Some(ground) => case.text(ground),
            None => case.text(&case.world.ground(&self.protocol)),
        }
    }

    /// Where the text of a scenario stands: its paths start here.
    pub fn place(&self) -> PathBuf {
        let folder = self.file.as_ref().and_then(|file| file.parent());
        folder
            .unwrap_or(std::path::Path::new(""))
            .join("explore.yaml")
    }

    fn one(&self, text: &str, twice: bool) -> Done {
        let (watcher, states) = Novelty::new();
        let place = self.place();
        let mut judged = judge_text(&place, text, &self.hooks, Some(Box::new(watcher)));
        // A difference between two runs outranks whatever else failed.
        let twice = twice || judged.failure.is_some();
        let mut same = false;
        if twice && let Some(brief) = &judged.brief {
            let again = judge_text(&place, text, &self.hooks, None);
            let other = again.brief.map(|brief| brief.digest).unwrap_or_default();
            same = other == brief.digest;
            if !same {
                judged.failure = Some(Failure {
                    check: DIVERGED.to_owned(),
                    facts: vec![format!("run digests {} and {other}", brief.digest)],
                });
            }
        }
        let states = states
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Done {
            judged,
            states,
            twice: same,
        }
    }
}

impl Drawn {
    fn case(&self) -> Option<&Case> {
        match self {
            Self::Case(case) => Some(case),
            Self::Twins(_) | Self::Hidden(_) => None,
        }
    }
}

impl Tally {
    /// Of no scenario yet. Situations in other protocols than the searched one are not looked for.
    fn new(protocol: &str) -> Self {
        let others = PROTOCOLS.iter().filter(|entry| entry.name != protocol);
        let others: BTreeSet<&str> = others.flat_map(|p| p.marks).map(|m| m.name).collect();
        let marks = registries::marks().into_iter();
        let marks = marks.filter(|mark| !others.contains(mark.name));
        let marks = marks.map(|m| (m.name, MarkTally::default()));
        Self {
            marks: marks.collect(),
            ..Self::default()
        }
    }

    /// The situations that were not met in any scenario.
    pub fn unmet(&self) -> impl Iterator<Item = &'static str> {
        let unmet = self.marks.iter().filter(|(_, tally)| tally.scenarios == 0);
        unmet.map(|(name, _)| *name)
    }

    fn add(&mut self, number: u64, text: &str, done: Done) {
        self.cases += 1;
        self.seconds += done.judged.seconds;
        self.twice += u64::from(done.twice);
        if let Some(brief) = &done.judged.brief {
            self.events += brief.events;
            for effect in &brief.effects {
                let kind = self.kinds.entry(effect.kind.clone()).or_default();
                kind.windows += 1;
                kind.effective += u64::from(effect.took_effect > 0);
            }
            for (&mark, times) in &brief.marks {
                let tally = self.marks.entry(mark).or_default();
                tally.scenarios += 1;
                tally.times += times;
                tally.first.get_or_insert_with(|| First {
                    number,
                    text: text.to_owned(),
                });
            }
            for check in &brief.checks {
                let tally = self.checks.entry(check.name).or_default();
                tally.evaluated += check.finding.evaluated;
                match check.finding.verdict {
                    Verdict::Pass => tally.passed += 1,
                    Verdict::Unknown => tally.unknown += 1,
                    Verdict::Fail => tally.failed += 1,
                }
            }
        }
        if let Some(failure) = done.judged.failure {
            self.failed += 1;
            if self.failures.len() < MAX_FAILURES {
                self.failures.push(Found {
                    number,
                    text: text.to_owned(),
                    failure,
                });
            }
        }
    }
}
