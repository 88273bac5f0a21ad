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
const HOLD: u8 = 5;

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
            HOLD => Promise::Holds,
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
        alone: None,
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
    // Of other heights, where each has views of its own, it says nothing.
    let mut other = leaving(&w, 1, 3, &[]);
    other.alone = Some(2);
    assert!(guilty(&w, vec![lock(), Evidence::Leaving(other)]).is_empty());
    let mut same = leaving(&w, 1, 3, &[]);
    same.alone = Some(1);
    assert_eq!(
        guilty(&w, vec![Evidence::Leaving(same.clone()), lock()]),
        [1]
    );
    assert_eq!(guilty(&w, vec![lock(), Evidence::Leaving(same)]), [1]);
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

// ---- amnesia where nobody takes leave ------------------------------------------------------------

/// Whom forensics find guilty once all is heard.
fn concluded(world: &World, said: Vec<SignedVote>) -> Vec<u32> {
    let mut forensics = Forensics::new(world.keys.clone());
    for vote in said {
        forensics.hear(Evidence::Vote(vote));
    }
    forensics.conclude(|_| 3);
    forensics.proofs().keys().map(|(_, key)| key.0).collect()
}

#[test]
fn who_votes_against_its_lock_needs_a_quorum_that_let_it_go() {
    let w = World::new(4);
    let accepts = |who: &[usize], view, value: &[u8]| -> Vec<SignedVote> {
        who.iter()
            .map(|&i| vote(&w, i, ACCEPT, view, value))
            .collect()
    };
    let holds = |who, view, value| vec![vote(&w, who, HOLD, view, value)];
    for (later, reason, expected) in [
        // Nobody says why.
        (accepts(&[1], 5, b"b"), vec![], vec![1]),
        (holds(1, 5, b"b"), vec![], vec![1]),
        // A quorum accepted the other value, in the view of the lock or between.
        (accepts(&[1], 5, b"b"), accepts(&[0, 2, 3], 2, b"b"), vec![]),
        (accepts(&[1], 5, b"b"), accepts(&[0, 2, 3], 4, b"b"), vec![]),
        // Two are none; nor is one before the lock, or of another value.
        (accepts(&[1], 5, b"b"), accepts(&[0, 2], 4, b"b"), vec![1]),
        (
            accepts(&[1], 5, b"b"),
            accepts(&[0, 2, 3], 1, b"b"),
            vec![1],
        ),
        (
            accepts(&[1], 5, b"b"),
            accepts(&[0, 2, 3], 4, b"c"),
            vec![1],
        ),
        // In its own view one makes it hold on to the value, and not accept it.
        (holds(1, 5, b"b"), accepts(&[0, 2, 3], 5, b"b"), vec![]),
        (
            accepts(&[1], 5, b"b"),
            accepts(&[0, 2, 3], 5, b"b"),
            vec![1],
        ),
        // The same value, or one before the lock.
        (accepts(&[1], 5, b"a"), vec![], vec![]),
        (accepts(&[1], 1, b"b"), vec![], vec![]),
    ] {
        let all = [holds(1, 2, b"a"), later, reason];
        let forward: Vec<SignedVote> = all.iter().flatten().copied().collect();
        let backward = forward.iter().rev().copied().collect();
        assert_eq!(concluded(&w, forward), expected, "{all:?}");
        assert_eq!(concluded(&w, backward), expected, "{all:?}");
    }
}

/// A height of Tendermint among four by the rules of its paper, at random: in each view whoever is drawn hears the
/// proposal and votes as it may, the forgetful as if they had no lock. What is said, and what was decided.
fn height(world: &World, draws: &[u8], forgetful: &[usize]) -> (Vec<SignedVote>, Vec<Vec<u8>>) {
    const QUORUM: usize = 3;
    let mut draws = draws.iter().copied().cycle();
    let mut draw = || draws.next().unwrap_or(0);
    let (mut said, mut decided) = (Vec::new(), Vec::new());
    let mut locked: [Option<(u64, Vec<u8>)>; 4] = Default::default();
    let mut polkas: Vec<(u64, Vec<u8>)> = Vec::new();
    for view in 0..6 {
        // A value that got a quorum before, or a new one.
        let old = polkas
            .get(usize::from(draw()) % (polkas.len() + 1))
            .cloned();
        let value = old
            .clone()
            .map_or_else(|| vec![draw() % 3], |(_, value)| value);
        let mut accept = Vec::new();
        for (i, lock) in locked.iter().enumerate() {
            let free = lock.as_ref().is_none_or(|(of, to)| {
                *to == value || old.as_ref().is_some_and(|(valid, _)| of <= valid)
            });
            if draw() % 4 > 0 && (free || forgetful.contains(&i)) {
                accept.push(i);
            }
        }
        said.extend(accept.iter().map(|&i| vote(world, i, ACCEPT, view, &value)));
        if accept.len() < QUORUM {
            continue;
        }
        polkas.push((view, value.clone()));
        let hold: Vec<usize> = (0..4).filter(|_| draw() % 4 > 0).collect();
        for &i in &hold {
            said.push(vote(world, i, HOLD, view, &value));
            locked[i] = Some((view, value.clone()));
        }
        if hold.len() >= QUORUM {
            decided.push(value);
        }
    }
    (said, decided)
}

proptest::proptest! {
    #[test]
    fn who_keeps_to_the_rules_is_never_accused_of_amnesia(
        draws in proptest::collection::vec(0u8.., 1..200),
        forgetful in proptest::sample::subsequence(vec![0usize, 1, 2, 3], 0..=2),
    ) {
        let w = World::new(4);
        let (said, mut decided) = height(&w, &draws, &forgetful);
        let accused = concluded(&w, said);
        for &who in &accused {
            proptest::prop_assert!(forgetful.contains(&(who as usize)), "{who} of {forgetful:?}");
        }
        // Whoever decides twice is found out.
        decided.dedup();
        if decided.windows(2).any(|pair| pair[0] != pair[1]) {
            proptest::prop_assert!(accused.len() >= 2, "{accused:?}");
        }
    }
}

#[test]
fn two_that_forget_can_fork_a_height() {
    let w = World::new(4);
    let forks = (0..2_000u32).filter(|seed| {
        let block = |i: u32| Digest::of(&(seed * 4 + i).to_be_bytes()).0;
        let draws: Vec<u8> = (0..4).flat_map(block).collect();
        let (said, mut decided) = height(&w, &draws, &[1, 2]);
        decided.dedup();
        decided.len() > 1 && concluded(&w, said) == [1, 2]
    });
    assert!(forks.count() > 0, "else the property above says nothing");
}
