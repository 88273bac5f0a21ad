//! What a wrong scenario is told: code, place, and a part of the mend, for each kind of mistake.

use crate::support::{load_files, load_text, mistakes};
use consim_scenarios::diagnostic::{Diagnostic, MAX_DIAGNOSTICS, Severity};
use consim_scenarios::{LoadOptions, load};

/// A right scenario; `HERE` is where a case puts its lines.
const BASE: &str = "consim: 1
network: { regions: guangdong }
organisations:
  tertiary: { region: guangzhou }
  community: { count: 15 }
chains: { alliance: { members: all } }
workloads: { outpatients: { visits: data-sharing } }
";
/// The line on which a case begins.
const FIRST: usize = 8;

fn describe(d: &Diagnostic) -> String {
    format!(
        "{} {}:{} {} ({})",
        d.code, d.line, d.column, d.message, d.help
    )
}

/// Appends `lines` to the right scenario and expects exactly one mistake, at `column` of line
/// `line` of the case.
fn expect(lines: &str, code: &str, (line, column): (usize, usize), help: &str) {
    let text = format!("{BASE}{lines}\n");
    let found = mistakes(&text);
    let told: Vec<String> = found.iter().map(describe).collect();
    assert_eq!(found.len(), 1, "{lines}: {told:#?}");
    let d = &found[0];
    assert_eq!(
        (d.code, d.line, d.column),
        (code, FIRST + line - 1, column),
        "{lines}: {told:#?}"
    );
    assert!(
        d.help.contains(help),
        "{lines}: `{}` lacks `{help}`",
        d.help
    );
}

#[test]
fn values() {
    expect("duration: 30", "E101", (1, 11), "30s, 30m or 30h?");
    expect("duration: 30M", "E102", (1, 11), "minutes are `m`");
    expect("duration: 007s", "E106", (1, 11), "500ms");
    expect("seed: 1e3", "E106", (1, 7), "8k");
    expect("start: 2026-03-02T08:00:00", "E106", (1, 8), "+08:00");
    expect(
        "hardware: { a: { profile: hospital-server, nic: { in: 10Mb, out: 1Gbit/s } } }",
        "E103",
        (1, 55),
        "10Mbit/s for bits",
    );
    expect(
        "faults:\n  x: { at: 1m, for: 1m, loss: { target: tertiary, rate: 0.05 } }",
        "E104",
        (2, 57),
        "5%",
    );
    expect(
        "faults:\n  x: { at: 1m, for: 1m, enabled: no, crash: tertiary }",
        "E108",
        (2, 34),
        "true",
    );
    expect(
        "faults:\n  X: { at: 1m, for: 1m, crash: tertiary }",
        "E109",
        (2, 3),
        "lower-case",
    );
    expect(
        "faults:\n  x: { at: 1m, for: 2m..1m, crash: tertiary }",
        "E110",
        (2, 21),
        "1m..2m",
    );
    expect(
        "faults:\n  x: { at: 1m, for: 1m, delay: { target: tertiary, add: 10ms..20ms } }",
        "E112",
        (2, 57),
        "uniform",
    );
    expect(
        "expect:\n  availability: > 99%",
        "E105",
        (2, 17),
        "at least 99%",
    );
    expect(
        "expect:\n  availability: '>= 99%'",
        "E105",
        (2, 18),
        "at least 99%",
    );
    expect(
        "expect:\n  latency_p99: at most 99%",
        "E106",
        (2, 24),
        "500ms",
    );
    expect("duration:", "E209", (1, 1), "give it a value");
    expect("duration: ~", "E209", (1, 1), "give it a value");
}

