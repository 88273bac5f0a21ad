//! Which lines a fault of lines hits.

use crate::schema::decode::{Cx, Decode};
use crate::schema::lists::Targets;
use crate::schema::shape::{Form, Lists, Shape};
use consim_core::values::Selector;

/// Two sets of nodes.
#[derive(Clone, Debug)]
pub(crate) struct Pair(pub(crate) Targets, pub(crate) Targets);

impl Decode for Pair {
    fn shape() -> Shape {
        let form = Form::of::<Selector>().several("two selectors", Lists::Pair);
        Shape::Scalar(form)
    }
    fn decode(cx: &mut Cx, node: &crate::tree::Node) -> Option<Self> {
        let crate::tree::Value::List(items) = &node.value else {
            let place = cx.place_of(node);
            cx.error(
                "E211",
                &place,
                "two selectors are expected here",
                "[tertiary, community]",
            );
            return None;
        };
        let [a, b] = items.as_slice() else {
            let place = cx.place_of(node);
            cx.error(
                "E211",
                &place,
                format!("two selectors are expected here, not {}", items.len()),
                "[tertiary, community]",
            );
            return None;
        };
        let (a, b) = (Targets::decode(cx, a), Targets::decode(cx, b));
        // One line for the pair.
        if let (Some(a), Some(b)) = (&a, &b) {
            let second = cx
                .leaves
                .get(b.leaf)
                .map(|l| l.text.clone())
                .unwrap_or_default();
            if let Some(first) = cx.leaves.get_mut(a.leaf) {
                first.text = format!("[{}, {second}]", first.text);
            }
            cx.leaves.truncate(b.leaf);
        }
        Some(Self(a?, b?))
    }
}

/// Which lines a link fault hits, as written.
pub(crate) enum Lines<'a> {
    /// All lines of these.
    Of(&'a Targets),
    /// One way.
    FromTo(&'a Targets, &'a Targets),
    /// Both ways.
    Between(&'a Pair),
}

/// The lines of a fault as they are written: one of the three ways.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) target: Option<&'a Targets>,
    pub(crate) between: Option<&'a Pair>,
    pub(crate) from: Option<&'a Targets>,
    pub(crate) to: Option<&'a Targets>,
}

/// Options of a fault of lines: which ones, and its own.
macro_rules! of_lines {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident { $($fields:tt)* }
    ) => {
        $crate::schema::macros::record! {
            $(#[doc = $about])+
            pub struct $name {
                /// Whose lines.
                target: Option<$crate::schema::lists::Targets>,
                /// Between two sets, both ways.
                between: Option<$crate::schema::faults::Pair>,
                /// From these...
                from: Option<$crate::schema::lists::Targets>,
                /// ...to these, one way.
                to: Option<$crate::schema::lists::Targets>,
                $($fields)*
            }
            main "target";
        }

        impl $name {
            /// Which lines, as written.
            pub(crate) fn lines(&self) -> $crate::schema::faults::Written<'_> {
                $crate::schema::faults::Written {
                    target: self.target.as_ref(),
                    between: self.between.as_ref(),
                    from: self.from.as_ref(),
                    to: self.to.as_ref(),
                }
            }
        }
    };
}
pub(super) use of_lines;
