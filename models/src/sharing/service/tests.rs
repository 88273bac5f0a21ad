#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::ledger::testing::tx;
use crate::node::waiting::RESUBMIT;
use crate::sharing::message::MAX_PATIENT;
use crate::sharing::testing::{
    Bench, CHAIN, desk_of, grant, members, op_of, options, read, register, revoke,
};
use consim_core::TxId;

const DONE: Answer = Answer::Done;

fn refused(reason: Reason) -> Answer {
    Answer::Refused(reason)
}
fn commands(bench: &Bench) -> Vec<&'static str> {
    bench.chain().iter().map(|(_, c, _)| c.word()).collect()
}

#[test]
fn an_original_is_on_the_disk_before_the_chain_hears_of_it() {
    let mut bench = Bench::new();
    bench.servers[0].slow_disk = true;
    bench.ask(desk_of(0), 1, register(7, "ann", b"body"));
    assert_eq!(bench.servers[0].host.submits, 0);
    assert!(bench.pool.is_empty());
    // The same record by another operation does not overtake the write.
    bench.ask(desk_of(0), 2, register(7, "ann", b"body"));
    let twice = refused(Reason::RegisteredTwice);
    assert_eq!(bench.answers(desk_of(0), 2), [twice]);
    bench.servers[0].slow_disk = false;
    bench.settle();
    assert_eq!(bench.servers[0].host.submits, 1);
    assert_eq!(bench.answers(desk_of(0), 1), []);
    bench.block();
    assert_eq!(bench.answers(desk_of(0), 1), [DONE]);
}

#[test]
fn an_original_that_a_crash_took_is_written_again_when_it_is_asked_again() {
    let mut bench = Bench::new();
    bench.servers[0].slow_disk = true;
    bench.ask(desk_of(0), 1, register(7, "ann", b"body"));
    bench.crash(0);
    bench.servers[0].slow_disk = false;
    bench.restart(0);
    assert_eq!(bench.servers[0].service.originals(), 0);
    let answer = bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    assert_eq!((answer, commands(&bench)), (DONE, vec!["register"]));
}

#[test]
fn an_original_on_the_disk_survives_a_crash_before_the_chain_and_is_not_replaced() {
    let mut bench = Bench::new();
    bench.ask(desk_of(0), 1, register(7, "ann", b"body"));
    bench.pool.clear();
    bench.crash(0);
    bench.restart(0);
    assert_eq!(bench.servers[0].service.originals(), 1);
    let other = bench.asked(desk_of(0), 2, register(7, "ann", b"other"));
    assert_eq!(other, refused(Reason::RegisteredTwice));
    let answer = bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    assert_eq!((answer, commands(&bench)), (DONE, vec!["register"]));
    assert!(matches!(
        bench.asked(desk_of(0), 3, read(7)),
        Answer::Record(sealed) if **sealed.open() == *b"body"
    ));
}

#[test]
fn a_repeated_question_is_one_transaction_and_answered_as_often_as_it_is_asked_late() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.ask(desk_of(0), 1, grant("ann", 1));
    }
    bench.block();
    assert_eq!(bench.answers(desk_of(0), 1), [DONE]);
    bench.ask(desk_of(0), 1, grant("ann", 1));
    bench.block();
    assert_eq!(bench.answers(desk_of(0), 1), [DONE, DONE]);
    assert_eq!(commands(&bench), ["grant"]);
}

#[test]
fn what_was_executed_in_blocks_that_a_server_never_had_is_answered_from_the_state() {
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.servers[0].held = true;
    bench.ask(desk_of(0), 2, grant("ann", 1));
    bench.ask(desk_of(0), 3, register(8, "ann", b"more"));
    bench.ask(desk_of(0), 4, read(7));
    bench.block();
    assert_eq!(bench.answers(desk_of(0), 2), []);
    bench.take_over(0, 1);
    assert_eq!(bench.answers(desk_of(0), 2), [DONE]);
    assert_eq!(bench.answers(desk_of(0), 3), [DONE]);
    // What was decided about the access stands in the block alone.
    assert_eq!(bench.answers(desk_of(0), 4), [refused(Reason::Unseen)]);
    assert_eq!(bench.servers[0].service.open(), 0);
    // Asked again, also by a server that has forgotten the question: as before, and once on the chain.
    bench.crash(0);
    bench.restart(0);
    bench.ask(desk_of(0), 2, grant("ann", 1));
    bench.settle();
    assert_eq!(bench.answers(desk_of(0), 2), [DONE, DONE]);
    assert!(bench.pool.is_empty());
}

#[test]
fn a_refusal_in_a_block_that_a_server_never_had_is_a_refusal() {
    let mut bench = Bench::new();
    bench.servers[0].held = true;
    bench.ask(desk_of(0), 1, revoke("ann", 1));
    bench.block();
    bench.take_over(0, 1);
    assert_eq!(bench.answers(desk_of(0), 1), [refused(Reason::Unseen)]);
}

