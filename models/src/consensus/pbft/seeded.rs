//! Seeded bugs of PBFT (docs/seeded-bugs.md). The codes are those of the list of mutants.

use crate::consensus::mempool::MEMPOOL_WITHOUT_LIMIT;
use consim_core::SeededBug;
pub(in crate::consensus) use consim_core::seeded::on;

/// All of them.
pub(super) const BUGS: &[&SeededBug] = &[
    &QUORUM_OF_2F_PLUS_1,
    &VOTES_COUNTED_BY_MESSAGE,
    &NEW_VIEW_WITHOUT_CERTIFICATES,
    &NEW_VIEW_TAKES_LOWEST,
    &VOTES_WITHOUT_DIGEST,
    &NO_JUMP_TO_HIGHER_VIEW,
    &VOTE_BEFORE_FSYNC,
    &TRANSFER_TRUSTS_PEER,
    &EXECUTES_OVER_GAPS,
    &LOG_IN_MEMORY,
    &LOG_CUT_AT_CHECKPOINT,
    &SCRUB_SKIPS_LOG,
    &MEMPOOL_WITHOUT_LIMIT,
    &BLOCKS_NEVER_SENT,
    &NEVER_SEEKS,
    &RESTARTED_TAKES_LOG_FOR_WHOLE,
    &NEW_PRIMARY_WAITS,
];

/// M01.
pub(super) const QUORUM_OF_2F_PLUS_1: SeededBug = SeededBug {
    name: "quorum-of-2f-plus-1",
    code: "M01",
    says: "A quorum is 2f+1 votes for any number of members, so that two of them need not meet in a correct one.",
    source: "IBFT 1.0: R. Saltini and D. Hyland-Wood, \"IBFT 2.0\" (2019), section 1",
    killers: &[
        "agreement",
        "prefix-order",
        "certificate",
        "carry-over",
        "equal-state-roots",
        "hash-chain",
        "equal-storage",
        "finality",
        "durability",
        "convergence",
        "at-most-once",
        "one-effect",
        "linearizable-reads",
        "monotonic-reads",
        "liveness",
        "client-progress",
    ],
};

/// M02.
pub(in crate::consensus) const VOTES_COUNTED_BY_MESSAGE: SeededBug = SeededBug {
    name: "votes-counted-by-message",
    code: "M02",
    says: "Votes are counted by message and not by signer, so that a message that comes twice is two votes.",
    source: "Diem, `twins_vote_dedup_test`: S. Bano et al., \"Twins\" (OPODIS 2021)",
    killers: &[
        "linearizable-reads",
        "monotonic-reads",
        "at-most-once",
        "one-effect",
        "certificate",
        "agreement",
        "prefix-order",
        "equal-state-roots",
        "hash-chain",
        "equal-storage",
        "convergence",
        "liveness",
        "client-progress",
        "no-livelock",
    ],
};

/// M03.
pub(super) const NEW_VIEW_WITHOUT_CERTIFICATES: SeededBug = SeededBug {
    name: "new-view-without-certificates",
    code: "M03",
    says: "A new view puts nothing forward again of what was prepared before it.",
    source: "The class \"losing state\" of S. Bano et al., \"Twins\" (OPODIS 2021)",
    killers: FORKS,
};

/// M04.
pub(super) const NEW_VIEW_TAKES_LOWEST: SeededBug = SeededBug {
    name: "new-view-takes-lowest",
    code: "M04",
    says: "Of several prepared certificates for one number a new view takes that of the lowest view.",
    source: "M. Castro and B. Liskov (OSDI 1999), section 4.4, which asks for the highest",
    killers: FORKS,
};

/// M05.
pub(in crate::consensus) const VOTES_WITHOUT_DIGEST: SeededBug = SeededBug {
    name: "votes-without-digest",
    code: "M05",
    says: "Votes are matched by view and sequence number, whatever they are for.",
    source: "M. Castro and B. Liskov (OSDI 1999), section 4.2, which asks for equal digests",
    killers: &[
        "agreement",
        "prefix-order",
        "certificate",
        "equal-state-roots",
        "hash-chain",
        "equal-storage",
        "accountability",
        "convergence",
        "liveness",
        "client-progress",
        "no-livelock",
    ],
};

/// What notices two batches at one number, and what follows from it.
const FORKS: &[&str] = &[
    "agreement",
    "prefix-order",
    "carry-over",
    "equal-state-roots",
    "hash-chain",
    "equal-storage",
    "at-most-once",
    "one-effect",
    "convergence",
    "linearizable-reads",
    "monotonic-reads",
    "liveness",
    "client-progress",
    "no-livelock",
];

