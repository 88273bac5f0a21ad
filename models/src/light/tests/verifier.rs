//! What is believed, and each reason not to.

use super::*;
use consim_core::seeded;

fn refused(world: &World, proof: &LightProof) -> Refusal {
    world.verify(&World::genesis(), proof).unwrap_err()
}

#[test]
fn a_quorum_decides_and_fewer_do_not() {
    let world = World::new();
    let proof = world.proof(Vec::new(), QUORUM, 5);
    let trusted = world.verify(&World::genesis(), &proof).unwrap();
    assert_eq!((trusted.sequence, trusted.batch), (5, proof.batch()));
    assert_eq!(trusted.time_ns, NOW - 40_000_000_000);
    for by in [&[0, 1, 2, 3][..], &[0, 1, 2, 3, 3], &[0, 1, 2, 3, 7], &[]] {
        let proof = world.proof(Vec::new(), by, 5);
        assert_eq!(refused(&world, &proof), Refusal::Signatures, "{by:?}");
    }
    // Later it is not news any more.
    assert_eq!(world.verify(&trusted, &proof), Err(Refusal::NotLater));
}

#[test]
fn what_is_verified_is_charged() {
    let world = World::new();
    let mut work = Work::NONE;
    let link = world.block(QUORUM, 3, vec![world.change(1, &[7], &[])]);
    let proof = world.proof(vec![link], &[0, 1, 2, 3, 4, 5], 5);
    let verifier = world.verifier();
    verifier
        .verify(&World::genesis(), &proof, NOW, &mut work)
        .unwrap();
    assert_eq!((work.verify_batched, work.verify), (11, 1));
    assert!(work.hash_bytes > 0);
}

#[test]
fn votes_of_another_kind_or_over_something_else_decide_nothing() {
    let world = World::new();
    let mut proof = world.proof(Vec::new(), QUORUM, 5);
    let digest = proof.batch();
    proof.decision.certificate = world.sign(QUORUM, 1, 5, digest);
    assert_eq!(refused(&world, &proof), Refusal::OtherVotes);
    let mut proof = world.proof(Vec::new(), QUORUM, 5);
    proof.decision.head.time_ns += 1;
    assert_eq!(refused(&world, &proof), Refusal::OtherVotes);
    // A chain of proposals is committed by its links, and nothing else is.
    let mut proof = world.proof(Vec::new(), QUORUM, 5);
    let kind = consim_core::chain::CHAINED + 3;
    proof.decision.certificate = world.sign(QUORUM, kind, 5, digest);
    let mut verifier = world.verifier();
    verifier.certified.decides = kind;
    let verified = verifier.verify(&World::genesis(), &proof, NOW, &mut Work::default());
    assert_eq!(verified, Err(Refusal::OtherVotes));
}

#[test]
fn old_trust_and_times_to_come_are_refused() {
    let world = World::new();
    let proof = world.proof(Vec::new(), QUORUM, 5);
    let mut old = World::genesis();
    old.time_ns = NOW - 60_000_000_000;
    assert_eq!(world.verify(&old, &proof), Err(Refusal::Expired));
    old.time_ns += 1;
    assert!(world.verify(&old, &proof).is_ok());
    // Whoever is believed for other reasons needs no young trust.
    old.time_ns = 0;
    let followed = world
        .verifier()
        .follow(&old, &proof, NOW, &mut Work::default());
    assert!(followed.is_ok());
    let bug = Some(&crate::light::seeded::TRUSTING_PERIOD_NOT_CHECKED);
    seeded::with(bug, || assert!(world.verify(&old, &proof).is_ok()));
    // The batch is 40 s old; a clock that is 50 s behind with 10 s to spare sees it in the future.
    let mut work = Work::NONE;
    let behind = NOW - 50_000_000_000;
    let verified = world
        .verifier()
        .verify(&World::genesis(), &proof, behind, &mut work);
    assert_eq!(verified, Err(Refusal::FromTheFuture));
    let verified = world
        .verifier()
        .verify(&World::genesis(), &proof, behind + 1, &mut work);
    assert!(verified.is_ok());
}

