#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What the behaviours make of single messages.

use super::super::message::{
    Ballot, Blocks, Body, Message, NIL, PRECOMMIT, PREVOTE, Polka, Proposal,
};
use super::{CONDUCTS, build};
use crate::adversary::{Conduct, Means, Move, MutatedField, SyncLie, Traitor};
use crate::consensus::BlockLimits;
use crate::ledger::merkle;
use consim_core::{
    Batch, Certificate, ChainId, Committed, Context, Digest, Effect, Effects, Event, Evidence,
    Keyring, NodeId, OpId, Payload, Probe, Process, SecretKey, Signature, Span, Time, Tx, TxId,
};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(3);
const ME: NodeId = NodeId(0);

/// Says what it hears to all members, as it is.
struct Mouth(Arc<[NodeId]>);
impl Process for Mouth {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        if let Event::Message { payload, .. } = event {
            cx.multicast(&self.0, Arc::clone(payload));
        }
    }
}

struct World {
    keys: Keyring,
    secrets: Vec<Arc<SecretKey>>,
    accomplices: Vec<NodeId>,
}

impl World {
    fn new() -> Self {
        let (keys, secrets) = Keyring::generate(5, 1);
        Self {
            keys,
            secrets: secrets.into_iter().map(Arc::new).collect(),
            accomplices: vec![ME],
        }
    }
    fn means(&self) -> Means {
        Means {
            node: ME,
            chain: CHAIN,
            members: (0..4).map(NodeId).collect(),
            accomplices: self.accomplices.clone().into(),
            quorum: 3,
            administrator: None,
            block: BlockLimits {
                transactions: 10,
                bytes: 1_000,
                wait: Span::ZERO,
            },
            timeout: Span::from_millis(1_000),
            key: Arc::clone(&self.secrets[0]),
            stolen: [].into(),
            keys: self.keys.clone(),
            draws: 5,
        }
    }
    fn tx(&self, origin: u32, number: u64) -> Arc<Tx> {
        let id = TxId {
            origin: NodeId(origin),
            number,
        };
        let key = &self.secrets[origin as usize];
        Arc::new(Tx::new(id, CHAIN, OpId(number), Arc::new([1]), key))
    }
    fn batch(&self) -> Batch {
        let txs: Arc<[_]> = Arc::new([self.tx(1, 1), self.tx(2, 1)]);
        let leaves: Vec<_> = txs.iter().map(|tx| tx.digest()).collect();
        Batch::new(ME, 100, txs, merkle::root(&leaves))
    }
    fn ballot(&self, kind: u8, signer: usize, digest: Digest) -> Ballot {
        Ballot::sign(CHAIN, kind, 0, 5, digest, &self.secrets[signer])
    }
    fn proposal(round: u64, batch: &Arc<Batch>, signature: Signature) -> Body {
        Body::Proposal {
            proposal: Arc::new(Proposal::new(round, 5, Arc::clone(batch), signature)),
            valid: None,
            times: None,
        }
    }
    fn committed(&self) -> Committed {
        let batch = Arc::new(self.batch());
        let digest = batch.digest();
        let signatures = (0..3).map(|i| self.ballot(PRECOMMIT, i, digest).signature);
        Committed {
            chain: CHAIN,
            sequence: 5,
            batch,
            certificate: Certificate {
                kind: PRECOMMIT,
                view: 0,
                sequence: 5,
                digest,
                signatures: signatures.collect(),
                links: Arc::default(),
            },
        }
    }
    fn traitor(&self, conduct: &Conduct) -> Traitor {
        let means = self.means();
        let members = Arc::clone(&means.members);
        Traitor::new(
            Box::new(Mouth(members)),
            vec![Move {
                attack: 0,
                windows: Arc::new([(Time::ZERO, Time::MAX)]),
                behaviour: build(conduct, &means).unwrap(),
            }],
        )
    }
}

/// What was said, to whom, and how often that counts.
type Said = (Vec<(u32, Arc<dyn Payload>)>, u64);

/// What it says.
fn says(traitor: &mut Traitor, event: Event<'_>) -> Said {
    let mut effects = Effects::default();
    let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
    let now = Time::from_nanos(1);
    let mut cx = Context::new(now, 0, ME, &mut effects, &mut rng, &mut slot);
    traitor.handle(&mut cx, event);
    let mut sent = Vec::new();
    for effect in effects.list {
        match effect {
            Effect::Send { to, payload } => sent.push((to.0, payload)),
            Effect::Multicast { to, payload } => {
                let to = to.iter().filter(|&&n| n != ME);
                sent.extend(to.map(|n| (n.0, Arc::clone(&payload))));
            }
            _ => {}
        }
    }
    let times = effects.probes.iter().map(|probe| match probe {
        Probe::Misbehaved { times, .. } => *times,
        _ => 0,
    });
    (sent, times.sum())
}

