//! Nodes under an adversary's control: which processes they run, when they misbehave, and what that
//! came to.

use super::chains::Hosted;
use super::layout::Layout;
use crate::plan::{
    AdversaryPlan, AttackPlan, AttackPlanKind, ChainPlan, Interference, Links, Plan,
};
use consim_check::attacks::AttackFigures;
use consim_core::{
    ChainId, Check, Finding, Heal, KeyId, Keyring, NodeId, Observer, Payload, Probe, Process,
    SecretKey, Severity, StateMachine, Streams, Time,
};
use consim_kernel::config::{Delay, FaultKind, FaultWindow, Filter, Flooded, Lines, Target, Which};
use consim_models::adversary::machines::{Count, Diverge, LazyMachine, LazyNode};
use consim_models::adversary::{
    Conduct, HeaderLie, Means, Move, Recorder, Traitor, Twins, TwinsPlan, Windows,
};
use consim_models::consensus::{PROTOCOLS, behaviour};
use consim_models::relay::LyingRelay;
use consim_models::sharing::Suspect;
use consim_models::sharing::insiders::Insider;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The adversaries of a run.
pub(crate) struct Adversaries {
    streams: Streams,
    start_ns: i64,
    chains: Vec<Scene>,
    /// All nodes under control, and those whose keys are stolen, ascending.
    corrupt: Vec<NodeId>,
    attacks: Vec<Planned>,
}

/// A chain that they may attack.
struct Scene {
    id: ChainId,
    plan: ChainPlan,
    members: Arc<[NodeId]>,
    administrator: Option<KeyId>,
}

/// An attack with its nodes.
struct Planned {
    name: String,
    /// The chain, by number.
    on: usize,
    plan: AttackPlan,
    windows: Windows,
    /// The adversary's nodes among the members.
    nodes: Arc<[NodeId]>,
    /// Members whose keys the adversary stole.
    stolen: Vec<NodeId>,
    /// Other nodes of its institutions, which are no members.
    phantoms: Vec<NodeId>,
    /// What the attack is aimed at.
    aimed: Arc<[NodeId]>,
    /// Sides of each view, of twins.
    rounds: Vec<Vec<Vec<NodeId>>>,
    /// What machines did; processes tell by probes.
    count: Count,
}

/// The opening or the end of a window: when, its name, does it open, and does it excuse liveness?
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) at: Time,
    /// The attack, by its number in the run.
    pub(crate) attack: usize,
    pub(crate) id: String,
    pub(crate) open: bool,
    pub(crate) excuses: bool,
}

impl Adversaries {
    pub(crate) fn new(plan: &Plan, layout: &Layout, chains: &[Hosted<'_>]) -> Self {
        let corrupt = corrupt(plan, layout);
        let attacks = plan.attacks.iter().map(|(name, attack)| {
            let adversary = plan.adversaries.get(&attack.by);
            let on = chains.iter().position(|chain| chain.name == attack.chain);
            let on = on.unwrap_or_default();
            let members = chains.get(on).map_or(&[][..], |chain| &chain.members);
            let of = |list: Option<&Vec<usize>>| -> Vec<NodeId> {
                let nodes = layout.servers_of(list.map_or(&[], Vec::as_slice));
                nodes.into_iter().filter(|n| members.contains(n)).collect()
            };
            let mut nodes = of(adversary.map(|a| &a.nodes));
            if let AttackPlanKind::Relay(_) = attack.does {
                let held = adversary.map_or(&[][..], |a| &a.nodes).iter();
                nodes = held.filter_map(|&i| layout.relay(i)).collect();
            }
            let aimed = match &attack.does {
                AttackPlanKind::Silence(who) | AttackPlanKind::Censor(who) => {
                    everything_of(layout, who)
                }
                _ => Vec::new(),
            };
            Planned {
                name: name.clone(),
                windows: attack
                    .windows
                    .iter()
                    .map(|&(_, from, to)| (from, to))
                    .collect(),
                on,
                rounds: rounds(layout, members, &nodes, attack),
                plan: attack.clone(),
                nodes: nodes.into(),
                stolen: of(adversary.map(|a| &a.keys)),
                phantoms: {
                    let held = adversary.map_or(&[][..], |a| &a.nodes).iter();
                    held.filter_map(|&i| layout.desks.get(i).copied()).collect()
                },
                aimed: aimed.into(),
                count: Count::default(),
            }
        });
        Self {
            streams: Streams::new(plan.seed),
            start_ns: plan.start_ns,
            corrupt,
            attacks: attacks.collect(),
            chains: chains
                .iter()
                .map(|chain| Scene {
                    id: chain.id,
                    plan: chain.plan.clone(),
                    members: Arc::clone(&chain.members),
                    administrator: layout.administrator(chain.number()).map(KeyId::from),
                })
                .collect(),
        }
    }

    /// All nodes that count as faulty: under control, or with a stolen key.
    pub(crate) fn corrupt(&self) -> &[NodeId] {
        &self.corrupt
    }

    /// A check that is told only what correct nodes say: generic checks know who is corrupt, a domain
    /// model's do not.
    pub(crate) fn of_correct(&self, check: Box<dyn Check>) -> Box<dyn Check> {
        if self.corrupt.is_empty() {
            return check;
        }
        let corrupt = self.corrupt.clone();
        Box::new(OfCorrect { check, corrupt })
    }

    /// The windows, in order of time; at one instant ends come first.
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        for (place, attack) in self.attacks.iter().enumerate() {
            for &(number, from, to) in &attack.plan.windows {
                let mark = |at, open| Mark {
                    at,
                    attack: place,
                    id: AttackPlan::id(&attack.name, number),
                    open,
                    excuses: attack.plan.beyond,
                };
                marks.extend([mark(from, true), mark(to, false)]);
            }
        }
        marks.sort_by(|a, b| (a.at, a.open, &a.id).cmp(&(b.at, b.open, &b.id)));
        marks
    }

