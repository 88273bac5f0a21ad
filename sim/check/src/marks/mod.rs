//! Counts how often a run came to each mark: those that the code says itself, and those that are
//! seen only by looking at faults and observations together.

mod list;
mod members;
#[cfg(test)]
mod tests;
mod votes;

use consim_core::chain::{Block, Committed};
use consim_core::{Heal, Mark, NodeId, Observer, OpEnd, Payload, Probe, Receipt, Span, Time};
use members::Members;
use std::collections::{BTreeMap, BTreeSet};
use votes::Votes;

/// The marks of this crate.
pub const MARKS: &[&Mark] = list::MARKS;

/// Two that come up within this come up together.
const TOGETHER: Span = Span::from_millis(500);
/// One that goes down so soon after it came up had hardly begun.
const SOON: Span = Span::from_secs(5);
/// So many batches at once are many.
const MANY: u64 = 20;
/// Kinds of faults that go on at one time.
const SEVERAL: usize = 3;

/// What is looked at.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// The validators.
    pub members: Vec<NodeId>,
    /// Votes that a certificate needs.
    pub quorum: usize,
    /// The kind of each window of a fault, by its name.
    pub kinds: BTreeMap<String, &'static str>,
}

/// The observer.
#[derive(Debug)]
pub struct Marks {
    scene: Scene,
    counts: BTreeMap<&'static str, u64>,
    /// Windows that are open, by kind.
    open: BTreeMap<&'static str, u32>,
    members: Members,
    votes: Votes,
    traitors: BTreeSet<NodeId>,
    /// The last sequence number that was committed anywhere.
    committed: u64,
    /// The height of the newest block.
    height: u64,
    leaders: BTreeMap<u64, NodeId>,
    started: Option<(Time, NodeId)>,
    /// A write was torn.
    torn: bool,
    /// The faults are over, and members stay broken.
    broken: bool,
}

impl Marks {
    /// One that has seen nothing.
    pub fn new(scene: Scene) -> Self {
        Self {
            members: Members::new(&scene.members),
            votes: Votes::default(),
            scene,
            counts: BTreeMap::new(),
            open: BTreeMap::new(),
            traitors: BTreeSet::new(),
            committed: 0,
            height: 0,
            leaders: BTreeMap::new(),
            started: None,
            torn: false,
            broken: false,
        }
    }
    /// How often each mark was come to, by its name; those that were not are left out.
    pub fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    fn hit(&mut self, mark: &'static Mark) {
        *self.counts.entry(mark.name).or_default() += 1;
    }
    fn hit_if(&mut self, here: bool, mark: &'static Mark) {
        if here {
            self.hit(mark);
        }
    }
    /// Is a window of one of these kinds open?
    fn during(&self, kinds: &[&str]) -> bool {
        self.open
            .iter()
            .any(|(kind, n)| *n > 0 && kinds.contains(kind))
    }
    fn cut(&self) -> bool {
        self.during(&["partition", "swizzle", "flap", "eclipse", "clog", "hijack"])
    }

