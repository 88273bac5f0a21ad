//! After the heal: progress for every client, who comes back, no going round, and what could not
//! have gone on. The bound is ten seconds.

use super::{CHAIN, History};
use crate::testing::{admitted, applied, asked, ended, recovered, s};
use consim_core::{Block, Digest, Heal, NodeId, OpEnd, Probe, Span, Verdict};
use std::sync::Arc;

/// The heal gives twice the bound.
fn heal(broken: &[u32]) -> Heal {
    Heal {
        bound: Span::from_secs(20),
        broken: broken.iter().map(|&n| NodeId(n)).collect(),
    }
}

impl History {
    fn heal(&mut self, at: u64, broken: &[u32]) -> &mut Self {
        self.check.healed(s(at), &heal(broken));
        self
    }
    /// Nothing failed, but something could not be judged.
    fn excused(&self, why: &str) {
        let finding = self.finding();
        assert_eq!(finding.verdict, Verdict::Unknown, "{finding:?}");
        assert!(finding.reasons[0].contains(why), "{finding:?}");
    }
}

fn blocks(h: &mut History, n: usize) -> Vec<Arc<Block>> {
    (0..n).map(|_| h.world.block(vec![])).collect()
}

// ---- progress of each client -------------------------------------------------------------------

const MINUTE: Span = Span::from_secs(60);

/// The number of operation `n` of a node.
fn op(node: u32, n: u64) -> u64 {
    u64::from(node) << 32 | n
}

#[test]
fn progress_is_asked_for_every_client() {
    let mut h = History::of("client-progress");
    for at in 1..30 {
        // Client 5 is answered, client 6 is not, whatever it asks.
        for client in [5, 6] {
            h.probe(s(at), client, &asked(op(client, at), 0, "read", MINUTE));
        }
        h.probe(
            s(at),
            5,
            &ended(op(5, at), 0, "read", s(at), OpEnd::Refused("no")),
        );
        h.probe(s(at), 6, &ended(op(6, at), 0, "read", s(at), OpEnd::GaveUp));
    }
    h.check.end(s(30));
    // At 12 s and at 23 s.
    let finding = h.finding();
    assert_eq!((finding.violated, finding.evaluated), (2, 29 + 2));
    assert!(finding.violations[0].ends_with("asks since 1s and had no answer within 10s"));
}

#[test]
fn progress_is_not_asked_for_a_client_of_an_adversarys_server() {
    let ask = |at_mercy: &[u32]| {
        let mut h = History::of("client-progress");
        let mut subjects = super::subjects(&h.world, &[0]);
        subjects.at_mercy = at_mercy.iter().map(|&n| NodeId(n)).collect();
        h.check = super::build(&Arc::new(subjects), &["client-progress".into()], &[]).remove(0);
        h.probe(s(1), 6, &asked(op(6, 1), 0, "read", MINUTE));
        h.check.end(s(30));
        h
    };
    ask(&[]).violation();
    ask(&[6]).unknown();
}

#[test]
fn progress_counts_from_the_heal_and_by_its_bound() {
    let ask = |h: &mut History| {
        h.fault(s(1), true);
        h.probe(s(2), 5, &asked(op(5, 1), 0, "read", MINUTE));
        h.fault(s(30), false).heal(30, &[]);
    };
    let mut h = History::of("client-progress");
    ask(&mut h);
    h.probe(s(50), 5, &ended(op(5, 1), 0, "read", s(2), OpEnd::Done));
    h.passes();
    let mut h = History::of("client-progress");
    ask(&mut h);
    h.check.end(s(51));
    h.violation();
    // Nothing is asked for a client that stays broken, or has forgotten what it asked.
    let mut h = History::of("client-progress");
    ask(&mut h);
    h.heal(31, &[5]).check.end(s(99));
    h.unknown();
    let mut h = History::of("client-progress");
    ask(&mut h);
    h.up(s(40), 5, false).check.end(s(99));
    h.unknown();
    // Or that gave up, and asks no more; once it asks again it counts.
    let give_up = |h: &mut History| {
        ask(h);
        h.probe(s(35), 5, &ended(op(5, 1), 0, "read", s(2), OpEnd::GaveUp));
    };
    let mut h = History::of("client-progress");
    give_up(&mut h);
    h.check.end(s(99));
    h.unknown();
    let mut h = History::of("client-progress");
    give_up(&mut h);
    h.probe(s(60), 5, &asked(op(5, 2), 0, "read", MINUTE));
    h.check.end(s(99));
    h.violation();
}

// ---- who comes back ----------------------------------------------------------------------------

