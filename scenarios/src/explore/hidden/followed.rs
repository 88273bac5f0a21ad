//! A light client is shown what was never decided, by the only node that it asks.

use super::{CALM_MS, Faults, Hidden, LENGTH_MS};
use crate::explore::world::World;
use consim_models::consensus::ProtocolEntry;
use std::fmt::Write as _;

/// Members before the last one joins: enough that a third of them is more than one.
const SEVEN: u8 = 7;
/// Founders, of whom a quorum is needed to go on from the genesis, and who take their places.
const FOUNDERS: usize = 4;
const HEIRS: usize = 5;
/// When they do, milliseconds.
const GROWTH_MS: u64 = 6_000;
const FAREWELL_MS: u64 = 10_000;

impl Hidden {
    /// Whom it asks says that another one joined, who signs all that follows; or that all have left. Sometimes with
    /// the key of the chain's administrator.
    pub(super) fn false_headers(&self, seed: u64, protocol: &ProtocolEntry) -> String {
        let world = World {
            checkpoint: 1,
            ..self.plain(SEVEN + 1)
        };
        let ground = world.ground(protocol.name);
        let liar = ground.names(vec![self.roles[0]]);
        let verification = if self.from_one {
            "sequential"
        } else {
            "skipping"
        };
        let light = format!(
            ", light_clients: {{ full_nodes: {liar}, witnesses: 0, verification: {verification} }}"
        );
        let head = world.head_followed(protocol, LENGTH_MS, &light);
        let last = ground.names(vec![usize::from(SEVEN)]);
        format!(
            "{head}changes: {{ newcomer: {{ at: {}ms, join: {last} }} }}
seed: {seed}
adversaries: {{ liar: {{ nodes: {liar} }} }}
attacks:
  headers: {{ at: {}ms, for: {}ms, fake-header: {{ lie: phantom, administrator: {} }} }}
",
            self.at + self.after,
            self.at,
            CALM_MS - self.at,
            self.sees
        )
    }

    /// The keys of founders are stolen after they left. Who comes late trusts the genesis, which is too old by then.
    pub(super) fn old_history(&self, seed: u64, protocol: &ProtocolEntry) -> String {
        let quorum = (protocol.quorum)(FOUNDERS);
        let robbed = (2..=quorum).fold(String::new(), |mut names, number| {
            let comma = if names.is_empty() { "" } else { ", " };
            let _ = write!(names, "{comma}founder-{number}");
            names
        });
        // It is up when the genesis is older than it trusts anything.
        let trusted = 6_000 + self.unseen;
        let late = FAREWELL_MS + trusted + self.after;
        let from = FAREWELL_MS + 1_000 + self.after;
        let mut faults = Faults::default();
        faults.add(
            "late",
            1_000,
            late,
            "crash: { target: clinic-1, restart: empty }",
        );
        format!(
            "consim: 1
duration: {LENGTH_MS}ms
warmup: 2s
network: {{ regions: one-place }}
organisations:
  founder: {{ tier: tertiary, count: {FOUNDERS} }}
  hospital: {{ tier: tertiary, count: {HEIRS} }}
  clinic: {{ tier: community, count: 2, roles: [light-client] }}
chains:
  ledger: {{ members: [founder, hospital], consensus: {}, timeout: 1s, light_clients: {{ full_nodes: founder-1, witnesses: 0, trusting_period: {trusted}ms }} }}
services: {{ store: {{ key-value: {{ keys: 8 }} }} }}
workloads:
  clients: {{ at: {FAREWELL_MS}ms, transactions: {{ service: store, read_share: 40% }}, from: hospital, load: 1/s }}
changes:
  growth: {{ at: {GROWTH_MS}ms, join: hospital }}
  farewell: {{ at: {FAREWELL_MS}ms, leave: founder }}
seed: {seed}
adversaries: {{ thief: {{ nodes: founder-1, keys: [{robbed}] }} }}
attacks:
  history: {{ at: {from}ms, for: {}ms, by: thief, long-range: ledger }}
faults:
{}",
            protocol.name,
            LENGTH_MS - from - 5_000,
            faults.0
        )
    }
}
