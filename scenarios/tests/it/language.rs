//! What a right scenario comes to.

use crate::support::{load_files, plan, plan_with, root};
use consim_core::{ChainId, Distribution, Span, Time};
use consim_kernel::config::{Delay, FaultKind, Lines, Loss, Target};
use consim_scenarios::library::LIBRARY;
use consim_scenarios::plan::{Load, WorkloadKind};
use consim_scenarios::profiles::PROFILES;
use consim_scenarios::{LoadOptions, Loaded, load};

/// The least scenario, and a place to add lines to.
const BASE: &str = "consim: 1
seed: 7
network: { regions: guangdong }
organisations:
  tertiary: { region: guangzhou }
  secondary: { count: 4 }
  community: { count: 15 }
  supervision: { tier: regulator, region: guangzhou }
chains:
  alliance: { members: all }
workloads:
  outpatients: { visits: data-sharing }
";

fn with(lines: &str) -> String {
    format!("{BASE}{lines}")
}
fn value<'a>(loaded: &'a Loaded, path: &str) -> &'a str {
    let row = loaded
        .explain
        .iter()
        .find(|row| row.path == path && row.origin != "derived");
    &row.unwrap_or_else(|| panic!("no {path}")).value
}
fn origin<'a>(loaded: &'a Loaded, path: &str) -> &'a str {
    let row = loaded
        .explain
        .iter()
        .find(|row| row.path == path && row.origin != "derived");
    &row.unwrap_or_else(|| panic!("no {path}")).origin
}
fn hit(loaded: &Loaded, fault: &str) -> Vec<String> {
    let FaultKind::Crash(crash) = &loaded.plan.faults[fault].kind else {
        panic!("{fault} is no crash");
    };
    let Target::Nodes(list) = &crash.target else {
        panic!("{fault} hits whom only the run knows");
    };
    list.iter()
        .map(|node| loaded.plan.institutions[node.index()].name.clone())
        .collect()
}
/// Who a selector is, as the target of a crash.
fn selected(selector: &str) -> String {
    hit(
        &plan(&with(&format!(
            "faults:\n  x: {{ at: 1m, for: 1m, crash: {selector} }}\n"
        ))),
        "x",
    )
    .join(" ")
}

#[test]
fn the_least_scenario_has_everything_else_by_default() {
    let loaded = plan(
        "consim: 1\norganisations: { hospital: { count: 4 } }\nworkloads: { w: { visits: data-sharing, load: 1/s } }\n",
    );
    let plan = &loaded.plan;
    assert_eq!(
        (plan.duration, plan.warmup),
        (Span::from_secs(1_800), Span::from_secs(180))
    );
    assert_eq!(plan.chains.keys().collect::<Vec<_>>(), ["ledger"]);
    assert_eq!(plan.chains["ledger"].members.len(), 4);
    assert_eq!(plan.services.keys().collect::<Vec<_>>(), ["data-sharing"]);
    assert_eq!(plan.network.link_profile, "lan");
    assert!(loaded.seed_drawn);
    assert_eq!(plan.name, "scenario");
    assert_eq!(value(&loaded, "chains.ledger.block.wait"), "500ms");
    assert_eq!(origin(&loaded, "chains.ledger.block.wait"), "default");
    assert_eq!(plan.heal_bound, Span::from_secs(20));
}

#[test]
fn institutions_are_in_node_order_and_spread_over_the_regions() {
    let loaded = plan(BASE);
    let names: Vec<&str> = loaded
        .plan
        .institutions
        .iter()
        .map(|i| i.name.as_str())
        .collect();
    assert_eq!(names[..2], ["community-1", "community-2"]);
    assert_eq!(names[9], "community-10");
    assert_eq!(
        names[15..],
        [
            "secondary-1",
            "secondary-2",
            "secondary-3",
            "secondary-4",
            "supervision-1",
            "tertiary-1"
        ]
    );
    let region = |i: usize| {
        let institution = &loaded.plan.institutions[i];
        loaded.plan.network.regions[institution.region]
            .name
            .as_str()
    };
    assert_eq!((region(20), region(19)), ("guangzhou", "guangzhou"));
    assert_eq!(
        [15, 16, 17, 18].map(region),
        ["chaozhou", "huizhou", "qingyuan", "yangjiang"]
    );
    assert_eq!(loaded.plan.institutions[0].hardware_name, "clinic-box");
    assert_eq!(
        loaded.plan.institutions[20].hardware_name,
        "hospital-server"
    );
}

