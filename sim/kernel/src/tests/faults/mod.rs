//! What each kind of fault does, next to a run without it.

mod network;
mod process;

use super::*;

fn window(from: u64, to: u64, kind: FaultKind) -> FaultWindow {
    FaultWindow {
        id: "fault".into(),
        from: at(from),
        to: at(to),
        kind,
    }
}
fn of(nodes: &[u32]) -> Target {
    Target::Nodes(nodes.iter().map(|&n| NodeId(n)).collect())
}
fn from_to(from: u32, to: u32) -> Lines {
    Lines::FromTo(of(&[from]), of(&[to]))
}

/// Node 0 sends a numbered note to every other node each 10 ms, from 5 ms to 500 ms on.
fn tick(cx: &mut Context<'_>, event: &Event<'_>) {
    match event {
        Event::Start if cx.node().0 == 0 => cx.set_timer(TimerKey(1), ms(5)),
        Event::Timer(_) if cx.now() < at(500) => {
            let number = cx.now().nanos() / 10_000_000;
            let all: Arc<[NodeId]> = (0..9).map(NodeId).collect();
            cx.multicast(&all, note(number));
            cx.set_timer(TimerKey(1), ms(10));
        }
        _ => {}
    }
}

/// The notes that came to a node: when, and their numbers.
fn came(log: &[(u64, u32, String)], node: u32) -> Vec<(u64, u64)> {
    let notes = log.iter().filter(|line| line.1 == node);
    notes
        .filter_map(|line| {
            let number = line.2.strip_prefix("note ")?.split(' ').next()?;
            Some((line.0 / 1_000_000, number.parse().ok()?))
        })
        .collect()
}

/// A run of [`tick`] on `nodes` nodes under faults.
fn ticked(nodes: u32, faults: Vec<FaultWindow>) -> (Vec<(u64, u32, String)>, Kernel<Nobody>) {
    Setup {
        nodes,
        faults,
        end: at(5_000),
        ..Setup::default()
    }
    .run(tick)
}
fn took(kernel: &Kernel<Nobody>) -> u64 {
    kernel.fault_effects()[0].took_effect
}
