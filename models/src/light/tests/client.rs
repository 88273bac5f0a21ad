//! Whom a client asks, what it compares, and when it believes nobody any more.

use super::*;
use consim_core::{
    Context, Disk, Effect, Effects, Event, Payload, Probe, Process as _, Slot, Streams, Time,
    TimerKey, Write,
};

const ME: NodeId = NodeId(11);

/// What a client did in one step.
#[derive(Default, Debug)]
struct Done {
    /// Whom it asked for which decision, under which number.
    asked: Vec<(u32, u64, u64)>,
    skipping: Vec<bool>,
    conflicts: usize,
    accepted: Vec<u64>,
    refused: Vec<&'static str>,
    signed_both: Vec<u32>,
    written: Vec<Write>,
}

fn step(client: &mut LightClient, event: Event<'_>) -> Done {
    let (mut effects, mut slot) = (Effects::default(), None);
    let mut rng = || Streams::new(1).stream("light");
    let mut cx = Context::new(Time::ZERO, NOW, ME, &mut effects, &mut rng, &mut slot);
    client.handle(&mut cx, event);
    let mut done = Done::default();
    for effect in effects.list {
        match effect {
            Effect::Send { to, payload } => {
                let message: &Message = payload.as_any().downcast_ref().unwrap();
                let Body::Fetch { number, wish } = message.body else {
                    panic!("{message:?}");
                };
                done.asked.push((to.0, number, wish.sequence));
                done.skipping.push(wish.skipping);
            }
            Effect::Multicast { payload, .. } => {
                let message: &Message = payload.as_any().downcast_ref().unwrap();
                assert!(matches!(message.body, Body::Conflict { .. }));
                done.conflicts += 1;
            }
            Effect::Persist { writes, .. } => done.written.extend(writes),
            _ => {}
        }
    }
    for probe in effects.probes {
        match probe {
            Probe::LightAccepted { sequence, .. } => done.accepted.push(sequence),
            Probe::LightRefused { reason, .. } => done.refused.push(reason),
            Probe::LightConflict { signed_both, .. } => {
                done.signed_both = signed_both.iter().map(|key| key.0).collect();
            }
            _ => {}
        }
    }
    done
}

fn look(client: &mut LightClient) -> Done {
    step(client, Event::Timer(TimerKey(1)))
}
fn answer(client: &mut LightClient, from: u32, body: Body) -> Done {
    let payload: Arc<dyn Payload> = Arc::new(Message { chain: CHAIN, body });
    let (from, payload) = (NodeId(from), &payload);
    step(client, Event::Message { from, payload })
}
fn show(client: &mut LightClient, from: u32, number: u64, proof: &LightProof) -> Done {
    let proof = Arc::new(proof.clone());
    answer(client, from, Body::Proof { number, proof })
}

fn config(world: &World, witnesses: usize) -> LightConfig {
    LightConfig {
        verifier: world.verifier(),
        genesis: World::genesis(),
        believes: None,
        full_nodes: (0..7).map(NodeId).collect(),
        witnesses,
        period: Span::from_secs(1),
        skipping: true,
    }
}

#[test]
fn what_a_witness_shows_too_is_accepted_and_kept() {
    let world = World::new();
    let mut client = LightClient::new(config(&world, 2));
    assert_eq!(step(&mut client, Event::Start).asked, [(0, 1, 0)]);
    let proof = world.proof(Vec::new(), QUORUM, 5);
    let shown = show(&mut client, 0, 1, &proof);
    assert_eq!(shown.asked, [(1, 1, 5), (2, 1, 5)]);
    assert!(shown.accepted.is_empty());
    // Another quorum may have signed the same; somebody else was not asked.
    let other = world.proof(Vec::new(), &[2, 3, 4, 5, 6], 5);
    assert!(show(&mut client, 4, 1, &other).accepted.is_empty());
    assert!(show(&mut client, 2, 1, &other).accepted.is_empty());
    let done = answer(&mut client, 1, Body::Absent { number: 1 });
    assert_eq!(done.accepted, [5]);
    // After a crash it goes on from there.
    let mut disk = Disk::default();
    for write in done.written {
        assert_eq!(write.slot, Slot::Cell(1, 0));
        disk.apply(write);
    }
    let mut client = LightClient::new(config(&world, 2));
    step(&mut client, Event::Recover(&disk));
    assert_eq!(client.trusted().sequence, 5);
}

