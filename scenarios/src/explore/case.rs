//! A drawn scenario as data: small numbers, from which the YAML that users write follows.

use super::ground::Ground;
use super::kinds::{Family, Needs, ROWS, Row};
use super::world::{World, pick};
use std::fmt::Write as _;

/// A drawn scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The seed of its run.
    pub seed: u64,
    /// Where it happens.
    pub world: World,
    /// The families that are drawn from.
    pub families: Vec<Family>,
    /// The first of the members that traitors and damage may take: as many as the chain bears.
    pub weak: u8,
    /// How long windows are and how many.
    pub tail: Tail,
    /// Only as many members as a certificate needs come back at the end.
    pub core: bool,
    /// What happens.
    pub events: Vec<Event>,
}

/// Something that happens; each with its start and its end, so that any of them can be left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// Which, among the rows of the families.
    pub kind: u8,
    /// When, in 144ths of the time in which things happen.
    pub at: u8,
    /// How long, in steps of the tail.
    pub lasting: u8,
    /// To whom: a bit for each member.
    pub who: u16,
    /// Strength, and who else.
    pub strength: u8,
}

/// Few that last, many that are short, or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// At most three, up to half a minute.
    FewLong,
    /// As many as there are, up to three seconds.
    ManyShort,
    /// As many as there are, short and long.
    Mixed,
}

/// Events of a [`Tail::FewLong`].
const FEW: usize = 3;
/// Steps of the time in which events begin.
pub(super) const STEPS: u8 = 144;
/// An event begins at least so long before the calm, milliseconds.
const LEAST_MS: u64 = 1_000;

const SHARES: &[&str] = &["20%", "5%", "60%"];
const SHORT: &[&str] = &["200ms", "20ms", "1s"];
const LONG: &[&str] = &["3s", "8s", "15s"];
const COUNTS: &[&str] = &["1", "5", "20"];

impl Tail {
    fn length_ms(self, lasting: u8) -> u64 {
        let step = u64::from(lasting);
        match self {
            Self::FewLong => 2_000 + step * 110,
            Self::ManyShort => 200 + step * 11,
            Self::Mixed if lasting.is_multiple_of(2) => 200 + step * 11,
            Self::Mixed => 1_000 + step * 60,
        }
    }
}

impl Case {
    /// A scenario of four in which nothing happens.
    pub fn calm(seed: u64) -> Self {
        let world = World {
            members: 4,
            model: 0,
            rate: 0,
            timeout: 0,
            wait: 0,
            checkpoint: 0,
            pipeline: 0,
            network: 0,
            clients: 0,
            mempool: 0,
            neighbours: 0,
            retries: 0,
        };
        Self {
            seed: seed >> 32,
            world,
            families: Vec::new(),
            weak: 0,
            tail: Tail::Mixed,
            core: false,
            events: Vec::new(),
        }
    }

