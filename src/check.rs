//! `consim check`: validates scenarios and prints the resolved plan.

use crate::cli::{CheckArgs, Format};
use crate::exit;
use crate::overrides::{draw_seed, load_options};
use consim_scenarios::diagnostic::Diagnostic;
use consim_scenarios::{Loaded, load, plan::Explained};

/// Runs the verb; returns the exit code.
pub(crate) fn check(args: &CheckArgs) -> u8 {
    let mut all: Vec<Diagnostic> = Vec::new();
    let mut bad = false;
    for file in &args.files {
        match load(file, &load_options(&args.overrides, draw_seed())) {
            Ok(loaded) => {
                bad |= args.strict && !loaded.warnings.is_empty();
                if args.format == Format::Text {
                    loaded
                        .warnings
                        .iter()
                        .for_each(|w| eprint!("{}", w.render()));
                    if !args.quiet {
                        explain(&loaded, args.changed);
                    }
                }
                all.extend(loaded.warnings);
            }
            Err(diagnostics) => {
                bad = true;
                if args.format == Format::Text {
                    eprint!("{}", diagnostics.render());
                }
                all.extend(diagnostics.list);
            }
        }
    }
    if args.format == Format::Json {
        let rows: Vec<serde_json::Value> = all.iter().map(Diagnostic::json).collect();
        println!("{:#}", serde_json::Value::Array(rows));
    }
    if bad { exit::BAD_INPUT } else { exit::PASS }
}

/// Prints the plan: what it comes to, then every value with its origin.
fn explain(loaded: &Loaded, changed: bool) {
    let plan = &loaded.plan;
    println!(
        "{}  plan {}",
        plan.name,
        plan.digest.get(..16).unwrap_or(&plan.digest)
    );
    let rows: Vec<_> = loaded
        .explain
        .iter()
        .filter(|row| !changed || row.changed())
        .collect();
    let width = |f: fn(&Explained) -> usize, most: usize| {
        rows.iter().map(|r| f(r)).max().unwrap_or(0).min(most)
    };
    let (path, value) = (
        width(|r| r.path.chars().count(), 56),
        width(|r| r.value.chars().count(), 40),
    );
    for row in rows {
        println!("{:path$}  {:value$}  {}", row.path, row.value, row.origin);
    }
    for note in &plan.notes {
        println!("note: {note}");
    }
}
