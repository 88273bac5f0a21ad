#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::REFUSAL_PERIOD;
use super::MAX_SUBJECTS;
use crate::node::membership::Refusal;
use crate::node::service::Service as _;
use crate::sharing::command::Command;
use crate::sharing::message::{Ask, Message};
use crate::sharing::probe::SharingProbe;
use crate::sharing::testing::{Bench, OUTSIDER, STRANGER, read};
use consim_core::{NodeId, OpId, Probe, Span};

fn audited(bench: &Bench) -> Vec<NodeId> {
    let chain = bench.chain();
    let entry = |(_, command, _): &(NodeId, Command, _)| match command {
        Command::Refusal { subject, .. } => Some(*subject),
        _ => None,
    };
    chain.iter().filter_map(entry).collect()
}

#[test]
fn a_subject_is_audited_once_in_a_period_also_across_a_restart() {
    let mut bench = Bench::new();
    for number in 1..20 {
        bench.ask(STRANGER, number, Ask::Sweep);
    }
    bench.block();
    assert_eq!(audited(&bench), [STRANGER]);
    bench.crash(0);
    bench.restart(0);
    bench.ask(STRANGER, 20, Ask::Sweep);
    // Nothing is left waiting for a transaction that was executed before the restart.
    assert_eq!(bench.servers[0].host.submits, 1);
    assert_eq!(bench.servers[0].service.open(), 0);
    bench.run(REFUSAL_PERIOD);
    assert_eq!(
        (audited(&bench), bench.servers[0].host.submits),
        (vec![STRANGER], 1)
    );
    bench.ask(STRANGER, 21, Ask::Sweep);
    bench.block();
    assert_eq!(audited(&bench), [STRANGER, STRANGER]);
}

#[test]
fn a_refusal_that_a_crash_lost_is_audited_when_it_comes_again() {
    let mut bench = Bench::new();
    bench.ask(STRANGER, 1, Ask::Sweep);
    bench.pool.clear();
    bench.crash(0);
    bench.restart(0);
    bench.ask(STRANGER, 2, Ask::Sweep);
    bench.block();
    assert_eq!(audited(&bench), [STRANGER]);
}

#[test]
fn no_more_than_the_limit_of_subjects_is_audited_and_the_rest_is_counted() {
    let mut bench = Bench::new();
    let more = 3;
    for subject in 0..(MAX_SUBJECTS + more) as u32 {
        bench.serve(0, |service, cx, host| {
            let (subject, why) = (NodeId(1_000 + subject), Refusal::NoCertificate);
            cx.emit(Probe::Unauthenticated {
                subject,
                reason: why.words(),
            });
            service.refused(cx, host, subject, why);
        });
    }
    bench.block();
    assert_eq!(audited(&bench).len(), MAX_SUBJECTS);
    let dropped = |p: &&SharingProbe| matches!(p, SharingProbe::Unaudited { .. });
    assert_eq!(bench.observed().iter().filter(dropped).count(), more);
}

#[test]
fn a_server_that_is_no_member_is_refused_and_audited() {
    let mut bench = Bench::new();
    let Ask::Read {
        record,
        purpose,
        reader,
    } = read(1)
    else {
        panic!("a read");
    };
    let fetch = Message::Fetch {
        op: OpId(5),
        record,
        requester: OUTSIDER,
        purpose,
        reader,
        after: 0,
    };
    bench.tell(OUTSIDER, NodeId(1), fetch);
    bench.block();
    let why = Refusal::NotMember;
    let chain = bench.chain();
    let entry = Command::Refusal {
        subject: OUTSIDER,
        reason: why,
    };
    assert_eq!(
        chain.iter().map(|(_, c, _)| c).collect::<Vec<_>>(),
        [&entry]
    );
    bench.run(Span::from_secs(1));
}
