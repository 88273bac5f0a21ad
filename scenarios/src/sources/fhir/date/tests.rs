#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

const S: i64 = 1_000_000_000;
const D: i64 = 86_400 * S;

fn first(text: &str) -> i64 {
    moment(text).unwrap().first_ns
}
fn length(text: &str) -> i64 {
    let moment = moment(text).unwrap();
    moment.after_ns - moment.first_ns
}

#[test]
fn every_precision_is_read_from_its_first_instant_to_its_last() {
    // (text, seconds after the epoch by the calendar of another library, length in days)
    for (text, at_s, days) in [
        ("1970", 0, 365),
        ("1970-01", 0, 31),
        ("1970-01-01", 0, 1),
        ("2016", 1_451_606_400, 366),
        ("2015-02", 1_422_748_800, 28),
        ("2016-02", 1_454_284_800, 29),
        ("2016-02-29", 1_456_704_000, 1),
        ("2000-02-29", 951_782_400, 1),
        ("1969-12-31", -86_400, 1),
        ("1905-08-23", -2_031_004_800, 1),
        ("2015-12", 1_448_928_000, 31),
        ("2015-04", 1_427_846_400, 30),
    ] {
        assert_eq!(first(text), at_s * S, "{text}");
        assert_eq!(length(text), days * D, "{text}");
    }
    for (text, ns) in [
        ("2015-02-07T13:28:17Z", 1_423_315_697 * S),
        ("2015-02-07T13:28:17-05:00", 1_423_333_697 * S),
        ("2015-02-07T13:28:17+08:00", 1_423_286_897 * S),
        ("2015-02-07T13:28:17+05:45", 1_423_294_997 * S),
        ("2015-02-07T00:00:00+14:00", 1_423_216_800 * S),
        ("2015-02-07T13:28:17-00:00", 1_423_315_697 * S),
        ("2015-02-07T13:28:17.5Z", 1_423_315_697 * S + S / 2),
        (
            "2015-02-07T13:28:17.239+02:00",
            1_423_308_497 * S + 239_000_000,
        ),
        ("1970-01-01T00:00:00.000000001Z", 1),
        // What is beyond nanoseconds is dropped.
        ("1970-01-01T00:00:00.0000000019Z", 1),
        // A leap second is the first of the next minute.
        ("2016-12-31T23:59:60Z", 1_483_228_800 * S),
    ] {
        assert_eq!(
            moment(text),
            Ok(Moment {
                first_ns: ns,
                after_ns: ns
            }),
            "{text}"
        );
    }
}

#[test]
fn times_beyond_64_bits_are_cut() {
    assert_eq!(first("0001-01-01"), i64::MIN);
    assert_eq!(moment("9999-12-31").unwrap().after_ns, i64::MAX);
    assert!(first("1678") > i64::MIN && first("2262") < i64::MAX);
}

#[test]
fn what_is_no_time_of_fhir_is_refused() {
    for text in [
        "",
        "15",
        "0000",
        "20150207",
        "2015-2-7",
        "2015-00",
        "2015-13",
        "2015-02-29",
        "1900-02-29",
        "2015-04-31",
        "2015-02-00",
        "2015-02-07T",
        "2015-02-07T13",
        "2015-02-07T13:28",
        "2015-02-07T13:28Z",
        "2015-02-07T13:28:17",
        "2015-02-07T24:00:00Z",
        "2015-02-07T13:60:00Z",
        "2015-02-07T13:28:61Z",
        "2015-02-07T13:28:17.Z",
        "2015-02-07T13:28:17+14:30",
        "2015-02-07T13:28:17+15:00",
        "2015-02-07T13:28:17+8",
        "2015-02-07T13:28:17z",
        "2015-02-07 13:28:17Z",
        "2015-02-07T13:28:17Z ",
        " 2015",
        "2015-",
        "+2015",
        "２０１５",
        "circa 2015",
    ] {
        assert!(moment(text).is_err(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_time_or_an_error(text in "[0-9TZ:.+-]{0,40}|\\PC{0,20}") {
        let _ = moment(&text);
    }

    #[test]
    fn the_calendar_agrees_with_counting_days(days in 0u32..200_000) {
        // Counts from 1970 on, day by day of each month: independent of the closed formula.
        let mut left = i64::from(days);
        let mut year = 1970;
        let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
        while left >= 365 + i64::from(leap(year)) {
            left -= 365 + i64::from(leap(year));
            year += 1;
        }
        let february = 28 + i64::from(leap(year));
        let mut month = 1;
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
            if left < length {
                break;
            }
            left -= length;
            month += 1;
        }
        let text = format!("{year:04}-{month:02}-{:02}", left + 1);
        let expected = i128::from(days) * i128::from(D);
        let expected = expected.min(i128::from(i64::MAX)) as i64;
        prop_assert_eq!(first(&text), expected, "{}", text);
    }
}