    fn of(&self, node: NodeId) -> impl Iterator<Item = (u16, &Planned)> {
        let numbered = (0u16..).zip(&self.attacks);
        numbered.filter(move |(_, attack)| attack.nodes.contains(&node))
    }

    /// The state machine of a server.
    pub(crate) fn machine(
        &self,
        node: NodeId,
        honest: &Arc<dyn StateMachine>,
    ) -> Arc<dyn StateMachine> {
        let mut machine = Arc::clone(honest);
        for (_, attack) in self.of(node) {
            let windows = Arc::clone(&attack.windows);
            match &attack.plan.does {
                AttackPlanKind::Diverge(rate) => {
                    machine = Arc::new(Diverge {
                        machine,
                        windows,
                        start_ns: self.start_ns,
                        rate: *rate,
                        draws: self.draws(attack, node),
                        count: Arc::clone(&attack.count),
                    });
                }
                AttackPlanKind::LazyVote => {
                    machine = Arc::new(LazyMachine {
                        machine,
                        windows,
                        start_ns: self.start_ns,
                    });
                }
                _ => {}
            }
        }
        machine
    }

    fn draws(&self, attack: &Planned, node: NodeId) -> u64 {
        self.streams
            .key(&format!("attacks/{}/{}", attack.name, node.0))
    }

    /// The process of a server: what `honest` makes, in an adversary's hands if it is there. In a run
    /// with an adversary all others keep a record of what they hear.
    pub(crate) fn server(
        &self,
        node: NodeId,
        keys: &Keyring,
        honest: impl Fn() -> Option<Box<dyn Process>>,
    ) -> Option<Box<dyn Process>> {
        if self.corrupt.is_empty() {
            return honest();
        }
        if !self.corrupt.contains(&node) {
            return Some(Box::new(Recorder(honest()?)));
        }
        let mut process = self.twins(node, &honest)?;
        let mut moves = Vec::new();
        for (number, attack) in self.of(node) {
            if let AttackPlanKind::LazyVote = attack.plan.does {
                process = Box::new(LazyNode {
                    honest: process,
                    attack: number,
                    windows: Arc::clone(&attack.windows),
                });
            }
            let Some(conduct) = attack.conduct() else {
                continue;
            };
            let scene = self.chains.get(attack.on)?;
            let means = self.means(attack, scene, node, keys)?;
            let protocol = PROTOCOLS.iter().find(|p| p.name == scene.plan.protocol)?;
            if let Some(behaviour) = behaviour(protocol, &conduct, &means) {
                moves.push(Move {
                    attack: number,
                    windows: Arc::clone(&attack.windows),
                    behaviour,
                });
            }
        }
        if moves.is_empty() {
            return Some(process);
        }
        Some(Box::new(Traitor::new(process, moves)))
    }

