//! `organisations` and `populations`.

use super::decode::{At, Cx, Decode, Keys, LeafKind};
use super::delay::Delay;
use super::lists::{Turns, Words};
use super::macros::{choice, record, words};
use super::shape::{Form, Lists, Record, Shape};
use crate::tree::{Node, Place, Value as Tree};
use consim_core::values::{Count, Share, Value, ValueError};
use consim_models::node::release::Release;

record! {
    /// A group of like institutions.
    pub struct Organisation {
        /// Defaults of hardware, rates and rights.
        tier: Option<At<Tier>>,
        /// How many institutions.
        count: At<Count> = "1",
        /// A CSV file of institutions, in place of `count` and `region`: columns `name`, `city` or
        /// `lat` and `lon`, and `tier`, `visits_per_day`, `access_rate`, `hardware`.
        from: Option<At<TableRef>>,
        /// Where they are.
        region: RegionRule = "spread",
        /// The site that they share, or several that they are put into in turn; without, each is a
        /// site of its own.
        site: Option<Turns>,
        /// Their machine.
        hardware: Option<At<String>>,
        /// What their nodes do on the chains.
        roles: Option<Words>,
        /// Who certifies their nodes.
        authority: Authority = "shared",
        /// The release of the program that its nodes run.
        version: At<ReleaseName> = "current",
    }
    later "nodes" "cohorts" "alliance";
}

/// A file: `file:PATH`, or a built-in one: `dataset:NAME`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum TableRef {
    /// The path alone.
    File(String),
    /// The name alone.
    DataSet(String),
}

impl Value for TableRef {
    const FORM: &'static str = "a file";
    const EXAMPLES: &'static str = "file:hospitals.csv or dataset:hospitals";
    fn pattern() -> String {
        "(file|dataset):.+".into()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            Some(("dataset", name)) => Ok(Self::DataSet(name.to_owned())),
            _ => Err(ValueError {
                code: "E106",
                message: format!("`{text}` is not a file"),
                help: format!("file:{text}"),
                part: None,
            }),
        }
    }
    fn text(&self) -> String {
        match self {
            Self::File(path) => format!("file:{path}"),
            Self::DataSet(name) => format!("dataset:{name}"),
        }
    }
}

words! {
    /// What kind of institution.
    pub enum Tier: "tier" {
        /// Tertiary hospital.
        Tertiary = "tertiary",
        /// Secondary hospital.
        Secondary = "secondary",
        /// Primary hospital.
        Primary = "primary",
        /// Community hospital or health centre.
        Community = "community",
        /// Health service station.
        Station = "station",
        /// County hospital.
        County = "county",
        /// Township health centre.
        Township = "township",
        /// Village clinic.
        Village = "village",
        /// Pharmacy.
        Pharmacy = "pharmacy",
        /// Drug manufacturer.
        Manufacturer = "manufacturer",
        /// Drug distributor.
        Distributor = "distributor",
        /// Carrier.
        Logistics = "logistics",
        /// Health supervision.
        Regulator = "regulator",
        /// Cloud provider.
        Cloud = "cloud",
        /// Any other.
        Other = "other",
    }
}

impl Tier {
    /// The profile of its machine where none is named.
    pub(crate) const fn hardware(self) -> &'static str {
        match self {
            Self::Primary
            | Self::Community
            | Self::Station
            | Self::Township
            | Self::Village
            | Self::Pharmacy => "clinic-box",
            _ => "hospital-server",
        }
    }
}

/// A release of the program: `current` is this one, `current+1` the next, `current-2` the last but one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReleaseName(pub(crate) Release);

/// The most steps that a release may be away from the program's own.
const MAX_STEPS: i32 = 99;

impl Value for ReleaseName {
    const FORM: &'static str = "a release";
    const EXAMPLES: &'static str = "current, current+1 or current-2";
    fn pattern() -> String {
        "current([+-][1-9][0-9]?)?".to_owned()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let steps = match text.strip_prefix("current") {
            Some("") => Some(0),
            Some(steps) if steps.starts_with(['+', '-']) => steps.parse().ok(),
            _ => None,
        };
        steps
            .filter(|steps: &i32| steps.abs() <= MAX_STEPS)
            .map(|steps| Self(Release(steps)))
            .filter(|release| release.text() == text)
            .ok_or_else(|| ValueError::form::<Self>(text))
    }
    fn text(&self) -> String {
        self.0.to_string()
    }
}

choice! {
    /// Who certifies an organisation's nodes.
    pub enum Authority: "authority" {
        /// The authority that all trust.
        Shared(Plain) = "shared",
        /// An authority of the organisation's own.
        Own(Plain) = "own",
    }
}

/// Options of a name that has none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain;

impl Decode for Plain {
    fn shape() -> Shape {
        Shape::Record(Record {
            main: None,
            fields: Vec::new(),
            later: &[],
        })
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let keys = Keys {
            main: None,
            known: &[],
            beside: &[],
            later: &[],
        };
        cx.open(node, &keys).map(|_| Self)
    }
}

/// `organisations.NAME.region`.
#[derive(Clone, Debug)]
pub(crate) enum RegionRule {
    /// Evenly over the table's regions by name order.
    Spread,
    /// The regions by name order, one after the other.
    RoundRobin,
    /// One in each region.
    OneEach,
    /// Drawn.
    Random,
    /// These, one after the other.
    Named(Vec<(String, Place)>),
}

impl Decode for RegionRule {
    fn shape() -> Shape {
        Shape::Scalar(Form::of::<String>().several("a region or a rule", Lists::Also))
    }
    fn decode(cx: &mut Cx, node: &Node) -> Option<Self> {
        let place = cx.place_of(node);
        let word = |item: &Node| Some((item.scalar()?.to_string(), item.place.clone()));
        let rule = match &node.value {
            Tree::Empty => {
                cx.empty(node);
                return None;
            }
            Tree::Scalar(text) => match &**text {
                "spread" => Self::Spread,
                "round-robin" => Self::RoundRobin,
                "one-each" => Self::OneEach,
                "random" => Self::Random,
                "by-population" => {
                    cx.later(&place, "by-population");
                    return None;
                }
                _ => Self::Named(word(node).into_iter().collect()),
            },
            Tree::List(items)
                if !items.is_empty() && items.iter().all(|i| i.scalar().is_some()) =>
            {
                Self::Named(items.iter().filter_map(word).collect())
            }
            _ => {
                cx.error(
                    "E211",
                    &place,
                    "a region, a list of regions or a rule is expected here",
                    "guangzhou, [guangzhou, shenzhen], spread, round-robin, one-each or random",
                );
                return None;
            }
        };
        cx.leaf(LeafKind::Value, node.flow(), &place);
        Some(rule)
    }
}

record! {
    /// Patients.
    pub struct Population {
        /// How many there are, spread over the health-care institutions; 20,000 for each if left out.
        people: Option<At<Count>>,
        /// How they answer.
        consent: PopulationConsent = "{}",
    }
    later "of" "id_space" "cohort";
}

record! {
    /// `populations.NAME.consent`.
    pub struct PopulationConsent {
        /// Share of requests that are granted where no recorded consent speaks.
        grant: At<Share> = "95%",
        /// How long patients take to answer.
        answer_in: Delay = "{ log-normal: { median: 20s, p99: 2m } }",
    }
    later "deny" "withhold" "opt_out" "change_mind" "delegate" "levels";
}
