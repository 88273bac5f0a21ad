//! Raft: D. Ongaro and J. Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC
//! 2014 (sections and figures below are the extended version's), and D. Ongaro, "Consensus: Bridging
//! Theory and Practice", Stanford 2014 (the thesis).
//!
//! # Group and quorum
//!
//! n replicas, of which f = floor((n-1)/2) may crash and come back; nobody lies. A majority, floor(n/2)+1,
//! elects and commits; any two share a member. The leader of a term is whoever a majority voted for.
//!
//! # Protocol
//!
//! ```text
//!            submit  FORWARD   APPEND        APPENDED      APPEND (commit)
//!   member 2 ──┬───────────────────┬─ disk ─ x ─────────────┬─ executed
//!   leader 0  └────────┬─ x ───────┼──────── ┴── executed ──┼
//!   member 1           └── disk ── ┴─ disk ─ x ─────────────┴─ executed
//! ```
//!
//! Transactions (`transactions.rs`, `../mempool.rs`)
//! - Upon a transaction submitted here: admit it, forward it to the leader.
//! - Upon FORWARD: verify the signatures, admit what is new.
//! - Upon a bound of a block being reached at the leader: append an entry of its term (replication).
//! - Upon a time-out for a transaction in the own charge: send it to everybody.
//!
//! Elections (5.2, 5.4.1; thesis 3.10, 4.2.3, 6.2, 9.6; `election.rs`)
//! - Upon hearing of the leader of this term or a later one: follow it; start the election timer.
//! - Upon the election timer (the least timeout, and a random part as long as that): ask everybody
//!   whether they would vote for this replica in the next term (PRE-VOTE); upon a majority, begin that
//!   term, write it and the own vote to disk, then multicast REQUEST-VOTE.
//! - Upon PRE-VOTE or REQUEST-VOTE while a leader was heard within the least timeout: no answer.
//! - Upon REQUEST-VOTE of this term, from one whose log is up to date, with no other vote given in it:
//!   write the vote to disk, then send it.
//! - Upon votes of a majority: lead. Append a no-op of this term.
//! - Upon a message of a later term: begin that term, as a follower.
//! - Upon a heartbeat timer: multicast HEARTBEAT; step down if no majority has answered for the least
//!   timeout (check quorum).
//!
//! Replication (5.3, 5.4.2, figure 2; thesis 10.2.1; `replication.rs`)
//! - Upon an entry appended at the leader: write it to disk, and at the same time send it to all.
//! - Upon APPEND whose previous entry is here with the same term: drop what conflicts, append what is
//!   missing, write it to disk, then say APPENDED.
//! - Upon another APPEND: say CONFLICT with the term of the entry that is here, and its first index.
//! - Upon CONFLICT: go back behind that term, and send from there.
//! - Upon APPENDED: if a majority, with the own disk, has an entry of this term: it and all before it
//!   are committed. Hand them up, and tell the others.
//! - Upon the word that the leader committed: hand up as far as the own log is known to agree.
//! - Upon nothing said to what was sent: send it again.
//!
//! Reads (8; thesis 6.4; `read.rs`)
//! - Upon a read at a follower: ask the leader (READ-INDEX).
//! - Upon a read at the leader, once an entry of its term is committed: note what is committed, send a
//!   round of heartbeats; upon a majority's answers the read may be served once so much is executed.
//! - With the option `lease`: a round that a majority answered spares the next ones for nine tenths of the
//!   least election timeout from when it was sent, by the leader's own oscillator. If that is slow, or a
//!   voter's is fast, by more than the tenth that is left, a read may miss what a new leader committed.
//!
//! Snapshots (7, figure 13; `snapshot.rs`)
//! - Upon every so many executed: keep a handle of the state; cut the log in memory below it.
//! - Upon a follower that needs what is cut off: send SNAPSHOT with the head of the state.
//! - Upon SNAPSHOT: ask for the parts that the own old state does not have, some at a time; with all of
//!   them, write the state to disk in place of the log; say APPENDED.
//!
//! Changes of the members (6; thesis 4.2, 4.3; `change.rs`)
//! - Upon a change at the leader, with all before it in force: send the log to who joins, in rounds, until
//!   one takes no longer than an election timeout; then append C_old,new, which holds at once: both
//!   majorities decide.
//! - Upon C_old,new committed: append C_new, and send it to who leaves, too. A leader that is not in it gives
//!   its place away (TIMEOUT-NOW) once it is committed.
//! - Upon C_new committed at one that is not in it: hand what was taken in for clients to the members; take
//!   nothing more in, stand for no election.
//! - Upon PRE-VOTE or REQUEST-VOTE of a node that is no member at the leader: send it the log, so that it
//!   learns that it left.
//!
//! Recovery (`recovery.rs`)
//! - Upon recovery: take term, vote and log back, but for a torn end; execute what is known to be
//!   committed; follow.
//! - Upon recovery with a disk that was wiped, came back from a snapshot, or holds records that cannot be
//!   read: neither vote nor stand before n - q + 1 others have said where the group is, and all that the
//!   leader of the latest of their terms had is here again.
//!
//! # Deviations
//!
//! 1. Entries are batches of transactions, and indices are the sequence numbers of the chain. A no-op and
//!    a configuration are batches without transactions, of which the ledger makes no block.
//! 2. Heartbeats are messages of their own, as in etcd; they are answered before the disk is.
//! 3. Snapshots are fetched by parts that a Merkle root covers, instead of being pushed: what an old state
//!    has already is not sent.
//! 4. The log is cut in memory; the disk keeps it, since a node of a chain keeps its blocks. Who took a
//!    state over has no blocks below it.
//! 5. How far is committed is written along with the next write or the next look at what waits, as in
//!    etcd, so that a replica that comes back knows the blocks that it is sure of.
//! 6. A disk that forgot is outside the paper's model: voting again may elect two leaders of one term.
//!    Such a member counts as one of the f until its silence is over. A vote that it gave, forgot, and
//!    that is counted after the silence is the loss that remains; taking the member out and putting it in
//!    anew, as operators of real systems do, loses the same. A disk that loses what it said was durable,
//!    without a trace, is a traitor to Raft.
//! 7. With leases, a replica that came back gives no vote for the least election timeout: it may have
//!    promised that to a leader.
//! 8. Changes are numbered, and the number of the last one goes with the configuration: who asks for one again
//!    is told what became of it by any leader. A new member may take as many rounds as it needs; nobody gives
//!    it up. A member with an empty disk takes the members of the genesis for its group until it is told
//!    otherwise; where most of these have left, it may be silent for good.
//! 9. Nobody signs but the clients; lines are authenticated. The proposer's clock is taken as it is.
//!
//! # Why it is safe
//!
//! Section 5.4.3. In short: a committed entry is on the disks of a majority; a leader of a later term has
//! the votes of one; who is in both gave its vote to a log at least as up to date as its own, so that the
//! leader has the entry, too. Term, vote and entries are on disk before anybody is told of them, and who
//! has promised a later term no more helps to commit in an earlier one. `tests/` shows that counting
//! entries of earlier terms (figure 8), votes that are forgotten and votes without a look at the log each
//! break this, and so does one member that lies.

