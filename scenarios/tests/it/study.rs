//! Several runs out of one file: `compare`, `vary`, and institutions out of a file.

use crate::support::{load_files, root};
use consim_core::Span;
use consim_core::values::Limit;
use consim_scenarios::diagnostic::Diagnostics;
use consim_scenarios::plan::{Load, OriginKind};
use consim_scenarios::{LoadOptions, Study, study};

const BASE: &str = "consim: 1
seed: 7
organisations:
  hospital: { count: 4, tier: tertiary }
chains:
  ledger: { members: hospital }
workloads:
  w: { visits: data-sharing, load: 1/s }
faults:
  cut: { at: 5m, for: 1m, crash: hospital-1 }
expect:
  latency_p99: at most 5s
";

fn study_of(lines: &str) -> Result<Study, Diagnostics> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("scenario.yaml");
    std::fs::write(&path, format!("{BASE}{lines}")).unwrap();
    study(&path, &LoadOptions::default())
}
fn right(lines: &str) -> Study {
    study_of(lines).unwrap_or_else(|d| panic!("{}", d.render()))
}
fn wrong(lines: &str) -> String {
    let list = study_of(lines).unwrap_err().list;
    let told: Vec<String> = list
        .iter()
        .map(|d| {
            format!(
                "{} {}:{} {} ({})",
                d.code, d.line, d.column, d.message, d.help
            )
        })
        .collect();
    told.join("\n")
}

#[test]
fn variants_are_the_scenario_with_overrides_laid_over_it() {
    let study = right(
        "compare:
  slow: { chains.ledger.block.wait: 2s, remove: [faults.cut], organisations: { hospital: { count: 7 } } }
  as-written: {}
",
    );
    let labels: Vec<_> = study
        .runs
        .iter()
        .map(|r| r.label.clone().unwrap())
        .collect();
    assert_eq!(labels, ["as-written", "slow"]);
    let [plain, slow] = [0, 1].map(|i| &study.runs[i].loaded.plan);
    assert_eq!(plain.digest, right("").runs[0].loaded.plan.digest);
    assert_ne!(plain.digest, slow.digest);
    assert_eq!((plain.institutions.len(), slow.institutions.len()), (4, 7));
    assert_eq!((plain.faults.len(), slow.faults.len()), (1, 0));
    // A map merges key by key: the tier of the group stays.
    assert_eq!(slow.institutions[0].tier, "tertiary");
    assert_eq!(slow.chains["ledger"].block.wait, Span::from_secs(2));
    assert_eq!(slow.variant.as_deref(), Some("slow"));
    let row = study.runs[1].loaded.explain.iter();
    let row = row
        .clone()
        .find(|r| r.path == "chains.ledger.block.wait")
        .unwrap();
    assert_eq!(row.from.kind, OriginKind::Override);
    assert!(row.origin.starts_with("compare slow ("), "{}", row.origin);
}

#[test]
fn expectations_hold_for_all_variants_or_for_the_one_they_name() {
    let study = right(
        "  a.availability: at least 99%
  b.latency_p99: at most 2x that of a
compare: { a: {}, b: {} }
",
    );
    let paths = |i: usize| -> Vec<(String, String)> {
        let list = study.runs[i].loaded.plan.expect.iter();
        list.map(|e| (e.path.clone(), e.text.clone())).collect()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        paths(0),
        [
            pair("availability", "at least 99%"),
            pair("latency_p99", "at most 5s")
        ]
    );
    assert_eq!(
        paths(1),
        [
            pair("latency_p99", "at most 2x that of a"),
            pair("latency_p99", "at most 5s")
        ]
    );
    let relative = &study.runs[1].loaded.plan.expect[0];
    assert_eq!(relative.of.as_deref(), Some("a"));
    assert_eq!(relative.limit.times(300.0), Limit::AtMost(600.0));
    // The plan of the variant alone has no other variant.
    let yaml = &study.runs[1].loaded.plan.yaml;
    assert!(!yaml.contains("that of"), "{yaml}");
}

#[test]
fn axes_make_cells() {
    let study = right(
        "vary:
  organisations.hospital.count: [4, 7, 10]
  seed: 1..5
  speed:
    slow: { chains.ledger.block.wait: 2s }
    fast: { chains.ledger.block.wait: 10ms, chains.ledger.consensus.pbft.pipeline: 3 }
",
    );
    assert_eq!((study.cells, study.planned), (30, 30));
    let axes: Vec<(&str, u64)> = study
        .axes
        .iter()
        .map(|a| (a.name.as_str(), a.len))
        .collect();
    assert_eq!(
        axes,
        [
            ("organisations.hospital.count", 3),
            ("seed", 5),
            ("speed", 2)
        ]
    );
    assert_eq!(study.axes[2].values, ["slow", "fast"]);
    let large = right("vary: { seed: 1..100000, organisations.hospital.count: [4, 7] }\n");
    assert_eq!(large.cells, 200_000);
    assert!(large.planned < 100, "{}", large.planned);
}

