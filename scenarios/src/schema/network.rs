//! `network` and `hardware`.

use super::decode::{At, Cx, Decode, Named};
use super::lists::Words;
use super::macros::{choice, record, words};
use super::shape::{Field, Record, Shape};
use crate::compose;
use crate::tree::{Key, Node, Place, Value};
use consim_core::values::{
    BitRate, Bytes, Count, Degrees, Drift, Factor, Offset, Range, Ratio, Share,
};
use consim_core::{Distribution, Span};

record! {
    /// `network`.
    pub struct Network {
        /// Delays between regions.
        regions: Regions = "one-place",
        /// The line of every pair of institutions.
        links: Option<Profiled<LinkKeys>>,
    }
    later "rules" "sites" "gossip";
}

record! {
    /// `network.regions`.
    pub struct Regions {
        /// A table of delays: a profile or `file:`.
        table: Option<At<String>>,
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

words! {
    /// What becomes of a lost segment.
    pub enum Transport: "transport" {
        /// It comes late.
        Stream = "stream",
        /// It never comes.
        Datagram = "datagram",
    }
}

record! {
    /// The keys of a line; profiles of `network.links` hold the same.
    pub struct LinkKeys {
        /// One way, added to the delay between the regions.
        delay: Delay,
        /// Bits per second.
        rate: At<BitRate>,
        /// Lost segments.
        loss: LossRate,
        /// What becomes of a lost segment.
        transport: At<Transport>,
    }
    later "connection_rate" "duplicate" "reorder" "corrupt" "queue";
}

record! {
    /// `network.links.loss`.
    pub struct LossRate {
        /// Share of segments.
        rate: At<Share>,
    }
    main "rate";
    later "burst";
}

choice! {
    /// A distribution of durations.
    pub enum Delay: "distribution" {
        /// Always the same.
        Constant(Constant) = "constant",
        /// Evenly between two.
        Uniform(UniformDelay) = "uniform",
        /// Normal, cut off at zero.
        Normal(NormalDelay) = "normal",
        /// Log-normal by median and 99th percentile.
        LogNormal(LogNormalDelay) = "log-normal",
        /// Exponential.
        Exponential(ExponentialDelay) = "exponential",
    }
    main "constant";
    later "pareto" "table";
}

/// A constant duration; a range is refused, since it would be drawn once.
#[derive(Clone, Debug)]
pub(crate) struct Constant(At<Span>);

impl Decode for Constant {
    fn shape() -> Shape {
        At::<Span>::shape()
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        if let Some((from, to)) = node.scalar().and_then(|text| text.split_once("..")) {
            cx.error(
                "E112",
                &node.place,
                "a distribution is no range: it is drawn for every message",
                format!("{{ uniform: {{ from: {from}, to: {to} }} }}"),
            );
            return None;
        }
        At::decode(cx, node).map(Self)
    }
}

record! {
    /// `uniform`.
    pub struct UniformDelay {
        /// Least.
        from: At<Span>,
        /// Most.
        to: At<Span>,
    }
}

record! {
    /// `normal`.
    pub struct NormalDelay {
        /// Mean.
        mean: At<Span>,
        /// Standard deviation.
        sd: At<Span>,
    }
}

record! {
    /// `log-normal`.
    pub struct LogNormalDelay {
        /// Half of the draws are below.
        median: At<Span>,
        /// 99 % of the draws are below.
        p99: At<Span>,
    }
}

record! {
    /// `exponential`.
    pub struct ExponentialDelay {
        /// Mean.
        mean: At<Span>,
    }
    main "mean";
}

impl Delay {
    /// As the vocabulary has it; complains where the parameters make no sense.
    pub(crate) fn distribution(&self, cx: &mut Cx) -> Distribution {
        let mut order = |low: &At<Span>, high: &At<Span>, what: &str| {
            if low.value > high.value {
                cx.error(
                    "E113",
                    &high.place,
                    format!("{what}: {} is below {}", high.value, low.value),
                    "exchange the two",
                );
            }
        };
        match self {
            Self::Constant(Constant(span)) => Distribution::Constant(span.value),
            Self::Uniform(u) => {
                order(&u.from, &u.to, "the end of a uniform distribution");
                Distribution::Uniform {
                    from: u.from.value,
                    to: u.to.value,
                }
            }
            Self::Normal(n) => Distribution::Normal {
                mean: n.mean.value,
                sd: n.sd.value,
            },
            Self::LogNormal(l) => {
                order(&l.median, &l.p99, "the 99th percentile");
                Distribution::LogNormal {
                    median: l.median.value,
                    p99: l.p99.value,
                }
            }
            Self::Exponential(e) => Distribution::Exponential { mean: e.mean.value },
        }
    }
}

record! {
    /// The keys of a machine; profiles of `hardware` hold the same.
    pub struct HardwareKeys {
        /// Cores.
        cores: At<Count>,
        /// All CPU costs are divided by this.
        speed: At<Factor>,
        /// One signature.
        sign: Schemes,
        /// One verification alone.
        verify: Schemes,
        /// One verification in a batch, on one core.
        verify_batched: Schemes,
        /// Hashing a KiB.
        hash: At<Span>,
        /// Encrypting or decrypting a KiB.
        encrypt: At<Span>,
        /// Executing a transaction.
        execute: At<Span>,
        /// Receiving any message.
        per_message: At<Span>,
        /// Receiving a byte.
        per_byte: At<Span>,
        /// Network card.
        nic: Nic,
        /// Disk.
        disk: DiskKeys,
        /// Wall clock, drawn for each node.
        clock: Clock,
    }
    later "memory";
}

record! {
    /// Durations by signature scheme.
    pub struct Schemes {
        /// Ed25519 (RFC 8032).
        ed25519: At<Span>,
    }
    later "p256" "secp256k1" "bls" "sm2";
}

record! {
    /// `hardware.NAME.nic`.
    pub struct Nic {
        /// Incoming.
        r#in: At<BitRate>,
        /// Outgoing.
        out: At<BitRate>,
    }
}

record! {
    /// `hardware.NAME.disk`.
    pub struct DiskKeys {
        /// Bytes written per second: a size, `/s`.
        write: At<WriteRate>,
        /// One fsync.
        fsync: Delay,
    }
    later "read" "group_commit" "size" "sector";
}

record! {
    /// `hardware.NAME.clock`.
    pub struct Clock {
        /// From the true time, at the start.
        offset: At<Range<Offset>>,
        /// Relative speed.
        drift: At<Range<Drift>>,
    }
}

/// A rate of bytes: `200MB/s`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct WriteRate(pub(crate) u64);

impl consim_core::values::Value for WriteRate {
    const FORM: &'static str = "a rate of bytes";
    const EXAMPLES: &'static str = "200MB/s";
    fn parse(text: &str) -> Result<Self, consim_core::values::ValueError> {
        BitRate::parse(text).map(|rate| Self(rate.0 / 8))
    }
    fn text(&self) -> String {
        format!("{}/s", Bytes(self.0).text())
    }
}

/// A map whose missing keys come from a profile, named by its key `profile` or by a bare word.
#[derive(Clone, Debug)]
pub(crate) struct Profiled<T> {
    /// The profile, if one is named.
    pub(crate) profile: Option<At<String>>,
    /// The keys beside it.
    over: Node,
    /// Path and places of the keys down to here, for decoding later.
    path: Vec<(String, Place)>,
    keys: std::marker::PhantomData<T>,
}

/// A record that profiles can hold.
pub(crate) trait Profile: Decode {
    /// The folder of its profiles.
    const FOLDER: &'static str;
}
impl Profile for LinkKeys {
    const FOLDER: &'static str = "links";
}
impl Profile for HardwareKeys {
    const FOLDER: &'static str = "hardware";
}

impl<T: Profile> Decode for Profiled<T> {
    fn shape() -> Shape {
        let Shape::Record(inner) = T::shape() else {
            return T::shape();
        };
        let profile = Field {
            name: "profile",
            help: "What the keys beside it override.",
            shape: Shape::Value("a profile"),
            default: None,
        };
        Shape::Record(Record {
            main: Some("profile"),
            fields: std::iter::once(profile).chain(inner.fields).collect(),
            later: inner.later,
        })
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let place = cx.place_of(node);
        let (word, rest) = match &node.value {
            Value::Empty => {
                cx.empty(node);
                return None;
            }
            Value::List(_) => {
                cx.error(
                    "E211",
                    &place,
                    "a profile or a map is expected here",
                    "a profile's name",
                );
                return None;
            }
            Value::Scalar(_) => (Some(node), Vec::new()),
            Value::Map(entries) => (
                node.get("profile"),
                entries
                    .iter()
                    .filter(|(key, _)| &*key.text != "profile")
                    .cloned()
                    .collect::<Vec<(Key, Node)>>(),
            ),
        };
        let profile = match word {
            Some(word) => {
                Some(cx.within("profile", &word.place, |cx| At::<String>::decode(cx, word))?)
            }
            None => None,
        };
        if let Some(profile) = &profile
            && let Some(leaf) = cx.leaves.get_mut(profile.leaf)
        {
            // What the profile holds counts, not its name.
            leaf.aside = true;
        }
        Some(Self {
            profile,
            over: Node::map(rest, node.place.clone()),
            path: cx.trail(),
            keys: std::marker::PhantomData,
        })
    }
}

impl<T: Profile> Profiled<T> {
    /// The profile alone.
    pub(crate) fn named(cx: &mut Cx, path: &[&str], profile: &'static str) -> Option<Self> {
        let node = cx.default_node(profile)?;
        cx.below(path, &node.place.clone(), |cx| Self::decode(cx, &node))
    }
    /// The keys, those that are missing taken from the profile (`fallback` if none is named).
    pub(crate) fn resolve(&self, cx: &mut Cx, fallback: &'static str) -> Option<T> {
        let word = self.profile.as_ref().map_or(fallback, |p| p.value.as_str());
        let place = self.profile.as_ref().map(|p| p.place.clone());
        let profile = crate::profiles::load(cx, T::FOLDER, word, place.as_ref())?;
        let whole = compose::overlay(&T::shape(), profile, self.over.clone());
        cx.resume(&self.path, |cx| T::decode(cx, &whole))
    }
}
