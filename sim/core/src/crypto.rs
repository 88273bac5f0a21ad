//! Keys and signatures, modelled: unforgeable because a process only ever holds its own
//! [`SecretKey`]. The cost is charged through [`crate::Work`]; on the wire a signature takes as
//! many bytes as its scheme's, 64 for Ed25519 (RFC 8032), plus the key's number.

mod aggregate;
mod set;

pub use aggregate::Aggregate;
pub use set::{SignatureSet, Signers};

use crate::codec::{CodecError, Decoder, Encoder};
use crate::rng::mix;
use crate::{Digest, NodeId};
use std::sync::Arc;

/// The number of a key in the run's [`Keyring`], below 2^24. A node's first key has the node's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyId(pub u32);

impl From<NodeId> for KeyId {
    fn from(node: NodeId) -> Self {
        Self(node.0)
    }
}

/// A signing key. Not `Clone`: whoever holds it is its owner or stole it.
#[derive(Debug)]
pub struct SecretKey {
    id: KeyId,
    size: u8,
    secret: u64,
}

/// A signature over a digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Signature {
    /// Whose key made it, as claimed.
    pub key: KeyId,
    /// Bytes of a signature of its scheme.
    size: u8,
    tag: u64,
}

/// The public keys of a run. Shared by all nodes; it verifies, it cannot sign.
#[derive(Clone, Default, Debug)]
pub struct Keyring {
    secrets: Arc<[u64]>,
    size: u8,
    /// Nobody signs transactions.
    unsigned: bool,
    /// Bytes of the bits of an aggregate's signers; none where certificates are vectors of signatures.
    bitmap: u16,
    /// The key of the first bit.
    first: u32,
    replacing: Option<Arc<Replacing>>,
}

/// Keys that take the place of earlier ones: the owners of those from a number on.
#[derive(Debug)]
struct Replacing {
    first: u32,
    owners: Arc<[NodeId]>,
}

#[inline]
fn tag(secret: u64, digest: &Digest) -> u64 {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let (words, _) = digest.0.as_chunks::<8>();
    let [a, b, c, d] = words else {
        return 0; // 32 bytes are four words
    };
    mix(
        mix(secret, word(a) ^ word(c)),
        word(b) ^ word(d).rotate_left(32),
    )
}

