//! Relays between chains of one run: what goes from one network to another is received once and as it was sent.

use crate::support::{mistakes, plan};
use consim_check::outcome::CheckOutcome;
use consim_check::results::Results;
use consim_scenarios::run::execute;

const BASE: &str = "consim: 1
seed: 7
duration: 4m
warmup: 10s
network: { regions: guangdong, links: metro }
organisations:
  clinic:   { tier: primary, count: 4 }
  hospital: { tier: tertiary, count: 4 }
chains:
  clinics:   { members: clinic, consensus: raft }
  hospitals: { members: hospital, consensus: pbft }
relays:
  hub: { join: [clinics, hospitals], run_by: hospital, count: 2 }
services:
  sharing: { data-sharing: { chain: [clinics, hospitals] } }
workloads:
  visits: { visits: { service: sharing, elsewhere: 30%, resources: 2 }, load: 30/min, day: flat }
";

fn run(text: &str) -> Results {
    execute(&plan(text).plan, &mut |_| {}).unwrap().results
}
fn check<'a>(results: &'a Results, name: &str) -> &'a CheckOutcome {
    let mut checks = results.outcome.checks.iter();
    checks.find(|check| check.name == name).unwrap()
}
fn metric(results: &Results, path: &str) -> f64 {
    let metrics = &results.outcome.metrics;
    *metrics
        .get(path)
        .unwrap_or_else(|| panic!("{path}: {metrics:?}"))
}

#[test]
fn a_query_is_answered_by_another_network() {
    let chains = "chain: [clinics, hospitals]";
    let quarters = "labels: { open: 25%, sharable: 25%, protected: 25%, non-open: 25% }";
    let run = run(&BASE.replace(chains, &format!("{chains}, {quarters}")));
    assert_eq!(run.outcome.verdict, "pass", "{:?}", run.outcome.checks);
    for name in ["packets-once", "labels-kept"] {
        let check = check(&run, name);
        assert_eq!(check.verdict, "pass", "{check:?}");
        assert!(check.evaluated > 40, "{check:?}");
    }
    let query = &run.outcome.operations["query"];
    assert!(query.submitted > 40, "{query:?}");
    assert_eq!(metric(&run, "relays.hub.delivered"), 1.0);
    assert_eq!(metric(&run, "relays.hub.duplicated"), 0.0);
    assert!(metric(&run, "relays.hub.latency_p99") < 10_000.0);
    // Of all labels some, over the chains and point to point.
    for word in [
        "queries_open",
        "queries_sharable",
        "queries_protected",
        "queries_refused",
        "answered_inside",
        "answered_apart",
    ] {
        assert!(
            metric(&run, &format!("services.sharing.{word}")) > 0.0,
            "{word}"
        );
    }
}

#[test]
fn every_protocol_is_joined_over_a_third_chain() {
    let text = "consim: 1
seed: 3
duration: 8m
warmup: 10s
network: { regions: guangdong, links: metro }
organisations:
  station:   { count: 4 }
  clinic:    { tier: primary, count: 4 }
  hospital:  { tier: tertiary, count: 4 }
  partner:   { count: 4 }
  community: { count: 4 }
  town:      { tier: secondary, count: 4 }
chains:
  stations:    { members: station, consensus: { clique: { period: 2s } } }
  clinics:     { members: clinic, consensus: tendermint }
  hospitals:   { members: hospital, consensus: pbft }
  partners:    { members: partner, consensus: qbft }
  communities: { members: community, consensus: hotstuff }
  towns:       { members: town, consensus: bft-smart }
relays:
  hub: { join: [stations, clinics, hospitals, partners, communities, towns], through: hospitals }
services:
  sharing: { data-sharing: { chain: [stations, clinics, hospitals, partners, communities, towns] } }
workloads:
  visits: { visits: { service: sharing, elsewhere: 50%, resources: 1 }, load: 30/min, day: flat }
";
    let run = run(text);
    let once = check(&run, "packets-once");
    assert_eq!(once.verdict, "pass", "{once:?}");
    assert!(once.evaluated > 100, "{once:?}");
    assert_eq!(metric(&run, "relays.hub.duplicated"), 0.0);
    assert!(metric(&run, "relays.hub.delivered") > 0.99);
    assert!(run.outcome.operations["query"].committed > 20);
}

#[test]
fn packets_survive_a_relay_that_crashes_and_both_that_do() {
    for (crash, delivered) in [("1 of relay hub", 1.0), ("relay hub", 1.0)] {
        let fault = format!("faults: {{ gone: {{ at: 90s, for: 1m, crash: {crash} }} }}\n");
        let run = run(&format!("{BASE}{fault}"));
        let fault = &run.outcome.faults[0];
        assert!(fault.took_effect > 0, "{fault:?}");
        assert_eq!(check(&run, "packets-once").verdict, "pass");
        assert_eq!(metric(&run, "relays.hub.delivered"), delivered, "{crash}");
        assert_eq!(metric(&run, "relays.hub.duplicated"), 0.0);
        // Another relay's turn comes, or one comes back.
        assert!(metric(&run, "relays.hub.latency_max") > 5_000.0, "{crash}");
        // Chains are not disturbed by what happens to relays.
        assert_eq!(check(&run, "agreement").verdict, "pass");
    }
}

