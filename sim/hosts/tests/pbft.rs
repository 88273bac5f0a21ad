//! PBFT with four members on turmoil and on the kernel, from the very same processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use consim_core::{Digest, TxId};
use std::collections::BTreeSet;
use support::{Load, MEMBERS, Scene, crash, run_kernel, run_turmoil};

fn ids(load: &Load) -> BTreeSet<TxId> {
    load.clients.iter().flat_map(|&c| load.of(c)).collect()
}

#[test]
fn one_clients_commands_come_to_the_same_blocks_and_the_same_state_root() {
    // Each command folds its body into a hash, and is submitted once the one before is executed:
    // another order, a repeat or an omission would give another root.
    let scene = Scene::new(Load::sequential(3, 40));
    let (kernel, turmoil) = (run_kernel(&scene, 1), run_turmoil(&scene, 1));
    for seen in [&kernel, &turmoil] {
        assert_eq!(seen.committed, ids(&scene.load));
        for member in 0..MEMBERS {
            assert_eq!(seen.heads[&member].0, 40, "member {member}");
        }
    }
    let roots: BTreeSet<Digest> = (0..MEMBERS)
        .flat_map(|m| [kernel.heads[&m].1, turmoil.heads[&m].1])
        .collect();
    assert_eq!(roots.len(), 1);
    // The root tells: one command fewer, another root.
    let fewer = run_turmoil(&Scene::new(Load::sequential(3, 39)), 1);
    assert!(!roots.contains(&fewer.heads[&0].1));
}

#[test]
fn many_clients_commands_come_to_the_same_set_and_sums() {
    let scene = Scene::new(Load::concurrent(&[0, 1, 2, 3], 15));
    let (kernel, turmoil) = (run_kernel(&scene, 2), run_turmoil(&scene, 2));
    assert_eq!(kernel.committed, ids(&scene.load));
    assert_eq!(turmoil.committed, ids(&scene.load));
    // The order among clients differs, and with it the blocks; sums do not depend on it.
    assert_eq!(kernel.sums, turmoil.sums);
    assert_eq!(kernel.sums[&3], (1..=15).sum::<u64>());
}

#[test]
fn a_crash_and_a_restart_of_the_primary_change_no_result() {
    let mut scene = Scene::new(Load::sequential(3, 40));
    scene.outages = vec![crash(0, 400, 6_000)];
    let (kernel, turmoil) = (run_kernel(&scene, 3), run_turmoil(&scene, 3));
    for seen in [&kernel, &turmoil] {
        // It took effect: the others went on without it, in another view.
        assert!(seen.views[&1] > 0);
        assert!(seen.restarts == 1 && seen.fetched[&0] > 0);
        assert_eq!(seen.committed, ids(&scene.load));
        for member in 0..MEMBERS {
            assert_eq!(seen.heads[&member].0, 40, "member {member}");
            assert_eq!(seen.heads[&member].1, kernel.heads[&1].1);
        }
    }
}

#[test]
fn equal_seeds_give_equal_runs_on_turmoil() {
    let mut scene = Scene::new(Load::concurrent(&[0, 1, 2, 3], 10));
    scene.outages = vec![crash(1, 300, 4_000)];
    let first = run_turmoil(&scene, 4);
    assert_eq!(first.history, run_turmoil(&scene, 4).history);
    assert_ne!(first.history, run_turmoil(&scene, 5).history);
}
