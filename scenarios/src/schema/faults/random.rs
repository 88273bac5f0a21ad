//! Options of `random`, which draws other faults.

use crate::schema::decode::{At, Cx, Decode, LeafKind};
use crate::schema::lists::Targets;
use crate::schema::macros::{record, words};
use crate::schema::shape::{Form, Lists, Shape};
use crate::tree::{Node, Place, Value as Tree};
use consim_core::Span;
use consim_core::values::{Count, Range, Rate};

record! {
    /// Options of `random`. Without `mtbf`, faults come at a rate.
    pub struct Random {
        /// Who may be hit, one at a time.
        target: Targets = "all",
        /// Kinds of faults, with their other options as they are by default; or `all` of the network,
        /// of processes, of disks and of clocks.
        kinds: Kinds = "all",
        /// How often, on average.
        rate: At<Rate> = "6/h",
        /// How long each lasts.
        lasting: At<Range<Span>> = "5s..60s",
        /// How many at a time.
        at_once: At<Count> = "1",
        /// Half as many from the longer half of `lasting`, twice as many from the shorter, or as is.
        shape: At<Mix> = "mixed",
        /// In place of `rate` and `lasting`: the mean time that each of the target works,
        mtbf: Option<At<Span>>,
        /// and the mean time until it does again.
        mttr: Option<At<Span>>,
        /// With `mtbf`: planned stops of each of the target, one after the other.
        maintenance: Option<Maintenance>,
    }
    main "target";
}

record! {
    /// Planned stops.
    pub struct Maintenance {
        /// From one stop of a node to its next.
        every: At<Span>,
        /// How long each lasts.
        r#for: At<Span>,
    }
}

words! {
    /// How drawn faults are shaped.
    pub enum Mix: "shape of random faults" {
        /// Few and long.
        FewLong = "few-long",
        /// Many and short.
        ManyShort = "many-short",
        /// Both.
        Mixed = "mixed",
    }
}

/// Kinds of faults: a list of words, or `all`.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    /// None is all.
    pub(crate) list: Option<Vec<(String, Place)>>,
}

impl Decode for Kinds {
    fn shape() -> Shape {
        Shape::Scalar(Form::of::<String>().several("`all`, or a list of kinds", Lists::Also))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let items = match &node.value {
            Tree::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut list = Vec::new();
        for item in items {
            let place = cx.place_of(item);
            let Some(text) = item.scalar() else {
                let message = format!("a kind of fault is expected here, not {}", item.kind());
                cx.error("E211", &place, message, "[crash, partition]");
                return None;
            };
            list.push((text.to_string(), place));
        }
        let words: Vec<&str> = list.iter().map(|(word, _)| word.as_str()).collect();
        let text = match words.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("[{}]", several.join(", ")),
        };
        let all = words == ["all"];
        cx.leaf(LeafKind::Value, text, &cx.place_of(node));
        Some(Self {
            list: (!all).then_some(list),
        })
    }
}
