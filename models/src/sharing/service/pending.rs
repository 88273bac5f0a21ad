//! Operations that a server has begun and not ended.

use crate::sharing::command::Command;
use crate::sharing::ids::{Purpose, RecordId};
use crate::sharing::scope::{Reader, Use};
use consim_core::{NodeId, Time};
use std::sync::Arc;

/// Who waits for the end of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    /// A desk; the record that it reads, if it does.
    Desk(NodeId, Option<RecordId>),
    /// Another server, which fetches a record.
    Server(NodeId),
    /// Nobody: the server acts for itself.
    Nobody,
}

impl Asker {
    /// Is it the same asker?
    pub(super) fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Desk(a, _), Self::Desk(b, _)) | (Self::Server(a), Self::Server(b)) => a == b,
            _ => false,
        }
    }
}

/// What a server wants of a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Wanted {
    /// Which record.
    pub(super) record: RecordId,
    /// For which institution.
    pub(super) requester: NodeId,
    /// What for.
    pub(super) purpose: Purpose,
    /// Who there.
    pub(super) reader: Reader,
    /// Not before the provider has applied this height.
    pub(super) after: u64,
}

impl Wanted {
    /// The read as a consent looks at it; of which type the record is, the state says.
    pub(super) fn by(&self) -> Use {
        Use {
            requester: self.requester,
            reader: self.reader,
            purpose: self.purpose,
            of: None,
        }
    }
}

/// How far an operation has come.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// The original is being written; the command follows when it is durable.
    Storing {
        /// What goes on the chain.
        command: Command,
    },
    /// The transaction waits to be executed.
    Committing {
        /// Its body.
        body: Arc<[u8]>,
    },
    /// As provider: this server has not applied the height that the asker has seen.
    Waiting(Wanted),
    /// As entry: the provider has been asked.
    Fetching {
        /// Which record.
        record: RecordId,
        /// Whom.
        provider: NodeId,
    },
}

impl Stage {
    /// Does the operation end by itself? Otherwise it is forgotten after a while.
    pub(super) fn lasts(&self) -> bool {
        matches!(self, Self::Storing { .. } | Self::Committing { .. })
    }
}

/// An open operation.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    /// Who waits.
    pub(super) asker: Asker,
    /// Since when.
    pub(super) since: Time,
    /// How far.
    pub(super) stage: Stage,
}
