//! Seeded bugs of Tendermint (docs/seeded-bugs.md). Lines are those of arXiv 1807.04938, Algorithm 1.

use crate::consensus::sync::seeded as sync;
use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// All of them.
pub(super) const BUGS: &[&SeededBug] = &[
    &LOCK_NOT_CHECKED,
    &LOCK_FORGOTTEN,
    &VALID_ROUND_NOT_PROVED,
    &VALID_VALUE_NOT_PROPOSED,
    &NO_SKIP,
    &PRECOMMITS_OVER_ROUNDS,
    &PROPOSER_SETS_ITS_TIME,
    &TIMELINESS_NOT_CHECKED,
    &PART_INDEX_NOT_CHECKED,
    // Those of the mechanism by which its members change, which others share.
    &sync::QUORUM_OF_THE_GENESIS,
    &sync::LINKS_NOT_CHECKED,
    &sync::OLD_KEY_ACCEPTED,
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

/// Lines 22 and 29.
pub(super) const LOCK_NOT_CHECKED: SeededBug = SeededBug {
    name: "prevote-ignores-lock",
    code: "M13",
    says: "A replica prevotes whatever is put forward, although it is locked on another value.",
    source: "E. Buchman, J. Kwon and Z. Milosevic, arXiv 1807.04938, lines 22 and 29; the amnesia attack of Tendermint's fork accountability",
    killers: FORKS,
};

/// Locks over a restart.
pub(super) const LOCK_FORGOTTEN: SeededBug = SeededBug {
    name: "lock-forgotten-over-restart",
    code: "",
    says: "The lock and the valid value are kept in memory alone, so that one that comes back prevotes any value.",
    source: "The class of Sui issue 5215; CometBFT has its write-ahead log against it",
    killers: FORKS,
};

/// Line 28.
pub(super) const VALID_ROUND_NOT_PROVED: SeededBug = SeededBug {
    name: "valid-round-not-proved",
    code: "",
    says: "A proposal's valid round is believed without its 2f+1 prevotes, so that a proposer can unlock anybody.",
    source: "E. Buchman, J. Kwon and Z. Milosevic, arXiv 1807.04938, line 28, without its second condition",
    killers: FORKS,
};

/// Lines 15 and 16.
pub(super) const VALID_VALUE_NOT_PROPOSED: SeededBug = SeededBug {
    name: "valid-value-not-proposed",
    code: "M12",
    says: "A proposer does not put the valid value of an earlier round forward again: it puts a new one forward, or nothing if it is locked.",
    source: "E. Buchman, J. Kwon and Z. Milosevic, arXiv 1807.04938, lines 15 and 16; the livelock of Tendermint 0.7",
    killers: STALLS,
};

/// Line 55.
pub(super) const NO_SKIP: SeededBug = SeededBug {
    name: "no-skip-to-higher-round",
    code: "",
    says: "A replica stays in its round, although f+1 others are in a higher one.",
    source: "E. Buchman, J. Kwon and Z. Milosevic, arXiv 1807.04938, line 55",
    killers: STALLS,
};

/// The parts of a block.
pub(super) const PART_INDEX_NOT_CHECKED: SeededBug = SeededBug {
    name: "part-index-not-checked",
    code: "M14",
    says: "A part of a block is kept under the index that its sender names, whichever part its proof shows it to be.",
    source: "CometBFT ASA-2025-002 (GHSA-r3r4-g7hq-pq4f): part index and proof index may differ, by which a relay stalls the network",
    killers: STALLS,
};

/// Line 49.
pub(super) const PRECOMMITS_OVER_ROUNDS: SeededBug = SeededBug {
    name: "precommits-counted-over-rounds",
    code: "",
    says: "Precommits of all rounds for one value are counted together.",
    source: "E. Buchman, J. Kwon and Z. Milosevic, arXiv 1807.04938, line 49, which asks for 2f+1 of one round",
    killers: FORKS,
};

/// BFT time.
pub(super) const PROPOSER_SETS_ITS_TIME: SeededBug = SeededBug {
    name: "proposer-sets-its-time",
    code: "",
    says: "With `time: bft` a block has its proposer's own time, and nobody compares it with the median of what came with the precommits.",
    source: "CometBFT v0.38, BFT Time: `block.Time == MedianTime(LastCommit)`, which `validateBlock` looks at",
    killers: &["block-time"],
};

/// PBTS-RECEPTION-STEP.1.
pub(super) const TIMELINESS_NOT_CHECKED: SeededBug = SeededBug {
    name: "timeliness-not-checked",
    code: "",
    says: "With `time: proposer` a replica prevotes a value whatever its time, if only that is later than the block before.",
    source: "CometBFT v1.0, proposer-based timestamps, PBTS-RECEPTION-STEP.1",
    killers: &[
        "block-time",
        "liveness",
        "client-progress",
        "no-livelock",
        "rejoin",
        "convergence",
        "one-effect",
    ],
};
