#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

/// With plain spaces, to be read.
fn said(text: impl AsRef<str>) -> String {
    text.as_ref().replace(NBSP, " ")
}

#[test]
fn numbers_have_three_digits_and_no_exponent() {
    let cases = [
        (0.0, "0"),
        (1.0, "1"),
        (1.0 / 3.0, "0.333"),
        (0.000_123_4, "0.000123"),
        (1e-9, "0"),
        (9.994, "9.99"),
        (9.996, "10"),
        (99.94, "99.9"),
        (99.96, "100"),
        (1234.4, "1,234"),
        (1e15, "1,000,000,000,000,000"),
        (-2.5, "−2.5"),
        (-1234.0, "−1,234"),
        (f64::NAN, "–"),
        (f64::INFINITY, "–"),
    ];
    for (x, text) in cases {
        assert_eq!(short(x), text, "{x}");
    }
    assert_eq!(count(0), "0");
    assert_eq!(count(999), "999");
    assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
}

#[test]
fn times_have_the_unit_that_suits_them() {
    let cases = [
        (0.0, "0 s"),
        (0.000_000_5, "0.5 µs"),
        (0.0123, "12.3 ms"),
        (0.999_4, "999 ms"),
        (0.999_6, "1 s"),
        (59.99, "60 s"),
        (119.4, "119 s"),
        (120.0, "2 min"),
        (330.0, "5 min 30 s"),
        (3599.6, "1 h"),
        (3661.0, "1 h 1 min 1 s"),
        (86_400.0, "24 h"),
        (172_800.0, "2 d"),
        (604_799.0, "6 d 23 h 59 min 59 s"),
        (f64::NAN, "–"),
    ];
    for (s, text) in cases {
        assert_eq!(said(seconds(s)), text, "{s}");
    }
    // Every unit hands over to the next without a gap and without a loop.
    for i in 0..200_000 {
        let ms = f64::from(i) * 0.01;
        let bound = (ms - 999.5).abs() < 1e-3;
        let unit = match ms {
            0.0 => "ms",
            _ if ms < 0.9995 => "µs",
            _ if ms < 999.5 => "ms",
            _ => "s",
        };
        for text in [millis(ms), seconds(ms / 1e3)] {
            let of = text.split(NBSP).nth(1).unwrap();
            assert!(of == unit || bound || i == 0, "{ms} ms: {text}");
        }
    }
    assert_eq!(said(millis(1310.0)), "1.31 s");
    assert_eq!(said(millis(0.0)), "0 ms");
    assert_eq!(said(tick_ms(1e6)), "1,000 s");
    assert_eq!(said(tick_ms(200.0)), "200 ms");
    assert_eq!(tick_ms(0.0), "0");
}

#[test]
fn a_percentage_is_never_rounded_to_100() {
    let cases = [
        (0.0, "0 %"),
        (0.034, "3.4 %"),
        (0.99, "99 %"),
        (0.9921, "99.21 %"),
        (0.999_97, "99.997 %"),
        (0.999_999_999, "99.9999 %"),
        (1.0, "100 %"),
        (1.25, "125 %"),
        (f64::NAN, "–"),
    ];
    for (share, text) in cases {
        assert_eq!(said(percent(share)), text, "{share}");
    }
}

#[test]
fn large_counts_are_scaled() {
    assert_eq!(said(bytes(999)), "999 B");
    assert_eq!(said(bytes(1_318_220_004)), "1.32 GB");
    assert_eq!(said(bytes(999_600)), "1 MB");
    assert_eq!(said(big(99_999)), "99,999");
    assert_eq!(said(big(1_336_111)), "1.34 M");
    assert_eq!(said(tick(20e6)), "20 M");
    assert_eq!(said(tick(1500.0)), "1,500");
    assert_eq!(said(counted(1, "fact", "facts")), "1 fact");
    assert_eq!(said(counted(2000, "fact", "facts")), "2,000 facts");
}

