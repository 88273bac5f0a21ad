//! Committed batches that nobody committed, as far as one liar can make them.

use super::another;
use crate::adversary::Means;
use consim_core::chain::Link;
use consim_core::{Batch, Certificate, Committed, Digest, SecretKey, Signature, Tx};
use std::sync::Arc;

/// What is false.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lie {
    /// Another block, under the true signatures.
    OtherBlock,
    /// The true block under the next number.
    OtherSequence,
    /// The same block, its transactions signed by the liar.
    OtherTransactions,
    /// Another block, under the signatures that the liar can make: its own, those of the keys that it
    /// stole, and its own again until they are as many as a quorum needs.
    DoubleSignatures,
    /// The true block, one signature short of a quorum.
    StripSignatures,
    /// No block at all.
    Nothing,
}

/// The links with the first changed, each later one naming the changed one before it: what is voted for is
/// then another proposal too.
fn relinked(links: &[Link], change: impl FnOnce(&mut Link)) -> Arc<[Link]> {
    let mut links = links.to_vec();
    if let Some(first) = links.first_mut() {
        change(first);
    }
    for at in 1..links.len() {
        let (before, after) = links.split_at_mut(at);
        if let (Some(parent), Some(child)) = (before.last(), after.first_mut()) {
            child.parent = parent.id();
            child.sequence = parent.sequence + 1;
        }
    }
    links.into()
}

/// Another batch in a certificate.
fn holding(certificate: &mut Certificate, digest: Digest) {
    certificate.digest = digest;
    certificate.links = relinked(&certificate.links, |first| first.batch = digest);
}

/// What `committed` becomes; nothing for a lie that has none.
pub(super) fn forge(means: &Means, committed: &Committed, lie: Lie) -> Option<Committed> {
    let mut sequence = committed.sequence;
    let mut batch = Arc::clone(&committed.batch);
    let mut certificate = committed.certificate.clone();
    match lie {
        Lie::Nothing => return None,
        Lie::OtherBlock => {
            batch = Arc::new(another(&batch));
            holding(&mut certificate, batch.digest());
        }
        Lie::OtherSequence => {
            sequence += 1;
            certificate.sequence += 1;
            certificate.links = relinked(&certificate.links, |first| first.sequence += 1);
        }
        Lie::OtherTransactions => {
            let txs = batch.txs().iter().map(|tx| {
                let body = Arc::clone(tx.body());
                Arc::new(Tx::new(tx.id(), means.chain, tx.op(), body, &means.key))
            });
            let (proposer, time_ns, root) = (batch.proposer(), batch.time_ns(), batch.tx_root());
            batch = Arc::new(Batch::new(proposer, time_ns, txs.collect(), root));
        }
        Lie::DoubleSignatures => {
            batch = Arc::new(another(&batch));
            holding(&mut certificate, batch.digest());
            let statement = certificate.statement(means.chain)?;
            let sign = |key: &SecretKey| key.sign(&statement);
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
