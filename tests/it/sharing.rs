//! Sharing what nodes execute saves work of the machine that simulates, and changes nothing else.

use consim_scenarios::run::{Hooks, Run, execute_with};
use consim_scenarios::{LoadOptions, load};

/// Crashes and a cut, so that nodes execute at different times, by catch-up and from disk.
const SCENARIO: &str = "
consim: 1
seed: 17
duration: 4m
warmup: 10s
network: { regions: guangdong, links: metro }
organisations:
  hospital: { tier: tertiary, count: 7 }
chains:
  ledger: { members: hospital, consensus: pbft, checkpoint: 16 }
workloads:
  visits: { visits: data-sharing, load: 20/min, day: flat }
faults:
  leader-crash: { at: 40s, for: 20s, crash: leader of ledger }
  crash: { at: 80s, for: 20s, crash: hospital-6 }
  cut: { at: 2m, for: 20s, partition: hospital-5 }
";

fn run(share_executions: bool) -> (Run, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.yaml");
    std::fs::write(&file, SCENARIO).unwrap();
    let loaded = load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
    let hooks = Hooks {
        share_executions,
        ..Hooks::default()
    };
    let run = execute_with(&loaded.plan, &hooks, &mut |_| {}).unwrap();
    let out = dir.path().join("out");
    consim_reports::write(&run.results, &out).unwrap();
    let text = std::fs::read_to_string(out.join("outcome.json")).unwrap();
    (run, text)
}

#[test]
fn sharing_executions_changes_no_byte_of_the_outcome() {
    let (on, off) = (run(true), run(false));
    assert!(on.0.results.outcome.throughput.committed > 100);
    assert_eq!(on.1, off.1);
    // It did share, and the other did not.
    let (on, off) = (on.0.memory, off.0.memory);
    assert!(on.shared_blocks > 3 * on.blocks, "{on:?}");
    assert_eq!(off.shared_blocks, 0);
    assert_eq!(on.blocks + on.shared_blocks, off.blocks);
    assert!(on.state_bytes < off.state_bytes / 3, "{on:?} {off:?}");
}
