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
    let text = |leaf: &Leaf| leaf.digest.clone().unwrap_or_else(|| leaf.text.clone());
    let design = |leaf: &Leaf| leaf.design.clone().unwrap_or_else(|| text(leaf));
    (
        hash(leaves, Drawn::From, text),
        hash(leaves, Drawn::Entry, design),
    )
}

fn hash(leaves: &[Leaf], without: Drawn, text: impl Fn(&Leaf) -> String) -> String {
    let mut lines: Vec<(String, String)> = leaves
        .iter()
        .filter(|leaf| !leaf.aside && !leaf.default && leaf.kind != LeafKind::Derived)
        .filter(|leaf| leaf.drawn != without)
        .map(|leaf| (leaf.path.join("\u{1f}"), text(leaf)))
        .collect();
    lines.sort();
    let mut hasher = blake3::Hasher::new_derive_key(DOMAIN);
    for (path, text) in lines {
        for part in [path, text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    hasher.finalize().to_hex().to_string()
}
