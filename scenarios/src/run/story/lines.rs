//! The lines of a story, bounded: its beginning, what comes before the first violation, and its end.

use consim_core::{NodeId, Time};
use consim_kernel::Flight;
use std::collections::VecDeque;

/// Lines of a story, at most, without those of messages.
pub const MAX_LINES: usize = HEAD + BEFORE + TAIL;
/// Messages that are told one by one, at most; of more, none is.
pub const MAX_MESSAGES: usize = 400;

/// Lines of the beginning.
const HEAD: usize = 200;
/// Lines before the first violation.
const BEFORE: usize = 600;
/// Lines of the end.
const TAIL: usize = 200;

#[derive(Clone, Debug)]
struct Line {
    at: Time,
    node: Option<NodeId>,
    text: String,
}

/// Lines in the order of time.
#[derive(Debug, Default)]
pub(super) struct Lines {
    head: Vec<Line>,
    before: VecDeque<Line>,
    tail: VecDeque<Line>,
    /// Lines that were dropped between the first two parts, and between the last two.
    dropped: [u64; 2],
    /// Did something break?
    broken: bool,
}

impl Lines {
    pub(super) fn add(&mut self, at: Time, node: Option<NodeId>, text: String) {
        let line = Line { at, node, text };
        if self.broken {
            self.dropped[1] += push(&mut self.tail, TAIL, line);
        } else if self.head.len() < HEAD {
            self.head.push(line);
        } else {
            self.dropped[0] += push(&mut self.before, BEFORE, line);
        }
    }
    /// What comes from now on comes after the first violation.
    pub(super) fn broken(&mut self) {
        self.broken = true;
    }

    /// The story as text, with `messages` in their places.
    pub(super) fn written(&self, messages: &Messages, names: &[String]) -> Vec<String> {
        let width = names.iter().map(|name| name.chars().count()).max();
        let width = width.unwrap_or(0).min(24);
        let name = |node: NodeId| names.get(node.index()).map_or("?", String::as_str);
        let told = messages.told(name);
        let mut told = told.iter().peekable();
        let mut out = Vec::new();
        let mut write = |out: &mut Vec<String>, line: &Line| {
            while let Some(message) = told.next_if(|message| message.at <= line.at) {
                out.push(one(message, name, width));
            }
            out.push(one(line, name, width));
        };
        for line in &self.head {
            write(&mut out, line);
        }
        out.extend(gap(self.dropped[0]));
        for line in &self.before {
            write(&mut out, line);
        }
        out.extend(gap(self.dropped[1]));
        for line in &self.tail {
            write(&mut out, line);
        }
        out.extend(told.map(|message| one(message, name, width)));
        if messages.seen > MAX_MESSAGES as u64 {
            out.push(format!(
                "... the {} messages are left out, as more than {MAX_MESSAGES}; --from, --until and --node narrow the story down",
                messages.seen
            ));
        }
        out
    }
}

/// Adds to a list of the last lines; how many went.
fn push(list: &mut VecDeque<Line>, most: usize, line: Line) -> u64 {
    list.push_back(line);
    if list.len() > most {
        list.pop_front();
        return 1;
    }
    0
}

fn gap(dropped: u64) -> Option<String> {
    (dropped > 0).then(|| {
        format!(
            "... {dropped} events are left out, as more than {MAX_LINES}; --from, --until and --node show them"
        )
    })
}

fn one<'a>(line: &Line, name: impl Fn(NodeId) -> &'a str, width: usize) -> String {
    let node = line.node.map_or("", name);
    format!("{}  {node:width$}  {}", instant(line.at), line.text)
}

/// An instant, in seconds to the microsecond.
pub(super) fn instant(at: Time) -> String {
    let us = at.nanos() / 1_000;
    format!("{:>6}.{:06} s", us / 1_000_000, us % 1_000_000)
}

/// The messages of the part that is told, as long as there are not too many.
#[derive(Debug, Default)]
pub(super) struct Messages {
    nodes: Vec<NodeId>,
    kept: Vec<Flight>,
    seen: u64,
}

impl Messages {
    pub(super) fn new(nodes: Vec<NodeId>) -> Self {
        Self {
            nodes,
            ..Self::default()
        }
    }
    pub(super) fn add(&mut self, flight: &Flight) {
        if !self.nodes.contains(&flight.to) {
            return;
        }
        self.seen += 1;
        if self.kept.len() < MAX_MESSAGES {
            self.kept.push(*flight);
        }
    }
    fn told<'a>(&self, name: impl Fn(NodeId) -> &'a str) -> Vec<Line> {
        if self.seen > MAX_MESSAGES as u64 {
            return Vec::new();
        }
        let words = |flight: &Flight| Line {
            at: flight.ended,
            node: Some(flight.to),
            text: if flight.arrived {
                format!("receives {} from {}", flight.kind, name(flight.from))
            } else {
                format!(
                    "never gets {} of {}: it is lost",
                    flight.kind,
                    name(flight.from)
                )
            },
        };
        let mut lines: Vec<Line> = self.kept.iter().map(words).collect();
        lines.sort_by_key(|line| line.at);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_story_keeps_its_beginning_what_led_to_the_violation_and_its_end() {
        let mut lines = Lines::default();
        let add = |lines: &mut Lines, from: u64, n: u64| {
            for i in from..from + n {
                lines.add(Time::from_nanos(i * 1_000), None, format!("event {i}"));
            }
        };
        add(&mut lines, 0, 5_000);
        lines.broken();
        add(&mut lines, 5_000, 5_000);
        let written = lines.written(&Messages::default(), &[]);
        assert_eq!(written.len(), MAX_LINES + 2);
        assert!(
            written
                .first()
                .is_some_and(|line| line.ends_with("event 0"))
        );
        assert!(written.iter().any(|line| line.ends_with("event 4999")));
        assert!(
            written
                .last()
                .is_some_and(|line| line.ends_with("event 9999"))
        );
        let gaps: Vec<&String> = written.iter().filter(|l| l.starts_with("...")).collect();
        let says = |gap: &&String, n: &str| gap.contains(n) && gap.contains("left out");
        assert!(gaps.first().is_some_and(|gap| says(gap, "4200 events")));
        assert!(gaps.last().is_some_and(|gap| says(gap, "4800 events")));
    }

    #[test]
    fn messages_are_told_as_long_as_they_are_few() {
        let flight = Flight {
            from: NodeId(0),
            to: NodeId(1),
            kind: "prepare",
            left: Time::ZERO,
            ended: Time::from_nanos(2_000_000),
            arrived: true,
        };
        let names = ["a".to_owned(), "b".to_owned()];
        let mut messages = Messages::new(vec![NodeId(1)]);
        messages.add(&flight);
        messages.add(&Flight {
            arrived: false,
            ..flight
        });
        // To a node that nobody asked for.
        messages.add(&Flight {
            to: NodeId(0),
            ..flight
        });
        let written = Lines::default().written(&messages, &names);
        assert_eq!(
            written,
            [
                "     0.002000 s  b  receives prepare from a",
                "     0.002000 s  b  never gets prepare of a: it is lost",
            ]
        );
        for _ in 0..MAX_MESSAGES {
            messages.add(&flight);
        }
        let written = Lines::default().written(&messages, &names);
        assert_eq!(written.len(), 1);
        assert!(
            written
                .iter()
                .all(|line| line.contains("402 messages are left out"))
        );
    }
}
