//! QBFT and IBFT 2.0, the BFT protocols of Hyperledger Besu and `GoQuorum`.
//!
//! - QBFT: H. Moniz, "The Istanbul BFT Consensus Algorithm", arXiv 2002.03613, 2020, whose algorithms and lines are
//!   meant below; Enterprise Ethereum Alliance, "QBFT Blockchain Consensus Protocol Specification v1".
//! - IBFT 2.0: R. Saltini and D. Hyland-Wood, "IBFT 2.0: A Safe and Live Variation of the IBFT Blockchain Consensus
//!   Protocol for Eventually Synchronous Networks", arXiv 1909.10194, 2019.
//!
//! # Group and quorum
//!
//! n members, of which f = floor((n-1)/3) may be faulty. A quorum is q = ceil(2n/3) distinct members, for any
//! n >= 4: any two share at least f+1, so that one of them is correct. `proposer(h, round)` is member
//! (h + round) mod n. Rounds count from 0.
//!
//! # Protocol
//!
//! ```text
//!              height 4, round 0                                    period    height 5
//!              PROPOSAL          PREPARE        COMMIT
//!   proposer 0  disk ── x ───┬────────────────┬─ disk ─ x ──  decided, executed
//!   member 1                 └─ disk ─ x ─────┼─ disk ─ x ──  decided, executed ┈┈┈ PROPOSAL
//!   member 2                 └─ disk ─ x ─────┼─ disk ─ x ──  decided, executed
//!   member 3                 └─ disk ─ x ─────┴─ disk ─ x ──  decided, executed
//!                                     x: multicast to all, once the vote is on disk
//! ```
//!
//! State (Algorithm 1): the height, which is the instance, `r`; `pr` and `pv`, the last round in which it saw a
//! value prepared, and the value; `timer`.
//!
//! Start (`decide.rs`, `propose.rs`; Algorithm 1)
//! - Upon a decision: round 0 of the next height. `t(r)` = timeout * 2^r (`double_timeout`), or timeout.
//! - Its proposer puts a batch forward, once `period` has passed since the time of its parent and a bound of a
//!   block is reached: it writes it to disk, then multicasts PROPOSAL with its own PREPARE.
//! - `timer` runs once something waits; in round 0 from the end of the period on.
//!
//! Votes (`voting.rs`; Algorithm 2); each is on disk before it is multicast
//! - Upon the first PROPOSAL of the proposer of this round, or a higher one, that is justified (lines 1-3): go to
//!   its round; start `timer` anew; PREPARE.
//! - Upon a quorum of PREPARE for it in this round (lines 4-7): it is `pv`, this round is `pr`; COMMIT.
//! - Upon a PROPOSAL and a quorum of COMMIT for it, of whatever round that is kept (lines 8-10): decide; append it
//!   to the log with its commits, the commit seals, which are its certificate; execute.
//!
//! Rounds (`timeouts.rs`, `voting.rs`, `propose.rs`; Algorithm 3)
//! - Upon the end of `timer` (lines 1-4): the next round; start `timer`; multicast ROUND-CHANGE with `pr` and `pv`.
//! - Upon f+1 ROUND-CHANGEs for higher rounds (lines 5-10): the lowest round of these; start `timer`; multicast
//!   ROUND-CHANGE.
//! - Upon a quorum of ROUND-CHANGEs for this round, at its proposer (lines 11-16): put forward `pv` of the highest
//!   `pr` among them, or else a batch of its own, with these ROUND-CHANGEs.
//!
//! Justification (`justify.rs`, `change.rs`; Algorithm 4)
//! - A ROUND-CHANGE with `pr` and `pv` comes with a quorum of PREPARE of round `pr` for `pv`, and with the block.
//! - A PROPOSAL in a round after the first comes with a quorum of ROUND-CHANGEs for it, and holds `pv` of the
//!   highest `pr` among them, if there is one.
//! - QBFT: what is signed of a ROUND-CHANGE is `pr` and the hash of the block; a PROPOSAL holds what is signed, and
//!   the PREPAREs of the highest `pr`. IBFT 2.0: the PREPAREs stand inside what is signed, so that a PROPOSAL holds
//!   those of all.
//! - The hash of a block has the round in it in which it was put forward.
//!
//! Block time (`propose.rs`, `justify.rs`)
//! - A block's time is its proposer's clock, but at least its parent's and `period`; a proposer waits so long by
//!   its clock, and at most `period` from the decision on.
//! - A new block is refused if its time is lower, or more than a second ahead of the clock.
//! - With `empty_period` an empty block is put forward so long after its parent, if nothing came.
//!
//! Transactions (`transactions.rs`)
//! - Upon a transaction submitted here: admit it, send it to all.
//! - Upon FORWARD: verify the signatures, admit what is new.
//! - Upon transactions that wait for too long: send them to all again.
//!
//! Catching up and checkpoints (`catch_up.rs`, `past.rs`, `../sync/`)
//! - Upon no progress while something waits, a restart, or a long quiet: send STATUS.
//! - Upon STATUS of the same height: say the own ROUND-CHANGE, PROPOSAL and votes again to its sender.
//! - Upon STATUS of a member that is ahead: ask it for batches, which come with their commit seals, or for the
//!   state at a proven checkpoint if it is far ahead.
//! - Upon every so many executed: multicast CHECKPOINT with the state's root; with a quorum of the same, it is
//!   stable.
//!
//! Recovery (`recovery.rs`)
//! - Upon recovery: execute the log again, from the state that was taken over if there is one, up to a torn
//!   tail; take round, votes and `pv` of the height under way back and say them again; ask the others.
//! - Upon recovery with a log of which a record is damaged: cut it off there and fetch what is missing; sign
//!   nothing below the height of the votes.
//! - Upon recovery with a disk that lost votes or is empty: sign nothing until all members but f have
//!   shown where the group is, and two more heights are decided.
//! - Upon damage that the host found while the replica is up: write again what is in memory.
//!
//! # Deviations
//!
//! 1. The proposer signs its PREPARE with its PROPOSAL, one message in place of two.
//! 2. PREPARE and COMMIT are for the batch, and name the round beside it; the hash with the round in it stands in
//!    ROUND-CHANGE alone. Signed together, round and batch are what that hash is.
//! 3. The first PROPOSAL of a round that is in order counts; another one is not looked at.
//! 4. There are no empty blocks unless `empty_period` says when (`GoQuorum` and Besu have one each period). An
//!    empty block is decided, and makes no block in the ledger. `timer` runs once something waits here, or f+1 go
//!    to a higher round; it is longer by what a transaction may wait for its block.
//! 5. `timer` doubles [`config::MAX_DOUBLINGS`] times and no more.
//!    With `double_timeout: false` it does not double at all, although it has to (section 4: `t` is exponential): then
//!    up to f members that are some rounds ahead of the others stay so, and if these need them, nothing is decided.
//! 6. Whoever decided does not answer an old ROUND-CHANGE with its commits (Algorithm 5): STATUS leads to them.
//! 7. Commits of the last few rounds of a height are kept; on disk are the own votes of the last two rounds.
//! 8. Besu keeps votes in memory alone. Here they are on disk, so that a restart forgets none.
//! 9. IBFT 2.0, too, follows f+1 ROUND-CHANGEs to a higher round; in Besu it takes a quorum of them.
//! 10. A block whose time is the least that it may be is never refused, however far ahead of the clock that is: so
//!     one that put its block a second ahead does not hold the chain up.
//! 11. Checkpoints are voted on as in PBFT; the clients named leave snapshots to their own sync.
//!     Members and their keys change by what is decided (`../roster.rs`), at the next height.
//! 12. FORWARD, STATUS and the transfers are not signed: the transport authenticates senders.
//!
//! # Why it is safe
//!
//! Two values cannot both have a quorum of PREPARE in one round: the quorums share a correct member, which prepares
//! once there, and remembers it over a restart. If v is decided in round r, a quorum committed it there, and had
//! it prepared in r. A PROPOSAL of a later round needs ROUND-CHANGEs of a quorum; one of these is of a correct
//! member of both, which signed it after its COMMIT, since it signs nothing of a round that it left, so that it
//! says `pr` >= r. By induction the value of the highest `pr` is v. `pr` and `pv` survive restarts, as they are on
//! disk before the COMMIT is said. `tests/` and the seeded bugs show that each of these rules is needed.

