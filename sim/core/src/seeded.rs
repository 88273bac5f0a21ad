//! Seeded bugs: mistakes that others have made, put into this code on purpose, to show that the
//! checks can fail. They exist only in a build with the feature `seeded-bugs` and in builds for
//! debugging, which tests are, and there one is switched on for a run. In any other build [`on`] is `false` for the compiler too, so that no
//! branch is left of them; their names remain, for scenarios that name them.
//!
//! A bug is one `if seeded::on(&seeded::NAME)` where the mistake would be made, and an entry in the
//! `seeded.rs` of that folder (docs/seeded-bugs.md).

/// A mistake that can be switched on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeededBug {
    /// Its word, which no other bug has.
    pub name: &'static str,
    /// Its code in the list of mutants (`M01`); empty for our own.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub says: &'static str,
    /// Where such a mistake was seen or described.
    pub source: &'static str,
    /// The checks, by name, that may notice it.
    pub killers: &'static [&'static str],
}

/// The bugs of this crate.
pub const BUGS: &[&SeededBug] = &[&SIGNATURES_LEFT_OUT];

/// Validity.
pub const SIGNATURES_LEFT_OUT: SeededBug = SeededBug {
    name: "signatures-left-out",
    code: "",
    says: "Transactions are not signed over what they hold, and nobody looks, since lines are authenticated.",
    source: "Our own; a switch for measurements that was left on",
    killers: &["validity"],
};

#[cfg(any(feature = "seeded-bugs", debug_assertions))]
mod switch {
    use super::SeededBug;
    use std::cell::Cell;

    std::thread_local! {
        static CURRENT: Cell<Option<&'static SeededBug>> = const { Cell::new(None) };
    }

    /// Is this bug switched on, on this thread?
    #[inline]
    pub fn on(bug: &'static SeededBug) -> bool {
        CURRENT.with(|current| current.get().is_some_and(|on| on.name == bug.name))
    }

    /// Switches back at the end, also by a panic.
    struct Before(Option<&'static SeededBug>);
    impl Drop for Before {
        fn drop(&mut self) {
            CURRENT.with(|current| current.set(self.0));
        }
    }

    /// Calls `run` with `bug` switched on, on this thread.
    pub fn with<R>(bug: Option<&'static SeededBug>, run: impl FnOnce() -> R) -> R {
        let _before = Before(CURRENT.with(|current| current.replace(bug)));
        run()
    }
}

#[cfg(any(feature = "seeded-bugs", debug_assertions))]
pub use switch::{on, with};

/// Is this bug switched on? Never, in this build.
#[cfg(not(any(feature = "seeded-bugs", debug_assertions)))]
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "no branch of a bug may be left in this build"
)]
pub const fn on(_bug: &'static SeededBug) -> bool {
    false
}

/// Calls `run`. There are no bugs to switch on in this build.
#[cfg(not(any(feature = "seeded-bugs", debug_assertions)))]
pub fn with<R>(_bug: Option<&'static SeededBug>, run: impl FnOnce() -> R) -> R {
    run()
}

#[cfg(all(test, any(feature = "seeded-bugs", debug_assertions)))]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const A: SeededBug = SeededBug {
        name: "a",
        code: "",
        says: "",
        source: "",
        killers: &[],
    };
    const B: SeededBug = SeededBug { name: "b", ..A };

    #[test]
    fn one_bug_is_on_while_the_run_lasts_and_on_its_thread_alone() {
        assert!(!on(&A));
        with(Some(&A), || {
            assert!(on(&A) && !on(&B));
            with(Some(&B), || assert!(on(&B) && !on(&A)));
            with(None, || assert!(!on(&A)));
            assert!(on(&A));
            let elsewhere = std::thread::scope(|scope| scope.spawn(|| on(&A)).join());
            assert!(!elsewhere.unwrap());
        });
        assert!(!on(&A));
    }

    #[test]
    fn a_panic_switches_it_off() {
        let panicked = std::panic::catch_unwind(|| with(Some(&A), || assert!(!on(&A))));
        assert!(panicked.is_err());
        assert!(!on(&A));
    }
}
