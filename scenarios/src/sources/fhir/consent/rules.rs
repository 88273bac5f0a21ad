//! The rules of one Consent, and the words that they come to.

use super::super::json::{Defect, Reading, codes, field, list, text};
use super::super::reference::Party;
use super::AS_DENIAL;
use super::provision::{Given, Provision, is_there};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most rules of one Consent that are weighed against each other (assumed: the longest of the
/// standard's examples has 14 provisions); with more it is taken as a denial to everybody.
pub(super) const MAX_RULES: usize = 1_000;

/// The code system of policies.
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Policies that permit, and those that deny, unless a provision says otherwise.
const OPT_IN: &str = "OPTIN";
const OPT_IN_RESTRICTED: &str = "OPTINR";
const OPT_OUT: [&str; 2] = ["OPTOUT", "OPTOUTE"];
/// Categories that make a permission one for emergencies, for research, or for how to treat.
const NARROW_CATEGORIES: [&str; 9] = [
    "EMRGONLY", "emrgonly", "research", "rsdid", "rsreid", "acd", "dnr", "hcd", "polst",
];

/// A patient's word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word {
    pub(super) permit: bool,
    /// To an institution, or to everybody.
    pub(super) to: Option<Arc<str>>,
    /// Since when a yes holds, if it says.
    pub(super) from_ns: Option<i64>,
    /// From when to when a yes holds, if it ends.
    pub(super) period: Option<(i64, i64)>,
}

impl Word {
    pub(super) fn denial(to: Option<Arc<str>>) -> Self {
        Self {
            permit: false,
            to,
            from_ns: None,
            period: None,
        }
    }
}

/// What the rules of a Consent come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    pub(super) words: Vec<Word>,
    /// What was not taken as it stands.
    pub(super) remarks: Vec<Defect>,
}

/// Reads the rules of a Consent.
pub(super) fn read(consent: &Value, given: &Given<'_>) -> Reading<Outcome> {
    let policies = field(consent, "policyRule", |rule| codes(rule, ACT))?.unwrap_or_default();
    let base = if policies.iter().any(|code| OPT_OUT.contains(code)) {
        Some(false)
    } else if policies.contains(&OPT_IN) || policies.contains(&OPT_IN_RESTRICTED) {
        Some(true)
    } else {
        None
    };
    let root = field(consent, "provision", Ok)?
        .map(|value| Provision::read(value, ".provision".to_owned(), given))
        .transpose()?;
    let mut limits = Vec::new();
    let categories = list(consent, "category", |concept| {
        list(concept, "coding", |coding| field(coding, "code", text))
    })?;
    let mut categories = categories.into_iter().flatten().flatten();
    if categories.any(|code| NARROW_CATEGORIES.contains(&code)) {
        limits.push((".category".to_owned(), "category"));
    }
    if is_there(consent, "modifierExtension") {
        limits.push((".modifierExtension".to_owned(), "modifierExtension"));
    }
    let restricted = policies.contains(&OPT_IN_RESTRICTED) && root.is_none();
    if restricted {
        limits.push((
            ".policyRule".to_owned(),
            "restrictions that are not written",
        ));
    }
    let scope = Scope {
        limits,
        ..Scope::default()
    };
    let mut weighing = Weighing {
        given,
        rules: Vec::new(),
        remarks: Vec::new(),
    };
    weighing.root(base, root.as_ref(), &scope);
    if weighing.rules.len() > MAX_RULES {
        let reason = format!("more than {MAX_RULES} rules");
        return Err(Defect::new(reason).below(".provision"));
    }
    Ok(Outcome {
        words: words(&weighing.rules),
        remarks: weighing.remarks,
    })
}

/// What a rule does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    Permit,
    Deny,
    /// Permits a part, which the model cannot give: a denial wherever nothing else permits.
    Part,
}

/// A rule: an effect on an institution or on everybody.
#[derive(Debug)]
struct Rule {
    effect: Effect,
    to: Option<Arc<str>>,
    from_ns: Option<i64>,
    period: Option<(i64, i64)>,
    /// The denials inside which it stands, by their index.
    within: Vec<usize>,
}

