use super::*;
use std::collections::BTreeSet;

/// What `n` sites, a node each, can still say to each other.
fn seen(n: u32, target: u32, shape: Shape, direction: Direction) -> BTreeSet<(u32, u32)> {
    let places: Vec<Place> = (0..n)
        .map(|node| Place {
            node,
            region: 0,
            site: node,
        })
        .collect();
    let world = World {
        nodes: &[],
        places: &places,
        views: &super::super::Views::new(),
    };
    let nodes: Vec<NodeId> = (0..target).map(NodeId).collect();
    let cut = Cut {
        groups: groups(shape, &nodes, world, &mut Draws::new(7)),
        direction,
    };
    let all = places
        .iter()
        .flat_map(|&a| places.iter().map(move |&b| (a, b)));
    all.filter(|(a, b)| a.site != b.site && !cut.comes_between(*a, *b))
        .map(|(a, b)| (a.site, b.site))
        .collect()
}

fn neighbours(seen: &BTreeSet<(u32, u32)>, site: u32) -> BTreeSet<u32> {
    let to = seen.iter().filter(|(from, _)| *from == site);
    to.map(|&(_, to)| to).collect()
}

#[test]
fn a_cut_has_two_sides_and_may_be_one_way() {
    let both = seen(4, 1, Shape::Cut, Direction::Both);
    assert!(neighbours(&both, 0).is_empty() && both.len() == 6);
    let into = seen(4, 1, Shape::Cut, Direction::In);
    assert_eq!(neighbours(&into, 0).len(), 3);
    assert!(!into.contains(&(1, 0)));
    let out = seen(4, 1, Shape::Cut, Direction::Out);
    assert!(neighbours(&out, 0).is_empty() && out.contains(&(1, 0)));
}

#[test]
fn isolated_sites_see_nobody_and_the_rest_sees_itself() {
    let seen = seen(5, 2, Shape::IsolateEach, Direction::Both);
    assert!(seen.iter().all(|&(a, b)| a >= 2 && b >= 2));
    assert_eq!(seen.len(), 6);
}

#[test]
fn halves_are_cut_from_each_other_and_the_rest_sees_both() {
    let seen = seen(6, 4, Shape::Halves, Direction::Both);
    assert!(seen.contains(&(0, 1)) && !seen.contains(&(1, 2)) && !seen.contains(&(2, 1)));
    assert_eq!(neighbours(&seen, 5).len(), 5);
}

#[test]
fn a_bridge_sees_both_halves() {
    let seen = seen(5, 5, Shape::Bridge, Direction::Both);
    assert_eq!(neighbours(&seen, 2).len(), 4);
    assert!(!seen.contains(&(0, 3)) && !seen.contains(&(4, 1)) && seen.contains(&(3, 4)));
}

#[test]
fn on_a_ring_every_site_sees_a_majority_and_no_two_the_same() {
    for n in [4, 5, 7, 8, 21] {
        let seen = seen(n, n, Shape::Ring, Direction::Both);
        let views: BTreeSet<Vec<u32>> = (0..n)
            .map(|site| {
                let mut view = neighbours(&seen, site);
                view.insert(site);
                assert!(view.len() > n as usize / 2, "{n} sites");
                assert!(view.len() < n as usize, "{n} sites");
                view.into_iter().collect()
            })
            .collect();
        assert_eq!(views.len(), n as usize, "{n} sites");
    }
}

#[test]
fn random_sides_are_never_empty() {
    let seen = seen(6, 6, Shape::Random, Direction::Both);
    // Two cliques of k and 6 - k sites.
    assert!([20, 14, 12].contains(&seen.len()), "{}", seen.len());
}
