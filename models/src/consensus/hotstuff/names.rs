//! Proposals that name their transactions instead of holding them, as libhotstuff's do: clients hand
//! their commands to every replica, and a proposal lists the commands' 32-byte hashes.
//!
//! Upon such a proposal: a replica that has all the transactions goes on as with any other. One that lacks
//! some asks the sender for the whole, and goes on when that comes: it never votes for what it does not have.

use super::message::Body;
use super::proposal::{Proposal, TimeoutCertificate, decode_timeouts, encode_timeouts};
use super::replica::HotStuffReplica;
use crate::consensus::sync::{decode_option, encode_option, option_len};
use consim_core::chain::{Link, MAX_BATCH_TXS};
use consim_core::codec::{CodecError, Decoder, Encoder};
use consim_core::{Batch, Certificate, Context, Digest, NodeId, Signature};
use std::sync::Arc;

/// The bytes of the name of a transaction.
const NAME: usize = 32;

/// A proposal as its receiver reads it: without its transactions.
#[derive(Debug)]
pub struct Names {
    link: Link,
    proposer: NodeId,
    time_ns: i64,
    tx_root: Digest,
    txs: Vec<Digest>,
    justify: Option<Arc<Certificate>>,
    timeouts: Option<Arc<TimeoutCertificate>>,
    signature: Signature,
}

/// The encoded length of a proposal that names its transactions.
pub(super) fn encoded_len(proposal: &Proposal) -> usize {
    let batch = 4 + 8 + NAME + 4 + proposal.batch().txs().len() * NAME;
    proposal.link().encoded_len()
        + batch
        + option_len(proposal.justify())
        + 1
        + proposal.timeouts().map_or(0, |t| t.encoded_len())
        + proposal.signature().encoded_len()
}

/// Appends the wire form.
pub(super) fn encode(proposal: &Proposal, e: &mut Encoder<'_>) {
    let batch = proposal.batch();
    proposal.link().encode(e);
    e.u32(batch.proposer().0)
        .u64(batch.time_ns().cast_unsigned())
        .digest(&batch.tx_root());
    e.list(batch.txs().len());
    for tx in batch.txs().iter() {
        e.digest(&tx.digest());
    }
    encode_option(e, proposal.justify());
    encode_timeouts(e, proposal.timeouts());
    proposal.signature().encode(e);
}

impl Names {
    /// Reads one; nothing is verified yet.
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            link: Link::decode(d)?,
            proposer: NodeId(d.u32()?),
            time_ns: d.u64()?.cast_signed(),
            tx_root: d.digest()?,
            txs: {
                let n = d.list(MAX_BATCH_TXS, NAME)?;
                (0..n).map(|_| d.digest()).collect::<Result<_, _>>()?
            },
            justify: decode_option(d)?,
            timeouts: decode_timeouts(d)?,
            signature: Signature::decode(d)?,
        })
    }
    /// The view, the link's digest and its author's signature over them.
    pub(super) fn signed(&self) -> (u64, Digest, Signature) {
        (self.link.view, self.link.id(), self.signature)
    }
    /// The certificate of its parent.
    pub(super) fn justify(&self) -> Option<&Arc<Certificate>> {
        self.justify.as_ref()
    }
    /// The encoded length.
    pub(super) fn encoded_len(&self) -> usize {
        self.link.encoded_len()
            + (4 + 8 + NAME + 4 + self.txs.len() * NAME)
            + option_len(self.justify.as_ref())
            + 1
            + self.timeouts.as_ref().map_or(0, |t| t.encoded_len())
            + self.signature.encoded_len()
    }
    /// Appends the wire form.
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        self.link.encode(e);
        e.u32(self.proposer.0)
            .u64(self.time_ns.cast_unsigned())
            .digest(&self.tx_root);
        e.list(self.txs.len());
        for tx in &self.txs {
            e.digest(tx);
        }
        encode_option(e, self.justify.as_ref());
        encode_timeouts(e, self.timeouts.as_ref());
        self.signature.encode(e);
    }
}

impl HotStuffReplica {
    /// What a proposal is said with: its transactions, or their names.
    pub(super) fn said_with(&self, proposal: Arc<Proposal>) -> Body {
        if self.group.names && !proposal.batch().txs().is_empty() {
            Body::Named(proposal)
        } else {
            Body::Proposal(proposal)
        }
    }

    /// Upon a proposal that names its transactions, all of which the run has somewhere.
    pub(super) fn on_named(&mut self, cx: &mut Context<'_>, from: usize, named: &Arc<Proposal>) {
        let has = |tx| self.mempool.knows(tx) || self.mempool.ordered(tx.id());
        if named.view() < self.safety.view || named.batch().txs().iter().all(has) {
            return self.on_proposal(cx, from, named);
        }
        self.lack(cx, from, named.id());
    }

    /// Upon the same as it comes over a wire.
    pub(super) fn on_names(&mut self, cx: &mut Context<'_>, from: usize, names: &Names) {
        let Some(txs) = self.mempool.named(&names.txs) else {
            return self.lack(cx, from, names.link.id());
        };
        let batch = Batch::new(names.proposer, names.time_ns, txs.into(), names.tx_root);
        let proposal = Proposal::new(
            names.link.clone(),
            Arc::new(batch),
            names.justify.clone(),
            names.timeouts.clone(),
            names.signature,
        );
        self.on_proposal(cx, from, &Arc::new(proposal));
    }

    /// A transaction of a proposal is not here: its sender is asked for the whole.
    fn lack(&mut self, cx: &mut Context<'_>, from: usize, id: Digest) {
        self.lacking = Some((id, from));
        let above = self.executed;
        self.send(cx, from, Body::FetchChain { id, above });
    }

    /// The whole of a proposal came that was lacking: whether it is told so.
    pub(super) fn take_whole(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        proposals: &[Arc<Proposal>],
    ) -> bool {
        let Some((lacking, asked)) = self.lacking else {
            return false;
        };
        let Some(whole) = proposals.first().filter(|p| p.id() == lacking) else {
            return false;
        };
        if asked != from {
            return false;
        }
        self.lacking = None;
        self.on_proposal(cx, from, whole);
        true
    }
}
