//! What a wrong scenario is told, word for word.
//!
//! Every `tests/bad/NAME.yaml` has what `consim check --strict` prints beside it in `NAME.txt`.
//! `CONSIM_BLESS=1 cargo test --test it diagnostics` writes these anew; read the difference.

use consim_scenarios::codes::CODES;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn consim(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_consim"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(args)
        .output()
        .unwrap()
}
fn stderr(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}
/// Names of the scenarios in `tests/bad`, sorted.
fn bad() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[test]
fn every_mistake_is_told_in_these_words() {
    let names = bad();
    assert!(names.len() >= 60, "only {} files", names.len());
    let mut wrong = Vec::new();
    for name in names {
        let file = format!("tests/bad/{name}.yaml");
        let done = consim(&["check", "--strict", &file]);
        let said = stderr(&done);
        assert_eq!(done.status.code(), Some(2), "{file}: {said}");
        assert!(done.stdout.is_empty(), "{file} prints a plan");
        let golden =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/bad/{name}.txt"));
        if std::env::var_os("CONSIM_BLESS").is_some() {
            std::fs::write(&golden, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{file} is told\n{said}\ninstead of\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `run` refuses what `check` refuses, in the same words, and writes nothing. A warning is none.
#[test]
fn run_refuses_them_too() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("out");
    for name in [
        "many-errors",
        "too-late",
        "endless",
        "value-of-an-axis",
        "alias-bomb",
    ] {
        let file = format!("tests/bad/{name}.yaml");
        let done = consim(&["run", &file, "--quiet", "--out", out.to_str().unwrap()]);
        assert_eq!(done.status.code(), Some(2), "{file}");
        let golden =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/bad/{name}.txt"));
        assert_eq!(stderr(&done), std::fs::read_to_string(golden).unwrap());
        assert!(!out.exists());
    }
    let late = consim(&["check", "--quiet", "tests/bad/late-fault.yaml"]);
    assert_eq!(late.status.code(), Some(0));
    assert!(
        stderr(&late).starts_with("warning[W403]"),
        "{}",
        stderr(&late)
    );
}

/// Every code that the source can say is explained, and none besides.
#[test]
fn every_code_is_explained() {
    fn walk(folder: &Path, into: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("codes.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let quoted = text.split('"').filter(|word| {
                    let [family, digits @ ..] = word.as_bytes() else {
                        return false;
                    };
                    b"EW".contains(family)
                        && digits.len() == 3
                        && digits.iter().all(u8::is_ascii_digit)
                });
                into.extend(quoted.map(str::to_owned));
            }
        }
    }
    let mut said = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["scenarios/src", "sim/core/src/values"] {
        walk(&root.join(folder), &mut said);
    }
    let explained: BTreeSet<String> = CODES.iter().map(|c| c.code.to_owned()).collect();
    assert_eq!(said, explained);
    for code in &explained {
        let done = consim(&["check", "--explain", &code.to_lowercase()]);
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success() && text.starts_with(code.as_str()),
            "{text}"
        );
        assert!(text.len() > 60, "{text}");
    }
    let unknown = consim(&["check", "--explain", "E999"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn formats_for_machines_say_the_same() {
    let file = "tests/bad/many-errors.yaml";
    let json = consim(&["check", "--format", "json", file]);
    assert_eq!(json.status.code(), Some(2));
    let rows: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0]["code"], "E201");
    assert_eq!(
        (&rows[0]["line"], &rows[0]["column"]),
        (&4.into(), &44.into())
    );
    assert_eq!(rows[0]["edit"], "count");
    let lsp = consim(&[
        "check",
        "--format",
        "lsp",
        file,
        "scenarios/paper/alliance-sharing.yaml",
    ]);
    let files: serde_json::Value = serde_json::from_slice(&lsp.stdout).unwrap();
    let files = files.as_array().unwrap();
    assert_eq!(files.len(), 2);
    let bad = files
        .iter()
        .find(|f| f["uri"].as_str().unwrap().ends_with(file))
        .unwrap();
    assert!(bad["uri"].as_str().unwrap().starts_with("file:///"));
    let first = &bad["diagnostics"][0];
    assert_eq!(
        first["range"]["start"],
        serde_json::json!({ "line": 3, "character": 43 })
    );
    assert_eq!(
        (&first["severity"], &first["code"]),
        (&1.into(), &"E201".into())
    );
    let good = files.iter().find(|f| f["uri"] != bad["uri"]).unwrap();
    assert_eq!(good["diagnostics"], serde_json::json!([]));
}
