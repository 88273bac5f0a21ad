//! Chained HotStuff: M. Yin, D. Malkhi, M. Reiter, G. Golan Gueta and I. Abraham, "HotStuff: BFT
//! Consensus with Linearity and Responsiveness", PODC 2019 (algorithms 4 and 5 are this paper's), and its
//! form in two phases, Jolteon: R. Gelashvili et al., "Jolteon and Ditto: Network-Adaptive Efficient
//! Consensus with Asynchronous Fallback", FC 2022 (section 3).
//!
//! # Group and quorum
//!
//! n members, of which f = floor((n-1)/3) may be faulty. A certificate holds the signatures of
//! q = ceil((n+f+1)/2) distinct members, for any n >= 4 (`byzantine_quorum`). Any two quorums share at
//! least f+1 members, so that one of them is correct.
//!
//! # Protocol
//!
//! ```text
//!   view          1             2             3             4
//!   proposal    [ tx ] <------ [    ] <------ [    ] <------ [    ]      each shows the certificate of
//!                 |  votes -> QC1 |  votes -> QC2 |  votes -> QC3        the one before: `justify`
//!   commits                                                 tx           three phases: by QC3
//! ```
//!
//! A proposal is voted for by its link (`consim_core::chain::Link`): view, sequence number, parent, batch,
//! and who voted for the parent. In k phases, k links of consecutive views, each certified, commit the
//! first and all that it builds on. The certificate of the last is the proof for each: with the links
//! between it is stored and sent with every committed batch, and anybody can verify it
//! (`consim_core::Certificate::links`).
//!
//! Proposals and votes (Algorithm 4; Jolteon, Figure 2; `voting.rs`, `safety.rs`)
//! - Upon a bound of a block being reached, or transactions being in flight, at the leader of the view:
//!   write a proposal on top of the highest certificate to disk, then multicast it; the leader votes too.
//! - Upon the first PROPOSAL of this view's leader: follow its certificates; fetch what it builds on, if
//!   that is missing; validate it; if it is safe to vote for (below), write proposal, view, lock and highest
//!   certificate to disk, then send VOTE to the leader of the next view.
//! - Upon a quorum of votes for one link: that is a certificate (QC). Signatures of votes are checked one by
//!   one as they come, or all together once they are a quorum, as the paper's implementation does in a pool
//!   of threads (`votes`).
//! - Payload may travel apart (`payload.rs`, `consensus::payload`): a proposal then names its transactions, or
//!   batches of them, by digest; a member that lacks one fetches it before it votes.
//!
//! What is safe to vote for (`safety.rs`): a view above the last in which this replica voted or that it gave
//! up; the parent is of the view before, or the proposal shows that the view before failed and its parent
//! is as high as the highest certificate of those that gave it up; in three phases the parent is of no lower
//! view than the lock (`safeNode`).
//!
//! Certificates (Algorithm 4, lines 21-27; Algorithm 5, `update`; `commit.rs`)
//! - Upon a certificate of a higher view than all before: it is the highest (`genericQC`, `qc_high`); the
//!   parent of what it certifies is locked (the two-chain); the view is over.
//! - Upon certified links of k consecutive views: commit the first and all before it, in order.
//!
//! Pacemaker (Jolteon, 3.2; for three phases too; `pacemaker.rs`)
//! - Upon the view timer, which runs only while something waits: write TIMEOUT to disk and multicast it: the
//!   highest certificate, how this replica came to the view, and its vote in it. No vote in the view after.
//! - Upon TIMEOUT: follow the certificates in it; count the vote in it.
//! - Upon f+1 timeouts of this view: give it up too.
//! - Upon a quorum of timeouts of a view: that is a certificate (TC); on to the next view. Its leader shows
//!   it in its proposal. The timer doubles with each view that failed since the last commit.
//! - Upon a message of an older view: STATUS with the certificates by which this replica came to its own.
//!
//! Leaders (`leader.rs`): `stable`: one until a view of it fails (views are numbered in spans, a failed view
//! leads to the next span); `round-robin`: the next in each view; `reputation`: as long as each view commits
//! something, one of those that voted for the latest proposals, without the authors of the last f (S. Cohen
//! et al., "Be Aware of Your Leaders", FC 2022, algorithm 1); after a view that failed, the next in turn until
//! k consecutive views are certified again.
//!
//! Rest (`voting.rs`): without new transactions, proposals go on, empty, until one has told everybody the
//! certificate that commits the last transactions. Then nothing is said and no timer runs.
//!
//! Catching up (`catch_up.rs`, `checkpoint.rs`, `transfer.rs`, `recovery.rs`)
//! - Upon a certificate or proposal whose parent is not here: FETCH-CHAIN of one that has it; where payload
//!   travels apart, the answer names it by digests (`awaited.rs`).
//! - Upon a STATUS of one that is ahead: FETCH-BLOCKS; committed batches come with their certificates.
//! - Upon every so many executed: CHECKPOINT with the state's root; with a quorum of the same, one that is
//!   far behind takes the state over (FETCH-STATE, STATE) in place of batches that are gone.
//! - Upon recovery: execute the log again; take view, votes, lock and highest certificate back; say vote,
//!   proposal or timeout of the view again; ask the others.
//! - Upon recovery with a disk that was wiped, put back from a copy, or of which a record of a promise is
//!   damaged: follow and execute, but sign nothing before something is committed of a view far above all
//!   that the others are in.
//!
//! # Deviations
//!
//! 1. Views instead of heights with blank nodes (Algorithm 5, `createLeaf`): a proposal's parent is what its
//!    certificate certifies, and consecutive views stand for direct parents, as in DiemBFT.
//! 2. Timeout certificates in the three-phase form too, instead of NEW-VIEW to the next leader alone: the
//!    paper leaves the pacemaker open (section 6).
//! 3. Timeouts carry the vote of their signer (as DiemBFT v4 does), so that the votes of a view are not lost
//!    with the leader of the next. Without it, n = 4 with one member down and a leader in turn would never
//!    have three consecutive views.
//! 4. Votes, proposals and timeouts are on disk before they are sent.
//! 5. Certificates are vectors of signatures, as in the paper's implementation, or aggregates of such (one signature
//!    of the suite and a bit for each member; `certificates.rs`), not threshold signatures. The run keeps the
//!    parts of an aggregate where it was made, and forensics see these; as an aggregate proves of each
//!    signer that it signed, they see no more than it says. Of timeouts, whose statements differ, an aggregate
//!    also has what each signer said. What is checked one by one is not checked again when it is added up.
//! 6. A proposal that goes out to commit what is in flight takes along what waits, although no bound of a
//!    block is reached.
//! 7. Transactions go to the leader where it stays, and to everybody where it changes with each view.
//! 8. Checkpoints, which the papers do not need as they keep no state, are voted on as in PBFT.
//! 9. A wiped disk is outside the papers' models. Such a replica counts as faulty until its silence is over.
//! 10. Payload apart is Narwhal's mempool (`consensus::payload`), not a part of either paper. Batches are on disk
//!     before they are acknowledged; committed blocks are written whole again. A batch that two leaders order in two
//!     blocks is executed once.
//! 11. Reputation looks at what the proposal builds on, committed or not: the parent's digest names it, so that
//!     all who know the parent choose the same. Of what came before a failed view nothing counts, so that one that is away, or
//!     silent, as its disk was wiped, is chosen once at most before it votes again: a view that it does not lead
//!     leaves a gap, and behind a gap its last votes are forgotten. What remains: one that votes and does not
//!     propose stays among those that are chosen (each time it costs a view, and views in turn until something is
//!     committed again); and turns come to one that is away while nothing is committed, as in `round-robin`.
//! 12. With `reputation` one that does not know enough of the latest proposals, as it took a state over, sends
//!     its votes to everybody and takes any member's proposal.
//!
//! # Why it is safe
//!
//! Two proposals of one view cannot both be certified: the quorums share a correct member, which votes once
//! in a view, and remembers it over a restart. Three phases: let b, b', b'' of views v, v+1, v+2 be
//! certified, each the parent of the next. Of the quorum for b'' the correct members lock b (they saw the
//! certificate of b' before they voted). Take the lowest view w > v in which something is certified that does
//! not build on b; w > v+2, as v+1 and v+2 are taken. A correct member voted both for b'' and in w, in this
//! order, so the parent of that is of view >= v and certified; by choice of w it builds on b, or is b, and so
//! does what was certified in w: a contradiction. Two phases: let b, b' of views v and v+1 be certified. A
//! proposal of a higher view with a parent of a view below v shows a quorum that gave a view w > v up. One
//! of it voted for b' and so knew the certificate of b, before it gave w up, since it votes no more in views
//! that it gave up (and w = v+1 gives the votes for b' no quorum unless cast before). So the certificate
//! of timeouts names a view >= v, which the parent must reach. `tests/` and the seeded bugs show that each of
//! these rules is needed.

