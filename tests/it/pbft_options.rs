//! What a scenario says of PBFT reaches the replicas: each option changes what it should.

use consim_check::outcome::Outcome;
use consim_scenarios::run::execute;
use consim_scenarios::{LoadOptions, load};

/// Four hospitals that are busy enough for proposals to overlap.
fn run(consensus: &str, more: &str) -> Outcome {
    let text = format!(
        "
consim: 1
seed: 23
duration: 20s
warmup: 1s
network: {{ regions: guangdong, links: metro }}
organisations:
  hospital: {{ tier: tertiary, count: 4 }}
chains:
  ledger: {{ members: hospital, block: {{ wait: 0ms }}, consensus: {consensus}{more} }}
workloads:
  visits: {{ visits: data-sharing, load: 600/min, day: flat }}
"
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("scenario.yaml");
    std::fs::write(&file, text).unwrap();
    let loaded = load(&file, &LoadOptions::default()).unwrap_or_else(|d| panic!("{}", d.render()));
    let run = execute(&loaded.plan, &mut |_| {}).unwrap();
    assert_ne!(run.results.outcome.verdict, "fail");
    run.results.outcome
}

fn height(outcome: &Outcome) -> u64 {
    outcome.chains.first().unwrap().height
}

#[test]
fn a_narrow_pipeline_makes_fewer_and_larger_blocks() {
    let (one, eight) = (run("{ pbft: { pipeline: 1 } }", ""), run("pbft", ""));
    assert!(
        2 * height(&one) < height(&eight),
        "{} {}",
        height(&one),
        height(&eight)
    );
    let (one, eight) = (one.throughput.committed, eight.throughput.committed);
    assert!(one.abs_diff(eight) * 20 < eight, "{one} {eight}");
}

#[test]
fn a_narrow_window_waits_for_its_checkpoints() {
    // With two in the window the primary stops until the second is proven stable everywhere.
    let narrow = run("{ pbft: { watermark: 2, checkpoint: 2 } }", "");
    let wide = run("{ pbft: { watermark: 256, checkpoint: 2 } }", "");
    assert!(
        2 * height(&narrow) < height(&wide),
        "{} {}",
        height(&narrow),
        height(&wide)
    );
}

#[test]
fn checkpoints_are_told_as_often_as_asked_for() {
    let often = run("{ pbft: { checkpoint: 4 } }", "");
    let seldom = run("{ pbft: { checkpoint: 64 } }", "");
    // More votes delay the last transactions of the run.
    let (a, b) = (often.throughput.committed, seldom.throughput.committed);
    assert!(a.abs_diff(b) * 100 < a, "{a} {b}");
    // Every member tells three others.
    let least = height(&often) / 4 * 12 / 2;
    assert!(
        often.messages > seldom.messages + least,
        "{} {}",
        often.messages,
        seldom.messages
    );
    // The chain's own key says the same, and the protocol's goes before it.
    assert_eq!(run("pbft", ", checkpoint: 4").run_digest, often.run_digest);
    let both = run("{ pbft: { checkpoint: 4 } }", ", checkpoint: 64");
    assert_eq!(both.run_digest, often.run_digest);
}
