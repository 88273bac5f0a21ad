#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::sharing::Honest;
use crate::sharing::command::{Access, Command};
use crate::sharing::config::{Freshness, SharingOptions};
use crate::sharing::ids::Reason;
use crate::sharing::message::{Answer, Ask};
use crate::sharing::probe::SharingProbe;
use crate::sharing::testing::{
    Bench, SUPERVISION, desk_of, grant, options, read, register, revoke, urgent_read,
};
use consim_core::{Receipt, Span, Verdict};

const LEASE: Span = Span::from_secs(5);

/// Record 7 of Ann lies at hospital 0, and hospital 1 may read it.
fn granted(freshness: Freshness, recheck: bool) -> Bench {
    let options = SharingOptions {
        freshness,
        recheck,
        ..options()
    };
    let mut bench = Bench::with(options, |_| Box::new(Honest));
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(0), 2, grant("ann", 1));
    bench
}
fn is_record(answer: &Answer) -> bool {
    matches!(answer, Answer::Record(_))
}
fn no(reason: Reason) -> Answer {
    Answer::Refused(reason)
}
/// The commands of the chain with this word, with their receipts.
fn chain(bench: &Bench, word: &str) -> Vec<Receipt> {
    let all = bench.chain().into_iter();
    all.filter(|(_, command, _)| command.word() == word)
        .map(|(_, _, receipt)| receipt)
        .collect()
}

#[test]
fn under_a_lease_an_old_state_decides_nothing_and_a_block_renews_it() {
    let mut bench = granted(Freshness::Lease(LEASE), false);
    // As old as the lease is not too old.
    bench.run(LEASE);
    assert!(is_record(&bench.asked(desk_of(1), 1, read(7))));
    bench.run(LEASE + Span::from_millis(100));
    // The answer does not wait for a block, and so comes while the chain stands still.
    bench.ask(desk_of(1), 2, read(7));
    assert_eq!(bench.answers(desk_of(1), 2), [no(Reason::Stale)]);
    let emergency = bench.asked(desk_of(2), 1, urgent_read(7));
    assert!(is_record(&emergency), "asks no consent");
    assert!(is_record(&bench.asked(desk_of(1), 3, read(7))));
    bench.run(LEASE + LEASE);
    assert!(is_record(&bench.asked(desk_of(0), 3, read(7))), "its own");
    // The refusal stands in the audit trail as well.
    let stale = |(_, command, _): &(_, Command, _)| {
        matches!(
            command,
            Command::Access(Access {
                reason: Reason::Stale,
                ..
            })
        )
    };
    assert_eq!(bench.chain().iter().filter(|entry| stale(entry)).count(), 1);
}

#[test]
fn without_a_lease_the_state_may_be_of_any_age() {
    let mut bench = granted(Freshness::Local, false);
    bench.run(LEASE.times(100));
    assert!(is_record(&bench.asked(desk_of(1), 1, read(7))));
}

#[test]
fn a_read_that_is_ordered_is_decided_at_its_place() {
    for (back_first, answer) in [(true, false), (false, true)] {
        let mut bench = granted(Freshness::Ordered, false);
        assert!(is_record(&bench.asked(desk_of(1), 1, read(7))));
        bench.ask(desk_of(1), 2, read(7));
        bench.ask(desk_of(0), 3, revoke("ann", 1));
        // Both wait for one block.
        assert_eq!(bench.pool.len(), 2);
        if back_first {
            bench.pool.reverse();
        }
        bench.block();
        let answers = bench.answers(desk_of(1), 2);
        assert_eq!(is_record(&answers[0]), answer, "{answers:?}");
        if back_first {
            assert_eq!(answers, [no(Reason::Revoked)]);
        }
        // Nothing but the reads tells of them; supervision counts them as what they are.
        assert_eq!(chain(&bench, "access"), []);
        assert_eq!(chain(&bench, "read").len(), 2);
        let swept = bench.asked(desk_of(SUPERVISION.0), 1, Ask::Sweep);
        let Answer::Swept(tally) = swept else {
            panic!("{swept:?}");
        };
        let denied = u64::from(back_first);
        assert_eq!((tally.permits, tally.denials), (2 - denied, denied));
        assert_eq!(
            bench.finding("no-read-without-grant").verdict,
            Verdict::Pass
        );
    }
}

#[test]
fn what_is_asked_again_was_decided_once() {
    let mut bench = granted(Freshness::Ordered, false);
    let first = bench.asked(desk_of(1), 1, read(7));
    assert!(is_record(&first));
    bench.asked(desk_of(0), 3, revoke("ann", 1));
    // The answer was lost: the operation stands in the chain as it was decided.
    assert_eq!(bench.asked(desk_of(1), 1, read(7)), first);
    assert_eq!(bench.asked(desk_of(1), 2, read(7)), no(Reason::Revoked));
    let decided = |probe: &&SharingProbe| matches!(probe, SharingProbe::Decided { .. });
    assert_eq!(bench.observed().iter().filter(decided).count(), 2);
    bench.honest = false;
}

#[test]
fn a_second_look_in_the_block_closes_the_race() {
    for (recheck, gets) in [(false, true), (true, false)] {
        let mut bench = granted(Freshness::Local, recheck);
        assert!(is_record(&bench.asked(desk_of(1), 1, read(7))));
        bench.ask(desk_of(1), 2, read(7));
        bench.ask(desk_of(0), 3, revoke("ann", 1));
        bench.pool.reverse();
        bench.block();
        let answers = bench.answers(desk_of(1), 2);
        assert_eq!(answers.len(), 1);
        assert_eq!(is_record(&answers[0]), gets, "{answers:?}");
        let receipts = chain(&bench, "access");
        let second = if gets {
            Receipt::Applied
        } else {
            assert_eq!(answers, [no(Reason::Revoked)]);
            Receipt::Refused(Reason::Revoked.word())
        };
        assert_eq!(receipts, [Receipt::Applied, second]);
        let swept = bench.asked(desk_of(SUPERVISION.0), 1, Ask::Sweep);
        assert!(matches!(swept, Answer::Swept(t) if t.denials == u64::from(!gets)));
    }
}
