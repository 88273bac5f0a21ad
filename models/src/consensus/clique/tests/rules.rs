//! Who may seal, what a block weighs, votes, and which head is better.

use super::super::block::{Ballot, Block, Draft};
use super::super::config::{CliqueOptions, ForkChoice, Group};
use super::super::replica::genesis;
use super::super::signers::Signers;
use super::super::tree::{Leaf, Tree, better};
use crate::consensus::{BlockLimits, MempoolLimits, ReplicaConfig};
use crate::ledger::merkle;
use consim_core::{Batch, ChainId, Digest, Keyring, NodeId, Span};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(1);

/// A group of `n` and everybody's keys.
pub(super) struct World {
    pub(super) group: Group,
    pub(super) keys: Keyring,
}

pub(super) fn config(me: u32, n: u32, keys: &Keyring) -> ReplicaConfig {
    ReplicaConfig {
        chain: CHAIN,
        me: NodeId(me),
        members: (0..n).map(NodeId).collect(),
        everybody: (0..n).map(NodeId).collect(),
        peers: None,
        administrator: None,
        quorum: super::super::majority(n as usize),
        key: Arc::new(keys.steal(NodeId(me).into()).unwrap()),
        keys: keys.clone(),
        block: BlockLimits {
            transactions: 10,
            bytes: 10_000,
            wait: Span::ZERO,
        },
        mempool: MempoolLimits {
            transactions: 20,
            bytes: 100_000,
        },
        timeout: Span::from_millis(1_000),
        checkpoint: 100,
        keep: None,
        renewed: Vec::new(),
    }
}

impl World {
    pub(super) fn new(n: u32, epoch: u64) -> Self {
        let keys = Keyring::generate(n + 3, 1).0;
        let options = CliqueOptions {
            epoch,
            ..CliqueOptions::default()
        };
        Self {
            group: Group::new(config(0, n, &keys), options),
            keys,
        }
    }
    fn genesis(&self) -> Leaf {
        genesis(&self.group)
    }
    /// A block of `sealer` upon `parent`, with a voice.
    fn block(&self, parent: &Leaf, sealer: u32, ballot: Option<(u32, bool)>) -> Arc<Block> {
        let node = NodeId(sealer);
        let height = parent.height + 1;
        let batch = Batch::new(node, height as i64, Arc::new([]), merkle::root(&[]));
        let draft = Draft {
            parent: parent.id,
            height,
            difficulty: parent.signers.difficulty(height, node),
            ballot: ballot.map(|(node, authorize)| Ballot {
                node: NodeId(node),
                authorize,
                change: 1,
            }),
            batch: Arc::new(batch),
        };
        let key = self.keys.steal(node.into()).unwrap();
        Arc::new(draft.seal(CHAIN, &key))
    }
    fn child(&self, parent: &Leaf, sealer: u32, ballot: Option<(u32, bool)>) -> Leaf {
        assert!(!parent.signers.is_recent(NodeId(sealer)), "{sealer}");
        let block = self.block(parent, sealer, ballot);
        let signers = parent.signers.after(&self.group, &block, false);
        parent.child(&block, signers)
    }
    /// The head of a branch that these sealed.
    fn branch(&self, from: &Leaf, sealers: &[u32]) -> Leaf {
        let mut head = from.clone();
        for &sealer in sealers {
            head = self.child(&head, sealer, None);
        }
        head
    }
}

fn list(signers: &Signers) -> Vec<u32> {
    signers.list.iter().map(|node| node.0).collect()
}

#[test]
fn one_of_any_majority_of_blocks_in_a_row_is_a_signers() {
    // How many others have to seal before one may again.
    for (n, others) in [(3, 1), (4, 2), (5, 2), (6, 3), (7, 3), (8, 4)] {
        let world = World::new(n, 30_000);
        let mut head = world.genesis();
        for height in 1..=20 {
            let sealer = height % n;
            head = world.child(&head, sealer, None);
            let recent: Vec<u32> = (0..n)
                .filter(|&i| head.signers.is_recent(NodeId(i)))
                .collect();
            assert_eq!(recent.len() as u32, others.min(height), "n={n}");
            assert!(recent.contains(&sealer));
        }
    }
}

#[test]
fn a_block_in_turn_weighs_two() {
    let world = World::new(5, 30_000);
    let signers = world.genesis().signers;
    for height in 0..20 {
        let turn = (height % 5) as u32;
        assert_eq!(signers.in_turn(height), NodeId(turn));
        for i in 0..5 {
            let weight = if i == turn { 2 } else { 1 };
            assert_eq!(signers.difficulty(height, NodeId(i)), weight);
            // EIP-3436: blocks since it was its turn.
            let since = (height + 5 - u64::from(i)) % 5;
            assert_eq!(signers.since_turn(height, NodeId(i)), since);
        }
    }
}

#[test]
fn more_than_half_of_the_voices_change_the_signers() {
    for n in 3..10 {
        let world = World::new(n, 30_000);
        for add in [true, false] {
            let whom = if add { n } else { n - 1 };
            let mut head = world.genesis();
            let needed = n / 2 + 1;
            for by in 0..needed {
                assert_eq!(list(&head.signers).len() as u32, n, "n={n} by {by}");
                head = world.child(&head, by, Some((whom, add)));
            }
            let after = if add { n + 1 } else { n - 1 };
            let expected: Vec<u32> = (0..after).collect();
            assert_eq!(list(&head.signers), expected, "n={n} add={add}");
            assert_eq!(head.signers.change, 1);
            assert_eq!(head.signers.open_votes(), 0);
            assert!(add || !head.signers.is_recent(NodeId(whom)));
        }
    }
}