/// All execute three blocks in three seconds; node d is down from 2 s to 5 s.
fn back() -> (History, Vec<Arc<Block>>) {
    let mut h = History::of("rejoin");
    let blocks = blocks(&mut h, 4);
    h.all(s(1), &applied(&blocks[0])).up(s(2), 3, false);
    for (at, block) in [(2, &blocks[1]), (3, &blocks[2])] {
        for node in 0..3 {
            h.probe(s(at), node, &applied(block));
        }
    }
    h.up(s(5), 3, true);
    h.probe(s(5), 3, &recovered(1, blocks[0].id));
    (h, blocks)
}

#[test]
fn who_comes_back_has_the_bound_to_catch_up_with_what_there_was() {
    let (mut h, blocks) = back();
    h.probe(s(14), 3, &applied(&blocks[1]));
    // A later block is not its goal.
    h.probe(s(14), 0, &applied(&blocks[3]));
    h.probe(s(15), 3, &applied(&blocks[2]));
    h.check.end(s(60));
    h.passes();
    let (mut h, blocks) = back();
    h.probe(s(14), 3, &applied(&blocks[1]));
    h.check.end(s(60));
    assert_eq!(
        h.violation(),
        "alliance: d came up at 5s, when there was block 3, and was still at 2 after 10s"
    );
    // A state that it took over serves as well, and a node that goes down again is not judged.
    let (mut h, blocks) = back();
    h.probe(s(9), 3, &recovered(3, blocks[2].id)).passes();
    let (mut h, _) = back();
    h.up(s(9), 3, false).check.end(s(60));
    h.unknown();
}

#[test]
fn who_comes_back_is_judged_by_the_heal() {
    let (mut h, _) = back();
    h.fault(s(6), true).fault(s(20), false).heal(20, &[]);
    h.check.end(s(40));
    h.unknown();
    let (mut h, _) = back();
    h.fault(s(6), true).fault(s(20), false).heal(20, &[]);
    h.check.end(s(41));
    assert!(h.violation().ends_with("after 20s"));
    let (mut h, _) = back();
    h.heal(6, &[3]).check.end(s(60));
    h.unknown();
}

// ---- going round -------------------------------------------------------------------------------

fn view(view: u64) -> Probe {
    let leader = NodeId((view % 4) as u32);
    Probe::View {
        chain: CHAIN,
        view,
        leader,
    }
}

/// A transaction waits, and all go through views from 1 on, one a second.
fn round(h: &mut History, views: u64) {
    let tx = h.world.tx(0, 1);
    h.probe(s(0), 0, &admitted(&tx));
    for v in 1..=views {
        h.all(s(v), &view(v));
    }
}

#[test]
fn views_that_go_round_without_a_block_are_a_lasso() {
    // Each of the four has led twice: the ninth view is the first of a third round.
    let mut h = History::of("no-livelock");
    round(&mut h, 8);
    h.unknown();
    let mut h = History::of("no-livelock");
    round(&mut h, 40);
    let said = h.violation();
    assert!(
        said.contains("view 9 is like 2 views before it since block 0"),
        "{said}"
    );
}

#[test]
fn who_says_again_that_it_is_in_a_view_goes_no_round() {
    let mut h = History::of("no-livelock");
    round(&mut h, 4);
    for _ in 0..9 {
        h.all(s(5), &view(4));
    }
    h.unknown();
}

#[test]
fn a_block_a_disturbance_or_nothing_to_do_ends_the_round() {
    let mut h = History::of("no-livelock");
    let block = blocks(&mut h, 1).remove(0);
    round(&mut h, 8);
    h.probe(s(9), 0, &applied(&block));
    for v in 9..=16 {
        h.all(s(v), &view(v));
    }
    h.passes();
    let mut h = History::of("no-livelock");
    round(&mut h, 8);
    h.fault(s(9), true);
    for v in 9..=40 {
        h.all(s(v), &view(v));
    }
    h.unknown();
    let mut h = History::of("no-livelock");
    for v in 1..=40 {
        h.all(s(v), &view(v));
    }
    h.unknown();
}

#[test]
fn what_a_client_gave_up_while_something_was_disturbed_founds_no_claim() {
    let asks = |h: &mut History, at: u64, n: u64| {
        h.probe(s(at), 5, &asked(op(5, n), 0, "read", MINUTE));
    };
    let gives_up = |h: &mut History, at: u64, n: u64, since: u64| {
        h.probe(
            s(at),
            5,
            &ended(op(5, n), 0, "read", s(since), OpEnd::GaveUp),
        );
    };
    let disturbed = || {
        let mut h = History::of("client-progress");
        h.fault(s(2), true);
        asks(&mut h, 5, 1);
        gives_up(&mut h, 8, 1, 5);
        h.fault(s(20), false);
        h
    };
    // Its time begins with what it asks in the calm.
    let mut h = disturbed();
    asks(&mut h, 29, 2);
    h.check.end(s(32));
    h.unknown();
    let mut h = disturbed();
    asks(&mut h, 29, 2);
    h.check.end(s(45));
    h.violation();
    // What it did not give up it is owed as before.
    let mut h = History::of("client-progress");
    h.fault(s(2), true);
    asks(&mut h, 5, 1);
    h.fault(s(20), false);
    h.check.end(s(32));
    h.violation();
}

