//! What goes into the next regency: STOP-DATA and SYNC, signed and encoded, and what follows from them.

use super::config::REGENCIES;
use super::message::{ACCEPT, CHECKPOINT, STOP_DATA, SYNC, WRITE};
use super::seeded;
use crate::consensus::Proposal;
use crate::consensus::sync::{Site, decode_option, encode_option};
use consim_core::chain::{MAX_SIGNATURES, vote_statement};
use consim_core::{
    Batch, Certificate, ChainId, CodecError, Committed, Decoder, Digest, Encoder, NodeId,
    SecretKey, Signature,
};
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

/// The least bytes of an encoded collect.
const COLLECT: usize = 8 + 1 + 1 + Signature::LEAST_ENCODED;

/// What a replica brings into a regency (EDCC 2012, Algorithm 2, line 16; `CollectData` of the
/// implementation): how far it decided, and the write proof that it holds beyond that.
#[derive(Debug)]
pub struct Collect {
    regency: u64,
    decided: Option<Arc<Certificate>>,
    lock: Option<Arc<Certificate>>,
    signature: Signature,
    digest: Digest,
    content_len: usize,
    /// What came of it, for the members of which change and with how many votes.
    valid: OnceLock<((u64, usize), bool)>,
}

/// STOP-DATA: a collect, with the bodies that the new leader may need.
#[derive(Debug)]
pub struct StopData {
    /// What is signed.
    pub collect: Arc<Collect>,
    /// The last decided batch with its proof, if it is here.
    pub decided: Option<Arc<Committed>>,
    /// The batch that the write proof is for.
    pub locked: Option<Arc<Batch>>,
}

/// SYNC: the collects of a quorum and what they call for (Algorithm 2, line 21).
#[derive(Debug)]
pub struct Sync {
    regency: u64,
    collects: Vec<Arc<Collect>>,
    proposal: Option<Arc<Proposal>>,
    signature: Signature,
    digest: Digest,
    /// The last decided batch among those of the collects, for whoever lacks this one alone.
    decided: Option<Arc<Committed>>,
}

/// What collects call for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Called {
    /// Everything up to here is decided.
    pub(super) low: u64,
    /// The value that the consensus after that is bound to; `None`: it is unbound.
    pub(super) bound: Option<Digest>,
}

/// Takes an encoded part back as what a signature covers.
fn content(encode: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut Encoder::new(&mut out));
    out
}

