//! Seeded bugs of custody (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(crate) use consim_core::seeded::on;

/// All of them.
pub const BUGS: &[&SeededBug] = &[
    &HANDED_OVER_BY_ANYBODY,
    &DISPENSED_AGAIN,
    &STOCK_NOT_BOOKED_OUT,
];

/// Single custody.
pub(crate) const HANDED_OVER_BY_ANYBODY: SeededBug = SeededBug {
    name: "handed-over-by-anybody",
    code: "X3",
    says: "A hand-over does not look at who holds the unit.",
    source: "Double spending; transfers without a check of the version that they read",
    killers: &["single-custody"],
};

/// Serial uniqueness.
pub(crate) const DISPENSED_AGAIN: SeededBug = SeededBug {
    name: "dispensed-again",
    code: "",
    says: "A unit that was dispensed can be dispensed again.",
    source: "Our own; the decommissioning of a pack replayed",
    killers: &["serial-uniqueness", "single-custody", "conservation"],
};

/// Conservation.
pub(crate) const STOCK_NOT_BOOKED_OUT: SeededBug = SeededBug {
    name: "stock-not-booked-out",
    code: "",
    says: "A unit that is decommissioned stays in the count of those that somebody holds.",
    source: "Our own; counts kept beside what they count",
    killers: &["conservation"],
};
