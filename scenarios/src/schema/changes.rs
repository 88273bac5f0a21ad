//! `changes`: planned events that are not faults.

use super::decode::At;
use super::lists::Targets;
use super::macros::{choice, entry, record};
use consim_core::values::{Instant, Name, Range, Switch};

entry! {
    /// A change.
    pub struct Change { common: ChangeCommon, kind: ChangeKind }
}

record! {
    /// What all changes have.
    pub struct ChangeCommon {
        /// When the chain's administrator asks for it; one that is under way is waited for.
        at: At<Range<Instant>>,
        /// Is it asked for only when the one before it is in force? `false`: two people ask at a time, and the members have to see to it (O4).
        waits: At<Switch> = "true",
    }
}

choice! {
    /// The kind of a change.
    pub enum ChangeKind: "change" {
        /// Nodes become members of a running chain. They are among its `members`, and begin outside: with an empty ledger, without a vote, and their users are refused.
        Join(Movers) = "join",
        /// Members leave a running chain. Their nodes keep what they have, vote no more, and refuse their users.
        Leave(Movers) = "leave",
        /// Nodes, members or not, get another key to vote by: what the old one signs counts no more. With `tendermint`, `qbft`, `ibft` and `bft-smart`.
        ReplaceKeys(Movers) = "replace-keys",
    }
    later "revoke-certificate" "upgrade" "move" "adopt" "set";
}

record! {
    /// Who joins or leaves, or gets another key.
    pub struct Movers {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// The nodes.
        nodes: Targets,
    }
    main "nodes";
}

impl ChangeKind {
    /// Whom it is about.
    pub(crate) fn movers(&self) -> &Movers {
        match self {
            Self::Join(movers) | Self::Leave(movers) | Self::ReplaceKeys(movers) => movers,
        }
    }
}
