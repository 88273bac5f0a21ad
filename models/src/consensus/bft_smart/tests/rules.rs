//! The predicates of the synchronisation phase, and what of a collect is believed.

use super::super::collect::{Called, Collect, called_for};
use super::super::config::REGENCIES;
use super::super::message::{ACCEPT, Ballot, CHECKPOINT, WRITE};
use crate::consensus::seat::Seat;
use crate::consensus::{BlockLimits, MemberChange, MempoolLimits, ReplicaConfig, byzantine_quorum};
use consim_core::{
    Batch, Certificate, ChainId, Committed, Digest, Keyring, NodeId, SecretKey, Span,
};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(2);

struct World {
    seat: Seat,
    secrets: Vec<SecretKey>,
}

impl World {
    fn new() -> Self {
        let (keys, secrets) = Keyring::generate(5, 3);
        let members: Arc<[NodeId]> = (0..4).map(NodeId).collect();
        let config = ReplicaConfig {
            chain: CHAIN,
            me: NodeId(0),
            everybody: Arc::clone(&members),
            members,
            peers: None,
            administrator: Some(NodeId(4).into()),
            quorum: byzantine_quorum(4),
            key: Arc::new(keys.steal(NodeId(0).into()).unwrap()),
            keys,
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
            checkpoint: 8,
            keep: None,
            renewed: Vec::new(),
        };
        let seat = Seat::new(config, byzantine_quorum);
        Self { seat, secrets }
    }
    fn proof_by(
        &self,
        kind: u8,
        view: u64,
        sequence: u64,
        of: &[u8],
        by: &[usize],
    ) -> Arc<Certificate> {
        let digest = Digest::of(of);
        let signature = |&i: &usize| {
            Ballot::sign(CHAIN, kind, view, sequence, digest, &self.secrets[i]).signature
        };
        Arc::new(Certificate {
            kind,
            view,
            sequence,
            digest,
            signatures: by.iter().map(signature).collect(),
            links: Arc::default(),
        })
    }
    fn proof(&self, kind: u8, view: u64, sequence: u64, of: &[u8]) -> Arc<Certificate> {
        self.proof_by(kind, view, sequence, of, &[0, 1, 2])
    }
    fn collect(
        &self,
        by: usize,
        decided: Option<Arc<Certificate>>,
        lock: Option<Arc<Certificate>>,
    ) -> Arc<Collect> {
        Arc::new(Collect::sign(CHAIN, 9, decided, lock, &self.secrets[by]))
    }
    fn is_valid(&self, collect: &Collect) -> bool {
        collect.is_valid(&self.seat.site())
    }
}

#[test]
fn the_write_proof_of_the_highest_regency_binds() {
    let world = World::new();
    let at = |sequence| Some(world.proof(ACCEPT, 1, sequence, b"d"));
    let lock = |view, of: &[u8]| Some(world.proof(WRITE, view, 6, of));
    let call = |collects: &[Arc<Collect>]| called_for(collects.iter());
    let nothing = world.collect(3, at(5), None);
    assert_eq!(
        call(&[nothing.clone(), world.collect(0, at(3), None)]),
        Called {
            low: 5,
            bound: None
        }
    );
    let bound = |of: &[u8]| Called {
        low: 5,
        bound: Some(Digest::of(of)),
    };
    let (old, new) = (
        world.collect(0, at(5), lock(2, b"x")),
        world.collect(1, at(5), lock(4, b"y")),
    );
    assert_eq!(call(&[old.clone(), nothing.clone()]), bound(b"x"));
    assert_eq!(
        call(&[old.clone(), new.clone(), nothing.clone()]),
        bound(b"y")
    );
    assert_eq!(call(&[new.clone(), old.clone()]), bound(b"y"));
    // Whoever has a write proof for 6 shows that 5 is decided, although it cannot prove that otherwise.
    let behind = world.collect(2, at(3), lock(4, b"y"));
    assert_eq!(behind.reach(), 5);
    assert_eq!(call(&[behind, world.collect(0, at(4), None)]), bound(b"y"));
    // A lock on what others have decided is of no use any more.
    let further = world.collect(2, at(6), None);
    assert_eq!(
        call(&[old, further]),
        Called {
            low: 6,
            bound: None
        }
    );
}

