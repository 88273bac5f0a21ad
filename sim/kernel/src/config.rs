//! What a kernel is built from: hardware, links, delays, the timeline of faults. All integers.

mod link;

pub use crate::faults::{
    At, BitRot, ClockBack, ClockDrift, ClockStep, ClockStrobe, Clog, Corrupt, Crash, Delay,
    Direction, DiskFull, DoubleChange, Duplicate, During, Eclipse, ExhaustMemory, ExpiryEdge,
    FaultKind, FaultWindow, Filter, Flap, Flood, Flooded, Hijack, Invalid, Leap, LeapKind, Lie,
    Lines, Lose, Loss, LostWrites, LyingFsync, Misdirect, Mistake, MixedVersions, MoveTimeServer,
    OldBackup, Operator, Partition, Pause, Point, Reorder, Restart, Rollback, RollingRestart,
    Shape, SlowCpu, SlowDisk, Slowed, Swizzle, Target, ThenFull, Throttle, TornWrite,
    UnstableNetwork, Which, WhichLost, Wipe, WrongZone,
};
pub use link::{Burst, LineGroups, Link, SEGMENT, Tcp, Uplink};

use crate::network::transfer;
use consim_core::{Distribution, Span, Work};
use std::sync::Arc;

/// A machine. Durations are for one core at `speed` 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hardware {
    /// Cores; verification of a batch and what [`Work`] calls parallel use all, everything else one.
    pub cores: u32,
    /// Servers: how many handlers it works on at a time. One process is served by one, whatever its
    /// cores; work that can be spread over cores says so in [`Work`].
    pub servers: u32,
    /// All CPU costs are divided by this many parts per 1,000 (1,000 is 1x).
    pub speed_permille: u32,
    /// One signature.
    pub sign: Span,
    /// One verification alone.
    pub verify: Span,
    /// One verification in a batch, on one core.
    pub verify_batched: Span,
    /// Hashing a KiB.
    pub hash_per_kib: Span,
    /// Encrypting or decrypting a KiB.
    pub encrypt_per_kib: Span,
    /// Executing a transaction.
    pub execute: Span,
    /// Receiving any message.
    pub per_message: Span,
    /// Receiving a KiB (scenarios state it per byte).
    pub per_kib: Span,
    /// Serving a client's request, beside receiving its message.
    pub per_request: Span,
    /// Handing a message to the network card, for each receiver.
    pub per_message_sent: Span,
    /// Handing a KiB to the network card, for each receiver.
    pub per_kib_sent: Span,
    /// Handing a KiB of payload to the store.
    pub per_kib_stored: Span,
    /// NIC, incoming, bits per second.
    pub nic_in: u64,
    /// NIC, outgoing, bits per second.
    pub nic_out: u64,
    /// Disk write rate, bytes per second; 0 is unlimited.
    pub disk_write: u64,
    /// Disk read rate, bytes per second; 0 is unlimited. A restart reads all that was kept.
    pub disk_read: u64,
    /// One fsync.
    pub fsync: Distribution,
    /// Do writes that wait for the disk share one fsync?
    pub group_commit: bool,
    /// Bytes that fit on the disk; 0 is without end. What does not fit waits until there is room.
    pub disk_size: u64,
    /// Bytes of a sector, which rots as one; 0 if each record has sectors of its own.
    pub disk_sector: u64,
}

impl Default for Hardware {
    /// A machine on which nothing takes time.
    fn default() -> Self {
        Self {
            cores: 1,
            servers: 1,
            speed_permille: 1_000,
            sign: Span::ZERO,
            verify: Span::ZERO,
            verify_batched: Span::ZERO,
            hash_per_kib: Span::ZERO,
            encrypt_per_kib: Span::ZERO,
            execute: Span::ZERO,
            per_message: Span::ZERO,
            per_kib: Span::ZERO,
            per_request: Span::ZERO,
            per_message_sent: Span::ZERO,
            per_kib_sent: Span::ZERO,
            per_kib_stored: Span::ZERO,
            nic_in: 0,
            nic_out: 0,
            disk_write: 0,
            disk_read: 0,
            fsync: Distribution::Constant(Span::ZERO),
            group_commit: false,
            disk_size: 0,
            disk_sector: 0,
        }
    }
}

