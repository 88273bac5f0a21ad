//! The network: region delays, lines, loss. Draws are counter-based, one counter per used
//! connection, so that a fault, a message or a consumer that goes away shifts nothing else.
//!
//! Nearly all messages go over a plain line: a delay, a rate, independent loss. Lines that declare
//! more are odd ones; they are served in `odd.rs`, and only they have more state than a counter.

mod connection;
mod odd;
mod uplinks;

pub(crate) use odd::{Arriving, Odd, Told};

use crate::config::{Burst, Link, NetworkConfig, SEGMENT};
use connection::Connection;
use consim_core::{Sampler, Span, Time, mix};
use uplinks::Uplinks;

/// The least retransmission timeout of Linux TCP (TCP_RTO_MIN); RFC 6298 asks for one second,
/// which no deployed stack keeps.
const RTO_MIN: Span = Span::from_millis(200);
/// Retransmissions after which a stream gives a message up (Linux `tcp_retries2` is 15; with
/// doubling from 200 ms that is 15 minutes; here the message is lost after this many).
const MAX_RETRANSMISSIONS: u32 = 8;

/// A billion, as the base of chances.
const BILLION: u64 = 1_000_000_000;

/// What the draws of one message are for; streams of draws never overlap.
mod draw {
    /// The line's delay.
    pub(super) const LINE: u64 = 0;
    /// The delay between the regions.
    pub(super) const REGION: u64 = 1;
    /// Loss, one for each transmission.
    pub(super) const LOSS: u64 = 2;
    /// Is it held back?
    pub(super) const REORDER: u64 = 11;
    /// By how much.
    pub(super) const HOLD: u64 = 12;
    /// Does it come twice?
    pub(super) const DUPLICATE: u64 = 13;
    /// The second copy's delay: the line's share.
    pub(super) const COPY: u64 = 14;
    /// Is it corrupted, and where?
    pub(super) const CORRUPT: u64 = 15;
    /// Draws of a message.
    pub(super) const EACH: u64 = 16;
}

/// A line as it is used.
#[derive(Clone, Debug)]
struct Line {
    link: Link,
    delay: Sampler,
    mean: Span,
    /// More than delay, rate and independent loss.
    odd: bool,
}

impl Line {
    fn new(link: &Link) -> Self {
        let tcp = link.stream && (link.tcp.nagle || link.tcp.window > 0 || link.tcp.slow_start);
        Self {
            delay: link.delay.sampler(),
            mean: link.delay.mean(),
            odd: tcp
                || link.connection_rate > 0
                || link.queue > 0
                || link.burst.is_some()
                || link.duplicate_ppb > 0
                || link.reorder_ppb > 0
                || link.corrupt_ppb > 0,
            link: link.clone(),
        }
    }
}

/// State of a connection that has been used: from one node to another, one direction.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    messages: u64,
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
    /// Its line is an odd one: ask [`Network::send_odd`].
    Odd,
}

/// What faults add to a line at the moment of sending.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Extra {
    pub(crate) loss_ppb: u64,
    /// When the last window that loses closes: what is sent again after it is lost by the line alone.
    pub(crate) loss_until: Time,
    pub(crate) delay: Span,
    /// The first window that loses on this line.
    pub(crate) lost_by: Option<u32>,
    /// Losses in bursts, in place of the line's own.
    pub(crate) burst: Option<Burst>,
    /// Bits per second at most; 0 is no bound of a fault.
    pub(crate) rate: u64,
    /// When the last window that bounds it closes: from then on the line carries what is its own.
    pub(crate) throttled_until: Time,
    /// Bytes that may wait; 0 is the line's own bound.
    pub(crate) queue: u64,
    /// The window whose rate it is.
    pub(crate) throttled_by: Option<u32>,
}

impl Extra {
    /// Does it make a plain line an odd one?
    #[inline]
    fn is_odd(&self) -> bool {
        self.rate > 0 || self.burst.is_some()
    }
    /// The line as it is with it, but for what is added message by message.
    fn on(&self, link: &mut Link) {
        if self.rate > 0 && (link.rate == 0 || self.rate < link.rate) {
            link.rate = self.rate;
        }
        if self.queue > 0 && (link.queue == 0 || self.queue < link.queue) {
            link.queue = self.queue;
        }
        if self.burst.is_some() {
            link.burst = self.burst;
        }
    }
}

