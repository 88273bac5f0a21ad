//! Joint consensus.

use super::arena::{Arena, everybody};
use crate::consensus::raft::RaftOptions;
use crate::consensus::raft::membership::Configuration;
use crate::consensus::raft::message::Body;
use crate::consensus::{Changing, MemberChange};
use consim_core::{NodeId, Span, Time};

fn at(seconds: u64) -> Time {
    Time::ZERO + Span::from_secs(seconds)
}

/// Three members of five, with a leader.
fn arena() -> (Arena, u32) {
    let mut arena = Arena::new(5, 3, 11, RaftOptions::default());
    arena.run(at(5), |_, _, _| false);
    let leader = arena.leader().unwrap();
    (arena, leader)
}

/// Asks a replica for change `number`, by which `members` become the members.
fn change(arena: &mut Arena, at: u32, number: u64, members: &[u32]) -> Changing {
    let before = &arena.seats[at as usize].replica.configuration.members;
    let members: Vec<NodeId> = members.iter().map(|&n| NodeId(n)).collect();
    let add = members.iter().filter(|n| !before.contains(n));
    let remove = before.iter().filter(|n| !members.contains(n));
    let change = MemberChange {
        number,
        add: add.copied().collect(),
        remove: remove.copied().collect(),
        renew: Vec::new(),
    };
    ask(arena, at, &change)
}

fn ask(arena: &mut Arena, at: u32, change: &MemberChange) -> Changing {
    let mut answer = Changing::NotSupported;
    arena.within(at, |r, cx| {
        answer = r.asked_to_change(cx, change);
        r.flush(cx);
    });
    answer
}

/// Who decides by the log of a seat.
fn members(arena: &Arena, at: u32) -> &Configuration {
    &arena.seats[at as usize].replica.configuration
}

#[test]
fn new_members_catch_up_and_decide() {
    let (mut arena, leader) = arena();
    for _ in 0..20 {
        arena.submit(leader);
        arena.run(arena.now + Span::from_millis(50), |_, _, _| false);
    }
    let all = [0, 1, 2, 3, 4];
    let other = (leader + 1) % 3;
    assert_eq!(change(&mut arena, other, 1, &all), Changing::Elsewhere);
    assert_eq!(change(&mut arena, leader, 2, &all), Changing::Waits);
    assert_eq!(change(&mut arena, leader, 1, &all), Changing::UnderWay);
    assert_eq!(change(&mut arena, leader, 1, &all), Changing::UnderWay);
    let next = change(&mut arena, leader, 2, &[0, 1, 2]);
    assert_eq!(next, Changing::Waits, "one at a time");
    assert!(!members(&arena, leader).is_joint(), "nobody has caught up");
    arena.run(at(10), |_, _, _| false);
    arena.assert_sound();
    let configuration = members(&arena, leader);
    assert_eq!(configuration.members, everybody(5));
    assert!(!configuration.is_joint());
    assert_eq!(arena.marks["joint-committed"], 1);
    assert_eq!(arena.marks["newcomer-caught-up"], 1);
    for i in 0..5 {
        assert_eq!(change(&mut arena, i, 1, &all), Changing::Done, "{i}");
    }
    assert!(
        arena.marks["snapshot-sent"] > 0,
        "the log was cut long before"
    );
    // Two of the old ones may crash now.
    let old: Vec<u32> = (0..3).filter(|i| *i != leader).collect();
    arena.crash(old[0], 0);
    arena.crash(old[1], 0);
    let before = arena.committed.len();
    arena.submit(leader);
    arena.run(at(20), |_, _, _| false);
    assert!(arena.committed.len() > before);
    let head = arena.seats[leader as usize].ledger.head_id();
    assert_eq!(arena.seats[4].ledger.head_id(), head);
}

#[test]
fn a_joint_configuration_needs_both_majorities() {
    let (mut arena, leader) = arena();
    let change = change(&mut arena, leader, 1, &[leader, 3, 4]);
    assert_eq!(change, Changing::UnderWay);
    // The new ones catch up; of what is in force from then on they hear nothing: the old majority alone
    // decides nothing.
    let joint = |body: &Body| {
        let Body::Append { entries, .. } = body else {
            return false;
        };
        entries.iter().any(|entry| entry.members.is_some())
    };
    arena.run(at(7), |_, to, body| to.0 > 2 && joint(body));
    assert!(members(&arena, leader).is_joint());
    let before = arena.committed.len();
    arena.submit(leader);
    arena.run(at(8), |_, to, body| to.0 > 2 && joint(body));
    assert_eq!(arena.committed.len(), before);
    arena.run(at(15), |_, _, _| false);
    arena.assert_sound();
    assert!(arena.committed.len() > before);
    let leader = arena.leader().unwrap();
    assert!(!members(&arena, leader).is_joint());
}

