//! What a line does to messages.

use consim_core::{Distribution, Span};

/// Bytes of payload in a TCP segment on Ethernet (1,500 - 40 - 12 of options).
pub const SEGMENT: u64 = 1_448;

/// A line, one direction. It joins two sites; the nodes of a site share it. Inside a site every
/// pair of nodes has its own (a switched network).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// Added to the region delay, one way.
    pub delay: Distribution,
    /// Bits per second of the line; 0 is unlimited.
    pub rate: u64,
    /// Bits per second of each connection; 0 is the line's.
    pub connection_rate: u64,
    /// Bytes that may wait for the line; a message that finds more is dropped (drop-tail). An idle
    /// line takes any message. 0 is no bound.
    pub queue: u64,
    /// Loss per segment of [`SEGMENT`] bytes, parts per billion (with `burst`: in the good state).
    pub loss_ppb: u32,
    /// Losses in bursts.
    pub burst: Option<Burst>,
    /// A message comes twice, parts per billion. On a stream the receiver's transport drops the
    /// second copy, so it only costs the line's time.
    pub duplicate_ppb: u32,
    /// A message is held back by up to twice its delay, parts per billion, so that later ones
    /// overtake it; on a stream these wait for it.
    pub reorder_ppb: u32,
    /// A bit of a message is flipped, parts per billion of messages.
    pub corrupt_ppb: u32,
    /// Does a lost message come later (stream) or never (datagram)? Only streams keep order.
    pub stream: bool,
    /// How the stream behaves.
    pub tcp: Tcp,
}

impl Default for Link {
    /// A perfect stream: no delay, no bounds, no disturbance.
    fn default() -> Self {
        Self {
            delay: Distribution::Constant(Span::ZERO),
            rate: 0,
            connection_rate: 0,
            queue: 0,
            loss_ppb: 0,
            burst: None,
            duplicate_ppb: 0,
            reorder_ppb: 0,
            corrupt_ppb: 0,
            stream: true,
            tcp: Tcp::default(),
        }
    }
}

/// The Gilbert-Elliott model: a line that is in a good or a bad state, and may change it with each
/// segment (Elliott, "Estimates of error rates for codes on burst-noise channels", 1963). All
/// three in parts per billion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Burst {
    /// From the good state to the bad one, per segment.
    pub good_to_bad_ppb: u32,
    /// Back, per segment; a bad spell lasts the inverse of this on average.
    pub bad_to_good_ppb: u32,
    /// A segment is lost in the bad state.
    pub loss_in_bad_ppb: u32,
}

/// What decides figures in real TCP. Each node dials its peers, so the two directions between two
/// nodes are two connections, and acknowledgements do not ride on data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tcp {
    /// Nagle's algorithm as Linux has it (RFC 896 with Minshall's change): what does not fill a
    /// segment waits while an earlier such segment is unacknowledged, or until enough has come to
    /// fill one.
    pub nagle: bool,
    /// How long the receiver waits before it acknowledges a segment that was not full (RFC 1122
    /// allows 500 ms; Linux waits 40 ms at least). Matters only with `nagle`.
    pub delayed_ack: Span,
    /// Bytes that may be unacknowledged; one round trip carries no more. 0 is no bound.
    pub window: u64,
    /// Slow start: a connection begins with ten segments (RFC 6928) and doubles what it may have
    /// unacknowledged with every round trip; for each retransmission timeout that it was idle
    /// that is halved again, down to ten segments (RFC 2861, as Linux has it).
    pub slow_start: bool,
}

/// One line that sites share for all that leaves and enters them; what stays between them does not
/// take it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uplink {
    /// Bits per second, each way.
    pub rate: u64,
    /// Its sites. A site has one up-link at most; of several the last counts.
    pub sites: Vec<u32>,
}

/// Lines that differ from pair to pair of sites. Sites with the same lines form a group, so that a
/// thousand sites under three rules need no million entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LineGroups {
    /// The group of each site; sites beyond the end are of group 0.
    pub of_site: Vec<u16>,
    /// `[from][to]` by group: index into `links`; `None` is the common line.
    pub line: Vec<Vec<Option<u16>>>,
    /// The lines.
    pub links: Vec<Link>,
}
