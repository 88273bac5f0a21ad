#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::node::membership::Refusal;
use crate::sharing::ids::{Purpose, Reason, RecordId};
use crate::sharing::message::Sealed;
use crate::sharing::service::REFUSAL_PERIOD;
use crate::sharing::testing::{Bench, CHAIN, STRANGER, desk_of, grant, op_of, read, register};
use consim_core::{TxId, Verdict};
use std::sync::Arc;

/// Longer than the slack of the bench's checks, 30 s.
const LONG: Span = Span::from_secs(40);

/// Ann's record 7 lies at hospital 0, and hospital 1 may read it.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.honest = false;
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(1), 1, grant("ann", 1));
    bench
}
fn verdict(bench: &mut Bench) -> Verdict {
    bench.end();
    bench.finding("audit-complete").verdict
}
/// Blocks go on for as long as `span`, with commands of nobody's concern.
fn go_on(bench: &mut Bench, span: Span) {
    for _ in 0..span.nanos() / 1_000_000_000 {
        let number = 1_000 + bench.now.nanos() / 1_000_000_000;
        bench.ask(desk_of(2), number, grant("bob", 2));
        bench.block();
    }
}
/// A transaction of hospital 0, whatever it says.
fn write(bench: &mut Bench, number: u64, op: OpId, command: &Command) {
    let id = TxId {
        origin: NodeId(0),
        number,
    };
    let key = Arc::clone(&bench.secrets[0]);
    let tx = Arc::new(Tx::new(id, CHAIN, op, command.body(), &key));
    bench.order_txs(vec![tx]);
}
fn decided(bench: &Bench) -> Access {
    let observed = bench.observed();
    let last = observed.iter().rev().find_map(|p| match *p {
        SharingProbe::Decided { access, .. } => Some(access),
        _ => None,
    });
    last.unwrap()
}

#[test]
fn a_decision_without_an_entry_is_noticed_when_its_time_is_over() {
    for (span, expected) in [
        (LONG, Verdict::Fail),
        (Span::from_secs(5), Verdict::Unknown),
    ] {
        let mut bench = bench();
        bench.ask(desk_of(1), 2, read(7));
        // It says nothing to anybody and writes nothing: the transaction never comes.
        let access = |tx: &Arc<Tx>| matches!(Command::decode(tx.body()), Ok(Command::Access(_)));
        bench.pool.retain(|tx| !access(tx));
        go_on(&mut bench, span);
        assert_eq!(verdict(&mut bench), expected);
    }
}

#[test]
fn a_decision_that_a_crash_took_is_no_violation() {
    let mut bench = bench();
    bench.ask(desk_of(1), 2, read(7));
    bench.pool.clear();
    bench.crash(0);
    bench.restart(0);
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Unknown);
}

#[test]
fn a_provider_that_is_cut_off_has_its_time_after_it_is_back() {
    let mut bench = bench();
    bench.ask(desk_of(1), 2, read(7));
    let entry = std::mem::take(&mut bench.pool);
    bench.servers[0].held = true;
    go_on(&mut bench, LONG);
    bench.servers[0].held = false;
    bench.catch_up(0, true);
    go_on(&mut bench, Span::from_secs(5));
    assert_eq!(verdict(&mut bench), Verdict::Unknown);
    bench.order_txs(entry);
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Pass);
}

#[test]
fn an_entry_that_tells_another_story_is_noticed() {
    let edits: [fn(&mut Access); 6] = [
        |a| a.record = RecordId(8),
        |a| a.requester = NodeId(2),
        |a| a.purpose = Purpose::Emergency,
        |a| a.permit = false,
        |a| a.reason = Reason::Own,
        |a| a.height -= 1,
    ];
    for edit in edits {
        let mut bench = bench();
        bench.asked(desk_of(0), 2, register(8, "ann", b"more"));
        bench.ask(desk_of(1), 2, read(7));
        bench.pool.clear();
        let mut access = decided(&bench);
        edit(&mut access);
        let op = op_of(desk_of(1), 2);
        write(&mut bench, op.0, op, &Command::Access(access));
        assert_eq!(verdict(&mut bench), Verdict::Fail, "{access:?}");
    }
}

