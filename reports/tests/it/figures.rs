//! The figures show what the results say, read back from the SVG.

use crate::drawing::{Axis, Drawing, millis, percent, plain};
use crate::support::{cases, sample};
use crate::{file, markup};
use consim_check::outcome::FaultOutcome;
use consim_check::results::Results;
use hdrhistogram::Histogram;

/// Colours of `figures/palette.rs`, as a reader of the SVG meets them.
const ORANGE: &str = "#E69F00";
const GREY: &str = "#8B949E";
const INK: &str = "#1C2128";
const BLUE: &str = "#0072B2";
const RED: &str = "#D55E00";

/// Half of the backend's unit and a rounding: what a position may be off, pixels.
const SLACK: f64 = 0.11;

fn drawing(results: &Results, name: &str) -> Drawing {
    Drawing::of(&file(results, &format!("figures/{name}.svg"))).unwrap()
}

/// Seconds on the time axis of a figure whose axis is in minutes.
fn minutes(drawing: &Drawing) -> impl Fn(f64) -> f64 {
    let axis = drawing.x_axis(plain, false);
    assert!(
        drawing
            .labels()
            .iter()
            .any(|l| l.text == "virtual time, min")
    );
    move |s: f64| axis.px(s / 60.0)
}

/// Faults whose window is not shaded where it should be.
fn unshaded(drawing: &Drawing, faults: &[FaultOutcome]) -> Vec<String> {
    let px = minutes(drawing);
    let shades = drawing.boxes(ORANGE);
    let shaded = |f: &&FaultOutcome| {
        shades.iter().any(|[left, _, right, _, opacity]| {
            (left - px(f.from_s)).abs() < SLACK
                && (right - px(f.to_s)).abs() < SLACK
                && (opacity - 0.2).abs() < 1e-9
        })
    };
    let missing = faults.iter().filter(|f| !shaded(f));
    missing.map(|f| f.id.clone()).collect()
}

#[test]
fn faults_are_shaded_where_they_were() {
    let results = sample();
    for name in ["throughput", "latency"] {
        let drawing = drawing(&results, name);
        let faults = &results.outcome.faults;
        assert_eq!(unshaded(&drawing, faults), Vec::<String>::new(), "{name}");
        let shades = drawing.boxes(ORANGE);
        let shades = shades.iter().filter(|b| b[4] < 1.0).count();
        assert_eq!(shades, faults.len(), "{name}: nothing else is shaded");
        // The check fails if a window moves by a bin.
        let mut moved = faults.clone();
        moved[1].from_s += results.interval_s;
        assert_eq!(unshaded(&drawing, &moved), ["city-cut"], "{name}");
        // Each name begins above the left end of its window.
        let px = minutes(&drawing);
        for fault in faults {
            let labels = drawing.labels();
            let label = labels.iter().find(|l| l.text == fault.id).unwrap();
            assert!(
                (label.x - px(fault.from_s)).abs() < SLACK,
                "{name}: {}",
                fault.id
            );
        }
        let warmup = drawing.boxes(GREY);
        assert_eq!(warmup.len(), 1);
        assert!((warmup[0][0] - px(0.0)).abs() < SLACK);
        assert!((warmup[0][2] - px(results.warmup_s)).abs() < SLACK);
    }
}

#[test]
fn windows_that_touch_are_one_shade_and_one_of_a_moment_is_seen() {
    let mut results = sample();
    let faults = &mut results.outcome.faults;
    (faults[0].from_s, faults[0].to_s) = (300.0, 600.0);
    (faults[1].from_s, faults[1].to_s) = (500.0, 720.0);
    (faults[2].from_s, faults[2].to_s) = (1200.0, 1200.0);
    let drawing = drawing(&results, "throughput");
    let px = minutes(&drawing);
    let shades = drawing.boxes(ORANGE);
    let shades: Vec<_> = shades.iter().filter(|b| b[4] < 1.0).collect();
    assert_eq!(shades.len(), 2);
    assert!((shades[0][0] - px(300.0)).abs() < SLACK && (shades[0][2] - px(720.0)).abs() < SLACK);
    assert!((shades[1][0] - px(1200.0)).abs() < SLACK && shades[1][2] > shades[1][0] + 1.0);
    // One that has not begun by the end is not drawn, one that never ends is drawn to the end.
    let faults = &mut results.outcome.faults;
    (faults[1].from_s, faults[1].to_s) = (2000.0, 2100.0);
    (faults[2].from_s, faults[2].to_s) = (1200.0, f64::INFINITY);
    let drawing = self::drawing(&results, "throughput");
    let shades = drawing.boxes(ORANGE);
    let shades: Vec<_> = shades.iter().filter(|b| b[4] < 1.0).collect();
    assert_eq!(shades.len(), 2);
    assert!((shades[1][2] - px(1800.0)).abs() < SLACK);
}

