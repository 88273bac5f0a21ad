//! `report.html` of reproduced experiments.

use super::curves::Curves;
use super::screen::{share, signed, stands, tally, value};
use super::sums;
use crate::figures;
use crate::files::ReportError;
use crate::headline::verdict as class;
use crate::html::table::{Cell, Table};
use crate::words;
use askama::Template;
use consim_check::experiment::{Row, Scored, Standing, exit_code};

struct Part {
    id: String,
    anchor: String,
    about: Option<String>,
    source: String,
    class: &'static str,
    seeds: u64,
    tally: String,
    svg: Option<String>,
    rows: Option<Table>,
    knees: Option<Table>,
    orders: Option<Table>,
    notes: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "experiments.html")]
struct Page<'a> {
    version: &'a str,
    answer: (&'static str, String),
    figure_css: String,
    parts: Vec<Part>,
}

/// The colour of a standing.
fn colour(standing: Standing) -> &'static str {
    match standing {
        Standing::In => "pass",
        Standing::Drawn | Standing::KnownMiss => "unknown",
        Standing::Missed | Standing::KnownMissGone => "fail",
    }
}

const HEAD: [&str; 7] = [
    "Row",
    "Metric",
    "Measured",
    "Simulated",
    "Error",
    "Within",
    "Verdict",
];

fn cells(row: &Row) -> Vec<Vec<Cell>> {
    let one = |figure: &consim_check::experiment::Figure| {
        let sd = figure.measured_sd;
        let sd = sd.map_or_else(String::new, |sd| format!(" ± {}", value(Some(sd))));
        let spread = figure.simulated_sd.filter(|sd| *sd > 0.0);
        let spread = spread.map_or_else(String::new, |sd| format!(" ± {}", value(Some(sd))));
        let standing = match (figure.standing, row.standing) {
            (Standing::Missed, Standing::KnownMiss) => Standing::KnownMiss,
            (Standing::In, Standing::KnownMissGone) => Standing::KnownMissGone,
            (standing, _) => standing,
        };
        vec![
            Cell::name(&row.name),
            Cell::Text(figure.metric.clone()),
            Cell::Number(format!(
                "{}{sd} {}",
                value(Some(figure.measured)),
                figure.unit
            )),
            Cell::Number(format!("{}{spread}", value(figure.simulated))),
            Cell::Number(signed(figure.error)),
            Cell::Number(share(figure.tolerance)),
            Cell::Badge(colour(standing), stands(figure, row)),
        ]
    };
    row.figures.iter().map(one).collect()
}

fn part(number: usize, experiment: &Scored, drawn: &[Curves]) -> Part {
    let knees = experiment.curves.iter().map(|curve| {
        vec![
            Cell::name(&curve.name),
            Cell::Number(value(Some(curve.measured))),
            Cell::Number(value(curve.simulated)),
            Cell::Number(signed(curve.error)),
            Cell::Badge(colour(curve.standing), curve.standing.words().into()),
        ]
    });
    let orders = experiment.orders.iter().map(|order| {
        let pairs = order.exchanged.iter();
        let pairs = pairs.map(|(a, b)| format!("{a} and {b} changed places"));
        vec![
            Cell::name(&order.metric),
            Cell::Text(pairs.collect::<Vec<_>>().join(", ")),
            Cell::Badge(colour(order.standing), order.standing.words().into()),
        ]
    });
    let notes = experiment.rows.iter().flat_map(|row| {
        let known = row.known_miss.iter().map(|n| format!("known miss: {n}"));
        let failed =
            (row.failed_runs > 0).then(|| format!("{} runs violated a check", row.failed_runs));
        known
            .chain(row.why.clone())
            .chain(failed)
            .map(|note| (words::clip(&row.name, 120), words::clip(&note, 600)))
    });
    Part {
        id: words::clip(&experiment.id, 120),
        anchor: format!("experiment-{}", number + 1),
        about: experiment.about.as_ref().map(|a| words::clip(a, 600)),
        source: words::clip(&experiment.source, 600),
        class: experiment.class,
        seeds: experiment.seeds,
        tally: tally(
            experiment.in_tolerance,
            experiment.scored,
            experiment.known_misses,
        ),
        svg: drawn
            .iter()
            .find(|f| f.experiment == number)
            .map(|f| f.svg.replace(figures::XMLNS, "")),
        rows: Table::of(&HEAD, experiment.rows.iter().flat_map(cells)),
        knees: Table::of(
            &[
                "Curve",
                "Measured knee, /s",
                "Simulated",
                "Error",
                "Verdict",
            ],
            knees,
        ),
        orders: Table::of(&["Order by", "Exchanged", "Verdict"], orders),
        notes: notes.collect(),
    }
}

pub(super) fn page(
    experiments: &[Scored],
    drawn: &[Curves],
    version: &str,
) -> Result<String, ReportError> {
    let (in_tolerance, scored, known) = sums(experiments);
    let good = exit_code(experiments) == 0;
    let tally = tally(in_tolerance, scored, known);
    let answer = if good {
        (class("pass"), format!("Reproduced: {tally}."))
    } else {
        (class("fail"), format!("Not reproduced: {tally}."))
    };
    let page = Page {
        version,
        answer,
        figure_css: figures::stylesheet(),
        parts: experiments
            .iter()
            .enumerate()
            .map(|(number, experiment)| part(number, experiment, drawn))
            .collect(),
    };
    let mut html = page.render()?;
    html.push('\n');
    Ok(html)
}
