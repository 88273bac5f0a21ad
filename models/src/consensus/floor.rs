//! Latency floors: when a group decides if nothing but distance takes time.
//!
//! A floor is an order statistic: whoever waits for a quorum waits for the last of the fastest that make
//! one. With no cost of processors, disks and lines, no jitter and no batching delay, a simulated run
//! gives the same to the nanosecond. Proposals have their payload with them: where it travels apart it is there in
//! time as long as no detour is shorter than the direct way.

use super::ProtocolOptions;
use consim_core::Span;

/// One-way delays between the members of a group, in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delays {
    members: usize,
    /// By sender, then receiver.
    cells: Vec<Span>,
}

impl Delays {
    /// Of so many members; what one says to itself takes no time.
    pub fn new(members: usize, delay: impl Fn(usize, usize) -> Span) -> Self {
        let pairs = (0..members).flat_map(|from| (0..members).map(move |to| (from, to)));
        let cell = |(from, to)| {
            if from == to {
                Span::ZERO
            } else {
                delay(from, to)
            }
        };
        Self {
            members,
            cells: pairs.map(cell).collect(),
        }
    }
    /// How many members.
    pub fn members(&self) -> usize {
        self.members
    }
    /// How long a message takes.
    pub fn between(&self, from: usize, to: usize) -> Span {
        let cell = self.cells.get(from * self.members + to);
        cell.copied().unwrap_or(Span::ZERO)
    }
    /// When each member has what `sender` says to all at `at`.
    pub fn arrivals(&self, sender: usize, at: Span) -> Vec<Span> {
        let to = 0..self.members;
        to.map(|to| at + self.between(sender, to)).collect()
    }
    /// When `listener` has heard `count` members, of whom each speaks at its own time; itself it hears
    /// at once.
    pub fn heard_by(&self, listener: usize, spoken: &[Span], count: usize) -> Span {
        let from = spoken.iter().enumerate();
        let heard = from.map(|(from, &at)| at + self.between(from, listener));
        let mut heard: Vec<Span> = heard.collect();
        heard.sort_unstable();
        let last = count.clamp(1, heard.len().max(1)) - 1;
        heard.get(last).copied().unwrap_or(Span::ZERO)
    }
    /// [`Self::heard_by`] of everybody.
    pub fn heard(&self, spoken: &[Span], count: usize) -> Vec<Span> {
        let listeners = 0..self.members;
        listeners
            .map(|listener| self.heard_by(listener, spoken, count))
            .collect()
    }
}

/// When each member knows that a proposal is decided which `leader` makes at time zero, if a certificate
/// takes `quorum` votes.
pub type Floor =
    fn(options: &ProtocolOptions, delays: &Delays, leader: usize, quorum: usize) -> Vec<Span>;

/// Two phases of votes of all to all: a proposal, with its proposer's vote, reaches everybody, who votes at
/// once; whoever has a quorum of these votes again; whoever has a quorum of the second ones, and the
/// proposal, is done.
pub(super) fn two_phases(delays: &Delays, leader: usize, quorum: usize) -> Vec<Span> {
    let accepted = delays.arrivals(leader, Span::ZERO);
    let with_proposal = |heard: Vec<Span>| -> Vec<Span> {
        let both = heard.iter().zip(&accepted);
        both.map(|(heard, accepted)| *heard.max(accepted)).collect()
    };
    let prepared = with_proposal(delays.heard(&accepted, quorum));
    with_proposal(delays.heard(&prepared, quorum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_as_fast_as_its_slowest() {
        // Four on a line, a millisecond apart.
        let ms = |n: usize| Span::from_nanos(n as u64 * 1_000_000);
        let delays = Delays::new(4, |a, b| ms(a.abs_diff(b)));
        assert_eq!(delays.arrivals(1, ms(5)), [ms(6), ms(5), ms(6), ms(7)]);
        let all_at_once = [Span::ZERO; 4];
        assert_eq!(delays.heard(&all_at_once, 1), all_at_once);
        assert_eq!(delays.heard(&all_at_once, 3), [ms(2), ms(1), ms(1), ms(2)]);
        assert_eq!(delays.heard_by(0, &[ms(9), ms(0), ms(0), ms(0)], 3), ms(3));
        assert_eq!(delays.heard_by(0, &[ms(9), ms(0), ms(0), ms(0)], 4), ms(9));
    }
}