#[test]
fn the_script_knows_where_the_frame_is() {
    let results = sample();
    let page = markup::html(&file(&results, "report.html")).unwrap();
    let island: serde_json::Value = serde_json::from_str(&page.by_id("series").text()).unwrap();
    let at = |key: &str| island[key].as_f64().unwrap();
    let drawing = drawing(&results, "throughput");
    let px = minutes(&drawing);
    assert!((px(0.0) - at("left")).abs() < SLACK);
    assert!((px(at("end_s")) - at("right")).abs() < SLACK);
    assert!((drawing.size().0 - at("width")).abs() < SLACK);
    let y = drawing.y_axis(plain, false);
    assert!((y.px(0.0) - at("bottom")).abs() < SLACK);
    let shade = drawing
        .boxes(ORANGE)
        .into_iter()
        .find(|b| b[4] < 1.0)
        .unwrap();
    assert!((shade[1] - at("top")).abs() < SLACK);
    // Its rows are the bins.
    let rows = island["rows"].as_array().unwrap();
    assert_eq!(rows.len(), results.series.len());
    for (row, bin) in rows.iter().zip(&results.series) {
        let number = |i: usize| row[i].as_f64();
        let length = number(1).unwrap() - number(0).unwrap();
        let committed = number(2).unwrap() * length;
        assert!((committed - bin.committed as f64).abs() < 1e-6);
        assert_eq!(row[3].as_u64(), Some(bin.failed));
        assert_eq!(number(4).is_none(), bin.p50_ms.is_nan());
    }
}

#[test]
fn the_throughput_line_has_the_rate_of_each_bin() {
    let results = sample();
    let drawing = drawing(&results, "throughput");
    let (px, y) = (minutes(&drawing), drawing.y_axis(plain, false));
    let line = drawing
        .lines(Some(BLUE))
        .into_iter()
        .max_by_key(Vec::len)
        .unwrap();
    assert_eq!(line.len(), 2 * results.series.len());
    for (i, (step, bin)) in line.chunks(2).zip(&results.series).enumerate() {
        let (from, to) = (10.0 * i as f64, 10.0 * (i + 1) as f64);
        let rate = bin.committed as f64 / 10.0;
        assert!((step[0].0 - px(from)).abs() < SLACK && (step[1].0 - px(to)).abs() < SLACK);
        assert!(
            step.iter().all(|p| (p.1 - y.px(rate)).abs() < SLACK),
            "bin {i}"
        );
    }
    // A red bar for each bin in which operations were given up; the key has one box more.
    let bars = drawing.boxes(RED);
    let failed: Vec<usize> = (0..180).filter(|i| results.series[*i].failed > 0).collect();
    assert_eq!(bars.len(), failed.len() + 1);
    for (bar, i) in bars[1..].iter().zip(failed) {
        assert!((bar[0] - px(10.0 * i as f64)).abs() < SLACK);
    }
}

#[test]
fn latency_has_gaps_where_nothing_was_answered() {
    let results = sample();
    let drawing = drawing(&results, "latency");
    let (px, y) = (minutes(&drawing), drawing.y_axis(millis, false));
    let lines: Vec<_> = drawing
        .lines(Some(BLUE))
        .into_iter()
        .filter(|l| l.len() > 2)
        .collect();
    assert_eq!(
        lines.len(),
        2,
        "one bin without an answer cuts the line in two"
    );
    let values = || {
        results
            .series
            .iter()
            .enumerate()
            .filter(|(_, b)| !b.p50_ms.is_nan())
    };
    assert_eq!(lines.concat().len(), values().count());
    for ((x, at), (i, bin)) in lines.concat().iter().zip(values()) {
        assert!((x - px(10.0 * i as f64 + 5.0)).abs() < SLACK);
        assert!((at - y.px(bin.p50_ms)).abs() < SLACK, "bin {i}");
    }
}

/// The points of a curve that are not where the histogram says.
fn astray(curve: &[(f64, f64)], h: &Histogram<u64>, x: Axis, y: Axis) -> Vec<String> {
    let mut wrong = Vec::new();
    for pair in curve.windows(2) {
        // A pixel's tenth back is rounding.
        if pair[1].0 < pair[0].0 || pair[1].1 > pair[0].1 {
            wrong.push(format!("{pair:?} is not monotone"));
        }
    }
    // The upper ends of the steps, which lie within half a pixel of their value.
    for (px, at) in curve.iter().skip(1).step_by(2) {
        let below = |px: f64| {
            let us = (x.value(px) * 1e3).max(0.0) as u64;
            h.count_between(0, us) as f64 / h.len() as f64
        };
        let share = y.value(*at);
        let slack = 0.002;
        if share < below(px - 0.2) - slack || share > below(px + 0.8) + slack {
            wrong.push(format!("{share} at {} ms", x.value(*px)));
        }
    }
    if (y.value(curve[curve.len() - 1].1) - 1.0).abs() > 0.002 {
        wrong.push("does not end at all operations".into());
    }
    wrong
}

