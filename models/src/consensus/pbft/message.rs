//! What replicas send each other, and its wire form.
//!
//! Every message begins with version, family, kind (3 bytes) and the chain (2 bytes).

use super::change::{NewView, ViewChange};
use super::config::MAX_FORWARD;
pub(super) use crate::consensus::proposal::Statements;
use crate::consensus::proposal::{FIRST, SECOND};
use crate::consensus::sync::{MAX_WANTED, decode_option, encode_option, option_len};
pub use crate::consensus::{Ballot, Blocks, Proposal, StateHead, StateParts};
use crate::ledger::state::parts::Prefix;
use consim_core::chain::MAX_SIGNATURES;
use consim_core::{
    Batch, Certificate, ChainId, CodecError, Decoder, Digest, Encoder, Evidence, Handover, Payload,
    Signature, Tx, Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The family byte of PBFT's messages.
pub const FAMILY: u8 = 1;

/// The vote kind of prepares; the primary gives its own with the pre-prepare.
pub const PREPARE: u8 = FIRST;
/// The vote kind of commits, and of the certificates that blocks carry.
pub const COMMIT: u8 = SECOND;
/// The vote kind of checkpoints (view 0; the digest is the state's).
pub const CHECKPOINT: u8 = 3;
/// The vote kind of view changes (sequence 0; the digest is the message's).
pub const VIEW_CHANGE: u8 = 4;
/// The vote kind of new views (sequence 0; the digest is the message's).
pub const NEW_VIEW: u8 = 5;

/// The bytes of version, family, kind and chain.
const HEAD: usize = 3 + 2;

/// A message of one chain.
#[derive(Debug)]
pub struct Message {
    /// The chain.
    pub chain: ChainId,
    /// What it says.
    pub body: Body,
}

/// What a message says. Large bodies are behind `Arc`, because replicas keep and pass them on.
#[derive(Debug)]
pub enum Body {
    /// The primary puts a batch forward (section 4.2).
    PrePrepare(Arc<Proposal>),
    /// A backup accepts a pre-prepare (section 4.2).
    Prepare(Ballot),
    /// A replica has a prepared certificate (section 4.2).
    Commit(Ballot),
    /// A replica has executed up to a checkpoint (section 4.3); `view` is 0, `digest` the state.
    Checkpoint(Ballot),
    /// A replica sees no progress in this view (Zyzzyva, section 4.3: "I hate the primary").
    Suspect {
        /// The view.
        view: u64,
    },
    /// A replica has left for a higher view (section 4.4).
    ViewChange(Arc<ViewChange>),
    /// The primary of a view opens it (section 4.4).
    NewView(Arc<NewView>),
    /// Transactions for the primary, or for everybody after a timeout (section 4.1).
    Forward {
        /// The transactions.
        txs: Vec<Arc<Tx>>,
        /// Do all members get them?
        to_all: bool,
    },
    /// How far a replica is (TOCS 2002: status messages).
    Status(Status),
    /// A replica that is behind asks for committed batches.
    FetchBlocks {
        /// The first sequence number that it wants.
        from: u64,
    },
    /// Committed batches with their certificates.
    Blocks(Blocks),
    /// A replica misses the body of a batch that a new view put forward.
    FetchBatch {
        /// Its sequence number.
        sequence: u64,
        /// Its digest.
        digest: Digest,
    },
    /// A replica misses a view change that a new view names.
    FetchChange {
        /// The view.
        view: u64,
        /// The digest of the view change.
        digest: Digest,
    },
    /// A replica that is far behind asks for parts of the state at a stable checkpoint.
    FetchState {
        /// The checkpoint.
        sequence: u64,
        /// Which subtrees; at first none, to get the head.
        wanted: Vec<Prefix>,
    },
    /// Parts of a state.
    State(StateParts<StateHead>),
    /// The body that was asked for.
    Batch {
        /// Its sequence number.
        sequence: u64,
        /// The body.
        batch: Arc<Batch>,
    },
}

/// How far a replica is.
#[derive(Clone, Debug)]
pub struct Status {
    /// Its view.
    pub view: u64,
    /// Is it in that view (or on its way there)?
    pub active: bool,
    /// The last sequence number that it has executed.
    pub executed: u64,
    /// Its last stable checkpoint.
    pub stable: u64,
    /// Does it want an answer?
    pub ask: bool,
    /// On its way to a view: whose view changes it holds, member 0 in the lowest bit.
    pub holds: Vec<u64>,
    /// The proof of that checkpoint, for a peer that lacks it.
    pub proof: Option<Arc<Certificate>>,
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let chain = ChainId(d.u16()?);
        let body = Body::decode(kind, &mut d)?;
        d.end()?;
        Ok(Self { chain, body })
    }
}

