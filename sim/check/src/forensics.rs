//! Who broke the protocol, by what correct nodes heard: no other source.
//!
//! Two signed statements of one key that no correct owner can both have made are a proof of guilt that
//! anybody can check. The rules are those of P. Sheng, G. Wang, K. Nayak, S. Kannan and P. Viswanath,
//! "BFT Protocol Forensics" (CCS 2021), section 4, which shows for PBFT with signatures that f+1 of the
//! guilty are found whenever agreement broke and no more than 2f members are faulty:
//!
//! - within a view, two values in one place (equivocation);
//! - across views, a lock on a value, and later a leave-taking that does not mention it (amnesia).
//!
//! Where nobody takes leave, as in Tendermint, amnesia is a vote for another value in a later view, without a quorum
//! that accepted that value in between. That there is none shows only once all correct members have laid open what
//! they kept, as fork accountability asks of them (CometBFT, spec/light-client/accountability, F2; E. Buchman,
//! R. Guerraoui, J. Komatovic, Z. Milosevic, D.-A. Seredinschi and J. Widder, "Revisiting Tendermint: Design
//! Tradeoffs, Accountability, and Practical Use", DSN-S 2022): a correct member votes so only on the signatures of
//! such a quorum, which it said or heard itself. So it is concluded in the end, and never of a place of which
//! something is forgotten. Of two quorums for two values, f+1 members are found: take the first view after that of
//! the first quorum in which a quorum accepted another value; who is in both voted without a reason. If no correct
//! member knows of such a view, all that committed the second value are guilty.

use crate::keys::Keys;
use crate::seeded;
use consim_core::{
    ChainId, Digest, Evidence, KeyId, Leaving, Promise, Signature, SignedVote, Vote,
};
use std::collections::{BTreeMap, BTreeSet};

/// Votes and leave-takings that are kept of each key (assumed): some minutes of a busy chain. What is
/// older is forgotten; a proof stays.
pub const MAX_KEPT: usize = 200_000;

/// Two statements of one key that contradict each other.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The first that was heard.
    pub first: Evidence,
    /// The other one.
    pub second: Evidence,
}

/// What was heard of one key on one chain.
#[derive(Default)]
struct Record {
    /// By sequence number and view: the votes there.
    votes: BTreeMap<(u64, u64), Vec<SignedVote>>,
    kept: usize,
    /// By the place that each speaks of, 0 if that is more than one, and the view that it went to.
    leavings: BTreeMap<(u64, u64), Leaving>,
}

/// Collects what correct nodes hear and holds it against each other.
pub struct Forensics {
    keys: Keys,
    records: BTreeMap<(ChainId, KeyId), Record>,
    proofs: BTreeMap<(ChainId, KeyId), Proof>,
    statements: u64,
    /// The last sequence number of each chain of which votes are forgotten.
    forgotten: BTreeMap<ChainId, u64>,
}

impl Forensics {
    /// Has heard nothing.
    pub fn new(keys: impl Into<Keys>) -> Self {
        Self {
            keys: keys.into(),
            records: BTreeMap::new(),
            proofs: BTreeMap::new(),
            statements: 0,
            forgotten: BTreeMap::new(),
        }
    }

    /// A correct node heard this. Who signed it is taken from the signature, which is verified, so
    /// that whoever passes it on cannot accuse anybody.
    pub fn hear(&mut self, evidence: Evidence) {
        match evidence {
            Evidence::Vote(vote) => self.vote(vote),
            Evidence::Leaving(leaving) => self.leaving(leaving),
        }
    }

    /// One proof a key that is guilty, by chain and key.
    pub fn proofs(&self) -> &BTreeMap<(ChainId, KeyId), Proof> {
        &self.proofs
    }

    /// How many signed statements were held against others.
    pub fn statements(&self) -> u64 {
        self.statements
    }

