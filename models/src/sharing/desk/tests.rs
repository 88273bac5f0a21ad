#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::Honest;
use crate::sharing::command::Command;
use crate::sharing::ids::{Grantee, Purpose, RecordId};
use crate::sharing::request::{Body, Visit, Wish};
use crate::sharing::testing::{
    Bench, Letter, STRANGER, desk_of, grant, op_of, options, register, terms,
};
use consim_core::{Probe, Receipt, Time};

/// The desk under test, of hospital 1.
fn desk() -> NodeId {
    desk_of(1)
}
/// Ann's record 7 lies at hospital 0; hospital 1 has a real desk.
fn bench_with(options: SharingOptions) -> Bench {
    let mut bench = Bench::with(options, |_| Box::new(Honest));
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.open_desk(desk());
    bench
}
fn bench() -> Bench {
    bench_with(options())
}
/// Ann comes: one record is made, it is read, and the one elsewhere.
fn visit() -> Visit {
    let body = Body::Synthetic {
        key: 1,
        size: 300,
        kind: crate::sharing::ResourceType::Observation,
    };
    Visit {
        patient: "ann".into(),
        emergency: false,
        resources: vec![(RecordId(70), body)],
        own: vec![RecordId(70)],
        elsewhere: vec![RecordId(7)],
        answer: None,
        purpose: Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
    }
}
fn consent(change: Change) -> Wish {
    Wish::Consent {
        patient: "ann".into(),
        grantee: Grantee::Institution(NodeId(2)),
        change,
    }
}

/// An operation from its beginning to its end.
#[derive(Clone, PartialEq, Debug)]
struct Seen {
    op: OpId,
    name: &'static str,
    asked: Time,
    end: Option<(Time, OpEnd)>,
    deadline: Span,
}

/// The operations that a desk's users asked for, in order.
fn operations(bench: &Bench, desk: NodeId) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for (at, node, probe) in &bench.probes {
        if *node != desk {
            continue;
        }
        match probe {
            Probe::Asked {
                op,
                workload,
                name,
                deadline,
                ..
            } => {
                assert_eq!(*workload, terms().workload);
                seen.push(Seen {
                    op: *op,
                    name,
                    asked: *at,
                    end: None,
                    deadline: *deadline,
                });
            }
            Probe::Ended {
                op,
                workload,
                name,
                end,
                asked,
                deadline,
                ..
            } => {
                let open = seen.iter_mut().find(|s| s.op == *op).unwrap();
                let told = (*workload, *name, *asked, *deadline);
                assert_eq!(
                    told,
                    (terms().workload, open.name, open.asked, open.deadline)
                );
                assert_eq!(open.end.replace((*at, *end)), None, "ended twice");
            }
            _ => {}
        }
    }
    seen
}
fn names(seen: &[Seen]) -> Vec<&'static str> {
    seen.iter().map(|s| s.name).collect()
}
fn ends(seen: &[Seen]) -> Vec<Option<OpEnd>> {
    seen.iter().map(|s| s.end.map(|(_, end)| end)).collect()
}

#[test]
fn a_visit_is_recorded_read_asked_thought_about_answered_and_read_elsewhere() {
    let mut bench = bench();
    bench.wish(desk(), Wish::Visit(visit()));
    bench.run(Span::from_secs(20));
    let seen = operations(&bench, desk());
    assert_eq!(
        names(&seen),
        ["register", "read", "request", "grant", "read"]
    );
    assert_eq!(ends(&seen), [Some(OpEnd::Done); 5]);
    for pair in seen.windows(2) {
        let gap = pair[1].asked.since(pair[0].end.unwrap().0);
        // The patient thinks for three seconds, in no operation's time; the bench steps by 100 ms.
        let thought = Span::from_secs(if pair[1].name == "grant" { 3 } else { 0 });
        assert_eq!(gap, thought, "before the {}", pair[1].name);
    }
    assert!(seen.iter().all(|s| s.deadline == DEADLINE));
    let chain = bench.chain();
    let words: Vec<_> = chain.iter().map(|(_, c, _)| c.word()).collect();
    let expected = [
        "register", "register", "access", "request", "decide", "access",
    ];
    assert_eq!(words, expected);
    assert!(
        chain
            .iter()
            .all(|(_, _, receipt)| *receipt == Receipt::Applied)
    );
    // What was stored is the synthetic body of its full size.
    let Some((_, Command::Register { size, digest, .. }, _)) = chain.get(1) else {
        panic!("{chain:?}");
    };
    let body = visit().resources[0].1.bytes();
    assert_eq!((*size, *digest), (300, consim_core::Digest::of(&body)));
}

