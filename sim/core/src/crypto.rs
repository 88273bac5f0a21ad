//! Keys and signatures, modelled: unforgeable because a process only ever holds its own
//! [`SecretKey`]. The cost is charged through [`crate::Work`]; on the wire a signature takes the
//! 64 bytes of Ed25519 (RFC 8032) plus the key's number.

mod set;

pub use set::{SignatureSet, Signers};

use crate::codec::{CodecError, Decoder, Encoder};
use crate::rng::mix;
use crate::{Digest, NodeId};
use std::sync::Arc;

/// The number of a key in the run's [`Keyring`]. A node's key has the node's number.
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
    secret: u64,
}

/// A signature over a digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Signature {
    /// Whose key made it, as claimed.
    pub key: KeyId,
    tag: u64,
}

/// The public keys of a run. Shared by all nodes; it verifies, it cannot sign.
#[derive(Clone, Default, Debug)]
pub struct Keyring {
    secrets: Arc<[u64]>,
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
        let secrets: Arc<[u64]> = (0..n)
            .map(|i| mix(seed ^ 0x6b65_7972_696e_6721, u64::from(i)))
            .collect();
        let keys = secrets
            .iter()
            .zip(0..)
            .map(|(&secret, i)| SecretKey {
                id: KeyId(i),
                secret,
            })
            .collect();
        (Self { secrets }, keys)
    }
    /// Is `signature` one that `signature.key` made over `digest`?
    #[inline]
    pub fn verify(&self, digest: &Digest, signature: &Signature) -> bool {
        self.secrets
            .get(signature.key.0 as usize)
            .is_some_and(|&secret| tag(secret, digest) == signature.tag)
    }
    /// A second copy of a key: for tests and for adversaries that stole it. Honest code never calls this.
    pub fn steal(&self, key: KeyId) -> Option<SecretKey> {
        self.secrets
            .get(key.0 as usize)
            .map(|&secret| SecretKey { id: key, secret })
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
            tag: tag(self.secret, digest),
        }
    }
}

impl Signature {
    /// The bytes of an encoded signature: key number, 64 bytes.
    pub const ENCODED: usize = 4 + 64;

    /// Writes the signature: key number, tag, and padding up to the 64 bytes of Ed25519.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.key.0).u64(self.tag).raw(&[0; 56]);
    }
    /// Reads a signature.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let key = KeyId(d.u32()?);
        let tag = d.u64()?;
        if d.array::<56>()? != [0; 56] {
            return Err(CodecError::Invalid("signature padding"));
        }
        Ok(Self { key, tag })
    }
}

#[cfg(test)]
mod tests;
