//! Identifiers. All are small integers that index tables of one run.

use std::fmt;

/// A node: the host's slot for a process. Survives a crash of its process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct NodeId(pub u32);

/// A chain of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct ChainId(pub u16);

/// An operation of a workload, unique in the run: what a user asked for, across all retries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct OpId(pub u64);

impl OpId {
    /// Marks what a server does of its own accord, such as an entry in an audit: no user asked for
    /// it. Its name is unique among those of its server, and other servers may use it too. The
    /// operations of users are below, since nodes are numbered below 2^31.
    pub const OWN: u64 = 1 << 63;

    /// Did a server do it of its own accord?
    pub const fn is_own(self) -> bool {
        self.0 & Self::OWN != 0
    }
}

/// A workload of the run, in the order of their names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WorkloadId(pub u16);

impl NodeId {
    /// The index of this node in tables of nodes.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.0)
    }
}
