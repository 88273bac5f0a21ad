//! The authenticated state: a persistent map whose root commits to its contents.
//!
//! A 16-ary Merkle trie over the SHA-256 of the keys. A leaf sits at the least depth at which no
//! other key shares its nibbles, so that the shape, and with it the root, depends on the contents
//! alone and never on the order of changes. Clones share everything; a change copies the way from
//! the root to its leaf. Hashes are kept in the nodes, and only changed ways are hashed again.

use super::memory::{Meter, Metered};
use consim_core::{Digest, State, TxId};
use std::sync::{Arc, OnceLock};

/// Children of a branch: one per value of a nibble.
const WIDTH: usize = 16;

/// Whose keys: the machine cannot reach the ledger's own.
#[derive(Clone, Copy)]
enum Space {
    Ledger = 0,
    Machine = 1,
}

/// The SHA-256 of a key, read nibble by nibble from the root down.
type Path = [u8; 32];

fn path_of(space: Space, key: &[u8]) -> Path {
    Digest::of_parts(&[&[space as u8], key]).0
}

fn nibble(path: &Path, depth: usize) -> usize {
    let byte = path.get(depth / 2).copied().unwrap_or(0);
    usize::from(if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 15
    })
}

#[derive(Clone)]
struct Leaf {
    path: Path,
    value: Arc<[u8]>,
    hash: OnceLock<Digest>,
    _metered: Metered,
}

/// Holds at least two leaves.
#[derive(Clone, Default)]
struct Branch {
    children: [Option<Arc<Node>>; WIDTH],
    hash: OnceLock<Digest>,
    _metered: Metered,
}

#[derive(Clone)]
enum Node {
    Leaf(Leaf),
    Branch(Branch),
}

impl Node {
    fn leaf(meter: Option<&Arc<Meter>>, path: &Path, value: &[u8]) -> Arc<Self> {
        Arc::new(Self::Leaf(Leaf {
            path: *path,
            value: value.into(),
            hash: OnceLock::new(),
            _metered: Metered::new(meter, size_of::<Self>() + value.len()),
        }))
    }

    fn each(&self, show: &mut dyn FnMut(&Path, &[u8])) {
        match self {
            Self::Leaf(leaf) => show(&leaf.path, &leaf.value),
            Self::Branch(branch) => {
                for child in branch.children.iter().flatten() {
                    child.each(show);
                }
            }
        }
    }

    /// The hash of this subtree; adds to `hashed` the bytes that had to be hashed for it. A leaf
    /// hashes 0, path and value; a branch hashes 1, the mask of its children and their hashes.
    fn hash(&self, hashed: &mut usize) -> Digest {
        match self {
            Self::Leaf(leaf) => *leaf.hash.get_or_init(|| {
                *hashed += 1 + leaf.path.len() + leaf.value.len();
                Digest::of_parts(&[&[0], &leaf.path, &leaf.value])
            }),
            Self::Branch(branch) => *branch.hash.get_or_init(|| {
                let mut below = 0;
                let children = branch.children.iter().zip(0..);
                let children =
                    children.filter_map(|(c, i)| c.as_ref().map(|c| (i, c.hash(&mut below))));
                let hash = branch_hash(children, hashed);
                *hashed += below;
                hash
            }),
        }
    }
}

/// The hash of a branch with these children, by ascending nibble.
fn branch_hash(children: impl Iterator<Item = (u8, Digest)>, hashed: &mut usize) -> Digest {
    let mut bytes = Vec::with_capacity(1 + 2 + 32 * WIDTH);
    bytes.extend_from_slice(&[1, 0, 0]);
    let mut mask = 0u16;
    for (nibble, hash) in children {
        mask |= 1 << nibble;
        bytes.extend_from_slice(&hash.0);
    }
    if let Some(place) = bytes.get_mut(1..3) {
        place.copy_from_slice(&mask.to_be_bytes());
    }
    *hashed += bytes.len();
    Digest::of(&bytes)
}

/// The state of a chain at one height. A clone costs nothing and shares all contents.
#[derive(Clone, Default)]
pub struct WorldState {
    top: Option<Arc<Node>>,
    entries: usize,
    meter: Option<Arc<Meter>>,
}

