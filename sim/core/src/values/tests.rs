#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::Span;

fn round<T: Value + PartialEq + std::fmt::Debug>(texts: &[(&str, &str)]) {
    for (written, canonical) in texts {
        let value = T::parse(written).unwrap_or_else(|e| panic!("{written}: {e}"));
        assert_eq!(value.text(), *canonical, "{written}");
        assert_eq!(T::parse(canonical).unwrap(), value, "{written}");
    }
}
/// Refused texts, with the code and a part of the help.
fn refuse<T: Value + std::fmt::Debug>(texts: &[(&str, &str, &str)]) {
    for (text, code, help) in texts {
        let error = T::parse(text).expect_err(text);
        assert_eq!(error.code, *code, "{text}: {error:?}");
        assert!(error.help.contains(help), "{text}: {error:?}");
    }
}

#[test]
fn durations() {
    round::<Span>(&[
        ("60s", "1m"),
        ("1h30m", "1h30m"),
        ("90m", "1h30m"),
        ("1.5s", "1s500ms"),
        ("15.6us", "15us600ns"),
        ("1w", "7d"),
        ("5y", "1825d"),
        ("0s", "0s"),
        ("0ms", "0s"),
    ]);
    refuse::<Span>(&[
        ("30", "E101", "30s, 30m or 30h"),
        ("0", "E101", "0s"),
        ("30M", "E102", "minutes are `m`: 30m"),
        ("5 m", "E106", "for example"),
        ("", "E106", ""),
        ("m", "E106", ""),
        ("-5s", "E106", ""),
        ("1e3s", "E102", ""),
        ("007s", "E106", ""),
        ("1_000s", "E106", ""),
        ("0.5ns", "E107", "nanosecond"),
        ("600000000000y", "E107", ""),
        ("5min", "E102", "5m"),
    ]);
}

#[test]
fn sizes_and_bit_rates() {
    round::<Bytes>(&[
        ("2MB", "2MB"),
        ("2000kB", "2MB"),
        ("64KiB", "64KiB"),
        ("0B", "0B"),
        ("1.5kB", "1500B"),
    ]);
    round::<BitRate>(&[
        ("10Mbit/s", "10Mbit/s"),
        ("1.2GB/s", "9600Mbit/s"),
        ("1000kbit/s", "1Mbit/s"),
    ]);
    refuse::<Bytes>(&[
        ("512", "E101", "512B"),
        ("10Mb", "E103", "10MB for bytes"),
        ("big", "E106", ""),
    ]);
    refuse::<BitRate>(&[
        ("10Mb", "E103", "10Mbit/s for bits, 10MB/s for bytes"),
        ("10Mbps", "E103", "10Mbit/s"),
        ("10", "E106", "10Mbit/s"),
    ]);
}

#[test]
fn rates() {
    round::<Rate>(&[
        ("200/s", "200/s"),
        ("2000/day", "2000/day"),
        ("100k/s", "100000/s"),
        ("24/day", "1/h"),
        ("0.5/s", "30/min"),
        ("1/day", "1/day"),
        ("0/s", "0/s"),
        ("1.25/s", "75/min"),
    ]);
    assert_eq!(Rate::parse("2000/day").unwrap(), Rate(23_148_148));
    refuse::<Rate>(&[
        ("200", "E101", "200/s"),
        ("5/week", "E102", "/day"),
        ("x/s", "E106", "200/s"),
    ]);
}

#[test]
fn counts_shares_factors_switches() {
    round::<Count>(&[
        ("8", "8"),
        ("8k", "8000"),
        ("2M", "2000000"),
        ("0.5k", "500"),
    ]);
    round::<Share>(&[
        ("5%", "5%"),
        ("0.1%", "0.1%"),
        ("40ppm", "0.004%"),
        ("100%", "100%"),
    ]);
    round::<Factor>(&[("3x", "3x"), ("0.5x", "0.5x"), ("1.25x", "1.25x")]);
    round::<Ratio>(&[("1.6", "1.6"), ("2", "2")]);
    round::<Degrees>(&[("23.12911", "23.12911"), ("-0.5", "-0.5"), ("-7", "-7")]);
    refuse::<Degrees>(&[("181", "E107", "between"), ("N", "E106", "")]);
    round::<Switch>(&[("true", "true"), ("false", "false")]);
    round::<Offset>(&[("-10ms", "-10ms"), ("10ms", "10ms"), ("0s", "0s")]);
    round::<Drift>(&[("-20ppm", "-20ppm"), ("1.5ppm", "1.5ppm")]);
    refuse::<Count>(&[
        ("1_000", "E106", ""),
        ("0x10", "E106", ""),
        ("007", "E106", ""),
        ("1.5", "E107", ""),
        ("-1", "E106", ""),
    ]);
    refuse::<Share>(&[
        ("0.05", "E104", "0.05 of all is 5%"),
        ("101%", "E107", "between"),
        ("x%", "E106", ""),
    ]);
    refuse::<Factor>(&[("3", "E101", "3x")]);
    refuse::<Switch>(&[("yes", "E108", "true"), ("on", "E108", "")]);
}

