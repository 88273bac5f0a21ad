//! Measured against simulated, row by row.

use super::tolerances::{Class, DEVIATIONS, KNEE, SPREAD, tolerances};
use crate::verdict::{EXIT_EXPECTATION, EXIT_PASS};
use serde::Serialize;

/// A published experiment.
#[derive(Clone, PartialEq, Debug)]
pub struct Spec {
    /// Its short name.
    pub id: String,
    /// What it is about.
    pub about: Option<String>,
    /// Where it was published.
    pub source: String,
    /// The class of its tolerances.
    pub class: Class,
    /// Metrics whose order over the rows is that of the measured ones.
    pub order: Vec<String>,
    /// Its rows.
    pub rows: Vec<RowSpec>,
}

/// A published row.
#[derive(Clone, PartialEq, Debug)]
pub struct RowSpec {
    /// What sets it apart from the others, in words.
    pub name: String,
    /// The load that is offered, per second, if it does not wait for answers.
    pub offered: Option<f64>,
    /// What the row has besides its load: rows that agree in it are one curve.
    pub curve: String,
    /// What was measured.
    pub figures: Vec<FigureSpec>,
    /// Why it is not scored, or anything else that a reader should know.
    pub why: Option<String>,
    /// The reason for which it is out of its tolerance.
    pub known_miss: Option<String>,
}

/// A published figure.
#[derive(Clone, PartialEq, Debug)]
pub struct FigureSpec {
    /// The path of its metric.
    pub metric: String,
    /// Its unit in words.
    pub unit: &'static str,
    /// The mean.
    pub measured: f64,
    /// The standard deviation.
    pub sd: Option<f64>,
    /// Is it to be scored?
    pub scored: bool,
}

/// How a figure, a row, a knee or an order stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Not scored.
    Drawn,
    /// In its tolerance.
    In,
    /// Out of it, for a known reason.
    KnownMiss,
    /// In it, though a reason is given for which it would not be.
    KnownMissGone,
    /// Out of it.
    Missed,
}

impl Standing {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Drawn => "drawn",
            Self::In => "in tolerance",
            Self::KnownMiss => "known miss",
            Self::KnownMissGone => "known miss has gone",
            Self::Missed => "missed",
        }
    }
    /// Does it end the command with the exit code of a missed expectation?
    pub const fn counts_against(self) -> bool {
        matches!(self, Self::KnownMissGone | Self::Missed)
    }
}

/// A figure beside the published one.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    /// The path of its metric.
    pub metric: String,
    /// Its unit in words.
    pub unit: &'static str,
    /// The published mean.
    pub measured: f64,
    /// The published standard deviation.
    pub measured_sd: Option<f64>,
    /// The mean over the seeds; none if a run fed nothing.
    pub simulated: Option<f64>,
    /// The standard deviation over the seeds, of two and more.
    pub simulated_sd: Option<f64>,
    /// Simulated over measured, less one.
    pub error: Option<f64>,
    /// By how much it may differ: the tolerance of the class, or more if the published values themselves
    /// spread more.
    pub tolerance: f64,
    /// How it stands; by itself, whatever its row says.
    pub standing: Standing,
    /// Why it is drawn and not scored.
    pub drawn: Option<&'static str>,
}

/// A row beside the published one.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// What sets it apart.
    pub name: String,
    /// The load that is offered, per second.
    pub offered: Option<f64>,
    /// Its figures.
    pub figures: Vec<Figure>,
    /// Runs in which a check was violated: such a row is missed whatever its figures say.
    pub failed_runs: u64,
    /// How it stands.
    pub standing: Standing,
    /// Why it is not scored.
    pub why: Option<String>,
    /// The reason for which it is out of its tolerance.
    pub known_miss: Option<String>,
}

/// Where the knees of a curve lie.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Curve {
    /// What its rows have in common; empty if there is one curve.
    pub name: String,
    /// The measured knee, per second.
    pub measured: f64,
    /// The simulated one; none if no row commits what is offered.
    pub simulated: Option<f64>,
    /// Simulated over measured, less one.
    pub error: Option<f64>,
    /// How it stands.
    pub standing: Standing,
}

/// Whether the rows stand in the order that was measured.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Order {
    /// Of which metric.
    pub metric: String,
    /// Rows that changed places.
    pub exchanged: Vec<(String, String)>,
    /// How it stands.
    pub standing: Standing,
}

