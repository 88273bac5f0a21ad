//! Claims: what a file may say, and what runs say to it.

use consim_check::claims::{Claimed, Standing, judge};
use consim_scenarios::claims::{PAPER_CLAIMS, paper_claim};
use consim_scenarios::diagnostic::Diagnostic;
use consim_scenarios::library;
use consim_scenarios::run::Hooks;
use consim_scenarios::run::cells::runs_of_claims;
use consim_scenarios::{LoadOptions, Study, study_bytes};
use std::path::Path;

/// Four hospitals, near and far from each other.
const BASE: &str = "consim: 1
duration: 6s
warmup: 1s
organisations: { hospital: { count: 4, hardware: hospital-server } }
chains: { ledger: { members: hospital, block: { wait: 50ms } } }
workloads:
  writes: { transactions: { service: key-value, size: 64B }, load: { open: { rate: 20/s, arrivals: even } } }
compare: { near: {}, slow: { chains.ledger.block.wait: 400ms } }
";

fn read(text: &str) -> Result<Study, Vec<Diagnostic>> {
    let options = LoadOptions::default();
    study_bytes(Path::new("x.yaml"), text.as_bytes(), &options).map_err(|found| found.list)
}

fn judged(claims: &str, seeds: u64, threads: usize) -> Vec<Claimed> {
    let study = read(&format!("{BASE}claims:\n{claims}")).unwrap();
    let runs = runs_of_claims(&study, seeds, threads, &Hooks::default(), &|_| {}).unwrap();
    let all = study.claims.into_iter();
    judge(&all.map(|claim| (claim, runs.clone())).collect::<Vec<_>>())
}

/// The second waits for its blocks eight times as long.
#[test]
fn runs_support_refute_and_leave_open() {
    let claims = "  good: { says: Waiting takes time., supported_if: { slow.latency_mean: above 2x that of near }, refuted_if: { slow.latency_mean: below 2x that of near } }
  bad: { says: Waiting is fast., supported_if: { slow.latency_p50: at most 100ms }, refuted_if: { slow.latency_p50: above 100ms } }
  open: { says: Waiting takes for ever., supported_if: { slow.latency_mean: above 20x that of near }, refuted_if: { near.latency_mean: above 20s } }
";
    let found = judged(claims, 8, 2);
    let standing = |name: &str| found.iter().find(|c| c.name == name).unwrap().standing;
    assert_eq!(standing("good"), Standing::Supported, "{found:?}");
    assert_eq!(standing("bad"), Standing::Refuted, "{found:?}");
    assert_eq!(standing("open"), Standing::Limited, "{found:?}");
    // Any number of threads says the same.
    assert_eq!(found, judged(claims, 8, 1));
    // Two seeds are too few to tell.
    let few = judged(claims, 2, 2);
    assert!(few.iter().all(|c| c.seeds == 2 && c.p_supported > 0.0));
}

#[test]
fn what_is_wrong_with_a_claim_is_said() {
    for (claims, code, part) in [
        (
            "  mine: { supported_if: { near.height: above 1 }, refuted_if: { near.height: below 1 } }",
            "E210",
            "what does it say?",
        ),
        (
            "  claim-5: { supported_if: { near.height: above 1 } }",
            "E210",
            "what supports and what refutes",
        ),
        (
            "  claim-5: { supported_if: { height: above 1 }, refuted_if: { near.height: below 1 } }",
            "E301",
            "of which variant?",
        ),
        (
            "  claim-5: { supported_if: { near.heigth: above 1 }, refuted_if: { near.height: below 1 } }",
            "E309",
            "no metric is called `heigth`",
        ),
        (
            "  claim-5: { supported_if: { near.chains.ledgre.height: above 1 }, refuted_if: { near.height: below 1 } }",
            "E301",
            "nothing is called `ledgre` here",
        ),
        (
            "  claim-5: { supported_if: { near.height: above 1x that of far }, refuted_if: { near.height: below 1 } }",
            "E301",
            "no variant is called `far`",
        ),
        (
            "  claim-5: { supported_if: { near.height: above 1s }, refuted_if: { near.height: below 1 } }",
            "E106",
            "`1s` is not a whole number",
        ),
        (
            "  claim-5: { seeds: 0, supported_if: { near.height: above 1 }, refuted_if: { near.height: below 1 } }",
            "E107",
            "0 seeds",
        ),
        (
            "  claim-5: { supported_if: { near.height: above 1 }, refuted_if: { near.height: below 1 } }\nvary: { seed: 1..3 }",
            "E504",
            "beside `vary`",
        ),
    ] {
        let found = read(&format!("{BASE}claims:\n{claims}\n")).unwrap_err();
        let one = found
            .iter()
            .any(|d| d.code == code && d.message.contains(part));
        assert!(one, "{claims}: {found:?}");
    }
}

/// What the registry says of a claim is what its scenario is judged by.
#[test]
fn every_scenario_of_a_claim_is_of_the_paper_and_says_what_was_expected() {
    let mut seen = Vec::new();
    for entry in library::claims() {
        let study = study_bytes(
            Path::new(entry.path),
            entry.text().as_bytes(),
            &LoadOptions::default(),
        );
        for claim in study.unwrap().claims {
            let known = paper_claim(&claim.name);
            assert!(
                known.is_some_and(|known| known.says == claim.says),
                "{}",
                claim.name
            );
            assert!(claim.seeds >= 30, "{}", claim.name);
            seen.push(claim.name);
        }
        assert!(
            entry.text().contains("# Expected before the first run: "),
            "{}",
            entry.name
        );
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), library::claims().count());
    assert!(PAPER_CLAIMS.iter().all(|claim| claim.says.ends_with('.')));
}
