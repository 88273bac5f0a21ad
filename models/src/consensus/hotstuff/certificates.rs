//! What certificates cost to make and to check: vectors of signatures, or aggregates.

use super::config::Group;
use consim_core::{Aggregate, Signature, Work};

impl Group {
    /// Checking a certificate of `signers` signatures over `statements` different statements.
    ///
    /// A vector is checked signature by signature, on all cores. An aggregate is checked at once, by
    /// a product of pairings, one for each statement and one for the sum: with one statement that is what
    /// a single signature takes (two pairings), and each more takes what one in a batch of different
    /// messages takes. Before, the keys of those that signed the same are added up
    /// (draft-irtf-cfrg-bls-signature, `CoreAggregateVerify` and `FastAggregateVerify`).
    pub(super) fn checking(&self, signers: usize, statements: usize) -> Work {
        let Some(additions) = self.additions else {
            return Work::verify_batched(signers as u32);
        };
        let keys = signers.saturating_sub(statements) as u64;
        let mut work = Work::verify(1);
        work.add(Work::verify_batched(statements.saturating_sub(1) as u32));
        work.add(Work::fixed(additions.key.times(keys)));
        work
    }
    /// Making a certificate of `signers` signatures that were checked: a vector is there, the parts of an
    /// aggregate are added up.
    pub(super) fn making(&self, signers: usize) -> Work {
        let Some(additions) = self.additions else {
            return Work::NONE;
        };
        let sums = signers.saturating_sub(1) as u64;
        Work::fixed(additions.signature.times(sums))
    }
    /// The sum of these signatures; `None` where certificates are vectors.
    pub(super) fn sum(&self, signatures: impl IntoIterator<Item = Signature>) -> Option<Aggregate> {
        self.additions
            .and_then(|_| Aggregate::of(&self.keys, signatures))
    }
}
