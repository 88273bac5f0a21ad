//! Several chains in one run: each has its members, its protocol, its signatures and its service, and what happens to
//! one does not touch the others.

use crate::support::{mistakes, plan};
use consim_check::outcome::CheckOutcome;
use consim_check::results::Results;
use consim_scenarios::plan::Plan;
use consim_scenarios::run::execute;

const BASE: &str = "consim: 1
seed: 7
duration: 40s
warmup: 2s
network: { regions: guangdong, links: metro }
organisations:
  hospital: { tier: tertiary, count: 4 }
  station:  { tier: station, count: 5 }
chains:
  hospitals: { members: hospital, consensus: tendermint, signatures: p256, timeout: 1s }
  stations:  { members: station, consensus: hotstuff, timeout: 1s }
services:
  records: { data-sharing: { chain: hospitals } }
  store:   { key-value: { chain: stations, keys: 100 } }
workloads:
  outpatients: { visits: records, load: 6/min }
  writes:      { transactions: { service: store, read_share: 50% }, load: 20/s }
";

fn results(plan: &Plan) -> Results {
    execute(plan, &mut |_| {}).unwrap().results
}
fn check<'a>(results: &'a Results, name: &str) -> &'a CheckOutcome {
    let mut checks = results.outcome.checks.iter();
    checks.find(|check| check.name == name).unwrap()
}

#[test]
fn each_chain_has_its_own_protocol_signatures_and_service() {
    let run = results(&plan(BASE).plan);
    let chains = &run.outcome.chains;
    assert_eq!(chains[0].protocol, "tendermint");
    assert_eq!(chains[1].protocol, "hotstuff");
    assert!(chains.iter().all(|chain| chain.height > 10), "{chains:?}");
    assert_eq!(run.outcome.verdict, "pass");
    // Generic checks judge both, those of a domain its own service.
    assert!(check(&run, "agreement").evaluated >= chains.iter().map(|c| c.height).sum());
    assert!(check(&run, "no-read-without-grant").evaluated > 0);
    assert!(check(&run, "linearizable-reads").evaluated > 0);
}

#[test]
fn what_a_chain_does_alone_is_what_it_does_beside_another() {
    let alone = BASE
        .replace(
            "  stations:  { members: station, consensus: hotstuff, timeout: 1s }\n",
            "",
        )
        .replace(
            "  store:   { key-value: { chain: stations, keys: 100 } }\n",
            "",
        )
        .lines()
        .filter(|line| !line.starts_with("  writes:"))
        .fold(String::new(), |text, line| text + line + "\n");
    let (both, alone) = (results(&plan(BASE).plan), results(&plan(&alone).plan));
    assert_eq!(
        both.outcome.chains[0].height,
        alone.outcome.chains[0].height
    );
    let visits = |run: &Results| run.outcome.operations["register"].committed;
    assert_eq!(visits(&both), visits(&alone));
}

#[test]
fn a_fault_of_one_chain_leaves_the_other_alone() {
    let fault =
        "faults: { gone: { at: 10s, for: rest, crash: 2 of hospitals } }\nheal: { bound: 5s }\n";
    let run = results(&plan(&format!("{BASE}{fault}")).plan);
    let quiet = results(&plan(BASE).plan);
    let [hospitals, stations] = [0, 1].map(|i| run.outcome.chains[i].height);
    assert!(
        hospitals < quiet.outcome.chains[0].height / 2,
        "{hospitals}"
    );
    assert!(stations + 5 > quiet.outcome.chains[1].height, "{stations}");
}

#[test]
fn an_attack_forks_the_chain_that_it_is_on_and_no_other() {
    let attack = "adversaries: { pair: { nodes: 2 of hospitals } }
attacks: { twice: { at: 10s, for: 20s, twins: hospitals } }
";
    let run = results(&plan(&format!("{BASE}{attack}")).plan);
    let agreement = check(&run, "agreement");
    assert_eq!(agreement.verdict, "fail");
    let first = agreement.violations.first().unwrap();
    assert!(first.contains("hospital-"), "{first}");
    assert_eq!(run.outcome.attacks[0]["metrics"]["wrongly_accused"], 0.0);
}

#[test]
fn changes_of_members_and_an_administrator_belong_to_one_chain() {
    let text = BASE
        .replace(
            "consensus: hotstuff, timeout: 1s",
            "consensus: qbft, timeout: 1s",
        )
        .replace("members: station,", "members: [station, hospital-5],")
        .replace(
            "hospital: { tier: tertiary, count: 4 }",
            "hospital: { tier: tertiary, count: 5 }",
        )
        .replace("members: hospital,", "members: hospital-1..hospital-4,");
    let changes = "changes:
  newcomer: { at: 10s, join: { nodes: hospital-5, chain: stations } }
  other-key: { at: 15s, replace-keys: { nodes: hospital-2, chain: hospitals } }
";
    let run = results(&plan(&format!("{text}{changes}")).plan);
    assert_eq!(run.outcome.verdict, "pass");
    for name in ["newcomer", "other-key"] {
        assert!(
            run.outcome
                .metrics
                .contains_key(&format!("changes.{name}.took")),
            "{name}"
        );
    }
}

/// What is wrong with a scenario of several chains.
fn wrong(text: &str) -> Vec<String> {
    mistakes(text).into_iter().map(|d| d.message).collect()
}

#[test]
fn what_several_chains_cannot_do_yet_is_said() {
    let both = BASE.replace("members: station,", "members: [station, hospital-1],");
    let said = wrong(&both);
    assert!(
        said.iter()
            .any(|m| m.contains("hospital-1, a member of hospitals")),
        "{said:?}"
    );
    let without = BASE.replace(
        "key-value: { chain: stations,",
        "key-value: { chain: hospitals,",
    );
    let said = wrong(&without);
    assert!(
        said.iter()
            .any(|m| m.contains("stations, a chain without a service")),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|m| m.contains("store, a second service on hospitals")),
        "{said:?}"
    );
    let over = BASE.replace("load: 6/min", "load: 6/min, from: station");
    let said = wrong(&over);
    assert!(
        said.iter().any(|m| m.contains("whose people ask stations")),
        "{said:?}"
    );
}