#[test]
fn without_a_relay_nothing_comes() {
    let fault = "faults: { gone: { at: 0s, for: rest, crash: relay hub } }\n";
    let run = run(&format!("{BASE}{fault}"));
    assert!(metric(&run, "relays.hub.sent") > 0.0);
    assert!(!run.outcome.metrics.contains_key("relays.hub.delivered"));
    assert_eq!(check(&run, "packets-once").verdict, "unknown");
}

#[test]
fn a_relay_that_lies_does_no_harm() {
    for lie in ["forge", "replay", "hasten", "withhold"] {
        let attack = format!(
            "adversaries: {{ liar: {{ nodes: 1 of relay hub }} }}
attacks: {{ lies: {{ at: 30s, for: 2m, lying-relay: {lie} }} }}
"
        );
        let run = run(&format!("{BASE}{attack}"));
        let attack = &run.outcome.attacks[0];
        assert!(attack["took_effect"].as_u64().unwrap() > 0, "{attack}");
        assert_eq!(check(&run, "packets-once").verdict, "pass", "{lie}");
        assert_eq!(metric(&run, "relays.hub.delivered"), 1.0, "{lie}");
        assert_eq!(metric(&run, "relays.hub.late"), 0.0, "{lie}");
        if lie == "replay" {
            assert!(metric(&run, "relays.hub.brought_again") > 0.0);
        }
    }
}

#[test]
fn labels_say_what_goes_where() {
    let with = |labels: &str| {
        let chains = "chain: [clinics, hospitals]";
        run(&BASE.replace(chains, &format!("{chains}, labels: {{ {labels} }}")))
    };
    let of = |run: &Results, word: &str| metric(run, &format!("services.sharing.{word}"));
    let open = with("open: 100%");
    assert!(of(&open, "answered_inside") > 0.0);
    assert_eq!(of(&open, "answered_apart"), 0.0);
    let protected = with("protected: 100%");
    assert!(of(&protected, "answered_apart") > 0.0);
    assert_eq!(of(&protected, "answered_inside"), 0.0);
    let closed = with("non-open: 100%");
    assert_eq!(
        of(&closed, "answered_inside") + of(&closed, "answered_apart"),
        0.0
    );
    assert_eq!(
        of(&closed, "queries_refused"),
        of(&closed, "queries_non_open")
    );
    assert!(of(&closed, "queries_refused") > 0.0);
}

#[test]
fn a_run_with_relays_is_the_same_each_time() {
    let one = run(BASE);
    let other = run(BASE);
    assert_eq!(one.outcome.run_digest, other.outcome.run_digest);
    let with_one = run(&BASE.replace("count: 2 }\nservices", "count: 1 }\nservices"));
    assert_ne!(one.outcome.run_digest, with_one.outcome.run_digest);
}

#[test]
fn what_relays_cannot_join_is_said() {
    for (from, to, says) in [
        (
            "join: [clinics, hospitals]",
            "join: clinics",
            "two chains at least",
        ),
        (
            "join: [clinics, hospitals]",
            "join: [clinics, hospital]",
            "no chain is called `hospital`",
        ),
        (
            "join: [clinics, hospitals]",
            "join: [clinics, clinics]",
            "joined with itself",
        ),
        ("run_by: hospital", "through: clinic", "none of the chains"),
        ("count: 2 }\nservices", "count: 0 }\nservices", "0 relays"),
        ("  hub:", "  clinic:", "is a group or a chain"),
        (
            "relays:\n  hub: { join: [clinics, hospitals], run_by: hospital, count: 2 }\n",
            "",
            "no relays join",
        ),
        (
            "chain: [clinics, hospitals]",
            "chain: [clinics, hospitals], labels: { public: 100% }",
            "no label",
        ),
        (
            "chain: [clinics, hospitals]",
            "chain: [clinics, hospitals], labels: { open: 10% }",
            "add up to",
        ),
        (
            "chain: [clinics, hospitals]",
            "chain: [clinics, clinics]",
            "there twice",
        ),
    ] {
        assert!(BASE.contains(from), "{from}");
        let said = mistakes(&BASE.replace(from, to));
        let said: Vec<String> = said.into_iter().map(|d| d.message).collect();
        assert!(said.iter().any(|m| m.contains(says)), "{to}: {said:?}");
    }
    let changes = "changes: { newcomer: { at: 1m, leave: { nodes: clinic-4, chain: clinics } } }\n";
    let said = mistakes(&format!("{BASE}{changes}"));
    assert!(said.iter().any(|d| d.message.contains("members change")));
    let no_relay = "adversaries: { liar: { nodes: hospital-1 } }
attacks: { lies: { at: 30s, for: 2m, lying-relay: forge } }
";
    let said = mistakes(&format!("{BASE}{no_relay}"));
    assert!(said.iter().any(|d| d.message.contains("controls no relay")));
}
