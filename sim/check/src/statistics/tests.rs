#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::*;
use consim_core::Streams;
use consim_core::rng::unit;
use rand_chacha::rand_core::Rng as _;

fn near(value: f64, expected: f64, within: f64) {
    assert!(
        (value - expected).abs() <= within,
        "{value}, expected {expected}"
    );
}

/// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: critical values of Student's t.
#[test]
fn student_quantiles_are_those_of_the_table() {
    for (freedom, p, t) in [
        (1.0, 0.90, 3.078),
        (1.0, 0.975, 12.706),
        (1.0, 0.995, 63.657),
        (1.0, 0.999, 318.309),
        (2.0, 0.975, 4.303),
        (4.0, 0.95, 2.132),
        (5.0, 0.975, 2.571),
        (9.0, 0.975, 2.262),
        (10.0, 0.995, 3.169),
        (29.0, 0.975, 2.045),
        (30.0, 0.90, 1.310),
        (100.0, 0.975, 1.984),
    ] {
        near(student_quantile(p, freedom), t, 6e-4);
        near(student_quantile(1.0 - p, freedom), -t, 6e-4);
        near(student_cdf(student_quantile(p, freedom), freedom), p, 1e-12);
    }
    // One degree is Cauchy's distribution, two have a closed form.
    near(student_quantile(0.75, 1.0), 1.0, 1e-12);
    near(
        student_quantile(0.6, 2.0),
        0.2 * (2.0_f64 / 0.96).sqrt(),
        1e-12,
    );
    near(student_quantile(0.5, 7.0), 0.0, 1e-12);
    // Many degrees are the normal distribution (NIST, 1.3.6.7.1).
    near(student_quantile(0.975, 1e7), 1.959_964, 1e-6);
}

#[test]
fn normal_quantiles_are_those_of_the_table() {
    for (p, z) in [
        (0.5, 0.0),
        (0.841_344_746_068_542_9, 1.0),
        (0.975, 1.959_963_984_540_054),
        (0.995, 2.575_829_303_548_901),
        (0.999_968_328_758_166_9, 4.0),
    ] {
        near(normal_quantile(p), z, 1e-11);
        near(normal_cdf(z), p, 1e-15);
    }
    assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    assert!(normal_quantile(1.5).is_nan());
}

/// With whole parameters the incomplete beta function is a sum of binomial terms (DLMF 8.17.5).
#[test]
fn the_incomplete_beta_function_is_the_binomial_sum() {
    for n in 1..30_u32 {
        for k in 1..=n {
            for x in [0.001, 0.1, 0.5, 0.75, 0.999] {
                let mut sum = 0.0;
                let mut choose = 1.0;
                for j in 0..=n {
                    if j >= k {
                        let (j, rest) = (f64::from(j), f64::from(n - j));
                        sum += choose * libm::pow(x, j) * libm::pow(1.0 - x, rest);
                    }
                    choose *= f64::from(n - j) / f64::from(j + 1);
                }
                let (a, b) = (f64::from(k), f64::from(n - k + 1));
                near(incomplete_beta(x, a, b), sum, 1e-12);
                if sum > 1e-9 && sum < 1.0 - 1e-9 {
                    near(beta_quantile(sum, a, b), x, 1e-7);
                }
            }
        }
    }
    assert!(incomplete_beta(0.5, 0.0, 1.0).is_nan() && beta_quantile(2.0, 1.0, 1.0).is_nan());
    assert_eq!(
        (
            incomplete_beta(0.0, 2.0, 3.0),
            incomplete_beta(1.0, 2.0, 3.0)
        ),
        (0.0, 1.0)
    );
    // Large parameters, by the normal approximation: mean 1/2, deviation 1 / sqrt(4 (2a + 1)).
    let (a, at) = (5e5, 0.5 + 1.959_964 / (4.0 * (1e6 + 1.0_f64)).sqrt());
    near(incomplete_beta(at, a, a), 0.975, 1e-6);
}

