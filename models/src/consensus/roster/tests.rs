#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::consensus::{BlockLimits, MempoolLimits, byzantine_quorum};
use consim_core::{Batch, Certificate, Digest, Keyring, SecretKey, Span, Tx};

const CHAIN: ChainId = ChainId(3);
/// Four members, three that may become one, the administrator, a stranger.
const FIRST: u32 = 4;
const ALL: u32 = 7;
const ADMINISTRATOR: u32 = 7;
const STRANGER: u32 = 8;

fn nodes(list: &[u32]) -> Vec<NodeId> {
    list.iter().map(|&n| NodeId(n)).collect()
}

struct Rig {
    roster: Roster,
    keys: Vec<SecretKey>,
    decided: u64,
}

impl Rig {
    fn new() -> Self {
        Self::with(byzantine_quorum(FIRST as usize))
    }
    fn with(quorum: usize) -> Self {
        let (keyring, keys) = Keyring::generate(9, 5);
        let config = ReplicaConfig {
            chain: CHAIN,
            me: NodeId(0),
            members: (0..FIRST).map(NodeId).collect(),
            everybody: (0..ALL).map(NodeId).collect(),
            peers: None,
            administrator: Some(NodeId(ADMINISTRATOR).into()),
            quorum,
            key: Arc::new(keyring.steal(NodeId(0).into()).unwrap()),
            keys: keyring,
            block: BlockLimits {
                transactions: 10,
                bytes: 10_000,
                wait: Span::ZERO,
            },
            mempool: MempoolLimits {
                transactions: 10,
                bytes: 10_000,
            },
            timeout: Span::from_secs(1),
            checkpoint: 10,
            keep: None,
            renewed: Vec::new(),
        };
        Self {
            roster: Roster::new(&config, byzantine_quorum),
            keys,
            decided: 0,
        }
    }
    fn tx(&self, by: u32, number: u64, add: &[u32], remove: &[u32]) -> Tx {
        let change = MemberChange {
            number,
            add: nodes(add),
            remove: nodes(remove),
            renew: Vec::new(),
        };
        change.signed(CHAIN, &self.keys[by as usize])
    }
    /// The next block, with these transactions.
    fn block(&mut self, txs: Vec<Tx>) -> Arc<Committed> {
        self.decided += 1;
        let txs: Vec<Arc<Tx>> = txs.into_iter().map(Arc::new).collect();
        let batch = Arc::new(Batch::new(NodeId(0), 1, txs.into(), Digest::of(b"root")));
        let certificate = Certificate {
            kind: 2,
            view: 0,
            sequence: self.decided,
            digest: batch.digest(),
            signatures: Vec::new().into(),
            links: Arc::default(),
        };
        Arc::new(Committed {
            chain: CHAIN,
            sequence: self.decided,
            batch,
            certificate,
        })
    }
    fn decide(&mut self, txs: Vec<Tx>) -> bool {
        let block = self.block(txs);
        self.roster.decided(&block)
    }
    fn members_at(&self, sequence: u64) -> Vec<u32> {
        let members = &self.roster.at(sequence).members;
        members.iter().map(|node| node.0).collect()
    }
}

#[test]
fn a_change_is_in_force_from_the_block_after_it_on() {
    let mut rig = Rig::new();
    assert!(!rig.decide(Vec::new()));
    assert_eq!((rig.members_at(1).len(), rig.roster.at(1).quorum), (4, 3));
    let join = rig.tx(ADMINISTRATOR, 1, &[4, 5, 6], &[]);
    assert!(rig.decide(vec![join]));
    assert_eq!(rig.members_at(2), [0, 1, 2, 3]);
    assert_eq!(rig.members_at(3), [0, 1, 2, 3, 4, 5, 6]);
    let era = rig.roster.at(3);
    assert_eq!((era.quorum, era.faults, era.change, era.from), (5, 2, 1, 3));
    let leave = rig.tx(ADMINISTRATOR, 2, &[], &[0, 2]);
    assert!(rig.decide(vec![leave]));
    let era = rig.roster.latest();
    assert_eq!(rig.members_at(4), [1, 3, 4, 5, 6]);
    assert_eq!((era.quorum, era.faults), (4, 1));
    // Turns go round those that are there.
    let turns: Vec<usize> = (0..6).map(|turn| era.in_turn(turn)).collect();
    assert_eq!(turns, [1, 3, 4, 5, 6, 1]);
    assert!(era.votes(1) && !era.votes(0) && !era.votes(2));
    // What was decided before is not looked at again.
    assert_eq!(rig.members_at(2), [0, 1, 2, 3]);
    let told = rig.roster.told();
    assert_eq!((told.change, told.handed_over_at), (2, Some(4)));
}

#[test]
fn only_the_next_change_of_the_administrator_counts() {
    let mut rig = Rig::new();
    let forged = rig.tx(STRANGER, 1, &[4], &[]);
    assert!(!rig.decide(vec![forged]));
    let early = rig.tx(ADMINISTRATOR, 2, &[5], &[]);
    assert!(!rig.decide(vec![early]));
    // Two in one block are one step.
    let both = vec![
        rig.tx(ADMINISTRATOR, 1, &[4], &[]),
        rig.tx(ADMINISTRATOR, 2, &[5], &[0]),
    ];
    assert!(rig.decide(both));
    assert_eq!(rig.members_at(rig.decided + 1), [1, 2, 3, 4, 5]);
    let again = rig.tx(ADMINISTRATOR, 2, &[6], &[]);
    assert!(!rig.decide(vec![again]));
    // One that leaves nobody is void, and used up.
    let nobody = rig.tx(ADMINISTRATOR, 3, &[], &[1, 2, 3, 4, 5]);
    assert!(rig.decide(vec![nobody]));
    assert_eq!(rig.roster.latest().members.len(), 5);
    assert_eq!(rig.roster.latest().change, 3);
}