#[test]
fn an_entry_of_no_decision_and_a_second_entry_are_noticed() {
    let mut bench = bench();
    bench.asked(desk_of(1), 2, read(7));
    let (access, op) = (decided(&bench), op_of(desk_of(1), 2));
    assert_eq!(verdict(&mut bench), Verdict::Pass);
    write(&mut bench, 77, op, &Command::Access(access));
    assert_eq!(verdict(&mut bench), Verdict::Fail);
    let words = &bench.finding("audit-complete").violations[0];
    assert!(words.contains("two audit entries"), "{words}");

    let mut bench = self::bench();
    let height = 1;
    let invented = Access { height, ..access };
    write(&mut bench, 77, OpId(77), &Command::Access(invented));
    assert_eq!(verdict(&mut bench), Verdict::Fail);
}

#[test]
fn a_record_on_the_wire_without_an_entry_is_noticed_whatever_its_sender_says() {
    let record = || Answer::Record(Sealed::seal(OpId(9), b"body"[..].into()));
    let op = op_of(desk_of(1), 9);
    let release = Message::Release {
        op,
        answer: record(),
    };
    let reply = Message::Reply {
        op,
        answer: record(),
    };
    for (from, to, message) in [
        (NodeId(0), NodeId(1), release),
        (NodeId(0), desk_of(0), reply),
    ] {
        let mut bench = bench();
        bench.tell(from, to, message);
        assert_eq!(verdict(&mut bench), Verdict::Fail);
    }
    // After a denial is audited, neither.
    let mut bench = bench();
    let denied = bench.asked(desk_of(2), 1, read(7));
    assert_eq!(denied, Answer::Refused(Reason::NoGrant));
    assert_eq!(verdict(&mut bench), Verdict::Pass);
    let op = op_of(desk_of(2), 1);
    let release = Message::Release {
        op,
        answer: record(),
    };
    bench.tell(NodeId(0), NodeId(2), release);
    assert_eq!(verdict(&mut bench), Verdict::Fail);
}

#[test]
fn an_answer_must_be_that_of_its_entry() {
    let op = op_of(desk_of(1), 2);
    for (record, permit, expected) in [
        (7, true, Verdict::Pass),
        (7, false, Verdict::Fail),
        (8, true, Verdict::Fail),
    ] {
        let mut bench = bench();
        bench.asked(desk_of(1), 2, read(7));
        bench.serve(0, |_, cx, _| {
            let record = RecordId(record);
            cx.emit(SharingProbe::Released { op, record, permit }.probe());
        });
        assert_eq!(verdict(&mut bench), expected, "{record} {permit}");
    }
}

#[test]
fn a_refusal_needs_its_entry_and_an_entry_its_refusal() {
    let mut bench = bench();
    bench.ask(STRANGER, 1, read(7));
    let entry = std::mem::take(&mut bench.pool);
    go_on(&mut bench, Span::from_secs(5));
    assert_eq!(verdict(&mut bench), Verdict::Unknown, "young");
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Fail);
    let words = &bench.finding("audit-complete").violations[0];
    assert!(words.contains("refused node 9"), "{words}");

    let mut bench = self::bench();
    bench.ask(STRANGER, 1, read(7));
    bench.pool.clear();
    bench.order_txs(entry);
    assert_eq!(verdict(&mut bench), Verdict::Pass);
    let command = Command::Refusal {
        subject: STRANGER,
        reason: Refusal::UnknownAuthority,
    };
    // The operation of the first period, in which the refusal was.
    let first = OpId(OpId::OWN | u64::from(STRANGER.0) << 32);
    write(&mut bench, 78, first, &command);
    assert_eq!(verdict(&mut bench), Verdict::Fail, "a second one");

    let mut bench = self::bench();
    bench.ask(STRANGER, 1, read(7));
    let command = Command::Refusal {
        subject: STRANGER,
        reason: Refusal::Expired,
    };
    write(&mut bench, 78, first, &command);
    assert_eq!(verdict(&mut bench), Verdict::Fail, "another reason");
}

#[test]
fn refusals_of_each_period_have_their_own_entries() {
    let mut bench = bench();
    for number in 1..=3 {
        bench.ask(STRANGER, number, read(7));
        bench.ask(STRANGER, 10 + number, read(7));
        bench.block();
        bench.run(REFUSAL_PERIOD);
    }
    assert_eq!(verdict(&mut bench), Verdict::Pass);
    assert_eq!(bench.finding("audit-complete").evaluated, 3);
}

