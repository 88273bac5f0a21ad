//! The refusals of the unauthenticated, which are audited once in a period for each subject.

use crate::node::membership::Refusal;
use crate::sharing::service::REFUSAL_PERIOD;
use consim_core::{NodeId, Span, Time};
use std::collections::BTreeMap;

/// The most refusals of one subject by one server that need no entry and are remembered (assumed: 2.8 hours of
/// refusals in every period).
const MAX_WAITING: usize = 1_000;

/// The refusals of a period, which have no entry yet.
#[derive(Debug)]
struct Waiting {
    /// When the first one came since the server started.
    at: Time,
    /// All their reasons: the entry may be of an earlier life of the server.
    reasons: Vec<&'static str>,
    /// Need they have an entry? A server that crashed since may have lost it, and one that has too
    /// many to audit says so; an entry may come all the same.
    due: bool,
}

/// The refusals of a server and a subject.
#[derive(Debug, Default)]
struct Pair {
    /// Those without an entry, by period.
    waiting: BTreeMap<u64, Waiting>,
    /// The latest period with a refusal.
    latest: Option<u64>,
}

/// The refusals by server and subject.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<(NodeId, NodeId), Pair>);

impl Refusals {
    fn all_of(&mut self, server: NodeId) -> impl Iterator<Item = &mut Waiting> {
        let mine = (server, NodeId(0))..=(server, NodeId(u32::MAX));
        let pairs = self.0.range_mut(mine);
        pairs.flat_map(|(_, pair)| pair.waiting.values_mut())
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
        let pair = self.0.entry((server, subject)).or_default();
        if let Some(same) = pair.waiting.get_mut(&period) {
            if !same.due {
                (same.due, same.at) = (true, at);
            }
            if !same.reasons.contains(&reason) {
                same.reasons.push(reason);
            }
        } else if pair.latest.replace(period) != Some(period) {
            // What need not come may come late: it lies on a disk, in a batch that nobody has ordered yet.
            while pair.waiting.len() >= MAX_WAITING
                && let Some(oldest) = pair.waiting.iter().find(|(_, w)| !w.due)
            {
                let oldest = *oldest.0;
                pair.waiting.remove(&oldest);
            }
            let reasons = vec![reason];
            let due = true;
            pair.waiting.insert(period, Waiting { at, reasons, due });
        }
    }
    /// `server` says that it does not audit its latest refusal of `subject`.
    pub(super) fn unaudited(&mut self, server: NodeId, subject: NodeId) {
        let pair = self.0.get_mut(&(server, subject));
        if let Some(mut last) = pair.and_then(|pair| pair.waiting.last_entry()) {
            last.get_mut().due = false;
        }
    }
    /// An entry of `server` for this period reached the chain. Is there a refusal that it tells of?
    pub(super) fn entry(
        &mut self,
        server: NodeId,
        subject: NodeId,
        period: u64,
        reason: Refusal,
    ) -> bool {
        let pair = self.0.get_mut(&(server, subject));
        let found = pair.and_then(|pair| pair.waiting.remove(&period));
        found.is_some_and(|w| w.reasons.contains(&reason.words()))
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
        let each = self.0.iter().flat_map(|(&(server, subject), pair)| {
            let due = pair.waiting.values().filter(|w| w.due);
            due.map(move |w| (server, subject, w.at))
        });
        each.filter(|&(server, _, at)| last(server).since(at) >= slack)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: NodeId = NodeId(0);
    const SUBJECT: NodeId = NodeId(1);

    fn at(s: u64) -> Time {
        Time::from_nanos(s * 1_000_000_000)
    }

    /// Refused in two periods, and after a crash in the second one again, for another reason: each period has one
    /// entry, of whichever life.
    #[test]
    fn an_entry_is_that_of_its_period() {
        let (skew, none) = (Refusal::VersionSkew, Refusal::NoCertificate);
        for second in [skew, none] {
            let mut refusals = Refusals::default();
            refusals.refused(at(28), SERVER, SUBJECT, skew.words());
            refusals.refused(at(30), SERVER, SUBJECT, skew.words());
            refusals.crashed(SERVER);
            refusals.refused(at(31), SERVER, SUBJECT, none.words());
            assert!(refusals.entry(SERVER, SUBJECT, 3, second));
            assert!(refusals.overdue(Span::ZERO, |_| at(99)).is_empty());
            assert!(!refusals.entry(SERVER, SUBJECT, 3, second), "twice");
            assert!(!refusals.entry(SERVER, SUBJECT, 2, none), "never so");
        }
    }

    /// The entry that was lost with an earlier life does not stand for the one that is due.
    #[test]
    fn an_entry_of_another_period_is_not_enough() {
        let skew = Refusal::VersionSkew;
        let mut refusals = Refusals::default();
        refusals.refused(at(28), SERVER, SUBJECT, skew.words());
        refusals.crashed(SERVER);
        refusals.refused(at(31), SERVER, SUBJECT, skew.words());
        assert!(refusals.entry(SERVER, SUBJECT, 2, skew));
        assert_eq!(refusals.overdue(Span::ZERO, |_| at(99)).len(), 1);
    }

    /// An entry comes minutes after a crash; of what need not come at most so much is remembered.
    #[test]
    fn entries_of_an_earlier_life_may_come_late() {
        let skew = Refusal::VersionSkew;
        let mut refusals = Refusals::default();
        refusals.refused(at(5), SERVER, SUBJECT, skew.words());
        refusals.crashed(SERVER);
        refusals.refused(at(500), SERVER, SUBJECT, skew.words());
        assert!(refusals.entry(SERVER, SUBJECT, 0, skew));
        for period in 100..2 * MAX_WAITING as u64 {
            refusals.refused(at(10 * period), SERVER, SUBJECT, skew.words());
            refusals.crashed(SERVER);
        }
        assert_eq!(refusals.0[&(SERVER, SUBJECT)].waiting.len(), MAX_WAITING);
    }
}
