//! `hardware`, and the profiles of signature schemes.

use super::decode::At;
use super::delay::Delay;
use super::macros::{record, words};
use consim_core::Span;
use consim_core::values::{BitRate, Bytes, Count, Drift, Factor, Offset, Range, Switch};

record! {
    /// The keys of a machine; profiles of `hardware` hold the same.
    pub struct HardwareKeys {
        /// Cores.
        cores: At<Count>,
        /// All CPU costs are divided by this.
        speed: At<Factor>,
        /// One signature.
        sign: Schemes,
        /// One verification alone.
        verify: Schemes,
        /// One verification in a batch, on one core.
        verify_batched: Schemes,
        /// Hashing a KiB.
        hash: At<Span>,
        /// Encrypting or decrypting a KiB.
        encrypt: At<Span>,
        /// Executing a transaction.
        execute: At<Span>,
        /// Receiving any message.
        per_message: At<Span>,
        /// Receiving a byte.
        per_byte: At<Span>,
        /// Serving a client's request, beside receiving its message.
        per_request: At<Span> = "0ns",
        /// Handing a message to the network card, for each receiver.
        per_message_sent: At<Span> = "0ns",
        /// Handing a KiB to the network card, for each receiver.
        per_kib_sent: At<Span> = "0ns",
        /// Handing a KiB of a mempool's batch to the store, beside what the disk takes.
        per_kib_stored: At<Span> = "0ns",
        /// Network card.
        nic: Nic,
        /// Disk.
        disk: DiskKeys,
        /// A mempool takes a quarter of it at most.
        memory: At<Bytes> = "16GB",
        /// Wall clock, drawn for each node.
        clock: Clock,
    }
}

record! {
    /// Durations by signature scheme; what is left out is that of the scheme's own profile.
    pub struct Schemes {
        /// Ed25519 (RFC 8032).
        ed25519: Option<At<Span>>,
        /// ECDSA over P-256 (FIPS 186-5).
        p256: Option<At<Span>>,
        /// ECDSA over secp256k1 (SEC 2).
        secp256k1: Option<At<Span>>,
        /// BLS over BLS12-381, keys in G1.
        bls: Option<At<Span>>,
        /// SM2 (GB/T 32918).
        sm2: Option<At<Span>>,
    }
}

impl Schemes {
    /// The duration that the machine states for `scheme`.
    pub(crate) fn of(&self, scheme: Scheme) -> Option<Span> {
        let at = match scheme {
            Scheme::Ed25519 => &self.ed25519,
            Scheme::P256 => &self.p256,
            Scheme::Secp256k1 => &self.secp256k1,
            Scheme::Bls => &self.bls,
            Scheme::Sm2 => &self.sm2,
        };
        at.as_ref().map(|at| at.value)
    }
}

words! {
    /// A signature scheme.
    pub enum Scheme: "signature scheme" {
        /// Ed25519 (RFC 8032).
        Ed25519 = "ed25519",
        /// ECDSA over P-256 (FIPS 186-5).
        P256 = "p256",
        /// ECDSA over secp256k1 (SEC 2).
        Secp256k1 = "secp256k1",
        /// BLS over BLS12-381, keys in G1.
        Bls = "bls",
        /// SM2 with SM3 and SM4.
        Sm2 = "sm2",
    }
}

record! {
    /// A profile of a signature scheme with its hash and its cipher.
    pub struct SuiteKeys {
        /// A public key.
        public_key: At<Bytes>,
        /// A signature.
        signature: At<Bytes>,
        /// One signature, on a machine of speed 1x that does not say otherwise.
        sign: At<Span>,
        /// One verification alone, likewise.
        verify: At<Span>,
        /// One verification in a batch, likewise.
        verify_batched: At<Span>,
        /// Adding a signature to a sum of such, likewise. A scheme that says so can aggregate.
        add_signature: Option<At<Span>>,
        /// Adding a public key to a sum of such, likewise.
        add_key: Option<At<Span>>,
        /// Its hash takes this many times the machine's `hash`.
        hash: At<Factor> = "1x",
        /// Its cipher takes this many times the machine's `encrypt`.
        encrypt: At<Factor> = "1x",
    }
}

record! {
    /// `hardware.NAME.nic`.
    pub struct Nic {
        /// Incoming.
        r#in: At<BitRate>,
        /// Outgoing.
        out: At<BitRate>,
    }
}

record! {
    /// `hardware.NAME.disk`.
    pub struct DiskKeys {
        /// Bytes written per second: a size, `/s`.
        write: At<WriteRate>,
        /// Bytes read per second, or `none` for no time at all: a restart reads all that was kept.
        read: At<ReadRate> = "none",
        /// One fsync.
        fsync: Delay,
        /// Writes that wait for the disk share one fsync.
        group_commit: At<Switch> = "false",
        /// What fits; without end if left out. What does not fit waits until there is room.
        size: Option<At<Bytes>>,
        /// A sector, which rots as one; each record has its own if left out.
        sector: Option<At<Bytes>>,
    }
}

record! {
    /// `hardware.NAME.clock`.
    pub struct Clock {
        /// From the true time, at the start.
        offset: At<Range<Offset>>,
        /// Relative speed.
        drift: At<Range<Drift>>,
    }
}

/// A rate of bytes: `200MB/s`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WriteRate(pub(crate) u64);

impl consim_core::values::Value for WriteRate {
    const FORM: &'static str = "a rate of bytes";
    const EXAMPLES: &'static str = "200MB/s";
    fn parse(text: &str) -> Result<Self, consim_core::values::ValueError> {
        BitRate::parse(text).map(|rate| Self(rate.0 / 8))
    }
    fn text(&self) -> String {
        format!("{}/s", Bytes(self.0).text())
    }
}

/// A rate of bytes, or `none` for a disk that takes no time; 0 inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReadRate(pub(crate) u64);

impl consim_core::values::Value for ReadRate {
    const FORM: &'static str = "a rate of bytes or `none`";
    const EXAMPLES: &'static str = "500MB/s or none";
    fn parse(text: &str) -> Result<Self, consim_core::values::ValueError> {
        if text == "none" {
            return Ok(Self(0));
        }
        WriteRate::parse(text).map(|rate| Self(rate.0))
    }
    fn text(&self) -> String {
        match self.0 {
            0 => "none".into(),
            rate => WriteRate(rate).text(),
        }
    }
}
