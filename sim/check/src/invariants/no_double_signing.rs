//! I6: no double signing.

use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{ChainId, Finding, NodeId, Observer, Payload, Probe, Severity, Time, Vote};
use std::collections::VecDeque;
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "no-double-signing",
    code: "I6",
    since: "0.1.0",
    severity: Severity::Safety,
    says: "A correct node's key signs at most one value per chain, kind of vote, view and sequence number, across restarts too.",
    applies: any_chain,
    build: |subjects| Box::new(NoDoubleSigning::new(subjects)),
};

/// Votes that are remembered per key and kind of vote; older ones are forgotten. Twice the usual
/// watermark of 256, which is more than a protocol has in flight.
const WINDOW: usize = 512;

/// A wiretap on what correct nodes send. A vote says whose key signed it; a correct node passes on
/// only votes that it has verified, so no corrupt node can accuse another.
pub struct NoDoubleSigning {
    subjects: Arc<Subjects>,
    finding: Finding,
    /// By key, and by chain and kind of vote. There are few of these.
    signed: Vec<Vec<(Ballot, Signed)>>,
}

/// What a vote is part of: a chain, and a kind of vote there.
type Ballot = (ChainId, u8);

/// A sequence number and a view: the place that a key may fill once.
type Place = (u64, u64);

/// What one key signed in one kind of vote: by ascending place, the first eight bytes of the digest.
#[derive(Default)]
struct Signed(VecDeque<(Place, u64)>);

impl Signed {
    /// Remembers a vote. Returns what was signed before at its place; a vote from before the window
    /// counts as the first.
    fn sign(&mut self, place: Place, digest: u64) -> Option<u64> {
        let votes = &mut self.0;
        // Nearly all votes are newer than those before.
        let at = match votes.back() {
            Some(&(last, _)) if place <= last => {
                match votes.binary_search_by_key(&place, |v| v.0) {
                    Ok(at) => return votes.get(at).map(|&(_, before)| before),
                    Err(0) if votes.len() >= WINDOW => return None,
                    Err(at) => at,
                }
            }
            _ => votes.len(),
        };
        votes.insert(at, (place, digest));
        if votes.len() > WINDOW {
            votes.pop_front();
        }
        None
    }
}

impl NoDoubleSigning {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        let mut signed = Vec::new();
        signed.resize_with(subjects.names.len(), Vec::new);
        Self {
            subjects,
            finding: Finding::new(),
            signed,
        }
    }

    fn vote(&mut self, chain: ChainId, vote: Vote) {
        let signer = self.subjects.keys.owner(vote.key);
        if !self.subjects.correct(signer) {
            return;
        }
        // Every correct node has a name; other keys are nobody's.
        let Some(kinds) = self.signed.get_mut(signer.index()) else {
            return;
        };
        let ballot = (chain, vote.kind);
        let known = kinds.iter().position(|&(known, _)| known == ballot);
        let place = known.unwrap_or_else(|| {
            kinds.push((ballot, Signed::default()));
            kinds.len() - 1
        });
        let Some((_, signed)) = kinds.get_mut(place) else {
            return;
        };
        let before = signed.sign((vote.sequence, vote.view), vote.digest.prefix());
        let subjects = &self.subjects;
        self.finding
            .judge(before.is_none_or(|b| b == vote.digest.prefix()), || {
                format!(
                    "{} signed {:08x} and {} (kind {}, view {}, sequence {})",
                    subjects.name(signer),
                    before.unwrap_or_default() >> 32,
                    vote.digest,
                    vote.kind,
                    vote.view,
                    vote.sequence
                )
            });
    }
}

impl Observer for NoDoubleSigning {
    fn probe(&mut self, _at: Time, _node: NodeId, _probe: &Probe) {}

    fn sent(&mut self, _at: Time, from: NodeId, payload: &dyn Payload, _receivers: usize) {
        if self.subjects.correct(from) {
            payload.votes(&mut |chain, vote| self.vote(chain, vote));
        }
    }
}

check_from_entry!(NoDoubleSigning, sends);
