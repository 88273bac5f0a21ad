//! Results on disk, one file a plan, by its digest.
//!
//! A file is written whole under another name, brought to the disk and renamed; its first line holds
//! the digest of the rest. So a file that is not whole is never taken for a result, whether its
//! writer was killed or the disk lost its end.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

/// The longest file that is read, bytes.
const MAX_BYTES: u64 = 1 << 30;
/// What the first line begins with.
const MARK: &str = "consim cell 1";

/// Why a result cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
pub struct StoreError {
    path: PathBuf,
    source: io::Error,
}

/// A folder of results.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    /// What is being made.
    making: Mutex<BTreeSet<String>>,
    made: Condvar,
}

impl Store {
    /// The results in `dir`, which need not be there.
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            making: Mutex::new(BTreeSet::new()),
            made: Condvar::new(),
        }
    }

    /// Where the result of a plan is: spread over folders by the first two digits.
    fn path(&self, digest: &str) -> PathBuf {
        let (folder, rest) = digest.split_at_checked(2).unwrap_or(("", digest));
        self.dir.join(folder).join(format!("{rest}.json"))
    }

    fn head(body: &[u8]) -> String {
        let version = env!("CARGO_PKG_VERSION");
        format!("{MARK} {version} {}", blake3::hash(body).to_hex())
    }

    /// The result of the plan with this digest, if it is there, whole, and of this version.
    pub fn read<T: DeserializeOwned>(&self, digest: &str) -> Option<T> {
        let path = self.path(digest);
        if fs::metadata(&path).ok()?.len() > MAX_BYTES {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (head, body) = (bytes.get(..end)?, bytes.get(end + 1..)?);
        if head != Self::head(body).as_bytes() {
            return None;
        }
        serde_json::from_slice(body).ok()
    }

    /// Keeps a result.
    pub fn write<T: Serialize>(&self, digest: &str, result: &T) -> Result<(), StoreError> {
        let path = self.path(digest);
        // Another process may write the same result at the same time.
        let partial = path.with_extension(format!("{}.partial", std::process::id()));
        let put = || -> io::Result<()> {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let body = serde_json::to_vec(result)?;
            let mut file = fs::File::create(&partial)?;
            file.write_all(Self::head(&body).as_bytes())?;
            file.write_all(b"\n")?;
            file.write_all(&body)?;
            file.sync_all()?;
            fs::rename(&partial, &path)
        };
        put().map_err(|source| StoreError { path, source })
    }

    /// The result of a plan: read, or made and kept. While one thread makes it, others that want the
    /// same wait. `true` if it was there.
    pub fn once<T: Serialize + DeserializeOwned, E: From<StoreError>>(
        &self,
        digest: &str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<(T, bool), E> {
        let lock = || self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let mut making = lock();
        while making.contains(digest) {
            making = self
                .made
                .wait(making)
                .unwrap_or_else(PoisonError::into_inner);
        }
        making.insert(digest.to_owned());
        drop(making);
        let _made = Made {
            store: self,
            digest,
        };
        if let Some(result) = self.read(digest) {
            return Ok((result, true));
        }
        let result = make()?;
        self.write(digest, &result)?;
        Ok((result, false))
    }

    /// Takes all results away.
    pub fn clear(&self) -> Result<(), StoreError> {
        match fs::remove_dir_all(&self.dir) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(StoreError {
                path: self.dir.clone(),
                source,
            }),
            _ => Ok(()),
        }
    }
}

/// Says that a result is there, or will not be: also if making it panicked.
struct Made<'a> {
    store: &'a Store,
    digest: &'a str,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let making = self.store.making.lock();
        making
            .unwrap_or_else(PoisonError::into_inner)
            .remove(self.digest);
        self.store.made.notify_all();
    }
}