/// Delays between regions.
#[derive(Debug)]
struct Regions {
    samplers: Vec<Vec<Sampler>>,
    means: Vec<Vec<Span>>,
}

impl Regions {
    fn sampler(&self, from: Place, to: Place) -> Option<&Sampler> {
        self.samplers
            .get(from.region as usize)?
            .get(to.region as usize)
    }
    fn mean(&self, from: Place, to: Place) -> Span {
        let row = self.means.get(from.region as usize);
        row.and_then(|row| row.get(to.region as usize))
            .copied()
            .unwrap_or(Span::ZERO)
    }
}

#[derive(Debug)]
pub(crate) struct Network {
    regions: Regions,
    /// The line inside a site, the common line, and those of the groups.
    lines: Vec<Line>,
    /// Index into `lines` by group, `[from][to]`; empty if there is one line for all.
    of_groups: Vec<Vec<u16>>,
    group_of_site: Vec<u16>,
    key: u64,
    /// `[from][to]` by node, made when `from` first sends.
    used: Vec<Vec<Used>>,
    nodes: usize,
    /// When the line between two sites is free again, `[from][to]`, made when `from` first sends
    /// over a line with a rate.
    free: Vec<Vec<Time>>,
    sites: usize,
    /// Has any line a rate?
    rated: bool,
    /// The same inside a site, by node: there, every pair has a line of its own.
    free_inside: Vec<Vec<(u32, Time)>>,
    /// `[from][to]` by node, for connections over odd lines only.
    connections: Vec<Vec<Option<Box<Connection>>>>,
    /// Up-links that sites share, if there are any.
    uplinks: Option<Box<Uplinks>>,
}

/// The line inside a site.
const INSIDE: usize = 0;
/// The common line between sites.
const COMMON: usize = 1;

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

/// How long a message takes, remembered: most have the length and the rate of the last one.
#[derive(Debug, Default)]
pub(crate) struct LastTransfer {
    bytes: u64,
    rate: u64,
    time: Span,
}

impl LastTransfer {
    /// [`transfer`].
    #[inline]
    pub(crate) fn time(&mut self, bytes: u64, rate: u64) -> Span {
        if (self.bytes, self.rate) != (bytes, rate) {
            let time = transfer(bytes, rate);
            *self = Self { bytes, rate, time };
        }
        self.time
    }
}

impl Network {
    /// `sites` is how many there are.
    pub(crate) fn new(config: &NetworkConfig, nodes: usize, sites: usize, key: u64) -> Self {
        let groups = &config.groups;
        let mut lines = vec![Line::new(&config.site_link), Line::new(&config.link)];
        lines.extend(groups.links.iter().map(Line::new));
        let index = |cell: &Option<u16>| cell.map_or(COMMON as u16, |i| i + 2);
        let each = |f: &dyn Fn(&consim_core::Distribution) -> Sampler| {
            let rows = config.regions.iter();
            rows.map(|row| row.iter().map(f).collect()).collect()
        };
        Self {
            regions: Regions {
                samplers: each(&consim_core::Distribution::sampler),
                means: config
                    .regions
                    .iter()
                    .map(|row| row.iter().map(consim_core::Distribution::mean).collect())
                    .collect(),
            },
            rated: lines.iter().any(|line| line.link.rate > 0),
            lines,
            of_groups: groups
                .line
                .iter()
                .map(|row| row.iter().map(index).collect())
                .collect(),
            group_of_site: groups.of_site.clone(),
            key,
            used: vec![Vec::new(); nodes],
            nodes,
            free: vec![Vec::new(); sites],
            sites,
            free_inside: vec![Vec::new(); nodes],
            connections: (0..nodes).map(|_| Vec::new()).collect(),
            uplinks: Uplinks::new(&config.uplinks, sites),
        }
    }