    /// The process of a relay, which signs with these keys.
    pub(crate) fn relay(
        &self,
        node: NodeId,
        keys: &BTreeMap<ChainId, Arc<SecretKey>>,
        honest: Box<dyn Process>,
    ) -> Box<dyn Process> {
        let lies = self
            .of(node)
            .filter_map(|(number, attack)| match attack.plan.does {
                AttackPlanKind::Relay(lie) => Some(Move {
                    attack: number,
                    windows: Arc::clone(&attack.windows),
                    behaviour: Box::new(LyingRelay::new(lie, keys.clone())),
                }),
                _ => None,
            });
        let moves: Vec<Move> = lies.collect();
        if moves.is_empty() {
            return honest;
        }
        Box::new(Traitor::new(honest, moves))
    }

    fn twins(
        &self,
        node: NodeId,
        honest: impl Fn() -> Option<Box<dyn Process>>,
    ) -> Option<Box<dyn Process>> {
        let twins = self.of(node).find(|(_, a)| !a.rounds.is_empty());
        let window = twins.and_then(|(_, attack)| attack.windows.first());
        let (Some((number, attack)), Some(&(from, to))) = (twins, window) else {
            return honest();
        };
        let plan = TwinsPlan {
            attack: number,
            from,
            to,
            accomplices: Arc::clone(&attack.nodes),
            rounds: attack.rounds.clone(),
        };
        let processes = (0..=plan.copies()).map(|_| honest());
        let processes: Vec<_> = processes.collect::<Option<_>>()?;
        Some(Box::new(Twins::new(plan, processes)?))
    }

    /// What a node has to work with: its own key, and those that are stolen.
    fn means(
        &self,
        attack: &Planned,
        scene: &Scene,
        node: NodeId,
        keys: &Keyring,
    ) -> Option<Means> {
        let key: SecretKey = keys.steal(KeyId::from(node))?;
        Some(Means {
            node,
            chain: scene.id,
            members: Arc::clone(&scene.members),
            accomplices: Arc::clone(&attack.nodes),
            quorum: scene.plan.quorum,
            administrator: scene.administrator,
            block: scene.plan.block,
            timeout: scene.plan.timeout,
            key: Arc::new(key),
            stolen: attack
                .stolen
                .iter()
                .filter_map(|&n| keys.steal(KeyId::from(n)).map(Arc::new))
                .collect(),
            phantoms: attack
                .phantoms
                .iter()
                .filter_map(|&n| keys.steal(KeyId::from(n)).map(Arc::new))
                .collect(),
            certified: PROTOCOLS
                .iter()
                .find(|p| p.name == scene.plan.protocol)
                .and_then(|p| {
                    let options = &scene.plan.options;
                    options.certified(scene.plan.checkpoint, p.quorum)
                }),
            keys: keys.clone(),
            draws: self.draws(attack, node),
        })
    }

    /// What an attack did so far; `told` is what processes said by probes, by attack.
    pub(crate) fn effect(&self, attack: usize, told: &[u64]) -> u64 {
        let count = self.attacks.get(attack).map(|a| &a.count);
        let counted = count.map_or(0, |count| count.load(Ordering::Relaxed));
        counted + told.get(attack).copied().unwrap_or(0)
    }

    /// What came of the attacks. `opened` are their windows in order of time, each with the attack's
    /// number and what it had done before; `interfered` is what the kernel counted of windows.
    pub(crate) fn figures(
        &self,
        told: &[u64],
        opened: &[(usize, String, u64)],
        interfered: &BTreeMap<String, u64>,
    ) -> Vec<AttackFigures> {
        let one = |(number, attack): (usize, &Planned)| {
            let mut took_effect = self.effect(number, told);
            let own = opened.iter().filter(|(of, ..)| *of == number);
            let next = own.clone().skip(1).map(|&(.., before)| before);
            let ends = next.chain([took_effect]);
            let windows = own.zip(ends);
            let mut windows: Vec<(String, u64)> = windows
                .map(|((_, id, before), end)| (id.clone(), end - before))
                .collect();
            for (id, count) in &mut windows {
                let more = interfered.get(id).copied().unwrap_or(0);
                *count += more;
                took_effect += more;
            }
            let seconds = |at: Option<Time>| at.map_or(0.0, Time::seconds);
            AttackFigures {
                id: attack.name.clone(),
                kind: attack.plan.kind.clone(),
                code: attack.plan.code.clone(),
                by: attack.plan.by.clone(),
                beyond: attack.plan.beyond,
                nodes: attack.held(),
                from_s: seconds(attack.windows.iter().map(|w| w.0).min()),
                to_s: seconds(attack.windows.iter().map(|w| w.1).max()),
                took_effect,
                windows,
                unit: attack.unit().to_owned(),
                insiders: matches!(attack.plan.does, AttackPlanKind::Insider(_)),
                ..AttackFigures::default()
            }
        };
        self.attacks.iter().enumerate().map(one).collect()
    }
}

