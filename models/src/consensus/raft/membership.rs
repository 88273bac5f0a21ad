//! Who decides: configurations, joint ones too (section 6; thesis, section 4.3).

use super::config::Group;
use consim_core::{CodecError, Decoder, Encoder, NodeId};
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
}

impl Configuration {
    /// These decide.
    pub fn of(members: Arc<[NodeId]>) -> Self {
        Self { members, old: None }
    }
    /// From this one to `members`: both have to agree.
    #[must_use]
    pub fn towards(&self, members: Arc<[NodeId]>) -> Self {
        Self {
            members,
            old: Some(Arc::clone(&self.members)),
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
        4 + 4 * self.members.len() + 1 + old
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        let list = |e: &mut Encoder<'_>, list: &[NodeId]| {
            e.list(list.len());
            for node in list {
                e.u32(node.0);
            }
        };
        list(e, &self.members);
        e.u8(u8::from(self.old.is_some()));
        if let Some(old) = &self.old {
            list(e, old);
        }
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let list = |d: &mut Decoder<'_>| -> Result<Arc<[NodeId]>, CodecError> {
            let n = d.list(MAX_MEMBERS, 4)?;
            (0..n).map(|_| d.u32().map(NodeId)).collect()
        };
        let members = list(d)?;
        let old = d.boolean()?.then(|| list(d)).transpose()?;
        Ok(Self { members, old })
    }
}
