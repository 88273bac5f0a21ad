//! Exit codes (README.md). Those of a verdict are in `consim_check::verdict`.

/// Everything held.
pub(crate) const PASS: u8 = 0;
/// Anything that is neither a verdict nor the user's mistake: disk full, no permission.
pub(crate) const OTHER: u8 = 1;
/// Bad arguments or a bad scenario.
pub(crate) const BAD_INPUT: u8 = 2;
