//! Mistakes of operators (O1, O2, O5, O6, O7, O11): nodes are restarted with a wrong setting, and with the
//! right one at the end. What the setting is, who makes the processes knows; what it did, who
//! watches the run.

use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Span, Time};

/// Nodes run with a wrong setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// Who.
    pub target: Target,
    /// What is wrong.
    pub mistake: Mistake,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// It takes so many votes more for a quorum.
    WrongQuorum {
        /// How many more; fewer if negative.
        by: i32,
    },
    /// It runs with the identity of another node.
    DuplicateKey {
        /// Of the first of these.
        with: Target,
    },
    /// It takes itself for a node of another chain.
    WrongGenesis,
    /// Its timers are too short.
    ShortTimeouts {
        /// Its first timer.
        to: Span,
    },
    /// Its certificate is no good, and a new one is at the end.
    Certificate(Invalid),
    /// It throws away what it ordered, but for the last of it.
    EarlyPrune {
        /// Blocks that it keeps.
        keep: u64,
    },
}

/// Why a certificate is no good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Invalid {
    /// Its time is over.
    Expired,
    /// Its authority took it back.
    Revoked,
    /// It is of an authority that the others do not know yet.
    NewAuthority,
}

impl Mistake {
    fn words(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::WrongQuorum { .. } => (
                "wrong-quorum",
                "O1",
                "blocks with another number of votes than the protocol needs",
            ),
            Self::DuplicateKey { .. } => (
                "duplicate-key",
                "O2",
                "votes signed with the key of another",
            ),
            Self::WrongGenesis => ("wrong-genesis", "O5", "blocks missed"),
            Self::ShortTimeouts { .. } => {
                ("short-timeouts", "O6", "messages that ask for another view")
            }
            Self::Certificate(_) => ("expired-certificate", "O7", "messages refused"),
            Self::EarlyPrune { .. } => ("early-prune", "O11", "requests for blocks that are gone"),
        }
    }
}

impl Kind for Operator {
    const WORD: &'static str = "";
    const CODE: &'static str = "";
    const UNIT: &'static str = "";
    const RESTARTS: bool = true;
    type Open = Mistaken;

    fn word(&self) -> &'static str {
        self.mistake.words().0
    }
    fn code(&self) -> &'static str {
        self.mistake.words().1
    }
    fn unit(&self) -> &'static str {
        self.mistake.words().2
    }
    fn open(&self, cx: &mut Cx<'_>) -> Mistaken {
        let nodes = cx.hit(&self.target);
        for &node in &nodes {
            cx.act(Act::Configure { node, wrong: true });
            // A certificate is over, or taken back, without anybody doing anything on the node.
            let remote = [Invalid::Expired, Invalid::Revoked].map(Mistake::Certificate);
            if !remote.contains(&self.mistake) {
                cx.act(Act::Bounce(node));
            }
        }
        Mistaken { nodes }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        let mut targets = vec![&mut self.target];
        if let Mistake::DuplicateKey { with } = &mut self.mistake {
            targets.push(with);
        }
        targets
    }
}

/// Nodes with a wrong setting.
pub(crate) struct Mistaken {
    nodes: Vec<NodeId>,
}

impl Window for Mistaken {
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::Configure { node, wrong: false });
            cx.act(Act::Bounce(node));
        }
        None
    }
}
