//! Claims: their verdicts, with the figures, as a page, a screen of text and data.

use crate::files::{File, ReportError, write_files};
use crate::headline::verdict as class;
use crate::html::table::{Cell, Table};
use crate::{figures, json, words};
use askama::Template;
use consim_check::claims::{Claimed, Judged, Standing};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

/// The version of the schema of `claims.json`.
const SCHEMA: u32 = 1;
/// Below this a chance is only said to be small.
const LEAST_P: f64 = 0.001;
/// Columns of a claim's name.
const NAME: usize = 10;

#[derive(Serialize)]
struct Judgement<'a> {
    schema: u32,
    version: &'a str,
    claims: &'a [Claimed],
    /// Claims that were asked for and that no scenario of this version judges: name, what it says.
    without_scenario: &'a [(String, String)],
}

struct Part<'a> {
    claim: &'a Claimed,
    colour: &'static str,
    chances: String,
    table: Option<Table>,
}

#[derive(Template)]
#[template(path = "claims.html")]
struct Page<'a> {
    version: &'a str,
    figure_css: String,
    tally: String,
    parts: Vec<Part<'a>>,
    without: &'a [(String, String)],
}

/// The colour of a standing.
fn colour(standing: Standing) -> &'static str {
    class(match standing {
        Standing::Supported => "pass",
        Standing::Limited | Standing::NotTestable => "unknown",
        Standing::Refuted => "fail",
    })
}

fn chance(p: f64) -> String {
    if p < LEAST_P {
        format!("below {LEAST_P}")
    } else {
        format!("{p:.3}")
    }
}

fn chances(claim: &Claimed) -> String {
    format!(
        "by chance: supported {}, refuted {}",
        chance(claim.p_supported),
        chance(claim.p_refuted)
    )
}

/// A condition: the mean with its interval, and under how many seeds it held.
fn figures(judged: &Judged) -> (String, String) {
    let value = |x: f64| match judged.unit {
        "ms" => words::millis(x),
        "share" => words::percent(x),
        "/s" => format!("{}{}/s", words::short(x), words::NBSP),
        _ => words::short(x),
    };
    let mean = judged.mean.as_ref();
    let mean = mean.map_or_else(|| "–".into(), |mean| words::estimate(mean, value));
    let held = format!(
        "{} of {}",
        words::count(judged.held),
        words::count(judged.seeds)
    );
    (mean, held)
}

fn rows(claim: &Claimed) -> impl Iterator<Item = Vec<Cell>> + '_ {
    let supports = claim.supported_if.iter().map(|j| ("supports", j));
    let refutes = claim.refuted_if.iter().map(|j| ("refutes", j));
    supports.chain(refutes).map(|(which, judged)| {
        let (mean, held) = figures(judged);
        vec![
            Cell::name(&judged.condition),
            Cell::Text(which.into()),
            Cell::Number(mean),
            Cell::Number(held),
            Cell::Number(chance(judged.p)),
        ]
    })
}

/// How many stand how, in words.
fn tally(claims: &[Claimed]) -> String {
    let all = [
        Standing::Supported,
        Standing::Limited,
        Standing::Refuted,
        Standing::NotTestable,
    ];
    let parts: Vec<String> = all
        .iter()
        .map(|standing| (standing, claims.iter().filter(|c| c.standing == *standing)))
        .map(|(standing, of)| (standing, of.count()))
        .filter(|(_, n)| *n > 0)
        .map(|(standing, n)| format!("{n} {}", standing.words()))
        .collect();
    if parts.is_empty() {
        return "no claim was judged".into();
    }
    parts.join(", ")
}

/// All files of judged claims. `without` names those that no scenario judges.
pub fn claim_files(
    claims: &[Claimed],
    without: &[(String, String)],
    version: &str,
) -> Result<Vec<File>, ReportError> {
    const HEAD: [&str; 5] = [
        "Condition",
        "If it holds, it",
        "Mean, 95 % interval",
        "Seeds",
        "By chance",
    ];
    let part = |claim| Part {
        claim,
        colour: colour(claim.standing),
        chances: chances(claim),
        table: Table::of(&HEAD, rows(claim)),
    };
    let page = Page {
        version,
        figure_css: figures::stylesheet(),
        tally: words::upper_first(&tally(claims)),
        parts: claims.iter().map(part).collect(),
        without,
    };
    let mut html = page.render()?;
    html.push('\n');
    Ok(vec![
        File {
            path: "report.html".into(),
            text: html,
        },
        File {
            path: "claims.json".into(),
            text: json::pretty(&Judgement {
                schema: SCHEMA,
                version,
                claims,
                without_scenario: without,
            })?,
        },
    ])
}

/// Writes them into a folder, which is made if there is none; `claims.json` last.
pub fn write_claims(
    claims: &[Claimed],
    without: &[(String, String)],
    version: &str,
    dir: &Path,
) -> Result<(), ReportError> {
    write_files(&claim_files(claims, without, version)?, dir)
}

/// Every claim with its verdict and its conditions.
pub fn claims_summary(claims: &[Claimed], without: &[(String, String)]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    for claim in claims {
        let _ = writeln!(
            out,
            "{:NAME$} {}: {}",
            claim.name,
            claim.standing.words(),
            claim.says
        );
        let supports = claim.supported_if.iter().map(|j| ("supports", j));
        let refutes = claim.refuted_if.iter().map(|j| ("refutes", j));
        for (which, judged) in supports.chain(refutes) {
            let (mean, held) = figures(judged);
            let _ = writeln!(
                out,
                "  {which} if {}: {mean}, held in {held}, by chance {}",
                judged.condition,
                chance(judged.p)
            );
        }
    }
    let _ = writeln!(out, "\n{}", tally(claims));
    if !without.is_empty() {
        let names: Vec<&str> = without.iter().map(|(name, _)| name.as_str()).collect();
        let _ = writeln!(
            out,
            "no scenario of this version judges {}",
            names.join(", ")
        );
    }
    out.replace(words::NBSP, " ")
}
