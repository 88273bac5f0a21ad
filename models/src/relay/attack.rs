//! A relay that lies, `lying-relay`. What it shows is refused where it is verified; as long as another relay is honest
//! it does no more harm than to be slow.

use super::message::{Answer, Message};
use super::packet::{Command, Packet, out_key};
use crate::adversary::{Behaviour, Hears, Out, Says, To};
use crate::ledger::ExecutedProof;
use crate::node::message::Message as NodeMessage;
use consim_core::{ChainId, NodeId, OpId, Payload, SecretKey, Tx, TxId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a lying relay does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RelayLie {
    /// It brings packets that were not sent.
    Forge,
    /// It brings each packet twice.
    Replay,
    /// It says of packets that are not received yet that they are late.
    Hasten,
    /// It brings nothing.
    Withhold,
}

impl RelayLie {
    /// What it is counted in.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Forge => "packets forged",
            Self::Replay => "packets brought again",
            Self::Hasten => "packets called late",
            Self::Withhold => "packets withheld",
        }
    }
}

/// The numbers of its further transactions: above those of an honest relay.
const AGAIN: u64 = 1 << 48;
/// And what makes them other operations.
const AGAIN_OP: u64 = 1 << 31;

/// The behaviour of a lying relay.
pub struct LyingRelay {
    lie: RelayLie,
    /// What it signs with on each chain.
    keys: BTreeMap<ChainId, Arc<SecretKey>>,
}

impl LyingRelay {
    /// One that has these keys.
    pub fn new(lie: RelayLie, keys: BTreeMap<ChainId, Arc<SecretKey>>) -> Self {
        Self { lie, keys }
    }

    /// What it makes of a packet that it is shown.
    fn changed(&self, value: &[u8]) -> Option<Vec<u8>> {
        let mut packet = Packet::decode(value).ok()?;
        match self.lie {
            RelayLie::Forge => {
                let mut body = packet.body.to_vec();
                // The first byte says what the packet is; the last is part of what it says.
                *body.last_mut()? ^= 1;
                packet.body = body.into();
            }
            RelayLie::Hasten => packet.deadline_ns = 0,
            RelayLie::Replay | RelayLie::Withhold => return None,
        }
        Some(packet.encode())
    }
}

impl Behaviour for LyingRelay {
    fn hears(&mut self, out: &mut Out<'_, '_>, _from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        let Some(Message::Listed(answer)) = payload.as_any().downcast_ref() else {
            return Hears::AsItIs;
        };
        let mut changed = 0;
        let numbers = answer.numbers.iter().map(|(number, proof)| {
            let other = proof.claims().and_then(|value| self.changed(value));
            let Some(other) = other else {
                return (*number, proof.clone());
            };
            changed += 1;
            // Where it would stand does not matter: no root has it.
            let key = out_key(answer.header.chain, *number);
            (*number, ExecutedProof::made_up(&key, &other))
        });
        let numbers = numbers.collect();
        if changed == 0 {
            return Hears::AsItIs;
        }
        out.count(changed);
        Hears::Instead(Arc::new(Message::Listed(Answer {
            number: answer.number,
            header: answer.header.clone(),
            numbers,
        })))
    }

    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let Some(NodeMessage::Request(tx)) = payload.as_any().downcast_ref() else {
            return Says::AsItIs;
        };
        match (self.lie, self.keys.get(&tx.chain())) {
            (RelayLie::Withhold, _) => {
                out.count(1);
                Says::Nothing
            }
            (RelayLie::Replay, Some(key))
                if matches!(Command::decode(tx.body()), Ok(Command::Deliver { .. })) =>
            {
                let id = TxId {
                    number: tx.id().number + AGAIN,
                    ..tx.id()
                };
                let body = Arc::clone(tx.body());
                let op = OpId(tx.op().0 ^ AGAIN_OP);
                let again = Tx::new(id, tx.chain(), op, body, key);
                out.count(1);
                out.send_to(to, Arc::clone(payload));
                out.send_to(to, Arc::new(NodeMessage::Request(Arc::new(again))));
                Says::Nothing
            }
            _ => Says::AsItIs,
        }
    }
}
