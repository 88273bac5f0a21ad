use super::{Minimised, Pass, Trial, minimise};
use std::ops::Range;

/// Takes numbers away.
struct Fewer;
impl Pass<Vec<u32>> for Fewer {
    fn parts(&self, subject: &Vec<u32>) -> usize {
        subject.len()
    }
    fn simplify(&self, subject: &Vec<u32>, parts: Range<usize>) -> Option<Vec<u32>> {
        let mut subject = subject.clone();
        subject.drain(parts);
        Some(subject)
    }
}

/// Halves numbers.
struct Smaller;
impl Pass<Vec<u32>> for Smaller {
    fn parts(&self, subject: &Vec<u32>) -> usize {
        subject.len()
    }
    fn simplify(&self, subject: &Vec<u32>, parts: Range<usize>) -> Option<Vec<u32>> {
        let mut simpler = subject.clone();
        for x in &mut simpler[parts] {
            *x /= 2;
        }
        (simpler != *subject).then_some(simpler)
    }
}

fn fails_if(fails: impl Fn(&[u32]) -> bool) -> impl FnMut(&Vec<u32>) -> Trial {
    move |x| {
        if fails(x) { Trial::Same } else { Trial::Other }
    }
}

#[test]
fn what_matters_is_left_and_nothing_else() {
    let passes: [&dyn Pass<_>; 2] = [&Fewer, &Smaller];
    let all: Vec<u32> = (0..100).collect();
    // It takes three that are far from each other.
    let mut trial = fails_if(|x| [3, 50, 97].iter().all(|n| x.contains(n)));
    let found = minimise(all.clone(), &[&Fewer], 10_000, &mut trial);
    assert_eq!(found.subject, [3, 50, 97]);
    assert!(found.minimal && found.taken > 0 && found.trials < 200);
    // Two that are at least 10, whatever they are; halving goes as far as it can.
    let mut trial = fails_if(|x| x.iter().filter(|n| **n >= 10).count() >= 2);
    let found = minimise(all, &passes, 10_000, &mut trial);
    assert_eq!(found.subject.len(), 2);
    assert!(found.subject.iter().all(|n| (10..20).contains(n)));
}

#[test]
fn tries_and_time_end_it_with_what_fails() {
    let all: Vec<u32> = (0..64).collect();
    let fails = |x: &[u32]| x.contains(&63);
    let found = minimise(all.clone(), &[&Fewer], 3, &mut fails_if(fails));
    assert!(!found.minimal && found.trials == 3 && fails(&found.subject));
    let mut tried = 0;
    let found = minimise(all, &[&Fewer], 1_000, &mut |x| {
        tried += 1;
        match tried {
            1..=4 if fails(x) => Trial::Same,
            1..=4 => Trial::Other,
            _ => Trial::Stop,
        }
    });
    assert!(!found.minimal && fails(&found.subject) && found.subject.len() < 64);
    let nothing = minimise(Vec::new(), &[&Fewer], 9, &mut fails_if(|_| true));
    let left = Minimised {
        subject: Vec::new(),
        trials: 0,
        taken: 0,
        minimal: true,
    };
    assert_eq!(nothing, left);
}
