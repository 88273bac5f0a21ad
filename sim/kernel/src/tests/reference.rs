//! The rules of time and service, written a second time and as simply as they can be: explicit
//! events for work that is done, one sorted map of events, no stamps, no shared tickets. Thousands
//! of small worlds with coarse times, where ties are everywhere, must have equal histories.

use super::*;
use crate::kernel::Mistake;
use consim_core::mix;
use consim_core::payload::PRIORITY;
use std::collections::BTreeSet;

/// Nanoseconds of a tick. Every time is a whole number of them.
const TICK: u64 = 100;
const NODES: u32 = 4;
const END: u64 = 120;
/// Timer keys of a process.
const KEYS: u64 = 3;

/// What a world is made of.
#[derive(Clone, Copy, Debug)]
struct World {
    seed: u64,
    servers: usize,
    /// One way, ticks.
    delay: u64,
    /// Do bytes take time on the network cards?
    cards: bool,
    priorities: bool,
    crashes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Msg {
    tag: u64,
    /// How many more messages it may cause one after the other.
    hops: u8,
    priority: u8,
    /// Hundreds of bytes: a tick each on a card.
    length: u8,
}
impl Payload for Msg {
    fn kind(&self) -> &'static str {
        "msg"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.tag.to_be_bytes());
        out.resize(out.len() + self.encoded_len() - 8, self.hops);
    }
    fn encoded_len(&self) -> usize {
        usize::from(self.length) * 100
    }
    fn priority(&self) -> u8 {
        self.priority
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What happens to a process, in both models.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happens {
    Start,
    /// With how many writes on the disk.
    Recover(usize),
    Message(u32, Msg),
    Timer(u64),
    Persisted(u64),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Send(u32, Msg),
    Set(u64, u64),
    Cancel(u64),
    Persist(u64),
}

/// A line of history: when, who, what, and the state that came of it.
type Line = (u64, u32, Happens, u64);

/// The process: what it does follows from all that has happened to it.
fn react(world: &World, node: u32, state: &mut u64, happens: Happens) -> (u64, Vec<Act>) {
    let what = match happens {
        Happens::Start => 1,
        Happens::Recover(n) => 2 + n as u64,
        Happens::Message(from, msg) => mix(msg.tag, u64::from(from)),
        Happens::Timer(key) => 1_000 + key,
        Happens::Persisted(token) => 2_000 + token,
    };
    *state = mix(*state ^ world.seed, what ^ u64::from(node) << 56);
    let draw = |i: u64, n: u64| consim_core::rng::below(mix(*state, i), n);
    let work = [0, 0, 1, 2, 4, 7][draw(0, 6) as usize];
    let hops = match happens {
        Happens::Message(_, msg) => msg.hops,
        Happens::Start => 6,
        _ => 3,
    };
    let mut acts = Vec::new();
    let sends = if hops == 0 {
        0
    } else {
        [0, 1, 1, 2][draw(1, 4) as usize]
    };
    for i in 0..sends {
        let msg = Msg {
            tag: mix(*state, 100 + i),
            hops: hops - 1,
            priority: if world.priorities {
                [PRIORITY, PRIORITY, 9, 1][draw(10 + i, 4) as usize]
            } else {
                PRIORITY
            },
            length: 1 + draw(20 + i, 3) as u8,
        };
        acts.push(Act::Send(draw(30 + i, u64::from(NODES)) as u32, msg));
    }
    if draw(2, 2) == 0 {
        acts.push(Act::Set(draw(3, KEYS), draw(4, 6)));
    }
    if draw(5, 3) == 0 {
        acts.push(Act::Cancel(draw(6, KEYS)));
    }
    if draw(7, 6) == 0 {
        acts.push(Act::Persist(draw(8, 1_000)));
    }
    // The order of what it asks for is its own affair.
    if draw(9, 2) == 0 {
        acts.reverse();
    }
    (work, acts)
}

/// Fsync, ticks.
const FSYNC: u64 = 3;

/// Crash windows in ticks: node, from, to.
fn windows(world: &World) -> Vec<(u32, u64, u64)> {
    if !world.crashes {
        return Vec::new();
    }
    let draw = |i: u64, n: u64| consim_core::rng::below(mix(world.seed ^ 0xc4a5, i), n);
    (0..3)
        .map(|i| {
            let from = 1 + draw(i, END - 30);
            let node = draw(10 + i, u64::from(NODES)) as u32;
            (node, from, from + 1 + draw(20 + i, 12))
        })
        .collect()
}

// ---- the kernel ----------------------------------------------------------------------------------

struct Walker {
    world: World,
    state: u64,
    log: Arc<Mutex<Vec<Line>>>,
}
impl Process for Walker {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let happens = match &event {
            Event::Start => Happens::Start,
            Event::Recover(disk) => Happens::Recover(disk.log(1).len()),
            Event::Message { from, payload } => {
                Happens::Message(from.0, *payload.as_any().downcast_ref().unwrap())
            }
            Event::Timer(key) => Happens::Timer(key.0),
            Event::Persisted(token) => Happens::Persisted(token.0),
            Event::Request(_) | Event::Scrubbed(_) => panic!("nobody asks"),
        };
        let node = cx.node().0;
        let (work, acts) = react(&self.world, node, &mut self.state, happens);
        let line = (cx.now().nanos() / TICK, node, happens, self.state);
        assert_eq!(cx.now().nanos() % TICK, 0);
        self.log.lock().unwrap().push(line);
        cx.work(Work::fixed(Span::from_nanos(work * TICK)));
        for act in acts {
            match act {
                Act::Send(to, msg) => cx.send(NodeId(to), Arc::new(msg)),
                Act::Set(key, after) => {
                    cx.set_timer(TimerKey(key), Span::from_nanos(after * TICK));
                }
                Act::Cancel(key) => cx.cancel_timer(TimerKey(key)),
                Act::Persist(token) => {
                    let value = Arc::new(Note(token, 0));
                    cx.persist(WriteToken(token), vec![Write::append(1, value)]);
                }
            }
        }
    }
}
struct Walkers(World, Arc<Mutex<Vec<Line>>>);
impl Spawn for Walkers {
    fn spawn(&mut self, _: NodeId) -> Box<dyn Process> {
        Box::new(Walker {
            world: self.0,
            state: 0,
            log: Arc::clone(&self.1),
        })
    }
}

