//! Clusters with members that lie.

use super::super::ENTRY;
use super::super::config::quorum;
use super::{cluster, options};
use crate::adversary::{Conduct, Means, Move, MutatedField, SyncLie, Traitor};
use crate::consensus::pbft::tests::cluster::{
    CHAIN, Cluster, Corrupt, crash, cut, ms, nodes, secs,
};
use crate::consensus::{BlockLimits, behaviour};
use consim_core::{Keyring, NodeId, Span, Time, Verdict};
use std::sync::Arc;

/// A member of `n` with these accomplices, all of one conduct from the third second on.
fn traitor(n: u32, accomplices: &[u32], conduct: &Conduct) -> Corrupt {
    let (conduct, accomplices) = (conduct.clone(), accomplices.to_vec());
    Arc::new(move |node, honest, keys: &Keyring| {
        let means = Means {
            node,
            chain: CHAIN,
            members: (0..n).map(NodeId).collect(),
            accomplices: accomplices.iter().map(|&i| NodeId(i)).collect(),
            quorum: quorum(n as usize),
            administrator: None,
            phantoms: [].into(),
            certified: None,
            block: BlockLimits {
                transactions: 100,
                bytes: 1 << 20,
                wait: Span::ZERO,
            },
            timeout: ms(1_000),
            key: Arc::new(keys.steal(node.into()).unwrap()),
            stolen: [].into(),
            keys: keys.clone(),
            draws: 5,
        };
        let behaviour = behaviour(&ENTRY, &conduct, &means).unwrap();
        let moves = vec![Move {
            attack: 0,
            windows: Arc::new([(secs(3), Time::MAX)]),
            behaviour,
        }];
        Box::new(Traitor::new(Box::new(honest), moves))
    })
}

fn with(n: u32, seed: u64, who: &[u32], conduct: &Conduct) -> Cluster {
    let mut cluster = cluster(n, seed, options());
    cluster.corrupt = who.iter().map(|&i| (i, traitor(n, who, conduct))).collect();
    cluster.clients = (0..n).filter(|i| !who.contains(i)).collect();
    cluster
}

/// All conducts that forge messages of this protocol.
fn conducts() -> Vec<Conduct> {
    let mutate = |field| Conduct::Mutate { field, by: 1 };
    vec![
        Conduct::Equivocate,
        Conduct::ForgetLock,
        mutate(MutatedField::View),
        mutate(MutatedField::Sequence),
        mutate(MutatedField::Digest),
        mutate(MutatedField::Certificate),
        Conduct::InvalidBlock,
        Conduct::PhantomValidator,
        Conduct::LyingSync {
            field: SyncLie::Block,
        },
        Conduct::LyingSync {
            field: SyncLie::Progress,
        },
        Conduct::DoubleSignatures,
        Conduct::StripSignatures,
        Conduct::Censor {
            whom: [NodeId(2)].into(),
        },
        Conduct::ReorderBlock,
    ]
}

#[test]
fn a_leader_that_lies_is_replaced_and_nothing_is_lost() {
    for conduct in conducts() {
        for n in [4, 6] {
            let mut cluster = with(n, 3, &[0], &conduct);
            // Who was away asks the liar for what it missed.
            cluster.faults = vec![crash(nodes(&[3]), 8, 10)];
            let outcome = cluster.run();
            let what = format!("{conduct:?} n={n}");
            let violations = outcome.violations();
            assert!(violations.is_empty(), "{what}: {violations:#?}");
            let heights = &outcome.seen.heights;
            assert!(heights[&NodeId(1)] > 50, "{what}: {heights:?}");
        }
    }
}

#[test]
fn an_equivocating_leader_is_replaced_in_groups_of_any_size() {
    for n in 4..=12 {
        let outcome = with(n, 7, &[0], &Conduct::Equivocate).run();
        let what = format!("n={n}");
        let violations = outcome.violations();
        assert!(violations.is_empty(), "{what}: {violations:#?}");
        let views = &outcome.seen.views;
        assert!(views[&NodeId(1)] >= 1, "{what}: {views:?}");
    }
}

#[test]
fn one_more_than_the_group_bears_decides_two_things() {
    // Two quorums of five share three members, so that these have to be three there.
    for (n, who) in [(4, &[0, 1][..]), (5, &[0, 1, 2]), (7, &[0, 1, 2])] {
        let outcome = with(n, 3, who, &Conduct::Equivocate).run();
        assert_eq!(outcome.verdict("agreement"), Verdict::Fail, "n={n}");
    }
}

#[test]
fn who_forgets_its_locks_cannot_undo_a_decision_alone() {
    for seed in 1..4 {
        let mut cluster = with(4, seed, &[1], &Conduct::ForgetLock);
        cluster.faults = vec![
            crash(nodes(&[0]), 10, 20),
            cut(nodes(&[2]), 22, 25),
            crash(nodes(&[0]), 26, 28),
        ];
        let outcome = cluster.run();
        let violations = outcome.violations();
        assert!(violations.is_empty(), "{seed}: {violations:#?}");
    }
}
