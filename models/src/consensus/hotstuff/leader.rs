//! Who leads a view.

use super::config::{Group, LeaderRule, SPAN};
use consim_core::{Digest, NodeId};

/// Whom the reputation of leaders chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chosen {
    /// One that voted lately.
    Member(usize),
    /// The next in turn: a view failed, and nothing was committed without a gap since.
    InTurn,
    /// Too little is known of what was proposed before.
    Unknown,
}

/// A proposal as the reputation of leaders sees it.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) sequence: u64,
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
    /// Who leads `view` by reputation, after a certificate for the newest of `records`, which are that and
    /// what it builds on, in descending order without a gap in numbers. Carousel (S. Cohen et al., "Be Aware
    /// of Your Leaders", FC 2022, algorithm 1): as long as each view commits something, one of those that
    /// voted lately, without the authors of the last f proposals; else the next in turn.
    pub(super) fn by_reputation(&self, view: u64, records: &[Record]) -> Chosen {
        let follows = |(child, parent): &(&Record, &Record)| child.view == parent.view + 1;
        let pairs = records.iter().zip(records.iter().skip(1));
        // A gap in views tells of one that failed: those that voted before it may be gone since.
        let since = pairs.take(self.window()).take_while(follows).count();
        let whole = since == self.window()
            || since + 1 < records.len()
            || records.last().is_some_and(|oldest| oldest.sequence == 1);
        if !whole {
            return Chosen::Unknown;
        }
        if since + 1 < self.depth() {
            return Chosen::InTurn;
        }
        // Each says who voted for its parent, and that came after the gap too.
        let window = records.get(..since).unwrap_or_default();
        let voted = |member: usize| {
            let bit = |r: &Record| {
                r.voters
                    .get(member / 64)
                    .is_some_and(|w| w & (1 << (member % 64)) != 0)
            };
            window.iter().any(bit)
        };
        let last = records.iter().take(self.faults);
        let last: Vec<usize> = last.filter_map(|r| self.index(r.author)).collect();
        let candidates: Vec<usize> = (0..self.len())
            .filter(|&member| voted(member) && !last.contains(&member))
            .collect();
        let draw = Digest::of_parts(&[b"consim leader 1", &view.to_be_bytes()]).prefix();
        let at = draw.checked_rem(candidates.len() as u64);
        let chosen = at.and_then(|at| candidates.get(at as usize).copied());
        chosen.map_or(Chosen::InTurn, Chosen::Member)
    }
}
