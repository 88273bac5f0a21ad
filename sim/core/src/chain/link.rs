//! Links of a chain of proposals: how votes for one commit another before it.

use crate::Digest;
use crate::chain::MAX_SIGNATURES;
use crate::codec::{CodecError, Decoder, Encoder};

/// Vote kinds just above this are votes for the link of a proposal; the difference says how many links
/// of consecutive views, each the parent of the next and the last one voted for by a quorum, commit the
/// first of them and all before it.
pub const CHAINED: u8 = 0x10;

/// The most links in a certificate (assumed): proposals in a row that were voted for without any being
/// committed.
pub const MAX_LINKS: usize = 4_096;

/// How many links of consecutive views commit under votes of this kind; `None` if it is no vote for a
/// link.
pub const fn chained(kind: u8) -> Option<usize> {
    match kind.checked_sub(CHAINED) {
        Some(links @ 2..=3) => Some(links as usize),
        _ => None,
    }
}

/// A proposal as its votes see it: its digest is what they sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The view in which it was put forward.
    pub view: u64,
    /// Its sequence number: one above its parent's.
    pub sequence: u64,
    /// The digest of its parent's link.
    pub parent: Digest,
    /// The digest of its batch.
    pub batch: Digest,
    /// Who voted for the parent, as the proposal shows: members by their place, the first in the lowest
    /// bit.
    pub voters: Box<[u64]>,
}

impl Link {
    /// The fewest bytes of an encoded link.
    pub const LEAST_ENCODED: usize = 8 + 8 + 32 + 32 + 4;

    /// Its digest.
    pub fn id(&self) -> Digest {
        let mut out = Vec::with_capacity(self.encoded_len());
        self.encode(&mut Encoder::new(&mut out));
        Digest::of_parts(&[b"consim link 1", &out])
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        Self::LEAST_ENCODED + 8 * self.voters.len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.view).u64(self.sequence);
        e.digest(&self.parent).digest(&self.batch);
        e.list(self.voters.len());
        for word in &self.voters {
            e.u64(*word);
        }
    }
    /// Reads a link.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            view: d.u64()?,
            sequence: d.u64()?,
            parent: d.digest()?,
            batch: d.digest()?,
            voters: {
                let n = d.list(MAX_SIGNATURES.div_ceil(64), 8)?;
                (0..n).map(|_| d.u64()).collect::<Result<_, _>>()?
            },
        })
    }
}

/// Do `links`, the first proposal's first, commit the first if a quorum voted for the last? Each is the
/// parent of the next, and the last `least` are of consecutive views.
pub fn commits(links: &[Link], least: usize) -> bool {
    let consecutive = links.len().saturating_sub(least);
    let pairs = links.iter().zip(links.iter().skip(1)).enumerate();
    links.len() >= least.max(1)
        && pairs.into_iter().all(|(at, (parent, child))| {
            child.parent == parent.id()
                && Some(child.sequence) == parent.sequence.checked_add(1)
                && child.view > parent.view
                && (at < consecutive || child.view == parent.view + 1)
        })
}
