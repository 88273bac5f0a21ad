#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn leaves(n: usize) -> Vec<Digest> {
    (0..n as u64)
        .map(|i| Digest::of(&i.to_be_bytes()))
        .collect()
}

fn flip(digest: &mut Digest, bit: usize) {
    digest.0[bit / 8] ^= 1 << (bit % 8);
}

#[test]
fn the_root_has_the_shape_of_rfc_6962() {
    let l = leaves(5);
    let h: Vec<Digest> = l.iter().map(leaf_hash).collect();
    let four = node_hash(&node_hash(&h[0], &h[1]), &node_hash(&h[2], &h[3]));
    assert_eq!(root(&l), node_hash(&four, &h[4]));
    assert_eq!(root(&l[..4]), four);
    assert_eq!(root(&l[..3]), node_hash(&node_hash(&h[0], &h[1]), &h[2]));
    assert_eq!(root(&l[..1]), h[0]);
    assert_eq!(
        root(&[]).hex(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn every_proof_verifies_and_survives_the_codec() {
    for n in 0..70 {
        let l = leaves(n);
        let root = root(&l);
        for (i, leaf) in l.iter().enumerate() {
            let proof = prove(&l, i).unwrap();
            assert!(proof.verify(leaf, &root), "leaf {i} of {n}");
            let mut bytes = Vec::new();
            proof.encode(&mut Encoder::new(&mut bytes));
            assert_eq!(bytes.len(), proof.encoded_len());
            let mut d = Decoder::new(&bytes);
            assert_eq!(Proof::decode(&mut d).unwrap(), proof);
            d.end().unwrap();
            for cut in 0..bytes.len() {
                assert!(Proof::decode(&mut Decoder::new(&bytes[..cut])).is_err());
            }
        }
        assert_eq!(prove(&l, n), None);
    }
}

#[test]
fn one_changed_bit_refutes_a_proof() {
    for n in 1..40 {
        let l = leaves(n);
        let root = root(&l);
        for (i, leaf) in l.iter().enumerate() {
            let proof = prove(&l, i).unwrap();
            let bit = (i * 37 + n * 11) % 256;
            let (mut other_leaf, mut other_root) = (*leaf, root);
            flip(&mut other_leaf, bit);
            flip(&mut other_root, bit);
            assert!(!proof.verify(&other_leaf, &root));
            assert!(!proof.verify(leaf, &other_root));
            for s in 0..proof.siblings.len() {
                let mut other = proof.clone();
                flip(&mut other.siblings[s], bit);
                assert!(!other.verify(leaf, &root));
            }
            for b in 0..64 {
                let other = Proof {
                    index: proof.index ^ (1 << b),
                    ..proof.clone()
                };
                assert!(
                    !other.verify(leaf, &root),
                    "leaf {i} of {n} passes at {}",
                    other.index
                );
            }
        }
    }
}

#[test]
fn a_shorter_or_longer_path_is_refused() {
    for n in 2..40 {
        let l = leaves(n);
        let root = root(&l);
        for (i, leaf) in l.iter().enumerate() {
            let mut proof = prove(&l, i).unwrap();
            let last = proof.siblings.pop().unwrap();
            assert!(!proof.verify(leaf, &root));
            proof.siblings.extend([last, last]);
            assert!(!proof.verify(leaf, &root));
        }
    }
}

#[test]
fn an_empty_tree_proves_nothing() {
    let nil = root(&[]);
    let proof = Proof {
        index: 0,
        size: 0,
        siblings: Vec::new(),
    };
    assert!(!proof.verify(&nil, &nil));
    assert!(!proof.verify(&Digest::ZERO, &Digest::ZERO));
    assert!(!Proof { size: 1, ..proof }.verify(&Digest::ZERO, &Digest::ZERO));
}

#[test]
fn an_odd_leaf_is_not_paired_with_itself() {
    // The flaw of Bitcoin's tree (CVE-2012-2459): [a, b, c] and [a, b, c, c] had one root.
    let three = leaves(3);
    let mut four = three.clone();
    four.push(three[2]);
    assert_ne!(root(&three), root(&four));
    let forged = prove(&four, 3).unwrap();
    assert!(forged.verify(&three[2], &root(&four)));
    assert!(!forged.verify(&three[2], &root(&three)));
}

#[test]
fn an_inner_node_is_not_a_leaf() {
    let l = leaves(4);
    let inner = node_hash(&leaf_hash(&l[0]), &leaf_hash(&l[1]));
    let right = node_hash(&leaf_hash(&l[2]), &leaf_hash(&l[3]));
    let forged = Proof {
        index: 0,
        size: 2,
        siblings: vec![right],
    };
    assert!(!forged.verify(&inner, &root(&l)));
}

#[test]
fn the_charged_bytes_are_the_hashed_bytes() {
    fn count(leaves: &[Digest]) -> usize {
        match leaves {
            [] => 0,
            [_] => LEAF_BYTES,
            _ => {
                let (left, right) = split(leaves);
                count(left) + count(right) + NODE_BYTES
            }
        }
    }
    for n in 0..40 {
        assert_eq!(hashed_bytes(n), count(&leaves(n)));
    }
}