/// A scored experiment.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Scored {
    /// Its short name.
    pub id: String,
    /// What it is about.
    pub about: Option<String>,
    /// Where it was published.
    pub source: String,
    /// The word of its class.
    pub class: &'static str,
    /// Over how many seeds each row is.
    pub seeds: u64,
    /// Its rows.
    pub rows: Vec<Row>,
    /// The knees of its curves.
    pub curves: Vec<Curve>,
    /// The orders that its file asks for.
    pub orders: Vec<Order>,
    /// Figures, knees and orders that are in their tolerance.
    pub in_tolerance: u64,
    /// All that are scored.
    pub scored: u64,
    /// Rows that are out of their tolerance for a known reason.
    pub known_misses: u64,
}

/// What the runs of a row came to: the values of each figure by seed, and how many runs failed.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Ran {
    /// `[figure][seed]`; none where a run fed nothing.
    pub values: Vec<Vec<Option<f64>>>,
    /// Runs in which a check was violated.
    pub failed: u64,
}

/// The exit code of several experiments together.
pub fn exit_code(experiments: &[Scored]) -> u8 {
    let against = |e: &Scored| {
        let rows = e.rows.iter().map(|r| r.standing);
        let curves = e.curves.iter().map(|c| c.standing);
        let orders = e.orders.iter().map(|o| o.standing);
        rows.chain(curves)
            .chain(orders)
            .any(Standing::counts_against)
    };
    if experiments.iter().any(against) {
        EXIT_EXPECTATION
    } else {
        EXIT_PASS
    }
}

/// Sets what the runs came to beside what was measured.
pub fn score(spec: &Spec, ran: &[Ran]) -> Scored {
    let allowed = tolerances(spec.class);
    let nothing = Ran::default();
    let rows: Vec<Row> = spec
        .rows
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let ran = ran.get(i).unwrap_or(&nothing);
            let past = is_past(spec, row, allowed.throughput);
            let figures = row.figures.iter().enumerate();
            let figures = figures.map(|(k, figure)| {
                let values = ran.values.get(k).map_or(&[][..], Vec::as_slice);
                one(figure, values, allowed.of(&figure.metric), past)
            });
            let figures: Vec<Figure> = figures.collect();
            Row {
                name: row.name.clone(),
                offered: row.offered,
                standing: standing(&figures, ran.failed, row.known_miss.is_some()),
                figures,
                failed_runs: ran.failed,
                why: row.why.clone(),
                known_miss: row.known_miss.clone(),
            }
        })
        .collect();
    let curves = curves(spec, &rows, allowed.throughput);
    let orders: Vec<Order> = spec.order.iter().map(|m| order(m, &rows)).collect();
    let figures = rows.iter().flat_map(|row| &row.figures);
    let all = figures.map(|f| f.standing);
    let all = all.chain(curves.iter().map(|c| c.standing));
    let all: Vec<Standing> = all.chain(orders.iter().map(|o| o.standing)).collect();
    let count = |which: fn(&&Standing) -> bool| all.iter().filter(which).count() as u64;
    Scored {
        id: spec.id.clone(),
        about: spec.about.clone(),
        source: spec.source.clone(),
        class: allowed.word,
        seeds: ran
            .iter()
            .flat_map(|row| row.values.iter().map(Vec::len))
            .max()
            .unwrap_or(0) as u64,
        in_tolerance: count(|s| **s == Standing::In),
        scored: count(|s| **s != Standing::Drawn),
        known_misses: rows
            .iter()
            .filter(|row| row.standing == Standing::KnownMiss)
            .count() as u64,
        rows,
        curves,
        orders,
    }
}

/// Is `done` all that was offered, but for the tolerance?
fn keeps(offered: f64, done: f64, tolerance: f64) -> bool {
    done >= offered * (1.0 - tolerance)
}

/// Was less committed than is tolerated of what was offered, here and wherever more was offered on this curve?
/// Then real runs spread too much to be compared.
fn is_past(spec: &Spec, row: &RowSpec, tolerance: f64) -> bool {
    let Some(load) = row.offered else {
        return false;
    };
    let kept = |row: &RowSpec| {
        let throughput = row.figures.iter().find(|f| f.metric == "throughput");
        let measured = throughput.map(|f| f.measured).zip(row.offered);
        measured.is_none_or(|(measured, offered)| keeps(offered, measured, tolerance))
    };
    let above = |other: &&RowSpec| other.curve == row.curve && other.offered >= Some(load);
    !spec.rows.iter().filter(above).any(kept)
}

