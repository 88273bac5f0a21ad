//! Who broke the protocol, by what correct nodes heard: no other source.
//!
//! Two signed statements of one key that no correct owner can both have made are a proof of guilt that
//! anybody can check. The rules are those of P. Sheng, G. Wang, K. Nayak, S. Kannan and P. Viswanath,
//! "BFT Protocol Forensics" (CCS 2021), section 4, which shows for PBFT with signatures that f+1 of the
//! guilty are found whenever agreement broke and no more than 2f members are faulty:
//!
//! - within a view, two values in one place (equivocation);
//! - across views, a lock on a value, and later a leave-taking that does not mention it (amnesia).

use crate::seeded;
use consim_core::{
    ChainId, Digest, Evidence, KeyId, Keyring, Leaving, Promise, Signature, SignedVote, Vote,
};
use std::collections::BTreeMap;

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
    /// By the view that it went to.
    leavings: BTreeMap<u64, Leaving>,
}

/// Collects what correct nodes hear and holds it against each other.
pub struct Forensics {
    keys: Keyring,
    records: BTreeMap<(ChainId, KeyId), Record>,
    proofs: BTreeMap<(ChainId, KeyId), Proof>,
    statements: u64,
}

impl Forensics {
    /// Has heard nothing.
    pub fn new(keys: Keyring) -> Self {
        Self {
            keys,
            records: BTreeMap::new(),
            proofs: BTreeMap::new(),
            statements: 0,
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
        if here.iter().any(known) || !vote.is_genuine(&self.keys) {
            return;
        }
        self.statements += 1;
        let equivocates = here.iter().find(|v| excludes(v, &vote));
        let against = equivocates.map(|v| Evidence::Vote(*v)).or_else(|| {
            let later = record.leavings.range(view + 1..).map(|(_, l)| l);
            let forgets = later.into_iter().find(|l| forgets(l, &vote));
            forgets.map(|l| Evidence::Leaving(l.clone()))
        });
        here.push(vote);
        record.kept += 1;
        while record.kept > MAX_KEPT
            && let Some((_, oldest)) = record.votes.pop_first()
        {
            record.kept -= oldest.len();
        }
        if let Some(first) = against {
            self.prove(of, first, Evidence::Vote(vote));
        }
    }

    fn leaving(&mut self, leaving: Leaving) {
        let of = (leaving.signed.chain, leaving.signed.key());
        let view = leaving.signed.vote.view;
        let record = self.records.entry(of).or_default();
        let known = record.leavings.get(&view);
        if known.is_some_and(|l| l.signed.vote == leaving.signed.vote)
            || !leaving.signed.is_genuine(&self.keys)
        {
            return;
        }
        self.statements += 1;
        let twice = known.map(|l| Evidence::Leaving(l.clone()));
        let against = twice.or_else(|| {
            let above = record.votes.range((leaving.low + 1, 0)..);
            let mut votes = above.flat_map(|(_, votes)| votes);
            votes
                .find(|vote| forgets(&leaving, vote))
                .map(|vote| Evidence::Vote(*vote))
        });
        record
            .leavings
            .entry(view)
            .or_insert_with(|| leaving.clone());
        if record.leavings.len() > MAX_KEPT {
            record.leavings.pop_first();
        }
        if let Some(first) = against {
            self.prove(of, first, Evidence::Leaving(leaving));
        }
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
        && !leaving.bound.iter().any(carries)
}

/// The signature of a statement.
pub fn signature(evidence: &Evidence) -> &Signature {
    match evidence {
        Evidence::Vote(vote) => &vote.signature,
        Evidence::Leaving(leaving) => &leaving.signed.signature,
    }
}