#[test]
fn geographic_delays_follow_distance_detour_and_access() {
    let quiet = plan(&BASE.replace(
        "{ regions: guangdong }",
        "{ regions: { table: guangdong, use: [guangzhou, shenzhen], access: 0ms } }",
    ));
    let names: Vec<&str> = quiet
        .plan
        .network
        .regions
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(names, ["guangzhou", "shenzhen"]);
    let Distribution::Constant(one_way) = quiet.plan.network.delays[0][1] else {
        panic!()
    };
    // Guangzhou and Shenzhen are 104 km apart on the great circle: 104 / 200 x 1.6 ms.
    assert!((one_way.millis() - 0.836).abs() < 0.01, "{one_way}");
    assert_eq!(
        quiet.plan.network.delays[0][0],
        Distribution::Constant(Span::ZERO)
    );
    let farther = plan(&BASE.replace(
        "{ regions: guangdong }",
        "{ regions: { table: guangdong, use: [guangzhou, shenzhen], access: 0ms, detour: 3.2 } }",
    ));
    let Distribution::Constant(twice) = farther.plan.network.delays[0][1] else {
        panic!()
    };
    assert_eq!(twice.nanos().div_ceil(2), one_way.nanos());
    // Access is drawn once for each pair, the same both ways, between 2 and 10 ms there and back.
    let drawn = plan(&BASE.replace(
        "{ regions: guangdong }",
        "{ regions: { table: guangdong, use: [guangzhou, shenzhen] } }",
    ));
    let delays = &drawn.plan.network.delays;
    assert_eq!(delays[0][1], delays[1][0]);
    let Distribution::Constant(with_access) = delays[0][1] else {
        panic!()
    };
    let access = with_access.millis() - one_way.millis();
    assert!((1.0..=5.0).contains(&access), "{access}");
}

#[test]
fn a_round_trip_table_is_halved_and_a_one_way_table_is_not() {
    let table = "from/to,a,b\na,1,40\nb,50,3\n";
    let text = |is: &str| {
        BASE.replace(
            "{ regions: guangdong }",
            &format!("{{ regions: {{ table: 'file:rtt.csv', is: {is} }} }}"),
        )
        .replace(", region: guangzhou", "")
        .replace("region: guangzhou", "region: a")
    };
    let delay = |is: &str| {
        let files = [("s.yaml", text(is)), ("rtt.csv", table.to_owned())];
        let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (*n, t.as_str())).collect();
        let loaded = load_files(&files, &LoadOptions::default())
            .unwrap_or_else(|d| panic!("{}", d.render()));
        (
            loaded.plan.network.delays[0][1].clone(),
            loaded.plan.network.delays[1][0].clone(),
        )
    };
    let ms = |n| Distribution::Constant(Span::from_millis(n));
    assert_eq!(delay("one-way"), (ms(40), ms(50)));
    assert_eq!(delay("round-trip"), (ms(20), ms(25)));
}

