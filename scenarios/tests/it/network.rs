//! Lines, transports, regions, machines and signature schemes, from YAML to the figures of a run.

use crate::support::{load_files, load_text, plan, plan_with};
use consim_core::{Distribution, Span};
use consim_kernel::config::{Burst, Hardware, Link, Tcp};
use consim_scenarios::plan::Plan;
use consim_scenarios::profiles::PROFILES;
use consim_scenarios::run::{Run, execute};
use consim_scenarios::{LoadOptions, Loaded};

/// Seven institutions of one city, a minute of visits.
const BASE: &str = "consim: 1
seed: 7
duration: 1m
warmup: 5s
network: { regions: { table: guangdong, use: [guangzhou, shenzhen] }, links: metro }
organisations:
  tertiary: { count: 2, region: guangzhou }
  community: { count: 5, region: shenzhen }
chains:
  alliance: { members: all }
workloads:
  outpatients: { visits: data-sharing, load: { each: { tertiary: 20/min, community: 10/min } }, day: flat }
";

fn with_network(network: &str) -> Loaded {
    plan(&with_network_text(network))
}
fn with_network_text(network: &str) -> String {
    let whole = "{ regions: { table: guangdong, use: [guangzhou, shenzhen] }, links: metro }";
    BASE.replace(whole, network)
}
fn link(keys: &str) -> Link {
    with_network(&format!("{{ links: {{ profile: lan, {keys} }} }}").replace(
        "{ links",
        "{ regions: { table: guangdong, use: [guangzhou, shenzhen] }, links",
    ))
    .plan
    .network
    .link
}
fn run(plan: &Plan) -> Run {
    execute(plan, &mut |_| {}).unwrap()
}
fn metric(run: &Run, word: &str) -> f64 {
    let metrics = &run.results.outcome.metrics;
    *metrics
        .get(word)
        .unwrap_or_else(|| panic!("no {word} in {metrics:?}"))
}
/// The metric `word` of a run over lines with these keys beside `lan`.
fn ran(keys: &str, word: &str) -> f64 {
    let keys = format!("network.links={{ profile: lan, {keys} }}");
    metric(&run(&plan_with(BASE, &[&keys]).plan), word)
}

#[test]
fn every_key_of_a_line_reaches_the_kernel() {
    let ms = Span::from_millis;
    let delay = |text: &str| link(&format!("delay: {text}")).delay;
    assert_eq!(delay("3ms"), Distribution::Constant(ms(3)));
    assert_eq!(
        delay("{ pareto: { least: 20ms, shape: 2.5 } }"),
        Distribution::Pareto {
            least: ms(20),
            shape_permille: 2_500
        }
    );
    assert_eq!(
        link("rate: none, connection_rate: 8Mbit/s"),
        Link {
            rate: 0,
            connection_rate: 8_000_000,
            ..link("rate: 1Gbit/s")
        }
    );
    let burst =
        link("loss: { rate: 1%, burst: { good_to_bad: 2%, bad_to_good: 20%, loss_in_bad: 30% } }");
    assert_eq!(burst.loss_ppb, 10_000_000);
    assert_eq!(
        burst.burst,
        Some(Burst {
            good_to_bad_ppb: 20_000_000,
            bad_to_good_ppb: 200_000_000,
            loss_in_bad_ppb: 300_000_000
        })
    );
    let shares = link("duplicate: 1%, reorder: 2%, corrupt: 3ppm, queue: 2MB");
    assert_eq!(
        (shares.duplicate_ppb, shares.reorder_ppb, shares.corrupt_ppb),
        (10_000_000, 20_000_000, 3_000)
    );
    assert_eq!(shares.queue, 2_000_000);
    assert!(!link("transport: datagram").stream);
    let tcp = "transport: { stream: { nagle: true, window: 1.5MB, slow_start: true } }";
    assert_eq!(
        link(tcp).tcp,
        Tcp {
            nagle: true,
            delayed_ack: ms(40),
            window: 1_500_000,
            slow_start: true
        }
    );
    assert_eq!(link("transport: stream").tcp, Tcp::default());
}

