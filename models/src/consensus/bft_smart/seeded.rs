//! Seeded bugs of BFT-SMaRt (docs/seeded-bugs.md).

use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// All of them.
pub(super) const BUGS: &[&SeededBug] = &[
    &ACCEPT_WITHOUT_QUORUM,
    &SYNC_IGNORES_BOUND,
    &BIND_TAKES_LOWEST,
    &WRITE_PROOF_NOT_CHECKED,
    &WRITTEN_FORGOTTEN,
    &PROOF_FORGOTTEN,
];

/// What notices two batches at one number, and what follows from it.
const FORKS: &[&str] = &[
    "agreement",
    "prefix-order",
    "certificate",
    "carry-over",
    "accountability",
    "no-double-signing",
    "equal-state-roots",
    "hash-chain",
    "equal-storage",
    "finality",
    "at-most-once",
    "one-effect",
    "convergence",
    "rejoin",
    "linearizable-reads",
    "monotonic-reads",
    "durability",
    "liveness",
    "client-progress",
    "no-livelock",
];

/// The second phase.
pub(super) const ACCEPT_WITHOUT_QUORUM: SeededBug = SeededBug {
    name: "accept-without-write-quorum",
    code: "",
    says: "A replica accepts as soon as it has written itself, without a quorum of WRITE.",
    source: "J. Sousa and A. Bessani (EDCC 2012), section 4.2: ACCEPT follows a quorum of WRITE, for the sake of the next regency",
    killers: FORKS,
};

/// The synchronisation phase.
pub(super) const SYNC_IGNORES_BOUND: SeededBug = SeededBug {
    name: "sync-ignores-bound-value",
    code: "M03",
    says: "A regency begins with any value, although the collects of its SYNC bind the consensus to one.",
    source: "C. Cachin, \"Yet Another Visit to Paxos\" (2009), predicate `bind`; the class \"losing state\" of \"Twins\"",
    killers: FORKS,
};

/// The synchronisation phase.
pub(super) const BIND_TAKES_LOWEST: SeededBug = SeededBug {
    name: "bind-takes-lowest-regency",
    code: "M04",
    says: "Of several write proofs for one consensus that of the lowest regency binds.",
    source: "C. Cachin, \"Yet Another Visit to Paxos\" (2009), predicate `quorumhighest`, which asks for the highest",
    killers: FORKS,
};

/// The synchronisation phase.
pub(super) const WRITE_PROOF_NOT_CHECKED: SeededBug = SeededBug {
    name: "write-proof-not-checked",
    code: "",
    says: "The write proof in a collect is believed without its signatures.",
    source: "C. Cachin, \"Yet Another Visit to Paxos\" (2009), predicate `certifiedvalue`",
    killers: FORKS,
};

/// Votes over a restart.
pub(super) const WRITTEN_FORGOTTEN: SeededBug = SeededBug {
    name: "write-forgotten-over-restart",
    code: "",
    says: "What a replica wrote for is kept in memory alone, so that one that comes back may write for another value.",
    source: "The class of Sui issue 5215; BFT-SMaRt itself keeps its votes in memory",
    killers: FORKS,
};

/// Locks over a restart.
pub(super) const PROOF_FORGOTTEN: SeededBug = SeededBug {
    name: "write-proof-forgotten-over-restart",
    code: "",
    says: "A write proof is kept in memory alone, so that one that comes back brings nothing into the next regency.",
    source: "The class of Sui issue 5215; BFT-SMaRt itself keeps its write proofs in memory",
    killers: FORKS,
};