/// The value of an axis that is wrong is shown where it stands, also in the middle.
#[test]
fn every_value_of_every_axis_is_checked_before_the_first_run() {
    for (lines, told) in [
        (
            "vary:\n  organisations.hospital.count: [4, four, 7]\n",
            "E106 14:37",
        ),
        (
            "vary:\n  chains.ledger.consensus: [pbft, pbtf]\n",
            "E202 14:35",
        ),
        (
            "vary:\n  chains.ledger.consensus.protocol: [pbft]\n",
            "E601 14:27",
        ),
        ("vary:\n  chains.ledgr.block.wait: [1s]\n", "E301 14:10"),
        ("vary:\n  chains.ledger.blok.wait: [1s]\n", "E201 14:17"),
        ("vary:\n  organisations.hospital.count: [4, 3]\n", "E501"),
        (
            "vary:\n  faults.cut.crash: [hospital-1, hospital-9]\n",
            "E301 14:34",
        ),
        ("vary:\n  seed: 7\n", "E606 14:9"),
        ("vary:\n  seed: []\n", "E606 14:9"),
        ("vary:\n  seed: 9..1\n", "E110 14:9"),
        ("vary:\n  duration: 1m..5m\n", "E208 14:13"),
        ("vary:\n  sede: [1, 2]\n", "E606 14:9"),
        ("vary:\n  base: [a, b]\n", "E605 14:3"),
        ("vary:\n  size: { Big: {} }\n", "E109 14:11"),
        (
            "vary:\n  size: { big: { remove: [faults.cutt] } }\n",
            "E602 14:34",
        ),
        ("vary: [seed]\n", "E211"),
        ("vary: { seed: 1..2000000 }\n", "E107 13:9"),
        ("compare: {}\n", "E211"),
        ("compare: { a: 5 }\n", "E605 13:15"),
        ("compare: { faults: {} }\n", "E305 13:12"),
        ("compare: { latency_p99: {} }\n", "E109"),
        ("compare: { throughput: {} }\n", "E305 13:12"),
        ("compare: { a: { duration: } }\n", "E209 13:17"),
        ("compare: { a: { duration: 30 } }\n", "E101 13:27"),
        ("compare: { a: { vary: {} } }\n", "E605 13:17"),
        ("compare: { a: { remove: faults } }\n", "E211 13:25"),
        ("  b.height: at least 1\n", "E309 13:3"),
        ("  height: at least 1x that of b\n", "E301 13:31"),
        (
            "  height: at least 2 that of b\ncompare: { a: {}, b: {} }\n",
            "E101 13:20",
        ),
        (
            "  a.height: at least 1x that of a\ncompare: { a: {}, b: {} }\n",
            "E504 13:33",
        ),
    ] {
        let found = wrong(lines);
        assert!(found.starts_with(told), "{lines}: {found}");
        assert_eq!(found.lines().count(), 1, "{lines}: {found}");
    }
}

#[test]
fn studies_of_a_base_are_laid_over_by_name() {
    let over = "consim: 1
base: base.yaml
compare: { slow: { chains.ledger.block.wait: 3s }, fast: { chains.ledger.block.wait: 1ms } }
";
    let base = format!(
        "{BASE}compare: {{ slow: {{ chains.ledger.block.wait: 2s, duration: 1h }}, as-written: {{}} }}\n"
    );
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("base.yaml"), base).unwrap();
    std::fs::write(dir.path().join("over.yaml"), over).unwrap();
    let study = study(&dir.path().join("over.yaml"), &LoadOptions::default()).unwrap();
    let labels: Vec<_> = study
        .runs
        .iter()
        .map(|r| r.label.clone().unwrap())
        .collect();
    assert_eq!(labels, ["as-written", "fast", "slow"]);
    let slow = &study.runs[2].loaded.plan;
    assert_eq!(slow.chains["ledger"].block.wait, Span::from_secs(3));
    assert_eq!(slow.duration, Span::from_secs(3_600));
}

const ROSTER: &str = "consim: 1
network: { regions: guangdong, links: lan }
hardware: { tiny: { profile: clinic-box, cores: 2 } }
organisations:
  hospitals: { from: file:h.csv, tier: secondary }
  supervision: { tier: regulator }
