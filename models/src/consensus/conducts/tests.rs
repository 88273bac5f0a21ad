#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What the behaviours make of single messages, in every protocol that has them.

use super::Word;
use super::bench::{CHAIN, ME, SEQUENCE, Speech, World};
use crate::adversary::{Conduct, MutatedField, SyncLie};
use crate::consensus::proposal::{FIRST, SECOND};
use crate::consensus::{Ballot, Blocks, Proposal};
use crate::ledger::merkle;
use consim_core::{Committed, Digest, Evidence, NodeId, Payload, Tx};
use std::sync::Arc;

/// A world of each protocol with two phases of votes.
fn worlds() -> [World; 4] {
    use crate::consensus::{bft_smart, pbft, qbft, tendermint};
    let speeches: [Speech; 4] = [
        pbft::speech(),
        bft_smart::speech(),
        tendermint::speech(),
        qbft::speech(),
    ];
    speeches.map(World::new)
}

fn proposal(world: &World, payload: &Arc<dyn Payload>) -> Arc<Proposal> {
    let Word::Proposal(proposal) = world.word(payload) else {
        panic!("{payload:?}");
    };
    proposal
}

/// A vote of this kind.
fn vote(world: &World, kind: u8, payload: &Arc<dyn Payload>) -> Ballot {
    match world.word(payload) {
        Word::Vote(of, ballot) if of == kind => ballot,
        _ => panic!("{payload:?}"),
    }
}

#[test]
fn every_word_of_the_list_is_a_behaviour() {
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
    for world in worlds() {
        let speech = world.speech;
        // A protocol may have some that no other one has.
        let shared = speech.conducts.iter().filter(|word| words.contains(word));
        let shared: Vec<&str> = shared.copied().collect();
        assert_eq!(shared, words, "{}", speech.protocol);
        for conduct in &conducts {
            let behaviour = (speech.build)(conduct, &world.means());
            assert!(behaviour.is_some(), "{} {conduct:?}", speech.protocol);
            assert!(!conduct.unit().is_empty());
        }
    }
}

#[test]
fn a_leader_gives_each_half_its_own_batch_and_an_accomplice_votes_for_both() {
    for mut world in worlds() {
        world.accomplices = vec![ME, NodeId(3)];
        let batch = Arc::new(world.batch());
        let mut leader = world.traitor(&Conduct::Equivocate);
        let (said, times) = world.hear(&mut leader, world.proposal(&batch));
        assert_eq!(times, 1);
        let batch_for = |to: u32| {
            let (_, payload) = said.iter().find(|(node, _)| *node == to).unwrap();
            let proposal = proposal(&world, payload);
            // Each is signed by the leader, for what it holds.
            let digest = proposal.batch.digest();
            let own = world.ballot(FIRST, 0, digest);
            assert_eq!(proposal.signature, own.signature);
            digest
        };
        // Node 3 is an accomplice, nodes 1 and 2 are the halves.
        assert_eq!(batch_for(1), batch.digest());
        assert_eq!(batch_for(3), batch.digest());
        let other = batch_for(2);
        assert_ne!(other, batch.digest());
        // Its votes of the second phase go with the batches.
        let last = Word::Vote(SECOND, world.ballot(SECOND, 0, batch.digest()));
        let (said, _) = world.hear(&mut leader, last);
        for (to, payload) in &said {
            let expected = if *to == 2 { other } else { batch.digest() };
            let ballot = vote(&world, SECOND, payload);
            assert_eq!(ballot.digest, expected, "{} to {to}", world.speech.protocol);
        }
    }
}

#[test]
fn votes_change_in_one_field_only() {
    let digest = Digest::of(b"x");
    for world in worlds() {
        for (field, view, sequence) in [
            (MutatedField::View, 1, SEQUENCE),
            (MutatedField::Sequence, 0, SEQUENCE + 1),
            (MutatedField::Digest, 0, SEQUENCE),
        ] {
            let mut traitor = world.traitor(&Conduct::Mutate { field, by: 1 });
            let honest = Word::Vote(FIRST, world.ballot(FIRST, 0, digest));
            let (said, times) = world.hear(&mut traitor, honest);
            assert_eq!((said.len(), times), (3, 3));
            let ballot = vote(&world, FIRST, &said[0].1);
            assert_eq!((ballot.view, ballot.sequence), (view, sequence));
            assert_eq!(ballot.digest == digest, field != MutatedField::Digest);
            let own = &world.secrets[0];
            let own = Ballot::sign(CHAIN, FIRST, view, sequence, ballot.digest, own);
            assert_eq!(ballot, own, "it is signed");
        }
    }
}

#[test]
fn forged_blocks_do_not_verify() {
    for world in worlds() {
        let holds = |c: &Committed| {
            c.certificate.digest == c.batch.digest()
                && c.certificate.sequence == c.sequence
                && world.holds(&c.certificate)
                && c.batch.txs().iter().all(|tx| tx.verify(&world.keys))
        };
        assert!(holds(&world.committed()));
        let lies = [SyncLie::Block, SyncLie::Sequence, SyncLie::Transactions];
        let lies = lies.map(|field| Conduct::LyingSync { field });
        for conduct in lies
            .iter()
            .chain(&[Conduct::DoubleSignatures, Conduct::StripSignatures])
        {
            let mut liar = world.traitor(conduct);
            let blocks = Word::Blocks(Blocks {
                blocks: vec![Arc::new(world.committed())],
                executed: SEQUENCE,
                proof: None,
            });
            let (said, times) = world.hear(&mut liar, blocks);
            let Word::Blocks(lie) = world.word(&said[0].1) else {
                panic!("{said:?}");
            };
            assert_eq!(times, 1);
            assert!(
                !holds(&lie.blocks[0]),
                "{} {conduct:?}",
                world.speech.protocol
            );
        }
    }
}

#[test]
fn phantoms_have_no_signature() {
    for world in worlds() {
        let mut phantom = world.traitor(&Conduct::PhantomValidator);
        let honest = Word::Vote(FIRST, world.ballot(FIRST, 0, Digest::of(b"x")));
        let (said, times) = world.hear(&mut phantom, honest);
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
}

#[test]
fn a_censor_takes_in_what_is_not_from_its_victims() {
    for world in worlds() {
        let whom: Arc<[NodeId]> = Arc::new([NodeId(2)]);
        let mut censor = world.traitor(&Conduct::Censor { whom });
        let forward = |txs: Vec<Arc<Tx>>| Word::Forward(txs, false);
        let both = forward(vec![world.tx(1, 1), world.tx(2, 1)]);
        let (said, times) = world.hear(&mut censor, both);
        let Word::Forward(txs, _) = world.word(&said[0].1) else {
            panic!("{said:?}");
        };
        assert_eq!((txs.len(), times), (1, 1));
        assert_eq!(txs[0].id().origin, NodeId(1));
        let (said, times) = world.hear(&mut censor, forward(vec![world.tx(2, 2)]));
        assert_eq!((said.len(), times), (0, 1));
    }
}

#[test]
fn an_invalid_block_has_another_root() {
    for world in worlds() {
        let batch = Arc::new(world.batch());
        let mut leader = world.traitor(&Conduct::InvalidBlock);
        let (said, times) = world.hear(&mut leader, world.proposal(&batch));
        assert_eq!((said.len(), times), (3, 1));
        let leaves: Vec<_> = batch.txs().iter().map(|tx| tx.digest()).collect();
        let made = proposal(&world, &said[0].1);
        assert_ne!(made.batch.tx_root(), merkle::root(&leaves));
    }
}
