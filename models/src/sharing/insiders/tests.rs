#![allow(clippy::unwrap_used)]

use super::{Deed, Insider};
use consim_core::{Span, Time};

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

/// Acts every 10 s from 20 s to 50 s, and from 100 s to 105 s.
fn insider() -> Insider {
    Insider {
        attack: 3,
        deed: Deed::Exfiltrate,
        windows: vec![(at(20), at(50)), (at(100), at(105))].into(),
        every: Span::from_secs(10),
        draws: 1,
    }
}

#[test]
fn an_insider_acts_evenly_from_the_opening_of_each_window_on() {
    let insider = insider();
    let mut now = at(0);
    let mut deeds = Vec::new();
    while let Some(after) = insider.wait(now) {
        now += after;
        deeds.push(now);
    }
    assert_eq!(deeds, [at(20), at(30), at(40), at(100)]);
    assert!(deeds.iter().all(|&deed| insider.acts(deed)));
    // Who comes back in the middle goes on with the next.
    assert_eq!(insider.wait(at(31)), Some(Span::from_secs(9)));
    assert_eq!(insider.wait(at(47)), Some(Span::from_secs(53)));
    assert_eq!(insider.wait(at(101)), None);
    assert!(!insider.acts(at(50)) && !insider.acts(at(19)) && insider.acts(at(104)));
}
