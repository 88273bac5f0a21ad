//! Changes of the members of a chain while it runs.

use super::Planner;
use super::windows::Timing;
use crate::plan::{ChangePlan, TrustPlan};
use crate::schema::shape::suggestion;
use crate::schema::{At, Chain, Change, ChangeKind, Movers, Scenario};
use consim_core::Time;
use consim_core::values::Name;
use consim_models::consensus::{MAX_CHANGED, PROTOCOLS, ProtocolEntry};
use std::collections::{BTreeMap, BTreeSet};

/// Who joins and leaves a chain, and who of its members is none at the beginning.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// In order of time, and of name where they are asked for at one instant.
    pub(super) changes: Vec<ChangePlan>,
    /// Indexes into `institutions`, ascending.
    pub(super) outside: Vec<usize>,
}

/// The members of a chain, and, if they are in order, the changes of these and of whom they believe.
pub(super) type Seats = (Vec<usize>, Option<(Moves, Vec<TrustPlan>)>);

/// A change as written, with its time.
struct Written<'a> {
    at: Time,
    name: &'a At<Name>,
    movers: &'a Movers,
    hasty: bool,
    joins: bool,
    renews: bool,
    nodes: Vec<usize>,
}

impl<'a> Planner<'a> {
    /// The changes of a chain. Who joins first and leaves later begins outside of it.
    pub(super) fn changes(
        &mut self,
        name: &At<Name>,
        chain: &Chain,
        members: &[usize],
        entry: &ProtocolEntry,
    ) -> Option<Moves> {
        let mut written = self.written_changes(name, entry)?;
        written.sort_by(|a, b| (a.at, &a.name.value.0).cmp(&(b.at, &b.name.value.0)));
        for change in &written {
            if let Some(&stranger) = change.nodes.iter().find(|n| !members.contains(n)) {
                let who = self.name_of(stranger);
                let place = change.movers.nodes.place.clone();
                self.cx.error(
                    "E512",
                    &place,
                    format!("{who} is not among the `members` of {}", name.value.0),
                    format!(
                        "name it in chains.{}.members: who joins later is named there, too",
                        name.value.0
                    ),
                );
                return None;
            }
        }
        let mut first: BTreeMap<usize, bool> = BTreeMap::new();
        for change in written.iter().filter(|change| !change.renews) {
            for &node in &change.nodes {
                first.entry(node).or_insert(change.joins);
            }
        }
        let outside: Vec<usize> = first
            .iter()
            .filter(|(_, joins)| **joins)
            .map(|(n, _)| *n)
            .collect();
        let mut inside: BTreeSet<usize> = members
            .iter()
            .copied()
            .filter(|n| !outside.contains(n))
            .collect();
        let mut latest: BTreeMap<usize, String> = BTreeMap::new();
        let mut out = Vec::new();
        for change in written {
            if change.renews {
                out.push(ChangePlan {
                    name: change.name.value.0.clone(),
                    at: change.at,
                    hasty: change.hasty,
                    add: Vec::new(),
                    remove: Vec::new(),
                    renew: change.nodes,
                });
                continue;
            }
            self.possible(&change, &inside, &latest, &name.value.0)?;
            for &node in &change.nodes {
                let word = if change.joins { "joins" } else { "leaves" };
                let at = change.at.since(Time::ZERO);
                latest.insert(node, format!("it {word} at {at} ({})", change.name.value.0));
                if change.joins {
                    inside.insert(node);
                } else {
                    inside.remove(&node);
                }
            }
            // A protocol for liars bears none in a smaller group.
            let least = if entry.byzantine { entry.least } else { 1 };
            if inside.len() < least {
                let place = change.movers.nodes.place.clone();
                let left = match inside.len() {
                    0 => "nobody would be left".to_owned(),
                    n => format!("{n} would be left"),
                };
                let stays = match least {
                    1 => "at least one member stays".to_owned(),
                    n => format!("{} takes at least {n} members", entry.name),
                };
                self.cx
                    .error("E512", &place, format!("{left} in {}", name.value.0), stays);
                return None;
            }
            let (add, remove) = if change.joins {
                (change.nodes, Vec::new())
            } else {
                (Vec::new(), change.nodes)
            };
            out.push(ChangePlan {
                name: change.name.value.0.clone(),
                at: change.at,
                hasty: change.hasty,
                add,
                remove,
                renew: Vec::new(),
            });
        }
        if !out.is_empty() {
            let names: Vec<String> = outside.iter().map(|&i| self.name_of(i)).collect();
            let text = match names.as_slice() {
                [] => "all are members at the beginning".to_owned(),
                some => format!("not members at the beginning: {}", some.join(", ")),
            };
            let place = chain.members.place.clone();
            self.derived(&["chains", &name.value.0, "members"], text, &place);
        }
        Some(Moves {
            changes: out,
            outside,
        })
    }

    pub(super) fn name_of(&self, institution: usize) -> String {
        self.institutions
            .get(institution)
            .map_or_else(String::new, |x| x.name.clone())
    }

