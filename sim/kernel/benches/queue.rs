//! The future event list against `BinaryHeap<Reverse<u128>>`, the best that the standard library
//! offers: hold models (pop one, push one) with several mixes of delays, and the filling and
//! draining of one instant. The contestants take turns within one run, because the machine's mood
//! changes from minute to minute: only the ratios count.
//!
//! `cargo bench --bench queue [-- MIX... SIZE...]`

use consim_core::Time;
use consim_kernel::queue::{Item, Queue};
use rustix::time::{ClockId, clock_gettime};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

/// Turns of each contestant.
const ROUNDS: usize = 15;
/// Pops and pushes of a turn, unless more are pending: long enough that what the other one left in
/// the caches does not count.
const HOLDS: usize = 400_000;
/// Turns in which an instant is filled and drained.
const FILLS: usize = 9;
/// Delays of a table.
const DRAWS: usize = 4_096;
const MS: u64 = 1_000_000;

/// What both must do.
trait Contestant {
    fn push(&mut self, at: u64, number: u64);
    fn pop(&mut self) -> Option<u64>;
    fn note(&self) -> String {
        String::new()
    }
}

impl Contestant for BinaryHeap<Reverse<u128>> {
    fn push(&mut self, at: u64, number: u64) {
        self.push(Reverse(u128::from(at) << 64 | u128::from(number)));
    }
    fn pop(&mut self) -> Option<u64> {
        self.pop().map(|Reverse(key)| (key >> 64) as u64)
    }
}

impl Contestant for Queue {
    fn push(&mut self, at: u64, number: u64) {
        let item = Item::Arrival {
            send: number as u32 % 1_024,
            from: 7,
            counter: number,
            to: 7,
            queued: false,
        };
        self.push(Time::from_nanos(at), item);
    }
    fn pop(&mut self) -> Option<u64> {
        self.pop(Time::MAX).map(|(at, item)| {
            black_box(item);
            at.nanos()
        })
    }
    fn note(&self) -> String {
        format!("{} width changes", self.width_changes())
    }
}

/// Delays to draw from; the draw is a table look-up, cheap next to the lists.
struct Delays {
    table: Box<[u64; DRAWS]>,
    state: u64,
}

impl Delays {
    fn new(sample: impl Fn(f64) -> u64) -> Self {
        let at = |i: usize| sample((i as f64 + 0.5) / DRAWS as f64);
        Self {
            table: Box::new(std::array::from_fn(at)),
            state: 1,
        }
    }
    fn draw(&mut self) -> u64 {
        // SplitMix64 (G. Steele, D. Lea, C. Flood, OOPSLA 2014).
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = z ^ z >> 31;
        self.table[z as usize % DRAWS]
    }
}

struct Mix {
    name: &'static str,
    sample: fn(f64) -> u64,
    /// Pending entries.
    sizes: &'static [usize],
}

fn exponential(u: f64) -> u64 {
    (-libm::log(u) * MS as f64) as u64
}
fn bimodal(u: f64) -> u64 {
    if u < 0.9 { MS } else { 1_000 * MS }
}
fn trimodal(u: f64) -> u64 {
    match u {
        u if u < 1.0 / 3.0 => 1_000,
        u if u < 2.0 / 3.0 => 10 * MS,
        _ => 60_000 * MS,
    }
}

const MIXES: [Mix; 5] = [
    Mix {
        name: "exponential, mean 1 ms",
        sample: exponential,
        sizes: &[1_000, 100_000, 1_000_000],
    },
    Mix {
        name: "bimodal, 90 % 1 ms, 10 % 1 s",
        sample: bimodal,
        sizes: &[1_000, 100_000, 1_000_000],
    },
    Mix {
        name: "trimodal, 1 us, 10 ms, 60 s",
        sample: trimodal,
        sizes: &[1_000, 100_000, 1_000_000],
    },
    Mix {
        name: "lockstep, all 1 ms",
        sample: |_| MS,
        sizes: &[1_000, 100_000, 1_000_000],
    },
    Mix {
        name: "chains of 0 and 1 ns",
        sample: |u| u64::from(u < 0.5),
        sizes: &[1_000],
    },
];

