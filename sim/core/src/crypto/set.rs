//! Signatures of many over one statement, small enough to be kept for ever by every node.

use super::{Aggregate, KeyId, Keyring, Signature, tag};
use crate::Digest;
use crate::chain::MAX_SIGNATURES;
use crate::codec::{CodecError, Decoder, Encoder};
use std::fmt;
use std::sync::Arc;

/// A set of key numbers: bits, the first word without an allocation.
#[derive(Clone, Default)]
struct Keys {
    /// The number of the first word: keys of a group stand together.
    first: u32,
    len: u32,
    word: u64,
    /// The words behind it.
    rest: Box<[u64]>,
}

impl Keys {
    #[inline]
    fn insert(&mut self, key: KeyId) -> bool {
        let number = key.0 / 64;
        let bit = 1 << (key.0 % 64);
        let word = match number.checked_sub(self.first) {
            Some(0) if self.len > 0 => Some(&mut self.word),
            Some(at) if at > 0 => self.rest.get_mut(at as usize - 1),
            _ => None,
        };
        let Some(word) = word else {
            return self.insert_outside(key);
        };
        let fresh = *word & bit == 0;
        *word |= bit;
        self.len += u32::from(fresh);
        fresh
    }
    /// The first key, or one for which there is no word yet.
    #[cold]
    fn insert_outside(&mut self, key: KeyId) -> bool {
        let number = key.0 / 64;
        if self.len == 0 {
            self.first = number;
        }
        if number < self.first {
            let by = (self.first - number) as usize;
            let mut words = vec![0; by - 1];
            words.push(std::mem::take(&mut self.word));
            words.extend_from_slice(&self.rest);
            self.rest = words.into();
            self.first = number;
        }
        let at = (number - self.first) as usize;
        if self.rest.len() < at {
            let mut words = std::mem::take(&mut self.rest).into_vec();
            words.resize(at, 0);
            self.rest = words.into();
        }
        let word = match at.checked_sub(1) {
            None => Some(&mut self.word),
            Some(at) => self.rest.get_mut(at),
        };
        let Some(word) = word else {
            return false;
        };
        let bit = 1 << (key.0 % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        self.len += u32::from(fresh);
        fresh
    }
    #[inline]
    fn contains(&self, key: KeyId) -> bool {
        let word = match (key.0 / 64).checked_sub(self.first) {
            Some(0) => Some(&self.word),
            Some(at) => self.rest.get(at as usize - 1),
            None => None,
        };
        word.is_some_and(|word| word & 1 << (key.0 % 64) != 0)
    }
    fn clear(&mut self) {
        self.word = 0;
        if !self.rest.is_empty() {
            self.rest.fill(0);
        }
        self.len = 0;
    }
    fn iter(&self) -> impl Iterator<Item = KeyId> {
        let words = std::iter::once(&self.word).chain(self.rest.iter());
        (self.first..).zip(words).flat_map(|(number, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                left &= left.checked_sub(1)?;
                Some(KeyId(number * 64 + bit))
            })
        })
    }
}

/// Collects signatures over one statement: only valid ones get in, each signer once. What is kept
/// of a signature is whose it is, because the rest is a function of key and statement. Takes a line
/// of the cache.
#[derive(Clone, Default)]
pub struct Signers {
    who: Keys,
    statement: Digest,
}

impl Signers {
    /// Begins anew, over `statement`; keeps the memory.
    pub fn begin(&mut self, statement: Digest) {
        self.who.clear();
        self.statement = statement;
    }
    /// What is signed.
    pub fn statement(&self) -> Digest {
        self.statement
    }
    /// Adds a signature; false if it is not valid or its signer is in. The caller charges one
    /// verification.
    #[inline]
    pub fn add(&mut self, keys: &Keyring, signature: &Signature) -> bool {
        keys.verify(&self.statement, signature) && self.who.insert(signature.key)
    }
    /// Has the owner of the key signed?
    #[inline]
    pub fn contains(&self, key: KeyId) -> bool {
        self.who.contains(key)
    }
    /// Forgets all signatures; keeps the memory.
    pub fn clear(&mut self) {
        self.who.clear();
    }
    /// How many signed.
    #[inline]
    pub fn len(&self) -> usize {
        self.who.len as usize
    }
    /// Did nobody?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The signatures; `keys` are those of [`Signers::add`].
    pub fn signatures(&self, keys: &Keyring) -> SignatureSet {
        SignatureSet(Kept::Verified(self.clone(), keys.clone()))
    }
}

/// Signatures, by ascending key if they are as they should be.
#[derive(Clone)]
pub struct SignatureSet(Kept);

