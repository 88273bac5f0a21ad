//! Light clients: they follow a chain by what full nodes show them, and execute nothing. After the light client of
//! CometBFT: spec/light-client/verification (S. Braithwaite et al., "A Tendermint Light Client", arXiv 2010.07031,
//! 2020), spec/light-client/detection and spec/light-client/accountability.
//!
//! # What is shown
//!
//! A *decision*: the head of a batch (proposer, time, Merkle root of the transactions) with the certificate of the
//! quorum that decided it; and what proves who decides there. That is one *link* after the other, the whole blocks in
//! which members changed, each decided by the members before it (sequential verification); or a *skip*, a
//! checkpoint that is signed, among others, by more of the members that the client trusts than its trust level, with the
//! administrator's changes alone and the proof by the checkpoint's state that just these were made (skipping
//! verification). Where members never change it is the certificate alone.
//!
//! # Protocol
//!
//! What is believed (`verifier.rs`, which knows no messages, so that relays between chains can use it)
//! - Upon a proof, with trust that is older than the trusting period: refuse it.
//! - Upon a skip: it has to be signed by a quorum of those who decide at the checkpoint, and by more of the trusted
//!   members than the trust level; the administrator has to have signed the changes, the state to show that each was
//!   executed, one block after the other, and the next one not. Those who decide after it are trusted.
//! - Upon a link: it has to be decided by the members before it, and hold the next change. Those after it are trusted.
//! - Upon a decision: it has to be later than what is known, decided by the members that are trusted then, and not of
//!   the future. It is trusted.
//!
//! Whom it asks (`client.rs`)
//! - Upon the start, and every so often: FETCH the last decision from the primary.
//! - Upon PROOF of the primary: verify it. If it is refused, or shows nothing new, another full node is the
//!   primary; a skip that is refused is fetched again as links. Else FETCH the same decision from the witnesses.
//! - Upon PROOF of a witness: verify it. If it is another decision, the client is attacked: it tells all full nodes
//!   (CONFLICT, the evidence), and believes nobody any more.
//! - Upon the answers of all witnesses, or the next look, if one of them at least showed the same: the decision is
//!   accepted. If none did, another full node is the primary.
//! - Upon a start with `trusted: NODE`: the first proof is that of a node that its operator trusts; neither is it
//!   compared, nor may the genesis be too old for it (initialisation by social consensus).
//! - Upon a start after a crash: go on from what is on the disk.
//!
//! What full nodes do (`proof.rs`)
//! - Upon FETCH: PROOF of the decision, out of the ledger and what the replica has of changes and checkpoints; else
//!   ABSENT.
//!
//! # What our headers do not commit to
//!
//! In CometBFT a header names the hashes of the validators that decide it and of the next ones, the block before it and
//! the state before it, and two thirds of the validators sign all that. Here they sign the number and the digest of
//! a batch, which has proposer, time and transactions. It follows:
//!
//! 1. A decision says nothing of who decides it. A client that was not shown a change of the members takes what a
//!    quorum of those before it signed, for ever: former members, or whoever has their keys, can go on from any block
//!    at which they were a quorum (F3, "back to the past"; K7). Trusting period and witnesses are all there is against it.
//! 2. More than a third of the trusted members prove nothing of a decision, as its votes do not say who the others are.
//!    What one correct member signs of a checkpoint is true, and its state says which changes were executed. So skips go by
//!    checkpoints, and what follows is decided by a quorum of those that they prove.
//! 3. The state says which changes were executed, and not what they were: the administrator's signature does. A skip
//!    needs an administrator that signs one change of a number; phantom validators (F4) need its key, too. The state has
//!    no order within a block, so that changes of one block are not skipped.
//! 4. A decision does not fix the state. Who wants to prove what is in the state needs a checkpoint.
//!
//! # Deviations
//!
//! 1. Verification goes from what is trusted to the last decision, at one go; where a skip fails, all links are fetched.
//!    There is no bisection: changes are few, and only these need be seen.
//! 2. Times need not grow from decision to decision, as those of some protocols here do not; the latest that is
//!    known counts for the trusting period.
//! 3. All members have one vote, and the trust level is a share of their number.
//! 4. Witnesses are full nodes in a row after the primary; none is dropped for good. A primary that shows nothing new is
//!    replaced, as it may keep what is new to itself.
//! 5. Evidence of an attack is heard by full nodes, for the forensics of a run; nobody is punished. What names
//!    the guilty is two signatures of one key over two things of one place: equivocation (F1), and lunatic checkpoints and
//!    headers (F5) of the view of the true one. Amnesia (F2) and what former members signed names nobody.
//! 6. That it was attacked is not kept on the disk: a client that comes back begins with what it trusted before.
//! 7. A light client is not authenticated, and full nodes answer anybody.
//! 8. Chains without certificates of decisions have no light clients: Raft, whose messages prove nothing, and Clique,
//!    where the number of seals above a block is what makes it final.

pub(crate) mod attack;
mod client;
mod marks;
pub mod message;
mod proof;
mod seeded;
mod verifier;

#[cfg(test)]
mod tests;

pub use client::{LightClient, LightConfig};
pub use message::{Body, Message};
pub use proof::{BatchHead, Decision, LightProof, MAX_LINKS, ProvenState, Skip, Wish};
pub use seeded::BUGS;
pub use verifier::{Certified, Refusal, TrustLevel, Trusted, Verifier};

/// The situations in light clients that searches count.
pub const MARKS: &[&consim_core::Mark] = marks::MARKS;
