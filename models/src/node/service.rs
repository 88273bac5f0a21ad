//! What a domain model runs on a full node, and what the node offers it.

use super::membership::{IdentityCertificate, Refusal};
use crate::ledger::ExecutedProof;
use consim_core::{
    Block, ChainId, CodecError, Cohort, Context, Disk, NodeId, OpId, Payload, TimerKey, TxId,
    WriteToken,
};
use std::sync::Arc;

/// A domain service of a full node: the institution's side of the domain model, next to the
/// ledger. The node hands it every event that is neither the replica's nor its own.
pub trait Service: Send {
    /// The node starts; `disk` holds what it kept if it comes back after a crash. The ledger has
    /// already been rebuilt (`host.height()`).
    fn start(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, disk: Option<&Disk>);
    /// A message of the service's own family arrived.
    fn message(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        payload: &Arc<dyn Payload>,
    );
    /// The node executed a block, live (not during replay from disk; a block that came by catch-up is live).
    fn applied(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Arc<Block>);
    /// The node took a proven state over from its peers: what led from its old height to
    /// `host.height()` was executed by others, and its blocks are not here.
    fn jumped(&mut self, _cx: &mut Context<'_>, _host: &mut dyn Host) {}
    /// A timer at or above `consensus::TIMER_LIMIT` fired.
    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, key: TimerKey);
    /// A write with a token at or above `consensus::TOKEN_LIMIT` is durable.
    fn persisted(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, token: WriteToken);
    /// The host found damaged records on the disk; what the service has in memory it can write again.
    fn scrubbed(&mut self, _cx: &mut Context<'_>, _host: &mut dyn Host, _disk: &Disk) {}
    /// May this message come from a client, because the service authenticates its sender itself
    /// (`Host::authenticate`)? The node drops every other message of a sender that is not an
    /// authenticated peer.
    fn serves(&self, _payload: &dyn Payload) -> bool {
        false
    }
    /// Reads a message of the service's own family from its bytes.
    fn decode(&self, _bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Err(CodecError::Invalid("message"))
    }
    /// The node dropped a message of `subject`, which is not an authenticated peer, or refused its
    /// certificate. Called for each, so that a service that writes it down bounds how often.
    fn refused(
        &mut self,
        _cx: &mut Context<'_>,
        _host: &mut dyn Host,
        _subject: NodeId,
        _reason: Refusal,
    ) {
    }
}

/// What the full node offers its service.
pub trait Host {
    /// This node.
    fn node(&self) -> NodeId;
    /// The chain.
    fn chain(&self) -> ChainId;
    /// The applied height.
    fn height(&self) -> u64;
    /// The wall-clock time of the head block, nanoseconds after the Unix epoch.
    fn head_time_ns(&self) -> i64;
    /// The value of `key` in the state at the applied height.
    fn get(&self, key: &[u8]) -> Option<Arc<[u8]>>;
    /// What shows somebody who believes the head block's header what the state has under `key`; `None` if the host
    /// proves nothing.
    fn prove(&self, _key: &[u8]) -> Option<ExecutedProof> {
        None
    }
    /// A block of this node's ledger; none if the node took over only the state after it.
    fn block(&self, height: u64) -> Option<Arc<Block>>;
    /// Is `id` executed already (at any height)?
    fn executed(&self, id: TxId) -> Option<u64>;
    /// Did `id` change the state when it was executed? The state says so also where the block is not
    /// here.
    fn applied(&self, id: TxId) -> Option<bool>;
    /// Is this node a member of the chain now? One that is none brings nothing to it.
    fn is_member(&self) -> bool {
        true
    }
    /// Signs `body` as the transaction (this node, `number`) of operation `op` and hands it to
    /// consensus; charges the signature. Submitting a number again after it was executed does
    /// nothing. `None`: the mempool is full.
    fn submit(
        &mut self,
        cx: &mut Context<'_>,
        op: OpId,
        number: u64,
        body: Arc<[u8]>,
    ) -> Option<TxId>;
    /// The same for a transaction that stands for many.
    fn submit_cohort(
        &mut self,
        cx: &mut Context<'_>,
        op: OpId,
        number: u64,
        (body, _cohort): (Arc<[u8]>, Cohort),
    ) -> Option<TxId> {
        self.submit(cx, op, number, body)
    }
    /// Does `certificate` show that `from` belongs to an organisation that the chain admits, as
    /// peer or client? Charges one verification per certificate, not per question. A refusal is
    /// emitted as `Probe::Unauthenticated`. A host that knows no authority refuses everybody.
    fn authenticate(
        &mut self,
        _cx: &mut Context<'_>,
        _from: NodeId,
        _certificate: &IdentityCertificate,
    ) -> Result<(), Refusal> {
        Err(Refusal::UnknownAuthority)
    }
}
