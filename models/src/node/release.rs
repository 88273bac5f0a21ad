//! Releases of the program that nodes run, and which of them understand each other.

use std::fmt;

/// A release, by how many steps it is later than the program's own; earlier if negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Release(pub i32);

/// Members of a chain understand each other if their releases are no further apart than this: the
/// release itself and the one before, as servers of one Kubernetes cluster (its version skew policy,
/// kubernetes.io/releases/version-skew-policy).
pub const MAX_SKEW: u32 = 1;

impl Release {
    /// The program's own.
    pub const CURRENT: Self = Self(0);

    /// Do nodes of the two releases understand each other?
    pub const fn understands(self, other: Self) -> bool {
        self.0.abs_diff(other.0) <= MAX_SKEW
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("current"),
            steps => write!(f, "current{steps:+}"),
        }
    }
}