impl Collect {
    /// Signs a collect; the caller charges one signature and the hashing.
    pub fn sign(
        chain: ChainId,
        regency: u64,
        decided: Option<Arc<Certificate>>,
        lock: Option<Arc<Certificate>>,
        key: &SecretKey,
    ) -> Self {
        let (digest, content_len) =
            Self::digest_of(key.id().0, regency, decided.as_ref(), lock.as_ref());
        let signature = key.sign(&vote_statement(chain, STOP_DATA, regency, 0, &digest));
        Self {
            regency,
            decided,
            lock,
            signature,
            digest,
            content_len,
            valid: OnceLock::new(),
        }
    }
    fn digest_of(
        signer: u32,
        regency: u64,
        decided: Option<&Arc<Certificate>>,
        lock: Option<&Arc<Certificate>>,
    ) -> (Digest, usize) {
        let content = content(|e| Self::encode_content(e, regency, decided, lock));
        (
            Digest::of_parts(&[
                b"consim bft-smart collect 1",
                &signer.to_be_bytes(),
                &content,
            ]),
            content.len(),
        )
    }
    fn encode_content(
        e: &mut Encoder<'_>,
        regency: u64,
        decided: Option<&Arc<Certificate>>,
        lock: Option<&Arc<Certificate>>,
    ) {
        e.u64(regency);
        encode_option(e, decided);
        encode_option(e, lock);
    }
    /// The regency that it is for.
    pub fn regency(&self) -> u64 {
        self.regency
    }
    /// The proof of the signer's last decision, or of the checkpoint from which it took its state; none
    /// at the beginning.
    pub fn decided(&self) -> Option<&Arc<Certificate>> {
        self.decided.as_ref()
    }
    /// The write proof that the signer holds for what it has not decided.
    pub fn lock(&self) -> Option<&Arc<Certificate>> {
        self.lock.as_ref()
    }
    /// The signer's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
    /// The digest of all but the signature.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// Up to where everything is decided, as it shows: whoever writes in a consensus has decided the one
    /// before, so that a write proof for one shows that too.
    pub fn reach(&self) -> u64 {
        let decided = self.decided.as_ref().map_or(0, |c| c.sequence);
        let below = self
            .lock
            .as_ref()
            .map_or(0, |c| c.sequence.saturating_sub(1));
        decided.max(below)
    }
    /// How many signatures are to be verified in it.
    pub fn signatures(&self) -> usize {
        let of = |c: &Option<Arc<Certificate>>| c.as_ref().map_or(0, |c| c.signatures.len());
        1 + of(&self.decided) + of(&self.lock)
    }
    /// Is it signed by a member, are its proofs valid, and is the lock of an earlier regency and of what is
    /// not decided? Remembered with the object: receivers share it, so the real work is done once although
    /// each is charged for it.
    pub(super) fn is_valid(&self, site: &Site<'_>) -> bool {
        let by = (site.era.change, site.era.quorum);
        let check = || self.check(site);
        let &(of, valid) = self.valid.get_or_init(|| (by, check()));
        if of == by { valid } else { check() }
    }
    fn check(&self, site: &Site<'_>) -> bool {
        let (era, chain) = (site.era, site.chain);
        let signed = vote_statement(chain, STOP_DATA, self.regency, 0, &self.digest);
        // Whoever had the chain before these may have decided what the signer decided last.
        let of = |sequence: u64| {
            if sequence < era.from {
                site.roster.at(sequence)
            } else {
                era
            }
        };
        let proves = |c: &Certificate| {
            let era = of(c.sequence);
            c.verify(chain, &era.signers, era.quorum, site.keys)
        };
        let decided = self.decided.as_ref();
        let decides = |c: &Arc<Certificate>| {
            let checkpoint = c.kind == CHECKPOINT && c.view == 0;
            let kind = c.kind == ACCEPT || (checkpoint && c.sequence.is_multiple_of(site.interval));
            kind && c.sequence > 0 && proves(c)
        };
        let locks = |c: &Arc<Certificate>| {
            let above = decided.is_none_or(|d| d.sequence < c.sequence);
            c.kind == WRITE
                && c.view < self.regency
                && c.view / REGENCIES == self.regency / REGENCIES
                && c.sequence > 0
                && c.sequence >= era.from
                && above
                && (proves(c) || seeded::on(&seeded::WRITE_PROOF_NOT_CHECKED))
        };
        self.regency / REGENCIES == era.change
            && era
                .signers
                .binary_search(&NodeId(self.signature.key.0))
                .is_ok()
            && site.keys.verify(&signed, &self.signature)
            && decided.is_none_or(decides)
            && self.lock.as_ref().is_none_or(locks)
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.content_len + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        Self::encode_content(e, self.regency, self.decided.as_ref(), self.lock.as_ref());
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let regency = d.u64()?;
        let (decided, lock) = (decode_option(d)?, decode_option(d)?);
        let signature = Signature::decode(d)?;
        let (digest, content_len) =
            Self::digest_of(signature.key.0, regency, decided.as_ref(), lock.as_ref());
        Ok(Self {
            regency,
            decided,
            lock,
            signature,
            digest,
            content_len,
            valid: OnceLock::new(),
        })
    }
}

/// What the collects of a quorum call for: the predicates `bind` and `unbound` (C. Cachin, "Yet Another
/// Visit to Paxos", 2009, section 4.3). With write proofs a value is certified by its proof, so that
/// `quorumHighest` and `certifiedValue` are one: the proof of the highest regency binds, and where nobody has
/// one the consensus is unbound.
pub(super) fn called_for<'a>(collects: impl Iterator<Item = &'a Arc<Collect>> + Clone) -> Called {
    let low = collects.clone().map(|c| c.reach()).max().unwrap_or(0);
    if seeded::on(&seeded::SYNC_IGNORES_BOUND) {
        return Called { low, bound: None };
    }
    let locks = collects.filter_map(|c| c.lock());
    let here = locks.filter(|c| c.sequence == low.saturating_add(1));
    let highest = if seeded::on(&seeded::BIND_TAKES_LOWEST) {
        here.min_by_key(|c| c.view)
    } else {
        here.max_by_key(|c| c.view)
    };
    Called {
        low,
        bound: highest.map(|c| c.digest),
    }
}

fn option_body_len<T>(body: Option<&Arc<T>>, len: impl Fn(&T) -> usize) -> usize {
    1 + body.map_or(0, |body| len(body))
}