mod announced;
mod attacks;
mod awaited;
mod catch_up;
mod certificates;
mod checkpoint;
mod commit;
pub mod config;
mod evidence;
mod floor;
mod journal;
mod leader;
mod marks;
pub mod message;
mod pacemaker;
mod payload;
pub mod proposal;
mod recovery;
mod replica;
mod safety;
mod seeded;
#[cfg(test)]
mod tests;
mod transactions;
mod transfer;
mod tree;
mod votes;
mod voting;

pub use config::{Additions, Checks, HotStuffOptions, LeaderRule, Phases};
pub use replica::HotStuffReplica;

use super::ProtocolEntry;

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "hotstuff",
    since: "0.1.0",
    help: "Chained HotStuff in three phases (Yin et al. 2019) or two (Jolteon, Gelashvili et al. 2022)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    changes_members: false,
    replaces_keys: false,
    defaults: || super::ProtocolOptions::HotStuff(HotStuffOptions::default()),
    phases: floor::phases,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// A signed timeout of a view that nobody is in (see [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
    votes: u8,
    key: &consim_core::SecretKey,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all views that a run comes to.
    const FROM: u64 = 1 << 62;
    let view = FROM + number;
    let signature = key.sign(&proposal::timeout_statement(chain, view, 0));
    std::sync::Arc::new(message::Message {
        chain,
        votes,
        body: message::Body::Timeout(std::sync::Arc::new(proposal::Timeout {
            view,
            signature,
            high: None,
            entered: None,
            vote: None,
        })),
    })
}