fn say(traitor: &mut Traitor, body: Body) -> Said {
    let payload: &Arc<dyn Payload> = &(Arc::new(Message { chain: CHAIN, body }) as _);
    let from = NodeId(1);
    says(traitor, Event::Message { from, payload })
}

fn body(payload: &Arc<dyn Payload>) -> &Body {
    &payload.as_any().downcast_ref::<Message>().unwrap().body
}

#[test]
fn every_word_of_the_list_is_a_behaviour() {
    let world = World::new();
    let whom: Arc<[NodeId]> = Arc::new([NodeId(2)]);
    let conducts = [
        Conduct::Equivocate,
        Conduct::ForgetLock,
        Conduct::Mutate {
            field: MutatedField::View,
            by: 1,
        },
        Conduct::InvalidBlock,
        Conduct::PhantomValidator,
        Conduct::LyingSync {
            field: SyncLie::Block,
        },
        Conduct::Censor { whom },
        Conduct::ReorderBlock,
        Conduct::DoubleSignatures,
        Conduct::StripSignatures,
    ];
    let words: Vec<&str> = conducts.iter().map(Conduct::word).collect();
    assert_eq!(words, CONDUCTS);
    for conduct in &conducts {
        assert!(build(conduct, &world.means()).is_some(), "{conduct:?}");
        assert!(!conduct.unit().is_empty());
    }
}

#[test]
fn a_leader_gives_each_half_its_own_batch_and_an_accomplice_votes_for_both() {
    let mut world = World::new();
    world.accomplices = vec![ME, NodeId(3)];
    let batch = Arc::new(world.batch());
    let vote = world.ballot(PREVOTE, 0, batch.digest());
    let proposal = || World::proposal(0, &batch, vote.signature);
    let mut leader = world.traitor(&Conduct::Equivocate);
    let (said, times) = say(&mut leader, proposal());
    assert_eq!(times, 1);
    let batch_for = |to: u32| {
        let (_, payload) = said.iter().find(|(node, _)| *node == to).unwrap();
        let Body::Proposal { proposal, .. } = body(payload) else {
            panic!("{payload:?}");
        };
        // Each is signed by the leader, for what it holds.
        let digest = proposal.batch.digest();
        let own = Ballot::sign(CHAIN, PREVOTE, 0, 5, digest, &world.secrets[0]);
        assert_eq!(proposal.signature, own.signature);
        digest
    };
    // Node 3 is an accomplice, nodes 1 and 2 are the halves.
    assert_eq!(batch_for(1), batch.digest());
    assert_eq!(batch_for(3), batch.digest());
    let other = batch_for(2);
    assert_ne!(other, batch.digest());
    // Its precommits go with the batches.
    let (said, _) = say(
        &mut leader,
        Body::Precommit(world.ballot(PRECOMMIT, 0, batch.digest()), None),
    );
    for (to, payload) in &said {
        let Body::Precommit(ballot, _) = body(payload) else {
            panic!("{payload:?}");
        };
        let expected = if *to == 2 { other } else { batch.digest() };
        assert_eq!(ballot.digest, expected, "to {to}");
    }
}

#[test]
fn votes_change_in_one_field_only() {
    let world = World::new();
    let digest = Digest::of(b"x");
    for (field, view, sequence) in [
        (MutatedField::View, 1, 5),
        (MutatedField::Sequence, 0, 6),
        (MutatedField::Digest, 0, 5),
    ] {
        let mut traitor = world.traitor(&Conduct::Mutate { field, by: 1 });
        let (said, times) = say(
            &mut traitor,
            Body::Prevote(world.ballot(PREVOTE, 0, digest)),
        );
        assert_eq!((said.len(), times), (3, 3));
        let Body::Prevote(ballot) = body(&said[0].1) else {
            panic!("{said:?}");
        };
        assert_eq!((ballot.view, ballot.sequence), (view, sequence));
        assert_eq!(ballot.digest == digest, field != MutatedField::Digest);
        let own = Ballot::sign(
            CHAIN,
            PREVOTE,
            view,
            sequence,
            ballot.digest,
            &world.secrets[0],
        );
        assert_eq!(*ballot, own, "it is signed");
    }
}

