//! `slow-cpu` (P4): nodes are up and slow, all of what they do or one kind of work. Factors of
//! several faults multiply.

use super::effect::FaultEffect;
use super::target::Target;
use super::window::{Act, Asks, Cx, Kind, Window};
use crate::config::Hardware;
use consim_core::{NodeId, Span, Time};

/// Nodes are slow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlowCpu {
    /// Who.
    pub target: Target,
    /// How much longer it takes, parts per 1,000 (10,000 is ten times).
    pub by_permille: u64,
    /// What.
    pub only: Slowed,
}

/// Which work is slow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slowed {
    /// All.
    All,
    /// Verification of signatures.
    Verify,
    /// Execution of transactions.
    Apply,
}

impl Kind for SlowCpu {
    const WORD: &'static str = "slow-cpu";
    const CODE: &'static str = "P4";
    const UNIT: &'static str = "milliseconds of processors lost";
    const FOLLOWS: bool = true;
    type Open = Slow;

    fn open(&self, cx: &mut Cx<'_>) -> Slow {
        let nodes = cx.hit(&self.target);
        for &node in &nodes {
            cx.act(Act::Machine(node));
        }
        Slow {
            nodes,
            by_permille: self.by_permille,
            only: self.only,
            lost: Span::ZERO,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Slow nodes.
pub(crate) struct Slow {
    nodes: Vec<NodeId>,
    by_permille: u64,
    only: Slowed,
    lost: Span,
}

impl Window for Slow {
    const ASKS: Asks = Asks::SERVICE;

    fn machine(&self, node: NodeId, hardware: &mut Hardware) {
        if !self.nodes.contains(&node) {
            return;
        }
        let slower = |span: &mut Span| {
            *span = Span::from_nanos(span.nanos().saturating_mul(self.by_permille) / 1_000);
        };
        if self.only != Slowed::Apply {
            slower(&mut hardware.verify);
            slower(&mut hardware.verify_batched);
        }
        if self.only != Slowed::Verify {
            slower(&mut hardware.execute);
        }
        if self.only == Slowed::All {
            for span in [
                &mut hardware.sign,
                &mut hardware.hash_per_kib,
                &mut hardware.encrypt_per_kib,
                &mut hardware.per_message,
                &mut hardware.per_kib,
                &mut hardware.per_request,
                &mut hardware.per_message_sent,
                &mut hardware.per_kib_sent,
                &mut hardware.per_kib_stored,
            ] {
                slower(span);
            }
        }
    }
    fn slowed(&mut self, node: NodeId, by: Span, effect: &mut FaultEffect) {
        if self.nodes.contains(&node) {
            self.lost += by;
            effect.took_effect = self.lost.nanos() / 1_000_000;
        }
    }
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::Machine(node));
        }
        None
    }
}
