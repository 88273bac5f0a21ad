//! Counting votes: a member has one in each view.

use super::config::{Group, MAX_VOTED};
use super::proposal::Ballot;
use super::seeded;
use crate::consensus::members::Members;
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Digest, Signature, Signers};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The votes of one view.
#[derive(Debug, Default)]
struct View {
    voted: Members,
    /// By what was voted for.
    tallies: Vec<(Digest, Signers)>,
    /// Votes whose signatures are still to be checked.
    unchecked: u32,
    /// Votes of one signer that came again, for the seeded bug.
    again: Vec<(Digest, Signature)>,
}

/// The votes that are not part of a certificate yet.
#[derive(Debug, Default)]
pub(super) struct Votes {
    views: BTreeMap<u64, View>,
}

impl Votes {
    /// May a vote of this member in this view be of use?
    pub(super) fn wants(&self, member: usize, view: u64) -> bool {
        if seeded::on(&seeded::SIGNERS_COUNTED_TWICE) {
            return true;
        }
        let has = |v: &View| v.voted.contains(member);
        let here = self.views.get(&view).is_some_and(has);
        !here && self.views.values().filter(|v| has(v)).count() < MAX_VOTED
    }
    /// Counts a vote, if its signature is valid: a certificate once a quorum voted for the same.
    pub(super) fn add(
        &mut self,
        group: &Group,
        member: usize,
        ballot: &Ballot,
    ) -> Option<Certificate> {
        let kind = group.vote_kind();
        if ballot.signature.key != group.key_of(member) {
            return None;
        }
        let of = self.views.entry(ballot.view).or_default();
        let at = of
            .tallies
            .iter()
            .position(|(digest, _)| *digest == ballot.digest);
        let at = at.unwrap_or_else(|| {
            let mut signers = Signers::default();
            signers.begin(vote_statement(
                group.chain,
                kind,
                ballot.view,
                0,
                &ballot.digest,
            ));
            of.tallies.push((ballot.digest, signers));
            of.tallies.len() - 1
        });
        let (_, signers) = of.tallies.get_mut(at)?;
        let fresh = signers.add(&group.keys, &ballot.signature);
        if !fresh && !signers.contains(ballot.signature.key) {
            return None;
        }
        of.voted.insert(member);
        let mut count = signers.len();
        if seeded::on(&seeded::SIGNERS_COUNTED_TWICE) {
            if !fresh {
                of.again.push((ballot.digest, ballot.signature));
            }
            count += of
                .again
                .iter()
                .filter(|(digest, _)| *digest == ballot.digest)
                .count();
        }
        (count >= group.quorum).then(|| Certificate {
            kind,
            view: ballot.view,
            sequence: 0,
            digest: ballot.digest,
            signatures: signers.signatures(&group.keys),
            links: Arc::default(),
        })
    }
    /// A vote of another member came that is checked together with others: how many of its view have to
    /// be checked now. None before they could be a quorum; all that wait from then on.
    pub(super) fn due_checks(&mut self, group: &Group, view: u64) -> u32 {
        let of = self.views.entry(view).or_default();
        of.unchecked += 1;
        let tallied = of.tallies.iter().map(|(_, signers)| signers.len());
        // The one that just came is not counted yet.
        if tallied.max().unwrap_or(0) + 1 < group.quorum {
            return 0;
        }
        std::mem::take(&mut of.unchecked)
    }
    /// Views up to this one are over.
    pub(super) fn drop_up_to(&mut self, view: u64) {
        self.views = self.views.split_off(&view.saturating_add(1));
    }
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.views.len()
    }
}
