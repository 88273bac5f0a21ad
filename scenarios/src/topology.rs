//! What distance alone makes of a consortium: latency floors of every protocol.

use crate::plan::{ChainPlan, NetworkPlan, Plan};
use consim_core::{Distribution, Span};
use consim_models::consensus::floor::Delays;
use consim_models::consensus::{PROTOCOLS, ProtocolEntry};
use serde::Serialize;

/// Leaders of whom the floor is computed: more of a large group are left out, evenly.
pub const MAX_LEADERS: usize = 64;

/// The zero-load commit latency of a protocol on a chain's members.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProtocolFloor {
    /// The protocol.
    pub protocol: &'static str,
    /// Does the scenario run it?
    pub chosen: bool,
    /// Votes that a certificate takes.
    pub quorum: usize,
    /// By leader: all members, or of a large group [`MAX_LEADERS`] of them.
    pub leaders: Vec<LeaderFloor>,
}

/// With one leader, from its proposal on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeaderFloor {
    /// The member.
    pub leader: String,
    /// When the leader knows that it is decided, nanoseconds.
    pub at_leader_ns: u64,
    /// When the first member does.
    pub first_ns: u64,
    /// When so many do as a certificate takes.
    pub quorum_ns: u64,
    /// When the last does.
    pub last_ns: u64,
    /// From a member to the leader, and until that member knows; the mean over all members.
    pub submitted_mean_ns: u64,
}

/// A chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ChainFloors {
    /// Its name.
    pub chain: String,
    /// Its members.
    pub members: usize,
    /// The longest one-way delay between two of them, nanoseconds.
    pub diameter_ns: u64,
    /// The mean one-way delay between two of them, nanoseconds.
    pub mean_ns: u64,
    /// Of each protocol that so many members can run.
    pub protocols: Vec<ProtocolFloor>,
}

/// Mean delays between institutions, by their places in the plan.
fn between(network: &NetworkPlan, regions: (usize, usize), sites: (usize, usize)) -> Span {
    let groups = &network.groups;
    let group = |site: usize| usize::from(groups.of_site.get(site).copied().unwrap_or(0));
    let row = groups.line.get(group(sites.0));
    let own = row.and_then(|row| row.get(group(sites.1)).copied().flatten());
    let link = own.and_then(|link| groups.links.get(usize::from(link)));
    let line = link.unwrap_or(&network.link).delay.mean();
    let row = network.delays.get(regions.0);
    let region = row.and_then(|row| row.get(regions.1));
    line + region.map_or(Span::ZERO, Distribution::mean)
}

/// The floors of all chains of a plan.
pub fn floors(plan: &Plan) -> Vec<ChainFloors> {
    let region = |i: usize| plan.institutions.get(i).map_or(0, |x| x.region);
    let name = |i: usize| plan.institutions.get(i).map_or("", |x| x.name.as_str());
    let of_chain = |(chain, only): (&String, &ChainPlan)| {
        let site = |member: usize| only.members.get(member).copied().unwrap_or(0);
        let n = only.members.len();
        let delays = Delays::new(n, |a, b| {
            let sites = (site(a), site(b));
            between(&plan.network, (region(sites.0), region(sites.1)), sites)
        });
        let names: Vec<&str> = only.members.iter().map(|&i| name(i)).collect();
        let protocols = PROTOCOLS.iter().filter(|entry| entry.least <= n);
        let protocols = protocols.map(|entry| of_protocol(entry, &delays, &names, only));
        let pairs = (0..n).flat_map(|a| (0..n).filter(move |&b| a != b).map(move |b| (a, b)));
        let all: Vec<u64> = pairs.map(|(a, b)| delays.between(a, b).nanos()).collect();
        ChainFloors {
            chain: chain.clone(),
            members: n,
            diameter_ns: all.iter().copied().max().unwrap_or(0),
            mean_ns: mean(&all),
            protocols: protocols.collect(),
        }
    };
    plan.chains.iter().map(of_chain).collect()
}

fn mean(all: &[u64]) -> u64 {
    let sum: u128 = all.iter().map(|&ns| u128::from(ns)).sum();
    (sum / all.len().max(1) as u128) as u64
}

fn of_protocol(
    entry: &ProtocolEntry,
    delays: &Delays,
    names: &[&str],
    only: &ChainPlan,
) -> ProtocolFloor {
    let n = delays.members();
    let chosen = entry.name == only.protocol;
    let options = if chosen {
        only.options.clone()
    } else {
        (entry.defaults)()
    };
    let quorum = (entry.quorum)(n);
    let step = n.div_ceil(MAX_LEADERS).max(1);
    let leaders = (0..n).step_by(step).map(|leader| {
        let done = (entry.floor)(&options, delays, leader, quorum);
        let mut sorted = done.clone();
        sorted.sort_unstable();
        let at = |place: usize| sorted.get(place).map_or(0, |span| span.nanos());
        let submitted = done
            .iter()
            .enumerate()
            .map(|(member, done)| (delays.between(member, leader) + *done).nanos());
        LeaderFloor {
            leader: names.get(leader).copied().unwrap_or_default().to_owned(),
            at_leader_ns: done.get(leader).map_or(0, |span| span.nanos()),
            first_ns: at(0),
            quorum_ns: at(quorum.clamp(1, n.max(1)) - 1),
            last_ns: at(n.saturating_sub(1)),
            submitted_mean_ns: mean(&submitted.collect::<Vec<u64>>()),
        }
    });
    ProtocolFloor {
        protocol: entry.name,
        chosen,
        quorum,
        leaders: leaders.collect(),
    }
}
