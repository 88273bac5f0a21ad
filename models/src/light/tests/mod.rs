#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! A chain of seven members whose administrator is node 9, made by hand.

mod client;
mod codec;
mod fakes;
mod verifier;

use super::*;
use crate::consensus::{CheckpointHead as _, MemberChange, StateHead, byzantine_quorum};
use crate::ledger::{WorldState, merkle};
use consim_core::chain::vote_statement;
use consim_core::{
    Batch, Certificate, ChainId, Committed, Digest, Header, KeyId, Keyring, NodeId, OpId,
    SecretKey, Span, Tx, TxId, Work,
};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(1);
const DECIDES: u8 = 2;
const CHECKPOINT: u8 = 3;
const ADMINISTRATOR: KeyId = KeyId(9);
/// The wall clock of clients.
const NOW: i64 = 100_000_000_000;

struct World {
    keys: Keyring,
    secrets: Vec<Arc<SecretKey>>,
}

impl World {
    fn new() -> Self {
        let (keys, secrets) = Keyring::generate(12, 1);
        Self {
            keys,
            secrets: secrets.into_iter().map(Arc::new).collect(),
        }
    }
    fn verifier(&self) -> Verifier {
        Verifier {
            chain: CHAIN,
            keys: self.keys.clone(),
            administrator: Some(ADMINISTRATOR),
            certified: Certified {
                decides: DECIDES,
                checkpoint: CHECKPOINT,
                interval: 8,
                quorum: byzantine_quorum,
            },
            trusting_period: Span::from_secs(60),
            clock_drift: Span::from_secs(10),
            trust_level: TrustLevel::THIRD,
        }
    }
    /// The genesis with members 0 to 6.
    fn genesis() -> Trusted {
        Trusted::genesis((0..7).map(NodeId).collect(), NOW - 50_000_000_000)
    }
    fn sign(&self, by: &[u32], kind: u8, sequence: u64, digest: Digest) -> Certificate {
        let statement = vote_statement(CHAIN, kind, 0, sequence, &digest);
        let sign = |&key: &u32| self.secrets[key as usize].sign(&statement);
        Certificate {
            kind,
            view: 0,
            sequence,
            digest,
            signatures: by.iter().map(sign).collect(),
            links: Arc::default(),
        }
    }
    fn tx(&self, origin: u32, number: u64) -> Arc<Tx> {
        let id = TxId {
            origin: NodeId(origin),
            number,
        };
        let key = &self.secrets[origin as usize];
        Arc::new(Tx::new(id, CHAIN, OpId(number), Arc::new([1]), key))
    }
    fn change(&self, number: u64, add: &[u32], remove: &[u32]) -> Arc<Tx> {
        let nodes = |list: &[u32]| list.iter().copied().map(NodeId).collect();
        let change = MemberChange {
            number,
            add: nodes(add),
            remove: nodes(remove),
            renew: Vec::new(),
        };
        Arc::new(change.signed(CHAIN, &self.secrets[9]))
    }
    fn block(&self, by: &[u32], sequence: u64, txs: Vec<Arc<Tx>>) -> Arc<Committed> {
        let leaves: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
        let time_ns = NOW - 40_000_000_000;
        let batch = Batch::new(NodeId(0), time_ns, txs.into(), merkle::root(&leaves));
        Arc::new(Committed {
            chain: CHAIN,
            sequence,
            certificate: self.sign(by, DECIDES, sequence, batch.digest()),
            batch: Arc::new(batch),
        })
    }
    /// An ordinary decision.
    fn decision(&self, by: &[u32], sequence: u64) -> Decision {
        let block = self.block(by, sequence, vec![self.tx(0, sequence)]);
        Decision {
            head: BatchHead::of(&block.batch),
            certificate: block.certificate.clone(),
        }
    }
    fn proof(&self, links: Vec<Arc<Committed>>, by: &[u32], sequence: u64) -> LightProof {
        LightProof {
            skip: None,
            links,
            decision: self.decision(by, sequence),
        }
    }
    /// A checkpoint whose state has changes, each at a height, of the block at `height`.
    fn skip(&self, by: &[u32], sequence: u64, height: u64, changes: &[(Arc<Tx>, u64)]) -> Skip {
        let state = WorldState::of_executed(changes.iter().map(|(tx, at)| (tx.id(), *at)));
        let last = changes.last().map_or(0, |(tx, _)| tx.id().number);
        self.skip_over(by, sequence, height, &state, changes, last + 1)
    }
    fn skip_over(
        &self,
        by: &[u32],
        sequence: u64,
        height: u64,
        state: &WorldState,
        changes: &[(Arc<Tx>, u64)],
        next: u64,
    ) -> Skip {
        let root = state.root();
        let head = StateHead {
            header: Some(Header {
                chain: CHAIN,
                height,
                sequence,
                parent: Digest::ZERO,
                batch: Digest::ZERO,
                tx_root: Digest::ZERO,
                state_root: root,
                time_ns: NOW - 30_000_000_000,
                tx_count: 1,
            }),
            root,
        };
        let prove = |number| state.prove_executed(MemberChange::id(ADMINISTRATOR, number));
        Skip {
            certificate: self.sign(by, CHECKPOINT, sequence, head.digest()),
            head,
            executed: changes
                .iter()
                .map(|(tx, _)| prove(tx.id().number))
                .collect(),
            next: prove(next),
            changes: changes.iter().map(|(tx, _)| Arc::clone(tx)).collect(),
        }
    }
    fn verify(&self, trusted: &Trusted, proof: &LightProof) -> Result<Trusted, Refusal> {
        let mut work = Work::NONE;
        self.verifier().verify(trusted, proof, NOW, &mut work)
    }
}

/// A quorum of the members of the genesis: five of seven.
const QUORUM: &[u32] = &[0, 1, 2, 3, 4];
