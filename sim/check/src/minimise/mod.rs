//! Makes what fails smaller while it fails in the same way: delta debugging (Zeller and Hildebrandt,
//! "Simplifying and isolating failure-inducing input", IEEE TSE 28(2), 2002), in passes.
//!
//! It knows nothing of scenarios: a subject is whatever its passes can simplify, and whether it
//! still fails in the same way is for the caller to say.

use std::ops::Range;

/// What a try of a simpler subject showed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trial {
    /// It fails in the same way: the simpler subject is taken.
    Same,
    /// It does not.
    Other,
    /// No more tries: time is up.
    Stop,
}

/// One way of making a subject simpler.
pub trait Pass<T> {
    /// How many parts of `subject` it can try.
    fn parts(&self, subject: &T) -> usize;
    /// `subject` with all of these parts simpler; `None` if they cannot be. What comes back has to be
    /// simpler, so that no sequence of them is endless.
    fn simplify(&self, subject: &T, parts: Range<usize>) -> Option<T>;
}

/// What is left of a subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Minimised<T> {
    /// It fails as the first one did.
    pub subject: T,
    /// How many simpler ones were tried.
    pub trials: u64,
    /// How many of them were taken.
    pub taken: u64,
    /// Was nothing left to try? Otherwise the tries or the time were over.
    pub minimal: bool,
}

/// Applies `passes` in turn until none of them gets further, with at most `most` tries.
pub fn minimise<T>(
    subject: T,
    passes: &[&dyn Pass<T>],
    most: u64,
    trial: &mut dyn FnMut(&T) -> Trial,
) -> Minimised<T> {
    let mut left = Minimised {
        subject,
        trials: 0,
        taken: 0,
        minimal: false,
    };
    loop {
        let before = left.taken;
        for pass in passes {
            if !sweep(&mut left, *pass, most, trial) {
                return left;
            }
        }
        if left.taken == before {
            left.minimal = true;
            return left;
        }
    }
}

/// One pass over all parts: in one piece, in halves, in quarters, down to one by one. `false`: no
/// more tries.
fn sweep<T>(
    left: &mut Minimised<T>,
    pass: &dyn Pass<T>,
    most: u64,
    trial: &mut dyn FnMut(&T) -> Trial,
) -> bool {
    let mut size = pass.parts(&left.subject);
    while size > 0 {
        let mut from = 0;
        loop {
            let parts = pass.parts(&left.subject);
            if from >= parts {
                break;
            }
            let range = from..(from + size).min(parts);
            let next = range.end;
            let Some(simpler) = pass.simplify(&left.subject, range) else {
                from = next;
                continue;
            };
            if left.trials >= most {
                return false;
            }
            left.trials += 1;
            match trial(&simpler) {
                // The parts behind have moved up, or these can be made simpler still.
                Trial::Same => {
                    left.subject = simpler;
                    left.taken += 1;
                }
                Trial::Other => from = next,
                Trial::Stop => return false,
            }
        }
        size /= 2;
    }
    true
}

#[cfg(test)]
mod tests;
