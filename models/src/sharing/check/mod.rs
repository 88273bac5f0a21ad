//! What must hold of data sharing, judged online, and what a report tells about it.

mod audit;
mod binding;
mod consent;
mod reference;
mod summary;

pub use audit::AuditComplete;
pub use binding::OffChainBinding;
pub use consent::NoReadWithoutGrant;
pub use summary::Summary;

use consim_core::{Check, NodeId, Span};

/// The checks of a data-sharing service on the chain of `members`, their servers. `emergency` is
/// the option of that name; decisions in the last `slack` of the run may still wait for their
/// audit entry.
pub fn checks(members: &[NodeId], emergency: bool, slack: Span) -> Vec<Box<dyn Check>> {
    vec![
        Box::new(NoReadWithoutGrant::new(members, emergency)),
        Box::new(AuditComplete::new(slack)),
        Box::new(OffChainBinding::new(members)),
    ]
}

#[cfg(test)]
mod tests;
