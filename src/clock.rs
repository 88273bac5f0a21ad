//! Wall time, for the user. It never reaches a result.

use consim_core::values::Value as _;
use consim_core::{Span, Time};
use std::time::Duration;

/// A clock that starts now.
#[allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the command measures real time"
)]
pub(crate) fn started() -> impl Fn() -> Duration {
    let begun = std::time::Instant::now();
    move || begun.elapsed()
}

/// Processor time of this process from now on, of all its threads: what else the machine does is not counted. Where
/// the system does not tell, it is real time.
#[cfg(all(unix, feature = "seeded-bugs"))]
pub(crate) fn worked() -> impl Fn() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let spent = || {
        let spent = clock_gettime(ClockId::ProcessCPUTime);
        let whole = u64::try_from(spent.tv_sec).unwrap_or(0);
        Duration::new(whole, u32::try_from(spent.tv_nsec).unwrap_or(0))
    };
    let begun = spent();
    move || spent().saturating_sub(begun)
}

/// Processor time of this process from now on, as far as the system tells: real time.
#[cfg(all(not(unix), feature = "seeded-bugs"))]
pub(crate) fn worked() -> impl Fn() -> Duration {
    started()
}

/// A duration as scenarios write it (`60s`, `10m`).
pub(crate) fn duration(option: &str, text: &str) -> Result<Duration, String> {
    Span::parse(text)
        .map(|span| Duration::from_nanos(span.nanos()))
        .map_err(|_| {
            format!("`{text}` is no duration for {option}: it takes a number with its unit, e.g. 60s or 10m")
        })
}

/// An instant of a run, counted from its beginning (`12s`, `1m30s`).
pub(crate) fn instant(option: &str, text: &str) -> Result<Time, String> {
    Span::parse(text)
        .map(|span| Time::ZERO + span)
        .map_err(|_| {
            format!("`{text}` is no instant for {option}: it takes a time since the beginning with its unit, e.g. 12s or 1m30s")
        })
}
