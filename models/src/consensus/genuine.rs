//! Whether a batch can be an honest proposer's.

use crate::ledger::{merkle, seeded as ledger};
use consim_core::seeded::SIGNATURES_LEFT_OUT;
use consim_core::{Batch, ChainId, Digest, Keyring};
use std::collections::BTreeSet;

/// Is a batch what an honest proposer can have made: true root, every transaction once, signed by
/// its origin, for this chain? The same for all replicas, so that one looks and all know.
pub(super) fn is_genuine(batch: &Batch, chain: ChainId, keys: &Keyring) -> bool {
    let leaves: Vec<Digest> = batch.txs().iter().map(|tx| tx.digest()).collect();
    let ids: BTreeSet<_> = batch.txs().iter().map(|tx| tx.id()).collect();
    let unsigned = ledger::on(&SIGNATURES_LEFT_OUT);
    (merkle::root(&leaves) == batch.tx_root() || ledger::on(&ledger::ROOT_NOT_COMPARED))
        && ids.len() == batch.txs().len()
        && batch
            .txs()
            .iter()
            .all(|tx| tx.chain() == chain && (unsigned || tx.verify(keys)))
}
