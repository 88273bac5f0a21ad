//! Whom and what the checks judge.

use crate::keys::Keys;
use consim_core::{ChainId, NodeId, Span};

/// A chain under judgement.
#[derive(Clone, Debug)]
pub struct ChainSubject {
    /// Its number.
    pub id: ChainId,
    /// Its name.
    pub name: String,
    /// Its validators, ascending, also those that become some while it runs.
    pub members: Vec<NodeId>,
    /// Those of the beginning, where they change; `None`: they are the same all the time.
    pub first: Option<Vec<NodeId>>,
    /// Votes that a certificate needs, by the protocol's definition (not by what a fault set); of the members
    /// of the beginning.
    pub quorum: usize,
    /// The same for any number of members.
    pub quorum_of: fn(usize) -> usize,
    /// Does its protocol bear members that lie? Then commits carry signatures of a quorum.
    pub byzantine: bool,
    /// The most transactions that may wait at a member.
    pub mempool: u32,
    /// What the times of its blocks promise; `None`: nothing, or the plan sets more clocks wrong than the rule bears.
    pub time: Option<TimePromise>,
}

/// What the times of blocks promise of true time, as long as no more than f clocks are wrong.
#[derive(Clone, Copy, Debug)]
pub struct TimePromise {
    /// The time at which the run starts, nanoseconds after the Unix epoch.
    pub start_ns: i64,
    /// How far the clock of a correct member may be off.
    pub off: Span,
    /// How far a correct clock may see the time of a block ahead.
    pub ahead: Span,
    /// How old the time of a block that is put forward in this round may be.
    pub behind: fn(&TimePromise, u64) -> Span,
    /// What `behind` goes by.
    pub delay: Span,
    /// Of how many blocks before it may the time be? Those of a median were signed for the block before.
    pub before: u64,
}

/// What the checks of a run are told.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what the plan holds, each for checks of its own"
)]
pub struct Subjects {
    /// The chains.
    pub chains: Vec<ChainSubject>,
    /// Everybody's public keys.
    pub keys: Keys,
    /// Names of the nodes, by node number.
    pub names: Vec<String>,
    /// Nodes under an adversary's control; all others are correct, also those that crash.
    pub corrupt: Vec<NodeId>,
    /// Clients that depend on a server under an adversary's control: nobody else owes them an answer.
    pub at_mercy: Vec<NodeId>,
    /// The server that each client asks, where members change: one that is no member owes nothing.
    pub entries: Vec<(NodeId, NodeId)>,
    /// Light clients, ascending.
    pub light: Vec<NodeId>,
    /// Do correct nodes keep a record of what they hear? They do where somebody may be guilty.
    pub recorded: bool,
    /// Does the plan restart a node?
    pub restarts: bool,
    /// Does the plan take writes, or what is written, from disks?
    pub disks: bool,
    /// Does it damage records on disks?
    pub damages: bool,
    /// Does the plan take certificates back?
    pub revokes: bool,
    /// How long liveness may take after the last disturbance (`heal.bound`).
    pub bound: Span,
}

impl Subjects {
    /// Is `node` correct?
    pub fn correct(&self, node: NodeId) -> bool {
        !self.corrupt.contains(&node)
    }
    /// The chain with number `id`.
    pub fn chain(&self, id: ChainId) -> Option<&ChainSubject> {
        self.chains.iter().find(|chain| chain.id == id)
    }
    /// The node's name.
    pub fn name(&self, node: NodeId) -> String {
        self.names
            .get(node.index())
            .map_or_else(|| node.to_string(), Clone::clone)
    }
    /// The chain's name.
    pub fn chain_name(&self, id: ChainId) -> String {
        self.chain(id)
            .map_or_else(|| format!("chain {}", id.0), |chain| chain.name.clone())
    }
}
