//! Saved failures come out as they say: `docs/explore.md`.

use consim_scenarios::regressions::{FOLDER, files, regression};
use std::path::Path;

#[test]
fn saved_failures_come_out_as_they_say() {
    let files = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER));
    assert!(!files.is_empty());
    let wrong: Vec<_> = files
        .iter()
        .filter_map(|file| regression(file).err())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_saved_failure_that_comes_out_otherwise_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let sound = "consim: 1\nseed: 1\nduration: 5s\nwarmup: 0s\nnetwork: { regions: one-place }\n\
                 organisations: { member: { tier: tertiary, count: 4 } }\n\
                 chains: { ledger: { members: member, consensus: pbft } }\n\
                 services: { store: { key-value: { keys: 5 } } }\n\
                 workloads: { clients: { transactions: { service: store }, load: 5/s } }\n";
    let write = |name: &str, more: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, format!("{sound}{more}")).unwrap();
        file
    };
    let why = |file: &Path| regression(file).unwrap_err().why;
    let gone = write("gone.yaml", "expect: { violation: agreement }\n");
    assert_eq!(why(&gone), "agreement is not violated any more");
    let nothing = write("nothing.yaml", "");
    assert!(why(&nothing).contains("expect.violation"));
    let fixed = write(
        "fixed.yaml",
        "expect: { violation: agreement }\nfound: { fixed: 0.1.0 }\n",
    );
    assert_eq!(regression(&fixed), Ok(()));
    assert_eq!(files(dir.path()).len(), 3);
    assert!(files(&dir.path().join("none")).is_empty());
}