    /// The changes of the scenario with their times and nodes.
    fn written_changes(
        &mut self,
        chain: &At<Name>,
        entry: &ProtocolEntry,
    ) -> Option<Vec<Written<'a>>> {
        let scenario: &'a Scenario = self.scenario;
        let mut out = Vec::new();
        let mut whole = true;
        for (name, change) in &scenario.changes {
            if !self.concerns(name, change, chain)? {
                continue;
            }
            let (movers, joins, renews) = match &change.kind {
                ChangeKind::Join(movers) => (movers, true, false),
                ChangeKind::Leave(movers) => (movers, false, false),
                ChangeKind::ReplaceKeys(movers) => (movers, false, true),
                ChangeKind::RevokeCertificate(_) | ChangeKind::RotateAuthority(_) => continue,
            };
            let movers = (movers, joins, renews);
            match self.written_change((name, change), movers, chain, entry) {
                Some(written) => out.push(written),
                None => whole = false,
            }
        }
        whole.then_some(out)
    }

    fn written_change(
        &mut self,
        (name, change): (&'a At<Name>, &'a Change),
        (movers, joins, renews): (&'a Movers, bool, bool),
        chain: &At<Name>,
        entry: &ProtocolEntry,
    ) -> Option<Written<'a>> {
        self.change_of(name, movers.chain.as_ref(), chain)?;
        if !entry.changes_members {
            let able = PROTOCOLS.iter().filter(|p| p.changes_members);
            let able: Vec<&str> = able.map(|p| p.name).collect();
            let why = match entry.name {
                "pbft" => ": its papers have a fixed group",
                _ => "",
            };
            self.cx.error(
                "E513",
                &name.place,
                format!(
                    "{} does not change its members while it runs{why}",
                    entry.name
                ),
                format!("consensus: {}", able.join(" or ")),
            );
            return None;
        }
        if renews && !entry.replaces_keys {
            let able = PROTOCOLS.iter().filter(|p| p.replaces_keys);
            let able: Vec<&str> = able.map(|p| p.name).collect();
            self.cx.error(
                "E513",
                &name.place,
                format!("{} does not replace keys while it runs", entry.name),
                format!("consensus: {}", able.join(" or ")),
            );
            return None;
        }
        let at = self.moment(&Timing::of_change(name, &change.common));
        let nodes = self.nodes(&movers.nodes);
        let (at, nodes) = (at?, nodes?);
        if entry.name == "clique" && nodes.len() > 1 {
            // EIP-225 votes on one signer at a time, and between two of them lie all of a majority's blocks.
            let what = "several at once in a group that votes on each";
            self.cx.later(&movers.nodes.place, what);
            return None;
        }
        if nodes.is_empty() || nodes.len() > MAX_CHANGED {
            self.cx.error(
                "E512",
                &movers.nodes.place,
                format!("a change of {} nodes", nodes.len()),
                format!("1 to {MAX_CHANGED}"),
            );
            return None;
        }
        Some(Written {
            at,
            name,
            movers,
            hasty: !change.common.waits.value.0 || self.is_doubled(&name.value),
            joins,
            renews,
            nodes,
        })
    }

    /// Is a change one of this chain, or of one that there is not? `None` if it could be of several.
    pub(super) fn concerns(
        &mut self,
        name: &At<Name>,
        change: &Change,
        chain: &At<Name>,
    ) -> Option<bool> {
        let scenario = self.scenario;
        let all = scenario.chains.iter().map(|(n, _)| n.value.0.as_str());
        let all: Vec<&str> = all.collect();
        let of = change.kind.chain();
        if of.is_none() && all.len() > 1 {
            let message = format!("which chain? there are {}: {}", all.len(), all.join(", "));
            let help = format!("chain: {}", chain.value.0);
            self.cx.error("E502", &name.place, message, help);
            return None;
        }
        let other = |at: &At<Name>| at.value != chain.value && all.contains(&at.value.0.as_str());
        Some(!of.is_some_and(other))
    }

    /// A change may have its name, and is one of this chain.
    pub(super) fn change_of(
        &mut self,
        name: &At<Name>,
        of: Option<&At<Name>>,
        chain: &At<Name>,
    ) -> Option<()> {
        self.change_name(name)?;
        let Some(at) = of.filter(|at| at.value != chain.value) else {
            return Some(());
        };
        let known = [chain.value.0.as_str()];
        self.cx.error(
            "E301",
            &at.place,
            format!("no chain is called `{}`", at.value.0),
            suggestion(&at.value.0, &known),
        );
        None
    }

    /// Faults, attacks and changes share one name space.
    fn change_name(&mut self, name: &At<Name>) -> Option<()> {
        let scenario = self.scenario;
        let fault = scenario.faults.iter().any(|(f, _)| f.value == name.value);
        let attack = scenario.attacks.iter().any(|(a, _)| a.value == name.value);
        let what = match (fault, attack) {
            (true, _) => "a fault",
            (_, true) => "an attack",
            _ => return Some(()),
        };
        let key = name.value.0.as_str();
        self.cx.error(
            "E305",
            &name.place,
            format!("`{key}` is {what} and now a change too"),
            format!("instants and results could not tell them apart; call it {key}-change"),
        );
        None
    }

    /// Only who is outside joins, and only a member leaves.
    fn possible(
        &mut self,
        change: &Written<'_>,
        inside: &BTreeSet<usize>,
        latest: &BTreeMap<usize, String>,
        chain: &str,
    ) -> Option<()> {
        let wrong = |n: &&usize| inside.contains(n) == change.joins;
        let Some(&node) = change.nodes.iter().find(wrong) else {
            return Some(());
        };
        let who = self.name_of(node);
        let at = change.at.since(Time::ZERO);
        let why = latest.get(&node).map_or_else(
            || "it is one from the beginning".to_owned(),
            |why| format!("before that {why}"),
        );
        let (is, help) = if change.joins {
            ("a member", "a later `leave` before it, or no second `join`")
        } else {
            (
                "no member",
                "an earlier `join` before it, or no second `leave`",
            )
        };
        self.cx.error(
            "E512",
            &change.movers.nodes.place,
            format!("{who} is {is} of {chain} at {at}: {why}"),
            help,
        );
        None
    }
}