impl Keyring {
    /// Makes `n` key pairs out of the run's seed: the public keyring and the secret keys, which
    /// the caller hands to their owners.
    pub fn generate(n: u32, seed: u64) -> (Self, Vec<SecretKey>) {
        Self::sized(n, seed, Signature::USUAL)
    }
    /// The same for a scheme whose signatures take `size` bytes, at least [`Signature::LEAST`].
    pub fn sized(n: u32, seed: u64, size: u8) -> (Self, Vec<SecretKey>) {
        let size = size.max(Signature::LEAST);
        let secrets: Arc<[u64]> = (0..n)
            .map(|i| mix(seed ^ 0x6b65_7972_696e_6721, u64::from(i)))
            .collect();
        let keys = secrets
            .iter()
            .zip(0..)
            .map(|(&secret, i)| SecretKey {
                id: KeyId(i),
                size,
                secret,
            })
            .collect();
        let ring = Self {
            secrets,
            size,
            unsigned: false,
            bitmap: 0,
            first: 0,
            replacing: None,
        };
        (ring, keys)
    }
    /// The same where nobody signs transactions: connections vouch for them, so that making and
    /// checking their signatures takes no time.
    #[must_use]
    pub fn with_unsigned_transactions(self) -> Self {
        Self {
            unsigned: true,
            ..self
        }
    }
    /// The same where certificates of the signers `first` to `last` are one aggregate signature, with a bit
    /// for each of them. Their scheme has to be one whose signatures can be added up.
    #[must_use]
    pub fn with_aggregates(self, first: KeyId, last: KeyId) -> Self {
        let keys = (last.0.saturating_sub(first.0) as usize).saturating_add(1);
        Self {
            bitmap: u16::try_from(keys.div_ceil(8)).unwrap_or(u16::MAX),
            first: first.0,
            ..self
        }
    }
    /// The same with later keys of nodes: that of number `first` is the first owner's, and so on.
    #[must_use]
    pub fn with_replacements(self, first: KeyId, owners: Arc<[NodeId]>) -> Self {
        Self {
            replacing: Some(Arc::new(Replacing {
                first: first.0,
                owners,
            })),
            ..self
        }
    }
    /// Whose a key is, or was.
    pub fn owner(&self, key: KeyId) -> NodeId {
        let later = self.replacing.as_ref().and_then(|later| {
            let place = key.0.checked_sub(later.first)?;
            later.owners.get(place as usize)
        });
        later.copied().unwrap_or(NodeId(key.0))
    }
    /// How many signatures have to be made or checked for `n` transactions.
    #[inline]
    pub fn of_transactions(&self, n: u32) -> u32 {
        if self.unsigned { 0 } else { n }
    }
    /// Is `signature` one that `signature.key` made over `digest`?
    #[inline]
    pub fn verify(&self, digest: &Digest, signature: &Signature) -> bool {
        self.size == signature.size
            && self
                .secrets
                .get(signature.key.0 as usize)
                .is_some_and(|&secret| tag(secret, digest) == signature.tag)
    }
    /// A second copy of a key: for tests and for adversaries that stole it. Honest code never calls this.
    pub fn steal(&self, key: KeyId) -> Option<SecretKey> {
        self.secrets.get(key.0 as usize).map(|&secret| SecretKey {
            id: key,
            size: self.size,
            secret,
        })
    }
}

impl SecretKey {
    /// The key's number.
    pub fn id(&self) -> KeyId {
        self.id
    }
    /// Signs `digest`. The caller charges the cost with [`crate::Work`].
    pub fn sign(&self, digest: &Digest) -> Signature {
        Signature {
            key: self.id,
            size: self.size,
            tag: tag(self.secret, digest),
        }
    }
}

impl Signature {
    /// Bytes of a signature of Ed25519 (RFC 8032).
    pub const USUAL: u8 = 64;
    /// The fewest bytes of a signature: those of its tag.
    pub const LEAST: u8 = 8;
    /// The fewest bytes of an encoded signature: key number, tag.
    pub const LEAST_ENCODED: usize = 4 + Self::LEAST as usize;
    /// Where the length stands in the word of the key's number; zero is the usual one.
    const SIZE_AT: u32 = 24;
    /// Padding up to the longest.
    const PADDING: [u8; 256] = [0; 256];

    /// The bytes of the encoded signature: key number and length in four, and the signature.
    pub fn encoded_len(&self) -> usize {
        4 + usize::from(self.size)
    }
    /// Writes the signature: key number, tag, and padding up to the bytes of its scheme.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        let size = if self.size == Self::USUAL {
            0
        } else {
            u32::from(self.size)
        };
        let padding = usize::from(self.size - Self::LEAST);
        e.u32(self.key.0 | size << Self::SIZE_AT).u64(self.tag);
        e.raw(Self::PADDING.get(..padding).unwrap_or_default());
    }
    /// Reads a signature.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let word = d.u32()?;
        let size = match (word >> Self::SIZE_AT) as u8 {
            0 => Self::USUAL,
            Self::USUAL => return Err(CodecError::Invalid("signature length")),
            size if size < Self::LEAST => return Err(CodecError::Invalid("signature length")),
            size => size,
        };
        let key = KeyId(word & ((1 << Self::SIZE_AT) - 1));
        let tag = d.u64()?;
        if d.raw(usize::from(size - Self::LEAST))?
            .iter()
            .any(|&b| b != 0)
        {
            return Err(CodecError::Invalid("signature padding"));
        }
        Ok(Self { key, size, tag })
    }
}

#[cfg(test)]
mod tests;