#[test]
fn nobody_waits_for_a_new_member_that_does_not_come() {
    let (mut arena, leader) = arena();
    arena.crash(3, 0);
    let asked = change(&mut arena, leader, 1, &[0, 1, 2, 3]);
    assert_eq!(asked, Changing::UnderWay);
    let before = arena.committed.len();
    for i in 0..13 {
        arena.submit(leader);
        arena.run(at(6 + i), |_, _, _| false);
    }
    arena.run(at(20), |_, _, _| false);
    assert!(arena.committed.len() > before, "the chain goes on");
    let again = change(&mut arena, leader, 1, &[0, 1, 2, 3]);
    assert_eq!(again, Changing::UnderWay);
    assert_eq!(members(&arena, leader).members, everybody(3));
    arena.recover(3);
    arena.run(at(40), |_, _, _| false);
    arena.assert_sound();
    let leader = arena.leader().unwrap();
    assert_eq!(members(&arena, leader).members, everybody(4));
    // The state that it took over was of before the last blocks.
    assert!(arena.marks["newcomer-behind"] > 0);
}

#[test]
fn a_chain_is_not_left_without_members() {
    let (mut arena, leader) = arena();
    assert_eq!(change(&mut arena, leader, 1, &[]), Changing::Impossible);
    arena.run(at(10), |_, _, _| false);
    assert_eq!(members(&arena, leader).members, everybody(3));
}

#[test]
fn who_left_learns_it_and_who_missed_it_is_told() {
    let (mut arena, leader) = arena();
    let out: Vec<u32> = (0..3).filter(|i| *i != leader).collect();
    let (told, missed) = (out[0], out[1]);
    // Two come, so that the group can lose two.
    let asked = change(&mut arena, leader, 1, &[0, 1, 2, 3, 4]);
    assert_eq!(asked, Changing::UnderWay);
    arena.run(at(10), |_, _, _| false);
    let asked = change(&mut arena, leader, 2, &[leader, 3, 4]);
    assert_eq!(asked, Changing::UnderWay);
    let cut = |from: NodeId, to: NodeId| from.0 == missed || to.0 == missed;
    arena.run(at(12), |from, to, _| cut(from, to));
    assert_eq!(
        change(&mut arena, leader, 2, &[leader, 3, 4]),
        Changing::Done
    );
    assert!(!arena.seats[told as usize].replica.is_member());
    assert!(arena.seats[missed as usize].replica.is_member());
    assert_eq!(arena.marks["member-left"], 1);
    // Another one leads, and knows nothing of who has missed it.
    arena.crash(leader, 0);
    arena.run(at(20), |from, to, _| cut(from, to));
    let next = arena.leader().unwrap();
    arena.recover(leader);
    arena.run(at(22), |from, to, _| cut(from, to));
    let term = arena.seats[next as usize].replica.term;
    arena.run(at(40), |_, _, _| false);
    arena.assert_sound();
    assert!(!arena.seats[missed as usize].replica.is_member());
    assert_eq!(arena.marks["left-member-reminded"], 1);
    assert_eq!(arena.seats[next as usize].replica.term, term, "undisturbed");
    // Neither is sent anything more.
    let held = arena.seats[told as usize].replica.log.last();
    arena.submit(next);
    arena.run(at(50), |_, _, _| false);
    assert_eq!(arena.seats[told as usize].replica.log.last(), held);
    assert!(arena.seats[next as usize].replica.log.last() > held);
}

#[test]
fn a_change_survives_its_leader() {
    let (mut arena, leader) = arena();
    let asked = change(&mut arena, leader, 1, &[0, 1, 2, 3]);
    assert_eq!(asked, Changing::UnderWay);
    arena.crash(leader, 0);
    arena.run(at(15), |_, _, _| false);
    let next = arena.leader().unwrap();
    let request = MemberChange {
        number: 1,
        add: vec![NodeId(3)],
        remove: Vec::new(),
        renew: Vec::new(),
    };
    // The administrator asks again, wherever it is.
    if ask(&mut arena, next, &request) != Changing::Done {
        arena.run(at(25), |_, _, _| false);
    }
    assert_eq!(ask(&mut arena, next, &request), Changing::Done);
    arena.recover(leader);
    arena.run(at(40), |_, _, _| false);
    arena.assert_sound();
    for i in 0..4 {
        assert_eq!(members(&arena, i).members, everybody(4), "{i}");
    }
}

#[test]
fn the_seeded_bug_skips_the_joint_configuration() {
    use crate::consensus::raft::seeded::NO_JOINT_CONFIGURATION;
    consim_core::seeded::with(Some(&NO_JOINT_CONFIGURATION), || {
        let (mut arena, leader) = arena();
        change(&mut arena, leader, 1, &[0, 1, 2, 3, 4]);
        arena.run(at(10), |_, _, _| false);
        assert_eq!(members(&arena, leader).members, everybody(5));
        assert!(!arena.marks.contains_key("joint-committed"));
    });
}

#[test]
fn a_leader_that_is_removed_gives_its_place_away() {
    let (mut arena, leader) = arena();
    let rest: Vec<u32> = (0..4).filter(|i| *i != leader).collect();
    let asked = change(&mut arena, leader, 1, &rest);
    assert_eq!(asked, Changing::UnderWay);
    arena.run(at(6), |_, _, _| false);
    arena.assert_sound();
    let next = arena.leader().unwrap();
    assert!(rest.contains(&next), "{next}");
    assert_eq!(arena.marks["leader-removed"], 1);
    assert_eq!(arena.marks["place-given"], 1);
    let term = arena.seats[next as usize].replica.term;
    // The one that is out does not disturb.
    arena.run(at(40), |_, _, _| false);
    assert_eq!(arena.seats[next as usize].replica.term, term);
}