#[test]
fn structure() {
    expect("organizations: {}", "E201", (1, 1), "`organisations`");
    expect(
        "hardware: { a: { profile: hospital-server, coars: 3 } }",
        "E201",
        (1, 44),
        "`cores`",
    );
    expect(
        "populations: { p: { consent: { grand: 3% } } }",
        "E201",
        (1, 32),
        "`grant`",
    );
    expect(
        "services: { s: data-shering }",
        "E202",
        (1, 16),
        "`data-sharing`",
    );
    expect(
        "hardware: { a: hospital-sever }",
        "E202",
        (1, 16),
        "`hospital-server`",
    );
    expect(
        "checks: { only: [agrement] }",
        "E202",
        (1, 18),
        "`agreement`",
    );
    expect(
        "services: { s: { model: data-sharing } }",
        "E203",
        (1, 18),
        "data-sharing",
    );
    expect(
        "faults:\n  - { id: cut, at: 1m, for: 1m, crash: tertiary }",
        "E205",
        (2, 5),
        "cut: { at: 1m",
    );
    expect(
        "faults:\n  x: { at: 1m, for: 1m, crash: tertiary, loss: tertiary }",
        "E206",
        (2, 42),
        "second entry",
    );
    expect("faults:\n  x: { at: 1m, for: 1m }", "E207", (2, 3), "crash");
    expect(
        "faults:\n  x: { at: 1m, for: 1m, target: tertiary }",
        "E207",
        (2, 25),
        "crash: { target",
    );
    expect(
        "faults:\n  x: { at: 1m, for: 1m, sensor: tertiary }",
        "E208",
        (2, 25),
        "later",
    );
    expect("devices: {}", "E208", (1, 1), "later");
    expect("output: { trace: jsonl }", "E208", (1, 11), "later");
    expect(
        "faults:\n  x: { for: 1m, crash: tertiary }",
        "E210",
        (2, 3),
        "at:",
    );
    expect("heal: 3s", "E211", (1, 7), "bound");
    expect("duration: [1m]", "E211", (1, 11), "30s");
    expect(
        "expect: [latency_p99]",
        "E211",
        (1, 9),
        "latency_p99: at most",
    );
    expect(
        "checks: { only: agreement }",
        "E211",
        (1, 17),
        "[agreement]",
    );
}

#[test]
fn targets() {
    let fault = |selector: &str| format!("faults:\n  x: {{ at: 1m, for: 1m, crash: {selector} }}");
    expect(
        &fault("2 of communty"),
        "E301",
        (2, 37),
        "`community` (15 nodes)",
    );
    expect(&fault("leader of aliance"), "E301", (2, 42), "`alliance`");
    expect(
        &fault("all in region guangzho"),
        "E301",
        (2, 46),
        "`guangzhou`",
    );
    expect(
        &fault("community-3..community-99"),
        "E301",
        (2, 45),
        "community",
    );
    expect(&fault("20 of community"), "E302", (2, 32), "community");
    expect(
        &fault("f of community"),
        "E303",
        (2, 32),
        "f of alliance (n = 16, f = 5)",
    );
    expect(
        &fault("guangzhou"),
        "E304",
        (2, 32),
        "region guangzhou (1 node)",
    );
    expect(&fault("leader of community"), "E301", (2, 42), "alliance");
    expect(
        &fault("[tertiary, leader of alliance]"),
        "E306",
        (2, 43),
        "second entry",
    );
    expect(
        &fault("community except community"),
        "E307",
        (2, 32),
        "none",
    );
    expect(&fault("tier village"), "E307", (2, 32), "none");
    expect(&fault("3 community"), "E111", (2, 32), "3 of community");
    expect(&fault("relay hub"), "E301", (2, 38), "");
    expect(
        "faults:\n  x: { at: 1m, for: 1m, partition: all }",
        "E308",
        (2, 36),
        "one side",
    );
    expect(
        "faults:\n  x: { at: 1m, for: 1m, loss: { rate: 5% } }",
        "E211",
        (2, 3),
        "between",
    );
    expect(
        "expect: { latency_p98: at most 1s }",
        "E309",
        (1, 11),
        "latency_p99",
    );
    expect(
        "expect: { workloads.inpatients.latency_p99: at most 1s }",
        "E301",
        (1, 21),
        "outpatients",
    );
}

