#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::sharing::command::{Access, Command};
use crate::sharing::ids::{Purpose, Reason, RecordId};
use crate::sharing::message::{Answer, Ask};
use crate::sharing::probe::SharingProbe;
use crate::sharing::testing::{
    Bench, CHAIN, OUTSIDER, STRANGER, desk_of, grant, members, options, read, register, revoke,
    urgent_read,
};
use crate::sharing::{Honest, Policy, Pseudonym, PseudonymKey, checks};
use consim_core::{Check as _, NodeId, Observer as _, Severity, Span, Tx, TxId, Verdict};
use std::sync::Arc;

const CONSENT: &str = "no-read-without-grant";
const AUDIT: &str = "audit-complete";
const BINDING: &str = "off-chain-binding";
const REVOCATION: &str = "revocation-bound";
const PLAINTEXT: &str = "no-plaintext-on-chain";
const FRESH: &str = "fresh-decisions";

fn verdict(bench: &Bench, name: &str) -> Verdict {
    bench.finding(name).verdict
}
/// The three that the corruptions of this file are about.
fn verdicts(bench: &Bench) -> [Verdict; 3] {
    [CONSENT, AUDIT, BINDING].map(|name| verdict(bench, name))
}

/// A day of everything: own reads, reads by grant and in an emergency, denials, a revocation, an
/// outsider, a stranger, a crash.
fn day(bench: &mut Bench) {
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(0), 2, read(7));
    bench.asked(desk_of(1), 1, read(7));
    bench.asked(desk_of(1), 2, grant("ann", 1));
    bench.asked(desk_of(1), 3, read(7));
    bench.asked(desk_of(2), 1, urgent_read(7));
    bench.asked(OUTSIDER, 1, read(7));
    bench.asked(STRANGER, 1, read(7));
    bench.crash(0);
    bench.restart(0);
    bench.asked(desk_of(1), 4, revoke("ann", 1));
    bench.asked(desk_of(1), 5, read(7));
}

/// Hospital 0 does not keep the rules; all others do.
fn corrupt<P: Policy + Copy + 'static>(policy: P) -> Bench {
    let mut bench = Bench::with(options(), move |i| {
        if i == 0 {
            Box::new(policy)
        } else {
            Box::new(Honest)
        }
    });
    bench.honest = false;
    bench
}

#[test]
fn an_honest_day_passes_and_every_check_has_judged() {
    let mut bench = Bench::new();
    day(&mut bench);
    bench.end();
    assert_eq!(verdicts(&bench), [Verdict::Pass; 3]);
    // Permits; entries, answers, records on the wire and a refusal; bodies.
    let evaluated = [CONSENT, AUDIT, BINDING].map(|name| bench.finding(name).evaluated);
    assert_eq!(evaluated, [3, 6 + 6 + 5 + 1, 3]);
    // Permits; decisions.
    for (name, facts) in [(REVOCATION, 3), (FRESH, 6)] {
        assert_eq!(bench.finding(name).evaluated, facts, "{name}");
    }
    for name in [REVOCATION, FRESH] {
        assert_eq!(verdict(&bench, name), Verdict::Pass, "{name}");
    }
}

#[test]
fn where_nothing_happened_nothing_is_known() {
    let bench = Bench::new();
    assert_eq!(verdicts(&bench), [Verdict::Unknown; 3]);
}

#[test]
fn checks_have_their_words_and_codes() {
    let checks = checks(&members(), true, Span::from_secs(1));
    let words: Vec<_> = checks.iter().map(|c| (c.name(), c.code())).collect();
    let all = [
        (CONSENT, "A1"),
        (AUDIT, "A6"),
        (BINDING, "A8"),
        (REVOCATION, "A10"),
        (PLAINTEXT, "A11"),
        (FRESH, "Q2"),
    ];
    assert_eq!(words, all);
    for check in &checks {
        assert_eq!(check.severity(), Severity::Safety);
        assert!(check.says().ends_with('.'));
    }
}

#[test]
fn a_provider_that_permits_without_a_grant_is_noticed() {
    #[derive(Clone, Copy)]
    struct Permits(Reason);
    impl Policy for Permits {
        fn decide(&mut self, ruled: Result<Reason, Reason>) -> Result<Reason, Reason> {
            ruled.or(Ok(self.0))
        }
    }
    // Whatever reason it gives for it.
    for reason in [Reason::Granted, Reason::Emergency, Reason::Own] {
        let mut bench = corrupt(Permits(reason));
        day(&mut bench);
        bench.end();
        let only = [Verdict::Fail, Verdict::Pass, Verdict::Pass];
        assert_eq!(verdicts(&bench), only, "{reason:?}");
        // Before the grant, for the outsider, and after the revocation.
        assert_eq!(bench.finding(CONSENT).violated, 3);
        assert!(bench.finding(CONSENT).violations[0].contains("no consent held"));
    }
}