/// A check of what correct nodes say.
struct OfCorrect {
    check: Box<dyn Check>,
    corrupt: Vec<NodeId>,
}

impl Observer for OfCorrect {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        if !self.corrupt.contains(&node) {
            self.check.probe(at, node, probe);
        }
    }
    fn sent(&mut self, at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        if !self.corrupt.contains(&from) {
            self.check.sent(at, from, payload, receivers);
        }
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.check.node_up(at, node, up);
    }
    fn stands_still(&mut self, at: Time, node: NodeId, until: Time) {
        self.check.stands_still(at, node, until);
    }
    fn fault(&mut self, at: Time, id: &str, open: bool) {
        self.check.fault(at, id, open);
    }
    fn healed(&mut self, at: Time, heal: &Heal) {
        self.check.healed(at, heal);
    }
    fn end(&mut self, at: Time) {
        self.check.end(at);
    }
}

impl Check for OfCorrect {
    fn name(&self) -> &'static str {
        self.check.name()
    }
    fn code(&self) -> &'static str {
        self.check.code()
    }
    fn severity(&self) -> Severity {
        self.check.severity()
    }
    fn says(&self) -> &'static str {
        self.check.says()
    }
    fn finding(&self) -> Finding {
        self.check.finding()
    }
    fn hears_sends(&self) -> bool {
        self.check.hears_sends()
    }
}

impl Planned {
    /// The adversary's nodes, those whose keys it stole, and its machines that pose as members.
    fn held(&self) -> Vec<NodeId> {
        let mut held: Vec<NodeId> = self.nodes.iter().chain(&self.stolen).copied().collect();
        if makes_up_members(&self.plan.does) {
            held.extend(&self.phantoms);
        }
        held.sort_unstable();
        held
    }
    /// What it makes a process say or hear; none for twins and machines.
    fn conduct(&self) -> Option<Conduct> {
        match &self.plan.does {
            AttackPlanKind::Silence(_) => Some(Conduct::SelectiveSilence {
                to: Arc::clone(&self.aimed),
            }),
            AttackPlanKind::Censor(_) => Some(Conduct::Censor {
                whom: Arc::clone(&self.aimed),
            }),
            AttackPlanKind::Conduct(conduct) => Some(conduct.clone()),
            _ => None,
        }
    }
    fn unit(&self) -> &'static str {
        match &self.plan.does {
            AttackPlanKind::Twins { .. } => "messages of copies",
            AttackPlanKind::Diverge(_) => "transactions diverged",
            AttackPlanKind::LazyVote => "transactions not executed",
            AttackPlanKind::Interfere(Interference::Delay(_)) => "messages delayed",
            AttackPlanKind::Interfere(Interference::Drop(_)) => "messages dropped",
            AttackPlanKind::Insider(plan) => plan.deed.unit(),
            AttackPlanKind::Relay(lie) => lie.unit(),
            _ => self.conduct().map_or("", |conduct| conduct.unit()),
        }
    }
}

/// The insiders at an institution, of whatever adversary.
pub(super) fn insiders_at(plan: &Plan, institution: usize) -> Vec<Insider> {
    let streams = Streams::new(plan.seed);
    let numbered = (0u16..).zip(&plan.attacks);
    let there = numbered.filter_map(|(attack, (name, of))| match &of.does {
        AttackPlanKind::Insider(does) if does.places.contains(&institution) => Some(Insider {
            attack,
            deed: does.deed,
            windows: of.windows.iter().map(|&(_, from, to)| (from, to)).collect(),
            every: does.every,
            draws: streams.key(&format!("attacks/{name}/insider/{institution}")),
        }),
        _ => None,
    });
    there.collect()
}

/// The insider attacks on a chain, and the servers of the institutions where they happen.
pub(super) fn suspects(plan: &Plan, layout: &Layout, chain: &str) -> Vec<Suspect> {
    let numbered = (0u16..).zip(plan.attacks.values());
    let numbered = numbered.filter(|(_, attack)| attack.chain == chain);
    let of = |(attack, of): (u16, &AttackPlan)| match &of.does {
        AttackPlanKind::Insider(does) => Some(Suspect {
            attack,
            deed: does.deed,
            homes: layout.servers_of(&does.places),
        }),
        _ => None,
    };
    numbered.filter_map(of).collect()
}

