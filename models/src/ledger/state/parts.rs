//! A state in parts, each of which can be verified by itself against the root: how a node that is
//! behind takes a state over from others that it does not believe (M. Castro and B. Liskov,
//! "Practical Byzantine Fault Tolerance and Proactive Recovery", TOCS 20(4), 2002:
//! hierarchical state transfer). A part is a subtree: all of its entries, or the hashes of its
//! children. Subtrees that the receiver's own old state has are not sent.

use super::{Branch, Metered, Node, WIDTH, WorldState, branch_hash, nibble, put};
use consim_core::codec::MAX_FIELD;
use consim_core::{CodecError, Decoder, Digest, Encoder};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nibbles of a path: no subtree lies deeper.
const DEPTH: usize = 64;
/// The most entries that a part may hold when it is read from bytes.
const MAX_ENTRIES: usize = 1 << 20;

/// The place of a subtree: nibbles from the root down.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Prefix(Vec<u8>);

/// An entry: the SHA-256 of its key, and its value.
pub type Entry = ([u8; 32], Arc<[u8]>);

/// A subtree, or what stands for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// The hashes of its children, by ascending nibble: it is too large for one part.
    Children(Vec<(u8, Digest)>),
    /// All of its entries, by ascending path.
    Entries(Vec<Entry>),
}

/// What became of a part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    /// It is what the root commits to; so many bytes were hashed to know.
    Good(usize),
    /// Nobody had asked for it.
    Unasked,
    /// It is not what the root commits to.
    Wrong(usize),
}

impl Prefix {
    fn child(&self, nibble: u8) -> Self {
        let mut nibbles = self.0.clone();
        nibbles.push(nibble);
        Self(nibbles)
    }
    fn begins(&self, path: &[u8; 32]) -> bool {
        let mut nibbles = self.0.iter().zip(0..);
        nibbles.all(|(&n, depth)| nibble(path, depth) == usize::from(n))
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        1 + self.0.len()
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(self.0.len() as u8).raw(&self.0);
    }
    /// Reads a place.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let n = usize::from(d.u8()?);
        if n > DEPTH {
            return Err(CodecError::TooLong(n));
        }
        let nibbles = d.raw(n)?;
        if nibbles.iter().any(|&n| usize::from(n) >= WIDTH) {
            return Err(CodecError::Invalid("nibble"));
        }
        Ok(Self(nibbles.to_vec()))
    }
}

impl Part {
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        1 + 4
            + match self {
                Self::Children(children) => children.len() * (1 + 32),
                Self::Entries(entries) => entries.iter().map(|(_, v)| 32 + 4 + v.len()).sum(),
            }
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Children(children) => {
                e.u8(0).list(children.len());
                for (nibble, hash) in children {
                    e.u8(*nibble).digest(hash);
                }
            }
            Self::Entries(entries) => {
                e.u8(1).list(entries.len());
                for (path, value) in entries {
                    e.raw(path).bytes(value);
                }
            }
        }
    }
    /// Reads a part; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        match d.u8()? {
            0 => {
                let n = d.list(WIDTH, 1 + 32)?;
                let children = (0..n).map(|_| Ok((d.u8()?, d.digest()?)));
                Ok(Self::Children(children.collect::<Result<_, CodecError>>()?))
            }
            1 => {
                let n = d.list(MAX_ENTRIES, 32 + 4)?;
                let entries = (0..n).map(|_| Ok((d.array()?, d.bytes(MAX_FIELD)?.into())));
                Ok(Self::Entries(entries.collect::<Result<_, CodecError>>()?))
            }
            tag => Err(CodecError::Tag(tag)),
        }
    }
}

impl Node {
    /// Adds the entries to `entries` while they take at most `most` bytes; `false` if they do not.
    fn collect(&self, entries: &mut Vec<Entry>, most: &mut usize) -> bool {
        match self {
            Self::Leaf(leaf) => {
                let bytes = 32 + 4 + leaf.value.len();
                if bytes > *most {
                    return false;
                }
                *most -= bytes;
                entries.push((leaf.path, Arc::clone(&leaf.value)));
                true
            }
            Self::Branch(branch) => {
                let mut children = branch.children.iter().flatten();
                children.all(|child| child.collect(entries, most))
            }
        }
    }
    fn count(&self) -> usize {
        match self {
            Self::Leaf(_) => 1,
            Self::Branch(branch) => branch.children.iter().flatten().map(|c| c.count()).sum(),
        }
    }
}