#[test]
fn members_change_by_what_those_before_decide() {
    let world = World::new();
    let first = world.block(QUORUM, 3, vec![world.tx(0, 1), world.change(1, &[7], &[0])]);
    let second = world.block(&[1, 2, 3, 4, 5], 6, vec![world.change(2, &[8], &[])]);
    // Eight members: six decide.
    let links = vec![first, second];
    let proof = world.proof(links.clone(), &[1, 2, 3, 4, 5, 8], 9);
    let trusted = world.verify(&World::genesis(), &proof).unwrap();
    assert_eq!((trusted.validators.change, trusted.from), (2, 7));
    let members: Vec<u32> = trusted.validators.members.iter().map(|n| n.0).collect();
    assert_eq!(members, [1, 2, 3, 4, 5, 6, 7, 8]);
    // The quorum of the genesis decides no more, nor anything before those who decide.
    let proof = world.proof(links.clone(), QUORUM, 9);
    assert_eq!(refused(&world, &proof), Refusal::Signatures);
    let proof = world.proof(links.clone(), &[1, 2, 3, 4, 5, 8], 6);
    assert_eq!(refused(&world, &proof), Refusal::BeforeMembers);
    // Not in another order, and not with one left out.
    let swapped = vec![Arc::clone(&links[1]), Arc::clone(&links[0])];
    let proof = world.proof(swapped, &[1, 2, 3, 4, 5, 8], 9);
    assert_eq!(refused(&world, &proof), Refusal::NoChange);
    let few = world.block(&[1, 2, 3, 4], 6, vec![world.change(2, &[8], &[])]);
    let proof = world.proof(vec![Arc::clone(&links[0]), few], &[1, 2, 3, 4, 5, 8], 9);
    assert_eq!(refused(&world, &proof), Refusal::Signatures);
}

#[test]
fn a_link_holds_the_next_change_and_the_administrator_signed_it() {
    let world = World::new();
    let with = |txs: Vec<Arc<Tx>>| {
        let link = world.block(QUORUM, 3, txs);
        world.proof(vec![link], &[0, 1, 2, 3, 4, 5], 5)
    };
    assert!(
        world
            .verify(&World::genesis(), &with(vec![world.change(1, &[7], &[])]))
            .is_ok()
    );
    assert_eq!(
        refused(&world, &with(vec![world.tx(0, 1)])),
        Refusal::NoChange
    );
    let wrong = with(vec![world.change(2, &[7], &[])]);
    assert_eq!(refused(&world, &wrong), Refusal::NoChange);
    let own = world.change(1, &[7], &[]);
    let body = Arc::clone(own.body());
    let forged = Tx::new(own.id(), CHAIN, own.op(), body, &world.secrets[0]);
    let forged = with(vec![Arc::new(forged)]);
    assert_eq!(refused(&world, &forged), Refusal::NotAdministrator);
    let bug = Some(&crate::light::seeded::VALIDATORS_NOT_PROVEN);
    seeded::with(bug, || {
        assert!(world.verify(&World::genesis(), &forged).is_ok());
    });
    // The transactions are those of the root that was decided.
    let link = world.block(QUORUM, 3, vec![world.change(1, &[7], &[])]);
    let batch = Batch::new(
        link.batch.proposer(),
        link.batch.time_ns(),
        vec![world.change(1, &[8], &[])].into(),
        link.batch.tx_root(),
    );
    let other = Committed {
        chain: CHAIN,
        sequence: 3,
        batch: Arc::new(batch),
        certificate: link.certificate.clone(),
    };
    let proof = world.proof(vec![Arc::new(other)], &[0, 1, 2, 3, 4, 5], 5);
    assert_eq!(refused(&world, &proof), Refusal::OtherVotes);
    // Where nobody may change the members nobody does.
    let mut verifier = world.verifier();
    verifier.administrator = None;
    let proof = with(vec![world.change(1, &[7], &[])]);
    let verified = verifier.verify(&World::genesis(), &proof, NOW, &mut Work::default());
    assert_eq!(verified, Err(Refusal::NoChange));
}

/// Nodes 7, 8 and 10 join, 0 to 3 leave: of the seven that decide then, three are trusted.
fn changes(world: &World) -> Vec<(Arc<Tx>, u64)> {
    let change = |number, add: &[u32], remove: &[u32]| world.change(number, add, remove);
    vec![
        (change(1, &[7], &[0]), 4),
        (change(2, &[8, 10], &[1, 2]), 5),
    ]
}

fn skipping(world: &World, skip: Skip) -> LightProof {
    LightProof {
        skip: Some(skip),
        links: Vec::new(),
        decision: world.decision(&[3, 4, 5, 6, 7], 19),
    }
}

#[test]
fn a_skip_goes_to_the_members_that_the_state_shows() {
    let world = World::new();
    let skip = world.skip(&[3, 4, 5, 6, 7], 16, 7, &changes(&world));
    let trusted = world
        .verify(&World::genesis(), &skipping(&world, skip))
        .unwrap();
    let members: Vec<u32> = trusted.validators.members.iter().map(|n| n.0).collect();
    assert_eq!(members, [3, 4, 5, 6, 7, 8, 10]);
    assert_eq!((trusted.validators.change, trusted.from), (2, 17));
    // What the last block changes, those before it sign.
    let late = world.skip(&[1, 2, 3, 4, 5], 16, 5, &changes(&world));
    assert!(
        world
            .verify(&World::genesis(), &skipping(&world, late))
            .is_ok()
    );
    let late = world.skip(&[3, 4, 5, 8, 10], 16, 5, &changes(&world));
    let refused = refused(&world, &skipping(&world, late));
    assert_eq!(refused, Refusal::Signatures);
}

