#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn spans_are_shown_in_the_shortest_exact_form() {
    for (ns, text) in [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1us500ns"),
        (500_000_000, "500ms"),
        (1_000_000_000, "1s"),
        (5_400_000_000_000, "1h30m"),
        (86_400_000_000_000, "1d"),
        (90_061_001_001_001, "1d1h1m1s1ms1us1ns"),
    ] {
        assert_eq!(Span::from_nanos(ns).to_string(), text);
        assert_eq!(Time::from_nanos(ns).to_string(), text);
    }
}

#[test]
fn arithmetic_stops_at_its_ends() {
    let second = Span::from_secs(1);
    assert_eq!(Time::MAX + second, Time::MAX);
    assert_eq!(Span::MAX + second, Span::MAX);
    assert_eq!(Span::MAX.times(2), Span::MAX);
    assert_eq!(Span::from_secs(u64::MAX), Span::MAX);
    assert_eq!(Span::from_millis(u64::MAX), Span::MAX);
    assert_eq!(Span::from_micros(u64::MAX), Span::MAX);
    assert_eq!(Time::ZERO.since(Time::MAX), Span::ZERO);
    assert_eq!(Time::ZERO - (Time::ZERO + second), Span::ZERO);
}

#[test]
fn instants_and_spans_add_up() {
    let mut at = Time::ZERO + Span::from_millis(1_500);
    at += Span::from_micros(500_000);
    assert_eq!(at, Time::from_nanos(2_000_000_000));
    assert_eq!(at - Time::from_nanos(500_000_000), Span::from_millis(1_500));
    let mut span = Span::from_secs(1).times(3);
    span += Span::from_nanos(7);
    assert_eq!(span.nanos(), 3_000_000_007);
    assert_eq!(at.later(Time::ZERO), at);
    assert_eq!(Time::ZERO.later(at), at);
    assert!(Span::ZERO.is_zero() && !span.is_zero());
}

#[test]
fn reports_get_seconds_and_milliseconds() {
    let span = Span::from_millis(1_250);
    assert!((span.seconds() - 1.25).abs() < 1e-12);
    assert!((span.millis() - 1_250.0).abs() < 1e-9);
    assert!(((Time::ZERO + span).seconds() - 1.25).abs() < 1e-12);
}