#[test]
fn a_client_that_gives_up_sooner_than_the_bound_and_asks_no_more_is_owed_nothing() {
    for (again, owed) in [(false, false), (true, true)] {
        let mut h = History::of("client-progress");
        for (at, n) in [(1, 1), (7, 2)].into_iter().take(1 + usize::from(again)) {
            h.probe(s(at), 5, &asked(op(5, n), 0, "read", MINUTE));
            let gave_up = ended(op(5, n), 0, "read", s(at), OpEnd::GaveUp);
            h.probe(s(at + 1), 5, &gave_up);
        }
        h.check.end(s(12));
        if owed {
            h.violation();
        } else {
            h.unknown();
        }
    }
}

// ---- what could not have gone on ---------------------------------------------------------------

#[test]
fn without_a_quorum_or_a_copy_nothing_fails_and_the_reason_is_told() {
    let no_quorum = "2 of 4 members are correct, up, not broken for good and remember what they signed; a quorum is 3";
    // Liveness.
    let mut h = History::of("liveness");
    let tx = h.world.tx(0, 1);
    h.up(s(0), 2, false).up(s(0), 3, false);
    h.probe(s(1), 0, &admitted(&tx));
    h.check.end(s(60));
    h.excused(no_quorum);
    // Two that stay broken are no quorum either.
    let mut h = History::of("liveness");
    let tx = h.world.tx(0, 1);
    h.probe(s(1), 0, &admitted(&tx));
    h.heal(2, &[2, 3]).check.end(s(60));
    h.excused(no_quorum);
    // Nor are two beside two that forgot what they signed, until one may sign again.
    let abstains = |abstains| Probe::Abstains {
        chain: CHAIN,
        abstains,
    };
    for (again, excused) in [(false, true), (true, false)] {
        let mut h = History::of("liveness");
        let tx = h.world.tx(0, 1);
        for node in [2, 3] {
            h.up(s(0), node, false).up(s(0), node, true);
            h.probe(s(0), node, &abstains(true));
        }
        if again {
            h.probe(s(1), 3, &abstains(false));
        }
        h.probe(s(1), 0, &admitted(&tx));
        h.check.end(s(60));
        if excused {
            h.excused(no_quorum);
        } else {
            h.violation();
        }
    }
    // With one broken, three could have gone on.
    let mut h = History::of("liveness");
    let tx = h.world.tx(0, 1);
    h.probe(s(1), 0, &admitted(&tx));
    h.heal(2, &[3]).check.end(s(60));
    h.violation();
    // What only a broken node took in is not asked for.
    let mut h = History::of("liveness");
    let tx = h.world.tx(3, 1);
    h.probe(s(1), 3, &admitted(&tx));
    h.heal(2, &[3]).check.end(s(60));
    h.unknown();
    // A client, a member that came back, a round of views.
    let mut h = History::of("client-progress");
    h.up(s(0), 2, false).up(s(0), 3, false);
    h.probe(s(1), 5, &asked(op(5, 1), 0, "read", MINUTE));
    h.check.end(s(60));
    h.excused(no_quorum);
    let (mut h, _) = back();
    h.up(s(6), 1, false).up(s(6), 2, false).check.end(s(60));
    h.excused(no_quorum);
    let mut h = History::of("no-livelock");
    h.up(s(0), 2, false).up(s(0), 3, false);
    round(&mut h, 40);
    h.excused(no_quorum);
    // Nobody has the latest block: all disks were lost.
    let mut h = History::of("liveness");
    let block = blocks(&mut h, 1).remove(0);
    h.all(s(1), &applied(&block));
    for node in 0..4 {
        h.up(s(2), node, false).up(s(3), node, true);
        h.probe(s(3), node, &recovered(0, Digest::ZERO));
    }
    let tx = h.world.tx(0, 1);
    h.probe(s(4), 0, &admitted(&tx));
    h.check.end(s(60));
    h.excused("no member that is up holds block 1");
}

#[test]
fn who_stays_broken_is_left_out_of_convergence() {
    let behind = |broken: &[u32]| {
        let mut h = History::of("convergence");
        let blocks = blocks(&mut h, 2);
        h.all(s(1), &applied(&blocks[0]));
        for node in 0..3 {
            h.probe(s(2), node, &applied(&blocks[1]));
        }
        h.heal(5, broken).check.end(s(60));
        h
    };
    behind(&[3]).passes();
    assert!(
        behind(&[])
            .violation()
            .contains("the chain had reached 2 20s before")
    );
}