#[test]
fn without_a_witness_that_shows_the_same_nothing_is_accepted() {
    let world = World::new();
    let mut client = LightClient::new(config(&world, 1));
    step(&mut client, Event::Start);
    let proof = world.proof(Vec::new(), QUORUM, 5);
    show(&mut client, 0, 1, &proof);
    let done = answer(&mut client, 1, Body::Absent { number: 1 });
    assert!(done.accepted.is_empty());
    // Another one is asked first from now on.
    let done = look(&mut client);
    assert_eq!((done.asked, done.accepted), (vec![(1, 2, 0)], vec![]));
    // What is still on its way counts no more.
    assert!(show(&mut client, 0, 1, &proof).asked.is_empty());
    show(&mut client, 1, 2, &proof);
    assert_eq!(show(&mut client, 2, 2, &proof).accepted, [5]);
}

#[test]
fn a_witness_that_does_not_answer_is_not_waited_for_for_ever() {
    let world = World::new();
    let mut client = LightClient::new(config(&world, 2));
    step(&mut client, Event::Start);
    let proof = world.proof(Vec::new(), QUORUM, 5);
    show(&mut client, 0, 1, &proof);
    assert!(show(&mut client, 1, 1, &proof).accepted.is_empty());
    assert_eq!(look(&mut client).accepted, [5]);
}

#[test]
fn two_proven_decisions_of_one_number_are_an_attack() {
    let world = World::new();
    let mut client = LightClient::new(config(&world, 1));
    step(&mut client, Event::Start);
    show(&mut client, 0, 1, &world.proof(Vec::new(), QUORUM, 5));
    let block = world.block(&[2, 3, 4, 5, 6], 5, vec![world.tx(1, 77)]);
    let other = LightProof {
        skip: None,
        links: Vec::new(),
        decision: Decision {
            head: BatchHead::of(&block.batch),
            certificate: block.certificate.clone(),
        },
    };
    // Only if it is proven.
    let mut less = other.clone();
    less.decision.certificate = world.sign(&[3, 4, 5, 6], DECIDES, 5, other.batch());
    let done = show(&mut client, 1, 1, &less);
    assert_eq!(
        (done.conflicts, done.refused),
        (0, vec!["too few signatures"])
    );
    look(&mut client);
    show(&mut client, 1, 2, &world.proof(Vec::new(), QUORUM, 5));
    let done = show(&mut client, 2, 2, &other);
    assert_eq!((done.conflicts, done.accepted), (1, vec![]));
    assert_eq!(done.signed_both, [2, 3, 4]);
    // It believes nobody any more.
    assert!(look(&mut client).asked.is_empty());
}

#[test]
fn a_skip_that_is_refused_is_fetched_as_links() {
    let world = World::new();
    let mut client = LightClient::new(config(&world, 0));
    assert_eq!(step(&mut client, Event::Start).skipping, [true]);
    let strangers = vec![(world.change(1, &[7, 8, 10], &[0, 1, 2, 5, 6]), 4)];
    let skip = world.skip(&[3, 4, 7, 8], 16, 7, &strangers);
    let proof = LightProof {
        skip: Some(skip),
        links: Vec::new(),
        decision: world.decision(&[3, 4, 7, 8], 19),
    };
    let done = show(&mut client, 0, 1, &proof);
    assert_eq!(done.asked, [(0, 2, 0)]);
    assert_eq!(done.skipping, [false]);
    // The next time it tries again.
    assert_eq!(look(&mut client).skipping, [true]);
}

#[test]
fn liars_are_left_and_old_trust_is_no_fault_of_theirs() {
    let world = World::new();
    let mut client = LightClient::new(config(&world, 0));
    step(&mut client, Event::Start);
    show(&mut client, 0, 1, &world.proof(Vec::new(), &[0, 1], 5));
    assert_eq!(look(&mut client).asked, [(1, 2, 0)]);
    let mut old = config(&world, 0);
    old.genesis.time_ns = 0;
    let mut client = LightClient::new(old.clone());
    step(&mut client, Event::Start);
    let proof = world.proof(Vec::new(), QUORUM, 5);
    let done = show(&mut client, 0, 1, &proof);
    assert_eq!(
        (done.refused, done.accepted),
        (vec!["trust expired"], vec![])
    );
    assert_eq!(look(&mut client).asked, [(0, 2, 0)]);
    // Somebody whom it is told to believe shows it where the chain is now.
    let mut client = LightClient::new(LightConfig {
        believes: Some(NodeId(6)),
        ..old
    });
    assert_eq!(step(&mut client, Event::Start).asked, [(6, 1, 0)]);
    assert_eq!(show(&mut client, 6, 1, &proof).accepted, [5]);
    assert_eq!(look(&mut client).asked, [(0, 2, 0)]);
}
