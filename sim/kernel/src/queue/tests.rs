#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn drained(items: &[(u64, Item)]) -> Vec<(u64, Item)> {
    let mut queue = Queue::default();
    for &(at, item) in items {
        queue.push(Time::from_nanos(at), item);
    }
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
        arrival(1, 2, 7, false),
        arrival(1, 1 << 40, 0, false),
        arrival(2, 0, 0, false),
        Item::Request {
            workload: 0,
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
            slot: 9,
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
}

#[test]
fn an_entry_is_32_bytes() {
    assert_eq!(size_of::<Ticket>(), 32);
}

/// Random pushes and pops, near, far, late and at one instant, against a plain heap.
#[test]
fn the_wheel_is_a_heap() {
    use rand_chacha::ChaCha12Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
    for seed in 0..40 {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let mut draw = |n: u64| rng.next_u64() % n;
        let mut wheel = Queue::default();
        let mut heap: BinaryHeap<Reverse<Ticket>> = BinaryHeap::new();
        let (mut now, mut counter) = (0, 0);
        for _ in 0..20_000 {
            for _ in 0..draw(4) {
                counter += 1;
                let reach =
                    [1, 100, 100_000, 50_000_000, 400_000_000, 90_000_000_000][draw(6) as usize];
                let at = Time::from_nanos(now + draw(reach));
                let item = Item::Wake {
                    node: draw(5) as u32,
                    counter,
                };
                wheel.push(at, item);
                heap.push(Reverse(Ticket::new(at, item)));
            }
            let until = if draw(10) == 0 {
                now + draw(1_000_000)
            } else {
                u64::MAX
            };
            for _ in 0..draw(5) {
                let expected = heap.peek().is_some_and(|first| first.0.at <= until);
                let expected = if expected { heap.pop() } else { None };
                let got = wheel.pop(Time::from_nanos(until));
                assert_eq!(
                    got,
                    expected.map(|Reverse(t)| (Time::from_nanos(t.at), t.item()))
                );
                assert_eq!(wheel.len(), heap.len());
                now = got.map_or(now, |(at, _)| at.nanos());
            }
        }
    }
}
