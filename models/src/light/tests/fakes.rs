//! What adversaries show, and how far it goes with the keys that they have.

use super::*;
use crate::adversary::{HeaderLie, Means, Move, Traitor};
use crate::consensus::BlockLimits;
use crate::light::attack::FakeHeader;
use consim_core::{Context, Effect, Effects, Event, Payload, Process, Streams, Time};

/// A full node that shows what it has, whatever it is asked for.
struct Honest(Option<LightProof>);

impl Process for Honest {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let Event::Message { from, payload } = event else {
            return;
        };
        let message: &Message = payload.as_any().downcast_ref().unwrap();
        let Body::Fetch { number, .. } = message.body else {
            return;
        };
        let body = match self.0.clone().map(Arc::new) {
            Some(proof) => Body::Proof { number, proof },
            None => Body::Absent { number },
        };
        cx.send(from, Arc::new(Message { chain: CHAIN, body }));
    }
}

/// What a full node shows whose adversary has the members `held`, and nodes 7 and 8.
fn shown(
    world: &World,
    held: &[u32],
    lie: HeaderLie,
    wish: Wish,
    honest: Option<LightProof>,
) -> LightProof {
    let means = Means {
        node: NodeId(held[0]),
        chain: CHAIN,
        members: (0..7).map(NodeId).collect(),
        accomplices: held.iter().copied().map(NodeId).collect(),
        quorum: 5,
        administrator: Some(ADMINISTRATOR),
        block: BlockLimits {
            transactions: 10,
            bytes: 1_000,
            wait: Span::ZERO,
        },
        timeout: Span::from_secs(1),
        key: Arc::clone(&world.secrets[held[0] as usize]),
        stolen: [].into(),
        phantoms: [7, 8].map(|i: usize| Arc::clone(&world.secrets[i])).into(),
        certified: Some(world.verifier().certified),
        keys: world.keys.clone(),
        draws: 1,
    };
    let behaviour = Box::new(FakeHeader::new(&means, lie).unwrap());
    let windows = [(Time::ZERO, Time::MAX)].into();
    let moves = vec![Move {
        attack: 0,
        windows,
        behaviour,
    }];
    let mut traitor = Traitor::new(Box::new(Honest(honest)), moves);
    let body = Body::Fetch { number: 3, wish };
    let payload: Arc<dyn Payload> = Arc::new(Message { chain: CHAIN, body });
    let (mut effects, mut slot) = (Effects::default(), None);
    let mut rng = || Streams::new(1).stream("fakes");
    let mut cx = Context::new(
        Time::ZERO,
        NOW,
        NodeId(held[0]),
        &mut effects,
        &mut rng,
        &mut slot,
    );
    let (from, payload) = (NodeId(11), &payload);
    traitor.handle(&mut cx, Event::Message { from, payload });
    let [Effect::Send { payload, .. }] = effects.list.as_slice() else {
        panic!("{:?}", effects.list);
    };
    let message: &Message = payload.as_any().downcast_ref().unwrap();
    match &message.body {
        Body::Proof { number: 3, proof } => (**proof).clone(),
        other => panic!("{other:?}"),
    }
}

const LAST: Wish = Wish {
    sequence: 0,
    trusted: 0,
    change: 0,
    skipping: false,
};

#[test]
fn a_lunatic_needs_a_quorum() {
    let world = World::new();
    let honest = world.proof(Vec::new(), QUORUM, 5);
    for (held, passes) in [
        (&[0, 1][..], false),
        (&[0, 1, 2], false),
        (&[0, 1, 2, 3], false),
        (&[0, 1, 2, 3, 4], true),
    ] {
        let fake = shown(&world, held, HeaderLie::Lunatic, LAST, Some(honest.clone()));
        assert_ne!(fake.batch(), honest.batch());
        assert_eq!(fake.sequence(), 5);
        let verified = world.verify(&World::genesis(), &fake);
        assert_eq!(verified.is_ok(), passes, "{held:?}");
        // All of them show the same.
        let other = shown(&world, held, HeaderLie::Lunatic, LAST, Some(honest.clone()));
        assert_eq!(other.batch(), fake.batch());
    }
}

#[test]
fn the_past_is_shown_to_who_knows_nothing_later() {
    let world = World::new();
    let link = world.block(
        QUORUM,
        3,
        vec![world.change(1, &[7, 8, 10], &[0, 1, 2, 3, 4])],
    );
    let honest = world.proof(vec![link], &[5, 6, 7, 8], 20);
    let wish = Wish {
        sequence: 20,
        ..LAST
    };
    let fake = shown(&world, QUORUM, HeaderLie::Past, wish, Some(honest.clone()));
    assert_eq!(fake.sequence(), 20);
    assert!(world.verify(&World::genesis(), &fake).is_ok());
    let later = world.verify(&World::genesis(), &honest).unwrap();
    let later = Trusted {
        sequence: 10,
        ..later
    };
    assert_eq!(world.verify(&later, &fake), Err(Refusal::Signatures));
    // Whoever has nothing of the chain any more makes it up, too.
    let fake = shown(&world, QUORUM, HeaderLie::Past, LAST, None);
    assert!(world.verify(&World::genesis(), &fake).is_ok());
}

#[test]
fn phantoms_need_the_administrator_and_more_than_the_trust_level_or_a_quorum() {
    let world = World::new();
    let honest = world.proof(Vec::new(), QUORUM, 21);
    for (held, skipping, administrator, why) in [
        (&[0, 1][..], true, true, Some(Refusal::TrustLevel)),
        (&[0, 1, 2], true, true, None),
        (&[0, 1, 2], true, false, Some(Refusal::NotAdministrator)),
        (&[0, 1, 2], false, true, Some(Refusal::Signatures)),
        (QUORUM, false, true, None),
        (QUORUM, false, false, Some(Refusal::NotAdministrator)),
    ] {
        let wish = Wish { skipping, ..LAST };
        let lie = HeaderLie::Phantom { administrator };
        let fake = shown(&world, held, lie, wish, Some(honest.clone()));
        assert_eq!(fake.skip.is_some(), skipping);
        let verified = world.verify(&World::genesis(), &fake);
        assert_eq!(verified.as_ref().err().copied(), why, "{held:?} {skipping}");
        let Ok(trusted) = verified else { continue };
        assert!(trusted.validators.members.contains(&NodeId(7)));
        assert!(!trusted.validators.members.contains(&NodeId(6)));
    }
}
