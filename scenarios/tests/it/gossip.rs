//! `network.gossip`: who holds connections with whom.

use crate::support::{load_files, plan_with};
use consim_scenarios::LoadOptions;

fn text(gossip: &str, count: usize) -> String {
    format!(
        "consim: 1
seed: 5
duration: 20s
network: {{ regions: one-place, gossip: {gossip} }}
organisations: {{ member: {{ tier: tertiary, count: {count} }} }}
chains:
  ledger: {{ members: member, consensus: {{ tendermint: {{ spread: gossip }} }}, mempool: {{ spread: gossip }} }}
services: {{ store: {{ key-value: {{ keys: 100 }} }} }}
workloads:
  clients: {{ transactions: {{ service: store }}, load: 5/s }}
"
    )
}

fn peers(gossip: &str, count: usize, sets: &[&str]) -> Option<Vec<Vec<usize>>> {
    let loaded = plan_with(&text(gossip, count), sets);
    loaded.plan.chains["ledger"].peers.clone()
}

#[test]
fn a_full_mesh_is_the_default_and_a_ring_has_two_beside_each() {
    assert_eq!(peers("full-mesh", 5, &[]), None);
    let ring = peers("ring", 5, &[]).unwrap();
    assert_eq!(ring, [[1, 4], [0, 2], [1, 3], [2, 4], [0, 3]]);
}

#[test]
fn peers_are_drawn_by_seed_and_name_and_hold_connections_both_ways() {
    let drawn = peers("{ random: 3 }", 20, &[]).unwrap();
    assert_eq!(drawn, peers("{ random: { peers: 3 } }", 20, &[]).unwrap());
    assert_ne!(drawn, peers("{ random: 3 }", 20, &["seed=6"]).unwrap());
    for (from, peers) in drawn.iter().enumerate() {
        assert!(peers.len() >= 3, "each dials three");
        assert!(peers.is_sorted());
        for &to in peers {
            assert_ne!(to, from);
            assert!(drawn[to].contains(&from), "{from} and {to}");
        }
    }
    // One more node redraws nothing but what it takes part in.
    let more = peers("{ random: 3 }", 21, &[]).unwrap();
    let kept = drawn
        .iter()
        .zip(&more)
        .flat_map(|(before, after)| before.iter().map(|peer| after.contains(peer)));
    let kept: Vec<bool> = kept.collect();
    let same = kept.iter().filter(|&&same| same).count();
    assert!(same * 10 >= kept.len() * 8, "{same} of {}", kept.len());
}

#[test]
fn peers_of_a_file_are_those_of_its_lines() {
    let csv = "node,peer\nmember-1,member-2\nmember-2,member-3\nmember-4,member-2\n";
    let text = text("{ file: peers.csv }", 4);
    let files = [("s.yaml", text.as_str()), ("peers.csv", csv)];
    let loaded = load_files(&files, &LoadOptions::default());
    let loaded = loaded.unwrap_or_else(|d| panic!("{}", d.render()));
    let peers = loaded.plan.chains["ledger"].peers.clone().unwrap();
    assert_eq!(peers, [vec![1], vec![0, 2, 3], vec![1], vec![1]]);
    let notes = &loaded.plan.notes;
    assert!(
        notes
            .iter()
            .any(|note| note.contains("without member-2 gossip falls apart")),
        "{notes:?}"
    );
}
