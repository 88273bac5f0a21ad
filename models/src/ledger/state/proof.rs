//! Proofs of what a state holds under one key, or that it holds nothing there: that a transaction was executed or
//! was not, or what a machine wrote. They are the branches on the way from the root of a state to the
//! place of the key, for those who know the root and not the state. In a trie whose shape follows from its contents a
//! place that is empty, or holds another key's leaf, shows that the key is not there.

use super::{
    Branch, Node, Path, Space, WIDTH, WorldState, branch_hash, executed_key, nibble, path_of,
};
use consim_core::{CodecError, Decoder, Digest, Encoder, TxId};

/// The most branches of a proof: one per nibble of a path.
const MAX_BRANCHES: usize = 64;
/// The bytes of a mark: height and outcome.
const MARK: usize = 9;
/// The longest value of a leaf in a proof (assumed): what may stand in the place of another key.
const MAX_VALUE: usize = 1 << 20;

/// What a state holds under one key: the mark of a transaction, or a value of the machine.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ExecutedProof {
    /// The children of each branch on the way, by ascending nibble, from the root down.
    branches: Vec<Vec<(u8, Digest)>>,
    /// The leaf at the end of the way, whosever it is; none if nothing is there.
    leaf: Option<(Path, Box<[u8]>)>,
}

impl WorldState {
    /// Shows whether the transaction `id` was executed.
    pub fn prove_executed(&self, id: TxId) -> ExecutedProof {
        self.prove_path(&path_of(Space::Ledger, &executed_key(id)))
    }

    /// Shows what the machine has under `key`.
    pub fn prove(&self, key: &[u8]) -> ExecutedProof {
        self.prove_path(&path_of(Space::Machine, key))
    }

    fn prove_path(&self, path: &Path) -> ExecutedProof {
        let mut proof = ExecutedProof::default();
        let mut node = self.top.as_ref();
        for depth in 0.. {
            match node.map(|node| &**node) {
                None => break,
                Some(Node::Leaf(leaf)) => {
                    proof.leaf = Some((leaf.path, (*leaf.value).into()));
                    break;
                }
                Some(Node::Branch(branch)) => {
                    proof.branches.push(children(branch));
                    node = branch.children[nibble(path, depth)].as_ref();
                }
            }
        }
        proof
    }

    /// A state in which these transactions were executed at these heights, and nothing else is: for those who
    /// make one up.
    pub(crate) fn of_executed(marks: impl IntoIterator<Item = (TxId, u64)>) -> Self {
        let mut state = Self::new();
        for (id, height) in marks {
            state.mark_executed(id, height, true);
        }
        state
    }
}

fn children(branch: &Branch) -> Vec<(u8, Digest)> {
    let numbered = branch.children.iter().zip(0..);
    numbered
        .filter_map(|(child, i)| Some((i, child.as_ref()?.hash(&mut 0))))
        .collect()
}

impl ExecutedProof {
    /// At which height the transaction was executed in the state with this root, `None` within if it was not;
    /// `None` if it proves nothing.
    pub fn shows(&self, root: &Digest, id: TxId) -> Option<Option<u64>> {
        let value = self.at(root, &path_of(Space::Ledger, &executed_key(id)))?;
        let Some(value) = value else {
            return Some(None);
        };
        let height = value.first_chunk().copied().map(u64::from_be_bytes)?;
        (value.len() == MARK).then_some(Some(height))
    }

    /// What the machine has under `key` in the state with this root, `None` within if it has nothing there; `None`
    /// if it proves nothing.
    pub fn shows_value(&self, root: &Digest, key: &[u8]) -> Option<Option<&[u8]>> {
        self.at(root, &path_of(Space::Machine, key))
    }

    /// The value that it says is there, whether or not it proves it.
    pub fn claims(&self) -> Option<&[u8]> {
        self.leaf.as_ref().map(|(_, value)| &**value)
    }

    /// What says so and proves nothing: for those who make one up.
    pub(crate) fn made_up(key: &[u8], value: &[u8]) -> Self {
        Self {
            branches: Vec::new(),
            leaf: Some((path_of(Space::Machine, key), value.into())),
        }
    }

    #[expect(clippy::option_option, reason = "that nothing is there is proven too")]
    fn at(&self, root: &Digest, path: &Path) -> Option<Option<&[u8]>> {
        let mut expected = Some(*root);
        for (depth, children) in self.branches.iter().enumerate() {
            let ascending = children
                .windows(2)
                .all(|w| matches!(w, [a, b] if a.0 < b.0));
            let in_width = children.iter().all(|&(n, _)| usize::from(n) < WIDTH);
            let hash = branch_hash(children.iter().copied(), &mut 0);
            if !ascending || !in_width || expected != Some(hash) {
                return None;
            }
            let next = nibble(path, depth);
            let next = children.iter().find(|(n, _)| usize::from(*n) == next);
            expected = next.map(|(_, hash)| *hash);
        }
        let Some((at, value)) = &self.leaf else {
            let nothing = self.branches.is_empty() && *root == Self::of_nothing();
            return (nothing || expected.is_none()).then_some(None);
        };
        if expected != Some(Digest::of_parts(&[&[0], at, value])) {
            return None;
        }
        // Another key's leaf stands where this one would.
        let shared = (0..self.branches.len()).all(|d| nibble(at, d) == nibble(path, d));
        if at != path {
            return shared.then_some(None);
        }
        Some(Some(value))
    }

