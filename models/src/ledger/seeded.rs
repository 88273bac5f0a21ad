//! Seeded bugs of the ledger (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(crate) use consim_core::seeded::on;

/// All of them.
pub const BUGS: &[&SeededBug] = &[
    &MERKLE_WITHOUT_DOMAIN_TAGS,
    &MERKLE_DUPLICATES_ODD_LEAF,
    &ROOT_NOT_COMPARED,
    &TABLE_OF_EXECUTED_NOT_PERSISTED,
    &BLOCK_TIME_RUNS_BACK,
    &HEAD_OF_STATE_FORGOTTEN,
];

/// X7.
pub(crate) const MERKLE_WITHOUT_DOMAIN_TAGS: SeededBug = SeededBug {
    name: "merkle-without-domain-tags",
    code: "X7",
    says: "Leaves and inner nodes of a Merkle tree are hashed alike, so that a node can pass for a leaf.",
    source: "RFC 6962, section 2.1, which tells why they are not",
    killers: &["merkle"],
};

/// X7.
pub(crate) const MERKLE_DUPLICATES_ODD_LEAF: SeededBug = SeededBug {
    name: "merkle-duplicates-odd-leaf",
    code: "X7",
    says: "An odd leaf is paired with itself, so that two lists have one root.",
    source: "Bitcoin, CVE-2012-2459",
    killers: &["merkle"],
};

/// X7.
pub(crate) const ROOT_NOT_COMPARED: SeededBug = SeededBug {
    name: "root-not-compared",
    code: "X7",
    says: "The transaction root of a batch is not compared with its transactions, so that any root is taken, a nil one too.",
    source: "CometBFT, which bans proofs against an empty tree",
    killers: &["hash-chain", "merkle"],
};

/// X5.
pub(crate) const TABLE_OF_EXECUTED_NOT_PERSISTED: SeededBug = SeededBug {
    name: "table-of-executed-not-persisted",
    code: "X5",
    says: "After a restart a node does not know any more which transactions were executed, and executes them again.",
    source: "Threat H14: an old request that is replayed",
    killers: &[
        "at-most-once",
        "one-effect",
        "equal-state-roots",
        "prefix-order",
        "hash-chain",
        "equal-storage",
        "finality",
        "validity",
        "convergence",
    ],
};

/// Hash chain.
pub(crate) const BLOCK_TIME_RUNS_BACK: SeededBug = SeededBug {
    name: "block-time-runs-back",
    code: "",
    says: "The time of a block is what its proposer says, whatever the block before it said.",
    source: "Our own; CometBFT demands monotone times of its headers",
    killers: &["hash-chain"],
};

/// Equal storage.
pub(crate) const HEAD_OF_STATE_FORGOTTEN: SeededBug = SeededBug {
    name: "head-of-state-forgotten",
    code: "",
    says: "A node that takes a state over forgets which block it belongs to.",
    source: "Our own",
    killers: &[
        "equal-storage",
        "prefix-order",
        "hash-chain",
        "equal-state-roots",
        "finality",
        "convergence",
    ],
};
