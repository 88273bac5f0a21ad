#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::rng::mix;
use proptest::prelude::*;

const MS: u64 = 1_000_000;

fn ms(n: u64) -> Span {
    Span::from_millis(n)
}
fn normal() -> Distribution {
    Distribution::Normal {
        mean: ms(50),
        sd: ms(5),
    }
}
fn log_normal() -> Distribution {
    Distribution::LogNormal {
        median: ms(10),
        p99: ms(100),
    }
}
fn uniform() -> Distribution {
    Distribution::Uniform {
        from: ms(10),
        to: ms(30),
    }
}
fn exponential() -> Distribution {
    Distribution::Exponential { mean: ms(20) }
}
fn pareto() -> Distribution {
    Distribution::Pareto {
        least: ms(20),
        shape_permille: 2_500,
    }
}
/// Ten samples: 4 three times, 7 and 12 twice, 9, 30, 95 once.
fn measured() -> Distribution {
    let seen = [(12, 2), (4, 1), (95, 1), (7, 2), (30, 1), (4, 2), (9, 1)];
    let samples = Samples::new(seen.map(|(value, count)| (ms(value), count))).unwrap();
    Distribution::Empirical(Arc::new(samples))
}
fn draws(distribution: &Distribution, n: u64) -> Vec<u64> {
    let sampler = distribution.sampler();
    (0..n).map(|i| sampler.sample(mix(5, i)).nanos()).collect()
}

/// A change here changes every run there ever was. The values were computed a second time from the
/// closed forms, with another inverse of the normal distribution.
#[test]
fn every_sampler_is_fixed_for_all_time() {
    let table: [(Distribution, [u64; 4]); 7] = [
        (
            Distribution::Constant(ms(3)),
            [3_000_000, 3_000_000, 3_000_000, 3_000_000],
        ),
        (uniform(), [15_130_398, 20_296_262, 21_886_941, 20_898_870]),
        (normal(), [46_731_284, 50_185_607, 51_193_115, 50_564_203]),
        (
            log_normal(),
            [5_235_805, 10_374_259, 12_664_102, 11_181_639],
        ),
        (
            exponential(),
            [5_928_266, 14_464_421, 18_045_145, 15_746_673],
        ),
        (pareto(), [22_517_608, 26_709_537, 28_692_483, 27_403_363]),
        (measured(), [4_000_000, 9_000_000, 9_000_000, 9_000_000]),
    ];
    for (distribution, golden) in table {
        assert_eq!(draws(&distribution, 4), golden, "{distribution:?}");
    }
}

#[test]
fn quantiles_are_those_of_the_closed_forms() {
    let close = |found: Span, expected: f64| {
        let off = found.nanos() as f64 / expected - 1.0;
        assert!(off.abs() < 1e-7, "{found} is not {expected}");
    };
    // Phi(1) and Phi(-1.5), to ten digits.
    let (one, below) = (0.841_344_746_1, 0.066_807_201_3);
    close(normal().quantile(0.5), 50e6);
    close(normal().quantile(one), 55e6);
    close(normal().quantile(below), 42.5e6);
    close(normal().quantile(0.99), 50e6 + 5e6 * Z99);
    close(log_normal().quantile(0.5), 10e6);
    close(log_normal().quantile(0.99), 100e6);
    close(log_normal().quantile(0.01), 1e6);
    close(
        log_normal().quantile(one),
        10e6 * libm::exp(libm::log(10.0) / Z99),
    );
    close(exponential().quantile(0.5), 20e6 * core::f64::consts::LN_2);
    close(exponential().quantile(0.99), 20e6 * libm::log(100.0));
    close(uniform().quantile(0.25), 15e6);
    close(pareto().quantile(0.5), 20e6 * libm::pow(2.0, 0.4));
    close(pareto().quantile(0.99), 20e6 * libm::pow(100.0, 0.4));
    assert_eq!(pareto().quantile(0.0), ms(20));
    assert_eq!(measured().quantile(0.0), ms(4));
    assert_eq!(measured().quantile(0.29), ms(4));
    assert_eq!(measured().quantile(0.31), ms(7));
    assert_eq!(measured().quantile(0.5), ms(9));
    assert_eq!(measured().quantile(1.0), ms(95));
    assert_eq!(uniform().quantile(0.0), ms(10));
    assert_eq!(uniform().quantile(1.0), ms(30));
    assert_eq!(exponential().quantile(0.0), Span::ZERO);
    assert_eq!(Distribution::Constant(ms(3)).quantile(0.9), ms(3));
    let wide = Distribution::Normal {
        mean: ms(1),
        sd: ms(10),
    };
    assert_eq!(wide.quantile(0.1), Span::ZERO, "cut off at zero");
}

#[test]
fn the_normal_quantile_is_that_of_the_tables() {
    // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.1, with more digits from R's qnorm.
    for (p, z) in [
        (0.5, 0.0),
        (0.75, 0.674_489_750_196_082),
        (0.9, 1.281_551_565_544_6),
        (0.975, 1.959_963_984_540_05),
        (0.99, Z99),
        (0.999, 3.090_232_306_167_81),
        (0.999_999, 4.753_424_308_822_9),
    ] {
        assert!((normal_quantile(p) - z).abs() < 1e-8, "{p}");
        assert!((normal_quantile(1.0 - p) + z).abs() < 1e-8, "{p}");
    }
    assert!(normal_quantile(0.0).is_finite() && normal_quantile(1.0).is_finite());
}