/// A contestant in the middle of a hold model.
struct Hold<C> {
    list: C,
    delays: Delays,
    number: u64,
}

impl<C: Contestant + Default> Hold<C> {
    fn new(mix: &Mix, pending: usize) -> Self {
        let mut hold = Self {
            list: C::default(),
            delays: Delays::new(mix.sample),
            number: 0,
        };
        for _ in 0..pending {
            hold.number += 1;
            // Out of step by up to the longest delay.
            let at = hold.delays.draw() + hold.delays.draw() * hold.number / pending as u64;
            hold.list.push(at, hold.number);
        }
        // Until it has settled.
        hold.turn(3 * pending);
        hold
    }
    fn turn(&mut self, holds: usize) {
        for _ in 0..holds {
            if let Some(at) = self.list.pop() {
                self.number += 1;
                let delay = self.delays.draw();
                self.list.push(at + delay, self.number);
            }
        }
    }
}

/// Nanoseconds of CPU that this process has had: what else the machine does is not counted.
fn cpu_ns() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 * 1e9 + spent.tv_nsec as f64
}

fn time(holds: usize, work: impl FnOnce()) -> f64 {
    let started = cpu_ns();
    work();
    (cpu_ns() - started) / holds as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(name: &str, size: usize, mut heap: Vec<f64>, mut list: Vec<f64>, note: &str) {
    let mut ratios: Vec<f64> = heap.iter().zip(&list).map(|(h, l)| h / l).collect();
    println!(
        "{name:<30} {size:>9} {:>8.1} {:>8.1} {:>7.2} x  {note}",
        median(&mut heap),
        median(&mut list),
        median(&mut ratios),
    );
}

fn hold(mix: &Mix, pending: usize) {
    let mut heap: Hold<BinaryHeap<Reverse<u128>>> = Hold::new(mix, pending);
    let mut list: Hold<Queue> = Hold::new(mix, pending);
    let holds = HOLDS.max(pending);
    let (mut of_heap, mut of_list) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_heap.push(time(holds, || heap.turn(holds)));
        of_list.push(time(holds, || list.turn(holds)));
    }
    report(mix.name, pending, of_heap, of_list, &list.list.note());
}

/// Numbers in order, as one sender gives them, or out of order by a walk over all of them.
fn fill_and_drain<C: Contestant>(list: &mut C, at: u64, size: usize, stride: u64) -> f64 {
    time(size, || {
        for number in 0..size as u64 {
            list.push(at, number * stride % size as u64);
        }
        while list.pop().is_some() {}
    })
}

fn instant(name: &str, size: usize, stride: u64) {
    let (mut heap, mut list) = (BinaryHeap::<Reverse<u128>>::new(), Queue::default());
    let (mut of_heap, mut of_list) = (Vec::new(), Vec::new());
    for round in 1..=FILLS as u64 {
        of_heap.push(fill_and_drain(&mut heap, round * MS, size, stride));
        of_list.push(fill_and_drain(&mut list, round * MS, size, stride));
    }
    report(name, size, of_heap, of_list, &list.note());
}

fn main() {
    // `cargo test --all-targets` runs this file too, without the mark that `cargo bench` gives.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let (sizes, names): (Vec<_>, Vec<_>) = wanted.iter().partition(|w| w.parse::<usize>().is_ok());
    let asked = |name: &str, size: usize| {
        (names.is_empty() || names.iter().any(|w| name.contains(w.as_str())))
            && (sizes.is_empty() || sizes.iter().any(|&w| *w == size.to_string()))
    };
    println!(
        "{:<30} {:>9} {:>8} {:>8} {:>9}",
        "ns of CPU per pop and push", "pending", "heap", "list", "ratio"
    );
    for mix in &MIXES {
        for &pending in mix.sizes {
            if asked(mix.name, pending) {
                hold(mix, pending);
            }
        }
    }
    for (name, stride) in [
        ("one instant, in order", 1),
        ("one instant, out of order", 7_919),
    ] {
        for size in [1_000, 100_000, 1_000_000] {
            if asked(name, size) {
                instant(name, size, stride);
            }
        }
    }
}
