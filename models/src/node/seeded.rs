//! Seeded bugs of the full node and of its clients (docs/seeded-bugs.md). The codes are those of the list of mutants.

use consim_core::machine::ApplyAt;
pub(crate) use consim_core::seeded::on;
use consim_core::{NodeId, Receipt, SeededBug, State, StateMachine, Tx};
use std::sync::Arc;

/// All of them.
pub const BUGS: &[&SeededBug] = &[
    &ITERATION_ORDER,
    &READ_FROM_CHOSEN_QUORUM,
    &BELIEVES_FIRST_ANSWER,
    &REVOKED_BUT_KNOWN,
];

/// X11.
pub(crate) const ITERATION_ORDER: SeededBug = SeededBug {
    name: "iteration-order",
    code: "X11",
    says: "What a transaction leaves in the state depends on the order of a hash map, which each process has for itself.",
    source: "The class that deterministic simulation looks for; DESIGN of FoundationDB",
    killers: &[
        "prefix-order",
        "equal-state-roots",
        "hash-chain",
        "equal-storage",
        "convergence",
    ],
};

/// M06.
pub(crate) const READ_FROM_CHOSEN_QUORUM: SeededBug = SeededBug {
    name: "read-from-chosen-quorum",
    code: "M06",
    says: "A read is asked of one chosen quorum, again and again, and of nobody else.",
    source: "C. Berger et al., \"Making Reads in BFT State Machine Replication Fast, Linearizable, and Live\" (SRDS 2021)",
    killers: &["client-progress"],
};

/// Monotonic reads.
pub(crate) const BELIEVES_FIRST_ANSWER: SeededBug = SeededBug {
    name: "believes-first-answer",
    code: "",
    says: "A client believes the first value that it is shown.",
    source: "Our own; M. Castro and B. Liskov (OSDI 1999), section 5.1 asks for a quorum",
    killers: &["monotonic-reads", "linearizable-reads"],
};

/// Revocation.
pub(crate) const REVOKED_BUT_KNOWN: SeededBug = SeededBug {
    name: "revoked-but-known",
    code: "",
    says: "A certificate is looked for among the revoked ones when it is shown for the first time, and never again.",
    source: "Our own; RFC 5280, section 6.3: revocation is a part of each validation",
    killers: &["revoked-refused"],
};

/// The machine of a process that iterates over a hash map: what it writes down last hangs on the
/// process. The node stands for the seed of its map, so that the run is the same each time.
pub(super) fn hash_ordered(machine: Arc<dyn StateMachine>, node: NodeId) -> Arc<dyn StateMachine> {
    Arc::new(HashOrdered { machine, node })
}

struct HashOrdered {
    machine: Arc<dyn StateMachine>,
    node: NodeId,
}

/// The key under which it keeps what it saw last.
const LATEST: &[u8] = b"\xfflatest";

impl StateMachine for HashOrdered {
    fn name(&self) -> &'static str {
        self.machine.name()
    }
    fn genesis(&self, state: &mut dyn State) {
        self.machine.genesis(state);
    }
    fn apply(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Receipt {
        let receipt = self.machine.apply(state, tx, at);
        // Two entries, in either order.
        let mut touched = [
            tx.id().number.to_be_bytes(),
            tx.op().0.swap_bytes().to_be_bytes(),
        ];
        if !self.node.index().is_multiple_of(2) {
            touched.reverse();
        }
        if let Some(last) = touched.last() {
            state.put(LATEST, last);
        }
        receipt
    }
}
