//! The timeline of faults: which windows are open, and what they do to messages, nodes and
//! machines.
//!
//! One file for each kind, and one line of the registry below. A kind is asked only about what it
//! says it wants to be asked about, by static dispatch; a run in which no open window asks about
//! messages pays one branch for each.

mod bit_rot;
mod clock_back;
mod clock_drift;
mod clock_step;
mod clock_strobe;
mod clog;
mod corrupt;
mod crash;
mod delay;
mod disk_full;
mod double_change;
mod duplicate;
mod eclipse;
mod effect;
mod exhaust_memory;
mod expiry_edge;
mod filter;
mod flap;
mod flood;
mod held;
mod hijack;
mod leap;
mod loss;
mod lost_writes;
mod lying_fsync;
mod misdirect;
mod mixed_versions;
mod move_time_server;
mod old_backup;
mod on_clocks;
mod on_disks;
mod operator;
mod partition;
mod pause;
mod reorder;
mod rollback;
mod rolling_restart;
mod slow_cpu;
mod slow_disk;
mod swizzle;
mod target;
mod throttle;
mod torn_write;
mod unstable;
mod window;
mod wipe;
mod wrong_zone;

pub use bit_rot::{BitRot, During};
pub use clock_back::ClockBack;
pub use clock_drift::ClockDrift;
pub use clock_step::ClockStep;
pub use clock_strobe::ClockStrobe;
pub use clog::Clog;
pub use corrupt::Corrupt;
pub use crash::{At, Crash, Lose, Point, Restart};
pub use delay::Delay;
pub use disk_full::{DiskFull, ThenFull};
pub use double_change::DoubleChange;
pub use duplicate::Duplicate;
pub use eclipse::Eclipse;
pub use effect::FaultEffect;
pub use exhaust_memory::ExhaustMemory;
pub use expiry_edge::ExpiryEdge;
pub use filter::{Filter, Which};
pub use flap::Flap;
pub use flood::{Flood, Flooded};
pub use hijack::Hijack;
pub use leap::{Leap, LeapKind};
pub use loss::Loss;
pub use lost_writes::{LostWrites, WhichLost};
pub use lying_fsync::{Lie, LyingFsync};
pub use misdirect::Misdirect;
pub use mixed_versions::MixedVersions;
pub use move_time_server::MoveTimeServer;
pub use old_backup::OldBackup;
pub use operator::{Invalid, Mistake, Operator};
pub use partition::{Direction, Partition, Shape};
pub use pause::Pause;
pub use reorder::Reorder;
pub use rollback::Rollback;
pub use rolling_restart::RollingRestart;
pub use slow_cpu::{SlowCpu, Slowed};
pub use slow_disk::SlowDisk;
pub use swizzle::Swizzle;
pub use target::{Lines, Target};
pub(crate) use target::{Views, World};
pub use throttle::Throttle;
pub use torn_write::TornWrite;
pub use unstable::UnstableNetwork;
pub(crate) use window::{Act, Copy, Garble, Hop, Tamper, Verdict};
pub use wipe::Wipe;
pub use wrong_zone::WrongZone;

use crate::config::Hardware;
use crate::network::Extra;
use crate::seeded;
use consim_core::{ChainId, NodeId, Span, Streams, Time};
use std::collections::BTreeMap;
use window::{Asks, Cx, Kind, Window};

