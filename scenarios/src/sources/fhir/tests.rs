#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::sync::Arc;

/// What some files come to.
pub(super) struct Gathered {
    pub(super) set: RecordSet,
    pub(super) taken: u64,
    pub(super) skipped: u64,
    pub(super) notes: Vec<String>,
}

/// Reads files from memory, named and in this order.
pub(super) fn gather(files: &[(&str, &str)]) -> Gathered {
    let limits = Limits::default();
    let mut reader = Reader::new(&limits, Notes::default());
    for (name, text) in files {
        reader.file(&Arc::from(*name), Ok(text.as_bytes().to_vec()));
    }
    let (resources, mut notes) = reader.finish();
    let (set, taken) = records(&resources, &mut notes);
    Gathered {
        set,
        taken,
        skipped: notes.skipped(),
        notes: notes.lines(1_000),
    }
}

mod data;
mod documents;
mod mutations;
mod shipped;
mod visits;
