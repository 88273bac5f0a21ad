//! Sites: what their institutions share, and what that does to a run.

use crate::support::{load_files, plan, plan_with, root};
use consim_check::results::Results;
use consim_kernel::config::Target;
use consim_scenarios::plan::Plan;
use consim_scenarios::run::{Hooks, execute_paired, pairs};
use consim_scenarios::{LoadOptions, load};

/// Ten members bear three: rack a holds three of them in two sites.
const BASE: &str = "consim: 1
seed: 7
duration: 30s
warmup: 2s
network:
  regions: guangdong
  links: metro
  sites:
    s1: { region: shenzhen, rack: a, power: east }
    s2: { region: shenzhen, rack: a, power: west }
    s3: { rack: b, power: east }
organisations:
  big:   { count: 4, region: guangzhou, site: s3 }
  small: { count: 3, site: [s1, s2] }
  lone:  { count: 3, region: guangzhou }
chains: { ledger: { members: all, consensus: pbft, timeout: 2s } }
services: { store: { key-value: { keys: 1k } } }
workloads: { writes: { transactions: { service: store, size: 20kB }, load: 40/s } }
";

fn with(fault: &str) -> String {
    format!("{BASE}faults:\n  x: {{ at: 10s, for: 10s, crash: {fault} }}\n")
}
fn results(plan: &Plan) -> Results {
    let run = execute_paired(plan, &pairs(plan), &Hooks::default(), 1, &|_| {});
    run.unwrap().results
}
/// Whom the fault hits, by name.
fn hit(plan: &Plan) -> Vec<String> {
    let mut kind = plan.faults["x"].kind.clone();
    let Target::Nodes(nodes) = kind.targets().remove(0).clone() else {
        panic!("nobody is named");
    };
    let name = |n: &consim_core::NodeId| plan.institutions[n.index()].name.clone();
    nodes.iter().map(name).collect()
}

#[test]
fn a_crash_of_a_rack_takes_both_of_its_sites_down_and_nobody_else() {
    let loaded = plan(&with("rack a"));
    let run = results(&loaded.plan);
    let outcome = &run.outcome;
    let inside = ["small-1", "small-2", "small-3"];
    assert_eq!(outcome.faults[0].hit, inside);
    assert_eq!(outcome.faults[0].took_effect, 3);
    for node in &run.resources {
        let expected = if inside.contains(&node.name.as_str()) {
            10.0
        } else {
            0.0
        };
        assert!((node.down_s - expected).abs() < 1e-9, "{}", node.name);
    }
    // Beside the same run without it: everybody served there went without.
    let row = &outcome.resilience[0];
    let pair = row.pair.as_ref().unwrap();
    assert_eq!(pair.without, ["x"]);
    let (during, undisturbed) = (row.during.as_ref().unwrap(), pair.during.as_ref().unwrap());
    assert!(during.lost > 0 && undisturbed.lost == 0);
    assert!(during.tx_per_s < 0.9 * undisturbed.tx_per_s);
    assert!(during.tx_per_s > 0.5 * undisturbed.tx_per_s, "seven go on");
    let failed: Vec<_> = outcome
        .checks
        .iter()
        .filter(|c| c.verdict == "fail")
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    // The pair is the run without the fault.
    let quiet = results(&plan(BASE).plan).outcome;
    assert_eq!(pair.run_digest, quiet.run_digest);
}

#[test]
fn selectors_stand_for_all_that_share_it() {
    for (selector, expected) in [
        ("site s1", "small-1 small-3"),
        ("site s2", "small-2"),
        ("site lone-2", "lone-2"),
        ("rack b", "big-1 big-2 big-3 big-4"),
        ("power west", "small-2"),
        ("2 of power east", "big-1 big-2"),
        ("power east in region shenzhen", "small-1 small-3"),
        (
            "all except rack b",
            "lone-1 lone-2 lone-3 small-1 small-2 small-3",
        ),
        ("[site s1, lone-1]", "lone-1 small-1 small-3"),
    ] {
        let loaded = plan(&with(selector));
        assert_eq!(hit(&loaded.plan).join(" "), expected, "{selector}");
        let again = plan(&loaded.plan.yaml);
        assert_eq!(again.plan.digest, loaded.plan.digest, "{selector}");
        assert_eq!(again.plan.yaml, loaded.plan.yaml, "{selector}");
    }
    // `check` says whom a selector and a site stand for.
    let loaded = plan(&with("rack a"));
    let line = |path: &str| {
        let lines = loaded.explain.iter();
        lines
            .clone()
            .find(|l| l.path == path)
            .unwrap()
            .value
            .clone()
    };
    assert_eq!(line("faults.x.crash.target"), "small-1..small-3");
    assert_eq!(line("network.sites.s1.institutions"), "small-1, small-3");
}

