//! Options of faults of disks.

use crate::schema::decode::At;
use crate::schema::delay::Delay;
use crate::schema::lists::Targets;
use crate::schema::macros::{record, words};
use consim_core::Span;
use consim_core::values::{Bytes, Share};

record! {
    /// Options of `lost-writes`.
    pub struct LostWrites {
        /// Whose disks.
        target: Targets,
        /// What a crash loses of what was not synced.
        which: At<WhichLost> = "suffix",
    }
    main "target";
}

words! {
    /// What a crash loses of what was not synced.
    pub enum WhichLost: "loss of writes" {
        /// The last of it.
        Suffix = "suffix",
        /// Each write with a chance of one half.
        Random = "random",
    }
}

record! {
    /// Options of `torn-write`.
    pub struct TornWrite {
        /// Whose disks.
        target: Targets,
        /// Bytes that are written whole or not at all.
        sector: At<Bytes> = "4KiB",
        /// The chance that a crash stops the drive in the middle of a write.
        share: At<Share> = "90%",
    }
    main "target";
}

record! {
    /// Options of `bit-rot`.
    pub struct BitRot {
        /// Whose disks.
        target: Targets,
        /// When a record rots.
        during: At<During> = "write",
        /// The chance of each record.
        rate: At<Share> = "1%",
    }
    main "target";
}

record! {
    /// Options of `misdirect`.
    pub struct Misdirect {
        /// Whose disks.
        target: Targets,
        /// When a record goes astray.
        during: At<During> = "write",
        /// The chance of each record.
        rate: At<Share> = "1%",
    }
    main "target";
}

words! {
    /// When a record is damaged.
    pub enum During: "moment" {
        /// A node that comes back reads it.
        Read = "read",
        /// It is written.
        Write = "write",
    }
}

record! {
    /// Options of `lying-fsync`.
    pub struct LyingFsync {
        /// Whose disks.
        target: Targets,
        /// What an fsync says that does not make durable.
        how: At<Lie> = "silent",
        /// The chance of each fsync.
        rate: At<Share> = "100%",
    }
    main "target";
}

words! {
    /// What an fsync says that does not make durable.
    pub enum Lie: "lie" {
        /// That it did; a crash loses what it was for.
        Silent = "silent",
        /// That it failed; it is tried again.
        Error = "error",
    }
}

record! {
    /// Options of `disk-full`.
    pub struct DiskFull {
        /// Whose disks.
        target: Targets,
        /// So much still fits when the window opens.
        after: At<Bytes> = "0B",
        /// What the disk does then.
        then: At<ThenFull> = "full",
    }
    main "target";
}

words! {
    /// What a full disk does.
    pub enum ThenFull: "end of a disk" {
        /// It refuses what does not fit.
        Full = "full",
        /// It refuses everything from the first write on that does not fit.
        ReadOnly = "read-only",
    }
}

record! {
    /// Options of `slow-disk`.
    pub struct SlowDisk {
        /// Whose disks.
        target: Targets,
        /// How much longer a write takes.
        add: Delay = "100ms",
    }
    main "target";
}

record! {
    /// Options of `rollback`.
    pub struct Rollback {
        /// Whose volumes.
        target: Targets,
        /// How old the snapshot is; from before the start, an empty volume.
        age: At<Span> = "1h",
    }
    main "target";
}
