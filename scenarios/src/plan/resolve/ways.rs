//! Delays between places, told apart by what they are: half of all published tables are round
//! trips, and one that is read wrongly doubles or halves every figure of a run.

use consim_core::Span;

/// From one place to another, milliseconds.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(super) struct OneWay(pub(super) f64);

/// There and back, milliseconds.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub(super) struct RoundTrip(pub(super) f64);

impl RoundTrip {
    /// One direction. Nothing but the sum is known of a route, so each way is taken as half: the
    /// only place where one kind becomes the other.
    pub(super) fn half(self) -> OneWay {
        OneWay(self.0 / 2.0)
    }
}

impl OneWay {
    /// To the nanosecond.
    pub(super) fn span(self) -> Span {
        Span::from_nanos(libm::round(self.0 * 1e6) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_trip_is_twice_one_way() {
        assert_eq!(RoundTrip(94.97).half().span(), Span::from_micros(47_485));
        assert_eq!(OneWay(94.97).span(), Span::from_micros(94_970));
    }
}