fn encode_body<T>(
    e: &mut Encoder<'_>,
    body: Option<&Arc<T>>,
    encode: impl Fn(&T, &mut Encoder<'_>),
) {
    e.u8(u8::from(body.is_some()));
    if let Some(body) = body {
        encode(body, e);
    }
}

fn decode_body<T>(
    d: &mut Decoder<'_>,
    decode: impl Fn(&mut Decoder<'_>) -> Result<T, CodecError>,
) -> Result<Option<Arc<T>>, CodecError> {
    let there = d.boolean()?;
    there.then(|| decode(d).map(Arc::new)).transpose()
}

impl StopData {
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.collect.encoded_len()
            + option_body_len(self.decided.as_ref(), Committed::encoded_len)
            + option_body_len(self.locked.as_ref(), Batch::encoded_len)
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        self.collect.encode(e);
        encode_body(e, self.decided.as_ref(), Committed::encode);
        encode_body(e, self.locked.as_ref(), Batch::encode);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            collect: Arc::new(Collect::decode(d)?),
            decided: decode_body(d, Committed::decode)?,
            locked: decode_body(d, Batch::decode)?,
        })
    }
}

impl Sync {
    /// Signs a SYNC; the caller charges one signature and the hashing.
    pub fn sign(
        chain: ChainId,
        regency: u64,
        collects: Vec<Arc<Collect>>,
        proposal: Option<Arc<Proposal>>,
        decided: Option<Arc<Committed>>,
        key: &SecretKey,
    ) -> Self {
        let digest = Self::digest_of(regency, &collects, proposal.as_ref());
        Self {
            regency,
            collects,
            proposal,
            signature: key.sign(&vote_statement(chain, SYNC, regency, 0, &digest)),
            digest,
            decided,
        }
    }
    fn digest_of(
        regency: u64,
        collects: &[Arc<Collect>],
        proposal: Option<&Arc<Proposal>>,
    ) -> Digest {
        let content = content(|e| {
            e.u64(regency).list(collects.len());
            for collect in collects {
                e.u32(collect.signature.key.0).digest(&collect.digest);
            }
            let value = proposal.map(|p| (p.sequence, p.batch.digest()));
            let (sequence, digest) = value.unwrap_or_default();
            e.u64(sequence).digest(&digest);
        });
        Digest::of_parts(&[b"consim bft-smart sync 1", &content])
    }
    /// The regency that it begins.
    pub fn regency(&self) -> u64 {
        self.regency
    }
    /// The collects.
    pub fn collects(&self) -> &[Arc<Collect>] {
        &self.collects
    }
    /// What it puts forward, if the consensus is bound.
    pub fn proposal(&self) -> Option<&Arc<Proposal>> {
        self.proposal.as_ref()
    }
    /// The last decided batch.
    pub fn decided(&self) -> Option<&Arc<Committed>> {
        self.decided.as_ref()
    }
    /// The leader's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
    /// What the signature covers.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// What its collects call for.
    pub(super) fn called(&self) -> Called {
        called_for(self.collects.iter())
    }
    /// How many signatures are to be verified in it.
    pub fn signatures(&self) -> usize {
        let collects = self.collects.iter().map(|c| c.signatures());
        1 + usize::from(self.proposal.is_some()) + collects.sum::<usize>()
    }
    /// Are its collects those of a quorum, each for this regency? They are verified apart.
    pub(super) fn is_of_quorum(&self, quorum: usize) -> bool {
        let signers: BTreeSet<_> = self.collects.iter().map(|c| c.signature.key).collect();
        signers.len() == self.collects.len()
            && signers.len() >= quorum
            && self.collects.iter().all(|c| c.regency == self.regency)
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let collects = self.collects.iter().map(|c| c.encoded_len());
        8 + 4
            + collects.sum::<usize>()
            + option_body_len(self.proposal.as_ref(), Proposal::encoded_len)
            + self.signature.encoded_len()
            + option_body_len(self.decided.as_ref(), Committed::encoded_len)
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.regency).list(self.collects.len());
        for collect in &self.collects {
            collect.encode(e);
        }
        encode_body(e, self.proposal.as_ref(), Proposal::encode);
        self.signature.encode(e);
        encode_body(e, self.decided.as_ref(), Committed::encode);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let regency = d.u64()?;
        let n = d.list(MAX_SIGNATURES, COLLECT)?;
        let collects = (0..n).map(|_| Collect::decode(d).map(Arc::new));
        let collects: Vec<_> = collects.collect::<Result<_, _>>()?;
        let proposal = decode_body(d, Proposal::decode)?;
        let signature = Signature::decode(d)?;
        let digest = Self::digest_of(regency, &collects, proposal.as_ref());
        Ok(Self {
            regency,
            collects,
            proposal,
            signature,
            digest,
            decided: decode_body(d, Committed::decode)?,
        })
    }
}