fn mean_and_sd(values: &[Option<f64>]) -> (Option<f64>, Option<f64>) {
    let known: Option<Vec<f64>> = values.iter().copied().collect();
    let Some(known) = known.filter(|known| !known.is_empty()) else {
        return (None, None);
    };
    let n = known.len() as f64;
    let mean = known.iter().sum::<f64>() / n;
    if known.len() < 2 {
        return (Some(mean), None);
    }
    let squares: f64 = known.iter().map(|v| (v - mean) * (v - mean)).sum();
    (Some(mean), Some(libm::sqrt(squares / (n - 1.0))))
}

fn one(spec: &FigureSpec, values: &[Option<f64>], tolerance: f64, past: bool) -> Figure {
    let (simulated, simulated_sd) = mean_and_sd(values);
    let error = simulated.map(|s| s / spec.measured - 1.0);
    let spread = spec.sd.map_or(0.0, |sd| sd / spec.measured);
    let tolerance = f64::max(tolerance, DEVIATIONS * spread);
    let drawn = if !spec.scored {
        Some("its file says so")
    } else if past {
        Some("past the knee")
    } else if spread > SPREAD {
        Some("published runs spread too much")
    } else {
        None
    };
    let standing = match (drawn, error) {
        (Some(_), _) => Standing::Drawn,
        (None, Some(error)) if error.abs() <= tolerance => Standing::In,
        (None, _) => Standing::Missed,
    };
    Figure {
        metric: spec.metric.clone(),
        unit: spec.unit,
        measured: spec.measured,
        measured_sd: spec.sd,
        simulated,
        simulated_sd,
        error,
        tolerance,
        standing,
        drawn,
    }
}

/// How a row stands by its figures.
fn standing(figures: &[Figure], failed: u64, known: bool) -> Standing {
    let worst = figures.iter().map(|f| f.standing).max();
    let worst = worst.unwrap_or(Standing::Drawn);
    if failed > 0 {
        return Standing::Missed;
    }
    match (worst, known) {
        (Standing::Missed, true) => Standing::KnownMiss,
        (_, true) => Standing::KnownMissGone,
        (worst, false) => worst,
    }
}

/// Offered, measured, simulated, and whether the row is a known miss.
type Point = (f64, f64, Option<f64>, bool);

/// The knee of each curve of which a row was measured past it.
fn curves(spec: &Spec, rows: &[Row], tolerance: f64) -> Vec<Curve> {
    let mut names: Vec<&str> = spec.rows.iter().map(|row| row.curve.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| {
        let points = spec.rows.iter().zip(rows).filter(|(s, _)| s.curve == name);
        let mut points: Vec<Point> = points
            .filter_map(|(_, row)| {
                let figure = row.figures.iter().find(|f| f.metric == "throughput")?;
                let known = row.known_miss.is_some();
                Some((row.offered?, figure.measured, figure.simulated, known))
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let kept = |p: &Point, done: f64| keeps(p.0, done, tolerance);
        // Measured runs spread: one that falls short below another that does not is not past the knee.
        let measured = points.iter().rposition(|p| kept(p, p.1))?;
        points.get(measured + 1)?;
        let &(measured, _, _, known) = points.get(measured)?;
        let simulated = points.iter();
        let simulated = simulated.take_while(|p| p.2.is_some_and(|done| kept(p, done)));
        let simulated = simulated.last().map(|p| p.0);
        let error = simulated.map(|s| s / measured - 1.0);
        let near = error.is_some_and(|e| e.abs() <= KNEE);
        Some(Curve {
            name: name.to_owned(),
            measured,
            simulated,
            error,
            standing: match (near, known) {
                (true, _) => Standing::In,
                // What is known of the row there is known of the knee.
                (false, true) => Standing::KnownMiss,
                (false, false) => Standing::Missed,
            },
        })
    };
    names.into_iter().filter_map(of).collect()
}

/// The order of all rows that measured a metric.
fn order(metric: &str, rows: &[Row]) -> Order {
    let points: Vec<(&str, f64, Option<f64>)> = rows
        .iter()
        .filter_map(|row| {
            let figure = row.figures.iter().find(|f| f.metric == metric)?;
            Some((row.name.as_str(), figure.measured, figure.simulated))
        })
        .collect();
    let mut exchanged = Vec::new();
    for (i, a) in points.iter().enumerate() {
        for b in points.iter().skip(i + 1) {
            let same = match (a.2, b.2) {
                (Some(x), Some(y)) => a.1.total_cmp(&b.1) == x.total_cmp(&y),
                _ => false,
            };
            if !same {
                exchanged.push((a.0.to_owned(), b.0.to_owned()));
            }
        }
    }
    let standing = if exchanged.is_empty() {
        Standing::In
    } else {
        Standing::Missed
    };
    Order {
        metric: metric.to_owned(),
        exchanged,
        standing,
    }
}
