//! `consim list`: what there is, from the registries.

use crate::cli::{ListArgs, What};
use crate::exit;
use consim_scenarios::registries::{self, Entry};

const ALL: &[(What, &str)] = &[
    (What::Scenarios, "scenarios"),
    (What::Protocols, "protocols"),
    (What::Models, "models"),
    (What::Changes, "changes"),
    (What::Faults, "faults"),
    (What::Attacks, "attacks"),
    (What::Checks, "checks"),
    (What::Metrics, "metrics"),
    (What::Points, "points"),
    (What::Marks, "marks"),
    (What::Profiles, "profiles"),
    #[cfg(feature = "seeded-bugs")]
    (What::Bugs, "bugs"),
];

/// Runs the verb; returns the exit code.
pub(crate) fn list(args: &ListArgs) -> u8 {
    let mut rows = Vec::new();
    for &(_, heading) in ALL
        .iter()
        .filter(|(w, _)| args.what.is_none_or(|only| only == *w))
    {
        let entries = registries::list(heading);
        if args.json {
            rows.extend(entries.iter().map(|e| {
                serde_json::json!({ "name": e.name, "code": e.code, "since": e.since, "help": e.help, "kind": heading })
            }));
        } else {
            print_section(heading, &entries);
        }
    }
    if args.json {
        sayln!("{:#}", serde_json::Value::Array(rows));
    }
    exit::PASS
}

fn print_section(heading: &str, entries: &[Entry]) {
    sayln!("{heading}");
    let width = entries.iter().map(|e| e.name.len()).max().unwrap_or(0);
    for e in entries {
        sayln!("  {:width$}  {:4}  {}", e.name, e.code, e.help);
    }
    if entries.is_empty() {
        sayln!("  (none in this version)");
    }
    sayln!("");
}
