//! `limits`.

use super::decode::At;
use super::macros::{record, words};
use consim_core::values::{Bare, Count, Value, ValueError};

record! {
    /// `limits`.
    pub struct Limits {
        /// What faults may add up to.
        fault_budget: FaultBudget = "{}",
    }
    later "events" "memory" "queue" "wall";
}

record! {
    /// `limits.fault_budget`.
    pub struct FaultBudget {
        /// How many nodes may be stopped at a time.
        crashed: At<Budget> = "minority",
        /// How many members of a chain adversaries may hold, nodes and keys together; as many as they
        /// say if left out.
        byzantine: Option<At<Budget>>,
        /// What happens to a draw, or to a member that adversaries hold, beyond it.
        excess: At<Excess> = "refuse",
        /// What faults of disks may take.
        disks: At<DiskBudget> = "keep-one-copy",
    }
}

words! {
    /// What faults of disks may take.
    pub enum DiskBudget: "budget of disks" {
        /// Damage that would take the last good copy of a committed block is left out, and counted.
        KeepOneCopy = "keep-one-copy",
        /// Everything; liveness is not judged then.
        None = "none",
    }
}

words! {
    /// What happens to a draw beyond the budget.
    pub enum Excess: "way with an excess" {
        /// It is a mistake of the scenario.
        Refuse = "refuse",
        /// It is left out.
        Skip = "skip",
    }
}

/// How many nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Budget {
    /// As many as the chain bears traitors.
    Faulty,
    /// Fewer than half of the members.
    Minority,
    /// So many.
    Number(u64),
}

impl Value for Budget {
    const FORM: &'static str = "a count, `f` or `minority`";
    const EXAMPLES: &'static str = "minority, f or 2";
    const WORDS: &'static [&'static str] = &["f", "minority"];
    const BARE: Bare = Bare::Number;
    fn pattern() -> String {
        Count::pattern()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        match text {
            "f" => Ok(Self::Faulty),
            "minority" => Ok(Self::Minority),
            _ => Count::parse(text).map(|count| Self::Number(count.0)),
        }
    }
    fn text(&self) -> String {
        match self {
            Self::Faulty => "f".into(),
            Self::Minority => "minority".into(),
            Self::Number(n) => Count(*n).text(),
        }
    }
}
