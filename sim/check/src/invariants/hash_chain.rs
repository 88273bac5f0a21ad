//! I12: the hash chain.

use super::by_height::ByHeight;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{Block, Digest, Finding, Header, NodeId, Observer, Probe, Severity, Time};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "hash-chain",
    code: "I12",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "Every block's id is the hash of its header, its parent is the block before, its time and sequence never fall, and every node holds the same id.",
    applies: any_chain,
    build: |subjects| Box::new(HashChain::new(subjects)),
};

/// What is kept of a block: enough to judge the next one.
#[derive(Clone, Copy)]
struct Link {
    id: Digest,
    time_ns: i64,
    sequence: u64,
}

/// Recomputes and links every new block.
pub struct HashChain {
    subjects: Arc<Subjects>,
    finding: Finding,
    links: ByHeight<Link>,
}

/// The header's id by this check's own reading of the format: fields in order, big-endian.
fn recomputed_id(header: &Header) -> Digest {
    Digest::of_parts(&[
        b"consim block 1",
        &header.chain.0.to_be_bytes(),
        &header.height.to_be_bytes(),
        &header.sequence.to_be_bytes(),
        &header.parent.0,
        &header.batch.0,
        &header.tx_root.0,
        &header.state_root.0,
        &header.time_ns.to_be_bytes(),
        &header.tx_count.to_be_bytes(),
    ])
}

impl HashChain {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            subjects,
            finding: Finding::new(),
            links: ByHeight::new(),
        }
    }

    /// What is wrong with a block, in words.
    fn defect(&self, block: &Block) -> Option<String> {
        let (header, committed) = (&block.header, &block.committed);
        let id = recomputed_id(header);
        if id != block.id {
            return Some(format!("has id {}, its header hashes to {id}", block.id));
        }
        if header.chain != committed.chain
            || header.sequence != committed.sequence
            || header.batch != committed.batch.digest()
            || header.tx_root != committed.batch.tx_root()
        {
            return Some("has a header that does not describe its batch".into());
        }
        let count = committed.batch.txs().len();
        if header.tx_count as usize != count || block.receipts.len() != count {
            return Some(format!(
                "claims {} transactions, holds {count} and {} receipts",
                header.tx_count,
                block.receipts.len()
            ));
        }
        let parent = match header.height {
            0 => return Some("has height 0".into()),
            1 => Link {
                id: Digest::ZERO,
                time_ns: i64::MIN,
                sequence: 0,
            },
            // Without the block before there is nothing to link to; prefix order judges the gap.
            height => *self.links.get(header.chain, height - 1)?,
        };
        if header.parent != parent.id {
            return Some(format!(
                "has parent {}, the block before is {}",
                header.parent, parent.id
            ));
        }
        if header.time_ns < parent.time_ns {
            return Some("is older than its parent".into());
        }
        (header.sequence <= parent.sequence).then(|| {
            format!(
                "has sequence {}, its parent {}",
                header.sequence, parent.sequence
            )
        })
    }
}

impl Observer for HashChain {
    fn probe(&mut self, _at: Time, node: NodeId, probe: &Probe) {
        let Probe::Applied(block) = probe else {
            return;
        };
        if !self.subjects.correct(node) {
            return;
        }
        let (chain, height) = (block.header.chain, block.header.height);
        let known = self.links.get(chain, height).map(|link| link.id);
        let defect = match known {
            Some(id) if id == block.id => None,
            Some(id) => Some(format!("is {}, another node holds {id}", block.id)),
            None => self.defect(block),
        };
        if known.is_none() {
            let link = Link {
                id: block.id,
                time_ns: block.header.time_ns,
                sequence: block.header.sequence,
            };
            self.links.insert(chain, height, link);
        }
        let subjects = &self.subjects;
        self.finding.judge(defect.is_none(), || {
            format!(
                "{}, height {height}: the block of {} {}",
                subjects.chain_name(chain),
                subjects.name(node),
                defect.unwrap_or_default()
            )
        });
    }
}

check_from_entry!(HashChain);
