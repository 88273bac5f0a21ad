//! `workloads.NAME.load` and `bursts`.

use super::decode::{At, Cx, Decode};
use super::delay::Delay;
use super::lists::List;
use super::macros::{choice, record, words};
use super::shape::Shape;
use crate::tree::Node;
use consim_core::Span;
use consim_core::values::{Count, Factor, Instant, Name, Rate, Switch};

choice! {
    /// How much.
    pub enum Load: "load" {
        /// In all, spread evenly over the institutions.
        Open(OpenLoad) = "open",
        /// Per institution of each group.
        Each(EachLoad) = "each",
        /// In all: from one rate evenly to another, which then stays.
        Ramp(RampLoad) = "ramp",
        /// In all: one rate after the other, and nothing after the last.
        Steps(List<Step>) = "steps",
        /// Users who ask again once they are answered.
        Closed(ClosedLoad) = "closed",
        /// At recorded instants.
        Recorded(RecordedLoad) = "recorded",
        /// One operation.
        Once(Once) = "once",
    }
    main "open";
    later "list";
}

record! {
    /// `closed`.
    pub struct ClosedLoad {
        /// Users in all, spread evenly over the institutions.
        clients: At<Count>,
        /// Operations that each has open at a time.
        outstanding: At<Count> = "1",
        /// How long a user thinks between an answer and the next question.
        think: Delay = "0ms",
    }
    main "clients";
}

record! {
    /// `ramp`.
    pub struct RampLoad {
        /// Events in all, at the beginning of the window.
        from: At<Rate>,
        /// Events in all, once the ramp is over.
        to: At<Rate>,
        /// How long it takes.
        over: At<Span>,
        /// How they follow each other.
        arrivals: At<Arrivals> = "poisson",
    }
}

record! {
    /// An item of `steps`.
    pub struct Step {
        /// Events in all.
        rate: At<Rate>,
        /// How long.
        r#for: At<Span>,
    }
}

record! {
    /// `recorded`.
    pub struct RecordedLoad {
        /// A CSV file: the unit in its first line (`ns`, `us`, `ms`, `s`), then an instant a line, counted
        /// from the beginning of the window.
        file: At<String>,
        /// How much faster than recorded.
        speed: At<Factor> = "1x",
        /// From the first line on again after the last?
        repeat: At<Switch> = "false",
    }
    main "file";
}

record! {
    /// `once`.
    pub struct Once {
        /// When.
        at: At<Instant>,
    }
    main "at";
}

record! {
    /// A burst: for a time, the load is a multiple of itself.
    pub struct Burst {
        /// When it begins.
        at: At<Instant>,
        /// How long it lasts.
        r#for: At<Span>,
        /// How many times as much comes.
        times: At<Factor> = "3x",
        /// From one beginning to the next; once if left out.
        every: Option<At<Span>>,
    }
}

record! {
    /// `open`.
    pub struct OpenLoad {
        /// Events in all.
        rate: At<Rate>,
        /// How they follow each other.
        arrivals: At<Arrivals> = "poisson",
    }
    main "rate";
}

words! {
    /// How arrivals follow each other.
    pub enum Arrivals: "arrival process" {
        /// Independent of each other.
        Poisson = "poisson",
        /// In equal distances.
        Even = "even",
    }
}

/// `each`: a rate for every institution of a group.
#[derive(Clone, Debug)]
pub(crate) struct EachLoad(pub(crate) Vec<(At<Name>, At<Rate>)>);

impl Decode for EachLoad {
    fn shape() -> Shape {
        Shape::Named(Box::new(At::<Rate>::shape()))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        super::decode::Named::<At<Rate>>::decode(cx, node).map(Self)
    }
}