    /// The number of the line between two places.
    #[inline]
    fn line_of(&self, from: Place, to: Place) -> usize {
        if from.site == to.site {
            return INSIDE;
        }
        if self.of_groups.is_empty() {
            return COMMON;
        }
        let group = |site: u32| group_of(&self.group_of_site, site);
        let row = self.of_groups.get(group(from.site));
        row.and_then(|row| row.get(group(to.site)))
            .map_or(COMMON, |&line| usize::from(line))
    }

    /// The lines of `from`, for a message of `bytes` bytes to any number of receivers: what does
    /// not depend on the receiver is looked up once.
    #[inline]
    pub(crate) fn sender(&mut self, from: Place, bytes: u64) -> Sender<'_> {
        let used = row(&mut self.used, from.node, self.nodes);
        let free = if self.rated {
            row(&mut self.free, from.site, self.sites)
        } else {
            &mut []
        };
        let groups = if self.of_groups.is_empty() {
            None
        } else {
            let group = group_of(&self.group_of_site, from.site);
            self.of_groups.get(group).map(Vec::as_slice)
        };
        Sender {
            from,
            bytes,
            key: self.key,
            used,
            free,
            groups,
            group_of_site: &self.group_of_site,
            lines: &self.lines,
            only: match groups {
                None => self.lines.get(COMMON).filter(|line| !line.odd),
                Some(_) => None,
            }
            .map(|line| (line, transfer(bytes, line.link.rate))),
            regions: (self.regions.samplers.get(from.region as usize)).map_or(&[], Vec::as_slice),
            inside: self.free_inside.get_mut(from.node as usize),
            time: (usize::MAX, Span::ZERO),
            uplinked: (self.uplinks.as_ref()).is_some_and(|uplinks| uplinks.leads_from(from.site)),
        }
    }

    /// When the last message that is on its way over a stream arrives.
    pub(crate) fn last_arrival(&self) -> Time {
        let last = self.used.iter().flatten().map(|used| used.last);
        last.max().unwrap_or(Time::ZERO)
    }

    /// Do any sites share an up-link?
    #[inline]
    pub(crate) fn has_uplinks(&self) -> bool {
        self.uplinks.is_some()
    }

    /// A copy of `send` comes to `to`: when it is through the up-link there, if it has to wait.
    #[cold]
    pub(crate) fn enter(
        &mut self,
        now: Time,
        message: (u32, u64),
        from: Place,
        to: Place,
    ) -> Option<Time> {
        self.uplinks.as_mut()?.enter(now, message, from, to)
    }

    /// How many copies have had to wait before the up-link of their receiver.
    pub(crate) fn waited_outside(&self) -> usize {
        self.uplinks.as_ref().map_or(0, |uplinks| uplinks.waited)
    }

    /// Did a copy come through the up-link of its receiver at `now`?
    pub(crate) fn is_through(&self, now: Time, send: u32, to: u32) -> bool {
        let uplinks = self.uplinks.as_ref();
        uplinks.is_some_and(|uplinks| uplinks.is_through(now, send, to))
    }

    /// The number of the next message of a connection, and the key of its draws.
    fn next_message(&mut self, from: Place, to: Place) -> Option<(u64, u64)> {
        let used = row(&mut self.used, from.node, self.nodes).get_mut(to.node as usize)?;
        let number = used.messages;
        used.messages += 1;
        let key = mix(self.key, u64::from(from.node) << 32 | u64::from(to.node));
        Some((number, key))
    }

    /// A stream keeps its order: what would overtake waits.
    fn in_order(&mut self, way: odd::Way, at: Time) -> Time {
        let (from, to, lane) = way;
        if lane > 0
            && let Some(connection) = self.connection(way)
        {
            connection.last = connection.last.later(at);
            return connection.last;
        }
        let row = self.used.get_mut(from.node as usize);
        let Some(used) = row.and_then(|row| row.get_mut(to.node as usize)) else {
            return at;
        };
        used.last = used.last.later(at);
        used.last
    }

    /// When the line between two places is free again.
    fn free(&mut self, from: Place, to: Place) -> Option<&mut Time> {
        if from.site == to.site {
            free_inside(self.free_inside.get_mut(from.node as usize)?, to)
        } else {
            free_between(&mut self.free, self.sites, from, to)
        }
    }

    /// Takes `time` of the line from `depart` on; returns the end.
    fn reserve(&mut self, depart: Time, from: Place, to: Place, time: Span) -> Time {
        match self.free(from, to) {
            Some(free) => {
                *free = depart.later(*free) + time;
                *free
            }
            None => depart + time,
        }
    }
}