impl WorldState {
    /// A state without entries.
    pub fn new() -> Self {
        Self::default()
    }
    /// A state without entries, whose memory `meter` counts, and that of its clones.
    pub fn metered(meter: &Arc<Meter>) -> Self {
        Self {
            meter: Some(Arc::clone(meter)),
            ..Self::default()
        }
    }
    /// How many entries it has, those of the ledger included.
    pub fn len(&self) -> usize {
        self.entries
    }
    /// Has it no entries?
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }
    /// The digest of all contents; the hash of nothing if there are none.
    pub fn root(&self) -> Digest {
        self.rehash().0
    }
    /// The root, and how many bytes had to be hashed since it was last asked for.
    pub fn rehash(&self) -> (Digest, usize) {
        let mut hashed = 0;
        let root = self
            .top
            .as_ref()
            .map_or_else(|| Digest::of(&[]), |top| top.hash(&mut hashed));
        (root, hashed)
    }
    /// At which height the transaction `id` was executed.
    pub fn executed(&self, id: TxId) -> Option<u64> {
        let value = self.find(&path_of(Space::Ledger, &executed_key(id)))?;
        value.first_chunk().copied().map(u64::from_be_bytes)
    }
    /// Did the executed transaction `id` change the state? `None` if it was not executed. A node that
    /// took the state over has no block that says so.
    pub fn applied(&self, id: TxId) -> Option<bool> {
        let value = self.find(&path_of(Space::Ledger, &executed_key(id)))?;
        value.last().map(|&applied| applied == 1)
    }
    /// Remembers that the transaction `id` was executed at `height`, and whether it was refused.
    pub(super) fn mark_executed(&mut self, id: TxId, height: u64, applied: bool) {
        let mut value = [u8::from(applied); 9];
        value[..8].copy_from_slice(&height.to_be_bytes());
        self.set(&path_of(Space::Ledger, &executed_key(id)), &value);
    }

    fn find(&self, path: &Path) -> Option<&Arc<[u8]>> {
        let (mut node, mut depth) = (self.top.as_ref()?, 0);
        loop {
            match &**node {
                Node::Leaf(leaf) => return (leaf.path == *path).then_some(&leaf.value),
                Node::Branch(branch) => node = branch.children[nibble(path, depth)].as_ref()?,
            }
            depth += 1;
        }
    }
    fn set(&mut self, path: &Path, value: &[u8]) {
        match self.find(path) {
            Some(old) if **old == *value => return,
            Some(_) => {}
            None => self.entries += 1,
        }
        put(self.meter.as_ref(), &mut self.top, path, 0, value);
    }
}

/// The key under which the ledger keeps the height of an executed transaction.
fn executed_key(id: TxId) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&id.origin.0.to_be_bytes());
    key[4..].copy_from_slice(&id.number.to_be_bytes());
    key
}

fn put(
    meter: Option<&Arc<Meter>>,
    slot: &mut Option<Arc<Node>>,
    path: &Path,
    depth: usize,
    value: &[u8],
) {
    let Some(node) = slot else {
        *slot = Some(Node::leaf(meter, path, value));
        return;
    };
    if let Node::Leaf(leaf) = &**node {
        if leaf.path == *path {
            *node = Node::leaf(meter, path, value);
            return;
        }
        // Two keys share the nibbles so far: the old leaf moves down. Distinct paths differ in
        // one of their 64 nibbles, so this ends.
        let mut branch = Branch {
            _metered: Metered::new(meter, size_of::<Node>()),
            ..Branch::default()
        };
        branch.children[nibble(&leaf.path, depth)] = Some(Arc::clone(node));
        *node = Arc::new(Node::Branch(branch));
    }
    if let Node::Branch(branch) = Arc::make_mut(node) {
        branch.hash.take();
        put(
            meter,
            &mut branch.children[nibble(path, depth)],
            path,
            depth + 1,
            value,
        );
    }
}

/// Removes a path that is present, and moves a leaf that is left alone in its branch up.
fn remove(slot: &mut Option<Arc<Node>>, path: &Path, depth: usize) {
    let Some(node) = slot else { return };
    if matches!(**node, Node::Leaf(_)) {
        *slot = None;
        return;
    }
    if let Node::Branch(branch) = Arc::make_mut(node) {
        branch.hash.take();
        remove(&mut branch.children[nibble(path, depth)], path, depth + 1);
        let mut children = branch.children.iter().flatten();
        if let (Some(only), None) = (children.next(), children.next())
            && matches!(**only, Node::Leaf(_))
        {
            *node = Arc::clone(only);
        }
    }
}

impl WorldState {
    /// Shows every entry, by ascending path.
    pub(super) fn each(&self, show: &mut dyn FnMut(&[u8; 32], &[u8])) {
        if let Some(top) = &self.top {
            top.each(show);
        }
    }
}

impl State for WorldState {
    fn get(&self, key: &[u8]) -> Option<Arc<[u8]>> {
        self.find(&path_of(Space::Machine, key)).cloned()
    }
    fn put(&mut self, key: &[u8], value: &[u8]) {
        self.set(&path_of(Space::Machine, key), value);
    }
    fn remove(&mut self, key: &[u8]) {
        let path = path_of(Space::Machine, key);
        if self.find(&path).is_some() {
            self.entries -= 1;
            remove(&mut self.top, &path, 0);
        }
    }
}

impl std::fmt::Debug for WorldState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "WorldState({} entries, root {})",
            self.entries,
            self.root()
        )
    }
}

pub mod parts;
pub mod proof;
#[cfg(test)]
mod tests;
