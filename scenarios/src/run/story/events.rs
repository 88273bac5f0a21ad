//! The faults and attacks of a plan, in words and with their windows.

use crate::plan::{AttackPlan, Plan};
use crate::run::layout::Layout;
use consim_core::Time;
use consim_kernel::config::{FaultWindow, Target};

/// A window of a fault or an attack.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) from: Time,
    pub(super) until: Time,
    /// What it does, and to whom.
    pub(super) says: String,
}

/// Nodes that are named one by one, at most.
const NAMED: usize = 6;

/// All of them, in the order of their beginning.
pub(super) fn of(plan: &Plan, layout: &Layout) -> Vec<Event> {
    let faults = layout.faults(plan).into_iter();
    let mut events: Vec<Event> = faults.map(|window| fault(window, plan, layout)).collect();
    for (name, attack) in &plan.attacks {
        let held = plan.adversaries.get(&attack.by);
        let held: Vec<String> = held
            .map_or(&[][..], |adversary| &adversary.nodes)
            .iter()
            .filter_map(|&i| plan.institutions.get(i).map(|x| x.name.clone()))
            .collect();
        for &(number, from, until) in &attack.windows {
            events.push(Event {
                id: AttackPlan::id(name, number),
                from,
                until,
                says: format!("attack {} by {}", attack.kind, list(&held)),
            });
        }
    }
    events.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
    events
}

fn fault(mut window: FaultWindow, plan: &Plan, layout: &Layout) -> Event {
    let targets: Vec<String> = window
        .kind
        .targets()
        .into_iter()
        .map(|target| match target {
            Target::Nodes(nodes) => {
                let names: Vec<String> = nodes.iter().map(|&n| layout.name(plan, n)).collect();
                list(&names)
            }
            Target::LeaderOf(chain) | Target::LeadersOf(chain) => {
                let name = layout.chains.get(usize::from(chain.0));
                format!("the leader of {}", name.map_or("?", String::as_str))
            }
        })
        .collect();
    let word = window.kind.word();
    Event {
        says: match targets.as_slice() {
            [] => word.to_owned(),
            [one] => format!("{word} of {one}"),
            [first, others @ ..] => format!("{word} of {first}, towards {}", others.join(", ")),
        },
        id: window.id,
        from: window.from,
        until: window.to,
    }
}

fn list(names: &[String]) -> String {
    match names.get(NAMED..) {
        Some(rest) if !rest.is_empty() => {
            let named = names.get(..NAMED).unwrap_or_default().join(", ");
            format!("{named} and {} more", rest.len())
        }
        _ => names.join(", "),
    }
}
