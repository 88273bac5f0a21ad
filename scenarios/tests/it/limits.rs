//! Every limit of the language: what is just inside is read, what is just outside is told.

use crate::support::load_files;
use consim_scenarios::diagnostic::{Diagnostics, MAX_DIAGNOSTICS};
use consim_scenarios::limits::{
    MAX_BINS, MAX_DEPTH, MAX_ENTRIES, MAX_FILE, MAX_NODES, MAX_OCCURRENCES, MAX_REGIONS,
    MAX_TARGETS, MAX_WINDOWS, MAX_WORKLOADS,
};
use consim_scenarios::{
    LoadOptions, MAX_BASES, MAX_CELLS, MAX_VARIANTS, Study, load, study, study_bytes,
};
use std::path::Path;

const BASE: &str = "consim: 1
seed: 7
organisations:
  hospital: { count: 4, tier: tertiary }
chains: { ledger: { members: 4 of hospital } }
workloads:
  w1: { visits: data-sharing, load: 1/s }
";

fn read(text: &str) -> Result<Study, Diagnostics> {
    study_bytes(
        Path::new("scenario.yaml"),
        text.as_bytes(),
        &LoadOptions::default(),
    )
}
/// The first mistake: code, line and message.
fn told(text: &str) -> String {
    let list = read(text).unwrap_err().list;
    format!("{} {} {}", list[0].code, list[0].line, list[0].message)
}
fn right(text: &str) -> Study {
    read(text).unwrap_or_else(|d| panic!("{}", d.render()))
}
fn with(lines: &str) -> String {
    format!("{BASE}{lines}")
}

#[test]
fn a_file_has_at_most_8_mib() {
    assert_eq!(MAX_FILE, 8 << 20);
    let filled = |length: usize| {
        let head = with("about: ");
        format!("{head}{}\n", "a".repeat(length - head.len() - 1))
    };
    right(&filled(MAX_FILE as usize));
    assert!(told(&filled(MAX_FILE as usize + 1)).starts_with("E006 1 cannot read"));
    // Also from the disk, where a file may be far larger than memory.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge.yaml");
    std::fs::File::create(&path)
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let huge = load(&path, &LoadOptions::default()).unwrap_err();
    assert_eq!(huge.list[0].code, "E006");
    assert!(huge.list[0].message.contains("at most 8388608 are read"));
    let table = with("network: { regions: { table: file:huge.yaml, is: one-way } }\n");
    std::fs::write(dir.path().join("s.yaml"), table).unwrap();
    let tables = study(&dir.path().join("s.yaml"), &LoadOptions::default()).unwrap_err();
    assert_eq!(tables.list[0].code, "E603");
    // A device has no length and no end.
    let endless = load(Path::new("/dev/zero"), &LoadOptions::default());
    assert_eq!(endless.unwrap_err().list[0].code, "E006");
}

#[test]
fn a_map_has_at_most_10_000_entries() {
    assert_eq!(MAX_ENTRIES, 10_000);
    let faults = |n: usize| {
        let lines: String = (0..n)
            .map(|i| format!("  x{i}: {{ at: 1m, for: 1m, crash: hospital-1 }}\n"))
            .collect();
        with(&format!("faults:\n{lines}"))
    };
    right(&faults(MAX_ENTRIES));
    assert!(told(&faults(MAX_ENTRIES + 1)).starts_with("E008"));
}

#[test]
fn nesting_has_at_most_32_levels() {
    assert_eq!(MAX_DEPTH, 32);
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        // One level is the scenario itself.
        with(&format!("about: {open}x{close}\n"))
    };
    assert!(
        told(&nested(MAX_DEPTH - 1)).starts_with("E211 8"),
        "a list, where a text is meant"
    );
    for levels in [MAX_DEPTH, 100, 1_000, 10_000, 1_000_000] {
        assert!(
            told(&nested(levels)).starts_with("E008 8"),
            "{levels}: {}",
            told(&nested(levels))
        );
    }
    let blocks: String = (0..200).map(|i| format!("{}a:\n", " ".repeat(i))).collect();
    assert!(told(&with(&blocks)).starts_with("E008"));
}

#[test]
fn bases_are_at_most_8_deep() {
    assert_eq!(MAX_BASES, 8);
    let chain = |deep: usize| {
        let mut files = vec![];
        for i in 0..deep {
            let text = format!("consim: 1\nbase: b{}.yaml\n", i + 1);
            files.push((format!("b{i}.yaml"), text));
        }
        files.push((format!("b{deep}.yaml"), BASE.to_owned()));
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        load_files(&files, &LoadOptions::default())
    };
    assert!(chain(MAX_BASES).is_ok());
    assert_eq!(chain(MAX_BASES + 1).unwrap_err().list[0].code, "E604");
}

#[test]
fn a_plan_has_at_most_100_000_nodes() {
    assert_eq!(MAX_NODES, 100_000);
    let count = |n: usize| BASE.replace("count: 4", &format!("count: {n}"));
    right(&count(MAX_NODES));
    assert!(told(&count(MAX_NODES + 1)).starts_with("E107 4 100001 institutions"));
    let listed = |n: usize| {
        let lines: String = (0..n).map(|i| format!("h{i},here\n")).collect();
        let csv = format!("name,city\n{lines}");
        let scenario = BASE.replace(
            "{ count: 4, tier: tertiary }",
            "{ from: file:h.csv, tier: tertiary }",
        );
        load_files(
            &[("s.yaml", &scenario), ("h.csv", &csv)],
            &LoadOptions::default(),
        )
    };
    assert!(listed(1_000).is_ok());
    assert_eq!(listed(MAX_NODES + 1).unwrap_err().list[0].code, "E107");
}

