#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What the behaviours of this protocol alone make of single messages.

use super::super::message::{Ballot, Body, Message, NIL, PRECOMMIT, PREVOTE, Polka, Proposal};
use super::speech;
use crate::adversary::{Conduct, MutatedField, Traitor};
use crate::consensus::conducts::bench::{self, CHAIN, Said, World};
use consim_core::{Batch, Payload, Signature};
use std::sync::Arc;

fn say(traitor: &mut Traitor, body: Body) -> Said {
    bench::say(traitor, &(Arc::new(Message { chain: CHAIN, body }) as _))
}

fn proposal(round: u64, batch: &Arc<Batch>, signature: Signature) -> Body {
    Body::Proposal {
        proposal: Arc::new(Proposal::new(round, 5, Arc::clone(batch), signature)),
        valid: None,
        times: None,
    }
}

fn body(payload: &Arc<dyn Payload>) -> &Body {
    &payload.as_any().downcast_ref::<Message>().unwrap().body
}

#[test]
fn who_forgets_its_lock_prevotes_what_is_put_forward() {
    let world = World::new(speech());
    let batch = Arc::new(world.batch());
    let digest = batch.digest();
    let mut traitor = world.traitor(&Conduct::ForgetLock);
    // It hears a proposal, and then says nil of it.
    let vote = world.ballot(PREVOTE, 1, digest);
    say(&mut traitor, proposal(0, &batch, vote.signature));
    let (said, times) = say(&mut traitor, Body::Prevote(world.ballot(PREVOTE, 0, NIL)));
    assert_eq!(times, 1);
    let Body::Prevote(ballot) = body(&said[0].1) else {
        panic!("{said:?}");
    };
    assert_eq!(*ballot, world.ballot(PREVOTE, 0, digest));
    // In its turn it puts something new forward.
    let Body::Proposal { proposal, .. } = proposal(0, &batch, ballot.signature) else {
        panic!("a proposal");
    };
    let valid = Some(Arc::new(world.committed().certificate));
    let again = Body::Proposal {
        proposal,
        valid,
        times: None,
    };
    let (said, times) = say(&mut traitor, again);
    assert_eq!(times, 1);
    let Body::Proposal {
        proposal, valid, ..
    } = body(&said[0].1)
    else {
        panic!("{said:?}");
    };
    assert!(valid.is_none());
    assert_ne!(proposal.batch.digest(), digest);
    // It precommits that, too.
    let (said, _) = say(
        &mut traitor,
        Body::Precommit(world.ballot(PRECOMMIT, 0, NIL), None),
    );
    let Body::Precommit(ballot, _) = body(&said[0].1) else {
        panic!("{said:?}");
    };
    assert_eq!(ballot.digest, proposal.batch.digest());
}

#[test]
fn a_twisted_valid_round_is_not_proven() {
    let world = World::new(speech());
    let batch = Arc::new(world.batch());
    let means = world.means();
    let mutate = Conduct::Mutate {
        field: MutatedField::Certificate,
        by: 1,
    };
    let mut traitor = world.traitor(&mutate);
    let vote = Ballot::sign(CHAIN, PREVOTE, 2, 5, batch.digest(), &world.secrets[0]);
    let (said, times) = say(&mut traitor, proposal(2, &batch, vote.signature));
    assert_eq!(times, 3);
    let Body::Proposal {
        proposal,
        valid: Some(proof),
        ..
    } = body(&said[0].1)
    else {
        panic!("{said:?}");
    };
    assert_eq!((proof.view, proof.digest), (1, proposal.batch.digest()));
    assert!(!proof.verify(CHAIN, &means.members, means.quorum, &means.keys));
    let polka = Polka {
        proof: Arc::clone(proof),
        batch: Arc::clone(&proposal.batch),
    };
    let (said, _) = say(&mut traitor, Body::Polka(Arc::new(polka)));
    let Body::Polka(polka) = body(&said[0].1) else {
        panic!("{said:?}");
    };
    let proof = &polka.proof;
    assert!(!proof.verify(CHAIN, &means.members, means.quorum, &means.keys));
}
