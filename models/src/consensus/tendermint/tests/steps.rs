//! One replica, step by step: what it says upon what. Lines are those of arXiv 1807.04938, Algorithm 1. In
//! height 1 member 1 proposes in round 0, member 2 in round 1, member 3 in round 2.

use super::super::message::{NIL, PRECOMMIT};
use super::bench::{Bench, FORWARD, PRECOMMITS, PREVOTES, PROPOSE};

const NOTHING: [&str; 0] = [];

/// Member `me` in round 0, locked on the value of its proposer; others precommitted nil.
fn locked(me: u32, others: &[u32]) -> Bench {
    let mut bench = Bench::new(me);
    let x = bench.batch(1, 1);
    let d = x.digest();
    bench.receive(1, bench.proposal(0, &x, None));
    assert_eq!(bench.says(), ["all: prevote 0 value"]);
    bench.receive_all(&others[..1], |b, by| b.prevote(by, 0, d));
    assert_eq!(bench.says(), ["all: precommit 0 value"]);
    bench.receive_all(others, |b, by| b.precommit(by, 0, NIL));
    bench
}

#[test]
fn a_height_in_the_normal_case() {
    let mut bench = Bench::new(0);
    let x = bench.batch(1, 1);
    let d = x.digest();
    bench.receive(1, bench.proposal(0, &x, None));
    assert_eq!(bench.says(), ["all: prevote 0 value"], "lines 22-27");
    bench.receive(2, bench.prevote(2, 0, d));
    assert_eq!(bench.says(), ["all: precommit 0 value"], "lines 36-43");
    bench.receive(2, bench.precommit(2, 0, d));
    assert_eq!(bench.look(), NOTHING);
    bench.receive(3, bench.precommit(3, 0, d));
    assert_eq!(bench.look(), ["deliver 1", "view 2"], "lines 49-54");
    bench.receive(1, bench.precommit(1, 0, d));
    assert_eq!(bench.look(), NOTHING, "a late one changes nothing");
}

#[test]
fn the_proposer_puts_forward_what_waits() {
    let mut bench = Bench::new(1);
    bench.submit(1);
    bench.timer(FORWARD);
    assert_eq!(bench.says(), ["all: proposal 0 new"], "lines 18-19");
    // Its PREVOTE is in it.
    let d = bench.replica.rounds.get(0).unwrap().digest.unwrap();
    bench.receive_all(&[2, 3], |b, by| b.prevote(by, 0, d));
    assert_eq!(bench.says(), ["all: precommit 0 value"]);
}

#[test]
fn nothing_happens_where_nothing_waits() {
    let mut bench = Bench::new(0);
    bench.timer(PROPOSE);
    assert_eq!(bench.says(), NOTHING);
    // One that votes may lie, of two one does not.
    bench.receive(2, bench.prevote(2, 0, NIL));
    bench.timer(PROPOSE);
    assert_eq!(bench.says(), NOTHING);
    bench.receive(3, bench.prevote(3, 0, NIL));
    bench.timer(PROPOSE);
    // With its own they are a quorum.
    let both = ["all: prevote 0 nil", "all: precommit 0 nil"];
    assert_eq!(bench.says(), both);
}

#[test]
fn a_round_without_a_proposal_is_in_vain() {
    let mut bench = Bench::new(0);
    bench.submit(1);
    bench.timer(FORWARD);
    bench.look();
    bench.timer(PROPOSE);
    assert_eq!(bench.says(), ["all: prevote 0 nil"], "lines 57-60");
    bench.receive_all(&[2, 3], |b, by| b.prevote(by, 0, NIL));
    assert_eq!(bench.says(), ["all: precommit 0 nil"], "lines 44-46");
    bench.timer(PRECOMMITS);
    assert_eq!(bench.look(), NOTHING, "it does not run yet");
    bench.receive_all(&[2, 3], |b, by| b.precommit(by, 0, NIL));
    bench.timer(PRECOMMITS);
    assert_eq!(bench.look(), ["give up 1", "view 2"], "lines 47 and 65-67");
}

