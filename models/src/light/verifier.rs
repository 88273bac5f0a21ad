//! What a light client believes: a trusted state and a proof make a new trusted state, or nothing. It knows no
//! node, no message and no clock, so that whoever has to believe another chain can use it as it is.

use super::proof::{LightProof, Skip};
use super::seeded;
use crate::consensus::{CheckpointHead as _, MemberChange, Validators};
use crate::ledger::merkle;
use consim_core::chain::{Link, chained};
use consim_core::{
    Certificate, ChainId, CodecError, Committed, Decoder, Digest, Encoder, Header, KeyId, Keyring,
    NodeId, Payload, Span, Tx, Work,
};
use std::any::Any;
use std::sync::Arc;

/// A share of the members that have to have signed what skips over changes: more than so many of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrustLevel {
    /// Of so many...
    pub parts: u32,
    /// ...of a whole of so many.
    pub of: u32,
}

impl TrustLevel {
    /// More than a third: one of them is correct (CometBFT, light client verification: `trustThreshold`).
    pub const THIRD: Self = Self { parts: 1, of: 3 };

    /// Do so many of `n` exceed it?
    fn is_exceeded(self, signed: usize, n: usize) -> bool {
        let whole = n as u128 * u128::from(self.parts);
        signed as u128 * u128::from(self.of) > whole
    }
}

/// What the certificates of a chain look like.
#[derive(Clone, Copy, Debug)]
pub struct Certified {
    /// The kind of the votes that decide.
    pub decides: u8,
    /// The kind of the votes of checkpoints.
    pub checkpoint: u8,
    /// Blocks between checkpoints.
    pub interval: u64,
    /// Votes that so many members need.
    pub quorum: fn(usize) -> usize,
}

/// Knows a chain, and how far to trust.
#[derive(Clone, Debug)]
pub struct Verifier {
    /// The chain.
    pub chain: ChainId,
    /// Everybody's public keys.
    pub keys: Keyring,
    /// Who may change the members, if anybody.
    pub administrator: Option<KeyId>,
    /// Its certificates.
    pub certified: Certified,
    /// How long after its time what is trusted is: so long no more than f of its members turn bad.
    pub trusting_period: Span,
    /// How far the clock of a client may be behind the times of blocks.
    pub clock_drift: Span,
    /// What a skip needs.
    pub trust_level: TrustLevel,
}

/// What is trusted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trusted {
    /// The last decision that is known; 0 at the genesis.
    pub sequence: u64,
    /// The digest of its batch.
    pub batch: Digest,
    /// The latest time that is known, nanoseconds after the Unix epoch.
    pub time_ns: i64,
    /// Who decides, as far as is known...
    pub validators: Validators,
    /// ...from this number on.
    pub from: u64,
}

/// Why a proof is not believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refusal {
    /// What is trusted is older than the trusting period.
    Expired,
    /// Its time is to come.
    FromTheFuture,
    /// It is no later than what is known.
    NotLater,
    /// It was decided before those decide who are known.
    BeforeMembers,
    /// The votes are of another kind, or over something else.
    OtherVotes,
    /// Too few members signed, or others did.
    Signatures,
    /// A block that is to change the members does not hold the next change.
    NoChange,
    /// The administrator did not sign a change.
    NotAdministrator,
    /// The state does not show that just these changes were made, one block after the other.
    NotInState,
    /// No more of the members that are trusted than the trust level signed a skip.
    TrustLevel,
}

impl Refusal {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Expired => "trust expired",
            Self::FromTheFuture => "from the future",
            Self::NotLater => "not later",
            Self::BeforeMembers => "before its members decide",
            Self::OtherVotes => "other votes",
            Self::Signatures => "too few signatures",
            Self::NoChange => "no change of the members",
            Self::NotAdministrator => "not the administrator's",
            Self::NotInState => "not in the state",
            Self::TrustLevel => "below the trust level",
        }
    }
}

