//! Selectors: from words to nodes.

use super::Planner;
use crate::diagnostic::MAX_DIAGNOSTICS;
use crate::plan::{Institution, Who};
use crate::schema::shape::{nearest, suggestion};
use crate::schema::{ReleaseName, Targets, Tier};
use crate::tree::Place;
use consim_core::mix;
use consim_core::values::{Counted, Pick, Quantity, Selector, Set, Value, Word};
use std::collections::BTreeSet;

/// Institutions among which a mistyped name is looked for.
const MAX_NEAR: usize = 1_000;
/// The most nodes that all selectors of a plan name together.
pub const MAX_TARGETS: usize = 2_000_000;

/// A set of nodes, and the chain that it names, if it does.
struct Found {
    nodes: Vec<usize>,
    chain: Option<String>,
    /// As written.
    name: String,
}

impl Planner<'_> {
    /// The nodes that selectors name, decided at planning. `leader of` is refused.
    pub(super) fn nodes(&mut self, targets: &Targets) -> Option<Vec<usize>> {
        match self.who(targets)? {
            Who::Institutions(nodes) => Some(nodes),
            Who::LeaderOf(_) | Who::LeadersOf(_) => {
                let place = targets.place.clone();
                self.cx.error(
                    "E306",
                    &place,
                    "who leads is known only when the run comes to it",
                    "name the nodes",
                );
                None
            }
        }
    }

    /// Whom selectors name. The line of the plan then holds the nodes.
    pub(super) fn who(&mut self, targets: &Targets) -> Option<Who> {
        // Too many have been named; that has been said.
        if self.targets > MAX_TARGETS {
            return None;
        }
        if let [(selector, place)] = targets.list.as_slice()
            && matches!(selector.pick, Pick::Leader | Pick::Leaders)
        {
            let chain = self.leader(selector, place)?;
            if let Some(leaf) = self.cx.leaves.get_mut(targets.leaf) {
                leaf.origin = Some("at run time".into());
            }
            return Some(match selector.pick {
                Pick::Leaders => Who::LeadersOf(chain),
                _ => Who::LeaderOf(chain),
            });
        }
        let mut nodes = Vec::new();
        for (number, (selector, place)) in (0u64..).zip(&targets.list) {
            if matches!(selector.pick, Pick::Leader | Pick::Leaders) {
                self.cx.error(
                    "E306",
                    place,
                    "`leader of` stands alone, not in a list",
                    "make a second entry",
                );
                return None;
            }
            nodes.extend(self.one(selector, place, &targets.path, number)?);
        }
        nodes.sort_unstable();
        nodes.dedup();
        self.targets = self.targets.saturating_add(nodes.len());
        if self.targets > MAX_TARGETS {
            self.cx.error(
                "E107",
                &targets.place,
                format!("the selectors of this scenario name more than {MAX_TARGETS} nodes"),
                "fewer entries, or fewer nodes in each",
            );
            return None;
        }
        let shown = self.ranges(&nodes);
        // A default stays what it is: its nodes follow from the rest of the plan.
        if let Some(leaf) = self.cx.leaves.get_mut(targets.leaf)
            && leaf.default
        {
            leaf.shown = Some(shown.join(", "));
        } else if let Some(leaf) = self.cx.leaves.get_mut(targets.leaf) {
            let names: Vec<&str> = nodes
                .iter()
                .filter_map(|&i| self.institutions.get(i))
                .map(|i| i.name.as_str())
                .collect();
            leaf.digest = Some(names.join(" "));
            let drawn = targets
                .list
                .iter()
                .any(|(s, _)| matches!(s.pick, Pick::Random(_)));
            if drawn {
                leaf.design = Some(leaf.text.clone());
                leaf.origin = Some("drawn".into());
            }
            leaf.text = match shown.as_slice() {
                [] => "none".into(),
                [one] => one.clone(),
                several => format!("[{}]", several.join(", ")),
            };
            leaf.shown = Some(shown.join(", "));
        }
        Some(Who::Institutions(nodes))
    }

    fn leader(&mut self, selector: &Selector, place: &Place) -> Option<String> {
        if let (Set::Name(word), None, None) = (&selector.set, &selector.region, &selector.except) {
            if self.chains.contains_key(&word.text) {
                return Some(word.text.clone());
            }
            if self.cx.is_broken(&word.text) {
                return None;
            }
            let place = place.part(Some(word.at.clone()));
            let known: Vec<String> = self.chains.keys().cloned().collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.cx.error(
                "E301",
                &place,
                format!("no chain is called `{}`", word.text),
                suggestion(&word.text, &known),
            );
            return None;
        }
        self.cx.error(
            "E306",
            place,
            "only a chain has a leader",
            "leader of CHAIN",
        );
        None
    }

    fn one(
        &mut self,
        selector: &Selector,
        place: &Place,
        path: &str,
        number: u64,
    ) -> Option<Vec<usize>> {
        let mut found = self.set(&selector.set, place)?;
        if let Some(region) = &selector.region {
            let inside: BTreeSet<usize> = self.in_region(region, place)?.into_iter().collect();
            found.nodes.retain(|n| inside.contains(n));
        }
        if let Some(except) = &selector.except {
            let without: BTreeSet<usize> = self.set(except, place)?.nodes.into_iter().collect();
            found.nodes.retain(|n| !without.contains(n));
        }
        if found.nodes.is_empty() && selector.set != Set::None {
            if self.doubt {
                return None;
            }
            self.cx.error(
                "E307",
                place,
                format!("`{selector}` is nobody"),
                "`none` says so on purpose",
            );
            return None;
        }
        match &selector.pick {
            Pick::First(counted) => {
                let k = self.count(counted, &found, place)?;
                found.nodes.truncate(k);
            }
            Pick::Random(counted) => {
                let k = self.count(counted, &found, place)?;
                // Each candidate is hashed with the stream and the least are taken, so that another
                // node changes at most one of them.
                let key = self.bits(path, number);
                found.nodes.sort_by_key(|&i| {
                    let name = self.institutions.get(i).map_or("", |x| x.name.as_str());
                    let hash = blake3::hash(name.as_bytes());
                    let [a, b, c, d, e, f, g, h, ..] = *hash.as_bytes();
                    (mix(key, u64::from_le_bytes([a, b, c, d, e, f, g, h])), i)
                });
                found.nodes.truncate(k);
                found.nodes.sort_unstable();
            }
            Pick::All | Pick::Leader | Pick::Leaders => {}
        }
        Some(found.nodes)
    }

    fn count(&mut self, counted: &Counted, found: &Found, place: &Place) -> Option<usize> {
        let size = found.nodes.len();
        let part = place.part(Some(counted.at.clone()));
        let chain = found
            .chain
            .as_ref()
            .and_then(|name| self.chains.get(name))
            .cloned();
        let wanted = match (counted.quantity, chain) {
            (Quantity::Number(n), _) => n as usize,
            (Quantity::Share(share), _) => {
                (size as u64 * u64::from(share.0)).div_ceil(1_000_000_000) as usize
            }
            (Quantity::Minority, _) => size.saturating_sub(1) / 2,
            (Quantity::Majority, _) => size / 2 + 1,
            (Quantity::Faulty { times, plus }, Some(chain)) => {
                chain.f * times as usize + plus as usize
            }
            (Quantity::Quorum, Some(chain)) => chain.quorum,
            (_, None) if self.doubt => return None,
            (quantity, None) => {
                let help = self
                    .chains
                    .iter()
                    .next()
                    .map(|(name, c)| {
                        format!(
                            "{quantity} of {name} (n = {}, f = {})",
                            c.members.len(),
                            c.f
                        )
                    })
                    .unwrap_or_default();
                self.cx.error(
                    "E303",
                    place,
                    format!("`{}` is no chain and has no {quantity}", found.name),
                    help,
                );
                return None;
            }
        };
        if wanted > size {
            if self.doubt {
                return None;
            }
            self.cx.error(
                "E302",
                &part,
                format!(
                    "`{}` has {}, {wanted} are asked for",
                    found.name,
                    nodes(size)
                ),
                format!("for all of them: {}", found.name),
            );
            return None;
        }
        Some(wanted)
    }

    fn set(&mut self, set: &Set, place: &Place) -> Option<Found> {
        let found = |nodes: Vec<usize>| Found {
            nodes,
            chain: None,
            name: set.to_string(),
        };
        match set {
            Set::All => Some(found((0..self.people_count()).collect())),
            Set::None => Some(found(Vec::new())),
            Set::Name(word) => self.named(word, place),
            Set::Span(from, to) => self.span(from, to, place).map(found),
            Set::Kind(kind, word) => self.of_kind(kind, word, place).map(found),
        }
    }

    fn named(&mut self, word: &Word, place: &Place) -> Option<Found> {
        let name = word.text.as_str();
        let found = |nodes: Vec<usize>, chain: Option<String>| Found {
            nodes,
            chain,
            name: name.to_owned(),
        };
        if let Some(chain) = self.chains.get(name) {
            return Some(found(chain.members.clone(), Some(name.to_owned())));
        }
        if let Some(group) = self.groups.get(name) {
            return Some(found(group.clone(), None));
        }
        if let Some(i) = self.institution(name) {
            return Some(found(vec![i], None));
        }
        if self.is_doubtful(name) {
            return None;
        }
        let place = place.part(Some(word.at.clone()));
        if self.region_names.iter().any(|r| r == name) {
            let n = self.regional(name).len();
            self.cx.error(
                "E304",
                &place,
                format!("`{name}` is a region and needs its word"),
                format!("region {name} ({})", nodes(n)),
            );
        } else if Tier::parse(name).is_ok() {
            self.cx.error(
                "E304",
                &place,
                format!("`{name}` is a tier and needs its word"),
                format!("tier {name}"),
            );
        } else {
            let help = self.nearest_set(name);
            self.cx
                .error("E301", &place, format!("nothing is called `{name}`"), help);
        }
        None
    }

    /// A name that would be there if its entry were right: a group or chain, or a member of one.
    pub(super) fn is_doubtful(&self, name: &str) -> bool {
        let group = name.rsplit_once('-').map_or(name, |(group, _)| group);
        self.cx.is_broken(name) || self.cx.is_broken(group)
    }

    fn nearest_set(&self, name: &str) -> String {
        // Nobody reads that many, and the search goes through all names.
        if self.cx.problems.len() > MAX_DIAGNOSTICS {
            return String::new();
        }
        let names = self
            .groups
            .keys()
            .chain(self.chains.keys())
            .chain(self.institutions.iter().take(MAX_NEAR).map(|i| &i.name));
        let all: Vec<&str> = names.map(String::as_str).collect();
        let Some(near) = nearest(name, all.iter().copied()) else {
            let short: Vec<&str> = self
                .groups
                .keys()
                .chain(self.chains.keys())
                .map(String::as_str)
                .collect();
            return format!("there are {}", short.join(", "));
        };
        let size = self.groups.get(near).map(Vec::len);
        let size = size.or_else(|| self.chains.get(near).map(|c| c.members.len()));
        match size {
            Some(n) => format!("did you mean `{near}` ({})?", nodes(n)),
            None => format!("did you mean `{near}`?"),
        }
    }

    fn institution(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    fn span(&mut self, from: &Word, to: &Word, place: &Place) -> Option<Vec<usize>> {
        let mut ends = Vec::new();
        for word in [from, to] {
            match self.institution(&word.text) {
                Some(i) => ends.push(i),
                None if self.is_doubtful(&word.text) => return None,
                None => {
                    let place = place.part(Some(word.at.clone()));
                    let help = self.nearest_set(&word.text);
                    let text = format!("no institution is called `{}`", word.text);
                    self.cx.error("E301", &place, text, help);
                    return None;
                }
            }
        }
        let [first, last] = ends.as_slice() else {
            return None;
        };
        let group = |i: &usize| self.institutions.get(*i).map(|x| x.group.clone());
        if group(first) != group(last) || first > last {
            self.cx.error(
                "E301",
                place,
                "a span goes up within one group",
                "community-3..community-7",
            );
            return None;
        }
        Some((*first..=*last).collect())
    }

    fn regional(&self, region: &str) -> Vec<usize> {
        let Some(index) = self.regions_used.iter().position(|r| r == region) else {
            return Vec::new();
        };
        let there = |x: &Institution| x.region == index;
        (0..self.institutions.len())
            .filter(|&i| self.institutions.get(i).is_some_and(there))
            .collect()
    }

    fn in_region(&mut self, word: &Word, place: &Place) -> Option<Vec<usize>> {
        if !self.region_names.contains(&word.text) {
            let place = place.part(Some(word.at.clone()));
            let known: Vec<&str> = self.region_names.iter().map(String::as_str).collect();
            self.cx.error(
                "E301",
                &place,
                format!("no region is called `{}`", word.text),
                suggestion(&word.text, &known),
            );
            return None;
        }
        Some(self.regional(&word.text))
    }

    fn of_kind(&mut self, kind: &Word, word: &Word, place: &Place) -> Option<Vec<usize>> {
        match kind.text.as_str() {
            "region" => {
                let nodes = self.in_region(word, place)?;
                if nodes.is_empty() {
                    self.nobody(&format!("region {}", word.text), place);
                    return None;
                }
                Some(nodes)
            }
            "tier" => {
                if let Err(error) = Tier::parse(&word.text) {
                    let place = place.part(Some(word.at.clone()));
                    self.cx.error("E301", &place, error.message, error.help);
                    return None;
                }
                let nodes: Vec<usize> = (0..self.institutions.len())
                    .filter(|&i| {
                        self.institutions
                            .get(i)
                            .is_some_and(|x| x.tier == word.text)
                    })
                    .collect();
                if nodes.is_empty() {
                    self.nobody(&format!("tier {}", word.text), place);
                    return None;
                }
                Some(nodes)
            }
            "version" => {
                let release = match ReleaseName::parse(&word.text) {
                    Ok(name) => name.0,
                    Err(error) => {
                        let place = place.part(Some(word.at.clone()));
                        self.cx.error("E301", &place, error.message, error.help);
                        return None;
                    }
                };
                let runs = |(i, x): (usize, &Institution)| (x.release == release).then_some(i);
                let nodes: Vec<usize> = self
                    .institutions
                    .iter()
                    .enumerate()
                    .filter_map(runs)
                    .collect();
                if nodes.is_empty() {
                    self.nobody(&format!("version {}", word.text), place);
                    return None;
                }
                Some(nodes)
            }
            "relay" => {
                let nodes = self.relays.get(&word.text).cloned();
                if nodes.is_none() && !self.cx.is_broken(&word.text) {
                    let place = place.part(Some(word.at.clone()));
                    let known: Vec<String> = self.relays.keys().cloned().collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    let message = format!("no relays are called `{}`", word.text);
                    let help = suggestion(&word.text, &known);
                    self.cx.error("E301", &place, message, help);
                }
                nodes
            }
            "site" => self.of_site(word, place),
            "rack" | "power" => self.who_share(kind.text.as_str(), word, place),
            other => {
                let place = place.part(Some(kind.at.clone()));
                self.cx.later(&place, other);
                None
            }
        }
    }

    fn nobody(&mut self, what: &str, place: &Place) {
        if self.doubt {
            return;
        }
        self.cx.error(
            "E307",
            place,
            format!("nobody is in {what}"),
            "`none` says so on purpose",
        );
    }

    /// Institutions as the shortest list of names and spans.
    pub(super) fn ranges(&self, nodes: &[usize]) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut run: Option<(usize, usize)> = None;
        let mut flush = |run: Option<(usize, usize)>| {
            let Some((first, last)) = run else { return };
            let name = |i: usize| self.institutions.get(i).map_or("?", |x| x.name.as_str());
            out.push(if first == last {
                name(first).to_owned()
            } else {
                format!("{}..{}", name(first), name(last))
            });
        };
        for &node in nodes {
            let group = |i: usize| self.institutions.get(i).map(|x| x.group.as_str());
            match run {
                Some((first, last)) if node == last + 1 && group(node) == group(first) => {
                    run = Some((first, node));
                }
                _ => {
                    flush(run);
                    run = Some((node, node));
                }
            }
        }
        flush(run);
        out
    }
}

fn nodes(n: usize) -> String {
    if n == 1 {
        "1 node".into()
    } else {
        format!("{n} nodes")
    }
}
