#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::{ChainId, Write};

#[derive(Debug)]
struct Block(u64, Vec<u8>);
impl Payload for Block {
    fn kind(&self) -> &'static str {
        "block"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.1);
    }
    fn encoded_len(&self) -> usize {
        self.1.len()
    }
    fn holds(&self) -> Option<Holds> {
        Some(Holds::Block(ChainId(1), self.0))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn block(n: u64) -> Arc<dyn Payload> {
    Arc::new(Block(n, n.to_be_bytes().to_vec()))
}

fn disk() -> Disk {
    let mut disk = Disk::default();
    for n in 1..4 {
        disk.apply(Write::append(0, block(n)));
    }
    disk.apply(Write::cell(5, 9, block(9)));
    disk
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_is_and_flipped_back_is_whole() {
    let record = block(7);
    for bit in 0..64 {
        let damaged: Arc<dyn Payload> = Arc::new(flipped(&record, bit).unwrap());
        assert!(is_damaged(&*damaged), "bit {bit}");
        assert_eq!(damaged.holds(), None);
        assert_eq!(damaged.encoded_len(), 8);
        assert!(flipped(&damaged, bit).is_none(), "the same bit again");
    }
    assert!(!is_damaged(&*record));
    let empty: Arc<dyn Payload> = Arc::new(Block(0, Vec::new()));
    assert!(flipped(&empty, 3).is_none(), "there is no bit to flip");
}

#[test]
fn a_write_that_landed_elsewhere_is_noticed_at_both_places() {
    let (new, other) = (block(1), block(2));
    assert!(is_damaged(&mistaken(&other, &*new).unwrap()));
    assert!(is_damaged(&unwritten(&new, Some(&*other)).unwrap()));
    assert!(is_damaged(&unwritten(&new, None).unwrap()));
    // Two records with the same bytes cannot be told apart, and need not be.
    assert!(mistaken(&block(1), &*new).is_none());
}

#[test]
fn damage_is_counted_found_and_remembered() {
    let mut disk = disk();
    assert_eq!((disk.records(), disk.damaged(), disk.harmed()), (4, 0, 0));
    let places: Vec<Place> = disk.places().collect();
    assert_eq!(places[3], Place::Cell(5, 9));
    for place in [Place::Entry(0, 1), Place::Cell(5, 9)] {
        let damaged = flipped(disk.record(place).unwrap(), 5).unwrap();
        disk.damage(place, damaged);
    }
    assert_eq!((disk.records(), disk.damaged(), disk.harmed()), (4, 2, 2));
    assert_eq!(disk.first_damaged(0), Some(1));
    assert!(disk.any_damaged(5) && !disk.any_damaged(6));
    let block = |s| Holds::Block(ChainId(1), s);
    assert_eq!(disk.holds().collect::<Vec<_>>(), [block(1), block(3)]);
    assert_eq!(disk.lost().collect::<Vec<_>>(), [block(2), block(9)]);
    // What is written again is whole, and what is cut off is gone; that it was damaged stays known.
    disk.apply(Write::cell(5, 9, super::tests::block(9)));
    disk.apply(Write::cut(0, 1));
    assert_eq!((disk.records(), disk.damaged(), disk.harmed()), (2, 0, 2));
}

#[test]
fn growth_is_what_a_write_changes_of_the_bytes() {
    let mut disk = disk();
    let long: Arc<dyn Payload> = Arc::new(Block(0, vec![1; 30]));
    for write in [
        Write::append(0, block(4)),
        Write::cell(5, 9, Arc::clone(&long)),
        Write::cell(5, 10, long),
        Write::erase_below(5, 10),
        Write::erase_below(7, 10),
        Write::cut(0, 2),
        Write::cut(0, 9),
    ] {
        let (before, growth) = (disk.bytes() as i64, disk.growth(&write));
        disk.apply(write.clone());
        assert_eq!(disk.bytes() as i64 - before, growth, "{write:?}");
    }
}

#[test]
fn a_volume_that_came_back_says_so_until_it_is_written_to() {
    let (old, mut disk) = (Disk::default(), disk());
    let damaged = flipped(&block(1), 0).unwrap();
    disk.damage(Place::Entry(0, 0), damaged);
    disk.restore(old);
    assert!(disk.restored());
    assert_eq!((disk.records(), disk.harmed()), (0, 1));
    disk.apply(Write::append(0, block(1)));
    assert!(!disk.restored());
}

#[test]
fn a_state_covers_what_led_to_it() {
    let state = Holds::UpTo(ChainId(1), 5);
    assert!(state.covers(ChainId(1), 5) && state.covers(ChainId(1), 1));
    assert!(!state.covers(ChainId(1), 6) && !state.covers(ChainId(2), 1));
    let block = Holds::Block(ChainId(1), 5);
    assert!(block.covers(ChainId(1), 5) && !block.covers(ChainId(1), 4));
}