impl WorldState {
    fn subtree(&self, prefix: &Prefix) -> Option<&Arc<Node>> {
        let mut node = self.top.as_ref()?;
        for &nibble in &prefix.0 {
            let Node::Branch(branch) = &**node else {
                return None;
            };
            node = branch.children.get(usize::from(nibble))?.as_ref()?;
        }
        Some(node)
    }
    /// The subtree at `prefix`: its entries if they take at most `most` bytes or there is only one,
    /// else the hashes of its children. `None` if there is no such subtree.
    pub fn part(&self, prefix: &Prefix, most: usize) -> Option<Part> {
        let node = self.subtree(prefix)?;
        let mut entries = Vec::new();
        match &**node {
            Node::Leaf(leaf) => {
                entries.push((leaf.path, Arc::clone(&leaf.value)));
                Some(Part::Entries(entries))
            }
            Node::Branch(branch) => {
                if node.collect(&mut entries, &mut { most }) {
                    return Some(Part::Entries(entries));
                }
                let children = branch.children.iter().zip(0..);
                Some(Part::Children(
                    children
                        .filter_map(|(c, i)| c.as_ref().map(|c| (i, c.hash(&mut 0))))
                        .collect(),
                ))
            }
        }
    }
}

/// A state that is being taken over, part by part.
#[derive(Debug)]
pub struct Assembly {
    root: Digest,
    /// The receiver's own state, of which equal subtrees are used.
    own: WorldState,
    built: WorldState,
    /// Subtrees that are missing, with the hash that each must have.
    wanted: BTreeMap<Prefix, Digest>,
    fetched: u64,
}

impl Assembly {
    /// The state with this root, of which `own` may have some.
    pub fn new(root: Digest, own: &WorldState) -> Self {
        let mut assembly = Self {
            root,
            own: own.clone(),
            built: own
                .meter
                .as_ref()
                .map_or_else(WorldState::new, WorldState::metered),
            wanted: BTreeMap::new(),
            fetched: 0,
        };
        if root != WorldState::new().root() {
            assembly.want(Prefix::default(), root);
        }
        assembly
    }
    /// Which parts to ask for, at most `most`.
    pub fn wanted(&self, most: usize) -> Vec<Prefix> {
        self.wanted.keys().take(most).cloned().collect()
    }
    /// Entries that were sent by others so far.
    pub fn fetched(&self) -> u64 {
        self.fetched
    }
    fn want(&mut self, prefix: Prefix, hash: Digest) {
        match self.own.subtree(&prefix).cloned() {
            Some(node) if node.hash(&mut 0) == hash => self.graft(&prefix, node),
            _ => {
                self.wanted.insert(prefix, hash);
            }
        }
    }
    /// Puts a subtree in its place. Branches above it are made as needed: each of them is known
    /// from its children, so that no leaf stands in the way.
    fn graft(&mut self, prefix: &Prefix, node: Arc<Node>) {
        self.built.entries += node.count();
        let meter = self.built.meter.clone();
        let mut slot = &mut self.built.top;
        for &nibble in &prefix.0 {
            let branch = slot.get_or_insert_with(|| {
                Arc::new(Node::Branch(Branch {
                    _metered: Metered::new(meter.as_ref(), size_of::<Node>()),
                    ..Branch::default()
                }))
            });
            let Node::Branch(branch) = Arc::make_mut(branch) else {
                return;
            };
            let Some(child) = branch.children.get_mut(usize::from(nibble)) else {
                return;
            };
            slot = child;
        }
        *slot = Some(node);
    }
    /// Takes a part if it is what the root commits to.
    pub fn add(&mut self, prefix: &Prefix, part: &Part) -> Added {
        let Some(&hash) = self.wanted.get(prefix) else {
            return Added::Unasked;
        };
        let mut hashed = 0;
        match part {
            Part::Children(children) => {
                let ascending = children
                    .windows(2)
                    .all(|w| matches!(w, [a, b] if a.0 < b.0));
                let in_width = children.iter().all(|&(n, _)| usize::from(n) < WIDTH);
                let deep = prefix.0.len() >= DEPTH;
                if !ascending
                    || !in_width
                    || deep
                    || branch_hash(children.iter().copied(), &mut hashed) != hash
                {
                    return Added::Wrong(hashed);
                }
                self.wanted.remove(prefix);
                for &(nibble, hash) in children {
                    self.want(prefix.child(nibble), hash);
                }
            }
            Part::Entries(entries) => {
                let ascending = entries.windows(2).all(|w| matches!(w, [a, b] if a.0 < b.0));
                if !ascending || !entries.iter().all(|(path, _)| prefix.begins(path)) {
                    return Added::Wrong(hashed);
                }
                let mut slot = None;
                for (path, value) in entries {
                    let meter = self.built.meter.as_ref();
                    put(meter, &mut slot, path, prefix.0.len(), value);
                }
                let Some(node) = slot.filter(|node| node.hash(&mut hashed) == hash) else {
                    return Added::Wrong(hashed);
                };
                self.wanted.remove(prefix);
                self.fetched += entries.len() as u64;
                self.graft(prefix, node);
            }
        }
        Added::Good(hashed)
    }
    /// What is here so far.
    pub fn partial(&self) -> WorldState {
        self.built.clone()
    }
    /// Is every part here?
    pub fn is_complete(&self) -> bool {
        self.wanted.is_empty()
    }
    /// The state, once every part is here.
    pub fn finish(&self) -> Option<WorldState> {
        (self.is_complete() && self.built.root() == self.root).then(|| self.built.clone())
    }
}

#[cfg(test)]
mod tests;