#[test]
fn names() {
    round::<Name>(&[("city-cut", "city-cut"), ("a2", "a2")]);
    let long = "a".repeat(41);
    refuse::<Name>(&[
        ("2a", "E109", ""),
        ("A", "E109", ""),
        ("a_b", "E109", ""),
        ("all", "E109", "hyphen"),
        (&long, "E109", "40"),
    ]);
}

#[test]
fn ranges_instants_and_dates() {
    round::<Range<Span>>(&[("10s..60s", "10s..1m"), ("5s", "5s"), ("5s..5s", "5s")]);
    round::<Range<Offset>>(&[("-10ms..10ms", "-10ms..10ms")]);
    refuse::<Range<Span>>(&[("2s..1s", "E110", "1s..2s"), ("1..2s", "E101", "1s")]);
    assert_eq!(Range::<Span>::parse("1s..2").unwrap_err().part, Some(4..5));
    round::<DateTime>(&[
        ("2026-03-02T08:00:00+08:00", "2026-03-02T08:00:00+08:00"),
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"),
        ("1969-12-31T23:00:00-05:30", "1969-12-31T23:00:00-05:30"),
    ]);
    assert_eq!(
        DateTime::parse("1970-01-02T00:00:00Z").unwrap().ns,
        86_400_000_000_000
    );
    assert_eq!(
        DateTime::parse("2026-03-02T08:00:00+08:00").unwrap().ns,
        1_772_409_600_000_000_000
    );
    refuse::<DateTime>(&[
        ("2026-02-29T08:00:00Z", "E106", "+08:00"),
        ("2026-03-02T08:00:00", "E106", ""),
        ("2026-03-02", "E106", ""),
        ("2026-03-02T25:00:00Z", "E106", ""),
        ("２０２６-03-02T08:00:00Z", "E106", ""),
    ]);
    round::<Instant>(&[
        ("10m", "10m"),
        ("2026-03-02T10:00:00+08:00", "2026-03-02T10:00:00+08:00"),
        ("city-cut + 10s", "city-cut + 10s"),
        ("city-cut - 60s", "city-cut - 1m"),
        ("end of city-cut", "end of city-cut"),
        ("end of city-cut + 1s", "end of city-cut + 1s"),
    ]);
    refuse::<Instant>(&[
        ("City", "E106", ""),
        ("city + 10", "E101", ""),
        ("end of", "E106", ""),
    ]);
}

#[test]
fn dates_go_there_and_back() {
    for hours in (-2_000_000..2_000_000).step_by(97) {
        let at = DateTime {
            ns: hours * 3_601_000_000_000,
            zone_s: 0,
        };
        let whole = DateTime {
            ns: at.ns.div_euclid(1_000_000_000) * 1_000_000_000,
            zone_s: 0,
        };
        assert_eq!(DateTime::parse(&whole.text()).unwrap(), whole);
    }
}

#[test]
fn selectors() {
    round::<Selector>(&[
        ("leader of alliance", "leader of alliance"),
        ("leaders of alliance", "leaders of alliance"),
        ("f of alliance", "f of alliance"),
        ("f+1 of alliance", "f+1 of alliance"),
        ("2f+1 of alliance", "2f+1 of alliance"),
        (
            "random 3 of community in region shenzhen",
            "random 3 of community in region shenzhen",
        ),
        ("all except supervision", "all except supervision"),
        ("25% of community", "25% of community"),
        ("one of tertiary", "1 of tertiary"),
        ("community-3..community-7", "community-3..community-7"),
        ("region guangzhou", "region guangzhou"),
        ("community-4.2", "community-4.2"),
        ("none", "none"),
        (
            "alliance north except alliance",
            "alliance north except alliance",
        ),
        ("2 of rack rack-1", "2 of rack rack-1"),
        ("power except rack r", "power except rack r"),
        ("  quorum   of  alliance ", "quorum of alliance"),
    ]);
    let error = |text: &str| Selector::parse(text).unwrap_err();
    for (text, at) in [
        ("3 of", 3..4),
        ("of community", 0..2),
        ("x of community", 0..1),
        ("random community", 7..16),
        ("community in guangzhou", 13..22),
        ("community except", 15..16),
        ("all community", 4..13),
        ("region", 5..6),
        ("Community", 0..9),
        ("", 0..0),
    ] {
        let error = error(text);
        assert_eq!((error.code, error.part), ("E111", Some(at)), "{text}");
    }
    assert_eq!(error(&"a ".repeat(200)).code, "E107");
}