/// The registry: what stands in it can be in a plan.
macro_rules! kinds {
    ($( $(#[doc = $help:literal])+ $name:ident, )*) => {
        /// What a fault does.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum FaultKind {
            $( $(#[doc = $help])+ $name($name), )*
        }

        impl FaultKind {
            /// Its word in scenarios.
            pub fn word(&self) -> &'static str {
                match self { $( Self::$name(kind) => kind.word(), )* }
            }
            /// Its catalogue code.
            pub fn code(&self) -> &'static str {
                match self { $( Self::$name(kind) => kind.code(), )* }
            }
            /// What its `took_effect` counts.
            pub fn unit(&self) -> &'static str {
                match self { $( Self::$name(kind) => kind.unit(), )* }
            }
            /// The sets of nodes that it names.
            pub fn targets(&mut self) -> Vec<&mut Target> {
                match self { $( Self::$name(kind) => kind.targets(), )* }
            }
            /// Can it follow the leader of a chain from one to the next ([`Target::LeadersOf`])?
            pub fn follows(&self) -> bool {
                match self { $( Self::$name(_) => <$name as Kind>::FOLLOWS, )* }
            }
            /// Do nodes go down and come up again?
            pub fn restarts(&self) -> bool {
                match self { $( Self::$name(_) => <$name as Kind>::RESTARTS, )* }
            }
            /// Does it take writes, or what is written, from disks?
            pub fn disks(&self) -> bool {
                match self { $( Self::$name(kind) => Kind::disks(kind), )* }
            }
            /// Does it damage records on disks?
            pub fn damages(&self) -> bool {
                match self { $( Self::$name(_) => <$name as Kind>::DAMAGES, )* }
            }
            /// Does it set the wall clocks of those wrong that it names?
            pub fn clocks(&self) -> bool {
                match self { $( Self::$name(_) => <$name as Kind>::CLOCKS, )* }
            }
            /// Whose disks are copied so long before the window opens.
            fn backup(&self) -> Option<(&Target, Span)> {
                match self { $( Self::$name(kind) => kind.backup(), )* }
            }
            fn open(&self, cx: &mut Cx<'_>) -> Open {
                match self { $( Self::$name(kind) => Open::$name(kind.open(cx)), )* }
            }
        }

        /// A fault whose window is open.
        #[allow(clippy::large_enum_variant, reason = "a run has few open at a time")]
        enum Open {
            $( $name(<$name as Kind>::Open), )*
        }

        impl Open {
            fn asks(&self) -> Asks {
                match self { $( Self::$name(open) => open.asks(), )* }
            }
            fn leaving(&mut self, hop: &Hop, effect: &mut FaultEffect) -> Verdict {
                match self { $( Self::$name(open) => open.leaving(hop, effect), )* }
            }
            fn line(&mut self, hop: &Hop, extra: &mut Extra, effect: &mut FaultEffect) {
                match self { $( Self::$name(open) => open.line(hop, extra, effect), )* }
            }
            fn arriving(&mut self, hop: &Hop, copy: Copy, effect: &mut FaultEffect) -> Verdict {
                match self { $( Self::$name(open) => open.arriving(hop, copy, effect), )* }
            }
            fn tamper(&mut self, hop: &Hop, at: Time, tamper: &mut Tamper, effect: &mut FaultEffect) {
                match self { $( Self::$name(open) => open.tamper(hop, at, tamper, effect), )* }
            }
            fn slowed(&mut self, node: NodeId, by: Span, effect: &mut FaultEffect) {
                match self { $( Self::$name(open) => open.slowed(node, by, effect), )* }
            }
            fn at_point(&mut self, node: NodeId, point: Point) -> bool {
                match self { $( Self::$name(open) => open.at_point(node, point), )* }
            }
            fn room(&mut self, node: NodeId, bytes: u64, effect: &mut FaultEffect) -> bool {
                match self { $( Self::$name(open) => open.room(node, bytes, effect), )* }
            }
            fn cap(&self, node: NodeId) -> Option<u64> {
                match self { $( Self::$name(open) => open.cap(node), )* }
            }
            fn machine(&self, node: NodeId, hardware: &mut Hardware) {
                match self { $( Self::$name(open) => open.machine(node, hardware), )* }
            }
            fn woken(&mut self, what: u32, cx: &mut Cx<'_>) {
                match self { $( Self::$name(open) => open.woken(what, cx), )* }
            }
            fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
                match self { $( Self::$name(open) => open.close(cx), )* }
            }
        }
    };
}

