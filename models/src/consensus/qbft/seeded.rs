//! Seeded bugs of QBFT and IBFT 2.0 (docs/seeded-bugs.md).

use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// All of them.
pub(super) const BUGS: &[&SeededBug] = &[
    &NO_JUMP,
    &HASHED_IN_NEW_ROUND,
    &TIMER_LOST,
    &NEVER_UNLOCKED,
    &VOTES_MATCHED_BY_ROUND,
    &PROPOSAL_NOT_JUSTIFIED,
];

/// What notices two batches at one number, and what follows from it.
const FORKS: &[&str] = &[
    "agreement",
    "prefix-order",
    "certificate",
    "accountability",
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

/// What notices that nothing is decided any more.
const STALLS: &[&str] = &[
    "liveness",
    "client-progress",
    "no-livelock",
    "rejoin",
    "convergence",
    "one-effect",
];

/// Algorithm 3, lines 5-10.
pub(super) const NO_JUMP: SeededBug = SeededBug {
    name: "no-jump-to-higher-round",
    code: "M07",
    says: "A replica stays in its round, although f+1 others have gone to a higher one.",
    source: "Besu issues 1822 and 7642; H. Moniz, arXiv 2002.03613, Algorithm 3, lines 5-10",
    killers: STALLS,
};

/// Algorithm 4, `JustifyPrePrepare`.
pub(super) const HASHED_IN_NEW_ROUND: SeededBug = SeededBug {
    name: "prepared-block-hashed-in-new-round",
    code: "M08",
    says: "A prepared block that is put forward again is compared by its hash in the new round, which is never that of the round in which it was prepared.",
    source: "Besu issues 3785, 6613 and 6732, mended by pull request 7875",
    killers: STALLS,
};

/// Coming back with an empty disk.
pub(super) const TIMER_LOST: SeededBug = SeededBug {
    name: "round-timer-lost-after-resync",
    code: "M09",
    says: "A member that lost its disk and caught up takes part again, but its round timer does not run any more.",
    source: "Besu issue 8307",
    killers: STALLS,
};

/// Algorithm 4: the highest prepared value wins.
pub(super) const NEVER_UNLOCKED: SeededBug = SeededBug {
    name: "prepared-value-locked-for-ever",
    code: "M10",
    says: "A replica that saw a value prepared prepares no other one in later rounds, whatever these prove.",
    source: "IBFT 1.0: R. Saltini and D. Hyland-Wood, \"Correctness analysis of IBFT\", arXiv 1901.07160",
    killers: STALLS,
};

/// Algorithm 2, lines 4 and 8.
pub(super) const VOTES_MATCHED_BY_ROUND: SeededBug = SeededBug {
    name: "votes-matched-by-round",
    code: "M05",
    says: "Prepares and commits are counted by their round alone, whatever block they are for.",
    source: "H. Moniz, arXiv 2002.03613, Algorithm 2, lines 4 and 8, which ask for one value",
    killers: FORKS,
};

/// Algorithm 4, `JustifyPrePrepare`.
pub(super) const PROPOSAL_NOT_JUSTIFIED: SeededBug = SeededBug {
    name: "proposal-not-justified",
    code: "",
    says: "In rounds after the first any block is prepared, without a look at the ROUND-CHANGEs that justify it.",
    source: "H. Moniz, arXiv 2002.03613, Algorithm 4, JustifyPrePrepare, left out",
    killers: FORKS,
};
