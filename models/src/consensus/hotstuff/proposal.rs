//! Proposals, the votes for them and the certificates that these make.

use super::config::Group;
use crate::consensus::sync::{decode_option, encode_option, option_len};
use consim_core::chain::Link;
use consim_core::chain::{MAX_SIGNATURES, vote_statement};
use consim_core::codec::{CodecError, Decoder, Encoder};
use consim_core::{
    Aggregate, Batch, Certificate, ChainId, Committed, Digest, KeyId, SecretKey, Signature, TxId,
    Vote,
};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// The kind of the signature of a proposal (sequence 0; the digest is the link's).
pub const PROPOSE: u8 = 1;
/// The kind of timeouts (sequence 0; the digest says how new the signer's highest certificate is).
pub const TIMEOUT: u8 = 2;
/// The kind of checkpoints (view 0; the digest is the state's).
pub const CHECKPOINT: u8 = 3;

/// A proposal: a batch on top of a chain, with the certificate of its parent (`justify` of the paper).
#[derive(Debug)]
pub struct Proposal {
    link: Link,
    id: Digest,
    batch: Arc<Batch>,
    justify: Option<Arc<Certificate>>,
    timeouts: Option<Arc<TimeoutCertificate>>,
    signature: Signature,
    /// The digests that it is said by, where payload travels apart.
    digests: Option<Arc<[Digest]>>,
    ids: OnceLock<Vec<TxId>>,
    committed: OnceLock<(Arc<Certificate>, Arc<Committed>)>,
}

impl Proposal {
    /// A proposal as somebody signed it; nothing is verified.
    pub fn new(
        link: Link,
        batch: Arc<Batch>,
        justify: Option<Arc<Certificate>>,
        timeouts: Option<Arc<TimeoutCertificate>>,
        signature: Signature,
    ) -> Self {
        Self {
            id: link.id(),
            link,
            batch,
            justify,
            timeouts,
            signature,
            digests: None,
            ids: OnceLock::new(),
            committed: OnceLock::new(),
        }
    }
    /// The same, said by the digests of what holds its transactions.
    #[must_use]
    pub fn named(self, digests: Arc<[Digest]>) -> Self {
        Self {
            digests: Some(digests),
            ..self
        }
    }
    /// The digests that it is said by, if payload travels apart and it came that way.
    pub fn digests(&self) -> Option<&Arc<[Digest]>> {
        self.digests.as_ref()
    }
    /// What votes for it sign the digest of.
    pub fn link(&self) -> &Link {
        &self.link
    }
    /// The link's digest.
    pub fn id(&self) -> Digest {
        self.id
    }
    /// Its view.
    pub fn view(&self) -> u64 {
        self.link.view
    }
    /// Its sequence number.
    pub fn sequence(&self) -> u64 {
        self.link.sequence
    }
    /// The batch.
    pub fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }
    /// The certificate of its parent; none if that is the beginning of the chain.
    pub fn justify(&self) -> Option<&Arc<Certificate>> {
        self.justify.as_ref()
    }
    /// The view of its parent.
    pub fn parent_view(&self) -> u64 {
        self.justify.as_ref().map_or(0, |c| c.view)
    }
    /// That the view before failed, unless the parent is of that view.
    pub fn timeouts(&self) -> Option<&Arc<TimeoutCertificate>> {
        self.timeouts.as_ref()
    }
    /// Its author's signature, of kind [`PROPOSE`].
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
    /// The names of its transactions, in order of names.
    pub(super) fn ids(&self) -> &[TxId] {
        self.ids.get_or_init(|| {
            let mut ids: Vec<TxId> = self.batch.txs().iter().map(|tx| tx.id()).collect();
            ids.sort_unstable();
            ids
        })
    }
    /// What it is once the certificate `by` commits it on `chain`. Replicas share a proposal, and mostly the
    /// certificate too: the first makes it for all.
    pub(super) fn committed(
        &self,
        chain: ChainId,
        by: &Arc<Certificate>,
        make: impl Fn() -> Committed,
    ) -> Arc<Committed> {
        let first = || (Arc::clone(by), Arc::new(make()));
        let (of, committed) = self.committed.get_or_init(first);
        if Arc::ptr_eq(of, by) && committed.chain == chain {
            return Arc::clone(committed);
        }
        Arc::new(make())
    }
    /// What its author signs.
    pub fn statement(chain: ChainId, view: u64, id: &Digest) -> Digest {
        vote_statement(chain, PROPOSE, view, 0, id)
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.link.encoded_len()
            + self.batch.encoded_len()
            + option_len(self.justify.as_ref())
            + 1
            + self.timeouts.as_ref().map_or(0, |t| t.encoded_len())
            + self.signature.encoded_len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        self.link.encode(e);
        self.batch.encode(e);
        encode_option(e, self.justify.as_ref());
        encode_timeouts(e, self.timeouts.as_ref());
        self.signature.encode(e);
    }
    /// Reads a proposal; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self::new(
            Link::decode(d)?,
            Arc::new(Batch::decode(d)?),
            decode_option(d)?,
            decode_timeouts(d)?,
            Signature::decode(d)?,
        ))
    }
}

