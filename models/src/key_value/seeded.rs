//! Seeded bugs of the key-value store (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::SeededBug;
pub(crate) use consim_core::seeded::on;

/// All of them.
pub const BUGS: &[&SeededBug] = &[&READ_AT_ONCE];

/// Linearizable reads.
pub(crate) const READ_AT_ONCE: SeededBug = SeededBug {
    name: "read-at-once",
    code: "",
    says: "A server answers reads out of what it has executed, without ordering them.",
    source: "Raft without its read index: D. Ongaro and J. Ousterhout (USENIX ATC 2014), section 8",
    killers: &["linearizable-reads", "monotonic-reads"],
};
