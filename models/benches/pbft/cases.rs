//! The cases, and what is measured of them.

use crate::group::{Group, Nursery, Watch, build, hardware};
use crate::meter::{cpu_seconds, status_kb};
use consim_core::{Context, Event, NodeId, Payload, Process, Span, Time, TimerKey};
use consim_kernel::Kernel;
use consim_kernel::config::EventList;
use consim_models::consensus::ProtocolOptions;
use consim_models::consensus::pbft::PbftOptions;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// What is run.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    /// PBFT of `n` members, one transaction a block. Authenticators cost what MACs do, as in the
    /// paper's own measurements (OSDI 1999), or what Ed25519 does.
    Pbft { n: u32, crypto: bool, checks: bool },
    /// 64 nodes; each message causes one to another node.
    Unicast,
    /// 40,000 nodes that wait for a timer of 10 s, again and again.
    Idle,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) messages: f64,
    pub(crate) events: f64,
    pub(crate) decisions: f64,
    pub(crate) spent: f64,
    pub(crate) virtual_seconds: f64,
    pub(crate) peak_kb: f64,
    pub(crate) bytes_a_node: f64,
    pub(crate) digest: String,
}

impl Measured {
    pub(crate) fn rate(&self) -> f64 {
        self.events / self.spent
    }
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut next = || words.next()?.parse().ok();
        Some(Self {
            messages: next()?,
            events: next()?,
            decisions: next()?,
            spent: next()?,
            virtual_seconds: next()?,
            peak_kb: next()?,
            bytes_a_node: next()?,
            digest: words.next()?.to_owned(),
        })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {} {} {} {} {}",
            self.messages,
            self.events,
            self.decisions,
            self.spent,
            self.virtual_seconds,
            self.peak_kb,
            self.bytes_a_node,
            self.digest
        )
    }
}

/// A group of `n` nodes of some kind.
fn with(
    n: u32,
    list: EventList,
    spawn: impl FnMut(NodeId) -> Box<dyn Process> + Send + 'static,
) -> Kernel<Watch> {
    build(
        n,
        hardware(false),
        list,
        Vec::new(),
        Box::new(Nursery(spawn)),
    )
}

/// Runs a case: a while unmeasured, then until enough has happened (`messages`, if given: for
/// profilers that are slow).
pub(crate) fn run(case: Case, list: EventList, messages: Option<u64>) -> Measured {
    let before_kb = status_kb("VmRSS");
    let (mut kernel, nodes, step, enough) = match case {
        Case::Pbft { n, crypto, checks } => {
            // Some proposals are always in flight; the servers are not overrun.
            let period = Span::from_micros(if crypto { 400 } else { 150 } * u64::from(n));
            let options = PbftOptions {
                pipeline: 64,
                ..PbftOptions::default()
            };
            let group = Group {
                n,
                protocol: ProtocolOptions::Pbft(options),
                crypto,
                checks,
                period,
            };
            let kernel = group.kernel(list);
            let messages = if n < 1_000 { 6_000_000 } else { 10_000_000 };
            (kernel, n, period, messages)
        }
        Case::Unicast => {
            let kernel = with(64, list, |_| Box::new(Relay { draw: 0 }));
            (kernel, 64, Span::from_millis(10), 6_000_000)
        }
        Case::Idle => {
            let kernel = with(40_000, list, |_| Box::new(Sleeper));
            (kernel, 40_000, Span::from_secs(10), 1_000_000)
        }
    };
    let mut until = Time::ZERO;
    let done = |kernel: &Kernel<Watch>| match case {
        Case::Idle => kernel.totals().events,
        _ => kernel.totals().messages,
    };
    let enough = messages.unwrap_or(enough);
    while done(&kernel) < enough / 10 {
        until += step;
        kernel.run_until(until);
    }
    let (first, blocks, since) = (kernel.totals(), kernel.observer().blocks, until);
    let before = cpu_seconds();
    while done(&kernel) < enough {
        until += step;
        kernel.run_until(until);
    }
    let spent = cpu_seconds() - before;
    let totals = kernel.totals();
    kernel.observer().complain();
    let peak_kb = status_kb("VmHWM");
    Measured {
        messages: (totals.messages - first.messages) as f64,
        events: (totals.events - first.events) as f64,
        decisions: (kernel.observer().blocks - blocks) as f64,
        spent,
        virtual_seconds: (until - since).seconds(),
        peak_kb,
        bytes_a_node: (peak_kb - before_kb) * 1024.0 / f64::from(nodes),
        digest: kernel.run_digest(),
    }
}

/// A message that says nothing.
#[derive(Debug)]
struct Token;

impl Payload for Token {
    fn kind(&self) -> &'static str {
        "token"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0; 100]);
    }
    fn encoded_len(&self) -> usize {
        100
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Sends sixteen tokens at the start, and one for each that comes.
struct Relay {
    draw: u64,
}

impl Process for Relay {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let tokens = match event {
            Event::Start => 16,
            Event::Message { .. } => 1,
            _ => 0,
        };
        for _ in 0..tokens {
            self.draw += 1;
            let drawn = consim_core::mix(u64::from(cx.node().0), self.draw) % 63;
            let to = (u64::from(cx.node().0) + 1 + drawn) % 64;
            cx.send(NodeId(to as u32), Arc::new(Token));
        }
    }
}

/// Waits for its timer.
struct Sleeper;

impl Process for Sleeper {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let after = match event {
            // Not all at once.
            Event::Start => Span::from_micros(u64::from(cx.node().0) * 250),
            _ => Span::from_secs(10),
        };
        cx.set_timer(TimerKey(0), after);
    }
}
