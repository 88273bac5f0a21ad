//! Seeded bugs of the kernel: of the tool itself (docs/seeded-bugs.md). The codes are those of the list of mutants.

pub(crate) use consim_core::seeded::on;
use consim_core::{SeededBug, mix};
use std::sync::atomic::{AtomicU64, Ordering};

/// All of them.
pub const BUGS: &[&SeededBug] = &[&TIES_BY_CHANCE, &FAULTS_OFF, &NOTHING_HEALS];

/// C2.
pub(crate) const TIES_BY_CHANCE: SeededBug = SeededBug {
    name: "ties-by-chance",
    code: "C2",
    says: "Of what happens at one instant, that comes first which an allocator or a hash map happens to put first.",
    source: "mysticeti's simulator, which orders by time alone",
    killers: &["run-twice"],
};

/// C3.
pub(crate) const FAULTS_OFF: SeededBug = SeededBug {
    name: "faults-off",
    code: "C3",
    says: "Faults are told to begin, and do nothing.",
    source: "Our own; the canaries of TigerBeetle",
    killers: &["took-effect"],
};

/// C4.
pub(crate) const NOTHING_HEALS: SeededBug = SeededBug {
    name: "nothing-heals",
    code: "C4",
    says: "Faults are told to end, and go on.",
    source: "Our own; the canaries of TigerBeetle",
    killers: &[
        "liveness",
        "client-progress",
        "convergence",
        "rejoin",
        "no-livelock",
        "fresh-decisions",
    ],
};

/// A coin for [`TIES_BY_CHANCE`] that no seed decides: two runs of a process see other tosses.
pub(crate) fn coin() -> bool {
    static TOSSES: AtomicU64 = AtomicU64::new(0);
    mix(TOSSES.fetch_add(1, Ordering::Relaxed), 0).is_multiple_of(2)
}
