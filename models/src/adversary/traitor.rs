//! An honest process in a wrapper that edits what it hears and says.

use consim_core::{
    CodecError, Context, Effect, Effects, Event, NodeId, Payload, Probe, Process, Span, Time,
    TimerKey, Work,
};
use std::sync::Arc;

/// Timers of the wrapper have this bit; those of nodes are below.
const OWN: u64 = 1 << 62;
/// Where the number of the move stands in such a timer.
const MOVE_AT: u32 = 32;

/// When an attack is on: from each first instant, up to the second.
pub type Windows = Arc<[(Time, Time)]>;

/// What becomes of a message on its way in.
#[derive(Debug)]
pub enum Hears {
    /// The node gets it.
    AsItIs,
    /// The node gets this in its place.
    Instead(Arc<dyn Payload>),
    /// The node does not get it.
    Nothing,
}

/// What becomes of a message on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Says {
    /// It goes out.
    AsItIs,
    /// It does not; whatever goes in its place was sent already.
    Nothing,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug)]
pub enum To<'a> {
    /// One node.
    One(NodeId),
    /// All of these but the sender.
    Many(&'a Arc<[NodeId]>),
}

impl To<'_> {
    /// The receivers, without `me`.
    pub fn each(&self, me: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let list = match self {
            Self::One(node) => std::slice::from_ref(node),
            Self::Many(list) => list,
        };
        list.iter().copied().filter(move |&n| n != me)
    }
}

/// One way of misbehaving. It is asked about every message while its window is open; its timers
/// fire afterwards too, so that what it holds back is not lost.
pub trait Behaviour: Send {
    /// A message comes in.
    fn hears(
        &mut self,
        _out: &mut Out<'_, '_>,
        _from: NodeId,
        _payload: &Arc<dyn Payload>,
    ) -> Hears {
        Hears::AsItIs
    }
    /// The honest node says something.
    fn says(&mut self, _out: &mut Out<'_, '_>, _to: To<'_>, _payload: &Arc<dyn Payload>) -> Says {
        Says::AsItIs
    }
    /// A timer fires that it set.
    fn timer(&mut self, _out: &mut Out<'_, '_>, _key: u32) {}
}

/// What a behaviour can do beside answering.
pub struct Out<'a, 'c> {
    cx: &'a mut Context<'c>,
    number: u64,
    times: &'a mut u64,
    inward: &'a mut Vec<(NodeId, Arc<dyn Payload>)>,
}

impl Out<'_, '_> {
    /// Monotonic time.
    pub fn now(&self) -> Time {
        self.cx.now()
    }
    /// This node.
    pub fn node(&self) -> NodeId {
        self.cx.node()
    }
    /// What its clock shows, nanoseconds after the Unix epoch.
    pub fn wall_ns(&self) -> i64 {
        self.cx.wall_ns()
    }
    /// Sends a message.
    pub fn send(&mut self, to: NodeId, payload: Arc<dyn Payload>) {
        self.cx.send(to, payload);
    }
    /// Sends a message to whom another was for.
    pub fn send_to(&mut self, to: To<'_>, payload: Arc<dyn Payload>) {
        match to {
            To::One(node) => self.cx.send(node, payload),
            To::Many(list) => self.cx.multicast(list, payload),
        }
    }
    /// Lets the honest node hear something, once what is going on is done.
    pub fn hand_in(&mut self, from: NodeId, payload: Arc<dyn Payload>) {
        self.inward.push((from, payload));
    }
    /// Sets a timer.
    pub fn set_timer(&mut self, key: u32, after: Span) {
        let key = OWN | self.number << MOVE_AT | u64::from(key);
        self.cx.set_timer(TimerKey(key), after);
    }
    /// It costs this much.
    pub fn work(&mut self, work: Work) {
        self.cx.work(work);
    }
    /// It departed from what a correct node would have done, so often.
    pub fn count(&mut self, times: u64) {
        *self.times += times;
    }
}

/// A behaviour with its windows.
pub struct Move {
    /// The attack's number in the run.
    pub attack: u16,
    /// When it is on.
    pub windows: Windows,
    /// What it does.
    pub behaviour: Box<dyn Behaviour>,
}

impl Move {
    fn is_on(&self, now: Time) -> bool {
        self.windows
            .iter()
            .any(|&(from, to)| from <= now && now < to)
    }
}

