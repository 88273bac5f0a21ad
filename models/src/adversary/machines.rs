//! Nodes whose state machine does not do what it should: B13, `diverge`, and B14, `lazy-vote`.
//!
//! Each such node has a machine of its own, so that it never shares an execution with others.

use super::traitor::{Windows, carry};
use consim_core::machine::ApplyAt;
use consim_core::{
    CodecError, Context, Effects, Event, Payload, Probe, Process, Receipt, State, StateMachine, Tx,
    Work, mix,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what machines did, since a machine can tell nobody.
pub type Count = Arc<AtomicU64>;

/// Windows as block times have them: nanoseconds after the Unix epoch.
fn is_on(windows: &Windows, start_ns: i64, at: ApplyAt) -> bool {
    let since = at.time_ns.saturating_sub(start_ns);
    let now = u64::try_from(since).unwrap_or(0);
    windows
        .iter()
        .any(|&(from, to)| from.nanos() <= now && now < to.nanos())
}

/// B13: an execution that is not deterministic. A share of the transactions leaves something in the
/// state that no other node has.
pub struct Diverge {
    /// The true machine.
    pub machine: Arc<dyn StateMachine>,
    /// When, by block time.
    pub windows: Windows,
    /// Calendar time of time zero.
    pub start_ns: i64,
    /// Share of transactions, parts per 10^9.
    pub rate: u32,
    /// What its draws are keyed by.
    pub draws: u64,
    /// Transactions that diverged.
    pub count: Count,
}

/// The key of the state that holds what only this node has.
const ODD: &[u8] = b"\xffodd";

impl StateMachine for Diverge {
    fn name(&self) -> &'static str {
        self.machine.name()
    }
    fn genesis(&self, state: &mut dyn State) {
        self.machine.genesis(state);
    }
    fn apply(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Receipt {
        let receipt = self.machine.apply(state, tx, at);
        let draw = mix(self.draws, tx.digest().prefix());
        if receipt == Receipt::Applied
            && is_on(&self.windows, self.start_ns, at)
            && draw % 1_000_000_000 < u64::from(self.rate)
        {
            self.count.fetch_add(1, Ordering::Relaxed);
            state.put(ODD, &draw.to_be_bytes());
        }
        receipt
    }
}

/// B14: says that it executed, and did not.
pub struct LazyMachine {
    /// The true machine.
    pub machine: Arc<dyn StateMachine>,
    /// When, by block time.
    pub windows: Windows,
    /// Calendar time of time zero.
    pub start_ns: i64,
}

impl StateMachine for LazyMachine {
    fn name(&self) -> &'static str {
        self.machine.name()
    }
    fn genesis(&self, state: &mut dyn State) {
        self.machine.genesis(state);
    }
    fn apply(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Receipt {
        if is_on(&self.windows, self.start_ns, at) {
            return Receipt::Applied;
        }
        self.machine.apply(state, tx, at)
    }
}

/// The node of a [`LazyMachine`]: what it does not execute costs it nothing.
pub struct LazyNode {
    /// The node.
    pub honest: Box<dyn Process>,
    /// The attack's number in the run.
    pub attack: u16,
    /// When.
    pub windows: Windows,
}

impl Process for LazyNode {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let now = cx.now();
        if !self
            .windows
            .iter()
            .any(|&(from, to)| from <= now && now < to)
        {
            return self.honest.handle(cx, event);
        }
        let mut effects = Effects::default();
        self.honest.handle(&mut cx.nested(&mut effects), event);
        let skipped = effects.work.execute;
        cx.work(Work {
            execute: 0,
            ..effects.work
        });
        effects.probes.drain(..).for_each(|probe| cx.emit(probe));
        effects.list.drain(..).for_each(|effect| carry(cx, effect));
        if skipped > 0 {
            cx.emit(Probe::Misbehaved {
                attack: self.attack,
                times: u64::from(skipped),
            });
        }
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        self.honest.decode(bytes)
    }
}