/// Do machines of the adversary pose as members that there are not?
fn makes_up_members(does: &AttackPlanKind) -> bool {
    let AttackPlanKind::Conduct(Conduct::FakeHeader { lie }) = does else {
        return false;
    };
    matches!(lie, HeaderLie::Phantom { .. })
}

/// The servers that count as faulty, ascending.
pub(super) fn corrupt(plan: &Plan, layout: &Layout) -> Vec<NodeId> {
    let adversaries = plan.adversaries.values();
    let held: Vec<usize> = adversaries.flat_map(AdversaryPlan::held).collect();
    let mut corrupt = layout.servers_of(&held);
    // Whose machine floods with votes signs what its replica never said: its key is no correct one's.
    let floods = plan.faults.values().filter_map(|fault| match &fault.kind {
        FaultKind::Flood(flood) if flood.what == Flooded::ViewChanges => Some(&flood.senders),
        _ => None,
    });
    let senders: Vec<usize> = floods.flatten().map(|n| n.index()).collect();
    corrupt.extend(layout.servers_of(&senders));
    // Machines that pose as members sign what no correct node says.
    for attack in plan.attacks.values() {
        if makes_up_members(&attack.does) {
            let adversary = plan.adversaries.get(&attack.by);
            let nodes = adversary.map_or(&[][..], |a| &a.nodes).iter();
            corrupt.extend(nodes.filter_map(|&i| layout.desks.get(i).copied()));
        }
    }
    corrupt.sort_unstable();
    corrupt.dedup();
    corrupt
}

/// Between the name of an attack's window and the number of one of its lines; no name has it.
const LINE: char = '/';

/// The window of an attack of whose interference on a line the kernel speaks.
pub(super) fn interferes(id: &str) -> Option<&str> {
    id.split_once(LINE).map(|(window, _)| window)
}

/// What adversaries do on lines, as the kernel does it.
pub(super) fn interference(plan: &Plan, layout: &Layout) -> Vec<FaultWindow> {
    let mut windows = Vec::new();
    for (name, attack) in &plan.attacks {
        let AttackPlanKind::Interfere(how) = &attack.does else {
            continue;
        };
        let links = plan.adversaries.get(&attack.by).map(|a| &a.links);
        let on = |list: &[usize]| Target::Nodes(layout.sites_of(list));
        let lines: Vec<Lines> = match links {
            Some(Links::Of(list)) => vec![Lines::Of(on(list))],
            Some(Links::Between(pairs)) => pairs
                .iter()
                .map(|&(a, b)| Lines::Between(on(&[a]), on(&[b])))
                .collect(),
            None => Vec::new(),
        };
        for &(number, from, to) in &attack.windows {
            for (line, lines) in lines.iter().enumerate() {
                let lines = lines.clone();
                let kind = match how {
                    Interference::Delay(add) => FaultKind::Delay(Delay {
                        lines,
                        add: add.clone(),
                    }),
                    Interference::Drop(share) => FaultKind::Filter(Filter {
                        lines,
                        kinds: Vec::new(),
                        hold: false,
                        which: Which::Share(*share),
                    }),
                };
                let id = format!("{}{LINE}{line}", AttackPlan::id(name, number));
                windows.push(FaultWindow { id, from, to, kind });
            }
        }
    }
    windows
}

/// The servers and desks of institutions.
fn everything_of(layout: &Layout, institutions: &[usize]) -> Vec<NodeId> {
    let desks = institutions.iter().filter_map(|&i| layout.desks.get(i));
    let mut nodes = layout.servers_of(institutions);
    nodes.extend(desks.copied());
    nodes
}

/// The sides of twins in each view: those of the plan, or the other members in equal parts.
fn rounds(
    layout: &Layout,
    members: &[NodeId],
    own: &[NodeId],
    attack: &AttackPlan,
) -> Vec<Vec<Vec<NodeId>>> {
    let AttackPlanKind::Twins { copies, rounds } = &attack.does else {
        return Vec::new();
    };
    if rounds.is_empty() {
        let others: Vec<NodeId> = members
            .iter()
            .copied()
            .filter(|n| !own.contains(n))
            .collect();
        let sides = copies + 1;
        let part = |side: usize| {
            let (from, to) = (
                others.len() * side / sides,
                others.len() * (side + 1) / sides,
            );
            others.get(from..to).unwrap_or_default().to_vec()
        };
        return vec![(0..sides).map(part).collect()];
    }
    let sides = |[a, b]: &[Vec<usize>; 2]| vec![layout.servers_of(a), layout.servers_of(b)];
    rounds.iter().map(sides).collect()
}
