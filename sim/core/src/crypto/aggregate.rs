//! One signature in the place of many: the sum of signatures of BLS (D. Boneh, M. Drijvers and G. Neven,
//! "Compact Multi-Signatures for Smaller Blockchains", ASIACRYPT 2018; draft-irtf-cfrg-bls-signature,
//! sections 2.8 and 3.3, keys with proofs of possession), and a bit for each signer.

use super::{KeyId, Keyring, Signature, tag};
use crate::Digest;
use crate::chain::MAX_SIGNATURES;
use crate::codec::{CodecError, Decoder, Encoder};

/// Set in the word that a vector of signatures has its length in: an aggregate follows.
const MARK: u32 = 1 << 31;
/// The first byte of such a word.
const MARK_BYTE: u8 = 1 << 7;

/// An aggregate signature. It proves of each signer that it signed, and cannot be taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aggregate {
    /// Bytes of a signature of its scheme: a sum is as long as each of its parts.
    size: u8,
    /// The sum of the tags.
    tag: u64,
    /// The key of the first bit.
    first: u32,
    /// The lowest bit of the first byte is the first key's.
    bits: Box<[u8]>,
}

impl Aggregate {
    /// The sum of `signatures`; `None` if certificates of this keyring are vectors. A key for which there
    /// is no bit cannot be named. The caller charges the additions.
    pub fn of(keys: &Keyring, signatures: impl IntoIterator<Item = Signature>) -> Option<Self> {
        let bytes = usize::from(keys.bitmap);
        if bytes == 0 {
            return None;
        }
        let mut sum = Self {
            size: keys.size,
            tag: 0,
            first: keys.first,
            bits: vec![0; bytes].into(),
        };
        for signature in signatures {
            let place = signature.key.0.checked_sub(sum.first);
            let byte = place.and_then(|place| sum.bits.get_mut(place as usize / 8));
            if let (Some(byte), Some(place)) = (byte, place) {
                *byte |= 1 << (place % 8);
                sum.tag = sum.tag.wrapping_add(signature.tag);
            }
        }
        Some(sum)
    }
    /// The signers, by ascending key.
    pub fn signers(&self) -> impl Iterator<Item = KeyId> {
        let set = |(at, &byte): (usize, &u8)| {
            let first = self.first.saturating_add(at as u32 * 8);
            (0..8)
                .filter(move |bit| byte & (1 << bit) != 0)
                .map(move |bit| KeyId(first.saturating_add(bit)))
        };
        self.bits.iter().enumerate().flat_map(set)
    }
    /// How many signed.
    pub fn len(&self) -> usize {
        self.bits
            .iter()
            .map(|byte| byte.count_ones() as usize)
            .sum()
    }
    /// Did nobody?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// A signature with nothing but its signer and its length: what can be said of a part.
    pub fn part(&self, key: KeyId) -> Signature {
        Signature {
            key,
            size: self.size,
            tag: 0,
        }
    }
    /// Is it the sum of one signature of each signer, over what `statements` has for them in ascending
    /// order of keys? The caller charges the check.
    pub fn verify(&self, keys: &Keyring, statements: impl IntoIterator<Item = Digest>) -> bool {
        let mut statements = statements.into_iter();
        let mut sum = 0u64;
        for key in self.signers() {
            let secret = keys.secrets.get(key.0 as usize);
            let (Some(&secret), Some(statement)) = (secret, statements.next()) else {
                return false;
            };
            sum = sum.wrapping_add(tag(secret, &statement));
        }
        keys.size == self.size && sum == self.tag
    }
    /// The bytes behind the word that says what follows: a signature, with the number of the first key in
    /// the place of the signer's, and the bits.
    pub fn encoded_len(&self) -> usize {
        Self::bytes(self.size, self.bits.len())
    }
    pub(super) fn bytes(size: u8, bits: usize) -> usize {
        4 + usize::from(size) + bits
    }
    /// Appends the wire form, in the place of a vector's length and its signatures.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(MARK | self.bits.len() as u32);
        let sum = Signature {
            key: KeyId(self.first),
            size: self.size,
            tag: self.tag,
        };
        sum.encode(e);
        e.raw(&self.bits);
    }
    /// Reads an aggregate, if that comes next and not the length of a vector; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Option<Self>, CodecError> {
        if d.next_byte().is_none_or(|byte| byte & MARK_BYTE == 0) {
            return Ok(None);
        }
        let bytes = (d.u32()? & !MARK) as usize;
        if bytes > MAX_SIGNATURES.div_ceil(8) {
            return Err(CodecError::TooLong(bytes));
        }
        let sum = Signature::decode(d)?;
        Ok(Some(Self {
            size: sum.size,
            tag: sum.tag,
            first: sum.key.0,
            bits: d.raw(bytes)?.into(),
        }))
    }
}
