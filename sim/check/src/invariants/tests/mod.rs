#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Each invariant on hand-made histories: one that holds, ones that do not, and one that says
//! nothing.

mod accountability;
mod alive;
mod block_time;
mod blocks;
mod carry_over;
mod changes;
mod disks;
mod light_client;
mod one_leader;
mod order;
mod recovery;
mod revoked;
mod storage;
mod votes;

use super::*;
use crate::testing::{CHAIN, World, s};
use consim_core::{Digest, Disk, Finding, NodeId, Probe, Span, Time, Verdict};
use std::sync::Arc;

/// The time at which runs start.
const START: i64 = 1_700_000_000_000_000_000;

/// Liveness and convergence judge after ten seconds.
const BOUND: Span = Span::from_secs(10);

/// A check of four nodes called a to d, of which `corrupt` are corrupt, and what it is told.
struct History {
    check: Box<dyn Check>,
    world: World,
}

impl History {
    fn of(check: &str) -> Self {
        Self::with(check, &[])
    }
    fn with(check: &str, corrupt: &[u32]) -> Self {
        Self::on(check, corrupt, false)
    }
    /// Where the plan takes from disks, or does not.
    fn on(check: &str, corrupt: &[u32], disks: bool) -> Self {
        let world = World::new(4);
        let mut subjects = subjects(&world, corrupt);
        subjects.disks = disks;
        // Leaders are elected where nobody lies.
        for chain in &mut subjects.chains {
            chain.byzantine = !["one-leader", "I8b"].contains(&check);
            let changes = ["quorum-intersection", "I10"].contains(&check);
            chain.first = changes.then(|| chain.members.clone());
        }
        let subjects = Arc::new(subjects);
        let [check] = <[_; 1]>::try_from(build(&subjects, &[check.into()], &[]))
            .unwrap_or_else(|_| panic!("one check is called {check}"));
        Self { check, world }
    }
    fn probe(&mut self, at: Time, node: u32, probe: &Probe) -> &mut Self {
        self.check.probe(at, NodeId(node), probe);
        self
    }
    /// All four nodes say it.
    fn all(&mut self, at: Time, probe: &Probe) -> &mut Self {
        for node in 0..4 {
            self.probe(at, node, probe);
        }
        self
    }
    fn up(&mut self, at: Time, node: u32, up: bool) -> &mut Self {
        self.check.node_up(at, NodeId(node), up);
        self
    }
    fn fault(&mut self, at: Time, open: bool) -> &mut Self {
        self.check.fault(at, "fault", open);
        self
    }
    fn stored(&mut self, at: Time, node: u32, disk: &Disk) -> &mut Self {
        self.check.stored(at, NodeId(node), disk);
        self
    }
    fn finding(&self) -> Finding {
        self.check.finding()
    }
    /// The only violation.
    fn violation(&self) -> String {
        let finding = self.finding();
        assert_eq!(finding.verdict, Verdict::Fail, "{finding:?}");
        assert_eq!(finding.violated, 1, "{finding:?}");
        finding.violations[0].clone()
    }
    fn passes(&self) {
        let finding = self.finding();
        assert_eq!(finding.verdict, Verdict::Pass, "{finding:?}");
        assert!(finding.evaluated > 0);
    }
    fn unknown(&self) {
        let finding = self.finding();
        assert_eq!(
            (finding.verdict, finding.evaluated),
            (Verdict::Unknown, 0),
            "{finding:?}"
        );
    }
}

pub(super) fn subjects(world: &World, corrupt: &[u32]) -> Subjects {
    Subjects {
        chains: vec![ChainSubject {
            quorum_of: |n| (n + (n - 1) / 3 + 1).div_ceil(2),
            byzantine: true,
            id: CHAIN,
            name: "alliance".into(),
            members: world.members.clone(),
            quorum: world.quorum,
            first: None,
            mempool: 100,
            time: Some(TimePromise {
                start_ns: START,
                off: Span::from_millis(10),
                ahead: Span::ZERO,
                behind: |promise, round| promise.delay.times(round),
                delay: Span::from_millis(100),
                before: 2,
            }),
        }],
        keys: world.keys.clone().into(),
        names: ["a", "b", "c", "d", "e"].map(String::from).to_vec(),
        corrupt: corrupt.iter().map(|&n| NodeId(n)).collect(),
        at_mercy: Vec::new(),
        entries: Vec::new(),
        light: vec![NodeId(4)],
        revokes: true,
        recorded: true,
        restarts: true,
        disks: true,
        damages: true,
        bound: BOUND,
    }
}

