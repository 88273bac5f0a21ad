//! Adversaries and attacks of a plan.

use consim_core::{Distribution, Span, Time};
use consim_models::adversary::Conduct;
use consim_models::relay::RelayLie;
use consim_models::sharing::insiders::Deed;
use std::collections::BTreeSet;

/// A budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdversaryPlan {
    /// The nodes that it controls: indexes into `institutions`, ascending.
    pub nodes: Vec<usize>,
    /// Members whose signing keys it stole, beside those: indexes into `institutions`, ascending.
    pub keys: Vec<usize>,
    /// The lines on which it can read, delay and drop.
    pub links: Links,
    /// What its people are.
    pub roles: BTreeSet<String>,
}

/// Lines between sites.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Links {
    /// All lines of these institutions.
    Of(Vec<usize>),
    /// Lines between two institutions each.
    Between(Vec<(usize, usize)>),
}

impl Links {
    /// Are there none?
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Of(list) => list.is_empty(),
            Self::Between(list) => list.is_empty(),
        }
    }
}

impl AdversaryPlan {
    /// All institutions whose keys it has: with their nodes, or without.
    pub fn held(&self) -> impl Iterator<Item = usize> + '_ {
        self.nodes.iter().chain(&self.keys).copied()
    }
}

/// An attack with all its windows.
#[derive(Clone, Debug)]
pub struct AttackPlan {
    /// The adversary's name.
    pub by: String,
    /// The chain's name.
    pub chain: String,
    /// The kind's word.
    pub kind: String,
    /// Its catalogue code.
    pub code: String,
    /// Does the adversary control more members of the chain than that bears?
    pub beyond: bool,
    /// Its windows, by number of occurrence, from 0.
    pub windows: Vec<(u64, Time, Time)>,
    /// What it does.
    pub does: AttackPlanKind,
}

/// What an attack does.
#[derive(Clone, Debug)]
pub enum AttackPlanKind {
    /// `twins` (B1).
    Twins {
        /// Copies beside the node itself.
        copies: usize,
        /// Sides of each view; empty: the others in equal parts.
        rounds: Vec<[Vec<usize>; 2]>,
    },
    /// `selective-silence` (B4), to these institutions.
    Silence(Vec<usize>),
    /// `censor` (B10) of these institutions.
    Censor(Vec<usize>),
    /// `diverge` (B13) of this share of transactions, parts per 10^9.
    Diverge(u32),
    /// `lazy-vote` (B14).
    LazyVote,
    /// Anything that names no institutions.
    Conduct(Conduct),
    /// `interfere` (K6) on the adversary's lines.
    Interfere(Interference),
    /// What insiders do at their institutions.
    Insider(InsiderPlan),
    /// `lying-relay`.
    Relay(RelayLie),
}

/// What insiders do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InsiderPlan {
    /// What.
    pub deed: Deed,
    /// Where: indexes into `institutions`, ascending.
    pub places: Vec<usize>,
    /// From one deed to the next, at each of them.
    pub every: Span,
    /// The chain of the service.
    pub chain: String,
}

/// What an adversary does on its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Interference {
    /// It holds messages up.
    Delay(Distribution),
    /// It drops a share of messages, parts per 10^9.
    Drop(u32),
}

impl AttackPlan {
    /// The name of an occurrence.
    pub fn id(name: &str, number: u64) -> String {
        match number {
            0 => name.to_owned(),
            n => format!("{name}#{}", n + 1),
        }
    }
}
