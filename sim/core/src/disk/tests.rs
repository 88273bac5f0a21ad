#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::any::Any;

#[derive(Debug)]
struct Value(u32);

impl Payload for Value {
    fn kind(&self) -> &'static str {
        "value"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.0.to_be_bytes());
    }
    fn encoded_len(&self) -> usize {
        4
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn value(n: u32) -> Arc<dyn Payload> {
    Arc::new(Value(n))
}
fn number(value: &Arc<dyn Payload>) -> u32 {
    value.as_any().downcast_ref::<Value>().unwrap().0
}
fn table(disk: &Disk, table: u8) -> Vec<(u64, u32)> {
    disk.table(table).map(|(key, v)| (key, number(v))).collect()
}

#[test]
fn logs_are_appended_to_and_kept_apart() {
    let mut disk = Disk::default();
    assert!(disk.log(1).is_empty());
    for (log, n) in [(1, 10), (2, 20), (1, 11)] {
        disk.apply(Write::append(log, value(n)));
    }
    let log = |log| disk.log(log).iter().map(number).collect::<Vec<_>>();
    assert_eq!((log(1), log(2), log(3)), (vec![10, 11], vec![20], vec![]));
}

#[test]
fn cells_are_overwritten_and_read_by_key() {
    let mut disk = Disk::default();
    for (key, n) in [(u64::MAX, 1), (0, 2), (7, 3), (0, 4)] {
        disk.apply(Write::cell(5, key, value(n)));
    }
    disk.apply(Write::cell(6, 7, value(9)));
    assert_eq!(table(&disk, 5), [(0, 4), (7, 3), (u64::MAX, 1)]);
    assert_eq!(table(&disk, 6), [(7, 9)]);
    assert_eq!(table(&disk, 4), []);
    assert_eq!(disk.cell(5, 7).map(number), Some(3));
    assert!(disk.cell(5, 8).is_none());
}

#[test]
fn erasing_takes_the_cells_below_of_one_table_alone() {
    let mut disk = Disk::default();
    for t in [4, 5, 6] {
        for key in [0, 1, 7, 8, u64::MAX] {
            disk.apply(Write::cell(t, key, value(u32::from(t))));
        }
    }
    disk.apply(Write::append(5, value(1)));
    disk.apply(Write::erase_below(5, 7));
    let keys = |disk: &Disk, t| disk.table(t).map(|(key, _)| key).collect::<Vec<_>>();
    assert_eq!(keys(&disk, 5), [7, 8, u64::MAX]);
    let whole = [0, 1, 7, 8, u64::MAX];
    assert_eq!(
        (keys(&disk, 4), keys(&disk, 6)),
        (whole.to_vec(), whole.to_vec())
    );
    assert_eq!(disk.log(5).len(), 1);
    disk.apply(Write::erase_below(5, 0));
    assert_eq!(keys(&disk, 5), [7, 8, u64::MAX]);
    disk.apply(Write::erase_below(5, u64::MAX));
    assert_eq!(keys(&disk, 5), [u64::MAX]);
    // Of the first and of the last table too.
    for t in [0, u8::MAX] {
        disk.apply(Write::cell(t, 3, value(1)));
        disk.apply(Write::erase_below(t, 4));
        assert_eq!(keys(&disk, t), []);
    }
    assert_eq!(keys(&disk, 6), whole);
}

#[test]
fn a_write_without_a_value_changes_nothing() {
    let mut disk = Disk::default();
    for slot in [Slot::Log(1), Slot::Cell(1, 1)] {
        disk.apply(Write { slot, value: None });
    }
    assert!(disk.log(1).is_empty() && disk.cell(1, 1).is_none());
}

#[test]
fn what_a_crash_tears_is_a_prefix_and_a_tail_that_nobody_can_read() {
    let writes = || {
        vec![
            Write::append(1, value(10)),
            Write::cell(5, 7, value(3)),
            Write::erase_below(6, 9),
            Write::append(1, value(11)),
            Write::cell(5, 8, value(4)),
        ]
    };
    // Bytes that were written: entries of the log, the last of which may be torn, and cells.
    for (bytes, log, torn, cells) in [
        (0, 0, false, 1),
        (3, 0, true, 1),
        (4, 1, false, 1),
        (7, 1, false, 1),
        (8, 1, false, 1),
        (10, 1, true, 1),
        (12, 2, false, 1),
        (15, 2, false, 1),
        (16, 2, false, 2),
    ] {
        let mut disk = Disk::default();
        disk.apply(Write::cell(5, 7, value(1)));
        disk.apply(Write::cell(6, 1, value(1)));
        disk.apply_torn(writes(), bytes);
        let is_torn = |v: &Arc<dyn Payload>| v.as_any().is::<Torn>();
        let entries = disk.log(1);
        assert_eq!(
            entries.iter().filter(|v| !is_torn(v)).count(),
            log,
            "{bytes}"
        );
        assert_eq!(entries.last().is_some_and(is_torn), torn, "{bytes}");
        assert_eq!(table(&disk, 5).len(), cells, "{bytes}");
        let switched = bytes >= 8;
        assert_eq!(
            disk.cell(5, 7).map(number),
            Some(if switched { 3 } else { 1 })
        );
        assert_eq!(disk.cell(6, 1).is_none(), switched, "{bytes}");
    }
    let mut wire = Vec::new();
    Torn { bytes: 5 }.encode(&mut wire);
    assert_eq!(wire.len(), Torn { bytes: 5 }.encoded_len());
}