pub(super) fn encode_timeouts(e: &mut Encoder<'_>, timeouts: Option<&Arc<TimeoutCertificate>>) {
    e.u8(u8::from(timeouts.is_some()));
    if let Some(timeouts) = timeouts {
        timeouts.encode(e);
    }
}

pub(super) fn decode_timeouts(
    d: &mut Decoder<'_>,
) -> Result<Option<Arc<TimeoutCertificate>>, CodecError> {
    let timeouts = d
        .boolean()?
        .then(|| TimeoutCertificate::decode(d))
        .transpose()?;
    Ok(timeouts.map(Arc::new))
}

/// A signed vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ballot {
    /// The view.
    pub view: u64,
    /// The link's digest; for a checkpoint the state's.
    pub digest: Digest,
    /// The signature over the statement of kind, view and digest.
    pub signature: Signature,
}

impl Ballot {
    /// Signs a vote of `kind`; the caller charges one signature.
    pub fn sign(chain: ChainId, kind: u8, view: u64, digest: Digest, key: &SecretKey) -> Self {
        Self {
            view,
            digest,
            signature: key.sign(&vote_statement(chain, kind, view, 0, &digest)),
        }
    }
    pub(super) fn vote(&self, kind: u8) -> Vote {
        Vote {
            key: self.signature.key,
            kind,
            view: self.view,
            sequence: 0,
            digest: self.digest,
        }
    }
    pub(super) fn encoded_len(&self) -> usize {
        8 + 32 + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.view).digest(&self.digest);
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            view: d.u64()?,
            digest: d.digest()?,
            signature: Signature::decode(d)?,
        })
    }
}

/// What a timeout says of the view of its signer's highest certificate.
pub(super) fn high_digest(high: u64) -> Digest {
    Digest::of_parts(&[b"consim high 1", &high.to_be_bytes()])
}

/// What the timeout of `view` signs, by one whose highest certificate is of view `high`.
pub(super) fn timeout_statement(chain: ChainId, view: u64, high: u64) -> Digest {
    vote_statement(chain, TIMEOUT, view, 0, &high_digest(high))
}

/// A quorum gave a view up: who, and the view of the highest certificate of each (Jolteon, 3.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeoutCertificate {
    /// The view that failed.
    pub view: u64,
    /// By ascending key.
    pub entries: Vec<(Signature, u64)>,
    /// The sum of the signatures, which is sent in their place where certificates are aggregates.
    pub sum: Option<Aggregate>,
}

