//! `consim topology`: what distance alone makes of a consortium.

use crate::cli::TopologyArgs;
use crate::exit;
use crate::overrides::{draw_seed, load_options};
use consim_scenarios::load;
use consim_scenarios::topology::{ChainFloors, LeaderFloor, ProtocolFloor, floors};
use std::fmt::Write as _;

/// Runs the verb; returns the exit code.
pub(crate) fn topology(args: &TopologyArgs) -> u8 {
    let loaded = match load(&args.file, &load_options(&args.overrides, draw_seed())) {
        Ok(loaded) => loaded,
        Err(diagnostics) => {
            eprint!("{}", diagnostics.render());
            return exit::BAD_INPUT;
        }
    };
    let chains = floors(&loaded.plan);
    if args.json {
        match serde_json::to_string_pretty(&chains) {
            Ok(text) => sayln!("{text}"),
            Err(error) => {
                eprintln!("error: {error}");
                return exit::OTHER;
            }
        }
        return exit::PASS;
    }
    for chain in &chains {
        say!("{}", distances(chain));
        if args.floors {
            say!("{}", table(chain));
        }
    }
    exit::PASS
}

fn ms(ns: u64) -> String {
    format!("{:.3} ms", ns as f64 / 1e6)
}

fn distances(chain: &ChainFloors) -> String {
    format!(
        "{}: {} members; a message takes {} on average, {} at most\n",
        chain.chain,
        chain.members,
        ms(chain.mean_ns),
        ms(chain.diameter_ns)
    )
}

/// The best, the middle and the worst leader of each protocol.
fn table(chain: &ChainFloors) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "\n{:12} {:>6}  {:7} {:20} {:>12} {:>12} {:>12} {:>12} {:>14}",
        "protocol", "quorum", "leader", "", "at leader", "first", "a quorum", "all", "from members"
    );
    for floor in &chain.protocols {
        out.push_str(&rows(floor));
    }
    out.push_str(
        "\nFrom a proposal until it is decided, in the normal case, by distance alone: no processor, disk,\n\
         line or batch takes time. From members: from a member to the leader, until that member knows; the\n\
         mean of all. *: what the scenario runs.\n\n",
    );
    out
}

fn rows(floor: &ProtocolFloor) -> String {
    let mut leaders: Vec<&LeaderFloor> = floor.leaders.iter().collect();
    leaders.sort_by_key(|leader| (leader.submitted_mean_ns, leader.at_leader_ns));
    let place = |word, at: usize| leaders.get(at).map(|leader| (word, *leader));
    let last = leaders.len().saturating_sub(1);
    let chosen = [
        place("best", 0),
        place("middle", last / 2),
        place("worst", last),
    ];
    let mut out = String::new();
    for (number, (word, leader)) in chosen.into_iter().flatten().enumerate() {
        let (name, quorum) = if number == 0 {
            let mark = if floor.chosen { " *" } else { "" };
            (
                format!("{}{mark}", floor.protocol),
                floor.quorum.to_string(),
            )
        } else {
            (String::new(), String::new())
        };
        let _ = writeln!(
            out,
            "{name:12} {quorum:>6}  {word:7} {:20} {:>12} {:>12} {:>12} {:>12} {:>14}",
            leader.leader,
            ms(leader.at_leader_ns),
            ms(leader.first_ns),
            ms(leader.quorum_ns),
            ms(leader.last_ns),
            ms(leader.submitted_mean_ns)
        );
    }
    out
}