    fn on_committed(&mut self, committed: &Committed) {
        if committed.sequence <= self.committed {
            return;
        }
        self.committed = committed.sequence;
        let certificate = &committed.certificate;
        self.hit_if(certificate.view > 0, &list::COMMITTED_AFTER_VIEW_CHANGE);
        self.hit_if(certificate.view >= 3, &list::COMMITTED_IN_VIEW_3);
        if !self.traitors.is_empty() {
            let keys = certificate.signatures.iter().map(|s| s.key);
            let mut signers = keys.map(|key| NodeId(key.0));
            let with = signers.any(|node| self.traitors.contains(&node));
            self.hit_if(with, &list::COMMITTED_WITH_TRAITOR);
        }
        let bare = self.members.up() == self.scene.quorum;
        self.hit_if(bare, &list::COMMITTED_WITH_BARE_QUORUM);
        self.hit_if(committed.batch.txs().is_empty(), &list::NULL_BATCH);
        self.hit_if(self.broken, &list::COMMITTED_WITH_BROKEN);
        let under: [(&[&str], &'static Mark); 4] = [
            (&["disk-full"], &list::COMMITTED_WITH_FULL_DISK),
            (&["slow-disk"], &list::COMMITTED_WITH_SLOW_DISK),
            (CLOCKS, &list::COMMITTED_WITH_WRONG_CLOCK),
            (&["flood"], &list::COMMITTED_UNDER_FLOOD),
        ];
        for (kinds, mark) in under {
            self.hit_if(self.during(kinds), mark);
        }
        self.hit_if(self.cut(), &list::COMMITTED_UNDER_CUT);
        let kinds = self.open.values().filter(|n| **n > 0).count();
        self.hit_if(kinds >= SEVERAL, &list::COMMITTED_UNDER_THREE_FAULTS);
    }

    fn on_applied(&mut self, node: NodeId, block: &Block) {
        let header = &block.header;
        self.height = self.height.max(header.height);
        let newest = header.height == self.height;
        if newest && self.members.caught_up(node) {
            self.hit(&list::EMPTY_CAUGHT_UP);
        }
        let held = header.time_ns > block.committed.batch.time_ns();
        self.hit_if(held, &list::BLOCK_TIME_HELD);
        let refused = |receipt: &Receipt| matches!(receipt, Receipt::Refused(_));
        let refused = block.receipts.iter().any(refused);
        self.hit_if(refused, &list::TRANSACTION_REFUSED);
    }

    fn on_view(&mut self, node: NodeId, view: u64, leader: NodeId) {
        self.leaders.insert(view, leader);
        let later = self.members.entered(node, view);
        self.hit_if(view >= 5, &list::VIEW_5);
        self.hit_if(later && self.cut(), &list::ENTERED_UNDER_CUT);
        self.hit_if(self.members.views() >= 3, &list::THREE_VIEWS);
    }

    fn on_left(&mut self, node: NodeId, view: u64) {
        self.members.left(node);
        self.hit_if(self.during(&["pause"]), &list::LEFT_WITH_PAUSE);
        let Some(leader) = self.leaders.get(&view).copied() else {
            return;
        };
        let (down, traitor) = (
            self.members.is_down(leader),
            self.traitors.contains(&leader),
        );
        self.hit_if(down, &list::LEADER_DOWN_LEFT);
        self.hit_if(traitor, &list::TRAITOR_LEFT);
        self.hit_if(!down && !traitor, &list::SOUND_LEADER_LEFT);
    }

    fn on_refusal(&mut self, reason: &str) {
        self.hit_if(reason == "expired", &list::CERTIFICATE_EXPIRED);
        let unknown = ["unknown authority", "bad signature", "not a member"];
        self.hit_if(unknown.contains(&reason), &list::CERTIFICATE_UNKNOWN);
    }

    fn on_damage(&mut self, forgotten: bool) {
        self.hit_if(forgotten, &list::DAMAGE_FORGOTTEN);
        self.hit_if(!forgotten, &list::DAMAGE_HARMLESS);
        self.hit_if(self.torn, &list::TORN_FOUND);
    }

    fn came_down(&mut self, at: Time, node: NodeId) {
        let Some(before) = self.members.down(node) else {
            return;
        };
        let soon = before.since.is_some_and(|since| at.since(since) < SOON);
        self.hit_if(soon, &list::CRASHED_SOON_AGAIN);
        self.hit_if(before.between, &list::CRASHED_BETWEEN_VIEWS);
        self.hit_if(before.taking, &list::CRASHED_DURING_TRANSFER);
        let proposal = before.proposed > self.committed;
        self.hit_if(proposal, &list::LEADER_CRASHED);
        let up = self.members.up();
        self.hit_if(up + 2 <= self.scene.members.len(), &list::TWO_DOWN);
        self.hit_if(up < self.scene.quorum, &list::TOO_MANY_DOWN);
        self.hit_if(up == 0, &list::ALL_DOWN);
    }

    fn came_up(&mut self, at: Time, node: NodeId) {
        if !self.members.came_up(at, node) {
            return;
        }
        let last = self.started.replace((at, node));
        let together = last.is_some_and(|(then, who)| who != node && at.since(then) <= TOGETHER);
        self.hit_if(together, &list::TWO_STARTED);
        self.hit_if(self.cut(), &list::STARTED_UNDER_CUT);
        let back = self.during(&["clock-back"]);
        self.hit_if(back, &list::STARTED_WITH_CLOCK_BACK);
    }
}

/// Faults of clocks.
const CLOCKS: &[&str] = &[
    "clock-step",
    "clock-drift",
    "clock-strobe",
    "clock-back",
    "leap",
    "move-time-server",
    "wrong-zone",
];

impl Observer for Marks {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        match probe {
            Probe::Reached(mark) => {
                self.hit(mark);
                self.members.reached(node, mark.name);
            }
            Probe::Misbehaved { times, .. } if *times > 0 => {
                self.traitors.insert(node);
            }
            Probe::Committed(committed) => self.on_committed(committed),
            Probe::Applied(block) => self.on_applied(node, block),
            Probe::Proposed { sequence, .. } => self.members.proposed(node, *sequence),
            Probe::View { view, leader, .. } => self.on_view(node, *view, *leader),
            Probe::ViewTimeout { view, .. } => self.on_left(node, *view),
            Probe::CaughtUp { blocks, .. } => {
                self.hit_if(*blocks >= MANY, &list::SYNC_OF_MANY);
                self.hit_if(self.cut(), &list::SYNC_UNDER_CUT);
            }
            Probe::StateTaken { .. } => {
                self.hit(&list::STATE_TAKEN);
                self.hit_if(self.cut(), &list::STATE_TAKEN_UNDER_CUT);
                let lied = self.members.took_state(node);
                self.hit_if(lied, &list::STATE_AFTER_LIE);
            }
            Probe::StateRefused { .. } => {
                self.hit(&list::STATE_REFUSED);
                self.members.refused_state(node);
            }
            Probe::StableCheckpoint { .. } => {
                self.hit_if(self.cut(), &list::CHECKPOINT_UNDER_CUT);
            }
            Probe::Recovered { height: 0, .. } if self.height > 0 => {
                self.hit(&list::CAME_BACK_EMPTY);
                self.members.came_back_empty(node);
            }
            Probe::DamageFound { forgotten, .. } => self.on_damage(*forgotten),
            Probe::Unauthenticated { reason, .. } => self.on_refusal(reason),
            Probe::Refused { reason, .. } => {
                self.hit_if(*reason == "malformed", &list::MALFORMED);
                self.hit_if(*reason == "altered", &list::ALTERED);
            }
            Probe::Ended {
                end,
                asked,
                deadline,
                ..
            } => {
                let late = *end == OpEnd::Done && at.since(*asked) > *deadline;
                self.hit_if(late, &list::SERVED_LATE);
                self.hit_if(*end == OpEnd::GaveUp, &list::GAVE_UP);
                let refused = matches!(end, OpEnd::Refused(_));
                self.hit_if(refused, &list::OPERATION_REFUSED);
            }
            Probe::Heard { from, payload } if self.traitors.contains(from) => {
                let heard = self.votes.heard(node, *from, &**payload);
                self.hit_if(heard.by_one, &list::EVIDENCE_KEPT);
                self.hit_if(heard.by_two, &list::VOTES_SPLIT);
            }
            _ => {}
        }
    }
    fn sent(&mut self, _: Time, from: NodeId, payload: &dyn Payload, _: usize) {
        let traitor = self.traitors.contains(&from);
        let sent = self.votes.sent(from, payload, traitor, self.committed);
        self.hit_if(sent.late, &list::LATE_VOTE);
        self.hit_if(sent.second, &list::EQUIVOCATED);
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        if up {
            self.came_up(at, node);
        } else {
            self.came_down(at, node);
        }
    }
    fn fault(&mut self, _: Time, id: &str, open: bool) {
        let Some(kind) = self.scene.kinds.get(id).copied() else {
            return;
        };
        self.torn |= kind == "torn-write";
        let count = self.open.entry(kind).or_default();
        *count = if open {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
    }
    fn healed(&mut self, _: Time, heal: &Heal) {
        self.broken = !heal.broken.is_empty();
    }
}