fn by_kernel(world: &World, mistake: Option<Mistake>) -> Vec<Line> {
    let ticks = |n: u64| Span::from_nanos(n * TICK);
    let rate = if world.cards { 8_000_000_000 } else { 0 }; // a byte a nanosecond
    let hardware = Arc::new(Hardware {
        servers: world.servers as u32,
        nic_in: rate,
        nic_out: rate,
        fsync: Distribution::Constant(ticks(FSYNC)),
        ..Hardware::default()
    });
    let node = |i: u32| NodeConfig {
        name: format!("n-{i}"),
        region: 0,
        site: i,
        hardware: Arc::clone(&hardware),
        clock_offset_ns: 0,
        clock_drift_ppb: 0,
    };
    let fault = |(node, from, to): (u32, u64, u64)| FaultWindow {
        id: "down".into(),
        from: Time::ZERO + ticks(from),
        to: Time::ZERO + ticks(to),
        kind: FaultKind::Crash(Crash::new(Target::Nodes(vec![NodeId(node)]))),
    };
    let log: Arc<Mutex<Vec<Line>>> = Arc::default();
    let config = KernelConfig {
        streams: Streams::new(world.seed),
        start_ns: 0,
        nodes: (0..NODES).map(node).collect(),
        network: NetworkConfig {
            regions: vec![vec![Distribution::Constant(ticks(world.delay))]],
            link: Link::default(),
            site_link: Link::default(),
            groups: LineGroups::default(),
            uplinks: Vec::new(),
        },
        faults: windows(world).into_iter().map(fault).collect(),
        workloads: Vec::new(),
        spawner: Box::new(Walkers(*world, Arc::clone(&log))),
        end: Time::ZERO + ticks(END),
        // Whatever the list is made of.
        list: [EventList::Segments, EventList::Tickets, EventList::Heap][(world.seed % 3) as usize],
    };
    let mut kernel = Kernel::mistaken(config, Nobody::default(), mistake);
    kernel.run_until(Time::MAX);
    drop(kernel);
    Arc::into_inner(log).unwrap().into_inner().unwrap()
}

