//! Relays between chains: packets go from one chain to another, and each is received once, whatever relays do. After
//! the channels of IBC (ICS-02, -03 and -04 of the Interchain Standards; C. Goes, "The Interblockchain Communication
//! Protocol", arXiv 2006.15918, 2020); headers are certified apart from consensus, as BEEFY does for the bridges of
//! Polkadot, so that one kind of proof serves every protocol.
//!
//! # Protocol
//!
//! The state machine of each chain (`machine.rs`)
//! - Upon SEND of a member: the packet gets the next number of the neighbour that is its next hop, and stands under
//!   it in the state until it is settled: the outbox.
//! - Upon DELIVER(header, certificate, packets): the header has to be attested by a quorum of those who decide on the
//!   neighbour, as this chain knows them; the outbox under its state root has to hold each packet under its number;
//!   the number must not have been received; the packet's deadline must not have passed. Then the number is marked as
//!   received, and the application gets the packet, or the outbox towards the next hop does. One packet of which this
//!   is not so, and nothing of the transaction counts.
//! - Upon SETTLE(header, certificate, received, late): a number of the outbox that the neighbour's state has received is
//!   done with; so is one that it has not received at a time at which it can no more (a timeout).
//!
//! The server of a member (`service.rs`)
//! - Upon WATCH: for a while the relay is told (NEWS) of each block that put something into the outbox or took it out.
//! - Upon LIST: LISTED, what is in the outbox, with proofs from the last block's state.
//! - Upon WHICH: KNOWN, proofs of whether these numbers were received.
//! - Upon ATTEST: as soon as this block is executed here, ATTESTED, the member's signature of its header.
//!
//! A relay (`process.rs`), for each way from a chain to a neighbour
//! - Upon NEWS, and every so often: LIST of a member of the first chain; upon LISTED, WHICH of a member of the second.
//! - Upon KNOWN: ATTEST of all members of the first chain if there is something to deliver, of the second if there is
//!   something to settle; upon a quorum of ATTESTED, a transaction with DELIVER on the second chain or SETTLE on the first.
//! - Of several relays one is the first to act on a way; each of the others waits its turn, and acts on what is still
//!   there then. A relay keeps nothing on its disk: the outbox says what is to be done.
//!
//! # What a relay does where decisions have no certificates
//!
//! Raft's messages prove nothing, and what makes a block of Clique final is what stands above it. Attestations come
//! from members that executed a block, by when it is final, so that they serve both. As many have to sign as the
//! protocol's quorum: with Raft, which bears no member that lies, it is as good as its members; with Clique, as long as
//! less than half of the signers lie.
//!
//! # Deviations
//!
//! 1. Attestations cost the members a signature and a message for each header that a relay shows, beside consensus. IBC's
//!    light clients verify the commit of the header itself; here decisions do not cover the state (`light/mod.rs`).
//! 2. Ways are unordered, and there is no handshake: who is a neighbour, and who decided there first, stands in the genesis.
//! 3. The members of a chain that relays join do not change (the planner refuses it), so that one list of validators is all
//!    that a chain has to know of a neighbour.
//! 4. A packet over a third chain is settled hop by hop: where it ran out of time beyond the first, its sender is not told.
//! 5. Anybody that a chain's authority certified may be a relay there; nobody pays one.
//! 6. How far the time of a header may be ahead of the block that it is shown in is generous ([`CLOCK_DRIFT`]): the time
//!    of a block may be one of its parent's, as Tendermint's is, and a chain may be idle for hours.

pub mod attack;
mod check;
pub mod machine;
pub mod message;
pub mod packet;
mod process;
mod seeded;
mod service;
mod summary;

#[cfg(test)]
mod tests;

pub use attack::{LyingRelay, RelayLie};
pub use check::{PacketsDelivered, PacketsOnce, Ways, checks};
pub use machine::{Application, Neighbour, PassingOn, RelayMachine};
pub use packet::{ATTESTS, Command, Packet, PacketId};
pub use process::{Relay, RelayConfig, Side};
pub use seeded::BUGS;
pub use service::RelayedService;
pub use summary::{Figures, Summary};

use consim_core::Span;

/// How long after its time the last header of a neighbour that a chain knows is trusted (assumed: two weeks, less than
/// the three of the unbonding period that ICS-07 goes by; our members do not unbond).
pub const TRUSTING_PERIOD: Span = Span::from_secs(14 * 86_400);
/// How far the time of a header may be ahead of the block that it is shown in (assumed).
pub const CLOCK_DRIFT: Span = Span::from_secs(86_400);
