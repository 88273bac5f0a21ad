//! Whole runs with a defect put in on purpose: the check that should notice does, and the same run
//! without the defect passes.

use consim_check::outcome::{CheckOutcome, Outcome};
use consim_core::NodeId;
use consim_models::key_value;
use consim_models::sharing::{Honest, Policy, Reason};
use consim_scenarios::plan::Plan;
use consim_scenarios::run::{Hooks, execute_with, twice};
use consim_scenarios::{LoadOptions, load};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The plan of a scenario given as text.
fn plan(text: &str) -> Plan {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.yaml");
    std::fs::write(&file, text).unwrap();
    let loaded = load(&file, &LoadOptions::default());
    loaded.unwrap_or_else(|d| panic!("{}", d.render())).plan
}

/// Runs a scenario given as text; returns the outcome and the exit code.
fn run(text: &str, hooks: &Hooks) -> (Outcome, u8) {
    let run = execute_with(&plan(text), hooks, &mut |_| {}).unwrap();
    (run.results.outcome, run.exit_code)
}

fn check<'a>(outcome: &'a Outcome, name: &str) -> &'a CheckOutcome {
    let found = outcome.checks.iter().find(|c| c.name == name);
    found.unwrap_or_else(|| panic!("no check {name}"))
}

/// Six hospitals, three on each side of a cut; nobody is malicious.
const SPLIT: &str = "
consim: 1
seed: 11
duration: 3m
warmup: 10s
network: { regions: one-place }
organisations:
  hospital: { tier: tertiary, count: 6 }
chains:
  ledger: { members: hospital, consensus: pbft }
workloads:
  visits: { visits: data-sharing, load: 20/min, day: flat }
faults:
  cut: { at: 30s, for: 60s, partition: hospital-1..hospital-3 }
";

#[test]
fn a_quorum_of_2f_plus_1_at_six_members_breaks_agreement_under_a_cut() {
    // floor((6-1)/3) = 1 may fail, and 2f+1 = 3 is half of six: both sides go on by themselves.
    let wrong = Hooks {
        quorum: Some(3),
        share_executions: false,
        ..Hooks::default()
    };
    let (outcome, exit) = run(SPLIT, &wrong);
    let agreement = check(&outcome, "agreement");
    assert_eq!(agreement.verdict, "fail");
    assert!(agreement.violated > 0 && !agreement.violations.is_empty());
    assert_eq!(exit, 10);
    assert_eq!(outcome.verdict, "fail");

    let (outcome, exit) = run(SPLIT, &Hooks::default());
    for name in [
        "agreement",
        "prefix-order",
        "no-double-signing",
        "certificate",
    ] {
        assert_eq!(check(&outcome, name).verdict, "pass", "{name}");
    }
    assert_eq!(exit, 0, "{:?}", outcome.checks);
    let cut = outcome.faults.first().unwrap();
    assert!(cut.took_effect > 0);
}

/// Hospitals whose patients grant nothing.
const CLOSED: &str = "
consim: 1
seed: 5
duration: 8m
warmup: 30s
network: { regions: guangdong, links: metro }
organisations:
  hospital: { tier: tertiary, count: 4 }
chains:
  ledger: { members: hospital }
populations:
  patients: { consent: { grant: 0%, answer_in: 5s } }
workloads:
  visits: { visits: { service: data-sharing, elsewhere: 40%, emergency: 0%, resources: 2 }, load: 30/min, day: flat }
";

/// Answers whatever the rules say.
struct Generous;
impl Policy for Generous {
    fn decide(&mut self, _: Result<Reason, Reason>) -> Result<Reason, Reason> {
        Ok(Reason::Granted)
    }
}

/// Writes nothing down.
struct Silent;
impl Policy for Silent {
    fn audits_first(&self) -> bool {
        false
    }
}

/// Hands out something else than what was registered.
struct Forger;
impl Policy for Forger {
    fn release(&mut self, body: Arc<[u8]>) -> Arc<[u8]> {
        let mut body = body.to_vec();
        if let Some(last) = body.last_mut() {
            *last ^= 1;
        }
        body.into()
    }
}

fn hospital_one(policy: fn() -> Box<dyn Policy>) -> Hooks {
    Hooks {
        policy: Arc::new(move |institution| {
            if institution == 0 {
                policy()
            } else {
                Box::new(Honest)
            }
        }),
        ..Hooks::default()
    }
}

#[test]
fn a_provider_that_answers_without_a_grant_fails_the_consent_check() {
    let (outcome, exit) = run(CLOSED, &hospital_one(|| Box::new(Generous)));
    let consent = check(&outcome, "no-read-without-grant");
    assert_eq!(consent.verdict, "fail");
    assert!(
        consent
            .violations
            .iter()
            .all(|v| v.contains(&NodeId(0).to_string()) || v.contains("hospital-1")),
        "{:?}",
        consent.violations
    );
    assert_eq!(exit, 10);

    let (outcome, exit) = run(CLOSED, &Hooks::default());
    let consent = check(&outcome, "no-read-without-grant");
    assert_eq!((consent.verdict.as_str(), consent.violated), ("pass", 0));
    assert!(consent.evaluated > 100);
    assert_eq!(exit, 0, "{:?}", outcome.checks);
}

#[test]
fn a_provider_that_writes_no_audit_fails_the_audit_check() {
    let (outcome, exit) = run(CLOSED, &hospital_one(|| Box::new(Silent)));
    assert_eq!(check(&outcome, "audit-complete").verdict, "fail");
    assert_eq!(exit, 10);
}

#[test]
fn a_provider_that_forges_records_is_caught_by_the_reader() {
    let (outcome, exit) = run(CLOSED, &hospital_one(|| Box::new(Forger)));
    assert_eq!(check(&outcome, "off-chain-binding").verdict, "fail");
    assert_eq!(exit, 10);
}