#[test]
fn a_crash_between_submission_and_execution_loses_no_answer() {
    let mut bench = Bench::new();
    bench.ask(desk_of(0), 1, grant("ann", 1));
    bench.crash(0);
    // Another replica has the transaction and orders it.
    bench.order();
    bench.catch_up(0, false);
    bench.restart(0);
    let answer = bench.asked(desk_of(0), 1, grant("ann", 1));
    assert_eq!((answer, commands(&bench)), (DONE, vec!["grant"]));
}

#[test]
fn a_transaction_that_was_executed_unseen_is_settled_at_the_next_tick() {
    let mut bench = Bench::new();
    bench.ask(desk_of(0), 1, grant("ann", 1));
    bench.servers[0].held = true;
    bench.order();
    bench.catch_up(0, false);
    assert_eq!(bench.answers(desk_of(0), 1), []);
    bench.run(RESUBMIT);
    assert_eq!(bench.answers(desk_of(0), 1), [DONE]);
    assert!(bench.servers[0].service.pending.is_empty());
}

#[test]
fn what_waits_is_handed_to_consensus_again_and_nothing_ticks_when_nothing_waits() {
    let mut bench = Bench::new();
    bench.servers[0].host.full = true;
    bench.ask(desk_of(0), 1, grant("ann", 1));
    bench.block();
    assert_eq!(bench.answers(desk_of(0), 1), []);
    bench.servers[0].host.full = false;
    bench.run(RESUBMIT.times(2));
    assert_eq!(bench.answers(desk_of(0), 1), [DONE]);
    let submits = bench.servers[0].host.submits;
    bench.run(RESUBMIT.times(3));
    assert_eq!(bench.servers[0].host.submits, submits);
    assert!(!bench.servers[0].service.ticker.running());
}

#[test]
fn what_is_to_reach_the_chain_is_never_forgotten() {
    let mut bench = Bench::new();
    bench.servers[0].host.full = true;
    bench.ask(desk_of(0), 1, grant("ann", 1));
    bench.run(FORGET.times(2));
    bench.servers[0].host.full = false;
    bench.run(RESUBMIT.times(2));
    assert_eq!(bench.answers(desk_of(0), 1), [DONE]);
}

#[test]
fn a_young_transaction_is_not_signed_again_at_every_tick() {
    let mut bench = Bench::new();
    bench.servers[0].held = true;
    bench.ask(desk_of(0), 1, grant("ann", 1));
    bench.run(Span::from_secs(4));
    bench.ask(desk_of(0), 2, grant("ann", 1));
    // The tick at 5 s repeats the first one alone, that at 10 s both.
    bench.run(Span::from_secs(2));
    assert_eq!(bench.servers[0].host.submits, 3);
    bench.run(Span::from_secs(5));
    assert_eq!(bench.servers[0].host.submits, 5);
}

#[test]
fn beyond_the_most_pending_operations_a_server_is_busy_for_new_ones_only() {
    let mut bench = Bench::new();
    bench.asked(desk_of(1), 1, register(7, "ann", b"body"));
    // The entry waits for the provider, whose answers are lost.
    bench.lose = Box::new(|letter| letter.to == NodeId(1));
    bench.ask(desk_of(0), 1, read(7));
    bench.servers[0].host.full = true;
    for number in 2..=MAX_PENDING as u64 {
        bench.ask(desk_of(0), number, grant("ann", 1));
    }
    assert_eq!(bench.servers[0].service.pending.len(), MAX_PENDING);
    let next = MAX_PENDING as u64 + 1;
    bench.ask(desk_of(0), next, grant("ann", 1));
    let busy = [refused(Reason::Busy)];
    assert_eq!(bench.answers(desk_of(0), next), busy);
    let fetch = Message::Fetch {
        op: op_of(desk_of(2), 1),
        record: crate::sharing::RecordId(9),
        requester: NodeId(2),
        purpose: crate::sharing::Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
        after: 0,
    };
    bench.tell(NodeId(2), NodeId(0), fetch);
    let told = bench.sent.last().unwrap().message();
    assert!(matches!(told, Message::Release { answer, .. } if *answer == busy[0]));
    // The open ones are repeated as ever.
    let (submits, letters) = (bench.servers[0].host.submits, bench.sent.len());
    bench.ask(desk_of(0), 2, grant("ann", 1));
    bench.ask(desk_of(0), 1, read(7));
    assert_eq!(bench.servers[0].host.submits, submits + 1);
    let last = bench.sent.last().unwrap();
    assert!(matches!(last.message(), Message::Fetch { .. }));
    assert_eq!(bench.sent.len(), letters + 3, "two questions and a fetch");
}

#[test]
fn a_transaction_that_its_origin_did_not_sign_ends_nothing() {
    let mut bench = Bench::new();
    bench.ask(desk_of(0), 1, grant("ann", 1));
    let honest = bench.pool[0].clone();
    let id = honest.id();
    let forger = Arc::clone(&bench.secrets[2]);
    let body = Arc::clone(honest.body());
    let forged = Arc::new(Tx::new(id, CHAIN, honest.op(), body, &forger));
    bench.order_txs(vec![Arc::clone(&forged)]);
    assert_eq!(bench.answers(desk_of(0), 1), []);
    // In the same block as the real one it is not mistaken for it either.
    bench.order_txs(vec![forged, honest]);
    assert_eq!(bench.answers(desk_of(0), 1), [DONE]);
    bench.ask(desk_of(0), 1, grant("ann", 1));
    assert_eq!(bench.answers(desk_of(0), 1), [DONE, DONE]);
}

