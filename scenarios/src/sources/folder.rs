//! The files of a source: listed in the order of their names, read within limits, hashed.

use super::notes::{Extent, Notes, Place};
use super::{Limits, Near, SourceError};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many letters a name may differ by to be taken for a slip.
const MAX_SLIPS: usize = 2;

/// A file of a source.
#[derive(Debug)]
pub(super) struct File {
    /// Its name relative to the source's folder, with `/` between folders on every system.
    pub(super) name: Arc<str>,
    bytes: Bytes,
}

/// Where the bytes of a file are.
#[derive(Debug)]
enum Bytes {
    Disk(PathBuf),
    BuiltIn(&'static str),
}

/// The files of a source, and how far they are read.
pub(super) struct Folder<'a> {
    endings: &'a [&'a str],
    limits: &'a Limits,
    files: Vec<File>,
    /// Folders that were entered, by what they really are: a link that leads back is not followed.
    entered: BTreeSet<PathBuf>,
    counted: usize,
    bytes_left: u64,
    hasher: blake3::Hasher,
}

impl<'a> Folder<'a> {
    /// Lists the files below `dir` whose names end in one of `endings`, in the order of their
    /// names. Hidden files and folders are no part of a source. What cannot be entered is noted.
    pub(super) fn list(
        dir: &Path,
        endings: &'a [&'a str],
        limits: &'a Limits,
        notes: &mut Notes,
    ) -> Result<Self, SourceError> {
        let mut folder = Self::empty(endings, limits);
        let path = || dir.to_path_buf();
        match fs::metadata(dir) {
            Ok(is) if is.is_dir() => {}
            Ok(_) => return Err(SourceError::NotAFolder { path: path() }),
            Err(_) => {
                return Err(SourceError::Missing {
                    path: path(),
                    near: folder.near(dir),
                });
            }
        }
        if let Err(error) = fs::read_dir(dir) {
            return Err(SourceError::Unreadable {
                path: path(),
                reason: reason(&error),
            });
        }
        folder
            .enter(dir, "", 0, notes)
            .map_err(|()| SourceError::TooMany {
                path: path(),
                limit: limits.files,
            })?;
        folder.files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(folder)
    }

    /// The files of a data set that is built in.
    pub(super) fn built_in(
        files: &[(&str, &'static str)],
        endings: &'a [&'a str],
        limits: &'a Limits,
    ) -> Self {
        let files = files.iter().map(|(name, text)| File {
            name: Arc::from(*name),
            bytes: Bytes::BuiltIn(text),
        });
        Self {
            files: files.collect(),
            ..Self::empty(endings, limits)
        }
    }

    fn empty(endings: &'a [&'a str], limits: &'a Limits) -> Self {
        Self {
            endings,
            limits,
            files: Vec::new(),
            entered: BTreeSet::new(),
            counted: 0,
            bytes_left: limits.total_bytes,
            hasher: blake3::Hasher::new(),
        }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Reads every file once, in order: its name and its bytes, or why they are not read.
    pub(super) fn read(&mut self, mut take: impl FnMut(&Arc<str>, Result<Vec<u8>, String>)) {
        for file in std::mem::take(&mut self.files) {
            let content = self.content(&file);
            self.hasher.update(&(file.name.len() as u64).to_le_bytes());
            self.hasher.update(file.name.as_bytes());
            match &content {
                Ok(bytes) => {
                    self.hasher.update(&(bytes.len() as u64).to_le_bytes());
                    self.hasher.update(bytes);
                }
                // No file is that long: a file that is not read differs from every one that is.
                Err(_) => {
                    self.hasher.update(&u64::MAX.to_le_bytes());
                }
            }
            take(&file.name, content);
        }
    }

    /// The digest of what was read.
    pub(super) fn digest(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    fn content(&mut self, file: &File) -> Result<Vec<u8>, String> {
        let limit = self.limits.file_bytes;
        let mut bytes = Vec::new();
        // One byte more than is allowed tells a file that is too long from one that is not,
        // without trusting the length that the system gives.
        match &file.bytes {
            Bytes::Disk(path) => {
                fs::File::open(path)
                    .and_then(|open| open.take(limit.saturating_add(1)).read_to_end(&mut bytes))
                    .map_err(|error| format!("cannot be read: {}", reason(&error)))?;
            }
            Bytes::BuiltIn(text) => bytes.extend_from_slice(text.as_bytes()),
        }
        if bytes.len() as u64 > limit {
            return Err(format!("longer than {limit} bytes"));
        }
        match self.bytes_left.checked_sub(bytes.len() as u64) {
            Some(left) => self.bytes_left = left,
            None => {
                return Err(format!(
                    "all files together are longer than {} bytes",
                    self.limits.total_bytes
                ));
            }
        }
        Ok(bytes)
    }

    /// Fails if there is more than a source may have.
    fn enter(&mut self, dir: &Path, name: &str, depth: usize, notes: &mut Notes) -> Result<(), ()> {
        let mut skip = |name: &str, why: String| {
            notes.skip(&Place::file(&Arc::from(name)), Extent::File, why);
        };
        let canonical = match fs::canonicalize(dir) {
            Ok(canonical) => canonical,
            Err(error) => {
                skip(name, format!("cannot be read: {}", reason(&error)));
                return Ok(());
            }
        };
        if !self.entered.insert(canonical) {
            skip(name, "a link to a folder that is read already".to_owned());
            return Ok(());
        }
        let entries = fs::read_dir(dir).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                skip(name, format!("cannot be read: {}", reason(&error)));
                return Ok(());
            }
        };
        // The system gives them in any order; notes are to come in one.
        entries.sort_by_key(fs::DirEntry::file_name);
        let mut folders = Vec::new();
        for entry in entries {
            let own = entry.file_name().to_string_lossy().into_owned();
            let (below, path) = (joined(name, &own), entry.path());
            if own.starts_with('.') {
                continue;
            }
            // Follows links: a link to a file is that file.
            match fs::metadata(&path) {
                Ok(is) if is.is_dir() && depth >= self.limits.depth => {
                    skip(&below, format!("deeper than {} folders", self.limits.depth));
                }
                Ok(is) if is.is_dir() => folders.push((below, path)),
                _ if !self.wanted(&own) => continue,
                Ok(is) if is.is_file() => self.files.push(File {
                    name: below.into(),
                    bytes: Bytes::Disk(path),
                }),
                Ok(_) => skip(&below, "not a regular file".to_owned()),
                Err(error) => skip(&below, format!("cannot be read: {}", reason(&error))),
            }
            self.counted += 1;
            if self.counted > self.limits.files {
                return Err(());
            }
        }
        for (below, path) in folders {
            self.enter(&path, &below, depth + 1, notes)?;
        }
        Ok(())
    }

    fn wanted(&self, name: &str) -> bool {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| {
            self.endings
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(ending))
        })
    }

    /// The folder beside a missing one with the most similar name that holds files of the kind.
    fn near(&mut self, missing: &Path) -> Option<Near> {
        let name = missing.file_name()?.to_string_lossy().into_owned();
        let parent = missing.parent().filter(|p| !p.as_os_str().is_empty());
        let beside = fs::read_dir(parent.unwrap_or(Path::new("."))).ok()?;
        let mut candidates: Vec<(usize, String, PathBuf)> = beside
            .flatten()
            .filter(|entry| entry.path().is_dir())
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    entry.path(),
                )
            })
            .filter_map(|(other, path)| Some((slips(&name, &other)?, other, path)))
            .collect();
        candidates.sort();
        candidates.into_iter().find_map(|(_, name, path)| {
            (self.files, self.counted) = (Vec::new(), 0);
            self.enter(&path, "", 0, &mut Notes::default()).ok()?;
            (!self.files.is_empty()).then_some(Near {
                name,
                files: self.files.len(),
            })
        })
    }
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The kind of a system error: its own words differ between systems.
fn reason(error: &io::Error) -> String {
    error.kind().to_string()
}

/// By how many letters two names differ (Levenshtein 1966), if it is at most [`MAX_SLIPS`].
fn slips(a: &str, b: &str) -> Option<usize> {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        let above = row.iter().zip(row.iter().skip(1));
        for (y, (&corner, &up)) in b.iter().zip(above) {
            let left = next.last().copied().unwrap_or(0);
            next.push((corner + usize::from(x != *y)).min(up + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().filter(|&slips| slips <= MAX_SLIPS)
}
