//! Clique: P. Szilágyi, "EIP-225: Clique proof-of-authority consensus protocol", 2017, and D. Ferrin, "EIP-3436:
//! Expanded Clique Block Choice Rule", 2021. Where these leave something open it is done as in geth
//! (go-ethereum, `consensus/clique`).
//!
//! # Group
//!
//! n signers, of whom SIGNER_LIMIT = floor(n/2)+1, a majority, have to be up. A signer may seal one block of any
//! SIGNER_LIMIT in a row. It is in turn at height h if h mod n is its index; a block in turn weighs 2 (`DIFF_INTURN`),
//! another one 1 (`DIFF_NOTURN`). Branches are as heavy as their blocks together; the heaviest one counts.
//!
//! # Protocol
//!
//! ```text
//!            t              t + period      t + 2 period          t + 3 period
//!   signer 0 │                   │                │                  [ 12, weight 1 ] ── wiggle ──
//!   signer 1 [ 9 ] ── x ─────────┼────────────────┼──────────────────
//!   signer 2 └───────────────────[ 10 ] ── x ─────┼──────────────────   block 9 is final once so many
//!   signer 3 └───────────────────┴────────────────[ 11 ] ── x ──────   follow it: `confirmations`
//!                                 x: multicast to all, once it is on disk
//! ```
//!
//! A block is sealed (`sealing.rs`)
//! - Upon something that waits for a block, at a signer that sealed none of the last SIGNER_LIMIT - 1: once a period
//!   has passed since the time stamp of the head, the one in turn seals at once, another one after a random part of
//!   SIGNER_LIMIT * 500 ms (`wiggle`). It writes the block to disk, then multicasts BLOCK.
//!
//! A block comes (`receive.rs`)
//! - Upon BLOCK: verify that its sealer is a signer, in turn or not as the weight says, and not too recent; that the
//!   time stamp is a period after the parent's; the seal; that no transaction is on its branch already. Keep it.
//! - Upon BLOCK whose parent is not here: keep it, and FETCH the branch from whoever sent it.
//! - Upon BLOCK whose time stamp is ahead of the clock: keep it until then (30 s at most).
//! - Upon a head that is better than the own one (`tree.rs`): follow it; what is only in blocks that were left waits
//!   again.
//! - Upon a block that `confirmations` blocks of the best branch follow: it is final; hand it up; forget other
//!   branches.
//!
//! Signers (`signers.rs`, `change.rs`)
//! - Upon a change that the administrator asks for, of one node: tell the other signers (PROPOSE); in each own block give one voice
//!   for it, until it is carried.
//! - Upon a block with a voice: with voices of more than half of the signers that list changes from the next block on.
//! - Upon a block whose height is a multiple of `epoch`: forget all voices.
//!
//! Transactions (`transactions.rs`)
//! - Upon a transaction submitted here: admit it, send it to all (FORWARD); again if it waits for too long.
//!
//! Those that lack something (`catch_up.rs`, `read.rs`)
//! - Upon no progress while something waits, a restart, or a long quiet: send STATUS.
//! - Upon STATUS: answer; FETCH the branch of a head that is not here and is no lighter.
//! - Upon FETCH: send a part of the branch (BRANCH).
//! - Upon a read: ask the signers for the last block with transactions that they know of; wait until it is final.
//!
//! Recovery (`recovery.rs`)
//! - Upon recovery: execute what is final again, take the blocks above it back, ask the others.
//! - Upon recovery with a disk that was wiped, came back from a copy, or holds a record that cannot be read: seal
//!   nothing until n - f have shown where the chain is, and nothing below SIGNER_LIMIT blocks above that.
//!
//! # Deviations
//!
//! 1. Finality is not EIP-225's: a user of Clique waits for as many blocks as it trusts. Here a node hands a block up
//!    once `confirmations` follow it, and never undoes it; by default SIGNER_LIMIT, so that a majority of the signers has
//!    built on it. A group in which nobody lies and that is cut in parts keeps to it: a part without a majority seals
//!    floor(n/2) blocks at most. Where messages are lost signers change over between branches, and more blocks of one
//!    may be left: then a deeper depth makes that less likely, and never impossible.
//! 2. If a heavier branch forks off below what is final at a node, the node stays with what it handed up, and seals
//!    upon that. geth would change over and undo what its user took for final. What was handed up differs then, and
//!    the checks say so; the node drops such blocks, and the mark `clique-fork-below-final` counts them.
//! 3. There are no empty blocks in a quiet time (geth seals one each period). As long as a block with transactions or a
//!    voice waits for those that have to follow it, empty ones are sealed. They make no block of the ledger.
//! 4. EIP-225 leaves branches of one weight to the client. `fork_choice: first-seen` stays with the one that came first,
//!    as Besu and others do; `geth` takes the shorter one, else the first (geth tossed a coin there for some years).
//!    Both can stop for good (geth 18402, 24705); `eip-3436` cannot.
//! 5. EIP-3436 prefers the sealer that was in turn least recently, (height - index) mod n being the largest, although
//!    its summary says "most recently"; it is the same rule for all, which is what counts.
//! 6. Blocks go from their sealer to everybody; nobody passes them on but upon FETCH. Bodies go with them.
//! 7. Time stamps are in nanoseconds; a block from the future waits, as in geth, and is refused if it is 30 s ahead.
//! 8. The signer list is not in the blocks of an epoch: who catches up fetches all blocks from the genesis on, or from
//!    what its disk has. Nothing is pruned.
//! 9. Operators would tell each signer to vote (`clique_propose`). Here whoever the administrator asks tells the
//!    others, who believe a member. A voice carries the number of its change.
//! 10. A seal binds its signer to one block upon one parent: two seals upon one parent are double signing, and are
//!     evidence. Two seals of one height upon two parents are not: a signer that changes over to a better branch may
//!     rightly seal that height again. So a clone of a signer that serves two branches leaves no evidence once these have
//!     parted: only the first two blocks upon the same parent, if it sealed both, show it.
//! 11. FORWARD, STATUS, reads and PROPOSE are not signed: the transport authenticates senders.
//!
//! # Why it is safe, and when not
//!
//! Of floor(n/2) signers each may seal once before it has to wait for others, so that a part without a majority makes
//! floor(n/2) blocks at most; the default of `confirmations` is one more. That holds while every signer seals upon one
//! branch at a time. A signer with two machines and one key (P. Ekparinya, V. Gramoli and G. Jourjon, "The Attack of
//! the Clones against Proof-of-Authority", NDSS 2020) gives both parts its seal: of n = 2k+1 one clone, of n = 2k two
//! are enough for a majority on either side of a cut, and both branches grow without bound. No depth helps.
//! `byzantine` is false: commits are signed by one, and no quorum tells a liar.

