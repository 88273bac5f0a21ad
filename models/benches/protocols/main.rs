//! How fast and how small each protocol is: messages and decisions a second of CPU time, bytes a node, and
//! how much faster than real time, for groups of 4 to 256 members; on the machines and lines of the bench
//! of PBFT, with latency, bandwidth, CPU, fault hooks and the run digest on. Each case runs in a process
//! of its own; the last column is against PBFT of as many members in the same run.
//!
//! `cargo bench --bench protocols [-- WORD...]`

#[path = "../pbft/group.rs"]
mod group;
#[path = "../pbft/meter.rs"]
mod meter;

use consim_core::{Span, Time};
use consim_kernel::config::EventList;
use consim_models::consensus::ProtocolOptions;
use consim_models::consensus::bft_smart::BftSmartOptions;
use consim_models::consensus::clique::CliqueOptions;
use consim_models::consensus::hotstuff::{HotStuffOptions, Phases};
use consim_models::consensus::pbft::PbftOptions;
use consim_models::consensus::qbft::{QbftOptions, Variant};
use consim_models::consensus::raft::RaftOptions;
use consim_models::consensus::tendermint::{TendermintOptions, gossip};
use group::{Group, Watch};
use meter::{cpu_seconds, status_kb};
use std::process::Command;

const SIZES: [u32; 5] = [4, 16, 64, 128, 256];
/// Messages of a case, a tenth of which goes by unmeasured.
const MESSAGES: u64 = 2_000_000;

fn protocols() -> [(&'static str, ProtocolOptions); 10] {
    let hotstuff = |phases| {
        ProtocolOptions::HotStuff(HotStuffOptions {
            phases,
            ..HotStuffOptions::default()
        })
    };
    // A period would only make the run longer.
    let qbft = |variant| {
        ProtocolOptions::Qbft(QbftOptions {
            period: Span::ZERO,
            ..QbftOptions::of(variant)
        })
    };
    let pbft = PbftOptions {
        pipeline: 64,
        ..PbftOptions::default()
    };
    // As fast as the lines allow: the period is what it would measure otherwise.
    let clique = CliqueOptions {
        period: Span::from_millis(1),
        ..CliqueOptions::default()
    };
    [
        ("pbft", ProtocolOptions::Pbft(pbft)),
        ("raft", ProtocolOptions::Raft(RaftOptions::default())),
        ("hotstuff", hotstuff(Phases::Three)),
        ("jolteon", hotstuff(Phases::Two)),
        (
            "bft-smart",
            ProtocolOptions::BftSmart(BftSmartOptions::default()),
        ),
        (
            "tendermint",
            ProtocolOptions::Tendermint(TendermintOptions::default()),
        ),
        (
            "tendermint-gossip",
            ProtocolOptions::Tendermint(TendermintOptions {
                gossip: Some(gossip::Terms::default()),
                flood: true,
                ..TendermintOptions::default()
            }),
        ),
        ("qbft", qbft(Variant::Qbft)),
        ("ibft", qbft(Variant::Ibft)),
        ("clique", ProtocolOptions::Clique(clique)),
    ]
}

/// What came of a case.
struct Measured {
    messages: f64,
    decisions: f64,
    spent: f64,
    virtual_seconds: f64,
    bytes_a_node: f64,
}

impl Measured {
    fn words(&self) -> String {
        format!(
            "{} {} {} {} {}",
            self.messages, self.decisions, self.spent, self.virtual_seconds, self.bytes_a_node
        )
    }
    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace().map(str::parse);
        let mut next = || words.next()?.ok();
        Some(Self {
            messages: next()?,
            decisions: next()?,
            spent: next()?,
            virtual_seconds: next()?,
            bytes_a_node: next()?,
        })
    }
}

/// Runs a case until there were so many messages (fewer for profilers that are slow).
fn run(protocol: ProtocolOptions, n: u32, messages: u64) -> Measured {
    let before_kb = status_kb("VmRSS");
    // Something is always in flight; neither the servers nor the ledger are flooded.
    let period = Span::from_micros(150 * u64::from(n)).max(Span::from_millis(5));
    let group = Group {
        n,
        protocol,
        crypto: false,
        checks: false,
        period,
    };
    let mut kernel = group.kernel(EventList::Segments);
    let mut until = Time::ZERO;
    let mut go_on = |kernel: &mut consim_kernel::Kernel<Watch>, messages: u64| {
        while kernel.totals().messages < messages {
            until += period;
            kernel.run_until(until);
        }
        until
    };
    let since = go_on(&mut kernel, messages / 10);
    let (first, blocks, before) = (
        kernel.totals().messages,
        kernel.observer().blocks,
        cpu_seconds(),
    );
    let end = go_on(&mut kernel, messages);
    let spent = cpu_seconds() - before;
    kernel.observer().complain();
    Measured {
        messages: (kernel.totals().messages - first) as f64,
        decisions: (kernel.observer().blocks - blocks) as f64,
        spent,
        virtual_seconds: (end - since).seconds(),
        bytes_a_node: (status_kb("VmHWM") - before_kb) * 1024.0 / f64::from(n),
    }
}

/// Runs a case in a process of its own.
fn child(name: &str, n: u32) -> Option<Measured> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args(["--case", name, &n.to_string()])
        .output()
        .ok()?;
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Measured::parse(&String::from_utf8_lossy(&output.stdout))
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [case, name, n, rest @ ..] = args.as_slice()
        && case == "--case"
    {
        let found = protocols().into_iter().find(|(word, _)| word == name);
        if let (Some((_, protocol)), Ok(n)) = (found, n.parse()) {
            let messages = rest.first().and_then(|m| m.parse().ok());
            println!("{}", run(protocol, n, messages.unwrap_or(MESSAGES)).words());
        }
        return;
    }
    // `cargo test --all-targets` runs this file too, without the mark that `cargo bench` gives.
    if !args.iter().any(|a| a == "--bench") {
        return;
    }
    let wanted: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    println!(
        "{:9} {:>8} {:>13} {:>13} {:>13} {:>12} {:>13}",
        "protocol",
        "members",
        "M messages/s",
        "decisions/s",
        "bytes a node",
        "x real time",
        "against PBFT"
    );
    for n in SIZES {
        let mut base = None;
        for (name, _) in protocols() {
            let asked = wanted.is_empty() || wanted.iter().any(|w| name.contains(w.as_str()));
            if !asked && name != "pbft" {
                continue;
            }
            let Some(m) = child(name, n) else {
                println!("{name:9} {n:>8} has no result");
                continue;
            };
            let rate = m.messages / m.spent;
            let base = *base.get_or_insert(rate);
            println!(
                "{name:9} {n:>8} {:>13.2} {:>13.0} {:>13.0} {:>12.1} {:>11.2} x",
                rate / 1e6,
                m.decisions / m.spent,
                m.bytes_a_node,
                m.virtual_seconds / m.spent,
                rate / base
            );
        }
    }
}
