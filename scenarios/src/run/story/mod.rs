//! The story of a run: what happened, in words and in a picture, and what broke.
//!
//! [`replay`] runs a plan to its end and tells all of it; [`explain`] stops soon after the first
//! violation and tells that alone, on one screen.

mod events;
mod explanation;
mod lines;
mod picture;
mod recorder;
mod words;

#[cfg(test)]
mod tests;

pub use explanation::{Explanation, MAX_EVENTS};
pub use lines::{MAX_LINES, MAX_MESSAGES};
pub(super) use recorder::Recorder;

use super::layout::Layout;
use super::subjects::names;
use super::{Hooks, Run, RunError, Running, slices};
use crate::plan::Plan;
use consim_check::diagram::Diagram;
use consim_core::{NodeId, Time, seeded};
use consim_kernel::{Flight, Progress};
use lines::Messages;
use picture::Picture;
use std::collections::VecDeque;

/// Messages that are kept for the picture.
const KEPT: usize = 20_000;

/// Which part of a story is wanted.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// From when on.
    pub from: Option<Time>,
    /// Until when.
    pub until: Option<Time>,
    /// The nodes of which it tells, by name; all if there are none. What happens to no node in
    /// particular, such as the window of a fault, is always told.
    pub nodes: Vec<String>,
}

impl Part {
    fn holds(&self, at: Time) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at <= until)
    }
}

/// A run that was told.
#[derive(Debug)]
pub struct Told {
    /// The run, with its results.
    pub run: Run,
    /// One event a line, with what was left out.
    pub lines: Vec<String>,
    /// The last moments before the first violation, or else before the end of the part.
    pub diagram: Diagram,
    /// What broke first, on one screen.
    pub explanation: Option<Explanation>,
    /// The checks in the order in which they broke, with the instant.
    pub broken: Vec<(&'static str, Time)>,
}

impl Told {
    /// Does the run violate `check`, and did nothing break before? What breaks afterwards is what
    /// follows from it.
    pub fn violates_first(&self, check: &str) -> bool {
        let first = self.broken.first().map(|&(_, at)| at);
        let named = |&(name, at): &(&str, Time)| name == check && Some(at) == first;
        self.broken.iter().any(named)
    }
}

/// The names of all nodes of `plan`.
pub fn node_names(plan: &Plan) -> Vec<String> {
    names(plan, &Layout::new(plan))
}

/// Runs `plan` to its end and tells the story of `part`; `progress` is told the share that is done.
pub fn replay(
    plan: &Plan,
    hooks: &Hooks,
    part: &Part,
    progress: &mut dyn FnMut(f64),
) -> Result<Told, RunError> {
    seeded::with(hooks.bug, || {
        let mut teller = Teller::new(plan, hooks, part)?;
        for until in slices(plan) {
            let done = teller.advance(until) == Progress::Done;
            progress((until.seconds() / plan.duration.seconds()).min(1.0));
            if done {
                break;
            }
        }
        let nodes = part.nodes.clone();
        Ok(teller.told(&nodes))
    })
}

/// Runs `plan` until something breaks, and says what; nothing if nothing does.
pub fn explain(plan: &Plan, hooks: &Hooks) -> Result<Option<Explanation>, RunError> {
    seeded::with(hooks.bug, || {
        let mut teller = Teller::new(plan, hooks, &Part::default())?;
        for until in slices(plan) {
            let done = teller.advance(until) == Progress::Done;
            if done || teller.broken_at().is_some() {
                break;
            }
        }
        Ok(teller.explanation())
    })
}

/// A run that is being told.
struct Teller<'a> {
    running: Running<'a>,
    part: Part,
    /// Messages in the order of their end, the last of them.
    flights: VecDeque<Flight>,
    messages: Messages,
}

impl<'a> Teller<'a> {
    fn new(plan: &'a Plan, hooks: &Hooks, part: &Part) -> Result<Self, RunError> {
        let names = node_names(plan);
        let wanted = |name: &String| part.nodes.is_empty() || part.nodes.contains(name);
        let nodes: Vec<NodeId> = (0u32..)
            .zip(&names)
            .filter(|(_, name)| wanted(name))
            .map(|(number, _)| NodeId(number))
            .collect();
        let recorder = Recorder::new(names, part.clone(), nodes.clone());
        let mut running = Running::telling(plan, hooks, Some(Box::new(recorder)))?;
        running.kernel.watch_flights();
        Ok(Self {
            running,
            part: part.clone(),
            flights: VecDeque::new(),
            messages: Messages::new(nodes),
        })
    }

    fn recorder(&self) -> Option<&Recorder> {
        self.running.kernel.observer().story.as_deref()
    }
    /// When something broke for the first time.
    fn broken_at(&self) -> Option<Time> {
        self.recorder()?.broken.first().map(|broken| broken.at)
    }
    /// Where the picture ends.
    fn cut(&self) -> Option<Time> {
        match (self.broken_at(), self.part.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn advance(&mut self, until: Time) -> Progress {
        let progress = self.running.advance(until);
        let flights = self.running.kernel.take_flights();
        let cut = self.cut().unwrap_or(Time::MAX);
        for flight in flights {
            if self.part.holds(flight.ended) {
                self.messages.add(&flight);
            }
            if flight.left <= cut {
                if self.flights.len() == KEPT {
                    self.flights.pop_front();
                }
                self.flights.push_back(flight);
            }
        }
        progress
    }

    fn picture(&self, recorder: &Recorder, nodes: &[String]) -> Diagram {
        let until = self.cut().unwrap_or(self.running.kernel.now());
        Picture {
            plan: self.running.plan,
            layout: &self.running.layout,
            flights: &self.flights,
            recorder,
            nodes,
            until,
        }
        .diagram(self.part.from)
    }

    fn explanation(&self) -> Option<Explanation> {
        let recorder = self.recorder()?;
        let broken = recorder.broken.first()?;
        let events = events::of(self.running.plan, &self.running.layout);
        let diagram = self.picture(recorder, &[]);
        Some(Explanation::new(broken, events, diagram))
    }

    fn told(self, nodes: &[String]) -> Told {
        let recorder = self.recorder();
        let explanation = self.explanation();
        let diagram = recorder.map(|recorder| self.picture(recorder, nodes));
        let lines =
            recorder.map(|recorder| recorder.lines.written(&self.messages, &recorder.names));
        let broken = recorder.map(|recorder| {
            let broken = recorder.broken.iter();
            broken.map(|broken| (broken.name, broken.at)).collect()
        });
        Told {
            lines: lines.unwrap_or_default(),
            diagram: diagram.unwrap_or_default(),
            explanation,
            broken: broken.unwrap_or_default(),
            run: self.running.finish(),
        }
    }
}
