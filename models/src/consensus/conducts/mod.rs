//! Byzantine behaviour that is the same in every protocol of two phases of votes, one file each. Each such
//! protocol says how its messages read ([`Tongue`]); what only one of them has stands in its own folder.

#[cfg(test)]
pub(super) mod bench;
mod censor;
mod equivocate;
mod forge;
mod invalid_block;
mod long_range;
mod lying_sync;
mod phantom_validator;
mod reorder_block;
#[cfg(test)]
mod tests;

pub(super) use forge::another;

use super::proposal::FIRST;
use super::{Ballot, Blocks, Proposal};
use crate::adversary::{Behaviour, Conduct, Means, SyncLie};
use consim_core::{Batch, Committed, Digest, Payload, Tx};
use std::sync::Arc;

/// A message that such behaviours read or make.
#[derive(Clone, Debug)]
pub(super) enum Word {
    /// A leader's proposal.
    Proposal(Arc<Proposal>),
    /// A vote of this kind.
    Vote(u8, Ballot),
    /// Transactions; do all members get them?
    Forward(Vec<Arc<Tx>>, bool),
    /// Committed batches for one that is behind.
    Blocks(Blocks),
}

/// How the messages of a protocol read.
pub(super) trait Tongue: Send + std::marker::Sync + 'static {
    /// What a payload says, if it is of this protocol and of the adversary's chain, and one of the [`Word`]s.
    fn read(means: &Means, payload: &Arc<dyn Payload>) -> Option<Word>;
    /// A message that says this.
    fn say(means: &Means, word: Word) -> Arc<dyn Payload>;
    /// The same, where it takes the place of an honest message.
    fn say_instead(means: &Means, word: Word, _honest: &Arc<dyn Payload>) -> Arc<dyn Payload> {
        Self::say(means, word)
    }
    /// Another batch that a proposer could put forward in the place of this one.
    fn another(batch: &Batch) -> Batch {
        another(batch)
    }
    /// Of a member's word how far it is: the same, but so much further.
    fn ahead(means: &Means, payload: &Arc<dyn Payload>, by: u64) -> Option<Arc<dyn Payload>>;
    /// A message with changes of the members, where they are shown to those who lack them.
    fn links(_means: &Means, _links: Vec<Arc<Committed>>) -> Option<Arc<dyn Payload>> {
        None
    }
}

/// A vote of the node's own.
fn vote(means: &Means, kind: u8, view: u64, sequence: u64, digest: Digest) -> Ballot {
    Ballot::sign(means.chain, kind, view, sequence, digest, &means.key)
}

/// A proposal of the node's own.
fn proposal(means: &Means, view: u64, sequence: u64, batch: Batch) -> Word {
    let ballot = vote(means, FIRST, view, sequence, batch.digest());
    let batch = Arc::new(batch);
    Word::Proposal(Arc::new(Proposal::new(
        view,
        sequence,
        batch,
        ballot.signature,
    )))
}

/// Makes a behaviour of this folder.
pub(super) fn build<T: Tongue>(conduct: &Conduct, means: &Means) -> Option<Box<dyn Behaviour>> {
    let means = means.clone();
    let lying = |means, lie| Box::new(lying_sync::LyingSync::<T>::new(means, lie));
    Some(match conduct {
        Conduct::Equivocate => Box::new(equivocate::Equivocate::<T>::new(means)),
        Conduct::InvalidBlock => Box::new(invalid_block::InvalidBlock::<T>::new(means)),
        Conduct::PhantomValidator => Box::new(phantom_validator::PhantomValidator::<T>::new(means)),
        Conduct::LyingSync { field } => lying(
            means,
            match field {
                SyncLie::Block => forge::Lie::OtherBlock,
                SyncLie::Sequence => forge::Lie::OtherSequence,
                SyncLie::Transactions => forge::Lie::OtherTransactions,
                SyncLie::Progress => forge::Lie::Nothing,
                SyncLie::Members => forge::Lie::Members,
            },
        ),
        Conduct::DoubleSignatures => lying(means, forge::Lie::DoubleSignatures),
        Conduct::StripSignatures => lying(means, forge::Lie::StripSignatures),
        Conduct::LongRange => Box::new(long_range::LongRange::<T>::new(means)?),
        Conduct::Censor { whom } => Box::new(censor::Censor::<T>::new(means, whom)),
        Conduct::ReorderBlock => Box::new(reorder_block::ReorderBlock::<T>::new(means)),
        _ => return None,
    })
}
