//! A synthetic key-value store on a chain, for measuring protocols: clients write and read keys,
//! nothing else matters. What YCSB (Cooper et al., SoCC 2010) and Caliper's simple benchmark are to
//! databases and chains.
//!
//! An institution has a *server* (a full node that hosts [`KeyValueService`]) and a *client*
//! ([`Client`]). Writes and reads are ordered alike: each is a transaction, and its client is
//! answered when its server has executed it. A read's answer is the value at the end of the block
//! that the server has reached then.

pub mod check;
pub mod client;
pub mod command;
pub mod machine;
mod marks;
pub mod probe;
mod seeded;
pub mod service;
#[cfg(test)]
mod tests;
pub mod workload;

pub use check::{LinearizableReads, MonotonicReads};
pub use client::{Client, QuorumClient};
pub use command::{Command, Said};
pub use machine::KeyValueMachine;
pub use seeded::BUGS;
pub use service::{Honest, KeyValueService, Policy, Store};
pub use workload::{TransactionOptions, TransactionWorkload};

use consim_core::{Check, NodeId};

/// A message between a client and a server.
pub type Message = crate::orders::Message<Command>;

/// The longest value, bytes.
pub const MAX_VALUE: usize = 1 << 20;

/// The checks of a key-value service in which `writers` set keys, and from which somebody reads.
pub fn checks(writers: &[NodeId]) -> Vec<Box<dyn Check>> {
    vec![
        Box::new(LinearizableReads::new(writers)),
        Box::new(MonotonicReads::new(writers)),
    ]
}

/// The situations in the store that searches count.
pub const MARKS: &[&consim_core::Mark] = marks::MARKS;
