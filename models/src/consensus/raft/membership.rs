//! Who decides: configurations, joint ones too (section 6; thesis, section 4.3).

use super::config::Group;
use consim_core::{CodecError, Configured, Decoder, Encoder, NodeId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most members of a configuration.
pub const MAX_MEMBERS: usize = 1_024;

/// The members that decide, or both lists of them while one takes over from the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// The members; while it is joint (C_old,new), the new ones.
    pub members: Arc<[NodeId]>,
    /// While it is joint, the old ones.
    pub old: Option<Arc<[NodeId]>>,
    /// The number of the change that it belongs to; 0: the members of the genesis.
    pub change: u64,
}

/// Bits of the byte that says what follows the members.
const JOINT: u8 = 1;
const CHANGED: u8 = 2;

impl Configuration {
    /// These decide.
    pub fn of(members: Arc<[NodeId]>) -> Self {
        Self {
            members,
            old: None,
            change: 0,
        }
    }
    /// From this one to `members` by change `change`: both have to agree.
    #[must_use]
    pub fn towards(&self, members: Arc<[NodeId]>, change: u64) -> Self {
        Self {
            members,
            old: Some(Arc::clone(&self.members)),
            change,
        }
    }
    /// The one that follows a joint one: the new members alone.
    #[must_use]
    pub fn settled(&self) -> Self {
        Self {
            members: Arc::clone(&self.members),
            old: None,
            change: self.change,
        }
    }
    /// What observers are told of it.
    pub(super) fn told(&self, group: &Group) -> Configured {
        Configured {
            chain: group.chain,
            change: self.change,
            joint: self.is_joint(),
            handed_over_at: None,
            groups: self
                .lists()
                .map(|list| (Arc::clone(list), super::majority(list.len())))
                .collect(),
            renewed: Arc::default(),
        }
    }
    /// Is it one that two lists share?
    pub fn is_joint(&self) -> bool {
        self.old.is_some()
    }
    fn lists(&self) -> impl Iterator<Item = &Arc<[NodeId]>> {
        std::iter::once(&self.members).chain(&self.old)
    }
    /// Does `node` decide?
    pub fn contains(&self, node: NodeId) -> bool {
        self.lists().any(|list| list.contains(&node))
    }
    /// Everybody in it, ascending.
    pub fn everybody(&self) -> Arc<[NodeId]> {
        let all: BTreeSet<NodeId> = self.lists().flat_map(|l| l.iter().copied()).collect();
        all.into_iter().collect()
    }
    /// Do those for whom `says` holds decide: a majority of each list?
    pub(super) fn decides(&self, group: &Group, says: impl Fn(NodeId) -> bool) -> bool {
        self.lists().all(|list| {
            let count = list.iter().filter(|n| says(**n)).count();
            count >= group.majority(list.len())
        })
    }
    /// The greatest value that is reached by a majority of each list.
    pub(super) fn agreed(&self, group: &Group, value: impl Fn(NodeId) -> u64) -> u64 {
        let of = |list: &Arc<[NodeId]>| {
            let mut values: Vec<u64> = list.iter().map(|n| value(*n)).collect();
            values.sort_unstable_by(|a, b| b.cmp(a));
            let at = group.majority(list.len()).saturating_sub(1);
            values.get(at).copied().unwrap_or(0)
        };
        self.lists().map(of).min().unwrap_or(0)
    }
    pub(super) fn encoded_len(&self) -> usize {
        let old = self.old.as_ref().map_or(0, |old| 4 + 4 * old.len());
        4 + 4 * self.members.len() + 1 + old + if self.change > 0 { 8 } else { 0 }
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        let list = |e: &mut Encoder<'_>, list: &[NodeId]| {
            e.list(list.len());
            for node in list {
                e.u32(node.0);
            }
        };
        list(e, &self.members);
        let joint = if self.old.is_some() { JOINT } else { 0 };
        let changed = if self.change > 0 { CHANGED } else { 0 };
        e.u8(joint | changed);
        if let Some(old) = &self.old {
            list(e, old);
        }
        if self.change > 0 {
            e.u64(self.change);
        }
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let list = |d: &mut Decoder<'_>| -> Result<Arc<[NodeId]>, CodecError> {
            let n = d.list(MAX_MEMBERS, 4)?;
            (0..n).map(|_| d.u32().map(NodeId)).collect()
        };
        let members = list(d)?;
        let flags = d.u8()?;
        if flags > JOINT | CHANGED {
            return Err(CodecError::Tag(flags));
        }
        let old = (flags & JOINT != 0).then(|| list(d)).transpose()?;
        let change = if flags & CHANGED != 0 { d.u64()? } else { 0 };
        if flags & CHANGED != 0 && change == 0 {
            return Err(CodecError::Invalid("number of a change"));
        }
        Ok(Self {
            members,
            old,
            change,
        })
    }
}