/// Four nodes with a small store, which is written and read.
const STORE: &str = "
consim: 1
seed: 3
duration: 60s
warmup: 5s
network: { regions: one-place }
organisations:
  node: { tier: tertiary, count: 4 }
chains:
  ledger: { members: node, consensus: pbft }
services:
  store: { key-value: { keys: 20 } }
workloads:
  clients: { transactions: { service: store, read_share: 50% }, load: 20/s }
";

/// Answers every read with what it answered the time before, of whatever key.
struct Stale(Option<Arc<[u8]>>);
impl key_value::Policy for Stale {
    fn value(&mut self, value: Option<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        std::mem::replace(&mut self.0, value)
    }
}

#[test]
fn reads_of_a_store_are_linearizable_unless_a_server_answers_with_old_values() {
    let (outcome, exit) = run(STORE, &Hooks::default());
    let reads = check(&outcome, "linearizable-reads");
    assert_eq!((reads.verdict.as_str(), exit), ("pass", 0));
    assert!(reads.evaluated > 400, "{}", reads.evaluated);

    let stale = Hooks {
        values: Arc::new(|institution| match institution {
            1 => Box::new(Stale(None)),
            _ => Box::new(key_value::Honest),
        }),
        ..Hooks::default()
    };
    let (outcome, exit) = run(STORE, &stale);
    let reads = check(&outcome, "linearizable-reads");
    assert_eq!((reads.verdict.as_str(), exit), ("fail", 10));
    // One server of four.
    assert!(reads.violated * 3 < reads.evaluated, "{reads:?}");
}

/// Counts its answers over all runs of the process: what must never be.
struct Global(Arc<AtomicU64>);
impl key_value::Policy for Global {
    fn value(&mut self, _value: Option<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        Some(n.to_be_bytes().as_slice().into())
    }
}

#[test]
fn running_twice_finds_the_first_event_that_differs() {
    let plan = plan(STORE);
    let same = twice(&plan, &Hooks::default(), &mut |_| {}).unwrap();
    let alone = execute_with(&plan, &Hooks::default(), &mut |_| {}).unwrap();
    assert_eq!(
        same.unwrap().results.outcome.run_digest,
        alone.results.outcome.run_digest
    );

    let counter = Arc::new(AtomicU64::new(0));
    let leaky = Hooks {
        values: Arc::new(move |_| Box::new(Global(Arc::clone(&counter)))),
        ..Hooks::default()
    };
    let parted = twice(&plan, &leaky, &mut |_| {}).unwrap().unwrap_err();
    assert!(parted.same > 20, "{parted:?}");
    // The answer goes out when a vote has made the block final; only its bytes differ.
    let (first, second) = (parted.first.unwrap(), parted.second.unwrap());
    assert_ne!(first, second);
    let event = |text: &str| text.split("; its effects").next().unwrap().to_owned();
    assert_eq!(event(&first), event(&second));
    assert!(first.contains(" s at node-"), "{first}");
}

/// Answers every read with nothing, as if no key had ever been set: liars that agree.
struct Nothing;
impl key_value::Policy for Nothing {
    fn value(&mut self, _value: Option<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        None
    }
}

#[test]
fn f_liars_fool_clients_that_believe_one_server_and_no_others() {
    let liar = Hooks {
        values: Arc::new(|institution| match institution {
            1 => Box::new(Nothing),
            _ => Box::new(key_value::Honest),
        }),
        ..Hooks::default()
    };
    let several = |wait_for: &str| {
        STORE.replace(
            "pbft }",
            &format!("pbft, clients: {{ wait_for: {wait_for} }} }}"),
        )
    };
    let reads = |text: &str, hooks: &Hooks| {
        let (outcome, exit) = run(text, hooks);
        let reads = check(&outcome, "linearizable-reads").clone();
        assert!(reads.evaluated > 400, "{reads:?}");
        assert_eq!(exit, if reads.verdict == "pass" { 0 } else { 10 });
        (reads.verdict, outcome)
    };
    for honest in [
        STORE.to_owned(),
        several("one"),
        several("f+1"),
        several("quorum"),
    ] {
        assert_eq!(reads(&honest, &Hooks::default()).0, "pass");
    }
    assert_eq!(reads(STORE, &liar).0, "fail");
    assert_eq!(reads(&several("f+1"), &liar).0, "pass");

    // Where more than f lie, a value that a quorum shows can be a lie, and the check says so.
    let many = Hooks {
        values: Arc::new(|institution| match institution {
            0 => Box::new(key_value::Honest),
            _ => Box::new(Nothing),
        }),
        ..Hooks::default()
    };
    assert_eq!(reads(&several("f+1"), &many).0, "fail");
}

#[test]
fn clients_of_all_members_go_on_when_their_own_server_is_down_and_wait_longer_for_more() {
    let crash = "faults:\n  down: { at: 10s, for: rest, crash: node-2 }\n";
    let with = |wait_for: &str, faults: &str| {
        let clients = format!("pbft, clients: {{ wait_for: {wait_for} }} }}");
        let (outcome, _) = run(
            &(STORE.replace("pbft }", &clients) + faults),
            &Hooks::default(),
        );
        outcome
    };
    let availability = |outcome: &Outcome| outcome.metrics["availability"];
    // One of four institutions has lost its server.
    assert!(availability(&with("one", crash)) < 0.85);
    assert!(availability(&with("f+1", crash)) > 0.99);
    let latency = |wait_for: &str| with(wait_for, "").operations["write"].latency_ms.mean;
    assert!(latency("f+1") < latency("quorum"));
}
