//! The bodies of view changes and new views, signed and encoded.

use super::message::{NEW_VIEW, VIEW_CHANGE};
use crate::consensus::sync::{CERTIFICATE, decode_option, encode_option};
use consim_core::chain::{MAX_SIGNATURES, vote_statement};
use consim_core::{
    Certificate, ChainId, CodecError, Decoder, Digest, Encoder, KeyId, SecretKey, Signature,
};
use std::sync::{Arc, OnceLock};

/// The most certificates that a view change may hold when it is read from bytes.
const MAX_PREPARED: usize = 1 << 20;
/// A prepared certificate: `P` of a view change holds these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Prepared(pub Certificate);

/// A view change.
#[derive(Debug)]
pub struct ViewChange {
    view: u64,
    stable: Option<Arc<Certificate>>,
    prepared: Vec<Arc<Prepared>>,
    signature: Signature,
    digest: Digest,
    content_len: usize,
    valid: OnceLock<(usize, bool)>,
}

/// A new view. It names its view changes, which went to everybody before; a replica that lacks
/// one asks for it (TOCS 2002).
#[derive(Debug)]
pub struct NewView {
    view: u64,
    low: u64,
    changes: Vec<(KeyId, Digest)>,
    proposals: Vec<(Digest, Signature)>,
    signature: Signature,
    digest: Digest,
    content_len: usize,
}

/// Takes an encoded part back as what a signature covers.
fn content(encode: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut Encoder::new(&mut out));
    out
}

impl ViewChange {
    /// Signs a view change; the caller charges one signature and the hashing.
    pub fn sign(
        chain: ChainId,
        view: u64,
        stable: Option<Arc<Certificate>>,
        prepared: Vec<Arc<Prepared>>,
        key: &SecretKey,
    ) -> Self {
        let (digest, content_len) = Self::digest_of(key.id(), view, stable.as_ref(), &prepared);
        let signature = key.sign(&vote_statement(chain, VIEW_CHANGE, view, 0, &digest));
        Self {
            view,
            stable,
            prepared,
            signature,
            digest,
            content_len,
            valid: OnceLock::new(),
        }
    }
    /// What the signature covers: everything before it, and who signs, so that the digest names it.
    fn digest_of(
        signer: KeyId,
        view: u64,
        stable: Option<&Arc<Certificate>>,
        prepared: &[Arc<Prepared>],
    ) -> (Digest, usize) {
        let content = content(|e| Self::encode_content(e, view, stable, prepared));
        (
            Digest::of_parts(&[
                b"consim pbft view change 1",
                &signer.0.to_be_bytes(),
                &content,
            ]),
            content.len(),
        )
    }
    fn encode_content(
        e: &mut Encoder<'_>,
        view: u64,
        stable: Option<&Arc<Certificate>>,
        prepared: &[Arc<Prepared>],
    ) {
        e.u64(view);
        encode_option(e, stable);
        e.list(prepared.len());
        for Prepared(certificate) in prepared.iter().map(|p| &**p) {
            certificate.encode(e);
        }
    }
    /// The view that its sender asks for.
    pub fn view(&self) -> u64 {
        self.view
    }
    /// The proof of the sender's last stable checkpoint; none at the beginning.
    pub fn stable(&self) -> Option<&Arc<Certificate>> {
        self.stable.as_ref()
    }
    /// The sequence number of the sender's last stable checkpoint, as claimed.
    pub fn low(&self) -> u64 {
        self.stable.as_ref().map_or(0, |c| c.sequence)
    }
    /// What was prepared at the sender above that, by ascending sequence number.
    pub fn prepared(&self) -> &[Arc<Prepared>] {
        &self.prepared
    }
    /// The sender's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
    /// The digest of all but the signature.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// How many signatures are to be verified in it.
    pub fn signatures(&self) -> usize {
        1 + self.stable.as_ref().map_or(0, |c| c.signatures.len())
            + self
                .prepared
                .iter()
                .map(|p| p.0.signatures.len())
                .sum::<usize>()
    }
    /// The result of `check` for certificates of `quorum` votes, remembered with the object:
    /// receivers share it, so the real work is done once although each is charged for it.
    pub fn valid_or(&self, quorum: usize, check: impl Fn(&Self) -> bool) -> bool {
        let &(of, valid) = self.valid.get_or_init(|| (quorum, check(self)));
        if of == quorum { valid } else { check(self) }
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.content_len + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        Self::encode_content(e, self.view, self.stable.as_ref(), &self.prepared);
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let view = d.u64()?;
        let stable = decode_option(d)?;
        let n = d.list(MAX_PREPARED, CERTIFICATE)?;
        let prepared: Vec<_> = (0..n)
            .map(|_| Certificate::decode(d).map(|c| Arc::new(Prepared(c))))
            .collect::<Result<_, _>>()?;
        let signature = Signature::decode(d)?;
        let (digest, content_len) =
            Self::digest_of(signature.key, view, stable.as_ref(), &prepared);
        Ok(Self {
            view,
            stable,
            prepared,
            signature,
            digest,
            content_len,
            valid: OnceLock::new(),
        })
    }
}

