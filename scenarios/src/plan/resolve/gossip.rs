//! Who holds connections with whom, where messages go from peer to peer: `network.gossip`.

use super::Planner;
use crate::csv;
use crate::profiles;
use crate::schema::{At, Overlay};
use crate::tree::Place;
use petgraph::algo::articulation_points::articulation_points;
use petgraph::algo::{connected_components, dijkstra};
use petgraph::graph::{NodeIndex, UnGraph};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names of a text that are shown of a list.
const SHOWN: usize = 3;

/// Who holds connections with whom, on a chain.
pub(super) struct Peers {
    /// By member, institutions; `None`: with all others.
    pub(super) of: Option<Vec<Vec<usize>>>,
    /// From one member to the farthest one.
    pub(super) hops: u64,
}

impl Peers {
    const ALL: Self = Self { of: None, hops: 1 };

    /// In words.
    pub(super) fn text(&self) -> String {
        let Some(of) = &self.of else {
            return ", gossip from each to each other".into();
        };
        let counts = of.iter().map(Vec::len);
        format!(
            ", gossip with {} to {} peers over at most {} hops",
            counts.clone().min().unwrap_or(0),
            counts.max().unwrap_or(0),
            self.hops
        )
    }
}

/// Connections: each between two institutions, the lower first.
type Edges = BTreeSet<(usize, usize)>;

