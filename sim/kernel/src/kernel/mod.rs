//! The event loop.

mod ailing;
mod costs;
mod disk;
mod disturb;
mod effects;
mod flights;
mod odd;
mod release;
mod requests;
mod totals;

pub use totals::{LineTotals, Totals};
mod results;

use crate::config::{EventList, FaultWindow, Hardware, NetworkConfig, NodeConfig};
use crate::digest::{Mark, RunDigest};
use crate::faults::{FOLLOW, FaultKind, Faults, Flooded, Views};
use crate::network::{LastTransfer, Network, Place};
use crate::node::{Node, Pending};
use crate::queue::{Item, MAX_SENDS, Queue};
use crate::slab::Sends;
use crate::trace::{Flight, Traced};
use consim_core::payload::PRIORITY;
use consim_core::{
    Context, Effect, Effects, End, Event, NodeId, Observer, Payload, Probe, Process, Sampler, Span,
    Streams, Time, TimerKey, Work, Workload, WriteToken,
};
use costs::Costs;
use disturb::{BACKUP, Backups, is_applied};
use odd::OddBuffers;
use requests::Workloads;
use std::sync::Arc;

/// The most entries that the future event list may hold; beyond it the run ends as partial.
pub(crate) const MAX_PENDING: usize = 50_000_000;

/// The copies from which on those of a multicast wait in segments; for fewer the list is small
/// enough as it is (docs/performance.md).
const SEGMENTS_FROM: usize = 128;

/// Makes the process of a node, at the start of the run and after each crash.
pub trait Spawn: Send {
    /// A fresh process for `node`; the kernel then hands it `Start` or `Recover`.
    fn spawn(&mut self, node: NodeId) -> Box<dyn Process>;
    /// The next processes of `node` are made with the wrong setting of the fault `id`, or without
    /// it again.
    fn configure(&mut self, _node: NodeId, _id: &str, _fault: &FaultKind, _wrong: bool) {}
    /// What `from` floods `to` with, the so-many-th; `None` if it has nothing of the kind.
    fn forge(
        &mut self,
        _what: Flooded,
        _from: NodeId,
        _to: NodeId,
        _number: u64,
    ) -> Option<Arc<dyn Payload>> {
        None
    }
}

/// What a kernel is built from.
pub struct KernelConfig {
    /// All randomness.
    pub streams: Streams,
    /// Calendar time of time zero, nanoseconds after the Unix epoch.
    pub start_ns: i64,
    /// The nodes; a node's number is its index.
    pub nodes: Vec<NodeConfig>,
    /// The network.
    pub network: NetworkConfig,
    /// Fault windows.
    pub faults: Vec<FaultWindow>,
    /// Generators of requests.
    pub workloads: Vec<Box<dyn Workload>>,
    /// Makes processes.
    pub spawner: Box<dyn Spawn>,
    /// The end of the run.
    pub end: Time,
    /// How the future event list keeps what it holds; no result depends on it.
    pub list: EventList,
}

/// How far a run has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// There is more to do.
    More,
    /// The end of the run is reached.
    Done,
}

/// A discrete-event kernel with its observers.
pub struct Kernel<O: Observer> {
    now: Time,
    start_ns: i64,
    end: Time,
    streams: Streams,
    queue: Queue,
    nodes: Vec<Node>,
    /// Where each of them is.
    places: Vec<Place>,
    network: Network,
    sends: Sends,
    faults: Faults,
    backups: Backups,
    workloads: Workloads,
    spawner: Box<dyn Spawn>,
    digest: RunDigest,
    totals: Totals,
    costs: Costs,
    last_transfer: LastTransfer,
    effects: Effects,
    wire: Vec<u8>,
    /// When and where the copies of the send at hand arrive.
    arrivals: Vec<(Time, u32)>,
    odd: OddBuffers,
    /// Did any node crash so far?
    crashed: bool,
    /// Per chain and node: the latest view and its leader.
    views: Views,
    /// Bytes between regions, `[from][to]`.
    flows: Vec<Vec<u64>>,
    observer: O,
    finished: bool,
    /// Are events or messages kept?
    watched: bool,
    /// Events, while somebody wants them.
    trace: Option<Vec<Traced>>,
    /// What became of messages, while somebody wants it.
    flights: Option<Vec<Flight>>,
    #[cfg(test)]
    mistake: Option<Mistake>,
}