#[test]
fn quantities_of_people_get_a_space() {
    let cases = [
        ("5s", "5 s"),
        (" 95% ", "95 %"),
        ("1.31 s", "1.31 s"),
        ("100/s", "100/s"),
        ("100k/s", "100 k/s"),
        ("20", "20"),
        ("s", "s"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(said(quantity(text)), expected, "{text}");
    }
    assert_eq!(said(limit("between 1s  and 2s")), "between 1 s and 2 s");
}

#[test]
fn metrics_are_named_in_words() {
    let cases = [
        ("latency_p99", "99th percentile latency"),
        ("latency_mean", "mean latency"),
        ("availability", "availability"),
        ("chains.alliance.height", "height of chain alliance"),
        ("relays.hub.delivered", "delivered of relay hub"),
        (
            "organisations.tertiary.latency_max",
            "largest latency of organisation tertiary",
        ),
        (
            "chains.a.consensus_latency_mean",
            "mean consensus latency of chain a",
        ),
        ("a.b.c.d.throughput", "throughput of a b.c.d"),
        ("", ""),
    ];
    for (path, expected) in cases {
        assert_eq!(metric(path), expected, "{path}");
    }
}

#[test]
fn sentences_are_put_together() {
    assert_eq!(lower_first("The disk"), "the disk");
    assert_eq!(lower_first("CPU of x"), "CPU of x");
    assert_eq!(lower_first("A disk"), "a disk");
    assert_eq!(lower_first(""), "");
    assert_eq!(upper_first("mean"), "Mean");
    assert_eq!(first_sentence("One, at 5.1 %. Two."), "One, at 5.1 %");
    assert_eq!(first_sentence("One."), "One");
    let names = ["a", "b", "c"].map(String::from);
    assert_eq!(list(&names), "a, b and c");
    assert_eq!(list(&names[..1]), "a");
    assert_eq!(list(&[]), "");
}

#[test]
fn texts_are_cut_to_columns_of_a_terminal() {
    assert_eq!(columns("abc"), 3);
    assert_eq!(columns("数据a…"), 6);
    assert_eq!(clip("abcdef", 6), "abcdef");
    assert_eq!(clip("abcdefg", 6), "abcde…");
    // A wide character does not fit into the last column.
    assert_eq!(clip("数据数据", 8), "数据数据");
    assert_eq!(clip("数据数据", 7), "数据数…");
    assert_eq!(clip("数据数据", 6), "数据…");
    assert_eq!(clip("abc", 0), "…");
}

#[test]
fn what_steers_is_made_visible() {
    for c in [
        '\0', '\u{1b}', '\r', '\u{7f}', '\u{85}', '\u{202e}', '\u{2066}', '\u{ffff}',
    ] {
        assert_eq!(visible(c), '\u{fffd}', "{c:?}");
    }
    for c in ['a', '\n', '\t', '数', 'ם', '\u{301}', NBSP] {
        assert_eq!(visible(c), c, "{c:?}");
    }
}

#[test]
fn windows_end_with_the_run_or_before() {
    let window = |from_s, to_s| {
        let fault = FaultOutcome {
            id: String::new(),
            kind: String::new(),
            code: String::new(),
            took_effect: 0,
            unit: String::new(),
            skipped: 0,
            from_s,
            to_s,
            hit: Vec::new(),
        };
        said(super::window(&fault, 1800.0))
    };
    assert_eq!(window(300.0, 330.0), "5 min to 5 min 30 s");
    assert_eq!(window(300.0, 300.0), "5 min");
    assert_eq!(window(300.0, 1800.0), "5 min to the end");
    assert_eq!(window(300.0, f64::INFINITY), "5 min to the end");
    assert_eq!(window(0.0, f64::NAN), "0 s to the end");
}

#[test]
fn an_effect_of_one_is_in_the_singular() {
    assert_eq!(said(effect(1, "nodes taken down")), "1 node taken down");
    assert_eq!(
        said(effect(6_691, "transmissions lost")),
        "6,691 transmissions lost"
    );
}

#[test]
fn what_was_counted_has_exact_limits_and_never_reads_as_never() {
    let counted = |seen, of| {
        let (count, ends) = counted_share(seen, of);
        said(format!("{count}, {ends}"))
    };
    assert_eq!(counted(0, 30), "0 of 30, at most 11.6 %");
    assert_eq!(counted(5, 10), "5 of 10, 18.7 % to 81.3 %");
    assert_eq!(counted(10, 10), "10 of 10, at least 69.2 %");
    assert_eq!(counted(0, 0), "–, ");
}

#[test]
fn an_estimate_has_its_interval_if_there_is_one() {
    let interval = |low, high| Interval {
        estimate: 41.0,
        low,
        high,
        n: 3,
    };
    assert_eq!(estimate(&interval(38.0, 44.0), short), "41 (38 to 44)");
    assert_eq!(estimate(&interval(f64::NAN, f64::NAN), short), "41");
    assert_eq!(between(&interval(f64::NAN, f64::NAN), short), "–");
}
