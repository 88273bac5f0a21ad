//! From the options of a fault to what the kernel is told, with its targets looked up.

use super::super::Planner;
use crate::plan::Who;
use crate::schema::{At, DiskBudget, Fault, FaultKind, Lines, Targets, Written};
use consim_core::values::{Bytes, Name, Range};
use consim_core::{ChainId, NodeId, Span};
use consim_kernel::config::{self as kernel, Target};
use std::collections::BTreeSet;

/// What the options of a kind of fault come to.
pub(super) trait Plan {
    /// `None` if something is wrong, which the planner's context then knows.
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<kernel::FaultKind>;
}

impl Fault {
    /// What the fault comes to; `random` is drawn before.
    pub(super) fn plan(
        &self,
        planner: &mut Planner<'_>,
        name: &At<Name>,
    ) -> Option<kernel::FaultKind> {
        let kind: &dyn Plan = match &self.kind {
            FaultKind::Crash(options) => options,
            FaultKind::Partition(options) => options,
            FaultKind::Loss(options) => options,
            FaultKind::Delay(options) => options,
            FaultKind::Duplicate(options) => options,
            FaultKind::Reorder(options) => options,
            FaultKind::Clog(options) => options,
            FaultKind::Swizzle(options) => options,
            FaultKind::Flap(options) => options,
            FaultKind::Filter(options) => options,
            FaultKind::Throttle(options) => options,
            FaultKind::Corrupt(options) => options,
            FaultKind::Eclipse(options) => options,
            FaultKind::Hijack(options) => options,
            FaultKind::Flood(options) => options,
            FaultKind::UnstableNetwork(options) => options,
            FaultKind::Pause(options) => options,
            FaultKind::SlowCpu(options) => options,
            FaultKind::ExhaustMemory(options) => options,
            FaultKind::RollingRestart(options) => options,
            FaultKind::MixedVersions(options) => options,
            FaultKind::WrongQuorum(options) => options,
            FaultKind::DuplicateKey(options) => options,
            FaultKind::CutChange(options) => options,
            FaultKind::DoubleChange(options) => options,
            FaultKind::WrongGenesis(options) => options,
            FaultKind::ShortTimeouts(options) => options,
            FaultKind::ExpiredCertificate(options) => options,
            FaultKind::OldBackup(options) => options,
            FaultKind::WrongZone(options) => options,
            FaultKind::EarlyPrune(options) => options,
            FaultKind::Wipe(options) => options,
            FaultKind::LostWrites(options) => options,
            FaultKind::TornWrite(options) => options,
            FaultKind::BitRot(options) => options,
            FaultKind::Misdirect(options) => options,
            FaultKind::LyingFsync(options) => options,
            FaultKind::DiskFull(options) => options,
            FaultKind::SlowDisk(options) => options,
            FaultKind::Rollback(options) => options,
            FaultKind::ClockDrift(options) => options,
            FaultKind::ClockStep(options) => options,
            FaultKind::ClockStrobe(options) => options,
            FaultKind::ClockBack(options) => options,
            FaultKind::Leap(options) => options,
            FaultKind::MoveTimeServer(options) => options,
            FaultKind::ExpiryEdge(options) => options,
            FaultKind::Random(_) => return None,
        };
        let mut planned = kind.plan(planner, name)?;
        let leaders = |target: &&mut Target| matches!(target, Target::LeadersOf(_));
        if planned.targets().iter().any(leaders) && !planned.follows() {
            let word = planned.word();
            planner.cx.error(
                "E306",
                &name.place,
                format!("`{word}` cannot go from one leader to the next"),
                "`leader of CHAIN`: who leads when the window opens",
            );
            return None;
        }
        Some(planned)
    }
}

/// Both ends of a range.
pub(super) fn spans(range: &At<Range<Span>>) -> (Span, Span) {
    (range.value.low, range.value.high)
}

/// The numbers of institutions stand for nodes until the layout puts nodes in their place.
fn stand_ins(institutions: &[usize]) -> Vec<NodeId> {
    institutions.iter().map(|&i| NodeId(i as u32)).collect()
}

