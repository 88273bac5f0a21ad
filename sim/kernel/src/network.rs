//! The network: region delays, lines, NICs, loss. Draws are counter-based, one counter per used
//! directed link, so that a fault, a message or a consumer that goes away shifts nothing else.

use crate::config::{Link, NetworkConfig};
use consim_core::{Sampler, Span, Time, mix};

/// Bytes of payload in a TCP segment on Ethernet (1,500 - 40 - 12 of options).
const SEGMENT: u64 = 1_448;
/// The least retransmission timeout of Linux TCP (TCP_RTO_MIN); RFC 6298 asks for one second,
/// which no deployed stack keeps.
const RTO_MIN: Span = Span::from_millis(200);
/// Retransmissions after which a stream gives a message up (Linux `tcp_retries2` is 15; with
/// doubling from 200 ms that is 15 minutes; here the message is lost after this many).
const MAX_RETRANSMISSIONS: u32 = 8;

#[derive(Clone, Debug)]
struct Line {
    delay: Sampler,
    rate: u64,
    loss_ppb: u32,
    stream: bool,
}

impl Line {
    fn new(link: &Link) -> Self {
        Self {
            delay: link.delay.sampler(),
            rate: link.rate,
            loss_ppb: link.loss_ppb,
            stream: link.stream,
        }
    }
}

/// State of one directed link that has been used.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    messages: u64,
    /// When the line is free again.
    free: Time,
    /// When the last message of the stream arrives: streams keep their order.
    last: Time,
}

/// What becomes of a message on its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It arrives.
    Deliver { at: Time, retransmissions: u32 },
    /// It never does.
    Lost,
}

/// What faults add to a line at the moment of sending.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Extra {
    pub(crate) loss_ppb: u64,
    pub(crate) delay: Span,
}

#[derive(Debug)]
pub(crate) struct Network {
    regions: Vec<Vec<Sampler>>,
    line: Line,
    site_line: Line,
    key: u64,
    /// `[from][to]`, made when `from` first sends over a line.
    used: Vec<Vec<Used>>,
    nodes: usize,
}

/// The time that `bytes` take at `rate` bits a second; none at rate 0 (unlimited).
pub(crate) fn transfer(bytes: u64, rate: u64) -> Span {
    /// Nanobits of a byte.
    const SCALE: u64 = 8 * 1_000_000_000;
    if rate == 0 {
        return Span::ZERO;
    }
    // 64 bits hold 2.3 GB; a message is never so long, a write hardly ever.
    let ns = match bytes.checked_mul(SCALE) {
        Some(scaled) => scaled.div_ceil(rate),
        None => (u128::from(bytes) * u128::from(SCALE)).div_ceil(u128::from(rate)) as u64,
    };
    Span::from_nanos(ns)
}

impl Network {
    pub(crate) fn new(config: &NetworkConfig, nodes: usize, key: u64) -> Self {
        Self {
            regions: config
                .regions
                .iter()
                .map(|row| row.iter().map(consim_core::Distribution::sampler).collect())
                .collect(),
            line: Line::new(&config.link),
            site_line: Line::new(&config.site_link),
            key,
            used: vec![Vec::new(); nodes],
            nodes,
        }
    }

    /// Sends `bytes` that leave the sender's NIC at `depart`.
    pub(crate) fn send(
        &mut self,
        depart: Time,
        from: Place,
        to: Place,
        bytes: u64,
        extra: Extra,
    ) -> Fate {
        let Some(row) = self.used.get_mut(from.node as usize) else {
            return Fate::Lost;
        };
        if row.is_empty() {
            row.resize(self.nodes, Used::default());
        }
        let Some(used) = row.get_mut(to.node as usize) else {
            return Fate::Lost;
        };
        let number = used.messages;
        used.messages += 1;
        let key = mix(self.key, u64::from(from.node) << 32 | u64::from(to.node));
        let draw = |i: u64| mix(key, number.wrapping_mul(16).wrapping_add(i));

        let same_site = from.site == to.site;
        let line = if same_site {
            &self.site_line
        } else {
            &self.line
        };
        let mut delay = line.delay.sample(draw(0)) + extra.delay;
        if !same_site
            && let Some(region) = self
                .regions
                .get(from.region as usize)
                .and_then(|r| r.get(to.region as usize))
        {
            delay += region.sample(draw(1));
        }
        let start = depart.later(used.free);
        let sent = start + transfer(bytes, line.rate);
        used.free = sent;
        let mut at = sent + delay;

        let loss = u64::from(line.loss_ppb) + extra.loss_ppb
            - u64::from(line.loss_ppb) * extra.loss_ppb / 1_000_000_000;
        let mut retransmissions = 0;
        if loss > 0 {
            let segments = bytes.div_ceil(SEGMENT).max(1);
            let lost = chance_of_any(loss.min(1_000_000_000), segments);
            let mut wait = RTO_MIN + delay.times(2);
            while consim_core::rng::unit(draw(2 + u64::from(retransmissions))) < lost {
                if !line.stream || retransmissions == MAX_RETRANSMISSIONS {
                    return Fate::Lost;
                }
                retransmissions += 1;
                at += wait;
                wait = wait.times(2);
            }
        }
        if line.stream {
            at = at.later(used.last);
            used.last = at;
        }
        Fate::Deliver {
            at,
            retransmissions,
        }
    }
}

/// The chance that at least one of `segments` is lost.
fn chance_of_any(loss_ppb: u64, segments: u64) -> f64 {
    let p = loss_ppb as f64 / 1e9;
    if segments == 1 {
        p
    } else {
        1.0 - libm::pow(1.0 - p, segments as f64)
    }
}

/// Where a node is, as the network sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) node: u32,
    pub(crate) region: u32,
    pub(crate) site: u32,
}