#[test]
fn selectors_name_nodes() {
    assert_eq!(selected("tertiary"), "tertiary-1");
    assert_eq!(
        selected("3 of community"),
        "community-1 community-2 community-3"
    );
    assert_eq!(
        selected("community-9..community-11"),
        "community-9 community-10 community-11"
    );
    assert_eq!(selected("f of alliance").split(' ').count(), 6);
    assert_eq!(selected("f+1 of alliance").split(' ').count(), 7);
    assert_eq!(selected("quorum of alliance").split(' ').count(), 14);
    assert_eq!(selected("minority of community").split(' ').count(), 7);
    assert_eq!(selected("majority of community").split(' ').count(), 8);
    assert_eq!(selected("25% of community").split(' ').count(), 4);
    assert_eq!(selected("region guangzhou"), "supervision-1 tertiary-1");
    assert_eq!(selected("tier regulator"), "supervision-1");
    assert_eq!(selected("all except community").split(' ').count(), 6);
    assert_eq!(
        selected("all in region guangzhou except supervision"),
        "tertiary-1"
    );
    assert_eq!(selected("one of secondary"), "secondary-1");
    assert_eq!(
        selected("[tertiary, secondary-1..secondary-2]"),
        "secondary-1 secondary-2 tertiary-1"
    );
    let leader = plan(&with(
        "faults:\n  x: { at: 1m, for: 1m, crash: leader of alliance }\n",
    ));
    assert!(
        matches!(&leader.plan.faults["x"].kind, FaultKind::Crash(c) if c.target == Target::LeaderOf(ChainId(0)))
    );
    assert!(origin(&leader, "faults.x.crash.target").starts_with("at run time"));
}

#[test]
fn random_picks_hang_on_seed_and_entry_and_a_new_node_changes_at_most_one() {
    let pick = |seed: u64, name: &str, count: u64| {
        let text = BASE
            .replace("seed: 7", &format!("seed: {seed}"))
            .replace("count: 15", &format!("count: {count}"));
        let loaded = plan(&format!(
            "{text}faults:\n  {name}: {{ at: 1m, for: 1m, crash: random 5 of community }}\n"
        ));
        hit(&loaded, name)
    };
    let first = pick(7, "x", 15);
    assert_eq!(first, pick(7, "x", 15));
    assert_ne!(first, pick(8, "x", 15));
    assert_ne!(first, pick(7, "y", 15));
    let more = pick(7, "x", 16);
    assert!(
        first.iter().filter(|n| more.contains(n)).count() >= 4,
        "{first:?} {more:?}"
    );
}

#[test]
fn windows_repeat_and_hang_on_each_other() {
    let loaded = plan(&with(
        "faults:
  a: { at: 5m, for: 30s, every: 10m, crash: tertiary }
  b: { at: a + 10s, until: end of a + 1m, partition: tertiary }
  c: { at: '2026-03-02T08:20:00+08:00', for: rest, loss: tertiary }
  d: { at: 1m, for: 1m, every: 5m, times: 2, crash: secondary-1 }
  e: { at: 1m, for: 1m, enabled: false, crash: secondary-1 }
",
    ));
    let windows: Vec<(String, f64, f64)> = loaded
        .plan
        .faults
        .iter()
        .map(|(id, f)| (id.clone(), f.from.seconds(), f.to.seconds()))
        .collect();
    let expected = [
        ("a", 300.0, 330.0),
        ("a#2", 900.0, 930.0),
        ("a#3", 1_500.0, 1_530.0),
        ("b", 310.0, 390.0),
        ("c", 1_200.0, 1_800.0),
        ("d", 60.0, 120.0),
        ("d#2", 360.0, 420.0),
    ];
    let expected: Vec<(String, f64, f64)> = expected
        .iter()
        .map(|(n, a, b)| ((*n).to_owned(), *a, *b))
        .collect();
    assert_eq!(windows, expected);
}