// ---- the reference -------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Up(u32),
    Down(u32),
    /// The work of a job is done: its effects leave and its server is free.
    Done {
        node: u32,
        life: u32,
        job: u64,
    },
    Arrival {
        from: u32,
        counter: u64,
        to: u32,
        msg: Msg,
    },
    /// The incoming card has the whole message.
    CardDone {
        from: u32,
        to: u32,
        to_life: u32,
        msg: Msg,
    },
    Written {
        node: u32,
        life: u32,
        token: u64,
    },
    Timer {
        node: u32,
        key: u64,
        set: u64,
    },
    /// Who waits is chosen.
    Choose(u32),
}

/// An event that waits, and how it is void before it is served.
#[derive(Clone, Copy, Debug)]
enum Waits {
    Sure(Happens),
    Timer { key: u64, set: u64 },
}

#[derive(Default)]
struct Place {
    /// Of its process; `None` while it is down.
    state: Option<u64>,
    downs: u32,
    life: u32,
    jobs: BTreeMap<u64, Vec<Act>>,
    next_job: u64,
    inbox: Vec<(u8, Waits)>,
    /// Per key: how often it was set or cancelled, and is it set?
    timers: BTreeMap<u64, (u64, bool)>,
    card_out: u64,
    card_in: u64,
    disk_free: u64,
    kept: usize,
    sent: u64,
}

impl Place {
    /// A firing of this timer that waits is void.
    fn forget(&mut self, timer: u64) {
        self.inbox
            .retain(|(_, waits)| !matches!(waits, Waits::Timer { key, .. } if *key == timer));
    }
}

struct Reference {
    world: World,
    now: u64,
    places: Vec<Place>,
    /// Time, class, node, its counter, receiver.
    events: BTreeMap<(u64, u8, u32, u64, u32), Vec<What>>,
    lines: Vec<Line>,
}