chains: { alliance: { members: all } }
workloads: { w: { visits: data-sharing } }
faults: { f1: { at: 1m, for: 1m, crash: harbour } }
";
const CSV: &str = "name,tier,lat,lon,visits_per_day,access_rate,hardware,city
pearl,tertiary,,,5200,20Mbit/s,,guangzhou
harbour,,22.5560,114.0720,,,tiny,
\"east\",,,,0,,,heyuan
";

#[test]
fn institutions_come_from_a_file() {
    let loaded = load_files(
        &[("s.yaml", ROSTER), ("h.csv", CSV)],
        &LoadOptions::default(),
    )
    .unwrap_or_else(|d| panic!("{}", d.render()));
    let plan = &loaded.plan;
    let row = |name: &str| plan.institutions.iter().find(|i| i.name == name).unwrap();
    let names: Vec<&str> = plan.institutions.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["pearl", "harbour", "east", "supervision-1"]);
    let region = |name: &str| plan.network.regions[row(name).region].name.as_str();
    // Harbour's coordinates are in Shenzhen.
    assert_eq!(
        ["pearl", "harbour", "east"].map(region),
        ["guangzhou", "shenzhen", "heyuan"]
    );
    assert_eq!(
        ["pearl", "harbour", "east"].map(|n| row(n).tier.as_str()),
        ["tertiary", "secondary", "secondary"]
    );
    assert_eq!(row("pearl").hardware.nic_out, 20_000_000);
    assert_eq!(
        row("harbour").hardware.nic_out,
        50_000_000,
        "the card's own"
    );
    assert_eq!(row("harbour").hardware.cores, 2);
    let Load::Rates { rates, .. } = &plan.workloads["w"].load else {
        panic!("no rates");
    };
    let per_day = |n: u64| n * 1_000_000_000 / 86_400;
    let at = |name: &str| rates[&names.iter().position(|n| *n == name).unwrap()];
    assert_eq!(at("pearl"), per_day(5_200));
    assert_eq!(at("harbour"), per_day(400), "what its tier has");
    assert_eq!(at("east"), 0);
    // Another byte in the file is another plan.
    let other = CSV.replace("5200", "5201");
    let other = load_files(
        &[("s.yaml", ROSTER), ("h.csv", &other)],
        &LoadOptions::default(),
    );
    assert_ne!(other.unwrap().plan.digest, plan.digest);
}

#[test]
fn mistakes_in_a_file_of_institutions_are_shown_in_it() {
    for (from, to, told) in [
        (
            "tertiary,",
            "tertary,",
            "E202 h.csv:2:7 no tier is called `tertary`",
        ),
        (
            "guangzhou",
            "guangzho",
            "E301 h.csv:2:33 no region is called `guangzho`",
        ),
        ("5200", "-3", "E106 h.csv:2:18"),
        ("5200", "NaN", "E106 h.csv:2:18"),
        ("20Mbit/s", "20Mb", "E103 h.csv:2:23"),
        ("20Mbit/s", "0Mbit/s", "E107 h.csv:2:23"),
        ("tiny", "tinny", "E202 h.csv:3:29"),
        ("harbour,", "Harbour,", "E109 h.csv:3:1"),
        ("harbour,", "pearl,", "E305 h.csv:2:1"),
        ("harbour,", "supervision-1,", "E305 h.csv:3:1"),
        ("harbour,", ",", "E210 h.csv:3:1"),
        ("22.5560", "north", "E106 h.csv:3:10"),
        ("22.5560", "", "E210 h.csv:3:1"),
        ("\"east\"", "\"east", "E106 h.csv:4:1"),
        (",heyuan", "", "E106 h.csv:4:1"),
        ("visits_per_day", "visits", "E201 h.csv:1:19"),
        ("tier,", "name,", "E002 h.csv:1:6"),
        (",city", ",hardware", "E002 h.csv:1:55"),
    ] {
        let csv = CSV.replacen(from, to, 1);
        assert_ne!(csv, CSV, "{from}");
        let found = load_files(
            &[("s.yaml", ROSTER), ("h.csv", &csv)],
            &LoadOptions::default(),
        );
        let list = found.unwrap_err().list;
        let shown: Vec<String> = list
            .iter()
            .map(|d| {
                let file = d.file.rsplit('/').next().unwrap();
                format!("{} {file}:{}:{} {}", d.code, d.line, d.column, d.message)
            })
            .collect();
        assert!(shown[0].starts_with(told), "{to}: {shown:#?}");
    }
    let told = |scenario: &str, csv: &str| {
        let found = load_files(
            &[("s.yaml", scenario), ("h.csv", csv)],
            &LoadOptions::default(),
        );
        let list = found.unwrap_err().list;
        format!("{} {}:{}", list[0].code, list[0].line, list[0].column)
    };
    assert_eq!(told(ROSTER, "name,city\n"), "E009 1:1");
    assert_eq!(told(ROSTER, ""), "E009 1:1");
    assert_eq!(told(&ROSTER.replace("h.csv", "x.csv"), CSV), "E603 5:22");
    assert_eq!(
        told(&ROSTER.replace("file:h.csv", "h.csv"), CSV),
        "E106 5:22"
    );
    let beside = ROSTER.replace("tier: secondary", "count: 3");
    assert_eq!(told(&beside, CSV), "E504 5:41");
    let elsewhere = CSV.replace("22.5560,114.0720", "39.9,116.4");
    let far = load_files(
        &[("s.yaml", ROSTER), ("h.csv", &elsewhere)],
        &LoadOptions::default(),
    );
    let warnings = far.unwrap().warnings;
    assert_eq!((warnings[0].code, warnings[0].line), ("W508", 3));
}