/// Exact limits of shares, 95 %: the rule of three's exact form, 1 - 0.025^(1/n), where nothing was
/// seen; for 5 of 10 and 1 of 20 the tables of Diem and Lentner (Geigy scientific tables, 1970).
#[test]
fn what_was_never_seen_has_a_limit_above_zero() {
    for n in [1_u64, 10, 30, 300] {
        let exact = 1.0 - libm::pow(0.025, 1.0 / n as f64);
        let limits = count_limits(0, n, 0.95).unwrap();
        assert_eq!((limits.estimate, limits.low, limits.n), (0.0, 0.0, n));
        near(limits.high, exact, 1e-12);
        let all = count_limits(n, n, 0.95).unwrap();
        near(all.low, 1.0 - exact, 1e-12);
        assert_eq!(all.high, 1.0);
    }
    near(count_limits(0, 30, 0.95).unwrap().high, 0.1157, 5e-5);
    let half = count_limits(5, 10, 0.95).unwrap();
    near(half.low, 0.1871, 5e-5);
    near(half.high, 0.8129, 5e-5);
    let one = count_limits(1, 20, 0.95).unwrap();
    near(one.low, 0.0013, 5e-5);
    near(one.high, 0.2487, 5e-5);
    assert_eq!(count_limits(0, 0, 0.95), None);
    assert_eq!(count_limits(3, 2, 0.95), None);
}

#[test]
fn a_mean_by_hand() {
    // 1, 2, 3: deviation 1, error 1 / sqrt(3), t(2) = 4.303.
    let interval = mean(&[1.0, 2.0, 3.0], 0.95).unwrap();
    assert_eq!((interval.estimate, interval.n), (2.0, 3));
    near(interval.high - 2.0, 4.302_653 / 3.0_f64.sqrt(), 1e-5);
    near(2.0 - interval.low, 4.302_653 / 3.0_f64.sqrt(), 1e-5);
    assert!(interval.holds(2.0) && !interval.holds(5.0));
    let single = mean(&[7.0], 0.95).unwrap();
    assert_eq!(single.estimate, 7.0);
    assert!(!single.is_bounded() && !single.holds(7.0));
    assert_eq!(mean(&[], 0.95), None);
    let same = mean(&[4.0; 9], 0.95).unwrap();
    assert_eq!((same.low, same.high), (4.0, 4.0));
}

#[test]
fn pairs_cancel_what_seeds_share() {
    // Seeds differ by tens, the difference is 1 or 2.
    let a = [10.0, 30.0, 70.0, 20.0];
    let b = [11.0, 32.0, 71.0, 22.0];
    let difference = paired(&a, &b, 0.95).unwrap();
    assert_eq!(difference.estimate, 1.5);
    // Deviation sqrt(1/3), error sqrt(1/12), t(3) = 3.182.
    near(difference.high, 1.5 + 3.182_446 / 12.0_f64.sqrt(), 1e-5);
    assert!(difference.low > 0.0, "told apart from nothing");
    let apart = mean(&a, 0.95).unwrap();
    assert!(apart.high - apart.low > 50.0, "which the seeds alone hide");
    assert_eq!(paired(&a, &b[..3], 0.95), None);
}

/// B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, table 14.1 (variance of
/// the spatial test, part A): estimate 171.5, acceleration 0.061, and with 2,000 resamples the 90 %
/// intervals 100.8 to 233.9 (percentile) and 115.8 to 259.6 (BCa). Ours differ by the draw.
#[test]
fn bootstrap_intervals_are_those_of_the_textbook() {
    let data = [
        48.0, 36.0, 20.0, 29.0, 42.0, 42.0, 20.0, 42.0, 22.0, 41.0, 45.0, 14.0, 6.0, 0.0, 33.0,
        28.0, 34.0, 4.0, 32.0, 24.0, 47.0, 41.0, 24.0, 26.0, 30.0, 41.0,
    ];
    let variance = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n
    };
    let plain = percentile(&data, variance, 0.9, &mut stream("textbook")).unwrap();
    near(plain.estimate, 171.5, 0.05);
    near(plain.low, 100.8, 5.0);
    near(plain.high, 233.9, 5.0);
    let corrected = bca(&data, variance, 0.9, &mut stream("textbook")).unwrap();
    near(corrected.low, 115.8, 5.0);
    near(corrected.high, 259.6, 6.0);
    let again = bca(&data, variance, 0.9, &mut stream("textbook")).unwrap();
    assert_eq!(corrected, again, "an interval is a function of its values");
}

#[test]
fn a_bootstrap_of_little_says_little() {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut rng = stream("little");
    assert_eq!(bca(&[], mean, 0.95, &mut rng), None);
    assert!(!bca(&[3.0], mean, 0.95, &mut rng).unwrap().is_bounded());
    let same = bca(&[3.0; 12], mean, 0.95, &mut rng).unwrap();
    assert_eq!((same.low, same.high), (3.0, 3.0));
    assert_eq!(percentile(&[], mean, 0.95, &mut rng), None);
}

