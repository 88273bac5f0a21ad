//! What real runs write is what the schema of `outcome.json` says.

use crate::support::{plan, root};
use consim_reports::outcome_json;
use consim_scenarios::run::execute;
use serde_json::Value;

const HEAD: &str = "consim: 1
seed: 3
duration: 90s
warmup: 5s
network: { regions: one-place }
organisations: { hospital: { tier: tertiary, count: 4 }, supervision: { tier: regulator } }
chains: { ledger: { members: hospital } }
";

/// What stands below the head, and the verdict of the run.
const RUNS: [(&str, &str, &str); 5] = [
    (
        "people, faults, gates",
        "workloads:
  visits: { visits: data-sharing, load: 20/min, day: flat }
  changes: { consents: data-sharing, load: 6/min, day: flat }
  inspections: { audits: data-sharing, load: 2/min, day: flat }
faults:
  down: { at: 20s, for: 10s, crash: leader of ledger }
  cut: { at: 35s, for: 5s, partition: hospital-2 }
  line: { at: 20s, for: 10s, loss: { target: hospital-3, rate: 20% } }
  slow: { at: 20s, for: 10s, delay: { target: hospital-3, add: 50ms } }
expect: { latency_p99: at most 1us, availability: at least 1% }
",
        "pass",
    ),
    (
        "recorded data",
        "workloads: { visits: { visits: { service: data-sharing, source: dataset:fhir-alliance } } }
organisations: { tertiary: { count: 2 }, secondary: { count: 4 }, community: { count: 15 } }
",
        "pass",
    ),
    (
        "a store",
        "workloads: { writes: { transactions: { service: key-value, read_share: 30% }, load: 20/s } }
",
        "pass",
    ),
    (
        "nothing happens",
        "workloads: { visits: { visits: data-sharing, load: 0/s, day: flat } }
",
        "unknown",
    ),
    (
        "nothing can happen",
        "workloads: { visits: { visits: data-sharing, load: 20/min, day: flat } }
faults: { down: { at: 1s, for: rest, crash: hospital } }
",
        "unknown",
    ),
];

#[test]
fn real_outcomes_are_valid() {
    let schema = std::fs::read_to_string(root().join("docs/outcome.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (name, text, verdict) in RUNS {
        let head = if text.contains("organisations:") {
            HEAD.lines()
                .filter(|line| !line.starts_with("organisations") && !line.starts_with("chains"))
                .flat_map(|line| [line, "\n"])
                .collect()
        } else {
            HEAD.to_owned()
        };
        let run = execute(&plan(&(head + text)).plan, &mut |_| {}).unwrap();
        let outcome = &run.results.outcome;
        assert_eq!(outcome.verdict, verdict, "{name}: {:?}", outcome.checks);
        let written: Value = serde_json::from_str(&outcome_json(outcome).unwrap()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&written)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");

        // The schema says more than that there is an object.
        for key in ["run_digest", "chains", "checks"] {
            let mut wrong = written.clone();
            wrong.as_object_mut().unwrap().remove(key);
            assert!(!validator.is_valid(&wrong), "{name} without {key}");
        }
    }
}
