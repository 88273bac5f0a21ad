#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::message::Ask;
use crate::sharing::testing::{
    Bench, STRANGER, SUPERVISION, desk_of, grant, read, register, urgent_read,
};
use std::sync::Arc;

fn desk() -> NodeId {
    desk_of(SUPERVISION.0)
}

/// Two permits, a denial, an emergency and a refusal.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(0), 2, read(7));
    bench.asked(desk_of(1), 1, read(7));
    bench.asked(desk_of(1), 2, urgent_read(7));
    bench.asked(desk_of(1), 3, grant("ann", 1));
    bench.asked(desk_of(1), 4, read(7));
    bench.asked(STRANGER, 1, Ask::Sweep);
    bench.block();
    bench
}

fn swept(bench: &mut Bench, number: u64) -> Tally {
    match bench.asked(desk(), number, Ask::Sweep) {
        Answer::Swept(tally) => tally,
        other => panic!("{other:?}"),
    }
}

#[test]
fn supervision_counts_every_entry_once_and_its_reading_is_on_the_chain() {
    let mut bench = bench();
    let to = bench.servers[3].host.ledger.height();
    let tally = swept(&mut bench, 1);
    let expected = Tally {
        height: to,
        permits: 2,
        denials: 1,
        emergencies: 1,
        refusals: 1,
        unproven: 0,
    };
    assert_eq!(tally, expected);
    let (origin, command, receipt) = bench.chain().pop().unwrap();
    assert_eq!((origin, receipt), (SUPERVISION, Receipt::Applied));
    let entries = 5;
    assert_eq!(
        command,
        Command::AuditRead {
            from: 1,
            to,
            entries
        }
    );

    // The next reading goes on where this one ended.
    bench.asked(desk_of(1), 5, read(7));
    let tally = swept(&mut bench, 2);
    assert_eq!((tally.permits, tally.entries()), (1, 1));
    let (_, command, _) = bench.chain().pop().unwrap();
    let went_on = matches!(command, Command::AuditRead { from, .. } if from == to + 1);
    assert!(went_on, "{command:?}");
    let observed = bench.observed();
    let told: Vec<_> = observed
        .iter()
        .filter_map(|p| match p {
            SharingProbe::AuditSwept { from, tally } => Some((*from, tally.entries())),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(1, 5), (to + 1, 1)]);
}

#[test]
fn a_reading_of_nothing_is_answered_without_a_transaction() {
    let mut bench = Bench::new();
    let tally = swept(&mut bench, 1);
    assert_eq!(tally, Tally::default());
    assert_eq!(bench.chain(), []);
}

#[test]
fn nobody_but_supervision_reads_the_audit() {
    let mut bench = bench();
    for (desk, number) in [(desk_of(0), 9), (crate::sharing::testing::OUTSIDER, 1)] {
        let answer = bench.asked(desk, number, Ask::Sweep);
        assert_eq!(answer, Answer::Refused(Reason::NotAllowed), "{desk}");
    }
}

#[test]
fn two_readings_at_once_do_not_count_anything_twice() {
    let mut bench = bench();
    bench.ask(desk(), 1, Ask::Sweep);
    bench.ask(desk(), 2, Ask::Sweep);
    bench.block();
    let first = bench.answers(desk(), 1).remove(0);
    assert!(matches!(first, Answer::Swept(tally) if tally.entries() == 5));
    let second = bench.answers(desk(), 2).remove(0);
    assert_eq!(second, Answer::Refused(Reason::AuditGap));
}

#[test]
fn a_reading_that_a_crash_interrupted_is_made_again_for_the_answer() {
    let mut bench = bench();
    bench.ask(desk(), 1, Ask::Sweep);
    bench.crash(3);
    bench.order();
    bench.catch_up(3, false);
    bench.restart(3);
    let tally = swept(&mut bench, 1);
    assert_eq!(tally.entries(), 5);
}

/// The block at `height` as a manipulated storage would show it.
fn tamper(bench: &mut Bench, height: u64, edit: impl FnOnce(&mut Block)) {
    let real = Arc::clone(bench.servers[3].host.ledger.block(height).unwrap());
    let mut block = Block {
        header: real.header.clone(),
        id: real.id,
        committed: Arc::clone(&real.committed),
        receipts: real.receipts.clone(),
    };
    edit(&mut block);
    bench.servers[3]
        .host
        .tampered
        .insert(height, Arc::new(block));
}

#[test]
fn entries_of_blocks_that_do_not_hold_together_are_counted_as_unproven() {
    // Block 2 holds one permit. Its transactions are replaced by those of block 3, a denial.
    let swap = |bench: &mut Bench| {
        let other = Arc::clone(bench.servers[3].host.ledger.block(3).unwrap());
        tamper(bench, 2, |block| {
            block.committed = Arc::clone(&other.committed);
        });
    };
    // The root is made to fit; then the id does not.
    let fit = |bench: &mut Bench| {
        let other = Arc::clone(bench.servers[3].host.ledger.block(3).unwrap());
        tamper(bench, 2, |block| {
            block.committed = Arc::clone(&other.committed);
            block.header.tx_root = other.header.tx_root;
        });
    };
    // The id is made to fit as well; then the next block names another.
    let all = |bench: &mut Bench| {
        let other = Arc::clone(bench.servers[3].host.ledger.block(3).unwrap());
        tamper(bench, 2, |block| {
            block.committed = Arc::clone(&other.committed);
            block.header.tx_root = other.header.tx_root;
            block.id = block.header.id();
        });
    };
    for edit in [&swap as &dyn Fn(&mut Bench), &fit, &all] {
        let mut bench = bench();
        edit(&mut bench);
        let tally = swept(&mut bench, 1);
        assert_eq!((tally.denials, tally.permits), (2, 1), "as it is told");
        assert_eq!(tally.unproven, 1);
    }
}

#[test]
fn one_reading_covers_no_more_than_its_limit() {
    assert_eq!(reach(0, 5), (1, 5));
    assert_eq!(reach(0, MAX_SWEEP + 5), (1, MAX_SWEEP));
    assert_eq!(
        reach(MAX_SWEEP, MAX_SWEEP + 5),
        (MAX_SWEEP + 1, MAX_SWEEP + 5)
    );
    let (from, to) = reach(7, 7);
    assert!(to < from);
}
