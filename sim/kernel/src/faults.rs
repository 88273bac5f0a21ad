//! Open fault windows: who is cut off, which lines lose or delay.

use crate::config::{FaultKind, FaultWindow, Lines, Target};
use crate::network::{Extra, Place};
use consim_core::{NodeId, Sampler, Span, Time, mix};

/// What a fault came to.
#[derive(Clone, Debug)]
pub struct FaultEffect {
    /// Its name in the scenario.
    pub id: String,
    /// When it opened.
    pub from: Time,
    /// When it closed (or the run ended).
    pub to: Time,
    /// The nodes that it hit, run-time targets resolved.
    pub hit: Vec<NodeId>,
    /// A measured difference: nodes taken down, messages dropped or delayed, transmissions lost.
    pub took_effect: u64,
    /// What `took_effect` counts.
    pub unit: &'static str,
    /// Its kind's word.
    pub kind: &'static str,
    /// Its catalogue code.
    pub code: &'static str,
}

/// Which nodes stand on which side of a set of lines.
#[derive(Clone, Debug)]
struct Sides {
    /// Per site: bit 0 in the first set, bit 1 in the second.
    site: Vec<u8>,
    both_ways: bool,
    /// Lines of the first set whatever the other end is.
    any_other: bool,
}

impl Sides {
    fn joins(&self, from: u32, to: u32) -> bool {
        let side = |s: u32| self.site.get(s as usize).copied().unwrap_or(0);
        let (a, b) = (side(from), side(to));
        if self.any_other {
            return (a | b) & 1 != 0;
        }
        (a & 1 != 0 && b & 2 != 0) || (self.both_ways && a & 2 != 0 && b & 1 != 0)
    }
}

enum Open {
    Crash,
    Partition {
        inside: Vec<bool>,
    },
    Loss {
        sides: Sides,
        rate_ppb: u32,
    },
    Delay {
        sides: Sides,
        add: Sampler,
        key: u64,
        drawn: u64,
    },
}

/// The timeline and its open windows.
pub(crate) struct Faults {
    pub(crate) windows: Vec<FaultWindow>,
    effects: Vec<FaultEffect>,
    open: Vec<(usize, Open)>,
    sites: usize,
    key: u64,
}

impl Faults {
    pub(crate) fn new(windows: Vec<FaultWindow>, sites: usize, key: u64) -> Self {
        let effects = windows
            .iter()
            .map(|w| {
                let (kind, code, unit) = match w.kind {
                    FaultKind::Crash { .. } => ("crash", "P1", "nodes taken down"),
                    FaultKind::Partition { .. } => ("partition", "N7", "messages dropped"),
                    FaultKind::Loss { .. } => ("loss", "N2", "transmissions lost"),
                    FaultKind::Delay { .. } => ("delay", "N1", "messages delayed"),
                };
                FaultEffect {
                    id: w.id.clone(),
                    from: w.from,
                    to: w.to,
                    hit: Vec::new(),
                    took_effect: 0,
                    unit,
                    kind,
                    code,
                }
            })
            .collect();
        Self {
            windows,
            effects,
            open: Vec::new(),
            sites,
            key,
        }
    }

    pub(crate) fn effects(&self) -> &[FaultEffect] {
        &self.effects
    }

