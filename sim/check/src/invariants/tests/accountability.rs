//! Forensics and what is asked of them.

use super::History;
use crate::forensics::Forensics;
use crate::testing::{CHAIN, World, committed, s};
use consim_core::{
    Digest, Evidence, Leaving, NodeId, Payload, Probe, Promise, SignedVote, Verdict, Vote,
};
use std::any::Any;
use std::sync::Arc;

const ACCEPT: u8 = 1;
const LOCK: u8 = 2;
const LEAVE: u8 = 4;

/// A message that holds one statement.
#[derive(Debug)]
struct Says(Evidence);
impl Payload for Says {
    fn kind(&self) -> &'static str {
        "says"
    }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn encoded_len(&self) -> usize {
        0
    }
    fn evidence(&self, each: &mut dyn FnMut(Evidence)) {
        each(self.0.clone());
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A statement of member `signer` in `view` about sequence number 1.
fn vote(world: &World, signer: usize, kind: u8, view: u64, value: &[u8]) -> SignedVote {
    let digest = Digest::of(value);
    let key = &world.secrets[signer];
    let sequence = u64::from(kind != LEAVE);
    let statement = consim_core::chain::vote_statement(CHAIN, kind, view, sequence, &digest);
    SignedVote {
        chain: CHAIN,
        vote: Vote {
            key: key.id(),
            kind,
            view,
            sequence,
            digest,
        },
        promise: match kind {
            ACCEPT => Promise::Accepts,
            LOCK => Promise::Locks,
            _ => Promise::Once,
        },
        signature: key.sign(&statement),
    }
}

/// Member `signer` leaves for `view`, bound to `bound` (view, value) at sequence number 1.
fn leaving(world: &World, signer: usize, view: u64, bound: &[(u64, &[u8])]) -> Leaving {
    let content: Vec<u8> = bound.iter().flat_map(|(_, value)| value.to_vec()).collect();
    Leaving {
        signed: vote(world, signer, LEAVE, view, &content),
        low: 0,
        bound: bound
            .iter()
            .map(|&(view, value)| (1, view, Digest::of(value)))
            .collect(),
    }
}

/// Whom forensics find guilty by these statements.
fn guilty(world: &World, said: Vec<Evidence>) -> Vec<u32> {
    let mut forensics = Forensics::new(world.keys.clone());
    for evidence in said {
        forensics.hear(evidence);
    }
    forensics.proofs().keys().map(|(_, key)| key.0).collect()
}

#[test]
fn two_values_in_one_place_are_a_proof() {
    let w = World::new(4);
    let pair = |a, b| vec![Evidence::Vote(a), Evidence::Vote(b)];
    let accepts = |view, value| vote(&w, 3, ACCEPT, view, value);
    let locks = |view, value| vote(&w, 3, LOCK, view, value);
    assert_eq!(guilty(&w, pair(accepts(0, b"a"), accepts(0, b"b"))), [3]);
    assert_eq!(guilty(&w, pair(locks(0, b"a"), locks(0, b"b"))), [3]);
    // What is locked is what was accepted.
    assert_eq!(guilty(&w, pair(accepts(0, b"a"), locks(0, b"b"))), [3]);
    // The same again, another view, another signer: nothing.
    assert!(guilty(&w, pair(accepts(0, b"a"), accepts(0, b"a"))).is_empty());
    assert!(guilty(&w, pair(accepts(0, b"a"), accepts(1, b"b"))).is_empty());
    assert!(guilty(&w, pair(accepts(0, b"a"), vote(&w, 2, ACCEPT, 0, b"b"))).is_empty());
}

#[test]
fn nobody_can_be_accused_by_somebody_else() {
    let w = World::new(4);
    let mut forged = vote(&w, 3, ACCEPT, 0, b"b");
    forged.vote.key = w.secrets[2].id();
    forged.signature.key = w.secrets[2].id();
    let honest = vote(&w, 2, ACCEPT, 0, b"a");
    let said = vec![Evidence::Vote(honest), Evidence::Vote(forged)];
    assert!(guilty(&w, said).is_empty());
    // A signature of another statement.
    let mut moved = vote(&w, 2, ACCEPT, 0, b"b");
    moved.vote.digest = Digest::of(b"c");
    assert!(guilty(&w, vec![Evidence::Vote(honest), Evidence::Vote(moved)]).is_empty());
}

#[test]
fn a_lock_that_is_not_mentioned_is_a_proof_whatever_came_first() {
    let w = World::new(4);
    let lock = || Evidence::Vote(vote(&w, 1, LOCK, 2, b"a"));
    let leaves = |view, bound: &[(u64, &[u8])]| Evidence::Leaving(leaving(&w, 1, view, bound));
    for (leave, expected) in [
        (leaves(3, &[]), vec![1]),
        (leaves(3, &[(1, b"b")]), vec![1]),
        (leaves(3, &[(2, b"b")]), vec![1]),
        (leaves(3, &[(2, b"a")]), vec![]),
        // A later view put something else in its place.
        (leaves(5, &[(4, b"b")]), vec![]),
        // It left for the view in which it locked.
        (leaves(2, &[]), vec![]),
    ] {
        assert_eq!(
            guilty(&w, vec![lock(), leave.clone()]),
            expected,
            "{leave:?}"
        );
        assert_eq!(
            guilty(&w, vec![leave.clone(), lock()]),
            expected,
            "{leave:?}"
        );
    }
    // What is settled needs no mention.
    let mut settled = leaving(&w, 1, 3, &[]);
    settled.low = 1;
    assert!(guilty(&w, vec![lock(), Evidence::Leaving(settled)]).is_empty());
}

/// A history of four nodes in which nodes 2 and 3 are corrupt, and 0 and 1 disagree.
fn broken(corrupt: &[u32]) -> History {
    let mut h = History::with("accountability", corrupt);
    let (one, other) = (
        h.world.committed(1, vec![h.world.tx(0, 1)]),
        h.world.committed(1, vec![h.world.tx(1, 1)]),
    );
    h.probe(s(1), 0, &Probe::Committed(one));
    h.probe(s(1), 1, &Probe::Committed(other));
    h
}

fn heard(h: &mut History, node: u32, evidence: Evidence) {
    let payload: Arc<dyn Payload> = Arc::new(Says(evidence));
    let from = NodeId(2);
    h.probe(s(2), node, &Probe::Heard { from, payload });
}

/// Node `node` heard both of two contradictory votes of `signer`.
fn caught(h: &mut History, node: u32, signer: usize) {
    for value in [b"a", b"b"] {
        let vote = vote(&h.world, signer, LOCK, 0, value);
        heard(h, node, Evidence::Vote(vote));
    }
}

#[test]
fn a_fork_is_laid_at_the_doors_of_f_plus_1_guilty() {
    let mut h = broken(&[2, 3]);
    caught(&mut h, 0, 2);
    caught(&mut h, 1, 3);
    h.check.end(s(9));
    h.passes();
    assert_eq!(h.check.guilty(), [NodeId(2), NodeId(3)]);
    assert!(h.check.traces());
}

#[test]
fn accountability_fails_when_too_few_are_found() {
    let mut h = broken(&[2, 3]);
    caught(&mut h, 0, 2);
    h.check.end(s(9));
    assert_eq!(
        h.violation(),
        "alliance: agreement broke, 2 members are corrupt, and only 1 are proven guilty; there have to be 2"
    );
    // What the corrupt heard is no evidence.
    let mut h = broken(&[2, 3]);
    caught(&mut h, 0, 2);
    caught(&mut h, 2, 3);
    h.check.end(s(9));
    assert!(h.violation().contains("only 1 are proven guilty"));
}

#[test]
fn a_fork_without_guilty_is_a_fault_of_implementation_or_configuration() {
    let mut h = broken(&[2, 3]);
    h.check.end(s(9));
    let said = h.violation();
    assert!(said.contains("0 proven guilty"), "{said}");
    assert!(said.ends_with("a fault of the implementation or of the configuration"));
    // As is one with no more traitors than the group bears.
    let mut h = broken(&[3]);
    caught(&mut h, 0, 3);
    h.check.end(s(9));
    let finding = h.finding();
    assert_eq!((finding.verdict, finding.violated), (Verdict::Fail, 1));
    assert!(finding.violations[0].contains("1 of 4 members corrupt and 1 proven guilty"));
}

#[test]
fn accountability_fails_when_a_correct_node_is_accused() {
    let mut h = History::with("accountability", &[3]);
    caught(&mut h, 0, 1);
    h.check.end(s(9));
    assert_eq!(h.violation(), "alliance: b is accused and is correct");
}

#[test]
fn accountability_is_judged_without_a_fork_too() {
    let mut h = History::with("accountability", &[3]);
    let world = World::new(4);
    h.all(s(1), &committed(&World::new(4).block(vec![])));
    heard(&mut h, 0, Evidence::Vote(vote(&world, 1, LOCK, 0, b"a")));
    h.check.end(s(9));
    h.passes();
    assert!(h.check.guilty().is_empty());
}
