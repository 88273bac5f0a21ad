//! I13: Merkle roots and proofs.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use crate::number_set::NumberSet;
use consim_core::{Block, ChainId, Digest, Finding, NodeId, Observer, Probe, Severity, Time, mix};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "merkle",
    code: "I13",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Every block's transaction root is that of its transactions; of a sample, the inclusion proof holds and with one bit changed it does not.",
    applies: any_chain,
    build: |subjects| Box::new(Merkle::new(subjects)),
};

/// One transaction in this many has its inclusion proof judged (the catalogue's 1 %).
const SAMPLE: u64 = 100;

/// Recomputes the tree of RFC 6962, section 2.1, by its recursive definition.
pub struct Merkle {
    subjects: Arc<Subjects>,
    finding: Finding,
    heights: BTreeMap<ChainId, NumberSet>,
}

fn leaf(entry: &Digest) -> Digest {
    Digest::of_parts(&[&[0], &entry.0])
}

fn parent(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], &left.0, &right.0])
}

/// Splits `entries` at k, the largest power of two below their number; `None` below two entries.
fn split(entries: &[Digest]) -> Option<(&[Digest], &[Digest])> {
    let k = entries.len().checked_next_power_of_two()? / 2;
    (k > 0).then(|| entries.split_at_checked(k))?
}

/// A sampled leaf: its place, and its audit path PATH(m, D), from the leaf's sibling up; `true` where
/// the sibling is on the right.
struct Proof {
    index: usize,
    path: Vec<(Digest, bool)>,
}

/// The Merkle tree hash, MTH, of `entries`, the first of which is leaf `from`. Fills the paths of
/// those of `proofs` that lie in it, so that one pass over the tree serves all.
fn root(entries: &[Digest], from: usize, proofs: &mut [Proof]) -> Digest {
    match (split(entries), entries) {
        (Some((left, right)), _) => {
            let middle = from + left.len();
            let (of_left, of_right) =
                proofs.split_at_mut(proofs.partition_point(|proof| proof.index < middle));
            let left = root(left, from, of_left);
            let right = root(right, middle, of_right);
            for proof in of_left {
                proof.path.push((right, true));
            }
            for proof in of_right {
                proof.path.push((left, false));
            }
            parent(&left, &right)
        }
        (None, [only]) => leaf(only),
        (None, _) => Digest::of(&[]),
    }
}

fn climb(entry: &Digest, path: &[(Digest, bool)]) -> Digest {
    path.iter()
        .fold(leaf(entry), |hash, (sibling, on_the_right)| {
            if *on_the_right {
                parent(&hash, sibling)
            } else {
                parent(sibling, &hash)
            }
        })
}

/// `digest` with bit `bit` (modulo 256) changed.
fn flipped(digest: &Digest, bit: u64) -> Digest {
    let mut bytes = digest.0;
    if let Some(byte) = bytes.get_mut((bit / 8 % 32) as usize) {
        *byte ^= 1 << (bit % 8);
    }
    Digest(bytes)
}

impl Merkle {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            heights: BTreeMap::new(),
        }
    }

    fn new_block(&mut self, block: &Block) {
        let txs = block.committed.batch.txs();
        let entries: Vec<Digest> = txs.iter().map(|tx| tx.digest()).collect();
        let draw = |index: usize| mix(block.id.prefix(), index as u64);
        let mut proofs: Vec<Proof> = (0..entries.len())
            .filter(|&index| draw(index).is_multiple_of(SAMPLE))
            .map(|index| Proof {
                index,
                path: Vec::new(),
            })
            .collect();
        let computed = root(&entries, 0, &mut proofs);
        let claimed = block.header.tx_root;
        let (chain, height) = (block.header.chain, block.header.height);
        let subjects = &self.subjects;
        let place = || format!("{}, height {height}", subjects.chain_name(chain));
        self.finding.judge(computed == claimed, || {
            format!(
                "{}: the transaction root is {computed}, the header says {claimed}",
                place()
            )
        });
        for Proof { index, mut path } in proofs {
            let Some(entry) = entries.get(index) else {
                continue;
            };
            let bit = draw(index) / SAMPLE;
            let holds = climb(entry, &path) == claimed;
            let mut changed_fails = climb(&flipped(entry, bit), &path) != claimed;
            if let Some((sibling, _)) = path.first_mut() {
                *sibling = flipped(sibling, bit);
                changed_fails &= climb(entry, &path) != claimed;
            }
            self.finding.judge(holds && changed_fails, || {
                let what = if holds {
                    "accepts a changed bit"
                } else {
                    "does not hold"
                };
                format!("{}: the proof of transaction {index} {what}", place())
            });
        }
    }
}

impl Observer for Merkle {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let Probe::Applied(block) = probe else {
            return;
        };
        if self.subjects.correct(node) {
            let heights = self.heights.entry(block.header.chain).or_default();
            if heights.insert(block.header.height) {
                self.new_block(block);
            }
        }
    }
}

check_from_entry!(Merkle);
