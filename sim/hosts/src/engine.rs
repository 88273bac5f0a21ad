//! The loop around a process: events in, effects out.

use crate::wire::frame;
use consim_core::{
    Context, Disk, Effect, Effects, Event, NodeId, Payload, Probe, Process, Span, Streams, Time,
    TimerKey, Write, WriteToken,
};
use rand_chacha::ChaCha12Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::{Instant, sleep_until};

/// Is told every observation of a node, as it is made.
pub type Observe = Arc<dyn Fn(Time, NodeId, &Probe) + Send + Sync>;

/// What a host is told.
#[derive(Clone)]
pub struct HostConfig {
    /// This node.
    pub node: NodeId,
    /// Its name, which names its random stream as in the kernel.
    pub name: String,
    /// All randomness.
    pub streams: Streams,
    /// Calendar time of time zero, nanoseconds after the Unix epoch.
    pub start_ns: i64,
    /// From the request to write until it is durable; writes follow one another.
    pub disk_delay: Span,
    /// Is told what the process observes.
    pub observe: Observe,
}

/// What outlives the crash of a process: the disk in memory.
#[derive(Debug, Default)]
pub struct Storage {
    disk: Disk,
    started: bool,
}

/// A message on its way in.
pub(crate) type Incoming = (NodeId, Arc<dyn Payload>);
/// The ways out: to each node a queue of frames; none to this node itself.
pub(crate) type Ways = Vec<Option<Sender<Arc<[u8]>>>>;

/// A write under way: when it is durable, its token, what is written.
type UnderWay = (Time, WriteToken, Vec<Write>);

/// A host: a process with its timers, disk and ways out.
pub(crate) struct Engine {
    config: HostConfig,
    process: Box<dyn Process>,
    storage: Arc<Mutex<Storage>>,
    ways: Ways,
    /// The instant that is time zero.
    zero: Instant,
    deadlines: BTreeSet<(Time, TimerKey)>,
    timers: BTreeMap<TimerKey, Time>,
    writes: VecDeque<UnderWay>,
    effects: Effects,
    rng: Option<Box<ChaCha12Rng>>,
}

impl Engine {
    /// A host whose process has not started; `zero` is the instant that is time zero.
    pub(crate) fn new(
        config: HostConfig,
        process: Box<dyn Process>,
        storage: Arc<Mutex<Storage>>,
        ways: Ways,
        zero: Instant,
    ) -> Self {
        Self {
            config,
            process,
            storage,
            ways,
            zero,
            deadlines: BTreeSet::new(),
            timers: BTreeMap::new(),
            writes: VecDeque::new(),
            effects: Effects::default(),
            rng: None,
        }
    }

    /// Runs until the way in is closed.
    pub(crate) async fn run(mut self, mut inbox: Receiver<Incoming>) {
        self.start();
        loop {
            let due = self.due().map(|at| self.zero + duration(at - Time::ZERO));
            // What is due goes first, so that a flood of messages holds up no timer.
            tokio::select! {
                biased;
                () = wait(due) => self.fire(),
                message = inbox.recv() => match message {
                    Some((from, payload)) => {
                        self.handle(Event::Message { from, payload: &payload });
                    }
                    None => return,
                },
            }
        }
    }

    fn now(&self) -> Time {
        let since = Instant::now().saturating_duration_since(self.zero);
        Time::ZERO + Span::from_nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The first instant at which something is due.
    fn due(&self) -> Option<Time> {
        let timer = self.deadlines.first().map(|&(at, _)| at);
        let write = self.writes.front().map(|&(at, ..)| at);
        timer.into_iter().chain(write).min()
    }

    fn start(&mut self) {
        let storage = Arc::clone(&self.storage);
        let mut storage = storage.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut storage.started, true) {
            self.handle(Event::Recover(&storage.disk));
        } else {
            self.handle(Event::Start);
        }
    }

    /// Hands the process what is due: completed writes, then timers, by time.
    fn fire(&mut self) {
        let now = self.now();
        while let Some(&(at, ..)) = self.writes.front()
            && at <= now
            && let Some((_, token, writes)) = self.writes.pop_front()
        {
            let mut storage = self.storage.lock().unwrap_or_else(PoisonError::into_inner);
            for write in writes {
                storage.disk.apply(write);
            }
            drop(storage);
            self.handle(Event::Persisted(token));
        }
        // A timer that a handler sets now has its turn after the messages that are here.
        let until = (now, TimerKey(u64::MAX));
        let due: Vec<_> = self.deadlines.range(..=until).copied().collect();
        for (at, key) in due {
            if self.deadlines.remove(&(at, key)) {
                self.timers.remove(&key);
                self.handle(Event::Timer(key));
            }
        }
    }

    fn handle(&mut self, event: Event<'_>) {
        let now = self.now();
        let (streams, name) = (self.config.streams, &self.config.name);
        let mut make_rng = || streams.stream(&format!("node/{name}"));
        let mut effects = std::mem::take(&mut self.effects);
        effects.clear();
        let wall_ns = self.config.start_ns.saturating_add_unsigned(now.nanos());
        self.process.handle(
            &mut Context::new(
                now,
                wall_ns,
                self.config.node,
                &mut effects,
                &mut make_rng,
                &mut self.rng,
            ),
            event,
        );
        for probe in effects.probes.drain(..) {
            (self.config.observe)(now, self.config.node, &probe);
        }
        for effect in effects.list.drain(..) {
            self.carry_out(now, effect);
        }
        self.effects = effects;
    }

    fn carry_out(&mut self, now: Time, effect: Effect) {
        match effect {
            Effect::Send { to, payload } => self.send(&[to], &*payload),
            Effect::Multicast { to, payload } => self.send(&to, &*payload),
            Effect::SetTimer { key, after } => {
                self.cancel(key);
                self.timers.insert(key, now + after);
                self.deadlines.insert((now + after, key));
            }
            Effect::CancelTimer { key } => self.cancel(key),
            Effect::Persist { token, writes } => {
                let free = self.writes.back().map_or(now, |&(at, ..)| at.max(now));
                let done = free + self.config.disk_delay;
                self.writes.push_back((done, token, writes));
            }
        }
    }

    fn cancel(&mut self, key: TimerKey) {
        if let Some(at) = self.timers.remove(&key) {
            self.deadlines.remove(&(at, key));
        }
    }

    /// Encodes once, for all receivers. A frame for which a queue has no room is lost, as on a
    /// network: processes repeat what matters.
    fn send(&self, to: &[NodeId], payload: &dyn Payload) {
        let mut bytes = Vec::with_capacity(payload.encoded_len());
        payload.encode(&mut bytes);
        let Some(frame) = frame(&bytes) else {
            return;
        };
        let frame: Arc<[u8]> = frame.into();
        let ways = to.iter().filter_map(|to| self.ways.get(to.index()));
        for way in ways.flatten() {
            let _lost_if_full = way.try_send(Arc::clone(&frame));
        }
    }
}

fn duration(span: Span) -> Duration {
    Duration::from_nanos(span.nanos())
}

/// Waits until `due`, or for ever.
async fn wait(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
