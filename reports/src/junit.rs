//! JUnit XML, as continuous integration reads it: a suite for each run, a case for each check.
//!
//! The dialect is that of Jenkins and GitLab (`testsuites`, `testsuite`, `testcase` with `failure`,
//! `error` or `skipped`). There are no times of day and no durations in it: equal runs give equal
//! bytes.

use crate::words::visible;
use consim_check::outcome::{CheckOutcome, ExpectationOutcome, Outcome};
use std::fmt::Write as _;

/// The cases of one run, or of one search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JunitSuite {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<JunitCase>,
}

/// One case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JunitCase {
    /// Its group (`safety`, `liveness`, `expectation`, `failure`).
    pub class: String,
    /// Its name.
    pub name: String,
    /// How it ended.
    pub end: JunitEnd,
}

/// How a case ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JunitEnd {
    /// It held.
    Passed,
    /// It did not hold.
    Failed {
        /// In one line.
        message: String,
        /// In full.
        text: String,
    },
    /// It could not be judged, and why.
    Skipped(String),
}

/// The suite of a run: its checks, then its expectations.
pub fn junit_suite(outcome: &Outcome) -> JunitSuite {
    let name = match &outcome.variant {
        Some(variant) => format!("{} {variant}", outcome.scenario),
        None => outcome.scenario.clone(),
    };
    let checks = outcome.checks.iter().map(check);
    let cases = checks.chain(outcome.expectations.iter().map(expectation));
    JunitSuite {
        name: format!("{name}, seed {}", outcome.seed),
        cases: cases.collect(),
    }
}

fn check(check: &CheckOutcome) -> JunitCase {
    let end = match check.verdict.as_str() {
        "pass" => JunitEnd::Passed,
        "fail" => JunitEnd::Failed {
            message: format!("violated {} times: {}", check.violated, check.says),
            text: check.violations.join("\n"),
        },
        _ if check.reasons.is_empty() => {
            JunitEnd::Skipped(format!("unknown: {} facts were judged", check.evaluated))
        }
        _ => JunitEnd::Skipped(format!("unknown: {}", check.reasons.join("; "))),
    };
    JunitCase {
        class: check.severity.clone(),
        name: check.name.clone(),
        end,
    }
}

fn expectation(expected: &ExpectationOutcome) -> JunitCase {
    let value = expected.value.as_deref();
    let end = match expected.met {
        Some(true) => JunitEnd::Passed,
        Some(false) => {
            let value = value.unwrap_or("nothing");
            let message = format!("{} is {value}, not {}", expected.path, expected.limit);
            JunitEnd::Failed {
                text: message.clone(),
                message,
            }
        }
        None => JunitEnd::Skipped("unknown: nothing fed it".into()),
    };
    JunitCase {
        class: "expectation".into(),
        name: format!("{} {}", expected.path, expected.limit),
        end,
    }
}

/// `suites` as a file.
pub fn junit(suites: &[JunitSuite]) -> String {
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"consim\" {}>", counts(all()));
    for suite in suites {
        let (name, counts) = (escaped(&suite.name), counts(suite.cases.iter()));
        let _ = writeln!(out, "  <testsuite name=\"{name}\" {counts}>");
        for case in &suite.cases {
            write_case(&mut out, case);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn write_case(out: &mut String, case: &JunitCase) {
    let (class, name) = (escaped(&case.class), escaped(&case.name));
    let _ = write!(out, "    <testcase classname=\"{class}\" name=\"{name}\"");
    let _ = match &case.end {
        JunitEnd::Passed => writeln!(out, "/>"),
        JunitEnd::Failed { message, text } => writeln!(
            out,
            ">\n      <failure message=\"{}\" type=\"{class}\">{}</failure>\n    </testcase>",
            escaped(message),
            escaped(text)
        ),
        JunitEnd::Skipped(why) => writeln!(
            out,
            ">\n      <skipped message=\"{}\"/>\n    </testcase>",
            escaped(why)
        ),
    };
}

fn counts<'a>(cases: impl Iterator<Item = &'a JunitCase>) -> String {
    let (mut tests, mut failures, mut skipped) = (0_u64, 0_u64, 0_u64);
    for case in cases {
        tests += 1;
        failures += u64::from(matches!(case.end, JunitEnd::Failed { .. }));
        skipped += u64::from(matches!(case.end, JunitEnd::Skipped(_)));
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"")
}

/// A text in XML: what is markup is escaped, what XML forbids replaced.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(visible) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_says_how_it_ended_and_suites_count_their_cases() {
        let case = |name: &str, end| JunitCase {
            class: "safety".into(),
            name: name.into(),
            end,
        };
        let suites = [JunitSuite {
            name: "a \"b\" & <c>".into(),
            cases: vec![
                case("agreement", JunitEnd::Passed),
                case(
                    "validity",
                    JunitEnd::Failed {
                        message: "violated 2 times".into(),
                        text: "one\u{1}\ntwo".into(),
                    },
                ),
                case("liveness", JunitEnd::Skipped("unknown".into())),
            ],
        }];
        assert_eq!(
            junit(&suites),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="consim" tests="3" failures="1" errors="0" skipped="1">
  <testsuite name="a &quot;b&quot; &amp; &lt;c&gt;" tests="3" failures="1" errors="0" skipped="1">
    <testcase classname="safety" name="agreement"/>
    <testcase classname="safety" name="validity">
      <failure message="violated 2 times" type="safety">one�&#10;two</failure>
    </testcase>
    <testcase classname="safety" name="liveness">
      <skipped message="unknown"/>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }
}