#[test]
fn emergencies_where_they_are_not_allowed_are_noticed() {
    let mut check =
        super::NoReadWithoutGrant::new(&members(), crate::sharing::config::Rules::default());
    let mut bench = Bench::new();
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    bench.asked(desk_of(2), 1, urgent_read(7));
    for (at, node, probe) in &bench.probes {
        check.probe(*at, *node, probe);
    }
    assert_eq!(check.finding().verdict, Verdict::Fail);
}

#[test]
fn a_provider_that_skips_the_audit_is_noticed() {
    #[derive(Clone, Copy)]
    struct Skips;
    impl Policy for Skips {
        fn audits_first(&self) -> bool {
            false
        }
    }
    let mut bench = corrupt(Skips);
    day(&mut bench);
    bench.end();
    let only = [Verdict::Pass, Verdict::Fail, Verdict::Pass];
    assert_eq!(verdicts(&bench), only);
}

#[test]
fn a_provider_that_releases_another_body_is_noticed() {
    #[derive(Clone, Copy)]
    struct Swaps;
    impl Policy for Swaps {
        fn release(&mut self, _: Arc<[u8]>) -> Arc<[u8]> {
            b"other"[..].into()
        }
    }
    let mut bench = corrupt(Swaps);
    day(&mut bench);
    bench.end();
    let only = [Verdict::Pass, Verdict::Pass, Verdict::Fail];
    assert_eq!(verdicts(&bench), only);
    assert!(bench.finding(BINDING).violations[0].contains("refused"));
}

#[test]
fn an_asker_that_accepts_another_body_or_refuses_the_right_one_is_noticed() {
    let mut bench = Bench::new();
    bench.honest = false;
    bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
    for (body, accepted, holds) in [
        (&b"body"[..], true, true),
        (b"body", false, false),
        (b"other", true, false),
        (b"other", false, false),
    ] {
        let before = bench.finding(BINDING).violated;
        bench.serve(1, |_, cx, _| {
            let received = SharingProbe::Received {
                op: consim_core::OpId(1),
                record: RecordId(7),
                digest: consim_core::Digest::of(body),
                accepted,
            };
            cx.emit(received.probe());
        });
        let noticed = bench.finding(BINDING).violated > before;
        assert_eq!(noticed, !holds, "{body:?} {accepted}");
    }
}

#[test]
fn decisions_on_records_that_are_not_the_providers_or_at_heights_to_come_are_noticed() {
    let decided = |provider, requester, record, height| SharingProbe::Decided {
        op: consim_core::OpId(1),
        pseudonym: Pseudonym([0; 32]),
        provider,
        access: Access {
            record: RecordId(record),
            requester,
            purpose: Purpose::Treatment,
            reader: crate::sharing::Reader::default(),
            permit: true,
            reason: Reason::Own,
            height,
        },
    };
    // Record 7 is hospital 0's from height 1 on, hospital 2 may read it from height 2 on, and
    // there are no more blocks.
    for (provider, requester, record, height, holds) in [
        (0, 0, 7, 1, true),
        (0, 0, 7, 2, true),
        (0, 0, 7, 0, false),
        (0, 0, 7, 3, false),
        (0, 0, 8, 1, false),
        (0, 2, 7, 2, true),
        (0, 2, 7, 1, false),
        (0, 1, 7, 2, false),
        (1, 1, 7, 2, false),
        (1, 2, 7, 2, false),
    ] {
        let mut bench = Bench::new();
        bench.honest = false;
        bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
        bench.asked(desk_of(0), 2, grant("ann", 2));
        let probe = decided(NodeId(provider), NodeId(requester), record, height);
        bench.serve(provider as usize, |_, cx, _| cx.emit(probe.probe()));
        let expected = if holds { Verdict::Pass } else { Verdict::Fail };
        assert_eq!(verdict(&bench, CONSENT), expected, "{probe:?}");
    }
}

#[test]
fn the_chain_of_the_day_holds_what_the_checks_judged() {
    let mut bench = Bench::new();
    day(&mut bench);
    let chain = bench.chain();
    let words: Vec<_> = chain.iter().map(|(_, c, _)| c.word()).collect();
    assert_eq!(words.iter().filter(|w| **w == "access").count(), 6);
    assert_eq!(words.iter().filter(|w| **w == "refusal").count(), 1);
    let permits = chain
        .iter()
        .filter(|(_, c, _)| matches!(c, Command::Access(a) if a.permit));
    assert_eq!(permits.count(), 3);
    let swept = bench.asked(desk_of(3), 1, Ask::Sweep);
    assert!(matches!(swept, Answer::Swept(tally) if tally.entries() == 7));
}

