#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::ids::{Purpose, RecordId};
use crate::sharing::service::{Honest, Policy};
use crate::sharing::testing::{
    Bench, Letter, OUTSIDER, desk_of, grant, op_of, options, read, register, revoke, urgent_read,
};
use consim_core::Receipt;

fn refused(reason: Reason) -> Answer {
    Answer::Refused(reason)
}

/// Ann's record 7 lies at hospital 0.
fn bench() -> Bench {
    let mut bench = Bench::new();
    record(&mut bench);
    bench
}
fn record(bench: &mut Bench) {
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
}
fn opened(answer: &Answer) -> &[u8] {
    match answer {
        Answer::Record(sealed) => sealed.open(),
        other => panic!("{other:?}"),
    }
}
fn entries(bench: &Bench) -> Vec<(NodeId, Access)> {
    let chain = bench.chain();
    let entry = |(origin, command, receipt): &(NodeId, Command, Receipt)| match command {
        Command::Access(access) if *receipt == Receipt::Applied => Some((*origin, *access)),
        _ => None,
    };
    chain.iter().filter_map(entry).collect()
}
fn fetch(op: OpId, requester: NodeId, after: u64) -> Message {
    Message::Fetch {
        op,
        record: RecordId(7),
        requester,
        purpose: Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
        after,
    }
}
/// What a server has been told about an operation, as the one who fetches.
fn releases(bench: &Bench, to: NodeId, op: OpId) -> Vec<Answer> {
    let mine = bench.sent.iter().filter(|letter| letter.to == to);
    mine.filter_map(|letter| match letter.message() {
        Message::Release { op: other, answer } if *other == op => Some(answer.clone()),
        _ => None,
    })
    .collect()
}

#[test]
fn a_read_elsewhere_is_decided_at_the_providers_height_audited_and_only_then_answered() {
    let mut bench = bench();
    bench.asked(desk_of(1), 1, grant("ann", 1));
    let height = bench.servers[0].host.ledger.height();
    bench.ask(desk_of(1), 2, read(7));
    let op = op_of(desk_of(1), 2);
    // The provider has decided, and says nothing before its entry is on the chain.
    assert_eq!(releases(&bench, NodeId(1), op), []);
    assert_eq!(entries(&bench), []);
    bench.block();
    assert_eq!(opened(&bench.answers(desk_of(1), 2)[0]), b"body");
    let access = Access {
        record: RecordId(7),
        requester: NodeId(1),
        purpose: Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
        permit: true,
        reason: Reason::Granted,
        height,
    };
    assert_eq!(entries(&bench), [(NodeId(0), access)]);
}

#[test]
fn every_ruling_is_audited_with_its_reason() {
    let mut bench = bench();
    let deny = |to| crate::sharing::message::Ask::Deny {
        patient: "ann".into(),
        grantee: crate::sharing::Grantee::Institution(NodeId(to)),
    };
    bench.asked(desk_of(0), 2, grant("ann", 1));
    bench.asked(desk_of(0), 3, deny(2));
    let table = [
        (desk_of(0), read(7), NodeId(0), true, Reason::Own),
        (desk_of(1), read(7), NodeId(1), true, Reason::Granted),
        (desk_of(2), read(7), NodeId(2), false, Reason::Denied),
        (desk_of(3), read(7), NodeId(3), false, Reason::NoGrant),
        (OUTSIDER, read(7), OUTSIDER, false, Reason::NoGrant),
        (
            desk_of(2),
            urgent_read(7),
            NodeId(2),
            true,
            Reason::Emergency,
        ),
        (desk_of(0), urgent_read(7), NodeId(0), true, Reason::Own),
    ];
    let cases = table.len();
    for (number, (desk, ask, requester, permit, reason)) in (10..).zip(table) {
        let purpose = if ask == read(7) {
            Purpose::Treatment
        } else {
            Purpose::Emergency
        };
        let answer = bench.asked(desk, number, ask);
        if permit {
            assert_eq!(opened(&answer), b"body");
        } else {
            assert_eq!(answer, refused(reason));
        }
        let (provider, access) = *entries(&bench).last().unwrap();
        assert_eq!(provider, NodeId(0));
        let told = (
            access.requester,
            access.purpose,
            access.permit,
            access.reason,
        );
        assert_eq!(told, (requester, purpose, permit, reason));
    }
    assert_eq!(entries(&bench).len(), cases);
}

#[test]
fn emergencies_open_nothing_where_the_alliance_does_not_allow_it() {
    let options = crate::sharing::config::SharingOptions {
        emergency: false,
        ..options()
    };
    let mut bench = Bench::with(options, |_| Box::new(Honest));
    record(&mut bench);
    let answer = bench.asked(desk_of(1), 1, urgent_read(7));
    assert_eq!(answer, refused(Reason::NoEmergency));
    let (_, access) = entries(&bench)[0];
    assert_eq!((access.permit, access.purpose), (false, Purpose::Emergency));
}