/// The row of `number`, made when it is first used.
#[inline]
fn row<T: Clone + Default>(rows: &mut [Vec<T>], number: u32, len: usize) -> &mut [T] {
    match rows.get_mut(number as usize) {
        Some(row) => {
            if row.is_empty() {
                row.resize(len, T::default());
            }
            row
        }
        None => &mut [],
    }
}

#[inline]
fn group_of(groups: &[u16], site: u32) -> usize {
    usize::from(groups.get(site as usize).copied().unwrap_or(0))
}

/// When the line between two sites is free again.
#[inline]
fn free_between(free: &mut [Vec<Time>], sites: usize, from: Place, to: Place) -> Option<&mut Time> {
    row(free, from.site, sites).get_mut(to.site as usize)
}

/// When the line between two nodes of a site is free again.
#[inline(never)]
fn free_inside(row: &mut Vec<(u32, Time)>, to: Place) -> Option<&mut Time> {
    // A site has a handful of nodes.
    let place = row.iter().position(|&(node, _)| node == to.node);
    let place = place.unwrap_or_else(|| {
        row.push((to.node, Time::ZERO));
        row.len() - 1
    });
    row.get_mut(place).map(|(_, free)| free)
}

/// The lines of a node that sends.
pub(crate) struct Sender<'a> {
    from: Place,
    bytes: u64,
    key: u64,
    used: &'a mut [Used],
    free: &'a mut [Time],
    groups: Option<&'a [u16]>,
    group_of_site: &'a [u16],
    lines: &'a [Line],
    /// The line to all other sites and how long the message takes on it, if there is one for all
    /// and it is a plain one.
    only: Option<(&'a Line, Span)>,
    regions: &'a [Sampler],
    inside: Option<&'a mut Vec<(u32, Time)>>,
    /// The line that was asked about last, and how long the message takes on it.
    time: (usize, Span),
    /// Does what leaves the site go through an up-link?
    uplinked: bool,
}

impl<'a> Sender<'a> {
    #[inline]
    fn line_to(&self, to: Place) -> usize {
        if self.from.site == to.site {
            return INSIDE;
        }
        match self.groups {
            None => COMMON,
            Some(row) => row
                .get(group_of(self.group_of_site, to.site))
                .map_or(COMMON, |&line| usize::from(line)),
        }
    }

    /// The line between the groups of the two sites, if it is a plain one, and how long the message
    /// takes on it.
    #[inline(never)]
    fn line_of_group(&mut self, to: Place) -> Option<(&'a Line, Span)> {
        let number = self.line_to(to);
        let line = self.lines.get(number).filter(|line| !line.odd)?;
        if self.time.0 != number {
            self.time = (number, transfer(self.bytes, line.link.rate));
        }
        Some((line, self.time.1))
    }

