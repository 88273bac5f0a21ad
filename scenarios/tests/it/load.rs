//! How much comes when: each shape of load, in a run.

use crate::support::load_files;
use consim_core::{NodeId, Observer, Probe, Time};
use consim_scenarios::LoadOptions;
use consim_scenarios::diagnostic::Diagnostics;
use consim_scenarios::run::{Hooks, brief};
use std::sync::{Arc, Mutex};

/// When users asked, seconds.
struct Asked(Arc<Mutex<Vec<u64>>>);

impl Observer for Asked {
    fn probe(&mut self, now: Time, _: NodeId, probe: &Probe) {
        if matches!(probe, Probe::Asked { .. }) {
            self.0.lock().unwrap().push(now.nanos() / 1_000_000_000);
        }
    }
}

const RECORDED: &str = "s\n0.5\n2\n2.5\n";

fn planned(workload: &str) -> Result<consim_scenarios::Loaded, Diagnostics> {
    let text = format!(
        "consim: 1
seed: 3
duration: 100s
warmup: 1s
network: {{ regions: one-place }}
organisations: {{ member: {{ tier: tertiary, count: 4 }} }}
chains: {{ ledger: {{ members: member, consensus: pbft }} }}
services: {{ store: {{ key-value: {{ keys: 10 }} }} }}
workloads: {{ w: {{ transactions: store, {workload} }} }}
"
    );
    let files = [("s.yaml", text.as_str()), ("r.csv", RECORDED)];
    load_files(&files, &LoadOptions::default())
}

/// How many ask in each ten seconds.
fn tens(workload: &str) -> Vec<usize> {
    let plan = planned(workload)
        .unwrap_or_else(|d| panic!("{}", d.render()))
        .plan;
    let asked = Arc::new(Mutex::new(Vec::new()));
    brief(
        &plan,
        &Hooks::default(),
        Some(Box::new(Asked(Arc::clone(&asked)))),
    )
    .unwrap();
    let asked = asked.lock().unwrap();
    (0..10)
        .map(|ten| asked.iter().filter(|&&s| s / 10 == ten).count())
        .collect()
}

fn code(workload: &str) -> String {
    planned(workload).unwrap_err().list[0].code.to_string()
}

#[test]
fn a_ramp_grows_evenly_and_stays() {
    let ramp = tens("load: { ramp: { from: 0/s, to: 8/s, over: 40s, arrivals: even } }");
    assert_eq!(ramp, [10, 30, 50, 70, 80, 80, 80, 80, 80, 80]);
    let down = tens(
        "at: 20s, for: 40s, load: { ramp: { from: 8/s, to: 0/s, over: 40s, arrivals: even } }",
    );
    assert_eq!(down, [0, 0, 70, 50, 30, 10, 0, 0, 0, 0]);
    // Half of it comes before the window is over.
    let cut = tens("at: 60s, load: { ramp: { from: 0/s, to: 16/s, over: 80s, arrivals: even } }");
    assert_eq!(cut, [0, 0, 0, 0, 0, 0, 10, 30, 50, 70]);
}

#[test]
fn steps_follow_each_other() {
    let steps = tens(
        "at: 10s, load: { steps: [{ rate: 20/s, for: 20s }, { rate: 0/s, for: 10s }, { rate: 5/s, for: 30s }] }",
    );
    let near = |count: usize, mean: f64| (count as f64 - mean).abs() <= 4.0 * mean.sqrt();
    assert!(near(steps[1], 200.0) && near(steps[2], 200.0), "{steps:?}");
    assert_eq!([steps[0], steps[3], steps[7], steps[8], steps[9]], [0; 5]);
    assert!(
        steps[4..=6].iter().all(|&count| near(count, 50.0)),
        "{steps:?}"
    );
}

#[test]
fn bursts_multiply() {
    let even = "load: { open: { rate: 2/s, arrivals: even } }";
    let bursts = tens(&format!(
        "{even}, bursts: {{ flu: {{ at: 20s, for: 20s, times: 4x }}, rush: {{ at: 30s, for: 10s, times: 0.5x, every: 40s }} }}"
    ));
    assert_eq!(bursts, [20, 20, 80, 40, 20, 20, 20, 10, 20, 20]);
    let overlapping = format!("{even}, bursts: {{ rush: {{ at: 30s, for: 10s, every: 5s }} }}");
    assert_eq!(code(&overlapping), "E107");
    let without_rate = "load: { once: 5s }, bursts: { rush: { at: 30s, for: 10s } }";
    assert_eq!(code(without_rate), "E504");
}

#[test]
fn recorded_instants_are_replayed() {
    assert_eq!(
        tens("load: { recorded: r.csv }"),
        [3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    );
    let slow = tens("at: 10s, load: { recorded: { file: r.csv, speed: 0.1x } }");
    assert_eq!(slow, [0, 1, 0, 2, 0, 0, 0, 0, 0, 0]);
    // A round of 2.5 s: at 0.5, 2, 2.5, 3, 4.5, 5, ...
    let again = tens("load: { recorded: { file: r.csv, repeat: true } }");
    assert_eq!(again, [11, 12, 12, 12, 12, 12, 12, 12, 12, 12]);
    assert_eq!(tens("load: { once: 42s }"), [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(code("load: { recorded: nowhere.csv }"), "E603");
    assert_eq!(
        code("load: { recorded: { file: r.csv, speed: 0x } }"),
        "E107"
    );
}

#[test]
fn who_is_answered_asks_again_and_nobody_else() {
    // By Little's law 8 users come to 8 x 100 s / (10 s + latency): the latency is below a second.
    let few = tens("load: { closed: { clients: 8, think: 10s } }");
    let all: usize = few.iter().sum();
    assert_eq!(few[0], 8);
    assert!((73..=80).contains(&all), "{few:?}");
    let more: usize = tens("load: { closed: { clients: 8, outstanding: 3, think: 10s } }")
        .iter()
        .sum();
    assert!((219..=240).contains(&more), "{more}");
    // Without thinking the latency alone holds them back.
    let busy: usize = tens("load: { closed: 8 }").iter().sum();
    assert!(busy > 10 * all, "{busy}");
    // They are gone after their window.
    let gone = tens("for: 30s, load: { closed: { clients: 8, think: 5s } }");
    assert!(
        gone[2] > 8 && gone[3..].iter().all(|&count| count == 0),
        "{gone:?}"
    );
    assert_eq!(code("load: { closed: 0 }"), "E107");
    assert_eq!(
        code("load: { closed: 8 }, bursts: { rush: { at: 30s, for: 10s } }"),
        "E504"
    );
}