#[test]
fn in_an_emergency_nobody_is_asked_and_reads_are_urgent() {
    let mut bench = bench();
    let emergency = true;
    bench.wish(
        desk(),
        Wish::Visit(Visit {
            emergency,
            ..visit()
        }),
    );
    bench.run(Span::from_secs(10));
    let seen = operations(&bench, desk());
    assert_eq!(names(&seen), ["register", "read", "read"]);
    let deadlines: Vec<Span> = seen.iter().map(|s| s.deadline).collect();
    assert_eq!(
        deadlines,
        [DEADLINE, EMERGENCY_DEADLINE, EMERGENCY_DEADLINE]
    );
    let urgent = |c: &Command| matches!(c, Command::Access(a) if a.purpose == Purpose::Emergency);
    assert_eq!(
        bench.chain().iter().filter(|(_, c, _)| urgent(c)).count(),
        2
    );
}

#[test]
fn a_workloads_own_deadline_goes_before_the_operations() {
    let mut bench = bench();
    let deadline = Some(Span::from_secs(5));
    let terms = Terms {
        deadline,
        ..terms()
    };
    let wish = Wish::Visit(visit());
    bench.request(desk(), Request { terms, wish });
    bench.run(Span::from_secs(20));
    let seen = operations(&bench, desk());
    assert!(seen.iter().all(|s| Some(s.deadline) == deadline));
}

#[test]
fn the_patient_answers_by_a_recorded_consent_or_by_the_default_policy() {
    let none = SharingOptions {
        grant_share: 0,
        ..options()
    };
    for (options, answer, permit, recorded) in [
        (options(), None, true, false),
        (none.clone(), None, false, false),
        (options(), Some(false), false, true),
        (none, Some(true), true, true),
    ] {
        let mut bench = bench_with(options);
        bench.wish(desk(), Wish::Visit(Visit { answer, ..visit() }));
        bench.run(Span::from_secs(20));
        let told = SharingProbe::Answered { permit, recorded };
        assert!(bench.observed().contains(&told), "{told:?}");
        let seen = operations(&bench, desk());
        let word = if permit { "grant" } else { "deny" };
        assert_eq!(names(&seen), ["register", "read", "request", word, "read"]);
        let denied = OpEnd::Refused("denied by the patient");
        let last = if permit { OpEnd::Done } else { denied };
        assert_eq!(ends(&seen).last(), Some(&Some(last)));
    }
}

#[test]
fn patients_grant_with_their_share() {
    let options = SharingOptions {
        grant_share: 300_000_000,
        ..options()
    };
    let mut bench = bench_with(options);
    for _ in 0..1_000 {
        let visit = Visit {
            resources: Vec::new(),
            own: Vec::new(),
            ..visit()
        };
        bench.wish(desk(), Wish::Visit(visit));
    }
    bench.run(Span::from_secs(20));
    let yes = SharingProbe::Answered {
        permit: true,
        recorded: false,
    };
    let granted = bench.observed().iter().filter(|p| **p == yes).count();
    // 1,000 draws of 0.3 have a standard deviation of 14.5: four of them.
    assert!((242..=358).contains(&granted), "{granted}");
}

#[test]
fn a_standing_grant_skips_thinking_and_answering() {
    let mut bench = bench_with(SharingOptions {
        ask_each_request: false,
        ..options()
    });
    bench.asked(desk_of(0), 2, grant("ann", 1));
    let start = bench.now;
    bench.wish(desk(), Wish::Visit(visit()));
    bench.run(Span::from_secs(20));
    let seen = operations(&bench, desk());
    assert_eq!(names(&seen), ["register", "read", "request", "read"]);
    assert_eq!(ends(&seen), [Some(OpEnd::Done); 4]);
    let took = seen[3].end.unwrap().0.since(start);
    assert!(took <= Span::from_secs(4), "{took}");
}

