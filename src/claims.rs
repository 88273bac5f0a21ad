//! `consim claims`: what is claimed of a system, judged by many runs.

use crate::cli::ClaimsArgs;
use crate::exit;
use crate::run::{Failure, STEPS, campaign_folder, of_cell, other, print_file};
use consim_check::claims::{Claim, Metrics, judge};
use consim_scenarios::claims::PAPER_CLAIMS;
use consim_scenarios::diagnostic::Diagnostics;
use consim_scenarios::library;
use consim_scenarios::run::cells;
use consim_scenarios::{LoadOptions, Study, study, study_bytes};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What the folder of results holds last.
const LAST: &str = "claims.json";
/// Between the ends of a range of claims.
const TO: &str = "..";

/// Runs the verb; returns the exit code.
pub(crate) fn claims(args: &ClaimsArgs) -> u8 {
    run(args).unwrap_or_else(|(code, message)| {
        eprintln!("error: {message}");
        code
    })
}

fn run(args: &ClaimsArgs) -> Result<u8, Failure> {
    let dir = campaign_folder(&args.campaign, "results/claims", LAST)?;
    let chosen = chosen(&args.names)?;
    let mut judged: Vec<(Claim, Vec<Metrics>)> = Vec::new();
    for study in &chosen.studies {
        judged.extend(all_runs(args, study)?);
    }
    let claimed = judge(&judged);
    let version = env!("CARGO_PKG_VERSION");
    consim_reports::write_claims(&claimed, &chosen.without, version, &dir).map_err(other)?;
    if args.campaign.json {
        print_file(&dir.join(LAST))?;
    } else if !args.campaign.quiet {
        say!(
            "{}",
            consim_reports::claims_summary(&claimed, &chosen.without)
        );
        sayln!("report: {}", dir.join("report.html").display());
    }
    Ok(exit::PASS)
}

/// What is to be judged.
#[derive(Default)]
struct Chosen {
    studies: Vec<Study>,
    /// Claims of the paper that no scenario judges, in their order.
    without: Vec<(String, String)>,
}

/// The studies of the names, each with those of its claims that were asked for.
fn chosen(names: &[String]) -> Result<Chosen, Failure> {
    let (mut wanted, mut files) = (BTreeSet::new(), Vec::new());
    for name in names {
        if Path::new(name).is_file() {
            files.push(PathBuf::from(name));
            continue;
        }
        let (first, last) = name.split_once(TO).unwrap_or((name, name));
        let range = place(first)?..=place(last)?;
        if range.is_empty() {
            let message = format!("`{name}` runs backwards; write {last}{TO}{first}");
            return Err((exit::BAD_INPUT, message));
        }
        wanted.extend(range);
    }
    if names.is_empty() {
        wanted.extend(0..PAPER_CLAIMS.len());
    }
    let mut wanted: BTreeSet<&str> = wanted
        .iter()
        .filter_map(|&place| PAPER_CLAIMS.get(place))
        .map(|claim| claim.name)
        .collect();
    let mut out = Chosen::default();
    let bad = |found: Diagnostics| (exit::BAD_INPUT, format!("\n{}", found.render()));
    let options = LoadOptions {
        cwd: std::env::current_dir().unwrap_or_default(),
        ..LoadOptions::default()
    };
    for entry in library::claims().filter(|_| !wanted.is_empty()) {
        let study = study_bytes(Path::new(entry.path), entry.text().as_bytes(), &options);
        let mut study = study.map_err(bad)?;
        study
            .claims
            .retain(|claim| wanted.contains(claim.name.as_str()));
        if !study.claims.is_empty() {
            out.studies.push(study);
        }
    }
    for file in files {
        let study = study(&file, &options).map_err(bad)?;
        if study.claims.is_empty() {
            let message = format!("{} holds no `claims`", file.display());
            return Err((exit::BAD_INPUT, message));
        }
        out.studies.push(study);
    }
    for claim in out.studies.iter().flat_map(|study| &study.claims) {
        wanted.remove(claim.name.as_str());
    }
    let without = PAPER_CLAIMS
        .iter()
        .filter(|claim| wanted.contains(claim.name));
    out.without = without
        .map(|claim| (claim.name.to_owned(), claim.says.to_owned()))
        .collect();
    out.studies.sort_by_key(|study| {
        let name = study.claims.first().map(|claim| claim.name.clone());
        let paper = |name: &String| PAPER_CLAIMS.iter().position(|claim| claim.name == *name);
        name.as_ref().and_then(paper).unwrap_or(usize::MAX)
    });
    Ok(out)
}

/// The place of a claim of the paper.
fn place(name: &str) -> Result<usize, Failure> {
    let place = PAPER_CLAIMS.iter().position(|claim| claim.name == name);
    place.ok_or_else(|| {
        let message = format!(
            "no claim is called `{name}`, and no file; `consim list claims` shows them, and ranges are written claim-1..claim-22"
        );
        (exit::BAD_INPUT, message)
    })
}

/// The runs of a study: those of the most seeds that one of its claims asks for.
fn all_runs(args: &ClaimsArgs, study: &Study) -> Result<Vec<(Claim, Vec<Metrics>)>, Failure> {
    let threads = args.campaign.threads();
    let most = study.claims.iter().map(|claim| claim.seeds).max();
    let seeds = args.campaign.seeds.or(most).unwrap_or(1);
    let names: Vec<&str> = study
        .claims
        .iter()
        .map(|claim| claim.name.as_str())
        .collect();
    let bar = crate::run::bar(
        args.campaign.quiet,
        format!("{}, {seeds} seeds", names.join(", ")),
    );
    let progress = |done: f64| bar.set_position((done * STEPS as f64) as u64);
    let hooks = args.campaign.seeded.hooks();
    let ran = cells::runs_of_claims(study, seeds, threads, &hooks, &progress);
    bar.finish_and_clear();
    let runs = ran.map_err(|error| of_cell(error, "a run"))?;
    let of = |claim: &Claim| {
        let seeds = args.campaign.seeds.unwrap_or(claim.seeds);
        let seeds = usize::try_from(seeds).unwrap_or(usize::MAX);
        (claim.clone(), runs.iter().take(seeds).cloned().collect())
    };
    Ok(study.claims.iter().map(of).collect())
}