impl Hardware {
    /// How long `work` and the receipt of `bytes` bytes (if a message) keep the server busy.
    pub fn cost(&self, work: &Work, received: Option<usize>) -> Span {
        let kib = |per: Span, bytes: u64| per.nanos().saturating_mul(bytes) / 1024;
        let times = |per: Span, n: u32| per.nanos().saturating_mul(u64::from(n));
        // What may be spread over the cores. Most handlers have none of it, and none of what comes
        // after: divisions are dear.
        let mut spread = times(self.verify_batched, work.verify_batched);
        spread = spread.saturating_add(work.parallel_ns);
        if spread > 0 {
            spread = spread.div_ceil(u64::from(self.cores.max(1)));
        }
        let mut parts = [
            times(self.verify, work.verify),
            spread,
            kib(self.hash_per_kib, work.hash_bytes),
            kib(self.encrypt_per_kib, work.encrypt_bytes),
            kib(self.per_kib, work.parse_bytes),
            kib(self.per_kib_stored, work.store_bytes),
            times(self.execute, work.execute),
            times(self.per_request, work.requests),
            work.fixed_ns,
        ]
        .into_iter()
        .fold(times(self.sign, work.sign), u64::saturating_add);
        if let Some(bytes) = received {
            parts = parts
                .saturating_add(self.per_message.nanos())
                .saturating_add(kib(self.per_kib, bytes as u64));
        }
        parts = self.at_speed(parts);
        let cost = Span::from_nanos(parts);
        if work.read_bytes == 0 {
            return cost;
        }
        cost + transfer(work.read_bytes, self.disk_read.saturating_mul(8))
    }

    /// Nanoseconds of a machine of speed 1, on this one.
    fn at_speed(&self, ns: u64) -> u64 {
        if self.speed_permille == 1_000 {
            return ns;
        }
        ns.saturating_mul(1_000) / u64::from(self.speed_permille.max(1))
    }

    /// Does sending keep the server busy?
    #[inline]
    pub fn pays_for_sending(&self) -> bool {
        self.per_message_sent.nanos() | self.per_kib_sent.nanos() != 0
    }

    /// How long handing a message of `bytes` bytes to the network card for `receivers` keeps the
    /// server busy.
    pub fn sending(&self, receivers: usize, bytes: usize) -> Span {
        let each = self.per_kib_sent.nanos().saturating_mul(bytes as u64) / 1024;
        let each = each.saturating_add(self.per_message_sent.nanos());
        Span::from_nanos(self.at_speed(each.saturating_mul(receivers as u64)))
    }
}

/// A node of the run, as the kernel sees it.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Its name, for random streams and diagnostics.
    pub name: String,
    /// Index of its region in the delay table.
    pub region: u32,
    /// Nodes of one site talk over the site's own network and share the fate of its lines: a
    /// partition never comes between them.
    pub site: u32,
    /// Its machine.
    pub hardware: Arc<Hardware>,
    /// Offset of its wall clock, nanoseconds.
    pub clock_offset_ns: i64,
    /// Drift of its wall clock, parts per billion.
    pub clock_drift_ppb: i64,
}

/// The network.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// One-way delay between regions, `[from][to]`.
    pub regions: Vec<Vec<Distribution>>,
    /// The line between any two nodes of different sites.
    pub link: Link,
    /// The line inside a site.
    pub site_link: Link,
    /// Lines between sites that differ from `link`.
    pub groups: LineGroups,
    /// Up-links that sites share.
    pub uplinks: Vec<Uplink>,
}

/// How the future event list keeps what it holds. No result depends on it: the others are there
/// to be compared with, in tests and benchmarks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum EventList {
    /// A wheel; the arrivals of large multicasts wait in segments.
    #[default]
    Segments,
    /// A wheel with a ticket for each receiver.
    Tickets,
    /// A binary heap with a ticket for each receiver.
    Heap,
}
