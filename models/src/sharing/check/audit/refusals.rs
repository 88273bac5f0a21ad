//! The refusals of the unauthenticated, which are audited once in a period for each subject.

use crate::node::membership::Refusal;
use crate::sharing::service::REFUSAL_PERIOD;
use consim_core::{NodeId, Span, Time};
use std::collections::BTreeMap;

/// The most refusals of one subject by one server that need no entry and are remembered (assumed: 2.8 hours of
/// refusals in every period).
const MAX_WAITING: usize = 1_000;

/// A refusal that has no entry yet.
#[derive(Debug)]
struct Waiting {
    period: u64,
    at: Time,
    /// The reasons of that period.
    reasons: Vec<&'static str>,
    /// The first since the server started, which is the one that it writes down.
    first: &'static str,
    /// Need it have an entry? A server that crashed since may have lost it, and one that has too
    /// many to audit says so; an entry may come all the same.
    due: bool,
}

/// The refusals by server and subject.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    waiting: BTreeMap<(NodeId, NodeId), Vec<Waiting>>,
    /// The latest period in which the subject was refused.
    latest: BTreeMap<(NodeId, NodeId), u64>,
}

impl Refusals {
    fn all_of(&mut self, server: NodeId) -> impl Iterator<Item = &mut Waiting> {
        let mine = (server, NodeId(0))..=(server, NodeId(u32::MAX));
        self.waiting.range_mut(mine).flat_map(|(_, w)| w)
    }
    /// `server` refused `subject`.
    pub(super) fn refused(
        &mut self,
        at: Time,
        server: NodeId,
        subject: NodeId,
        reason: &'static str,
    ) {
        let period = at.nanos() / REFUSAL_PERIOD.nanos();
        let waiting = self.waiting.entry((server, subject)).or_default();
        // What need not come may come late: it lies on a disk, in a batch that nobody has ordered yet.
        while waiting.len() >= MAX_WAITING
            && let Some(oldest) = waiting.iter().position(|w| !w.due)
        {
            waiting.remove(oldest);
        }
        if let Some(same) = waiting.iter_mut().find(|w| w.period == period) {
            if !same.due {
                (same.due, same.at, same.first) = (true, at, reason);
            }
            if !same.reasons.contains(&reason) {
                same.reasons.push(reason);
            }
        } else if self.latest.insert((server, subject), period) != Some(period) {
            waiting.push(Waiting {
                period,
                at,
                reasons: vec![reason],
                first: reason,
                due: true,
            });
        }
    }
    /// `server` says that it does not audit its latest refusal of `subject`.
    pub(super) fn unaudited(&mut self, server: NodeId, subject: NodeId) {
        if let Some(last) = self
            .waiting
            .get_mut(&(server, subject))
            .and_then(|w| w.last_mut())
        {
            last.due = false;
        }
    }
    /// An entry of `server` reached the chain. Is there a refusal that it tells of?
    pub(super) fn entry(&mut self, server: NodeId, subject: NodeId, reason: Refusal) -> bool {
        let Some(waiting) = self.waiting.get_mut(&(server, subject)) else {
            return false;
        };
        let told = |w: &Waiting| w.reasons.contains(&reason.words());
        // What an earlier life wrote may come after the server was refused for another reason in a later one.
        let ranks: [&dyn Fn(&Waiting) -> bool; 3] = [
            &|w| w.due && w.first == reason.words(),
            &|w| !w.due && told(w),
            &told,
        ];
        let found = ranks.iter().find_map(|rank| waiting.iter().position(rank));
        found.map(|index| waiting.remove(index)).is_some()
    }
    /// `server` crashed.
    pub(super) fn crashed(&mut self, server: NodeId) {
        self.all_of(server).for_each(|w| w.due = false);
    }
    /// `server` was cut off from the chain until now.
    pub(super) fn cut_off(&mut self, server: NodeId, now: Time) {
        self.all_of(server).for_each(|w| w.at = now);
    }
    /// Refusals that must have had their entries: server, subject and instant. `last` says when a
    /// server last applied a block.
    pub(super) fn overdue(
        &self,
        slack: Span,
        last: impl Fn(NodeId) -> Time,
    ) -> Vec<(NodeId, NodeId, Time)> {
        let each = self.waiting.iter().flat_map(|(&(server, subject), w)| {
            w.iter()
                .filter(move |w| w.due)
                .map(move |w| (server, subject, w.at))
        });
        each.filter(|&(server, _, at)| last(server).since(at) >= slack)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refused for one reason in two periods, then, after a crash, for another reason: the two entries of the
    /// first reason and the one of the second all tell of something.
    #[test]
    fn entries_of_an_earlier_life_are_not_taken_for_those_of_the_next() {
        let (server, subject) = (NodeId(0), NodeId(1));
        let at = |ms: u64| Time::from_nanos(ms * 1_000_000);
        let (skew, none) = (Refusal::VersionSkew, Refusal::NoCertificate);
        let mut refusals = Refusals::default();
        refusals.refused(at(28_000), server, subject, skew.words());
        refusals.refused(at(30_000), server, subject, skew.words());
        refusals.crashed(server);
        refusals.refused(at(31_000), server, subject, none.words());
        assert!(refusals.entry(server, subject, skew));
        assert!(refusals.entry(server, subject, none));
        // What is not told of any more is noticed.
        assert!(!refusals.entry(server, subject, none));
    }

    /// An entry comes minutes after a crash; of what need not come at most so much is remembered.
    #[test]
    fn entries_of_an_earlier_life_may_come_late() {
        let (server, subject) = (NodeId(0), NodeId(1));
        let at = |s: u64| Time::from_nanos(s * 1_000_000_000);
        let (skew, none) = (Refusal::VersionSkew, Refusal::NoCertificate);
        let mut refusals = Refusals::default();
        refusals.refused(at(5), server, subject, skew.words());
        refusals.crashed(server);
        refusals.refused(at(500), server, subject, none.words());
        assert!(refusals.entry(server, subject, skew));
        for period in 100..2 * MAX_WAITING as u64 {
            refusals.refused(at(10 * period), server, subject, skew.words());
            refusals.crashed(server);
        }
        assert_eq!(refusals.waiting[&(server, subject)].len(), MAX_WAITING);
    }
}
