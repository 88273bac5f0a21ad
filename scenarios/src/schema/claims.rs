//! `claims`: what is said of a system, and the limits that support or refute it.

use super::decode::{At, Cx, Decode};
use super::gates::paths;
use super::macros::record;
use super::shape::{Form, Shape};
use crate::tree::{Key, Node};
use consim_core::values::{Count, LimitText};

record! {
    /// A claim.
    pub struct Claim {
        /// What it says; of a claim of the paper, what `consim list claims` says.
        says: Option<At<String>>,
        /// Where it is made; likewise.
        section: Option<At<String>>,
        /// All of these limits have to hold over the seeds for it to be supported. Where there are variants a path begins
        /// with the label of one.
        supported_if: Conditions = "{}",
        /// Any of these refutes it.
        refuted_if: Conditions = "{}",
        /// Under how many seeds it is run.
        seeds: At<Count> = "30",
    }
}

/// Metric paths and their limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions(pub(crate) Vec<(Key, At<LimitText>)>);

impl Decode for Conditions {
    fn shape() -> Shape {
        Shape::Paths(Box::new(Shape::Scalar(Form::of::<LimitText>())))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let mut out = Vec::new();
        let mut whole = true;
        for (key, value) in paths(cx, node)? {
            let limit = cx.within(&key.text, &key.place, |cx| {
                At::<LimitText>::decode(cx, value)
            });
            match limit {
                Some(limit) => out.push((key.clone(), limit)),
                None => whole = false,
            }
        }
        whole.then_some(Self(out))
    }
}