kinds! {
    /// Nodes go down, and start again at the end.
    Crash,
    /// Nodes are cut off from others.
    Partition,
    /// Segments of messages are lost.
    Loss,
    /// Messages take longer.
    Delay,
    /// Messages come twice.
    Duplicate,
    /// Messages are overtaken.
    Reorder,
    /// The bytes of messages change.
    Corrupt,
    /// Lines hold what comes through them.
    Clog,
    /// Sites are clogged one by one and opened in another order.
    Swizzle,
    /// Lines go down and up.
    Flap,
    /// Messages of some kinds are dropped or held.
    Filter,
    /// Lines carry less.
    Throttle,
    /// Nodes see only some others.
    Eclipse,
    /// What is sent to sites goes elsewhere.
    Hijack,
    /// Machines send what nobody asked for.
    Flood,
    /// Delays are an adversary's until the end.
    UnstableNetwork,
    /// Nodes stand still.
    Pause,
    /// Nodes are slow.
    SlowCpu,
    /// Little may wait for nodes.
    ExhaustMemory,
    /// Nodes are restarted one after the other.
    RollingRestart,
    /// Nodes run another release of the program.
    MixedVersions,
    /// Nodes run with a wrong setting.
    Operator,
    /// Two changes are asked for at a time.
    DoubleChange,
    /// Wall clocks are set to another zone.
    WrongZone,
    /// An old backup is put on the disks of nodes.
    OldBackup,
    /// The disks of nodes are wiped.
    Wipe,
    /// A crash keeps some of what was not synced.
    LostWrites,
    /// A crash stops the drive in the middle of a write.
    TornWrite,
    /// Records rot.
    BitRot,
    /// Records go to, or come from, the place of another.
    Misdirect,
    /// An fsync does not do what it says.
    LyingFsync,
    /// Disks are full.
    DiskFull,
    /// Writes take longer.
    SlowDisk,
    /// Volumes are rolled back to a snapshot.
    Rollback,
    /// Oscillators run at another speed.
    ClockDrift,
    /// Wall clocks are off.
    ClockStep,
    /// Wall clocks jump to and fro.
    ClockStrobe,
    /// Wall clocks go back at a restart.
    ClockBack,
    /// Wall clocks leap.
    Leap,
    /// Time servers are moved.
    MoveTimeServer,
    /// Clocks show whole seconds.
    ExpiryEdge,
}

/// A fault with its window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultWindow {
    /// Its name in the scenario (with `#2` and so on for repeats).
    pub id: String,
    /// When it opens.
    pub from: Time,
    /// When it closes and heals.
    pub to: Time,
    /// What it does.
    pub kind: FaultKind,
}

/// What a window is woken with that was asked to close and had more to do.
const CLOSE: u32 = u32::MAX - 1;

/// What a window is woken with whose chain may have another leader.
pub(crate) const FOLLOW: u32 = u32::MAX - 2;

/// What happens to a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Open,
    Close,
    Woken(u32),
}

/// Whom an open window that follows leaders has hold of.
struct Followed {
    chain: ChainId,
    /// The view that they led when it took hold of them.
    view: u64,
    leader: Option<NodeId>,
}

/// The timeline and its open windows.
pub(crate) struct Faults {
    pub(crate) windows: Vec<FaultWindow>,
    effects: Vec<FaultEffect>,
    open: Vec<(usize, Open)>,
    /// Whom open windows that follow a leader have hold of.
    followed: BTreeMap<usize, Followed>,
    /// What any of them asks about.
    asks: Asks,
    acts: Vec<Act>,
    streams: Streams,
}

impl Faults {
    pub(crate) fn new(windows: Vec<FaultWindow>, streams: Streams) -> Self {
        Self {
            effects: windows.iter().map(FaultEffect::new).collect(),
            windows,
            open: Vec::new(),
            followed: BTreeMap::new(),
            asks: Asks::NOTHING,
            acts: Vec::new(),
            streams,
        }
    }

    pub(crate) fn effects(&self) -> &[FaultEffect] {
        &self.effects
    }

    /// When window `index` wants disks to be copied, and whose.
    pub(crate) fn backup(&self, index: usize) -> Option<(Time, &Target)> {
        let window = self.windows.get(index)?;
        let (target, age) = window.kind.backup()?;
        let at = window.from.nanos().saturating_sub(age.nanos());
        Some((Time::from_nanos(at), target))
    }

