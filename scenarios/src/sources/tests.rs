#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::folder::Folder;
use super::notes::{Extent, Notes, Place, quoted};
use super::*;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    dir
}

struct Read {
    /// Name, and length or reason.
    files: Vec<(String, Result<usize, String>)>,
    digest: String,
    notes: Vec<String>,
}

fn read(dir: &Path, limits: &Limits) -> Result<Read, SourceError> {
    let mut notes = Notes::default();
    let mut folder = Folder::list(dir, &["json"], limits, &mut notes)?;
    let mut files = Vec::new();
    folder.read(|name, content| files.push((name.to_string(), content.map(|c| c.len()))));
    Ok(Read {
        files,
        digest: folder.digest(),
        notes: notes.lines(MAX_NOTES),
    })
}

fn names(read: &Read) -> Vec<&str> {
    read.files.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn files_come_in_the_order_of_their_names_from_all_folders() {
    let dir = folder(&[
        ("b.json", b"1"),
        ("a/z.JSON", b"22"),
        ("a.json", b"333"),
        ("a/b/c.json", b""),
        ("a/notes.txt", b"no"),
        ("LICENSE", b"no"),
        (".hidden.json", b"no"),
        (".git/x.json", b"no"),
    ]);
    let read = read(dir.path(), &Limits::default()).unwrap();
    assert_eq!(names(&read), ["a.json", "a/b/c.json", "a/z.JSON", "b.json"]);
    let lengths: Vec<usize> = read
        .files
        .iter()
        .map(|(_, l)| *l.as_ref().unwrap())
        .collect();
    assert_eq!(lengths, [3, 0, 2, 1]);
    assert!(read.notes.is_empty());
}

#[test]
fn the_digest_tells_names_bytes_and_their_borders_apart() {
    let digest = |files: &[(&str, &[u8])]| {
        let dir = folder(files);
        read(dir.path(), &Limits::default()).unwrap().digest
    };
    let base = digest(&[("a.json", b"12"), ("b.json", b"34")]);
    assert_eq!(
        base,
        digest(&[("b.json", b"34"), ("a.json", b"12"), ("c.txt", b"x")])
    );
    for other in [
        digest(&[("a.json", b"12"), ("b.json", b"35")]),
        digest(&[("a.json", b"123"), ("b.json", b"4")]),
        digest(&[("a.json", b"12"), ("c.json", b"34")]),
        digest(&[("a.json", b"12")]),
        digest(&[("a.json", b"12"), ("b.json", b"34"), ("c.json", b"")]),
    ] {
        assert_ne!(base, other);
    }
}

#[test]
fn every_limit_holds() {
    let dir = folder(&[
        ("a.json", b"1234"),
        ("b.json", b"12"),
        ("c/d.json", b"12"),
        ("e.json", b"1"),
    ]);
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        read(dir.path(), &limits)
    };
    let refused = |read: &Read| -> Vec<(String, String)> {
        let files = read.files.iter();
        files
            .filter_map(|(name, content)| Some((name.clone(), content.clone().err()?)))
            .collect()
    };
    assert!(refused(&with(|_| ()).unwrap()).is_empty());
    let short = with(|limits| limits.file_bytes = 3).unwrap();
    assert_eq!(
        refused(&short),
        [("a.json".into(), "longer than 3 bytes".into())]
    );
    let exact = with(|limits| limits.file_bytes = 4).unwrap();
    assert!(refused(&exact).is_empty());
    // The files that still fit are read: 4, 2 and 1 of at most 7 bytes.
    let small = with(|limits| limits.total_bytes = 7).unwrap();
    assert_eq!(
        refused(&small),
        [(
            "c/d.json".into(),
            "all files together are longer than 7 bytes".into()
        )]
    );
    let flat = with(|limits| limits.depth = 0).unwrap();
    assert_eq!(names(&flat), ["a.json", "b.json", "e.json"]);
    assert_eq!(flat.notes, ["c: deeper than 0 folders"]);
    // Four files and a folder.
    assert!(with(|limits| limits.files = 5).is_ok());
    let many = with(|limits| limits.files = 4);
    assert!(matches!(many, Err(SourceError::TooMany { limit: 4, .. })));
}

