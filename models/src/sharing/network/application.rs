//! The contract's side of queries between networks.

use super::{Crossing, Verdict, answer_key, answered_key, query_key};
use crate::relay::{Application, Packet};
use crate::sharing::ids::Reason;
use crate::sharing::scope::Use;
use crate::sharing::state::{Lookup, consented_to_all};
use consim_core::machine::ApplyAt;
use consim_core::{Decoder, Encoder, NodeId, State};

/// The rules of queries and answers on one chain.
#[derive(Clone, Copy, Debug)]
pub struct SharingNetwork;

impl SharingNetwork {
    fn may_send(
        state: &mut dyn State,
        origin: NodeId,
        packet: &Packet,
        at: ApplyAt,
    ) -> Result<(), Reason> {
        let crossing = Crossing::decode(&packet.body).map_err(|_| Reason::Malformed)?;
        match crossing {
            Crossing::Query(query) => {
                if query.requester != origin || query.record.network() != packet.to {
                    return Err(Reason::NotAllowed);
                }
                // What is said of the patient's word is what this chain knows of it.
                let wanted = Use {
                    requester: origin,
                    reader: query.reader,
                    purpose: query.purpose,
                    of: None,
                };
                let ruled = consented_to_all(&*state, &query.pseudonym, &wanted, at.time_ns);
                match ruled {
                    Err(why) if query.granted => Err(why),
                    _ => Ok(()),
                }
            }
            Crossing::Answer {
                op,
                record,
                requester,
                verdict,
            } => {
                let asked = state.get(&query_key(requester, op));
                let asked = asked.ok_or(Reason::NoOpenRequest)?;
                let query = Crossing::decode(&asked).map_err(|_| Reason::Malformed)?;
                let of_this = matches!(query, Crossing::Query(query) if query.record == record);
                let entry = state.record(record);
                let digest = match verdict {
                    Verdict::Inside { digest, .. } | Verdict::Apart { digest } => Some(digest),
                    Verdict::Refused(_) => None,
                };
                let as_registered = entry
                    .is_some_and(|e| e.provider == origin && digest.is_none_or(|d| d == e.digest));
                if !of_this || !as_registered {
                    return Err(Reason::NotAllowed);
                }
                let key = answered_key(requester, op);
                if state.get(&key).is_some() {
                    return Err(Reason::RequestedTwice);
                }
                // Who may collect the record is known here; the record itself is on its way.
                state.put(&key, &[u8::from(matches!(verdict, Verdict::Apart { .. }))]);
                Ok(())
            }
        }
    }
}

impl Application for SharingNetwork {
    fn sends(
        &self,
        state: &mut dyn State,
        origin: NodeId,
        packet: &Packet,
        at: ApplyAt,
    ) -> Result<(), &'static str> {
        Self::may_send(state, origin, packet, at).map_err(Reason::word)
    }
    fn received(&self, state: &mut dyn State, packet: &Packet, _at: ApplyAt) {
        match Crossing::decode(&packet.body) {
            Ok(Crossing::Query(query)) => {
                state.put(&query_key(query.requester, query.op), &packet.body);
            }
            Ok(Crossing::Answer {
                op,
                requester,
                verdict,
                ..
            }) => {
                let mut value = Vec::new();
                let mut e = Encoder::new(&mut value);
                e.u32(packet.id.tx.origin.0);
                verdict.encode(&mut e);
                state.put(&answer_key(requester, op), &value);
            }
            Err(_) => {}
        }
    }
}

/// Who answered, and what.
pub(in crate::sharing) fn answer(value: &[u8]) -> Option<(NodeId, Verdict)> {
    let mut d = Decoder::new(value);
    let provider = NodeId(d.u32().ok()?);
    Some((provider, Verdict::decode(&mut d).ok()?))
}
