//! Counting signed votes: one per member, without allocation once the buffers have grown.

use consim_core::{Certificate, Digest, Signature};

/// A set of members.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(Vec<u64>);

impl Members {
    /// Its bits, member 0 in the lowest.
    pub(super) fn words(self) -> Vec<u64> {
        self.0
    }
    /// The set with these bits.
    pub(super) fn of(words: &[u64]) -> Self {
        Self(words.to_vec())
    }
    pub(super) fn contains(&self, member: usize) -> bool {
        self.0
            .get(member / 64)
            .is_some_and(|word| word & (1 << (member % 64)) != 0)
    }
    /// Adds a member; false if it was in.
    pub(super) fn insert(&mut self, member: usize) -> bool {
        let at = member / 64;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        let bit = 1 << (member % 64);
        match self.0.get_mut(at) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
    pub(super) fn clear(&mut self) {
        self.0.fill(0);
    }
}

/// The votes of one kind for one sequence number in one view. A member votes once; votes for
/// another digest than the one that is counted are set aside, because the pre-prepare that
/// settles the digest may come after them.
#[derive(Debug, Default)]
pub(super) struct Tally {
    digest: Option<Digest>,
    statement: Digest,
    voted: Members,
    signatures: Vec<Signature>,
    aside: Vec<(Digest, Signature)>,
}

impl Tally {
    /// The digest whose votes are counted.
    pub(super) fn digest(&self) -> Option<Digest> {
        self.digest
    }
    /// Votes for that digest.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.signatures.len()
    }
    /// Has the member voted, for whatever?
    #[inline]
    pub(super) fn voted(&self, member: usize) -> bool {
        self.voted.contains(member)
    }
    /// The statement that a vote for `digest` signs: hashed once for the digest that is counted.
    #[inline]
    pub(super) fn statement(
        &mut self,
        digest: &Digest,
        hash: impl FnOnce(&Digest) -> Digest,
    ) -> Digest {
        match &self.digest {
            Some(counted) if counted == digest => self.statement,
            Some(_) => hash(digest),
            None => {
                self.digest = Some(*digest);
                self.statement = hash(digest);
                self.statement
            }
        }
    }
    /// Adds a verified vote.
    #[inline]
    pub(super) fn add(&mut self, member: usize, digest: Digest, signature: Signature) {
        if !self.voted.insert(member) {
            return;
        }
        if self.digest == Some(digest) {
            self.signatures.push(signature);
        } else {
            self.aside.push((digest, signature));
        }
    }
    /// From now on votes for `digest` are counted.
    pub(super) fn settle(&mut self, digest: Digest, hash: impl FnOnce(&Digest) -> Digest) {
        let Some(before) = self.digest else {
            self.digest = Some(digest);
            self.statement = hash(&digest);
            return;
        };
        if before == digest {
            return;
        }
        self.digest = Some(digest);
        self.statement = hash(&digest);
        let others: Vec<_> = self.aside.drain(..).collect();
        self.aside
            .extend(self.signatures.drain(..).map(|s| (before, s)));
        for (of, signature) in others {
            if of == digest {
                self.signatures.push(signature);
            } else {
                self.aside.push((of, signature));
            }
        }
    }
    /// The first `quorum` votes as a certificate; `None` if there are fewer.
    pub(super) fn certificate(
        &self,
        quorum: usize,
        kind: u8,
        view: u64,
        sequence: u64,
    ) -> Option<Certificate> {
        let mut signatures = self.signatures.get(..quorum)?.to_vec();
        signatures.sort_unstable_by_key(|s| s.key);
        Some(Certificate {
            kind,
            view,
            sequence,
            digest: self.digest?,
            signatures,
        })
    }
    /// Forgets all votes, keeping the memory.
    pub(super) fn clear(&mut self) {
        self.digest = None;
        self.voted.clear();
        self.signatures.clear();
        self.aside.clear();
    }
}
