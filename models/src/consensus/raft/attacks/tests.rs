#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
//! What the behaviours make of single messages.

use super::super::log::Entry;
use super::super::message::{Body, Message};
use super::{CONDUCTS, build};
use crate::adversary::{Conduct, Means, Move, MutatedField, Traitor};
use crate::consensus::BlockLimits;
use crate::ledger::testing::{batch, tx};
use consim_core::{
    ChainId, Context, Effect, Effects, Event, Keyring, NodeId, Payload, Process, Span, Time,
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

/// What a traitor with this conduct says in place of `body`: to whom, and what.
fn says(conduct: &Conduct, body: Body) -> Vec<(NodeId, u64, Body)> {
    let (keys, mut secrets) = Keyring::generate(5, 1);
    let members: Arc<[NodeId]> = (0..5).map(NodeId).collect();
    let means = Means {
        node: ME,
        chain: CHAIN,
        members: Arc::clone(&members),
        accomplices: [ME].into(),
        quorum: 3,
        administrator: None,
        phantoms: [].into(),
        certified: None,
        block: BlockLimits {
            transactions: 10,
            bytes: 1_000,
            wait: Span::ZERO,
        },
        timeout: Span::from_millis(1_000),
        key: Arc::new(secrets.remove(0)),
        stolen: [].into(),
        keys,
        draws: 5,
    };
    let moves = vec![Move {
        attack: 0,
        windows: [(Time::ZERO, Time::MAX)].into(),
        behaviour: build(conduct, &means).unwrap(),
    }];
    let mut traitor = Traitor::new(Box::new(Mouth(members)), moves);
    let mut effects = Effects::default();
    let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
    let mut cx = Context::new(Time::ZERO, 0, ME, &mut effects, &mut rng, &mut slot);
    let payload: Arc<dyn Payload> = Arc::new(Message {
        chain: CHAIN,
        term: 4,
        body,
    });
    let (from, payload) = (NodeId(3), &payload);
    traitor.handle(&mut cx, Event::Message { from, payload });
    let mut said = Vec::new();
    let mut add = |to: NodeId, payload: &Arc<dyn Payload>| {
        let message: &Message = payload.as_any().downcast_ref().unwrap();
        said.push((to, message.term, message.body.clone()));
    };
    for effect in &effects.list {
        match effect {
            Effect::Send { to, payload } => add(*to, payload),
            Effect::Multicast { to, payload } => {
                for to in to.iter().filter(|to| **to != ME) {
                    add(*to, payload);
                }
            }
            _ => {}
        }
    }
    said
}

fn append() -> Body {
    let (_, keys) = Keyring::generate(1, 1);
    let txs = vec![tx(CHAIN, &keys[0], 1, &[1, 2])];
    let entry = Entry::new(CHAIN, 4, 9, batch(ME, 5, txs), None);
    Body::Append {
        leader: ME,
        prev: 8,
        prev_term: 3,
        commit: 8,
        entries: vec![entry],
    }
}

#[test]
fn a_leader_that_equivocates_gives_half_of_them_another_entry() {
    let said = says(&Conduct::Equivocate, append());
    let digest = |(_, _, body): &(NodeId, u64, Body)| match body {
        Body::Append { entries, .. } => entries[0].ordered.batch.digest(),
        other => panic!("{other:?}"),
    };
    let digests: std::collections::BTreeSet<_> = said.iter().map(digest).collect();
    assert_eq!((said.len(), digests.len()), (4, 2));
}

#[test]
fn a_follower_that_equivocates_votes_for_everybody() {
    let ask = Body::RequestVote {
        pre: false,
        transfer: false,
        last: 0,
        last_term: 0,
    };
    let said = says(&Conduct::Equivocate, ask);
    let [
        (
            to,
            4,
            Body::Vote {
                granted: true,
                candidate,
                ..
            },
        ),
    ] = said.as_slice()
    else {
        panic!("{said:?}");
    };
    assert_eq!((*to, *candidate), (NodeId(3), NodeId(3)));
}

#[test]
fn answers_are_a_little_off() {
    let mutate = |field| Conduct::Mutate { field, by: 2 };
    let appended = || Body::Appended { matched: 9 };
    let of = |field| says(&mutate(field), appended()).remove(0);
    assert!(matches!(
        of(MutatedField::View),
        (_, 6, Body::Appended { matched: 9 })
    ));
    assert!(matches!(
        of(MutatedField::Sequence),
        (_, 4, Body::Appended { matched: 11 })
    ));
    assert!(matches!(
        of(MutatedField::Digest),
        (_, 4, Body::Appended { matched: 9 })
    ));
    assert_eq!(CONDUCTS, ["equivocate", "mutate"]);
}