#[derive(Clone)]
enum Kept {
    /// As they came: nothing is known of them.
    Listed(Vec<Signature>),
    /// Over a statement of which it is known that these signed it. Where certificates are aggregates, they
    /// are sent as one: the run keeps the parts, of which the sum is proof as well.
    Verified(Signers, Keyring),
    /// The sum of them, as it came.
    Sum(Box<Aggregate>),
}

impl SignatureSet {
    /// How many.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kept::Listed(list) => list.len(),
            Kept::Verified(signers, _) => signers.len(),
            Kept::Sum(sum) => sum.len(),
        }
    }
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The bytes of all of them, encoded one after the other, or of their aggregate, behind the word that
    /// says which.
    pub fn encoded_len(&self) -> usize {
        match &self.0 {
            Kept::Listed(list) => list.iter().map(Signature::encoded_len).sum(),
            Kept::Verified(_, keys) if keys.bitmap > 0 => {
                Aggregate::bytes(keys.size, usize::from(keys.bitmap))
            }
            Kept::Verified(signers, keys) => signers.len() * (4 + usize::from(keys.size)),
            Kept::Sum(sum) => sum.encoded_len(),
        }
    }
    /// Appends the wire form, the word included.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        if let Some(sum) = self.sum() {
            return sum.encode(e);
        }
        e.list(self.len());
        for signature in self.iter() {
            signature.encode(e);
        }
    }
    /// Reads signatures, or an aggregate; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        if let Some(sum) = Aggregate::decode(d)? {
            return Ok(Self(Kept::Sum(Box::new(sum))));
        }
        let n = d.list(MAX_SIGNATURES, Signature::LEAST_ENCODED)?;
        (0..n).map(|_| Signature::decode(d)).collect()
    }
    /// What they are sent as, if that is an aggregate.
    fn sum(&self) -> Option<Aggregate> {
        match &self.0 {
            Kept::Listed(_) => None,
            Kept::Verified(_, keys) => Aggregate::of(keys, self.iter()),
            Kept::Sum(sum) => Some(Aggregate::clone(sum)),
        }
    }
    /// The signatures. Those of an aggregate that came from elsewhere say whose they are, and no more.
    pub fn iter(&self) -> impl Iterator<Item = Signature> {
        let (list, verified, sum) = match &self.0 {
            Kept::Listed(list) => (list.as_slice(), None, None),
            Kept::Verified(signers, keys) => (&[][..], Some((signers, keys)), None),
            Kept::Sum(sum) => (&[][..], None, Some(sum)),
        };
        let made = verified.into_iter().flat_map(|(signers, keys)| {
            let secret = |key: KeyId| keys.secrets.get(key.0 as usize);
            signers.who.iter().filter_map(move |key| {
                let tag = tag(*secret(key)?, &signers.statement);
                Some(Signature {
                    key,
                    size: keys.size,
                    tag,
                })
            })
        });
        let parts = sum.into_iter();
        let parts = parts.flat_map(|sum| sum.signers().map(|key| sum.part(key)));
        list.iter().copied().chain(made).chain(parts)
    }
    /// The keys whose signatures over `statement` are valid. The caller charges the verifications.
    pub fn valid<'a>(
        &'a self,
        keys: &'a Keyring,
        statement: &'a Digest,
    ) -> impl Iterator<Item = KeyId> {
        let (known, sum) = match &self.0 {
            Kept::Verified(signers, known)
                if signers.statement == *statement
                    && Arc::ptr_eq(&known.secrets, &keys.secrets) =>
            {
                (Some(signers), None)
            }
            Kept::Sum(sum) => (None, Some(sum)),
            _ => (None, None),
        };
        let looked_at = (known.is_none() && sum.is_none()).then(|| {
            let valid = move |s: &Signature| keys.verify(statement, s);
            self.iter().filter(valid).map(|s| s.key)
        });
        let same = std::iter::repeat(*statement);
        let sum = sum.filter(|sum| sum.verify(keys, same));
        let known = known.into_iter().flat_map(|signers| signers.who.iter());
        let summed = sum.into_iter().flat_map(|sum| sum.signers());
        known.chain(looked_at.into_iter().flatten()).chain(summed)
    }
}

impl From<Vec<Signature>> for SignatureSet {
    fn from(list: Vec<Signature>) -> Self {
        Self(Kept::Listed(list))
    }
}

impl FromIterator<Signature> for SignatureSet {
    fn from_iter<I: IntoIterator<Item = Signature>>(list: I) -> Self {
        list.into_iter().collect::<Vec<_>>().into()
    }
}

impl PartialEq for SignatureSet {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kept::Sum(_), _) | (_, Kept::Sum(_)) => self.sum() == other.sum(),
            _ => self.iter().eq(other.iter()),
        }
    }
}
impl Eq for SignatureSet {}

impl fmt::Debug for SignatureSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Signers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.who.iter()).finish()
    }
}
