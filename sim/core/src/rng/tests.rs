#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use rand_chacha::rand_core::Rng;

fn first<const N: usize>(rng: &mut ChaCha12Rng) -> [u64; N] {
    std::array::from_fn(|_| rng.next_u64())
}

/// A change here changes every run there ever was. The values were computed a second time by
/// independent implementations of BLAKE3, ChaCha12 and the mixer.
#[test]
fn streams_keys_and_the_mixer_are_fixed_for_all_time() {
    let streams = Streams::new(7);
    assert_eq!(
        first(&mut streams.stream("workload/outpatients")),
        [
            17_621_969_620_829_773_736,
            12_860_097_314_922_416_635,
            15_751_072_210_471_220_509
        ]
    );
    assert_eq!(streams.key("keys"), 7_420_127_806_774_059_095);
    assert_eq!(
        [mix(0, 0), mix(0, 1), mix(1, 0), mix(u64::MAX, u64::MAX)],
        [
            0xfed5_b544_f37c_43bf,
            0x77e8_9176_f7be_ecf9,
            0x5c60_552a_6e51_7e0a,
            0x399a_4d90_75d8_3a85
        ]
    );
}

#[test]
fn streams_differ_by_seed_and_label_and_not_by_when_they_are_made() {
    let streams = Streams::new(7);
    let one = |s: Streams, label: &str| first::<4>(&mut s.stream(label));
    let reference = one(streams, "node/1");
    assert_eq!(one(streams, "node/1"), reference);
    for other in [
        one(streams, "node/2"),
        one(streams, "node/11"),
        one(streams, "node/"),
        one(streams, ""),
        one(Streams::new(8), "node/1"),
    ] {
        assert!(reference.iter().zip(&other).all(|(a, b)| a != b));
    }
    assert_ne!(streams.key("a"), streams.key("b"));
    assert_ne!(streams.key("a"), Streams::new(8).key("a"));
    // A stream's first draw is not its key: they are derived in contexts of their own.
    assert_ne!(streams.key("a"), one(streams, "a")[0]);
    assert_eq!(streams.seed(), 7);
}

/// Strict avalanche: each input bit flips each output bit in about half of the cases.
#[test]
fn a_flipped_input_bit_flips_half_of_the_output_bits() {
    const SAMPLES: u32 = 2_000;
    // A fair coin tossed 2,000 times: standard deviation 22.4. Of 128 * 64 counts none is more
    // than six away, but with a chance of 10^-5.
    let bound = 6.0 * f64::from(SAMPLES).sqrt() / 2.0;
    let mut rng = Streams::new(1).stream("avalanche");
    for word in 0..2 {
        for bit in 0..64 {
            let mut flips = [0u32; 64];
            for _ in 0..SAMPLES {
                let [key, counter] = first(&mut rng);
                let flip = 1u64 << bit;
                let other = if word == 0 {
                    mix(key ^ flip, counter)
                } else {
                    mix(key, counter ^ flip)
                };
                let changed = mix(key, counter) ^ other;
                for (i, count) in flips.iter_mut().enumerate() {
                    *count += (changed >> i & 1) as u32;
                }
            }
            for (i, count) in flips.into_iter().enumerate() {
                let off = (f64::from(count) - f64::from(SAMPLES) / 2.0).abs();
                assert!(off <= bound, "word {word} bit {bit} -> {i}: {count}");
            }
        }
    }
}

/// As the network uses it: one key, counters one after the other.
#[test]
fn successive_counters_give_even_draws() {
    let key = Streams::new(3).key("link");
    let n = 64_000;
    let mut cells = [0u32; 64];
    let mut sum = 0.0;
    for counter in 0..n {
        let bits = mix(key, counter);
        cells[below(bits, 64) as usize] += 1;
        sum += unit(bits);
    }
    // Chi-square of 63 degrees of freedom: mean 63, standard deviation 11.2.
    let expected = n as f64 / 64.0;
    let chi: f64 = cells
        .iter()
        .map(|&c| (f64::from(c) - expected) * (f64::from(c) - expected) / expected)
        .sum();
    assert!((63.0 - 50.0..63.0 + 50.0).contains(&chi), "{chi}");
    // The mean of 64,000 draws has a standard deviation of 0.00114.
    assert!((sum / n as f64 - 0.5).abs() < 0.005, "{sum}");
    let mut seen: Vec<u64> = (0..n).map(|counter| mix(key, counter)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len() as u64, n, "64-bit draws do not repeat so soon");
}

#[test]
fn unit_and_below_stay_in_their_ranges() {
    assert!(unit(0).abs() < f64::MIN_POSITIVE);
    assert!(unit(u64::MAX) < 1.0);
    assert!((unit(1 << 63) - 0.5).abs() < f64::EPSILON);
    assert_eq!(below(u64::MAX, 0), 0);
    assert_eq!(below(0, 10), 0);
    assert_eq!(below(u64::MAX, 10), 9);
    assert_eq!(below(1 << 63, 10), 5);
    assert_eq!(below(u64::MAX, u64::MAX), u64::MAX - 1);
}
