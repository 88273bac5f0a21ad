//! Options of faults of processes.

use crate::schema::lists::Targets;
use crate::schema::macros::{choice, record};
use crate::schema::organisations::Plain;

record! {
    /// Options of `crash`.
    pub struct Crash {
        /// Who.
        target: Targets,
        /// With which disk.
        restart: Restart = "keep",
    }
    main "target";
    later "lose" "point" "hit";
}

choice! {
    /// With which disk a node starts again.
    pub enum Restart: "restart" {
        /// Its own.
        Keep(Plain) = "keep",
    }
    later "empty" "snapshot" "disk-of";
}
