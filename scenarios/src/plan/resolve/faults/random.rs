//! `random`: faults that are drawn when the plan is made, which then holds them one by one.

use super::super::Planner;
use super::{MAX_WINDOWS, Window};
use crate::plan::Who;
use crate::schema::decode::Drawn;
use crate::schema::shape::{Shape, suggestion};
use crate::schema::{At, Budget, Decode, Excess, Fault, FaultKind, LeafKind, Mix, Random};
use crate::tree::{Role, Source, parse};
use consim_core::rng::below;
use consim_core::values::{Name, Value};
use consim_core::{Distribution, Sampler, Span, Time, mix};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Kinds after which a node cannot be reached, or does nothing: what the budget of crashed nodes is
/// about.
const STOPS: &[&str] = &[
    "crash",
    "pause",
    "rolling-restart",
    "partition",
    "clog",
    "flap",
    "eclipse",
    "hijack",
    "wipe",
    "old-backup",
    "disk-full",
    "rollback",
];
/// Families of kinds, by the first letter of their codes, that `all` stands for: network, processes,
/// disks, clocks.
const FAMILIES: &[&str] = &["N", "P", "D", "C"];

/// A kind that can be drawn: it needs no more than a target.
struct Drawable {
    word: &'static str,
    /// Only nodes of chains can be hit by it.
    servers: bool,
    family: &'static str,
}

/// Kinds that need no more than a target, read off the registry.
fn drawable() -> Vec<Drawable> {
    let Shape::Choice(kinds) = FaultKind::shape() else {
        return Vec::new();
    };
    let drawn = kinds.variants.iter().filter_map(|kind| {
        let Shape::Record(record) = &kind.shape else {
            return None;
        };
        let needs_more = record
            .fields
            .iter()
            .any(|f| f.required && f.name != "target");
        let main = record.main == Some("target");
        let fits = main && !needs_more && kind.name != "random";
        let family = kind.code.get(..1).unwrap_or_default();
        fits.then_some(Drawable {
            word: kind.name,
            servers: family != "N" || kind.name == "flood",
            family,
        })
    });
    drawn.collect()
}

/// One that was drawn.
#[derive(Clone, Debug)]
struct Draw {
    from: Time,
    to: Time,
    word: String,
    institution: usize,
    planned: bool,
}

/// Draws of one stream.
struct Stream {
    key: u64,
    drawn: u64,
}

impl Stream {
    fn bits(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.key, self.drawn)
    }
    fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let place = below(self.bits(), list.len() as u64);
        list.get(place as usize)
    }
    fn span(&mut self, sampler: &Sampler) -> Span {
        sampler.sample(self.bits()).max(Span::from_millis(1))
    }
    fn between(&mut self, low: Span, high: Span) -> Span {
        let more = high.nanos().saturating_sub(low.nanos()).saturating_add(1);
        low + Span::from_nanos(below(self.bits(), more))
    }
}

fn exponential(mean: Span) -> Sampler {
    Distribution::Exponential { mean }.sampler()
}

