//! The arrows between crates run one way. A crate boundary exists only where it enforces this.

use std::process::Command;

/// A crate of the workspace and what it depends on outside its tests.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    name: String,
    /// Names on the registry, not the keys that rename them.
    dependencies: Vec<String>,
}

/// Which crates of the workspace a crate may use.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "consim",
        &[
            "consim-reports",
            "consim-scenarios",
            "consim-models",
            "consim-kernel",
            "consim-check",
            "consim-core",
        ],
    ),
    (
        "consim-scenarios",
        &[
            "consim-models",
            "consim-kernel",
            "consim-check",
            "consim-core",
        ],
    ),
    ("consim-models", &["consim-core"]),
    ("consim-reports", &["consim-check", "consim-core"]),
    ("consim-kernel", &["consim-core"]),
    ("consim-check", &["consim-core"]),
    ("consim-hosts", &["consim-core"]),
    ("consim-core", &[]),
];

/// YAML and runtimes, which nothing that is simulated may see.
const FOREIGN: &[&str] = &["serde-saphyr", "serde_yaml", "tokio", "turmoil"];

/// Crates that are simulated or simulate, with what else they must not use. Models hand typed
/// values about and read no files.
const CLOSED: &[(&str, &[&str])] = &[
    ("consim-core", &["serde", "serde_json"]),
    ("consim-kernel", &["serde", "serde_json"]),
    ("consim-check", &[]),
    ("consim-models", &["serde", "serde_json"]),
];

/// Every arrow of `members` that runs the wrong way, in words.
fn violations(members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == member.name) else {
            found.push(format!("{} has no row in ARROWS", member.name));
            continue;
        };
        let closed = CLOSED
            .iter()
            .find(|(name, _)| *name == member.name)
            .map(|(_, more)| *more);
        for dependency in member.dependencies.iter().map(String::as_str) {
            let ours = members.iter().any(|other| other.name == dependency);
            let foreign = closed
                .is_some_and(|more| FOREIGN.contains(&dependency) || more.contains(&dependency));
            if foreign || (ours && !allowed.contains(&dependency)) {
                found.push(format!("{} must not use {dependency}", member.name));
            }
        }
    }
    for (name, _) in ARROWS {
        if !members.iter().any(|member| member.name == *name) {
            found.push(format!(
                "{name} has a row in ARROWS but is not in the workspace"
            ));
        }
    }
    found
}

/// The workspace as cargo sees it. Tests of a crate may use more, so dev-dependencies are left out.
fn workspace() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| Member {
            name: text(&package["name"]),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].as_str() != Some("dev"))
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect()
}

#[test]
fn arrows_run_one_way() {
    assert_eq!(violations(&workspace()), Vec::<String>::new());
}

/// The right graph with one more arrow.
fn with_arrow(from: &str, to: &str) -> Vec<Member> {
    let mut members: Vec<Member> = ARROWS
        .iter()
        .map(|(name, allowed)| Member {
            name: (*name).to_owned(),
            dependencies: allowed.iter().map(|name| (*name).to_owned()).collect(),
        })
        .collect();
    assert_eq!(violations(&members), Vec::<String>::new());
    members
        .iter_mut()
        .find(|member| member.name == from)
        .unwrap()
        .dependencies
        .push(to.to_owned());
    members
}

#[test]
fn a_wrong_arrow_is_found() {
    for (from, to) in [
        ("consim-models", "consim-kernel"),
        ("consim-models", "consim-scenarios"),
        ("consim-models", "serde"),
        ("consim-core", "consim-kernel"),
        ("consim-kernel", "consim-models"),
        ("consim-kernel", "tokio"),
        ("consim-check", "consim-kernel"),
        ("consim-check", "serde-saphyr"),
        ("consim-hosts", "consim-models"),
        ("consim-hosts", "consim-kernel"),
        ("consim-models", "consim-hosts"),
        ("consim-models", "turmoil"),
        ("consim-reports", "consim-models"),
        ("consim-scenarios", "consim-reports"),
        ("consim-scenarios", "consim"),
    ] {
        assert_eq!(
            violations(&with_arrow(from, to)),
            [format!("{from} must not use {to}")]
        );
    }
}

#[test]
fn other_crates_are_no_arrows() {
    assert_eq!(
        violations(&with_arrow("consim-scenarios", "serde-saphyr")),
        Vec::<String>::new()
    );
    assert_eq!(
        violations(&with_arrow("consim-models", "sha2")),
        Vec::<String>::new()
    );
}

#[test]
fn a_crate_without_a_row_is_found() {
    let mut members = with_arrow("consim", "serde_json");
    members.push(Member {
        name: "consim-extra".to_owned(),
        dependencies: Vec::new(),
    });
    assert_eq!(violations(&members), ["consim-extra has no row in ARROWS"]);
    members.retain(|member| member.name != "consim-extra" && member.name != "consim-check");
    assert_eq!(
        violations(&members),
        ["consim-check has a row in ARROWS but is not in the workspace"]
    );
}
