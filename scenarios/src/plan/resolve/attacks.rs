//! Adversaries and attacks: who, when, what, and whether the budget allows it.

use super::Planner;
use super::windows::Timing;
use crate::plan::{AdversaryPlan, AttackPlan, AttackPlanKind};
use crate::schema::shape::{Shape, suggestion};
use crate::schema::{Answer, At, Attack, AttackKind, Decode, Field, For, TwinsKeys};
use crate::tree::Place;
use consim_core::Span;
use consim_core::values::Name;
use consim_models::adversary::{Conduct, MutatedField, SyncLie};
use consim_models::consensus::PROTOCOLS;
use std::collections::BTreeMap;

/// The most copies of a twin (the number of a copy stands in five bits).
const MAX_COPIES: u64 = 7;

/// Adversaries and attacks by name.
type Both = (
    BTreeMap<String, AdversaryPlan>,
    BTreeMap<String, AttackPlan>,
);

impl Planner<'_> {
    pub(super) fn attacks(&mut self) -> Option<Both> {
        let adversaries = self.adversaries()?;
        let scenario = self.scenario;
        let mut attacks = BTreeMap::new();
        let mut whole = true;
        for (name, attack) in &scenario.attacks {
            self.one_name(name);
            let made = self.attack(name, attack, &adversaries);
            match made {
                Some(plan) if attack.common.enabled.value.0 => {
                    attacks.insert(name.value.0.clone(), plan);
                }
                Some(_) => {}
                None => whole = false,
            }
        }
        self.budgets(&attacks);
        whole.then_some((adversaries, attacks))
    }

    fn adversaries(&mut self) -> Option<BTreeMap<String, AdversaryPlan>> {
        let scenario = self.scenario;
        let mut out: BTreeMap<String, AdversaryPlan> = BTreeMap::new();
        let mut whole = true;
        for (name, adversary) in &scenario.adversaries {
            let key = name.value.0.as_str();
            let Some(nodes) = self.nodes(&adversary.nodes) else {
                whole = false;
                continue;
            };
            let other = out.iter().find_map(|(other, plan)| {
                let shared = plan.nodes.iter().find(|n| nodes.contains(n))?;
                Some((other.clone(), *shared))
            });
            if let Some((other, shared)) = other {
                let place = adversary.nodes.place.clone();
                let held = self.institutions.get(shared);
                let held = held.map_or_else(String::new, |i| i.name.clone());
                self.cx.error(
                    "E510",
                    &place,
                    format!("{held} is controlled by `{other}` already"),
                    "a node has one adversary",
                );
                whole = false;
            }
            self.held(name, &nodes);
            out.insert(key.to_owned(), AdversaryPlan { nodes });
        }
        whole.then_some(out)
    }

    /// Says what an adversary holds of each chain.
    fn held(&mut self, name: &At<Name>, nodes: &[usize]) {
        let key = name.value.0.as_str();
        for (chain, view) in self.chains.clone() {
            let members = view.members.iter().filter(|m| nodes.contains(m)).count();
            if members == 0 {
                continue;
            }
            let beyond = if members > view.f {
                ": beyond the bound"
            } else {
                ""
            };
            let text = format!(
                "holds {members} of the {} members of {chain}, which bears {}{beyond}",
                view.members.len(),
                view.f
            );
            if members > view.f {
                self.notes.push(format!("The adversary {key} {text}."));
            }
            self.derived(&["adversaries", key], text, &name.place.clone());
        }
    }

    /// Faults and attacks share one name space: instants and results name them.
    fn one_name(&mut self, name: &At<Name>) {
        let scenario = self.scenario;
        if scenario.faults.iter().any(|(f, _)| f.value == name.value) {
            let key = name.value.0.as_str();
            self.cx.error(
                "E305",
                &name.place,
                format!("`{key}` is a fault and now an attack too"),
                format!("instants and results could not tell them apart; call it {key}-attack"),
            );
        }
    }

    /// One that is switched off is looked at, and has no windows.
    fn attack(
        &mut self,
        name: &At<Name>,
        attack: &Attack,
        adversaries: &BTreeMap<String, AdversaryPlan>,
    ) -> Option<AttackPlan> {
        let by = self.adversary_of(name, attack, adversaries);
        let (chain, word, does) = self.attack_kind(attack)?;
        let by = by?;
        let chain = self.attacked(name, chain.as_ref())?;
        let windows = if attack.common.enabled.value.0 {
            self.windows(&Timing::of_attack(name, &attack.common))?
        } else {
            Vec::new()
        };
        let windows = windows.into_iter().map(|(n, w)| (n, w.from, w.to));
        let view = self.chains.get(&chain)?.clone();
        let nodes = adversaries.get(&by).map_or(&[][..], |a| &a.nodes);
        let members = view.members.iter().filter(|m| nodes.contains(m)).count();
        if members == 0 {
            if !self.doubt {
                self.cx.error(
                    "E503",
                    &name.place,
                    format!("nobody does this attack: `{by}` controls no member of {chain}"),
                    format!("adversaries: {{ {by}: {{ nodes: f of {chain} }} }}"),
                );
            }
            return None;
        }
        let protocol = PROTOCOLS.first()?;
        if let AttackPlanKind::Conduct(conduct) = &does
            && !is_known(conduct)
            && !protocol.conducts.contains(&conduct.word())
        {
            let place = name.place.clone();
            self.cx
                .later(&place, &format!("{word} under {}", protocol.name));
            return None;
        }
        Some(AttackPlan {
            by,
            chain,
            code: code(word),
            kind: word.to_owned(),
            beyond: members > view.f,
            windows: windows.collect(),
            does,
        })
    }

    /// The adversary of an attack: the one that it names, or the only one.
    fn adversary_of(
        &mut self,
        name: &At<Name>,
        attack: &Attack,
        adversaries: &BTreeMap<String, AdversaryPlan>,
    ) -> Option<String> {
        let known: Vec<&str> = adversaries.keys().map(String::as_str).collect();
        if let Some(by) = &attack.common.by {
            if adversaries.contains_key(&by.value.0) {
                return Some(by.value.0.clone());
            }
            if !self.cx.is_broken(&by.value.0) {
                let help = suggestion(&by.value.0, &known);
                let message = format!("no adversary is called `{}`", by.value.0);
                self.cx.error("E301", &by.place, message, help);
            }
            return None;
        }
        match known.as_slice() {
            [one] => Some((*one).to_owned()),
            [] if self.scenario.adversaries.is_empty() && self.cx.broken.is_empty() => {
                self.cx.error(
                    "E503",
                    &name.place,
                    "nobody does this attack: there are no adversaries",
                    "adversaries: { insider: { nodes: f of CHAIN } }",
                );
                None
            }
            [] => None,
            several => {
                self.cx.error(
                    "E509",
                    &name.place,
                    format!("which adversary? there are {}", several.join(", ")),
                    "by: one of them",
                );
                None
            }
        }
    }

    /// The chain of an attack: the one that it names, or the only one.
    fn attacked(&mut self, name: &At<Name>, chain: Option<&At<Name>>) -> Option<String> {
        let known: Vec<String> = self.chains.keys().cloned().collect();
        let words: Vec<&str> = known.iter().map(String::as_str).collect();
        match (chain, words.as_slice()) {
            (Some(at), _) if known.contains(&at.value.0) => Some(at.value.0.clone()),
            (Some(at), _) => {
                if !self.cx.is_broken(&at.value.0) {
                    let message = format!("no chain is called `{}`", at.value.0);
                    let help = suggestion(&at.value.0, &words);
                    self.cx.error("E301", &at.place, message, help);
                }
                None
            }
            (None, [one]) => Some((*one).to_owned()),
            (None, []) => None,
            (None, several) => {
                let message = format!("which chain? there are {}", several.join(", "));
                self.cx
                    .error("E502", &name.place, message, "chain: one of them");
                None
            }
        }
    }

    /// The chain that it names, its word, and what it does.
    fn attack_kind(
        &mut self,
        attack: &Attack,
    ) -> Option<(Option<At<Name>>, &'static str, AttackPlanKind)> {
        let simple = |chain: &Option<At<Name>>, conduct: Conduct| {
            let word = conduct.word();
            Some((chain.clone(), word, AttackPlanKind::Conduct(conduct)))
        };
        match &attack.kind {
            AttackKind::Twins(keys) => {
                let does = self.twins(attack, keys)?;
                Some((keys.chain.clone(), "twins", does))
            }
            AttackKind::SelectiveSilence(keys) => {
                let to = self.nodes(&keys.to)?;
                let does = AttackPlanKind::Silence(to);
                Some((keys.chain.clone(), "selective-silence", does))
            }
            AttackKind::Censor(keys) => {
                let whom = self.nodes(&keys.whom)?;
                Some((keys.chain.clone(), "censor", AttackPlanKind::Censor(whom)))
            }
            AttackKind::Diverge(keys) => {
                let does = AttackPlanKind::Diverge(keys.rate.value.0);
                Some((keys.chain.clone(), "diverge", does))
            }
            AttackKind::LazyVote(keys) => {
                Some((keys.chain.clone(), "lazy-vote", AttackPlanKind::LazyVote))
            }
            AttackKind::Equivocate(keys) => simple(&keys.chain, Conduct::Equivocate),
            AttackKind::ForgetLock(keys) => simple(&keys.chain, Conduct::ForgetLock),
            AttackKind::InvalidBlock(keys) => simple(&keys.chain, Conduct::InvalidBlock),
            AttackKind::PhantomValidator(keys) => simple(&keys.chain, Conduct::PhantomValidator),
            AttackKind::ReorderBlock(keys) => simple(&keys.chain, Conduct::ReorderBlock),
            AttackKind::DoubleSignatures(keys) => simple(&keys.chain, Conduct::DoubleSignatures),
            AttackKind::StripSignatures(keys) => simple(&keys.chain, Conduct::StripSignatures),
            AttackKind::LateVote(keys) => {
                let wait = keys.wait.value.0;
                simple(&keys.chain, Conduct::LateVote { wait })
            }
            AttackKind::SlowLeader(keys) => {
                let wait = keys.wait.value.0;
                simple(&keys.chain, Conduct::SlowLeader { wait })
            }
            AttackKind::Malformed(keys) => {
                let rate = keys.rate.value.0;
                simple(&keys.chain, Conduct::Malformed { rate })
            }
            AttackKind::ReplayOld(keys) => {
                let age = keys.age.value;
                simple(&keys.chain, Conduct::ReplayOld { age })
            }
            AttackKind::Mutate(keys) => {
                let field = match keys.field.value {
                    Field::View => MutatedField::View,
                    Field::Sequence => MutatedField::Sequence,
                    Field::Digest => MutatedField::Digest,
                };
                let by = keys.by.value.0;
                let most = if field == MutatedField::Digest {
                    255
                } else {
                    u64::from(u32::MAX)
                };
                if by == 0 || by > most {
                    let place = keys.by.place.clone();
                    let help = format!("1 to {most}");
                    self.cx.error("E107", &place, "no change", help);
                    return None;
                }
                let by = by as i64;
                simple(&keys.chain, Conduct::Mutate { field, by })
            }
            AttackKind::LyingSync(keys) => {
                let field = match keys.field.value {
                    Answer::Block => SyncLie::Block,
                    Answer::Sequence => SyncLie::Sequence,
                    Answer::Transactions => SyncLie::Transactions,
                    Answer::Progress => SyncLie::Progress,
                };
                simple(&keys.chain, Conduct::LyingSync { field })
            }
        }
    }

    fn twins(&mut self, attack: &Attack, keys: &TwinsKeys) -> Option<AttackPlanKind> {
        if let Some(every) = &attack.common.every {
            let place = every.place.clone();
            self.cx.error(
                "E504",
                &place,
                "twins part once: what they signed apart cannot be joined again",
                "a second adversary with a second attack",
            );
            return None;
        }
        let copies = keys.copies.value.0;
        if copies == 0 || copies > MAX_COPIES {
            let place = keys.copies.place.clone();
            let help = format!("1 to {MAX_COPIES}");
            self.cx
                .error("E107", &place, "so many copies of a node", help);
            return None;
        }
        let mut rounds = Vec::new();
        for (round, place) in keys.rounds.iter().flat_map(|list| &list.items) {
            if copies > 1 {
                self.cx.error(
                    "E504",
                    place,
                    "`split` has two sides, for the node and for one copy",
                    "copies: 1, or no rounds",
                );
                return None;
            }
            let (a, b) = (
                self.nodes_quietly(&round.split.0)?,
                self.nodes_quietly(&round.split.1)?,
            );
            if let Some(leaf) = self.cx.leaves.get_mut(round.split.0.leaf) {
                leaf.digest = Some(format!("{a:?} {b:?}"));
            }
            rounds.push([a, b]);
        }
        Some(AttackPlanKind::Twins {
            copies: copies as usize,
            rounds,
        })
    }

    /// No adversary spends more than it has.
    fn budgets(&mut self, attacks: &BTreeMap<String, AttackPlan>) {
        let scenario = self.scenario;
        for (name, adversary) in &scenario.adversaries {
            let key = name.value.0.as_str();
            let own = || attacks.values().filter(|a| a.by == key);
            if own().filter(|a| a.kind == "twins").count() > 1 {
                self.cx.error(
                    "E504",
                    &name.place,
                    format!("`{key}` has two attacks of kind `twins`"),
                    "a node parts from its copies once; leave one out",
                );
            }
            let limit = match &adversary.r#for.value {
                For::Rest => continue,
                For::Span(range) if range.low == range.high => range.low,
                For::Span(range) => {
                    let help = format!("for: {}", range.high);
                    self.cx.error(
                        "E112",
                        &adversary.r#for.place,
                        "a budget is one number",
                        help,
                    );
                    continue;
                }
            };
            let windows = own().flat_map(|a| a.windows.iter());
            let spent: u64 = windows.map(|&(_, from, to)| (to - from).nanos()).sum();
            if spent > limit.nanos() {
                let place: Place = adversary.r#for.place.clone();
                let spent = Span::from_nanos(spent);
                self.cx.error(
                    "E510",
                    &place,
                    format!("the attacks of `{key}` last {spent} together, its budget is {limit}"),
                    format!("for: {spent}, or shorter attacks"),
                );
            }
        }
    }
}

/// Is it the same for every protocol?
fn is_known(conduct: &Conduct) -> bool {
    matches!(
        conduct,
        Conduct::LateVote { .. }
            | Conduct::SlowLeader { .. }
            | Conduct::Malformed { .. }
            | Conduct::ReplayOld { .. }
    )
}

/// The catalogue code of a kind.
fn code(word: &str) -> String {
    let Shape::Entry(entry) = Attack::shape() else {
        return String::new();
    };
    let variant = entry.kinds.variant(word);
    variant.map_or_else(String::new, |v| v.code.to_owned())
}
