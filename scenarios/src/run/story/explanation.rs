//! What broke, on one screen.

use super::events::Event;
use super::lines::instant;
use super::recorder::BrokenCheck;
use consim_check::diagram::Diagram;
use consim_core::Time;
use std::fmt::Write as _;

/// Faults and attacks that an explanation names, at most.
pub const MAX_EVENTS: usize = 10;
/// Violations that it quotes: two facts that do not go together are enough.
const FACTS: usize = 2;
/// Columns of a line.
const COLUMNS: usize = 100;

/// What broke first in a run: which check, what it says, what was seen, and what had happened.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The check's word.
    pub check: String,
    /// Its code in the catalogue.
    pub code: String,
    /// What it says, in a sentence.
    pub says: String,
    /// When it broke.
    pub at: Time,
    /// What was seen, in words.
    pub facts: Vec<String>,
    /// The faults and attacks up to then, one a line.
    pub events: Vec<String>,
    /// Faults and attacks up to then that have no line.
    pub more: usize,
    /// The last moments, to be drawn.
    pub diagram: Diagram,
}

impl Explanation {
    pub(super) fn new(broken: &BrokenCheck, events: Vec<Event>, diagram: Diagram) -> Self {
        let before = events.into_iter().filter(|event| event.from <= broken.at);
        let mut events: Vec<Event> = before.collect();
        // What is open when it breaks matters most, then what was open last.
        events.sort_by_key(|event| std::cmp::Reverse(event.until.min(broken.at)));
        let more = events.len().saturating_sub(MAX_EVENTS);
        events.truncate(MAX_EVENTS);
        events.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        let line = |event: &Event| {
            format!(
                "{} to {}  {}: {}",
                event.from, event.until, event.id, event.says
            )
        };
        Self {
            check: broken.name.to_owned(),
            code: broken.code.to_owned(),
            says: broken.says.to_owned(),
            at: broken.at,
            facts: broken.facts.clone(),
            events: events.iter().map(line).collect(),
            more,
            diagram,
        }
    }

    /// The explanation as text; `again` is the command that shows the run again.
    pub fn text(&self, again: &str) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{} ({}) is violated at {}\n  {}",
            self.check,
            self.code,
            instant(self.at).trim_start(),
            self.says
        );
        let _ = writeln!(out, "\nwhat was seen");
        for fact in self.facts.iter().take(FACTS) {
            let _ = writeln!(out, "  {}", one_line(fact));
        }
        let _ = writeln!(out, "\nwhat had happened");
        for event in &self.events {
            let _ = writeln!(out, "  {}", one_line(event));
        }
        match (self.events.is_empty(), self.more) {
            (true, _) => {
                let _ = writeln!(out, "  no fault and no attack");
            }
            (false, 0) => {}
            (false, more) => {
                let _ = writeln!(out, "  and {more} more");
            }
        }
        let _ = writeln!(out, "\nagain: {again}");
        out
    }
}

/// In one line, cut to a screen and a half at most.
fn one_line(text: &str) -> String {
    let text = text.replace(['\n', '\t'], " ");
    if text.chars().count() <= COLUMNS * 2 {
        return text;
    }
    let cut: String = text.chars().take(COLUMNS * 2 - 1).collect();
    cut + "…"
}
