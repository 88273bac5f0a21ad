//! Digests of a plan.
//!
//! A plan is hashed as its resolved values: path and canonical text, sorted by path, values equal
//! to the default of their key left out. So reformatting, moving a value into a base, spelling out
//! a default or another unit changes no digest, and neither does a later version that has more
//! keys; any number that can change an event does.

use crate::schema::decode::Drawn;
use crate::schema::{Leaf, LeafKind};

/// The language version that is part of every digest.
const DOMAIN: &str = "consim language 1 plan";

/// Plan digest and design digest: the second leaves the seed out and holds ranges instead of what
/// was drawn from them.
pub(super) fn digests(leaves: &[Leaf]) -> (String, String) {
    let design = |leaf: &Leaf| leaf.design.clone().unwrap_or_else(|| text(leaf));
    (
        hash(&lines(leaves, Drawn::From, text)),
        hash(&lines(leaves, Drawn::Entry, design)),
    )
}

fn text(leaf: &Leaf) -> String {
    leaf.digest.clone().unwrap_or_else(|| leaf.text.clone())
}

/// What the digest is of: paths, their parts apart by U+001F, and values, sorted.
pub(super) type Lines = Vec<(String, String)>;

/// The lines of the plan digest.
pub(super) fn plan_lines(leaves: &[Leaf]) -> Lines {
    lines(leaves, Drawn::From, text)
}

fn lines(leaves: &[Leaf], without: Drawn, text: impl Fn(&Leaf) -> String) -> Lines {
    let mut lines: Lines = leaves
        .iter()
        .filter(|leaf| !leaf.aside && !leaf.default && leaf.kind != LeafKind::Derived)
        .filter(|leaf| leaf.drawn != without)
        .map(|leaf| (leaf.path.join("\u{1f}"), text(leaf)))
        .collect();
    lines.sort();
    lines
}

/// The digest of a plan without what lies under some paths, such as `["faults", "city-cut"]`.
pub(super) fn without(lines: &Lines, paths: &[Vec<&str>]) -> String {
    let roots: Vec<String> = paths.iter().map(|path| path.join("\u{1f}")).collect();
    let below = |path: &str, root: &str| {
        let rest = path.strip_prefix(root);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\u{1f}'))
    };
    let kept = lines
        .iter()
        .filter(|(path, _)| !roots.iter().any(|root| below(path, root)));
    hash(&kept.cloned().collect())
}

fn hash(lines: &Lines) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(DOMAIN);
    for (path, text) in lines {
        for part in [path, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}