impl Trusted {
    /// The genesis of a chain that starts at this time.
    pub fn genesis(members: Arc<[NodeId]>, start_ns: i64) -> Self {
        Self {
            sequence: 0,
            batch: Digest::ZERO,
            time_ns: start_ns,
            validators: Validators::first(members),
            from: 0,
        }
    }
}

impl Verifier {
    /// What is trusted after this proof, for somebody whose clock shows `now_ns`; adds what it costs to `work`.
    pub fn verify(
        &self,
        trusted: &Trusted,
        proof: &LightProof,
        now_ns: i64,
        work: &mut Work,
    ) -> Result<Trusted, Refusal> {
        if self.is_expired(trusted, now_ns) {
            return Err(Refusal::Expired);
        }
        self.follow(trusted, proof, now_ns, work)
    }

    /// The same for somebody who has no trust that could be too old, as it takes this proof from a node that it
    /// trusts.
    pub fn follow(
        &self,
        trusted: &Trusted,
        proof: &LightProof,
        now_ns: i64,
        work: &mut Work,
    ) -> Result<Trusted, Refusal> {
        if proof.sequence() <= trusted.sequence {
            return Err(Refusal::NotLater);
        }
        let mut now = trusted.clone();
        if let Some(skip) = &proof.skip {
            now = self.skip(&now, skip, now_ns, work)?;
        }
        for link in &proof.links {
            now = self.link(&now, link, now_ns, work)?;
        }
        let (head, certificate) = (&proof.decision.head, &proof.decision.certificate);
        if certificate.sequence < now.from {
            return Err(Refusal::BeforeMembers);
        }
        work.add(Work::hash(super::BatchHead::ENCODED));
        let digest = head.digest();
        self.decided(&now.validators, certificate, &digest, work)?;
        Ok(Trusted {
            sequence: certificate.sequence,
            batch: digest,
            time_ns: self.later(&now, head.time_ns, now_ns)?,
            ..now
        })
    }

    /// What is trusted after a header that members attested, for somebody whose clock shows `now_ns`; `certified`
    /// names the kind of attestations. A header of before what is known is believed, too, and changes nothing: who
    /// was a member then is one now, since `from`.
    pub fn attested(
        &self,
        trusted: &Trusted,
        header: &Header,
        certificate: &Certificate,
        now_ns: i64,
        work: &mut Work,
    ) -> Result<Trusted, Refusal> {
        if self.is_expired(trusted, now_ns) {
            return Err(Refusal::Expired);
        }
        if header.chain != self.chain || certificate.sequence != header.sequence {
            return Err(Refusal::OtherVotes);
        }
        if certificate.sequence < trusted.from {
            return Err(Refusal::BeforeMembers);
        }
        work.add(Work::hash(Header::ENCODED));
        self.decided(&trusted.validators, certificate, &header.id(), work)?;
        let time_ns = self.later(trusted, header.time_ns, now_ns)?;
        if header.sequence <= trusted.sequence {
            return Ok(trusted.clone());
        }
        Ok(Trusted {
            sequence: header.sequence,
            batch: header.batch,
            time_ns,
            ..trusted.clone()
        })
    }

    /// Is what is trusted too old (`isWithinTrustedPeriod` of the specification)?
    pub fn is_expired(&self, trusted: &Trusted, now_ns: i64) -> bool {
        let age = self.trusting_period.nanos();
        let until = trusted.time_ns.saturating_add_unsigned(age);
        until <= now_ns && !seeded::on(&seeded::TRUSTING_PERIOD_NOT_CHECKED)
    }

    /// The latest time that is known once this one is.
    fn later(&self, trusted: &Trusted, time_ns: i64, now_ns: i64) -> Result<i64, Refusal> {
        let latest = now_ns.saturating_add_unsigned(self.clock_drift.nanos());
        if time_ns >= latest {
            return Err(Refusal::FromTheFuture);
        }
        Ok(trusted.time_ns.max(time_ns))
    }