mod attacks;
mod change;
pub mod config;
mod election;
mod floor;
mod journal;
pub mod log;
mod marks;
pub mod membership;
pub mod message;
mod progress;
mod read;
mod recovery;
mod replica;
mod replication;
mod seeded;
mod snapshot;
#[cfg(test)]
mod tests;
mod transactions;

pub use config::{RaftOptions, ReadMode};
pub use replica::RaftReplica;

use super::ProtocolEntry;

/// How many members of `n` may crash: floor((n-1)/2).
pub const fn crashes(n: usize) -> usize {
    n.saturating_sub(1) / 2
}

/// A majority of `n`: floor(n/2)+1.
pub const fn majority(n: usize) -> usize {
    n / 2 + 1
}

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "raft",
    since: "0.1.0",
    help: "Raft (Ongaro and Ousterhout 2014): bears crashes, and no member that lies",
    byzantine: false,
    least: 3,
    tolerates: crashes,
    quorum: majority,
    changes_members: true,
    replaces_keys: false,
    defaults: || super::ProtocolOptions::Raft(RaftOptions::default()),
    phases: |_| 2,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// A request for a vote in a term that nobody is in (see [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all terms that a run comes to.
    const FROM: u64 = 1 << 32;
    std::sync::Arc::new(message::Message {
        chain,
        term: FROM + number,
        body: message::Body::RequestVote {
            pre: false,
            transfer: false,
            last: 0,
            last_term: 0,
        },
    })
}
