//! BFT-SMaRt: the protocol Mod-SMaRt of J. Sousa and A. Bessani, "From Byzantine Consensus to BFT State
//! Machine Replication: A Latency-Optimal Transformation", EDCC 2012 (algorithms and lines are this paper's),
//! in the form of the library: A. Bessani, J. Sousa and E. Alchieri, "State Machine Replication for the Masses
//! with BFT-SMaRt", DSN 2014. The consensus inside, and the predicates of the synchronisation phase, are those
//! of C. Cachin, "Yet Another Visit to Paxos", IBM Research Report RZ 3754, 2009.
//!
//! # Group and quorum
//!
//! n replicas, of which f = floor((n-1)/3) may be faulty. A proof holds the signatures of
//! q = ceil((n+f+1)/2) distinct members, for any n >= 4 (`byzantine_quorum`; the library's own formula). Any
//! two quorums share at least f+1 members, so that one of them is correct. The leader of regency r is member
//! r mod n.
//!
//! # Protocol
//!
//! ```text
//!            request   PROPOSE     WRITE          ACCEPT
//!   member 3 ─┬──────────────────┬─ x ──────────┬─ x ─────────  decided, executed
//!   leader 0  └─x── disk ── x ───┼──────────────┼─ x ─────────  decided, executed
//!   member 1    x                └─ disk ─ x ───┼─ disk ─ x ──  decided, executed
//!   member 2    x                └─ disk ─ x ───┴─ disk ─ x ──  decided, executed
//!                                       x: multicast to all, once the vote is on disk
//! ```
//!
//! Requests (Algorithm 1, lines 1-4 and 18-22; `transactions.rs`, `regency.rs`)
//! - Upon a request submitted here: admit it, send it to all.
//! - Upon FORWARD: verify the signatures, admit what is new; the timer starts.
//! - Upon requests that time out for the first time: forward them to the leader; the timer starts again.
//! - Upon requests that time out for the second time: STOP, below.
//!
//! Normal phase (Algorithm 1, lines 5-17; DSN 2014, figure 2; `normal.rs`)
//! - Upon a bound of a block being reached at the leader, and nothing being under way: write the PROPOSE with
//!   the batch to disk, then multicast it. Its own WRITE is in it.
//! - Upon PROPOSE of this regency's leader for the consensus under way, the first: validate the batch; write
//!   it to disk; then multicast WRITE.
//! - Upon a quorum of WRITE for what was proposed, which is a write proof: write it to disk; then multicast
//!   ACCEPT.
//! - Upon a quorum of ACCEPT for what was proposed, which is the decision's proof: decide; execute; append it
//!   to the log with its proof. The next consensus is under way.
//! - Upon a message of a consensus still to come: keep it until then.
//!
//! Synchronisation phase (Algorithm 2; `regency.rs`, `sync_phase.rs`, `collect.rs`)
//! - Upon requests that timed out twice, or a regency that does not begin: multicast STOP for the next
//!   regency, with the requests, and go on in this one (lines 1-6).
//! - Upon STOP: admit the requests in it.
//! - Upon f+1 members that ask for a higher regency: ask for it too (line 5).
//! - Upon a quorum of them: that is the regency; stop; write what is brought along to disk: the proof of the
//!   last decision and the write proof for what is not decided; then send STOP-DATA, with the batches of both,
//!   to the regency's leader (lines 7-16). The timer starts, twice as long each time without progress.
//! - Upon STOP-DATA of a quorum at the leader: multicast SYNC with the collects (lines 17-21). All is decided
//!   up to the highest `low` that one of them proves. The consensus after that is *bound* to the value of the
//!   write proof of the highest regency for it, or *unbound* if there is none. The leader puts forward again
//!   what it is bound to.
//! - Upon SYNC: verify every proof in it, and that it puts forward exactly what follows; enter; decide what it
//!   brings of a decision that is missing here; write for the value. An unbound consensus goes on with the
//!   next PROPOSE (lines 22-32).
//!
//! Checkpoints and catching up (DSN 2014, section 3.3; `catch_up.rs`, `past.rs`, `../sync/`)
//! - Upon every so many executed: multicast CHECKPOINT with the state's root; with a quorum of the same, it is
//!   stable.
//! - Upon no progress for a while, a restart, or a long quiet: send STATUS.
//! - Upon STATUS: help a member that is in an older regency with SYNC, or with the own STOP; one that lacks
//!   votes with the own; ask one that is ahead for batches, which come with their proofs, or for the state at a
//!   proven checkpoint if it is far ahead.
//!
//! Other members (DSN 2014, "Reconfiguration"; `regency.rs`, `../roster.rs`)
//! - Upon a change that the chain's administrator signed, as the library's View Manager does: order it as any
//!   request.
//! - Upon the decision of a batch with the next change: hand the chain over. All up to there is decided by the
//!   members before, all that follows by those after. Their first regency begins by itself and unbound; its leader is
//!   who put the batch forward, if that is still a member. Regencies are numbered anew, c times `REGENCIES` on after
//!   change c: STOP, STOP-DATA, SYNC and write proofs of other members mean nothing.
//! - Upon a word of members whom a replica does not know yet: ask; it is shown the batches with changes (LINKS),
//!   each with its proof, and then fetches batches or a state as any other that is behind.
//! - Upon a word of members who handed the chain over: tell how far the chain is, with the proof.
//! - A certificate is judged by the members of its consensus, and by their keys of that time.
//!
//! Recovery (`recovery.rs`)
//! - Upon recovery: execute the log again, from the state that was taken over if there is one, up to a torn
//!   tail; take regency, written value and write proof back; say STOP-DATA or the votes again; ask the others.
//! - Upon recovery with a log of which a record is damaged: cut it off there and fetch what is missing.
//! - Upon recovery with a disk that was wiped, that came back from a copy, or of which a record of a promise is
//!   damaged: follow and execute, but sign nothing before two consensuses more are decided than the others
//!   show; and bring nothing into the regency of that time and the one after.
//! - Upon damage that the host found while the replica is up: write again what is in memory.
//!
//! Clients (DSN 2014, section 3.1; `crate::node::client`, the same for every protocol) wait for the same reply
//! of a quorum, where the service lets them ask several members.
//!
//! # Deviations
//!
//! 1. The leader signs its WRITE with its PROPOSE, one message in place of two that arrive together.
//! 2. WRITE is signed, so that a quorum of it is a proof that anybody can check; the library has MACs there,
//!    and a *write set* of all that a replica wrote, of which f+1 must hold a value before it binds
//!    (`certifiedValue`). With proofs, the collects of any quorum are `sound`, and the leader never waits for
//!    more.
//! 3. A collect proves how far its signer decided. A write proof for consensus s proves that s-1 is decided,
//!    since correct replicas write in s only then; so a replica that lost the end of its log still brings its
//!    write proof along.
//! 4. STOP is not binding, as in the library, which stops with the quorum: a replica that asked for a regency
//!    takes part in its own until then. A STOP counts for twice the patience; who still waits says it again.
//! 5. One timer in two stages for all requests, and not one for each: it starts afresh with each decision,
//!    unless the leader lets others overtake the oldest. With a timer for each, load alone would depose
//!    leaders.
//! 6. SYNC carries a value only if the consensus is bound; else the leader proposes right after it, and only
//!    if something waits: there are no empty blocks.
//! 7. The last decision goes with SYNC for those who lack that one alone; whoever lacks more fetches it, and
//!    takes the value up when it has decided all below.
//! 8. Votes, STOP-DATA and SYNC are on disk before they are sent. The library keeps them in memory, logs
//!    batches, and takes a replica that restarts for a faulty one until its state transfer is over.
//! 9. Whoever lacks a PROPOSE is helped by its leader, or by the decision: no bodies are fetched of others.
//! 10. Checkpoints are voted on as in PBFT. The library compares the states of f+1 replies instead.
//! 11. STOP, STATUS, FORWARD and the transfers are not signed: the transport authenticates senders, and
//!     nobody passes them on.
//! 12. The library goes on with its regency over a change, and stores the new view on its disk; here a regency is
//!     one of one list of members, since a quorum of those before need not share anybody with one of those after.
//!     A joiner begins with batches, and takes a state only if it is far behind. Clients are not told of members
//!     that change, so that they wait for one reply where these do.
//! 13. No speculative form (the library's WHEAT).
//!
//! # Why it is safe
//!
//! Two batches cannot both have write proofs in one consensus and regency: their quorums share a correct
//! member, which writes once there, and remembers it over a restart. If a batch is decided in consensus i and
//! regency r, at least q - f correct members hold its write proof on disk. The SYNC of a later regency holds
//! the collects of a quorum, one of them of such a member, made after it accepted: it neither accepts nor
//! writes in r any more once its collect is on disk. This shows either that i is decided, or the write proof,
//! or one of a higher regency, by induction for the same batch; `low` is not above i then, unless somebody
//! proves i decided; so the regency is bound to it, and every correct member checks that. `tests/` and the
//! seeded bugs show that each of these rules is needed. Over a change of members there is nothing to carry: the
//! members after it write in consensuses that those before it never vote in, and begin when all before is decided.

