#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::PANEL;
use super::super::tests::{all, common, even, request, rng};
use super::*;
use crate::sharing::testing::desk_of;
use crate::workload::{Pace, Spacing};
use consim_core::{NodeId, Span};
use std::collections::BTreeMap;

/// A change a second at three hospitals together.
fn changes(
    options: ConsentOptions,
    seconds: u64,
    label: &str,
) -> Vec<(NodeId, Arc<str>, Grantee, Change)> {
    let rates = even([1_000_000_000 / 3; 3]);
    let common = common(rates, Span::from_secs(seconds));
    let arrivals = all(&mut ConsentWorkload::new(&common, options, rng(label)));
    let change = |arrival: &Arrival| match &request(arrival).wish {
        Wish::Consent {
            patient,
            grantee,
            change,
        } => (arrival.node, Arc::clone(patient), *grantee, *change),
        other => panic!("{other:?}"),
    };
    arrivals.iter().map(change).collect()
}
fn options(grant: u32, deny: u32, revoke: u32) -> ConsentOptions {
    let percent = 10_000_000;
    ConsentOptions {
        delegate: 0,
        guardian: 0,
        grant: grant * percent,
        deny: deny * percent,
        revoke: revoke * percent,
        panel: PANEL,
    }
}

#[test]
fn grants_denials_and_revocations_come_in_their_shares() {
    let all = changes(options(50, 20, 30), 20_000, "shares");
    let n = all.len() as f64;
    assert!((n - 20_000.0).abs() <= 1.0, "{n}");
    let share = |change: Change| all.iter().filter(|c| c.3 == change).count() as f64 / n;
    for (change, expected) in [
        (Change::Grant(None), 0.5),
        (Change::Deny, 0.2),
        (Change::Revoke, 0.3),
    ] {
        // Four standard deviations of 20,000 draws, and the few grants before the first revocation.
        let found = share(change);
        assert!((found - expected).abs() <= 0.015, "{change:?} {found}");
    }
    let everyone = all
        .iter()
        .filter(|c| c.3 != Change::Revoke && c.2 == Grantee::Everyone);
    let share = everyone.count() as f64 / (n * 0.7);
    assert!((share - 0.1).abs() <= 0.011, "{share}");
}

#[test]
fn a_revocation_takes_back_a_grant_given_earlier_once_and_at_its_home() {
    let mut given: BTreeMap<(Arc<str>, Grantee), Vec<NodeId>> = BTreeMap::new();
    for (desk, patient, grantee, change) in changes(options(40, 10, 50), 5_000, "revoke") {
        let home = given.entry((patient.clone(), grantee)).or_default();
        match change {
            Change::Grant(_) => home.push(desk),
            Change::Revoke => {
                let index = home.iter().position(|d| *d == desk).unwrap();
                home.swap_remove(index);
            }
            Change::Deny => {}
        }
        // Patients speak at their own hospital, and not of it.
        assert!(patient.starts_with(&format!("p{}-", desk.0)));
        let server = NodeId(desk.0 - desk_of(0).0);
        assert_ne!(grantee, Grantee::Institution(server));
    }
}

#[test]
fn no_more_grants_than_the_limit_are_remembered() {
    let common = common(even([1_000_000_000; 3]), Span::from_secs(3_000));
    let mut workload = ConsentWorkload::new(&common, options(100, 0, 0), rng("limit"));
    let n = all(&mut workload).len();
    assert!(n > MAX_GIVEN);
    assert_eq!(workload.given.len(), MAX_GIVEN);
}

#[test]
fn without_weights_nobody_comes_and_the_same_seed_gives_the_same_changes() {
    assert_eq!(changes(options(0, 0, 0), 100, "a"), []);
    let shares = options(50, 20, 30);
    assert_eq!(changes(shares, 100, "a"), changes(shares, 100, "a"));
    assert_ne!(changes(shares, 100, "a"), changes(shares, 100, "b"));
}

#[test]
fn one_hospital_alone_grants_to_everyone() {
    let mut common = common(even([1_000_000_000, 0, 0]), Span::from_secs(50));
    common.places.truncate(1);
    let arrivals = all(&mut ConsentWorkload::new(
        &common,
        options(100, 0, 0),
        rng("one"),
    ));
    assert_eq!(arrivals.len(), 50);
    for arrival in &arrivals {
        let Wish::Consent { grantee, .. } = request(arrival).wish else {
            panic!("a consent");
        };
        assert_eq!(grantee, Grantee::Everyone);
    }
}

#[test]
fn a_recorded_pace_has_no_instants_of_consents_or_audits() {
    let common = common(Pace::Recorded(Spacing::Ranked), Span::from_secs(50));
    assert_eq!(all(&mut AuditWorkload::new(&common, rng("none"))).len(), 0);
    let mut consents = ConsentWorkload::new(&common, options(100, 0, 0), rng("none"));
    assert_eq!(all(&mut consents).len(), 0);
}

#[test]
fn supervision_reads_at_its_rate() {
    let common = common(even([100_000_000, 0, 0]), Span::from_secs(100));
    let arrivals = all(&mut AuditWorkload::new(&common, rng("audits")));
    assert_eq!(arrivals.len(), 10);
    for arrival in &arrivals {
        assert_eq!(request(arrival).wish, Wish::Sweep);
        assert_eq!(arrival.node, desk_of(0));
    }
}

#[test]
fn delegates_are_appointed_speak_and_are_dismissed_in_their_share() {
    let options = ConsentOptions {
        delegate: 300_000_000,
        guardian: 100_000_000,
        panel: 50,
        ..options(50, 0, 50)
    };
    let common = common(even([1_000_000_000 / 3; 3]), Span::from_secs(20_000));
    let arrivals = all(&mut ConsentWorkload::new(&common, options, rng("powers")));
    let count = |that: &dyn Fn(&Wish) -> bool| {
        arrivals.iter().filter(|a| that(&request(a).wish)).count() as f64
    };
    let guardian = |wish: &Wish| matches!(wish, Wish::Appoint { guardian: true, .. });
    let appointed = count(&|wish| matches!(wish, Wish::Appoint { .. }));
    let dismissed = count(&|wish| matches!(wish, Wish::Dismiss { .. }));
    let spoken = count(&|wish| matches!(wish, Wish::Spoken { .. }));
    let of_all = (appointed + dismissed + spoken) / arrivals.len() as f64;
    assert!((of_all - 0.4).abs() <= 0.015, "{of_all}");
    // A quarter appoints, and a tenth of the others dismisses.
    assert!((appointed / (appointed + dismissed + spoken) - 0.25).abs() <= 0.02);
    assert!((dismissed / (dismissed + spoken) - 0.1).abs() <= 0.02);
    assert!((count(&guardian) / appointed - 0.25).abs() <= 0.04);
    // Nobody speaks for themself, and nobody who was not appointed.
    for arrival in &arrivals {
        if let Wish::Spoken { by, patient, .. } | Wish::Appoint { by, patient, .. } =
            &request(arrival).wish
        {
            assert_ne!(by, patient);
        }
    }
}