impl Reference {
    fn push(&mut self, at: u64, class: u8, node: u32, counter: u64, receiver: u32, what: What) {
        let key = (at, class, node, counter, receiver);
        self.events.entry(key).or_default().push(what);
    }
    fn place(&mut self, node: u32) -> &mut Place {
        &mut self.places[node as usize]
    }
    fn run(world: World) -> Vec<Line> {
        let mut me = Self {
            world,
            now: 0,
            places: (0..NODES).map(|_| Place::default()).collect(),
            events: BTreeMap::new(),
            lines: Vec::new(),
        };
        for (i, (node, from, to)) in windows(&world).into_iter().enumerate() {
            me.push(to, 0, 0, i as u64, 0, What::Up(node));
            me.push(from, 0, 1, i as u64, 0, What::Down(node));
        }
        for node in 0..NODES {
            me.place(node).state = Some(0);
            me.serve(node, Happens::Start);
        }
        while let Some((key, mut list)) = me.events.pop_first() {
            if key.0 > END {
                break;
            }
            me.now = key.0;
            let what = list.remove(0);
            if !list.is_empty() {
                me.events.insert(key, list);
            }
            me.step(what);
        }
        me.lines
    }
    fn step(&mut self, what: What) {
        match what {
            What::Down(node) => {
                let place = self.place(node);
                place.downs += 1;
                if place.downs == 1 {
                    place.state = None;
                    place.life += 1;
                    place.jobs.clear();
                    place.inbox.clear();
                    for timer in place.timers.values_mut() {
                        *timer = (timer.0 + 1, false);
                    }
                    (place.card_in, place.card_out, place.disk_free) = (0, 0, 0);
                }
            }
            What::Up(node) => {
                let place = self.place(node);
                place.downs -= 1;
                if place.downs == 0 {
                    place.state = Some(0);
                    let kept = place.kept;
                    self.serve(node, Happens::Recover(kept));
                }
            }
            What::Done { node, life, job } => {
                if self.place(node).life == life {
                    let acts = self.place(node).jobs.remove(&job).unwrap();
                    self.leave(node, acts);
                    self.push(self.now, 5, node, 0, 0, What::Choose(node));
                }
            }
            What::Arrival {
                from,
                counter,
                to,
                msg,
            } => {
                let (now, cards) = (self.now, self.world.cards);
                let place = self.place(to);
                if place.state.is_none() {
                    return;
                }
                if cards {
                    let ready = now.max(place.card_in + u64::from(msg.length));
                    place.card_in = ready;
                    if ready > now {
                        let to_life = place.life;
                        // Its place among others of that instant is that of an arrival.
                        let done = What::CardDone {
                            from,
                            to,
                            to_life,
                            msg,
                        };
                        return self.push(ready, 2, from, counter, to, done);
                    }
                }
                self.enter(to, msg.priority, Waits::Sure(Happens::Message(from, msg)));
            }
            What::CardDone {
                from,
                to,
                to_life,
                msg,
            } => {
                if self.place(to).life == to_life && self.place(to).state.is_some() {
                    self.enter(to, msg.priority, Waits::Sure(Happens::Message(from, msg)));
                }
            }
            What::Written { node, life, token } => {
                if self.place(node).life == life {
                    self.place(node).kept += 1;
                    self.enter(node, PRIORITY, Waits::Sure(Happens::Persisted(token)));
                }
            }
            What::Timer { node, key, set } => {
                if self.place(node).timers[&key] == (set, true) {
                    self.enter(node, PRIORITY, Waits::Timer { key, set });
                }
            }
            What::Choose(node) => self.choose(node),
        }
    }
    fn enter(&mut self, node: u32, priority: u8, waits: Waits) {
        let servers = self.world.servers;
        let place = self.place(node);
        let at_once = place.inbox.is_empty() && place.jobs.len() < servers;
        place.inbox.push((priority, waits));
        if at_once {
            self.choose(node);
        }
    }
    /// Serves who waits, the most urgent first, while a server is free.
    fn choose(&mut self, node: u32) {
        loop {
            let servers = self.world.servers;
            let place = self.place(node);
            if place.jobs.len() >= servers || place.state.is_none() {
                return;
            }
            let most = place.inbox.iter().map(|(priority, _)| *priority).max();
            let Some(first) = place.inbox.iter().position(|(p, _)| Some(*p) == most) else {
                return;
            };
            match place.inbox.remove(first).1 {
                Waits::Sure(happens) => self.serve(node, happens),
                Waits::Timer { key, set } => {
                    if place.timers[&key] == (set, true) {
                        place.timers.insert(key, (set, false));
                        self.serve(node, Happens::Timer(key));
                    }
                }
            }
        }
    }
    fn serve(&mut self, node: u32, happens: Happens) {
        let (world, now) = (self.world, self.now);
        let place = self.place(node);
        let mut state = place.state.unwrap();
        let (work, acts) = react(&world, node, &mut state, happens);
        place.state = Some(state);
        self.lines.push((now, node, happens, state));
        if work == 0 {
            return self.leave(node, acts);
        }
        let place = self.place(node);
        let (life, job) = (place.life, place.next_job);
        place.next_job += 1;
        place.jobs.insert(job, acts);
        self.push(now + work, 1, node, job, 0, What::Done { node, life, job });
    }
    fn leave(&mut self, node: u32, acts: Vec<Act>) {
        let (world, now) = (self.world, self.now);
        for act in acts {
            let place = self.place(node);
            let life = place.life;
            match act {
                Act::Send(to, _) if to == node => {
                    place.sent += 1;
                }
                Act::Send(to, msg) => {
                    let counter = place.sent;
                    place.sent += 1;
                    let mut depart = now;
                    if world.cards {
                        depart = place.card_out.max(now) + u64::from(msg.length);
                        place.card_out = depart;
                    }
                    let arrival = What::Arrival {
                        from: node,
                        counter,
                        to,
                        msg,
                    };
                    self.push(depart + world.delay, 2, node, counter, to, arrival);
                }
                Act::Set(key, after) => {
                    place.forget(key);
                    let timer = place.timers.entry(key).or_default();
                    *timer = (timer.0 + 1, true);
                    let set = timer.0;
                    self.push(now + after, 4, node, key, 0, What::Timer { node, key, set });
                }
                Act::Cancel(key) => {
                    place.forget(key);
                    let timer = place.timers.entry(key).or_default();
                    *timer = (timer.0 + 1, false);
                }
                Act::Persist(token) => {
                    let done = place.disk_free.max(now) + FSYNC;
                    place.disk_free = done;
                    let written = What::Written { node, life, token };
                    self.push(done, 3, node, done, 0, written);
                }
            }
        }
    }
}

