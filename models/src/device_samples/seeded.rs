//! Seeded bugs of samples (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(crate) use consim_core::seeded::on;

/// All of them.
pub const BUGS: &[&SeededBug] = &[
    &ACKNOWLEDGED_AT_ONCE,
    &SAMPLES_TAKEN_TWICE,
    &GAPS_FILLED,
    &ROOT_OF_NOTHING_TAKEN,
];

/// Samples kept.
pub(crate) const ACKNOWLEDGED_AT_ONCE: SeededBug = SeededBug {
    name: "acknowledged-at-once",
    code: "",
    says: "A gateway acknowledges a batch when it comes, and has it ordered afterwards.",
    source: "Our own; brokers that acknowledge before they replicate",
    killers: &["samples-kept"],
};

/// Samples once.
pub(crate) const SAMPLES_TAKEN_TWICE: SeededBug = SeededBug {
    name: "samples-taken-twice",
    code: "",
    says: "A batch is taken although samples of it are there, and put in their place.",
    source: "Our own; at-least-once delivery without a look at the sequence number",
    killers: &["samples-once", "samples-kept", "sample-proofs"],
};

/// Gaps.
pub(crate) const GAPS_FILLED: SeededBug = SeededBug {
    name: "gaps-filled",
    code: "",
    says: "What is missing before a batch is filled with its first sample.",
    source: "Our own; monitors that hold the last value",
    killers: &["gaps-reported", "samples-kept", "sample-proofs"],
};

/// Proofs.
pub(crate) const ROOT_OF_NOTHING_TAKEN: SeededBug = SeededBug {
    name: "root-of-nothing-taken",
    code: "X7",
    says: "A batch under the root of an empty tree is taken without comparing it.",
    source: "CometBFT's changelog: proofs against an empty tree are refused",
    killers: &["sample-proofs"],
};