/// Mistakes that tests make on purpose, to see that they are caught.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mistake {
    /// A firing that waits is served although its timer was cancelled or set again.
    CancelledTimerFires,
    /// What a handler sent leaves although the node crashed before its work was done.
    CrashedWorkLeaves,
    /// Who came first is served first.
    PriorityIgnored,
    /// With several servers, the network card is taken when a handler begins.
    CardTakenAtStart,
}

/// The nodes; those with the same hardware share the table from which its fsyncs are drawn.
fn nodes(configs: Vec<NodeConfig>) -> Vec<Node> {
    let mut fsyncs: Vec<(Arc<Hardware>, Arc<Sampler>)> = Vec::new();
    let node = |(config, number): (NodeConfig, u32)| {
        let known = fsyncs
            .iter()
            .find(|(hardware, _)| Arc::ptr_eq(hardware, &config.hardware))
            .map(|(_, sampler)| Arc::clone(sampler));
        let fsync = known.unwrap_or_else(|| {
            let sampler = Arc::new(config.hardware.fsync.sampler());
            fsyncs.push((Arc::clone(&config.hardware), Arc::clone(&sampler)));
            sampler
        });
        Node::new(NodeId(number), config, fsync)
    };
    configs.into_iter().zip(0..).map(node).collect()
}

/// What a handler is called with.
#[derive(Clone, Copy)]
enum Call<'a> {
    Start,
    Recover,
    Message { send: u32 },
    Timer(TimerKey),
    Persisted(WriteToken),
    Request(&'a Arc<dyn Payload>),
    Scrubbed,
}

impl<O: Observer> Kernel<O> {
    /// Builds a kernel; every node starts at time zero, in order.
    pub fn new(config: KernelConfig, observer: O) -> Self {
        let mut kernel = Self::idle(config, observer);
        kernel.begin();
        kernel
    }

    /// A kernel that errs.
    #[cfg(test)]
    pub(crate) fn mistaken(config: KernelConfig, observer: O, mistake: Option<Mistake>) -> Self {
        let mut kernel = Self::idle(config, observer);
        kernel.mistake = mistake;
        kernel.begin();
        kernel
    }

    fn idle(config: KernelConfig, observer: O) -> Self {
        let sites = config
            .nodes
            .iter()
            .map(|n| n.site as usize + 1)
            .max()
            .unwrap_or(0);
        let regions = config.network.regions.len();
        let workloads = Workloads::new(config.workloads, config.nodes.len());
        Self {
            now: Time::ZERO,
            start_ns: config.start_ns,
            end: config.end,
            network: Network::new(
                &config.network,
                config.nodes.len(),
                sites,
                config.streams.key("network"),
            ),
            faults: Faults::new(config.faults, config.streams),
            backups: Backups::default(),
            digest: RunDigest::new(config.streams.seed()),
            streams: config.streams,
            queue: match config.list {
                EventList::Heap => Queue::heap(),
                EventList::Tickets => Queue::tickets_below(usize::MAX),
                EventList::Segments => Queue::tickets_below(SEGMENTS_FROM),
            },
            places: config
                .nodes
                .iter()
                .zip(0..)
                .map(|(node, number)| Place {
                    node: number,
                    region: node.region,
                    site: node.site,
                })
                .collect(),
            nodes: nodes(config.nodes),
            sends: Sends::default(),
            workloads,
            spawner: config.spawner,
            totals: Totals::default(),
            costs: Costs::default(),
            last_transfer: LastTransfer::default(),
            effects: Effects::default(),
            wire: Vec::new(),
            arrivals: Vec::new(),
            odd: OddBuffers::default(),
            crashed: false,
            views: Views::new(),
            flows: vec![vec![0; regions]; regions],
            observer,
            finished: false,
            watched: false,
            trace: None,
            flights: None,
            #[cfg(test)]
            mistake: None,
        }
    }