/// What the provisions around one hand down to it.
#[derive(Clone, Default, Debug)]
struct Scope {
    /// Path and name of what limits.
    limits: Vec<(String, &'static str)>,
    start_ns: Option<i64>,
    end_ns: Option<i64>,
    recipients: Option<Vec<Party>>,
    within: Vec<usize>,
}

impl Scope {
    fn narrowed(&self, provision: &Provision) -> Self {
        let mut inner = self.clone();
        for name in &provision.limits {
            inner
                .limits
                .push((format!("{}.{name}", provision.path), name));
        }
        inner.start_ns = inner.start_ns.max(provision.start_ns);
        let ends = [inner.end_ns, provision.end_ns];
        inner.end_ns = ends.into_iter().flatten().min();
        if let Some(recipients) = &provision.recipients {
            let outer = self.recipients.as_ref();
            let inside = |party: &Party| match party {
                // Whom the rules around it do not name gets nothing by it.
                Party::Institution(name) if outer.is_some_and(|outer| !outer.contains(party)) => {
                    Party::Within(Arc::clone(name))
                }
                other => other.clone(),
            };
            inner.recipients = Some(recipients.iter().map(inside).collect());
        }
        inner
    }
}

/// The rules of a Consent as they are collected.
struct Weighing<'a> {
    given: &'a Given<'a>,
    rules: Vec<Rule>,
    remarks: Vec<Defect>,
}

impl Weighing<'_> {
    fn remark(&mut self, path: &str, reason: String) {
        self.remarks.push(Defect::new(reason).below(path));
    }

    fn rule(&mut self, effect: Effect, to: Option<Arc<str>>, scope: &Scope) -> usize {
        let (from, end) = (scope.start_ns.max(self.given.at_ns), scope.end_ns);
        let period = (effect == Effect::Permit).then(|| from.zip(end)).flatten();
        self.rules.push(Rule {
            effect,
            to,
            from_ns: (effect == Effect::Permit).then_some(from).flatten(),
            period,
            within: scope.within.clone(),
        });
        self.rules.len() - 1
    }

    fn root(&mut self, base: Option<bool>, root: Option<&Provision>, scope: &Scope) {
        let Some(root) = root else {
            return match base {
                Some(true) => self.permission(scope, ".policyRule"),
                Some(false) => {
                    self.rule(Effect::Deny, None, scope);
                }
                None => self.nothing_said(scope),
            };
        };
        match (base, root.permits) {
            (Some(true), None) => {
                let limited = root.recipients.is_some() || !root.limits.is_empty();
                if limited && !root.holds_permissions() {
                    let reason = format!("can be read as all of it or all but it: {AS_DENIAL}");
                    self.remark(&root.path, reason);
                    self.rule(Effect::Part, None, scope);
                    self.nested(root, &scope.narrowed(root));
                } else {
                    self.permit(root, scope);
                }
            }
            (Some(true), Some(false)) => {
                self.permission(scope, ".policyRule");
                self.deny(root, scope);
            }
            (Some(false), permits) => {
                let mut inside = scope.clone();
                inside.within.push(self.rule(Effect::Deny, None, scope));
                if permits == Some(true) {
                    self.permit(root, &inside);
                } else {
                    self.nested(root, &inside.narrowed(root));
                }
            }
            (_, Some(true)) => self.permit(root, scope),
            (None, Some(false)) => self.deny(root, scope),
            (None, None) => {
                self.nested(root, &scope.narrowed(root));
                if self.rules.is_empty() {
                    self.nothing_said(scope);
                }
            }
        }
    }

    fn nothing_said(&mut self, scope: &Scope) {
        let reason = format!("a policy that this model does not know, without rules: {AS_DENIAL}");
        self.remark(".policyRule", reason);
        self.rule(Effect::Part, None, scope);
    }

    fn nested(&mut self, outer: &Provision, scope: &Scope) {
        for inner in &outer.nested {
            if self.rules.len() > MAX_RULES {
                return;
            }
            if inner.permits == Some(true) {
                self.permit(inner, scope);
            } else {
                self.deny(inner, scope);
            }
        }
    }

    fn permit(&mut self, provision: &Provision, outer: &Scope) {
        let scope = outer.narrowed(provision);
        if !provision.holds_permissions() {
            self.permission(&scope, &provision.path);
        }
        self.nested(provision, &scope);
    }

    /// A permission of what a scope comprises.
    fn permission(&mut self, scope: &Scope, path: &str) {
        let given = self.given.at_ns;
        if let Some((at, name)) = scope.limits.first() {
            let reason = format!("narrower than this model ({name}): permits nothing");
            self.remark(at, reason);
        } else if let Some(end) = scope.end_ns {
            let from = scope.start_ns.max(given);
            if from.is_some_and(|from| end <= from) {
                self.remark(path, "a period that had ended when it was given".to_owned());
                return;
            }
            if from.is_none() {
                self.remark(
                    path,
                    "a period without a beginning: permits nothing".to_owned(),
                );
            }
        }
        let undated_end = scope.end_ns.is_some() && scope.start_ns.max(given).is_none();
        let whole = scope.limits.is_empty() && !undated_end;
        let effect = if whole { Effect::Permit } else { Effect::Part };
        let Some(recipients) = &scope.recipients else {
            self.rule(effect, None, scope);
            return;
        };
        let mut anybody = false;
        for party in recipients {
            match party {
                Party::Institution(name) => {
                    self.rule(effect, Some(Arc::clone(name)), scope);
                    anybody = true;
                }
                Party::Within(name) => {
                    let reason = "narrower than this model (actor): permits nothing";
                    self.remark(path, reason.to_owned());
                    self.rule(Effect::Part, Some(Arc::clone(name)), scope);
                    anybody = true;
                }
                Party::Other => {}
            }
        }
        if !anybody {
            let reason = format!("permits nobody whom this model knows: {AS_DENIAL}");
            self.remark(path, reason);
            self.rule(Effect::Part, None, scope);
        }
    }

    fn deny(&mut self, provision: &Provision, outer: &Scope) {
        if provision.beside_treatment {
            let reason = "a denial that leaves treatment alone: no word here";
            self.remark(&format!("{}.purpose", provision.path), reason.to_owned());
            return;
        }
        let times = provision.start_ns.or(provision.end_ns).map(|_| "period");
        if let Some(name) = provision.limits.first().copied().or(times) {
            let reason = format!("narrower than this model ({name}): denied as a whole");
            self.remark(&format!("{}.{name}", provision.path), reason);
        }
        let recipients = provision.recipients.as_ref().or(outer.recipients.as_ref());
        let mut denied: BTreeSet<Option<Arc<str>>> = BTreeSet::new();
        for party in recipients.into_iter().flatten() {
            match party {
                Party::Institution(name) | Party::Within(name) => {
                    denied.extend(self.given.names.parts(name).into_iter().map(Some));
                    denied.insert(Some(Arc::clone(name)));
                }
                Party::Other => {
                    denied.insert(None);
                }
            }
        }
        if denied.is_empty() {
            denied.insert(None);
        }
        let mut scope = outer.narrowed(provision);
        for to in denied {
            let rule = self.rule(Effect::Deny, to, outer);
            scope.within.push(rule);
        }
        self.nested(provision, &scope);
    }
}