#[test]
fn times() {
    expect(
        "faults:\n  x: { at: 1m, crash: tertiary }",
        "E401",
        (2, 3),
        "for: rest",
    );
    expect(
        "faults:\n  x: { at: 45m, for: 1m, crash: tertiary }",
        "E402",
        (2, 12),
        "duration: 47m",
    );
    expect("warmup: 40m", "E402", (1, 9), "shorter");
    expect(
        "faults:\n  x: { at: 1m, for: 1m, times: 3, crash: tertiary }",
        "E404",
        (2, 32),
        "every",
    );
    expect(
        "faults:\n  x: { at: 5m, until: 4m, crash: tertiary }",
        "E406",
        (2, 23),
        "later",
    );
    expect(
        "faults:\n  x: { at: 5m, for: 1m, until: 7m, crash: tertiary }",
        "E406",
        (2, 32),
        "one of them",
    );
    expect(
        "faults:\n  x: { at: y, for: 1m, crash: tertiary }",
        "E301",
        (2, 12),
        "x",
    );
    expect(
        "faults:\n  x: { at: '2026-03-02T07:00:00+08:00', for: 1m, crash: tertiary }",
        "E402",
        (2, 13),
        "start",
    );
    let circle = mistakes(&format!(
        "{BASE}faults:\n  x: {{ at: y, for: 1m, crash: tertiary }}\n  y: {{ at: x, for: 1m, crash: tertiary }}\n"
    ));
    assert!(
        circle.iter().all(|d| d.code == "E407") && !circle.is_empty(),
        "{circle:?}"
    );
    let late = load_text(&format!(
        "{BASE}faults:\n  x: {{ at: 28m, for: 2m, crash: tertiary }}\n"
    ))
    .unwrap();
    assert_eq!(
        (late.warnings[0].code, late.warnings[0].severity),
        ("W403", Severity::Warning)
    );
    assert_eq!((late.warnings[0].line, late.warnings[0].column), (9, 22));
}

#[test]
fn meaning_and_composition() {
    let told = |text: &str| mistakes(text).iter().map(describe).collect::<Vec<_>>();
    let one = |text: &str, code: &str, help: &str| {
        let told = told(text);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(
            told[0].starts_with(code) && told[0].contains(help),
            "{told:#?}"
        );
    };
    one(
        &BASE.replace("members: all", "members: 2 of community"),
        "E501 6:32",
        "add members",
    );
    one(
        &BASE.replace("alliance:", "community:"),
        "E305 6:11",
        "community-chain",
    );
    one(
        &BASE.replace(
            "members: all",
            "members: all, consensus: { pbft: { watermark: 5 } }",
        ),
        "E505 6:69",
        "watermark",
    );
    let aggregate =
        |of: &str| BASE.replace("all }", &format!("all, certificates: aggregate{of} }}"));
    one(&aggregate(""), "E505 6:51", "consensus: hotstuff");
    one(
        &aggregate(", consensus: hotstuff, signatures: sm2"),
        "E505 6:51",
        "signatures: bls",
    );
    one(
        &BASE.replace("all }", "all, certificates: threshold }"),
        "E202",
        "aggregate",
    );
    one(
        &BASE.replace("data-sharing", "{ service: data-shring }"),
        "E301 7:48",
        "data-sharing",
    );
    one(
        &BASE.replace(
            "regions: guangdong",
            "regions: { table: guangdong, places: { a: { lat: 1, lon: 1 } } }",
        ),
        "E504",
        "leave `table` out",
    );
    one(
        &BASE.replace(
            "data-sharing",
            "{ service: data-sharing, source: fhir:nowhere }",
        ),
        "E603",
        "relative to this file",
    );
    one(
        &BASE.replace("data-sharing", "{ service: data-sharing, source: epcis:x }"),
        "E208",
        "later",
    );
    one(
        "consim: 1\nbase: nowhere.yaml\n",
        "E603 2:7",
        "relative to this file",
    );
    one(
        "consim: 1\nbase: preset:aliance-sharing\n",
        "E202 2:14",
        "`alliance-sharing`",
    );
    one(
        "consim: 1\nbase: preset:alliance-sharing-faults\nremove: [faults.city-cutt]\n",
        "E602 3:17",
        "city-cut",
    );
    one("consim: 1\nbase: scenario.yaml\n", "E604 2:7", "no circle");
    one(&format!("{BASE}remove: [faults.x]\n"), "E602 8:10", "base");
    one(
        "consim: 1\nworkloads: { w: { visits: data-sharing } }\n",
        "E210",
        "organisations",
    );
    one(
        "consim: 1\norganisations: { h: { count: 4 } }\n",
        "E210",
        "workloads",
    );
}

