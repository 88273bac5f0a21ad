use super::*;

fn condition(variant: Option<&str>, limit: Limit, of: Option<&str>) -> Condition {
    Condition {
        variant: variant.map(str::to_owned),
        path: "latency_p99".into(),
        unit: Unit::Milliseconds,
        text: "a limit".into(),
        limit,
        of: of.map(str::to_owned),
    }
}

fn claim(supported: Vec<Condition>, refuted: Vec<Condition>) -> Claim {
    Claim {
        name: "claim-5".into(),
        says: "It is fast.".into(),
        section: "5.1".into(),
        seeds: 30,
        supported_if: supported,
        refuted_if: refuted,
    }
}

/// Runs without variants whose metric has these values.
fn runs(values: impl IntoIterator<Item = f64>) -> Vec<Metrics> {
    let one = |value| Metrics::from([(String::new(), [("latency_p99".to_owned(), value)].into())]);
    values.into_iter().map(one).collect()
}

fn standing(claim: Claim, runs: Vec<Metrics>) -> Standing {
    judge(&[(claim, runs)])[0].standing
}

fn spread(around: f64) -> impl Iterator<Item = f64> {
    (0..30).map(move |i| around + f64::from(i % 7) - 3.0)
}

#[test]
fn a_mean_far_on_the_good_side_supports_and_far_on_the_other_refutes() {
    let at_most = |limit| {
        claim(
            vec![condition(None, Limit::AtMost(limit), None)],
            vec![condition(None, Limit::Above(limit), None)],
        )
    };
    assert_eq!(
        standing(at_most(110.0), runs(spread(100.0))),
        Standing::Supported
    );
    assert_eq!(
        standing(at_most(90.0), runs(spread(100.0))),
        Standing::Refuted
    );
    // The mean is within what chance does.
    assert_eq!(
        standing(at_most(100.1), runs(spread(100.0))),
        Standing::Limited
    );
}

#[test]
fn one_run_that_differs_is_enough_where_a_limit_is_exact() {
    let never = || claim(vec![condition(None, Limit::Exactly(0.0), None)], Vec::new());
    assert_eq!(standing(never(), runs([0.0; 30])), Standing::Supported);
    let mut values = [0.0; 30];
    values[17] = 1.0;
    assert_eq!(standing(never(), runs(values)), Standing::Limited);
    // Four seeds that agree may do so by chance.
    assert_eq!(standing(never(), runs([0.0; 4])), Standing::Limited);
}

#[test]
fn what_nothing_fed_is_not_testable() {
    let never = claim(vec![condition(None, Limit::Exactly(0.0), None)], Vec::new());
    let empty = vec![Metrics::from([(String::new(), BTreeMap::new())]); 30];
    assert_eq!(standing(never.clone(), empty), Standing::NotTestable);
    assert_eq!(standing(never, Vec::new()), Standing::NotTestable);
    let nothing = claim(Vec::new(), Vec::new());
    assert_eq!(standing(nothing, runs([0.0; 30])), Standing::Limited);
}

#[test]
fn variants_are_compared_seed_by_seed() {
    // Seeds differ by far more than the variants do.
    let run = |i: u32| {
        let calm = 100.0 + f64::from(i) * 50.0;
        let of = |value: f64| BTreeMap::from([("latency_p99".to_owned(), value)]);
        Metrics::from([
            ("calm".to_owned(), of(calm)),
            (
                "attacked".to_owned(),
                of(calm * (1.8 + f64::from(i % 3) / 100.0)),
            ),
        ])
    };
    let runs: Vec<Metrics> = (0..30).map(run).collect();
    let within = |factor| {
        claim(
            vec![condition(
                Some("attacked"),
                Limit::AtMost(factor),
                Some("calm"),
            )],
            vec![condition(
                Some("attacked"),
                Limit::Above(factor),
                Some("calm"),
            )],
        )
    };
    assert_eq!(standing(within(2.0), runs.clone()), Standing::Supported);
    assert_eq!(standing(within(1.7), runs), Standing::Refuted);
}

#[test]
fn more_claims_ask_for_more() {
    // Holm's own example: 0.01, 0.04, 0.03 and 0.005 become 0.03, 0.06, 0.06 and 0.02.
    let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
    for (got, wanted) in corrected.iter().zip([0.03, 0.06, 0.06, 0.02]) {
        assert!((got - wanted).abs() < 1e-12, "{corrected:?}");
    }
    assert!(holm(&[]).is_empty());
    // Six seeds that agree: 1/64 alone, and no more among five like it.
    let never = || claim(vec![condition(None, Limit::Exactly(0.0), None)], Vec::new());
    let alone = judge(&[(never(), runs([0.0; 6]))]);
    assert_eq!(alone[0].standing, Standing::Supported);
    let among = judge(&vec![(never(), runs([0.0; 6])); 5]);
    assert_eq!(among[0].standing, Standing::Limited);
}
