#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::super::message::{Body, Message, PREVOTE};
use super::super::rounds::Phase;
use super::parts::{Assembly, Cut};
use super::peer::Peer;
use super::{Has, Header, MAX_PARTS, Part};
use crate::consensus::{Ballot, Proposal};
use crate::ledger::testing;
use consim_core::{Batch, ChainId, Decoder, Encoder, Keyring, NodeId, Payload};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(1);

/// A block of so many transactions.
fn batch(txs: u64) -> Arc<Batch> {
    let (_, keys) = Keyring::generate(1, 1);
    let txs = (1..=txs).map(|i| testing::tx(CHAIN, &keys[0], i, &[i as u8; 100]));
    testing::batch(NodeId(0), 1_000, txs.collect())
}

fn message(body: Body) -> Arc<dyn Payload> {
    Arc::new(Message { chain: CHAIN, body })
}

fn announced(batch: &Arc<Batch>, cut: &Cut) -> Assembly {
    let (_, keys) = Keyring::generate(1, 1);
    let vote = Ballot::sign(CHAIN, PREVOTE, 0, 1, batch.digest(), &keys[0]);
    let whole = Arc::new(Proposal::new(0, 1, Arc::clone(batch), vote.signature));
    let of = (cut.parts.len() as u32, cut.root);
    let header = Arc::new(Header::sign(CHAIN, &whole, (None, None), of, &keys[0]));
    Assembly::new(&header, &message(Body::Header(Arc::clone(&header))))
}

fn add(block: &mut Assembly, part: &Arc<Part>) {
    let body = Body::Part {
        height: 1,
        round: 0,
        part: Arc::clone(part),
    };
    block.add(part, &message(body));
}

/// A part as it comes over a wire: bytes, and nothing that is shared.
fn over_wire(part: &Part) -> Arc<Part> {
    let mut bytes = Vec::new();
    part.encode(&mut Encoder::new(&mut bytes));
    assert_eq!(bytes.len(), part.encoded_len());
    let mut d = Decoder::new(&bytes);
    let read = Part::decode(&mut d).unwrap();
    d.end().unwrap();
    Arc::new(read)
}

#[test]
fn a_block_comes_back_from_its_parts_in_any_order() {
    for (txs, size) in [(1, 65_536), (20, 300), (20, 1), (7, 1_000)] {
        let batch = batch(txs);
        let cut = Cut::of(&batch, size);
        let total: usize = cut.parts.iter().map(|part| part.bytes.len()).sum();
        assert_eq!(total, batch.encoded_len());
        assert!(cut.parts.len() <= MAX_PARTS);
        for wire in [false, true] {
            let mut block = announced(&batch, &cut);
            for part in cut.parts.iter().rev() {
                assert!(!block.is_full());
                let part = if wire {
                    over_wire(part)
                } else {
                    Arc::clone(part)
                };
                assert!(part.belongs_to(&block.header));
                add(&mut block, &part);
                add(&mut block, &part);
            }
            assert!(block.is_full());
            let read = block.read().unwrap();
            assert_eq!(read.digest(), batch.digest());
            assert_eq!(Arc::ptr_eq(&read, &batch), !wire, "once in memory");
        }
    }
}

#[test]
fn a_part_that_is_another_one_does_not_belong() {
    let batch = batch(20);
    let cut = Cut::of(&batch, 300);
    let block = announced(&batch, &cut);
    let part = &cut.parts[1];
    assert!(part.belongs_to(&block.header));
    assert!(!part.under(2).belongs_to(&block.header), "its index");
    let mut bytes = part.bytes.to_vec();
    bytes[0] ^= 1;
    let forged = Part::new(1, bytes.into(), part.proof.clone());
    assert!(!forged.belongs_to(&block.header), "its bytes");
    let other = Cut::of(&super::tests::batch(21), 300);
    assert!(!other.parts[1].belongs_to(&block.header), "its block");
    let fewer = Cut::of(&batch, 301);
    assert!(!fewer.parts[1].belongs_to(&block.header), "its size");
}

#[test]
fn swapped_parts_are_not_the_block() {
    let batch = batch(20);
    let cut = Cut::of(&batch, 300);
    let mut block = announced(&batch, &cut);
    for (index, part) in cut.parts.iter().enumerate() {
        let index = match index {
            0 => 1,
            1 => 0,
            other => other,
        };
        add(&mut block, &Arc::new(part.under(index as u32)));
    }
    assert!(block.is_full());
    let read = block.read();
    assert!(read.is_none_or(|read| read.digest() != batch.digest()));
}

fn has(height: u64, round: u64, whole: bool) -> Has {
    Has {
        height,
        round,
        step: 1,
        whole,
        ask: false,
        parts: Some(vec![0b101]),
        votes: vec![(round, PREVOTE, vec![0b11])],
    }
}

#[test]
fn a_peer_has_what_it_says_until_it_goes_on() {
    let mut peer = Peer::new(1, NodeId(1));
    peer.says(&has(3, 0, false), 3);
    assert!(peer.is_at(3, 0) && peer.header);
    assert!(peer.parts.contains(2) && !peer.parts.contains(1));
    assert!(peer.known(0, Phase::Prevote).voters.contains(1));
    // What is out of date is not looked at.
    peer.says(&has(2, 7, false), 3);
    assert!(peer.is_at(3, 0));
    // More of the same height and round adds to it.
    let more = Has {
        parts: Some(vec![0b10]),
        ..has(3, 0, false)
    };
    peer.says(&more, 3);
    assert!(peer.parts.contains(1) && peer.parts.contains(2));
    // Votes stay over a round, parts do not; neither over a height.
    let next = |height, round| Has {
        parts: None,
        votes: Vec::new(),
        ..has(height, round, false)
    };
    peer.says(&next(3, 1), 3);
    assert!(!peer.header && peer.parts.len() == 0);
    assert!(peer.known(0, Phase::Prevote).voters.contains(1));
    peer.says(&next(4, 0), 3);
    assert!(!peer.known(0, Phase::Prevote).voters.contains(1));
}

#[test]
fn a_peer_that_lost_something_is_believed() {
    let mut peer = Peer::new(1, NodeId(1));
    peer.says(&has(3, 2, false), 3);
    peer.known(2, Phase::Prevote).voters.insert(9);
    peer.known(2, Phase::Prevote).sent = 5;
    let lost = Has {
        parts: None,
        ..has(3, 1, true)
    };
    peer.says(&lost, 4);
    assert!(peer.is_at(3, 1) && !peer.header && peer.stuck);
    assert!(!peer.known(2, Phase::Prevote).voters.contains(9));
    assert_eq!(peer.known(2, Phase::Prevote).sent, 0);
}
