//! `network`.

use super::decode::{At, Named};
use super::delay::Delay;
use super::faults::Pair;
use super::lists::{List, Targets, Words};
use super::macros::{choice, record, words};
use super::organisations::Plain;
use super::profiled::Profiled;
use super::registered::{RegionTables, Registered};
use consim_core::Span;
use consim_core::values::{
    BitRate, Bytes, Count, Degrees, Name, Range, Ratio, Share, Switch, Value, ValueError,
};

record! {
    /// `network`.
    pub struct Network {
        /// Delays between regions.
        regions: Regions = "one-place",
        /// The line of every pair of institutions.
        links: Option<Profiled<LinkKeys>>,
        /// Lines that differ; later rules win, key by key.
        rules: Option<List<Rule>>,
        /// Places that institutions share; without, each is a site of its own.
        sites: Named<Site>,
        /// Who holds connections with whom, where messages go from peer to peer; without it, all with all.
        gossip: Option<Overlay>,
    }
}

choice! {
    /// Who holds connections with whom.
    pub enum Overlay: "overlay" {
        /// Each with each other.
        FullMesh(Plain) = "full-mesh",
        /// Each with some that it dials, and those that dial it.
        Random(RandomPeers) = "random",
        /// Each with the two beside it, in the order of nodes.
        Ring(Plain) = "ring",
        /// Those that a file names: a header `node,peer`, then a line for each connection.
        File(PeersFile) = "file",
    }
}

record! {
    /// Options of `random`.
    pub struct RandomPeers {
        /// How many others each dials; so many dial it, in the mean.
        peers: At<Count> = "8",
    }
    main "peers";
}

record! {
    /// Options of `file`.
    pub struct PeersFile {
        /// The file, beside the scenario.
        path: At<String>,
    }
    main "path";
}

record! {
    /// `network.sites`: what its institutions share. `site NAME`, `rack NAME` and `power NAME` select
    /// them.
    pub struct Site {
        /// Where it is, and its institutions with it; without, where these are.
        region: Option<At<String>>,
        /// The rack of its machines; sites may share one.
        rack: Option<At<Name>>,
        /// The feed of power of its machines; sites may share one.
        power: Option<At<Name>>,
        /// Bits per second that leave the site, and as many that enter it: one line for all of its
        /// nodes, behind their network cards. What stays inside does not take it.
        uplink: At<RateBound> = "none",
    }
}

record! {
    /// `network.regions`.
    pub struct Regions {
        /// A table of delays: a profile or `file:`.
        table: Option<Registered<RegionTables>>,
        /// What the delays of a file are.
        is: Option<At<OneWay>>,
        /// Only these regions.
        r#use: Option<Words>,
        /// Coordinates instead of a table.
        places: Named<Place2>,
        /// Length of a line over the great circle.
        detour: Option<At<Ratio>>,
        /// Round trip of both access lines, drawn once for each pair of regions.
        access: Option<At<Range<Span>>>,
    }
    main "table";
}

record! {
    /// A profile of `network.regions`.
    pub struct TableKeys {
        /// The file of the delays, beside the profile.
        table: Option<At<String>>,
        /// What they are.
        is: Option<At<OneWay>>,
        /// Coordinates instead of a table.
        places: Named<Place2>,
        /// Length of a line over the great circle.
        detour: At<Ratio> = "1.6",
        /// Round trip of both access lines.
        access: At<Range<Span>> = "2ms..10ms",
    }
}

record! {
    /// Coordinates of a region.
    pub struct Place2 {
        /// Degrees north.
        lat: At<Degrees>,
        /// Degrees east.
        lon: At<Degrees>,
    }
}

words! {
    /// What the numbers of a table of delays are.
    pub enum OneWay: "way" {
        /// From one region to the other.
        OneWay = "one-way",
        /// There and back.
        RoundTrip = "round-trip",
    }
}

choice! {
    /// How messages travel.
    pub enum Transport: "transport" {
        /// In order; what is lost comes late.
        Stream(StreamKeys) = "stream",
        /// As they come; what is lost never comes.
        Datagram(Plain) = "datagram",
    }
}

