//! Tendermint: E. Buchman, J. Kwon and Z. Milosevic, "The latest gossip on BFT consensus", arXiv 1807.04938,
//! 2018. Lines are those of its Algorithm 1.
//!
//! # Group and quorum
//!
//! n members, of which f = floor((n-1)/3) may be faulty. "2f+1" is q = ceil((n+f+1)/2) distinct members, for
//! any n >= 4 (`byzantine_quorum`): 2f+1 where n = 3f+1. Any two quorums share at least f+1 members, so that
//! one of them is correct. `proposer(h, round)` is member (h + round) mod n.
//!
//! # Protocol
//!
//! ```text
//!              height 4, round 0                                      height 5
//!              PROPOSAL          PREVOTE        PRECOMMIT
//!   proposer 0  disk ── x ───┬─────────────────┬─ disk ─ x ──  decided, executed
//!   member 1                 └─ disk ─ x ──────┼─ disk ─ x ──  decided, executed ── PROPOSAL
//!   member 2                 └─ disk ─ x ──────┼─ disk ─ x ──  decided, executed
//!   member 3                 └─ disk ─ x ──────┴─ disk ─ x ──  decided, executed
//!                                      x: multicast to all, once the vote is on disk
//! ```
//!
//! State (lines 1-9): height `h_p`, round `round_p`, step `step_p`; `lockedValue` and `lockedRound`, the last
//! value that was precommitted; `validValue` and `validRound`, the last value that got 2f+1 prevotes.
//!
//! A round begins (`propose.rs`)
//! - Upon StartRound(round) (lines 11-13): the step is *propose*.
//! - Its proposer (lines 14-19) puts `validValue` forward with its 2f+1 prevotes if there is one; else a batch,
//!   once a bound of a block is reached and its time can be told (`times.rs`): with `time: bft` as the median of a
//!   quorum's, with `time: proposer` once its clock is past the time of the block before. It writes it to disk, then multicasts PROPOSAL with its own PREVOTE.
//! - Everybody else (lines 20-21): `timeoutPropose(round)` starts, once something waits.
//!
//! Votes (`voting.rs`); each is on disk, with the lock, before it is multicast
//! - Upon a PROPOSAL of a new value in step *propose* (lines 22-27): PREVOTE it, if it is valid, has the time that
//!   it has to have, is timely with `time: proposer`, and the member is locked on nothing else; else PREVOTE nil.
//!   The step is *prevote*.
//! - Upon a PROPOSAL with the 2f+1 prevotes of an earlier round in step *propose* (lines 28-33): PREVOTE it, if
//!   it is valid and `lockedRound` is not above that round, or it is `lockedValue`; else PREVOTE nil. The step
//!   is *prevote*.
//! - Upon 2f+1 PREVOTE of any kind in step *prevote* (lines 34-35): `timeoutPrevote(round)` starts.
//! - Upon a PROPOSAL and 2f+1 PREVOTE for it (lines 36-43): it is `validValue`; in step *prevote* lock it and
//!   PRECOMMIT it, with `time: bft` with the time. The step is *precommit*.
//! - Upon 2f+1 PREVOTE for nil in step *prevote* (lines 44-46): PRECOMMIT nil. The step is *precommit*.
//! - Upon 2f+1 PRECOMMIT of any kind (lines 47-48): `timeoutPrecommit(round)` starts.
//!
//! Times, with `time: bft` (`times.rs`)
//! - Upon its turn to put a new value forward without the times of a quorum: FETCH-TIME to all.
//! - Upon FETCH-TIME of the height that was decided last: TIME, signed.
//! - Upon TIME: one more; the value is put forward once they are a quorum.
//!
//! Decision (`decide.rs`)
//! - Upon a PROPOSAL and 2f+1 PRECOMMIT for it, of whatever round that is kept (lines 49-54): decide; append it
//!   to the log with its precommits, which are its certificate; execute; forget locks, values and votes;
//!   StartRound(0) of the next height.
//!
//! A round ends in vain (`timeouts.rs`)
//! - Upon f+1 members in a higher round (lines 55-56): StartRound of that.
//! - Upon the end of `timeoutPropose` in step *propose* (lines 57-60): PREVOTE nil. The step is *prevote*.
//! - Upon the end of `timeoutPrevote` in step *prevote* (lines 61-64): PRECOMMIT nil. The step is *precommit*.
//! - Upon the end of `timeoutPrecommit` (lines 65-67): StartRound(round + 1).
//!
//! Transactions (`transactions.rs`)
//! - Upon a transaction submitted here: admit it, send it to all.
//! - Upon FORWARD: verify the signatures, admit what is new.
//! - Upon transactions that wait for too long: send them to all again.
//!
//! What gossip does in the paper (section 2.1), and checkpoints (`catch_up.rs`, `past.rs`, `../sync/`)
//! - Upon no progress while something waits, a restart, or a long quiet: send STATUS.
//! - Upon STATUS of the same height: tell its sender of the votes of its round and of the own, of the own
//!   PROPOSAL, and of `validValue` with its prevotes (POLKA) if it knows an older one.
//! - Upon STATUS of a member that is ahead: ask it for batches, which come with their certificates, or for the
//!   state at a proven checkpoint if it is far ahead.
//! - Upon 2f+1 PRECOMMIT that decide nothing: tell all of the value that got 2f+1 prevotes in this round.
//! - Upon POLKA: verify its prevotes; it is a valid value here, too.
//! - Upon every so many executed: multicast CHECKPOINT with the state's root; with a quorum of the same, it is
//!   stable.
//!
//! Recovery (`recovery.rs`)
//! - Upon recovery: execute the log again, from the state that was taken over if there is one, up to a torn
//!   tail; take votes, lock and valid value of the height under way back; say PROPOSAL and votes again; ask the
//!   others.
//! - Upon recovery with a log of which a record is damaged: cut it off there and fetch what is missing; sign
//!   nothing below the height of the votes.
//! - Upon recovery with a disk that was wiped, that came back from a copy, or of which a record of a promise is
//!   damaged: follow and execute, but sign nothing before two heights more are decided than the others show.
//! - Upon damage that the host found while the replica is up: write again what is in memory.
//!
//! # Deviations
//!
//! 1. Messages go from each member to each other (`spread: direct`), and that everybody gets what anybody got is
//!    brought about by STATUS, votes of others that are passed on, and POLKA. With `spread: gossip` (`gossip/`) they
//!    go from peer to peer, as in CometBFT; there the differences are these. HAS stands for NewRoundStep, HasVote,
//!    NewValidBlock and VoteSetBits, and tells of several votes at once. Votes that a peer lacks come together.
//!    Routines of a node wake in a few turns. Votes beyond a quorum for a value are neither verified nor asked for. A
//!    header carries the proposer's PREVOTE, and the prevotes of a valid value. Who votes signs the block's digest,
//!    and not the root of its parts: COMMIT shows the header that its proposer signed. A PROPOSAL in one piece counts,
//!    too. Times that were signed with precommits are passed on beside them (STAMPS). VoteSetMaj23 is not needed:
//!    who hears another vote of a liar than a quorum did is shown the POLKA or the COMMIT. Peers are those of the beginning; there is no peer exchange. STATUS after a restart, batches and states
//!    of those who are far behind are asked of members directly, as by block sync and state sync.
//! 2. The proposer signs its PREVOTE with its PROPOSAL, one message in place of two: it prevotes what it puts
//!    forward, since `lockedRound` is never above `validRound`. `validRound` is not signed: it is proven.
//! 3. A PROPOSAL of a valid value carries its 2f+1 prevotes, which the paper's receivers heard themselves.
//! 4. The first PROPOSAL of a round that is in order counts; another one is not looked at. Whoever has the
//!    wrong one learns the decision, or the valid value, of others.
//! 5. A valid value may become known in a later round than line 36 has it.
//! 6. There are no empty blocks. `timeoutPropose` runs once something waits here, or f+1 vote in the round; it
//!    is longer by what a transaction may wait for its block. The proposer has it, too.
//! 7. `timeoutPropose`, `timeoutPrevote` and `timeoutPrecommit` grow with the round by a constant, as in
//!    CometBFT, and not for ever. Nobody waits after a decision unless `commit` says so (`timeout_commit` of
//!    CometBFT, 1 s there).
//! 8. Line 55 counts members that said something in a higher round, and not messages of one round.
//! 9. Votes of the last few rounds of a height are kept; on disk are the own ones of the last two rounds, and the
//!    precommits by which the last round began. CometBFT logs all that it hears.
//! 10. The time of a precommit (`times.rs`) is signed apart from it, as certificates here are over one statement, and
//!     is no part of the next block: it comes with a new PROPOSAL, and who has the value with 2f+1 prevotes or
//!     precommits needs it no more. The times that count are those of the members of the next height, as those who
//!     left may be gone. Whoever lacks them, at the first height, after a restart or a change of the members, or as
//!     nothing was decided for long, asks for new ones; a member may sign several, each as its clock says.
//! 11. Checkpoints are voted on as in PBFT; CometBFT leaves snapshots to light clients.
//!     Members and their keys change by what is decided (`../roster.rs`), at the next height; CometBFT's two later.
//! 12. FORWARD, STATUS and the transfers are not signed: the transport authenticates senders.
//!
//! # Accountability
//!
//! If agreement breaks, f+1 of the guilty are found by what correct members said and heard (`evidence.rs`,
//! `sim/check/src/forensics.rs`): they signed two values in one round, or voted against a precommit of theirs although
//! no 2f+1 prevotes let it go.
//!
//! # Why it is safe
//!
//! Two values cannot both have 2f+1 prevotes in one round: their quorums share a correct member, which prevotes
//! once there, and remembers it over a restart. If v is decided in round r, at least q - f correct members are
//! locked on v in r. In the rounds after r they prevote another value only if that has 2f+1 prevotes of a
//! round from r on: not of r, and by induction not of a later one, since a quorum of prevotes without any of
//! these q - f members has n - (q - f) < q members at most. So nothing else gets 2f+1 prevotes, and nothing
//! else is decided. Locks survive restarts, as they are on disk before the precommit is said. `tests/` and the
//! seeded bugs show that each of these rules is needed.

mod attacks;
mod catch_up;
pub mod config;
mod decide;
mod evidence;
mod floor;
pub mod gossip;
mod journal;
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
mod times;
mod transactions;
mod voting;

pub use config::{
    BlockTime, MAX_MESSAGE_DELAY, MAX_PRECISION, Synchrony, TendermintOptions, Terms,
};
pub use replica::TendermintReplica;

use super::ProtocolEntry;
#[cfg(test)]
pub(super) use attacks::speech;

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "tendermint",
    since: "0.1.0",
    help: "Tendermint: one height after the other, a proposer in turn, locks and valid values (Buchman et al. 2018)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    changes_members: true,
    replaces_keys: true,
    defaults: || super::ProtocolOptions::Tendermint(TendermintOptions::default()),
    phases: |_| 3,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
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
    let ballot = message::Ballot::sign(chain, message::PREVOTE, at, at, message::NIL, key);
    std::sync::Arc::new(message::Message {
        chain,
        body: message::Body::Prevote(ballot),
    })
}
