//! Merkle inclusion of a transaction in a block (RFC 6962, section 2.1).

use consim_core::Digest;

fn leaf(digest: &Digest) -> Digest {
    Digest::of_parts(&[&[0], &digest.0])
}
fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], &left.0, &right.0])
}

/// The Merkle tree hash of `leaves`.
pub(super) fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(&[]),
        [one] => leaf(one),
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            node(&root(left), &root(right))
        }
    }
}

fn path(leaves: &[Digest], index: usize, out: &mut Vec<(bool, Digest)>) {
    if leaves.len() < 2 {
        return;
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    if index < k {
        path(left, index, out);
        out.push((false, root(right)));
    } else {
        path(right, index - k, out);
        out.push((true, root(left)));
    }
}

/// Does the audit path of leaf `index` lead from `digest` to `expected`?
pub(super) fn holds(leaves: &[Digest], index: usize, digest: &Digest, expected: &Digest) -> bool {
    let mut proof = Vec::new();
    path(leaves, index, &mut proof);
    let reached = proof.iter().fold(leaf(digest), |at, (left, sibling)| {
        if *left {
            node(sibling, &at)
        } else {
            node(&at, sibling)
        }
    });
    reached == *expected
}