#[cfg(unix)]
#[test]
fn links_that_lead_back_are_not_followed() {
    use std::os::unix::fs::symlink;
    let dir = folder(&[("a/x.json", b"1")]);
    symlink(dir.path(), dir.path().join("a/back")).unwrap();
    symlink(dir.path().join("a"), dir.path().join("again")).unwrap();
    symlink("nowhere", dir.path().join("dead.json")).unwrap();
    symlink(dir.path().join("a/x.json"), dir.path().join("y.json")).unwrap();
    symlink("/dev/zero", dir.path().join("z.json")).unwrap();
    let read = read(dir.path(), &Limits::default()).unwrap();
    assert_eq!(names(&read), ["a/x.json", "y.json"]);
    assert_eq!(
        read.notes,
        [
            "dead.json: cannot be read: entity not found",
            "z.json: not a regular file",
            "a/back: a link to a folder that is read already",
            "again: a link to a folder that is read already",
        ]
    );
}

#[test]
fn a_missing_folder_is_told_with_what_could_be_meant() {
    let dir = folder(&[
        ("records/a.json", b"1"),
        ("records/b/c.json", b"1"),
        ("recorde/x.txt", b"1"),
    ]);
    let error = |name: &str| {
        read(&dir.path().join(name), &Limits::default())
            .err()
            .unwrap()
    };
    let missing = dir.path().join("record");
    let near = Near {
        name: "records".to_owned(),
        files: 2,
    };
    assert_eq!(
        error("record"),
        SourceError::Missing {
            path: missing.clone(),
            near: Some(near)
        }
    );
    assert_eq!(
        error("record").to_string(),
        format!("no such folder: {}", missing.display())
    );
    // Three letters off, and nothing there at all.
    assert!(matches!(
        error("reco"),
        SourceError::Missing { near: None, .. }
    ));
    assert!(matches!(
        error("no/where"),
        SourceError::Missing { near: None, .. }
    ));
    assert!(matches!(
        error("records/a.json"),
        SourceError::NotAFolder { .. }
    ));
}

fn place(file: &str, path: &str) -> Place {
    Place::file(&Arc::from(file)).below(path)
}

#[test]
fn notes_of_one_reason_are_one_line() {
    let mut notes = Notes::default();
    for i in 0..3 {
        notes.skip(
            &place("a.json", &format!("$[{i}]")),
            Extent::File,
            "odd".into(),
        );
        notes.skip(
            &place("b.json", &format!("$[{i}]")),
            Extent::Source,
            "foreign".into(),
        );
    }
    notes.skip(&place("b.json", "$"), Extent::File, "odd".into());
    notes.remark(&place("c.json", ""), Extent::File, "used in part".into());
    assert_eq!(notes.skipped(), 7, "a remark leaves nothing out");
    assert_eq!(
        notes.lines(20),
        [
            "a.json: $[0]: odd (3 times in this file)",
            "b.json: $: odd",
            "c.json: used in part",
            "b.json: $[0]: foreign (3 times in all)",
        ]
    );
}

#[test]
fn there_are_never_more_lines_than_asked_for_and_the_last_says_how_many_more() {
    let mut notes = Notes::default();
    for i in 0..30 {
        notes.skip(
            &place(&format!("{i}.json"), ""),
            Extent::File,
            "broken".into(),
        );
    }
    for i in 0..10 {
        for _ in 0..=i {
            notes.skip(&place("x.json", ""), Extent::Source, format!("kind {i}"));
        }
    }
    let lines = notes.lines(20);
    assert_eq!(lines.len(), 20);
    assert_eq!(lines[12], "12.json: broken");
    assert_eq!(
        lines[13], "x.json: kind 9 (10 times in all)",
        "the most frequent kind first"
    );
    assert_eq!(lines[19], "and 21 more notes");
    assert_eq!(notes.lines(40).len(), 40);
    for limit in 0..40 {
        assert_eq!(notes.lines(limit).len(), limit);
    }
}

#[test]
fn notes_are_bounded_and_plain() {
    let mut notes = Notes::default();
    for i in 0..10_100 {
        notes.skip(&place("a.json", ""), Extent::Source, format!("kind {i}"));
    }
    assert_eq!(notes.skipped(), 10_100);
    assert_eq!(notes.lines(2)[1], "and 10099 more notes");
    assert_eq!(
        quoted("two\nlines\u{1b}[0m"),
        "`two\u{fffd}lines\u{fffd}[0m`"
    );
    assert_eq!(quoted(&"x".repeat(50)), format!("`{}...`", "x".repeat(40)));
    let odd = place("a\nb.json", "");
    assert_eq!(odd.to_string(), "a\u{fffd}b.json");
}
