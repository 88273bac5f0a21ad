//! Repair and durability. The bound is ten seconds.

use super::History;
use crate::testing::{CHAIN, World, applied, ended, s};
use consim_core::disk::{Place, flipped};
use consim_core::{Block, Committed, Disk, Holds, OpEnd, Payload, Write};
use std::any::Any;
use std::sync::Arc;

/// A state that stands for all up to a sequence number.
#[derive(Debug)]
struct State(u64);
impl Payload for State {
    fn kind(&self) -> &'static str {
        "state"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.0 as u8);
    }
    fn encoded_len(&self) -> usize {
        1
    }
    fn holds(&self) -> Option<Holds> {
        Some(Holds::UpTo(CHAIN, self.0))
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Blocks with an operation each, numbered from 1.
fn blocks(world: &mut World, n: u64) -> Vec<Arc<Block>> {
    (1..=n).map(|i| world.block(vec![world.tx(0, i)])).collect()
}

fn disk(blocks: &[Arc<Block>]) -> Disk {
    let mut disk = Disk::default();
    for block in blocks {
        let committed: Arc<Committed> = Arc::clone(&block.committed);
        disk.apply(Write::append(0, committed));
    }
    disk
}

fn rot(disk: &mut Disk, entry: usize) {
    let place = Place::Entry(0, entry);
    let damaged = flipped(disk.record(place).unwrap(), 9).unwrap();
    disk.damage(place, damaged);
}

// ---- repair --------------------------------------------------------------------------------------

#[test]
fn repair_fails_where_a_rotten_block_is_left_and_holds_where_it_was_written_again() {
    let mut h = History::of("repair");
    let blocks = blocks(&mut h.world, 3);
    let mut left = disk(&blocks);
    rot(&mut left, 1);
    let mut mended = left.clone();
    mended.apply(Write::cut(0, 1));
    for block in &blocks[1..] {
        let committed: Arc<Committed> = Arc::clone(&block.committed);
        mended.apply(Write::append(0, committed));
    }
    h.fault(s(1), true).fault(s(20), false);
    h.stored(s(60), 0, &mended).stored(s(60), 2, &disk(&blocks));
    h.passes();
    assert_eq!(h.finding().evaluated, 1, "only one disk was ever damaged");
    h.stored(s(60), 1, &left);
    assert_eq!(
        h.violation(),
        "b still keeps 1 damaged and 0 torn records of blocks"
    );
}

#[test]
fn repair_fails_where_a_torn_tail_is_left() {
    let mut h = History::of("repair");
    let blocks = blocks(&mut h.world, 3);
    let mut torn = disk(&blocks[..2]);
    let committed: Arc<Committed> = Arc::clone(&blocks[2].committed);
    torn.apply_torn(vec![Write::append(0, committed)], 5);
    h.stored(s(60), 3, &torn);
    assert_eq!(
        h.violation(),
        "d still keeps 0 damaged and 1 torn records of blocks"
    );
}

#[test]
fn repair_does_not_judge_who_is_down_or_had_no_time() {
    let mut h = History::of("repair");
    let mut rotten = disk(&blocks(&mut h.world, 3));
    rot(&mut rotten, 0);
    h.fault(s(1), true).fault(s(20), false);
    h.up(s(40), 0, false).up(s(55), 1, true);
    h.stored(s(60), 0, &rotten).stored(s(60), 1, &rotten);
    h.unknown();
    let mut h = History::of("repair");
    h.fault(s(1), true).fault(s(55), false);
    h.stored(s(60), 0, &rotten);
    h.unknown();
}

// ---- durability ----------------------------------------------------------------------------------

/// Three blocks a second apart, each acknowledged; the last at 40 s.
fn acknowledged(h: &mut History) -> Vec<Arc<Block>> {
    let blocks = blocks(&mut h.world, 3);
    for (block, (i, at)) in blocks.iter().zip([(1, 10), (2, 11), (3, 40)]) {
        h.all(s(at), &applied(block));
        h.probe(s(at), 0, &ended(i, 0, "write", s(at), OpEnd::Done));
    }
    blocks
}

#[test]
fn durability_holds_where_a_quorum_has_each_acknowledged_block_or_a_state_after_it() {
    let mut h = History::of("durability");
    let blocks = acknowledged(&mut h);
    let mut state = Disk::default();
    state.apply(Write::cell(6, 0, Arc::new(State(3))));
    h.stored(s(60), 0, &disk(&blocks))
        .stored(s(60), 1, &disk(&blocks))
        .stored(s(60), 2, &state)
        .stored(s(60), 3, &Disk::default());
    h.check.end(s(60));
    h.passes();
    assert_eq!(h.finding().evaluated, 3);
}

#[test]
fn durability_fails_where_an_acknowledged_block_rotted_on_too_many_disks() {
    let mut h = History::of("durability");
    let blocks = acknowledged(&mut h);
    let mut rotten = disk(&blocks);
    rot(&mut rotten, 1);
    h.stored(s(60), 0, &disk(&blocks))
        .stored(s(60), 1, &disk(&blocks))
        .stored(s(60), 2, &rotten)
        .stored(s(60), 3, &Disk::default());
    h.check.end(s(60));
    let finding = h.finding();
    assert_eq!(
        finding.violations,
        ["alliance: what was ordered at 2 was acknowledged and lies on 2 disks, a quorum is 3"]
    );
    assert_eq!((finding.evaluated, finding.violated), (3, 1));
}

#[test]
fn durability_leaves_out_what_was_given_up_is_young_or_was_disturbed() {
    let mut h = History::of("durability");
    let blocks = blocks(&mut h.world, 2);
    for (block, (i, end)) in blocks.iter().zip([(1, OpEnd::GaveUp), (2, OpEnd::Done)]) {
        h.all(s(1), &applied(block));
        h.probe(s(51), 0, &ended(i, 0, "write", s(1), end));
    }
    h.stored(s(60), 0, &Disk::default());
    h.check.end(s(60));
    h.unknown();
    let mut h = History::of("durability");
    acknowledged(&mut h);
    h.fault(s(50), true).fault(s(51), false);
    h.stored(s(60), 0, &Disk::default());
    h.check.end(s(60));
    h.unknown();
}

#[test]
fn durability_takes_no_other_batch_at_the_number_for_what_was_acknowledged() {
    let mut h = History::of("durability");
    let blocks = acknowledged(&mut h);
    let mut other = World::new(4);
    let other: Vec<_> = (1..=3)
        .map(|i| other.block(vec![other.tx_with(0, i, b"another")]))
        .collect();
    for node in 0..4 {
        h.stored(s(60), node, &disk(if node < 2 { &blocks } else { &other }));
    }
    h.check.end(s(60));
    let finding = h.finding();
    assert_eq!((finding.evaluated, finding.violated), (3, 3));
}