    /// The chain whose leaders window `index` follows.
    fn follows(&self, index: usize) -> Option<ChainId> {
        let mut kind = self.windows.get(index)?.kind.clone();
        let targets = kind.targets();
        targets.iter().find_map(|target| match target {
            Target::LeadersOf(chain) => Some(*chain),
            _ => None,
        })
    }
    /// The open windows that follow the leaders of `chain` and have not come to `view`.
    pub(crate) fn behind(&self, chain: ChainId, view: u64) -> Vec<u32> {
        let behind = |of: &Followed| of.chain == chain && of.view < view;
        let followed = self.followed.iter().filter(|(_, of)| behind(of));
        followed.map(|(&index, _)| index as u32).collect()
    }
    /// Does an open window follow leaders?
    #[inline]
    pub(crate) fn follow_leaders(&self) -> bool {
        !self.followed.is_empty()
    }
    /// Lets go of who led, and takes who leads now. Only forward: one that is let go comes back in
    /// the view that it knew.
    fn follow(&mut self, index: usize, now: Time, world: World<'_>) {
        let Some(of) = self.followed.get_mut(&index) else {
            return;
        };
        let view = world.view(of.chain);
        if view <= of.view {
            return;
        }
        let leader = world.leader(of.chain);
        let same = leader == of.leader;
        (of.view, of.leader) = (view, leader);
        if !same {
            self.step(index, now, world, Step::Close);
            self.step(index, now, world, Step::Open);
        }
    }

    /// Window `index` opens; what it asks for is taken by [`Faults::acts`].
    pub(crate) fn open(&mut self, index: usize, now: Time, world: World<'_>) {
        if let Some(chain) = self.follows(index) {
            let of = Followed {
                chain,
                view: world.view(chain),
                leader: world.leader(chain),
            };
            self.followed.insert(index, of);
        }
        self.step(index, now, world, Step::Open);
    }
    /// It closes.
    pub(crate) fn close(&mut self, index: usize, now: Time, world: World<'_>) {
        self.followed.remove(&index);
        self.step(index, now, world, Step::Close);
    }
    /// It asked to be woken now.
    pub(crate) fn woken(&mut self, index: usize, what: u32, now: Time, world: World<'_>) {
        if what == FOLLOW {
            return self.follow(index, now, world);
        }
        self.step(index, now, world, Step::Woken(what));
    }

    fn step(&mut self, index: usize, now: Time, world: World<'_>, step: Step) {
        let (Some(window), Some(effect)) = (self.windows.get(index), self.effects.get_mut(index))
        else {
            return;
        };
        let mut cx = Cx {
            now,
            to: window.to,
            window: index,
            // A fault's draws are keyed by its name: another fault that goes away shifts nothing.
            key: self.streams.key(&format!("faults/{}", window.id)),
            world,
            effect,
            acts: &mut self.acts,
        };
        let place = self.open.iter().position(|(i, _)| *i == index);
        let closes = matches!(step, Step::Close | Step::Woken(CLOSE));
        if seeded::on(&seeded::FAULTS_OFF) || (closes && seeded::on(&seeded::NOTHING_HEALS)) {
            return;
        }
        match step {
            Step::Open => self.open.push((index, window.kind.open(&mut cx))),
            Step::Close | Step::Woken(CLOSE) => {
                if let Some(place) = place {
                    let (_, mut open) = self.open.remove(place);
                    if let Some(again) = open.close(&mut cx) {
                        cx.wake(again, CLOSE);
                        self.open.insert(place, (index, open));
                    }
                }
            }
            Step::Woken(what) => {
                if let Some((_, open)) = place.and_then(|place| self.open.get_mut(place)) {
                    open.woken(what, &mut cx);
                }
            }
        }
        let asks = self.open.iter().map(|(_, open)| open.asks());
        self.asks = asks.fold(Asks::NOTHING, Asks::or);
    }

    /// What faults asked for since the last call.
    pub(crate) fn acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    pub(crate) fn count(&mut self, index: usize, by: u64) {
        if let Some(effect) = self.effects.get_mut(index) {
            effect.took_effect += by;
        }
    }

    /// Damage that the budget of disks forbids.
    pub(crate) fn skip(&mut self, index: usize, by: u64) {
        if let Some(effect) = self.effects.get_mut(index) {
            effect.skipped += by;
        }
    }

