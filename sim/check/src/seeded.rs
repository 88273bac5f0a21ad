//! Seeded bugs of the checks: of the tool itself (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(crate) use consim_core::seeded::on;

/// All of them.
pub const BUGS: &[&SeededBug] = &[
    &LAST_BLOCK_NOT_COMPARED,
    &VIEWS_MIXED_UP,
    &UNLOCKING_IS_AMNESIA,
];

/// C1.
pub(crate) const LAST_BLOCK_NOT_COMPARED: SeededBug = SeededBug {
    name: "last-block-not-compared",
    code: "C1",
    says: "Agreement does not look at the last sequence number that was committed.",
    source: "Our own; the canaries of TigerBeetle",
    killers: &["expected-violation"],
};

/// Accountability.
pub(crate) const VIEWS_MIXED_UP: SeededBug = SeededBug {
    name: "views-mixed-up",
    code: "",
    says: "Forensics holds votes of different views against each other.",
    source: "Our own; P. Sheng et al. (CCS 2021), section 4 compares within a view",
    killers: &["accountability"],
};

/// Accountability.
pub(crate) const UNLOCKING_IS_AMNESIA: SeededBug = SeededBug {
    name: "unlocking-is-amnesia",
    code: "",
    says: "Forensics takes whoever votes for another value than it was locked on for a traitor, and does not ask for the 2f+1 prevotes that let it go.",
    source: "Our own; CometBFT's fork accountability, F2: a correct process may have been unlocked",
    killers: &["accountability"],
};
