//! Adversaries and attacks of a plan.

use consim_core::Time;
use consim_models::adversary::Conduct;

/// A budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdversaryPlan {
    /// The nodes that it controls: indexes into `institutions`, ascending.
    pub nodes: Vec<usize>,
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