#[test]
fn of_a_collect_nothing_is_believed_that_it_does_not_prove() {
    let world = World::new();
    let decided = || Some(world.proof(ACCEPT, 1, 5, b"d"));
    let good = [
        world.collect(0, None, None),
        world.collect(0, decided(), Some(world.proof(WRITE, 8, 6, b"x"))),
        world.collect(0, Some(world.proof(CHECKPOINT, 0, 16, b"s")), None),
        world.collect(0, None, Some(world.proof(WRITE, 0, 1, b"x"))),
    ];
    for collect in good {
        assert!(world.is_valid(&collect), "{collect:?}");
    }
    let bad = [
        // No member.
        world.collect(4, None, None),
        // Of this regency, of what is decided, of the wrong kind.
        world.collect(0, decided(), Some(world.proof(WRITE, 9, 6, b"x"))),
        world.collect(0, decided(), Some(world.proof(WRITE, 2, 5, b"x"))),
        world.collect(0, decided(), Some(world.proof(ACCEPT, 2, 6, b"x"))),
        world.collect(0, Some(world.proof(WRITE, 1, 5, b"d")), None),
        // Two of four, one of them twice, one that is no member.
        world.collect(0, None, Some(world.proof_by(WRITE, 2, 1, b"x", &[0, 1]))),
        world.collect(0, None, Some(world.proof_by(WRITE, 2, 1, b"x", &[0, 1, 1]))),
        world.collect(0, None, Some(world.proof_by(WRITE, 2, 1, b"x", &[0, 1, 4]))),
        // No checkpoint is there.
        world.collect(0, Some(world.proof(CHECKPOINT, 0, 15, b"s")), None),
    ];
    for collect in bad {
        assert!(!world.is_valid(&collect), "{collect:?}");
    }
}

#[test]
fn what_is_brought_into_a_regency_is_of_one_list_of_members() {
    let mut world = World::new();
    let later = |by: usize, lock: Option<Arc<Certificate>>, world: &World| {
        let decided = Some(world.proof(ACCEPT, 0, 1, b"change"));
        Collect::sign(CHAIN, REGENCIES + 3, decided, lock, &world.secrets[by])
    };
    assert!(
        !world.is_valid(&later(0, None, &world)),
        "nobody knows them"
    );
    // Node 3 leaves with consensus 1.
    let change = MemberChange {
        number: 1,
        add: Vec::new(),
        remove: vec![NodeId(3)],
        renew: Vec::new(),
    };
    let tx = Arc::new(change.signed(CHAIN, &world.secrets[4]));
    let batch = Arc::new(Batch::new(
        NodeId(1),
        1,
        vec![tx].into(),
        Digest::of(b"root"),
    ));
    let certificate = Certificate {
        digest: batch.digest(),
        ..(*world.proof(ACCEPT, 0, 1, b"change")).clone()
    };
    let committed = Committed {
        chain: CHAIN,
        sequence: 1,
        batch,
        certificate,
    };
    assert!(world.seat.roster.decided(&Arc::new(committed)));
    assert!(world.seat.enter(2));
    assert_eq!(world.seat.era().lead, 1, "it put the change forward");
    let proof = |view, sequence| world.proof_by(WRITE, view, sequence, b"x", &[0, 1]);
    for lock in [
        None,
        Some(proof(REGENCIES, 2)),
        Some(proof(REGENCIES + 2, 5)),
    ] {
        let collect = later(0, lock, &world);
        assert!(world.is_valid(&collect), "{collect:?}");
    }
    let bad = [
        later(3, None, &world),
        // Of a regency of those before, and of a consensus of theirs.
        later(0, Some(proof(5, 2)), &world),
        later(0, Some(proof(REGENCIES + 1, 1)), &world),
    ];
    for collect in bad {
        assert!(!world.is_valid(&collect), "{collect:?}");
    }
    let former = world.collect(0, None, None);
    assert!(!world.is_valid(&former));
}
