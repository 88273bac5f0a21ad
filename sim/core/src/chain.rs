//! Transactions, ordered batches, certificates and block headers: the value types that protocols,
//! ledgers and independent checks share.

use crate::codec::{CodecError, Decoder, Encoder};
use crate::disk::Holds;
use crate::seeded;
use crate::{ChainId, Digest, KeyId, Keyring, NodeId, OpId, Payload, Signature, SignatureSet};

mod link;

pub use link::{CHAINED, Link, MAX_LINKS, chained, commits};

use std::any::Any;
use std::sync::{Arc, OnceLock};

/// The most transactions a batch may hold.
pub const MAX_BATCH_TXS: usize = 100_000;
/// The most signatures a certificate may hold.
pub const MAX_SIGNATURES: usize = 10_000;

/// Names a transaction: the node that made it and that node's running number, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TxId {
    /// The node that signed it.
    pub origin: NodeId,
    /// The origin's running number; a retry keeps it.
    pub number: u64,
}

mod cohort;

pub use cohort::{Cohort, MAX_COHORT};

/// A signed transaction. Exists once per run behind `Arc`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tx {
    id: TxId,
    chain: ChainId,
    op: OpId,
    body: Arc<[u8]>,
    cohort: Cohort,
    signature: Signature,
    digest: Digest,
}

impl Tx {
    /// The digest that a transaction's signature covers and that is its Merkle leaf.
    fn digest_of(id: TxId, chain: ChainId, op: OpId, body: &[u8], cohort: Cohort) -> Digest {
        let (domain, many) = cohort.digested();
        Digest::of_parts(&[
            domain,
            &chain.0.to_be_bytes(),
            &id.origin.0.to_be_bytes(),
            &id.number.to_be_bytes(),
            &op.0.to_be_bytes(),
            body,
            &many,
        ])
    }
    /// Makes and signs a transaction. `body` is the state machine's own encoding; the caller
    /// charges one signature and the hashing.
    pub fn new(
        id: TxId,
        chain: ChainId,
        op: OpId,
        body: Arc<[u8]>,
        key: &crate::SecretKey,
    ) -> Self {
        Self::of_cohort(id, chain, op, body, Cohort::ONE, key)
    }
    /// Makes and signs a transaction that stands for many.
    pub fn of_cohort(
        id: TxId,
        chain: ChainId,
        op: OpId,
        body: Arc<[u8]>,
        cohort: Cohort,
        key: &crate::SecretKey,
    ) -> Self {
        let digest = Self::digest_of(id, chain, op, &body, cohort);
        let mut signature = key.sign(&digest);
        if seeded::on(&seeded::SIGNATURES_LEFT_OUT) {
            signature = key.sign(&Digest::ZERO);
        }
        Self {
            id,
            chain,
            op,
            body,
            cohort,
            signature,
            digest,
        }
    }
    /// Who made it, and its number.
    pub fn id(&self) -> TxId {
        self.id
    }
    /// The chain that it is for.
    pub fn chain(&self) -> ChainId {
        self.chain
    }
    /// The operation that it belongs to.
    pub fn op(&self) -> OpId {
        self.op
    }
    /// The command, in the state machine's encoding.
    pub fn body(&self) -> &Arc<[u8]> {
        &self.body
    }
    /// How many it stands for.
    pub fn cohort(&self) -> Cohort {
        self.cohort
    }
    /// How many transactions `txs` stand for.
    pub fn individuals(txs: &[Arc<Self>]) -> u64 {
        txs.iter().map(|tx| u64::from(tx.cohort.count)).sum()
    }
    /// SHA-256 over everything but the signature.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// Who signed.
    pub fn signer(&self) -> KeyId {
        self.signature.key
    }
    /// Is the signature its origin's own? The caller charges one verification.
    pub fn verify(&self, keys: &Keyring) -> bool {
        self.signature.key == KeyId::from(self.id.origin)
            && keys.verify(&self.digest, &self.signature)
    }
    /// The encoded length; of one that stands for many, the sum of theirs.
    pub fn encoded_len(&self) -> usize {
        let head = 2 + 4 + 8 + 8 + 4 + self.signature.encoded_len();
        self.cohort.encoded_len(head, self.body.len())
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u16(self.chain.0)
            .u32(self.id.origin.0)
            .u64(self.id.number)
            .u64(self.op.0);
        if self.cohort.is_one() {
            e.bytes(&self.body);
        } else {
            e.u32(self.body.len() as u32 | Cohort::FLAG)
                .u32(self.cohort.count)
                .u32(self.cohort.bytes)
                .raw(&self.body);
        }
        self.signature.encode(e);
        e.raw(&vec![0; self.filling()]);
    }
    /// Appends what tells it from all others: what its digest is not of is its signature.
    pub fn encode_hashed(&self, e: &mut Encoder<'_>) {
        e.digest(&self.digest);
        self.signature.encode(e);
    }
    /// Reads a transaction; the digest is computed, the signature is not yet checked.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let chain = ChainId(d.u16()?);
        let id = TxId {
            origin: NodeId(d.u32()?),
            number: d.u64()?,
        };
        let op = OpId(d.u64()?);
        let (body, cohort) = Cohort::decode_body(d)?;
        let signature = Signature::decode(d)?;
        let digest = Self::digest_of(id, chain, op, &body, cohort);
        let tx = Self {
            id,
            chain,
            op,
            body,
            cohort,
            signature,
            digest,
        };
        if d.raw(tx.filling())?.iter().any(|&byte| byte != 0) {
            return Err(CodecError::Invalid("filling"));
        }
        Ok(tx)
    }
    /// Zeros behind one that stands for many, up to the length of all.
    fn filling(&self) -> usize {
        if self.cohort.is_one() {
            return 0;
        }
        let real = 2 + 4 + 8 + 8 + 4 + 8 + self.body.len() + self.signature.encoded_len();
        self.encoded_len().saturating_sub(real)
    }
}

