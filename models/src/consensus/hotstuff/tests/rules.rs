//! The rules one by one.

use super::super::config::{Group, SPAN};
use super::super::leader::{Chosen, Record};
use super::super::marks;
use super::super::proposal::{Ballot, Proposal, TimeoutCertificate, timeout_statement};
use super::super::safety::Safety;
use super::super::votes::Votes;
use super::{Additions, HotStuffOptions, LeaderRule, Phases};
use crate::consensus::{BlockLimits, MempoolLimits, ReplicaConfig, byzantine_quorum};
use consim_core::chain::{Link, commits};
use consim_core::{
    Batch, Certificate, ChainId, Context, Decoder, Digest, Effects, Encoder, Keyring, NodeId,
    Probe, SecretKey, Signature, Span, Streams, Time, Work,
};
use std::collections::BTreeSet;
use std::sync::Arc;

const CHAIN: ChainId = ChainId(1);

fn group(n: u32, leader: LeaderRule) -> (Group, Vec<SecretKey>) {
    let (keys, secrets) = Keyring::generate(n, 1);
    let config = ReplicaConfig {
        chain: CHAIN,
        me: NodeId(0),
        members: (0..n).map(NodeId).collect(),
        everybody: (0..n).map(NodeId).collect(),
        peers: None,
        administrator: None,
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
        renewed: Vec::new(),
    };
    let options = HotStuffOptions {
        phases: Phases::Three,
        leader,
        ..HotStuffOptions::default()
    };
    (Group::new(config, options), secrets)
}

