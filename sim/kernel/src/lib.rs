//! The discrete-event kernel: queue, virtual network, costs, faults, run digest.
//!
//! Rules (docs/architecture.md, "The event loop"): an event that reaches an up process enters its
//! inbox; the handler runs atomically at the start of service; the server is busy until start +
//! work; effects leave at that finish, stamped with the sender's epoch and dropped if the epoch
//! ended before; where a node has several servers they wait in a release entry until then. Ties
//! break by meaning, never by the moment of pushing: crash, release, arrival, disk, timer, wake; then
//! the sender or node, its own counter, the receiver.

mod clock;
pub mod config;
mod digest;
mod faults;
mod kernel;
mod network;
mod node;
pub mod queue;
mod seeded;
mod slab;
mod storage;
#[cfg(test)]
mod tests;
mod trace;

pub use faults::FaultEffect;
pub use kernel::{Kernel, KernelConfig, LineTotals, Progress, Spawn, Totals};
pub use node::Usage;
pub use seeded::BUGS;
pub use trace::{Flight, Traced, What};
