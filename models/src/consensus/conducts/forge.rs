//! Committed batches that nobody committed, as far as one liar can make them, where a batch is committed by
//! votes of the second kind for itself.

use super::Ballot;
use crate::adversary::Means;
use crate::consensus::MemberChange;
use crate::consensus::proposal::SECOND;
use crate::ledger::merkle;
use consim_core::{Batch, Certificate, Committed, Digest, SecretKey, Signature, Tx};
use std::sync::Arc;

/// What is false.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lie {
    /// Another batch, under the true signatures.
    OtherBlock,
    /// The true batch under the next number.
    OtherSequence,
    /// The same batch, its transactions signed by the liar.
    OtherTransactions,
    /// Another batch, under the signatures that the liar can make: its own, those of the keys that it
    /// stole, and its own again until they are as many as a quorum needs.
    DoubleSignatures,
    /// Another batch, under the signatures of all keys that the adversary has.
    History,
    /// The true batch, one signature short of a quorum.
    StripSignatures,
    /// No batch at all.
    Nothing,
    /// True batches, and a change of the members.
    Members,
}

/// The same transactions at another time: another batch, and a valid one.
pub(in crate::consensus) fn another(batch: &Batch) -> Batch {
    Batch::new(
        batch.proposer(),
        batch.time_ns().saturating_add(1),
        Arc::clone(batch.txs()),
        batch.tx_root(),
    )
}

/// A first block, by which the liar is the only member: with the administrator's name and the liar's signature,
/// and a certificate of nobody.
pub(super) fn only_member(means: &Means) -> Option<Committed> {
    let change = MemberChange {
        number: 1,
        add: Vec::new(),
        remove: means
            .members
            .iter()
            .copied()
            .filter(|n| *n != means.node)
            .collect(),
        renew: Vec::new(),
    };
    let id = MemberChange::id(means.administrator?, change.number);
    let own = change.signed(means.chain, &means.key);
    let body = Arc::clone(own.body());
    let tx = Arc::new(Tx::new(id, means.chain, own.op(), body, &means.key));
    let root = merkle::root(&[tx.digest()]);
    let batch = Arc::new(Batch::new(means.node, 0, vec![tx].into(), root));
    let certificate = Certificate {
        kind: SECOND,
        view: 0,
        sequence: 1,
        digest: batch.digest(),
        signatures: Vec::new().into(),
        links: Arc::default(),
    };
    Some(Committed {
        chain: means.chain,
        sequence: 1,
        batch,
        certificate,
    })
}

/// What `committed` becomes; nothing for a lie that has none.
pub(super) fn forge(means: &Means, committed: &Committed, lie: Lie) -> Option<Committed> {
    let mut sequence = committed.sequence;
    let mut batch = Arc::clone(&committed.batch);
    let mut certificate = committed.certificate.clone();
    match lie {
        Lie::Nothing => return None,
        Lie::Members => {}
        Lie::OtherBlock => {
            batch = Arc::new(another(&batch));
            certificate.digest = batch.digest();
        }
        Lie::OtherSequence => {
            sequence += 1;
            certificate.sequence += 1;
        }
        Lie::OtherTransactions => {
            let txs = batch.txs().iter().map(|tx| {
                let body = Arc::clone(tx.body());
                Arc::new(Tx::new(tx.id(), means.chain, tx.op(), body, &means.key))
            });
            let (proposer, time_ns, root) = (batch.proposer(), batch.time_ns(), batch.tx_root());
            batch = Arc::new(Batch::new(proposer, time_ns, txs.collect(), root));
        }
        Lie::DoubleSignatures | Lie::History => {
            batch = Arc::new(another(&batch));
            let digest: Digest = batch.digest();
            let sign = |key: &SecretKey| {
                let view = certificate.view;
                Ballot::sign(means.chain, SECOND, view, sequence, digest, key).signature
            };
            certificate.digest = digest;
            if lie == Lie::History {
                certificate.signatures = means.held().iter().map(|key| sign(key)).collect();
                let certificate = certificate;
                return Some(Committed {
                    chain: committed.chain,
                    sequence,
                    batch,
                    certificate,
                });
            }
            let own = sign(&means.key);
            let stolen = means.stolen.iter().map(|key| sign(key));
            let distinct = std::iter::once(own).chain(stolen);
            let padded = distinct.chain(std::iter::repeat(own)).take(means.quorum);
            let mut signatures: Vec<Signature> = padded.collect();
            // As a certificate has them.
            signatures.sort_by_key(|signature| signature.key);
            certificate.signatures = signatures.into();
        }
        Lie::StripSignatures => {
            let few = means.quorum.saturating_sub(1);
            certificate.signatures = certificate.signatures.iter().take(few).collect();
        }
    }
    Some(Committed {
        chain: committed.chain,
        sequence,
        batch,
        certificate,
    })
}
