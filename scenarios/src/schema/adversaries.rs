//! `adversaries`.

use super::decode::{At, Cx, Decode};
use super::faults::For;
use super::lists::{Targets, Words};
use super::macros::record;
use super::shape::{Form, Lists, Shape};
use crate::tree::Node;
use consim_core::values::{Bare, Count, Selector, Value, ValueError};

record! {
    /// A budget; attacks spend it.
    pub struct Adversary {
        /// The nodes that it controls.
        nodes: Targets = "none",
        /// Signing keys of members that it stole: whose, or how many. A member whose key is stolen
        /// counts as faulty.
        keys: Amount = "0",
        /// Lines that it can read, delay and drop messages on: all lines of these, or how many lines
        /// between members.
        links: Amount = "0",
        /// What its people are.
        roles: Option<Words>,
        /// Total time that its attacks may last.
        r#for: At<For> = "rest",
    }
    later "devices" "codes" "power";
}

/// How many, or which.
#[derive(Clone, Debug)]
pub(crate) enum Amount {
    /// So many.
    Count(At<Count>),
    /// These.
    Of(Targets),
}

/// The form of an [`Amount`], for schemas and diagnostics.
struct AmountForm;

impl Value for AmountForm {
    const FORM: &'static str = "a count or a selector";
    const EXAMPLES: &'static str = "2 or f of alliance";
    const BARE: Bare = Bare::Whole;
    fn pattern() -> String {
        Selector::pattern()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        match Count::parse(text) {
            Ok(_) => Ok(Self),
            Err(_) => Selector::parse(text).map(|_| Self),
        }
    }
    fn text(&self) -> String {
        String::new()
    }
}

impl Decode for Amount {
    fn shape() -> Shape {
        Shape::Scalar(Form::of::<AmountForm>().several(AmountForm::FORM, Lists::Also))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let counted = node.scalar().is_some_and(|text| Count::parse(text).is_ok());
        if counted {
            return At::decode(cx, node).map(Self::Count);
        }
        Targets::decode(cx, node).map(Self::Of)
    }
}
