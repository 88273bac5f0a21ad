//! A change of the members as it travels: signed by the chain's administrator, in whom all members trust from
//! the genesis on.

use super::full_node::NodeHost;
use super::marks;
use super::membership::Refusal;
use super::message::Message;
use crate::consensus::{Changing, MemberChange};
use consim_core::{
    ChainId, CodecError, Context, Decoder, Digest, Encoder, KeyId, Keyring, NodeId, Probe,
    SecretKey, Signature, Work,
};
use std::sync::Arc;

/// A signed change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedChange {
    /// The chain.
    pub chain: ChainId,
    /// The change.
    pub change: MemberChange,
    /// The administrator's.
    pub signature: Signature,
}

fn statement(chain: ChainId, change: &MemberChange) -> Digest {
    let mut out = Vec::with_capacity(32 + change.encoded_len());
    let mut e = Encoder::new(&mut out);
    e.raw(b"consim change 1").u16(chain.0);
    change.encode(&mut e);
    Digest::of(&out)
}

impl SignedChange {
    /// Signs `change`.
    pub fn new(chain: ChainId, change: MemberChange, key: &SecretKey) -> Self {
        let signature = key.sign(&statement(chain, &change));
        Self {
            chain,
            change,
            signature,
        }
    }
    /// Did `administrator` sign it?
    pub fn signed(&self, administrator: KeyId, keys: &Keyring) -> bool {
        self.signature.key == administrator
            && keys.verify(&statement(self.chain, &self.change), &self.signature)
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        2 + self.change.encoded_len() + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u16(self.chain.0);
        self.change.encode(e);
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            chain: ChainId(d.u16()?),
            change: MemberChange::decode(d)?,
            signature: Signature::decode(d)?,
        })
    }
}

/// A change that is under way here, and who wants to know.
#[derive(Debug)]
pub(super) struct Asked {
    administrator: NodeId,
    change: MemberChange,
}

impl NodeHost {
    /// Upon CHANGE: hands it to consensus if the chain's administrator signed it; one that has to begin
    /// elsewhere goes to whoever leads, unless it has come from a member already.
    pub(super) fn change_asked(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        signed: &Arc<SignedChange>,
    ) -> Result<(), Refusal> {
        if signed.chain != self.config.chain {
            return Ok(());
        }
        cx.work(Work::verify(1));
        let administrator = self.config.genesis.roots.administrator();
        let Some(key) = administrator.filter(|&key| signed.signed(key, &self.config.keys)) else {
            cx.reached(&marks::CHANGE_REFUSED);
            return Err(Refusal::NotAdministrator);
        };
        let state = self.replica.change_members(cx, &signed.change);
        if state == Changing::Elsewhere
            && !self.config.members.contains(&from)
            && let Some((_, leader)) = self.replica.known_leader()
            && leader != self.config.node
        {
            cx.send(leader, Arc::new(Message::Change(Arc::clone(signed))));
            return Ok(());
        }
        let asked = Asked {
            administrator: NodeId(key.0),
            change: signed.change.clone(),
        };
        Self::answer_change(cx, &asked, state);
        if state == Changing::UnderWay {
            self.change = Some(asked);
        }
        Ok(())
    }

    /// A change that was under way may be in force by now.
    pub(super) fn settle_change(&mut self, cx: &mut Context<'_>) {
        let Some(asked) = &self.change else {
            return;
        };
        let state = self.replica.change_members(cx, &asked.change);
        if state != Changing::UnderWay {
            Self::answer_change(cx, asked, state);
            self.change = None;
        }
    }

    fn answer_change(cx: &mut Context<'_>, asked: &Asked, state: Changing) {
        let number = asked.change.number;
        cx.send(
            asked.administrator,
            Arc::new(Message::Changing { number, state }),
        );
    }
}

/// The administrator asked, or knows that it is done.
pub(super) fn tell(cx: &mut Context<'_>, chain: ChainId, number: u64, done: bool) {
    cx.emit(Probe::Change {
        chain,
        number,
        done,
    });
}