impl TimeoutCertificate {
    /// The view of the highest certificate that one of its signers had.
    pub fn high(&self) -> u64 {
        self.entries
            .iter()
            .map(|&(_, high)| high)
            .max()
            .unwrap_or(0)
    }
    /// How many different things its signers said.
    pub(super) fn statements(&self) -> usize {
        let highs: BTreeSet<u64> = self.entries.iter().map(|&(_, high)| high).collect();
        highs.len()
    }
    /// Does it hold valid signatures of a quorum, each signer once? The caller charges them.
    pub(super) fn verify(&self, group: &Group) -> bool {
        let mut last: Option<KeyId> = None;
        let mut sound = self.entries.len() >= group.quorum;
        let statement = |high: u64| timeout_statement(group.chain, self.view, high);
        for (signature, high) in &self.entries {
            sound &= last < Some(signature.key)
                && *high < self.view
                && group.index_of_key(signature.key).is_some()
                && (self.sum.is_some() || group.keys.verify(&statement(*high), signature));
            last = Some(signature.key);
        }
        let statements = self.entries.iter().map(|&(_, high)| statement(high));
        let signers = self.entries.iter().map(|(signature, _)| signature.key);
        let summed =
            |sum: &Aggregate| sum.signers().eq(signers) && sum.verify(&group.keys, statements);
        sound && self.sum.as_ref().is_none_or(summed)
    }
    pub(super) fn encoded_len(&self) -> usize {
        let signed = if let Some(sum) = &self.sum {
            sum.encoded_len() + 8 * self.entries.len()
        } else {
            let entries = self.entries.iter().map(|(s, _)| s.encoded_len() + 8);
            entries.sum()
        };
        8 + 4 + signed
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.view);
        if let Some(sum) = &self.sum {
            sum.encode(e);
            for (_, high) in &self.entries {
                e.u64(*high);
            }
            return;
        }
        e.list(self.entries.len());
        for (signature, high) in &self.entries {
            signature.encode(e);
            e.u64(*high);
        }
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let view = d.u64()?;
        let sum = Aggregate::decode(d)?;
        let entries: Result<_, CodecError> = if let Some(sum) = &sum {
            let entry = |key| Ok((sum.part(key), d.u64()?));
            sum.signers().map(entry).collect()
        } else {
            let n = d.list(MAX_SIGNATURES, Signature::LEAST_ENCODED + 8)?;
            let entry = |_| Ok((Signature::decode(d)?, d.u64()?));
            (0..n).map(entry).collect()
        };
        Ok(Self {
            view,
            entries: entries?,
            sum,
        })
    }
}

/// A member gives a view up.
#[derive(Clone, Debug)]
pub struct Timeout {
    /// The view.
    pub view: u64,
    /// The signature, over the view and that of `high`.
    pub signature: Signature,
    /// Its highest certificate; none at the beginning of the chain.
    pub high: Option<Arc<Certificate>>,
    /// How it came to the view, if not by `high`: the view before failed.
    pub entered: Option<Arc<TimeoutCertificate>>,
    /// Its vote in the view, which the leader of the next may never have passed on.
    pub vote: Option<Ballot>,
}

impl Timeout {
    /// The view of its highest certificate.
    pub fn high_view(&self) -> u64 {
        self.high.as_ref().map_or(0, |c| c.view)
    }
    pub(super) fn encoded_len(&self) -> usize {
        8 + self.signature.encoded_len()
            + option_len(self.high.as_ref())
            + 1
            + self.entered.as_ref().map_or(0, |t| t.encoded_len())
            + 1
            + self.vote.as_ref().map_or(0, Ballot::encoded_len)
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.view);
        self.signature.encode(e);
        encode_option(e, self.high.as_ref());
        encode_timeouts(e, self.entered.as_ref());
        e.u8(u8::from(self.vote.is_some()));
        if let Some(vote) = &self.vote {
            vote.encode(e);
        }
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            view: d.u64()?,
            signature: Signature::decode(d)?,
            high: decode_option(d)?,
            entered: decode_timeouts(d)?,
            vote: d.boolean()?.then(|| Ballot::decode(d)).transpose()?,
        })
    }
}
