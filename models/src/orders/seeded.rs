//! Seeded bugs of ordered operations (docs/seeded-bugs.md).

use consim_core::SeededBug;
pub(crate) use consim_core::seeded::on;

/// All of them.
pub const BUGS: &[&SeededBug] = &[&RETRY_IS_ANOTHER_TRANSACTION];

/// One effect.
pub(crate) const RETRY_IS_ANOTHER_TRANSACTION: SeededBug = SeededBug {
    name: "retry-is-another-transaction",
    code: "",
    says: "An operation that is repeated is brought to the chain as another transaction.",
    source: "Our own; payment services without idempotency keys",
    killers: &["one-effect"],
};
