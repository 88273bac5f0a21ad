//! Listens to a run and keeps what its story needs.

use super::Part;
use super::lines::Lines;
use super::words;
use consim_check::diagram::MarkKind;
use consim_core::{Check, Heal, NodeId, Observer, Probe, Time};
use std::collections::{BTreeMap, VecDeque};

/// Marks that are kept for the picture.
const MARKS: usize = 20_000;
/// Spans of time in which a node is down that are kept for the picture.
const BANDS: usize = 1_000;

/// A check that broke.
#[derive(Clone, Debug)]
pub(super) struct BrokenCheck {
    pub(super) name: &'static str,
    pub(super) code: &'static str,
    pub(super) says: &'static str,
    pub(super) at: Time,
    /// The node at which the event happened that showed it.
    pub(super) node: Option<NodeId>,
    pub(super) facts: Vec<String>,
}

/// Something to mark in the picture.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) at: Time,
    pub(super) node: NodeId,
    pub(super) kind: MarkKind,
    pub(super) label: String,
}

/// An observer beside the checks of a run. It hears of violations right after the event that showed
/// them.
#[derive(Debug)]
pub(in crate::run) struct Recorder {
    pub(super) names: Vec<String>,
    part: Part,
    nodes: Vec<NodeId>,
    pub(super) lines: Lines,
    pub(super) broken: Vec<BrokenCheck>,
    pub(super) marks: VecDeque<Noted>,
    /// When nodes went down and came up again.
    pub(super) down: VecDeque<(NodeId, Time, Time)>,
    downs: BTreeMap<NodeId, Time>,
    /// Violations of each check so far.
    counts: BTreeMap<&'static str, u64>,
    last: (Time, Option<NodeId>),
}

impl Recorder {
    pub(super) fn new(names: Vec<String>, part: Part, nodes: Vec<NodeId>) -> Self {
        Self {
            names,
            part,
            nodes,
            lines: Lines::default(),
            broken: Vec::new(),
            marks: VecDeque::new(),
            down: VecDeque::new(),
            downs: BTreeMap::new(),
            counts: BTreeMap::new(),
            last: (Time::ZERO, None),
        }
    }

    fn tell(&mut self, at: Time, node: Option<NodeId>, text: impl FnOnce() -> String) {
        if self.part.holds(at) && node.is_none_or(|node| self.nodes.contains(&node)) {
            self.lines.add(at, node, text());
        }
    }

    /// Something that nobody is asked about: the window of an attack.
    pub(in crate::run) fn attack(&mut self, at: Time, id: &str, open: bool) {
        let does = if open { "begins" } else { "ends" };
        self.tell(at, None, || format!("attack {id} {does}"));
    }

    /// A message was sent.
    pub(in crate::run) fn sent(&mut self, at: Time, from: NodeId) {
        self.last = (at, Some(from));
    }

    /// What `checks` think after the last event. Only those that hear sends can have changed if it
    /// was one.
    pub(in crate::run) fn look(&mut self, checks: &[Box<dyn Check>], sends: bool) {
        let (at, node) = self.last;
        for check in checks {
            if sends && !check.hears_sends() || !check.violated() {
                continue;
            }
            let finding = check.finding();
            let count = self.counts.entry(check.name()).or_default();
            if finding.violated == *count {
                continue;
            }
            let first = *count == 0;
            let known = usize::try_from(*count).unwrap_or(usize::MAX);
            *count = finding.violated;
            let news: Vec<&String> = finding.violations.iter().skip(known).collect();
            for fact in news {
                let text = format!("VIOLATED {}: {fact}", check.name());
                if self.part.holds(at) {
                    self.lines.add(at, node, text);
                }
            }
            if first {
                self.broken.push(BrokenCheck {
                    name: check.name(),
                    code: check.code(),
                    says: check.says(),
                    at,
                    node,
                    facts: finding.violations,
                });
            }
        }
        if !self.broken.is_empty() {
            self.lines.broken();
        }
    }

    /// Nodes that are still down, with the others.
    pub(super) fn downs(&self, until: Time) -> impl Iterator<Item = (NodeId, Time, Time)> {
        let still = self
            .downs
            .iter()
            .map(move |(&node, &from)| (node, from, until));
        self.down.iter().copied().chain(still)
    }
}

impl Observer for Recorder {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        self.last = (at, Some(node));
        if let Probe::Asked { op, .. } | Probe::Ended { op, .. } = probe
            && op.is_own()
        {
            // No user asked for it.
            return;
        }
        let names = &self.names;
        let name = |node: NodeId| names.get(node.index()).map_or("?", String::as_str);
        let Some(said) = words::of(probe, name) else {
            return;
        };
        if let Some((kind, label)) = said.mark {
            if self.marks.len() == MARKS {
                self.marks.pop_front();
            }
            self.marks.push_back(Noted {
                at,
                node,
                kind,
                label,
            });
        }
        self.tell(at, Some(node), || said.text);
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.last = (at, Some(node));
        if up {
            if let Some(from) = self.downs.remove(&node) {
                if self.down.len() == BANDS {
                    self.down.pop_front();
                }
                self.down.push_back((node, from, at));
                self.tell(at, Some(node), || "starts again".to_owned());
            }
        } else {
            self.downs.entry(node).or_insert(at);
            self.tell(at, Some(node), || "goes down".to_owned());
        }
    }
    fn fault(&mut self, at: Time, id: &str, open: bool) {
        self.last = (at, None);
        let does = if open { "begins" } else { "ends" };
        self.tell(at, None, || format!("fault {id} {does}"));
    }
    fn healed(&mut self, at: Time, heal: &Heal) {
        self.last = (at, None);
        self.tell(at, None, || {
            format!(
                "the faults are over; all has to work again within {}",
                heal.bound
            )
        });
    }
    fn end(&mut self, at: Time) {
        self.last = (at, None);
        self.tell(at, None, || "the run is over".to_owned());
    }
}
