//! When faults and attacks happen: windows laid out.

use super::{Planner, within};
use crate::schema::shape::suggestion;
use crate::schema::{At, AttackCommon, ChangeCommon, FaultCommon, For, Scenario, When};
use crate::tree::Place;
use consim_core::values::{Instant, Name, Range, Value};
use consim_core::{Span, Time};

/// The most occurrences of one entry.
pub const MAX_OCCURRENCES: u64 = 10_000;
/// The most occurrences of all entries.
pub const MAX_WINDOWS: usize = 100_000;
/// A billion: shares are parts of it.
const BILLION: u64 = 1_000_000_000;

/// A window: start, end, and may it run to the end of the run without a word?
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Time,
    pub(super) to: Time,
    rest: bool,
}

/// When an entry happens, as written.
#[derive(Clone, Copy)]
pub(super) struct Timing<'a> {
    /// The top-level key that it stands under.
    family: &'static str,
    /// What it is.
    noun: &'static str,
    name: &'a At<Name>,
    when: When<'a>,
}

impl<'a> Timing<'a> {
    pub(super) fn of_fault(name: &'a At<Name>, common: &'a FaultCommon) -> Self {
        Self {
            family: "faults",
            noun: "fault",
            name,
            when: common.when(),
        }
    }
    pub(super) fn of_attack(name: &'a At<Name>, common: &'a AttackCommon) -> Self {
        Self {
            family: "attacks",
            noun: "attack",
            name,
            when: common.when(),
        }
    }
    pub(super) fn of_change(name: &'a At<Name>, common: &'a ChangeCommon) -> Self {
        Self {
            family: "changes",
            noun: "change",
            name,
            when: When {
                at: &common.at,
                length: None,
                until: None,
                every: None,
                times: None,
                chance: None,
            },
        }
    }
    /// The path of a key of it, which names the stream of its draws.
    fn path(&self, key: &str) -> String {
        format!("{}.{}.{key}", self.family, self.name.value.0)
    }
}

/// When all faults, attacks and changes of a scenario are: they share one name space.
fn timings(scenario: &Scenario) -> Vec<Timing<'_>> {
    let faults = scenario.faults.iter();
    let faults = faults.map(|(name, fault)| Timing::of_fault(name, &fault.common));
    let attacks = scenario.attacks.iter();
    let attacks = attacks.map(|(name, attack)| Timing::of_attack(name, &attack.common));
    let changes = scenario.changes.iter();
    let changes = changes.map(|(name, change)| Timing::of_change(name, &change.common));
    faults.chain(attacks).chain(changes).collect()
}

