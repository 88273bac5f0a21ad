//! `changes`: planned events that are not faults.

use super::decode::At;
use super::lists::Targets;
use super::macros::{choice, entry, record};
use super::organisations::Plain;
use consim_core::Span;
use consim_core::values::{Instant, Name, Range, Switch};

entry! {
    /// A change.
    pub struct Change { common: ChangeCommon, kind: ChangeKind }
}

record! {
    /// What all changes have.
    pub struct ChangeCommon {
        /// When the chain's administrator asks for it; one of its kind (members, or whom they believe) that is under way is waited for.
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
        /// Certificates are taken back: from when it knows of that a node refuses the connections of those who show them. They stay members, and the chain goes on without them.
        RevokeCertificate(CertificateRevocation) = "revoke-certificate",
        /// The nodes move from the shared authority to a new one, one after the other; the old one then certifies users alone.
        RotateAuthority(AuthorityRotation) = "rotate-authority",
    }
    later "upgrade" "move" "adopt" "set";
}

impl ChangeKind {
    /// The chain that it names.
    pub(crate) fn chain(&self) -> Option<&At<Name>> {
        match self {
            Self::Join(movers) | Self::Leave(movers) | Self::ReplaceKeys(movers) => {
                movers.chain.as_ref()
            }
            Self::RevokeCertificate(keys) => keys.chain.as_ref(),
            Self::RotateAuthority(keys) => keys.chain.as_ref(),
        }
    }
    /// Does it change who decides, or by which keys?
    pub(crate) fn of_members(&self) -> bool {
        match self {
            Self::Join(_) | Self::Leave(_) | Self::ReplaceKeys(_) => true,
            Self::RevokeCertificate(_) | Self::RotateAuthority(_) => false,
        }
    }
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

record! {
    /// Options of `revoke-certificate`.
    pub struct CertificateRevocation {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// Whose certificates: those of their nodes and of their users.
        nodes: Targets,
        /// How the members come by the list of what is revoked.
        list: RevocationList = "pushed",
        /// So long after all know of it the nodes get other certificates; without it, never. Those of the users are then not revoked.
        reissue: Option<At<Span>>,
    }
    main "nodes";
}

choice! {
    /// How a revocation list gets to those who have to know it.
    pub enum RevocationList: "way of a revocation list" {
        /// The administrator sends it to all, and again to those who have not said that they have it, as the configuration of a Fabric channel spreads.
        Pushed(Plain) = "pushed",
        /// Each member asks for it every so often, not all at one time (RFC 5280, section 3.3).
        Fetched(FetchedList) = "fetched",
    }
}

record! {
    /// Options of `fetched`.
    pub struct FetchedList {
        /// From one question to the next. A day is within which the web's authorities have to publish a list after a revocation (CA/Browser Forum, Baseline Requirements, section 4.9.7); that members ask as often is assumed.
        every: At<Span> = "24h",
    }
    main "every";
}

record! {
    /// Options of `rotate-authority`.
    pub struct AuthorityRotation {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// Who gets a certificate of the new authority, in their order: all members but those with an authority of their own.
        nodes: Targets,
        /// From one node to the next.
        gap: At<Span> = "5s",
        /// Do all believe both authorities until the last node has moved? `false`: each node believes the new one alone from when it moves, and the others the old one.
        overlap: At<Switch> = "true",
    }
    main "nodes";
}
