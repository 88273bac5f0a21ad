//! PBFT with signatures: M. Castro and B. Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999
//! (sections below are this paper's) and "Practical Byzantine Fault Tolerance and Proactive
//! Recovery", TOCS 20(4), 2002.
//!
//! # Group and quorum
//!
//! n replicas, of which f = floor((n-1)/3) may be faulty. A certificate holds the signatures of
//! q = ceil((n+f+1)/2) distinct members. Any two quorums share 2q - n >= f+1 members, at least one
//! of them correct; q <= n - f, so that the correct members alone make one. For n = 3f+1 that is
//! the paper's 2f+1; for n = 6 it is 4, where 2f+1 = 3 would let two halves decide apart. The
//! primary of view v is member v mod n.
//!
//! # Protocol
//!
//! ```text
//!            submit   FORWARD  PRE-PREPARE   PREPARE        COMMIT
//!   member 3 ──┬────────────────────────────┬─ x ───────────┬─ x ─────────  executed
//!   primary 0  └─────────────┬── disk ── x ─┼───────────────┼─ x ─────────  executed
//!   member 1                 └──────── disk ┴─ x ────── disk┴─ x ─────────  executed
//!   member 2                 └──────── disk ── x ────── disk── x ─────────  executed
//!                                       x: multicast to all, once the vote is on disk
//! ```
//!
//! Transactions (4.1; `transactions.rs`, `../mempool.rs`)
//! - Upon a transaction submitted here: admit it, forward it to the primary.
//! - Upon FORWARD: verify the signatures, admit what is new; the view timer starts.
//! - Upon a time-out for a transaction in the own charge: send it to everybody.
//!
//! Normal case (4.2; `normal.rs`)
//! - Upon a bound of a block being reached at the primary: write the PRE-PREPARE with the batch
//!   to disk, then multicast it. It is the primary's prepare too.
//! - Upon PRE-PREPARE of this view's primary, between the watermarks, with no other accepted
//!   here: validate the batch; write it to disk; then multicast PREPARE.
//! - Upon a quorum of prepares for the accepted batch (prepared): write the certificate to disk;
//!   then multicast COMMIT.
//! - Upon a quorum of commits for the accepted batch (committed-local): execute it as soon as all
//!   before it are executed; append it to the log with its certificate.
//! - With the option `tentative` (5.1), upon prepared, the certificate on disk and all before it
//!   committed: execute it ahead and tell clients so. Another batch in its place rolls it back.
//!
//! Checkpoints (4.3; `checkpoint.rs`)
//! - Upon every so many executed: multicast CHECKPOINT with the digest of the last block and the root
//!   of the state, which says what was executed too; keep a handle of the state.
//! - Upon a quorum of the same: it is stable; slots and votes up to it are discarded, here and on
//!   disk; the watermarks move.
//!
//! View change (4.4; `view_change.rs`, `new_view.rs`)
//! - Upon nothing executed in time although something waits: multicast SUSPECT, and go on.
//! - Upon f+1 members that suspect this view or have left it: stop, write the VIEW-CHANGE with the
//!   proof of the stable checkpoint and the prepared certificates above it to disk, multicast it.
//! - Upon f+1 members that ask for higher views: the same, for the lowest of these.
//! - Upon a quorum of view changes for this view: the timer starts, twice as long each time
//!   without progress (4.5.2); the new primary writes NEW-VIEW to disk and multicasts it. For each
//!   number above the highest stable checkpoint in it, it puts forward the batch of the prepared
//!   certificate of the highest view, or the null batch.
//! - Upon NEW-VIEW: fetch the view changes that it names and that are not here; verify every
//!   certificate in them, and that it puts forward exactly what they call for; enter; redo the
//!   protocol for that without executing anything twice.
//!
//! Catching up (TOCS 2002, status messages and state transfer; `catch_up.rs`, `recovery.rs`)
//! - Upon no progress for a while, a restart, or a long quiet: send STATUS.
//! - Upon STATUS: help a member that is in an older view with NEW-VIEW, one that lacks votes with
//!   the own; ask one that is ahead for batches.
//! - Upon FETCH-BLOCKS: send committed batches with their certificates, in bounded parts.
//! - Upon BLOCKS: verify and execute each; upon a lie or silence turn to another member.
//! - Upon FETCH-BATCH, BATCH, FETCH-CHANGE: the same for a body that a new view puts forward, and
//!   for a view change that it names.
//! - Upon a proven checkpoint beyond the own window (`transfer.rs`): FETCH-STATE, first the head, then
//!   the parts of the state that the own old state does not have.
//! - Upon STATE: verify the head against the proof, each part against the root; with all of them
//!   the state stands for everything up to the checkpoint; what is wrong is refused, and another
//!   member asked.
//! - Upon recovery: execute the log again, from the state that was taken over if there is one, up
//!   to a torn tail; take view and votes back from disk; say the votes again.
//! - Upon recovery with a log of which a record is damaged: cut it off there and fetch what is
//!   missing like one that is behind.
//! - Upon recovery with a disk that was wiped, that came back from a snapshot, or of which a record of
//!   a vote, a view or a checkpoint is damaged: follow and execute, but sign no vote and no view
//!   change before everything that may have been signed is below a stable checkpoint.
//! - Upon damage that the host found while the replica is up: write again what is in memory.
//!
//! Clients (4.1, 5.1; `crate::node::client`, the same for every protocol)
//! - Upon a reply of f+1 members that executed it for good, or of a quorum that prepared it: done.
//! - Upon a time-out: send to all members.
//!
//! # Deviations
//!
//! 1. SUSPECT before VIEW-CHANGE (R. Kotla et al., "Zyzzyva", SOSP 2007, section 4.3: "I hate the
//!    primary"). In the paper a replica whose timer expires leaves at once and is of no use until
//!    f+1 others follow. Here up to f that were cut off take part again as soon as the cut heals,
//!    and more than f pull all others along. The same rule leads from a view whose NEW-VIEW does
//!    not come to the next one, so that no correct replica runs ahead alone.
//! 2. The primary signs the prepare statement with its pre-prepare: certificates are q signatures
//!    of one statement that anybody can check.
//! 3. Certificates of q instead of 2f+1 votes, for any n >= 4.
//! 4. NEW-VIEW names its view changes by signer and digest, as the journal version does: they went
//!    to everybody, and are large when much was prepared. For the same reason a view change is sent
//!    again only to members whose STATUS shows that they lack it.
//! 5. Votes, view changes and new views are written to disk before they are sent, as the model has
//!    restarts; the paper's replicas never lose their state (TOCS 2002 adds recovery). Writes that
//!    come while one is under way share the next fsync.
//! 6. A replica commits on a quorum of commits and the body, also if it lacks prepares: any quorum
//!    of commits proves that q - f correct ones prepared, as a transferred certificate does.
//! 7. A replica that is behind by no more than the window replays committed batches instead of
//!    copying state, as a node of a chain wants the blocks. What is further behind takes the state and
//!    has no blocks below it. Nothing is discarded from the
//!    log in memory, unless it is told to keep little; what is on disk stays.
//! 8. A node may be its own client: what is submitted there is answered by its own executed blocks.
//!    Clients that are no members are told by all members. Instead of FIFO fairness (4.5.2), the
//!    timer is not restarted any more once the oldest waiting transaction, which everybody has, was
//!    left out of several batches with room for it, or was overtaken by more than a full mempool.
//! 9. The proposer's clock is taken as it is (4.6 would let backups bound it); the ledger keeps
//!    block times from running backwards.
//! 10. A wiped disk is outside the paper's model. Such a replica counts as faulty until its silence
//!     is over: two windows above the highest checkpoint that was proven to it.
//! 11. SUSPECT, STATUS, FORWARD and the transfers are not signed: the transport authenticates
//!     senders, and nobody passes them on.
//! 12. The view timer starts when a quorum has left for this view or a later one (section 4.4 waits for
//!     2f+1 view changes for this view). A member that goes on to the next view replaces its view change by
//!     one for that; those who lacked the former would wait for it without a timer.
//! 13. The group is that of the genesis: the papers have no change of members (OSDI 1999, section 2: "a set of
//!     replicas"), and `changes` is refused with it (E513). BFT-SMaRt is of its kind and has one.
//!
//! # Why it is safe
//!
//! Two batches cannot both prepare at one number in one view: their quorums share a correct
//! member, which prepares once, and remembers it over a restart (PREPARE is on disk before it is
//! sent). If a batch committed at n in view v, at least q - f correct members hold a prepared
//! certificate for it on disk. The view changes of any later view come from a quorum, which shares
//! a correct one of these; it left v after it sent COMMIT, since a vote of a view is neither sent
//! nor accepted after VIEW-CHANGE for a higher one is on disk. So the new view knows a certificate
//! for n of v or a higher view, by induction for the same batch, unless its stable checkpoint
//! covers n; then a quorum has executed n already. `tests/` shows that a quorum of 2f+1 at n = 6,
//! quorums of 2 at n = 4, and a disk that forgets each break this.

mod attacks;
mod catch_up;
pub mod change;
mod checkpoint;
pub mod config;
mod evidence;
mod floor;
mod journal;
mod marks;
pub mod message;
mod new_view;
mod normal;
mod recovery;
mod replica;
pub(super) mod seeded;
mod slots;
#[cfg(test)]
pub(super) mod tests;
mod transactions;
mod transfer;
mod view_change;

pub use config::PbftOptions;
pub use replica::PbftReplica;

use super::ProtocolEntry;
#[cfg(test)]
pub(super) use attacks::speech;

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "pbft",
    since: "0.1.0",
    help: "Practical Byzantine Fault Tolerance (Castro and Liskov 1999)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    changes_members: false,
    replaces_keys: false,
    defaults: || super::ProtocolOptions::Pbft(PbftOptions::default()),
    phases: |_| 3,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// A signed view change for a view that nobody is in, with nothing prepared (see
/// [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
    key: &consim_core::SecretKey,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all views that a run comes to.
    const FROM: u64 = 1 << 32;
    let change = change::ViewChange::sign(chain, FROM + number, None, Vec::new(), key);
    std::sync::Arc::new(message::Message {
        chain,
        body: message::Body::ViewChange(std::sync::Arc::new(change)),
    })
}