    fn of_nothing() -> Digest {
        WorldState::new().root()
    }

    /// The bytes that verifying it hashes.
    pub fn hashed_bytes(&self) -> usize {
        let branches = self.branches.iter().map(|b| 1 + 2 + 32 * b.len());
        let leaf = self.leaf.as_ref().map_or(0, |(_, value)| 33 + value.len());
        branches.sum::<usize>() + leaf
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let branches = self.branches.iter().map(|b| 4 + 33 * b.len());
        let leaf = self.leaf.as_ref();
        4 + branches.sum::<usize>() + 1 + leaf.map_or(0, |(_, value)| 32 + 4 + value.len())
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.list(self.branches.len());
        for children in &self.branches {
            e.list(children.len());
            for (nibble, hash) in children {
                e.u8(*nibble).digest(hash);
            }
        }
        e.u8(u8::from(self.leaf.is_some()));
        if let Some((path, value)) = &self.leaf {
            e.raw(path).bytes(value);
        }
    }
    /// Reads a proof; nothing is verified yet.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let n = d.list(MAX_BRANCHES, 4)?;
        let mut branches = Vec::with_capacity(n);
        for _ in 0..n {
            let n = d.list(WIDTH, 1 + 32)?;
            let children = (0..n).map(|_| Ok((d.u8()?, d.digest()?)));
            branches.push(children.collect::<Result<_, CodecError>>()?);
        }
        let mut leaf = None;
        if d.boolean()? {
            leaf = Some((d.array()?, d.bytes(MAX_VALUE)?.into()));
        }
        Ok(Self { branches, leaf })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use consim_core::NodeId;

    fn id(origin: u32, number: u64) -> TxId {
        TxId {
            origin: NodeId(origin),
            number,
        }
    }

    fn state(n: u64) -> WorldState {
        WorldState::of_executed((1..=n).map(|number| (id(7, number), number * 10)))
    }

    #[test]
    fn shows_what_was_executed_and_what_was_not() {
        for n in [0, 1, 2, 3, 17, 300] {
            let state = state(n);
            let root = state.root();
            for number in 1..=n + 20 {
                let proof = state.prove_executed(id(7, number));
                let expected = (number <= n).then_some(number * 10);
                assert_eq!(proof.shows(&root, id(7, number)), Some(expected));
                let mut bytes = Vec::new();
                proof.encode(&mut Encoder::new(&mut bytes));
                assert_eq!(bytes.len(), proof.encoded_len());
                let mut d = Decoder::new(&bytes);
                assert_eq!(ExecutedProof::decode(&mut d).unwrap(), proof);
            }
        }
    }

    #[test]
    fn shows_what_the_machine_wrote() {
        use consim_core::State as _;
        let mut state = state(20);
        state.put(b"a", b"one");
        state.put(b"b", b"two");
        let root = state.root();
        let value = |key: &[u8]| {
            let proof = state.prove(key);
            proof.shows_value(&root, key).unwrap().map(<[u8]>::to_vec)
        };
        assert_eq!(value(b"a"), Some(b"one".to_vec()));
        assert_eq!(value(b"c"), None);
        // Neither of another key, nor of another root.
        let proof = state.prove(b"a");
        assert!(proof.shows_value(&root, b"b").is_none_or(|v| v.is_none()));
        assert_eq!(proof.shows_value(&Digest::ZERO, b"a"), None);
        assert_eq!(proof.claims(), Some(&b"one"[..]));
    }

    #[test]
    fn proves_nothing_of_another_state_or_transaction() {
        let (one, other) = (state(300), state(301));
        for number in [1, 150, 300, 301, 999] {
            let proof = one.prove_executed(id(7, number));
            assert_eq!(proof.shows(&other.root(), id(7, number)), None);
        }
        // Of one that was executed none can show that it was not: its place is not empty.
        for number in 1..=300 {
            for absent in 301..=340 {
                let proof = one.prove_executed(id(7, absent));
                let shown = proof.shows(&one.root(), id(7, number));
                assert!(
                    shown.is_none_or(|height| height.is_some()),
                    "{number} {absent}"
                );
            }
        }
    }

    #[test]
    fn no_change_of_a_proof_passes() {
        let state = state(300);
        let (root, of) = (state.root(), id(7, 42));
        let proof = state.prove_executed(of);
        let mut bytes = Vec::new();
        proof.encode(&mut Encoder::new(&mut bytes));
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            let Ok(other) = ExecutedProof::decode(&mut Decoder::new(&bytes)) else {
                continue;
            };
            assert_eq!(other.shows(&root, of), None, "byte {at}");
        }
        // Without its leaf, or without the last branch.
        let cut = ExecutedProof {
            leaf: None,
            ..proof.clone()
        };
        assert_eq!(cut.shows(&root, of), None);
        let mut short = proof;
        short.branches.pop();
        assert_eq!(short.shows(&root, of), None);
    }
}
