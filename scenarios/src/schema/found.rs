//! `found`: where a saved failure comes from. It changes no event and no digest.

use super::decode::{At, Cx, Decode};
use super::macros::record;
use super::shape::Shape;
use crate::tree::Node;
use consim_core::values::{Count, Name};

record! {
    /// `found`.
    pub struct Found {
        /// Who or what found it.
        by: Option<At<String>>,
        /// The run digest that it had then.
        run_digest: Option<At<String>>,
        /// How many faults there were before it was made small.
        faults_before: Option<At<Count>>,
        /// The seeded bug with which `expect.violation` happens, and without which it must not.
        bug: Option<At<Name>>,
        /// The version from which on `expect.violation` must not happen any more.
        fixed: Option<At<String>>,
    }
}

/// The same, aside from the digests of the plan.
#[derive(Clone, Debug)]
pub(crate) struct FoundNote(pub(crate) Found);

impl Decode for FoundNote {
    fn shape() -> Shape {
        Found::shape()
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let from = cx.leaves.len();
        let found = Found::decode(cx, node);
        let leaves = cx.leaves.iter_mut().skip(from);
        leaves.for_each(|leaf| leaf.aside = true);
        found.map(Self)
    }
}