#[test]
fn ranges_are_drawn_once_from_the_entrys_own_stream_and_shown() {
    let text = with("faults:\n  x: { at: 5m..10m, for: 10s..60s, crash: tertiary }\n");
    let loaded = plan(&text);
    let x = &loaded.plan.faults["x"];
    assert!(
        x.from >= Time::ZERO + Span::from_secs(300) && x.from <= Time::ZERO + Span::from_secs(600)
    );
    assert_eq!(
        value(&loaded, "faults.x.at"),
        Span::from_nanos(x.from.nanos()).to_string()
    );
    assert!(origin(&loaded, "faults.x.at").starts_with("drawn"));
    let more = plan(&format!(
        "{text}  a: {{ at: 5m..10m, for: 10s, crash: secondary-1 }}\n"
    ));
    assert_eq!(
        more.plan.faults["x"].from, x.from,
        "another entry redraws nothing"
    );
    let chance = plan(&with(
        "faults:\n  x: { at: 1m, for: 1s, every: 10s, chance: 30%, crash: tertiary }\n",
    ));
    let n = chance.plan.faults.len();
    assert!((30..80).contains(&n), "{n} of 174 at 30 %");
}

#[test]
fn loads_give_rates_to_institutions() {
    let rates = |line: &str| match plan(&BASE.replace(
        "visits: data-sharing",
        &format!("visits: data-sharing, {line}"),
    ))
    .plan
    .workloads["outpatients"]
        .load
        .clone()
    {
        Load::Rates { rates, .. } => rates,
        _ => panic!(),
    };
    let each = rates("load: { each: { tertiary: 10/s, community: 1/s } }");
    assert_eq!(each.values().sum::<u64>(), 25_000_000_000);
    assert_eq!(each[&20], 10_000_000_000);
    let open = rates("load: 7/s");
    assert_eq!(
        (open.len(), open.values().sum::<u64>()),
        (20, 7_000_000_000)
    );
    let from = rates("load: 7/s, from: tertiary");
    assert_eq!(from.into_iter().collect::<Vec<_>>(), [(20, 7_000_000_000)]);
    let usual = rates("deadline: 10s");
    assert_eq!(usual[&20], 2_000 * 1_000_000_000 / 86_400);
}

#[test]
fn transactions_bring_a_store_on_the_only_chain_or_name_one() {
    let store = |lines: &str| {
        let text = BASE.replace("  outpatients: { visits: data-sharing }", lines);
        assert_ne!(text, BASE);
        plan(&text)
    };
    let usual = store("  v: { transactions: key-value }");
    let by_chain = store("  v: { transactions: alliance }");
    for loaded in [&usual, &by_chain] {
        let (name, service) = loaded.plan.services.iter().next().unwrap();
        assert_eq!((name.as_str(), service.kind()), ("key-value", "key-value"));
        assert_eq!(loaded.plan.workloads["v"].service, "key-value");
    }
    let options = |loaded: &Loaded| match &loaded.plan.workloads["v"].kind {
        WorkloadKind::Transactions(options) => *options,
        other => panic!("{other:?}"),
    };
    // 512 bytes with 14 of the command's own head.
    let usual = options(&usual);
    assert_eq!((usual.size, usual.read_share), (498, 0));
    assert_eq!((usual.keys, usual.skew), (1_000_000, 0));
    let told = store(
        "  v: { transactions: { service: s, size: 100B, read_share: 20% }, load: 5/s }\nservices: { s: { key-value: { keys: 10, skew: 99% } } }",
    );
    let told = options(&told);
    assert_eq!((told.size, told.read_share), (86, 200_000_000));
    assert_eq!((told.keys, told.skew), (10, 990_000_000));
}

#[test]
fn link_faults_take_a_target_a_pair_or_two_ends() {
    let loaded = plan(&with(
        "faults:
  a: { at: 1m, for: 1m, loss: { target: tertiary, rate: 1% } }
  b: { at: 1m, for: 1m, loss: { between: [tertiary, community], rate: 2% } }
  c: { at: 1m, for: 1m, delay: { from: tertiary, to: all, add: { normal: { mean: 50ms, sd: 5ms } } } }
",
    ));
    assert!(matches!(
        &loaded.plan.faults["a"].kind,
        FaultKind::Loss(Loss {
            lines: Lines::Of(_),
            rate_ppb: 10_000_000,
            ..
        })
    ));
    assert!(matches!(
        &loaded.plan.faults["b"].kind,
        FaultKind::Loss(Loss {
            lines: Lines::Between(..),
            rate_ppb: 20_000_000,
            ..
        })
    ));
    assert!(matches!(
        &loaded.plan.faults["c"].kind,
        FaultKind::Delay(Delay {
            lines: Lines::FromTo(..),
            add: Distribution::Normal { .. }
        })
    ));
}

