//! Paths from one folder to a file elsewhere, so that `plan.yaml` works from where it is written.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// `to` as it is reached from the folder `from`; absolute where there is no common root.
///
/// Neither has to exist: links are followed as far as there is something.
pub(super) fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to) = (resolved(from), resolved(to));
    let (mut here, mut there) = (from.components().peekable(), to.components().peekable());
    let mut shared = 0;
    while here.peek().is_some() && here.peek() == there.peek() {
        here.next();
        there.next();
        shared += 1;
    }
    if shared == 0 {
        return to;
    }
    let up = here.map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(there).collect();
    if path.as_os_str().is_empty() {
        ".".into()
    } else {
        path
    }
}

/// The path without links and dots: that of the deepest ancestor that exists, and the rest as it
/// is written.
fn resolved(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut rest: Vec<OsString> = Vec::new();
    let mut head = whole.as_path();
    loop {
        if let Ok(found) = std::fs::canonicalize(head) {
            return rest.iter().rev().fold(found, |path, part| path.join(part));
        }
        let (Some(parent), Some(name)) = (head.parent(), head.file_name()) else {
            return whole;
        };
        rest.push(name.to_os_string());
        head = parent;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_reached_from_any_folder() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        let case = |from: &str, to: &str| relative(&root.join(from), &root.join(to));
        assert_eq!(case("a/b", "a/x"), Path::new("../x"));
        assert_eq!(case("a/new/er", "x"), Path::new("../../../x"));
        assert_eq!(case("a", "a/b/x"), Path::new("b/x"));
        assert_eq!(case("a", "a"), Path::new("."));
    }
}
