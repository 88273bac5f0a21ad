//! What work, disks, priorities and servers cost.

use super::*;

#[test]
fn every_kind_of_work_takes_its_time() {
    let us = Span::from_micros;
    let hardware = Hardware {
        cores: 4,
        sign: us(1),
        verify: us(10),
        verify_batched: us(4),
        hash_per_kib: us(2),
        encrypt_per_kib: us(3),
        execute: us(20),
        per_message: us(5),
        per_kib: us(7),
        per_request: us(11),
        per_message_sent: us(2),
        per_kib_sent: us(8),
        disk_read: 1_000_000,
        ..Hardware::default()
    };
    let cost = |work: Work| hardware.cost(&work, None);
    assert_eq!(cost(Work::sign(3)), us(3));
    assert_eq!(cost(Work::verify(3)), us(30));
    assert_eq!(cost(Work::verify_batched(10)), us(10), "on four cores");
    assert_eq!(cost(Work::hash(2_048)), us(4));
    assert_eq!(cost(Work::encrypt(512)), Span::from_nanos(1_500));
    assert_eq!(cost(Work::execute(2)), us(40));
    assert_eq!(cost(Work::requests(2)), us(22));
    assert_eq!(cost(Work::parse(1_024)), us(7));
    assert_eq!(cost(Work::read(500)), us(500), "a megabyte a second");
    assert_eq!(cost(Work::fixed(us(9))), us(9), "on one core");
    assert_eq!(cost(Work::parallel(us(9))), Span::from_nanos(2_250));
    assert_eq!(hardware.cost(&Work::NONE, Some(2_048)), us(19));
    assert_eq!(hardware.sending(3, 512), us(3 * (2 + 4)));
    let slow = Hardware {
        speed_permille: 500,
        ..hardware.clone()
    };
    let mut both = Work::fixed(us(9));
    both.add(Work::read(500));
    assert_eq!(slow.sending(3, 512), us(2 * 3 * (2 + 4)));
    // The disk is no slower for it.
    assert_eq!(slow.cost(&both, Some(1_024)), us(2 * (9 + 12) + 500));
    let one = Hardware {
        cores: 1,
        ..hardware
    };
    assert_eq!(one.cost(&Work::parallel(us(9)), None), us(9));
}

/// Three writes of 1,000 bytes, two together at 0 and one at 2 ms; a write takes 1 ms, an fsync 5.
fn writes(group_commit: bool) -> (Vec<(u64, u32)>, Span) {
    let setup = Setup {
        nodes: 1,
        hardware: Hardware {
            disk_write: 1_000_000,
            group_commit,
            ..Setup::default().hardware
        },
        ..Setup::default()
    };
    let (log, kernel) = setup.run(|cx, event| {
        let mut write = |n| {
            let value = Arc::new(Note(n, 992));
            cx.persist(WriteToken(n), vec![Write::append(1, value)]);
        };
        match event {
            Event::Start => {
                write(1);
                write(2);
                cx.set_timer(TimerKey(1), ms(2));
            }
            Event::Timer(TimerKey(1)) => {
                write(3);
                cx.set_timer(TimerKey(2), ms(1));
            }
            Event::Timer(TimerKey(2)) => write(4),
            _ => {}
        }
    });
    (only(&log, "persisted"), kernel.usage()[0].disk)
}

#[test]
fn writes_that_wait_for_the_disk_share_an_fsync() {
    // One after the other: 6 ms each.
    let (alone, busy) = writes(false);
    assert_eq!(alone, [(6, 0), (12, 0), (18, 0), (24, 0)]);
    assert_eq!(busy, ms(24));
    // 1 and 2 begin together: 2 + 5 ms. 3 and 4 wait for that and share the next: 7 + 2 + 5.
    let (grouped, busy) = writes(true);
    assert_eq!(grouped, [(7, 0), (7, 0), (14, 0), (14, 0)]);
    assert_eq!(busy, ms(14));
}

