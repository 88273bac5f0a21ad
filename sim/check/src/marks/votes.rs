//! Votes of members that misbehaved, held against each other; and votes that come late.

use consim_core::{Digest, NodeId, Payload, Vote};
use std::collections::BTreeMap;

/// A vote so far below what is committed is late.
const LATE: u64 = 8;
/// Votes that are remembered; beyond it no further ones are.
const MOST: usize = 100_000;

/// Where a member may vote once: kind, view, sequence number.
type Place = (NodeId, u8, u64, u64);

/// What a message that was sent holds.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Sent {
    pub(super) late: bool,
    /// A second, different vote for one place.
    pub(super) second: bool,
}

/// What a message that was heard holds.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Heard {
    /// The same member has heard another vote for that place.
    pub(super) by_one: bool,
    /// Another member has.
    pub(super) by_two: bool,
}

#[derive(Debug, Default)]
pub(super) struct Votes {
    sent: BTreeMap<Place, Digest>,
    /// What was heard first, and by whom.
    heard: BTreeMap<(NodeId, Place), Digest>,
    first: BTreeMap<Place, Digest>,
}

fn place(from: NodeId, vote: &Vote) -> Option<Place> {
    let own = vote.key == from.into();
    own.then_some((from, vote.kind, vote.view, vote.sequence))
}

/// What is remembered there; the first that comes is.
fn first<K: Ord>(map: &mut BTreeMap<K, Digest>, key: K, digest: Digest) -> Digest {
    if map.len() >= MOST {
        return map.get(&key).copied().unwrap_or(digest);
    }
    *map.entry(key).or_insert(digest)
}

impl Votes {
    pub(super) fn sent(
        &mut self,
        from: NodeId,
        payload: &dyn Payload,
        traitor: bool,
        committed: u64,
    ) -> Sent {
        let mut found = Sent::default();
        payload.votes(&mut |_, vote| {
            found.late |= vote.sequence > 0 && vote.sequence.saturating_add(LATE) <= committed;
            if traitor && let Some(place) = place(from, &vote) {
                found.second |= first(&mut self.sent, place, vote.digest) != vote.digest;
            }
        });
        found
    }

    pub(super) fn heard(&mut self, by: NodeId, from: NodeId, payload: &dyn Payload) -> Heard {
        let mut found = Heard::default();
        payload.votes(&mut |_, vote| {
            let Some(place) = place(from, &vote) else {
                return;
            };
            let own = first(&mut self.heard, (by, place), vote.digest);
            let anybodys = first(&mut self.first, place, vote.digest);
            found.by_one |= own != vote.digest;
            found.by_two |= own == vote.digest && anybodys != vote.digest;
        });
        found
    }
}