#[test]
fn a_line_does_to_a_run_what_its_keys_say() {
    let plain = ran("delay: 5ms", "latency_mean");
    for keys in [
        "delay: 25ms",
        "delay: { pareto: { least: 5ms, shape: 1.5 } }",
        "delay: 5ms, rate: 1Mbit/s",
        "delay: 5ms, connection_rate: 1Mbit/s",
        "delay: 5ms, loss: 2%",
        "delay: 5ms, loss: { burst: { good_to_bad: 1%, bad_to_good: 20%, loss_in_bad: 50% } }",
        "delay: 5ms, transport: { stream: { nagle: true } }",
        "delay: 5ms, transport: { stream: { window: 2kB } }",
        "delay: 5ms, reorder: 30%",
    ] {
        let found = ran(keys, "latency_mean");
        assert!(
            found > plain * 1.005,
            "{keys}: {found} is not above {plain}"
        );
    }
    let datagrams = "transport: datagram, delay: 5ms";
    for (keys, word) in [
        ("loss: 1%", "lost"),
        ("duplicate: 1%", "duplicated"),
        ("reorder: 1%", "reordered"),
        ("rate: 200kbit/s, queue: 1kB", "overflowed"),
    ] {
        assert!(ran(&format!("{datagrams}, {keys}"), word) > 10.0, "{keys}");
        assert_eq!(ran("delay: 5ms, loss: 0%", word), 0.0, "{word}");
    }
    assert!(ran("delay: 5ms, loss: 1%", "retransmitted") > 10.0);
    assert_eq!(ran("delay: 5ms, loss: 1%", "lost"), 0.0);
}

/// Whatever a line flips, the chain agrees and every corrupted message is refused.
#[test]
fn corrupted_messages_are_refused_and_do_no_harm() {
    let set = "network.links={ profile: lan, delay: 5ms, corrupt: 1% }";
    let run = run(&plan_with(BASE, &[set]).plan);
    let corrupted = metric(&run, "corrupted");
    assert!(corrupted > 100.0, "{corrupted}");
    // What is on its way at the end is not refused any more.
    let refused = metric(&run, "refused");
    assert!(corrupted - refused < 20.0, "{refused} of {corrupted}");
    assert!(metric(&run, "availability") > 0.5);
    let wrong =
        |c: &&consim_check::outcome::CheckOutcome| c.verdict == "fail" && c.code.starts_with('I');
    let failed: Vec<_> = run.results.outcome.checks.iter().filter(wrong).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn rules_change_the_lines_they_name_and_later_ones_win_key_by_key() {
    let loaded = with_network(
        "{ regions: guangdong, links: { profile: lan, delay: 1ms }, rules: [
          { between: [tertiary, community], delay: 10ms, rate: 10Mbit/s },
          { from: community-2, to: tertiary-1, delay: 30ms },
          { from: alliance, to: community-5, loss: 5%, transport: datagram } ] }",
    );
    let network = &loaded.plan.network;
    let name = |i: &str| {
        let found = loaded.plan.institutions.iter().position(|x| x.name == i);
        found.unwrap()
    };
    let line = |from: &str, to: &str| {
        let group = |i: &str| usize::from(network.groups.of_site[name(i)]);
        match network.groups.line[group(from)][group(to)] {
            Some(i) => network.groups.links[usize::from(i)].clone(),
            None => network.link.clone(),
        }
    };
    let ms = |n| Distribution::Constant(Span::from_millis(n));
    assert_eq!(line("tertiary-1", "tertiary-2"), network.link);
    assert_eq!(line("community-1", "community-2"), network.link);
    let both = line("tertiary-1", "community-2");
    assert_eq!((both.delay.clone(), both.rate), (ms(10), 10_000_000));
    assert_eq!(line("community-1", "tertiary-2"), both);
    // One way only, and the first rule's rate stays.
    let slow = line("community-2", "tertiary-1");
    assert_eq!((slow.delay, slow.rate), (ms(30), 10_000_000));
    assert_eq!(line("tertiary-1", "community-2").delay, ms(10));
    let lossy = line("community-1", "community-5");
    assert_eq!(
        (lossy.loss_ppb, lossy.stream, lossy.delay),
        (50_000_000, false, ms(1))
    );
    let mixed = line("tertiary-2", "community-5");
    assert_eq!((mixed.loss_ppb, mixed.delay), (50_000_000, ms(10)));
    assert!(line("community-5", "tertiary-2").stream);
    // No more lines than there are combinations.
    assert!(network.groups.links.len() <= 5);
    // It runs, and a rule makes a difference.
    let figure =
        |loaded: &Loaded| metric(&run(&loaded.plan), "organisations.tertiary.latency_mean");
    let without = with_network("{ regions: guangdong, links: { profile: lan, delay: 1ms } }");
    assert!(figure(&loaded) > figure(&without) + 5.0);
    assert!(metric(&run(&loaded.plan), "lost") > 0.0);
}