#[test]
fn a_skip_needs_more_than_the_trust_level() {
    let world = World::new();
    // Members 3 and 4 alone are known: two of seven are no third.
    let more = vec![(world.change(1, &[7, 8, 10], &[0, 1, 2, 5, 6]), 4)];
    let skip = world.skip(&[3, 4, 7, 8], 16, 7, &more);
    let proof = LightProof {
        skip: Some(skip),
        links: Vec::new(),
        decision: world.decision(&[3, 4, 7, 8], 19),
    };
    assert_eq!(refused(&world, &proof), Refusal::TrustLevel);
    let bug = Some(&crate::light::seeded::TRUST_LEVEL_NOT_CHECKED);
    seeded::with(bug, || {
        assert!(world.verify(&World::genesis(), &proof).is_ok());
    });
    // Three are; they are not more than two thirds.
    let skip = || world.skip(&[3, 4, 5, 6, 7], 16, 7, &changes(&world));
    let proof = skipping(&world, skip());
    let mut verifier = world.verifier();
    for (level, passes) in [((1, 3), true), ((4, 7), false), ((2, 3), false)] {
        verifier.trust_level = TrustLevel {
            parts: level.0,
            of: level.1,
        };
        let verified = verifier.verify(&World::genesis(), &proof, NOW, &mut Work::default());
        assert_eq!(verified.is_ok(), passes, "{level:?}");
    }
}

#[test]
fn a_skip_is_a_checkpoint_and_its_state_shows_all_changes_in_order() {
    let world = World::new();
    let by = &[3, 4, 5, 6, 7];
    let of = |skip: Skip| refused(&world, &skipping(&world, skip));
    assert_eq!(
        of(world.skip(by, 15, 7, &changes(&world))),
        Refusal::OtherVotes
    );
    let mut other = world.skip(by, 16, 7, &changes(&world));
    other.certificate = world.sign(by, DECIDES, 16, other.head.digest());
    assert_eq!(of(other), Refusal::OtherVotes);
    let mut other = world.skip(by, 16, 7, &changes(&world));
    other.head.root = Digest::of(b"x");
    assert_eq!(of(other), Refusal::OtherVotes);
    // One is left out, or one was never executed, or the next one was.
    let list = changes(&world);
    let state = WorldState::of_executed(list.iter().map(|(tx, at)| (tx.id(), *at)));
    let fewer = world.skip_over(by, 16, 7, &state, &list[..1], 2);
    assert_eq!(of(fewer), Refusal::NotInState);
    let fewer = world.skip_over(by, 16, 7, &state, &list[1..], 3);
    assert_eq!(of(fewer), Refusal::NoChange);
    let none = WorldState::of_executed([(list[0].0.id(), 4)]);
    let more = world.skip_over(by, 16, 7, &none, &list, 3);
    assert_eq!(of(more), Refusal::NotInState);
    // In one block nobody can say which of them was first, and one before its turn is void.
    for heights in [(4, 4), (5, 4)] {
        let list = changes(&world);
        let list = list.into_iter().zip([heights.0, heights.1]);
        let list: Vec<_> = list.map(|((tx, _), at)| (tx, at)).collect();
        assert_eq!(of(world.skip(by, 16, 7, &list)), Refusal::NotInState);
    }
    // Somebody else's change.
    let own = world.change(1, &[7], &[0]);
    let body = Arc::clone(own.body());
    let forged = Arc::new(Tx::new(own.id(), CHAIN, own.op(), body, &world.secrets[0]));
    let forged = vec![(forged, 4), changes(&world).remove(1)];
    assert_eq!(
        of(world.skip(by, 16, 7, &forged)),
        Refusal::NotAdministrator
    );
}

#[test]
fn keys_that_were_replaced_count_no_more() {
    let world = World::new();
    let change = MemberChange {
        number: 1,
        add: Vec::new(),
        remove: Vec::new(),
        renew: vec![(NodeId(4), KeyId(11))],
    };
    let keys = world.keys.clone();
    let world = World {
        keys: keys.with_replacements(KeyId(11), [NodeId(4)].into()),
        ..world
    };
    let change = Arc::new(change.signed(CHAIN, &world.secrets[9]));
    let link = world.block(QUORUM, 3, vec![change]);
    let old = world.proof(vec![Arc::clone(&link)], QUORUM, 5);
    assert_eq!(refused(&world, &old), Refusal::Signatures);
    let new = world.proof(vec![link], &[0, 1, 2, 3, 11], 5);
    assert!(world.verify(&World::genesis(), &new).is_ok());
}
