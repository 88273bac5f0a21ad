//! Changes of the members of a running chain, as its administrator asks for them. How the members come
//! to agree on one is the protocol's own business ([`super::Replica::change_members`]).

use consim_core::{
    ChainId, CodecError, Decoder, Encoder, KeyId, NodeId, OpId, SecretKey, Tx, TxId,
};

/// The most nodes that one change adds, and the most that it removes.
pub const MAX_CHANGED: usize = 1_024;

/// A change of the members. Changes of a chain are numbered from 1: the members make change n when n-1 is
/// in force, and no other, so that one that is asked for again is not made again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberChange {
    /// Its number.
    pub number: u64,
    /// Who becomes a member.
    pub add: Vec<NodeId>,
    /// Who is one no longer.
    pub remove: Vec<NodeId>,
    /// Who votes by another key from now on, and by which: what the old one signs counts no more.
    pub renew: Vec<(NodeId, KeyId)>,
}

/// What has become of a change at one replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changing {
    /// The protocol cannot change its members while it runs.
    NotSupported,
    /// Another replica has to begin it.
    Elsewhere,
    /// It cannot be begun yet: an earlier one is not in force, or the replica does not know yet that all
    /// before it is.
    Waits,
    /// It is under way.
    UnderWay,
    /// It would leave the chain without members.
    Impossible,
    /// It is in force.
    Done,
}

impl Changing {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 6] = [
        Self::NotSupported,
        Self::Elsewhere,
        Self::Waits,
        Self::UnderWay,
        Self::Impossible,
        Self::Done,
    ];
    /// The byte on the wire.
    pub const fn code(self) -> u8 {
        self as u8
    }
    /// What a byte stands for.
    pub fn of_code(code: u8) -> Result<Self, CodecError> {
        let found = Self::ALL.get(usize::from(code));
        found.copied().ok_or(CodecError::Tag(code))
    }
}

impl MemberChange {
    /// The members after it, ascending, where `members` are those before it.
    pub fn of(&self, members: &[NodeId]) -> Vec<NodeId> {
        let stay = members.iter().filter(|n| !self.remove.contains(n));
        let mut after: Vec<NodeId> = stay.chain(&self.add).copied().collect();
        after.sort_unstable();
        after.dedup();
        after
    }
    /// The change as a transaction of the chain's administrator, in whom all members trust from the genesis
    /// on: its number is that of the change. Where members are agreed on like anything else, it is ordered as
    /// it is.
    pub fn signed(&self, chain: ChainId, key: &SecretKey) -> Tx {
        let mut body = Vec::with_capacity(self.encoded_len());
        self.encode(&mut Encoder::new(&mut body));
        let id = Self::id(key.id(), self.number);
        let op = OpId(OpId::OWN | self.number);
        Tx::new(id, chain, op, body.into(), key)
    }
    /// What the transaction with the change of this number is called.
    pub fn id(administrator: KeyId, number: u64) -> TxId {
        TxId {
            origin: NodeId(administrator.0),
            number,
        }
    }
    /// The change that a transaction holds, if it is one of the administrator's; its signature is not looked
    /// at.
    pub fn of_tx(tx: &Tx, administrator: Option<KeyId>) -> Option<Self> {
        let id = tx.id();
        if administrator.is_none_or(|key| key.0 != id.origin.0) {
            return None;
        }
        let mut d = Decoder::new(tx.body());
        let change = Self::decode(&mut d).ok()?;
        (d.remaining() == 0 && change.number == id.number).then_some(change)
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let renew = match self.renew.len() {
            0 => 0,
            n => 4 + 8 * n,
        };
        8 + 4 + 4 * self.add.len() + 4 + 4 * self.remove.len() + renew
    }
    /// Appends the wire form.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.number);
        for list in [&self.add, &self.remove] {
            e.list(list.len());
            for node in list {
                e.u32(node.0);
            }
        }
        // A change without new keys ends here.
        if !self.renew.is_empty() {
            e.list(self.renew.len());
            for (node, key) in &self.renew {
                e.u32(node.0).u32(key.0);
            }
        }
    }
    /// Reads a change; malformed bytes are an error.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let list = |d: &mut Decoder<'_>| -> Result<Vec<NodeId>, CodecError> {
            let n = d.list(MAX_CHANGED, 4)?;
            (0..n).map(|_| d.u32().map(NodeId)).collect()
        };
        let (number, add, remove) = (d.u64()?, list(d)?, list(d)?);
        let mut renew = Vec::new();
        if d.remaining() > 0 {
            for _ in 0..d.list(MAX_CHANGED, 8)? {
                renew.push((NodeId(d.u32()?), KeyId(d.u32()?)));
            }
            if renew.is_empty() {
                return Err(CodecError::Invalid("a change of no keys"));
            }
        }
        Ok(Self {
            number,
            add,
            remove,
            renew,
        })
    }
}
