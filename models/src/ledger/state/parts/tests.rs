#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use consim_core::rng::below;
use consim_core::{State as _, Streams};
use rand::Rng as _;

fn state(entries: u64, seed: u64) -> WorldState {
    let mut rng = Streams::new(seed).stream("parts");
    let mut state = WorldState::new();
    for i in 0..entries {
        let value = vec![i as u8; below(rng.next_u64(), 100) as usize];
        state.put(&i.to_be_bytes(), &value);
    }
    state
}

/// Fetches all parts of `from`; how many.
fn fetch(assembly: &mut Assembly, from: &WorldState, most: usize) -> usize {
    let mut parts = 0;
    while !assembly.is_complete() {
        for prefix in assembly.wanted(7) {
            let part = from.part(&prefix, most).unwrap();
            let mut wire = Vec::new();
            part.encode(&mut Encoder::new(&mut wire));
            assert_eq!(wire.len(), part.encoded_len());
            let back = Part::decode(&mut Decoder::new(&wire)).unwrap();
            assert_eq!(back, part);
            assert!(matches!(assembly.add(&prefix, &back), Added::Good(bytes) if bytes > 0));
            parts += 1;
        }
    }
    parts
}

#[test]
fn a_state_comes_over_in_parts_of_any_size() {
    for (entries, most, least) in [
        (0, 100, 0),
        (1, 10, 1),
        (2, 10, 2),
        (500, 100, 300),
        (500, 2_000, 20),
        (500, 1 << 20, 1),
    ] {
        let there = state(entries, 1);
        let mut assembly = Assembly::new(there.root(), &WorldState::new());
        let parts = fetch(&mut assembly, &there, most);
        assert!(parts >= least, "{parts} parts of {entries} entries");
        assert_eq!(assembly.fetched(), entries);
        let here = assembly.finish().unwrap();
        assert_eq!((here.root(), here.len()), (there.root(), there.len()));
        assert_eq!(
            here.get(&7u64.to_be_bytes()),
            there.get(&7u64.to_be_bytes())
        );
    }
}

#[test]
fn what_the_own_state_has_is_not_fetched() {
    let old = state(2_000, 1);
    let mut new = old.clone();
    for i in [3u64, 700, 1_999, 5_000] {
        new.put(&i.to_be_bytes(), b"changed");
    }
    new.remove(&11u64.to_be_bytes());
    let mut assembly = Assembly::new(new.root(), &old);
    fetch(&mut assembly, &new, 200);
    assert!(assembly.fetched() < 30, "{}", assembly.fetched());
    let here = assembly.finish().unwrap();
    assert_eq!((here.root(), here.len()), (new.root(), new.len()));
    // Nothing at all if it has everything.
    let same = Assembly::new(new.root(), &here);
    assert!(same.is_complete() && same.finish().unwrap().len() == new.len());
}

#[test]
fn a_part_that_the_root_does_not_commit_to_is_refused() {
    let there = state(300, 1);
    let top = Prefix::default();
    let entries = there.part(&top, 1 << 20).unwrap();
    let children = there.part(&top, 50).unwrap();
    let Part::Entries(list) = &entries else {
        panic!("entries");
    };
    let Part::Children(hashes) = &children else {
        panic!("children");
    };
    let mut lies = vec![
        Part::Entries(vec![]),
        Part::Entries(list[1..].to_vec()),
        Part::Children(vec![]),
        Part::Children(hashes[1..].to_vec()),
        Part::Children(hashes.iter().rev().copied().collect()),
    ];
    let mut other = list.clone();
    other[9].1 = b"another value".as_slice().into();
    lies.push(Part::Entries(other));
    let mut other = list.clone();
    other[9].0[31] ^= 1;
    lies.push(Part::Entries(other));
    let mut twice = list.clone();
    twice.insert(0, list[0].clone());
    lies.push(Part::Entries(twice));
    let mut other = hashes.clone();
    other[3].1 = Digest::ZERO;
    lies.push(Part::Children(other));
    let mut other = hashes.clone();
    other[15].0 = 16;
    lies.push(Part::Children(other));
    let mut assembly = Assembly::new(there.root(), &WorldState::new());
    for lie in &lies {
        assert!(
            matches!(assembly.add(&top, lie), Added::Wrong(_)),
            "{lie:?}"
        );
    }
    assert!(assembly.finish().is_none());
    // It has spoilt nothing.
    assert!(matches!(assembly.add(&top, &children), Added::Good(_)));
    assert_eq!(assembly.add(&top, &children), Added::Unasked);
    // Entries that belong to another subtree.
    let wanted = assembly.wanted(2);
    let elsewhere = there.part(&wanted[1], 1 << 20).unwrap();
    assert!(matches!(
        assembly.add(&wanted[0], &elsewhere),
        Added::Wrong(_)
    ));
    fetch(&mut assembly, &there, 500);
    assert_eq!(assembly.finish().unwrap().root(), there.root());
}

#[test]
fn there_is_no_part_where_there_is_no_subtree() {
    let there = state(300, 1);
    let deep = Prefix(vec![0; DEPTH]);
    assert!(there.part(&deep, 100).is_none());
    assert!(WorldState::new().part(&Prefix::default(), 100).is_none());
    let mut wire = Vec::new();
    deep.encode(&mut Encoder::new(&mut wire));
    assert_eq!(Prefix::decode(&mut Decoder::new(&wire)), Ok(deep));
    wire[0] = DEPTH as u8 + 1;
    assert!(Prefix::decode(&mut Decoder::new(&wire)).is_err());
    assert!(Prefix::decode(&mut Decoder::new(&[1, 16])).is_err());
    assert!(Part::decode(&mut Decoder::new(&[2])).is_err());
}
