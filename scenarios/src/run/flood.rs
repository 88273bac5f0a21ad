//! What machines flood a chain with.

use consim_core::{ChainId, NodeId, OpId, Payload, SecretKey, Tx, TxId, mix};
use consim_models::node::membership::IdentityCertificate;
use consim_models::node::message::Message;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A flooder shows its certificate with the first message and again after so many: the node may have
/// been restarted (assumed).
const GREETS_EVERY: u64 = 100;
/// Its transactions are numbered from here, so that they are nobody else's.
const NUMBERED_FROM: u64 = 1 << 40;

/// Somebody who floods.
pub(super) struct Flooder<'a> {
    pub(super) chain: ChainId,
    pub(super) key: &'a SecretKey,
    pub(super) certificate: IdentityCertificate,
}

/// How far they are.
#[derive(Debug, Default)]
pub(super) struct Flooders {
    /// Messages from one to another.
    sent: BTreeMap<(NodeId, NodeId), u64>,
}

impl Flooders {
    /// A request of a client for a command of `bytes` bytes that makes no sense: it is ordered, and
    /// refused when it is executed.
    pub(super) fn transaction(
        &mut self,
        flooder: &Flooder<'_>,
        (from, to): (NodeId, NodeId),
        number: u64,
        bytes: u32,
    ) -> Arc<dyn Payload> {
        let sent = self.sent.entry((from, to)).or_default();
        *sent += 1;
        if *sent % GREETS_EVERY == 1 {
            return Arc::new(Message::Hello(flooder.certificate));
        }
        let words = (0..u64::from(bytes).div_ceil(8)).map(|i| mix(number, i).to_le_bytes());
        let mut body: Vec<u8> = words.flatten().collect();
        body.truncate(bytes as usize);
        // No command begins with this byte.
        if let Some(first) = body.first_mut() {
            *first = u8::MAX;
        }
        let id = TxId {
            origin: from,
            number: NUMBERED_FROM + number,
        };
        let op = OpId(u64::from(from.0) << 32 | u64::from(u32::MAX));
        Arc::new(Message::Request(Arc::new(Tx::new(
            id,
            flooder.chain,
            op,
            body.into(),
            flooder.key,
        ))))
    }
}
