//! One plan, run twice side by side: equal runs are equal in every event, and where they are not,
//! the first event that differs says where to look.

use super::layout::Layout;
use super::{Hooks, Run, RunError, Running, slices};
use crate::plan::Plan;
use consim_core::seeded;
use consim_kernel::{Progress, Traced, What};

/// Where two runs of one plan part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// How many events were the same before.
    pub same: u64,
    /// The event of the first run in words; `None` if it has no more.
    pub first: Option<String>,
    /// The event of the second run.
    pub second: Option<String>,
}

/// Runs `plan` twice, in turns of some virtual time, and compares all events: what happened, when,
/// at which node, and every byte that was sent or written for it. Returns the first run, or where
/// the second parts from it.
pub fn twice(
    plan: &Plan,
    hooks: &Hooks,
    progress: &mut dyn FnMut(f64),
) -> Result<Result<Run, Divergence>, RunError> {
    seeded::with(hooks.bug, || side_by_side(plan, hooks, progress))
}

fn side_by_side(
    plan: &Plan,
    hooks: &Hooks,
    progress: &mut dyn FnMut(f64),
) -> Result<Result<Run, Divergence>, RunError> {
    let (mut first, mut second) = (Running::new(plan, hooks)?, Running::new(plan, hooks)?);
    let mut same = 0;
    // What the nodes did at time zero precedes all events.
    if first.kernel.run_digest() != second.kernel.run_digest() {
        let start = || Some("the start of the nodes".to_owned());
        return Ok(Err(Divergence {
            same,
            first: start(),
            second: start(),
        }));
    }
    first.kernel.trace();
    second.kernel.trace();
    for until in slices(plan) {
        let done = first.advance(until) == Progress::Done;
        second.advance(until);
        let (a, b) = (first.kernel.take_trace(), second.kernel.take_trace());
        let parted = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i));
        if let Some(i) = parted {
            let words = |event: Option<&Traced>| event.map(|e| words(e, plan, &first.layout));
            return Ok(Err(Divergence {
                same: same + i as u64,
                first: words(a.get(i)),
                second: words(b.get(i)),
            }));
        }
        same += a.len() as u64;
        if done {
            break;
        }
        progress(until.seconds() / plan.duration.seconds());
    }
    Ok(Ok(first.finish()))
}

/// An event as a person reads it.
fn words(event: &Traced, plan: &Plan, layout: &Layout) -> String {
    let name = |node| layout.name(plan, node);
    let what = match event.what {
        What::Fault { window, open } => {
            let id = plan.faults.keys().nth(window as usize);
            let id = id.map_or("?", String::as_str);
            format!("fault {id} {}", if open { "opens" } else { "closes" })
        }
        What::Woken { window } => {
            let id = plan.faults.keys().nth(window as usize);
            format!("fault {} goes on", id.map_or("?", String::as_str))
        }
        What::Message {
            from,
            counter,
            kind,
        } => format!("message `{kind}` from {}, its send {counter}", name(from)),
        What::Request { workload, counter } => {
            let id = plan.workloads.keys().nth(workload as usize);
            format!(
                "request {counter} of workload {}",
                id.map_or("?", String::as_str)
            )
        }
        What::Release { counter } => format!("what handler {counter} asked for leaves"),
        What::Acknowledged { by } => format!("an acknowledgement of {} is back", name(by)),
        What::Disk { op } => format!("write {op} is done"),
        What::Timer { key } => format!("timer {key:#x}"),
        What::Wake { counter } => format!("wake {counter}"),
    };
    let at = event.at.nanos();
    let node = event
        .node
        .map_or_else(String::new, |n| format!(" at {}", name(n)));
    format!(
        "{}.{:09} s{node}: {what}; its effects hash to {:016x}",
        at / 1_000_000_000,
        at % 1_000_000_000,
        event.effects
    )
}
