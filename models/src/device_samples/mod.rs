//! Samples of devices: a synthetic model for searching protocols. Devices number their samples and
//! hand them over in batches, each under a Merkle root; the chain keeps batches and roots. Batches
//! come twice, out of order, altered, or not at all, now and then. A gap is said to be one: nothing is
//! ever put in place of what did not come.
//!
//! An institution has a *server* (a full node that hosts [`SamplesService`]: the gateway) and a
//! *client* ([`Client`]: its devices, and who looks at their samples). Every operation is ordered,
//! reads as well.

pub mod check;
pub mod command;
pub mod machine;
mod marks;
pub mod probe;
pub mod ranges;
mod seeded;
pub mod service;
#[cfg(test)]
mod tests;
pub mod workload;

pub use check::{GapsReported, SampleProofs, SamplesKept, SamplesOnce, Summary};
pub use command::{Batch, Command, Said};
pub use machine::SamplesMachine;
pub use ranges::Ranges;
pub use seeded::BUGS;
pub use service::{Samples, SamplesService};
pub use workload::{SampleOptions, SampleWorkload, Wish};

use consim_core::Check;

/// The most samples of a batch.
pub const MAX_BATCH: usize = 256;

/// A message between a client and a server.
pub type Message = crate::orders::Message<Command>;
/// The process of a client.
pub type Client = crate::orders::Client<Wish>;

/// The checks of a service of samples.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(SamplesKept::new()),
        Box::new(SamplesOnce::new()),
        Box::new(GapsReported::new()),
        Box::new(SampleProofs::new()),
    ]
}

/// The situations in samples that searches count.
pub const MARKS: &[&consim_core::Mark] = marks::MARKS;
