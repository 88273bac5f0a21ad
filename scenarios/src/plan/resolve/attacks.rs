//! Adversaries and attacks: who, when, what, and whether the budget allows it.

use super::Planner;
use super::windows::Timing;
use crate::plan::{AdversaryPlan, AttackPlan, AttackPlanKind, Interference, Links};
use crate::schema::shape::{Shape, suggestion};
use crate::schema::{
    Adversary, Amount, Answer, At, Attack, AttackKind, Budget, Decode, Excess, Field, For,
    InsiderKeys, Meddling, MutateKeys, RelayLieWord, TwinsKeys,
};
use crate::tree::Place;
use consim_core::Span;
use consim_core::values::{Count, Name};
use consim_models::adversary::{Conduct, MutatedField, SyncLie};
use consim_models::consensus::PROTOCOLS;
use consim_models::relay::RelayLie;
use consim_models::sharing::insiders::Deed;
use std::collections::{BTreeMap, BTreeSet};

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
            let Some(mut plan) = self.budget(name, adversary) else {
                whole = false;
                continue;
            };
            let nodes = &plan.nodes;
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
            if self.within_byzantine(name, &mut plan, &out).is_none() {
                whole = false;
            }
            self.held(name, &plan);
            out.insert(key.to_owned(), plan);
        }
        whole.then_some(out)
    }

    /// What an adversary has.
    fn budget(&mut self, name: &At<Name>, adversary: &Adversary) -> Option<AdversaryPlan> {
        let roles = self.insiders(adversary);
        let nodes = self.nodes(&adversary.nodes);
        let (nodes, roles) = (nodes?, roles?);
        let keys = self.stolen(name, &adversary.keys, &nodes)?;
        let links = self.links(name, &adversary.links)?;
        Some(AdversaryPlan {
            nodes,
            keys,
            links,
            roles,
        })
    }

    /// Members of chains whose keys are stolen, beside those of its own nodes.
    fn stolen(&mut self, name: &At<Name>, keys: &Amount, nodes: &[usize]) -> Option<Vec<usize>> {
        let members = self.chains.values().flat_map(|chain| &chain.members);
        let members: BTreeSet<usize> = members.copied().collect();
        match keys {
            Amount::Of(targets) => {
                let mut list = self.nodes(targets)?;
                if let Some(stranger) = list.iter().find(|i| !members.contains(i))
                    && !self.doubt
                {
                    let who = self.institutions.get(*stranger).map(|i| i.name.clone());
                    let message = format!("{} signs for no chain", who.unwrap_or_default());
                    let help = "keys of members, for example 1 of CHAIN";
                    self.cx.error("E308", &targets.place, message, help);
                    return None;
                }
                list.retain(|i| !nodes.contains(i));
                Some(list)
            }
            Amount::Count(count) => {
                let others = members.iter().copied().filter(|i| !nodes.contains(i));
                let wanted = usize::try_from(count.value.0).unwrap_or(usize::MAX);
                let list: Vec<usize> = others.take(wanted).collect();
                self.as_many(name, count, list.len(), "keys of other members")?;
                Some(list)
            }
        }
    }

    /// The lines that it can read, delay and drop messages on.
    fn links(&mut self, name: &At<Name>, links: &Amount) -> Option<Links> {
        let count = match links {
            Amount::Of(targets) => return self.nodes(targets).map(Links::Of),
            Amount::Count(count) => count,
        };
        let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
        let wanted = usize::try_from(count.value.0).unwrap_or(usize::MAX);
        'all: for chain in self.chains.values() {
            for (place, &a) in chain.members.iter().enumerate() {
                for &b in chain.members.iter().skip(place + 1) {
                    if pairs.len() == wanted {
                        break 'all;
                    }
                    pairs.insert((a, b));
                }
            }
        }
        self.as_many(name, count, pairs.len(), "lines between members")?;
        Some(Links::Between(pairs.into_iter().collect()))
    }

    /// Are there as many as are asked for?
    fn as_many(
        &mut self,
        name: &At<Name>,
        wanted: &At<Count>,
        found: usize,
        what: &str,
    ) -> Option<()> {
        if wanted.value.0 <= found as u64 {
            return Some(());
        }
        if !self.doubt {
            let (key, wanted_by) = (&name.value.0, wanted.value.0);
            let message = format!("`{key}` asks for {wanted_by} {what}, there are {found}");
            let help = format!("{found} for all of them");
            self.cx.error("E302", &wanted.place, message, help);
        }
        None
    }

    /// Holds an adversary, with those before it, against `limits.fault_budget.byzantine`.
    fn within_byzantine(
        &mut self,
        name: &At<Name>,
        plan: &mut AdversaryPlan,
        others: &BTreeMap<String, AdversaryPlan>,
    ) -> Option<()> {
        let limits = &self.scenario.limits.fault_budget;
        let (excess, Some(budget)) = (limits.excess.value, limits.byzantine.as_ref()) else {
            return Some(());
        };
        for (chain, view) in self.chains.clone() {
            let most = match budget.value {
                Budget::Faulty => view.bears,
                Budget::Minority => view.members.len().saturating_sub(1) / 2,
                Budget::Number(number) => usize::try_from(number).unwrap_or(usize::MAX),
            };
            let earlier = others.values().flat_map(AdversaryPlan::held);
            let mut held: BTreeSet<usize> = earlier.filter(|i| view.members.contains(i)).collect();
            let mut left_out = Vec::new();
            for member in plan.held().filter(|i| view.members.contains(i)) {
                if held.len() < most || held.contains(&member) {
                    held.insert(member);
                } else {
                    left_out.push(member);
                }
            }
            if left_out.is_empty() {
                continue;
            }
            let key = name.value.0.as_str();
            if excess == Excess::Refuse {
                let count = held.len() + left_out.len();
                self.cx.error(
                    "E408",
                    &name.place,
                    format!("with `{key}` adversaries hold {count} members of {chain}; the fault budget is {most}"),
                    "limits: { fault_budget: { excess: skip } } leaves those beyond it out; or a larger `byzantine`",
                );
                return None;
            }
            let names = self.ranges(&left_out).join(", ");
            self.notes.push(format!(
                "The adversary {key} does not get {names}: the fault budget of {chain} is {most}."
            ));
            plan.nodes.retain(|i| !left_out.contains(i));
            plan.keys.retain(|i| !left_out.contains(i));
        }
        Some(())
    }

    /// Says what an adversary holds of each chain.
    fn held(&mut self, name: &At<Name>, plan: &AdversaryPlan) {
        let key = name.value.0.as_str();
        for (chain, view) in self.chains.clone() {
            let members = plan.held().filter(|i| view.members.contains(i)).count();
            if members == 0 {
                continue;
            }
            let keys = plan.keys.iter().filter(|i| view.members.contains(i));
            let keys = match keys.count() {
                0 => String::new(),
                count => format!(" ({count} by their keys alone)"),
            };
            let beyond = if members > view.bears {
                ": beyond the bound"
            } else {
                ""
            };
            let text = format!(
                "holds {members} of the {} members of {chain}{keys}, which bears {}{beyond}",
                view.members.len(),
                view.bears
            );
            if members > view.bears {
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
        let (chain, word, does) = self.attack_kind(name, attack)?;
        let by = by?;
        let chain = match &does {
            AttackPlanKind::Insider(plan) => plan.chain.clone(),
            AttackPlanKind::Relay(_) => self.chain_of_relay(name, adversaries.get(&by)?)?,
            _ => self.attacked(name, chain.as_ref())?,
        };
        let windows = if attack.common.enabled.value.0 {
            self.windows(&Timing::of_attack(name, &attack.common))?
        } else {
            Vec::new()
        };
        let windows = windows.into_iter().map(|(n, w)| (n, w.from, w.to));
        let view = self.chains.get(&chain)?.clone();
        let adversary = adversaries.get(&by)?;
        let of_chain = |i: &usize| view.members.contains(i);
        let members = adversary.held().filter(of_chain).count();
        if let AttackPlanKind::Insider(plan) = &does {
            self.has_insiders(name, &by, adversary, plan)?;
        } else if matches!(does, AttackPlanKind::Relay(_)) {
            // It has a relay, else it would have no chain.
        } else if matches!(does, AttackPlanKind::Interfere(_)) {
            if adversary.links.is_empty() {
                let message = format!("nobody does this attack: `{by}` has no lines");
                let help = format!("adversaries: {{ {by}: {{ links: 1 of {chain} }} }}");
                self.cx.error("E503", &name.place, message, help);
                return None;
            }
        } else if !adversary.nodes.iter().any(of_chain) {
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
        let protocol = PROTOCOLS.iter().find(|p| p.name == view.protocol)?;
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
            beyond: members > view.bears || self.has_all_relays(&does, adversary),
            windows: windows.collect(),
            does,
        })
    }

    /// Is no honest relay left of some that an adversary lies with?
    fn has_all_relays(&self, does: &AttackPlanKind, adversary: &AdversaryPlan) -> bool {
        let held = |nodes: &Vec<usize>| nodes.iter().all(|node| adversary.nodes.contains(node));
        matches!(does, AttackPlanKind::Relay(_)) && self.relays.values().any(held)
    }

    /// A chain that a relay of the adversary joins.
    fn chain_of_relay(&mut self, name: &At<Name>, adversary: &AdversaryPlan) -> Option<String> {
        let scenario = self.scenario;
        let held = scenario.relays.iter().find_map(|(relay, keys)| {
            let nodes = self.relays.get(&relay.value.0)?;
            let holds = nodes.iter().any(|node| adversary.nodes.contains(node));
            let chain = keys.join.list.first().map(|(chain, _)| chain.clone());
            chain.filter(|_| holds)
        });
        if held.is_none() && !self.doubt {
            let message = "nobody does this attack: the adversary controls no relay";
            let help = "adversaries: { liar: { nodes: 1 of relay NAME } }";
            self.cx.error("E503", &name.place, message, help);
        }
        held
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
    pub(super) fn attacked(&mut self, name: &At<Name>, chain: Option<&At<Name>>) -> Option<String> {
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
        name: &At<Name>,
        attack: &Attack,
    ) -> Option<(Option<At<Name>>, &'static str, AttackPlanKind)> {
        let simple = |chain: &Option<At<Name>>, conduct: Conduct| {
            let word = conduct.word();
            Some((chain.clone(), word, AttackPlanKind::Conduct(conduct)))
        };
        match &attack.kind {
            AttackKind::Interfere(keys) => {
                let does = match &keys.r#do {
                    Meddling::Delay(held) => Interference::Delay(held.add.distribution(self.cx)),
                    Meddling::Drop(dropped) => Interference::Drop(dropped.share.value.0),
                };
                let does = AttackPlanKind::Interfere(does);
                Some((keys.chain.clone(), "interfere", does))
            }
            AttackKind::LyingRelay(keys) => {
                let does = AttackPlanKind::Relay(lie(keys.lie.value));
                Some((None, "lying-relay", does))
            }
            AttackKind::EditRecord(keys) => self.insider(Deed::EditRecord, keys),
            AttackKind::Exfiltrate(keys) => self.insider(Deed::Exfiltrate, keys),
            AttackKind::PurposeCreep(keys) => self.insider(Deed::PurposeCreep, keys),
            AttackKind::StaleConsent(keys) => self.insider(Deed::StaleConsent, keys),
            AttackKind::RevokeRace(keys) => self.insider(Deed::RevokeRace, keys),
            AttackKind::Twins(keys) => {
                let does = self.twins(attack, keys)?;
                Some((keys.chain.clone(), "twins", does))
            }
            AttackKind::CloneAuthority(keys) => {
                let does = self.clones(name, attack, keys.chain.as_ref())?;
                Some((keys.chain.clone(), "clone-authority", does))
            }
            AttackKind::LongRange(keys) => {
                let place = name.place.clone();
                if !self.shows_members(&place) {
                    return None;
                }
                simple(&keys.chain, Conduct::LongRange)
            }
            AttackKind::FakeHeader(keys) => {
                let lie = self.fake_header(name, keys)?;
                simple(&keys.chain, Conduct::FakeHeader { lie })
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
            AttackKind::SwapParts(keys) => simple(&keys.chain, Conduct::SwapParts),
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
                let conduct = self.mutation(keys)?;
                simple(&keys.chain, conduct)
            }
            AttackKind::LyingSync(keys) => {
                let field = match keys.field.value {
                    Answer::Block => SyncLie::Block,
                    Answer::Sequence => SyncLie::Sequence,
                    Answer::Transactions => SyncLie::Transactions,
                    Answer::Progress => SyncLie::Progress,
                    Answer::Members => SyncLie::Members,
                };
                if field == SyncLie::Members && !self.shows_members(&keys.field.place) {
                    return None;
                }
                simple(&keys.chain, Conduct::LyingSync { field })
            }
        }
    }

    fn mutation(&mut self, keys: &MutateKeys) -> Option<Conduct> {
        let field = match keys.field.value {
            Field::View => MutatedField::View,
            Field::Sequence => MutatedField::Sequence,
            Field::Digest => MutatedField::Digest,
            Field::Certificate => MutatedField::Certificate,
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
        Some(Conduct::Mutate { field, by })
    }

    fn insider(
        &mut self,
        deed: Deed,
        keys: &InsiderKeys,
    ) -> Option<(Option<At<Name>>, &'static str, AttackPlanKind)> {
        let plan = self.deed(deed, keys)?;
        Some((None, deed.word(), AttackPlanKind::Insider(plan)))
    }

    fn twins(&mut self, attack: &Attack, keys: &TwinsKeys) -> Option<AttackPlanKind> {
        self.part_once(attack)?;
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
            if own()
                .filter(|a| matches!(a.does, AttackPlanKind::Twins { .. }))
                .count()
                > 1
            {
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

/// What a relay does by this word.
fn lie(word: RelayLieWord) -> RelayLie {
    match word {
        RelayLieWord::Forge => RelayLie::Forge,
        RelayLieWord::Replay => RelayLie::Replay,
        RelayLieWord::Hasten => RelayLie::Hasten,
        RelayLieWord::Withhold => RelayLie::Withhold,
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
            | Conduct::FakeHeader { .. }
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
