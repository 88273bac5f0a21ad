//! Faults: windows laid out, whom they hit.

mod kinds;
mod network;
mod operator;
mod process;
mod random;

use super::{Planner, within};
use crate::plan::FaultPlan;
use crate::schema::shape::suggestion;
use crate::schema::{At, Fault, FaultKind, For};
use crate::tree::Place;
use consim_core::values::{Instant, Name, Range, Value};
use consim_core::{Span, Time};
use std::collections::BTreeMap;

/// The most occurrences of one entry.
pub const MAX_OCCURRENCES: u64 = 10_000;
/// The most occurrences of all entries.
pub const MAX_WINDOWS: usize = 100_000;
/// A billion: shares are parts of it.
const BILLION: u64 = 1_000_000_000;

/// A window: start, end, and may it run to the end of the run without a word?
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Time,
    to: Time,
    rest: bool,
}

impl Planner<'_> {
    pub(super) fn faults(&mut self) -> Option<BTreeMap<String, FaultPlan>> {
        let scenario = self.scenario;
        let mut out = BTreeMap::new();
        let mut whole = true;
        let mut entries: Vec<(At<Name>, Fault)> = Vec::new();
        for (name, fault) in &scenario.faults {
            let FaultKind::Random(random) = &fault.kind else {
                entries.push((name.clone(), fault.clone()));
                continue;
            };
            if !fault.common.enabled.value.0 {
                continue;
            }
            let windows = self.windows(name, fault);
            match windows.and_then(|windows| self.draw_faults(name, random, &windows)) {
                Some(drawn) => entries.extend(drawn),
                None => whole = false,
            }
        }
        for (name, fault) in &entries {
            let kind = fault.plan(self, name);
            if !fault.common.enabled.value.0 {
                continue;
            }
            let windows = self.windows(name, fault);
            let (Some(kind), Some(windows)) = (kind, windows) else {
                whole = false;
                continue;
            };
            if out.len() + windows.len() > MAX_WINDOWS {
                let place = name.place.clone();
                let help = format!("at most {MAX_WINDOWS}; a longer `every`, or fewer entries");
                self.cx
                    .error("E107", &place, "too many occurrences of all faults", help);
                return None;
            }
            for (number, window) in windows {
                let id = match number {
                    0 => name.value.0.clone(),
                    n => format!("{}#{}", name.value.0, n + 1),
                };
                out.insert(
                    id,
                    FaultPlan {
                        from: window.from,
                        to: window.to,
                        kind: kind.clone(),
                    },
                );
            }
        }
        whole.then_some(out)
    }

    /// The occurrences of a fault, by number.
    fn windows(&mut self, name: &At<Name>, fault: &Fault) -> Option<Vec<(u64, Window)>> {
        let common = &fault.common;
        let key = name.value.0.as_str();
        let every = common.every.as_ref().map(|at| at.value);
        if let Some(at) = common.every.as_ref().filter(|at| at.value.is_zero()) {
            let place = at.place.clone();
            self.cx
                .error("E107", &place, "every nothing", "for example 2h");
            return None;
        }
        if let (Some(times), None) = (&common.times, every) {
            let place = times.place.clone();
            self.cx.error(
                "E404",
                &place,
                "`times` says how often `every` repeats",
                "every: 2h",
            );
            return None;
        }
        let first = self.occurrence(name, fault, 0)?;
        let end = Time::ZERO + self.duration;
        if first.from >= end {
            let place = common.at.place.clone();
            let duration = self.duration;
            let fits = Span::from_nanos(first.to.nanos()) + Span::from_secs(60);
            self.cx.error(
                "E402",
                &place,
                format!("the run is over at {duration}"),
                format!("move the fault, or duration: {fits}"),
            );
            return None;
        }
        let mut out = Vec::new();
        let most = common.times.as_ref().map_or(u64::MAX, |at| at.value.0);
        for number in 0..most {
            let shift = every.map_or(Span::ZERO, |every| every.times(number));
            let mut window = if number == 0 {
                first
            } else {
                self.occurrence(name, fault, number)?
            };
            window.from += shift;
            window.to = (window.to + shift).min(end);
            if !within(window.from, self.duration) {
                break;
            }
            if number >= MAX_OCCURRENCES {
                let place = name.place.clone();
                self.cx.error(
                    "E107",
                    &place,
                    format!("more than {MAX_OCCURRENCES} occurrences"),
                    "a longer `every`",
                );
                return None;
            }
            let path = format!("faults.{key}.chance");
            let happens =
                self.draw(0, BILLION - 1, &path, number) < u64::from(common.chance.value.0);
            if happens {
                out.push((number, window));
            }
            if every.is_none() {
                break;
            }
        }
        if let (Some(at), Some((_, last))) = (&common.times, out.last()) {
            let wanted = every.map_or(Span::ZERO, |e| e.times(at.value.0.saturating_sub(1)));
            if first.from + wanted > last.from && common.chance.value.0 == BILLION as u32 {
                let place = at.place.clone();
                self.cx.warning(
                    "W405",
                    &place,
                    format!("only {} of {} fit into the run", out.len(), at.value.0),
                    "a longer duration, or a shorter `every`",
                );
            }
        }
        Some(out)
    }

    /// Occurrence `number`, as if it were the first: ranges are drawn for each.
    fn occurrence(&mut self, name: &At<Name>, fault: &Fault, number: u64) -> Option<Window> {
        let common = &fault.common;
        let key = name.value.0.as_str();
        let low = self.instant(&common.at.value.low, &common.at.place)?;
        let high = self.instant(&common.at.value.high, &common.at.place)?;
        let at = self.draw(
            low.nanos(),
            high.nanos().max(low.nanos()),
            &format!("faults.{key}.at"),
            number,
        );
        let from = Time::from_nanos(at);
        let repeats = common.every.is_some();
        self.drawn_line(common.at.leaf, low != high && !repeats, || {
            Instant::After(Span::from_nanos(at)).text()
        });
        let window = match (&common.r#for, &common.until) {
            (Some(length), Some(until)) => {
                let place = until.place.clone();
                let other = length.value.text();
                self.cx.error(
                    "E406",
                    &place,
                    format!("`until` and `for: {other}` both say when it ends"),
                    "keep one of them",
                );
                return None;
            }
            (None, None) => {
                let place = name.place.clone();
                self.cx.error(
                    "E401",
                    &place,
                    format!("when does `{key}` end?"),
                    "for: 2m, or for: rest to keep it to the end of the run",
                );
                return None;
            }
            (Some(length), None) => {
                let (span, rest) = self.length(&length.value, key, number, from);
                let drawn = matches!(&length.value, For::Span(Range { low, high }) if low != high);
                self.drawn_line(length.leaf, drawn && !repeats, || span.text());
                Window {
                    from,
                    to: from + span,
                    rest,
                }
            }
            (None, Some(until)) => {
                let to = self.instant(&until.value, &until.place)?;
                if to <= from {
                    let place = until.place.clone();
                    self.cx.error(
                        "E406",
                        &place,
                        "it ends before it begins",
                        "a later instant",
                    );
                    return None;
                }
                Window {
                    from,
                    to,
                    rest: false,
                }
            }
        };
        self.warn_late(name, fault, window);
        Some(window)
    }

    /// A drawn value shows what was drawn; the design digest keeps the range.
    fn drawn_line(&mut self, leaf: usize, drawn: bool, text: impl FnOnce() -> String) {
        if drawn && let Some(leaf) = self.cx.leaves.get_mut(leaf) {
            leaf.design.get_or_insert_with(|| leaf.text.clone());
            leaf.text = text();
            leaf.origin = Some("drawn".into());
        }
    }

    fn length(&self, length: &For, key: &str, number: u64, from: Time) -> (Span, bool) {
        match length {
            For::Rest => ((Time::ZERO + self.duration).since(from), true),
            For::Span(range) => {
                let path = format!("faults.{key}.for");
                let ns = self.draw(range.low.nanos(), range.high.nanos(), &path, number);
                (Span::from_nanos(ns), false)
            }
        }
    }

    /// W403: a fault that ends with the run leaves nothing to show recovery.
    fn warn_late(&mut self, name: &At<Name>, fault: &Fault, window: Window) {
        let end = Time::ZERO + self.duration;
        if window.rest || window.to < end || window.from >= end {
            return;
        }
        let place = match (&fault.common.r#for, &fault.common.until) {
            (Some(at), _) => at.place.clone(),
            (_, Some(at)) => at.place.clone(),
            _ => name.place.clone(),
        };
        let duration = self.duration;
        self.cx.warning(
            "W403",
            &place,
            format!("nothing is left after {duration} to show recovery; liveness will be unknown"),
            format!(
                "end it earlier, or duration: {}",
                duration + Span::from_secs(60)
            ),
        );
    }

    /// An instant of the run.
    pub(super) fn instant(&mut self, instant: &Instant, place: &Place) -> Option<Time> {
        match instant {
            Instant::After(span) => Some(Time::ZERO + *span),
            Instant::Calendar(date) => {
                let after = date
                    .ns
                    .checked_sub(self.start_ns)
                    .and_then(|ns| u64::try_from(ns).ok());
                if after.is_none() {
                    self.cx.error(
                        "E402",
                        place,
                        "that is before the start of the run",
                        "`start` is calendar time zero",
                    );
                }
                after.map(Time::from_nanos)
            }
            Instant::Relative {
                name,
                end,
                plus,
                minus,
            } => {
                let base = self.named_instant(name, *end, place, 0)?;
                let at = (base + *plus).nanos().checked_sub(minus.nanos());
                if at.is_none() {
                    self.cx
                        .error("E402", place, "that is before the start of the run", "less");
                }
                at.map(Time::from_nanos)
            }
        }
    }

    /// Start or end of another fault.
    fn named_instant(
        &mut self,
        name: &Name,
        end: bool,
        place: &Place,
        depth: usize,
    ) -> Option<Time> {
        let scenario = self.scenario;
        if self.cx.is_broken(&name.0) {
            return None;
        }
        let Some((_, fault)) = scenario.faults.iter().find(|(n, _)| n.value == *name) else {
            let known: Vec<&str> = scenario
                .faults
                .iter()
                .map(|(n, _)| n.value.0.as_str())
                .collect();
            self.cx.error(
                "E301",
                place,
                format!("no fault is called `{}`", name.0),
                suggestion(&name.0, &known),
            );
            return None;
        };
        if depth > scenario.faults.len() {
            self.cx.error(
                "E407",
                place,
                "these faults wait for each other",
                "give one a time",
            );
            return None;
        }
        let at = |planner: &mut Self, instant: &Instant| match instant {
            Instant::Relative {
                name,
                end,
                plus,
                minus,
            } => {
                let base = planner.named_instant(name, *end, place, depth + 1)?;
                Some(Time::from_nanos(
                    (base + *plus).nanos().saturating_sub(minus.nanos()),
                ))
            }
            other => planner.instant(other, place),
        };
        let low = at(self, &fault.common.at.value.low)?;
        let high = at(self, &fault.common.at.value.high)?;
        let key = name.0.as_str();
        let from = self.draw(
            low.nanos(),
            high.nanos().max(low.nanos()),
            &format!("faults.{key}.at"),
            0,
        );
        let from = Time::from_nanos(from);
        if !end {
            return Some(from);
        }
        match (&fault.common.r#for, &fault.common.until) {
            (Some(length), _) => Some(from + self.length(&length.value, key, 0, from).0),
            (None, Some(until)) => at(self, &until.value),
            (None, None) => None,
        }
    }
}
