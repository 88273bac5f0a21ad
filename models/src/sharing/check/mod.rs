//! What must hold of data sharing, judged online, and what a report tells about it.

mod audit;
mod binding;
mod consent;
mod copies;
mod edges;
mod fresh;
mod insiders;
mod plaintext;
mod reference;
mod reviewed;
mod revocation;
mod summary;
mod uses;

pub use audit::AuditComplete;
pub use binding::OffChainBinding;
pub use consent::NoReadWithoutGrant;
pub use copies::Copies;
pub use fresh::FreshDecisions;
pub use insiders::{Insiders, Suspect};
pub use plaintext::NoPlaintextOnChain;
pub use reviewed::EmergencyReviewed;
pub use revocation::RevocationBound;
pub use summary::Summary;
pub use uses::Uses;

use crate::sharing::config::Rules;
use consim_core::{Check, NodeId, Span};

/// The checks of a data-sharing service on the chain of `members`, their servers. `emergency` is
/// the option of that name; decisions in the last `bound` of the run may still wait for their
/// audit entry, and within it revocations reach everybody who is undisturbed.
pub fn checks(members: &[NodeId], emergency: bool, bound: Span) -> Vec<Box<dyn Check>> {
    let rules = Rules {
        emergency,
        ..Rules::default()
    };
    checks_but_of(&[], members, rules, None, bound)
}

/// The same checks under these rules, where an adversary controls `corrupt`: what it writes down is
/// not judged. `lease` is how old the state of a decision may be, if that is to be judged.
pub fn checks_but_of(
    corrupt: &[NodeId],
    members: &[NodeId],
    rules: Rules,
    lease: Option<Span>,
    bound: Span,
) -> Vec<Box<dyn Check>> {
    vec![
        Box::new(NoReadWithoutGrant::new(members, rules)),
        Box::new(AuditComplete::new(bound).but_of(corrupt)),
        Box::new(OffChainBinding::new(members).but_of(corrupt)),
        Box::new(RevocationBound::new(members, bound)),
        Box::new(NoPlaintextOnChain::new()),
        Box::new(FreshDecisions::new(bound).under_lease(lease)),
    ]
}

#[cfg(test)]
mod tests;
