//! `move-time-server` (C6): the time server that a node follows is an attacker's. The node follows as NTP
//! does (RFC 5905): an offset of up to 128 ms is slewed away, a larger one is stepped over, and one
//! of more than 1000 s is not believed.

use super::on_clocks::OnClocks;
use super::target::Target;
use super::window::{Cx, Kind};
use crate::clock::Fault;
use consim_core::Time;

/// Time servers are moved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MoveTimeServer {
    /// Whose clocks.
    pub target: Target,
    /// How far their time is ahead, nanoseconds.
    pub by_ns: i64,
}

impl Kind for MoveTimeServer {
    const WORD: &'static str = "move-time-server";
    const CODE: &'static str = "C6";
    const UNIT: &'static str = "readings of a wrong clock";
    const CLOCKS: bool = true;
    type Open = OnClocks;

    fn open(&self, cx: &mut Cx<'_>) -> OnClocks {
        let (by_ns, from) = (self.by_ns, cx.now);
        OnClocks::new(cx, &self.target, || Followed { by_ns, from })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// The largest offset that is slewed: STEPT of RFC 5905, section 11.3, nanoseconds.
const STEP: u64 = 128_000_000;
/// The largest offset that is believed: PANICT of RFC 5905, nanoseconds.
const PANIC: u64 = 1_000_000_000_000;
/// How fast an offset is slewed: 500 ppm (RFC 5905, section 11.3).
const SLEW_PPM: u64 = 500;

#[derive(Debug)]
struct Followed {
    by_ns: i64,
    from: Time,
}

impl Fault for Followed {
    fn shift_ns(&self, now: Time) -> i64 {
        match self.by_ns.unsigned_abs() {
            by if by > PANIC => 0,
            by if by > STEP => self.by_ns,
            by => {
                let slewed = (now - self.from).nanos() / 1_000_000 * SLEW_PPM;
                self.by_ns.signum() * by.min(slewed) as i64
            }
        }
    }
}