    /// Opens window `index`; `resolve` turns a target into nodes, `site_of` a node into its site.
    /// Returns the nodes that a crash takes down.
    pub(crate) fn open(
        &mut self,
        index: usize,
        resolve: impl Fn(&Target) -> Vec<NodeId>,
        site_of: impl Fn(NodeId) -> u32,
    ) -> Vec<NodeId> {
        let Some(window) = self.windows.get(index) else {
            return Vec::new();
        };
        let sites = |targets: &[(&Target, u8)]| {
            let mut marks = vec![0u8; self.sites];
            let mut hit = Vec::new();
            for (target, bit) in targets {
                for node in resolve(target) {
                    hit.push(node);
                    if let Some(mark) = marks.get_mut(site_of(node) as usize) {
                        *mark |= bit;
                    }
                }
            }
            (marks, hit)
        };
        let sides = |lines: &Lines| match lines {
            Lines::Of(t) => {
                let (site, hit) = sites(&[(t, 1)]);
                (
                    Sides {
                        site,
                        both_ways: true,
                        any_other: true,
                    },
                    hit,
                )
            }
            Lines::FromTo(a, b) | Lines::Between(a, b) => {
                let (site, hit) = sites(&[(a, 1), (b, 2)]);
                (
                    Sides {
                        site,
                        both_ways: matches!(lines, Lines::Between(..)),
                        any_other: false,
                    },
                    hit,
                )
            }
        };
        let (open, mut hit) = match &window.kind {
            FaultKind::Crash { target } => (Open::Crash, resolve(target)),
            FaultKind::Partition { target } => {
                let (marks, hit) = sites(&[(target, 1)]);
                (
                    Open::Partition {
                        inside: marks.iter().map(|&m| m != 0).collect(),
                    },
                    hit,
                )
            }
            FaultKind::Loss { lines, rate_ppb } => {
                let (sides, hit) = sides(lines);
                (
                    Open::Loss {
                        sides,
                        rate_ppb: *rate_ppb,
                    },
                    hit,
                )
            }
            FaultKind::Delay { lines, add } => {
                let (sides, hit) = sides(lines);
                (
                    Open::Delay {
                        sides,
                        add: add.sampler(),
                        key: mix(self.key, index as u64),
                        drawn: 0,
                    },
                    hit,
                )
            }
        };
        hit.sort_unstable();
        hit.dedup();
        let crashed = if matches!(open, Open::Crash) {
            hit.clone()
        } else {
            Vec::new()
        };
        if let Some(effect) = self.effects.get_mut(index) {
            effect.hit = hit;
        }
        self.open.push((index, open));
        crashed
    }

    /// Closes window `index`; returns the nodes that a crash releases.
    pub(crate) fn close(&mut self, index: usize) -> Vec<NodeId> {
        let mut released = Vec::new();
        if let Some(at) = self.open.iter().position(|(i, _)| *i == index)
            && let (_, Open::Crash) = self.open.remove(at)
        {
            released = self
                .effects
                .get(index)
                .map(|e| e.hit.clone())
                .unwrap_or_default();
        }
        released
    }

    pub(crate) fn count(&mut self, index: usize, by: u64) {
        if let Some(effect) = self.effects.get_mut(index) {
            effect.took_effect += by;
        }
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.open.is_empty()
    }

    /// Does an open partition come between two places? Counts the message that it drops.
    pub(crate) fn cuts(&mut self, from: Place, to: Place) -> bool {
        if self.open.is_empty() || from.site == to.site {
            return false;
        }
        let by = self.open.iter().find_map(|(index, open)| match open {
            Open::Partition { inside } => {
                let side = |s: u32| inside.get(s as usize).copied().unwrap_or(false);
                (side(from.site) != side(to.site)).then_some(*index)
            }
            _ => None,
        });
        if let Some(index) = by {
            self.count(index, 1);
        }
        by.is_some()
    }

    /// What open faults add to the line between two places: rates combine as independent chances,
    /// delays add.
    pub(crate) fn extra(&mut self, from: Place, to: Place) -> Extra {
        let mut extra = Extra::default();
        if from.site == to.site {
            return extra;
        }
        for (index, open) in &mut self.open {
            match open {
                Open::Loss { sides, rate_ppb } if sides.joins(from.site, to.site) => {
                    let rate = u64::from(*rate_ppb);
                    extra.loss_ppb = extra.loss_ppb + rate - extra.loss_ppb * rate / 1_000_000_000;
                }
                Open::Delay {
                    sides,
                    add,
                    key,
                    drawn,
                } if sides.joins(from.site, to.site) => {
                    let more = add.sample(mix(*key, *drawn));
                    *drawn += 1;
                    extra.delay += more;
                    if more > Span::ZERO
                        && let Some(effect) = self.effects.get_mut(*index)
                    {
                        effect.took_effect += 1;
                    }
                }
                _ => {}
            }
        }
        extra
    }

    /// Credits retransmissions or losses of a message to the first open loss on its line.
    pub(crate) fn credit_loss(&mut self, from: Place, to: Place, by: u64) {
        let index = self.open.iter().find_map(|(index, open)| match open {
            Open::Loss { sides, .. } if sides.joins(from.site, to.site) => Some(*index),
            _ => None,
        });
        if let Some(index) = index {
            self.count(index, by);
        }
    }
}
