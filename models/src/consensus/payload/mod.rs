//! Payload apart from proposals: what protocols share whose proposals name transactions by digest. Where
//! transactions travel one by one (`Spread::Direct`), a digest names a transaction; where they travel in
//! batches (`Spread::Batches`), it names a batch of one member, which is then the mempool layer of G. Danezis,
//! L. Kokoris-Kogias, A. Sonnino and A. Spiegelman, "Narwhal and Tusk: A DAG-based Mempool and Efficient BFT
//! Consensus", EuroSys 2022 (sections 2 and 3.1), as the implementation of Jolteon has it, too (R. Gelashvili
//! et al., FC 2022, section 5).
//!
//! # Protocol
//!
//! - Upon a bound of a batch being reached (bytes, or the wait of the oldest transaction), once the pause after
//!   the last is over: seal a batch of own transactions, write it to disk and then multicast BATCH. Where time
//!   alone seals nothing, a leader with nothing to propose seals what it has, and so does whoever sees nothing
//!   committed for half of a view's time.
//! - Upon BATCH of a member that keeps within its share of memory: verify its transactions and write it to
//!   disk; once it is there, sign ACKNOWLEDGE to its maker, if anybody is to acknowledge.
//! - A batch may be proposed: by all that have it on disk; where its maker waits for a `quorum`, by its maker
//!   once a quorum has it, the maker included; with `certificate`, by all once the maker has multicast the
//!   signatures of that quorum (AVAILABLE), which proves that f+1 correct members can serve it.
//! - Upon the turn to propose: name what may be proposed and is not yet in flight, the oldest first.
//! - Upon a proposal that names what is not here: FETCH-PAYLOAD from its author, later from others in turn;
//!   the replica votes when everything is here. A proposal waits for its payload over a change of view, and
//!   chains are told by digests, so that no payload travels twice for them.
//! - Upon FETCH-PAYLOAD: PAYLOAD with what is here of it.
//! - Upon an own transaction that waits for too long: multicast its batch again.
//!
//! A transaction may be in batches of two members, where its user asked at both: blocks may then hold it
//! twice, in different batches, and the ledger executes it once (rule R3). Within one block it stands once.
//!
//! Messages of the layer go over connections of their own (`Payload::lane`): no vote waits behind a batch.
//!
//! - `batch.rs`: a batch; `layer.rs`: what a replica has of them; `head.rs`: a proposal's batch by its
//!   digests; `message.rs`: the messages.

mod batch;
mod head;
mod layer;
mod message;

pub use batch::TxBatch;
pub use head::{Head, Parcels, assemble};
pub(in crate::consensus) use layer::{Layer, Taken};
pub use message::{Availability, KINDS, Message};

use consim_core::Span;

/// How transactions reach those who propose them and vote for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// One by one, to everybody.
    Direct,
    /// In batches of the member at which they were submitted.
    Batches(BatchTerms),
}

/// When a batch is sealed, and who may propose it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchTerms {
    /// Bytes of a batch.
    pub bytes: u64,
    /// The longest that the oldest transaction waits for its batch; `None`: until the batch is full, or the
    /// timer of a view is over.
    pub wait: Option<Span>,
    /// From sealing a batch to sealing the next.
    pub pause: Span,
    /// Who has to have it before it is proposed.
    pub acknowledge: Acknowledge,
}

/// Who has to have a batch before it is proposed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acknowledge {
    /// Nobody but the one that proposes it.
    None,
    /// Its maker proposes it once a quorum has it; others, as soon as they have it.
    Quorum,
    /// A quorum, for all, as a certificate shows.
    Certificate,
}

/// The kind of acknowledgements (view and sequence 0; the digest is the batch's).
pub const AVAILABLE: u8 = 0x20;
/// Digests that a message asks for at most (assumed).
pub const MAX_FETCHED: usize = 4_096;
/// Bytes of an answer, unless a single transaction or batch is larger (assumed, as for blocks).
pub const MAX_ANSWER_BYTES: usize = 4 << 20;
/// The bytes of a digest in a proposal.
pub const DIGEST_BYTES: u64 = 32;
/// Ordered batches that are kept to serve those that are behind (assumed).
pub const MAX_SPENT: usize = 256;