#[test]
fn after_a_revocation_is_applied_no_read_is_permitted() {
    let mut bench = bench();
    bench.asked(desk_of(1), 1, grant("ann", 1));
    // Decided before the revocation is on the chain, answered after it: the entry says the height.
    bench.ask(desk_of(1), 2, read(7));
    bench.ask(desk_of(2), 1, revoke("ann", 1));
    bench.block();
    opened(&bench.answers(desk_of(1), 2)[0]);
    let revoked_at = bench.servers[0].host.ledger.height();
    assert!(entries(&bench)[0].1.height < revoked_at);
    // Decided at a height that holds it.
    let answer = bench.asked(desk_of(1), 3, read(7));
    assert_eq!(answer, refused(Reason::Revoked));
    assert!(entries(&bench)[1].1.height >= revoked_at);
}

#[test]
fn a_provider_that_lags_decides_no_earlier_than_the_asker_has_seen() {
    let mut bench = bench();
    bench.servers[0].held = true;
    bench.asked(desk_of(1), 1, grant("ann", 1));
    let seen = bench.servers[1].host.ledger.height();
    assert!(bench.servers[0].host.ledger.height() < seen);
    bench.ask(desk_of(1), 2, read(7));
    // A repeat while it waits changes nothing.
    bench.ask(desk_of(1), 2, read(7));
    assert!(bench.pool.is_empty());
    bench.servers[0].held = false;
    bench.catch_up(0, true);
    bench.block();
    assert_eq!(bench.answers(desk_of(1), 2).len(), 1);
    opened(&bench.answers(desk_of(1), 2)[0]);
    assert_eq!(entries(&bench)[0].1.height, seen);
}

#[test]
fn a_height_that_never_comes_is_forgotten() {
    let mut bench = bench();
    let op = op_of(desk_of(1), 5);
    bench.tell(NodeId(1), NodeId(0), fetch(op, NodeId(1), u64::MAX));
    assert_eq!(bench.servers[0].service.pending.len(), 1);
    bench.run(consim_core::Span::from_secs(130));
    assert_eq!(bench.servers[0].service.pending.len(), 0);
}

#[test]
fn what_is_not_what_was_registered_is_refused_at_the_asking_side() {
    struct Swaps;
    impl Policy for Swaps {
        fn release(&mut self, _: Arc<[u8]>) -> Arc<[u8]> {
            b"another body"[..].into()
        }
    }
    let mut bench = Bench::with(options(), |i| {
        if i == 0 {
            Box::new(Swaps)
        } else {
            Box::new(Honest)
        }
    });
    bench.honest = false;
    record(&mut bench);
    bench.asked(desk_of(1), 1, grant("ann", 1));
    let answer = bench.asked(desk_of(1), 2, read(7));
    assert_eq!(answer, refused(Reason::Integrity));
    let received = |p: &SharingProbe| {
        matches!(
            p,
            SharingProbe::Received {
                accepted: false,
                ..
            }
        )
    };
    assert_eq!(bench.observed().iter().filter(|p| received(p)).count(), 1);
}

#[test]
fn an_original_that_is_gone_is_missing_and_told_so() {
    let mut bench = bench();
    bench.crash(0);
    bench.servers[0].disk = consim_core::Disk::default();
    bench.restart(0);
    let answer = bench.asked(desk_of(0), 2, read(7));
    assert_eq!(answer, refused(Reason::Missing));
}

#[test]
fn records_that_nobody_registered_and_providers_that_are_not_are_unknown() {
    let mut bench = bench();
    let answer = bench.asked(desk_of(1), 1, read(8));
    assert_eq!(answer, refused(Reason::UnknownRecord));
    let op = op_of(desk_of(1), 2);
    bench.tell(NodeId(1), NodeId(2), fetch(op, NodeId(1), 0));
    assert_eq!(
        releases(&bench, NodeId(1), op),
        [refused(Reason::UnknownRecord)]
    );
}

#[test]
fn a_lost_fetch_or_release_is_made_good_by_the_desks_repeat() {
    for lost in [
        (|l: &Letter| matches!(l.message(), Message::Fetch { .. })) as fn(&Letter) -> bool,
        |l| matches!(l.message(), Message::Release { .. }),
        |l| matches!(l.message(), Message::Reply { .. }),
    ] {
        let mut bench = bench();
        bench.asked(desk_of(1), 1, grant("ann", 1));
        bench.lose = Box::new(lost);
        bench.ask(desk_of(1), 2, read(7));
        bench.block();
        assert_eq!(bench.answers(desk_of(1), 2), []);
        bench.lose = Box::new(|_| false);
        let answer = bench.asked(desk_of(1), 2, read(7));
        opened(&answer);
        assert_eq!(entries(&bench).len(), 1, "decided once");
    }
}