mod attacks;
pub mod block;
mod catch_up;
mod change;
pub mod config;
mod floor;
mod marks;
pub mod message;
mod read;
mod receive;
mod recovery;
mod replica;
mod sealing;
mod seeded;
mod signers;
#[cfg(test)]
mod tests;
mod transactions;
mod tree;

pub use config::{CliqueOptions, ForkChoice};
pub use replica::CliqueReplica;

use super::ProtocolEntry;

/// How many signers of `n` may be down: the others are a majority.
pub const fn crashes(n: usize) -> usize {
    n.saturating_sub(1) / 2
}

/// More than half of `n`: floor(n/2)+1, `SIGNER_LIMIT`.
pub const fn majority(n: usize) -> usize {
    n / 2 + 1
}

/// The registry line.
pub const ENTRY: ProtocolEntry = ProtocolEntry {
    name: "clique",
    since: "0.1.0",
    help: "Clique (EIP-225): proof of authority, signers in turn, the heaviest branch; a block is final once enough follow it",
    byzantine: false,
    least: 3,
    tolerates: crashes,
    quorum: majority,
    changes_members: true,
    replaces_keys: false,
    defaults: || super::ProtocolOptions::Clique(CliqueOptions::default()),
    phases: |_| 1,
    floor: floor::floor,
    words: attacks::WORDS,
    conducts: attacks::CONDUCTS,
    conduct: attacks::build,
    bugs: seeded::BUGS,
    marks: marks::MARKS,
};