#[test]
fn a_crash_takes_the_writes_of_a_group_that_is_not_durable() {
    let setup = Setup {
        nodes: 1,
        hardware: Hardware {
            group_commit: true,
            ..Setup::default().hardware
        },
        faults: vec![crash(0, 4, 20)],
        ..Setup::default()
    };
    let (log, _) = setup.run(|cx, event| {
        if matches!(event, Event::Start) {
            cx.persist(WriteToken(1), vec![Write::append(1, note(1))]);
            cx.persist(WriteToken(2), vec![Write::append(1, note(2))]);
        }
    });
    assert_eq!(only(&log, "persisted"), []);
    assert_eq!(only(&log, "recover 0"), [(20, 0)]);
}

#[test]
fn a_restart_reads_what_was_kept() {
    let served_again = |disk_read| {
        let setup = Setup {
            hardware: Hardware {
                disk_read,
                ..Setup::default().hardware
            },
            faults: vec![crash(0, 50, 100)],
            ..Setup::default()
        };
        let (log, _) = setup.run(|cx, event| match event {
            Event::Start if cx.node().0 == 0 => {
                let value = Arc::new(Note(1, 9_992));
                cx.persist(WriteToken(1), vec![Write::append(1, value)]);
            }
            Event::Recover(disk) => {
                assert_eq!(disk.bytes(), 10_000);
                cx.set_timer(TimerKey(1), Span::ZERO);
            }
            _ => {}
        });
        only(&log, "timer")
    };
    assert_eq!(served_again(0), [(100, 0)]);
    // 10,000 bytes at a megabyte a second.
    assert_eq!(served_again(1_000_000), [(110, 0)]);
}

/// A message that says how urgent it is.
#[derive(Debug)]
struct Urgent(u8);
impl Payload for Urgent {
    fn kind(&self) -> &'static str {
        "urgent"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0);
    }
    fn encoded_len(&self) -> usize {
        1
    }
    fn priority(&self) -> u8 {
        self.0
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[test]
fn what_waits_is_served_by_priority_and_then_in_order() {
    let (log, _) = Setup {
        nodes: 1,
        ..Setup::default()
    }
    .run_urgent(&[5, 1, 5, 9, 1, 9, 5]);
    // The first finds the server free, whatever it is.
    assert_eq!(log, [5, 9, 9, 5, 5, 1, 1]);
}

impl Setup {
    /// Node 1 sends node 0 these, all at once; in which order are they served?
    fn run_urgent(mut self, list: &'static [u8]) -> (Vec<u8>, Kernel<Nobody>) {
        self.nodes = 2;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        let (_, kernel) = self.run(move |cx, event| match event {
            Event::Start if cx.node().0 == 1 => {
                for &priority in list {
                    cx.send(NodeId(0), Arc::new(Urgent(priority)));
                }
            }
            Event::Message { payload, .. } => {
                cx.work(Work::sign(1));
                let urgent = payload.as_any().downcast_ref::<Urgent>().unwrap();
                into.lock().unwrap().push(urgent.0);
            }
            _ => {}
        });
        let seen = seen.lock().unwrap().clone();
        (seen, kernel)
    }
}

#[test]
fn several_servers_work_at_once_and_the_first_done_has_the_card_first() {
    let run = |servers| {
        let setup = Setup {
            nodes: 3,
            hardware: Hardware {
                servers,
                nic_out: 8_000_000, // a byte a microsecond
                ..Setup::default().hardware
            },
            ..Setup::default()
        };
        // Both jobs come at 11 ms; the first takes 5 ms, the second 1 ms; each sends 1,000 bytes.
        let (log, _) = setup.run(|cx, event| match event {
            Event::Start if cx.node().0 > 0 => {
                cx.send(NodeId(0), Arc::new(Note(u64::from(cx.node().0), 992)));
            }
            Event::Message { from, .. } if cx.node().0 == 0 => {
                cx.work(Work::sign(if from.0 == 1 { 5 } else { 1 }));
                cx.send(*from, Arc::new(Note(7, 992)));
            }
            _ => {}
        });
        only(&log, "note 7")
    };
    // One server: the jobs end at 16 and 17.
    assert_eq!(run(1), [(27, 1), (28, 2)]);
    // Two: they end at 16 and 12; the card serves the second first.
    assert_eq!(run(2), [(23, 2), (27, 1)]);
}
