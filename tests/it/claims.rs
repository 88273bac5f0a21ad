//! `consim claims` as its user meets it.

use std::path::Path;
use std::process::{Command, Output};

const CLAIM: &str = "consim: 1
duration: 4s
warmup: 1s
organisations: { hospital: { count: 4, hardware: hospital-server } }
chains: { ledger: { members: hospital, block: { wait: 50ms } } }
workloads:
  writes: { transactions: { service: key-value, size: 64B }, load: { open: { rate: 20/s, arrivals: even } } }
claims:
  quick: { says: It is quick., section: made up, supported_if: { latency_p99: at most 1s }, refuted_if: { latency_p99: above 1s }, seeds: 6 }
";

fn consim(dir: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consim"));
    command.current_dir(dir).args(args).output().unwrap()
}

#[test]
fn a_claim_of_a_file_is_judged_and_written_down() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("x.yaml"), CLAIM).unwrap();
    let done = consim(dir.path(), &["claims", "x.yaml", "--out", "c"]);
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{out}");
    assert!(out.contains("supported: It is quick."), "{out}");
    assert!(out.contains("held in 6 of 6"), "{out}");
    let page = std::fs::read_to_string(dir.path().join("c/report.html")).unwrap();
    assert!(
        page.contains("It is quick.") && page.contains("1 supported."),
        "{page}"
    );
    let json = std::fs::read_to_string(dir.path().join("c/claims.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["claims"][0]["standing"], "supported");
    assert_eq!(json["claims"][0]["supported_if"][0]["held"], 6);
    // Results are not replaced unasked.
    let again = consim(dir.path(), &["claims", "x.yaml", "--out", "c"]);
    assert_eq!(again.status.code(), Some(2));
    // What holds claims is a scenario, too. So short a run leaves checks without a judgement.
    let run = consim(dir.path(), &["run", "x.yaml", "--quiet", "--out", "r"]);
    assert_eq!(run.status.code(), Some(13));
}

#[test]
fn what_is_no_claim_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("x.yaml"),
        CLAIM.split("claims:").next().unwrap(),
    )
    .unwrap();
    for (name, part) in [
        ("claim-99", "`consim list claims` shows them"),
        ("claim-1..claim-99", "`claim-99`"),
        (
            "claim-22..claim-1",
            "runs backwards; write claim-1..claim-22",
        ),
        ("x.yaml", "holds no `claims`"),
    ] {
        let done = consim(dir.path(), &["claims", name]);
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{said}");
    }
    // One that no scenario judges is named.
    let done = consim(dir.path(), &["claims", "claim-20"]);
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{out}");
    assert!(
        out.contains("no claim was judged") && out.contains("judges claim-20"),
        "{out}"
    );
}
