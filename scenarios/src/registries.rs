//! What a scenario can name, for `consim list`: read off the registries.

use crate::claims::PAPER_CLAIMS;
use crate::library::LIBRARY;
use crate::profiles::PROFILES;
use crate::schema::shape::{Choice, Shape};
use crate::schema::{AttackKind, ChangeKind, Decode, FaultKind, ServiceKind, WorkloadKind};
use consim_check::invariants::CHECKS;
use consim_check::metrics::METRICS;
pub use consim_core::SeededBug;
use consim_core::{Check, Mark, Severity, Span};
use consim_kernel::config::Point;
use consim_models::consensus::PROTOCOLS;
use consim_models::sharing::network::{Labels, LabelsKept};
use consim_models::{
    custody, device_samples, key_value, ledger, light, node, orders, relay, sharing,
};
use std::sync::Arc;

/// The version that has everything listed here.
const SINCE: &str = "0.1.0";

/// A line of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its word in scenarios.
    pub name: String,
    /// Its code in the catalogues, if it has one.
    pub code: String,
    /// The first version that has it.
    pub since: &'static str,
    /// One sentence.
    pub help: String,
}

fn entry(name: &str, code: &str, help: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        code: code.to_owned(),
        since: SINCE,
        help: help.trim().to_owned(),
    }
}

/// The lists that there are.
pub const LISTS: &[&str] = &[
    "scenarios",
    "protocols",
    "models",
    "changes",
    "faults",
    "attacks",
    "checks",
    "metrics",
    "points",
    "marks",
    "profiles",
    "claims",
    #[cfg(feature = "seeded-bugs")]
    "bugs",
];

/// The list `what`; empty for a word that is none of [`LISTS`].
pub fn list(what: &str) -> Vec<Entry> {
    match what {
        "scenarios" => LIBRARY
            .iter()
            .map(|s| entry(s.path, "", s.about()))
            .collect(),
        "protocols" => PROTOCOLS
            .iter()
            .map(|p| Entry {
                since: p.since,
                ..entry(p.name, "", p.help)
            })
            .collect(),
        "models" => variants::<ServiceKind>()
            .into_iter()
            .chain(variants::<WorkloadKind>())
            .collect(),
        "changes" => variants::<ChangeKind>(),
        "faults" => variants::<FaultKind>(),
        "attacks" => variants::<AttackKind>(),
        "checks" => CHECKS
            .iter()
            .map(|c| Entry {
                since: c.since,
                ..entry(c.name, c.code, c.says)
            })
            .chain(
                domain_checks()
                    .iter()
                    .map(|c| entry(c.name(), c.code(), c.says())),
            )
            .collect(),
        "metrics" => METRICS
            .iter()
            .map(|m| Entry {
                since: m.since,
                ..entry(m.name, "", m.help)
            })
            .collect(),
        "points" => Point::ALL
            .iter()
            .map(|(_, word, help)| entry(word, "P2", help))
            .collect(),
        "profiles" => PROFILES
            .iter()
            .map(|p| entry(&format!("{}/{}", p.folder, p.name), "", p.about()))
            .collect(),
        "claims" => PAPER_CLAIMS
            .iter()
            .map(|c| entry(c.name, c.section, c.says))
            .collect(),
        "marks" => marks().iter().map(|m| entry(m.name, "", m.says)).collect(),
        #[cfg(feature = "seeded-bugs")]
        "bugs" => bugs()
            .iter()
            .map(|b| entry(b.name, b.code, b.says))
            .collect(),
        _ => Vec::new(),
    }
}

/// All seeded bugs, protocols first. A build without the feature knows their names alone, for the
/// scenarios that name them.
pub fn bugs() -> Vec<&'static SeededBug> {
    let protocols = PROTOCOLS.iter().flat_map(|protocol| protocol.bugs);
    let lists = [
        node::BUGS,
        ledger::BUGS,
        light::BUGS,
        relay::BUGS,
        sharing::BUGS,
        orders::BUGS,
        key_value::BUGS,
        custody::BUGS,
        device_samples::BUGS,
        consim_core::seeded::BUGS,
        consim_kernel::BUGS,
        consim_check::BUGS,
    ];
    let others = lists.into_iter().flatten();
    protocols.chain(others).copied().collect()
}

/// All situations that searches count, protocols first.
pub fn marks() -> Vec<&'static Mark> {
    let protocols = PROTOCOLS.iter().flat_map(|protocol| protocol.marks);
    let lists = [
        node::MARKS,
        light::MARKS,
        sharing::MARKS,
        orders::MARKS,
        key_value::MARKS,
        custody::MARKS,
        device_samples::MARKS,
        consim_check::marks::MARKS,
    ];
    let others = lists.into_iter().flatten();
    protocols.chain(others).copied().collect()
}

/// The seeded bug with this name.
pub fn bug(name: &str) -> Option<&'static SeededBug> {
    bugs().into_iter().find(|bug| bug.name == name)
}

/// The checks that the domain models bring, told of no run.
fn domain_checks() -> Vec<Box<dyn Check>> {
    let mut checks = sharing::checks(&[], false, Span::ZERO);
    checks.push(Box::new(sharing::EmergencyReviewed::new(Span::ZERO)));
    let revocation = sharing::config::Revocation::Flag;
    checks.push(Box::new(sharing::Copies::new(&[], revocation, Span::ZERO)));
    checks.extend(key_value::checks(&[]));
    checks.extend(custody::checks());
    checks.extend(device_samples::checks());
    checks.extend(relay::checks(&Arc::default(), Span::ZERO));
    let labels = Labels {
        shares: [0; 3],
        draws: 0,
    };
    checks.push(Box::new(LabelsKept::new(labels, false)));
    checks
}

/// What a violation of the check `name` means; `None` if there is no such check.
pub fn severity(name: &str) -> Option<Severity> {
    let generic = CHECKS.iter().find(|c| c.name == name).map(|c| c.severity);
    generic.or_else(|| {
        let domain = domain_checks();
        domain
            .iter()
            .find(|c| c.name() == name)
            .map(|c| c.severity())
    })
}

/// The names of all checks.
pub(crate) fn check_names() -> Vec<&'static str> {
    let generic = CHECKS.iter().map(|c| c.name);
    generic
        .chain(domain_checks().iter().map(|c| c.name()))
        .collect()
}

fn variants<T: Decode>() -> Vec<Entry> {
    let Shape::Choice(Choice { variants, .. }) = T::shape() else {
        return Vec::new();
    };
    variants
        .iter()
        .map(|v| entry(v.name, v.code, v.help))
        .collect()
}

/// What to say about `word`, which is none of `known`: the nearest of them, and which there are.
pub fn suggest(word: &str, known: &[&str]) -> String {
    crate::schema::shape::suggestion(word, known)
}
