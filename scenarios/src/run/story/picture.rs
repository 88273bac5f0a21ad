//! The last moments before a violation as a space-time diagram.

use super::events;
use super::recorder::Recorder;
use crate::plan::Plan;
use crate::run::layout::Layout;
use consim_check::diagram::{Arrow, Band, Broken, Diagram, MAX_ARROWS, MAX_LANES, Mark};
use consim_core::{NodeId, Span, Time};
use consim_kernel::Flight;
use std::collections::{BTreeMap, VecDeque};

/// The longest time that a diagram shows, unless its reader asks for more.
const LONGEST: Span = Span::from_secs(10);
/// Windows of faults and attacks that have a band, at most.
const MAX_WINDOWS: usize = 6;

/// What a diagram is made of.
pub(super) struct Picture<'a> {
    pub(super) plan: &'a Plan,
    pub(super) layout: &'a Layout,
    pub(super) flights: &'a VecDeque<Flight>,
    pub(super) recorder: &'a Recorder,
    /// The nodes that the reader asked for; the busiest if there are none.
    pub(super) nodes: &'a [String],
    pub(super) until: Time,
}

impl Picture<'_> {
    /// The diagram, which begins at `from` at the earliest.
    pub(super) fn diagram(&self, from: Option<Time>) -> Diagram {
        let earliest = from.unwrap_or_else(|| {
            Time::from_nanos(self.until.nanos().saturating_sub(LONGEST.nanos()))
        });
        let seen: Vec<&Flight> = self
            .flights
            .iter()
            .filter(|flight| flight.left >= earliest && flight.left <= self.until)
            .collect();
        let lanes = self.lanes(&seen);
        let place = |node: NodeId| lanes.iter().position(|&lane| lane == node);
        let mut arrows: Vec<Arrow> = seen
            .iter()
            .filter_map(|flight| {
                Some(Arrow {
                    from: place(flight.from)?,
                    to: place(flight.to)?,
                    kind: flight.kind.to_owned(),
                    left: flight.left,
                    ended: flight.ended,
                    arrived: flight.arrived,
                })
            })
            .collect();
        let between = arrows.len();
        arrows.drain(..between.saturating_sub(MAX_ARROWS));
        let cut = between > arrows.len();
        let begins = arrows.iter().map(|arrow| arrow.left).min();
        let begins = match from {
            Some(from) if !cut => from,
            _ => begins.unwrap_or(earliest),
        };
        let shown = |flight: &&&Flight| flight.left >= begins;
        let in_time = seen.iter().filter(shown).count();
        let drawn = arrows.len();
        let mut diagram = Diagram {
            title: String::new(),
            from: begins,
            until: self.until,
            lanes: lanes.iter().map(|&node| self.name(node)).collect(),
            arrows,
            bands: self.bands(begins, place),
            marks: self.marks(begins, place),
            violation: self.violation(place),
            left_out: in_time.saturating_sub(drawn) as u64,
        };
        diagram.title = match &diagram.violation {
            Some(broken) => format!(
                "{}: the last moments before {} is violated",
                self.plan.name, broken.check
            ),
            None => format!("{}: what nodes said to each other", self.plan.name),
        };
        diagram
    }

    fn name(&self, node: NodeId) -> String {
        self.layout.name(self.plan, node)
    }

    /// The nodes of a diagram, in their order: those that were asked for; else those that the
    /// violation names and the busiest, desks only if all have room.
    fn lanes(&self, seen: &[&Flight]) -> Vec<NodeId> {
        let mut busy: BTreeMap<NodeId, u64> = BTreeMap::new();
        for flight in seen {
            *busy.entry(flight.from).or_default() += 1;
            *busy.entry(flight.to).or_default() += 1;
        }
        if !self.nodes.is_empty() {
            let all = (0u32..).zip(&self.recorder.names);
            let asked = all.filter(|(_, name)| self.nodes.contains(name));
            return asked.map(|(n, _)| NodeId(n)).take(MAX_LANES).collect();
        }
        if busy.len() > MAX_LANES {
            busy.retain(|&node, _| self.layout.is_server(node));
        }
        let facts = self.recorder.broken.first();
        let facts = facts.map_or(&[][..], |broken| &broken.facts);
        let named = |node: NodeId| {
            let name = self.name(node);
            facts.iter().any(|fact| fact.contains(&name))
        };
        let mut ranked: Vec<(bool, u64, NodeId)> = busy
            .into_iter()
            .map(|(node, count)| (named(node), count, node))
            .collect();
        ranked.sort_by_key(|&(named, count, node)| (!named, std::cmp::Reverse(count), node));
        ranked.truncate(MAX_LANES);
        let mut lanes: Vec<NodeId> = ranked.into_iter().map(|(_, _, node)| node).collect();
        lanes.sort_unstable();
        lanes
    }

    fn bands(&self, from: Time, place: impl Fn(NodeId) -> Option<usize>) -> Vec<Band> {
        let open = |a: Time, b: Time| a <= self.until && b >= from;
        let down = self.recorder.downs(self.until);
        let mut bands: Vec<Band> = down
            .filter(|&(_, a, b)| open(a, b))
            .filter_map(|(node, a, b)| {
                Some(Band {
                    lane: Some(place(node)?),
                    from: a.later(from),
                    until: b.min(self.until),
                    label: "down".to_owned(),
                })
            })
            .collect();
        let windows = events::of(self.plan, self.layout).into_iter();
        let windows = windows.filter(|event| open(event.from, event.until));
        bands.extend(windows.take(MAX_WINDOWS).map(|event| Band {
            lane: None,
            from: event.from.later(from),
            until: event.until.min(self.until),
            label: format!("{}: {}", event.id, event.says),
        }));
        bands
    }

    fn marks(&self, from: Time, place: impl Fn(NodeId) -> Option<usize>) -> Vec<Mark> {
        let marks = self.recorder.marks.iter();
        marks
            .filter(|mark| mark.at >= from && mark.at <= self.until)
            .filter_map(|mark| {
                Some(Mark {
                    lane: place(mark.node)?,
                    at: mark.at,
                    kind: mark.kind,
                    label: mark.label.clone(),
                })
            })
            .collect()
    }

    fn violation(&self, place: impl Fn(NodeId) -> Option<usize>) -> Option<Broken> {
        let broken = self.recorder.broken.first()?;
        (broken.at <= self.until).then(|| Broken {
            check: broken.name.to_owned(),
            at: broken.at,
            lane: broken.node.and_then(place),
        })
    }
}
