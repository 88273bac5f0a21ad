//! What a leader knows of the other members, and of its own standing.

use super::read::Asked;
use consim_core::{NodeId, Span, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// How far one member is (figure 2: `nextIndex` and `matchIndex`).
#[derive(Debug)]
pub(super) struct Progress {
    /// The next entry to send.
    pub(super) next: u64,
    /// It holds the leader's log up to here, on disk.
    pub(super) matched: u64,
    /// Where the logs part is being looked for: one message at a time.
    pub(super) probing: bool,
    /// The message is under way.
    pub(super) probed: bool,
    /// It takes this snapshot over.
    pub(super) snapshot: Option<u64>,
    /// When it said anything in this term.
    pub(super) heard: Time,
    /// When it came closer, or something was sent again.
    pub(super) moved: Time,
    /// What is not answered for so long is sent again.
    pub(super) resend: Span,
    /// The last round of heartbeats that it answered.
    pub(super) round: u64,
}

impl Progress {
    pub(super) fn new(next: u64, now: Time, resend: Span) -> Self {
        Self {
            next,
            matched: 0,
            probing: true,
            probed: false,
            snapshot: None,
            heard: now,
            moved: now,
            resend,
            round: 0,
        }
    }
}

/// The state of a leader.
#[derive(Debug)]
pub(super) struct Leading {
    /// All others that it sends to.
    pub(super) others: BTreeMap<NodeId, Progress>,
    /// The no-op of its term: what is committed before it is not known to be.
    pub(super) first: u64,
    /// Rounds of heartbeats, and when each was sent.
    pub(super) round: u64,
    pub(super) sent: VecDeque<(u64, Time)>,
    /// The last round that a majority answered.
    pub(super) confirmed: u64,
    /// Reads that wait for a round, ascending, and what they wait for to be executed.
    pub(super) reads: VecDeque<(u64, u64, Asked)>,
    /// Reads that wait for the first entry of the term to be committed.
    pub(super) early: Vec<Asked>,
    /// It takes for granted that it leads (a lease, while its timer runs).
    pub(super) lease: bool,
    /// It gave its place to this member, and puts nothing more forward.
    pub(super) given_to: Option<NodeId>,
    /// The change that is under way and waits for its new members to catch up.
    pub(super) coming: Option<Coming>,
    /// Who left and may not know it yet.
    pub(super) leavers: BTreeSet<NodeId>,
}

/// A change whose new members do not count yet: they are sent the log before they have a say (thesis,
/// section 4.2.1).
#[derive(Debug)]
pub(super) struct Coming {
    /// Its number.
    pub(super) change: u64,
    /// The members that are to be.
    pub(super) members: Arc<[NodeId]>,
    /// Those of them that are none yet.
    pub(super) newcomers: Vec<NodeId>,
    /// The round: they are to hold the log up to here, and since when.
    pub(super) until: u64,
    pub(super) since: Time,
}
