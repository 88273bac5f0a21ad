//! Seeded bugs in how members change and how others learn of it (docs/seeded-bugs.md): those of the protocols
//! whose members are agreed on like anything else.

use consim_core::SeededBug;
pub(in crate::consensus) use consim_core::seeded::on;

/// What notices that fewer than a quorum decide.
const WEAK: &[&str] = &[
    "certificate",
    "quorum-intersection",
    "agreement",
    "prefix-order",
    "liveness",
];

/// What notices that a member is left behind.
const LEFT_BEHIND: &[&str] = &[
    "rejoin",
    "convergence",
    "liveness",
    "no-livelock",
    "client-progress",
    "certificate",
    "quorum-intersection",
    "block-time",
];

/// None.
pub(in crate::consensus) const QUORUM_OF_THE_GENESIS: SeededBug = SeededBug {
    name: "quorum-of-the-genesis",
    code: "",
    says: "Members join, and as many votes as at the beginning still decide.",
    source: "own; the arithmetic of M01 after a change",
    killers: WEAK,
};

/// None.
pub(in crate::consensus) const OLD_KEY_ACCEPTED: SeededBug = SeededBug {
    name: "old-key-accepted",
    code: "",
    says: "A member has another key, and certificates with signatures of the old one are still believed.",
    source: "own; RFC 5280, section 3.3: what a revoked key signs is not believed any more",
    killers: FORGED,
};

/// What notices that members believe in what former keys signed.
const FORGED: &[&str] = &[
    "certificate",
    "agreement",
    "prefix-order",
    "accountability",
    "equal-state-roots",
    "hash-chain",
    "equal-storage",
    "validity",
    "finality",
    "durability",
    "convergence",
    "rejoin",
    "linearizable-reads",
    "monotonic-reads",
    "liveness",
    "client-progress",
];

/// M15.
pub(in crate::consensus) const LINKS_NOT_CHECKED: SeededBug = SeededBug {
    name: "links-not-checked",
    code: "M15",
    says: "Who joins believes the peer that it takes a state from who decides.",
    source: "CometBFT, ASA-2024-009: the validator set of a light block of state sync",
    killers: LEFT_BEHIND,
};