#[test]
fn an_item_of_a_list_is_reached_by_its_number_and_the_plan_is_a_scenario_again() {
    let text = with_network_text(
        "{ regions: guangdong, rules: [ { between: [tertiary, community], loss: 1% }, { from: tertiary, to: all, delay: { normal: { mean: 3ms, sd: 1ms } } } ] }",
    );
    let loaded = plan_with(&text, &["network.rules.0.loss=3%"]);
    let link = &loaded.plan.network.groups.links;
    assert!(link.iter().any(|l| l.loss_ppb == 30_000_000), "{link:?}");
    assert!(link.iter().all(|l| l.loss_ppb != 10_000_000));
    let again = plan(&loaded.plan.yaml);
    assert_eq!(
        again.plan.digest, loaded.plan.digest,
        "{}",
        loaded.plan.yaml
    );
    assert_eq!(again.plan.network.groups, loaded.plan.network.groups);
    // Eleven rules: their order matters, and 10 comes after 2.
    let many: Vec<String> = (1..=11)
        .map(|n| format!("{{ from: all, to: all, delay: {n}ms }}"))
        .collect();
    let many = plan(&with_network_text(&format!(
        "{{ regions: guangdong, rules: [{}] }}",
        many.join(", ")
    )));
    let last = |plan: &Plan| plan.network.groups.links[0].delay.clone();
    assert_eq!(
        last(&many.plan),
        Distribution::Constant(Span::from_millis(11))
    );
    assert_eq!(last(&plan(&many.plan.yaml).plan), last(&many.plan));
}

#[test]
fn wrong_rules_and_lines_are_told_with_their_place() {
    let told = |network: &str| {
        let network = &network.replacen('{', "{ regions: guangdong,", 1);
        let errors = load_text(&with_network_text(network)).unwrap_err();
        let each = errors.list.iter().map(|d| {
            let line = with_network_text(network)
                .lines()
                .nth(d.line - 1)
                .unwrap()
                .to_owned();
            let under: String = line.chars().skip(d.column - 1).take(d.length).collect();
            format!("{} `{under}` {} | {}", d.code, d.message, d.help)
        });
        each.collect::<Vec<_>>().join("\n")
    };
    let one = |network: &str, code: &str, under: &str, says: &str| {
        let found = told(network);
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(found.starts_with(&format!("{code} `{under}`")), "{found}");
        assert!(found.contains(says), "{found}");
    };
    one(
        "{ rules: [ { loss: 1% } ] }",
        "E211",
        "{",
        "from: tertiary, to: all",
    );
    one(
        "{ rules: [ { from: tertiary, loss: 1% } ] }",
        "E211",
        "{",
        "between",
    );
    one(
        "{ rules: [ { between: [tertiary, comunity], loss: 1% } ] }",
        "E301",
        "comunity",
        "did you mean `community`",
    );
    one(
        "{ rules: [ { from: leader of alliance, to: all, loss: 1% } ] }",
        "E306",
        "leader of alliance",
        "name the nodes",
    );
    one("{ rules: { loss: 1% } }", "E211", "{", "a list is expected");
    one(
        "{ rules: [ { from: all, to: all, los: 1% } ] }",
        "E201",
        "los",
        "`loss`",
    );
    one(
        "{ links: { profile: lan, rate: 0bit/s } }",
        "E107",
        "0bit/s",
        "none",
    );
    one(
        "{ links: { profile: lan, rate: none, queue: 2MB } }",
        "E504",
        "2MB",
        "never full",
    );
    one(
        "{ links: { profile: lan, transport: { datagram: { nagle: true } } } }",
        "E204",
        "nagle",
        "datagram",
    );
    one(
        "{ links: { profile: lan, delay: { pareto: { least: 1ms, shape: 0 } } } }",
        "E107",
        "0",
        "2.5",
    );
}

