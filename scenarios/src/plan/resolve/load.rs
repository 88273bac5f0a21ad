//! How much a workload brings: rates, and their course over the run.

use super::Planner;
use crate::csv;
use crate::plan::Load as LoadPlan;
use crate::profiles;
use crate::schema::shape::suggestion;
use crate::schema::{Arrivals, At, Burst, ClosedLoad, Load, RecordedLoad, Workload, WorkloadKind};
use consim_core::values::{Name, Rate};
use consim_core::{Span, Time};
use consim_models::workload::Stretch;
use consim_models::workload::pace::overlaid;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shares of a load are parts per million.
const MILLION: u32 = 1_000_000;
/// The most stretches of a load: bursts, steps (assumed: nobody looks at more).
const MAX_STRETCHES: usize = 10_000;
/// The most instants of a recorded load, repetitions included.
const MAX_INSTANTS: usize = 10_000_000;

/// The most operations that a closed loop has open (assumed: no client takes more).
const MAX_OUTSTANDING: u64 = 1_000_000;

/// A load, and its course over the window.
type Resolved = (LoadPlan, Vec<Stretch>);

/// The first instant of a workload, and the one after its last.
type Window = (Time, Time);

impl Planner<'_> {
    pub(super) fn load(
        &mut self,
        name: &At<Name>,
        workload: &Workload,
        places: &[usize],
        window: Window,
        recorded: bool,
    ) -> Option<Resolved> {
        let load = workload.common.load.as_ref();
        let in_all = load.is_some_and(|load| !matches!(load, Load::Each(_)));
        if in_all && places.is_empty() {
            let place = name.place.clone();
            self.cx
                .error("E507", &place, "nobody is there to ask", "from: tertiary");
            return None;
        }
        let mut course = self.bursts(&workload.common.bursts, window)?;
        let mut even = false;
        let rates = match load {
            None if recorded => {
                return self.without_rate(name, course, LoadPlan::Recorded(places.to_vec()));
            }
            None => self.usual_rates(workload, places),
            Some(Load::Open(open)) => {
                even = open.arrivals.value == Arrivals::Even;
                spread(open.rate.value.0, places)
            }
            Some(Load::Each(each)) => self.each(&each.0)?,
            Some(Load::Ramp(ramp)) => {
                even = ramp.arrivals.value == Arrivals::Even;
                let (from, to) = (ramp.from.value, ramp.to.value);
                let most = from.max(to);
                let there = (window.0 + ramp.over.value).min(window.1);
                // A ramp that the window cuts off does not come as far.
                let length = ramp.over.value.nanos().max(1);
                let part = there.since(window.0).nanos();
                let last = between(share(from, most), share(to, most), part, length);
                course.push(Stretch {
                    from: window.0,
                    to: there,
                    first: share(from, most),
                    last,
                });
                course.push(level(there, window.1, share(to, most)));
                spread(most.0, places)
            }
            Some(Load::Steps(steps)) => {
                let rates = steps.items.iter().map(|(step, _)| step.rate.value);
                let most = rates.max().unwrap_or(Rate(0));
                let mut at = window.0;
                for (step, _) in &steps.items {
                    let to = (at + step.r#for.value).min(window.1);
                    course.push(level(at, to, share(step.rate.value, most)));
                    at = to;
                }
                course.push(level(at, window.1, 0));
                spread(most.0, places)
            }
            Some(Load::Closed(closed)) => {
                let load = self.closed(closed, name, &workload.kind, places)?;
                return self.without_rate(name, course, load);
            }
            Some(Load::Recorded(recorded)) => {
                let at = self.recorded(recorded, window)?;
                let places = places.to_vec();
                return self.without_rate(name, course, LoadPlan::Instants { places, at });
            }
            Some(Load::Once(once)) => {
                let at = self.instant(&once.at.value, &once.at.place)?;
                let places = places.to_vec();
                let at = [at].into();
                return self.without_rate(name, course, LoadPlan::Instants { places, at });
            }
        };
        course.retain(|stretch| stretch.from < stretch.to);
        if course.len() > MAX_STRETCHES {
            let place = name.place.clone();
            let text = format!("{} bursts and steps", course.len());
            let help = format!("at most {MAX_STRETCHES}");
            self.cx.error("E107", &place, text, help);
            return None;
        }
        if rates.values().all(|&rate| rate == 0) {
            let place = name.place.clone();
            self.cx.warning(
                "W507",
                &place,
                "nothing happens in this workload",
                "give it a load",
            );
        }
        Some((LoadPlan::Rates { rates, even }, overlaid(&course)))
    }

    fn closed(
        &mut self,
        closed: &ClosedLoad,
        name: &At<Name>,
        kind: &WorkloadKind,
        places: &[usize],
    ) -> Option<LoadPlan> {
        if !matches!(kind, WorkloadKind::Transactions(_)) {
            let place = name.place.clone();
            let text = "a closed loop of operations that are not one each";
            let help = "closed loops are for `transactions`; give a rate";
            self.cx.error("E504", &place, text, help);
            return None;
        }
        let (clients, each) = (closed.clients.value.0, closed.outstanding.value.0);
        for (at, count) in [(&closed.clients, clients), (&closed.outstanding, each)] {
            if count == 0 || clients.saturating_mul(each) > MAX_OUTSTANDING {
                let place = at.place.clone();
                let text = format!("{clients} users with {each} operations each");
                let help = format!("1 to {MAX_OUTSTANDING} in all");
                self.cx.error("E107", &place, text, help);
                return None;
            }
        }
        let clients = spread(clients, places).into_iter();
        let open = clients.filter(|(_, clients)| *clients > 0);
        Some(LoadPlan::Closed {
            open: open
                .map(|(i, clients)| (i, (clients * each) as u32))
                .collect(),
            think: closed.think.distribution(self.cx),
        })
    }

    /// Where instants are given nothing multiplies them.
    fn without_rate(
        &mut self,
        name: &At<Name>,
        course: Vec<Stretch>,
        load: LoadPlan,
    ) -> Option<Resolved> {
        if course.is_empty() {
            return Some((load, course));
        }
        let place = name.place.clone();
        self.cx.error(
            "E504",
            &place,
            "bursts multiply a rate, and this load has none",
            "leave out `bursts`, or give a rate",
        );
        None
    }

    fn bursts(&mut self, bursts: &[(At<Name>, Burst)], window: Window) -> Option<Vec<Stretch>> {
        let mut out = Vec::new();
        let mut whole = true;
        for (name, burst) in bursts {
            let every = burst.every.as_ref().map(|every| every.value);
            if every.is_some_and(|every| every < burst.r#for.value || every.is_zero()) {
                let place = name.place.clone();
                let help = "`every` is from one beginning to the next";
                self.cx
                    .error("E107", &place, "a burst that overlaps itself", help);
                whole = false;
                continue;
            }
            let Some(mut at) = self.instant(&burst.at.value, &burst.at.place) else {
                whole = false;
                continue;
            };
            while at < window.1 && out.len() <= MAX_STRETCHES {
                let times = u64::from(burst.times.value.0) * u64::from(MILLION) / 1_000;
                let times = u32::try_from(times).unwrap_or(u32::MAX);
                let from = at.max(window.0);
                out.push(level(
                    from,
                    (at + burst.r#for.value).min(window.1).max(from),
                    times,
                ));
                match every {
                    Some(every) => at += every,
                    None => break,
                }
            }
        }
        out.retain(|stretch: &Stretch| stretch.from < stretch.to);
        whole.then_some(out)
    }

    /// The instants of a file, within the window.
    fn recorded(&mut self, recorded: &RecordedLoad, window: Window) -> Option<Arc<[Time]>> {
        let help = "`ms` (or ns, us, s) in the first line, then one instant a line, in their order";
        let file = &recorded.file;
        let speed = f64::from(recorded.speed.value.0) / 1e3;
        if recorded.speed.value.0 == 0 {
            let place = recorded.speed.place.clone();
            self.cx
                .error("E107", &place, "time stands still", "speed: 1x");
            return None;
        }
        let source = profiles::table(self.cx, &file.value, &file.place)?;
        let text = Arc::clone(&self.cx.sources.get(source)?.text);
        if let Some(leaf) = self.cx.leaves.get_mut(file.leaf) {
            leaf.digest = Some(blake3::hash(text.as_bytes()).to_hex().to_string());
        }
        profiles::note_file(self.cx, file);
        let question = "in which unit are these instants?";
        let (unit, rows) = csv::times(self.cx, source, question, help)?;
        let mut spans: Vec<Span> = Vec::new();
        for cell in rows.iter().filter_map(|row| row.first()) {
            let span = unit.span(cell, speed);
            let Some(span) = span.filter(|span| spans.last().is_none_or(|last| last <= span))
            else {
                let text = match span {
                    Some(_) => format!("`{}` is before the instant above it", cell.text),
                    None => format!("`{}` is no instant", cell.text),
                };
                self.cx.error("E106", &cell.place, text, help);
                return None;
            };
            spans.push(span);
        }
        let Some(&last) = spans.last() else {
            let start = csv::start(source);
            self.cx.error("E106", &start, "nothing was recorded", help);
            return None;
        };
        let mut out = Vec::new();
        let mut from = window.0;
        loop {
            let round = spans.iter().map(|span| from + *span);
            out.extend(round.take_while(|at| *at < window.1));
            // The next round begins where the last instant of this one was.
            from += last;
            if !recorded.repeat.value.0 || last.is_zero() || from >= window.1 {
                break;
            }
            if out.len() > MAX_INSTANTS {
                let place = file.place.clone();
                let help = format!("at most {MAX_INSTANTS}");
                self.cx.error("E107", &place, "too many instants", help);
                return None;
            }
        }
        Some(out.into())
    }

    fn each(&mut self, each: &[(At<Name>, At<Rate>)]) -> Option<BTreeMap<usize, u64>> {
        let mut rates = BTreeMap::new();
        let mut whole = true;
        for (group, rate) in each {
            if let Some(members) = self.groups.get(&group.value.0) {
                rates.extend(members.iter().map(|&i| (i, rate.value.0)));
            } else if self.cx.is_broken(&group.value.0) {
                whole = false;
            } else {
                whole = false;
                let known: Vec<String> = self.groups.keys().cloned().collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let place = group.place.clone();
                let word = &group.value.0;
                self.cx.error(
                    "E301",
                    &place,
                    format!("no group is called `{word}`"),
                    suggestion(word, &known),
                );
            }
        }
        whole.then_some(rates)
    }
}

/// An amount, spread evenly over places.
fn spread(amount: u64, places: &[usize]) -> BTreeMap<usize, u64> {
    let n = (places.len() as u64).max(1);
    let (each, more) = (amount / n, amount % n);
    let rate = |i: usize| each + u64::from((i as u64) < more);
    let places = places.iter().enumerate();
    places.map(|(i, &place)| (place, rate(i))).collect()
}

/// A rate as parts per million of the highest.
fn share(rate: Rate, most: Rate) -> u32 {
    let parts = u128::from(rate.0) * u128::from(MILLION) / u128::from(most.0.max(1));
    u32::try_from(parts).unwrap_or(MILLION)
}

/// After `part` of `length` on the way from one share to another.
fn between(first: u32, last: u32, part: u64, length: u64) -> u32 {
    let (part, length) = (u128::from(part.min(length)), u128::from(length));
    let sum = u128::from(first) * (length - part) + u128::from(last) * part;
    u32::try_from(sum / length).unwrap_or(MILLION)
}

/// A stretch of one share.
fn level(from: Time, to: Time, share: u32) -> Stretch {
    Stretch {
        from,
        to,
        first: share,
        last: share,
    }
}