#[test]
fn a_study_has_at_most_a_million_cells_and_64_variants() {
    assert_eq!((MAX_CELLS, MAX_VARIANTS), (1_000_000, 64));
    assert_eq!(right(&with("vary: { seed: 1..1M }\n")).cells, MAX_CELLS);
    assert!(told(&with("vary: { seed: 0..1M }\n")).starts_with("E107 8 1000001 cells"));
    let product =
        "vary: { seed: 1..1k, chains.ledger.block.wait: [1ms, 2ms], duration: [5m, 6m] }\n";
    assert_eq!(right(&with(product)).cells, 4_000);
    let endless = "vary: { seed: 0..18446744073709551615, duration: [5m, 6m] }\n";
    assert!(
        told(&with(endless)).starts_with("E10"),
        "{}",
        told(&with(endless))
    );
    let variants = |n: usize| {
        let lines: String = (0..n)
            .map(|i| format!("  v{i}: {{ duration: {}m }}\n", i + 5))
            .collect();
        with(&format!("compare:\n{lines}"))
    };
    assert_eq!(right(&variants(MAX_VARIANTS)).runs.len(), MAX_VARIANTS);
    assert!(told(&variants(MAX_VARIANTS + 1)).starts_with("E107 9 65 variants"));
}

#[test]
fn a_selector_has_at_most_256_characters_and_a_name_40() {
    let selector = |spaces: usize| {
        let text = format!("hospital-1 {}except hospital-2", " ".repeat(spaces));
        with(&format!(
            "faults: {{ x: {{ at: 1m, for: 1m, crash: {text} }} }}\n"
        ))
    };
    right(&selector(200));
    assert!(told(&selector(256)).starts_with("E107 8 a selector of"));
    let name = |n: usize| BASE.replace("w1", &"w".repeat(n));
    right(&name(40));
    assert!(told(&name(41)).starts_with("E109 7 a name of 41"));
}

#[test]
fn faults_have_at_most_so_many_occurrences_and_targets() {
    let every = |ms: u64| {
        let duration = (MAX_OCCURRENCES - 1) * ms + 1_000;
        with(&format!(
            "duration: {duration}ms\nwarmup: 0s\nfaults: {{ x: {{ at: 1s, for: 1ms, every: {ms}ms, crash: hospital-1 }} }}\n"
        ))
    };
    right(&every(10));
    let longer = every(10).replace("duration: ", "duration: 1h");
    assert!(
        told(&longer).contains("more than 10000 occurrences"),
        "{}",
        told(&longer)
    );
    // Ten entries of ten thousand are the most.
    let entries = |n: usize| {
        let lines: String = (0..n)
            .map(|i| {
                format!(
                    "  x{i}: {{ at: 0s, for: 1ms, every: 10ms, times: 10k, crash: hospital-1 }}\n"
                )
            })
            .collect();
        with(&format!("duration: 1h\nfaults:\n{lines}"))
    };
    assert_eq!(MAX_WINDOWS, 100_000);
    right(&entries(10));
    assert!(told(&entries(11)).contains("too many occurrences of all"));
    let named = |n: usize| {
        let lines: String = (0..n)
            .map(|i| format!("  x{i}: {{ at: 1m, for: 1m, loss: hospital }}\n"))
            .collect();
        BASE.replace("count: 4", "count: 100k") + &format!("faults:\n{lines}")
    };
    // The members of the chain are four more.
    let fits = (MAX_TARGETS - 4) / 100_000;
    right(&named(fits));
    assert!(told(&named(fits + 1)).contains("name more than 2000000 nodes"));
}

#[test]
fn series_workloads_and_regions_have_a_most() {
    right(&with("output: { interval: 18ms }\n"));
    assert_eq!(MAX_BINS, 100_000);
    assert!(told(&with("output: { interval: 17ms }\n")).contains("more than 100000 bins"));
    let workloads = |n: usize| {
        let lines: String = (1..n)
            .map(|i| format!("  x{i}: {{ visits: data-sharing, load: 1/s }}\n"))
            .collect();
        with(&lines)
    };
    right(&workloads(MAX_WORKLOADS));
    assert!(told(&workloads(MAX_WORKLOADS + 1)).contains("1001 workloads"));
    let regions = |n: usize| {
        let places: String = (0..n)
            .map(|i| format!("p{i}: {{ lat: 1, lon: {} }}, ", i % 180))
            .collect();
        with(&format!(
            "network: {{ regions: {{ places: {{ {places} }} }} }}\n"
        ))
    };
    right(&regions(MAX_REGIONS));
    assert!(told(&regions(MAX_REGIONS + 1)).contains("a table of 4097 regions"));
}

#[test]
fn at_most_50_mistakes_are_told_and_lines_are_cut() {
    let lines: String = (0..60)
        .map(|i| format!("  x{i}: {{ at: 1, for: 1m, crash: hospital }}\n"))
        .collect();
    let found = read(&with(&format!("faults:\n{lines}"))).unwrap_err();
    assert_eq!(found.list.len(), MAX_DIAGNOSTICS);
    // A mistake far to the right in a line of a megabyte.
    let far = with(&format!(
        "checks: {{ only: [{} x] }}\n",
        "agreement, ".repeat(100_000)
    ));
    let found = read(&far).unwrap_err();
    assert_eq!(
        (found.list[0].code, found.list[0].column),
        ("E202", 1_100_019)
    );
    let text = found.render();
    assert!(text.len() < 2_000, "{} bytes", text.len());
    let rows: Vec<&str> = text.lines().collect();
    let caret = rows[2].find('^').unwrap();
    assert_eq!(rows[1].chars().nth(caret), Some('x'), "{text}");
}
