#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::ticket::MAX_SOURCES;
use super::*;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

fn drained(items: &[(u64, Item)]) -> Vec<(u64, Item)> {
    let mut queue = Queue::default();
    for &(at, item) in items {
        queue.push(Time::from_nanos(at), item);
    }
    drain(&mut queue)
}

fn drain(queue: &mut Queue) -> Vec<(u64, Item)> {
    std::iter::from_fn(|| queue.pop(Time::MAX))
        .map(|(at, item)| (at.nanos(), item))
        .collect()
}

/// Entries of one instant in the order in which they are to be served.
fn of_one_instant() -> Vec<Item> {
    let arrival = |from, counter, to, queued| Item::Arrival {
        send: 3,
        from,
        counter,
        to,
        queued,
    };
    vec![
        Item::Fault {
            window: 4,
            open: false,
        },
        Item::Fault {
            window: 1,
            open: true,
        },
        Item::Fault {
            window: 2,
            open: true,
        },
        arrival(0, 9, 1, true),
        arrival(1, 2, 0, false),
        arrival(1, 2, MAX_SOURCES - 1, false),
        arrival(1, (1 << 40) - 1, 0, false),
        arrival(2, 0, 0, false),
        Item::Request {
            workload: MAX_SENDS - 1,
            source: 50,
            counter: 8,
        },
        Item::Disk {
            node: 0,
            op: u64::MAX,
        },
        Item::Disk { node: 1, op: 0 },
        Item::Timer {
            node: 0,
            key: 5,
            slot: u32::MAX,
        },
        Item::Timer {
            node: 0,
            key: 1 << 63,
            slot: 0,
        },
        Item::Wake {
            node: MAX_SOURCES - 1,
            counter: 1,
        },
    ]
}

#[test]
fn ties_break_by_meaning_whatever_the_order_of_pushing() {
    let expected: Vec<(u64, Item)> = of_one_instant().into_iter().map(|item| (7, item)).collect();
    let mut mixed = expected.clone();
    for turn in 0..mixed.len() {
        mixed.rotate_left(5);
        mixed.swap(0, turn);
        assert_eq!(drained(&mixed), expected);
    }
}

#[test]
fn earlier_instants_come_first_and_later_ones_wait() {
    let wake = Item::Wake {
        node: 0,
        counter: 0,
    };
    let fault = Item::Fault {
        window: 0,
        open: true,
    };
    assert_eq!(drained(&[(2, fault), (1, wake)]), [(1, wake), (2, fault)]);
    let mut queue = Queue::default();
    queue.push(Time::from_nanos(5), wake);
    assert!(queue.pop(Time::from_nanos(4)).is_none());
    assert_eq!(queue.len(), 1);
    assert!(queue.pop(Time::from_nanos(5)).is_some());
    assert!(queue.is_empty());
}

#[test]
fn an_entry_is_24_bytes() {
    assert_eq!(size_of::<Ticket>(), 24);
}

/// A mix of delays, or of instants: how far ahead a push may be, drawn anew for each.
const MIXES: [&[u64]; 8] = [
    &[1, 100, 100_000, 50_000_000, 400_000_000, 90_000_000_000],
    &[1],
    &[2],
    &[1_000_000],
    &[1_000, 10_000_000, 60_000_000_000],
    &[1_000_000, 1_000_000_000],
    &[30, 3_000_000_000_000],
    &[10_000_000_000_000, 10_000_000_000_000_000],
];

/// What is under test and what it is compared with.
struct Pair {
    queue: Queue,
    heap: BinaryHeap<Reverse<Ticket>>,
    rng: ChaCha12Rng,
    now: u64,
    counter: u64,
    pops: u64,
}

