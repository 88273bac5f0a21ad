//! What full nodes show light clients.

use crate::consensus::{CheckpointHead as _, MemberChange, Replica, StateHead};
use crate::ledger::{ExecutedProof, Ledger, WorldState};
use consim_core::{
    Batch, Certificate, CodecError, Committed, Decoder, Digest, Encoder, KeyId, NodeId, Tx,
};
use std::sync::Arc;

/// Blocks with changes of the members in one proof (as `consensus/roster.rs` sends them).
pub const MAX_LINKS: usize = 32;
/// Changes of the members that one proof skips over (assumed).
const MAX_SKIPPED: usize = 1_024;
/// The least bytes of a block with a certificate.
const LEAST_BLOCK: usize = 100;
/// The least bytes of a transaction.
const LEAST_TX: usize = 26;

/// What the certificate of a decision covers of a batch: all but its transactions, whose Merkle root it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchHead {
    /// Who put it forward.
    pub proposer: NodeId,
    /// Its time, nanoseconds after the Unix epoch.
    pub time_ns: i64,
    /// How many transactions it has.
    pub txs: u64,
    /// The Merkle root of their digests.
    pub tx_root: Digest,
}

impl BatchHead {
    /// The encoded length.
    pub const ENCODED: usize = 4 + 8 + 8 + 32;

    /// That of a batch.
    pub fn of(batch: &Batch) -> Self {
        Self {
            proposer: batch.proposer(),
            time_ns: batch.time_ns(),
            txs: batch.txs().len() as u64,
            tx_root: batch.tx_root(),
        }
    }
    /// The digest of the batch: what its certificate signs.
    pub fn digest(&self) -> Digest {
        Batch::digest_of(self.proposer, self.time_ns, self.txs, &self.tx_root)
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u32(self.proposer.0)
            .u64(self.time_ns.cast_unsigned())
            .u64(self.txs)
            .digest(&self.tx_root);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            proposer: NodeId(d.u32()?),
            time_ns: d.u64()?.cast_signed(),
            txs: d.u64()?,
            tx_root: d.digest()?,
        })
    }
}

/// That a batch was decided (a signed header).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decision {
    /// The batch without its transactions.
    pub head: BatchHead,
    /// Why it is decided; it has the sequence number.
    pub certificate: Certificate,
}

/// What proves at one go who decides after many changes: a checkpoint, whose state says which changes were made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skip {
    /// The last header before the checkpoint, and the root of the state.
    pub head: StateHead,
    /// The proof of the checkpoint; it has the sequence number.
    pub certificate: Certificate,
    /// The changes since what the client knows, in order, as the administrator signed them.
    pub changes: Vec<Arc<Tx>>,
    /// That each of them was executed in that state.
    pub executed: Vec<ExecutedProof>,
    /// That the one after the last was not.
    pub next: ExecutedProof,
}

/// A decision, and what proves who decided it.
#[derive(Clone, Debug)]
pub struct LightProof {
    /// Over changes that are not shown as blocks.
    pub skip: Option<Skip>,
    /// The blocks with the changes after that, one after the other.
    pub links: Vec<Arc<Committed>>,
    /// What was decided.
    pub decision: Decision,
}

/// The last stable checkpoint of a replica, with its state.
#[derive(Clone, Debug)]
pub struct ProvenState {
    /// The proof.
    pub certificate: Arc<Certificate>,
    /// What it covers.
    pub head: Arc<StateHead>,
    /// The state.
    pub state: WorldState,
}

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wish {
    /// The decision of this number; 0 is the last one.
    pub sequence: u64,
    /// The last number that the client has.
    pub trusted: u64,
    /// The last change of the members that it knows.
    pub change: u64,
    /// May changes be skipped?
    pub skipping: bool,
}

impl LightProof {
    /// What a node can show of its chain; `None` if it does not have it.
    pub fn of(
        ledger: &Ledger,
        replica: &dyn Replica,
        administrator: Option<KeyId>,
        wish: &Wish,
    ) -> Option<Self> {
        let block = match wish.sequence {
            0 => ledger.head(),
            sequence => ledger.at_sequence(sequence),
        };
        let mut committed = Arc::clone(&block?.committed);
        let mut links = replica.links(wish.change);
        let whole = links.len() < MAX_LINKS;
        links.retain(|link| link.sequence < committed.sequence);
        let state = replica.proven_state().filter(|_| wish.skipping);
        let skip = state.zip(administrator).and_then(|(state, administrator)| {
            let at = state.certificate.sequence;
            let fits = wish.trusted < at && at < committed.sequence;
            let skipped = links.iter().take_while(|link| link.sequence <= at);
            let skipped = fits.then(|| skipped.count()).filter(|n| *n > 0)?;
            Skip::over(links.drain(..skipped), wish.change, &state, administrator)
        });
        // Of more changes than one message holds the last that it shows is itself what was decided.
        if !whole && let Some(last) = links.pop() {
            committed = last;
        }
        Some(Self {
            skip,
            links,
            decision: Decision {
                head: BatchHead::of(&committed.batch),
                certificate: committed.certificate.clone(),
            },
        })
    }