#[test]
fn transactions_of_other_numbers_end_no_operation() {
    let mut bench = Bench::new();
    bench.ask(desk_of(0), 1, grant("ann", 1));
    let key = Arc::clone(&bench.secrets[0]);
    let op = op_of(desk_of(0), 1);
    let id = TxId {
        origin: NodeId(0),
        number: 3,
    };
    let body = Arc::clone(bench.pool[0].body());
    bench.order_txs(vec![Arc::new(Tx::new(id, CHAIN, op, body, &key))]);
    bench.order_txs(vec![tx(CHAIN, &key, 4, b"nonsense")]);
    assert_eq!(bench.answers(desk_of(0), 1), []);
}

#[test]
fn texts_and_bodies_beyond_their_limits_are_refused() {
    let mut bench = Bench::new();
    let longest = "p".repeat(MAX_PATIENT);
    assert_eq!(bench.asked(desk_of(0), 1, grant(&longest, 1)), DONE);
    let longer = "p".repeat(MAX_PATIENT + 1);
    let answer = bench.asked(desk_of(0), 2, grant(&longer, 1));
    assert_eq!(answer, refused(Reason::Malformed));
    let huge = vec![0; crate::sharing::message::MAX_BODY + 1];
    let answer = bench.asked(desk_of(0), 3, register(7, "ann", &huge));
    assert_eq!(answer, refused(Reason::Malformed));
}

#[test]
fn refusals_of_the_contract_reach_the_desk_with_their_reason() {
    let mut bench = Bench::new();
    let ask = crate::sharing::testing::revoke("ann", 1);
    let answer = bench.asked(desk_of(0), 1, ask);
    assert_eq!(answer, refused(Reason::NothingToRevoke));
    bench.asked(desk_of(0), 2, register(7, "ann", b"body"));
    let answer = bench.asked(desk_of(1), 1, register(7, "bob", b"body"));
    assert_eq!(answer, refused(Reason::RegisteredTwice));
    assert_eq!(bench.servers[1].service.originals(), 0);
}

#[test]
fn a_standing_grant_saves_the_request_where_patients_are_not_asked_each_time() {
    let standing = SharingOptions {
        ask_each_request: false,
        ..options()
    };
    let request = || Ask::Request {
        patient: "ann".into(),
        purpose: crate::sharing::Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
    };
    for (options, second) in [(standing, Answer::Standing), (options(), DONE)] {
        let mut bench = Bench::with(options, |_| Box::new(Honest));
        assert_eq!(bench.asked(desk_of(1), 1, request()), DONE);
        bench.asked(desk_of(2), 1, grant("ann", 1));
        assert_eq!(bench.asked(desk_of(1), 2, request()), second);
        // Another institution has to ask in any case.
        assert_eq!(bench.asked(desk_of(2), 2, request()), DONE);
    }
}

#[test]
fn a_grant_lasts_as_long_as_the_patient_or_the_service_says() {
    let mut bench = Bench::new();
    let mut expiry = |number, for_ns| {
        let ask = Ask::Grant {
            patient: "ann".into(),
            grantee: crate::sharing::Grantee::Everyone,
            for_ns,
            scope: crate::sharing::Scope::default(),
        };
        let asked_ns = crate::sharing::testing::START_NS + bench.now.nanos() as i64;
        bench.asked(desk_of(0), number, ask);
        match bench.chain().last() {
            Some((_, Command::Grant { expires_ns, .. }, _)) => *expires_ns - asked_ns,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(expiry(1, 5_000), 5_000);
    assert_eq!(expiry(2, 0), options().grant_expires.nanos() as i64);
    // A period without end does not wrap round.
    assert!(expiry(3, u64::MAX) > 1_000_000_000_000_000_000);
}

#[test]
fn reads_that_nobody_waits_for_are_forgotten() {
    let mut bench = Bench::new();
    bench.asked(desk_of(1), 1, register(7, "ann", b"body"));
    bench.lose = Box::new(|letter| letter.to == NodeId(1));
    bench.ask(desk_of(0), 1, read(7));
    bench.run(Span::from_secs(110));
    assert_eq!(bench.servers[0].service.pending.len(), 1);
    bench.run(Span::from_secs(20));
    assert_eq!(bench.servers[0].service.pending.len(), 0);
}

#[test]
fn the_services_messages_are_served_by_their_kind() {
    let bench = Bench::new();
    let service = &bench.servers[0].service;
    let ask = Message::Ask {
        op: OpId(1),
        certificate: [].into(),
        ask: Ask::Sweep,
    };
    let release = Message::Release {
        op: OpId(1),
        answer: DONE,
    };
    assert!(service.serves(&ask));
    assert!(!service.serves(&release));
    assert_eq!(members().len(), bench.servers.len());
}
