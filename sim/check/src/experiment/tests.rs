#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_cmp)]

use super::*;
use crate::verdict::{EXIT_EXPECTATION, EXIT_PASS};

fn figure(metric: &str, measured: f64, sd: Option<f64>) -> FigureSpec {
    FigureSpec {
        metric: metric.into(),
        unit: "/s",
        measured,
        sd,
        scored: true,
    }
}

fn row(name: &str, figures: Vec<FigureSpec>) -> RowSpec {
    RowSpec {
        name: name.into(),
        offered: None,
        curve: String::new(),
        figures,
        why: None,
        known_miss: None,
    }
}

fn spec(class: Class, rows: Vec<RowSpec>) -> Spec {
    Spec {
        id: "X".into(),
        about: None,
        source: "a paper".into(),
        class,
        order: Vec::new(),
        rows,
    }
}

fn ran(values: &[&[f64]]) -> Ran {
    let some = |values: &&[f64]| values.iter().map(|v| Some(*v)).collect();
    Ran {
        values: values.iter().map(some).collect(),
        failed: 0,
    }
}

#[test]
fn an_error_is_signed_and_of_the_mean_over_the_seeds() {
    let spec = spec(
        Class::Lan,
        vec![row("a", vec![figure("throughput", 100.0, None)])],
    );
    let scored = score(&spec, &[ran(&[&[94.0, 98.0]])]);
    let figure = &scored.rows[0].figures[0];
    assert_eq!(figure.simulated, Some(96.0));
    assert!((figure.error.unwrap() + 0.04).abs() < 1e-12);
    assert!((figure.simulated_sd.unwrap() - 8f64.sqrt()).abs() < 1e-12);
    assert_eq!(figure.standing, Standing::In);
    assert_eq!(
        (scored.in_tolerance, scored.scored, scored.seeds),
        (1, 1, 2)
    );
    assert_eq!(exit_code(&[scored]), EXIT_PASS);
}

#[test]
fn classes_have_their_own_tolerances() {
    for (class, error, standing) in [
        (Class::BftWan, 0.14, Standing::In),
        (Class::Dag, 0.14, Standing::Missed),
        (Class::Gossip, 0.34, Standing::In),
        (Class::Lan, -0.16, Standing::Missed),
    ] {
        let spec = spec(
            class,
            vec![row("a", vec![figure("latency_mean", 10.0, None)])],
        );
        let scored = score(&spec, &[ran(&[&[10.0 * (1.0 + error)]])]);
        assert_eq!(scored.rows[0].standing, standing, "{class:?} {error}");
    }
}

#[test]
fn two_published_deviations_are_tolerated_and_a_wide_spread_is_drawn() {
    let rows = vec![
        row("a", vec![figure("throughput", 100.0, Some(6.0))]),
        row("b", vec![figure("throughput", 100.0, Some(21.0))]),
    ];
    let scored = score(
        &spec(Class::Lan, rows),
        &[ran(&[&[89.0]]), ran(&[&[200.0]])],
    );
    assert_eq!(scored.rows[0].standing, Standing::In);
    assert!((scored.rows[0].figures[0].tolerance - 0.12).abs() < 1e-12);
    assert_eq!(scored.rows[1].standing, Standing::Drawn);
    assert_eq!(scored.scored, 1);
    assert_eq!(exit_code(&[scored]), EXIT_PASS);
}

#[test]
fn a_miss_a_known_miss_and_one_that_has_gone() {
    let one = |known: bool, value: f64| {
        let mut row = row("a", vec![figure("throughput", 100.0, None)]);
        row.known_miss = known.then(|| "a reason".into());
        score(&spec(Class::Lan, vec![row]), &[ran(&[&[value]])])
    };
    for (known, value, standing, code) in [
        (false, 90.0, Standing::Missed, EXIT_EXPECTATION),
        (true, 90.0, Standing::KnownMiss, EXIT_PASS),
        (true, 99.0, Standing::KnownMissGone, EXIT_EXPECTATION),
        (false, 99.0, Standing::In, EXIT_PASS),
    ] {
        let scored = one(known, value);
        assert_eq!(scored.rows[0].standing, standing, "{known} {value}");
        assert_eq!(exit_code(&[scored]), code, "{known} {value}");
    }
}

#[test]
fn a_run_that_fed_nothing_or_failed_is_a_miss() {
    let rows = || vec![row("a", vec![figure("throughput", 100.0, None)])];
    let nothing = Ran {
        values: vec![vec![Some(100.0), None]],
        failed: 0,
    };
    let failed = Ran {
        failed: 1,
        ..ran(&[&[100.0]])
    };
    for ran in [nothing, failed, Ran::default()] {
        let scored = score(&spec(Class::Lan, rows()), &[ran]);
        assert_eq!(scored.rows[0].standing, Standing::Missed);
        assert_eq!(exit_code(&[scored]), EXIT_EXPECTATION);
    }
}