#[test]
fn draws_have_the_quantiles_and_the_mean_of_their_distribution() {
    const N: u64 = 100_000;
    for distribution in [
        uniform(),
        normal(),
        log_normal(),
        exponential(),
        pareto(),
        measured(),
    ] {
        let mut all = draws(&distribution, N);
        let mean = all.iter().sum::<u64>() as f64 / N as f64;
        let expected = distribution.mean().nanos() as f64;
        // The log-normal scatters most: standard deviation 1.28 means, of the mean 0.004.
        assert!(
            (mean / expected - 1.0).abs() < 0.016,
            "{distribution:?} {mean}"
        );
        all.sort_unstable();
        for p in [0.01, 0.1, 0.5, 0.9, 0.99] {
            let found = all[(p * N as f64) as usize];
            // The rank of an order statistic scatters by sqrt(p (1 - p) N): four of them.
            let slack = 4.0 * (p * (1.0 - p) / N as f64).sqrt() + 1.0 / 4096.0;
            let low = distribution.quantile(p - slack).nanos();
            let high = distribution.quantile(p + slack).nanos();
            assert!(
                (low..=high).contains(&found),
                "{distribution:?} {p} {found}"
            );
        }
    }
}

#[test]
fn means_are_those_of_the_closed_forms() {
    let sigma = libm::log(10.0) / Z99;
    let expected = 10e6 * libm::exp(sigma * sigma / 2.0);
    let mean = log_normal().mean().nanos() as f64;
    assert!((mean / expected - 1.0).abs() < 1e-6);
    assert_eq!(uniform().mean(), ms(20));
    assert_eq!(normal().mean(), ms(50));
    assert_eq!(exponential().mean(), ms(20));
    // 20 ms x 2.5 / 1.5.
    assert_eq!(pareto().mean().nanos(), 33_333_333);
    let heavy = Distribution::Pareto {
        least: ms(1),
        shape_permille: 1_000,
    };
    assert_eq!(heavy.mean(), Span::MAX, "the mean is infinite");
    // (3 x 4 + 2 x 7 + 9 + 2 x 12 + 30 + 95) / 10.
    assert_eq!(measured().mean().nanos(), 18_400_000);
    assert_eq!(Distribution::Constant(ms(3)).mean(), ms(3));
}

#[test]
fn samplers_take_the_least_and_the_most_bits() {
    for (distribution, least, most) in [
        (uniform(), 10 * MS, 30 * MS),
        // Cut at a chance of 10^-12.
        (exponential(), 0, 552_620_865),
        // 20 ms x 10^(12 / 2.5).
        (pareto(), 20 * MS, 1_261_914_688_960),
        (measured(), 4 * MS, 95 * MS),
    ] {
        let sampler = distribution.sampler();
        assert_eq!(sampler.sample(0).nanos(), least, "{distribution:?}");
        assert_eq!(sampler.sample(u64::MAX).nanos(), most, "{distribution:?}");
    }
    // A table ends at its outermost edges.
    for distribution in [normal(), log_normal()] {
        let sampler = distribution.sampler();
        let edge = |p: f64| distribution.quantile(p);
        assert_eq!(sampler.sample(0), edge(1.0 / 4096.0));
        assert_eq!(sampler.sample(u64::MAX), edge(1.0 - 1.0 / 4096.0));
    }
}

fn any_distribution() -> impl Strategy<Value = Distribution> {
    let span = || prop_oneof![0..1_000_000u64, any::<u64>()].prop_map(Span::from_nanos);
    prop_oneof![
        span().prop_map(Distribution::Constant),
        (span(), span()).prop_map(|(from, to)| Distribution::Uniform { from, to }),
        (span(), span()).prop_map(|(mean, sd)| Distribution::Normal { mean, sd }),
        (span(), span()).prop_map(|(median, p99)| Distribution::LogNormal { median, p99 }),
        span().prop_map(|mean| Distribution::Exponential { mean }),
        (span(), any::<u32>()).prop_map(|(least, shape_permille)| Distribution::Pareto {
            least,
            shape_permille,
        }),
        prop::collection::vec((span(), 1..9u32), 1..20)
            .prop_map(|seen| { Distribution::Empirical(Arc::new(Samples::new(seen).unwrap())) }),
    ]
}

proptest! {
    /// Whatever the parameters say, a draw is a span and nothing panics.
    #[test]
    fn no_parameters_panic(distribution in any_distribution(), bits in any::<u64>(), p in 0.0..=1.0) {
        let sampler = distribution.sampler();
        for bits in [bits, 0, u64::MAX] {
            sampler.sample(bits);
        }
        distribution.quantile(p);
        distribution.mean();
    }

    /// More bits never give less, so that common random numbers keep their order.
    #[test]
    fn draws_rise_with_their_bits(a in any::<u64>(), b in any::<u64>()) {
        let (a, b) = (a.min(b), a.max(b));
        for distribution in [
            uniform(),
            normal(),
            log_normal(),
            exponential(),
            pareto(),
            measured(),
        ] {
            let sampler = distribution.sampler();
            prop_assert!(sampler.sample(a) <= sampler.sample(b));
        }
    }
}

#[test]
fn nothing_measured_is_no_distribution() {
    assert_eq!(Samples::new([]), None);
    assert_eq!(Samples::new([(ms(1), 0)]), None);
}

/// Every draw of a table is one of its samples, and each comes as often as it was seen.
#[test]
fn a_table_gives_its_samples_as_often_as_they_were_seen() {
    const N: u64 = 100_000;
    let all = draws(&measured(), N);
    for (value, of_ten) in [(4, 3), (7, 2), (9, 1), (12, 2), (30, 1), (95, 1)] {
        let found = all.iter().filter(|&&v| v == value * MS).count() as f64 / N as f64;
        let expected = f64::from(of_ten) / 10.0;
        // Four standard deviations of a share.
        let slack = 4.0 * (expected * (1.0 - expected) / N as f64).sqrt();
        assert!((found - expected).abs() < slack, "{value} {found}");
    }
}