#[test]
fn a_voice_counts_once_and_is_taken_back() {
    let world = World::new(5, 30_000);
    let vote = |head: &Leaf, by, node, add| world.child(head, by, Some((node, add)));
    let head = vote(&world.genesis(), 0, 5, true);
    let head = vote(&head, 1, 5, true);
    let head = world.branch(&head, &[2]);
    // The same again.
    let head = vote(&head, 0, 5, true);
    assert_eq!(
        (list(&head.signers).len(), head.signers.open_votes()),
        (5, 2)
    );
    // That somebody who is no signer be none takes it back.
    let head = vote(&head, 1, 5, false);
    assert_eq!(head.signers.open_votes(), 1);
    // A voice that changes nothing does not count.
    let head = vote(&head, 2, 4, true);
    assert_eq!(head.signers.open_votes(), 1);
    // Who is dropped has no voice any more.
    let mut head = vote(&head, 4, 5, true);
    for by in [1, 0, 2] {
        head = vote(&head, by, 4, false);
    }
    assert_eq!(list(&head.signers), [0, 1, 2, 3]);
    assert_eq!(head.signers.open_votes(), 1);
}

#[test]
fn an_epoch_begins_without_voices() {
    let world = World::new(5, 3);
    let mut head = world.genesis();
    // Two voices in each epoch of three blocks, of which the first has none: never three.
    for (height, by) in [
        (1, 1),
        (2, 2),
        (3, 3),
        (4, 4),
        (5, 0),
        (6, 1),
        (7, 2),
        (8, 3),
    ] {
        let voice = (height % 3 != 0).then_some((5, true));
        head = world.child(&head, by, voice);
        assert_eq!(head.signers.len(), 5, "height {height}");
    }
    let block = world.block(&head, 4, None);
    assert_eq!(
        head.signers.after(&world.group, &block, false).open_votes(),
        0
    );
}

#[test]
fn the_heavier_branch_wins_by_every_rule() {
    let world = World::new(5, 30_000);
    let start = world.branch(&world.genesis(), &[1, 2]);
    let heavy = world.branch(&start, &[3]);
    let light = world.branch(&start, &[4]);
    let long = world.branch(&start, &[4, 0, 1]);
    for choice in [ForkChoice::FirstSeen, ForkChoice::Geth, ForkChoice::Eip3436] {
        assert!(better(choice, &heavy, &light));
        assert!(!better(choice, &light, &heavy));
        assert!(better(choice, &long, &heavy));
        assert!(!better(choice, &heavy, &heavy));
    }
}

#[test]
fn what_decides_between_branches_of_one_weight() {
    let world = World::new(6, 30_000);
    let start = world.branch(&world.genesis(), &[1, 2, 3]);
    let (five, zero) = (world.branch(&start, &[5]), world.branch(&start, &[0]));
    assert_eq!((five.total, five.height), (zero.total, zero.height));
    // (4 - 5) mod 6 = 5 and (4 - 0) mod 6 = 4: five was in turn least recently.
    for choice in [ForkChoice::FirstSeen, ForkChoice::Geth] {
        assert!(!better(choice, &five, &zero) && !better(choice, &zero, &five));
    }
    assert!(better(ForkChoice::Eip3436, &five, &zero));
    assert!(!better(ForkChoice::Eip3436, &zero, &five));
}

#[test]
fn the_shorter_of_two_branches_of_one_weight_wins_but_by_who_came_first() {
    // Halves of four: one block in turn here, two out of turn there.
    let world = World::new(4, 30_000);
    let start = world.branch(&world.genesis(), &[1, 2, 3, 0]);
    let short = world.branch(&start, &[1]);
    let long = world.branch(&start, &[2, 3]);
    assert_eq!(short.total, long.total);
    assert!(!better(ForkChoice::FirstSeen, &short, &long));
    assert!(!better(ForkChoice::FirstSeen, &long, &short));
    for choice in [ForkChoice::Geth, ForkChoice::Eip3436] {
        assert!(better(choice, &short, &long));
        assert!(!better(choice, &long, &short));
    }
}

#[test]
fn the_lowest_hash_decides_last() {
    let world = World::new(5, 30_000);
    let start = world.branch(&world.genesis(), &[1, 2]);
    let one = world.branch(&start, &[3]);
    let mut other = one.clone();
    other.id = Digest::of(&one.id.0);
    assert_eq!(better(ForkChoice::Eip3436, &one, &other), one.id < other.id);
    assert_eq!(better(ForkChoice::Eip3436, &other, &one), other.id < one.id);
    assert!(!better(ForkChoice::Geth, &one, &other));
}

#[test]
fn a_head_that_wins_says_what_is_undone() {
    let world = World::new(5, 30_000);
    let root = world.genesis();
    let mut tree = Tree::new(ForkChoice::Geth, root.clone());
    let first = world.child(&root, 1, None);
    assert_eq!(tree.insert(first.clone()).unwrap().done.len(), 1);
    let left = world.child(&first, 3, None);
    tree.insert(left.clone()).unwrap();
    let right = world.child(&first, 2, None);
    let change = tree.insert(right.clone()).unwrap();
    assert_eq!(change.undone.len(), 1);
    assert_eq!(change.undone[0].id(), left.id);
    assert_eq!(change.done[0].id(), right.id);
    // A lighter one is kept, and changes nothing.
    let third = world.child(&first, 4, None);
    assert!(tree.insert(third).is_none());
    assert_eq!((tree.len(), tree.head().id), (5, right.id));
    // What does not follow what is final is gone.
    let path = tree.path(&right.id);
    tree.settle(&path[0]);
    assert_eq!((tree.len(), tree.root().id), (4, first.id));
    let path = tree.path(&right.id);
    tree.settle(&path[0]);
    assert_eq!((tree.len(), tree.root().id), (1, right.id));
}