record! {
    /// Options of `stream`: TCP where it decides figures.
    pub struct StreamKeys {
        /// What does not fill a segment waits while an earlier such segment is unacknowledged.
        nagle: At<Switch> = "false",
        /// How long a receiver waits before it acknowledges such a segment.
        delayed_ack: At<Span> = "40ms",
        /// What may be unacknowledged: a round trip carries no more.
        window: At<SizeBound> = "none",
        /// Begins with ten segments, doubles with each round trip, halves with each timeout idle.
        slow_start: At<Switch> = "false",
    }
}

record! {
    /// The keys of a line; profiles of `network.links` hold the same.
    pub struct LinkKeys {
        /// One way, added to the delay between the regions.
        delay: Delay,
        /// Bits per second of the line.
        rate: At<RateBound>,
        /// Bits per second of each connection, below the line's.
        connection_rate: At<RateBound> = "none",
        /// Lost segments.
        loss: LossRate,
        /// Messages that come twice; on a stream the second only costs the line's time.
        duplicate: At<Share> = "0%",
        /// Messages that are held back by up to twice their delay.
        reorder: At<Share> = "0%",
        /// Messages in which a bit is flipped; their receivers refuse them.
        corrupt: At<Share> = "0%",
        /// What may wait for the line; a message that finds more is dropped.
        queue: At<SizeBound> = "none",
        /// How messages travel.
        transport: Transport,
    }
}

record! {
    /// `network.rules`: whose lines, and what differs.
    pub struct Rule {
        /// Between two sets, both ways.
        between: Option<Pair>,
        /// From these...
        from: Option<Targets>,
        /// ...to these, one way.
        to: Option<Targets>,
        /// One way, added to the delay between the regions.
        delay: Option<Delay>,
        /// Bits per second of the line.
        rate: Option<At<RateBound>>,
        /// Bits per second of each connection.
        connection_rate: Option<At<RateBound>>,
        /// Lost segments.
        loss: Option<LossRate>,
        /// Messages that come twice.
        duplicate: Option<At<Share>>,
        /// Messages that are held back.
        reorder: Option<At<Share>>,
        /// Messages in which a bit is flipped.
        corrupt: Option<At<Share>>,
        /// What may wait for the line.
        queue: Option<At<SizeBound>>,
        /// How messages travel.
        transport: Option<Transport>,
    }
}

record! {
    /// `network.links.loss`.
    pub struct LossRate {
        /// Share of segments; with `burst`, in the good state.
        rate: At<Share> = "0%",
        /// Losses in bursts (the Gilbert-Elliott model).
        burst: Option<BurstKeys>,
    }
    main "rate";
}

record! {
    /// A line that is in a good or a bad state and may change it with each segment.
    pub struct BurstKeys {
        /// From good to bad, each segment.
        good_to_bad: At<Share>,
        /// From bad to good, each segment.
        bad_to_good: At<Share>,
        /// Share of segments lost in the bad state.
        loss_in_bad: At<Share>,
    }
}

/// A bit rate, or `none` for no bound; 0 inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct RateBound(pub(crate) u64);

/// A size, or `none` for no bound; 0 inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SizeBound(pub(crate) u64);

/// A positive number, or `none`.
fn bound(
    text: &str,
    parse: impl FnOnce(&str) -> Result<u64, ValueError>,
) -> Result<u64, ValueError> {
    if text == "none" {
        return Ok(0);
    }
    let value = parse(text)?;
    if value == 0 {
        return Err(ValueError {
            code: "E107",
            message: "a bound of nothing lets nothing pass".into(),
            help: "none, for no bound".into(),
            part: None,
        });
    }
    Ok(value)
}

impl Value for RateBound {
    const FORM: &'static str = "a bit rate or `none`";
    const EXAMPLES: &'static str = "100Mbit/s or none";
    fn pattern() -> String {
        format!("none|{}", BitRate::pattern())
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        bound(text, |text| BitRate::parse(text).map(|rate| rate.0)).map(Self)
    }
    fn text(&self) -> String {
        match self.0 {
            0 => "none".into(),
            rate => BitRate(rate).text(),
        }
    }
}

impl Value for SizeBound {
    const FORM: &'static str = "a size or `none`";
    const EXAMPLES: &'static str = "2MB or none";
    fn pattern() -> String {
        format!("none|{}", Bytes::pattern())
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        bound(text, |text| Bytes::parse(text).map(|size| size.0)).map(Self)
    }
    fn text(&self) -> String {
        match self.0 {
            0 => "none".into(),
            size => Bytes(size).text(),
        }
    }
}