impl Planner<'_> {
    /// The faults that `random` draws in its windows.
    pub(super) fn draw_faults(
        &mut self,
        name: &At<Name>,
        random: &Random,
        windows: &[(u64, Window)],
    ) -> Option<Vec<(At<Name>, Fault)>> {
        let kinds = self.drawn_kinds(random)?;
        let Who::Institutions(targets) = self.who(&random.target)? else {
            let place = random.target.place.clone();
            self.cx.error(
                "E306",
                &place,
                "who leads is known only when the run comes to it",
                "name those who may be hit",
            );
            return None;
        };
        let members: BTreeSet<usize> = self
            .chains
            .values()
            .flat_map(|chain| chain.members.iter().copied())
            .collect();
        let mut draws = Vec::new();
        for (number, window) in windows {
            let path = format!("faults.{}/{number}", name.value.0);
            let made = match (&random.mtbf, &random.mttr) {
                (None, None) => {
                    self.at_a_rate(random, *window, &targets, &kinds, &members, &path)?
                }
                (Some(mtbf), Some(mttr)) => {
                    let means = (mtbf.value, mttr.value);
                    self.by_means(random, *window, &targets, &kinds, &members, means, &path)?
                }
                (Some(at), None) | (None, Some(at)) => {
                    let place = at.place.clone();
                    self.cx.error(
                        "E210",
                        &place,
                        "`mtbf` and `mttr` go together",
                        "mtbf: 1000h, mttr: 4h",
                    );
                    return None;
                }
            };
            draws.extend(made);
        }
        draws.sort_by_key(|draw| (draw.from, draw.institution, draw.to));
        let draws = self.within_budget(name, draws)?;
        self.entries(name, &draws)
    }

    /// The kinds that are drawn from.
    fn drawn_kinds(&mut self, random: &Random) -> Option<Vec<Drawable>> {
        let all = drawable();
        let Some(list) = &random.kinds.list else {
            let meant = all.into_iter().filter(|k| FAMILIES.contains(&k.family));
            return Some(meant.collect());
        };
        let mut kinds = Vec::new();
        for (word, place) in list {
            let words: Vec<&str> = all.iter().map(|kind| kind.word).collect();
            let Some(kind) = all.iter().find(|kind| kind.word == word) else {
                self.cx.error(
                    "E202",
                    place,
                    format!("no kind of fault that can be drawn is called `{word}`"),
                    suggestion(word, &words),
                );
                return None;
            };
            kinds.push(Drawable { ..*kind });
        }
        Some(kinds)
    }

    /// A fault of one of the kinds for one of the targets.
    fn one_of<'k>(
        stream: &mut Stream,
        kinds: &'k [Drawable],
        targets: &[usize],
        members: &BTreeSet<usize>,
    ) -> Option<(&'k str, usize)> {
        let kind = stream.pick(kinds)?;
        let fit: Vec<usize> = targets
            .iter()
            .copied()
            .filter(|i| !kind.servers || members.contains(i))
            .collect();
        let institution = stream.pick(&fit)?;
        Some((kind.word, *institution))
    }

    fn at_a_rate(
        &mut self,
        random: &Random,
        window: Window,
        targets: &[usize],
        kinds: &[Drawable],
        members: &BTreeSet<usize>,
        path: &str,
    ) -> Option<Vec<Draw>> {
        let (mut low, mut high) = (random.lasting.value.low, random.lasting.value.high);
        let middle = Span::from_nanos(u64::midpoint(low.nanos(), high.nanos()));
        // Events per 10^9 s.
        let mut rate = random.rate.value.0;
        match random.shape.value {
            Mix::Mixed => {}
            Mix::FewLong => (low, rate) = (middle, rate / 2),
            Mix::ManyShort => (high, rate) = (middle, rate.saturating_mul(2)),
        }
        if rate == 0 {
            return Some(Vec::new());
        }
        let second = u128::from(Span::from_secs(1).nanos());
        let mean = second * 1_000_000_000 / u128::from(rate);
        let gap = exponential(Span::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX)));
        let mut stream = Stream {
            key: self.bits(path, 0),
            drawn: 0,
        };
        let mut draws: Vec<Draw> = Vec::new();
        let mut at = window.from;
        loop {
            at += stream.span(&gap);
            let lasting = stream.between(low, high);
            let meant = Self::one_of(&mut stream, kinds, targets, members);
            if at >= window.to {
                return Some(draws);
            }
            let open = draws.iter().filter(|draw| draw.to > at).count();
            if open as u64 >= random.at_once.value.0 {
                continue;
            }
            let (word, institution) = meant?;
            draws.push(Draw {
                from: at,
                to: (at + lasting).min(window.to),
                word: word.to_owned(),
                institution,
                planned: false,
            });
            self.few_enough(draws.len(), random)?;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a draw hangs on")]
    fn by_means(
        &mut self,
        random: &Random,
        window: Window,
        targets: &[usize],
        kinds: &[Drawable],
        members: &BTreeSet<usize>,
        (mtbf, mttr): (Span, Span),
        path: &str,
    ) -> Option<Vec<Draw>> {
        let (works, broken) = (exponential(mtbf), exponential(mttr));
        let mut draws = Vec::new();
        let count = targets.len() as u64;
        for (&institution, place) in targets.iter().zip(0u64..) {
            let own = self.institutions.get(institution)?.name.clone();
            let mut stream = Stream {
                key: self.bits(&format!("{path}/{own}"), 0),
                drawn: 0,
            };
            let mut at = window.from;
            loop {
                at += stream.span(&works);
                let lasting = stream.span(&broken);
                let meant = Self::one_of(&mut stream, kinds, &[institution], members);
                if at >= window.to {
                    break;
                }
                if let Some((word, institution)) = meant {
                    draws.push(Draw {
                        from: at,
                        to: (at + lasting).min(window.to),
                        word: word.to_owned(),
                        institution,
                        planned: false,
                    });
                    self.few_enough(draws.len(), random)?;
                }
                at += lasting;
            }
            let Some(maintenance) = random.maintenance.as_ref() else {
                continue;
            };
            if !members.contains(&institution) {
                continue;
            }
            let every = maintenance.every.value.max(Span::from_millis(1));
            // One after the other, evenly.
            let shift = u128::from(every.nanos()) * u128::from(place + 1) / u128::from(count + 1);
            let mut at = window.from + Span::from_nanos(shift as u64);
            while at + maintenance.r#for.value < window.to {
                draws.push(Draw {
                    from: at,
                    to: at + maintenance.r#for.value,
                    word: "crash".to_owned(),
                    institution,
                    planned: true,
                });
                self.few_enough(draws.len(), random)?;
                at += every;
            }
        }
        Some(draws)
    }

    fn few_enough(&mut self, count: usize, random: &Random) -> Option<()> {
        if count <= MAX_WINDOWS {
            return Some(());
        }
        let place = random.rate.place.clone();
        let help = format!("at most {MAX_WINDOWS}; a lower rate");
        self.cx
            .error("E107", &place, "too many occurrences of all faults", help);
        None
    }

    /// What the fault budget lets pass: of faults that stop nodes, only so many nodes at a time.
    fn within_budget(&mut self, name: &At<Name>, draws: Vec<Draw>) -> Option<Vec<Draw>> {
        let budget = &self.scenario.limits.fault_budget;
        let excess = budget.excess.value;
        let most = self.crash_budget();
        let mut kept: Vec<Draw> = Vec::new();
        for draw in draws {
            if !STOPS.contains(&draw.word.as_str()) {
                kept.push(draw);
                continue;
            }
            let others = self.most_stopped(&draw);
            if others < most {
                self.stops.push((draw.from, draw.to, draw.institution));
                kept.push(draw);
            } else if excess == Excess::Refuse {
                let at = Span::from_nanos(draw.from.nanos());
                self.cx.error(
                    "E408",
                    &name.place,
                    format!(
                        "{} nodes would be stopped at {at}; the fault budget is {most}",
                        others + 1
                    ),
                    "limits: { fault_budget: { excess: skip } } leaves such draws out; or a larger `crashed`",
                );
                return None;
            }
        }
        Some(kept)
    }

    /// How many other nodes drawn faults stop at a time, at most, while `draw` lasts.
    fn most_stopped(&self, draw: &Draw) -> usize {
        let meets = |stop: &&(Time, Time, usize)| {
            stop.0 < draw.to && draw.from < stop.1 && stop.2 != draw.institution
        };
        let meanwhile: Vec<&(Time, Time, usize)> = self.stops.iter().filter(meets).collect();
        // There are most when one begins.
        let begins = meanwhile.iter().map(|stop| stop.0.later(draw.from));
        let at = |instant: Time| {
            let open = meanwhile.iter().filter(|s| s.0 <= instant && instant < s.1);
            open.map(|stop| stop.2).collect::<BTreeSet<_>>().len()
        };
        begins.map(at).max().unwrap_or(0)
    }

    fn crash_budget(&self) -> usize {
        let chains = || self.chains.values();
        let least = |f: &dyn Fn(&super::super::ChainView) -> usize| chains().map(f).min();
        match self.scenario.limits.fault_budget.crashed.value {
            Budget::Number(number) => usize::try_from(number).unwrap_or(usize::MAX),
            Budget::Faulty => least(&|chain| chain.f).unwrap_or(0),
            Budget::Minority => {
                least(&|chain| chain.members.len().saturating_sub(1) / 2).unwrap_or(0)
            }
        }
    }

    /// Entries as a person would write them.
    fn entries(&mut self, name: &At<Name>, draws: &[Draw]) -> Option<Vec<(At<Name>, Fault)>> {
        let mut text = String::new();
        for (draw, number) in draws.iter().zip(1u64..) {
            let target = self.institutions.get(draw.institution)?.name.as_str();
            let at = Span::from_nanos(draw.from.nanos()).text();
            let length = (draw.to - draw.from).text();
            let kind = if draw.planned {
                format!("{{ target: {target}, lose: nothing }}")
            } else {
                target.to_owned()
            };
            let _ = writeln!(
                text,
                "{}-{number}: {{ at: {at}, for: {length}, {}: {kind} }}",
                name.value.0, draw.word
            );
        }
        // Of the options, the plan holds what was drawn by them.
        let own = ["faults", name.value.0.as_str()];
        for leaf in &mut self.cx.leaves {
            let path = leaf.path.iter().map(String::as_str);
            if path.take(2).eq(own) {
                leaf.drawn = Drawn::From;
            }
        }
        if draws.is_empty() {
            return Some(Vec::new());
        }
        let source = self.cx.sources.add(Source {
            name: format!("drawn by {}", name.value.0),
            text: text.as_str().into(),
            role: Role::Set,
            folder: PathBuf::new(),
        });
        let tree = parse(&text, source, &mut self.cx.problems)?;
        let before = self.cx.leaves.len();
        let mut faults = Vec::new();
        for (key, node) in tree.entries() {
            let taken = self
                .scenario
                .faults
                .iter()
                .any(|(n, _)| *n.value.0 == *key.text);
            let own = match <Name as Value>::parse(&key.text) {
                Ok(own) if !taken => own,
                _ => {
                    self.cx.error(
                        "E109",
                        &name.place,
                        format!("the faults that it draws cannot be called `{}`", key.text),
                        "another name, and a shorter one if it is long",
                    );
                    return None;
                }
            };
            let place = name.place.clone();
            let fault = self.cx.below(&["faults", &key.text], &place, |cx| {
                let leaf = cx.leaf(LeafKind::Head, String::new(), &place);
                let fault = Fault::decode(cx, node)?;
                let name = At {
                    value: own,
                    place: place.clone(),
                    leaf,
                };
                Some((name, fault))
            });
            faults.push(fault?);
        }
        for leaf in self.cx.leaves.iter_mut().skip(before) {
            leaf.drawn = Drawn::Entry;
        }
        Some(faults)
    }
}
