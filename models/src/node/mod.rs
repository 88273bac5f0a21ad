//! The full node: a replica, the ledger and a domain service in one process.

pub mod administrator;
pub(crate) mod asking;
mod change;
pub mod client;
mod clients;
pub mod entry;
mod full_node;
mod gate;
pub(crate) mod marks;
pub mod membership;
pub mod message;
pub mod notice;
mod noticing;
pub mod registrar;
pub mod release;
mod seeded;
pub mod service;
pub(crate) mod waiting;

pub use clients::Shows;
pub use full_node::{FullNode, NodeConfig};
pub use gate::{CertificateGate, Gate};
pub use noticing::Noticing;
pub use seeded::BUGS;

/// The situations in nodes that searches count.
pub const MARKS: &[&consim_core::Mark] = marks::MARKS;
