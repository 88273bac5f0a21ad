//! Custody of units: a synthetic model for searching protocols. Units are commissioned, handed over
//! from holder to holder, each hand-over accepted by who takes the unit, and dispensed or
//! decommissioned in the end; now and then somebody tries what must not be.
//!
//! An institution has a *server* (a full node that hosts [`CustodyService`]) and a *client*
//! ([`Client`]). It is known on the chain by its server. Every operation is ordered, looking a unit
//! up as well.

pub mod check;
pub mod command;
pub mod machine;
mod marks;
pub mod probe;
mod seeded;
pub mod service;
#[cfg(test)]
mod tests;
pub mod unit;
pub mod workload;

pub use check::{Conservation, SerialUniqueness, SingleCustody, Summary};
pub use command::{Command, Said};
pub use machine::CustodyMachine;
pub use seeded::BUGS;
pub use service::{Custody, CustodyService};
pub use unit::{Life, Totals};
pub use workload::{MovementOptions, MovementWorkload};

use consim_core::Check;

/// A message between a client and a server.
pub type Message = crate::orders::Message<Command>;
/// The process of a client.
pub type Client = crate::orders::Client<Command>;

/// The checks of a custody service.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(SingleCustody::new()),
        Box::new(SerialUniqueness::new()),
        Box::new(Conservation::new()),
    ]
}

/// The situations in custody that searches count.
pub const MARKS: &[&consim_core::Mark] = marks::MARKS;