    /// Does no open window ask about messages?
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        !self.asks.has(Asks::MESSAGES)
    }
    /// Does one ask about what is done to messages that arrive?
    #[inline]
    pub(crate) fn tampers(&self) -> bool {
        self.asks.has(Asks::TAMPER)
    }
    /// Does one ask about handlers?
    #[inline]
    pub(crate) fn asks_service(&self) -> bool {
        self.asks.has(Asks::SERVICE)
    }
    /// Does one ask about what waits for servers?
    #[inline]
    pub(crate) fn asks_inbox(&self) -> bool {
        self.asks.has(Asks::INBOX)
    }

    /// A message leaves.
    pub(crate) fn leaving(&mut self, hop: &Hop) -> Verdict {
        self.ask(hop, |open, effect| open.leaving(hop, effect))
    }

    /// What is added to the line of a message that leaves.
    pub(crate) fn line(&mut self, hop: &Hop) -> Extra {
        let mut extra = Extra::default();
        self.ask(hop, |open, effect| {
            open.line(hop, &mut extra, effect);
            Verdict::Pass
        });
        extra
    }

    /// What is done to a message that would arrive at `at`.
    pub(crate) fn tamper(&mut self, hop: &Hop, at: Time) -> Tamper {
        let mut tamper = Tamper::default();
        self.ask(hop, |open, effect| {
            open.tamper(hop, at, &mut tamper, effect);
            Verdict::Pass
        });
        tamper
    }

    /// A message arrives; one that has waited for the network card has left its line, and only a
    /// cut is asked.
    pub(crate) fn arriving(&mut self, hop: &Hop, copy: Copy, queued: bool) -> Verdict {
        self.ask(hop, |open, effect| match open {
            Open::Partition(cut) => cut.arriving(hop, copy, effect),
            _ if queued => Verdict::Pass,
            open => open.arriving(hop, copy, effect),
        })
    }

    /// A handler of `node` took so much longer than on the node's own machine.
    pub(crate) fn slowed(&mut self, node: NodeId, by: Span) {
        for (index, open) in &mut self.open {
            if let Some(effect) = self.effects.get_mut(*index) {
                open.slowed(node, by, effect);
            }
        }
    }

    /// A node is at a point: the window for which it goes down there.
    pub(crate) fn at_point(&mut self, node: NodeId, point: Point) -> Option<u32> {
        let mut open = self.open.iter_mut();
        open.find_map(|(index, open)| open.at_point(node, point).then_some(*index as u32))
    }

    /// Is there room for what comes, if so many bytes will wait with it?
    pub(crate) fn room(&mut self, node: NodeId, bytes: u64) -> bool {
        let effects = &mut self.effects;
        self.open.iter_mut().all(|(index, open)| {
            let effect = effects.get_mut(*index);
            effect.is_none_or(|effect| open.room(node, bytes, effect))
        })
    }

    /// The first open window that does not let a message pass decides. A site's own network has no
    /// faults.
    fn ask(
        &mut self,
        hop: &Hop,
        mut judge: impl FnMut(&mut Open, &mut FaultEffect) -> Verdict,
    ) -> Verdict {
        if hop.from.site == hop.to.site {
            return Verdict::Pass;
        }
        for (index, open) in &mut self.open {
            if let Some(effect) = self.effects.get_mut(*index) {
                let verdict = judge(open, effect);
                if verdict != Verdict::Pass {
                    return verdict;
                }
            }
        }
        Verdict::Pass
    }

    /// The memory that open windows leave a node for what waits.
    pub(crate) fn cap(&self, node: NodeId) -> u64 {
        let caps = self.open.iter().filter_map(|(_, open)| open.cap(node));
        caps.min().unwrap_or(u64::MAX)
    }

    /// The machine of a node as open windows make it.
    pub(crate) fn machine(&self, node: NodeId, hardware: &mut Hardware) {
        for (_, open) in &self.open {
            open.machine(node, hardware);
        }
    }

    /// Retransmissions or losses of a message go to the first open loss on its line.
    pub(crate) fn credit_loss(&mut self, extra: Option<&Extra>, by: u64) {
        if let Some(window) = extra.and_then(|extra| extra.lost_by) {
            self.count(window as usize, by);
        }
    }

    /// A message that window `index` corrupted or made up was refused.
    pub(crate) fn refused(&mut self, index: usize) {
        self.count(index, 1);
    }

    /// A key for draws about window `index`.
    pub(crate) fn key(&self, index: usize) -> u64 {
        let id = self.windows.get(index).map_or("", |w| w.id.as_str());
        self.streams.key(&format!("faults/{id}"))
    }
}
