//! Numbers and names as a reader wants them.

use consim_check::outcome::FaultOutcome;
use consim_check::statistics::{CONFIDENCE, Interval, count_limits};

#[cfg(test)]
mod tests;

/// Between a number and its unit: a line never ends there.
pub(crate) const NBSP: char = '\u{a0}';

/// A character as a report may show it. Control characters, which break XML and steer terminals,
/// and the bidirectional embeddings, overrides and isolates, which turn the text around them
/// (Unicode Technical Report 36, section 2), become the replacement character.
pub(crate) fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// Columns that a text takes in a terminal: two for the wide characters of Unicode Standard Annex
/// 11 (rounded to whole blocks), one for any other.
pub(crate) fn columns(text: &str) -> usize {
    let wide = |c| {
        matches!(c,
            '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
            | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|c| 1 + usize::from(wide(c))).sum()
}

/// An integer with its thousands apart: `12,345`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 fact`, `2 facts`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{}{NBSP}{}", count(n), if n == 1 { one } else { many })
}

/// What a fault did: `1 node taken down`, `6,691 transmissions lost`. The unit is given for many,
/// its noun first.
pub(crate) fn effect(n: u64, many: &str) -> String {
    let (noun, rest) = many.split_once(' ').unwrap_or((many, ""));
    let one = format!("{} {rest}", noun.strip_suffix('s').unwrap_or(noun));
    counted(n, one.trim_end(), many)
}

/// Three significant digits, never exponents; digits before the point always stay.
pub(crate) fn short(x: f64) -> String {
    if !x.is_finite() {
        return "–".into();
    }
    let a = x.abs();
    if a == 0.0 {
        return "0".into();
    }
    if a >= 99.95 {
        let whole = count(a.round() as u64);
        return if x < 0.0 {
            format!("−{whole}")
        } else {
            whole
        };
    }
    // Decimals that leave three significant digits; at most six, below which the value is called 0.
    let mut decimals = 1;
    let mut bound = 9.995;
    while a < bound && decimals < 6 {
        decimals += 1;
        bound /= 10.0;
    }
    let text = format!("{a:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if x < 0.0 {
        format!("−{text}")
    } else {
        text.into()
    }
}

/// Milliseconds in the unit that suits them.
pub(crate) fn millis(ms: f64) -> String {
    if !ms.is_finite() {
        "–".into()
    } else if ms != 0.0 && ms.abs() < 0.9995 {
        format!("{}{NBSP}µs", short(ms * 1e3))
    } else if ms.abs() < 999.5 {
        format!("{}{NBSP}ms", short(ms))
    } else {
        seconds(ms / 1e3)
    }
}

/// Seconds in the unit that suits them.
pub(crate) fn seconds(s: f64) -> String {
    if !s.is_finite() {
        return "–".into();
    }
    // The bound of `millis`: each hands on only what the other keeps.
    if s != 0.0 && s.abs() < 0.9995 {
        return millis(s * 1e3);
    }
    if s < 119.5 {
        return format!("{}{NBSP}s", short(s));
    }
    let whole = s.round() as u64;
    let (d, h, m, s) = match whole {
        // Up to two days, hours are what people say.
        0..172_800 => (0, whole / 3600, whole / 60 % 60, whole % 60),
        _ => (
            whole / 86_400,
            whole / 3600 % 24,
            whole / 60 % 60,
            whole % 60,
        ),
    };
    let mut parts = Vec::new();
    for (n, unit) in [(d, "d"), (h, "h"), (m, "min"), (s, "s")] {
        if n > 0 {
            parts.push(format!("{}{NBSP}{unit}", count(n)));
        }
    }
    parts.join(&NBSP.to_string())
}

/// Minutes in the unit that suits them.
pub(crate) fn minutes(minutes: f64) -> String {
    seconds(minutes * 60.0)
}

/// The ends of an interval, `21 min to 1 h`; a dash if it has none.
pub(crate) fn between(interval: &Interval, render: impl Fn(f64) -> String) -> String {
    if interval.is_bounded() {
        format!("{} to {}", render(interval.low), render(interval.high))
    } else {
        "–".into()
    }
}

/// An estimate with its interval: `41 (38 to 44)`; the estimate alone if it has none.
pub(crate) fn estimate(interval: &Interval, render: impl Fn(f64) -> String) -> String {
    let value = render(interval.estimate);
    if interval.is_bounded() {
        format!("{value} ({})", between(interval, render))
    } else {
        value
    }
}

/// A share that was counted, and its exact limits: `3 of 10`, `6.67 % to 65.2 %`. What was never seen
/// is said to be rare, not to be impossible: `0 of 30`, `at most 11.6 %`.
pub(crate) fn counted_share(seen: u64, of: u64) -> (String, String) {
    let Some(limits) = count_limits(seen, of, CONFIDENCE) else {
        return ("–".into(), String::new());
    };
    let ends = if seen == 0 {
        format!("at most{NBSP}{}", percent(limits.high))
    } else if seen == of {
        format!("at least{NBSP}{}", percent(limits.low))
    } else {
        between(&limits, percent)
    };
    (format!("{} of {}", count(seen), count(of)), ends)
}

