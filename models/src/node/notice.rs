//! Notices of whom to believe: certificates that were revoked, authorities that come and go, a node's new
//! certificate.
//!
//! A list of revoked certificates names each by issuer and serial number (RFC 5280, section 5.1). Here the
//! consortium's registrar signs for the authorities, as administrators sign the configuration of a Fabric
//! channel, which holds the roots and the revocation lists of all members (Hyperledger Fabric, "Membership
//! Service Providers").

use super::membership::IdentityCertificate;
use consim_core::{
    ChainId, CodecError, Decoder, Digest, Encoder, KeyId, Keyring, SecretKey, Signature,
};

/// The most certificates that one notice revokes.
pub const MAX_REVOKED: usize = 4_096;
/// The most notices in one message.
pub const MAX_NOTICES: usize = 256;

/// What a node is told of whom to believe from now on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// The number of the change that it is a part of.
    pub change: u64,
    /// Its own number among all of the chain, from 1.
    pub number: u32,
    /// Certificates that hold no more, by issuer and serial number.
    pub revoked: Vec<(KeyId, u64)>,
    /// A shared authority that is believed from now on.
    pub trusted: Option<KeyId>,
    /// A shared authority whose word makes no peers any more.
    pub withdrawn: Option<KeyId>,
    /// The certificate that the receiver shows from now on.
    pub certificate: Option<IdentityCertificate>,
}

/// A notice with the registrar's signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedNotice {
    /// The notice.
    pub notice: Notice,
    signature: Signature,
}

impl Notice {
    /// A notice that says nothing yet.
    pub fn new(change: u64, number: u32) -> Self {
        Self {
            change,
            number,
            revoked: Vec::new(),
            trusted: None,
            withdrawn: None,
            certificate: None,
        }
    }
    /// Signs it for a chain.
    pub fn signed(&self, chain: ChainId, key: &SecretKey) -> SignedNotice {
        SignedNotice {
            notice: self.clone(),
            signature: key.sign(&self.statement(chain)),
        }
    }
    /// What the registrar signs.
    fn statement(&self, chain: ChainId) -> Digest {
        let mut out = Vec::with_capacity(self.encoded_len() + 32);
        let mut e = Encoder::new(&mut out);
        e.raw(b"consim notice 1").u32(u32::from(chain.0));
        self.encode(&mut e);
        Digest::of(&out)
    }
    fn encoded_len(&self) -> usize {
        let key = |key: Option<KeyId>| if key.is_some() { 5 } else { 1 };
        let certificate = self.certificate.as_ref();
        8 + 4
            + 4
            + self.revoked.len() * (4 + 8)
            + key(self.trusted)
            + key(self.withdrawn)
            + 1
            + certificate.map_or(0, IdentityCertificate::encoded_len)
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.change).u32(self.number);
        e.u32(self.revoked.len() as u32);
        for (authority, serial) in &self.revoked {
            e.u32(authority.0).u64(*serial);
        }
        for key in [self.trusted, self.withdrawn] {
            e.u8(u8::from(key.is_some()));
            if let Some(key) = key {
                e.u32(key.0);
            }
        }
        e.u8(u8::from(self.certificate.is_some()));
        if let Some(certificate) = &self.certificate {
            certificate.encode(e);
        }
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut notice = Self::new(d.u64()?, d.u32()?);
        let revoked = d.u32()? as usize;
        if revoked > MAX_REVOKED {
            return Err(CodecError::Invalid("a revocation list"));
        }
        for _ in 0..revoked {
            notice.revoked.push((KeyId(d.u32()?), d.u64()?));
        }
        for key in [&mut notice.trusted, &mut notice.withdrawn] {
            if flag(d)? {
                *key = Some(KeyId(d.u32()?));
            }
        }
        if flag(d)? {
            notice.certificate = Some(IdentityCertificate::decode(d)?);
        }
        Ok(notice)
    }
}

fn flag(d: &mut Decoder<'_>) -> Result<bool, CodecError> {
    match d.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        tag => Err(CodecError::Tag(tag)),
    }
}

impl SignedNotice {
    /// Did the chain's registrar sign it?
    pub fn verify(&self, chain: ChainId, registrar: Option<KeyId>, keys: &Keyring) -> bool {
        registrar == Some(self.signature.key)
            && keys.verify(&self.notice.statement(chain), &self.signature)
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.notice.encoded_len() + self.signature.encoded_len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        self.notice.encode(e);
        self.signature.encode(e);
    }
    /// Reads a notice; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            notice: Notice::decode(d)?,
            signature: Signature::decode(d)?,
        })
    }
}

/// Reads the notices of a message.
pub(super) fn decode_all(d: &mut Decoder<'_>) -> Result<Vec<SignedNotice>, CodecError> {
    let count = d.u32()? as usize;
    if count > MAX_NOTICES {
        return Err(CodecError::Invalid("notices"));
    }
    (0..count).map(|_| SignedNotice::decode(d)).collect()
}