/// A scenario with tables beside it: what is told, and where.
fn table_told(network: &str, table: &str) -> String {
    let scenario = with_network_text(network)
        .replace(", region: guangzhou", "")
        .replace(", region: shenzhen", "");
    let files = [("s.yaml", scenario.as_str()), ("rtt.csv", table)];
    match load_files(&files, &LoadOptions::default()) {
        Ok(_) => "fine".into(),
        Err(errors) => {
            let d = &errors.list[0];
            let file = d.file.rsplit('/').next().unwrap();
            format!("{file}:{}:{} {} {}", d.line, d.column, d.code, d.message)
        }
    }
}

#[test]
fn a_wrong_table_is_told_with_the_place_in_the_table() {
    let regions =
        |table: &str| table_told("{ regions: { table: 'file:rtt.csv', is: one-way } }", table);
    assert_eq!(regions("# ms\nfrom/to,a,b\n\na,1,2\nb,2,1\n"), "fine");
    assert_eq!(
        regions("from/to,a,b\na,1,2\nb,2,x1\n"),
        "rtt.csv:3:5 E106 `x1` is no number of milliseconds"
    );
    assert_eq!(
        regions("from/to,a,b\na,1, -2\nb,2,1\n"),
        "rtt.csv:2:6 E106 `-2` is no number of milliseconds"
    );
    assert_eq!(
        regions("from/to,a,b\na,1,\nb,2,1\n"),
        "rtt.csv:2:5 E106 `` is no number of milliseconds"
    );
    assert_eq!(
        regions("from/to,a,b\nb,1,2\na,2,1\n"),
        "rtt.csv:2:1 E106 `b` is not the next name of the header"
    );
    assert_eq!(
        regions("from/to,a,b\na,1,2,3\nb,2,1\n"),
        "rtt.csv:2:7 E106 3 delays in this row, 2 names in the header"
    );
    assert_eq!(
        regions("from/to,a,b\na,1,2\n"),
        "rtt.csv:1:11 E106 there is no row of `b`"
    );
    assert!(regions("from/to,A,b\n").starts_with("rtt.csv:1:9 E106 "));
    assert_eq!(regions(""), "rtt.csv:1:1 E106 the table is empty");
}

#[test]
fn measured_delays_are_read_from_a_file_and_a_wrong_one_is_told() {
    let network = "{ regions: one-place, links: { profile: lan, delay: { table: rtt.csv } } }";
    let told = |table: &str| table_told(network, table);
    assert_eq!(told("ms\n1.5\n2,3\n# a note\n0.25\n"), "fine");
    assert_eq!(
        told("1.5\n2\n"),
        "rtt.csv:1:1 E106 in which unit are these numbers?"
    );
    assert_eq!(
        told("ms\n1.5\n2s\n"),
        "rtt.csv:3:1 E106 `2s` is no number of these"
    );
    assert_eq!(
        told("ms\n1.5,many\n"),
        "rtt.csv:2:5 E106 `many` is no number of these"
    );
    assert_eq!(
        told("ms\n1,2,3\n"),
        "rtt.csv:2:5 E106 a line holds a number and perhaps a count"
    );
    assert_eq!(told("ms\n"), "rtt.csv:1:1 E106 nothing was measured");
    let scenario = with_network_text(network)
        .replace(", region: guangzhou", "")
        .replace(", region: shenzhen", "");
    let loaded = |table: &str| {
        let files = [("s.yaml", scenario.as_str()), ("rtt.csv", table)];
        load_files(&files, &LoadOptions::default()).unwrap()
    };
    let delay = &loaded("us\n1500\n2000,3\n").plan.network.link.delay;
    assert_eq!(delay.quantile(0.2), Span::from_micros(1_500));
    assert_eq!(delay.quantile(0.3), Span::from_micros(2_000));
    assert_eq!(delay.mean(), Span::from_micros(1_875));
    // What is in the file counts in the digest, not only its name.
    assert_ne!(loaded("ms\n1\n").plan.digest, loaded("ms\n2\n").plan.digest);
}

