#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What the behaviours of this protocol alone make of single messages.

use super::super::change::{Change, Justification, RoundChange, hash_in_round};
use super::super::message::{Ballot, Body, Message, PREPARE, Proposal};
use super::speech;
use crate::adversary::{Conduct, MutatedField, Traitor};
use crate::consensus::conducts::bench::{self, CHAIN, Said, World};
use consim_core::{Batch, Certificate, Evidence, Payload};
use std::sync::Arc;

fn say(traitor: &mut Traitor, body: Body) -> Said {
    bench::say(traitor, &(Arc::new(Message { chain: CHAIN, body }) as _))
}

fn body(payload: &Arc<dyn Payload>) -> &Body {
    &payload.as_any().downcast_ref::<Message>().unwrap().body
}

/// A ROUND-CHANGE of this node for round 1 that saw a batch prepared.
fn change(world: &World, batch: &Arc<Batch>) -> RoundChange {
    let proof = Arc::new(world.certificate(PREPARE, batch.digest()));
    let of = Some((0, hash_in_round(&batch.digest(), 0)));
    RoundChange {
        change: Arc::new(Change::sign(CHAIN, (5, 1), of, None, &world.secrets[0])),
        proof: Some(proof),
        batch: Some(Arc::clone(batch)),
    }
}

#[test]
fn who_forgets_its_lock_says_that_nothing_was_prepared() {
    let world = World::new(speech());
    let batch = Arc::new(world.batch());
    let mut traitor = world.traitor(&Conduct::ForgetLock);
    let honest = change(&world, &batch);
    let free = Arc::new(Change::sign(CHAIN, (5, 1), None, None, &world.secrets[2]));
    let changes = vec![Arc::clone(&honest.change), free];
    let proof = honest.proof.clone();
    // What is signed says to anybody whether the block is named.
    let bound = |payload: &dyn Payload| {
        let mut bound = Vec::new();
        payload.evidence(&mut |evidence| {
            if let Evidence::Leaving(leaving) = evidence {
                assert!(leaving.signed.is_genuine(&world.keys));
                assert_eq!((leaving.low, leaving.alone), (4, Some(5)));
                bound.push(leaving.bound.to_vec());
            }
        });
        bound
    };
    let honest = Arc::new(honest);
    let true_word = Message {
        chain: CHAIN,
        body: Body::RoundChange(Arc::clone(&honest)),
    };
    assert_eq!(bound(&true_word), [vec![(5, 0, batch.digest())]]);
    let (said, times) = say(&mut traitor, Body::RoundChange(honest));
    assert_eq!(times, 1);
    assert_eq!(bound(&*said[0].1), [vec![]]);
    let Body::RoundChange(lie) = body(&said[0].1) else {
        panic!("{said:?}");
    };
    assert_eq!((lie.change.round, lie.change.prepared), (1, None));
    assert!(lie.batch.is_none() && lie.proof.is_none());
    // In its turn it puts something new forward.
    let vote = Ballot::sign(CHAIN, PREPARE, 1, 5, batch.digest(), &world.secrets[0]);
    let proposal = Body::Proposal {
        proposal: Arc::new(Proposal::new(1, 5, Arc::clone(&batch), vote.signature)),
        justification: Some(Arc::new(Justification { changes, proof })),
    };
    let (said, times) = say(&mut traitor, proposal);
    assert_eq!(times, 1);
    let Body::Proposal {
        proposal,
        justification: Some(justification),
    } = body(&said[0].1)
    else {
        panic!("{said:?}");
    };
    assert!(justification.highest().is_none());
    assert_ne!(proposal.batch.digest(), batch.digest());
}

#[test]
fn made_up_prepares_are_not_proven() {
    let world = World::new(speech());
    let batch = Arc::new(world.batch());
    let means = world.means();
    let holds = |c: &Certificate| c.verify(CHAIN, &means.members, means.quorum, &means.keys);
    let mutate = Conduct::Mutate {
        field: MutatedField::Certificate,
        by: 1,
    };
    let mut traitor = world.traitor(&mutate);
    let honest = change(&world, &batch);
    assert!(holds(honest.prepares().unwrap()));
    let changes = vec![Arc::clone(&honest.change)];
    let proof = honest.proof.clone();
    let (said, times) = say(&mut traitor, Body::RoundChange(Arc::new(honest)));
    assert_eq!(times, 3);
    let Body::RoundChange(lie) = body(&said[0].1) else {
        panic!("{said:?}");
    };
    let other = lie.batch.as_ref().unwrap().digest();
    assert_ne!(other, batch.digest());
    assert_eq!(lie.prepares().unwrap().digest, other);
    assert!(!holds(lie.prepares().unwrap()));
    let vote = Ballot::sign(CHAIN, PREPARE, 1, 5, batch.digest(), &world.secrets[0]);
    let proposal = Body::Proposal {
        proposal: Arc::new(Proposal::new(1, 5, batch, vote.signature)),
        justification: Some(Arc::new(Justification { changes, proof })),
    };
    let (said, _) = say(&mut traitor, proposal);
    let Body::Proposal {
        proposal,
        justification: Some(justification),
    } = body(&said[0].1)
    else {
        panic!("{said:?}");
    };
    let highest = justification.highest().unwrap().prepared;
    assert_eq!(
        highest,
        Some((0, hash_in_round(&proposal.batch.digest(), 0)))
    );
    assert!(!holds(justification.proof.as_ref().unwrap()));
}