    fn vote(&mut self, vote: SignedVote) {
        let of = (vote.chain, vote.key());
        let Vote { view, sequence, .. } = vote.vote;
        let record = self.records.entry(of).or_default();
        let mut place = (sequence, view);
        if seeded::on(&seeded::VIEWS_MIXED_UP) {
            place = (sequence, 0);
        }
        let here = record.votes.entry(place).or_default();
        let known = |v: &SignedVote| v.vote == vote.vote;
        if here.iter().any(known) || !vote.is_genuine(self.keys.of(of.0)) {
            return;
        }
        self.statements += 1;
        let equivocates = here.iter().find(|v| excludes(v, &vote));
        let against = equivocates.map(|v| Evidence::Vote(*v)).or_else(|| {
            let later = |of: u64| record.leavings.range((of, view + 1)..=(of, u64::MAX));
            let mut later = later(0).chain(later(sequence)).map(|(_, l)| l);
            let forgets = later.find(|l| forgets(l, &vote));
            forgets.map(|l| Evidence::Leaving(l.clone()))
        });
        here.push(vote);
        record.kept += 1;
        while record.kept > MAX_KEPT
            && let Some(((sequence, _), oldest)) = record.votes.pop_first()
        {
            record.kept -= oldest.len();
            let forgotten = self.forgotten.entry(of.0).or_default();
            *forgotten = sequence.max(*forgotten);
        }
        if let Some(first) = against {
            self.prove(of, first, Evidence::Vote(vote));
        }
    }

    fn leaving(&mut self, leaving: Leaving) {
        let of = (leaving.signed.chain, leaving.signed.key());
        let place = (leaving.alone.unwrap_or(0), leaving.signed.vote.view);
        let record = self.records.entry(of).or_default();
        let known = record.leavings.get(&place);
        if known.is_some_and(|l| l.signed.vote == leaving.signed.vote)
            || !leaving.signed.is_genuine(self.keys.of(of.0))
        {
            return;
        }
        self.statements += 1;
        let twice = known.map(|l| Evidence::Leaving(l.clone()));
        let against = twice.or_else(|| {
            let (first, last) = match leaving.alone {
                Some(of) => (of, of),
                None => (leaving.low + 1, u64::MAX),
            };
            let above = record.votes.range((first, 0)..=(last, u64::MAX));
            let mut votes = above.flat_map(|(_, votes)| votes);
            votes
                .find(|vote| forgets(&leaving, vote))
                .map(|vote| Evidence::Vote(*vote))
        });
        record
            .leavings
            .entry(place)
            .or_insert_with(|| leaving.clone());
        if record.leavings.len() > MAX_KEPT {
            record.leavings.pop_first();
        }
        if let Some(first) = against {
            self.prove(of, first, Evidence::Leaving(leaving));
        }
    }

    /// All that correct members kept has been heard, and `quorum` says how many accept a value on a chain:
    /// whoever voted against what it holds, without a reason that is known, is guilty.
    pub fn conclude(&mut self, quorum: impl Fn(ChainId) -> usize) {
        let mut found = Vec::new();
        for (&of, record) in &self.records {
            let forgotten = self.forgotten.get(&of.0).copied();
            let from = forgotten.map_or(0, |sequence| sequence.saturating_add(1));
            let pair = self.amnesia(of.0, record, from, quorum(of.0));
            found.extend(pair.map(|(lock, vote)| (of, lock, vote)));
        }
        for (of, lock, vote) in found {
            self.prove(of, Evidence::Vote(lock), Evidence::Vote(vote));
        }
    }

    /// What a key holds, and its vote against that, in a place from `from` on.
    fn amnesia(
        &self,
        chain: ChainId,
        record: &Record,
        from: u64,
        quorum: usize,
    ) -> Option<(SignedVote, SignedVote)> {
        let (mut place, mut held): (u64, Vec<&SignedVote>) = (0, Vec::new());
        for vote in record.votes.range((from, 0)..).flat_map(|(_, votes)| votes) {
            if vote.vote.sequence != place {
                place = vote.vote.sequence;
                held.clear();
            }
            for lock in &held {
                let reason = || {
                    self.has_reason(chain, lock, vote, quorum)
                        && !seeded::on(&seeded::UNLOCKING_IS_AMNESIA)
                };
                if contradicts(lock, vote) && !reason() {
                    return Some((**lock, *vote));
                }
            }
            if vote.promise == Promise::Holds {
                held.push(vote);
            }
        }
        None
    }