#[test]
fn a_refusal_around_a_crash_is_audited_once_or_lost_with_it() {
    // Lost, and not refused again.
    let mut bench = bench();
    bench.ask(STRANGER, 1, read(7));
    bench.pool.clear();
    bench.crash(0);
    bench.restart(0);
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Unknown);
    // In the chain already, and refused again in the same period.
    let mut bench = self::bench();
    bench.ask(STRANGER, 1, read(7));
    bench.block();
    bench.crash(0);
    bench.restart(0);
    bench.ask(STRANGER, 2, read(7));
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Pass);
    // Lost, refused again in a later period: the later one is due.
    let mut bench = self::bench();
    bench.ask(STRANGER, 1, read(7));
    bench.pool.clear();
    bench.crash(0);
    bench.restart(0);
    bench.run(REFUSAL_PERIOD);
    bench.ask(STRANGER, 2, read(7));
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Pass);
}

#[test]
fn a_server_that_is_cut_off_has_its_time_for_refusals_after_it_is_back() {
    let mut bench = bench();
    bench.ask(STRANGER, 1, read(7));
    let entry = std::mem::take(&mut bench.pool);
    bench.servers[0].held = true;
    go_on(&mut bench, LONG);
    bench.servers[0].held = false;
    bench.catch_up(0, true);
    go_on(&mut bench, Span::from_secs(5));
    assert_eq!(verdict(&mut bench), Verdict::Unknown);
    bench.order_txs(entry);
    assert_eq!(verdict(&mut bench), Verdict::Pass);
}

#[test]
fn what_a_server_says_it_did_not_audit_is_not_due() {
    let mut bench = bench();
    let refused = Probe::Unauthenticated {
        subject: STRANGER,
        reason: "expired",
    };
    let unaudited = SharingProbe::Unaudited { subject: STRANGER };
    bench.serve(0, |_, cx, _| {
        cx.emit(refused.clone());
        cx.emit(unaudited.probe());
    });
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Unknown);
    bench.serve(0, |_, cx, _| cx.emit(refused));
    go_on(&mut bench, LONG);
    assert_eq!(verdict(&mut bench), Verdict::Fail);
}

#[test]
fn no_more_than_the_limit_of_entries_is_remembered() {
    let mut check = AuditComplete::new(LONG);
    let access = |permit| Access {
        record: RecordId(7),
        requester: NodeId(1),
        purpose: Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
        permit,
        reason: Reason::Granted,
        height: 1,
    };
    let key = consim_core::Keyring::generate(1, 1).1.remove(0);
    let enter = |check: &mut AuditComplete, number: u64| {
        let (op, access) = (OpId(number), access(true));
        check.decided(Time::ZERO, op, NodeId(0), access);
        let id = TxId {
            origin: NodeId(0),
            number,
        };
        let tx = Tx::new(id, CHAIN, op, Arc::from([]), &key);
        check.entry(&tx, access, None);
    };
    let most = MAX_ENTRIES as u64;
    for number in 1..=most {
        enter(&mut check, number);
    }
    let released = |op| {
        SharingProbe::Released {
            op: OpId(op),
            record: RecordId(7),
            permit: true,
        }
        .probe()
    };
    let judged = |check: &mut AuditComplete, op| {
        let before = check.finding().evaluated;
        check.probe(Time::ZERO, NodeId(0), &released(op));
        check.finding().evaluated - before
    };
    assert_eq!(judged(&mut check, 1), 1);
    enter(&mut check, most + 1);
    assert_eq!(
        (check.entries.len(), check.order.len()),
        (MAX_ENTRIES, MAX_ENTRIES)
    );
    // The first one is forgotten: its answer is not judged. The others' are.
    assert_eq!((judged(&mut check, 1), judged(&mut check, 2)), (0, 1));
    assert_eq!(check.finding().verdict, Verdict::Pass);
    // A decision without an entry is noticed as before.
    check.decided(Time::ZERO, OpId(most + 2), NodeId(0), access(true));
    assert_eq!(judged(&mut check, most + 2), 1);
    assert_eq!(check.finding().verdict, Verdict::Fail);
}