/// A list of transactions that a proposer put forward.
#[derive(Debug)]
pub struct Batch {
    proposer: NodeId,
    time_ns: i64,
    txs: Arc<[Arc<Tx>]>,
    tx_root: Digest,
    digest: Digest,
    encoded_len: usize,
    valid: OnceLock<bool>,
}

impl Batch {
    /// A batch; `tx_root` is the Merkle root over the transactions' digests (RFC 6962), which the
    /// ledger computes. `time_ns` is the proposer's wall clock.
    pub fn new(proposer: NodeId, time_ns: i64, txs: Arc<[Arc<Tx>]>, tx_root: Digest) -> Self {
        let digest = Self::digest_of(proposer, time_ns, txs.len() as u64, &tx_root);
        let encoded_len = 4 + 8 + 32 + 4 + txs.iter().map(|tx| tx.encoded_len()).sum::<usize>();
        Self {
            proposer,
            time_ns,
            txs,
            tx_root,
            digest,
            encoded_len,
            valid: OnceLock::new(),
        }
    }
    /// The digest of a batch of which only this much is known.
    pub fn digest_of(proposer: NodeId, time_ns: i64, txs: u64, tx_root: &Digest) -> Digest {
        Digest::of_parts(&[
            b"consim batch 1",
            &proposer.0.to_be_bytes(),
            &time_ns.to_be_bytes(),
            &txs.to_be_bytes(),
            &tx_root.0,
        ])
    }
    /// Who put it forward.
    pub fn proposer(&self) -> NodeId {
        self.proposer
    }
    /// The proposer's wall clock, nanoseconds after the Unix epoch.
    pub fn time_ns(&self) -> i64 {
        self.time_ns
    }
    /// The transactions in order.
    pub fn txs(&self) -> &Arc<[Arc<Tx>]> {
        &self.txs
    }
    /// The claimed Merkle root of the transactions.
    pub fn tx_root(&self) -> Digest {
        self.tx_root
    }
    /// What replicas vote on.
    pub fn digest(&self) -> Digest {
        self.digest
    }
    /// The result of `check`, computed once per batch object and remembered: receivers share the
    /// object, so the real hashing is done once although every node is charged for it.
    pub fn valid_or(&self, check: impl FnOnce(&Self) -> bool) -> bool {
        *self.valid.get_or_init(|| check(self))
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        self.encoded_len
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.proposer.0)
            .u64(self.time_ns as u64)
            .digest(&self.tx_root)
            .list(self.txs.len());
        for tx in self.txs.iter() {
            tx.encode(e);
        }
    }
    /// Reads a batch; the root is as claimed, to be checked against the transactions.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let proposer = NodeId(d.u32()?);
        let time_ns = d.u64()? as i64;
        let tx_root = d.digest()?;
        let n = d.list(MAX_BATCH_TXS, 26 + Signature::LEAST_ENCODED)?;
        let txs: Arc<[Arc<Tx>]> = (0..n)
            .map(|_| Tx::decode(d).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?
            .into();
        Ok(Self::new(proposer, time_ns, txs, tx_root))
    }
}

