//! A proposal whose transactions are named by digest.

use super::proposal::{Proposal, TimeoutCertificate, decode_timeouts, encode_timeouts};
use crate::consensus::payload::Head;
use crate::consensus::sync::{decode_option, encode_option, option_len};
use consim_core::chain::Link;
use consim_core::{Batch, Certificate, CodecError, Decoder, Digest, Encoder, Signature};
use std::sync::{Arc, OnceLock};

/// What a proposal is without its transactions.
#[derive(Debug)]
pub struct Announced {
    link: Link,
    id: Digest,
    head: Head,
    justify: Option<Arc<Certificate>>,
    timeouts: Option<Arc<TimeoutCertificate>>,
    signature: Signature,
    /// The proposal. What the link's digest covers is the same for all, so that replicas share it: the
    /// author has it from the beginning, and whoever has all that is named may look at it.
    whole: OnceLock<Arc<Proposal>>,
}

impl Announced {
    /// A proposal by the digests of what holds its transactions.
    pub fn of(proposal: &Arc<Proposal>, digests: Arc<[Digest]>) -> Self {
        Self {
            link: proposal.link().clone(),
            id: proposal.id(),
            head: Head::of(proposal.batch(), digests),
            justify: proposal.justify().cloned(),
            timeouts: proposal.timeouts().cloned(),
            signature: *proposal.signature(),
            whole: OnceLock::from(Arc::clone(proposal)),
        }
    }
    /// What votes for it sign the digest of.
    pub fn link(&self) -> &Link {
        &self.link
    }
    /// The link's digest.
    pub fn id(&self) -> Digest {
        self.id
    }
    /// Its batch without the transactions.
    pub fn head(&self) -> &Head {
        &self.head
    }
    /// The certificate of its parent.
    pub fn justify(&self) -> Option<&Arc<Certificate>> {
        self.justify.as_ref()
    }
    /// That the view before failed.
    pub fn timeouts(&self) -> Option<&Arc<TimeoutCertificate>> {
        self.timeouts.as_ref()
    }
    /// Its author's signature.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
    /// The proposal, for one that has all that is named; `make` puts its batch together where nobody has
    /// done so before.
    pub(super) fn whole(&self, make: impl FnOnce() -> Option<Batch>) -> Option<Arc<Proposal>> {
        if let Some(whole) = self.whole.get() {
            return Some(Arc::clone(whole));
        }
        let proposal = Proposal::named(
            Proposal::new(
                self.link.clone(),
                Arc::new(make()?),
                self.justify.clone(),
                self.timeouts.clone(),
                self.signature,
            ),
            Arc::clone(&self.head.digests),
        );
        Some(Arc::clone(self.whole.get_or_init(|| Arc::new(proposal))))
    }
    /// The proposal, if it was put together before: what its author knows anyhow.
    pub(super) fn known(&self) -> Option<&Arc<Proposal>> {
        self.whole.get()
    }
    pub(super) fn encoded_len(&self) -> usize {
        self.link.encoded_len()
            + self.head.encoded_len()
            + option_len(self.justify.as_ref())
            + 1
            + self.timeouts.as_ref().map_or(0, |t| t.encoded_len())
            + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        self.link.encode(e);
        self.head.encode(e);
        encode_option(e, self.justify.as_ref());
        encode_timeouts(e, self.timeouts.as_ref());
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let link = Link::decode(d)?;
        Ok(Self {
            id: link.id(),
            link,
            head: Head::decode(d)?,
            justify: decode_option(d)?,
            timeouts: decode_timeouts(d)?,
            signature: Signature::decode(d)?,
            whole: OnceLock::new(),
        })
    }
}