impl Planner<'_> {
    /// Do faults of disks leave a good copy of each committed block?
    pub(super) fn keeps_one_copy(&self) -> bool {
        self.scenario.limits.fault_budget.disks.value == DiskBudget::KeepOneCopy
    }

    /// A size that is not nothing.
    pub(super) fn some_bytes(&mut self, at: &At<Bytes>, what: &str) -> Option<u64> {
        if at.value.0 == 0 {
            let message = format!("{what} of nothing");
            self.cx
                .error("E107", &at.place, message, "for example 4KiB");
            return None;
        }
        Some(at.value.0)
    }

    /// Whom a fault hits.
    pub(super) fn target(&mut self, targets: &Targets) -> Option<Target> {
        let who = self.who(targets)?;
        Some(self.target_of(&who))
    }

    fn number_of(&self, chain: &str) -> ChainId {
        let number = self.chains.keys().position(|name| name == chain);
        ChainId(number.unwrap_or(0) as u16)
    }

    fn target_of(&self, who: &Who) -> Target {
        match who {
            Who::Institutions(list) => Target::Nodes(stand_ins(list)),
            Who::LeaderOf(chain) => Target::LeaderOf(self.number_of(chain)),
            Who::LeadersOf(chain) => Target::LeadersOf(self.number_of(chain)),
        }
    }

    /// Whom a fault of processes hits: only a node can crash, and an institution that takes no
    /// part in a chain has none.
    pub(super) fn servers(&mut self, targets: &Targets, done: &str) -> Option<Target> {
        let who = self.who(targets)?;
        if let Who::Institutions(nodes) = &who
            && !self.doubt
        {
            let members = self.chains.values().flat_map(|c| c.members.clone());
            let relays = self.relays.values().flatten().copied();
            let running = members.chain(self.light_clients()).chain(relays);
            let running: BTreeSet<usize> = running.collect();
            let outsider = nodes.iter().find(|n| !running.contains(n));
            if let Some(outsider) = outsider.and_then(|&i| self.institutions.get(i)) {
                let name = outsider.name.clone();
                self.cx.error(
                    "E308",
                    &targets.place,
                    format!("{name} runs no node of a chain, so nothing of it can {done}"),
                    "leave it out, or make it a member",
                );
                return None;
            }
        }
        Some(self.target_of(&who))
    }

    /// Which lines a link fault hits: of a target, between two sets, or from one to another.
    pub(super) fn fault_lines(
        &mut self,
        name: &At<Name>,
        written: Written<'_>,
    ) -> Option<kernel::Lines> {
        let Written {
            target,
            between,
            from,
            to,
        } = written;
        let lines = match (target, between, from, to) {
            (Some(target), None, None, None) => Lines::Of(target),
            (None, Some(pair), None, None) => Lines::Between(pair),
            (None, None, Some(from), Some(to)) => Lines::FromTo(from, to),
            _ => {
                let place = name.place.clone();
                self.cx.error(
                    "E211",
                    &place,
                    "which lines? a fault of lines has a target, or `between`, or `from` and `to`",
                    "target: 3 of community; between: [tertiary, community]; or from: tertiary, to: all",
                );
                return None;
            }
        };
        Some(match lines {
            Lines::Of(target) => kernel::Lines::Of(self.target(target)?),
            Lines::FromTo(from, to) => kernel::Lines::FromTo(self.target(from)?, self.target(to)?),
            Lines::Between(pair) => {
                let (a, b) = (self.nodes_quietly(&pair.0)?, self.nodes_quietly(&pair.1)?);
                if let Some(leaf) = self.cx.leaves.get_mut(pair.0.leaf) {
                    leaf.digest = Some(format!("{a:?} {b:?}"));
                }
                kernel::Lines::Between(Target::Nodes(stand_ins(&a)), Target::Nodes(stand_ins(&b)))
            }
        })
    }

    /// The nodes of one side of a pair, whose line the plan already has.
    pub(crate) fn nodes_quietly(&mut self, targets: &Targets) -> Option<Vec<usize>> {
        let leaf = self.cx.leaves.get(targets.leaf).cloned();
        let nodes = self.nodes(targets);
        if let (Some(old), Some(slot)) = (leaf, self.cx.leaves.get_mut(targets.leaf)) {
            *slot = old;
        }
        nodes
    }
}
