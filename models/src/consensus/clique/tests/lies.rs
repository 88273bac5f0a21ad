//! Clusters with a signer that lies.

use super::super::ENTRY;
use super::{cluster, options};
use crate::adversary::{Conduct, Means, Move, MutatedField, Traitor};
use crate::consensus::pbft::tests::cluster::{CHAIN, Cluster, Corrupt, ms, secs};
use crate::consensus::{BlockLimits, behaviour};
use consim_core::{Keyring, NodeId, Span, Time, Verdict};
use std::sync::Arc;

fn traitor(n: u32, conduct: &Conduct) -> Corrupt {
    let conduct = conduct.clone();
    Arc::new(move |node, honest, keys: &Keyring| {
        let means = Means {
            node,
            chain: CHAIN,
            members: (0..n).map(NodeId).collect(),
            accomplices: [node].into(),
            quorum: super::super::majority(n as usize),
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

fn with(n: u32, conduct: &Conduct) -> Cluster {
    let mut cluster = cluster(n, 3, options());
    cluster.corrupt = vec![(0, traitor(n, conduct))];
    cluster.clients = (1..n).collect();
    cluster
}

#[test]
fn a_signer_whose_blocks_are_no_good_is_gone_without() {
    let mutate = |field| Conduct::Mutate { field, by: 1 };
    let conducts = [
        mutate(MutatedField::View),
        mutate(MutatedField::Sequence),
        mutate(MutatedField::Digest),
        mutate(MutatedField::Certificate),
        Conduct::PhantomValidator,
    ];
    for conduct in conducts {
        for n in [4, 5] {
            let outcome = with(n, &conduct).run();
            let violations = outcome.violations();
            assert!(violations.is_empty(), "{conduct:?} n={n}: {violations:#?}");
            let heights = &outcome.seen.heights;
            assert!(heights[&NodeId(1)] > 10, "{conduct:?} n={n}: {heights:?}");
        }
    }
}

#[test]
fn two_blocks_upon_one_parent_do_not_part_those_that_hear_each_other() {
    for n in [4, 5, 7] {
        let outcome = with(n, &Conduct::Equivocate).run();
        assert_eq!(outcome.verdict("agreement"), Verdict::Pass, "n={n}");
        let violations = outcome.violations();
        assert!(violations.is_empty(), "n={n}: {violations:#?}");
    }
}