#[test]
fn limits_are_words_and_values_in_the_metrics_unit() {
    let limit = |text: &str, measure| LimitText::parse(text).unwrap().limit(measure);
    let cases = [
        (
            "at most 5s",
            Measure::Millis,
            Limit::AtMost(5_000.0),
            "at most 5s",
        ),
        (
            "at least 95%",
            Measure::Share,
            Limit::AtLeast(0.95),
            "at least 95%",
        ),
        (
            "below 100k/s",
            Measure::PerSecond,
            Limit::Below(100_000.0),
            "below 100000/s",
        ),
        ("above 3", Measure::Count, Limit::Above(3.0), "above 3"),
        (
            "exactly 0",
            Measure::Count,
            Limit::Exactly(0.0),
            "exactly 0",
        ),
        (
            "between 1s and 2000ms",
            Measure::Millis,
            Limit::Between(1_000.0, 2_000.0),
            "between 1s and 2s",
        ),
        (
            "within 5% of 96.9k/s",
            Measure::PerSecond,
            Limit::Within(0.05, 96_900.0),
            "within 5% of 96900/s",
        ),
        (
            "at most 2MB",
            Measure::Bytes,
            Limit::AtMost(2e6),
            "at most 2MB",
        ),
        (
            "at most 2m",
            Measure::Seconds,
            Limit::AtMost(120.0),
            "at most 2m",
        ),
    ];
    for (text, measure, expected, canonical) in cases {
        assert_eq!(
            limit(text, measure).unwrap(),
            (expected, canonical.to_owned()),
            "{text}"
        );
    }
    refuse::<LimitText>(&[
        ("> 99.9%", "E105", "at least 99.9% (or: above 99.9%)"),
        ("<= 5s", "E105", "at most 5s"),
        ("5s", "E105", "at most 5s"),
    ]);
    assert_eq!(
        limit("at most 5", Measure::Millis).unwrap_err().part,
        Some(8..9)
    );
    assert_eq!(
        limit("at most 5s", Measure::Share).unwrap_err().code,
        "E106"
    );
    // Of another variant's value: factors, whatever the metric counts.
    let relative = "at most 2.5x that of quiet-day";
    assert_eq!(
        limit(relative, Measure::Millis).unwrap(),
        (Limit::AtMost(2.5), relative.to_owned())
    );
    assert_eq!(Limit::AtMost(2.5).times(40.0), Limit::AtMost(100.0));
    let text = LimitText::parse(relative).unwrap();
    assert_eq!(text.variant(), Some(("quiet-day", 21..30)));
    assert_eq!(LimitText::parse("at most 5s").unwrap().variant(), None);
    let wrong = limit("at most 5s that of quiet-day", Measure::Millis).unwrap_err();
    assert_eq!(wrong.part, Some(8..10));
    assert_eq!(
        limit("between 1s", Measure::Millis).unwrap_err().code,
        "E106"
    );
}

#[test]
fn limits_hold_on_their_good_side() {
    let cases = [
        (Limit::AtMost(5.0), 5.0, 5.1, 0.0),
        (Limit::AtLeast(0.95), 0.95, 0.94, 0.0),
        (Limit::Below(5.0), 4.0, 5.0, 0.2),
        (Limit::Above(4.0), 5.0, 4.0, 0.25),
        (Limit::Exactly(3.0), 3.0, 3.1, 0.0),
        (Limit::Exactly(0.0), 0.0, 1.0, 0.0),
        (Limit::Between(2.0, 4.0), 4.0, 4.1, 0.0),
        (Limit::Within(0.05, 100.0), 104.0, 106.0, 0.01),
    ];
    for (limit, good, bad, margin) in cases {
        assert!(limit.holds(good), "{limit:?} {good}");
        assert!(!limit.holds(bad), "{limit:?} {bad}");
        assert!((limit.margin(good) - margin).abs() < 1e-9, "{limit:?}");
        assert!(limit.margin(bad) <= 0.0, "{limit:?} {bad}");
    }
}