/// A share as a percentage.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".into();
    }
    let p = share * 100.0;
    let text = if p > 99.0 && p < 100.0 {
        // 99.997 % must not read as 100 %: as many nines as there are.
        let decimals = if p >= 99.99 { 4 } else { 2 };
        let text = format!("{p:.decimals$}");
        let text = if text.starts_with("100") {
            "99.9999"
        } else {
            &text
        };
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        short(p)
    };
    format!("{text}{NBSP}%")
}

/// Bytes in decimal units.
pub(crate) fn bytes(n: u64) -> String {
    scaled(n as f64, &["B", "kB", "MB", "GB", "TB", "PB"])
}

/// A large number in a short form: `1.2 M`.
pub(crate) fn big(n: u64) -> String {
    if n < 100_000 {
        return count(n);
    }
    scaled(n as f64, &["", "k", "M", "G", "T", "P"])
}

/// A number on an axis.
pub(crate) fn tick(x: f64) -> String {
    if x < 1e5 {
        short(x)
    } else {
        scaled(x, &["", "k", "M", "G", "T", "P"])
    }
}

/// Milliseconds on an axis, never in mixed units.
pub(crate) fn tick_ms(ms: f64) -> String {
    if ms == 0.0 {
        "0".into()
    } else if ms < 999.5 {
        millis(ms)
    } else {
        format!("{}{NBSP}s", tick(ms / 1e3))
    }
}

fn scaled(mut x: f64, units: &[&str]) -> String {
    let mut at = 0;
    while x >= 999.5 && at + 1 < units.len() {
        x /= 1e3;
        at += 1;
    }
    let unit = units.get(at).copied().unwrap_or_default();
    format!("{}{NBSP}{unit}", short(x))
        .trim_end_matches(NBSP)
        .to_string()
}

/// A quantity written by a person (`5s`, `95%`) with a space before its unit.
pub(crate) fn quantity(text: &str) -> String {
    let text = text.trim();
    let split = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+')))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit = unit.trim_start();
    if number.is_empty() || unit.is_empty() || unit.starts_with('/') {
        text.into()
    } else {
        format!("{number}{NBSP}{unit}")
    }
}

/// Each word of a limit as [`quantity`]: `at most 5 s`.
pub(crate) fn limit(text: &str) -> String {
    text.split_whitespace()
        .map(quantity)
        .collect::<Vec<_>>()
        .join(" ")
}

/// `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// The metric of a path in words: `chains.alliance.latency_p99` is
/// `99th percentile latency of chains alliance`.
pub(crate) fn metric(path: &str) -> String {
    let (prefix, word) = path.rsplit_once('.').unwrap_or(("", path));
    let name = match word {
        "throughput" => "throughput".into(),
        "latency_mean" => "mean latency".into(),
        "latency_p50" => "median latency".into(),
        "latency_p95" => "95th percentile latency".into(),
        "latency_p99" => "99th percentile latency".into(),
        "latency_max" => "largest latency".into(),
        "consensus_latency_mean" => "mean consensus latency".into(),
        other => other.replace('_', " "),
    };
    match prefix.split_once('.') {
        None if prefix.is_empty() => name,
        None => format!("{name} of {prefix}"),
        Some((kind, rest)) => {
            format!(
                "{name} of {} {rest}",
                kind.strip_suffix('s').unwrap_or(kind)
            )
        }
    }
}

/// With a small first letter, unless it begins a name or an abbreviation.
pub(crate) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(a), Some(b)) if a.is_uppercase() && (b.is_lowercase() || b == ' ') => {
            format!("{}{b}{}", a.to_lowercase(), chars.as_str())
        }
        _ => text.into(),
    }
}

/// With a capital first letter.
pub(crate) fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(a) => format!("{}{}", a.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

/// The first sentence, without its full stop.
pub(crate) fn first_sentence(text: &str) -> &str {
    let text = text.trim();
    let first = text.split_once(". ").map_or(text, |(first, _)| first);
    first.trim_end_matches('.')
}

/// At most `max` columns of a terminal, cut with an ellipsis.
pub(crate) fn clip(text: &str, max: usize) -> String {
    if columns(text) <= max {
        return text.into();
    }
    let mut room = max.saturating_sub(1);
    let fits = |c: &char| {
        let width = columns(c.encode_utf8(&mut [0; 4]));
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    let mut out: String = text.chars().take_while(fits).collect();
    out.push('…');
    out
}

/// A fault's window in a run of so many seconds: `5 min to 5 min 30 s`, `5 min to the end`.
pub(crate) fn window(fault: &FaultOutcome, run_s: f64) -> String {
    let from = seconds(fault.from_s);
    if fault.to_s <= fault.from_s {
        from
    } else if fault.to_s < run_s {
        format!("{from} to {}", seconds(fault.to_s))
    } else {
        format!("{from} to the end")
    }
}
