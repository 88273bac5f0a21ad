//! B1, `twins`: several copies of one node, with the same key and each with a state of its own
//! (S. Bano et al., "Twins: BFT Systems Made Robust", OPODIS 2021).
//!
//! All copies run on the one machine of the node and share its identity on the wire, so that nothing
//! outside knows how many there are: one process hosts them. Up to the window the copies are one:
//! they handle the same events, and what they ask for is asked for once. Then they part: each talks
//! to its side only, and only the first keeps the node's disk. At the end of the window the copies
//! are gone and the first goes on alone.

use super::traitor::carry;
use consim_core::{
    CodecError, Context, Effect, Effects, Event, NodeId, Payload, Probe, Process, Slot, Time,
    TimerKey, Write, WriteToken,
};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Timers and write tokens of a copy have its number from this bit on.
const COPY_AT: u32 = 56;
/// The bits of that number.
const COPIES: u64 = 0x1f << COPY_AT;
/// Logs and tables of copies have this bit: they cost what a disk costs, and nobody reads them.
const BESIDE: u8 = 0x80;

/// How twins part.
#[derive(Clone, Debug)]
pub struct TwinsPlan {
    /// The attack's number in the run.
    pub attack: u16,
    /// When they part.
    pub from: Time,
    /// When the copies are gone.
    pub to: Time,
    /// Other nodes that are twins of the same attack: copies talk to the copies of their side.
    pub accomplices: Arc<[NodeId]>,
    /// For each view, counted from the one in which they part: the members that the first and each
    /// copy talk to. The last one stays. Who is on no side hears all of them.
    pub rounds: Vec<Vec<Vec<NodeId>>>,
}

impl TwinsPlan {
    /// How many copies there are beside the first.
    pub fn copies(&self) -> usize {
        let sides = self.rounds.iter().map(Vec::len).max();
        sides.unwrap_or(0).saturating_sub(1)
    }
    /// Does side `side` talk to `node` in this round?
    fn joins(&self, round: u64, side: usize, node: NodeId) -> bool {
        let last = self.rounds.len().saturating_sub(1);
        let round = usize::try_from(round).unwrap_or(last).min(last);
        let Some(sides) = self.rounds.get(round) else {
            return true;
        };
        let on_some = sides.iter().any(|list| list.contains(&node));
        !on_some || sides.get(side).is_some_and(|list| list.contains(&node))
    }
}

/// What passes between twins of two accomplices: the side is not to be seen from outside.
#[derive(Debug)]
struct Sided {
    side: usize,
    payload: Arc<dyn Payload>,
}