/// M07.
pub(super) const NO_JUMP_TO_HIGHER_VIEW: SeededBug = SeededBug {
    name: "no-jump-to-higher-view",
    code: "M07",
    says: "A replica leaves a view alone when its timer ends, and never joins others in a higher one; timers double all the while.",
    source: "Besu issue 7642",
    killers: &[
        "liveness",
        "client-progress",
        "no-livelock",
        "rejoin",
        "convergence",
    ],
};

/// M25.
pub(super) const VOTE_BEFORE_FSYNC: SeededBug = SeededBug {
    name: "vote-before-fsync",
    code: "M25",
    says: "Votes are sent before they are on disk, so that a replica that comes back may vote otherwise.",
    source: "Sui issue 5215",
    killers: &["no-double-signing", "agreement", "prefix-order"],
};

/// M15.
pub(super) const TRANSFER_TRUSTS_PEER: SeededBug = SeededBug {
    name: "transfer-trusts-peer",
    code: "M15",
    says: "Whoever catches up takes blocks and state from a peer without looking at their certificates.",
    source: "CometBFT advisory ASA-2024-009",
    killers: &[
        "certificate",
        "agreement",
        "prefix-order",
        "equal-state-roots",
        "hash-chain",
        "equal-storage",
        "finality",
        "convergence",
        "rejoin",
        "validity",
        "at-most-once",
        "one-effect",
        "merkle",
        "accountability",
    ],
};

/// Prefix order.
pub(super) const EXECUTES_OVER_GAPS: SeededBug = SeededBug {
    name: "executes-over-gaps",
    code: "",
    says: "A committed batch is executed although one before it is not committed yet.",
    source: "Our own; M. Castro and B. Liskov (OSDI 1999), section 4.2: \"after executing all lower\"",
    killers: &[
        "prefix-order",
        "equal-state-roots",
        "hash-chain",
        "equal-storage",
        "finality",
        "convergence",
        "linearizable-reads",
        "monotonic-reads",
        "durability",
        "at-most-once",
        "one-effect",
        "liveness",
        "client-progress",
    ],
};

/// Finality.
pub(super) const LOG_IN_MEMORY: SeededBug = SeededBug {
    name: "log-in-memory",
    code: "",
    says: "Committed batches are kept in memory alone, and fetched from the others after a restart.",
    source: "Our own; a cache that was taken for the store",
    killers: &["finality", "durability", "rejoin"],
};

/// Durability.
pub(super) const LOG_CUT_AT_CHECKPOINT: SeededBug = SeededBug {
    name: "log-cut-at-checkpoint",
    code: "",
    says: "A stable checkpoint discards the log on disk although no state that stands for it is there.",
    source: "Our own; M. Castro and B. Liskov (OSDI 1999), section 4.3 discards messages, never the service's state",
    killers: &["durability", "finality"],
};

/// Repair.
pub(super) const SCRUB_SKIPS_LOG: SeededBug = SeededBug {
    name: "scrub-skips-log",
    code: "",
    says: "Damage that is found in the log of committed batches is not mended.",
    source: "R. Alagappan et al., \"Protocol-Aware Recovery for Consensus-Based Storage\" (FAST 2018)",
    killers: &["repair", "durability"],
};

/// Convergence.
pub(super) const BLOCKS_NEVER_SENT: SeededBug = SeededBug {
    name: "blocks-never-sent",
    code: "",
    says: "Nobody answers those who ask for the batches that they missed.",
    source: "Our own",
    killers: &[
        "convergence",
        "rejoin",
        "liveness",
        "client-progress",
        "fresh-decisions",
    ],
};

/// Fresh decisions.
pub(super) const NEVER_SEEKS: SeededBug = SeededBug {
    name: "never-seeks",
    code: "",
    says: "A replica never asks for the batches that it missed, although others say that they are ahead.",
    source: "Our own",
    killers: &[
        "fresh-decisions",
        "convergence",
        "rejoin",
        "liveness",
        "client-progress",
        "audit-complete",
    ],
};

/// Rejoin.
pub(super) const RESTARTED_TAKES_LOG_FOR_WHOLE: SeededBug = SeededBug {
    name: "restarted-takes-log-for-whole",
    code: "",
    says: "A replica that comes back takes the log on its disk for all there is, and asks for no more.",
    source: "Our own",
    killers: &["rejoin", "convergence", "liveness", "client-progress"],
};

/// No livelock.
pub(super) const NEW_PRIMARY_WAITS: SeededBug = SeededBug {
    name: "new-primary-waits",
    code: "",
    says: "A primary of any view but the first puts nothing of its own forward, so that view follows view.",
    source: "Our own; the class of Besu issue 8307, where a timer was not started again",
    killers: &["no-livelock", "liveness", "client-progress"],
};
