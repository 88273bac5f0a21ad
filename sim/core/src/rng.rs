//! Randomness: named ChaCha12 streams keyed by (seed, label path), and a keyed 64-bit mixer for
//! counter-based draws. Both are fixed for all time: a change would change every run.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// The source of all random streams of a run.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// The streams of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }
    /// The run's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }
    /// The stream named `label`, a path such as `workload/outpatients`. Equal labels give equal
    /// streams; one stream is 320 bytes, so it is for nodes, workloads and plan entries, never for links.
    pub fn stream(&self, label: &str) -> ChaCha12Rng {
        let mut hasher = blake3::Hasher::new_derive_key("consim 2026 random stream");
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(label.as_bytes());
        ChaCha12Rng::from_seed(*hasher.finalize().as_bytes())
    }
    /// A 64-bit key for counter-based draws under `label`.
    pub fn key(&self, label: &str) -> u64 {
        let mut hasher = blake3::Hasher::new_derive_key("consim 2026 counter key");
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(label.as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

/// A keyed 64-bit mixer: two rounds of 64x64 -> 128 multiply and fold. Equal inputs give equal
/// outputs on every machine; flipping any input bit flips about half of the output bits (tested).
#[inline]
pub fn mix(key: u64, counter: u64) -> u64 {
    #[inline]
    fn fold(a: u64, b: u64) -> u64 {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ ((product >> 64) as u64)
    }
    let a = fold(key ^ 0x9e37_79b9_7f4a_7c15, counter ^ 0xd1b5_4a32_d192_ed03);
    fold(
        a ^ key.rotate_left(23) ^ 0xa076_1d64_78bd_642f,
        counter.wrapping_mul(0xe703_7ed1_a0b4_28db) ^ a ^ 0x8ebc_6af0_9c88_c6e3,
    )
}

/// A draw in `[0, 1)` out of 53 bits of `bits`.
#[inline]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
}

/// A draw in `0..n` out of `bits` (multiply-shift; the bias is below n / 2^64). Zero if `n` is zero.
#[inline]
pub fn below(bits: u64, n: u64) -> u64 {
    ((u128::from(bits) * u128::from(n)) >> 64) as u64
}

#[cfg(test)]
mod tests;
