//! Revoked certificates: e has one.

use super::History;
use crate::testing::{CHAIN, s};
use consim_core::{NodeId, Probe};

const SUBJECT: NodeId = NodeId(4);
const TOLD: Probe = Probe::Noticed {
    chain: CHAIN,
    change: 1,
};
const BELIEVED: Probe = Probe::Believed {
    chain: CHAIN,
    subject: SUBJECT,
};

fn refused(reason: &'static str) -> Probe {
    Probe::Unauthenticated {
        subject: SUBJECT,
        reason,
    }
}

#[test]
fn who_knows_of_a_revocation_refuses_the_bearer() {
    let mut h = History::of("revoked-refused");
    h.probe(s(1), 0, &refused("revoked"));
    h.probe(s(2), 0, &TOLD);
    h.probe(s(3), 0, &refused("expired"));
    h.probe(s(3), 0, &refused("revoked"));
    h.probe(s(4), 1, &refused("revoked"));
    h.passes();
    assert_eq!(h.finding().evaluated, 1);
}

#[test]
fn who_acts_on_what_the_bearer_says_does_not() {
    let mut h = History::of("revoked-refused");
    h.probe(s(2), 0, &TOLD);
    h.probe(s(3), 0, &BELIEVED);
    assert!(h.finding().violations[0].contains("change 1"));
}

#[test]
fn who_has_forgotten_it_in_a_crash_cannot_know() {
    let mut h = History::of("revoked-refused");
    h.probe(s(2), 0, &TOLD);
    h.up(s(3), 0, false).up(s(4), 0, true);
    h.probe(s(5), 0, &refused("revoked"));
    h.unknown();
}