#[test]
fn hardware_takes_a_profile_and_what_differs() {
    let loaded = plan(&format!(
        "{}hardware: {{ fast: {{ profile: hospital-server, cores: 32, disk: {{ fsync: 1ms }} }} }}\n",
        BASE.replace("tertiary: {", "tertiary: { hardware: fast,")
    ));
    let fast = &loaded.plan.institutions[20].hardware;
    assert_eq!(
        (fast.cores, fast.fsync.clone()),
        (32, Distribution::Constant(Span::from_millis(1)))
    );
    assert_eq!(fast.disk_write, 200_000_000);
    assert_eq!(loaded.plan.institutions[0].hardware.cores, 4);
}

#[test]
fn a_base_lies_under_a_file_and_remove_cuts_it() {
    let over = "consim: 1
base: under/base.yaml
remove: [faults.x, workloads.outpatients.load]
duration: 1h
organisations: { community: { count: 3 } }
workloads:
  outpatients: { consents: { service: data-sharing, grant: 100%, deny: 0%, revoke: 0% } }
network: { links: { rate: 10Mbit/s } }
";
    let base = with("faults:\n  x: { at: 1m, for: 1m, crash: tertiary }\n  y: { at: 1m, for: 1m, crash: tertiary }\n")
        .replace("visits: data-sharing", "visits: data-sharing, load: 3/s, deadline: 9s")
        .replace("{ regions: guangdong }", "{ regions: guangdong, links: aws-wan }");
    let loaded = load_files(
        &[("s.yaml", over), ("under/base.yaml", &base)],
        &LoadOptions::default(),
    )
    .unwrap_or_else(|d| panic!("{}", d.render()));
    assert_eq!(loaded.plan.duration, Span::from_secs(3_600));
    assert_eq!(loaded.plan.faults.keys().collect::<Vec<_>>(), ["y"]);
    assert_eq!(loaded.plan.institutions.len(), 9);
    // The kind is replaced whole, the common keys stay; a profile and a key beside it merge.
    let workload = &loaded.plan.workloads["outpatients"];
    assert!(matches!(
        workload.kind,
        consim_scenarios::plan::WorkloadKind::Consents(_)
    ));
    assert_eq!(workload.deadline, Some(Span::from_secs(9)));
    assert_eq!(
        (
            loaded.plan.network.link_profile.as_str(),
            loaded.plan.network.link.rate
        ),
        ("aws-wan", 10_000_000)
    );
    assert!(origin(&loaded, "faults.y.at").starts_with("base "));
}

#[test]
fn overrides_reach_through_short_forms_and_choices() {
    let loaded = plan_with(
        BASE,
        &[
            "chains.alliance.block.wait=250ms",
            "chains.alliance.consensus.pbft.pipeline=3",
            "workloads.outpatients.visits.emergency=50%",
            "network.links.loss=3%",
            "expect.workloads.outpatients.latency_p99=at most 9s",
            "faults.new={ at: 1m, for: 1m, crash: tertiary }",
            "organisations.community.count=3",
        ],
    );
    assert_eq!(value(&loaded, "chains.alliance.block.wait"), "250ms");
    assert_eq!(
        value(&loaded, "chains.alliance.consensus.pbft.pipeline"),
        "3"
    );
    assert_eq!(
        value(&loaded, "workloads.outpatients.visits.emergency"),
        "50%"
    );
    assert_eq!(
        value(&loaded, "workloads.outpatients.visits.service"),
        "data-sharing"
    );
    assert_eq!(loaded.plan.network.link.loss_ppb, 30_000_000);
    assert_eq!(
        loaded.plan.expect[0].path,
        "workloads.outpatients.latency_p99"
    );
    assert_eq!(loaded.plan.faults.len(), 1);
    assert_eq!(loaded.plan.institutions.len(), 9);
    assert_eq!(origin(&loaded, "chains.alliance.block.wait"), "--set");
}

