//! Mutated library files through load and plan: every one gets a plan or diagnostics, none a panic.
//! The same on a larger scale: `cargo run --release -p consim-scenarios --example mutate`.

#[path = "../support/mutate.rs"]
mod mutate;
use mutate::{Corpus, campaign};

#[test]
fn mutated_files_get_a_plan_or_diagnostics() {
    let corpus = Corpus::new(&crate::support::root());
    let report = campaign(&corpus, 1, 0..300);
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.planned > 25, "{report:?}");
    assert!(report.refused > 100, "{report:?}");
    // The same seed gives the same files and the same answers.
    assert_eq!(campaign(&corpus, 1, 0..40), campaign(&corpus, 1, 0..40));
    assert_ne!(
        campaign(&corpus, 1, 0..40).digest,
        campaign(&corpus, 2, 0..40).digest
    );
}
