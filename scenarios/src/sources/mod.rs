//! Data sources: folders of real records, read once while a scenario is planned and handed to the
//! models as typed records. A model reads no file.
//!
//! A source is read as far as it can be: what is broken, foreign or too large is left out, counted
//! and noted with its place, and the rest is used. Only a source that gives nothing is an error.

pub mod fhir;
mod folder;
mod notes;
#[cfg(test)]
mod tests;

use consim_models::sharing::records::RecordSet;
use std::path::PathBuf;

/// The deepest folder below the source's own that is read (assumed: exports nest by type and by
/// patient, two or three levels).
pub const MAX_DEPTH: usize = 16;
/// The most files and folders of a source (assumed: a hundred times the largest public sample at
/// hand, 631 bundles).
pub const MAX_FILES: usize = 100_000;
/// The largest file, bytes (assumed: thirty times the 90th percentile of a whole patient's bundle,
/// 2.2 MB; DOMAIN.md, record sizes).
pub const MAX_FILE_BYTES: u64 = 64 << 20;
/// The most bytes of all files together (assumed: what fits beside a run into the memory of a
/// small machine).
pub const MAX_TOTAL_BYTES: u64 = 1 << 30;
/// The most resources of a source (assumed; each becomes one operation of a run).
pub const MAX_RESOURCES: usize = 1_000_000;
/// The most lines of notes of a source; the last one says how many more there are.
pub const MAX_NOTES: usize = 20;

/// How much of a source is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// See [`MAX_DEPTH`].
    pub depth: usize,
    /// See [`MAX_FILES`].
    pub files: usize,
    /// See [`MAX_FILE_BYTES`].
    pub file_bytes: u64,
    /// See [`MAX_TOTAL_BYTES`].
    pub total_bytes: u64,
    /// See [`MAX_RESOURCES`].
    pub resources: usize,
    /// See [`MAX_NOTES`].
    pub notes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: MAX_DEPTH,
            files: MAX_FILES,
            file_bytes: MAX_FILE_BYTES,
            total_bytes: MAX_TOTAL_BYTES,
            resources: MAX_RESOURCES,
            notes: MAX_NOTES,
        }
    }
}

/// What a source gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// The records, in the order in which they are replayed.
    pub records: RecordSet,
    /// Resources that are used: as a record, as a consent, or to tell who a patient is.
    pub taken: u64,
    /// Files, entries and resources that are left out.
    pub skipped: u64,
    /// Why, and what was understood only in part: `file: JSON path: reason`.
    pub notes: Vec<String>,
    /// Hexadecimal BLAKE3 of the files' names, lengths and bytes in the order of their names.
    pub digest: String,
}

/// A folder beside a missing one whose name is almost the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Near {
    /// Its name.
    pub name: String,
    /// How many files in it could be read.
    pub files: usize,
}

/// Why a source gives nothing at all. The caller knows where in the scenario the source is named.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SourceError {
    /// There is no such folder.
    #[error("no such folder: {}", path.display())]
    Missing {
        /// The folder as it was asked for.
        path: PathBuf,
        /// What could be meant.
        near: Option<Near>,
    },
    /// There is something, but no folder.
    #[error("not a folder: {}", path.display())]
    NotAFolder {
        /// What was asked for.
        path: PathBuf,
    },
    /// The folder cannot be listed.
    #[error("cannot read the folder {}: {reason}", path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
    /// There is more below the folder than a source may have, so that the folder is probably not
    /// the one that is meant.
    #[error("more than {limit} files and folders in {}", path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// Nothing in the folder can be replayed.
    #[error("nothing to replay in {}: {files} files seen, {skipped} parts left out", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
        /// Files that were looked at.
        files: usize,
        /// Files, entries and resources that were left out.
        skipped: u64,
        /// Why: as [`Source::notes`].
        notes: Vec<String>,
    },
}