#[test]
fn every_check_is_unknown_when_nothing_happens() {
    for entry in CHECKS {
        let mut history = History::of(entry.name);
        history
            .up(s(0), 0, true)
            .fault(s(1), true)
            .fault(s(2), false);
        history.check.end(s(100));
        history.unknown();
    }
}

#[test]
fn what_corrupt_nodes_say_is_not_judged() {
    for entry in CHECKS {
        let mut history = History::with(entry.name, &[0, 1, 2, 3]);
        let mut world = World::new(4);
        let block = world.block(vec![world.tx(0, 1)]);
        let fork = World::new(4).fork(vec![]);
        for block in [&block, &fork] {
            history.all(s(1), &Probe::Committed(Arc::clone(&block.committed)));
            history.all(s(1), &Probe::Applied(Arc::clone(block)));
        }
        history.all(s(2), &crate::testing::recovered(7, Digest::ZERO));
        history.check.end(s(100));
        history.unknown();
    }
}

#[test]
fn the_registry_is_in_the_order_of_the_catalogue_and_its_words_are_unique() {
    let codes: Vec<&str> = CHECKS.iter().map(|entry| entry.code).collect();
    assert_eq!(
        codes,
        [
            "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I8b", "I9", "I10", "I11", "I12",
            "I12b", "I13", "I14", "I15", "I16", "I17", "I18", "I19", "A5", "L1", "L2", "L3", "L4",
            "L6"
        ]
    );
    let mut names: Vec<&str> = CHECKS.iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len());
    for entry in CHECKS {
        let liveness = entry.code.starts_with('L');
        assert_eq!(
            entry.severity == Severity::Liveness,
            liveness,
            "{}",
            entry.name
        );
        assert!(entry.says.ends_with('.'));
        let check = History::of(entry.code).check;
        assert_eq!((check.name(), check.code()), (entry.name, entry.code));
        assert_eq!(check.severity(), entry.severity);
        assert_eq!(check.says(), entry.says);
        let on_the_wire =
            ["no-double-signing", "carry-over", "accountability"].contains(&entry.name);
        assert_eq!(check.hears_sends(), on_the_wire, "{}", entry.name);
    }
}

#[test]
fn checks_are_chosen_by_word_or_code_and_only_where_they_have_a_subject() {
    let world = World::new(4);
    let names = |subjects: Subjects, only: &[&str], except: &[&str]| -> Vec<&'static str> {
        let words = |list: &[&str]| list.iter().map(|&w| w.to_owned()).collect::<Vec<_>>();
        let checks = build(&Arc::new(subjects), &words(only), &words(except));
        checks.iter().map(|check| check.name()).collect()
    };
    let usual = || subjects(&world, &[]);
    // No leader is elected where members may lie, and these stay.
    let all = CHECKS.len() - 2;
    assert_eq!(names(usual(), &[], &[]).len(), all);
    assert_eq!(
        names(usual(), &["liveness", "I1"], &[]),
        ["agreement", "liveness"]
    );
    assert_eq!(names(usual(), &["L1", "I1"], &["agreement"]), ["liveness"]);
    assert_eq!(names(usual(), &[], &["I3"]).len(), all - 1);
    let mut calm = usual();
    calm.restarts = false;
    let calm = names(calm, &[], &[]);
    assert!(!calm.contains(&"finality") && !calm.contains(&"rejoin"));
    let mut trusted = usual();
    trusted.recorded = false;
    assert!(!names(trusted, &[], &[]).contains(&"accountability"));
    let mut none = usual();
    none.chains.clear();
    assert!(names(none, &[], &[]).is_empty());
}