fn edge(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl Planner<'_> {
    /// With whom each member of a chain holds connections.
    pub(super) fn peers(&mut self, members: &[usize]) -> Option<Peers> {
        let scenario = self.scenario;
        let Some(overlay) = &scenario.network.gossip else {
            return Some(Peers::ALL);
        };
        let (edges, place, help) = match overlay {
            Overlay::FullMesh(_) => return Some(Peers::ALL),
            Overlay::Ring(_) => {
                let next = members.iter().cycle().skip(1);
                let pairs = members.iter().zip(next).map(|(&a, &b)| edge(a, b));
                (pairs.filter(|(a, b)| a != b).collect(), None, "")
            }
            Overlay::Random(random) => {
                let peers = &random.peers;
                let (place, most) = (peers.place.clone(), members.len().saturating_sub(1));
                if peers.value.0 == 0 || peers.value.0 > most as u64 {
                    let text = format!("{} peers of {most} others", peers.value.0);
                    self.cx
                        .error("E107", &place, text, format!("1 to {most}, or full-mesh"));
                    return None;
                }
                let edges = self.drawn_peers(members, peers.value.0 as usize);
                (edges, Some(place), "more peers, or another seed")
            }
            Overlay::File(file) => {
                let (edges, start) = self.listed_peers(members, &file.path)?;
                (edges, Some(start), "a line between two of these pieces")
            }
        };
        let hops = self.holds_together(members, &edges, place.as_ref(), help)?;
        let mut peers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &(a, b) in &edges {
            peers.entry(a).or_default().push(b);
            peers.entry(b).or_default().push(a);
        }
        let of = |member: &usize| {
            let mut all = peers.remove(member).unwrap_or_default();
            all.sort_unstable();
            all
        };
        Some(Peers {
            of: Some(members.iter().map(of).collect()),
            hops,
        })
    }

    /// Each dials so many others: those whose draws, one for each pair, are the least.
    fn drawn_peers(&self, members: &[usize], count: usize) -> Edges {
        let name = |i: usize| self.institutions.get(i).map_or("", |x| x.name.as_str());
        let mut edges = Edges::new();
        for &from in members {
            let path = format!("network/gossip/{}", name(from));
            let key = self.bits(&path, 0);
            let others = members.iter().filter(|&&to| to != from);
            let draw = |&to: &usize| {
                let hash = blake3::hash(name(to).as_bytes());
                let word = hash.as_bytes().first_chunk().copied().unwrap_or_default();
                (consim_core::mix(key, u64::from_le_bytes(word)), to)
            };
            let mut others: Vec<(u64, usize)> = others.map(draw).collect();
            others.sort_unstable();
            edges.extend(others.iter().take(count).map(|&(_, to)| edge(from, to)));
        }
        edges
    }

    /// The lines `NODE,NODE` of a file, and where it begins.
    fn listed_peers(&mut self, members: &[usize], file: &At<String>) -> Option<(Edges, Place)> {
        let source = profiles::table(self.cx, &file.value, &file.place)?;
        let text = Arc::clone(&self.cx.sources.get(source)?.text);
        let folder = self.cx.sources.get(file.place.source);
        if let Some(full) = folder.map(|at| at.folder.join(&file.value)) {
            self.cx.names_file(file.leaf, &full);
        }
        if let Some(leaf) = self.cx.leaves.get_mut(file.leaf) {
            leaf.digest = Some(blake3::hash(text.as_bytes()).to_hex().to_string());
        }
        let rows = csv::table(self.cx, source)?;
        let start = csv::start(source);
        let help = "a header `node,peer`, then a line `NODE,NODE` for each connection";
        let heads = rows.first().map(|row| row.iter().map(|c| c.text.as_str()));
        let heads: Vec<&str> = heads.into_iter().flatten().collect();
        if heads != ["node", "peer"] {
            let place = rows.first().and_then(|row| row.first());
            let place = place.map_or_else(|| start.clone(), |cell| cell.place.clone());
            self.cx.error(
                "E106",
                &place,
                "the header of a table of connections is missing",
                help,
            );
            return None;
        }
        let mut edges = Edges::new();
        let mut whole = true;
        for row in rows.iter().skip(1) {
            let [a, b] = row.as_slice() else {
                let place = row.first().map_or(&start, |cell| &cell.place).clone();
                let text = format!("{} names in this line", row.len());
                self.cx.error("E106", &place, text, help);
                whole = false;
                continue;
            };
            let ends = [self.end_of(a, members), self.end_of(b, members)];
            let [Some(first), Some(second)] = ends else {
                whole = false;
                continue;
            };
            if first == second {
                let text = format!("`{}` holds a connection with itself", b.text);
                self.cx.error("E106", &b.place, text, help);
                whole = false;
                continue;
            }
            edges.insert(edge(first, second));
        }
        whole.then_some((edges, start))
    }

    /// The member that a cell names.
    fn end_of(&mut self, cell: &csv::Cell, members: &[usize]) -> Option<usize> {
        let known = self.by_name.get(&cell.text).copied();
        if known.is_none() {
            let text = format!("no node is called `{}`", cell.text);
            let names = self.by_name.keys().take(SHOWN).cloned();
            let names = names.collect::<Vec<_>>().join(", ");
            self.cx
                .error("E301", &cell.place, text, format!("for example {names}"));
        }
        // Who takes no part in this chain holds no connection for it.
        let known = known?;
        if members.binary_search(&known).is_err() {
            let text = format!("`{}` is no member of the chain", cell.text);
            self.cx
                .error("E301", &cell.place, text, "leave the line out");
            return None;
        }
        Some(known)
    }

    /// From one to the farthest one. Connections that leave somebody out are a mistake; if they hang on one node, it
    /// is worth a note.
    fn holds_together(
        &mut self,
        members: &[usize],
        edges: &Edges,
        place: Option<&Place>,
        help: &str,
    ) -> Option<u64> {
        let mut graph: UnGraph<usize, ()> = UnGraph::default();
        let nodes: BTreeMap<usize, NodeIndex> =
            members.iter().map(|&i| (i, graph.add_node(i))).collect();
        for (a, b) in edges {
            if let (Some(&a), Some(&b)) = (nodes.get(a), nodes.get(b)) {
                graph.add_edge(a, b, ());
            }
        }
        let pieces = connected_components(&graph);
        if pieces > 1 {
            let place = place.cloned()?;
            // The smallest piece is the likeliest mistake.
            let alone = smallest_piece(&graph);
            let text = format!(
                "gossip falls apart into {pieces} pieces: {} {} no connection with the rest",
                self.some_names(&alone),
                if alone.len() == 1 { "holds" } else { "hold" },
            );
            self.cx.error("E517", &place, text, help);
            return None;
        }
        let cuts = articulation_points(&graph);
        let mut cuts: Vec<usize> = cuts
            .into_iter()
            .filter_map(|n| graph.node_weight(n).copied())
            .collect();
        cuts.sort_unstable();
        if !cuts.is_empty() {
            self.notes.push(format!(
                "without {} gossip falls apart: nothing else joins its sides",
                self.some_names(&cuts).replace(" and ", " or ")
            ));
        }
        let far = |node| dijkstra(&graph, node, None, |_| 1_u64).into_values().max();
        graph.node_indices().filter_map(far).max().or(Some(0))
    }

    fn some_names(&self, some: &[usize]) -> String {
        let names = some.iter().take(SHOWN);
        let names = names.filter_map(|&i| self.institutions.get(i).map(|x| x.name.clone()));
        let names: Vec<String> = names.collect();
        match some.len().saturating_sub(SHOWN) {
            0 => names.join(" and "),
            more => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// The nodes of the smallest piece, in order.
fn smallest_piece(graph: &UnGraph<usize, ()>) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let mut least: Option<Vec<usize>> = None;
    for start in graph.node_indices() {
        if seen.contains(&start) {
            continue;
        }
        let mut bfs = petgraph::visit::Bfs::new(graph, start);
        let mut piece = Vec::new();
        while let Some(node) = bfs.next(graph) {
            seen.insert(node);
            piece.extend(graph.node_weight(node).copied());
        }
        piece.sort_unstable();
        if least.as_ref().is_none_or(|least| piece.len() < least.len()) {
            least = Some(piece);
        }
    }
    least.unwrap_or_default()
}