impl Payload for Sided {
    fn kind(&self) -> &'static str {
        self.payload.kind()
    }
    fn encode(&self, out: &mut Vec<u8>) {
        self.payload.encode(out);
    }
    fn encoded_len(&self) -> usize {
        self.payload.encoded_len()
    }
    fn votes(&self, each: &mut dyn FnMut(consim_core::ChainId, consim_core::Vote)) {
        self.payload.votes(each);
    }
    fn priority(&self) -> u8 {
        self.payload.priority()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct Twin {
    process: Box<dyn Process>,
    view: u64,
    /// Timers that run, while the copies are one.
    timers: BTreeMap<u64, Time>,
    /// Writes under way, asked for while the copies were one: the first one's completions are this
    /// one's too.
    writes: BTreeSet<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    One,
    Parted { view: u64 },
    Over,
}

/// A node and its copies.
pub struct Twins {
    plan: TwinsPlan,
    first: Twin,
    copies: Vec<Twin>,
    phase: Phase,
    effects: Effects,
}

impl Twins {
    /// Hosts `processes`: the node and its copies, made alike.
    pub fn new(plan: TwinsPlan, processes: Vec<Box<dyn Process>>) -> Option<Self> {
        let twin = |process| Twin {
            process,
            view: 0,
            timers: BTreeMap::new(),
            writes: BTreeSet::new(),
        };
        let mut twins = processes.into_iter().map(twin);
        Some(Self {
            plan,
            first: twins.next()?,
            copies: twins.collect(),
            phase: Phase::One,
            effects: Effects::default(),
        })
    }

    /// The window may have opened or closed since the last event.
    fn keep_time(&mut self, cx: &mut Context<'_>) {
        let now = cx.now();
        if self.phase == Phase::One && now >= self.plan.from {
            self.part(cx);
        }
        if matches!(self.phase, Phase::Parted { .. }) && now >= self.plan.to {
            self.phase = Phase::Over;
            self.copies.clear();
        }
    }

    /// The copies part: from now on each has timers of its own.
    fn part(&mut self, cx: &mut Context<'_>) {
        self.phase = Phase::Parted {
            view: self.first.view,
        };
        let now = cx.now();
        for (number, copy) in (1u64..).zip(&mut self.copies) {
            for (key, due) in std::mem::take(&mut copy.timers) {
                cx.set_timer(TimerKey(key | number << COPY_AT), due - now);
            }
        }
        self.first.timers.clear();
    }

    /// One of them handles an event; index 0 is the first.
    fn serve(&mut self, cx: &mut Context<'_>, index: usize, event: Event<'_>) {
        let twin = match index.checked_sub(1) {
            None => Some(&mut self.first),
            Some(copy) => self.copies.get_mut(copy),
        };
        let Some(twin) = twin else {
            return;
        };
        let mut effects = std::mem::take(&mut self.effects);
        twin.process.handle(&mut cx.nested(&mut effects), event);
        for probe in &effects.probes {
            if let Probe::View { view, .. } = probe {
                twin.view = *view;
            }
        }
        if self.phase == Phase::One {
            follow(twin, &effects, cx.now());
        }
        match (self.phase, index) {
            (Phase::Parted { view }, _) => self.parted(cx, index, view, &mut effects),
            (_, 0) => {
                cx.work(effects.work);
                effects.probes.drain(..).for_each(|probe| cx.emit(probe));
                effects.list.drain(..).for_each(|effect| carry(cx, effect));
            }
            _ => {}
        }
        while index == 0
            && let Some(delivery) = effects.delivered.pop_front()
        {
            cx.deliver(delivery);
        }
        effects.clear();
        self.effects = effects;
    }

    /// What one of them asks for after they have parted.
    fn parted(&mut self, cx: &mut Context<'_>, index: usize, began: u64, effects: &mut Effects) {
        cx.work(effects.work);
        if index == 0 {
            effects.probes.drain(..).for_each(|probe| cx.emit(probe));
        }
        let view = match index.checked_sub(1) {
            None => self.first.view,
            Some(copy) => self.copies.get(copy).map_or(0, |twin| twin.view),
        };
        let round = view.saturating_sub(began);
        let mut said = 0;
        for effect in effects.list.drain(..) {
            match effect {
                Effect::Send { to, payload } => said += self.say(cx, index, round, &[to], &payload),
                Effect::Multicast { to, payload } => {
                    said += self.say(cx, index, round, &to, &payload);
                }
                other => carry(cx, own(index as u64, other)),
            }
        }
        // What a copy says, a correct node would not have said.
        if index > 0 && said > 0 {
            cx.emit(Probe::Misbehaved {
                attack: self.plan.attack,
                times: said,
            });
        }
    }

    /// Sends to those of `to` that are on the speaker's side; returns to how many.
    fn say(
        &self,
        cx: &mut Context<'_>,
        side: usize,
        round: u64,
        to: &[NodeId],
        payload: &Arc<dyn Payload>,
    ) -> u64 {
        let me = cx.node();
        let mut open = Vec::new();
        let mut said = 0;
        for &node in to.iter().filter(|&&n| n != me) {
            if self.plan.accomplices.contains(&node) {
                let payload = Arc::clone(payload);
                cx.send(node, Arc::new(Sided { side, payload }));
                said += 1;
            } else if self.plan.joins(round, side, node) {
                open.push(node);
            }
        }
        said += open.len() as u64;
        match open.as_slice() {
            [] => {}
            [one] => cx.send(*one, Arc::clone(payload)),
            _ => cx.multicast(&open.into(), Arc::clone(payload)),
        }
        said
    }

    fn message(&mut self, cx: &mut Context<'_>, from: NodeId, payload: &Arc<dyn Payload>) {
        let sided = payload.as_any().downcast_ref::<Sided>();
        let (side, payload) = match sided {
            Some(sided) => (Some(sided.side), &sided.payload),
            None => (None, payload),
        };
        for index in 0..=self.copies.len() {
            let hears = match (self.phase, side) {
                (Phase::Parted { .. }, Some(side)) => side == index,
                // Of an accomplice that has parted already, or still.
                (_, Some(side)) => side == 0,
                (Phase::Parted { view }, None) => {
                    let at = match index.checked_sub(1) {
                        None => self.first.view,
                        Some(copy) => self.copies.get(copy).map_or(0, |twin| twin.view),
                    };
                    self.plan.joins(at.saturating_sub(view), index, from)
                }
                (_, None) => true,
            };
            if hears {
                self.serve(cx, index, Event::Message { from, payload });
            }
        }
    }

    fn persisted(&mut self, cx: &mut Context<'_>, token: WriteToken) {
        self.serve(cx, 0, Event::Persisted(token));
        for index in 1..=self.copies.len() {
            let copy = self.copies.get_mut(index - 1);
            if copy.is_some_and(|copy| copy.writes.remove(&token.0)) {
                self.serve(cx, index, Event::Persisted(token));
            }
        }
    }

    /// All of them when they begin and as long as they are one; then the first.
    fn shared(&mut self, cx: &mut Context<'_>, event: &Event<'_>) {
        let begins = matches!(event, Event::Start | Event::Recover(_));
        let last = if self.phase == Phase::One || begins {
            self.copies.len()
        } else {
            0
        };
        for index in 0..=last {
            let event = match event {
                Event::Start => Event::Start,
                Event::Recover(disk) => Event::Recover(disk),
                Event::Scrubbed(disk) => Event::Scrubbed(disk),
                Event::Timer(key) => Event::Timer(*key),
                Event::Request(request) => Event::Request(request),
                Event::Message { .. } | Event::Persisted(_) => return,
            };
            self.serve(cx, index, event);
        }
    }
}

/// While they are one: which timers and writes are under way at a copy.
fn follow(twin: &mut Twin, effects: &Effects, now: Time) {
    for effect in &effects.list {
        match effect {
            Effect::SetTimer { key, after } => {
                twin.timers.insert(key.0, now + *after);
            }
            Effect::CancelTimer { key } => {
                twin.timers.remove(&key.0);
            }
            Effect::Persist { token, .. } => {
                twin.writes.insert(token.0);
            }
            Effect::Send { .. } | Effect::Multicast { .. } => {}
        }
    }
}

/// Marks timers and writes as those of copy `number`; the first one's stay as they are.
fn own(number: u64, effect: Effect) -> Effect {
    if number == 0 {
        return effect;
    }
    let mark = number << COPY_AT;
    match effect {
        Effect::SetTimer { key, after } => Effect::SetTimer {
            key: TimerKey(key.0 | mark),
            after,
        },
        Effect::CancelTimer { key } => Effect::CancelTimer {
            key: TimerKey(key.0 | mark),
        },
        Effect::Persist { token, writes } => Effect::Persist {
            token: WriteToken(token.0 | mark),
            writes: writes.into_iter().map(beside).collect(),
        },
        other => other,
    }
}

fn beside(write: Write) -> Write {
    Write {
        slot: match write.slot {
            Slot::Log(log) => Slot::Log(log | BESIDE),
            Slot::Cell(table, key) => Slot::Cell(table | BESIDE, key),
            Slot::EraseBelow(table, key) => Slot::EraseBelow(table | BESIDE, key),
            Slot::CutLog(log, entries) => Slot::CutLog(log | BESIDE, entries),
        },
        value: write.value,
    }
}

impl Process for Twins {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        self.keep_time(cx);
        match &event {
            Event::Message { from, payload } => self.message(cx, *from, payload),
            Event::Timer(key) if key.0 & COPIES != 0 => {
                let index = ((key.0 & COPIES) >> COPY_AT) as usize;
                self.serve(cx, index, Event::Timer(TimerKey(key.0 & !COPIES)));
            }
            Event::Persisted(token) if token.0 & COPIES != 0 => {
                let index = ((token.0 & COPIES) >> COPY_AT) as usize;
                self.serve(cx, index, Event::Persisted(WriteToken(token.0 & !COPIES)));
            }
            Event::Persisted(token) => self.persisted(cx, *token),
            Event::Timer(key) => {
                for twin in std::iter::once(&mut self.first).chain(&mut self.copies) {
                    twin.timers.remove(&key.0);
                }
                self.shared(cx, &event);
            }
            event => self.shared(cx, event),
        }
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        self.first.process.decode(bytes)
    }
}
