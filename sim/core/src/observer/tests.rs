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
