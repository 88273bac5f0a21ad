//! The scenarios that are built in.

use crate::data;
use crate::schema::shape::suggestion;
use consim_core::values::{Name, Value as _};
use std::path::Path;

/// A scenario of the library.
#[derive(Clone, Copy, Debug)]
pub struct LibraryEntry {
    /// Its word: `preset:NAME` in `base`.
    pub name: &'static str,
    /// Its file in the repository.
    pub path: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! library {
    ($($folder:literal / $name:literal,)*) => {
        &[$(LibraryEntry {
            name: $name,
            path: concat!("scenarios/", $folder, "/", $name, ".yaml"),
            text: include_str!(concat!("../", $folder, "/", $name, ".yaml")),
        },)*]
    };
}

/// All scenarios of the library.
pub const LIBRARY: &[LibraryEntry] = library![
    "attacks" / "alliance-censor",
    "attacks" / "alliance-diverge",
    "attacks" / "alliance-equivocate",
    "attacks" / "alliance-forget-lock",
    "attacks" / "alliance-interfere",
    "attacks" / "alliance-invalid-block",
    "attacks" / "alliance-lying-sync",
    "attacks" / "alliance-malformed",
    "attacks" / "alliance-mutate",
    "attacks" / "alliance-replay-old",
    "attacks" / "alliance-silence",
    "attacks" / "alliance-twins",
    "attacks" / "bad-disks",
    "attacks" / "change-in-a-cut",
    "attacks" / "consensus-amnesia-f-plus-1",
    "attacks" / "consensus-cut-and-traitor",
    "attacks" / "consensus-matrix",
    "attacks" / "consensus-slow-leader",
    "attacks" / "consensus-traitors",
    "attacks" / "consensus-twins-f-plus-1",
    "attacks" / "double-change",
    "attacks" / "duplicate-key",
    "attacks" / "early-prune",
    "attacks" / "edit-record",
    "attacks" / "exfiltrate",
    "attacks" / "false-members",
    "attacks" / "flapping-links",
    "attacks" / "gray-node",
    "attacks" / "joiner-lied-to",
    "attacks" / "leader-slow-but-correct",
    "attacks" / "light-client-fork",
    "attacks" / "light-client-holds",
    "attacks" / "light-client-phantom",
    "attacks" / "long-range",
    "attacks" / "long-range-holds",
    "attacks" / "long-range-light",
    "attacks" / "lying-relay",
    "attacks" / "mixed-versions",
    "attacks" / "old-backup",
    "attacks" / "operator-mistakes",
    "attacks" / "pbft-f-plus-1",
    "attacks" / "poa-clone",
    "attacks" / "purpose-creep",
    "attacks" / "qbft-amnesia",
    "attacks" / "rack-crash",
    "attacks" / "raft-leader-crash",
    "attacks" / "raft-one-traitor",
    "attacks" / "raft-slow-leader",
    "attacks" / "region-cut",
    "attacks" / "restarts",
    "attacks" / "revoke-race",
    "attacks" / "revoked-certificate",
    "attacks" / "stale-consent",
    "attacks" / "stolen-certificate",
    "attacks" / "stolen-identity",
    "attacks" / "tendermint-amnesia",
    "attacks" / "tendermint-clocks",
    "attacks" / "wrong-clocks",
    "attacks" / "wrong-quorum",
    "attacks" / "wrong-zone",
    "claims" / "claim-7",
    "claims" / "claim-8",
    "claims" / "claim-10",
    "claims" / "claim-16",
    "claims" / "claim-17",
    "claims" / "claim-18",
    "claims" / "claim-22",
    "experiments" / "cometbft",
    "experiments" / "etcd",
    "experiments" / "hotstuff-wan-2chain",
    "experiments" / "hotstuff-wan-3chain",
    "experiments" / "libhotstuff",
    "experiments" / "libhotstuff-lan",
    "paper" / "alliance-outsider",
    "paper" / "alliance-roster",
    "paper" / "alliance-sharing",
    "paper" / "alliance-sharing-faults",
    "paper" / "alliance-sharing-fhir",
    "paper" / "alliance-year",
    "paper" / "fig2-hetero",
    "protocols" / "authority-rotation",
    "protocols" / "bft-smart-wan",
    "protocols" / "clique-even",
    "protocols" / "clique-members",
    "protocols" / "compare",
    "protocols" / "hotstuff-batches",
    "protocols" / "hotstuff-wan",
    "protocols" / "join-leave",
    "protocols" / "light-clients",
    "protocols" / "pbft-n1000",
    "protocols" / "pbft-rough-network",
    "protocols" / "pbft-wan",
    "protocols" / "qbft-timeouts",
    "protocols" / "qbft-wan",
    "protocols" / "raft-lan",
    "protocols" / "raft-members",
    "protocols" / "tendermint-gossip",
    "protocols" / "tendermint-wan",
    "studies" / "alliance-size",
    "studies" / "block-wait",
    "studies" / "traitors",
];

/// The scenarios of the library that judge claims.
pub fn claims() -> impl Iterator<Item = &'static LibraryEntry> {
    let folder = "scenarios/claims/";
    LIBRARY
        .iter()
        .filter(move |entry| entry.path.starts_with(folder))
}

impl LibraryEntry {
    /// What it is about.
    pub fn about(&self) -> &'static str {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix("about: "))
            .unwrap_or_default()
    }
}

/// What `consim new` starts from where no scenario of the library is named.
pub const TEMPLATE: &str = include_str!("../template.yaml");

/// The text of a new scenario `name`, after the scenario `from` of the library.
///
/// Fails with words for the user if one of the two is no name.
pub fn starter(name: &str, from: Option<&str>) -> Result<String, String> {
    Name::parse(name).map_err(|e| format!("{}: {}", e.message, e.help))?;
    let (origin, text) = match from {
        None => ("the template".to_owned(), TEMPLATE.to_owned()),
        Some(preset) => {
            let Some(entry) = LIBRARY.iter().find(|e| e.name == preset) else {
                let known: Vec<&str> = LIBRARY.iter().map(|e| e.name).collect();
                let help = suggestion(preset, &known);
                return Err(format!("no preset is called `{preset}`: {help}"));
            };
            let text = standalone(entry.text);
            let folder = Path::new(entry.path).parent().unwrap_or(Path::new(""));
            (format!("preset:{preset}"), data::standalone(&text, folder))
        }
    };
    let file = format!("{name}.yaml");
    Ok(format!(
        "# {name}, after {origin}.\n\
         #   consim check {file}    every value with its origin\n\
         #   consim run {file}      results and a report\n\
         # Completion in an editor: `consim schema > consim-1.json`, and above these lines\n\
         #   `# yaml-language-server: $schema=consim-1.json`\n\
         {text}"
    ))
}

/// The published experiments of the library.
pub fn experiments() -> impl Iterator<Item = &'static LibraryEntry> {
    let folder = "scenarios/experiments/";
    LIBRARY
        .iter()
        .filter(move |entry| entry.path.starts_with(folder))
}

impl LibraryEntry {
    /// What its file holds.
    pub fn text(&self) -> &'static str {
        self.text
    }
}

/// A text of the library for another folder: its base is named as a preset.
fn standalone(text: &str) -> String {
    let line = |line: &str| -> String {
        let preset = line
            .strip_prefix("base: ")
            .and_then(|base| base.trim().rsplit('/').next()?.strip_suffix(".yaml"))
            .filter(|base| LIBRARY.iter().any(|e| e.name == *base));
        match preset {
            Some(base) => format!("base: preset:{base}\n"),
            None => format!("{line}\n"),
        }
    };
    text.lines().map(line).collect()
}