#[test]
fn votes_that_are_divided_time_out() {
    let mut bench = Bench::new(0);
    let x = bench.batch(1, 1);
    bench.receive(1, bench.proposal(0, &x, None));
    bench.says();
    bench.timer(PREVOTES);
    assert_eq!(bench.says(), NOTHING, "two are no quorum");
    bench.receive(2, bench.prevote(2, 0, NIL));
    bench.timer(PREVOTES);
    assert_eq!(bench.says(), ["all: precommit 0 nil"], "lines 34 and 61-64");
    // Too late to lock, but it is a valid value now (line 42).
    bench.receive(3, bench.prevote(3, 0, x.digest()));
    assert_eq!(bench.says(), NOTHING);
    assert_eq!(bench.replica.valid_round(), Some(0));
    assert_eq!(bench.replica.votes.locked, None);
}

#[test]
fn what_is_not_in_order_is_prevoted_nil() {
    let mut bench = Bench::new(0);
    // Another member's batch as if it were new.
    let foreign = bench.batch(2, 1);
    bench.receive(1, bench.proposal(0, &foreign, None));
    assert_eq!(bench.says(), ["all: prevote 0 nil"], "line 26");
    // Not the proposer's turn.
    let mut bench = Bench::new(0);
    let x = bench.batch(1, 1);
    bench.receive(2, bench.proposal(0, &x, None));
    assert_eq!(bench.says(), NOTHING);
    // The second one does not count.
    bench.receive(1, bench.proposal(0, &x, None));
    bench.receive(1, bench.proposal(0, &bench.batch(1, 2), None));
    assert_eq!(bench.says(), ["all: prevote 0 value"]);
}

#[test]
fn a_lock_holds_until_a_later_round_speaks_against_it() {
    let mut bench = locked(0, &[2, 3]);
    bench.timer(PRECOMMITS);
    // The others learn what got 2f+1 prevotes.
    assert_eq!(bench.look(), ["all: polka 0", "give up 1", "view 2"]);
    let y = bench.batch(2, 2);
    bench.receive(2, bench.proposal(1, &y, None));
    assert_eq!(bench.says(), ["all: prevote 1 nil"], "line 22");
    bench.receive_all(&[1, 3], |b, by| b.prevote(by, 1, NIL));
    bench.says();
    bench.receive_all(&[1, 3], |b, by| b.precommit(by, 1, NIL));
    bench.timer(PRECOMMITS);
    bench.look();
    // Two prevotes are no proof of a valid round.
    let few = bench.prevotes(&[2, 3], 1, y.digest());
    let mut other = locked(0, &[2, 3]);
    other.look();
    other.receive_all(&[1, 3], |b, by| b.precommit(by, 2, NIL));
    other.look();
    other.receive(3, other.proposal(2, &y, Some(few)));
    assert_eq!(other.says(), ["all: prevote 2 nil"], "line 28");
    // Three are, in round 1, which is above the lock.
    let proof = bench.prevotes(&[1, 2, 3], 1, y.digest());
    bench.receive(3, bench.proposal(2, &y, Some(proof)));
    assert_eq!(bench.says(), ["all: prevote 2 value"], "lines 28-30");
}

#[test]
fn a_valid_value_is_put_forward_again() {
    let mut bench = locked(2, &[0, 3]);
    bench.look();
    bench.timer(PRECOMMITS);
    assert_eq!(bench.look(), ["give up 1", "view 2"]);
    bench.sync();
    assert_eq!(bench.look(), ["all: proposal 1 0"], "lines 15-16");
}

#[test]
fn a_valid_value_is_learnt_of_others() {
    let mut bench = Bench::new(2);
    let x = bench.batch(1, 1);
    bench.receive(3, bench.polka(&[0, 1], 0, &x));
    assert_eq!(bench.replica.valid_round(), None);
    bench.receive(3, bench.polka(&[0, 1, 3], 0, &x));
    assert_eq!(bench.replica.valid_round(), Some(0));
    bench.receive_all(&[0, 1, 3], |b, by| b.precommit(by, 0, NIL));
    bench.sync();
    bench.look();
    bench.timer(PRECOMMITS);
    bench.sync();
    let said = bench.look();
    assert!(said.contains(&"all: proposal 1 0".into()), "{said:?}");
}

#[test]
fn f_plus_one_in_a_higher_round_are_followed() {
    let mut bench = Bench::new(0);
    bench.receive(2, bench.prevote(2, 5, NIL));
    assert_eq!(bench.look(), NOTHING);
    bench.receive(3, bench.precommit(3, 4, NIL));
    assert_eq!(bench.look(), ["give up 1", "view 5"], "line 55: round 4");
    // What came before counts there.
    let round = bench.replica.rounds.get(4).unwrap();
    assert_eq!(round.precommits.voters(), 1);
}