impl Planner<'_> {
    /// The occurrences of an entry, by number.
    pub(super) fn windows(&mut self, timing: &Timing<'_>) -> Option<Vec<(u64, Window)>> {
        let name = timing.name;
        let every = timing.when.every.map(|at| at.value);
        if let Some(at) = timing.when.every.filter(|at| at.value.is_zero()) {
            let place = at.place.clone();
            self.cx
                .error("E107", &place, "every nothing", "for example 2h");
            return None;
        }
        if let (Some(times), None) = (timing.when.times, every) {
            let place = times.place.clone();
            self.cx.error(
                "E404",
                &place,
                "`times` says how often `every` repeats",
                "every: 2h",
            );
            return None;
        }
        let first = self.occurrence(timing, 0)?;
        let end = Time::ZERO + self.duration;
        if first.from >= end {
            let place = timing.when.at.place.clone();
            let duration = self.duration;
            let fits = Span::from_nanos(first.to.nanos()) + Span::from_secs(60);
            self.cx.error(
                "E402",
                &place,
                format!("the run is over at {duration}"),
                format!("move the {}, or duration: {fits}", timing.noun),
            );
            return None;
        }
        let mut out = Vec::new();
        let most = timing.when.times.map_or(u64::MAX, |at| at.value.0);
        for number in 0..most {
            let shift = every.map_or(Span::ZERO, |every| every.times(number));
            let mut window = if number == 0 {
                first
            } else {
                self.occurrence(timing, number)?
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
            let path = timing.path("chance");
            let chance = timing.when.chance.map_or(BILLION as u32, |at| at.value.0);
            let happens = self.draw(0, BILLION - 1, &path, number) < u64::from(chance);
            if happens {
                out.push((number, window));
            }
            if every.is_none() {
                break;
            }
        }
        if let (Some(at), Some((_, last))) = (timing.when.times, out.last()) {
            let wanted = every.map_or(Span::ZERO, |e| e.times(at.value.0.saturating_sub(1)));
            if first.from + wanted > last.from
                && timing
                    .when
                    .chance
                    .is_none_or(|at| at.value.0 == BILLION as u32)
            {
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
    fn occurrence(&mut self, timing: &Timing<'_>, number: u64) -> Option<Window> {
        let key = timing.name.value.0.as_str();
        let low = self.instant(&timing.when.at.value.low, &timing.when.at.place)?;
        let high = self.instant(&timing.when.at.value.high, &timing.when.at.place)?;
        let at = self.draw(
            low.nanos(),
            high.nanos().max(low.nanos()),
            &timing.path("at"),
            number,
        );
        let from = Time::from_nanos(at);
        let repeats = timing.when.every.is_some();
        self.drawn_line(timing.when.at.leaf, low != high && !repeats, || {
            Instant::After(Span::from_nanos(at)).text()
        });
        let window = match (timing.when.length, timing.when.until) {
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
                let place = timing.name.place.clone();
                self.cx.error(
                    "E401",
                    &place,
                    format!("when does `{key}` end?"),
                    "for: 2m, or for: rest to keep it to the end of the run",
                );
                return None;
            }
            (Some(length), None) => {
                let (span, rest) = self.length(&length.value, timing, number, from);
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
        self.warn_late(timing, window);
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

    fn length(&self, length: &For, timing: &Timing<'_>, number: u64, from: Time) -> (Span, bool) {
        match length {
            For::Rest => ((Time::ZERO + self.duration).since(from), true),
            For::Span(range) => {
                let path = timing.path("for");
                let ns = self.draw(range.low.nanos(), range.high.nanos(), &path, number);
                (Span::from_nanos(ns), false)
            }
        }
    }

    /// W403: an entry that ends with the run leaves nothing to show recovery.
    fn warn_late(&mut self, timing: &Timing<'_>, window: Window) {
        let end = Time::ZERO + self.duration;
        if window.rest || window.to < end || window.from >= end {
            return;
        }
        let place = match (timing.when.length, timing.when.until) {
            (Some(at), _) => at.place.clone(),
            (_, Some(at)) => at.place.clone(),
            _ => timing.name.place.clone(),
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

    /// When a change is asked for, within the run.
    pub(super) fn moment(&mut self, timing: &Timing<'_>) -> Option<Time> {
        let at = timing.when.at;
        let low = self.instant(&at.value.low, &at.place)?;
        let high = self.instant(&at.value.high, &at.place)?;
        let drawn = self.draw(
            low.nanos(),
            high.nanos().max(low.nanos()),
            &timing.path("at"),
            0,
        );
        self.drawn_line(at.leaf, low != high, || {
            Instant::After(Span::from_nanos(drawn)).text()
        });
        let moment = Time::from_nanos(drawn);
        if !within(moment, self.duration) {
            let fits = Span::from_nanos(drawn) + Span::from_secs(60);
            self.cx.error(
                "E402",
                &at.place,
                format!("the run is over at {}", self.duration),
                format!("move the {}, or duration: {fits}", timing.noun),
            );
            return None;
        }
        Some(moment)
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

    /// Start or end of another fault or attack.
    fn named_instant(
        &mut self,
        name: &Name,
        end: bool,
        place: &Place,
        depth: usize,
    ) -> Option<Time> {
        if self.cx.is_broken(&name.0) {
            return None;
        }
        let timings = timings(self.scenario);
        let Some(timing) = timings.iter().find(|t| t.name.value == *name) else {
            let known: Vec<&str> = timings.iter().map(|t| t.name.value.0.as_str()).collect();
            self.cx.error(
                "E301",
                place,
                format!("no fault, attack or change is called `{}`", name.0),
                suggestion(&name.0, &known),
            );
            return None;
        };
        if depth > timings.len() {
            self.cx.error(
                "E407",
                place,
                "these entries wait for each other",
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
        let low = at(self, &timing.when.at.value.low)?;
        let high = at(self, &timing.when.at.value.high)?;
        let from = self.draw(
            low.nanos(),
            high.nanos().max(low.nanos()),
            &timing.path("at"),
            0,
        );
        let from = Time::from_nanos(from);
        if !end {
            return Some(from);
        }
        match (timing.when.length, timing.when.until) {
            (Some(length), _) => Some(from + self.length(&length.value, timing, 0, from).0),
            (None, Some(until)) => at(self, &until.value),
            (None, None) => {
                if timing.family == "changes" {
                    self.cx.error(
                        "E401",
                        place,
                        format!(
                            "the change `{}` is asked for at an instant and has no end",
                            name.0
                        ),
                        format!("{} + 10s", name.0),
                    );
                }
                None
            }
        }
    }
}