#[test]
fn the_distribution_is_monotone_and_agrees_with_the_histogram() {
    let results = sample();
    let drawing = drawing(&results, "latency-cdf");
    let (x, y) = (drawing.x_axis(millis, true), drawing.y_axis(percent, false));
    let curves: Vec<_> = drawing
        .lines(None)
        .into_iter()
        .filter(|l| l.len() > 2)
        .collect();
    // The kinds in their order, all together last.
    let (all, kinds): (Vec<_>, Vec<_>) = results.latencies.iter().partition(|(k, _)| *k == "all");
    assert_eq!(curves.len(), kinds.len() + 1);
    let none = Vec::<String>::new();
    for (curve, (name, h)) in curves.iter().zip(kinds.iter().chain(&all)) {
        assert!(curve.len() > 20, "{name} has {} points", curve.len());
        assert_eq!(astray(curve, h, x, y), none, "{name}");
    }
    // The check fails on the curve of another kind, and on one that falls.
    assert!(!astray(&curves[0], kinds[1].1, x, y).is_empty());
    let mut falls = curves[0].clone();
    falls.swap(3, 9);
    assert!(!astray(&falls, kinds[0].1, x, y).is_empty());
    assert_eq!(
        drawing
            .lines(Some(INK))
            .into_iter()
            .filter(|l| l.len() > 2)
            .count(),
        1
    );
}

#[test]
fn bars_of_operations_have_the_shares_of_their_ends() {
    let results = sample();
    let drawing = drawing(&results, "operations");
    let x = drawing.x_axis(percent, false);
    // The first box of a colour is that of the key.
    let done = drawing.boxes(BLUE).split_off(1);
    assert_eq!(done.len(), results.outcome.operations.len());
    for (bar, (name, op)) in done.iter().zip(&results.outcome.operations) {
        let share = op.committed as f64 / op.submitted as f64;
        assert!((x.value(bar[2]) - share).abs() < 0.001, "{name}");
        assert!((bar[0] - x.px(0.0)).abs() < SLACK, "{name}");
    }
}

#[test]
fn the_map_has_every_node_and_names_every_place() {
    let results = sample();
    let drawing = drawing(&results, "topology");
    let regions = &results.topology.regions;
    let nodes: usize = regions.iter().map(|r| r.nodes.len()).sum();
    // Each place is a disc with an edge; the key has a dot for each of the four tiers.
    assert_eq!(drawing.circles(), nodes + 2 * regions.len() + 4);
    let labels = drawing.labels();
    let at = |name: &str| labels.iter().find(|l| l.text == name).unwrap();
    for region in regions {
        at(&region.name);
    }
    // West is left, north is up.
    assert!(at("zhanjiang").x < at("guangzhou").x && at("guangzhou").x < at("shantou").x);
    assert!(at("zhanjiang").y > at("shenzhen").y && at("shenzhen").y > at("guangzhou").y);
    // A line for each pair of places with traffic.
    assert_eq!(drawing.lines(Some("#56B4E9")).len(), 15);
}

#[test]
fn the_busiest_nodes_come_first() {
    let results = sample();
    let labels = drawing(&results, "utilisation").labels();
    let names: Vec<&str> = labels
        .iter()
        .filter(|l| l.anchor == "end")
        .map(|l| l.text.as_str())
        .collect();
    let mut nodes: Vec<_> = results.resources.iter().collect();
    let most = |n: &consim_check::results::NodeUse| n.cpu.max(n.disk).max(n.nic_in).max(n.nic_out);
    nodes.sort_by(|a, b| most(b).total_cmp(&most(a)));
    let expected: Vec<&str> = nodes.iter().take(10).map(|n| n.name.as_str()).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_long_series_is_put_together_without_losing_a_transaction() {
    let results = cases::extreme();
    let page = markup::html(&file(&results, "report.html")).unwrap();
    let island: serde_json::Value = serde_json::from_str(&page.by_id("series").text()).unwrap();
    let rows = island["rows"].as_array().unwrap();
    assert!(rows.len() <= 800, "{} rows", rows.len());
    let sum: f64 = rows
        .iter()
        .map(|r| r[2].as_f64().unwrap() * (r[1].as_f64().unwrap() - r[0].as_f64().unwrap()))
        .sum();
    let committed: u64 = results.series.iter().map(|b| b.committed).sum();
    assert!((sum / committed as f64 - 1.0).abs() < 1e-5);
    let failed: u64 = rows.iter().map(|r| r[3].as_u64().unwrap()).sum();
    assert_eq!(failed, results.series.iter().map(|b| b.failed).sum::<u64>());
    let captions = page
        .all("figcaption")
        .iter()
        .map(|c| c.text())
        .collect::<Vec<_>>();
    assert!(
        captions[0].contains("Each step stands for 13 intervals of 60\u{a0}s."),
        "{captions:?}"
    );
}