#[test]
fn shipped_tables_are_read_as_what_they_are() {
    let delay = |table: &str, from: &str, to: &str| {
        let loaded = plan(
            &with_network_text(&format!("{{ regions: {table} }}"))
                .replace("region: guangzhou", &format!("region: {from}"))
                .replace("region: shenzhen", &format!("region: {to}")),
        );
        let at = |name: &str| {
            let regions = &loaded.plan.network.regions;
            regions.iter().position(|r| r.name == name).unwrap()
        };
        let Distribution::Constant(span) = loaded.plan.network.delays[at(from)][at(to)] else {
            panic!("it varies")
        };
        span
    };
    // CometBFT's table is one way: as it stands. It is not symmetric.
    let ms = Span::from_millis;
    assert_eq!(delay("aws13", "n-virginia", "london"), ms(38));
    assert_eq!(delay("aws13", "tokyo", "seoul"), ms(16));
    assert_eq!(delay("aws13", "seoul", "tokyo"), ms(17));
    // cloudping's is a round trip: 78 ms from Virginia to London and back.
    let london = delay("aws21", "us-east-1", "eu-west-2");
    assert_eq!(london, Span::from_micros(38_755));
    assert_eq!(delay("simblock", "europe", "japan"), ms(252));
    assert_eq!(delay("simblock", "japan", "asia-pacific"), ms(58));
}

fn hardware(set: &str) -> Hardware {
    let set = format!("hardware={{ box: {{ profile: hospital-server, {set} }} }}");
    let text = BASE.replace("region: guangzhou", "region: guangzhou, hardware: box");
    let loaded = plan_with(&text, &[&set]);
    let mine = loaded
        .plan
        .institutions
        .iter()
        .find(|i| i.group == "tertiary");
    (*mine.unwrap().hardware).clone()
}

#[test]
fn every_key_of_a_machine_reaches_the_kernel() {
    let plain = hardware("cores: 8");
    let us = Span::from_micros;
    assert_eq!(hardware("cores: 3").cores, 3);
    assert_eq!(hardware("speed: 0.5x").speed_permille, 500);
    assert_eq!(hardware("sign: { ed25519: 99us }").sign, us(99));
    assert_eq!(hardware("verify: { ed25519: 99us }").verify, us(99));
    assert_eq!(
        hardware("verify_batched: { ed25519: 99us }").verify_batched,
        us(99)
    );
    assert_eq!(hardware("hash: 9us").hash_per_kib, us(9));
    assert_eq!(hardware("encrypt: 9us").encrypt_per_kib, us(9));
    assert_eq!(hardware("execute: 9us").execute, us(9));
    assert_eq!(hardware("per_message: 9us").per_message, us(9));
    assert_eq!(hardware("per_byte: 2ns").per_kib, Span::from_nanos(2_048));
    let nic = hardware("nic: { in: 10Mbit/s, out: 20Mbit/s }");
    assert_eq!((nic.nic_in, nic.nic_out), (10_000_000, 20_000_000));
    let disk = hardware("disk: { write: 1MB/s, read: 2MB/s, fsync: 3ms, group_commit: true }");
    assert_eq!((disk.disk_write, disk.disk_read), (1_000_000, 2_000_000));
    assert_eq!(disk.fsync, Distribution::Constant(Span::from_millis(3)));
    assert!(disk.group_commit);
    assert_eq!(
        (plain.disk_read, plain.group_commit),
        (500_000_000, false),
        "the profile's"
    );
    assert_eq!(hardware("disk: { read: none }").disk_read, 0);
    assert_eq!(
        (plain.disk_size, plain.disk_sector),
        (0, 0),
        "no end, no sectors"
    );
    let disk = hardware("disk: { size: 1GB, sector: 4KiB }");
    assert_eq!((disk.disk_size, disk.disk_sector), (1_000_000_000, 4_096));
}

#[test]
fn memory_bounds_the_mempool() {
    // A quarter of 40 kB holds some tens of transactions of some hundred bytes.
    let load = "workloads.outpatients.load={ each: { tertiary: 300/min, community: 300/min } }";
    let run_with = |memory: &str| {
        let sets = [
            format!("hardware={{ box: {{ profile: hospital-server, memory: {memory} }} }}"),
            load.to_owned(),
            "organisations.tertiary.hardware=box".to_owned(),
            "organisations.community.hardware=box".to_owned(),
            "chains.alliance.block.wait=5s".to_owned(),
            "duration=20s".to_owned(),
        ];
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        metric(&run(&plan_with(BASE, &sets).plan), "throughput")
    };
    let (ample, scarce) = (run_with("16GB"), run_with("40kB"));
    assert!(scarce < ample * 0.9, "{scarce} {ample}");
}