/// The digest that a vote's signature covers: one domain for every protocol, so that independent
/// checks can verify certificates. `kind` is the protocol's own number of the vote kind.
pub fn vote_statement(
    chain: ChainId,
    kind: u8,
    view: u64,
    sequence: u64,
    digest: &Digest,
) -> Digest {
    Digest::of_parts(&[
        b"consim vote 1",
        &chain.0.to_be_bytes(),
        &[kind],
        &view.to_be_bytes(),
        &sequence.to_be_bytes(),
        &digest.0,
    ])
}

/// Signatures of a quorum over one statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// The vote kind that was signed.
    pub kind: u8,
    /// View, round or term.
    pub view: u64,
    /// Sequence number.
    pub sequence: u64,
    /// The batch digest that was signed.
    pub digest: Digest,
    /// The signatures, by ascending key.
    pub signatures: SignatureSet,
    /// Empty where the batch itself was voted for. In a chain of proposals a batch is committed by votes
    /// for a later one: the links from its own to the one that was voted for.
    pub links: Arc<[Link]>,
}

impl Certificate {
    /// What its signatures are over; `None` if its links do not hang together.
    pub fn statement(&self, chain: ChainId) -> Option<Digest> {
        let of = |view, sequence, digest: Digest| {
            vote_statement(chain, self.kind, view, sequence, &digest)
        };
        let (Some(first), Some(last)) = (self.links.first(), self.links.last()) else {
            return Some(of(self.view, self.sequence, self.digest));
        };
        let own = (first.view, first.sequence, first.batch);
        let sound = own == (self.view, self.sequence, self.digest)
            && commits(&self.links, chained(self.kind)?);
        sound.then(|| of(last.view, 0, last.id()))
    }
    /// Does it hold valid signatures of at least `quorum` distinct members of `members`, and of
    /// nobody else? The caller charges the verifications.
    pub fn verify(
        &self,
        chain: ChainId,
        members: &[NodeId],
        quorum: usize,
        keys: &Keyring,
    ) -> bool {
        let Some(statement) = self.statement(chain) else {
            return false;
        };
        let (mut last, mut count) = (None, 0);
        for key in self.signatures.valid(keys, &statement) {
            if last >= Some(key) || !is_member(members, key) {
                return false;
            }
            last = Some(key);
            count += 1;
        }
        count >= quorum && count == self.signatures.len()
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let links = self.links.iter().map(Link::encoded_len).sum::<usize>();
        let links = chained(self.kind).map_or(0, |_| 4 + links);
        1 + 8 + 8 + 32 + 4 + self.signatures.encoded_len() + links
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(self.kind)
            .u64(self.view)
            .u64(self.sequence)
            .digest(&self.digest);
        self.signatures.encode(e);
        if chained(self.kind).is_some() {
            e.list(self.links.len());
            for link in self.links.iter() {
                link.encode(e);
            }
        }
    }
    /// Reads a certificate; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (kind, view, sequence, digest) = (d.u8()?, d.u64()?, d.u64()?, d.digest()?);
        let signatures = SignatureSet::decode(d)?;
        let links = match chained(kind) {
            Some(_) => d.list(MAX_LINKS, Link::LEAST_ENCODED)?,
            None => 0,
        };
        let links = (0..links)
            .map(|_| Link::decode(d))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            kind,
            view,
            sequence,
            digest,
            signatures,
            links,
        })
    }
}

