//! The rules one by one.

use super::super::config::{Group, SPAN};
use super::super::leader::Record;
use super::super::proposal::{Ballot, TimeoutCertificate, timeout_statement};
use super::super::votes::Votes;
use super::{HotStuffOptions, LeaderRule, Phases};
use crate::consensus::{BlockLimits, MempoolLimits, ReplicaConfig, byzantine_quorum};
use consim_core::chain::{Link, commits};
use consim_core::{ChainId, Digest, Keyring, NodeId, SecretKey, Span};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(1);

fn group(n: u32, leader: LeaderRule) -> (Group, Vec<SecretKey>) {
    let (keys, secrets) = Keyring::generate(n, 1);
    let config = ReplicaConfig {
        chain: CHAIN,
        me: NodeId(0),
        members: (0..n).map(NodeId).collect(),
        quorum: byzantine_quorum(n as usize),
        key: Arc::new(keys.steal(NodeId(0).into()).unwrap()),
        keys,
        block: BlockLimits {
            transactions: 10,
            bytes: 1000,
            wait: Span::ZERO,
        },
        mempool: MempoolLimits {
            transactions: 10,
            bytes: 1000,
        },
        timeout: Span::from_secs(1),
        checkpoint: 8,
        keep: None,
    };
    let options = HotStuffOptions {
        phases: Phases::Three,
        leader,
        ..HotStuffOptions::default()
    };
    (Group::new(config, options), secrets)
}

fn chain(views: &[u64]) -> Vec<Link> {
    let mut parent = Digest::ZERO;
    let links = views.iter().zip(1..).map(|(&view, sequence)| {
        let link = Link {
            view,
            sequence,
            parent,
            batch: Digest::of(&[sequence as u8]),
            voters: Box::default(),
        };
        parent = link.id();
        link
    });
    links.collect()
}

#[test]
fn links_commit_by_consecutive_views_alone() {
    for (views, least, commit) in [
        (&[1, 2, 3][..], 3, true),
        (&[1, 2], 3, false),
        (&[1, 3, 4], 3, false),
        (&[1, 2, 4], 3, false),
        (&[1, 5, 6, 7], 3, true),
        (&[1, 2, 3, 5], 3, false),
        (&[4, 5], 2, true),
        (&[4, 6], 2, false),
        (&[1, 4, 5], 2, true),
        (&[5, 4], 2, false),
    ] {
        assert_eq!(commits(&chain(views), least), commit, "{views:?}");
    }
    let mut broken = chain(&[1, 2, 3]);
    broken[1].batch = Digest::of(b"other");
    assert!(!commits(&broken, 3));
    let mut skipped = chain(&[1, 2, 3]);
    skipped[0].sequence = 5;
    skipped[1].parent = skipped[0].id();
    skipped[2].parent = skipped[1].id();
    assert!(!commits(&skipped, 3));
}

#[test]
fn a_member_counts_once_and_what_it_did_not_sign_not_at_all() {
    let (group, keys) = group(4, LeaderRule::Stable);
    let kind = group.vote_kind();
    let vote = |i: usize| Ballot::sign(CHAIN, kind, 7, Digest::of(b"a"), &keys[i]);
    let mut votes = Votes::default();
    assert!(votes.add(&group, 1, &vote(1)).is_none());
    assert!(!votes.wants(1, 7));
    assert!(votes.add(&group, 1, &vote(1)).is_none());
    assert!(
        votes.add(&group, 2, &vote(3)).is_none(),
        "in another's name"
    );
    assert!(votes.add(&group, 2, &vote(2)).is_none());
    let certificate = votes.add(&group, 3, &vote(3)).expect("three of four");
    assert!(certificate.verify(CHAIN, &group.members, 3, &group.keys));
    votes.drop_up_to(7);
    assert_eq!(votes.open(), 0);
}

#[test]
fn a_timeout_certificate_is_of_a_quorum_and_of_what_each_signed() {
    let (group, keys) = group(4, LeaderRule::Stable);
    let entry = |i: usize, high| (keys[i].sign(&timeout_statement(CHAIN, 9, high)), high);
    let of = |entries| TimeoutCertificate { view: 9, entries };
    let good = of(vec![entry(0, 3), entry(1, 8), entry(3, 0)]);
    assert!(good.verify(&group));
    assert_eq!(good.high(), 8);
    assert!(!of(vec![entry(0, 3), entry(1, 8)]).verify(&group));
    assert!(!of(vec![entry(0, 3), entry(0, 3), entry(1, 8)]).verify(&group));
    let mut lower = good.clone();
    lower.entries[1].1 = 7;
    assert!(!lower.verify(&group), "a lie about the highest certificate");
    let other = TimeoutCertificate { view: 10, ..good };
    assert!(!other.verify(&group));
}

#[test]
fn leaders_stay_rotate_or_are_chosen_among_those_that_vote() {
    let (stable, _) = group(4, LeaderRule::Stable);
    assert_eq!([1, 2, 500].map(|v| stable.scheduled(v)), [0, 0, 0]);
    assert_eq!(stable.after_failed(7), SPAN);
    assert_eq!(stable.scheduled(SPAN + 3), 1);
    let (robin, _) = group(4, LeaderRule::RoundRobin);
    assert_eq!([1, 2, 3, 4].map(|v| robin.scheduled(v)), [1, 2, 3, 0]);
    let (reputation, _) = group(4, LeaderRule::Reputation);
    // Member 3 never voted; member 0 proposed what is committed last.
    let record = |view: u64, author: u32| Record {
        view,
        author: NodeId(author),
        voters: vec![0b0111].into(),
    };
    let records = [record(9, 2), record(8, 1), record(7, 0), record(6, 2)];
    let chosen: Vec<usize> = (10..60)
        .map(|view| reputation.by_reputation(view, &records).unwrap())
        .collect();
    assert!(chosen.contains(&1) && chosen.contains(&2));
    assert!(!chosen.contains(&3) && !chosen.contains(&0));
    assert_eq!(reputation.by_reputation(9, &records[..2]), None);
}
