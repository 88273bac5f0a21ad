//! Safety of light clients: e is one.

use super::History;
use crate::testing::{CHAIN, World, committed, s};
use consim_core::{Digest, Probe};

/// The node of the light client.
const E: u32 = 4;

fn accepted(sequence: u64, batch: Digest) -> Probe {
    Probe::LightAccepted {
        chain: CHAIN,
        sequence,
        batch,
        fetched: 100,
    }
}

#[test]
fn a_light_client_is_safe_with_what_correct_members_decided() {
    let mut h = History::of("light-client-safety");
    for n in 1..=3 {
        let tx = h.world.tx(0, n);
        let block = h.world.block(vec![tx]);
        let probe = accepted(block.header.sequence, block.header.batch);
        // Whether it hears of it before the observer hears of a member that committed it, or after.
        if n == 2 {
            h.probe(s(n), E, &probe);
        }
        h.probe(s(n), 0, &committed(&block));
        h.probe(s(n), E, &probe);
    }
    h.check.end(s(9));
    h.passes();
    assert_eq!(h.finding().evaluated, 4);
}

#[test]
fn it_is_not_with_anything_else() {
    let fork = World::new(4).fork(vec![]);
    let (sequence, other) = (fork.header.sequence, fork.header.batch);
    for before in [true, false] {
        let mut h = History::of("light-client-safety");
        let tx = h.world.tx(0, 1);
        let block = h.world.block(vec![tx]);
        if before {
            h.probe(s(1), E, &accepted(sequence, other));
        }
        h.probe(s(1), 0, &committed(&block));
        if !before {
            h.probe(s(2), E, &accepted(sequence, other));
        }
        let decided = block.header.batch;
        assert_eq!(
            h.violation(),
            format!(
                "alliance, sequence 1: the light client e accepted {other}, correct members decided {decided}"
            )
        );
    }
}

#[test]
fn what_no_correct_member_decided_is_known_in_the_end() {
    let mut h = History::with("light-client-safety", &[1]);
    let fork = World::new(4).fork(vec![]);
    // A traitor's word counts for nothing, and what is above the last decision may still be decided.
    h.probe(s(1), 1, &committed(&fork));
    h.probe(s(1), E, &accepted(1, fork.header.batch));
    h.check.end(s(9));
    h.unknown();
    let mut h = History::with("light-client-safety", &[1]);
    h.probe(s(1), 1, &committed(&fork));
    h.probe(s(1), E, &accepted(1, fork.header.batch));
    let first = h.world.block(vec![]);
    let tx = h.world.tx(0, 1);
    let second = h.world.block(vec![tx]);
    assert_eq!((first.header.sequence, second.header.sequence), (1, 2));
    h.probe(s(2), 0, &committed(&second));
    h.check.end(s(9));
    assert!(
        h.violation()
            .ends_with("no correct member decided anything there")
    );
}