/// Does the key belong to one of `members`? Quick if their numbers have no gaps.
fn is_member(members: &[NodeId], key: KeyId) -> bool {
    let guess = members.first().and_then(|m| key.0.checked_sub(m.0));
    let hit = guess.and_then(|at| members.get(at as usize));
    hit.is_some_and(|&m| KeyId::from(m) == key) || members.iter().any(|&m| KeyId::from(m) == key)
}

/// A batch with the certificate that commits it at its sequence number.
#[derive(Debug)]
pub struct Committed {
    /// The chain.
    pub chain: ChainId,
    /// The sequence number, from 1, without gaps.
    pub sequence: u64,
    /// The batch.
    pub batch: Arc<Batch>,
    /// Why it is committed.
    pub certificate: Certificate,
}

impl Committed {
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        2 + 8 + self.batch.encoded_len() + self.certificate.encoded_len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u16(self.chain.0).u64(self.sequence);
        self.batch.encode(e);
        self.certificate.encode(e);
    }
    /// Reads a committed batch; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            chain: ChainId(d.u16()?),
            sequence: d.u64()?,
            batch: Arc::new(Batch::decode(d)?),
            certificate: Certificate::decode(d)?,
        })
    }
}

/// What a node's log on disk holds.
impl Payload for Committed {
    fn kind(&self) -> &'static str {
        "committed"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        Self::encode(self, &mut Encoder::new(out));
    }
    fn encoded_len(&self) -> usize {
        Self::encoded_len(self)
    }
    fn holds(&self) -> Option<Holds> {
        Some(Holds::Block(self.chain, self.sequence))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What the bytes of every header begin with.
const HEADER_DOMAIN: &[u8] = b"consim block 1";

/// A block header: every node derives the same one from the same ordered batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// The chain.
    pub chain: ChainId,
    /// The block's height, from 1. Null batches make no block, so heights and sequences may differ.
    pub height: u64,
    /// The sequence number that consensus gave the batch.
    pub sequence: u64,
    /// The id of the block before; zero for the first.
    pub parent: Digest,
    /// The batch digest that the certificate covers.
    pub batch: Digest,
    /// Merkle root of the transactions' digests.
    pub tx_root: Digest,
    /// Root of the state after this block.
    pub state_root: Digest,
    /// Block time: the proposer's wall clock, raised to the parent's time where it was behind.
    pub time_ns: i64,
    /// How many transactions.
    pub tx_count: u32,
}

impl Header {
    /// The bytes that the block's id hashes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::ENCODED);
        let mut e = Encoder::new(&mut out);
        e.raw(HEADER_DOMAIN)
            .u16(self.chain.0)
            .u64(self.height)
            .u64(self.sequence);
        e.digest(&self.parent)
            .digest(&self.batch)
            .digest(&self.tx_root)
            .digest(&self.state_root);
        e.u64(self.time_ns as u64).u32(self.tx_count);
        out
    }
    /// The block's id.
    pub fn id(&self) -> Digest {
        Digest::of(&self.encode())
    }
    /// The encoded length: what begins every header, then its fields.
    pub const ENCODED: usize = HEADER_DOMAIN.len() + 2 + 8 + 8 + 4 * 32 + 8 + 4;
    /// Reads what [`Header::encode`] wrote.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        if d.raw(HEADER_DOMAIN.len())? != HEADER_DOMAIN {
            return Err(CodecError::Invalid("header domain"));
        }
        Ok(Self {
            chain: ChainId(d.u16()?),
            height: d.u64()?,
            sequence: d.u64()?,
            parent: d.digest()?,
            batch: d.digest()?,
            tx_root: d.digest()?,
            state_root: d.digest()?,
            time_ns: d.u64()? as i64,
            tx_count: d.u32()?,
        })
    }
}

/// What executing a transaction came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Receipt {
    /// It changed the state (or was a valid entry of the audit trail).
    Applied,
    /// The same transaction was executed before; nothing happened (rule R3).
    Duplicate,
    /// The state machine refused it, with its reason.
    Refused(&'static str),
}

/// An executed block.
#[derive(Debug)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The header's id.
    pub id: Digest,
    /// The ordered batch and its certificate.
    pub committed: Arc<Committed>,
    /// One receipt per transaction.
    pub receipts: Vec<Receipt>,
}

#[cfg(test)]
mod tests;