#[test]
fn a_group_commit_spares_waits_for_a_slow_disk() {
    let run_with = |group: bool| {
        let sets = [
            format!(
                "hardware={{ box: {{ profile: clinic-box, disk: {{ group_commit: {group} }} }} }}"
            ),
            "organisations.tertiary.hardware=box".to_owned(),
            "organisations.community.hardware=box".to_owned(),
            "workloads.outpatients.load={ each: { tertiary: 300/min, community: 200/min } }"
                .to_owned(),
            "chains.alliance.block.wait=10ms".to_owned(),
        ];
        let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
        let run = run(&plan_with(BASE, &sets).plan);
        metric(&run, "latency_mean")
    };
    let (alone, grouped) = (run_with(false), run_with(true));
    assert!(grouped < alone * 0.9, "{grouped} {alone}");
}

#[test]
fn a_scheme_costs_what_its_profile_or_the_machine_says() {
    let with = |scheme: &str, sets: &[&str]| {
        let text = BASE.replace(
            "members: all",
            &format!("members: all, signatures: {scheme}"),
        );
        plan_with(&text, sets)
    };
    let of = |loaded: &Loaded| (*loaded.plan.institutions[5].hardware).clone();
    let us = Span::from_micros;
    let plain = of(&plan(BASE));
    assert_eq!(of(&with("ed25519", &[])), plain);
    let bls = with("bls", &[]);
    assert_eq!(
        (of(&bls).sign, of(&bls).verify, of(&bls).verify_batched),
        (us(214), us(644), us(212))
    );
    assert_eq!(bls.plan.chains["alliance"].signature_bytes, 96);
    assert_eq!(of(&bls).hash_per_kib, plain.hash_per_kib);
    let sm2 = of(&with("sm2", &[]));
    assert_eq!(sm2.verify, Span::from_nanos(206_900));
    // 5.3 and 5.1 times the machine's own.
    assert_eq!(sm2.hash_per_kib, Span::from_nanos(3_286));
    assert_eq!(sm2.encrypt_per_kib, Span::from_nanos(3_570));
    // What a machine says of a scheme goes before the profile.
    let own = "hardware={ box: { profile: hospital-server, sign: { p256: 1us }, verify: { p256: 2us } } }";
    let sets = [own, "organisations.tertiary.hardware=box"];
    let p256 = of(&with("p256", &sets));
    assert_eq!(p256.sign, us(1));
    assert_eq!(p256.verify, us(2));
    assert_eq!(p256.verify_batched, Span::from_nanos(63_800));
    assert_eq!(of(&with("ed25519", &sets)).sign, Span::from_nanos(15_600));
}

/// The same load under every scheme: dearer signatures take more of the processors, longer ones
/// more of the lines.
#[test]
fn schemes_show_in_a_run() {
    let of = |scheme: &str| {
        let text = BASE.replace(
            "members: all",
            &format!("members: all, signatures: {scheme}"),
        );
        let run = run(&plan(&text).plan);
        let cpu: f64 = run.results.resources.iter().map(|n| n.cpu).sum();
        (cpu, metric(&run, "bytes") / metric(&run, "messages"))
    };
    let (ed25519, p256, bls, sm2) = (of("ed25519"), of("p256"), of("bls"), of("sm2"));
    assert!(p256.0 > ed25519.0 && sm2.0 > p256.0 && bls.0 > sm2.0);
    assert!(bls.1 > ed25519.1 + 20.0, "{bls:?} {ed25519:?}");
    assert!((p256.1 - ed25519.1).abs() < 5.0);
}

/// Every number of a signature scheme says where it comes from.
#[test]
fn schemes_have_sources_for_every_number() {
    let schemes: Vec<_> = PROFILES
        .iter()
        .filter(|p| p.folder == "signatures")
        .collect();
    assert_eq!(schemes.len(), 5);
    for scheme in schemes {
        let text = BASE.replace(
            "members: all",
            &format!("members: all, signatures: {}", scheme.name),
        );
        let loaded = plan(&text);
        for key in [
            "public_key",
            "signature",
            "sign",
            "verify",
            "verify_batched",
        ] {
            let path = format!("profile signatures/{}: {key}", scheme.name);
            let source = loaded.plan.sources.iter().find(|(p, _)| *p == path);
            assert!(source.is_some_and(|(_, s)| s.len() > 10), "{path}");
        }
    }
}
