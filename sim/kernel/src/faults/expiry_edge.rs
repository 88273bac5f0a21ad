//! `expiry-edge` (C7): the wall clocks of a chain's nodes show whole seconds, as clocks do that are read
//! with `time(2)`. Blocks then bear whole seconds, and a consent that was given for a whole number
//! of them ends exactly at a block's time.

use super::on_clocks::OnClocks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::clock::Fault;

/// Clocks show whole seconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpiryEdge {
    /// Whose clocks.
    pub target: Target,
}

impl Kind for ExpiryEdge {
    const WORD: &'static str = "expiry-edge";
    const CODE: &'static str = "C7";
    const UNIT: &'static str = "readings of a wrong clock";
    const CLOCKS: bool = true;
    type Open = OnClocks;

    fn open(&self, cx: &mut Cx<'_>) -> OnClocks {
        OnClocks::new(cx, &self.target, || Whole)
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// A second, nanoseconds.
const SECOND: i64 = 1_000_000_000;

#[derive(Debug)]
struct Whole;

impl Fault for Whole {
    fn shows(&self, wall_ns: i64) -> i64 {
        wall_ns - wall_ns.rem_euclid(SECOND)
    }
}
