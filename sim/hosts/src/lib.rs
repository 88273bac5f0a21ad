//! Hosts: the same [`consim_core::Process`] outside the kernel.
//!
//! A host is one loop around a process. It hands the process messages, timers and disk completions
//! as events and carries out the effects that it asks for. The loop knows tokio's clock and
//! channels only; what carries the bytes stands beside it: [`turmoil`], TCP on a simulated network
//! with a seed.
//!
//! What a host does not do: it charges no [`consim_core::Work`], since real work takes the time
//! that it takes (under turmoil: none), and it injects no faults but crashes. The kernel is the
//! place for both.

mod engine;
pub mod turmoil;
pub mod wire;

pub use engine::{HostConfig, Observe, Storage};

use consim_core::{CodecError, Payload};
use std::sync::Arc;

/// Reads a message of any family that the processes speak.
pub type Decode = Arc<dyn Fn(&[u8]) -> Result<Arc<dyn Payload>, CodecError> + Send + Sync>;

/// Why hosts could not run.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A fault or an effect names a node that there is none of.
    #[error("there is no {0}")]
    UnknownNode(consim_core::NodeId),
    /// The runtime or its network failed.
    #[error("{0}")]
    Runtime(String),
}
