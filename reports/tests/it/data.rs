//! The files for other programs: CSV, HDR histograms, JSON.

use crate::support::{cases, sample};
use crate::{file, parse_csv};
use consim_check::outcome::Outcome;
use hdrhistogram::Histogram;
use serde_json::Value;

const README: &str = include_str!("../../README.md");

#[test]
fn the_csv_parser_is_strict() {
    let rows = parse_csv("a,b\n1,\"x\"\"y,\nz\"\n").unwrap();
    assert_eq!(rows, [["a", "b"], ["1", "x\"y,\nz"]]);
    for bad in [
        "a,b",
        "a,b\n1\n",
        "a\n\"x\n",
        "a\nx\"y\n",
        "a\n\"x\"y\n",
        "a\r\n1\r\n",
    ] {
        assert!(parse_csv(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn the_csv_has_the_documented_columns() {
    let rows = parse_csv(&file(&sample(), "metrics.csv")).unwrap();
    let table = README.split("\n## `metrics.csv`\n").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let documented: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(rows[0], documented);
}

/// The sum of a column over the rows after the warm-up.
fn sum(rows: &[Vec<String>], column: &str) -> u64 {
    let at = rows[0].iter().position(|c| c == column).unwrap();
    let warmup = rows[0].iter().position(|c| c == "warmup").unwrap();
    let measured = rows[1..].iter().filter(|row| row[warmup] == "0");
    measured.map(|row| row[at].parse::<u64>().unwrap()).sum()
}

#[test]
fn the_csv_adds_up_to_the_outcome() {
    for results in [sample(), cases::failed()] {
        let rows = parse_csv(&file(&results, "metrics.csv")).unwrap();
        assert_eq!(rows.len(), results.series.len() + 1);
        let t = &results.outcome.throughput;
        assert_eq!(sum(&rows, "submitted_tx"), t.submitted);
        assert_eq!(sum(&rows, "committed_tx"), t.committed);
    }
    let results = sample();
    let mut rows = parse_csv(&file(&results, "metrics.csv")).unwrap();
    let operations = results.outcome.operations.values();
    let answered: u64 = operations.clone().map(|op| op.committed + op.refused).sum();
    assert_eq!(sum(&rows, "answered_ops"), answered);
    assert_eq!(
        sum(&rows, "failed_ops"),
        operations.map(|op| op.failed).sum::<u64>()
    );
    // A row less is noticed.
    rows.remove(40);
    assert_ne!(
        sum(&rows, "submitted_tx"),
        results.outcome.throughput.submitted
    );
}

#[test]
fn the_rows_of_the_csv_are_the_bins() {
    let results = cases::failed();
    let rows = parse_csv(&file(&results, "metrics.csv")).unwrap();
    assert_eq!(rows[1][..3], ["0", "10", "1"]);
    assert_eq!(rows[7][..3], ["60", "70", "0"], "the warm-up ends at 60 s");
    // Nothing was answered while the leader was down: no latency, not a zero.
    assert_eq!(rows[32][6], "0");
    assert_eq!(rows[32][8..], ["", "", "leader-crash"]);
    // The last bin ends with the run, and its rate is over what there was of it.
    let last = rows.last().unwrap();
    assert_eq!(last[..2], ["1230", "1234.5"]);
    let rate = results.series.last().unwrap().committed as f64 / 4.5;
    assert!((last[5].parse::<f64>().unwrap() - rate).abs() < 1e-5);
    // Windows are half open: the bin at the end of one is not in it.
    assert_eq!(rows[33][10], "leader-crash");
    assert_eq!(rows[34][10], "");
    let mut results = sample();
    results.outcome.faults[0].to_s = 300.0;
    results.outcome.faults[1].from_s = 300.0;
    let rows = parse_csv(&file(&results, "metrics.csv")).unwrap();
    assert_eq!(rows[30][10], "");
    assert_eq!(
        rows[31][10], "leader-crash city-cut",
        "a moment belongs to its bin"
    );
}

#[test]
fn times_stay_apart_however_long_the_run() {
    let mut results = cases::day();
    results.interval_s = 0.1;
    results.outcome.virtual_seconds = 864_000.0;
    results.series = vec![results.series[0]; 12_000];
    results.outcome.faults.clear();
    let rows = parse_csv(&file(&results, "metrics.csv")).unwrap();
    assert_eq!(rows[10_004][..2], ["1000.3", "1000.4"]);
    assert!(rows[1..].windows(2).all(|w| w[0][1] == w[1][0]));
}

/// The lines of a percentile table: value, percentile, count, inverse.
fn table(text: &str) -> Vec<Vec<f64>> {
    let lines = text.lines().skip(2).take_while(|l| !l.starts_with('#'));
    lines
        .map(|l| l.split_whitespace().map(|f| f.parse().unwrap()).collect())
        .collect()
}

/// A figure of the footer: `#[Mean    =       27.353, ...]`.
fn footer(text: &str, name: &str) -> f64 {
    let (_, rest) = text.split_once(name).unwrap();
    let rest = rest.trim_start().strip_prefix('=').unwrap();
    let end = rest.find([',', ']']).unwrap();
    rest[..end].trim().parse().unwrap()
}

/// Lines that are not as counting gives them, or that the library's own iterator would write
/// otherwise.
fn differences(text: &str, h: &Histogram<u64>) -> Vec<String> {
    let mut wrong = Vec::new();
    let ours = table(text);
    let (last, ladder) = ours.split_last().unwrap();
    let values: Vec<u64> = h
        .iter_recorded()
        .flat_map(|s| std::iter::repeat_n(s.value_iterated_to(), s.count_at_value() as usize))
        .collect();
    for (line, step) in ladder.iter().zip(h.iter_quantiles(5)) {
        let rank = line[1] * values.len() as f64;
        let value = values[(rank.ceil() as usize).max(1) - 1];
        let count = values.iter().filter(|v| **v <= value).count();
        let right = (line[0] - value as f64 / 1e3).abs() < 5.1e-4
            && (line[2] - count as f64).abs() < 0.5
            && (line[3] * (1.0 - line[1]) - 1.0).abs() < 0.005;
        // At a whole rank the library's quantile, a sum of floats, may lie a hair above.
        let edge = (rank - rank.round()).abs() < 1e-6;
        let agrees = (line[1] - step.quantile_iterated_to()).abs() < 1e-9
            && (edge || value == step.value_iterated_to());
        if !right || !agrees {
            wrong.push(format!(
                "{line:?}, not {value} {}",
                step.quantile_iterated_to()
            ));
        }
    }
    if last.len() != 3 || last[1..] != [1.0, h.len() as f64] {
        wrong.push(format!("ends with {last:?}"));
    }
    wrong
}

#[test]
fn histograms_have_the_text_format_of_hdrhistogram() {
    let results = sample();
    let read = &results.latencies["read"];
    let text = file(&results, "histograms/read.hgrm");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "       Value     Percentile TotalCount 1/(1-Percentile)"
    );
    assert_eq!(lines[1], "");
    // Java's "%12.3f %2.12f %10d %14.2f".
    let first = lines[2];
    let columns = [&first[..12], &first[13..27], &first[28..38], &first[39..]];
    assert_eq!(
        columns[1..],
        ["0.000000000000", "         1", "          1.00"],
        "{first:?}"
    );
    assert_eq!(columns[0].len() - columns[0].find('.').unwrap(), 4);
    for (name, h) in &results.latencies {
        let path = match name.as_str() {
            "all" => "latency.hgrm".into(),
            name => format!("histograms/{name}.hgrm"),
        };
        let text = file(&results, &path);
        assert_eq!(differences(&text, h), Vec::<String>::new(), "{name}");
        assert!(table(&text).len() > 10, "{name}");
        assert!((footer(&text, "Mean") - h.mean() / 1e3).abs() < 1e-3);
        assert!((footer(&text, "StdDeviation") - h.stdev() / 1e3).abs() < 1e-3);
        assert!((footer(&text, "Max") - h.max() as f64 / 1e3).abs() < 1e-3);
        assert!((footer(&text, "Total count") - h.len() as f64).abs() < 0.5);
        // 600 s in microseconds at three digits: 2048 sub-buckets, doubled until they reach it.
        assert!((footer(&text, "SubBuckets") - 2048.0).abs() < 0.5);
        assert!((footer(&text, "#[Buckets") - 20.0).abs() < 0.5);
    }
    // The comparison fails on another histogram.
    assert!(!differences(&text, &results.latencies["store"]).is_empty());
    assert!(differences(&text, read).is_empty());
}

#[test]
fn an_empty_histogram_is_a_table_without_lines() {
    let mut results = sample();
    let nothing = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
    results.latencies.insert("deny".into(), nothing);
    let text = file(&results, "histograms/deny.hgrm");
    assert!(table(&text).is_empty());
    assert!(
        text.contains("#[Max     =        0.000, Total count    =            0]"),
        "{text}"
    );
}

#[test]
fn the_outcome_can_be_read_back() {
    let results = sample();
    let text = consim_reports::outcome_json(&results.outcome).unwrap();
    assert_eq!(text, file(&results, "outcome.json"));
    let outcome: Outcome = serde_json::from_str(&text).unwrap();
    // What was rounded once stays.
    assert_eq!(consim_reports::outcome_json(&outcome).unwrap(), text);
    // The keys come in the order of the schema.
    let keys = [
        "\"schema\"",
        "\"scenario\"",
        "\"seed\"",
        "\"verdict\"",
        "\"metrics\"",
        "\"checks\"",
    ];
    let places: Vec<usize> = keys.iter().map(|k| text.find(k).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(text.starts_with("{\n  \"schema\": 1,\n") && text.ends_with("}\n"));
}

#[test]
fn every_key_of_the_outcome_is_documented() {
    let table = README.split("\n## `outcome.json`\n").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let json = serde_json::to_value(cases::attacks().outcome).unwrap();
    let undocumented = |object: &Value| -> Vec<String> {
        let keys = object.as_object().unwrap().keys();
        keys.filter(|key| !table.contains(&format!("`{key}`")))
            .cloned()
            .collect()
    };
    let none = Vec::<String>::new();
    assert_eq!(undocumented(&json), none);
    assert_eq!(undocumented(&json["operations"]["read"]), none);
    for list in [
        "chains",
        "inputs",
        "checks",
        "faults",
        "attacks",
        "resilience",
        "expectations",
    ] {
        assert_eq!(undocumented(&json[list][0]), none, "{list}");
    }
    for object in ["throughput", "latency_ms"] {
        assert_eq!(undocumented(&json[object]), none, "{object}");
    }
    assert_eq!(
        undocumented(&serde_json::json!({ "seed": 1, "none": 2 })),
        ["none"]
    );
}

#[test]
fn numbers_have_six_digits_and_what_is_none_is_null() {
    let mut outcome = sample().outcome;
    let mut put = |name: &str, x: f64| {
        outcome.metrics.insert(name.into(), x);
    };
    put("third", 1.0 / 3.0);
    put("large", 1_318_220_004.4);
    put("small", 1.234_567_8e-9);
    put("minus", -0.0);
    put("nan", f64::NAN);
    put("infinite", f64::INFINITY);
    let json: Value =
        serde_json::from_str(&consim_reports::outcome_json(&outcome).unwrap()).unwrap();
    let metric = |name: &str| json["metrics"][name].to_string();
    assert_eq!(metric("third"), "0.333333");
    assert_eq!(metric("large"), "1318220004.0");
    assert_eq!(metric("small"), "1.23457e-9");
    assert_eq!(metric("minus"), "0.0");
    assert_eq!(metric("nan"), "null");
    assert_eq!(metric("infinite"), "null");
}