    /// Do these members decide this by that certificate?
    fn decided(
        &self,
        validators: &Validators,
        certificate: &Certificate,
        digest: &Digest,
        work: &mut Work,
    ) -> Result<(), Refusal> {
        let chain_of_proposals = chained(certificate.kind).is_some();
        if certificate.kind != self.certified.decides
            || certificate.digest != *digest
            || certificate.links.is_empty() == chain_of_proposals
        {
            return Err(Refusal::OtherVotes);
        }
        self.signed(validators, certificate, work)
    }

    /// Is this signed by a quorum of these members, and by nobody else?
    fn signed(
        &self,
        validators: &Validators,
        certificate: &Certificate,
        work: &mut Work,
    ) -> Result<(), Refusal> {
        let links = certificate.links.iter().map(Link::encoded_len);
        work.add(Work::verify_batched(certificate.signatures.len() as u32));
        work.add(Work::hash(links.sum()));
        let quorum = (self.certified.quorum)(validators.members.len());
        let signed = certificate.verify(self.chain, &validators.signers(), quorum, &self.keys);
        signed.then_some(()).ok_or(Refusal::Signatures)
    }

    /// A block with the next change of the members, decided by those before it.
    fn link(
        &self,
        trusted: &Trusted,
        link: &Committed,
        now_ns: i64,
        work: &mut Work,
    ) -> Result<Trusted, Refusal> {
        if link.sequence < trusted.from || link.sequence != link.certificate.sequence {
            return Err(Refusal::BeforeMembers);
        }
        let batch = &link.batch;
        self.decided(
            &trusted.validators,
            &link.certificate,
            &batch.digest(),
            work,
        )?;
        let leaves: Vec<Digest> = batch.txs().iter().map(|tx| tx.digest()).collect();
        work.add(Work::hash(batch.encoded_len()));
        work.add(Work::hash(merkle::hashed_bytes(leaves.len())));
        if merkle::root(&leaves) != batch.tx_root() {
            return Err(Refusal::OtherVotes);
        }
        let administrator = self.administrator.ok_or(Refusal::NoChange)?;
        let own = |tx: &&Arc<Tx>| tx.id().origin.0 == administrator.0;
        for tx in batch.txs().iter().filter(own) {
            self.asked(tx, administrator, work)?;
        }
        let validators = trusted.validators.after(batch.txs().iter(), administrator);
        Ok(Trusted {
            time_ns: self.later(trusted, batch.time_ns(), now_ns)?,
            validators: validators.ok_or(Refusal::NoChange)?,
            from: link.sequence.saturating_add(1),
            ..trusted.clone()
        })
    }

    /// Did the administrator ask for this, on this chain?
    fn asked(&self, tx: &Tx, administrator: KeyId, work: &mut Work) -> Result<(), Refusal> {
        work.add(Work::verify(1));
        let own = tx.id().origin.0 == administrator.0
            && tx.signer() == administrator
            && tx.chain() == self.chain
            && tx.verify(&self.keys);
        if own || seeded::on(&seeded::VALIDATORS_NOT_PROVEN) {
            return Ok(());
        }
        Err(Refusal::NotAdministrator)
    }

    /// A checkpoint, signed by more of the members that are trusted than the trust level, and by a quorum of those
    /// who decide there, as its state shows.
    fn skip(
        &self,
        trusted: &Trusted,
        skip: &Skip,
        now_ns: i64,
        work: &mut Work,
    ) -> Result<Trusted, Refusal> {
        let certificate = &skip.certificate;
        let header = skip.head.header.as_ref().ok_or(Refusal::NotInState)?;
        work.add(Work::hash(skip.head.encoded_len()));
        let is_checkpoint = certificate.kind == self.certified.checkpoint
            && certificate.view == 0
            && certificate
                .sequence
                .is_multiple_of(self.certified.interval.max(1))
            && certificate.digest == skip.head.digest()
            && header.chain == self.chain
            && header.sequence <= certificate.sequence
            && header.state_root == skip.head.root;
        if !is_checkpoint {
            return Err(Refusal::OtherVotes);
        }
        if certificate.sequence <= trusted.sequence || certificate.sequence < trusted.from {
            return Err(Refusal::NotLater);
        }
        let (signing, after) = self.changed(trusted, skip, work)?;
        self.signed(&signing, certificate, work)?;
        let known = trusted.validators.signers();
        let keys = certificate.signatures.iter().map(|s| NodeId(s.key.0));
        let of_them = keys.filter(|key| known.binary_search(key).is_ok()).count();
        if !self.trust_level.is_exceeded(of_them, known.len())
            && !seeded::on(&seeded::TRUST_LEVEL_NOT_CHECKED)
        {
            return Err(Refusal::TrustLevel);
        }
        Ok(Trusted {
            time_ns: self.later(trusted, header.time_ns, now_ns)?,
            validators: after,
            from: certificate.sequence.saturating_add(1),
            ..trusted.clone()
        })
    }

