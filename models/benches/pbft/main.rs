//! How many protocol messages a second of CPU time kernel and PBFT get through, and how small
//! they stay: PBFT of 64, 256 and 1,000 members, a chain of unicasts, 40,000 idle nodes; with
//! latency, bandwidth, CPU, fault hooks and the run digest on.
//!
//! Each case runs in a process of its own, so that its peak memory is its own, and contestants take
//! turns, because the machine's mood changes from minute to minute: only the ratios count. The
//! baseline is the same kernel with a binary heap for its future event list.
//!
//! `cargo bench --bench pbft [-- CASE...]`

mod cases;
mod group;
mod meter;

use cases::{Case, Measured};
use consim_kernel::config::EventList;
use std::process::Command;

/// Turns of each contestant.
const ROUNDS: usize = 3;

/// A line of the table.
struct Row {
    name: &'static str,
    case: Case,
}

/// The first of each group is the baseline's case too.
fn rows() -> Vec<Row> {
    let pbft = |n, crypto, checks| Case::Pbft { n, crypto, checks };
    let row = |name, case| Row { name, case };
    vec![
        row("pbft-64", pbft(64, false, false)),
        row("pbft-64-checked", pbft(64, false, true)),
        row("pbft-64-ed25519", pbft(64, true, false)),
        row("pbft-256", pbft(256, false, false)),
        row("pbft-1000", pbft(1_000, false, false)),
        row("unicast-64", Case::Unicast),
        row("idle-40000", Case::Idle),
    ]
}

fn list_of(word: &str) -> EventList {
    match word {
        "heap" => EventList::Heap,
        "tickets" => EventList::Tickets,
        _ => EventList::Segments,
    }
}

/// Runs a case in a process of its own.
fn child(row: &Row, list: &str) -> Option<Measured> {
    let output = Command::new(std::env::current_exe().ok()?)
        .args(["--case", row.name, list])
        .output()
        .ok()?;
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Measured::parse(&String::from_utf8_lossy(&output.stdout))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn measure(row: &Row) {
    let lists = match row.case {
        Case::Pbft { n, .. } if n >= 128 => vec!["heap", "tickets", "segments"],
        _ => vec!["heap", "tickets"],
    };
    let mut all: Vec<Vec<Measured>> = vec![Vec::new(); lists.len()];
    for _ in 0..ROUNDS {
        for (list, measured) in lists.iter().zip(&mut all) {
            measured.extend(child(row, list));
        }
    }
    let digests: Vec<&String> = all.iter().flatten().map(|m| &m.digest).collect();
    if digests.windows(2).any(|two| two[0] != two[1]) {
        println!("{}: the runs differ", row.name);
    }
    for (list, measured) in lists.iter().zip(&all) {
        let of = |f: fn(&Measured) -> f64| median(measured.iter().map(f).collect());
        let ratio = median(
            measured
                .iter()
                .zip(&all[0])
                .map(|(m, base)| m.rate() / base.rate())
                .collect(),
        );
        let figures = if matches!(row.case, Case::Idle) {
            format!(
                "{:7.2} ms a virtual second, {:.0} bytes a node",
                of(|m| m.spent * 1e3 / m.virtual_seconds),
                of(|m| m.bytes_a_node),
            )
        } else {
            format!(
                "{:7.2} M messages/s, {:8.1} decisions/s, {:6.1} MB",
                of(|m| m.messages / m.spent / 1e6),
                of(|m| m.decisions / m.spent),
                of(|m| m.peak_kb / 1e3),
            )
        };
        println!("{:<16} {list:<9} {figures}  {ratio:5.2} x", row.name);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [case, name, list, rest @ ..] = args.as_slice()
        && case == "--case"
    {
        let messages = rest.first().and_then(|n| n.parse().ok());
        if let Some(row) = rows().into_iter().find(|row| row.name == name) {
            println!("{}", cases::run(row.case, list_of(list), messages));
        }
        return;
    }
    // `cargo test --all-targets` runs this file too, without the mark that `cargo bench` gives.
    if !args.iter().any(|a| a == "--bench") {
        return;
    }
    let wanted: Vec<&String> = args.iter().filter(|a| !a.starts_with('-')).collect();
    println!("seconds are of CPU time; the last column: against the heap, in the same run");
    for row in rows() {
        if wanted.is_empty() || wanted.iter().any(|w| row.name.contains(w.as_str())) {
            measure(&row);
        }
    }
}