/// `plan.yaml` names its files from where it stands, and comes to the same plan there.
#[test]
fn a_plan_works_from_the_folder_in_which_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "alliance-sharing-fhir",
        "alliance-roster",
        "alliance-outsider",
    ] {
        let path = root().join(format!("scenarios/paper/{name}.yaml"));
        let loaded = consim_scenarios::load(&path, &LoadOptions::default()).unwrap();
        let folder = dir.path().join("some/where").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let plan = folder.join("plan.yaml");
        std::fs::write(&plan, loaded.plan.yaml_in(&folder)).unwrap();
        let again = consim_scenarios::load(&plan, &LoadOptions::default())
            .unwrap_or_else(|d| panic!("{name}: {}", d.render()));
        assert_eq!(again.plan.digest, loaded.plan.digest, "{name}");
        assert_eq!(
            again.plan.design_digest, loaded.plan.design_digest,
            "{name}"
        );
    }
    // Also tables of delays, profiles of one's own, and days.
    let profile = |name: &str, from: &str, to: &str| {
        let text =
            std::fs::read_to_string(root().join(format!("scenarios/profiles/{name}"))).unwrap();
        text.replace(from, to)
    };
    let links = profile("links/metro.yaml", "100Mbit/s", "50Mbit/s");
    let box_ = profile("hardware/clinic-box.yaml", "cores: 4", "cores: 3");
    let day = profile("day/flat.yaml", "4.1666667%", "4.1%");
    let scenario = "consim: 1
network: { regions: { table: 'file:rtt.csv', is: round-trip }, links: file:p/links.yaml }
hardware: { own: file:p/box.yaml }
organisations: { hospital: { count: 4, tier: tertiary, hardware: own } }
workloads: { w: { visits: data-sharing, day: file:p/day.yaml } }
";
    let files = [
        ("s.yaml", scenario),
        ("rtt.csv", "from/to,a,b\na,1,40\nb,50,3\n"),
        ("p/links.yaml", links.as_str()),
        ("p/box.yaml", box_.as_str()),
        ("p/day.yaml", day.as_str()),
    ];
    for (name, text) in files {
        let path = dir.path().join("own").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let loaded = consim_scenarios::load(&dir.path().join("own/s.yaml"), &LoadOptions::default())
        .unwrap_or_else(|d| panic!("{}", d.render()));
    let folder = dir.path().join("results/own-7");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("plan.yaml"), loaded.plan.yaml_in(&folder)).unwrap();
    let again = consim_scenarios::load(&folder.join("plan.yaml"), &LoadOptions::default())
        .unwrap_or_else(|d| panic!("{}", d.render()));
    assert_eq!(again.plan.digest, loaded.plan.digest);
}

/// The first cell may lack what others have.
#[test]
fn cells_that_are_disturbed_are_counted_and_any_cell_can_be_planned() {
    let study = right("vary:\n  faults.cut.enabled: [false, true]\n  seed: 1..3\n");
    assert_eq!((study.cells, study.planned, study.disturbed), (6, 6, 3));
    assert!(study.is_matrix());
    assert!(study.runs[0].loaded.plan.faults.is_empty());
    assert_eq!(study.values(5), ["true", "3"]);
    let last = study.cell(0, 5).unwrap().plan;
    assert_eq!((last.seed, last.faults.len()), (3, 1));
    assert!(!right("").is_matrix());
}
