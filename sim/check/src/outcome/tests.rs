#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::path::Path;

/// The committed schema is that of the types; `CONSIM_BLESS=1` writes it anew.
#[test]
fn the_committed_schema_is_that_of_the_outcome() {
    let mut schema = schemars::schema_for!(Outcome).to_value();
    let head = schema.as_object_mut().unwrap();
    head.insert("title".into(), "outcome.json of consim, schema 1".into());
    // Written by a program: every key is there. A reader must bear keys that are new to it.
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/outcome.schema.json");
    if std::env::var_os("CONSIM_BLESS").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "docs/outcome.schema.json differs; CONSIM_BLESS=1 cargo test -p consim-check outcome"
    );
}