#[test]
fn without_an_answer_the_same_operation_is_asked_again_and_given_up() {
    let mut bench = bench();
    bench.lose = Box::new(|letter| letter.from == desk());
    let (start, letters) = (bench.now, bench.sent.len());
    bench.wish(desk(), consent(Change::Deny));
    bench.run(Span::from_secs(30));
    let seen = operations(&bench, desk());
    assert_eq!(names(&seen), ["deny"]);
    let gave_up = start + terms().retry_after.times(4);
    assert_eq!(seen[0].end, Some((gave_up, OpEnd::GaveUp)));
    let sent = &bench.sent[letters..];
    assert_eq!(sent.len(), 1 + terms().retry_times as usize);
    for letter in sent {
        assert!(matches!(letter.message(), Message::Ask { op, .. } if *op == seen[0].op));
    }
}

#[test]
fn an_answer_after_giving_up_is_heard_by_nobody() {
    let mut bench = bench();
    bench.lose = Box::new(|letter| letter.to == desk());
    bench.wish(desk(), consent(Change::Deny));
    bench.run(Span::from_secs(10));
    let op = operations(&bench, desk())[0].op;
    bench.lose = Box::new(|_| false);
    let answer = Answer::Done;
    bench.tell(NodeId(1), desk(), Message::Reply { op, answer });
    let end = operations(&bench, desk())[0].end.unwrap().1;
    assert_eq!(end, OpEnd::GaveUp);
}

#[test]
fn a_busy_server_is_asked_again_and_counts_as_no_answer() {
    let mut bench = bench();
    bench.lose = Box::new(|letter| letter.from == desk());
    bench.wish(desk(), consent(Change::Deny));
    let op = operations(&bench, desk())[0].op;
    let busy = || Message::Reply {
        op,
        answer: Answer::Refused(Reason::Busy),
    };
    bench.tell(NodeId(1), desk(), busy());
    assert_eq!(operations(&bench, desk())[0].end, None);
    bench.run(Span::from_secs(5));
    bench.tell(NodeId(1), desk(), busy());
    bench.run(Span::from_secs(5));
    assert_eq!(ends(&operations(&bench, desk())), [Some(OpEnd::GaveUp)]);

    // When the server has time again, the operation is done after all.
    bench.wish(desk(), consent(Change::Deny));
    let op = operations(&bench, desk())[1].op;
    let answer = Answer::Refused(Reason::Busy);
    bench.tell(NodeId(1), desk(), Message::Reply { op, answer });
    bench.lose = Box::new(|_| false);
    bench.run(Span::from_secs(5));
    assert_eq!(ends(&operations(&bench, desk()))[1], Some(OpEnd::Done));
}

#[test]
fn what_was_decided_in_an_unseen_block_is_asked_anew() {
    let mut bench = bench();
    bench.lose = Box::new(|letter| letter.from == desk());
    let visit = Visit {
        resources: Vec::new(),
        own: vec![RecordId(7)],
        elsewhere: Vec::new(),
        ..visit()
    };
    bench.wish(desk(), Wish::Visit(visit));
    let op = operations(&bench, desk())[0].op;
    let unseen = || Answer::Refused(Reason::Unseen);
    let answer = unseen();
    bench.tell(NodeId(1), desk(), Message::Reply { op, answer });
    let seen = operations(&bench, desk());
    assert_eq!(names(&seen), ["read", "read"]);
    assert_eq!(ends(&seen)[0], Some(OpEnd::Refused(Reason::Unseen.word())));
    bench.lose = Box::new(|_| false);
    bench.run(Span::from_secs(5));
    assert!(ends(&operations(&bench, desk()))[1].is_some());

    // What changes something is not done twice.
    bench.lose = Box::new(|letter| letter.from == desk());
    bench.wish(desk(), consent(Change::Deny));
    let op = operations(&bench, desk())[2].op;
    let answer = unseen();
    bench.tell(NodeId(1), desk(), Message::Reply { op, answer });
    assert_eq!(operations(&bench, desk()).len(), 3);
}

#[test]
fn only_the_entry_server_is_heard() {
    let mut bench = bench();
    bench.lose = Box::new(|letter| letter.from == desk());
    bench.wish(desk(), consent(Change::Deny));
    let op = operations(&bench, desk())[0].op;
    let answer = Answer::Done;
    bench.tell(NodeId(2), desk(), Message::Reply { op, answer });
    assert_eq!(operations(&bench, desk())[0].end, None);
}

