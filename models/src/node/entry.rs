//! Where the operations of a client enter the chain: at its own server, at the leader, at one member after
//! the other, or at all of them.

use consim_core::{NodeId, WorkloadId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// At which members the operations of a workload enter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// Where the client asks anyway: its own server or the nearest; of clients that ask the members
    /// themselves, the one that leads.
    Nearest,
    /// The member that leads, as far as the client knows.
    Leader,
    /// All of them.
    All,
    /// One after the other.
    RoundRobin(Arc<[NodeId]>),
}

/// Who an operation is sent to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// Where the client asks anyway.
    Usual,
    /// One member.
    One(NodeId),
    /// All members.
    All,
}

/// The entries of the workloads of a client.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// Of workloads that enter anywhere else than usual.
    of: BTreeMap<WorkloadId, Entry>,
    turn: u64,
    /// The highest view of which a member told, and who leads it.
    leader: Option<(u64, NodeId)>,
}

impl Entries {
    /// Those of the workloads in `of`; all others enter where they usually do.
    pub fn new(of: BTreeMap<WorkloadId, Entry>) -> Self {
        Self {
            of,
            turn: 0,
            leader: None,
        }
    }
    /// Does the client have to know who leads?
    pub fn seek_leader(&self) -> bool {
        self.of.values().any(|entry| *entry == Entry::Leader)
    }
    /// Does it know?
    pub fn knows_leader(&self) -> bool {
        self.leader.is_some()
    }
    /// A member said who leads its view.
    pub fn told(&mut self, view: u64, leader: NodeId) {
        if self.leader.is_none_or(|(known, _)| known <= view) {
            self.leader = Some((view, leader));
        }
    }
    /// Where the next operation of a workload goes.
    pub fn next(&mut self, workload: WorkloadId) -> To {
        match self.of.get(&workload) {
            None | Some(Entry::Nearest) => To::Usual,
            Some(Entry::Leader) => self.leader.map_or(To::Usual, |(_, leader)| To::One(leader)),
            Some(Entry::All) => To::All,
            Some(Entry::RoundRobin(members)) => {
                let place = self.turn % (members.len() as u64).max(1);
                self.turn += 1;
                members
                    .get(place as usize)
                    .map_or(To::Usual, |&m| To::One(m))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_go_where_their_workload_says() {
        let members: Arc<[NodeId]> = [NodeId(4), NodeId(5)].into();
        let of = [
            (WorkloadId(1), Entry::Leader),
            (WorkloadId(2), Entry::All),
            (WorkloadId(3), Entry::RoundRobin(members)),
        ];
        let mut entries = Entries::new(of.into_iter().collect());
        assert_eq!(entries.next(WorkloadId(0)), To::Usual);
        assert_eq!(entries.next(WorkloadId(1)), To::Usual);
        assert!(entries.seek_leader() && !entries.knows_leader());
        entries.told(3, NodeId(5));
        entries.told(2, NodeId(4));
        assert_eq!(entries.next(WorkloadId(1)), To::One(NodeId(5)));
        assert_eq!(entries.next(WorkloadId(2)), To::All);
        let turns: Vec<To> = (0..3).map(|_| entries.next(WorkloadId(3))).collect();
        assert_eq!(turns, [4, 5, 4].map(|n| To::One(NodeId(n))));
    }
}
