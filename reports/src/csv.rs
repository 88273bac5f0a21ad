//! `metrics.csv`: the time series, one row a bin.
//!
//! RFC 4180 with LF line ends. What each column means is in `README.md`.

use crate::json::round;
use crate::series;
use consim_check::results::Results;
use std::fmt::Write;

const HEADER: &str = "start_s,end_s,warmup,submitted_tx,committed_tx,committed_tx_per_s,\
answered_ops,failed_ops,latency_p50_ms,latency_p99_ms,faults\n";

/// The whole file.
pub(crate) fn metrics(results: &Results) -> String {
    let mut out = String::from(HEADER);
    for (i, bin) in results.series.iter().enumerate() {
        let (start, end) = series::bounds(results, i);
        let faults: Vec<&str> = results
            .outcome
            .faults
            .iter()
            .filter(|f| f.from_s < end && (f.to_s > start || f.from_s >= start))
            .map(|f| f.id.as_str())
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{},{}",
            time(start),
            time(end),
            u8::from(start < results.warmup_s),
            bin.submitted,
            bin.committed,
            number(bin.committed as f64 / (end - start)),
            bin.answered,
            bin.failed,
            number(bin.p50_ms),
            number(bin.p99_ms),
            field(&faults.join(" ")),
        );
    }
    out
}

/// Seconds to the nanosecond: all that virtual time has.
fn time(s: f64) -> f64 {
    (s * 1e9).round() / 1e9
}

/// A number; nothing for what is none.
pub(crate) fn number(x: f64) -> String {
    if x.is_finite() {
        round(x).to_string()
    } else {
        String::new()
    }
}

/// A line of fields.
pub(crate) fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|text| field(text)).collect();
    fields.join(",") + "\n"
}

/// Quoted if it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}