/// An honest process under an adversary's control.
pub struct Traitor {
    honest: Box<dyn Process>,
    moves: Vec<Move>,
    effects: Effects,
    inward: Vec<(NodeId, Arc<dyn Payload>)>,
}

impl Traitor {
    /// Wraps `honest`. Of several moves the first that deals with a message decides.
    pub fn new(honest: Box<dyn Process>, moves: Vec<Move>) -> Self {
        Self {
            honest,
            moves,
            effects: Effects::default(),
            inward: Vec::new(),
        }
    }

    /// Asks the moves that are on about something, until one has dealt with it.
    fn ask<T>(
        &mut self,
        cx: &mut Context<'_>,
        mut question: impl FnMut(&mut dyn Behaviour, &mut Out<'_, '_>) -> Option<T>,
    ) -> Option<T> {
        let now = cx.now();
        for (number, each) in (0u64..).zip(&mut self.moves) {
            if !each.is_on(now) {
                continue;
            }
            let mut times = 0;
            let mut out = Out {
                cx,
                number,
                times: &mut times,
                inward: &mut self.inward,
            };
            let answer = question(&mut *each.behaviour, &mut out);
            tell(cx, each.attack, times);
            if answer.is_some() {
                return answer;
            }
        }
        None
    }

    /// The honest process handles an event; what it asks for passes the moves.
    fn pass(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.honest.handle(&mut cx.nested(&mut effects), event);
        cx.work(effects.work);
        for probe in effects.probes.drain(..) {
            cx.emit(probe);
        }
        while let Some(delivery) = effects.delivered.pop_front() {
            cx.deliver(delivery);
        }
        for effect in effects.list.drain(..) {
            let (to, payload) = match &effect {
                Effect::Send { to, payload } => (To::One(*to), payload),
                Effect::Multicast { to, payload } => (To::Many(to), payload),
                _ => {
                    carry(cx, effect);
                    continue;
                }
            };
            let taken = self.ask(cx, |behaviour, out| {
                (behaviour.says(out, to, payload) == Says::Nothing).then_some(())
            });
            if taken.is_none() {
                carry(cx, effect);
            }
        }
        effects.clear();
        self.effects = effects;
    }

    fn hear(&mut self, cx: &mut Context<'_>, from: NodeId, payload: &Arc<dyn Payload>) {
        let changed = self.ask(cx, |behaviour, out| {
            match behaviour.hears(out, from, payload) {
                Hears::AsItIs => None,
                Hears::Instead(other) => Some(Some(other)),
                Hears::Nothing => Some(None),
            }
        });
        let payload = match &changed {
            None => payload,
            Some(Some(other)) => other,
            Some(None) => return,
        };
        self.pass(cx, Event::Message { from, payload });
    }

    fn timer(&mut self, cx: &mut Context<'_>, key: TimerKey) {
        let number = (key.0 & !OWN) >> MOVE_AT;
        let Some(each) = self.moves.get_mut(number as usize) else {
            return;
        };
        let mut times = 0;
        let mut out = Out {
            cx,
            number,
            times: &mut times,
            inward: &mut self.inward,
        };
        each.behaviour.timer(&mut out, key.0 as u32);
        tell(cx, each.attack, times);
    }
}

/// Asks the host for what was asked for.
pub(crate) fn carry(cx: &mut Context<'_>, effect: Effect) {
    match effect {
        Effect::Send { to, payload } => cx.send(to, payload),
        Effect::Multicast { to, payload } => cx.multicast(&to, payload),
        Effect::SetTimer { key, after } => cx.set_timer(key, after),
        Effect::CancelTimer { key } => cx.cancel_timer(key),
        Effect::Persist { token, writes } => cx.persist(token, writes),
    }
}

fn tell(cx: &mut Context<'_>, attack: u16, times: u64) {
    if times > 0 {
        cx.emit(Probe::Misbehaved { attack, times });
    }
}

impl Process for Traitor {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Timer(key) if key.0 & OWN != 0 => self.timer(cx, key),
            Event::Message { from, payload } => self.hear(cx, from, payload),
            event => self.pass(cx, event),
        }
        // What was held back on its way in was looked at before.
        while !self.inward.is_empty() {
            for (from, payload) in std::mem::take(&mut self.inward) {
                let payload = &payload;
                self.pass(cx, Event::Message { from, payload });
            }
        }
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        self.honest.decode(bytes)
    }
}
