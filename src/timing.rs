//! `timing.json`: how long it took, on what. The only file of a run that differs from run to run.

use consim_check::outcome::Outcome;
use consim_scenarios::run::LedgerMemory;
use serde::Serialize;
use std::path::Path;

/// How long a run took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Timing {
    /// Wall time of the simulation, seconds.
    pub(crate) wall_s: f64,
    /// Handler calls per second of wall time.
    pub(crate) events_per_s: f64,
    /// Delivered messages per second of wall time.
    pub(crate) messages_per_s: f64,
    /// Virtual seconds per second of wall time.
    pub(crate) speed: f64,
    /// The most memory that the process held, KiB; 0 where the system does not say.
    pub(crate) peak_memory_kib: u64,
    /// What the process held at the end of the run, KiB; 0 where the system does not say.
    pub(crate) live_memory_kib: u64,
    /// What the ledgers of all nodes held at the end, every shared part once.
    pub(crate) ledgers: Ledgers,
    /// Operating system and processor architecture.
    pub(crate) machine: String,
    /// Cores that the process may use.
    pub(crate) cores: usize,
}

/// What the ledgers of all nodes held.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Ledgers {
    /// Live bytes of state.
    state_bytes: u64,
    /// The most that these were.
    state_peak_bytes: u64,
    /// Blocks that were made by execution.
    blocks: u64,
    /// Their bytes.
    block_bytes: u64,
    /// Blocks that a node took from another one's execution.
    shared_blocks: u64,
}

impl From<LedgerMemory> for Ledgers {
    fn from(memory: LedgerMemory) -> Self {
        let LedgerMemory {
            state_bytes,
            state_peak_bytes,
            blocks,
            block_bytes,
            shared_blocks,
        } = memory;
        Self {
            state_bytes,
            state_peak_bytes,
            blocks,
            block_bytes,
            shared_blocks,
        }
    }
}

impl Timing {
    pub(crate) fn new(wall_s: f64, outcome: &Outcome, memory: LedgerMemory) -> Self {
        let per_second = |n: f64| n / wall_s.max(1e-9);
        Self {
            wall_s,
            events_per_s: per_second(outcome.events as f64),
            messages_per_s: per_second(outcome.messages as f64),
            speed: per_second(outcome.virtual_seconds),
            peak_memory_kib: memory_kib("VmHWM:"),
            live_memory_kib: memory_kib("VmRSS:"),
            ledgers: memory.into(),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }

    pub(crate) fn write(&self, dir: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(dir.join("timing.json"), text)
    }
}

/// Where Linux says it.
fn memory_kib(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(what));
    line.and_then(|l| l.split_whitespace().nth(1))
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}
