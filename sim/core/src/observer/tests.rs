#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn a_finding_is_unknown_until_it_judges_and_never_recovers() {
    let mut finding = Finding::new();
    assert_eq!((finding.verdict, finding.evaluated), (Verdict::Unknown, 0));
    finding.judge(true, || panic!("words are for violations"));
    assert_eq!(finding.verdict, Verdict::Pass);
    finding.judge(false, || "broken".to_owned());
    finding.judge(true, || panic!("words are for violations"));
    assert_eq!(finding.verdict, Verdict::Fail);
    assert_eq!((finding.evaluated, finding.violated), (3, 1));
    assert_eq!(finding.violations, ["broken"]);
}

#[test]
fn the_first_violations_are_kept_in_words() {
    let mut finding = Finding::default();
    for i in 0..20 {
        finding.judge(false, || i.to_string());
    }
    assert_eq!(finding.violations.len(), Finding::MAX_VIOLATIONS);
    assert_eq!(finding.violations[0], "0");
    assert_eq!((finding.evaluated, finding.violated), (20, 20));
}

#[test]
fn what_could_not_be_judged_makes_it_unknown_but_never_mends_a_failure() {
    let mut finding = Finding::new();
    finding.judge(true, String::new);
    finding.excuse("no quorum".into());
    finding.judge(true, String::new);
    finding.excuse("no quorum".into());
    assert_eq!((finding.verdict, finding.evaluated), (Verdict::Unknown, 2));
    assert_eq!(finding.reasons, ["no quorum"]);
    finding.judge(false, || "broken".to_owned());
    finding.excuse("no copy".into());
    assert_eq!(finding.verdict, Verdict::Fail);
}

#[test]
fn calm_begins_when_the_last_window_closes_or_with_the_heal() {
    let s = |s: u64| Time::from_nanos(s * 1_000_000_000);
    let due = |calm: &Calm| calm.due(s(1), Span::from_secs(5));
    let mut calm = Calm::default();
    assert_eq!(due(&calm), Some(s(6)));
    calm.fault(s(2), true);
    calm.fault(s(3), true);
    calm.fault(s(4), false);
    assert_eq!((due(&calm), calm.since()), (None, None));
    let heal = Heal {
        bound: Span::from_secs(5),
        broken: vec![NodeId(7)],
    };
    calm.healed(s(10), &heal);
    assert_eq!(due(&calm), Some(s(15)));
    assert!(calm.broken(NodeId(7)) && !calm.broken(NodeId(6)));
    // The window that was open at the heal disturbs nothing when it closes.
    calm.fault(s(20), false);
    assert_eq!(due(&calm), Some(s(15)));
    calm.fault(s(21), true);
    calm.fault(s(22), false);
    assert_eq!(due(&calm), Some(s(27)));
}
