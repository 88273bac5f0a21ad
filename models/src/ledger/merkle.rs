//! Merkle trees over digests, as RFC 6962 section 2.1 defines them: leaves and inner nodes hash
//! under different prefixes, and an odd leaf is never paired with itself.

use super::seeded;
use consim_core::{CodecError, Decoder, Digest, Encoder};

/// The most siblings that a proof may hold: a tree of 2^64 leaves has no more levels.
pub const MAX_SIBLINGS: usize = 64;

/// The bytes that a leaf hashes: prefix and digest.
const LEAF_BYTES: usize = 1 + 32;
/// The bytes that an inner node hashes: prefix and two digests.
const NODE_BYTES: usize = 1 + 32 + 32;

/// The hash of a leaf (RFC 6962, 2.1: prefix 0).
fn leaf_hash(leaf: &Digest) -> Digest {
    if seeded::on(&seeded::MERKLE_WITHOUT_DOMAIN_TAGS) {
        return Digest::of(&leaf.0);
    }
    Digest::of_parts(&[&[0], &leaf.0])
}

/// The hash of an inner node (RFC 6962, 2.1: prefix 1).
fn node_hash(left: &Digest, right: &Digest) -> Digest {
    if seeded::on(&seeded::MERKLE_WITHOUT_DOMAIN_TAGS) {
        return Digest::of_parts(&[&left.0, &right.0]);
    }
    Digest::of_parts(&[&[1], &left.0, &right.0])
}

/// Splits two or more leaves at the largest power of two below their number.
fn split(leaves: &[Digest]) -> (&[Digest], &[Digest]) {
    let half = leaves.len().div_ceil(2).next_power_of_two();
    leaves.split_at_checked(half).unwrap_or((leaves, &[]))
}

/// The Merkle tree hash of `leaves`; the hash of nothing if there are none.
pub fn root(leaves: &[Digest]) -> Digest {
    if seeded::on(&seeded::MERKLE_DUPLICATES_ODD_LEAF)
        && leaves.len() > 1
        && !leaves.len().is_multiple_of(2)
    {
        let last = leaves.last().into_iter();
        return root(&leaves.iter().chain(last).copied().collect::<Vec<_>>());
    }
    match leaves {
        [] => Digest::of(&[]),
        [leaf] => leaf_hash(leaf),
        _ => {
            let (left, right) = split(leaves);
            node_hash(&root(left), &root(right))
        }
    }
}

/// How many bytes `root` hashes for `n` leaves, to be charged as work.
pub fn hashed_bytes(n: usize) -> usize {
    n * LEAF_BYTES + n.saturating_sub(1) * NODE_BYTES
}

/// That a leaf is in a tree.
///
/// A root does not fix the size of its tree for every leaf, so that whoever verifies a proof must
/// know the size from where the root comes from (a block header has it).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proof {
    /// Which leaf, from 0.
    pub index: u64,
    /// How many leaves the tree has.
    pub size: u64,
    /// The hashes beside the way from the leaf to the root, lowest first.
    pub siblings: Vec<Digest>,
}

/// The proof of leaf `index`; `None` if there is no such leaf.
pub fn prove(leaves: &[Digest], index: usize) -> Option<Proof> {
    if index >= leaves.len() {
        return None;
    }
    let mut siblings = Vec::new();
    let (mut tree, mut at) = (leaves, index);
    while tree.len() > 1 {
        let (left, right) = split(tree);
        if at < left.len() {
            siblings.push(root(right));
            tree = left;
        } else {
            siblings.push(root(left));
            at -= left.len();
            tree = right;
        }
    }
    siblings.reverse();
    Some(Proof {
        index: index as u64,
        size: leaves.len() as u64,
        siblings,
    })
}

impl Proof {
    /// Does it show that `leaf` is in the tree with this `root`? (RFC 9162, 2.1.3.2.)
    pub fn verify(&self, leaf: &Digest, root: &Digest) -> bool {
        if self.index >= self.size {
            return false;
        }
        let (mut node, mut last) = (self.index, self.size - 1);
        let mut hash = leaf_hash(leaf);
        for sibling in &self.siblings {
            if last == 0 {
                return false;
            }
            if node & 1 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                // A right-edge node without a partner goes up unchanged.
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        last == 0 && hash == *root
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        8 + 8 + 4 + 32 * self.siblings.len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.index).u64(self.size).list(self.siblings.len());
        for sibling in &self.siblings {
            e.digest(sibling);
        }
    }
    /// Reads a proof; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (index, size) = (d.u64()?, d.u64()?);
        let n = d.list(MAX_SIBLINGS, 32)?;
        let siblings = (0..n).map(|_| d.digest()).collect::<Result<_, _>>()?;
        Ok(Self {
            index,
            size,
            siblings,
        })
    }
}

#[cfg(test)]
mod tests;