    /// Who decides at the checkpoint, and who after it.
    fn changed(
        &self,
        trusted: &Trusted,
        skip: &Skip,
        work: &mut Work,
    ) -> Result<(Validators, Validators), Refusal> {
        let administrator = self.administrator.ok_or(Refusal::NoChange)?;
        let header = skip.head.header.as_ref().ok_or(Refusal::NotInState)?;
        if skip.changes.len() != skip.executed.len() {
            return Err(Refusal::NotInState);
        }
        let root = &skip.head.root;
        let mut signing = trusted.validators.clone();
        let mut after = trusted.validators.clone();
        let mut last = None;
        for (tx, proof) in skip.changes.iter().zip(&skip.executed) {
            self.asked(tx, administrator, work)?;
            let next = MemberChange::of_tx(tx, self.administrator);
            let next = next.filter(|next| next.number == after.change + 1);
            let next = next.ok_or(Refusal::NoChange)?;
            work.add(Work::hash(proof.hashed_bytes()));
            // One that was ordered before its turn is void, and within a block the state has no order.
            let height = proof.shows(root, tx.id()).flatten();
            let height = height.filter(|height| last.is_none_or(|last| *height > last));
            let height = height.ok_or(Refusal::NotInState)?;
            last = Some(height);
            after = after.changed(next);
            if height < header.height || header.sequence < skip.certificate.sequence {
                signing = after.clone();
            }
        }
        work.add(Work::hash(skip.next.hashed_bytes()));
        let id = MemberChange::id(administrator, after.change + 1);
        if skip.next.shows(root, id) != Some(None) {
            return Err(Refusal::NotInState);
        }
        Ok((signing, after))
    }
}

/// What a light client's disk holds.
impl Payload for Trusted {
    fn kind(&self) -> &'static str {
        "trusted"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        e.u64(self.sequence).digest(&self.batch);
        e.u64(self.time_ns.cast_unsigned()).u64(self.from);
        e.u64(self.validators.change);
        e.list(self.validators.members.len());
        for node in self.validators.members.iter() {
            e.u32(node.0);
        }
        e.list(self.validators.renewed.len());
        for (node, key) in self.validators.renewed.iter() {
            e.u32(node.0).u32(key.0);
        }
    }
    fn encoded_len(&self) -> usize {
        let Validators {
            members, renewed, ..
        } = &self.validators;
        8 + 32 + 8 + 8 + 8 + 4 + 4 * members.len() + 4 + 8 * renewed.len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Trusted {
    /// Reads what its wire form holds.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        const MOST: usize = 1 << 20;
        let (sequence, batch) = (d.u64()?, d.digest()?);
        let (time_ns, from, change) = (d.u64()?.cast_signed(), d.u64()?, d.u64()?);
        let n = d.list(MOST, 4)?;
        let members = (0..n).map(|_| d.u32().map(NodeId));
        let members: Arc<[NodeId]> = members.collect::<Result<Vec<_>, _>>()?.into();
        let n = d.list(MOST, 8)?;
        let renewed = (0..n).map(|_| Ok((NodeId(d.u32()?), KeyId(d.u32()?))));
        let renewed = renewed.collect::<Result<Vec<_>, CodecError>>()?.into();
        Ok(Self {
            sequence,
            batch,
            time_ns,
            from,
            validators: Validators {
                change,
                members,
                renewed,
            },
        })
    }
}