    /// Sends a copy as [`Sender::send`] does, if nothing out of the ordinary comes of it: it goes over
    /// a plain line between two sites, no fault adds anything, and it is not lost. `None` if it is
    /// another one; nothing has changed then.
    #[expect(
        clippy::inline_always,
        reason = "docs/performance.md: a tenth of a message"
    )]
    #[inline(always)]
    pub(crate) fn plain(&mut self, depart: Time, to: Place) -> Option<Time> {
        if self.uplinked || self.from.site == to.site {
            return None;
        }
        let (line, time) = match &self.only {
            Some((line, time)) => (*line, *time),
            None => self.line_of_group(to)?,
        };
        let used = self.used.get_mut(to.node as usize)?;
        let region = self.regions.get(to.region as usize)?;
        let base = used.messages.wrapping_mul(draw::EACH);
        let pair = u64::from(self.from.node) << 32 | u64::from(to.node);
        let key = mix(self.key, pair);
        let draw = |i: u64| mix(key, base.wrapping_add(i));
        let loss = u64::from(line.link.loss_ppb);
        if loss > 0 && lost(loss.min(BILLION), self.bytes, draw(draw::LOSS)) {
            return None;
        }
        let delay =
            line.delay.sample_with(|| draw(draw::LINE)) + region.sample_with(|| draw(draw::REGION));
        let mut at = depart;
        if line.link.rate > 0
            && let Some(free) = self.free.get_mut(to.site as usize)
        {
            at = depart.later(*free) + time;
            *free = at;
        }
        at += delay;
        used.messages = used.messages.wrapping_add(1);
        if line.link.stream {
            at = at.later(used.last);
            used.last = at;
        }
        Some(at)
    }

    /// Sends a copy that leaves the sender's NIC at `depart`; `extra` is what faults add.
    #[inline(never)]
    pub(crate) fn send(&mut self, depart: Time, to: Place, extra: Option<&Extra>) -> Fate {
        let number = self.line_to(to);
        let Some(line) = self.lines.get(number) else {
            return Fate::Lost;
        };
        let uplinked = self.uplinked && number != INSIDE;
        if line.odd || uplinked || extra.is_some_and(Extra::is_odd) {
            return Fate::Odd;
        }
        let Some(used) = self.used.get_mut(to.node as usize) else {
            return Fate::Lost;
        };
        let base = used.messages.wrapping_mul(draw::EACH);
        used.messages += 1;
        let pair = u64::from(self.from.node) << 32 | u64::from(to.node);
        let key = mix(self.key, pair);
        let draw = |i: u64| mix(key, base.wrapping_add(i));

        // A sender goes by how long the line mostly takes: what a fault adds it does not know.
        let mut usual = line.delay.sample_with(|| draw(draw::LINE));
        if number != INSIDE
            && let Some(region) = self.regions.get(to.region as usize)
        {
            usual += region.sample_with(|| draw(draw::REGION));
        }
        let delay = extra.map_or(usual, |extra| usual + extra.delay);
        let mut at = depart;
        if line.link.rate > 0 {
            let free = if number == INSIDE {
                self.inside.as_mut().and_then(|row| free_inside(row, to))
            } else {
                self.free.get_mut(to.site as usize)
            };
            if let Some(free) = free {
                if self.time.0 != number {
                    self.time = (number, transfer(self.bytes, line.link.rate));
                }
                *free = depart.later(*free) + self.time.1;
                at = *free;
            }
        }
        at += delay;

        let own = u64::from(line.link.loss_ppb);
        let loss = extra.map_or(own, |extra| {
            own + extra.loss_ppb - own * extra.loss_ppb / BILLION
        });
        let mut retransmissions = 0;
        if loss > 0 {
            let mut loss = loss.min(BILLION);
            let mut wait = RTO_MIN + usual.times(2);
            while lost(
                loss,
                self.bytes,
                draw(draw::LOSS + u64::from(retransmissions)),
            ) {
                if !line.link.stream || retransmissions == MAX_RETRANSMISSIONS {
                    return Fate::Lost;
                }
                retransmissions += 1;
                at += wait;
                wait = wait.times(2);
                if extra.is_some_and(|extra| at >= extra.loss_until + delay) {
                    loss = own;
                }
            }
        }
        if line.link.stream {
            // A stream keeps its order: what would overtake waits.
            at = at.later(used.last);
            used.last = at;
        }
        Fate::Deliver {
            at,
            retransmissions,
        }
    }
}

/// Is one of the segments of `bytes` bytes lost, at a chance of `loss_ppb` each?
#[inline]
fn lost(loss_ppb: u64, bytes: u64, bits: u64) -> bool {
    let p = loss_ppb as f64 / 1e9;
    let u = consim_core::rng::unit(bits);
    let segments = bytes.div_ceil(SEGMENT).max(1);
    // The chance that any is lost is at most the sum of the chances.
    if u >= p * segments as f64 {
        return false;
    }
    segments == 1 || any_lost(p, segments, u)
}

#[cold]
fn any_lost(p: f64, segments: u64, u: f64) -> bool {
    u < 1.0 - libm::pow(1.0 - p, segments as f64)
}

/// Where a node is, as the network sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) node: u32,
    pub(crate) region: u32,
    pub(crate) site: u32,
}
