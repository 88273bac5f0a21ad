//! The smallest and the largest runs: nothing is cut off, nothing overlaps, nothing is no number.

use crate::drawing::{Drawing, Label};
use crate::markup;
use crate::support::cases::{self, CASES};
use consim_check::results::{Bin, Results};
use consim_reports::{render, summary};

/// Every figure of every case that is made of ordinary names.
fn drawings() -> Vec<(String, Drawing)> {
    let mut out = Vec::new();
    for (case, results) in CASES.iter().filter(|(name, _)| *name != "hostile") {
        for file in render(&results()).unwrap() {
            if file.path.starts_with("figures/") {
                let name = format!("{case}: {}", file.path);
                out.push((name, Drawing::of(&file.text).unwrap()));
            }
        }
    }
    assert!(out.len() > 50, "{}", out.len());
    out
}

#[test]
fn no_mark_leaves_its_figure() {
    for (name, drawing) in drawings() {
        let (width, height) = drawing.size();
        for (mark, x, y) in drawing.points() {
            let inside = (-0.5..=width + 0.5).contains(&x) && (-0.5..=height + 0.5).contains(&y);
            assert!(inside, "{name}: {mark} at {x}, {y} of {width} by {height}");
        }
    }
}

/// Left and right end of a text, by the mean width of a character in the usual faces.
fn ends(label: &Label) -> (f64, f64) {
    let width = 0.52 * label.size * label.text.chars().count() as f64;
    match label.anchor.as_str() {
        "start" => (label.x, label.x + width),
        "end" => (label.x - width, label.x),
        _ => (label.x - width / 2.0, label.x + width / 2.0),
    }
}

/// Pairs of texts in one line that run into each other, and texts that leave the figure.
fn collisions(labels: &[Label], width: f64) -> Vec<String> {
    let upright: Vec<&Label> = labels.iter().filter(|l| !l.turned).collect();
    let mut out = Vec::new();
    for (i, a) in upright.iter().enumerate() {
        let (left, right) = ends(a);
        if left < 0.0 || right > width {
            out.push(a.text.clone());
        }
        for b in &upright[i + 1..] {
            let (from, to) = ends(b);
            if (a.y - b.y).abs() < 7.0 && left < to && from < right {
                out.push(format!("{} over {}", a.text, b.text));
            }
        }
    }
    out
}

#[test]
fn no_text_runs_into_another() {
    for (name, drawing) in drawings() {
        // Places that lie close have the names that fit; how many do not is said in the caption.
        let found = collisions(&drawing.labels(), drawing.size().0);
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
    let label = |text: &str, x: f64| Label {
        x,
        y: 10.0,
        anchor: "start".into(),
        size: 13.0,
        text: text.into(),
        turned: false,
    };
    assert_eq!(
        collisions(&[label("abcdef", 10.0), label("b", 30.0)], 900.0),
        ["abcdef over b"]
    );
    assert_eq!(collisions(&[label("abcdef", 880.0)], 900.0), ["abcdef"]);
}

#[test]
fn nothing_is_shown_that_is_no_number() {
    for (name, case) in CASES {
        let results = case();
        for file in render(&results).unwrap() {
            // Words of the page's script and style; the rest is what is shown.
            let text = match file.path.as_str() {
                "report.html" => markup::html(&file.text).unwrap().all("main")[0].text(),
                _ => file.text,
            };
            let words = text.split(|c: char| !c.is_alphanumeric());
            let odd = words
                .into_iter()
                .find(|w| ["NaN", "inf", "nan", "Infinity"].contains(w));
            assert_eq!(odd, None, "{name}: {}", file.path);
        }
    }
}

#[test]
fn a_large_report_is_still_a_page() {
    let results = cases::extreme();
    let files = render(&results).unwrap();
    // The two that hold every bin of the series grow with it.
    let grow = ["metrics.csv", "results.json"];
    for file in files.iter().filter(|f| !grow.contains(&f.path.as_str())) {
        assert!(
            file.text.len() < 1_000_000,
            "{} has {} bytes",
            file.path,
            file.text.len()
        );
    }
    let page = markup::html(&files[0].text).unwrap();
    let faults = page.by_id("resilience").all("table")[0].all("tr").len();
    let nodes = page.by_id("capacity").all("table")[0].all("tr").len();
    assert_eq!((faults, nodes), (201, 301));
    let text = page.text().replace('\u{a0}', " ");
    for words in [
        "7 d of virtual time",
        "18,446,744,073,709,551,615 events",
        "18,447 PB",
        "99.9999 %",
        "14,000,000,014",
        "Of 1,770 lines the 200 widest are drawn.",
    ] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn faults_without_a_name_in_the_figure_are_counted() {
    let files = render(&cases::extreme()).unwrap();
    let figure = files
        .iter()
        .find(|f| f.path == "figures/throughput.svg")
        .unwrap();
    let labels = Drawing::of(&figure.text).unwrap().labels();
    let named = labels
        .iter()
        .filter(|l| l.text.starts_with("fault-number-"))
        .count();
    assert!(named > 20, "{named}");
    let page = markup::html(&files[0].text).unwrap();
    let said = format!("The names of {} found no room.", 200 - named);
    assert!(page.all("figcaption")[0].text().contains(&said), "{said}");
}

/// A sample with one bin.
fn one_bin(bin: Bin, interval_s: f64, virtual_seconds: f64) -> Results {
    let mut results = cases::one_node();
    results.series = vec![bin];
    results.interval_s = interval_s;
    results.outcome.virtual_seconds = virtual_seconds;
    results
}

#[test]
fn numbers_that_no_run_should_have_break_nothing() {
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        0.0,
        1e300,
        1e-300,
    ];
    for x in odd {
        for y in odd {
            let bin = Bin {
                committed: u64::MAX,
                submitted: u64::MAX,
                answered: 0,
                failed: u64::MAX,
                p50_ms: x,
                p99_ms: y,
            };
            let mut results = one_bin(bin, 1.0, 1.0);
            let outcome = &mut results.outcome;
            (outcome.throughput.tx_per_s, outcome.latency_ms.p99) = (x, y);
            outcome.expectations[0].margin = Some(x);
            outcome.metrics.insert("availability".into(), y);
            results.resources[0].cpu = x;
            results.resources[0].disk = y;
            results.topology.regions[0].lat = x;
            results.topology.regions[0].lon = y;
            render(&results).unwrap_or_else(|e| panic!("{x} {y}: {e}"));
            summary(&results);
            let mut results = one_bin(bin, x, y);
            results.warmup_s = x;
            results.outcome.faults = cases::day().outcome.faults;
            (
                results.outcome.faults[0].from_s,
                results.outcome.faults[0].to_s,
            ) = (x, y);
            render(&results).unwrap_or_else(|e| panic!("{x} {y}: {e}"));
            summary(&results);
        }
    }
}