    /// Is there a view from that of the lock on in which a quorum accepted the other value: before the vote, or,
    /// if that holds on to it, in its own view?
    fn has_reason(
        &self,
        chain: ChainId,
        lock: &SignedVote,
        vote: &SignedVote,
        quorum: usize,
    ) -> bool {
        let last = reasons(lock, vote).end;
        let mut accepted: BTreeMap<u64, BTreeSet<KeyId>> = BTreeMap::new();
        for other in self.votes_at(chain, lock.vote.sequence) {
            let Vote { view, digest, .. } = other.vote;
            if other.promise == Promise::Accepts
                && digest == vote.vote.digest
                && (lock.vote.view..last).contains(&view)
            {
                accepted.entry(view).or_default().insert(other.key());
            }
        }
        accepted.values().any(|keys| keys.len() >= quorum)
    }

    /// All votes that are kept for a place.
    pub fn votes_at(&self, chain: ChainId, sequence: u64) -> impl Iterator<Item = &SignedVote> {
        let records = self
            .records
            .range((chain, KeyId(0))..=(chain, KeyId(u32::MAX)));
        records.flat_map(move |(_, record)| {
            let here = record.votes.range((sequence, 0)..=(sequence, u64::MAX));
            here.flat_map(|(_, votes)| votes)
        })
    }

    fn prove(&mut self, of: (ChainId, KeyId), first: Evidence, second: Evidence) {
        self.proofs.entry(of).or_insert(Proof { first, second });
    }
}

/// Do two votes of one key in one view and place exclude each other? What was accepted is what may
/// be locked.
fn excludes(a: &SignedVote, b: &SignedVote) -> bool {
    let alike = a.vote.kind == b.vote.kind;
    let bound = a.promise != Promise::Once && b.promise != Promise::Once;
    (alike || bound) && a.vote.digest != b.vote.digest
}

/// Is the second one a vote for another value in a later view of the place where the first holds on to one?
pub(crate) fn contradicts(lock: &SignedVote, vote: &SignedVote) -> bool {
    lock.promise == Promise::Holds
        && matches!(vote.promise, Promise::Accepts | Promise::Holds)
        && vote.vote.sequence == lock.vote.sequence
        && vote.vote.view > lock.vote.view
        && vote.vote.digest != lock.vote.digest
}

/// The views in which a quorum that accepts the value of the second one lets go of the first.
pub(crate) fn reasons(lock: &SignedVote, vote: &SignedVote) -> std::ops::Range<u64> {
    let own = u64::from(vote.promise == Promise::Holds);
    lock.vote.view..vote.vote.view.saturating_add(own)
}

/// Does a leave-taking lack what its signer locked in an earlier view? It has to name the place with
/// this view or a later one, unless that is settled.
fn forgets(leaving: &Leaving, lock: &SignedVote) -> bool {
    let Vote {
        view,
        sequence,
        digest,
        ..
    } = lock.vote;
    let carries = |&(place, of, value): &(u64, u64, Digest)| {
        place == sequence && (of > view || (of == view && value == digest))
    };
    lock.promise == Promise::Locks
        && view < leaving.signed.vote.view
        && sequence > leaving.low
        && leaving.alone.is_none_or(|of| of == sequence)
        && !leaving.bound.iter().any(carries)
}

/// The signature of a statement.
pub fn signature(evidence: &Evidence) -> &Signature {
    match evidence {
        Evidence::Vote(vote) => &vote.signature,
        Evidence::Leaving(leaving) => &leaving.signed.signature,
    }
}
