//! Counting signed votes: one per member, without allocation once the buffers have grown.

use super::pbft::seeded;
use consim_core::{Certificate, Digest, KeyId, Keyring, Signature, Signers};

/// Whose votes count, and how many make a certificate.
pub(super) trait Voters {
    /// Everybody's public keys.
    fn keys(&self) -> &Keyring;
    /// How many.
    fn quorum(&self) -> usize;
}

/// The votes of one kind for one sequence number in one view, up to a quorum. A member votes once;
/// votes for another digest than the one that is counted are set aside, because the pre-prepare
/// that settles the digest may come after them.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Tally {
    signers: Signers,
    digest: Digest,
    /// Is it known yet which digest is counted?
    counts: bool,
    aside: Vec<(Digest, Signature)>,
}

impl Tally {
    /// The digest whose votes are counted.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.counts.then_some(self.digest)
    }
    /// What a vote for `digest` signs, if that is what is counted: hashed already.
    pub(super) fn statement(&self, digest: &Digest) -> Option<Digest> {
        (self.counts && self.digest == *digest).then(|| self.signers.statement())
    }
    /// Votes for that digest.
    #[inline]
    pub(super) fn count(&self) -> usize {
        if seeded::on(&seeded::VOTES_COUNTED_BY_MESSAGE) {
            let again = self.aside.iter().filter(|(of, _)| *of == self.digest);
            return self.signers.len() + again.count();
        }
        if seeded::on(&seeded::VOTES_WITHOUT_DIGEST) {
            return self.signers.len() + self.aside.len();
        }
        self.signers.len()
    }
    /// How many have voted, for whatever.
    pub(super) fn voters(&self) -> usize {
        self.signers.len() + self.aside.len()
    }
    /// How many votes for `digest` are here, be it counted or not.
    pub(super) fn votes_for(&self, digest: &Digest) -> usize {
        if self.counts && self.digest == *digest {
            return self.signers.len();
        }
        self.aside.iter().filter(|(of, _)| of == digest).count()
    }
    /// All votes, with what each is for.
    pub(super) fn all(&self, group: &impl Voters) -> Vec<(Digest, Signature)> {
        let counted = self.signers.signatures(group.keys());
        let counted = counted.iter().map(|signature| (self.digest, signature));
        counted.chain(self.aside.iter().copied()).collect()
    }
    /// Has the owner of the key voted, for whatever?
    #[inline]
    pub(super) fn voted(&self, key: KeyId) -> bool {
        if seeded::on(&seeded::VOTES_COUNTED_BY_MESSAGE) {
            return false;
        }
        self.signers.contains(key)
            || (!self.aside.is_empty() && self.aside.iter().any(|(_, s)| s.key == key))
    }
    #[cold]
    fn begin(&mut self, digest: &Digest, statement: Digest) {
        self.counts = true;
        self.digest = *digest;
        self.signers.begin(statement);
    }
    /// Adds a vote of the owner of `key` if its signature is valid and its own; the statement is hashed once
    /// for the digest that is counted. Votes beyond the quorum are not kept.
    #[inline]
    pub(super) fn vote(
        &mut self,
        group: &impl Voters,
        key: KeyId,
        digest: &Digest,
        signature: &Signature,
        hash: impl Fn(&Digest) -> Digest,
    ) -> bool {
        if !self.counts {
            self.begin(digest, hash(digest));
        }
        if signature.key != key {
            return false;
        }
        if self.digest == *digest && self.signers.len() < group.quorum() {
            if seeded::on(&seeded::VOTES_COUNTED_BY_MESSAGE) && self.signers.contains(signature.key)
            {
                self.aside.push((*digest, *signature));
                return true;
            }
            return self.signers.add(group.keys(), signature);
        }
        self.vote_aside(group, digest, signature, hash)
    }
    #[cold]
    fn vote_aside(
        &mut self,
        group: &impl Voters,
        digest: &Digest,
        signature: &Signature,
        hash: impl Fn(&Digest) -> Digest,
    ) -> bool {
        let valid = group.keys().verify(&hash(digest), signature);
        if valid {
            self.add(group, digest, signature);
        }
        valid
    }
    /// Adds a verified vote.
    pub(super) fn add(&mut self, group: &impl Voters, digest: &Digest, signature: &Signature) {
        if self.voted(signature.key) {
            return;
        }
        if !self.counts || self.digest != *digest {
            self.aside.push((*digest, *signature));
        } else if self.signers.len() < group.quorum() {
            self.signers.add(group.keys(), signature);
        }
    }
    /// From now on votes for `digest`, which sign `statement`, are counted.
    pub(super) fn settle(&mut self, group: &impl Voters, digest: &Digest, statement: Digest) {
        if !self.counts {
            return self.begin(digest, statement);
        }
        if self.digest == *digest {
            return;
        }
        let before = self.digest;
        let counted: Vec<_> = self.signers.signatures(group.keys()).iter().collect();
        let others: Vec<_> = self.aside.drain(..).collect();
        self.begin(digest, statement);
        self.aside.extend(counted.into_iter().map(|s| (before, s)));
        for (of, signature) in others {
            if of != *digest {
                self.aside.push((of, signature));
            } else if self.signers.len() < group.quorum() {
                self.signers.add(group.keys(), &signature);
            }
        }
    }
    /// The votes as a certificate; `None` if there are fewer than a quorum.
    pub(super) fn certificate(
        &self,
        group: &impl Voters,
        kind: u8,
        view: u64,
        sequence: u64,
    ) -> Option<Certificate> {
        (self.counts && self.count() >= group.quorum()).then(|| Certificate {
            kind,
            view,
            sequence,
            digest: self.digest,
            signatures: self.signers.signatures(group.keys()),
            links: std::sync::Arc::default(),
        })
    }
    /// Forgets all votes, keeping the memory.
    pub(super) fn clear(&mut self) {
        self.counts = false;
        self.signers.clear();
        self.aside.clear();
    }
}