#[test]
fn the_area_between_two_distributions_by_hand() {
    // All at 1 against half at 1 and half at 3: the half is moved by 2.
    assert_eq!(area_between(&[(1.0, 4)], &[(1.0, 1), (3.0, 1)]), 1.0);
    assert_eq!(area_between(&[(1.0, 1), (3.0, 1)], &[(1.0, 4)]), 1.0);
    // Functions that cross: 2 and 2 against 1 and 3.
    assert_eq!(area_between(&[(2.0, 2)], &[(1.0, 1), (3.0, 1)]), 1.0);
    assert_eq!(area_between(&[(5.0, 3)], &[(5.0, 7)]), 0.0);
    assert!(area_between(&[], &[(5.0, 7)]).is_nan());
}

#[test]
fn a_share_of_time_over_days_by_hand() {
    // 12 days of 100 of which 3 have 10 down; one without evidence counts for nothing.
    let mut days = vec![(0.0, 100.0); 9];
    days.extend([(10.0, 100.0); 3]);
    days.push((0.0, 0.0));
    let share = ratio_over_batches(&days, "days", 0.95).unwrap();
    assert_eq!((share.estimate, share.n), (0.025, 12));
    assert!(share.low > 0.0 && share.low < 0.02, "{share:?}");
    assert!(share.high > 0.035 && share.high < 0.07, "{share:?}");
    let few = ratio_over_batches(&days[..9], "days", 0.95).unwrap();
    assert!(!few.is_bounded());
    assert_eq!(ratio_over_batches(&[(0.0, 0.0)], "days", 0.95), None);
}

/// How often intervals hold the truth, by simulation: close to what they say, and never a promise
/// that is far off. With 2,000 trials the deviation of the count is half a per cent.
#[test]
fn intervals_cover_what_they_say() {
    const TRIALS: u64 = 2_000;
    let mut rng = Streams::new(1).stream("coverage");
    let mut normal = |n: usize| -> Vec<f64> {
        (0..n)
            .map(|_| normal_quantile(unit(rng.next_u64()).max(1e-12)))
            .collect()
    };
    let (mut of_mean, mut of_pairs) = (0, 0);
    for _ in 0..TRIALS {
        let a = normal(8);
        let noise = normal(8);
        let b: Vec<f64> = a.iter().zip(&noise).map(|(a, n)| a + 3.0 + n).collect();
        of_mean += u64::from(mean(&a, 0.95).unwrap().holds(0.0));
        of_pairs += u64::from(paired(&a, &b, 0.95).unwrap().holds(3.0));
    }
    near(of_mean as f64 / TRIALS as f64, 0.95, 0.015);
    near(of_pairs as f64 / TRIALS as f64, 0.95, 0.015);
}

#[test]
fn exact_limits_cover_at_least_what_they_say() {
    // Exactly, not by simulation: the probability of all counts whose limits hold the truth.
    for n in [5_u64, 10, 30] {
        for truth in [0.01, 0.05, 0.2, 0.5, 0.93] {
            let mut covered = 0.0;
            let mut choose = 1.0;
            for k in 0..=n {
                let p =
                    choose * libm::pow(truth, k as f64) * libm::pow(1.0 - truth, (n - k) as f64);
                if count_limits(k, n, 0.95).unwrap().holds(truth) {
                    covered += p;
                }
                choose *= (n - k) as f64 / (k + 1) as f64;
            }
            assert!(covered >= 0.95 - 1e-9, "{n} {truth}: {covered}");
        }
    }
}

#[test]
fn bootstrap_intervals_of_a_skewed_figure_cover_nearly_what_they_say() {
    const TRIALS: u64 = 150;
    let mut rng = Streams::new(2).stream("coverage");
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut held = 0;
    for trial in 0..TRIALS {
        let values: Vec<f64> = (0..40)
            .map(|_| -libm::log(1.0 - unit(rng.next_u64())))
            .collect();
        let figure = format!("trial {trial}");
        held += u64::from(
            bca(&values, mean, 0.9, &mut stream(&figure))
                .unwrap()
                .holds(1.0),
        );
    }
    // BCa falls a little short at 40 values; three deviations of the count are 7 points.
    near(held as f64 / TRIALS as f64, 0.88, 0.08);
}