    fn begin(&mut self) {
        for (window, i) in self.faults.windows.iter().zip(0u32..) {
            if window.from <= self.end {
                if let Some((at, _)) = self.faults.backup(i as usize) {
                    let what = BACKUP;
                    self.queue.push(at, Item::Woken { window: i, what });
                }
                // Windows that close at an instant do so before others open at it.
                self.queue.push(
                    window.from,
                    Item::Fault {
                        window: i,
                        open: true,
                    },
                );
                self.queue.push(
                    window.to,
                    Item::Fault {
                        window: i,
                        open: false,
                    },
                );
            }
        }
        for i in 0..self.nodes.len() {
            self.start_node(i, false);
        }
        self.workloads.begin(&mut self.queue, self.now);
    }

    fn start_node(&mut self, i: usize, recover: bool) {
        let process = self.spawner.spawn(NodeId(i as u32));
        if let Some(node) = self.nodes.get_mut(i) {
            node.process = Some(process);
        }
        self.observer.node_up(self.now, NodeId(i as u32), true);
        self.serve(i, if recover { Call::Recover } else { Call::Start });
    }

    /// Runs until `until` (or the end of the run, if that is earlier).
    pub fn run_until(&mut self, until: Time) -> Progress {
        let until = until.min(self.end);
        while let Some(ticket) = self.queue.pop_ticket(until) {
            self.now = ticket.time();
            if self.watched {
                self.traced_step(ticket.time(), ticket.item());
            } else if let Some((send, to, queued)) = ticket.copy() {
                self.arrive(send, to, queued);
            } else {
                self.step_other(ticket.item());
            }
            if self.queue.len() > MAX_PENDING || self.sends.most() >= MAX_SENDS as usize {
                self.totals.partial = true;
                break;
            }
        }
        self.now = until;
        if until < self.end && !self.totals.partial {
            return Progress::More;
        }
        self.finish();
        Progress::Done
    }

    /// From now on every event is kept, to be taken by [`Kernel::take_trace`].
    pub fn trace(&mut self) {
        self.trace = Some(Vec::new());
        self.watched = true;
        self.digest.watch();
    }
    /// The events since the last call, in the order in which they were served.
    pub fn take_trace(&mut self) -> Vec<Traced> {
        self.trace.as_mut().map(std::mem::take).unwrap_or_default()
    }
    #[cold]
    fn traced_step(&mut self, at: Time, item: Item) {
        let flight = self.flights.is_some().then(|| self.flight(item)).flatten();
        let before = flight.map_or(0, |flight| self.cards_waiting(flight.to));
        let before = (self.totals.messages, before);
        let kind = match item {
            Item::Arrival { send, .. } => self.sends.get(send).map(|r| r.payload.kind()),
            _ => None,
        };
        let mut event = Traced::of(at, item, kind.unwrap_or("message"));
        self.step(item);
        if let Some(trace) = &mut self.trace {
            event.effects = self.digest.taken();
            trace.push(event);
        }
        if let Some(flight) = flight {
            self.note_flight(flight, before);
        }
    }

    fn finish(&mut self) {
        if self.finished {
            return;
        }
        self.finished = true;
        for node in &mut self.nodes {
            if node.downs > 0 {
                node.usage.down += self.now - node.down_since;
            }
        }
        for node in &self.nodes {
            self.observer.stored(self.now, node.id, &node.disk);
        }
        self.observer.end(self.now);
    }

    fn step(&mut self, item: Item) {
        match item {
            Item::Arrival {
                send, to, queued, ..
            } => self.arrive(send, to, queued),
            other => self.step_other(other),
        }
    }