mod attacks;
mod catch_up;
pub mod collect;
pub mod config;
mod evidence;
mod floor;
mod journal;
mod marks;
pub mod message;
mod normal;
mod past;
mod recovery;
mod regency;
mod replica;
mod seeded;
mod sync_phase;
#[cfg(test)]
mod tests;
mod transactions;

pub use config::{BftSmartOptions, Requests};
pub use replica::BftSmartReplica;

use super::ProtocolEntry;
#[cfg(test)]
pub(super) use attacks::speech;

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "bft-smart",
    since: "0.1.0",
    help: "BFT-SMaRt: Mod-SMaRt over one consensus at a time (Sousa and Bessani 2012; Bessani et al. 2014)",
    byzantine: true,
    least: 4,
    tolerates: super::byzantine_faults,
    quorum: super::byzantine_quorum,
    changes_members: true,
    replaces_keys: true,
    defaults: || super::ProtocolOptions::BftSmart(BftSmartOptions::default()),
    phases: |_| 3,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};

/// A STOP for a regency that nobody is in (see [`super::view_change_spam`]).
pub(super) fn view_change_spam(
    chain: consim_core::ChainId,
    number: u64,
) -> std::sync::Arc<dyn consim_core::Payload> {
    /// Above all regencies that a run comes to.
    const FROM: u64 = 1 << 32;
    std::sync::Arc::new(message::Message {
        chain,
        body: message::Body::Stop {
            regency: FROM + number,
            txs: Vec::new(),
        },
    })
}