impl Body {
    fn tag(&self) -> u8 {
        match self {
            Self::PrePrepare(_) => 0,
            Self::Prepare(_) => 1,
            Self::Commit(_) => 2,
            Self::Checkpoint(_) => 3,
            Self::Suspect { .. } => 4,
            Self::ViewChange(_) => 5,
            Self::NewView(_) => 6,
            Self::Forward { .. } => 7,
            Self::Status(_) => 8,
            Self::FetchBlocks { .. } => 9,
            Self::Blocks(_) => 10,
            Self::FetchBatch { .. } => 11,
            Self::Batch { .. } => 12,
            Self::FetchChange { .. } => 13,
            Self::FetchState { .. } => 14,
            Self::State(_) => 15,
        }
    }
    fn decode(kind: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(match kind {
            0 => Self::PrePrepare(Arc::new(Proposal::decode(d)?)),
            1 => Self::Prepare(Ballot::decode(d)?),
            2 => Self::Commit(Ballot::decode(d)?),
            3 => Self::Checkpoint(Ballot::decode(d)?),
            4 => Self::Suspect { view: d.u64()? },
            5 => Self::ViewChange(Arc::new(ViewChange::decode(d)?)),
            6 => Self::NewView(Arc::new(NewView::decode(d)?)),
            7 => {
                let to_all = d.boolean()?;
                let n = d.list(MAX_FORWARD, 26 + Signature::LEAST_ENCODED)?;
                let txs = (0..n)
                    .map(|_| Tx::decode(d).map(Arc::new))
                    .collect::<Result<_, _>>()?;
                Self::Forward { txs, to_all }
            }
            8 => Self::Status(Status {
                view: d.u64()?,
                active: d.boolean()?,
                executed: d.u64()?,
                stable: d.u64()?,
                ask: d.boolean()?,
                holds: {
                    let n = d.list(MAX_SIGNATURES.div_ceil(64), 8)?;
                    (0..n).map(|_| d.u64()).collect::<Result<_, _>>()?
                },
                proof: decode_option(d)?,
            }),
            9 => Self::FetchBlocks { from: d.u64()? },
            10 => Self::Blocks(Blocks::decode(d)?),
            11 => Self::FetchBatch {
                sequence: d.u64()?,
                digest: d.digest()?,
            },
            12 => Self::Batch {
                sequence: d.u64()?,
                batch: Arc::new(Batch::decode(d)?),
            },
            13 => Self::FetchChange {
                view: d.u64()?,
                digest: d.digest()?,
            },
            14 => Self::FetchState {
                sequence: d.u64()?,
                wanted: {
                    let n = d.list(MAX_WANTED, 1)?;
                    (0..n)
                        .map(|_| Prefix::decode(d))
                        .collect::<Result<_, _>>()?
                },
            },
            15 => Self::State(StateParts::decode(d)?),
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "pre-prepare",
    "prepare",
    "commit",
    "checkpoint",
    "suspect",
    "view-change",
    "new-view",
    "forward",
    "status",
    "fetch-blocks",
    "blocks",
    "fetch-batch",
    "batch",
    "fetch-change",
    "fetch-state",
    "state",
];

impl Payload for Message {
    fn kind(&self) -> &'static str {
        match &self.body {
            Body::PrePrepare(_) => "pre-prepare",
            Body::Prepare(_) => "prepare",
            Body::Commit(_) => "commit",
            Body::Checkpoint(_) => "checkpoint",
            Body::Suspect { .. } => "suspect",
            Body::ViewChange(_) => "view-change",
            Body::NewView(_) => "new-view",
            Body::Forward { .. } => "forward",
            Body::Status(_) => "status",
            Body::FetchBlocks { .. } => "fetch-blocks",
            Body::Blocks(_) => "blocks",
            Body::FetchBatch { .. } => "fetch-batch",
            Body::Batch { .. } => "batch",
            Body::FetchChange { .. } => "fetch-change",
            Body::FetchState { .. } => "fetch-state",
            Body::State(_) => "state",
        }
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::message(out, FAMILY, self.body.tag());
        e.u16(self.chain.0);
        match &self.body {
            Body::PrePrepare(p) => p.encode(&mut e),
            Body::Prepare(b) | Body::Commit(b) | Body::Checkpoint(b) => b.encode(&mut e),
            Body::Suspect { view } => {
                e.u64(*view);
            }
            Body::ViewChange(change) => change.encode(&mut e),
            Body::NewView(new_view) => new_view.encode(&mut e),
            Body::Forward { txs, to_all } => {
                e.u8(u8::from(*to_all)).list(txs.len());
                for tx in txs {
                    tx.encode(&mut e);
                }
            }
            Body::Status(s) => {
                e.u64(s.view).u8(u8::from(s.active));
                e.u64(s.executed).u64(s.stable).u8(u8::from(s.ask));
                e.list(s.holds.len());
                for word in &s.holds {
                    e.u64(*word);
                }
                encode_option(&mut e, s.proof.as_ref());
            }
            Body::FetchBlocks { from } => {
                e.u64(*from);
            }
            Body::Blocks(blocks) => blocks.encode(&mut e),
            Body::FetchBatch { sequence, digest } => {
                e.u64(*sequence).digest(digest);
            }
            Body::FetchChange { view, digest } => {
                e.u64(*view).digest(digest);
            }
            Body::Batch { sequence, batch } => {
                e.u64(*sequence);
                batch.encode(&mut e);
            }
            Body::FetchState { sequence, wanted } => {
                e.u64(*sequence).list(wanted.len());
                for prefix in wanted {
                    prefix.encode(&mut e);
                }
            }
            Body::State(state) => state.encode(&mut e),
        }
    }
    fn encoded_len(&self) -> usize {
        HEAD + match &self.body {
            Body::PrePrepare(p) => p.encoded_len(),
            Body::Prepare(b) | Body::Commit(b) | Body::Checkpoint(b) => b.encoded_len(),
            Body::Suspect { .. } | Body::FetchBlocks { .. } => 8,
            Body::ViewChange(change) => change.encoded_len(),
            Body::NewView(new_view) => new_view.encoded_len(),
            Body::Forward { txs, .. } => 1 + 4 + txs.iter().map(|t| t.encoded_len()).sum::<usize>(),
            // View, active, executed, stable, ask, whose view changes it holds.
            Body::Status(s) => {
                8 + 1 + 8 + 8 + 1 + 4 + 8 * s.holds.len() + option_len(s.proof.as_ref())
            }
            Body::Blocks(blocks) => blocks.encoded_len(),
            Body::FetchBatch { .. } | Body::FetchChange { .. } => 8 + 32,
            Body::Batch { batch, .. } => 8 + batch.encoded_len(),
            Body::FetchState { wanted, .. } => {
                8 + 4 + wanted.iter().map(Prefix::encoded_len).sum::<usize>()
            }
            Body::State(state) => state.encoded_len(),
        }
    }
    fn votes(&self, each: &mut dyn FnMut(ChainId, Vote)) {
        let each = &mut |vote| each(self.chain, vote);
        match &self.body {
            Body::PrePrepare(p) => each(p.vote()),
            Body::Prepare(b) => each(b.vote(PREPARE)),
            Body::Commit(b) => each(b.vote(COMMIT)),
            Body::Checkpoint(b) => each(b.vote(CHECKPOINT)),
            Body::ViewChange(change) => each(Vote {
                key: change.signature().key,
                kind: VIEW_CHANGE,
                view: change.view(),
                sequence: 0,
                digest: change.digest(),
            }),
            Body::NewView(new_view) => {
                let key = new_view.signature().key;
                let (view, digest) = (new_view.view(), new_view.digest());
                each(Vote {
                    key,
                    kind: NEW_VIEW,
                    view,
                    sequence: 0,
                    digest,
                });
                for (&(digest, signature), i) in new_view.proposals().iter().zip(1..) {
                    each(Vote {
                        key: signature.key,
                        kind: PREPARE,
                        view,
                        sequence: new_view.low().saturating_add(i),
                        digest,
                    });
                }
            }
            _ => {}
        }
    }
    fn evidence(&self, each: &mut dyn FnMut(Evidence)) {
        self.statements(each);
    }
    fn handover(&self) -> Option<Handover> {
        match &self.body {
            Body::ViewChange(_) | Body::NewView(_) => self.handing_over(),
            _ => None,
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
