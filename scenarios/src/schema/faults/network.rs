//! Options of faults of the network.

use super::lines::Pair;
use crate::schema::decode::At;
use crate::schema::delay::Delay;
use crate::schema::lists::Targets;
use crate::schema::macros::record;
use consim_core::values::Share;

record! {
    /// Options of `partition`.
    pub struct Partition {
        /// Who is cut off from the rest.
        target: Targets,
    }
    main "target";
    later "direction" "shape";
}

record! {
    /// Options of `loss`.
    pub struct Lossy {
        /// Whose lines.
        target: Option<Targets>,
        /// Between two sets, both ways.
        between: Option<Pair>,
        /// From these...
        from: Option<Targets>,
        /// ...to these, one way.
        to: Option<Targets>,
        /// Share of segments.
        rate: At<Share> = "5%",
    }
    main "target";
    later "burst";
}

record! {
    /// Options of `delay`.
    pub struct Slow {
        /// Whose lines.
        target: Option<Targets>,
        /// Between two sets, both ways.
        between: Option<Pair>,
        /// From these...
        from: Option<Targets>,
        /// ...to these, one way.
        to: Option<Targets>,
        /// How much, one way.
        add: Delay = "100ms",
    }
    main "target";
}
