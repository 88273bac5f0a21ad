//! I13: Merkle roots and proofs.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{Block, Digest, Finding, NodeId, Observer, Probe, Severity, Time, mix};
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
    ids: ByHeight<Digest>,
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

/// The Merkle tree hash, MTH.
fn root(entries: &[Digest]) -> Digest {
    match (split(entries), entries) {
        (Some((left, right)), _) => parent(&root(left), &root(right)),
        (None, [only]) => leaf(only),
        (None, _) => Digest::of(&[]),
    }
}

/// The audit path, PATH(m, D): from the leaf's sibling up; `true` where the sibling is on the right.
fn path(m: usize, entries: &[Digest]) -> Vec<(Digest, bool)> {
    let Some((left, right)) = split(entries) else {
        return Vec::new();
    };
    if m < left.len() {
        let mut path = path(m, left);
        path.push((root(right), true));
        path
    } else {
        let mut path = path(m - left.len(), right);
        path.push((root(left), false));
        path
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
            ids: ByHeight::new(),
        }
    }

    fn new_block(&mut self, block: &Block) {
        let entries: Vec<Digest> = block
            .committed
            .batch
            .txs()
            .iter()
            .map(|tx| tx.digest())
            .collect();
        let claimed = block.header.tx_root;
        let (chain, height) = (block.header.chain, block.header.height);
        let subjects = &self.subjects;
        let place = || format!("{}, height {height}", subjects.chain_name(chain));
        let computed = root(&entries);
        self.finding.judge(computed == claimed, || {
            format!(
                "{}: the transaction root is {computed}, the header says {claimed}",
                place()
            )
        });
        for (index, entry) in entries.iter().enumerate() {
            let draw = mix(block.id.prefix(), index as u64);
            if !draw.is_multiple_of(SAMPLE) {
                continue;
            }
            let proof = path(index, &entries);
            let bit = draw / SAMPLE;
            let holds = climb(entry, &proof) == claimed;
            let changed_fails = climb(&flipped(entry, bit), &proof) != claimed
                && proof.first().is_none_or(|&(sibling, side)| {
                    let mut changed = proof.clone();
                    if let Some(first) = changed.first_mut() {
                        *first = (flipped(&sibling, bit), side);
                    }
                    climb(entry, &changed) != claimed
                });
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
        let (chain, height) = (block.header.chain, block.header.height);
        if self.subjects.correct(node) && self.ids.get(chain, height) != Some(&block.id) {
            self.ids.insert(chain, height, block.id);
            self.new_block(block);
        }
    }
}

check_from_entry!(Merkle);