#[test]
fn files() {
    let first = |text: &str| {
        let found = mistakes(text);
        assert_eq!(found.len(), 1, "{found:#?}");
        (found[0].code, found[0].line, found[0].column)
    };
    assert_eq!(first(""), ("E009", 1, 1));
    assert_eq!(first("- a\n- b\n"), ("E009", 1, 1));
    assert_eq!(first("just words\n"), ("E009", 1, 1));
    assert_eq!(
        first(&BASE.replace("consim: 1", "consim: 2")),
        ("E001", 1, 9)
    );
    assert_eq!(first(&BASE.replace("consim: 1\n", "")), ("E001", 1, 1));
    assert_eq!(
        first(&(BASE.replace("consim: 1\n", "") + "consim: 1\n")),
        ("E001", 1, 1)
    );
    assert_eq!(first(&format!("{BASE}chains: {{}}\n")), ("E002", 8, 1));
    assert_eq!(
        first(&BASE.replace("{ count: 15 }", "&big { count: 15 }")),
        ("E003", 5, 14)
    );
    assert_eq!(
        first(&BASE.replace("community: {", "community: { <<: { count: 3 },")),
        ("E003", 5, 16)
    );
    assert_eq!(
        first(&BASE.replace("count: 15", "count: !t 15")),
        ("E004", 5, 23)
    );
    assert_eq!(first(&format!("{BASE}faults: {{\n")), ("E005", 8, 9));
    assert_eq!(first(&format!("{BASE}\tduration: 5m\n")).0, "E005");
    assert_eq!(first(&format!("{BASE}---\nconsim: 1\n")).0, "E005");
    assert_eq!(first(&format!("{BASE}about: @home\n")), ("E005", 8, 8));
    let deep = format!("{BASE}about: {}x{}\n", "[".repeat(60), "]".repeat(60));
    assert_eq!(first(&deep).0, "E008");
    let many: String = (0..10_001)
        .map(|i| format!("  x{i}: {{ at: 1m, for: 1m, crash: tertiary }}\n"))
        .collect();
    assert_eq!(first(&format!("{BASE}faults:\n{many}")).0, "E008");
    let bases: Vec<(String, String)> = (0..10)
        .map(|i| {
            (
                format!("b{i}.yaml"),
                format!("consim: 1\nbase: b{}.yaml\n", i + 1),
            )
        })
        .collect();
    let files: Vec<(&str, &str)> = bases
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let list = load_files(&files, &LoadOptions::default())
        .unwrap_err()
        .list;
    assert_eq!(list[0].code, "E604");
    let dir = tempfile::tempdir().unwrap();
    let missing = load(&dir.path().join("none.yaml"), &LoadOptions::default()).unwrap_err();
    assert_eq!(missing.list[0].code, "E006");
    let folder = load(dir.path(), &LoadOptions::default()).unwrap_err();
    assert!(folder.list[0].message.contains("folder"));
    std::fs::write(
        dir.path().join("latin.yaml"),
        b"consim: 1\nabout: caf\xe9\n",
    )
    .unwrap();
    let latin = load(&dir.path().join("latin.yaml"), &LoadOptions::default()).unwrap_err();
    assert!(latin.list[0].message.contains("UTF-8"));
}