impl NewView {
    /// Signs a new view; the caller charges one signature and the hashing. `changes` are the view
    /// changes that justify it, by ascending key; `proposals` holds, for each sequence number above
    /// `low` that they call for, the digest and the primary's vote.
    pub fn sign(
        chain: ChainId,
        view: u64,
        low: u64,
        changes: Vec<(KeyId, Digest)>,
        proposals: Vec<(Digest, Signature)>,
        key: &SecretKey,
    ) -> Self {
        let (digest, content_len) = Self::digest_of(view, low, &changes, &proposals);
        let signature = key.sign(&vote_statement(chain, NEW_VIEW, view, 0, &digest));
        Self {
            view,
            low,
            changes,
            proposals,
            signature,
            digest,
            content_len,
        }
    }
    fn digest_of(
        view: u64,
        low: u64,
        changes: &[(KeyId, Digest)],
        proposals: &[(Digest, Signature)],
    ) -> (Digest, usize) {
        let content = content(|e| Self::encode_content(e, view, low, changes, proposals));
        (
            Digest::of_parts(&[b"consim pbft new view 1", &content]),
            content.len(),
        )
    }
    fn encode_content(
        e: &mut Encoder<'_>,
        view: u64,
        low: u64,
        changes: &[(KeyId, Digest)],
        proposals: &[(Digest, Signature)],
    ) {
        e.u64(view).u64(low).list(changes.len());
        for (key, digest) in changes {
            e.u32(key.0).digest(digest);
        }
        e.list(proposals.len());
        for (digest, signature) in proposals {
            e.digest(digest);
            signature.encode(e);
        }
    }
    /// The view that it opens.
    pub fn view(&self) -> u64 {
        self.view
    }
    /// The stable checkpoint that it starts from (`min-s` of the paper).
    pub fn low(&self) -> u64 {
        self.low
    }
    /// The view changes that justify it (`V` of the paper): who signed, and the digest.
    pub fn changes(&self) -> &[(KeyId, Digest)] {
        &self.changes
    }
    /// What it puts forward again, from sequence number `low` + 1 on (`O` of the paper).
    pub fn proposals(&self) -> &[(Digest, Signature)] {
        &self.proposals
    }
    /// The primary's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
    /// The digest of all but the signature.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.content_len + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        Self::encode_content(e, self.view, self.low, &self.changes, &self.proposals);
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (view, low) = (d.u64()?, d.u64()?);
        let n = d.list(MAX_SIGNATURES, 4 + 32)?;
        let changes: Vec<_> = (0..n)
            .map(|_| Ok((KeyId(d.u32()?), d.digest()?)))
            .collect::<Result<_, CodecError>>()?;
        let n = d.list(MAX_PREPARED, 32 + Signature::LEAST_ENCODED)?;
        let proposals: Vec<_> = (0..n)
            .map(|_| Ok((d.digest()?, Signature::decode(d)?)))
            .collect::<Result<_, CodecError>>()?;
        let (digest, content_len) = Self::digest_of(view, low, &changes, &proposals);
        Ok(Self {
            view,
            low,
            changes,
            proposals,
            signature: Signature::decode(d)?,
            digest,
            content_len,
        })
    }
}