// ---- the comparison ------------------------------------------------------------------------------

/// Worlds of every combination, `seeds` of each.
fn worlds(seeds: u64) -> impl Iterator<Item = World> {
    let flags = move |seed: u64| {
        (0..8u8).flat_map(move |bits| {
            (1..=3).flat_map(move |servers| {
                [0, 1, 2, 5].map(move |delay| World {
                    seed: seed * 1_000 + u64::from(bits),
                    servers,
                    delay,
                    cards: bits & 1 != 0,
                    priorities: bits & 2 != 0,
                    crashes: bits & 4 != 0,
                })
            })
        })
    };
    (0..seeds).flat_map(flags)
}

#[test]
fn histories_are_those_of_the_reference() {
    let (mut lines, mut ties, mut waits) = (0, 0, 0);
    let mut kinds = BTreeSet::new();
    for world in worlds(40) {
        let expected = Reference::run(world);
        let found = by_kernel(&world, None);
        let differ = expected.iter().zip(&found).position(|(a, b)| a != b);
        assert!(
            expected == found,
            "{world:?}: line {differ:?}: {:?} instead of {:?}",
            differ.map(|i| found[i]),
            differ.map(|i| expected[i])
        );
        lines += found.len();
        ties += found.windows(2).filter(|w| w[0].0 == w[1].0).count();
        waits += usize::from(
            found
                .iter()
                .any(|l| matches!(l.2, Happens::Recover(n) if n > 0)),
        );
        kinds.extend(
            found
                .iter()
                .map(|l| std::mem::discriminant(&l.2))
                .map(|d| format!("{d:?}")),
        );
    }
    // The worlds are worth comparing: 3,840 of them, busy, full of ties, with all that can happen.
    assert!(lines > 500_000, "{lines}");
    assert!(ties > lines / 3, "{ties} of {lines}");
    assert!(waits > 100, "{waits}");
    assert_eq!(kinds.len(), 5);
}

#[test]
fn the_comparison_catches_mistakes() {
    let caught = |mistake, fits: fn(&World) -> bool| {
        let worlds: Vec<World> = worlds(4).filter(fits).collect();
        let wrong = |world: &&World| Reference::run(**world) != by_kernel(world, Some(mistake));
        (worlds.iter().filter(wrong).count(), worlds.len())
    };
    for (mistake, fits) in [
        (
            Mistake::CancelledTimerFires,
            (|_| true) as fn(&World) -> bool,
        ),
        (Mistake::CrashedWorkLeaves, |w: &World| w.crashes),
        (Mistake::PriorityIgnored, |w: &World| w.priorities),
        // Without cards it makes no difference when they are reserved.
        (Mistake::CardTakenAtStart, |w: &World| {
            w.servers > 1 && w.cards
        }),
    ] {
        let (wrong, of) = caught(mistake, fits);
        assert!(wrong > of / 4, "{mistake:?}: {wrong} of {of}");
    }
}