#[test]
fn overrides() {
    let told = |set: &str| {
        let options = LoadOptions {
            sets: vec![set.to_owned()],
            ..LoadOptions::default()
        };
        let list = load_files(&[("s.yaml", BASE)], &options).unwrap_err().list;
        assert_eq!(list.len(), 1, "{list:#?}");
        assert_eq!(list[0].file, "--set");
        format!("{} {} {}", list[0].code, list[0].column, list[0].help)
    };
    assert!(told("duration").starts_with("E605 1 "));
    assert!(told("duration=").starts_with("E209"));
    assert!(told("duration=30").starts_with("E101 10 30s"));
    assert!(told("chains.aliance.block.wait=1s").starts_with("E301 8 did you mean `alliance`"));
    assert!(told("chains.alliance.blok.wait=1s").starts_with("E201 17 did you mean `block`"));
    assert!(told("chains.alliance.consensus.protocol=raft").starts_with("E601 27 "));
    assert!(told("chains.alliance.consensus.hotstuff.phases=2").starts_with("E601 27 "));
    assert!(told("duration.x=2").starts_with("E601 10 "));
    assert!(told("workloads.outpatients.consents.grant=5%").starts_with("E601 23 "));
    assert!(told("base=x").starts_with("E605 1 "));
    assert!(told("devices.x=1").starts_with("E208 1 "));
}

/// All mistakes of a file come at once, sorted by place, and what is broken blames nothing else.
#[test]
fn all_at_once_and_no_blame_for_what_follows() {
    let text = "consim: 1
seed: many
duration: 30
network: { regions: guangdong, links: { rate: 10Mb } }
organisations:
  tertiary: { region: guangzhou, cuont: 3 }
  community: { count: 15 }
chains:
  alliance: { members: all, block: { wait: 5 } }
workloads:
  outpatients: { visits: data-sharing, load: { each: { tertiary: 5/day, nobody: 3/day } } }
faults:
  a: { at: 5m, for: 1m, crash: tertiary }
  b: { at: 5m, for: 1m, crash: leader of alliance }
  c: { at: 5m, for: 1m, crash: comunity }
  d: { at: end of e, for: 1m, crash: community }
  e: { at: 5x, for: 1m, crash: community }
expect:
  chains.alliance.height: at least 5%
";
    let found: Vec<(String, usize)> = mistakes(text)
        .iter()
        .map(|d| (d.code.to_owned(), d.line))
        .collect();
    let expected = [
        ("E106", 2),
        ("E101", 3),
        ("E103", 4),
        ("E201", 6),
        ("E101", 9),
        ("E301", 11),
        ("E301", 15),
        ("E102", 17),
    ];
    let expected: Vec<(String, usize)> = expected
        .iter()
        .map(|(c, l)| ((*c).to_owned(), *l))
        .collect();
    let (head, _) = found.split_at(found.len().min(expected.len()));
    assert_eq!(
        head,
        expected,
        "{:#?}",
        mistakes(text).iter().map(describe).collect::<Vec<_>>()
    );
    assert!(found.len() <= expected.len() + 1, "{found:?}");
}

#[test]
fn at_most_fifty_are_told() {
    let many: String = (0..200)
        .map(|i| format!("  x{i}: {{ at: 1, for: 1m, crash: tertiary }}\n"))
        .collect();
    assert_eq!(
        mistakes(&format!("{BASE}faults:\n{many}")).len(),
        MAX_DIAGNOSTICS
    );
}