/// The same where certificates are aggregates.
fn aggregating(n: u32) -> (Group, Vec<SecretKey>) {
    let (mut group, keys) = group(n, LeaderRule::Stable);
    let last = NodeId(n - 1).into();
    group.keys = group.keys.with_aggregates(NodeId(0).into(), last);
    group.additions = Some(Additions {
        signature: Span::from_nanos(1_030),
        key: Span::from_nanos(400),
    });
    (group, keys)
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
fn nobody_votes_below_its_lock() {
    let (group, keys) = group(4, LeaderRule::Stable);
    let statement = Digest::of(b"x");
    // On a parent of view 4, after view 5 failed; whoever gave that up had nothing higher.
    let timeouts = TimeoutCertificate {
        view: 5,
        entries: vec![(keys[1].sign(&timeout_statement(CHAIN, 5, 4)), 4)],
        sum: None,
    };
    let batch = Arc::new(Batch::new(NodeId(0), 0, Vec::new().into(), Digest::ZERO));
    let link = Link {
        view: group.after_failed(5),
        sequence: 2,
        parent: Digest::of(b"p"),
        batch: batch.digest(),
        voters: Box::default(),
    };
    let certificate = Certificate {
        kind: group.vote_kind(),
        view: 4,
        sequence: 0,
        digest: link.parent,
        signatures: vec![keys[1].sign(&statement)].into(),
        links: Arc::default(),
    };
    let (justify, timeouts) = (Some(Arc::new(certificate)), Some(Arc::new(timeouts)));
    let proposal = Proposal::new(link, batch, justify, timeouts, keys[0].sign(&statement));
    let asked = |safety: &Safety| {
        let (mut effects, mut slot) = (Effects::default(), None);
        let mut rng = || Streams::new(1).stream("node");
        let mut cx = Context::new(Time::ZERO, 0, NodeId(0), &mut effects, &mut rng, &mut slot);
        let votes = safety.may_vote(&mut cx, &group, &proposal);
        let held = |p: &Probe| matches!(p, Probe::Reached(m) if m.name == marks::LOCK_HELD.name);
        (votes, effects.probes.iter().any(held))
    };
    let mut safety = Safety::default();
    safety.lock(4);
    assert_eq!(asked(&safety), (true, false));
    safety.lock(5);
    assert_eq!(asked(&safety), (false, true));
    safety.lock(3);
    assert_eq!(asked(&safety), (false, true), "a lock does not go down");
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
    let of = |entries| TimeoutCertificate {
        view: 9,
        entries,
        sum: None,
    };
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
fn an_aggregate_of_timeouts_is_of_what_each_signed() {
    let (group, keys) = aggregating(4);
    let entry = |i: usize, high| (keys[i].sign(&timeout_statement(CHAIN, 9, high)), high);
    let of = |entries: Vec<(Signature, u64)>| TimeoutCertificate {
        view: 9,
        sum: group.sum(entries.iter().map(|&(signature, _)| signature)),
        entries,
    };
    let good = of(vec![entry(0, 3), entry(1, 8), entry(3, 3)]);
    assert!(good.verify(&group));
    assert_eq!((good.high(), good.statements()), (8, 2));
    assert_eq!(good.encoded_len(), 8 + 4 + (4 + 64 + 1) + 3 * 8);
    // Its parts are of no use to who gets it, and not looked at.
    let mut bytes = Vec::new();
    good.encode(&mut Encoder::new(&mut bytes));
    let read = TimeoutCertificate::decode(&mut Decoder::new(&bytes)).unwrap();
    assert!(read.verify(&group));
    assert_eq!((read.high(), read.entries.len()), (8, 3));
    assert!(!of(vec![entry(0, 3), entry(1, 8)]).verify(&group));
    assert!(!of(vec![entry(0, 3), entry(0, 3), entry(1, 8)]).verify(&group));
    let mut lower = read.clone();
    lower.entries[1].1 = 7;
    assert!(!lower.verify(&group), "a lie about the highest certificate");
    let mut swapped = good.clone();
    swapped.entries[2] = entry(2, 3);
    assert!(!swapped.verify(&group), "not the signers of the sum");
    let other = TimeoutCertificate { view: 10, ..good };
    assert!(!other.verify(&group));
}

#[test]
fn certificates_cost_what_they_hold() {
    let (vector, _) = group(16, LeaderRule::Stable);
    assert_eq!(vector.checking(11, 3), Work::verify_batched(11));
    assert_eq!(vector.making(11), Work::NONE);
    let (aggregate, _) = aggregating(16);
    let mut one = Work::verify(1);
    one.add(Work::fixed(Span::from_nanos(10 * 400)));
    assert_eq!(aggregate.checking(11, 1), one);
    let mut three = Work::verify(1);
    three.add(Work::verify_batched(2));
    three.add(Work::fixed(Span::from_nanos(8 * 400)));
    assert_eq!(aggregate.checking(11, 3), three);
    assert_eq!(
        aggregate.making(11),
        Work::fixed(Span::from_nanos(10 * 1_030))
    );
}

#[test]
fn leaders_stay_or_rotate() {
    let (stable, _) = group(4, LeaderRule::Stable);
    assert_eq!([1, 2, 500].map(|v| stable.scheduled(v)), [0, 0, 0]);
    assert_eq!(stable.after_failed(7), SPAN);
    assert_eq!(stable.scheduled(SPAN + 3), 1);
    let (robin, _) = group(4, LeaderRule::RoundRobin);
    assert_eq!([1, 2, 3, 4].map(|v| robin.scheduled(v)), [1, 2, 3, 0]);
}

/// Proposals of group members of these views and authors, oldest first, each of which says who voted for
/// the one before; numbers end at `last`. Newest first, as leaders are chosen by them.
fn records(last: u64, of: &[(u64, u32, u64)]) -> Vec<Record> {
    let count = of.len() as u64;
    let record = |(at, &(view, author, voters)): (usize, &(u64, u32, u64))| Record {
        sequence: last + 1 + at as u64 - count,
        view,
        author: NodeId(author),
        voters: vec![voters].into(),
    };
    let mut records: Vec<Record> = of.iter().enumerate().map(record).collect();
    records.reverse();
    records
}

/// Who may be chosen for some view after these.
fn chosen(group: &Group, records: &[Record]) -> BTreeSet<Option<usize>> {
    let views = 10..80;
    let one = |view| match group.by_reputation(view, records) {
        Chosen::Member(member) => Some(member),
        Chosen::InTurn => None,
        Chosen::Unknown => panic!("{records:?}"),
    };
    views.map(one).collect()
}

#[test]
fn those_that_voted_lately_lead_by_reputation_and_nobody_twice_in_a_row() {
    let (group, _) = group(4, LeaderRule::Reputation);
    // Member 3 never voted; member 2 proposed what came last.
    let steady = [(5, 0, 7), (6, 1, 7), (7, 0, 7), (8, 1, 7), (9, 2, 7)];
    let found = chosen(&group, &records(30, &steady));
    assert_eq!(found, BTreeSet::from([Some(0), Some(1)]));
    // One vote within the window, for what went before its newest, is enough.
    let mut once = steady;
    once[1].2 = 0b1011;
    let found = chosen(&group, &records(30, &once));
    assert_eq!(found, BTreeSet::from([Some(0), Some(1), Some(3)]));
    // Not so an older one.
    once = steady;
    once[0].2 = 0b1011;
    let found = chosen(&group, &records(30, &once));
    assert_eq!(found, BTreeSet::from([Some(0), Some(1)]));
}

#[test]
fn votes_before_a_failed_view_do_not_make_a_leader() {
    let (three, _) = group(4, LeaderRule::Reputation);
    // View 6 failed: until three views in a row went well, leaders come in turn.
    let all = [(4, 0, 15), (5, 1, 15), (7, 3, 15), (8, 0, 13), (9, 2, 13)];
    let in_turn = BTreeSet::from([None]);
    assert_eq!(chosen(&three, &records(30, &all[..3])), in_turn);
    assert_eq!(chosen(&three, &records(30, &all[..4])), in_turn);
    // Then those lead that voted after it: not member 1, whose last vote was in view 5.
    let found = chosen(&three, &records(30, &all));
    assert_eq!(found, BTreeSet::from([Some(0), Some(3)]));
}

#[test]
fn who_knows_too_little_cannot_say_who_leads() {
    let (group, _) = group(4, LeaderRule::Reputation);
    let steady = [(5, 0, 7), (6, 1, 7), (7, 0, 7), (8, 1, 7), (9, 2, 7)];
    // The window is of four, and the parent of the oldest.
    let few = records(30, &steady[1..]);
    assert_eq!(group.by_reputation(10, &few), Chosen::Unknown);
    assert_eq!(group.by_reputation(10, &[]), Chosen::Unknown);
    // At the beginning of the chain there is no more to know.
    let first = records(4, &steady[1..]);
    assert_eq!(chosen(&group, &first), BTreeSet::from([Some(0), Some(1)]));
    assert_eq!(
        chosen(&group, &records(1, &steady[4..])),
        BTreeSet::from([None])
    );
}