#[test]
fn a_group_may_be_called_rack() {
    let text = with("rack in region guangzhou").replace("lone:", "rack:");
    assert_eq!(hit(&plan(&text).plan).join(" "), "rack-1 rack-2 rack-3");
    let text = with("rack a").replace("lone:", "rack:");
    assert_eq!(hit(&plan(&text).plan).len(), 3);
}

#[test]
fn a_site_says_where_its_institutions_are_also_those_of_a_file() {
    let loaded = plan(BASE);
    let region = |plan: &Plan, name: &str| {
        let found = plan.institutions.iter().find(|i| i.name == name).unwrap();
        plan.network.regions[found.region].name.clone()
    };
    assert_eq!(region(&loaded.plan, "small-2"), "shenzhen");
    assert_eq!(region(&loaded.plan, "big-2"), "guangzhou");
    assert_eq!(loaded.plan.network.sites["s3"].members, [0, 1, 2, 3]);

    let text = BASE.replace("small: { count: 3,", "small: { from: file:clinics.csv,");
    let files = |second: &str| {
        let rows = format!("name,city\nann,shenzhen\nbob,{second}\n");
        load_files(
            &[("scenario.yaml", text.as_str()), ("clinics.csv", &rows)],
            &LoadOptions::default(),
        )
    };
    let listed = files("shenzhen")
        .unwrap_or_else(|d| panic!("{}", d.render()))
        .plan;
    assert_eq!(listed.network.sites["s2"].members.len(), 1);
    let told = files("foshan").unwrap_err().list;
    let told: Vec<&str> = told.iter().map(|d| d.code).collect();
    assert_eq!(told, ["E511"]);
}

#[test]
fn an_up_link_slows_who_shares_it_and_only_if_it_is_declared() {
    let rows = |sets: &[&str]| {
        let loaded = plan_with(BASE, sets);
        let again = plan(&loaded.plan.yaml);
        assert_eq!(again.plan.digest, loaded.plan.digest);
        let outcome = results(&loaded.plan).outcome;
        (outcome.run_digest.clone(), outcome)
    };
    let (free, usual) = rows(&[]);
    // Neither rack nor power nor the site itself changes an event until something fails.
    let flat = BASE.replace(", rack: a, power: east", "");
    assert_eq!(results(&plan(&flat).plan).outcome.run_digest, free);
    let loose = rows(&["network.sites.s3.uplink=10Gbit/s"]).1;
    let (tight, slow) = rows(&["network.sites.s3.uplink=50Mbit/s"]);
    assert_ne!(tight, free);
    let p50 = |outcome: &consim_check::outcome::Outcome| outcome.metrics["latency_p50"];
    // 40 writes of 20 kB a second are 6.4 Mbit/s. The leader is one of the site and passes them on to
    // six others outside: 38 Mbit/s.
    assert!(
        p50(&loose) < 1.05 * p50(&usual),
        "{} {}",
        p50(&loose),
        p50(&usual)
    );
    assert!(
        p50(&slow) > 1.2 * p50(&usual),
        "{} {}",
        p50(&slow),
        p50(&usual)
    );
    assert_eq!(rows(&["network.sites.s3.uplink=50Mbit/s"]).0, tight);
}

#[test]
fn the_rack_of_the_library_holds_no_more_than_the_alliance_bears() {
    let file = root().join("scenarios/attacks/rack-crash.yaml");
    let loaded = load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
    let racks = loaded.plan.network.sites.values();
    let inside = racks.filter(|s| s.rack.as_deref() == Some("rack-a"));
    let inside: usize = inside.map(|s| s.members.len()).sum();
    assert_eq!(inside, loaded.plan.chains["alliance"].f);
    let outcome = results(&loaded.plan).outcome;
    let row = &outcome.resilience[0];
    let pair = row.pair.as_ref().unwrap();
    assert!(row.downtime_s < 10.0, "the others go on");
    assert!((0.5..0.95).contains(&pair.throughput_left));
    let after = row.after.as_ref().unwrap();
    assert_eq!(after.lost, 0, "everybody is back");
}
