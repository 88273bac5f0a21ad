//! Options that `run` and `check` share.

use crate::cli::Overrides;
use consim_scenarios::LoadOptions;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// The options that the language takes from the command line.
pub(crate) fn load_options(overrides: &Overrides, drawn_seed: u64) -> LoadOptions {
    LoadOptions {
        sets: overrides.sets.clone(),
        seed: overrides.seed,
        drawn_seed,
        duration: overrides.duration.clone(),
        cwd: std::env::current_dir().unwrap_or_default(),
    }
}

/// A seed for a scenario that names none; printed before it is used, so the run can be repeated.
pub(crate) fn draw_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}
