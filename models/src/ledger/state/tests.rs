#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use consim_core::rng::below;
use consim_core::{NodeId, Streams};
use rand::Rng as _;
use std::collections::BTreeMap;

/// The state that has just these entries, built in ascending order.
fn fresh(model: &BTreeMap<Vec<u8>, Vec<u8>>) -> WorldState {
    let mut state = WorldState::new();
    for (key, value) in model {
        state.put(key, value);
    }
    state
}

/// Every branch holds two leaves or more, and each leaf lies where its path says.
fn leaves_of(node: &Node, depth: usize, prefix: &mut Vec<usize>) -> usize {
    match node {
        Node::Leaf(leaf) => {
            assert!(
                prefix
                    .iter()
                    .enumerate()
                    .all(|(d, &n)| nibble(&leaf.path, d) == n)
            );
            1
        }
        Node::Branch(branch) => {
            let mut leaves = 0;
            for (i, child) in branch.children.iter().enumerate() {
                if let Some(child) = child {
                    prefix.push(i);
                    leaves += leaves_of(child, depth + 1, prefix);
                    prefix.pop();
                }
            }
            assert!(leaves >= 2, "a branch at depth {depth} has {leaves} leaves");
            leaves
        }
    }
}

#[test]
fn random_changes_agree_with_a_map_and_leave_no_history_in_the_root() {
    for seed in 0..24 {
        let mut rng = Streams::new(seed).stream("trie");
        let keys = 1 + below(rng.next_u64(), 120);
        let mut state = WorldState::new();
        let mut model = BTreeMap::new();
        for step in 0..600 {
            let key = below(rng.next_u64(), keys).to_be_bytes().to_vec();
            if below(rng.next_u64(), 5) < 2 {
                state.remove(&key);
                model.remove(&key);
            } else {
                let value = vec![7; below(rng.next_u64(), 40) as usize];
                state.put(&key, &value);
                model.insert(key.clone(), value);
            }
            if step % 7 == 0 {
                // Hashes in between must not go stale.
                state.root();
            }
            assert_eq!(
                state.get(&key).as_deref(),
                model.get(&key).map(Vec::as_slice)
            );
            assert_eq!(state.len(), model.len());
        }
        if let Some(top) = &state.top {
            assert_eq!(leaves_of(top, 0, &mut Vec::new()), model.len());
        }
        for key in 0..keys {
            let key = key.to_be_bytes();
            assert_eq!(
                state.get(&key).as_deref(),
                model.get(key.as_slice()).map(Vec::as_slice)
            );
        }
        assert_eq!(state.root(), fresh(&model).root());
        for key in model.keys() {
            state.remove(key);
        }
        assert!(state.is_empty());
        assert_eq!(state.root(), WorldState::new().root());
    }
}

#[test]
fn any_other_content_has_another_root() {
    let mut state = WorldState::new();
    let mut roots = vec![state.root()];
    for i in 0..50u8 {
        state.put(&[i], &[i]);
        roots.push(state.root());
    }
    let mut changed = state.clone();
    changed.put(&[7], &[8]);
    roots.push(changed.root());
    changed.put(&[7], &[]);
    roots.push(changed.root());
    let all = roots.len();
    roots.sort_unstable();
    roots.dedup();
    assert_eq!(roots.len(), all);
}

#[test]
fn a_clone_keeps_what_it_had() {
    let mut state = WorldState::new();
    for i in 0..100u8 {
        state.put(&[i], b"before");
    }
    let kept = state.clone();
    let root = kept.root();
    for i in 0..100u8 {
        if i % 3 == 0 {
            state.remove(&[i]);
        } else {
            state.put(&[i], b"after");
        }
    }
    assert_ne!(state.root(), root);
    assert_eq!(kept.root(), root);
    assert!((0..100u8).all(|i| kept.get(&[i]).as_deref() == Some(b"before")));
}

#[test]
fn only_changed_ways_are_hashed_again() {
    let mut state = WorldState::new();
    for i in 0..4096u32 {
        state.put(&i.to_be_bytes(), &[1; 8]);
    }
    let (root, all) = state.rehash();
    assert_eq!(state.rehash(), (root, 0));
    state.put(&5u32.to_be_bytes(), &[1; 8]);
    assert_eq!(state.rehash(), (root, 0), "nothing changed");
    state.put(&5u32.to_be_bytes(), &[2; 8]);
    let (_, one) = state.rehash();
    assert!(one > 0 && one * 100 < all, "{one} of {all} bytes");
}

#[test]
fn executed_transactions_are_covered_by_the_root_and_out_of_the_machines_reach() {
    let id = TxId {
        origin: NodeId(3),
        number: 9,
    };
    let mut state = WorldState::new();
    assert_eq!(state.executed(id), None);
    state.put(&executed_key(id), &7u64.to_be_bytes());
    assert_eq!(
        state.executed(id),
        None,
        "the machine writes under the same key"
    );
    let root = state.root();
    state.mark_executed(id, 4, false);
    assert_eq!(state.applied(id), Some(false));
    assert_eq!(state.executed(id), Some(4));
    assert_ne!(state.root(), root);
    state.remove(&executed_key(id));
    assert_eq!(state.executed(id), Some(4));
    assert_eq!(state.executed(TxId { number: 8, ..id }), None);
}