#[test]
fn the_digest_is_of_what_can_change_an_event() {
    let digest = |text: &str| plan(text).plan.digest;
    let base = digest(BASE);
    let same = [
        (
            "a default spelled out",
            BASE.replace(
                "members: all",
                "members: all, consensus: pbft, block: { wait: 500ms }",
            ),
        ),
        (
            "another unit",
            BASE.replace("seed: 7", "seed: 7\nduration: 1800s"),
        ),
        (
            "the long form",
            BASE.replace("visits: data-sharing", "visits: { service: data-sharing }"),
        ),
        (
            "about, a gate, a source",
            with(
                "about: Words.\nexpect: { availability: at least 1% }\nsources: { duration: a guess }\noutput: { interval: 5s }\n",
            ),
        ),
        ("another order", {
            let (head, workloads) = BASE.split_once("workloads:\n").unwrap();
            head.replace(
                "chains:",
                "workloads:\n  outpatients: { visits: data-sharing }\nchains:",
            ) + workloads.split_once('\n').map_or("", |(_, rest)| rest)
        }),
        (
            "a selector for the same nodes",
            BASE.replace(
                "members: all",
                "members: [community, secondary, supervision, tertiary]",
            ),
        ),
        (
            "a profile's value spelled out",
            BASE.replace(
                "{ regions: guangdong }",
                "{ regions: guangdong, links: { profile: metro, rate: 100Mbit/s } }",
            ),
        ),
    ];
    for (what, text) in &same {
        assert_eq!(digest(text), base, "{what}\n{text}");
    }
    let other = [
        BASE.replace("seed: 7", "seed: 8"),
        BASE.replace("count: 15", "count: 14"),
        BASE.replace("members: all", "members: all, block: { wait: 501ms }"),
        BASE.replace("members: all", "members: all except community-3"),
        BASE.replace(
            "{ regions: guangdong }",
            "{ regions: guangdong, links: { profile: metro, rate: 99Mbit/s } }",
        ),
        BASE.replace("outpatients:", "inpatients:"),
        with("faults:\n  x: { at: 1m, for: 1m, crash: tertiary }\n"),
        with("checks: { except: [merkle] }\n"),
    ];
    for text in &other {
        assert_ne!(digest(text), base, "{text}");
    }
    let design = |text: &str| plan(text).plan.design_digest;
    let drawn = with("faults:\n  x: { at: 5m..10m, for: 1m, crash: random 2 of community }\n");
    assert_eq!(design(&drawn), design(&drawn.replace("seed: 7", "seed: 8")));
    assert_ne!(digest(&drawn), digest(&drawn.replace("seed: 7", "seed: 8")));
    assert_ne!(
        design(BASE),
        design(&BASE.replace("count: 15", "count: 14"))
    );
}

