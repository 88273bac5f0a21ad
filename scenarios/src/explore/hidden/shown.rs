//! A member is shown what was never decided, by somebody whom it cannot but hear.

use super::{CALM_MS, Faults, Hidden, LENGTH_MS, filter};
use crate::explore::world::World;
use consim_models::consensus::ProtocolEntry;

/// What it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shown {
    /// Blocks that are signed by keys which have been replaced.
    OldKeys,
    /// A change of the members that nobody asked for.
    FalseMembers,
    /// Parts of blocks under the indices of others, before the true ones come.
    SwappedParts,
    /// To a light client: members that there never were.
    FalseHeaders,
    /// To a light client that comes late: a history that members signed who have left since.
    OldHistory,
}

/// Members of whom one may be away while another joins.
const FIVE: u8 = 5;
/// Bytes of a part, so that blocks have several.
const PART: &str = "part: 200B";

impl Shown {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::OldKeys,
        Self::FalseMembers,
        Self::SwappedParts,
        Self::FalseHeaders,
        Self::OldHistory,
    ];

    /// Can it happen to a chain of this protocol?
    pub(super) fn suits(self, protocol: &ProtocolEntry) -> bool {
        match self {
            Self::OldKeys => protocol.replaces_keys,
            Self::FalseMembers => protocol.byzantine && protocol.changes_members,
            Self::SwappedParts => protocol.name == "tendermint",
            Self::FalseHeaders | Self::OldHistory => {
                protocol.byzantine && protocol.changes_members && World::is_followed(protocol)
            }
        }
    }
}

impl Hidden {
    /// The scenario in which that is shown.
    pub(super) fn shown(&self, shown: Shown, seed: u64, protocol: &ProtocolEntry) -> String {
        match shown {
            Shown::OldKeys => self.old_keys(seed, protocol),
            Shown::FalseMembers => self.false_members(seed, protocol),
            Shown::SwappedParts => self.swapped_parts(seed, protocol),
            Shown::FalseHeaders => self.false_headers(seed, protocol),
            Shown::OldHistory => self.old_history(seed, protocol),
        }
    }

    /// A world that, by its knobs, has no changes of its own, and in which votes go to all directly.
    pub(super) fn plain(&self, members: u8) -> World {
        World {
            members,
            timeout: 1,
            checkpoint: 3,
            ..self.world
        }
    }

    /// A thief among them has the old keys of as many as make a quorum with it; the one that was away gets blocks from
    /// nobody else.
    fn old_keys(&self, seed: u64, protocol: &ProtocolEntry) -> String {
        let world = self.plain(self.world.members);
        let ground = world.ground(protocol.name);
        let n = usize::from(world.members);
        let [away, thief, ..] = self.roles;
        let robbed = (0..n).filter(|place| ![away, thief].contains(place));
        let robbed: Vec<usize> = robbed.take((protocol.quorum)(n) - 1).collect();
        let (robbed, away) = (ground.names(robbed), ground.names(vec![away]));
        let thief = ground.names(vec![thief]);
        let others = self.but(&ground, &[self.roles[0], self.roles[1]]);
        let (at, length) = (self.at + 4_000, 3_000 + self.unseen);
        let mut faults = Faults::default();
        faults.add("away", at, length, &format!("crash: {away}"));
        let alone = filter(&others, &away, "blocks");
        faults.add("alone", at + length, 4_000 + self.unseen, &alone);
        format!(
            "{}changes: {{ new-keys: {{ at: {}ms, replace-keys: {robbed} }} }}
seed: {seed}
adversaries: {{ thief: {{ nodes: {thief}, keys: {robbed} }} }}
attacks:
  forged: {{ at: {at}ms, for: {}ms, double-signatures: ledger }}
faults:
{}",
            world.head(protocol, LENGTH_MS),
            self.at,
            CALM_MS - at,
            faults.0
        )
    }

    /// Somebody was away, and asks how far the others are while nobody has joined yet.
    fn false_members(&self, seed: u64, protocol: &ProtocolEntry) -> String {
        let world = self.plain(self.world.members.max(FIVE));
        let ground = world.ground(protocol.name);
        let n = usize::from(world.members);
        // The last one joins later.
        let away = self.roles[0] % (n - 1);
        let liar = (away + 1 + self.roles[1] % (n - 2)) % (n - 1);
        let (last, away, liar) = (n - 1, ground.names(vec![away]), ground.names(vec![liar]));
        let (at, length) = (self.at, 2_000 + self.unseen);
        let mut faults = Faults::default();
        faults.add("away", at, length, &format!("crash: {away}"));
        let joins = at + length + 6_000;
        format!(
            "{}changes: {{ newcomer: {{ at: {joins}ms, join: {} }} }}
seed: {seed}
adversaries: {{ liar: {{ nodes: {liar} }} }}
attacks:
  only-me: {{ at: {}ms, for: {}ms, lying-sync: {{ field: members }} }}
faults:
{}",
            world.head(protocol, LENGTH_MS),
            ground.names(vec![last]),
            at + 500,
            length + 5_000,
            faults.0
        )
    }

    /// Who lies is near to all, and the others are far from each other.
    fn swapped_parts(&self, seed: u64, protocol: &ProtocolEntry) -> String {
        let world = World {
            timeout: 1,
            checkpoint: 0,
            pipeline: 0,
            rate: 2,
            ..self.world
        };
        let ground = world.ground(protocol.name);
        let liar = self.roles[0];
        let others = self.but(&ground, &[liar]);
        let liar = ground.names(vec![liar]);
        let far = 50 + self.unseen / 30;
        let near = "network: { regions: one-place";
        let rule = format!("{near}, rules: [{{ between: [{others}, {others}], delay: {far}ms }}]");
        let head = world.head(protocol, LENGTH_MS);
        let head = head.replace(near, &rule).replace("part: 500B", PART);
        format!(
            "{head}seed: {seed}
adversaries: {{ swapper: {{ nodes: {liar} }} }}
attacks:
  swapped: {{ at: {}ms, for: rest, swap-parts: ledger }}
",
            self.at
        )
    }
}
