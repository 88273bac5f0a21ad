//! Seeded bugs of Raft (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// All of them.
pub(super) const BUGS: &[&SeededBug] = &[
    &VOTE_IN_MEMORY,
    &COMMITS_OLD_TERMS,
    &VOTE_WITHOUT_LOG_CHECK,
    &READS_LOCALLY,
    &TIMERS_NOT_RANDOM,
    &WIPED_VOTES,
    &NO_JOINT_CONFIGURATION,
    &CHANGES_OVERLAP,
];

/// What notices two entries at one index, and what follows from it.
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

/// Term and vote.
pub(super) const VOTE_IN_MEMORY: SeededBug = SeededBug {
    name: "vote-in-memory",
    code: "",
    says: "Term and vote are not written to disk, so that a replica that comes back votes twice in a term.",
    source: "D. Ongaro and J. Ousterhout (ATC 2014), figure 2: \"updated on stable storage before responding\"",
    killers: FORKS,
};

/// M20.
pub(super) const COMMITS_OLD_TERMS: SeededBug = SeededBug {
    name: "commits-old-terms",
    code: "M20",
    says: "A leader begins without an entry of its term, and commits those of earlier ones as soon as a majority has them.",
    source: "D. Ongaro and J. Ousterhout (ATC 2014), figure 8",
    killers: FORKS,
};

/// M21.
pub(super) const VOTE_WITHOUT_LOG_CHECK: SeededBug = SeededBug {
    name: "vote-without-log-check",
    code: "M21",
    says: "A vote is given to a candidate whose log lacks entries.",
    source: "D. Ongaro and J. Ousterhout (ATC 2014), section 5.4.1",
    killers: FORKS,
};

/// M24.
pub(super) const READS_LOCALLY: SeededBug = SeededBug {
    name: "reads-locally",
    code: "M24",
    says: "A replica answers reads by what it knows, and a leader does not ask whether it is one still.",
    source: "D. Ongaro, \"Consensus: Bridging Theory and Practice\" (2014), section 6.4",
    killers: &["linearizable-reads", "monotonic-reads"],
};

/// Split votes.
pub(super) const TIMERS_NOT_RANDOM: SeededBug = SeededBug {
    name: "election-timers-not-random",
    code: "",
    says: "All election timers are of the same length, so that votes split again and again.",
    source: "D. Ongaro and J. Ousterhout (ATC 2014), section 9.3: without randomness elections take more than ten seconds",
    killers: &[
        "liveness",
        "client-progress",
        "no-livelock",
        "convergence",
        "rejoin",
    ],
};

/// A new disk.
pub(super) const WIPED_VOTES: SeededBug = SeededBug {
    name: "wiped-member-votes",
    code: "",
    says: "A member that comes back with an empty disk votes as if it had never been there.",
    source: "D. Ongaro (2014), section 3.8: persistent state; etcd's guide to disaster recovery: remove the member and add it anew",
    killers: FORKS,
};

/// Two majorities that do not meet.
pub(super) const NO_JOINT_CONFIGURATION: SeededBug = SeededBug {
    name: "no-joint-configuration",
    code: "",
    says: "A change of the members goes from the old ones to the new ones at once, so that a majority of each may decide without the other.",
    source: "D. Ongaro and J. Ousterhout (ATC 2014), section 6, figure 10",
    killers: CHANGES,
};

/// Two changes at a time.
pub(super) const CHANGES_OVERLAP: SeededBug = SeededBug {
    name: "changes-overlap",
    code: "",
    says: "A leader begins a change of the members while another is under way.",
    source: "D. Ongaro and J. Ousterhout (ATC 2014), section 6; the catalogue of faults, O4",
    killers: CHANGES,
};

/// What notices members that decide apart.
const CHANGES: &[&str] = &[
    "quorum-intersection",
    "agreement",
    "prefix-order",
    "equal-state-roots",
    "hash-chain",
    "equal-storage",
    "one-leader",
    "convergence",
    "liveness",
    "client-progress",
];