/// `plan.yaml` is itself a scenario, without a base, that resolves to the same plan.
#[test]
fn the_plan_is_a_scenario_with_the_same_digest() {
    let again = |loaded: &Loaded| {
        let second = plan(&loaded.plan.yaml);
        assert_eq!(
            second.plan.digest, loaded.plan.digest,
            "{}",
            loaded.plan.yaml
        );
        assert_eq!(second.plan.name, loaded.plan.name);
        assert_eq!(second.plan.expect, loaded.plan.expect);
        assert_eq!(
            second.plan.yaml, loaded.plan.yaml,
            "the plan of the plan is the plan"
        );
    };
    again(&plan(BASE));
    again(&plan(&with(
        "about: 'Odd: \"text\", 100% # no comment'
faults:
  a: { at: 5m..10m, for: 10s..60s, crash: random 3 of community }
  b: { at: 1m, for: 1m, every: 5m, chance: 50%, partition: region guangzhou }
  c: { at: 1m, for: 1m, loss: { between: [tertiary, community], rate: 2% } }
  d: { at: end of a + 1s, for: rest, crash: leader of alliance }
expect: { workloads.outpatients.latency_p99: within 5% of 2s, availability: at least 99% }
sources: { duration: { source: 'a guess: half an hour', assumed: true }, 2: { source: nobody knows, assumed: true } }
checks: { except: [merkle] }
hardware: { big: { profile: hospital-server, cores: 64 } }
",
    )));
    again(&plan(&BASE.replace("{ regions: guangdong }", "{ regions: { places: { a: { lat: 1.5, lon: -2 }, guangzhou: { lat: 3, lon: 4 } } }, links: aws-wan }")));
    for entry in LIBRARY {
        let file = root().join(entry.path);
        let loaded =
            load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
        // What reads files is planned again from its own folder in another test.
        if !loaded.plan.yaml.contains("../data") && loaded.plan.variant.is_none() {
            again(&loaded);
        }
    }
}

#[test]
fn every_file_of_the_library_and_of_the_profiles_is_built_in() {
    let count = |folder: &str| {
        let read = std::fs::read_dir(root().join(folder)).unwrap();
        read.filter(|e| {
            e.as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|x| x == "yaml")
        })
        .count()
    };
    let folders = [
        "attacks",
        "claims",
        "experiments",
        "paper",
        "protocols",
        "studies",
    ];
    let scenarios: usize = folders
        .iter()
        .map(|f| count(&format!("scenarios/{f}")))
        .sum();
    assert_eq!(scenarios, LIBRARY.len());
    let folders = ["day", "hardware", "links", "regions", "signatures"];
    let profiles: usize = folders
        .iter()
        .map(|f| count(&format!("scenarios/profiles/{f}")))
        .sum();
    assert_eq!(profiles, PROFILES.len());
    for profile in PROFILES {
        assert!(profile.about().ends_with('.'), "{}", profile.name);
    }
    for scenario in LIBRARY {
        assert!(scenario.about().ends_with('.'), "{}", scenario.name);
        // These two read files beside them, which are not built in.
        if !["alliance-roster", "alliance-sharing-fhir"].contains(&scenario.name) {
            let based = plan(&format!("consim: 1\nbase: preset:{}\n", scenario.name));
            assert!(!based.plan.workloads.is_empty());
        }
    }
}

#[test]
fn aws_regions_are_read_as_round_trips() {
    let loaded = plan(
        &BASE
            .replace(
                "regions: guangdong",
                "regions: { table: aws21, use: [us-east-1, eu-central-1] }",
            )
            .replace(", region: guangzhou", "")
            .replace("region: guangzhou", "region: us-east-1"),
    );
    let names: Vec<&str> = loaded
        .plan
        .network
        .regions
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(names, ["eu-central-1", "us-east-1"]);
    // cloudping: 94.97 ms there and back from us-east-1 to eu-central-1.
    assert_eq!(
        loaded.plan.network.delays[1][0],
        Distribution::Constant(Span::from_micros(47_485))
    );
}

#[test]
fn a_protocol_without_evidence_says_so_where_somebody_lies() {
    let says = |name: &str| {
        let file = root().join("scenarios/attacks").join(name);
        let notes = load(&file, &LoadOptions::default()).unwrap().plan.notes;
        notes.iter().any(|note| note.contains("nobody can say who"))
    };
    assert!(says("raft-one-traitor.yaml"));
    assert!(!says("raft-leader-crash.yaml") && !says("pbft-f-plus-1.yaml"));
}
