//! The fuzz targets of `fuzz/`, over the committed corpus and mutations of it.
//!
//! `CONSIM_BLESS=1 cargo test --test it fuzz` adds the messages of a run to the corpus of the codec.

#[path = "../../fuzz/bodies.rs"]
mod bodies;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Mutations of each file.
const MUTATIONS: u64 = 60;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

/// Some bytes changed, taken away or doubled; the same for the same seed.
fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = |n: usize| {
        state = consim_core::mix(state, 0x6675_7a7a);
        (state % n.max(1) as u64) as usize
    };
    let mut out = bytes.to_vec();
    for _ in 0..=next(6) {
        let (at, value) = (next(out.len()), next(256) as u8);
        match next(5) {
            0 if !out.is_empty() => out[at] = value,
            1 if !out.is_empty() => out[at] ^= 1 << (value % 8),
            2 => out.insert(at.min(out.len()), value),
            3 => out.truncate(at),
            _ => {
                let part: Vec<u8> = out.iter().skip(at).take(1 + next(16)).copied().collect();
                out.splice(at..at, part);
            }
        }
    }
    out
}

fn run(target: &str, body: fn(&[u8]), least: usize) {
    let files = corpus(target);
    assert!(
        files.len() >= least,
        "only {} files for {target}",
        files.len()
    );
    for (number, (path, bytes)) in files.iter().enumerate() {
        body(bytes);
        for k in 0..MUTATIONS {
            let seed = number as u64 * MUTATIONS + k;
            let input = mutated(bytes, seed);
            let done = std::panic::catch_unwind(|| body(&input));
            assert!(
                done.is_ok(),
                "{} mutated with {seed}: {input:02x?}",
                path.display()
            );
        }
    }
}

#[test]
fn parser() {
    run("parser", bodies::parser, 6);
}

#[test]
fn codec() {
    let mut by_kind: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (kind, bytes) in bodies::messages() {
        assert!(bytes.len() > 4);
        bodies::codec(&bytes);
        by_kind.entry(kind).or_insert(bytes);
    }
    assert!(by_kind.len() >= 4, "{:?}", by_kind.keys());
    if std::env::var_os("CONSIM_BLESS").is_some() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/codec");
        for (kind, bytes) in &by_kind {
            std::fs::write(folder.join(kind), bytes).unwrap();
        }
    }
    run("codec", bodies::codec, 4);
}

#[test]
fn recovery() {
    // The corpus gets somewhere: batches are ordered, also around crashes.
    for (path, bytes) in corpus("recovery") {
        let (ordered, crashes) = bodies::recovered(&bytes);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            ordered >= 2 || name.starts_with("random"),
            "{name}: {ordered}"
        );
        assert!(crashes > 0 || name == "normal", "{name}");
    }
    run("recovery", bodies::recovery, 4);
}
