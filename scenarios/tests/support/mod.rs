//! Scenarios as texts.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)] // not every test uses all

use consim_scenarios::diagnostic::{Diagnostic, Diagnostics};
use consim_scenarios::{LoadOptions, Loaded, load};
use std::path::PathBuf;

/// A folder with files; the first is the scenario.
pub(crate) fn load_files(
    files: &[(&str, &str)],
    options: &LoadOptions,
) -> Result<Loaded, Diagnostics> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    load(&dir.path().join(files[0].0), options)
}

/// One file.
pub(crate) fn load_text(text: &str) -> Result<Loaded, Diagnostics> {
    load_files(&[("scenario.yaml", text)], &LoadOptions::default())
}

/// One file that is right.
pub(crate) fn plan(text: &str) -> Loaded {
    load_text(text).unwrap_or_else(|d| panic!("{}", d.render()))
}

/// One file with overrides that is right.
pub(crate) fn plan_with(text: &str, sets: &[&str]) -> Loaded {
    let options = LoadOptions {
        sets: sets.iter().map(|&s| s.to_owned()).collect(),
        ..LoadOptions::default()
    };
    load_files(&[("scenario.yaml", text)], &options).unwrap_or_else(|d| panic!("{}", d.render()))
}

/// The mistakes of one file.
pub(crate) fn mistakes(text: &str) -> Vec<Diagnostic> {
    load_text(text).err().map_or_else(Vec::new, |d| d.list)
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
