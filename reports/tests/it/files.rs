//! What `write` does to a folder.

use crate::support::{cases, sample};
use consim_reports::{ReportError, read, render, write};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file below a folder with its bytes, and every folder with none.
fn tree(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(dir)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/");
            if path.is_dir() {
                out.insert(name + "/", Vec::new());
                open.push(path);
            } else {
                out.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    out
}

#[test]
fn a_report_has_every_file_of_an_output_folder() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("new/folder");
    write(&sample(), &out).unwrap();
    let tree = tree(&out);
    let names: Vec<&str> = tree.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "figures/",
            "figures/latency-cdf.svg",
            "figures/latency.svg",
            "figures/operations.svg",
            "figures/throughput.svg",
            "figures/topology.svg",
            "figures/utilisation.svg",
            "histograms/",
            "histograms/audit-read.hgrm",
            "histograms/deny.hgrm",
            "histograms/grant.hgrm",
            "histograms/read.hgrm",
            "histograms/request.hgrm",
            "histograms/revoke.hgrm",
            "histograms/store.hgrm",
            "latency.hgrm",
            "metrics.csv",
            "outcome.json",
            "plan.yaml",
            "report.html",
            "results.json",
        ]
    );
    for file in render(&sample()).unwrap() {
        assert_eq!(tree[&file.path], file.text.as_bytes(), "{}", file.path);
    }
    // Every one is in the reference.
    let readme = include_str!("../../README.md");
    for name in names
        .iter()
        .filter(|n| !n.ends_with('/') && !n.starts_with("histograms/"))
    {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
    assert!(readme.contains("`histograms/OPERATION.hgrm`"));
}

#[test]
fn outcome_json_comes_last() {
    for (name, case) in cases::CASES {
        let files = render(&case()).unwrap();
        assert_eq!(files.last().unwrap().path, "outcome.json", "{name}");
    }
}

#[test]
fn a_new_report_replaces_the_old_one_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    write(&sample(), dir.path()).unwrap();
    let others = [
        "notes.txt",
        "figures/mine.svg",
        "histograms/mine.hgrm",
        "timing.json",
    ];
    for name in others {
        fs::write(dir.path().join(name), "mine").unwrap();
    }
    // This one has no denials, and nothing to draw a map of.
    let mut results = sample();
    results.outcome.operations.remove("deny");
    results.latencies.remove("deny");
    results.topology.regions.clear();
    write(&results, dir.path()).unwrap();
    let mut tree = tree(dir.path());
    for name in others {
        assert_eq!(tree.remove(name).as_deref(), Some(&b"mine"[..]), "{name}");
    }
    assert!(!tree.contains_key("histograms/deny.hgrm"));
    assert!(!tree.contains_key("figures/topology.svg"));
    tree.retain(|name, _| !name.ends_with('/'));
    let expected: BTreeMap<String, Vec<u8>> = render(&results)
        .unwrap()
        .into_iter()
        .map(|f| (f.path, f.text.into_bytes()))
        .collect();
    assert_eq!(tree, expected);
    // An empty run leaves none of the old figures behind.
    write(&cases::empty(), dir.path()).unwrap();
    let tree = self::tree(dir.path());
    let names: Vec<&str> = tree.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "figures/",
            "figures/mine.svg",
            "histograms/",
            "histograms/mine.hgrm",
            "metrics.csv",
            "notes.txt",
            "outcome.json",
            "plan.yaml",
            "report.html",
            "results.json",
            "timing.json",
        ]
    );
}

/// Names the place and the cause, in one line.
fn tells(error: &ReportError, place: &str) {
    let ReportError::Write { path, source } = error else {
        panic!("{error:?}");
    };
    assert!(path.ends_with(place), "{}", path.display());
    let said = error.to_string();
    assert!(
        said.starts_with("cannot write ") && said.contains(place),
        "{said}"
    );
    assert!(said.ends_with(&source.to_string()), "{said}");
}

#[test]
fn a_path_that_cannot_be_written_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "mine").unwrap();
    let error = write(&sample(), &file.join("below")).unwrap_err();
    tells(&error, "file/below");
    let error = write(&sample(), &file).unwrap_err();
    tells(&error, "file");
    assert_eq!(
        tree(dir.path()).into_iter().collect::<Vec<_>>(),
        [("file".into(), b"mine".to_vec())]
    );
}

#[test]
fn an_error_leaves_no_half_folder() {
    // The obstacle is at the place of the first, a middle and the last file.
    for obstacle in [
        "report.html",
        "histograms/read.hgrm",
        "figures/topology.svg",
        "outcome.json",
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("out").join(obstacle)).unwrap();
        let before = tree(dir.path());
        let error = write(&sample(), &dir.path().join("out")).unwrap_err();
        tells(&error, obstacle);
        assert_eq!(tree(dir.path()), before, "{obstacle}");
    }
}

#[test]
fn an_error_leaves_the_old_report_whole() {
    let dir = tempfile::tempdir().unwrap();
    write(&cases::one_node(), dir.path()).unwrap();
    // A file where the new report needs one more that the old one does not have.
    fs::create_dir_all(dir.path().join("histograms/deny.hgrm")).unwrap();
    let before = tree(dir.path());
    let error = write(&sample(), dir.path()).unwrap_err();
    tells(&error, "histograms/deny.hgrm");
    assert_eq!(tree(dir.path()), before);
}

#[test]
fn operations_that_would_share_a_file_get_numbers() {
    let mut results = sample();
    let h = results.latencies["read"].clone();
    for name in ["a/b", "a:b", "A-B", "..", "", "all/"] {
        results.latencies.insert(name.into(), h.clone());
    }
    let files = render(&results).unwrap();
    let mut paths: Vec<String> = files.iter().map(|f| f.path.to_lowercase()).collect();
    for path in [
        "a-b.hgrm",
        "a-b-2.hgrm",
        "a-b-3.hgrm",
        "operation.hgrm",
        "operation-2.hgrm",
        "all.hgrm",
    ] {
        assert!(
            paths.contains(&format!("histograms/{path}")),
            "{path} of {paths:?}"
        );
    }
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), count);
}

#[test]
fn a_report_is_made_again_from_its_results_byte_for_byte() {
    for results in [sample(), cases::failed(), cases::partial(), cases::empty()] {
        let dir = tempfile::tempdir().unwrap();
        write(&results, dir.path()).unwrap();
        let first = tree(dir.path());
        fs::remove_file(dir.path().join("report.html")).unwrap();
        fs::remove_file(dir.path().join("outcome.json")).unwrap();
        let again = read(dir.path()).unwrap();
        write(&again, dir.path()).unwrap();
        assert_eq!(tree(dir.path()), first);
    }
}

#[test]
fn a_folder_without_results_is_an_error_that_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    for text in [None, Some(""), Some("{}"), Some("[1, 2")] {
        if let Some(text) = text {
            fs::write(dir.path().join("results.json"), text).unwrap();
        }
        let error = read(dir.path()).unwrap_err();
        assert!(matches!(error, ReportError::Read { .. }), "{error}");
        assert!(error.to_string().contains("results.json"), "{error}");
    }
}
