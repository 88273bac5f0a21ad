//! Who leads a view.

use super::config::{Group, LeaderRule, SPAN};
use consim_core::{Digest, NodeId};

/// A proposal as the reputation of leaders sees it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) view: u64,
    pub(super) author: NodeId,
    /// Who voted for its parent, member 0 in the lowest bit.
    pub(super) voters: Box<[u64]>,
}

impl Group {
    /// The view that a failed view leads to.
    pub(super) fn after_failed(&self, view: u64) -> u64 {
        match self.leader {
            LeaderRule::Stable => (view / SPAN).saturating_add(1).saturating_mul(SPAN),
            LeaderRule::RoundRobin | LeaderRule::Reputation => view.saturating_add(1),
        }
    }
    /// The number by which others than replicas know a view: one more whenever the leader may be another.
    pub(super) fn told(&self, view: u64) -> u64 {
        match self.leader {
            LeaderRule::Stable => view / SPAN,
            LeaderRule::RoundRobin | LeaderRule::Reputation => view,
        }
    }
    /// Who leads a view by its number alone.
    pub(super) fn scheduled(&self, view: u64) -> usize {
        (self.told(view) % (self.len() as u64).max(1)) as usize
    }
    /// Who leads `view` by reputation, after a certificate for the newest of `records`, which are in
    /// descending order without a gap (Carousel: S. Cohen et al., "Be Aware of Your Leaders", FC 2022,
    /// algorithm 1): of those that voted for the latest committed proposals, without the authors of the
    /// latest f of them. `None`: too little is known.
    pub(super) fn by_reputation(&self, view: u64, records: &[Record]) -> Option<usize> {
        let depth = self.depth();
        let consecutive = |w: &[Record]| {
            let pairs = w.iter().zip(w.iter().skip(1));
            pairs
                .into_iter()
                .all(|(child, parent)| child.view == parent.view + 1)
        };
        let committed = records.windows(depth).position(consecutive)? + depth - 1;
        let window = records.get(committed..)?;
        let window = window.get(..self.window().min(window.len()))?;
        let last: Vec<usize> = window
            .iter()
            .take(self.faults)
            .filter_map(|record| self.index(record.author))
            .collect();
        let voted = |member: usize| {
            let bit = |r: &Record| {
                r.voters
                    .get(member / 64)
                    .is_some_and(|w| w & (1 << (member % 64)) != 0)
            };
            window.iter().any(bit)
        };
        let candidates: Vec<usize> = (0..self.len())
            .filter(|&member| voted(member) && !last.contains(&member))
            .collect();
        let draw = Digest::of_parts(&[b"consim leader 1", &view.to_be_bytes()]).prefix();
        let at = draw.checked_rem(candidates.len() as u64)?;
        candidates.get(at as usize).copied()
    }
}
