//! Members that come and go.

use super::*;
use crate::testing::{admitted, applied, asked};
use consim_core::Configured;

/// Members a and b at the beginning.
fn changing(check: &str) -> History {
    let world = World::new(4);
    let mut subjects = subjects(&world, &[]);
    for chain in &mut subjects.chains {
        chain.first = Some(vec![NodeId(0), NodeId(1)]);
        chain.quorum = 2;
        chain.quorum_of = |n| n / 2 + 1;
    }
    // The client of d asks d.
    subjects.entries = vec![(NodeId(7), NodeId(3))];
    let subjects = Arc::new(subjects);
    let [check] = <[_; 1]>::try_from(build(&subjects, &[check.into()], &[])).unwrap_or_else(|_| {
        panic!("one check is called {check}");
    });
    History { check, world }
}

fn configured(change: u64, lists: &[&[u32]]) -> Probe {
    let list = |list: &&[u32]| {
        let nodes: Arc<[NodeId]> = list.iter().map(|&n| NodeId(n)).collect();
        let quorum = nodes.len() / 2 + 1;
        (nodes, quorum)
    };
    Probe::Configured(Arc::new(Configured {
        chain: CHAIN,
        change,
        joint: lists.len() > 1,
        handed_over_at: None,
        groups: lists.iter().map(list).collect(),
        renewed: Arc::default(),
    }))
}

#[test]
fn configurations_meet_through_a_joint_one() {
    let mut h = changing("quorum-intersection");
    h.all(s(1), &configured(1, &[&[1, 2, 3], &[0, 1]]));
    h.all(s(2), &configured(1, &[&[1, 2, 3]]));
    // One at a time needs none.
    h.all(s(3), &configured(2, &[&[2, 3]]));
    h.passes();
}

#[test]
fn configurations_that_may_decide_apart_are_seen() {
    let mut h = changing("quorum-intersection");
    h.all(s(1), &configured(1, &[&[0, 1, 2, 3]]));
    h.passes();
    h.all(s(2), &configured(2, &[&[2, 3]]));
    assert_eq!(h.finding().verdict, Verdict::Pass, "3 of 4 and 2 of 2 meet");
    h.all(s(3), &configured(3, &[&[0, 1]]));
    let said = h.violation();
    assert!(
        said.contains("change 3: 2 of {c, d} may decide without any of 2 of {a, b}"),
        "{said}"
    );
}

#[test]
fn a_log_that_is_handed_over_needs_votes_enough_and_no_meeting() {
    let at = |change, list: &[u32], quorum| {
        Probe::Configured(Arc::new(Configured {
            chain: CHAIN,
            change,
            joint: false,
            handed_over_at: Some(change * 10),
            groups: vec![(list.iter().map(|&n| NodeId(n)).collect(), quorum)],
            renewed: Arc::default(),
        }))
    };
    let mut h = changing("quorum-intersection");
    h.all(s(1), &at(1, &[0, 1], 2));
    h.all(s(2), &at(2, &[2, 3], 2));
    h.passes();
    h.all(s(3), &at(3, &[0, 1, 2, 3], 2));
    let said = h.violation();
    assert!(
        said.contains("2 of {a, b, c, d} decide, fewer than the protocol needs"),
        "{said}"
    );
}

#[test]
fn all_name_the_same_configuration() {
    let mut h = changing("quorum-intersection");
    h.probe(s(1), 0, &configured(1, &[&[0, 1, 2]]));
    h.probe(s(1), 1, &configured(1, &[&[0, 1, 3]]));
    let said = h.violation();
    assert!(
        said.contains("2 of {a, b, c} decide at a, 2 of {a, b, d} at b"),
        "{said}"
    );
}

#[test]
fn nobody_goes_back_to_a_former_configuration() {
    let mut h = changing("quorum-intersection");
    h.probe(s(1), 0, &configured(1, &[&[0, 1, 2]]));
    h.probe(s(2), 0, &configured(2, &[&[1, 2]]));
    h.probe(s(3), 1, &configured(1, &[&[0, 1, 2]]));
    // Who starts again comes by the former ones again.
    h.check.node_up(s(4), NodeId(0), false);
    h.probe(s(5), 0, &configured(1, &[&[0, 1, 2]]));
    h.passes();
    h.probe(s(6), 1, &configured(2, &[&[1, 2]]));
    h.probe(s(7), 1, &configured(1, &[&[0, 1, 2]]));
    let said = h.violation();
    assert!(said.contains("b went back to change 1"), "{said}");
}

#[test]
fn a_change_begins_when_the_one_before_it_is_over() {
    let mut h = changing("quorum-intersection");
    h.all(s(1), &configured(1, &[&[0, 1, 2], &[0, 1]]));
    h.all(s(2), &configured(2, &[&[0, 1, 2, 3], &[0, 1, 2]]));
    let said = h.violation();
    assert!(
        said.contains("change 2: it began before change 1 was over"),
        "{said}"
    );
}

#[test]
fn nobody_waits_for_what_one_that_left_had_taken_in() {
    for leaves in [false, true] {
        let mut h = changing("liveness");
        let tx = h.world.tx(1, 1);
        h.probe(s(1), 1, &admitted(&tx));
        if leaves {
            h.probe(s(2), 0, &configured(1, &[&[0]]));
        }
        h.check.end(s(20));
        let failed = h.finding().verdict == Verdict::Fail;
        assert_eq!(failed, !leaves);
    }
}

#[test]
fn who_joined_converges_and_who_has_not_need_not() {
    for (joins, verdict) in [
        (None, Verdict::Pass),
        (Some(15), Verdict::Pass),
        (Some(5), Verdict::Fail),
    ] {
        let mut h = changing("convergence");
        let block = h.world.block(Vec::new());
        h.probe(s(1), 0, &applied(&block))
            .probe(s(1), 1, &applied(&block));
        if let Some(at) = joins {
            h.probe(s(at), 0, &configured(1, &[&[0, 1, 2], &[0, 1]]));
        }
        h.check.end(s(20));
        assert_eq!(h.finding().verdict, verdict, "{joins:?}: {:?}", h.finding());
    }
}

#[test]
fn a_client_of_no_member_is_owed_nothing() {
    for member in [false, true] {
        let mut h = changing("client-progress");
        if member {
            h.probe(s(1), 0, &configured(1, &[&[0, 1, 3]]));
        }
        h.probe(
            s(2),
            7,
            &asked(7 << 32 | 1, 0, "write", Span::from_secs(60)),
        );
        h.check.end(s(20));
        let failed = h.finding().verdict == Verdict::Fail;
        assert_eq!(failed, member, "{:?}", h.finding());
    }
}