#[test]
fn links_lead_from_the_genesis_to_today() {
    let mut rig = Rig::new();
    let mut blocks = Vec::new();
    for (number, joins) in (1..).zip([4, 5, 6]) {
        let tx = rig.tx(ADMINISTRATOR, number, &[joins], &[]);
        blocks.push(rig.block(vec![tx]));
        blocks.push(rig.block(Vec::new()));
    }
    for block in &blocks {
        rig.roster.decided(block);
    }
    let mut other = Rig::new();
    for link in rig.roster.links(0) {
        assert!(other.roster.is_next(&link));
        assert!(other.roster.decided(&link));
        assert!(!other.roster.decided(&link));
    }
    assert_eq!(other.roster.latest().members, rig.roster.latest().members);
    assert_eq!(rig.roster.links(2).len(), 1);
    assert!(rig.roster.links(3).is_empty());
    // Not out of order.
    let third = Rig::new();
    assert!(!third.roster.is_next(&blocks[2]) && third.roster.is_next(&blocks[0]));
}

#[test]
fn what_has_become_of_a_change() {
    let mut rig = Rig::new();
    let change = |number, remove: &[u32]| MemberChange {
        number,
        add: Vec::new(),
        remove: nodes(remove),
        renew: Vec::new(),
    };
    assert_eq!(rig.roster.asked(&change(1, &[3]), 0), None);
    assert_eq!(rig.roster.asked(&change(2, &[3]), 0), Some(Changing::Waits));
    assert_eq!(
        rig.roster.asked(&change(1, &[0, 1, 2, 3]), 0),
        Some(Changing::Impossible)
    );
    let tx = rig.tx(ADMINISTRATOR, 1, &[], &[3]);
    rig.decide(vec![tx]);
    // Known by a link, and the block itself is still to come.
    assert_eq!(
        rig.roster.asked(&change(1, &[3]), 0),
        Some(Changing::UnderWay)
    );
    assert_eq!(rig.roster.asked(&change(1, &[3]), 1), Some(Changing::Done));
}

#[test]
fn a_wrong_quorum_stays_wrong() {
    let mut rig = Rig::with(2);
    let tx = rig.tx(ADMINISTRATOR, 1, &[4, 5, 6], &[]);
    rig.decide(vec![tx]);
    assert_eq!(rig.roster.latest().quorum, 2);
}

#[test]
fn a_key_that_was_replaced_counts_no_more_from_the_next_block_on() {
    let mut rig = Rig::new();
    let change = MemberChange {
        number: 1,
        add: nodes(&[4]),
        remove: nodes(&[0]),
        renew: vec![(NodeId(2), KeyId(20)), (NodeId(6), KeyId(21))],
    };
    let tx = change.signed(CHAIN, &rig.keys[ADMINISTRATOR as usize]);
    let administrator = Some(NodeId(ADMINISTRATOR).into());
    assert_eq!(MemberChange::of_tx(&tx, administrator), Some(change));
    rig.decide(vec![tx]);
    let (before, after) = (rig.roster.at(1), rig.roster.at(2));
    assert_eq!(before.key_of(NodeId(2)), KeyId(2));
    assert_eq!(*before.signers, *nodes(&[0, 1, 2, 3]));
    assert_eq!(after.key_of(NodeId(2)), KeyId(20));
    assert_eq!(*after.signers, *nodes(&[1, 3, 4, 20]));
    assert_eq!(rig.roster.told().key_of(NodeId(6)), KeyId(21));
    // It keeps its key over the next change, and over another key of its own.
    let back = rig.tx(ADMINISTRATOR, 2, &[6], &[]);
    rig.decide(vec![back]);
    assert_eq!(*rig.roster.latest().signers, *nodes(&[1, 3, 4, 20, 21]));
    let again = MemberChange {
        number: 3,
        add: Vec::new(),
        remove: Vec::new(),
        renew: vec![(NodeId(2), KeyId(22))],
    };
    let again = again.signed(CHAIN, &rig.keys[ADMINISTRATOR as usize]);
    assert!(rig.decide(vec![again]));
    let latest = rig.roster.latest();
    assert_eq!(*latest.signers, *nodes(&[1, 3, 4, 21, 22]));
    assert_eq!(*latest.members, *nodes(&[1, 2, 3, 4, 6]));
}

#[test]
fn turns_over_blocks_begin_with_who_put_the_change_forward() {
    let mut rig = Rig::new();
    let join = rig.tx(ADMINISTRATOR, 1, &[4], &[]);
    rig.decide(vec![join]);
    assert_eq!(rig.roster.latest().lead, 0);
    // The blocks here are node 0's, which leaves now.
    let leave = rig.tx(ADMINISTRATOR, 2, &[], &[0]);
    rig.decide(vec![leave]);
    assert_eq!(rig.roster.latest().lead, 0);
    assert_eq!(rig.roster.latest().in_turn(0), 1);
}