    /// The rows that its events are of.
    fn rows(&self, ground: &Ground) -> Vec<&'static Row> {
        let drawn = ROWS
            .iter()
            .filter(|row| row.suits(ground) && self.families.contains(&row.family));
        drawn.collect()
    }

    /// The events that happen, with their rows: all that the tail allows.
    pub fn happening(&self, ground: &Ground) -> Vec<(&'static Row, Event)> {
        let rows = self.rows(ground);
        let most = match self.tail {
            Tail::FewLong => FEW,
            Tail::ManyShort | Tail::Mixed => usize::MAX,
        };
        let events = self.events.iter().take(most);
        events
            .filter_map(|event| {
                let place = usize::from(event.kind) % rows.len().max(1);
                rows.get(place).map(|row| (*row, *event))
            })
            .collect()
    }

    /// The scenario on `ground`, as a user would write it.
    pub fn text(&self, ground: &Ground) -> String {
        let mut out = ground.head.clone();
        let _ = writeln!(out, "seed: {}", self.seed);
        let (mut faults, mut attacks) = (String::new(), String::new());
        let happening = self.happening(ground);
        // No more may stay down than the chain bears, whoever leads.
        let n = ground.members.len();
        let borne = (ground.protocol.quorum)(n) + ground.faulty >= n;
        let core = self.core && ground.may_stay_broken && borne;
        for (number, &(row, event)) in (1..).zip(&happening) {
            let (from, to) = self.window(ground, event);
            let window = |from: u64, to: u64| {
                let length = to.saturating_sub(from).max(1);
                format!("at: {from}ms, for: {length}ms")
            };
            let options = self.filled(row.options, ground, event);
            let traitor = row.family == Family::Traitor;
            let takes = traitor || row.options.contains("{weak}");
            if takes && self.weak_members(ground).is_empty() {
                continue;
            }
            if core && !row.may_last(ground.protocol) {
                continue;
            }
            // A member has one set of copies, however many windows were drawn.
            if row.kind == "twins" && attacks.contains(" twins: ") {
                continue;
            }
            let list = if traitor { &mut attacks } else { &mut faults };
            let (prefix, kind) = (ground.prefix, row.kind);
            let at = window(from, to);
            let _ = writeln!(
                list,
                "  {prefix}{kind}-{number}: {{ {at}, {kind}: {options} }}"
            );
            for (i, also) in (1..).zip(row.also) {
                let quarter = |n: u8| from + to.saturating_sub(from) * u64::from(n) / 4;
                let at = window(quarter(also.from), quarter(also.to));
                let (kind, options) = (also.kind, self.filled(also.options, ground, event));
                let _ = writeln!(
                    faults,
                    "  {prefix}with-{number}-{i}: {{ {at}, {kind}: {options} }}"
                );
            }
        }
        let core = core && !(attacks.is_empty() && faults.is_empty());
        if core {
            // Some are down when all is healed: those who are not in the core stay so.
            let everybody: Vec<usize> = (0..ground.members.len()).collect();
            let most = ground.members.len().saturating_sub(1);
            let down = ground.names(chosen(self.seed as u16, &everybody, most));
            let from = ground.to_ms.saturating_sub(LEAST_MS);
            let length = ground.to_ms - from;
            let prefix = ground.prefix;
            let _ = writeln!(
                faults,
                "  {prefix}last-crash: {{ at: {from}ms, for: {length}ms, crash: {down} }}"
            );
        }
        if !attacks.is_empty() {
            let traitors = ground.names(self.weak_members(ground));
            let roles = if happening.iter().any(|(row, _)| row.needs == Needs::Records) {
                ", roles: [administrator, clinician]"
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "adversaries: {{ traitor: {{ nodes: {traitors}{roles} }} }}"
            );
            if ground.prefix.is_empty() {
                // Whoever makes the group smaller keeps to what it bears.
                out.push_str("limits: { fault_budget: { byzantine: f } }\n");
            }
            let _ = write!(out, "attacks:\n{attacks}");
        }
        if !faults.is_empty() {
            let _ = write!(out, "faults:\n{faults}");
        }
        if core {
            out.push_str("heal: { core: { quorum: random } }\n");
        }
        if happening.iter().any(|(row, _)| row.forgets()) {
            out.push_str("checks: { except: [no-double-signing] }\n");
        }
        out
    }

    /// Start and end of an event, milliseconds.
    fn window(&self, ground: &Ground, event: Event) -> (u64, u64) {
        let step = ground.to_ms.saturating_sub(ground.from_ms) / u64::from(STEPS);
        let from = ground.from_ms + u64::from(event.at) * step;
        let from = from.min(ground.to_ms.saturating_sub(LEAST_MS));
        let to = from + self.tail.length_ms(event.lasting);
        (from, to.min(ground.to_ms))
    }

    /// The members that traitors and damage may take: as many as the chain bears.
    fn weak_members(&self, ground: &Ground) -> Vec<usize> {
        let n = ground.members.len().max(1);
        let first = usize::from(self.weak) % n;
        (0..ground.faulty).map(|i| (first + i) % n).collect()
    }

    fn filled(&self, options: &str, ground: &Ground, event: Event) -> String {
        let n = ground.members.len().max(2);
        let everybody: Vec<usize> = (0..n).collect();
        let (who, strength) = (usize::from(event.who), usize::from(event.strength));
        let one = who % n;
        let other = (one + 1 + strength % (n - 1)) % n;
        let draw = |list: &[&'static str]| pick(list, event.strength);
        let any = chosen(event.who, &everybody, n - 1);
        let weak = self.weak_members(ground);
        let weak = chosen(event.who, &weak, n - 1);
        options
            .replace("{any}", &ground.names(any))
            .replace("{weak}", &ground.names(weak))
            .replace("{one}", &ground.names(vec![one]))
            .replace("{other}", &ground.names(vec![other]))
            .replace("{group}", &ground.everybody)
            .replace("{light}", ground.light.as_deref().unwrap_or_default())
            .replace("{chain}", &ground.chain)
            .replace("{share}", draw(SHARES))
            .replace("{short}", draw(SHORT))
            .replace("{long}", draw(LONG))
            .replace("{count}", draw(COUNTS))
    }
}

/// The members of `from` whose bits are set: at least one, at most `most`.
fn chosen(who: u16, from: &[usize], most: usize) -> Vec<usize> {
    let bit = |i: usize| who >> (i % 16) & 1 == 1;
    let chosen = from.iter().enumerate().filter(|(i, _)| bit(*i));
    let mut chosen: Vec<usize> = chosen.map(|(_, member)| *member).collect();
    if chosen.is_empty() {
        chosen.extend(from.first());
    }
    chosen.truncate(most);
    chosen
}