/// What the rules say to everybody and to each institution that they name.
fn words(rules: &[Rule]) -> Vec<Word> {
    let named: BTreeSet<Option<Arc<str>>> = rules.iter().map(|rule| rule.to.clone()).collect();
    // The word to everybody first: `None` comes before all names.
    named.into_iter().filter_map(|to| word(rules, to)).collect()
}

fn word(rules: &[Rule], to: Option<Arc<str>>) -> Option<Word> {
    let covers = |rule: &Rule| rule.to.is_none() || rule.to == to;
    let denials: Vec<usize> = (0..)
        .zip(rules)
        .filter(|(_, rule)| rule.effect == Effect::Deny && covers(rule))
        .map(|(at, _)| at)
        .collect();
    let permits = |rule: &&Rule| {
        rule.effect == Effect::Permit
            && covers(rule)
            && denials.iter().all(|at| rule.within.contains(at))
    };
    let to_itself = |rule: &&Rule| rule.to == to;
    // Of several permissions the one that ends first counts.
    let permission = rules
        .iter()
        .filter(permits)
        .filter(to_itself)
        .min_by_key(|rule| rule.period.map_or(i64::MAX, |(_, end)| end));
    if let Some(rule) = permission {
        return Some(Word {
            permit: true,
            to,
            from_ns: rule.from_ns,
            period: rule.period,
        });
    }
    let permitted_with_all = rules.iter().any(|rule| permits(&rule));
    let refuses = |rule: &Rule| rule.effect != Effect::Permit && rule.to == to;
    (!permitted_with_all && rules.iter().any(refuses)).then(|| Word::denial(to))
}