#[test]
fn precommits_of_a_former_round_decide() {
    let mut bench = locked(0, &[2, 3]);
    bench.timer(PRECOMMITS);
    bench.look();
    let d = bench.batch(1, 1).digest();
    // Members 2 and 3 signed nil; without them there is no quorum.
    bench.receive_all(&[1, 2, 3], |b, by| b.precommit(by, 0, d));
    assert_eq!(bench.look(), NOTHING);
    let mut bench = Bench::new(0);
    let x = bench.batch(1, 1);
    bench.receive(1, bench.proposal(0, &x, None));
    bench.says();
    bench.receive_all(&[2, 3], |b, by| b.prevote(by, 1, NIL));
    assert_eq!(bench.look(), ["give up 1", "view 2"]);
    bench.receive(2, bench.votes(&[1, 2, 3], PRECOMMIT, 0, d));
    let said = bench.look();
    assert_eq!(said[0], "deliver 1", "line 49: {said:?}");
}

#[test]
fn who_asks_gets_the_votes_of_all() {
    let mut bench = locked(0, &[2, 3]);
    bench.look();
    bench.receive(3, Bench::question(0));
    // Prevotes of 0, 1 and 2, precommits of 0 and 2; its own it knows.
    assert_eq!(bench.look(), ["3: 5 votes", "3: polka 0"]);
}

#[test]
fn one_that_comes_back_has_its_votes_and_its_lock() {
    let mut bench = locked(0, &[2, 3]);
    bench.look();
    bench.restart();
    let said = bench.look();
    let again = ["all: prevote 0 value", "all: precommit 0 value"];
    assert!(
        again.iter().all(|a| said.iter().any(|s| s == a)),
        "{said:?}"
    );
    bench.sync();
    bench.look();
    // It signs nothing else in that round.
    let y = bench.batch(1, 2);
    bench.receive(1, bench.proposal(0, &y, None));
    assert_eq!(bench.says(), NOTHING);
    // It is locked in the next.
    bench.receive_all(&[2, 3], |b, by| b.precommit(by, 1, NIL));
    bench.look();
    let z = bench.batch(2, 3);
    bench.receive(2, bench.proposal(1, &z, None));
    assert_eq!(bench.says(), ["all: prevote 1 nil"]);
    assert_eq!(bench.replica.valid_round(), Some(0));
}

#[test]
fn one_that_comes_back_shows_others_the_way_to_its_round() {
    let mut bench = Bench::new(0);
    bench.receive_all(&[1, 2, 3], |b, by| b.precommit(by, 0, NIL));
    bench.timer(PRECOMMITS);
    assert_eq!(bench.look(), ["give up 1", "view 2"]);
    bench.sync();
    bench.restart();
    bench.sync();
    assert_eq!(bench.replica.round, 1);
    bench.look();
    bench.receive(3, Bench::question(0));
    assert_eq!(bench.look(), ["3: 2 votes"], "those of 1 and 2");
}

#[test]
fn votes_that_are_passed_on_lead_to_a_higher_round() {
    let mut bench = Bench::new(0);
    bench.receive(3, bench.votes(&[2], PRECOMMIT, 2, NIL));
    assert_eq!(bench.look(), NOTHING);
    bench.receive(3, bench.votes(&[1, 2], PRECOMMIT, 2, NIL));
    assert_eq!(bench.look(), ["give up 1", "view 3"]);
    assert_eq!(bench.replica.rounds.get(2).unwrap().precommits.voters(), 2);
}

#[test]
fn a_proposer_that_comes_back_says_the_same_again() {
    let mut bench = Bench::new(1);
    bench.submit(1);
    bench.timer(FORWARD);
    bench.sync();
    let before = bench.replica.rounds.get(0).unwrap().digest;
    bench.look();
    bench.restart();
    let said = bench.look();
    assert!(said.contains(&"all: proposal 0 new".into()), "{said:?}");
    assert_eq!(bench.replica.rounds.get(0).unwrap().digest, before);
    bench.submit(2);
    bench.timer(FORWARD);
    bench.sync();
    assert_eq!(bench.look(), NOTHING, "no second one in that round");
}
