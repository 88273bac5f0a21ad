//! Wall time, for the user. It never reaches a result.

use consim_core::Span;
use consim_core::values::Value as _;
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

/// A duration as scenarios write it (`60s`, `10m`).
pub(crate) fn duration(option: &str, text: &str) -> Result<Duration, String> {
    Span::parse(text)
        .map(|span| Duration::from_nanos(span.nanos()))
        .map_err(|_| {
            format!("`{text}` is no duration for {option}: it takes a number with its unit, e.g. 60s or 10m")
        })
}