    /// Whatever is no message.
    fn step_other(&mut self, item: Item) {
        match item {
            Item::Arrival { .. } => {}
            Item::Acknowledged { from, to } => self.acknowledged(from, to),
            Item::Release { node, .. } => self.release_due(node as usize),
            Item::Wake { node, .. } => self.wake(node as usize),
            Item::Timer { node, key, slot } => self.timer_ticket(node as usize, key, slot),
            Item::Disk { node, op } => self.disk_done(node as usize, op),
            Item::Request {
                workload, counter, ..
            } => self.hand_out(workload, counter),
            Item::Fault { window, open: true } => self.open_fault(window as usize),
            Item::Fault {
                window,
                open: false,
            } => self.close_fault(window as usize),
            Item::Woken { window, what } => self.wake_fault(window as usize, what),
        }
    }

    // ---- arrivals ----------------------------------------------------------------------------

    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a fifth of a message"
    )]
    #[inline(always)]
    fn arrive(&mut self, send: u32, to: u32, queued: bool) {
        if !self.faults.is_quiet() && !self.lets_arrive(send, to, queued) {
            return;
        }
        let Some(record) = self.sends.get(send) else {
            return;
        };
        let (id, counter, from) = (record.id, record.counter, record.from);
        let bytes = u64::from(record.bytes);
        // Without crashes there is no need to look at the sender.
        let never_left = self.crashed
            && (self.nodes.get(from.index()))
                .is_none_or(|sender| sender.epoch_ended_by(record.epoch, record.finish));
        #[cfg(test)]
        let never_left = never_left && self.mistake != Some(Mistake::CrashedWorkLeaves);
        let down = self
            .nodes
            .get(to as usize)
            .is_none_or(|n| n.process.is_none());
        if never_left || down {
            self.sends.release(send);
            return;
        }
        if !queued && self.network.has_uplinks() && self.waits_outside(send, to) {
            return;
        }
        let Some(node) = self.nodes.get_mut(to as usize) else {
            return;
        };
        if !queued {
            // The last bit is in once the NIC is done with what came before and with these bytes.
            let time = self.last_transfer.time(bytes, node.hardware.nic_in);
            let ready = self.now.later(node.nic_in_free + time);
            node.nic_in_free = ready;
            node.usage.nic_in += time;
            if ready > self.now {
                node.nic_in_waiting.push_back(send);
                self.queue.push(
                    ready,
                    Item::Arrival {
                        send,
                        from: from.0,
                        counter,
                        to,
                        queued: true,
                    },
                );
                return;
            }
        } else if !node.card_done(send) {
            // The node crashed while the message was coming in.
            return self.sends.release(send);
        }
        self.totals.messages = self.totals.messages.wrapping_add(1); // no run has 2^64
        self.digest.delivery(self.now, to, id);
        if node.inbox.is_empty() && node.busy_until <= self.now {
            self.serve_message(to as usize, send);
        } else {
            self.wait(to as usize, Pending::Message { send });
        }
    }

    /// An event reaches an up node: it is served at once if the server is free and nobody waits.
    fn enter(&mut self, i: usize, pending: Pending) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        if node.inbox.is_empty() && node.busy_until <= now {
            self.serve_pending(i, pending);
            return;
        }
        self.wait(i, pending);
    }

    /// An event waits for the server.
    #[inline(never)]
    fn wait(&mut self, i: usize, pending: Pending) {
        let priority = match &pending {
            Pending::Message { send } => {
                let record = self.sends.get(*send);
                record.map_or(PRIORITY, |record| record.payload.priority())
            }
            Pending::Request { request } => request.priority(),
            Pending::Timer { .. } | Pending::Persisted { .. } | Pending::Scrubbed => PRIORITY,
        };
        #[cfg(test)]
        let priority = match self.mistake {
            Some(Mistake::PriorityIgnored) => PRIORITY,
            _ => priority,
        };
        if self.faults.asks_inbox() && !self.has_room(i, &pending) {
            return;
        }
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        if let Pending::Timer { slot, .. } = pending
            && let Some(timer) = node.timers.get_mut(slot as usize)
        {
            timer.queued = true;
        }
        node.inbox.push(pending, priority);
        node.usage.inbox_max = node.usage.inbox_max.max(node.inbox.len() as u32);
        if node.wake_at == Time::MAX {
            self.schedule_wake(i);
        }
    }

    fn schedule_wake(&mut self, i: usize) {
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(i) {
            node.wakes += 1;
            node.wake_at = node.busy_until.later(now);
            self.queue.push(
                node.wake_at,
                Item::Wake {
                    node: i as u32,
                    counter: node.wakes,
                },
            );
        }
    }

    fn wake(&mut self, i: usize) {
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        if node.wake_at != self.now {
            return; // a wake of an epoch that ended
        }
        node.wake_at = Time::MAX;
        // Void timer firings take no service; go on to the first real event.
        while let Some(node) = self.nodes.get_mut(i)
            && node.busy_until <= self.now
            && let Some(pending) = node.inbox.pop()
        {
            if self.faults.asks_inbox() {
                self.makes_room(i, &pending);
            }
            self.serve_pending(i, pending);
        }
        if let Some(node) = self.nodes.get(i)
            && !node.inbox.is_empty()
            && node.wake_at == Time::MAX
        {
            self.schedule_wake(i);
        }
    }

    /// Most of what happens in a run.
    fn serve_message(&mut self, i: usize, send: u32) {
        if !(self.odd.garbles && self.refuse(i, send)) {
            self.call(i, Call::Message { send });
        }
        self.sends.release(send);
    }

    fn serve_pending(&mut self, i: usize, pending: Pending) {
        match pending {
            Pending::Message { send } => self.serve_message(i, send),
            Pending::Timer { slot, generation } => {
                let Some(node) = self.nodes.get_mut(i) else {
                    return;
                };
                let Some(timer) = node.timers.get_mut(slot as usize) else {
                    return;
                };
                timer.queued = false;
                let due = timer.generation == generation && timer.armed;
                #[cfg(test)]
                let due = due || self.mistake == Some(Mistake::CancelledTimerFires);
                if due {
                    timer.armed = false;
                    let key = timer.key;
                    node.maybe_idle(slot as usize);
                    self.digest.mark(self.now, Mark::Timer, i as u32, key.0);
                    self.serve(i, Call::Timer(key));
                }
            }
            Pending::Persisted { token } => self.serve(i, Call::Persisted(token)),
            Pending::Request { request } => self.serve(i, Call::Request(&request)),
            Pending::Scrubbed => self.serve(i, Call::Scrubbed),
        }
    }

    // ---- service -----------------------------------------------------------------------------

    fn serve(&mut self, i: usize, call: Call<'_>) {
        self.call(i, call);
    }

    /// Calls a process; inlined, because messages need a small part of it.
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a fifth of a message"
    )]
    #[inline(always)]
    fn call(&mut self, i: usize, call: Call<'_>) {
        if self.nodes.get(i).is_some_and(|node| node.several) {
            self.release_due(i);
        }
        let Some(node) = self.nodes.get_mut(i) else {
            return;
        };
        let (wall_ns, room) = (node.wall_ns(self.start_ns, self.now), node.room());
        let Some(process) = node.process.as_mut() else {
            return;
        };
        let effects = &mut self.effects;
        let streams = self.streams;
        let name = &node.config.name;
        let mut make_rng = || streams.stream(&format!("node/{name}"));
        let mut received = None;
        let clock_read = {
            let mut cx = Context::new(
                self.now,
                wall_ns,
                node.id,
                effects,
                &mut make_rng,
                &mut node.rng,
            )
            .with_room(room);
            match call {
                Call::Start => process.handle(&mut cx, Event::Start),
                Call::Recover => process.handle(&mut cx, Event::Recover(&node.disk)),
                Call::Message { send } => {
                    if let Some(record) = self.sends.get(send) {
                        received = Some(record.bytes as usize);
                        node.usage.messages = node.usage.messages.wrapping_add(1);
                        process.handle(
                            &mut cx,
                            Event::Message {
                                from: record.from,
                                payload: &record.payload,
                            },
                        );
                    }
                }
                Call::Timer(key) => process.handle(&mut cx, Event::Timer(key)),
                Call::Persisted(token) => process.handle(&mut cx, Event::Persisted(token)),
                Call::Request(request) => process.handle(&mut cx, Event::Request(request)),
                Call::Scrubbed => process.handle(&mut cx, Event::Scrubbed(&node.disk)),
            }
            cx.wall_was_read()
        };
        self.totals.events = self.totals.events.wrapping_add(1); // no run has 2^64
        if clock_read && node.wrong_clock {
            for window in node.clock_faults(self.start_ns, self.now) {
                self.faults.count(window, 1);
            }
        }
        if matches!(call, Call::Recover | Call::Scrubbed) {
            effects.work.read_bytes += node.disk.bytes();
        }
        let mut cost = self.costs.of(&node.hardware, &effects.work, received);
        if node.hardware.pays_for_sending() {
            cost += sending(&node.hardware, node.id, &effects.list);
        }
        let watched = self.faults.asks_service();
        if watched {
            let own = node.config.hardware.cost(&effects.work, received);
            let more = cost.nanos().saturating_sub(own.nanos());
            self.faults.slowed(node.id, Span::from_nanos(more));
        }
        effects.work = Work::NONE;
        let finish = self.now + cost;
        node.take_server(finish);
        let several = node.several && finish > self.now;
        #[cfg(test)]
        let several = several && self.mistake != Some(Mistake::CardTakenAtStart);
        node.usage.cpu += cost;
        let node_id = node.id;
        if !effects.delivered.is_empty() {
            effects.delivered.clear();
        }
        let mut applied = false;
        if !effects.probes.is_empty() {
            applied = watched && effects.probes.iter().any(is_applied);
            for probe in effects.probes.drain(..) {
                if let Probe::View {
                    chain,
                    view,
                    leader,
                } = probe
                {
                    let views = self.views.entry(chain).or_default();
                    views.insert(node_id, (view, leader));
                    if self.faults.follow_leaders() {
                        for window in self.faults.behind(chain, view) {
                            let what = FOLLOW;
                            self.queue.push(finish, Item::Woken { window, what });
                        }
                    }
                }
                if let Some((workload, end)) = End::of(&probe, finish, node_id) {
                    self.workloads.ended(&mut self.queue, workload, end);
                }
                self.observer.probe(self.now, node_id, &probe);
            }
        }
        if watched {
            self.pass_points(i, finish, applied);
        }
        // Most handlers ask for nothing.
        if !self.effects.list.is_empty() {
            let mut list = std::mem::take(&mut self.effects.list);
            if several {
                self.put_off(i, finish, &mut list);
            }
            for effect in list.drain(..) {
                self.carry_out(i, finish, effect);
            }
            self.effects.list = list;
        }
    }
}

/// What it takes to hand the messages among `effects` to the network card.
#[cold]
fn sending(hardware: &Hardware, from: NodeId, effects: &[Effect]) -> Span {
    let of = |effect: &Effect| match effect {
        Effect::Send { to, payload } => {
            hardware.sending(usize::from(*to != from), payload.encoded_len())
        }
        Effect::Multicast { to, payload } => {
            let receivers = to.iter().filter(|&&r| r != from).count();
            hardware.sending(receivers, payload.encoded_len())
        }
        Effect::SetTimer { .. } | Effect::CancelTimer { .. } | Effect::Persist { .. } => Span::ZERO,
    };
    effects
        .iter()
        .map(of)
        .fold(Span::ZERO, |sum, one| sum + one)
}
