//! Seeded bugs of HotStuff (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// All of them.
pub(super) const BUGS: &[&SeededBug] = &[
    &NO_LOCK,
    &COMMIT_OVER_GAPS,
    &COMMIT_ON_ONE_CHAIN,
    &VOTED_VIEW_NOT_PERSISTED,
    &SIGNERS_COUNTED_TWICE,
    &TIMEOUT_WITHOUT_HIGH,
    &BATCH_SAID_ONCE,
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

/// The mempool layer.
pub(super) const BATCH_SAID_ONCE: SeededBug = SeededBug {
    name: "batch-said-once",
    code: "",
    says: "A batch of the mempool layer is multicast when it is sealed, and never again.",
    source: "G. Danezis et al. (EuroSys 2022), section 3.1: reliable broadcast asks to repeat until acknowledged",
    killers: &["liveness", "client-progress", "no-livelock"],
};

/// M18.
pub(super) const NO_LOCK: SeededBug = SeededBug {
    name: "votes-without-lock",
    code: "M18",
    says: "A replica votes for any proposal of a newer view, whatever it is locked on.",
    source: "The class of S. Bano et al., \"Twins\" (OPODIS 2021), for DiemBFT: the safety rule left out",
    killers: FORKS,
};

/// The commit rule.
pub(super) const COMMIT_OVER_GAPS: SeededBug = SeededBug {
    name: "commit-without-consecutive-views",
    code: "",
    says: "Certified proposals in a row commit the first, although the views between them failed.",
    source: "M. Yin et al. (PODC 2019), section 5: a k-chain has direct parents alone",
    killers: FORKS,
};

/// The commit rule.
pub(super) const COMMIT_ON_ONE_CHAIN: SeededBug = SeededBug {
    name: "commit-on-one-chain",
    code: "",
    says: "A proposal is committed as soon as it has a certificate itself.",
    source: "M. Yin et al. (PODC 2019), section 4.4: why there is a phase after the first",
    killers: FORKS,
};

/// Votes after a restart.
pub(super) const VOTED_VIEW_NOT_PERSISTED: SeededBug = SeededBug {
    name: "voted-view-not-persisted",
    code: "",
    says: "The last view that a replica voted in is kept in memory alone, so that one that comes back may vote in it again.",
    source: "The class of Sui issue 5215; Diem keeps its safety rules in a storage of their own",
    killers: &[
        "no-double-signing",
        "accountability",
        "agreement",
        "prefix-order",
    ],
};

/// Certificates.
pub(super) const SIGNERS_COUNTED_TWICE: SeededBug = SeededBug {
    name: "signers-counted-twice",
    code: "",
    says: "A vote that comes twice counts twice in a certificate.",
    source: "Diem, `twins_vote_dedup_test`: S. Bano et al., \"Twins\" (OPODIS 2021)",
    killers: FORKS,
};

/// The change of views of the two-phase protocol.
pub(super) const TIMEOUT_WITHOUT_HIGH: SeededBug = SeededBug {
    name: "timeout-without-high-certificate",
    code: "",
    says: "After a failed view a proposal may build on anything certified, and not only on the highest that those had who gave it up.",
    source: "R. Gelashvili et al., \"Jolteon and Ditto\" (FC 2022), section 3.2, which asks for it",
    killers: FORKS,
};