mod attacks;
mod catch_up;
pub mod change;
pub mod config;
mod decide;
mod evidence;
mod floor;
mod journal;
mod justify;
mod marks;
pub mod message;
mod past;
mod propose;
mod recovery;
mod replica;
mod rounds;
mod seeded;
#[cfg(test)]
mod tests;
mod timeouts;
mod transactions;
mod voting;

pub use config::{QbftOptions, Variant};
pub use replica::QbftReplica;

use super::ProtocolEntry;
#[cfg(test)]
pub(super) use attacks::speech;

/// The registry line of QBFT.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "qbft",
    since: "0.1.0",
    help: "QBFT: one height after the other at a block period, round changes with justification (Moniz 2020)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: config::quorum,
    changes_members: true,
    replaces_keys: true,
    defaults: || super::ProtocolOptions::Qbft(QbftOptions::of(Variant::Qbft)),
    phases: |_| 3,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// The registry line of IBFT 2.0. Its seeded bugs and marks are QBFT's.
pub const IBFT: ProtocolEntry = ProtocolEntry {
    name: "ibft",
    help: "IBFT 2.0: QBFT's forerunner, with prepared certificates inside round changes (Saltini and Hyland-Wood 2019)",
    defaults: || super::ProtocolOptions::Qbft(QbftOptions::of(Variant::Ibft)),
    bugs: &[],
    marks: &[],
    ..ENTRY
};

/// A vote for a round and a height that nobody is in (see [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
    key: &consim_core::SecretKey,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all heights that a run comes to.
    const FROM: u64 = 1 << 32;
    let at = FROM.saturating_add(number);
    let change = std::sync::Arc::new(change::Change::sign(chain, (at, at), None, None, key));
    let (proof, batch) = (None, None);
    let change = std::sync::Arc::new(change::RoundChange {
        change,
        proof,
        batch,
    });
    std::sync::Arc::new(message::Message {
        chain,
        body: message::Body::RoundChange(change),
    })
}