fn pseudonym(patient: &str) -> Pseudonym {
    PseudonymKey::of_seed(1).pseudonym(patient, &format!("M-{patient}"))
}

#[test]
fn a_release_on_a_consent_that_was_withdrawn_the_bound_before_is_noticed() {
    // Decided while the consent held, released long after it was withdrawn: the audit entry took
    // its time. Half a minute is allowed.
    for (after, again, holds) in [(20, false, true), (40, false, false), (40, true, true)] {
        let mut bench = Bench::new();
        bench.honest = false;
        bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
        bench.asked(desk_of(0), 2, grant("ann", 2));
        let access = Access {
            record: RecordId(7),
            requester: NodeId(2),
            purpose: Purpose::Treatment,
            reader: crate::sharing::Reader::default(),
            permit: true,
            reason: Reason::Granted,
            height: 2,
        };
        let op = consim_core::OpId(1);
        let pseudonym = pseudonym("ann");
        let emit = |bench: &mut Bench, probe: SharingProbe| {
            bench.serve(0, move |_, cx, _| cx.emit(probe.probe()));
        };
        let provider = NodeId(0);
        emit(
            &mut bench,
            SharingProbe::Decided {
                op,
                pseudonym,
                provider,
                access,
            },
        );
        bench.asked(desk_of(0), 3, revoke("ann", 2));
        if again {
            bench.asked(desk_of(0), 4, grant("ann", 2));
        }
        bench.run(Span::from_secs(after));
        let (record, permit) = (access.record, true);
        emit(&mut bench, SharingProbe::Released { op, record, permit });
        let finding = bench.finding(REVOCATION);
        assert_eq!(finding.evaluated, 1);
        assert_eq!(
            finding.violated == 0,
            holds,
            "{after} s, {again}: {finding:?}"
        );
    }
}

#[test]
fn a_decision_by_a_state_that_is_long_past_is_noticed() {
    for (after, holds) in [(20, true), (40, false)] {
        let mut bench = Bench::new();
        bench.honest = false;
        bench.asked(desk_of(0), 1, register(7, "ann", b"body"));
        bench.run(Span::from_secs(after));
        let access = Access {
            record: RecordId(7),
            requester: NodeId(0),
            purpose: Purpose::Treatment,
            reader: crate::sharing::Reader::default(),
            permit: true,
            reason: Reason::Own,
            height: 0,
        };
        let decided = SharingProbe::Decided {
            op: consim_core::OpId(1),
            pseudonym: pseudonym("ann"),
            provider: NodeId(0),
            access,
        };
        bench.serve(0, move |_, cx, _| cx.emit(decided.probe()));
        let finding = bench.finding(FRESH);
        assert_eq!(
            (finding.violated == 0, finding.evaluated),
            (holds, 1),
            "{finding:?}"
        );
    }
}

#[test]
fn plaintext_in_a_transaction_is_noticed() {
    let body = b"{\"resourceType\":\"Observation\",\"id\":\"0000000000000007\",\"valueString\":\"mnopqrstuvwxyz234567abcdefgh\"}";
    // The address of a record is free text on the chain.
    let text = std::str::from_utf8(body).unwrap();
    for (address, holds) in [
        ("h0/records/7", true),
        ("h0/ann/records/7", false),
        ("h0/records/of/annabel-lee", false),
        (text, false),
        (&text[..60], false),
    ] {
        let mut bench = Bench::new();
        bench.honest = false;
        let patient = if address.contains("ann/") {
            "ann"
        } else {
            "annabel-lee"
        };
        bench.asked(desk_of(0), 1, register(7, patient, body));
        let command = Command::Register {
            record: RecordId(8),
            pseudonym: pseudonym("bob"),
            digest: consim_core::Digest::of(b"x"),
            size: 1,
            address: address.into(),
            kind: crate::sharing::ResourceType::Unstated,
        };
        let id = TxId {
            origin: NodeId(0),
            number: 99,
        };
        let key = Arc::clone(&bench.secrets[0]);
        let tx = Tx::new(id, CHAIN, consim_core::OpId(99), command.body(), &key);
        bench.order_txs(vec![Arc::new(tx)]);
        let finding = bench.finding(PLAINTEXT);
        assert!(finding.evaluated >= 2, "{finding:?}");
        // Three letters may be part of anything.
        let holds = holds || patient == "ann";
        assert_eq!(finding.violated == 0, holds, "{address}: {finding:?}");
    }
}