#[test]
fn without_a_request_nothing_is_read_elsewhere() {
    // The request is refused: an unauthenticated desk is refused everything, and asks for no more.
    let mut bench = bench();
    bench.open_desk(STRANGER);
    bench.wish(STRANGER, Wish::Visit(visit()));
    bench.run(Span::from_secs(10));
    let seen = operations(&bench, STRANGER);
    assert_eq!(names(&seen), ["register", "read", "request"]);
    let refused = OpEnd::Refused("not authenticated");
    assert_eq!(ends(&seen), [Some(refused); 3]);

    // The request is given up.
    let is_request = |letter: &Letter| {
        let Message::Ask { ask, .. } = letter.message() else {
            return false;
        };
        matches!(ask, Ask::Request { .. })
    };
    bench.lose = Box::new(is_request);
    bench.wish(desk(), Wish::Visit(visit()));
    bench.run(Span::from_secs(30));
    let seen = operations(&bench, desk());
    assert_eq!(names(&seen), ["register", "read", "request"]);
    assert_eq!(seen[2].end.unwrap().1, OpEnd::GaveUp);
}

#[test]
fn consents_and_readings_of_the_audit_are_operations_of_their_names() {
    let mut bench = bench();
    for change in [
        Change::Grant(Some(Span::from_secs(60))),
        Change::Revoke,
        Change::Deny,
    ] {
        bench.wish(desk(), consent(change));
        // Done with the next block, before it would be repeated.
        bench.run(Span::from_millis(1_500));
        assert_eq!(bench.timers(desk()), 0, "nothing is left to wait for");
    }
    let seen = operations(&bench, desk());
    assert_eq!(names(&seen), ["grant", "revoke", "deny"]);
    assert_eq!(ends(&seen), [Some(OpEnd::Done); 3]);
    let told: Vec<_> = bench
        .observed()
        .into_iter()
        .filter_map(|p| match p {
            SharingProbe::Consented(word) => Some(word),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["grant", "revoke", "deny"]);
    bench.open_desk(desk_of(3));
    bench.wish(desk_of(3), Wish::Sweep);
    bench.run(Span::from_secs(2));
    let seen = operations(&bench, desk_of(3));
    assert_eq!(
        (names(&seen), ends(&seen)),
        (vec!["audit"], vec![Some(OpEnd::Done)])
    );
}

#[test]
fn beyond_the_most_open_flows_a_visit_is_turned_away() {
    let mut bench = bench();
    bench.lose = Box::new(|letter| letter.from == desk());
    for _ in 0..=MAX_OPEN_FLOWS {
        bench.wish(desk(), consent(Change::Deny));
    }
    let seen = operations(&bench, desk());
    assert_eq!(seen.len(), MAX_OPEN_FLOWS + 1);
    let (last, open) = seen.split_last().unwrap();
    assert!(open.iter().all(|s| s.end.is_none()));
    assert_eq!(last.end, Some((bench.now, OpEnd::GaveUp)));
    // They end, and there is room again.
    bench.run(Span::from_secs(10));
    bench.lose = Box::new(|_| false);
    bench.wish(desk(), consent(Change::Deny));
    bench.run(Span::from_secs(2));
    assert_eq!(
        ends(&operations(&bench, desk())).last(),
        Some(&Some(OpEnd::Done))
    );
}

#[test]
fn a_desk_that_comes_back_gives_no_name_twice() {
    let mut bench = bench();
    bench.wish(desk(), consent(Change::Deny));
    bench.run(Span::from_secs(2));
    bench.restart_desk(desk());
    bench.wish(desk(), consent(Change::Grant(None)));
    bench.run(Span::from_secs(2));
    let seen = operations(&bench, desk());
    assert_eq!(names(&seen), ["deny", "grant"]);
    assert_ne!(seen[0].op, seen[1].op);
    let words: Vec<_> = bench.chain().iter().map(|(_, c, _)| c.word()).collect();
    assert_eq!(words, ["register", "deny", "grant"]);
    // An operation bears its desk's number.
    assert_eq!(seen[0].op, op_of(desk(), 1));
}
