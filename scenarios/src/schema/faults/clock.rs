//! Options of faults of clocks.

use crate::schema::decode::At;
use crate::schema::lists::Targets;
use crate::schema::macros::{record, words};
use consim_core::Span;
use consim_core::values::{Drift, Name, Offset};

record! {
    /// Options of `clock-drift`.
    pub struct ClockDrift {
        /// Whose clocks.
        target: Targets,
        /// How much too fast the oscillator is; it moves timers too.
        rate: At<Drift> = "200ppm",
    }
    main "target";
}

record! {
    /// Options of `clock-step`.
    pub struct ClockStep {
        /// Whose clocks.
        target: Targets,
        /// How far the wall clock is ahead.
        by: At<Offset> = "5s",
    }
    main "target";
}

record! {
    /// Options of `clock-strobe`.
    pub struct ClockStrobe {
        /// Whose clocks.
        target: Targets,
        /// How far the wall clock jumps.
        by: At<Offset> = "1s",
        /// From jump to jump.
        period: At<Span> = "1s",
    }
    main "target";
}

record! {
    /// Options of `clock-back`.
    pub struct ClockBack {
        /// Whose clocks.
        target: Targets,
        /// How far the wall clock is set back when the node starts again.
        by: At<Span> = "1h",
    }
    main "target";
}

record! {
    /// Options of `leap`.
    pub struct Leap {
        /// Whose clocks.
        target: Targets,
        /// What the clock leaps by.
        kind: At<LeapKind> = "second",
    }
    main "target";
}

words! {
    /// What a clock leaps by.
    pub enum LeapKind: "leap" {
        /// A leap second: a second back.
        Second = "second",
        /// Daylight saving: an hour ahead.
        Dst = "dst",
    }
}

record! {
    /// Options of `move-time-server`.
    pub struct MoveTimeServer {
        /// Whose time server is the attacker's: at most f of a chain.
        target: Targets,
        /// How far its time is ahead.
        by: At<Offset> = "5s",
    }
    main "target";
}

record! {
    /// Options of `expiry-edge`.
    pub struct ExpiryEdge {
        /// The service whose consents end exactly at a block's time; the only one if left out.
        service: Option<At<Name>>,
    }
    main "service";
}