#[test]
fn forged_blocks_do_not_verify_and_phantoms_have_no_signature() {
    let world = World::new();
    let means = world.means();
    let holds = |c: &Committed| {
        c.certificate.digest == c.batch.digest()
            && c.certificate.sequence == c.sequence
            && c.certificate
                .verify(CHAIN, &means.members, means.quorum, &means.keys)
            && c.batch.txs().iter().all(|tx| tx.verify(&means.keys))
    };
    assert!(holds(&world.committed()));
    let lies = [SyncLie::Block, SyncLie::Sequence, SyncLie::Transactions];
    let lies = lies.map(|field| Conduct::LyingSync { field });
    for conduct in lies
        .iter()
        .chain(&[Conduct::DoubleSignatures, Conduct::StripSignatures])
    {
        let mut liar = world.traitor(conduct);
        let blocks = Body::Blocks(Blocks {
            blocks: vec![Arc::new(world.committed())],
            executed: 5,
            proof: None,
        });
        let (said, times) = say(&mut liar, blocks);
        let Body::Blocks(lie) = body(&said[0].1) else {
            panic!("{said:?}");
        };
        assert_eq!(times, 1);
        assert!(!holds(&lie.blocks[0]), "{conduct:?}");
    }
    let mut phantom = world.traitor(&Conduct::PhantomValidator);
    let honest = world.ballot(PREVOTE, 0, Digest::of(b"x"));
    let (said, times) = say(&mut phantom, Body::Prevote(honest));
    assert_eq!((said.len(), times), (9, 6));
    for (_, payload) in &said {
        payload.evidence(&mut |evidence| {
            let Evidence::Vote(vote) = evidence else {
                panic!("a vote");
            };
            let own = vote.key() == world.secrets[0].id();
            assert_eq!(vote.is_genuine(&world.keys), own);
        });
    }
}

#[test]
fn who_forgets_its_lock_prevotes_what_is_put_forward() {
    let world = World::new();
    let batch = Arc::new(world.batch());
    let digest = batch.digest();
    let mut traitor = world.traitor(&Conduct::ForgetLock);
    // It hears a proposal, and then says nil of it.
    let vote = world.ballot(PREVOTE, 1, digest);
    say(&mut traitor, World::proposal(0, &batch, vote.signature));
    let (said, times) = say(&mut traitor, Body::Prevote(world.ballot(PREVOTE, 0, NIL)));
    assert_eq!(times, 1);
    let Body::Prevote(ballot) = body(&said[0].1) else {
        panic!("{said:?}");
    };
    assert_eq!(*ballot, world.ballot(PREVOTE, 0, digest));
    // In its turn it puts something new forward.
    let Body::Proposal { proposal, .. } = World::proposal(0, &batch, ballot.signature) else {
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
    let world = World::new();
    let batch = Arc::new(world.batch());
    let means = world.means();
    let mutate = Conduct::Mutate {
        field: MutatedField::Certificate,
        by: 1,
    };
    let mut traitor = world.traitor(&mutate);
    let vote = Ballot::sign(CHAIN, PREVOTE, 2, 5, batch.digest(), &world.secrets[0]);
    let (said, times) = say(&mut traitor, World::proposal(2, &batch, vote.signature));
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

#[test]
fn a_censor_takes_in_what_is_not_from_its_victims() {
    let world = World::new();
    let whom: Arc<[NodeId]> = Arc::new([NodeId(2)]);
    let mut censor = world.traitor(&Conduct::Censor { whom });
    let forward = |txs: Vec<Arc<Tx>>| Body::Forward { txs, to_all: false };
    let (said, times) = say(&mut censor, forward(vec![world.tx(1, 1), world.tx(2, 1)]));
    let Body::Forward { txs, .. } = body(&said[0].1) else {
        panic!("{said:?}");
    };
    assert_eq!((txs.len(), times), (1, 1));
    assert_eq!(txs[0].id().origin, NodeId(1));
    let (said, times) = say(&mut censor, forward(vec![world.tx(2, 2)]));
    assert_eq!((said.len(), times), (0, 1));
}

#[test]
fn an_invalid_block_has_another_root() {
    let world = World::new();
    let batch = Arc::new(world.batch());
    let vote = world.ballot(PREVOTE, 0, batch.digest());
    let mut leader = world.traitor(&Conduct::InvalidBlock);
    let proposal = World::proposal(0, &batch, vote.signature);
    let (said, times) = say(&mut leader, proposal);
    assert_eq!((said.len(), times), (3, 1));
    let Body::Proposal { proposal, .. } = body(&said[0].1) else {
        panic!("{said:?}");
    };
    let leaves: Vec<_> = batch.txs().iter().map(|tx| tx.digest()).collect();
    assert_ne!(proposal.batch.tx_root(), merkle::root(&leaves));
}