impl Pair {
    fn new(seed: u64) -> Self {
        Self {
            queue: Queue::default(),
            heap: BinaryHeap::new(),
            rng: ChaCha12Rng::seed_from_u64(seed),
            now: 0,
            counter: 0,
            pops: 0,
        }
    }
    fn draw(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }
    fn at(&mut self, mix: &[u64]) -> u64 {
        let reach = mix[self.draw(mix.len() as u64) as usize];
        // Coarse instants, so that there are ties.
        let grain = [1, (reach / 16).max(1)][self.draw(2) as usize];
        self.now + self.draw(reach) / grain * grain
    }
    fn push(&mut self, mix: &[u64]) {
        self.counter += 1;
        let (at, node) = (self.at(mix), self.draw(5) as u32);
        let item = match self.draw(3) {
            0 => Item::Wake {
                node,
                counter: self.counter,
            },
            1 => Item::Timer {
                node,
                key: self.counter,
                slot: 3,
            },
            _ => Item::Arrival {
                send: 9,
                from: node,
                counter: self.counter,
                to: 4,
                queued: false,
            },
        };
        self.heap
            .push(Reverse(Ticket::new(Time::from_nanos(at), item)));
        self.queue.push(Time::from_nanos(at), item);
    }
    /// A multicast.
    fn broadcast(&mut self, mix: &[u64]) {
        self.counter += 1;
        let (from, counter) = (self.draw(5) as u32, self.counter);
        let arrivals: Vec<(Time, u32)> = (0..self.draw(300) as u32)
            .map(|i| {
                // Beyond what a waiting arrival holds, now and then.
                let to = if i % 97 == 96 { 70_000 + i } else { i };
                (Time::from_nanos(self.at(mix)), to)
            })
            .collect();
        for &(at, to) in &arrivals {
            let item = Item::Arrival {
                send: 1,
                from,
                counter,
                to,
                queued: false,
            };
            self.heap.push(Reverse(Ticket::new(at, item)));
        }
        self.queue.push_arrivals(1, from, counter, &arrivals);
    }
    fn pop(&mut self, until: u64) {
        let expected = self.heap.peek().is_some_and(|first| first.0.at <= until);
        let expected = if expected { self.heap.pop() } else { None };
        let got = self.queue.pop(Time::from_nanos(until));
        assert_eq!(
            got,
            expected.map(|Reverse(t)| (Time::from_nanos(t.at), t.item()))
        );
        assert_eq!(self.queue.len(), self.heap.len());
        self.now = got.map_or(self.now, |(at, _)| at.nanos());
        self.pops += 1;
    }
}

/// Random pushes and pops of several mixes, which change on the way, single and in broadcasts,
/// against a plain heap.
#[test]
fn the_list_is_a_heap() {
    let (mut changes, mut pops) = (0, 0);
    for seed in 0..60 {
        let mut pair = Pair::new(seed);
        let mut mix = MIXES[pair.draw(8) as usize];
        for _ in 0..20_000 {
            if pair.draw(4_000) == 0 {
                mix = MIXES[pair.draw(8) as usize];
            }
            for _ in 0..pair.draw(4) {
                pair.push(mix);
            }
            if pair.draw(2_000) == 0 {
                pair.broadcast(mix);
            }
            let until = match pair.draw(10) {
                0 => pair.now + pair.draw(1_000_000),
                _ => u64::MAX,
            };
            for _ in 0..pair.draw(4) {
                pair.pop(until);
            }
        }
        while !pair.heap.is_empty() {
            pair.pop(u64::MAX);
        }
        changes += pair.queue.width_changes();
        pops += pair.pops;
    }
    assert!(changes > 300, "{changes} changes of width");
    assert!(pops > 1_000_000, "{pops} pops");
}

/// Chains that never leave the bucket being served: it is found out how narrow buckets must be.
#[test]
fn endless_chains_of_an_instant_narrow_the_buckets() {
    let mut pair = Pair::new(1);
    for _ in 0..500 {
        pair.push(&[1]);
    }
    for _ in 0..40_000 {
        pair.pop(u64::MAX);
        // Now, or one nanosecond later.
        pair.push(&[2]);
    }
    assert_eq!(pair.queue.wheel.width(), 1);
    assert!(pair.now > 10, "{}", pair.now);
}

/// The end of time, far beyond all rings.
#[test]
fn the_last_instants_are_in_order() {
    let wake = |counter| Item::Wake { node: 0, counter };
    let mut queue = Queue::default();
    for (at, counter) in [(u64::MAX, 3), (1, 1), (u64::MAX - 1, 2)] {
        queue.push(Time::from_nanos(at), wake(counter));
    }
    let expected = [(1, wake(1)), (u64::MAX - 1, wake(2)), (u64::MAX, wake(3))];
    assert_eq!(drain(&mut queue), expected);
}

/// Once it has been as full as it gets, a list asks for no more memory.
#[test]
fn chunks_are_used_again() {
    let mut queue = Queue::default();
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut push = |queue: &mut Queue, now: u64, counter| {
        let at = Time::from_nanos(now + rng.next_u64() % 3_000_000);
        queue.push(at, Item::Wake { node: 1, counter });
    };
    for counter in 0..5_000 {
        push(&mut queue, 0, counter);
    }
    let mut made = 0;
    for counter in 0..400_000 {
        let (at, _) = queue.pop(Time::MAX).unwrap();
        push(&mut queue, at.nanos(), counter);
        if counter == 200_000 {
            made = queue.wheel.chunks_made();
        }
    }
    assert!(made > 5_000 / 16);
    let more = queue.wheel.chunks_made() - made;
    assert!(more * 20 < made, "{more} more than {made}");
}