#[test]
fn a_provider_that_crashes_after_its_decision_answers_by_what_reached_the_chain() {
    let mut bench = bench();
    bench.asked(desk_of(1), 1, grant("ann", 1));
    bench.ask(desk_of(1), 2, read(7));
    let first = bench.pool.clone();
    bench.crash(0);
    bench.restart(0);
    // It decides again, now against a revocation; the first decision's transaction comes first.
    bench.pool.clear();
    bench.asked(desk_of(2), 1, revoke("ann", 1));
    bench.ask(desk_of(1), 2, read(7));
    let second = std::mem::take(&mut bench.pool);
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(first[0].id(), second[0].id());
    bench.order_txs(vec![first[0].clone(), second[0].clone()]);
    opened(&bench.answers(desk_of(1), 2)[0]);
    let entries = entries(&bench);
    assert_eq!((entries.len(), entries[0].1.permit), (1, true));
}

#[test]
fn an_operation_is_not_answered_to_another_institution() {
    let mut bench = bench();
    bench.asked(desk_of(1), 1, grant("ann", 1));
    let op = op_of(desk_of(1), 2);
    bench.ask(desk_of(1), 2, read(7));
    // While it waits for the chain, and after: hospital 2 has no grant.
    let mine = |requester| fetch(op, requester, 0);
    bench.tell(NodeId(2), NodeId(0), mine(NodeId(2)));
    bench.block();
    bench.tell(NodeId(2), NodeId(0), mine(NodeId(2)));
    let not = refused(Reason::NotAllowed);
    assert_eq!(releases(&bench, NodeId(2), op), [not.clone(), not.clone()]);
    assert_eq!(bench.answers(desk_of(1), 2).len(), 1);
    // Nor may it speak for the one that has, in this operation or in its own.
    bench.tell(NodeId(2), NodeId(0), mine(NodeId(1)));
    assert_eq!(releases(&bench, NodeId(2), op).last(), Some(&not));
    let fresh = op_of(desk_of(2), 50);
    bench.tell(NodeId(2), NodeId(0), fetch(fresh, NodeId(1), 0));
    bench.block();
    assert_eq!(
        releases(&bench, NodeId(2), fresh),
        std::slice::from_ref(&not)
    );
    // A server's own desk asks there itself; nobody else names its operations.
    let own = op_of(desk_of(0), 9);
    bench.tell(NodeId(2), NodeId(0), fetch(own, NodeId(2), 0));
    assert_eq!(releases(&bench, NodeId(2), own), [not]);
    assert_eq!(entries(&bench).len(), 1);
}

#[test]
fn only_the_provider_that_was_asked_is_heard() {
    let mut bench = bench();
    bench.asked(desk_of(1), 1, grant("ann", 1));
    bench.ask(desk_of(1), 2, read(7));
    let op = op_of(desk_of(1), 2);
    let release = || Message::Release {
        op,
        answer: Answer::Refused(Reason::Denied),
    };
    bench.tell(NodeId(2), NodeId(1), release());
    assert_eq!(bench.answers(desk_of(1), 2), []);
    bench.tell(NodeId(0), NodeId(1), release());
    assert_eq!(bench.answers(desk_of(1), 2), [refused(Reason::Denied)]);
    // The real answer comes late, to nobody.
    bench.block();
    assert_eq!(bench.answers(desk_of(1), 2).len(), 1);
}

#[test]
fn an_outsider_reads_through_its_entry_in_its_own_name() {
    let mut bench = Bench::new();
    bench.asked(desk_of(1), 1, register(7, "ann", b"body"));
    let answer = bench.asked(OUTSIDER, 1, read(7));
    assert_eq!(answer, refused(Reason::NoGrant));
    bench.asked(desk_of(1), 2, grant("ann", OUTSIDER.0));
    opened(&bench.asked(OUTSIDER, 2, read(7)));
    let (provider, access) = *entries(&bench).last().unwrap();
    assert_eq!((provider, access.requester), (NodeId(1), OUTSIDER));
    // The grant to the outsider is no grant to its entry.
    let answer = bench.asked(desk_of(0), 1, read(7));
    assert_eq!(answer, refused(Reason::NoGrant));
}

#[test]
fn every_step_of_a_read_is_charged() {
    let mut bench = Bench::new();
    let body = vec![b'x'; 10_000];
    bench.asked(desk_of(0), 1, register(7, "ann", &body));
    bench.open_desk(desk_of(1));
    bench.work.clear();
    let visit = crate::sharing::request::Visit {
        patient: "ann".into(),
        emergency: true,
        resources: Vec::new(),
        own: Vec::new(),
        elsewhere: vec![RecordId(7)],
        answer: None,
        purpose: Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
    };
    bench.wish(desk_of(1), crate::sharing::request::Wish::Visit(visit));
    bench.run(consim_core::Span::from_secs(2));
    let of = |node| bench.work.get(&node).copied().unwrap_or_default();
    let encrypted = |node| of(node).encrypt_bytes;
    assert_eq!(encrypted(NodeId(0)), 10_000, "the provider encrypts");
    assert_eq!(encrypted(NodeId(1)), 20_000, "the entry opens and seals");
    assert_eq!(encrypted(desk_of(1)), 10_000, "the desk opens");
    assert_eq!(
        of(NodeId(1)).hash_bytes,
        10_000,
        "the entry compares the digest"
    );
    assert_eq!(encrypted(NodeId(2)), 0);
}