/// Offered 10, 20, 30, 40; measured until 30, past the knee at 40.
fn curve(simulated: [f64; 4]) -> Scored {
    curve_of([10.0, 20.0, 29.0, 30.0], simulated)
}
fn curve_of(measured: [f64; 4], simulated: [f64; 4]) -> Scored {
    curve_with(measured, simulated, None)
}
/// The same; of the third row a miss is known.
fn curve_with(measured: [f64; 4], simulated: [f64; 4], known_miss: Option<&str>) -> Scored {
    let rows = measured.iter().zip([10.0, 20.0, 30.0, 40.0]);
    let rows = rows.map(|(&measured, offered)| RowSpec {
        offered: Some(offered),
        known_miss: known_miss.filter(|_| offered == 30.0).map(str::to_owned),
        ..row("r", vec![figure("throughput", measured, None)])
    });
    let ran: Vec<Ran> = simulated.iter().map(|&s| ran(&[&[s]])).collect();
    score(&spec(Class::Lan, rows.collect()), &ran)
}

#[test]
fn knees_are_compared_and_what_lies_past_them_is_not() {
    let same = curve([10.0, 20.0, 29.5, 36.5]);
    assert_eq!(same.rows[3].standing, Standing::Drawn);
    assert_eq!(same.rows[3].figures[0].drawn, Some("past the knee"));
    assert_eq!(same.curves[0].standing, Standing::In);
    assert_eq!(same.curves[0].measured, 30.0);
    assert_eq!((same.in_tolerance, same.scored), (4, 4));
    let late = curve([10.0, 20.0, 29.5, 40.0]);
    assert_eq!(late.curves[0].simulated, Some(40.0));
    assert_eq!(late.curves[0].standing, Standing::Missed);
    assert_eq!(exit_code(&[late]), EXIT_EXPECTATION);
}

#[test]
fn a_row_that_falls_short_below_the_knee_is_not_past_it() {
    let scored = curve_of([9.0, 20.0, 29.0, 30.0], [9.9, 20.0, 29.5, 36.5]);
    assert_eq!(scored.rows[0].figures[0].drawn, None);
    assert_eq!(scored.rows[3].figures[0].drawn, Some("past the knee"));
    assert_eq!(scored.curves[0].measured, 30.0);
    assert_eq!(scored.curves[0].standing, Standing::In);
    let beyond = curve_of([9.0, 18.0, 27.0, 30.0], [10.0, 20.0, 29.5, 36.5]);
    assert!(beyond.rows.iter().all(|r| r.standing == Standing::Drawn));
    assert!(beyond.curves.is_empty());
}

#[test]
fn a_knee_at_a_row_that_misses_for_a_known_reason_does_so_too() {
    let measured = [10.0, 20.0, 29.0, 30.0];
    let early = |known| curve_with(measured, [10.0, 20.0, 27.0, 27.0], known);
    let missed = early(None);
    assert_eq!(missed.curves[0].standing, Standing::Missed);
    let known = early(Some("a reason"));
    assert_eq!(known.curves[0].simulated, Some(20.0));
    assert_eq!(known.curves[0].standing, Standing::KnownMiss);
    assert_eq!(known.rows[2].standing, Standing::KnownMiss);
    assert_eq!(exit_code(&[known]), 0);
    // One that has gone counts, whatever the knee does.
    let gone = curve_with(measured, [10.0, 20.0, 29.5, 36.5], Some("a reason"));
    assert_eq!(gone.curves[0].standing, Standing::In);
    assert_eq!(exit_code(&[gone]), EXIT_EXPECTATION);
}

#[test]
fn an_order_is_exact() {
    let rows = || {
        let rows = [("a", 19.0), ("b", 18.9), ("c", 17.0)];
        let rows = rows.map(|(name, value)| row(name, vec![figure("throughput", value, None)]));
        Spec {
            order: vec!["throughput".into()],
            ..spec(Class::Lan, rows.to_vec())
        }
    };
    let good = score(
        &rows(),
        &[ran(&[&[18.9]]), ran(&[&[18.8]]), ran(&[&[17.1]])],
    );
    assert_eq!(good.orders[0].standing, Standing::In);
    let bad = score(
        &rows(),
        &[ran(&[&[18.8]]), ran(&[&[18.9]]), ran(&[&[17.1]])],
    );
    assert_eq!(bad.orders[0].exchanged, [("a".into(), "b".into())]);
    assert_eq!(exit_code(&[bad]), EXIT_EXPECTATION);
}

#[test]
fn every_class_stands_in_the_table_once() {
    for line in TOLERANCES {
        assert_eq!(tolerances(line.class), &line);
    }
    assert_eq!(kind("chains.a.consensus_latency_mean"), Some(Kind::Latency));
    assert_eq!(
        kind("chains.a.end_to_end_latency_mean"),
        Some(Kind::Latency)
    );
    assert_eq!(kind("workloads.w.throughput"), Some(Kind::Throughput));
    assert_eq!(kind("height"), None);
}
