#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::node::membership::Refusal;
use crate::sharing::command::Command;
use crate::sharing::ids::Reason;
use crate::sharing::message::{Answer, Message};
use crate::sharing::testing::{Bench, OUTSIDER, STRANGER, desk_of, op_of, read, register};
use consim_core::{NodeId, Probe, Receipt};

/// The refusals on the chain: of whom, and why.
fn refusals(bench: &Bench) -> Vec<(NodeId, Refusal)> {
    let chain = bench.chain();
    let entry = |(_, command, receipt): &(NodeId, Command, Receipt)| match command {
        Command::Refusal { subject, reason } if *receipt == Receipt::Applied => {
            Some((*subject, *reason))
        }
        _ => None,
    };
    chain.iter().filter_map(entry).collect()
}

#[test]
fn desks_with_a_trusted_certificate_are_served_and_others_refused_and_audited() {
    let mut bench = Bench::new();
    for (desk, record) in [(desk_of(0), 1), (OUTSIDER, 2)] {
        let answer = bench.asked(desk, 1, register(record, "ann", b"body"));
        assert_eq!(answer, Answer::Done, "{desk}");
    }
    assert_eq!(refusals(&bench), []);

    let answer = bench.asked(STRANGER, 1, register(3, "ann", b"body"));
    assert_eq!(answer, Answer::Refused(Reason::Unauthenticated));
    bench.block();
    assert_eq!(refusals(&bench), [(STRANGER, Refusal::UnknownAuthority)]);
    assert_eq!(bench.servers[0].service.originals(), 2);
}

#[test]
fn a_certificate_must_be_whole_and_the_senders_own() {
    let mut bench = Bench::new();
    let own = bench.certificate(OUTSIDER);
    let cases: [(&[u8], Refusal); 4] = [
        (&[], Refusal::NoCertificate),
        (&own[1..], Refusal::Malformed),
        (&[7; 400], Refusal::Malformed),
        (&bench.certificate(desk_of(1)), Refusal::WrongSubject),
    ];
    for (number, (certificate, why)) in (1..).zip(cases) {
        let message = Message::Ask {
            op: op_of(OUTSIDER, number),
            certificate: certificate.into(),
            ask: read(1),
        };
        bench.tell(OUTSIDER, NodeId(0), message);
        let refused = [Answer::Refused(Reason::Unauthenticated)];
        assert_eq!(bench.answers(OUTSIDER, number), refused, "{why}");
        let (_, node, probe) = bench.probes.last().unwrap();
        let Probe::Unauthenticated { subject, reason } = probe else {
            panic!("{why}: {probe:?}");
        };
        assert_eq!(
            (*node, *subject, *reason),
            (NodeId(0), OUTSIDER, why.words())
        );
        // Each in a period of its own, so that each is audited.
        bench.run(super::super::REFUSAL_PERIOD);
    }
    let audited: Vec<Refusal> = refusals(&bench).into_iter().map(|(_, why)| why).collect();
    assert_eq!(audited, cases.map(|(_, why)| why));
}

#[test]
fn an_operation_is_its_desks_own() {
    let mut bench = Bench::new();
    let message = Message::Ask {
        op: op_of(desk_of(0), 9),
        certificate: bench.certificate(OUTSIDER),
        ask: read(1),
    };
    bench.tell(OUTSIDER, NodeId(0), message);
    let last = bench.sent.last().unwrap();
    let Message::Reply { answer, .. } = last.message() else {
        panic!("{last:?}");
    };
    assert_eq!(*answer, Answer::Refused(Reason::NotAllowed));
}
