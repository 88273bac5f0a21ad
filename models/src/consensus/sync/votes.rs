//! Votes for checkpoints.

use crate::consensus::tally::Tally;

/// Votes for checkpoints above the stable one, a tally for each.
#[derive(Debug, Default)]
pub(in crate::consensus) struct CheckpointVotes {
    tallies: Vec<(u64, Tally)>,
    spare: Vec<Tally>,
}

impl CheckpointVotes {
    #[cfg(test)]
    pub(in crate::consensus) fn open(&self) -> usize {
        self.tallies.len()
    }
    /// The votes for this one, if there are any.
    pub(in crate::consensus) fn find(&self, sequence: u64) -> Option<&Tally> {
        let mut tallies = self.tallies.iter();
        tallies
            .find(|(s, _)| *s == sequence)
            .map(|(_, tally)| tally)
    }
    /// The votes for this one.
    pub(in crate::consensus) fn get(&mut self, sequence: u64) -> Option<&mut Tally> {
        if let Some(at) = self.tallies.iter().position(|(s, _)| *s == sequence) {
            return self.tallies.get_mut(at).map(|(_, tally)| tally);
        }
        let tally = self.spare.pop().unwrap_or_default();
        self.tallies.push((sequence, tally));
        self.tallies.last_mut().map(|(_, tally)| tally)
    }
    /// Votes up to here are of no use any more.
    pub(in crate::consensus) fn drop_below(&mut self, sequence: u64) {
        let spare = &mut self.spare;
        self.tallies.retain_mut(|(s, tally)| {
            let keep = *s > sequence;
            if !keep {
                let mut tally = std::mem::take(tally);
                tally.clear();
                spare.push(tally);
            }
            keep
        });
    }
}
