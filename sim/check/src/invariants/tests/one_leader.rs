//! One leader in a term.

use super::{CHAIN, History};
use crate::testing::s;
use consim_core::{NodeId, Probe};

fn follows(view: u64, leader: u32) -> Probe {
    Probe::View {
        chain: CHAIN,
        view,
        leader: NodeId(leader),
    }
}

#[test]
fn two_leaders_of_a_term_are_one_too_many() {
    let mut history = History::of("one-leader");
    history.all(s(1), &follows(1, 0));
    // Another term has another leader.
    history.all(s(2), &follows(2, 1));
    history.passes();
    history.probe(s(3), 3, &follows(2, 3));
    assert!(history.violation().contains("term 2"));
}

#[test]
fn whom_a_corrupt_node_follows_is_not_judged() {
    let mut history = History::with("one-leader", &[3]);
    history.all(s(1), &follows(1, 0));
    history.probe(s(2), 3, &follows(1, 3));
    history.passes();
}