/// Carets stand under what is meant, also behind wide characters and in quotes.
#[test]
fn carets_stand_under_what_is_meant() {
    let text =
        format!("{BASE}faults: {{ x: {{ at: 1m, for: 1m, crash: \"2 of communty\" }} }} # 医院\n");
    let d = &mistakes(&text)[0];
    let lines: Vec<String> = d.render().lines().map(str::to_owned).collect();
    let at = lines[1].find("communty").unwrap();
    assert_eq!(lines[2].find("^^^^^^^^"), Some(at), "{lines:#?}");
    let wide = format!("{BASE}about: 医院\nduration: 30\n");
    assert_eq!(mistakes(&wide)[0].column, 11);
    let behind = format!("{BASE}populations: {{ p: {{ consent: {{ grant: 3 }} }} }} # 医院\n");
    assert!(mistakes(&behind)[0].render().contains("E104"));
}

/// What an adversary may have.
#[test]
fn budgets_of_adversaries() {
    let insider = |has: &str| {
        format!(
            "adversaries: {{ insider: {{ {has} }} }}\nattacks: {{ lie: {{ at: 1m, for: 1m, equivocate: alliance }} }}"
        )
    };
    let told = |lines: &str| {
        let found = mistakes(&format!("{BASE}{lines}\n"));
        let told: Vec<String> = found.iter().map(describe).collect();
        assert_eq!(told.len(), 1, "{told:#?}");
        told[0].clone()
    };
    let keys = told(&insider("nodes: tertiary, keys: 16"));
    assert!(
        keys.starts_with("E302") && keys.contains("there are 15"),
        "{keys}"
    );
    let links = told(&insider("nodes: tertiary, links: 121"));
    assert!(
        links.starts_with("E302") && links.contains("there are 120"),
        "{links}"
    );
    let role = told(&insider("nodes: tertiary, roles: [outsider, carrier]"));
    assert!(
        role.starts_with("E208") && role.contains("carrier"),
        "{role}"
    );
    let role = told(&insider("nodes: tertiary, roles: [nurse]"));
    assert!(role.starts_with("E202"), "{role}");
    let nobody = told(&insider("keys: 2"));
    assert!(nobody.starts_with("E503"), "{nobody}");
    let lines =
        told(&insider("nodes: tertiary").replace("equivocate: alliance", "interfere: drop"));
    assert!(
        lines.starts_with("E503") && lines.contains("links"),
        "{lines}"
    );
    // Sixteen members bear five traitors.
    let limits = |more: &str| {
        let has = insider("nodes: 4 of alliance, keys: 2");
        format!("{has}\nlimits: {{ fault_budget: {{ byzantine: f{more} }} }}")
    };
    let beyond = told(&limits(""));
    assert!(
        beyond.starts_with("E408") && beyond.contains("hold 6 members"),
        "{beyond}"
    );
    let skipped = load_text(&format!("{BASE}{}\n", limits(", excess: skip")));
    let plan = skipped.unwrap_or_else(|d| panic!("{}", d.render())).plan;
    let insider = &plan.adversaries["insider"];
    assert_eq!((insider.nodes.len(), insider.keys.len()), (4, 1));
    assert!(plan.notes.iter().any(|note| note.contains("fault budget")));
}

/// A fault that needs a service says so, and not from an empty list.
#[test]
fn a_fault_of_consents_without_consents() {
    let text = BASE.replace(
        "workloads: { outpatients: { visits: data-sharing } }",
        "services: { store: { key-value: { keys: 10 } } }\nworkloads: { w: { transactions: store, load: 1/s } }",
    );
    for fault in ["expiry-edge", "expiry-edge: store"] {
        let fault = format!("{fault}{}", if fault.contains(':') { "" } else { ": {}" });
        let found = mistakes(&format!(
            "{text}faults: {{ x: {{ at: 1m, for: 1m, {fault} }} }}\n"
        ));
        let told: Vec<String> = found.iter().map(describe).collect();
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(
            told[0].starts_with("E301") && told[0].contains("data-sharing"),
            "{told:#?}"
        );
        assert!(!told[0].contains("allowed: )"), "{told:#?}");
    }
}
