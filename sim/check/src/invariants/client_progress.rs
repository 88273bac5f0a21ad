//! L2: progress for every client, not only for the chain.

use super::recoverable::Recoverable;
use super::{CheckEntry, Subjects, any_chain, check_from_entry};
use consim_core::{
    Calm, Finding, Heal, NodeId, Observer, OpEnd, OpId, Probe, Severity, Span, Time,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    name: "client-progress",
    code: "L2",
    since: "0.1.0",
    severity: Severity::Liveness,
    says: "Every client of a correct server that asks while nothing is disturbed has an answer to one of its questions within the bound, whatever the others get.",
    applies: any_chain,
    build: |subjects| Box::new(ClientProgress::new(subjects)),
};

/// Follows, for each client, how long it has been asking in vain. That a chain grows says nothing of
/// a client that everybody ignores.
pub struct ClientProgress {
    subjects: Arc<Subjects>,
    finding: Finding,
    calm: Calm,
    bound: Span,
    recoverable: Recoverable,
    /// The clients that have had no answer.
    asking: BTreeMap<NodeId, Asking>,
    /// How many questions of each client are open.
    open: BTreeMap<NodeId, u32>,
    /// The same in order of time.
    queue: BTreeSet<(Time, NodeId)>,
}

/// A client that asks.
struct Asking {
    since: Time,
    /// When it asked last.
    latest: Time,
}

impl ClientProgress {
    /// A check that has seen nothing.
    pub fn new(subjects: Arc<Subjects>) -> Self {
        Self {
            bound: subjects.bound,
            subjects,
            finding: Finding::new(),
            calm: Calm::default(),
            recoverable: Recoverable::default(),
            asking: BTreeMap::new(),
            open: BTreeMap::new(),
            queue: BTreeSet::new(),
        }
    }

    /// Does a correct server owe this client its answers?
    fn is_owed(&self, client: NodeId) -> bool {
        self.subjects.correct(client)
            && !self.subjects.at_mercy.contains(&client)
            && self.serves(client)
    }

    /// Is the server that this client asks a member? One that is none turns its clients away.
    fn serves(&self, client: NodeId) -> bool {
        let subjects = &self.subjects;
        let server = subjects.entries.iter().find(|(of, _)| *of == client);
        server.is_none_or(|&(_, server)| {
            let mut chains = subjects.chains.iter();
            chains.any(|c| self.recoverable.is_member(subjects, c.id, server))
        })
    }

    /// Condemns what was due before `at`.
    fn expire(&mut self, at: Time) {
        while let Some(&(since, client)) = self.queue.first() {
            let Some(due) = self.calm.due(since, self.bound).filter(|due| *due < at) else {
                return;
            };
            self.queue.pop_first();
            let asking = self.asking.remove(&client);
            let open = self.open.get(&client).is_some_and(|open| *open > 0);
            let calm = self.calm.since();
            let half = Span::from_nanos(self.bound.nanos() / 2);
            let lately = |a: Asking| calm.is_some_and(|c| a.latest >= c && a.latest + half >= due);
            if !open && !asking.is_some_and(lately) {
                // It gave up, while something was disturbed or sooner than the bound, and asks no more.
                continue;
            }
            let subjects = &self.subjects;
            let mut chains = subjects.chains.iter();
            if let Some(why) = chains.find_map(|c| self.recoverable.why_not(subjects, c.id)) {
                self.finding.excuse(why);
                continue;
            }
            let bound = self.bound;
            self.finding.judge(false, || {
                let name = subjects.name(client);
                format!("{name} asks since {since} and had no answer within {bound}")
            });
        }
    }

    /// What a client asked while something was disturbed, and has given up since, founds no claim: its time
    /// begins with what it asks now.
    fn begin_anew(&mut self, client: NodeId) {
        let waits = self.open.get(&client).is_some_and(|open| *open > 0);
        let calm = self.calm.since();
        let before = |a: &Asking| calm.is_some_and(|calm| a.latest < calm);
        if !waits && self.asking.get(&client).is_some_and(before) {
            self.answered(client, false);
        }
    }

    fn answered(&mut self, client: NodeId, judged: bool) {
        if let Some(asking) = self.asking.remove(&client) {
            self.queue.remove(&(asking.since, client));
            if judged {
                self.finding.judge(true, String::new);
            }
        }
    }
}

/// The node whose operation it is: its number is part of the operation's.
fn client_of(op: OpId) -> NodeId {
    NodeId((op.0 >> 32) as u32)
}

impl Observer for ClientProgress {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Asked { op, .. } if client_of(*op) == node && self.is_owed(node) => {
                self.expire(at);
                self.begin_anew(node);
                *self.open.entry(node).or_default() += 1;
                if self.calm.broken(node) {
                    return;
                }
                let queue = &mut self.queue;
                let asking = self.asking.entry(node).or_insert_with(|| {
                    queue.insert((at, node));
                    let (since, latest) = (at, at);
                    Asking { since, latest }
                });
                asking.latest = at;
            }
            Probe::Ended { op, end, .. } => {
                self.expire(at);
                let client = client_of(*op);
                if let Some(open) = self.open.get_mut(&client) {
                    *open = open.saturating_sub(1);
                }
                if *end != OpEnd::GaveUp {
                    self.answered(client, true);
                }
            }
            Probe::Applied(_) | Probe::Recovered { .. } | Probe::Abstains { .. }
                if self.subjects.correct(node) =>
            {
                self.recoverable.probe(node, probe);
            }
            Probe::Configured(configured)
                if self.subjects.correct(node) && self.recoverable.is_news(configured) =>
            {
                self.expire(at);
                self.recoverable.probe(node, probe);
                let subjects = Arc::clone(&self.subjects);
                for &(client, _) in &subjects.entries {
                    if !self.serves(client) {
                        self.open.remove(&client);
                        self.answered(client, false);
                    }
                }
            }
            _ => {}
        }
    }

    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.expire(at);
        self.recoverable.node_up(node, up);
        // Who is down, or has forgotten what it asked, waits for nothing.
        self.open.remove(&node);
        self.answered(node, false);
    }

    fn fault(&mut self, at: Time, _id: &str, open: bool) {
        self.expire(at);
        self.calm.fault(at, open);
    }

    fn healed(&mut self, at: Time, heal: &Heal) {
        self.expire(at);
        self.calm.healed(at, heal);
        self.recoverable.healed(heal);
        self.bound = heal.bound;
        for &node in &heal.broken {
            self.answered(node, false);
        }
    }

    fn end(&mut self, at: Time) {
        self.expire(at);
    }
}

check_from_entry!(ClientProgress);
