//! Seeded bugs of Clique (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// All of them.
pub(super) const BUGS: &[&SeededBug] = &[
    &DIFFICULTY_ALONE,
    &RECENCY_NOT_CHECKED,
    &DIFFICULTY_NOT_CHECKED,
    &VOTES_KEPT_OVER_EPOCHS,
    &SEAL_NOT_CHECKED,
    &SEALED_FORGOTTEN,
];

/// What notices two blocks at one height, and what follows from it.
const FORKS: &[&str] = &[
    "agreement",
    "prefix-order",
    "equal-state-roots",
    "hash-chain",
    "equal-storage",
    "finality",
    "durability",
    "at-most-once",
    "one-effect",
    "convergence",
    "rejoin",
    "linearizable-reads",
    "monotonic-reads",
    "liveness",
    "client-progress",
    "no-livelock",
    "no-double-signing",
    "one-leader",
];

/// What notices that nothing becomes final any more.
const STALLS: &[&str] = &[
    "liveness",
    "client-progress",
    "no-livelock",
    "rejoin",
    "convergence",
    "one-effect",
];

/// M30.
pub(super) const DIFFICULTY_ALONE: SeededBug = SeededBug {
    name: "total-difficulty-alone",
    code: "M30",
    says: "Under EIP-3436 only the total difficulty counts, so that branches of equal weight stay apart.",
    source: "go-ethereum issues 18402 and 24705; EIP-3436, which adds the rules after the first",
    killers: STALLS,
};

/// The rule that makes a majority necessary.
pub(super) const RECENCY_NOT_CHECKED: SeededBug = SeededBug {
    name: "recency-not-checked",
    code: "",
    says: "A signer may seal any number of blocks in a row, so that a few go on alone.",
    source: "EIP-225: a signer may only seal one block of SIGNER_LIMIT in a row",
    killers: FORKS,
};

/// The weight of a block.
pub(super) const DIFFICULTY_NOT_CHECKED: SeededBug = SeededBug {
    name: "difficulty-not-checked",
    code: "",
    says: "A block out of turn claims the difficulty of one in turn, and is believed.",
    source: "EIP-225, `difficulty`; Besu's CliqueDifficultyValidationRule",
    killers: FORKS,
};

/// Epochs.
pub(super) const VOTES_KEPT_OVER_EPOCHS: SeededBug = SeededBug {
    name: "votes-kept-over-epochs",
    code: "",
    says: "A replica that comes back counts the votes of all epochs on its disk together, so that it knows other signers than the others do.",
    source: "EIP-225: `EPOCH_LENGTH`, after which pending votes are reset",
    killers: FORKS,
};

/// The seal.
pub(super) const SEAL_NOT_CHECKED: SeededBug = SeededBug {
    name: "seal-not-checked",
    code: "",
    says: "The signature of a block's sealer is not verified.",
    source: "EIP-225, `extraData`: the seal is recovered and has to be a signer's",
    killers: FORKS,
};

/// What was sealed.
pub(super) const SEALED_FORGOTTEN: SeededBug = SeededBug {
    name: "sealed-forgotten-over-restart",
    code: "",
    says: "A signer's own block is not on its disk, so that after a restart it seals another one upon the same parent.",
    source: "Our own; geth writes its block before it announces it",
    killers: FORKS,
};
