//! What must hold of data sharing, judged online, and what a report tells about it.

mod audit;
mod binding;
mod consent;
mod edges;
mod fresh;
mod insiders;
mod plaintext;
mod reference;
mod revocation;
mod summary;

pub use audit::AuditComplete;
pub use binding::OffChainBinding;
pub use consent::NoReadWithoutGrant;
pub use fresh::FreshDecisions;
pub use insiders::{Insiders, Suspect};
pub use plaintext::NoPlaintextOnChain;
pub use revocation::RevocationBound;
pub use summary::Summary;

use consim_core::{Check, NodeId, Span};

/// The checks of a data-sharing service on the chain of `members`, their servers. `emergency` is
/// the option of that name; decisions in the last `bound` of the run may still wait for their
/// audit entry, and within it revocations reach everybody who is undisturbed.
pub fn checks(members: &[NodeId], emergency: bool, bound: Span) -> Vec<Box<dyn Check>> {
    checks_but_of(&[], members, emergency, bound)
}

/// The same checks where an adversary controls `corrupt`: what it writes down is not judged.
pub fn checks_but_of(
    corrupt: &[NodeId],
    members: &[NodeId],
    emergency: bool,
    bound: Span,
) -> Vec<Box<dyn Check>> {
    vec![
        Box::new(NoReadWithoutGrant::new(members, emergency)),
        Box::new(AuditComplete::new(bound).but_of(corrupt)),
        Box::new(OffChainBinding::new(members).but_of(corrupt)),
        Box::new(RevocationBound::new(members, bound)),
        Box::new(NoPlaintextOnChain::new()),
        Box::new(FreshDecisions::new(bound)),
    ]
}

#[cfg(test)]
mod tests;