    /// The sequence number of what was decided.
    pub fn sequence(&self) -> u64 {
        self.decision.certificate.sequence
    }
    /// The digest of the batch that was decided.
    pub fn batch(&self) -> Digest {
        self.decision.certificate.digest
    }
    /// All certificates in it.
    pub fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        let skip = self.skip.iter().map(|skip| &skip.certificate);
        let links = self.links.iter().map(|link| &link.certificate);
        let last = std::iter::once(&self.decision.certificate);
        skip.chain(links).chain(last)
    }

    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let links = self.links.iter().map(|link| link.encoded_len());
        1 + self.skip.as_ref().map_or(0, Skip::encoded_len)
            + 4
            + links.sum::<usize>()
            + BatchHead::ENCODED
            + self.decision.certificate.encoded_len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(u8::from(self.skip.is_some()));
        if let Some(skip) = &self.skip {
            skip.encode(e);
        }
        e.list(self.links.len());
        for link in &self.links {
            link.encode(e);
        }
        self.decision.head.encode(e);
        self.decision.certificate.encode(e);
    }
    /// Reads a proof; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let skip = d.boolean()?.then(|| Skip::decode(d)).transpose()?;
        let n = d.list(MAX_LINKS, LEAST_BLOCK)?;
        let links = (0..n).map(|_| Committed::decode(d).map(Arc::new));
        Ok(Self {
            skip,
            links: links.collect::<Result<_, _>>()?,
            decision: Decision {
                head: BatchHead::decode(d)?,
                certificate: Certificate::decode(d)?,
            },
        })
    }
}

impl Skip {
    /// Over the changes in these blocks, which are all before the checkpoint.
    fn over(
        blocks: impl Iterator<Item = Arc<Committed>>,
        known: u64,
        state: &ProvenState,
        administrator: KeyId,
    ) -> Option<Self> {
        let (mut last, mut changes): (u64, Vec<Arc<Tx>>) = (known, Vec::new());
        for block in blocks {
            for tx in block.batch.txs().iter() {
                let change = MemberChange::of_tx(tx, Some(administrator));
                if change.is_some_and(|change| change.number == last + 1) {
                    last += 1;
                    changes.push(Arc::clone(tx));
                }
            }
        }
        if changes.is_empty() {
            return None;
        }
        let prove = |number| {
            let id = MemberChange::id(administrator, number);
            state.state.prove_executed(id)
        };
        Some(Self {
            head: (*state.head).clone(),
            certificate: (*state.certificate).clone(),
            executed: changes.iter().map(|tx| prove(tx.id().number)).collect(),
            next: prove(last + 1),
            changes,
        })
    }

    /// The encoded length.
    fn encoded_len(&self) -> usize {
        let changes = self.changes.iter().map(|tx| tx.encoded_len());
        let executed = self.executed.iter().map(ExecutedProof::encoded_len);
        self.head.encoded_len()
            + self.certificate.encoded_len()
            + 4
            + changes.chain(executed).sum::<usize>()
            + self.next.encoded_len()
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        self.head.encode(e);
        self.certificate.encode(e);
        e.list(self.changes.len());
        for (tx, proof) in self.changes.iter().zip(&self.executed) {
            tx.encode(e);
            proof.encode(e);
        }
        self.next.encode(e);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (head, certificate) = (StateHead::decode(d)?, Certificate::decode(d)?);
        let n = d.list(MAX_SKIPPED, LEAST_TX)?;
        let (mut changes, mut executed) = (Vec::new(), Vec::new());
        for _ in 0..n {
            changes.push(Arc::new(Tx::decode(d)?));
            executed.push(ExecutedProof::decode(d)?);
        }
        Ok(Self {
            head,
            certificate,
            changes,
            executed,
            next: ExecutedProof::decode(d)?,
        })
    }
}
