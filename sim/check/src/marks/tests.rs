use super::{Marks, Scene, list};
use crate::testing::{CHAIN, World, applied, committed, ms, proposed, s};
use consim_core::{Heal, Mark, NodeId, Observer, Probe, Receipt, Span};
use std::collections::BTreeMap;

fn marks(world: &World) -> Marks {
    let kinds = [
        ("cut-1", "partition"),
        ("stop-2", "crash"),
        ("full-3", "disk-full"),
    ];
    Marks::new(Scene {
        members: world.members.clone(),
        quorum: world.quorum,
        kinds: kinds.map(|(id, kind)| (id.to_owned(), kind)).into(),
    })
}
fn times(marks: &Marks, mark: &Mark) -> u64 {
    marks.counts().get(mark.name).copied().unwrap_or(0)
}
fn view(view: u64, leader: u32) -> Probe {
    Probe::View {
        chain: CHAIN,
        view,
        leader: NodeId(leader),
    }
}
const LEFT: Probe = Probe::ViewTimeout {
    chain: CHAIN,
    view: 0,
};

#[test]
fn what_the_code_says_is_counted_by_name() {
    const HERE: Mark = Mark {
        name: "here",
        says: "It was here.",
    };
    let mut marks = marks(&World::new(4));
    assert_eq!(marks.counts(), &BTreeMap::new());
    for _ in 0..3 {
        marks.probe(s(1), NodeId(0), &Probe::Reached(&HERE));
    }
    assert_eq!(times(&marks, &HERE), 3);
}

#[test]
fn a_commit_counts_once_and_by_what_is_open() {
    let mut world = World::new(4);
    let mut marks = marks(&world);
    let (one, two) = (
        world.block(vec![world.tx(0, 1)]),
        world.block(vec![world.tx(0, 2)]),
    );
    marks.probe(s(1), NodeId(0), &committed(&one));
    assert_eq!(times(&marks, &list::COMMITTED_UNDER_CUT), 0);
    marks.fault(s(2), "cut-1", true);
    marks.probe(s(3), NodeId(1), &committed(&one));
    assert_eq!(times(&marks, &list::COMMITTED_UNDER_CUT), 0);
    marks.probe(s(3), NodeId(1), &committed(&two));
    marks.probe(s(3), NodeId(2), &committed(&two));
    assert_eq!(times(&marks, &list::COMMITTED_UNDER_CUT), 1);
    assert_eq!(times(&marks, &list::COMMITTED_WITH_FULL_DISK), 0);
    marks.fault(s(4), "cut-1", false);
    marks.fault(s(4), "full-3", true);
    marks.node_up(s(4), NodeId(3), false);
    marks.healed(
        s(5),
        &Heal {
            bound: Span::from_secs(1),
            broken: vec![NodeId(3)],
        },
    );
    let three = world.block(vec![world.tx(0, 3)]);
    marks.probe(s(6), NodeId(0), &committed(&three));
    assert_eq!(times(&marks, &list::COMMITTED_UNDER_CUT), 1);
    for mark in [
        &list::COMMITTED_WITH_FULL_DISK,
        &list::COMMITTED_WITH_BARE_QUORUM,
        &list::COMMITTED_WITH_BROKEN,
    ] {
        assert_eq!(times(&marks, mark), 1, "{mark:?}");
    }
}

#[test]
fn a_leader_that_goes_down_had_a_proposal_open_or_not() {
    let mut world = World::new(4);
    let block = world.block(vec![world.tx(0, 1)]);
    for done in [false, true] {
        let mut marks = marks(&world);
        marks.probe(s(1), NodeId(0), &view(0, 0));
        marks.probe(s(1), NodeId(0), &proposed(1));
        if done {
            marks.probe(s(1), NodeId(1), &committed(&block));
        }
        marks.node_up(s(2), NodeId(0), false);
        let open = u64::from(!done);
        assert_eq!(times(&marks, &list::LEADER_CRASHED), open);
        marks.probe(s(3), NodeId(1), &LEFT);
        assert_eq!(times(&marks, &list::LEADER_DOWN_LEFT), 1);
        assert_eq!(times(&marks, &list::SOUND_LEADER_LEFT), 0);
        marks.node_up(s(4), NodeId(1), false);
        assert_eq!(times(&marks, &list::CRASHED_BETWEEN_VIEWS), 1);
        assert_eq!(times(&marks, &list::TOO_MANY_DOWN), 1);
        assert_eq!(times(&marks, &list::ALL_DOWN), 0);
    }
}

#[test]
fn those_that_come_up_together_are_told_from_those_that_do_not() {
    let mut marks = marks(&World::new(4));
    for node in [0, 1, 2] {
        marks.node_up(s(1), NodeId(node), false);
    }
    marks.node_up(s(2), NodeId(0), true);
    marks.node_up(s(3), NodeId(1), true);
    assert_eq!(times(&marks, &list::TWO_STARTED), 0);
    marks.node_up(ms(3_400), NodeId(2), true);
    assert_eq!(times(&marks, &list::TWO_STARTED), 1);
    marks.node_up(ms(3_500), NodeId(2), false);
    assert_eq!(times(&marks, &list::CRASHED_SOON_AGAIN), 1);
}

#[test]
fn a_member_that_came_back_empty_catches_up_with_the_newest_block() {
    let mut world = World::new(4);
    let mut marks = marks(&world);
    let blocks: Vec<_> = (1..4)
        .map(|i| {
            let tx = world.tx(0, i);
            world.block_with(vec![tx], vec![Receipt::Refused("no")])
        })
        .collect();
    let nothing = Probe::Recovered {
        chain: CHAIN,
        height: 0,
        head: consim_core::Digest::ZERO,
    };
    marks.probe(s(1), NodeId(3), &nothing);
    assert_eq!(times(&marks, &list::CAME_BACK_EMPTY), 0);
    for block in &blocks {
        marks.probe(s(2), NodeId(0), &applied(block));
    }
    assert_eq!(times(&marks, &list::TRANSACTION_REFUSED), 3);
    marks.probe(s(3), NodeId(3), &nothing);
    assert_eq!(times(&marks, &list::CAME_BACK_EMPTY), 1);
    marks.probe(s(4), NodeId(3), &applied(&blocks[0]));
    assert_eq!(times(&marks, &list::EMPTY_CAUGHT_UP), 0);
    marks.probe(s(4), NodeId(3), &applied(&blocks[2]));
    assert_eq!(times(&marks, &list::EMPTY_CAUGHT_UP), 1);
}

#[test]
fn three_views_are_those_of_members_that_are_up() {
    let mut marks = marks(&World::new(4));
    marks.probe(s(1), NodeId(1), &view(1, 1));
    assert_eq!(times(&marks, &list::THREE_VIEWS), 0);
    marks.fault(s(1), "cut-1", true);
    marks.probe(s(1), NodeId(2), &view(5, 1));
    assert_eq!(times(&marks, &list::THREE_VIEWS), 1);
    assert_eq!(times(&marks, &list::VIEW_5), 1);
    assert_eq!(times(&marks, &list::ENTERED_UNDER_CUT), 1);
}
